//! The command line: `rstash -f x.conf` as `logstash -f x.conf`, and the subcommands of this program.
//!
//! [`run`] is the whole way from arguments to exit status. What the flags are, `settings::table` says; what happens with the settings and
//! config texts they lead to stands in `running`, and what the subcommands do in `actions`.
mod actions;
mod arguments;
mod command;
mod exit;
mod pages;
mod plugins;
mod running;
mod test;

pub use exit::Exit;

use crate::logging;
use crate::plugin::Environment;
use crate::settings::config_source::{self, ConfigSourceError};
use crate::settings::data::{self, DataError};
use crate::settings::{self, Loaded, SettingsError};
use actions::Action;
use arguments::{Arguments, UsageError};
use clap::{ArgMatches, FromArgMatches};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

/// Why the program ends without having done what it was asked to.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Usage(#[from] UsageError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Logging(#[from] logging::LoggingError),
    #[error(transparent)]
    ConfigSource(#[from] ConfigSourceError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("this program does not run as root while allow_superuser is false")]
    Superuser,
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    #[error("the configuration is invalid")]
    InvalidConfig,
    /// What a subcommand reports; the message stands by itself.
    #[error("{0}")]
    Action(String),
    /// Standard output or the log has told already.
    #[error("reported already")]
    Reported,
}

/// Runs the program with the arguments of a command line, the program's name first.
///
/// Errors are printed on standard error. A standard output that somebody closed ends the program quietly.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let command = command::command();
    let arguments = arguments::split(&command, arguments);
    let matches = match command.try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(answer) => return print_answer(&answer),
    };
    match invoke(&matches) {
        Ok(()) => Exit::Success,
        Err(Failure::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
        Err(Failure::Reported) => Exit::Failure,
        Err(failure) => {
            complain(&format!("ERROR: {failure}"));
            Exit::Failure
        }
    }
}

fn invoke(matches: &ArgMatches) -> Result<(), Failure> {
    match Action::from_arg_matches(matches) {
        Ok(action) => action.run(),
        Err(_) => run_or_check(Arguments::of(matches)?),
    }
}

/// What `logstash` does: run the configuration that flags and files lead to, or check it.
fn run_or_check(arguments: Arguments) -> Result<(), Failure> {
    if arguments.version {
        return print(command::VERSION_LINE);
    }
    let Loaded { settings, warnings } = settings::load(arguments.assignments, &Environment::process())?;
    if !settings.allow_superuser && is_superuser() {
        return Err(Failure::Superuser);
    }
    logging::init(settings.log, settings.paths.logs.as_deref())?;
    for warning in arguments.warnings.iter().chain(&warnings) {
        tracing::warn!("{warning}");
    }
    let mut texts = Vec::with_capacity(settings.pipelines.len());
    for pipeline in &settings.pipelines {
        let found = config_source::read(&pipeline.config, &pipeline.id)?;
        for warning in &found.warnings {
            tracing::warn!("{warning}");
        }
        texts.push(found.sources);
    }
    if settings.test_and_exit {
        running::check(&settings, texts, arguments.depth)?;
        return print("Configuration OK\n");
    }
    let _data = settings.paths.data_is_given.then(|| data::claim(&settings.paths.data)).transpose()?;
    running::run(&settings, texts)
}

/// Linux shows the user of a process as the owner of its directory in /proc; elsewhere nobody counts as root.
fn is_superuser() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The help page, or what is wrong with the arguments.
fn print_answer(answer: &clap::Error) -> Exit {
    if answer.use_stderr() {
        complain(answer.render().to_string().trim_end());
        return Exit::Failure;
    }
    match print(&answer.render().to_string()) {
        Err(Failure::Stdout(error)) if error.kind() != io::ErrorKind::BrokenPipe => Exit::Failure,
        _ => Exit::Success,
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Stdout)
}

/// Nothing can be done about a standard error that is closed.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
