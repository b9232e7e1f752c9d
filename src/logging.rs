//! Sets up this program's own log: on standard error, and in a file under `path.logs`.
//!
//! Logstash logs to standard output, where its lines mix with what a stdout output prints; here standard output is left to the pipeline.
//! The lines themselves look as Logstash's do, in plain text and in JSON (log4j2.properties and `CustomLogEventSerializer`).
mod line;
mod rolling;

use line::{Line, PluginNames};
use rolling::{Limits, RollingFile};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt};
use tracing_subscriber::layer::SubscriberExt;

/// Target of the events that end the process: logged at every level, and printed as FATAL.
pub const FATAL: &str = "rstash::fatal";

/// How much is logged, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    pub level: LogLevel,
    pub format: LogFormat,
}

/// The lowest level that is logged, by Logstash's names. [`FATAL`] always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Fatal,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// One line of text, or one JSON object, for each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Plain,
    Json,
}

#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    #[error("cannot write the log to {}: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("the log is set up already")]
    SetUpAlready,
}

/// Starts the log of this process.
///
/// With a directory, lines also go to the end of `logstash-plain.log` or `logstash-json.log` in it. A file of 100 MiB, or of a day that
/// is over, is put aside compressed; 30 of these stay for up to 7 days.
pub fn init(settings: LogSettings, directory: Option<&Path>) -> Result<(), LoggingError> {
    let writer = match directory {
        Some(directory) => {
            BoxMakeWriter::new(io::stderr.and(Mutex::new(log_file(directory, settings.format)?)))
        }
        None => BoxMakeWriter::new(io::stderr),
    };
    tracing::subscriber::set_global_default(subscriber(settings, writer))
        .map_err(|_| LoggingError::SetUpAlready)
}

fn log_file(directory: &Path, format: LogFormat) -> Result<RollingFile, LoggingError> {
    let stem = match format {
        LogFormat::Plain => "logstash-plain",
        LogFormat::Json => "logstash-json",
    };
    RollingFile::open(directory, stem, Limits::LOGSTASH)
        .map_err(|source| LoggingError::Unwritable { path: rolling::current(directory, stem), source })
}

fn subscriber(
    settings: LogSettings,
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    // A log that cannot be written must not stop the pipeline.
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Line::new(settings.format))
        .with_writer(writer)
        .log_internal_errors(false);
    tracing_subscriber::registry().with(PluginNames.and_then(lines).with_filter(targets(settings.level)))
}

/// Libraries stay a level quieter, except at trace: their debug lines are about their own inside.
fn targets(level: LogLevel) -> Targets {
    let own = match level {
        LogLevel::Fatal => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let libraries = if own == LevelFilter::TRACE { own } else { own.min(LevelFilter::WARN) };
    Targets::new()
        .with_default(libraries)
        .with_target(env!("CARGO_CRATE_NAME"), own)
        .with_target(FATAL, LevelFilter::ERROR)
}

#[cfg(test)]
mod tests;
