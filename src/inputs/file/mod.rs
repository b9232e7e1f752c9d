//! Input `file`: tails files, or reads them once (logstash-input-file).
//!
//! One thread looks after all files with `stat`, as Logstash does. It differs where Logstash can lose lines: positions
//! in the sincedb move when the pipeline has acknowledged the lines, not when they were read; a file that is renamed or
//! deleted is read to its end; a file that has got another one's inode is told by the time it was made and its first
//! bytes.

mod beginnings;
mod completed;
mod content;
mod discovery;
mod duration;
mod identity;
mod lines;
mod pattern;
mod progress;
mod reader;
mod sincedb;
#[cfg(test)]
mod tests;
mod tracked;
mod turns;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use md5::{Digest, Md5};

use crate::plugin::{
    Build, CodecFactory, EcsMode, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec,
    choices, options,
};
use duration::{Days, Seconds};
use pattern::{NamePattern, PathPattern};

/// What `max_open_files` is when it is not given, or not positive.
const MAX_OPEN_FILES: usize = 4095;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "file",
    summary: "Tails files, or reads them once, and goes on where it stopped.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"input { file { path => "/var/log/app/*.log" start_position => "beginning" } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(FileInput::new(reader)?))),
};

choices! {
    pub enum Mode {
        /// Files grow for ever.
        Tail = "tail",
        /// Files are complete.
        Read = "read",
    }
}

choices! {
    pub enum StartPosition { Beginning = "beginning", End = "end" }
}

choices! {
    pub enum SortBy { LastModified = "last_modified", Path = "path" }
}

choices! {
    pub enum SortDirection { Ascending = "asc", Descending = "desc" }
}

choices! {
    pub enum CompletedAction { Delete = "delete", Log = "log", LogAndDelete = "log_and_delete" }
}

options! {
    #[derive(Debug)]
    pub struct Options {
        /// The files: absolute paths with the wildcards `*`, `?`, `[a-z]`, `{a,b}`, and `**` for directories of any depth.
        path: Vec<String>,
        /// Patterns of names (not of paths) that are left out.
        exclude: Vec<String> = [],
        /// `tail` follows files that grow; `read` reads files once to their end, and unpacks those named `.gz` or `.gzip`.
        mode: Mode = "tail",
        /// Where tailing begins in a file that was there at the start and is not in the sincedb.
        start_position: StartPosition = "end",
        /// What ends a line. A `\n` in it is a line break only with config.support_escapes.
        delimiter: String = "\n",
        /// How often files are looked at for something new.
        stat_interval: Seconds = 1,
        /// After how many of these times new files are looked for.
        discover_interval: f64 = 15,
        /// The file that keeps how far files were read. Default: one in path.data, named by `path`.
        sincedb_path: Option<PathBuf>,
        /// How often that file is written.
        sincedb_write_interval: Seconds = 15,
        /// After how long without a change the position of a file is forgotten; a number is in days.
        sincedb_clean_after: Days = "14 days",
        /// Files that were not changed for longer are not read until they change; in read mode never.
        ignore_older: Option<Seconds>,
        /// After how long without new lines a file is closed, until something is written to it.
        close_older: Seconds = "1 hour",
        /// How many files are kept open. Others are opened when there is something to read. Default: 4095.
        max_open_files: Option<i64>,
        /// How much is read at once, in bytes.
        file_chunk_size: usize = 32768,
        /// How often a file is read before it is another one's turn. Default: up to its end.
        file_chunk_count: u64 = 140737488355327,
        /// Which file's turn it is first.
        file_sort_by: SortBy = "last_modified",
        /// Whether the oldest or least comes first, or the other way around.
        file_sort_direction: SortDirection = "asc",
        /// What read mode does with a file after the outputs have all of it.
        file_completed_action: CompletedAction = "delete",
        /// The file that `log` and `log_and_delete` append the paths to.
        file_completed_log_path: Option<PathBuf>,
        /// Read mode: whether the input ends when all files are read that were there at the start.
        exit_after_read: bool = false,
        /// Read mode: whether a gzip file is unpacked for a test before its first line is read.
        check_archive_validity: bool = false,
    }
}

/// The options as they are used.
#[derive(Debug)]
struct Settings {
    mode: Mode,
    start_position: StartPosition,
    delimiter: String,
    stat_interval: Duration,
    /// `None`: only at the start.
    discover_interval: Option<Duration>,
    sincedb_write_interval: Duration,
    sincedb_clean_after: Duration,
    ignore_older: Option<Duration>,
    close_older: Duration,
    max_open_files: usize,
    chunk_size: usize,
    /// As much as a file may read in one turn, in bytes.
    turn_bytes: u64,
    sort_by: SortBy,
    sort_direction: SortDirection,
    completed_action: CompletedAction,
    /// Only where it is written to.
    completed_log: Option<PathBuf>,
    exit_after_read: bool,
    check_archive_validity: bool,
}

struct FileInput {
    settings: Settings,
    patterns: Vec<PathPattern>,
    exclude: Vec<NamePattern>,
    codec: CodecFactory,
    sincedb_path: PathBuf,
    /// As many events as a worker takes at once.
    batch_size: usize,
    ecs: EcsMode,
}

