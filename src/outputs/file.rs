//! Output `file`: writes events to files, whose names may depend on the event (logstash-output-file).

mod path;
mod store;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::BoxFuture;

use crate::event::Event;
use crate::plugin::{
    Build, CodecFactory, Delivery, Example, Kind, OptionReader, Output, Problem, Spec, Undelivered, choices,
    options,
};

use path::Paths;
use store::{Store, StoreOptions};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "file",
    summary: "Writes events to files, whose names may depend on the event.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("json_lines"),
    example: Example {
        config: r#"output { file { path => "/var/log/rstash/%{[host][name]}-%{+YYYY-MM-dd}.log" } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| {
        let Options { codec, files } = Options::read(reader)?;
        let encode = move |event: &Event, out: &mut Vec<u8>| {
            codec.encoder().encode(event, out).map_err(|error| error.to_string())
        };
        Some(Box::new(FileOutput::new(reader, files, Box::new(encode))?))
    }),
};

choices! {
    /// What becomes of a file's contents.
    pub enum WriteBehavior {
        /// The newest event replaces them.
        Overwrite = "overwrite",
        /// Events come after them.
        Append = "append",
    }
}

options! {
    #[derive(Debug)]
    struct Options {
        /// How events become bytes.
        codec: CodecFactory = "json_lines",
        ..files: FileOptions,
    }
}

options! {
    /// Where the files lie and how they are written: what the csv output has as well.
    #[derive(Debug)]
    pub struct FileOptions {
        /// Whether a file that is not there is created. If not, its events go to `filename_failure`.
        create_if_deleted: bool = true,
        /// Permission bits of new directories, such as `0750`; -1 leaves them to the umask.
        dir_mode: i64 = -1,
        /// Permission bits of new files, such as `0640`; -1 leaves them to the umask.
        file_mode: i64 = -1,
        /// File for events that may not have the file they ask for. It lies in the last directory of `path` before
        /// the first `%{...}`, which events cannot leave.
        filename_failure: String = "_filepath_failures",
        /// How many seconds events may wait to be written. Here they never wait: each batch is with the operating
        /// system before it counts as delivered, whatever the number.
        flush_interval: f64 = 2,
        /// Compress with gzip. Each batch is a gzip member of its own, so that the file is whole at any time.
        gzip: bool = false,
        /// The file. Event fields and dates may stand anywhere after the first directory.
        path: String,
        /// Seconds after which a file that nothing was written to is closed.
        stale_cleanup_interval: f64 = 10,
        /// Whether events are appended, or each batch's last event replaces what the file held.
        write_behavior: WriteBehavior = "append",
    }
}

/// Makes bytes of an event, or says why it cannot.
pub type Encoding = Box<dyn Fn(&Event, &mut Vec<u8>) -> Result<(), String> + Send + Sync>;

/// Writes what an encoding makes of events.
pub struct FileOutput {
    encoding: Encoding,
    paths: Paths,
    create_if_deleted: bool,
    gzip: bool,
    overwrite: bool,
    store: Mutex<Store>,
}

/// The events of a batch that go to one file.
#[derive(Default)]
struct Group {
    bytes: Vec<u8>,
    indices: Vec<usize>,
}

impl FileOptions {
    /// Whether each batch's last event replaces what a file held.
    pub fn overwrites(&self) -> bool {
        self.write_behavior == WriteBehavior::Overwrite
    }

    /// The same, but events are appended.
    #[must_use]
    pub fn appending(self) -> Self {
        FileOptions { write_behavior: WriteBehavior::Append, ..self }
    }
}

impl FileOutput {
    /// Reports what is wrong with the options to the reader and is `None` then.
    pub fn new(reader: &mut OptionReader<'_>, options: FileOptions, encoding: Encoding) -> Option<Self> {
        let current = match std::env::current_dir() {
            Ok(current) => current,
            Err(error) => {
                reader.error("path", format!("the current directory is unknown: {error}"));
                return None;
            }
        };
        let home = reader.context.environment.get("HOME").map(PathBuf::from);
        let paths = Paths::new(&options.path, &options.filename_failure, &current, home.as_deref());
        let paths = paths.map_err(|error| reader.error("path", error.to_string())).ok();
        let dir_mode = permission_bits(reader, "dir_mode", options.dir_mode);
        let file_mode = permission_bits(reader, "file_mode", options.file_mode);
        let stale_after = seconds(reader, "stale_cleanup_interval", options.stale_cleanup_interval);
        seconds(reader, "flush_interval", options.flush_interval)?;
        let overwrite = options.overwrites();
        let store =
            StoreOptions { dir_mode: dir_mode?, file_mode: file_mode?, overwrite, stale_after: stale_after? };
        Some(FileOutput {
            encoding,
            paths: paths?,
            create_if_deleted: options.create_if_deleted,
            gzip: options.gzip,
            overwrite,
            store: Mutex::new(Store::new(store)),
        })
    }

