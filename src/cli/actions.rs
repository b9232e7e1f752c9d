//! The subcommands, none of which Logstash has: each hands its arguments to the room that does the work.
use super::plugins::{self, PluginsArgs};
use super::test::{self, TestArgs};
use super::{Failure, print};
use crate::demo::{self, DemoArgs, DemoError};
use crate::logging::{self, LogFormat, LogLevel, LogSettings};
use clap::Subcommand;
use std::io;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Run test cases of pipelines
    Test(TestArgs),
    /// Show tweets run through an embedded Kafka
    Demo(DemoArgs),
    /// List the plugins, or explain one
    Plugins(PluginsArgs),
}

impl Action {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Action::Test(arguments) => test::run(&arguments),
            Action::Demo(arguments) => show(&arguments),
            Action::Plugins(arguments) => {
                print(&plugins::page(crate::registry(), &arguments).map_err(Failure::Action)?)
            }
        }
    }
}

fn show(arguments: &DemoArgs) -> Result<(), Failure> {
    // What goes well is told by the demo itself.
    logging::init(LogSettings { level: LogLevel::Warn, format: LogFormat::Plain }, None)?;
    demo::run(arguments, &mut io::stderr()).map_err(|error| match error {
        DemoError::Write(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::Stdout(error),
        error => Failure::Action(error.to_string()),
    })
}