impl FileInput {
    fn new(reader: &mut OptionReader<'_>) -> Option<Self> {
        let codec: Option<CodecFactory> = reader.take("codec", Some("plain"));
        let options = Options::read(reader)?;
        let patterns = path_patterns(&options.path, reader);
        let exclude = exclude_patterns(&options.exclude, reader);
        let checked = check(&options, reader);
        let sincedb_path = match &options.sincedb_path {
            Some(path) => path.clone(),
            None => default_sincedb(&options.path, reader),
        };
        let settings = settings(options);
        Some(FileInput {
            settings: checked.then_some(settings)?,
            patterns: patterns?,
            exclude: exclude?,
            codec: codec?,
            sincedb_path,
            batch_size: reader.context.batch_size,
            ecs: reader.ecs(),
        })
    }
}

/// The file in path.data whose name only `path` decides, so that Logstash and rstash find the same.
fn default_sincedb(paths: &[String], reader: &OptionReader<'_>) -> PathBuf {
    let digest = Md5::digest(paths.join(","));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    reader.context.data_path.join("plugins/inputs/file").join(format!(".sincedb_{digest}"))
}

fn path_patterns(paths: &[String], reader: &mut OptionReader<'_>) -> Option<Vec<PathPattern>> {
    let mut patterns = Vec::new();
    for path in paths {
        if !path.starts_with('/') {
            reader.error("path", format!("must be absolute, but \"{path}\" is relative"));
            continue;
        }
        match PathPattern::new(path) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => reader.error("path", format!("\"{path}\" is not a pattern: {error}")),
        }
    }
    if paths.is_empty() {
        reader.error("path", "names no file");
    }
    (!paths.is_empty() && patterns.len() == paths.len()).then_some(patterns)
}

fn exclude_patterns(names: &[String], reader: &mut OptionReader<'_>) -> Option<Vec<NamePattern>> {
    let mut patterns = Vec::new();
    for name in names {
        if name.contains('/') {
            let message = format!("\"{name}\" excludes nothing: names are compared, not paths");
            reader.warning("exclude", message);
        }
        match NamePattern::new(name) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => reader.error("exclude", format!("\"{name}\" is not a pattern: {error}")),
        }
    }
    (patterns.len() == names.len()).then_some(patterns)
}

/// Notes what cannot be, or does nothing, in this combination. Returns whether nothing is wrong.
fn check(options: &Options, reader: &mut OptionReader<'_>) -> bool {
    let mut wrong = Vec::new();
    if options.mode == Mode::Tail {
        if options.exit_after_read {
            wrong.push(("exit_after_read", "works only with mode => \"read\""));
        }
        reader.no_effect("check_archive_validity", "only mode => \"read\" unpacks archives");
        reader.no_effect("file_completed_action", "only mode => \"read\" completes files");
        reader.no_effect("file_completed_log_path", "only mode => \"read\" completes files");
    } else {
        reader.no_effect("start_position", "mode => \"read\" always begins at the beginning");
        reader.no_effect("close_older", "mode => \"read\" closes a file at its end");
    }
    if options.file_completed_action != CompletedAction::Delete && options.file_completed_log_path.is_none() {
        wrong
            .push(("file_completed_action", "needs file_completed_log_path, the file to write the paths to"));
    }
    if options.sincedb_path.as_ref().is_some_and(|path| path.is_dir()) {
        wrong.push(("sincedb_path", "must be a file, this is a directory"));
    }
    if options.delimiter.is_empty() {
        wrong.push(("delimiter", "is empty, so that lines would never end; leave it out for line breaks"));
    }
    if options.file_chunk_size == 0 {
        wrong.push(("file_chunk_size", "must be at least 1"));
    }
    if options.file_chunk_count == 0 {
        wrong.push(("file_chunk_count", "must be at least 1"));
    }
    if options.discover_interval < 1.0 {
        reader.warning("discover_interval", "is less than 1: new files are looked for only at the start");
    }
    for (option, why) in &wrong {
        reader.error(option, *why);
    }
    wrong.is_empty()
}

fn settings(options: Options) -> Settings {
    let is_logged = options.mode == Mode::Read && options.file_completed_action != CompletedAction::Delete;
    let discover_every = options.stat_interval.0.as_secs_f64() * options.discover_interval;
    Settings {
        mode: options.mode,
        start_position: options.start_position,
        delimiter: options.delimiter,
        stat_interval: options.stat_interval.0,
        discover_interval: Duration::try_from_secs_f64(discover_every)
            .ok()
            .filter(|_| options.discover_interval >= 1.0),
        sincedb_write_interval: options.sincedb_write_interval.0,
        sincedb_clean_after: options.sincedb_clean_after.0,
        ignore_older: options.ignore_older.map(|Seconds { 0: time }| time),
        close_older: options.close_older.0,
        max_open_files: match options.max_open_files {
            Some(most) if most > 0 => usize::try_from(most).unwrap_or(usize::MAX),
            _ => MAX_OPEN_FILES,
        },
        chunk_size: options.file_chunk_size,
        turn_bytes: options.file_chunk_count.saturating_mul(options.file_chunk_size as u64),
        sort_by: options.file_sort_by,
        sort_direction: options.file_sort_direction,
        completed_action: options.file_completed_action,
        completed_log: options.file_completed_log_path.filter(|_| is_logged),
        exit_after_read: options.exit_after_read,
        check_archive_validity: options.check_archive_validity,
    }
}

impl Input for FileInput {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let span = tracing::Span::current();
            let watching = tokio::task::spawn_blocking(move || {
                span.in_scope(|| watch::Watch::start(*self, sink, shutdown)?.run())
            });
            watching.await.unwrap_or_else(|panicked| Err(RunError::new(panicked.to_string())))
        })
    }
}
