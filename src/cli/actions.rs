//! Where the command line hands over to the rooms that do the work.
use super::plugins::{self, PluginsArgs};
use super::{Failure, print};
use crate::plugin::Registry;
use crate::settings::Settings;
use crate::settings::config_source::ConfigSource;
use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use std::path::PathBuf;

/// How much of a configuration a check judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The language alone.
    Syntax,
    /// The plugins and their options too.
    Full,
}

/// Arguments of `rstash test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Files of test cases
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = TestFormat::Human)]
    pub format: TestFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    Human,
    Json,
}

/// Arguments of `rstash demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {}

/// The subcommands of this program, none of which Logstash has.
pub fn subcommands() -> [Command; 3] {
    [
        TestArgs::augment_args(Command::new("test").about("Run the test cases of pipelines")),
        DemoArgs::augment_args(Command::new("demo").about("Show a pipeline at work")),
        PluginsArgs::augment_args(Command::new("plugins").about("List the plugins, or explain one")),
    ]
}

/// Runs a subcommand.
pub fn subcommand(name: &str, matches: &ArgMatches) -> Result<(), Failure> {
    let unread = |error: clap::Error| Failure::Action(error.to_string());
    match name {
        "test" => test(&TestArgs::from_arg_matches(matches).map_err(unread)?),
        "demo" => demo(&DemoArgs::from_arg_matches(matches).map_err(unread)?),
        _ => {
            let text = plugins::page(&registry(), &PluginsArgs::from_arg_matches(matches).map_err(unread)?);
            print(&text.map_err(Failure::Action)?)
        }
    }
}

/// Every plugin of this build.
fn registry() -> Registry {
    Registry::new([])
}

/// Runs the pipeline until it ends or is asked to.
pub fn run(settings: &Settings, sources: Vec<ConfigSource>) -> Result<(), Failure> {
    Err(unavailable("running a pipeline", settings, &sources))
}

/// Checks a configuration as far as `depth` says, without running it.
pub fn check(settings: &Settings, sources: Vec<ConfigSource>, depth: Depth) -> Result<(), Failure> {
    let what = match depth {
        Depth::Syntax => "checking the language of a configuration",
        Depth::Full => "checking a configuration",
    };
    Err(unavailable(what, settings, &sources))
}

fn unavailable(what: &str, settings: &Settings, sources: &[ConfigSource]) -> Failure {
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let id = &settings.pipeline.id;
    Failure::Action(format!("{what} is not available yet (pipeline {id}: {})", names.join(", ")))
}

fn test(arguments: &TestArgs) -> Result<(), Failure> {
    let files: Vec<String> = arguments.files.iter().map(|file| file.display().to_string()).collect();
    Err(Failure::Action(format!("running test cases is not available yet ({})", files.join(", "))))
}

fn demo(_: &DemoArgs) -> Result<(), Failure> {
    Err(Failure::Action("the demo is not available yet".to_owned()))
}
