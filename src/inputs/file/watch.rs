//! The life of a file input: it looks for files, looks after them, reads what is new, and notes how far it came.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Settings;
use super::content::OpenFiles;
use super::identity::{Beginning, Key};
use super::pattern::{NamePattern, PathPattern};
use super::reader::{Fields, Reader, Stop};
use super::sincedb::{Reading, Record, Sincedb};
use super::tracked::{State, Tracked};
use crate::limits;
use crate::plugin::{CodecFactory, RunError, Shutdown, Sink};

/// The shortest pause between two looks at the files.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// A path that was found once.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The file that is there; `None` for now.
    pub key: Option<Key>,
    /// Since when there is none.
    pub empty_since: Option<Instant>,
}

pub(super) struct Watch {
    pub settings: Settings,
    pub patterns: Vec<PathPattern>,
    pub exclude: Vec<NamePattern>,
    pub codec: CodecFactory,
    pub sincedb: Sincedb,
    pub reader: Reader,
    pub places: HashMap<Arc<Path>, Place>,
    pub files: HashMap<Key, Tracked>,
    /// Read mode: files that are read and wait for their last acknowledgements, in the order of reading.
    pub complete: Vec<Key>,
    pub open: OpenFiles,
    /// As many files as this input keeps open at once; fewer than the option says where the system has no more.
    pub most_open: usize,
    /// As many as all file inputs of the process may, so that something is left for everything else.
    pub most_open_of_all: usize,
    last_write: Instant,
}

impl Watch {
    /// # Errors
    /// The sincedb or the log of completed files cannot be made.
    pub fn start(input: super::FileInput, sink: Sink, shutdown: Shutdown) -> Result<Self, RunError> {
        let super::FileInput { settings, patterns, exclude, codec, sincedb_path, batch_size, ecs } = input;
        let fields = Fields::new(ecs).map_err(|error| RunError::new(error.to_string()))?;
        let sincedb = open_sincedb(sincedb_path, &settings)?;
        super::completed::prepare(&settings)?;
        let reader =
            Reader::new(&settings.delimiter, settings.chunk_size, batch_size, fields, sink, shutdown);
        Ok(Watch {
            most_open: settings.max_open_files,
            most_open_of_all: most_open_of_all(),
            settings,
            patterns,
            exclude,
            codec,
            sincedb,
            reader,
            places: HashMap::new(),
            files: HashMap::new(),
            complete: Vec::new(),
            open: OpenFiles::default(),
            last_write: Instant::now(),
        })
    }

    /// Works until a shutdown is requested or, with `exit_after_read`, everything is read.
    ///
    /// # Errors
    /// The pipeline takes nothing any more.
    pub fn run(mut self) -> Result<(), RunError> {
        let ended = self.work().and_then(|()| self.flush_all());
        self.reader.finish();
        self.complete(false);
        self.write_sincedb();
        match ended {
            Err(Stop::Closed) => Err(RunError::new("the queue is closed")),
            Ok(()) | Err(Stop::Abandoned) => Ok(()),
        }
    }

    fn work(&mut self) -> Result<(), Stop> {
        self.discover(true);
        let (mut poll_at, mut discover_at) = (self.next_poll(), self.next_discovery());
        loop {
            let is_more = self.read_all()?;
            self.flush_due()?;
            if self.settings.exit_after_read && self.files.values().all(is_finished) {
                return Ok(());
            }
            self.complete(true);
            self.tick();
            if self.reader.is_stopping() {
                return Ok(());
            }
            if !is_more {
                self.reader.pause(self.pause_until(poll_at));
            }
            if Instant::now() >= poll_at {
                self.poll()?;
                self.close_idle()?;
                poll_at = self.next_poll();
            }
            if discover_at.is_some_and(|at| Instant::now() >= at) {
                self.discover(false);
                discover_at = self.next_discovery();
            }
        }
    }

    /// Whether `more` files than are open now would be too many to keep open.
    pub fn is_full(&self, more: usize) -> bool {
        self.open.count() + more >= self.most_open || OpenFiles::of_all() + more >= self.most_open_of_all
    }

    fn next_poll(&self) -> Instant {
        Instant::now() + self.settings.stat_interval.max(SHORTEST_PAUSE)
    }

    /// When to look for new files; never where only those count that were there at the start.
    fn next_discovery(&self) -> Option<Instant> {
        let every = self.settings.discover_interval.filter(|_| !self.settings.exit_after_read)?;
        Some(Instant::now() + every.max(SHORTEST_PAUSE))
    }

    fn pause_until(&self, poll_at: Instant) -> Duration {
        let flushes = self.files.values().filter_map(|file| file.flush_at);
        let until = flushes.min().map_or(poll_at, |flush_at| flush_at.min(poll_at));
        until.saturating_duration_since(Instant::now()).max(SHORTEST_PAUSE)
    }

    /// Flushes codecs of files that were quiet for as long as their codecs want.
    fn flush_due(&mut self) -> Result<(), Stop> {
        let now = Instant::now();
        for file in self.files.values_mut() {
            if file.flush_at.is_some_and(|flush_at| flush_at <= now) {
                self.reader.flush(file)?;
            }
        }
        Ok(())
    }

    /// Flushes all codecs. A line that has not ended stays where it is, in the file.
    fn flush_all(&mut self) -> Result<(), Stop> {
        self.files.values_mut().try_for_each(|file| self.reader.flush(file))
    }

    /// Writes the sincedb when it is due.
    pub fn tick(&mut self) {
        if self.last_write.elapsed() >= self.settings.sincedb_write_interval
            && self.reader.ledger.take_moved()
        {
            self.write_sincedb();
        }
    }

    fn write_sincedb(&mut self) {
        self.last_write = Instant::now();
        let reading =
            self.files.iter().filter(|(_, file)| file.state != State::Ignored).map(|(key, file)| {
                let (position, changed) = file.progress.safe();
                let beginning = Beginning::of(&file.first);
                Reading { key: *key, position, changed, path: &file.path_text, beginning }
            });
        if let Err(error) = self.sincedb.write(reading) {
            tracing::warn!(%error, "could not write the sincedb, it will be tried again");
            self.reader.ledger.set_moved();
        }
    }

    /// Stops looking after a file and keeps what is known of it.
    pub fn retire(&mut self, key: Key) {
        let Some(file) = self.files.remove(&key) else { return };
        if file.state != State::Ignored {
            let (position, changed) = file.progress.safe();
            let beginning = Beginning::of(&file.first);
            let path = Some(Box::from(&*file.path_text));
            self.sincedb.keep(key, Record { position, changed: Some(changed), path, beginning });
        }
    }
}

/// What the process may have open, less what it needs for connections, other files and itself.
fn most_open_of_all() -> usize {
    let Some(limit) = limits::open_files() else { return usize::MAX };
    limit.saturating_sub((limit / 4).clamp(32, 1024)).max(1)
}

/// Whether nothing more is to be read of a file; one that cannot be read counts.
fn is_finished(file: &Tracked) -> bool {
    file.state != State::Active || file.failing.is_some()
}

fn open_sincedb(path: PathBuf, settings: &Settings) -> Result<Sincedb, RunError> {
    if let Some(directory) = path.parent()
        && let Err(error) = std::fs::create_dir_all(directory)
    {
        tracing::debug!(directory = %directory.display(), %error, "could not make the directory of the sincedb");
    }
    let shown = path.display().to_string();
    Sincedb::open(path, settings.sincedb_clean_after).map_err(|error| {
        RunError::new(format!(
            "cannot open the sincedb {shown}: {error}; set sincedb_path to a file that can be written"
        ))
    })
}
