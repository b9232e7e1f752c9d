//! The subcommands, none of which Logstash has: each hands its arguments to the room that does the work.
use super::plugins::{self, PluginsArgs};
use super::{Failure, print};
use crate::demo::{self, DemoArgs, DemoError};
use crate::logging::{self, LogFormat, LogLevel, LogSettings};
use crate::testing::{self, Format};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use std::io;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Run test cases of pipelines
    Test(TestArgs),
    /// Show tweets run through an embedded Kafka
    Demo(DemoArgs),
    /// List the plugins, or explain one
    Plugins(PluginsArgs),
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// Files of test cases, one JSON object a line
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How results are printed
    #[arg(long, default_value = "human", value_parser = format())]
    format: Format,
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["human", "json"])
        .map(|name| if name == "json" { Format::Json } else { Format::Human })
}

impl Action {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Action::Test(arguments) => test(&arguments),
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

fn test(arguments: &TestArgs) -> Result<(), Failure> {
    match testing::run_files(&arguments.files, arguments.format, &mut io::stdout()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Reported),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Stdout(error)),
        Err(error) => Err(Failure::Action(error.to_string())),
    }
}