    fn write(&self, events: &[&Event]) -> Delivery {
        let mut delivery = Delivery::done();
        let groups = self.encode(events, &mut delivery.dead);
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, group) in groups {
            if let Err(error) = self.write_group(&mut store, path.clone(), &group) {
                let reason = format!("could not write to {}: {error}", path.display());
                let retry = group.indices.iter().map(|&index| Undelivered { index, reason: reason.clone() });
                delivery.retry.extend(retry);
            }
        }
        store.close_stale();
        // Events of several files, put back into their order.
        delivery.retry.sort_by_key(|undelivered| undelivered.index);
        delivery
    }

    /// Writes one file's events at once. Where the name itself is at fault and comes from the event, they go to the
    /// failure file: waiting would not help, and would hold up all others.
    fn write_group(&self, store: &mut Store, path: PathBuf, group: &Group) -> io::Result<()> {
        let compressed;
        let bytes = match self.gzip {
            false => &group.bytes,
            true => {
                compressed = gzipped(&group.bytes)?;
                &compressed
            }
        };
        match store.write(&path, bytes) {
            Err(error) if self.paths.fixed().is_none() && is_fault_of_name(&error) => {
                tracing::warn!(path = %path.display(), %error, "events go to the failure file");
                store.write(self.paths.failure(), bytes)
            }
            written => written,
        }
    }

    /// Encodes a batch, sorted by file; the files in the order of their first events.
    fn encode(&self, events: &[&Event], dead: &mut Vec<Undelivered>) -> Vec<(PathBuf, Group)> {
        let mut groups: Vec<(PathBuf, Group)> = Vec::new();
        let mut numbers: HashMap<PathBuf, usize> = HashMap::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut one = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let rendered = match self.paths.fixed() {
                Some(_) => String::new(),
                None => self.paths.render(event).unwrap_or_default(),
            };
            let number = match known.get(&rendered) {
                Some(number) => *number,
                None => {
                    let path = self.path_of(&rendered);
                    let number = *numbers.entry(path.clone()).or_insert_with(|| {
                        groups.push((path, Group::default()));
                        groups.len() - 1
                    });
                    known.insert(rendered, number);
                    number
                }
            };
            let Some((_, group)) = groups.get_mut(number) else { continue };
            one.clear();
            if let Err(reason) = (self.encoding)(event, &mut one) {
                dead.push(Undelivered { index, reason });
                continue;
            }
            if self.overwrite {
                group.bytes.clear();
            }
            group.bytes.extend_from_slice(&one);
            group.indices.push(index);
        }
        groups.retain(|(_, group)| !group.indices.is_empty());
        groups
    }

    /// The file for a rendered path: itself, unless it leads out of the root or may not be created.
    fn path_of(&self, rendered: &str) -> PathBuf {
        let path = match self.paths.fixed() {
            Some(fixed) => Some(fixed.to_owned()),
            None => self.paths.inside_root(rendered),
        };
        match path {
            Some(path) if self.create_if_deleted || path.exists() => path,
            Some(_) => self.paths.failure().to_owned(),
            None => {
                tracing::warn!(
                    path = rendered,
                    failure_file = %self.paths.failure().display(),
                    "an event tried to write outside of the path's root, it goes to the failure file"
                );
                self.paths.failure().to_owned()
            }
        }
    }
}

impl Output for FileOutput {
    // Files are written on the worker: a full batch takes microseconds, and a slow disk is the back-pressure.
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async { self.write(events) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).close_all();
        Box::pin(async {})
    }
}

fn gzipped(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Whether the name can never be opened, as opposed to a disk or a permission that may change.
fn is_fault_of_name(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, IsADirectory, NotADirectory};
    matches!(error.kind(), InvalidFilename | InvalidInput | IsADirectory | NotADirectory)
}

/// The bits of `dir_mode` or `file_mode`; `Some(None)` for -1.
fn permission_bits(reader: &mut OptionReader<'_>, option: &str, value: i64) -> Option<Option<u32>> {
    if value == -1 {
        return Some(None);
    }
    let Some(bits) = u32::try_from(value).ok().filter(|bits| *bits <= 0o7777) else {
        reader.error(option, format!("{value} is no mode; write it in octal, such as 0640, or -1"));
        return None;
    };
    // 640 for 0640: as octal digits it is a usual mode, as a number it has bits that nobody asks for.
    let digits = value.to_string();
    if bits > 0o777 && digits.len() == 3 && digits.bytes().all(|digit| digit < b'8') {
        let plugin = reader.plugin_name();
        let message = format!("option \"{option}\" of the {plugin} output: {value} is the mode 0{bits:o}");
        let problem = Problem::warning(reader.span(option), message).label("not octal");
        reader.report(problem.help(format!("write 0{value}")));
    }
    Some(Some(bits))
}

fn seconds(reader: &mut OptionReader<'_>, option: &str, value: f64) -> Option<Duration> {
    let duration = Duration::try_from_secs_f64(value).ok();
    if duration.is_none() {
        reader.error(option, format!("{value} is no number of seconds"));
    }
    duration
}

#[cfg(test)]
mod tests;
