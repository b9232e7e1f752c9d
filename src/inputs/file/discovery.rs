//! Finding files, and following them when they are renamed, deleted, truncated or replaced.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::content::Content;
use super::identity::{Beginning, FirstBytes, Stat, seconds};
use super::progress::Progress;
use super::reader::Stop;
use super::sincedb::Record;
use super::tracked::{Feeding, State, Tracked};
use super::watch::{Place, Watch};
use super::{Mode, StartPosition};

/// How long a file that has lost its name stays open after its last bytes: whoever writes it may not know yet. Also
/// how long a path is looked at every time after its file has gone; later it has to be found again.
const FAREWELL: Duration = Duration::from_secs(60);

impl Watch {
    /// Looks for files that are not known yet. Those of the first time may be read from their end.
    pub fn discover(&mut self, is_first: bool) {
        let found: Vec<PathBuf> = self.patterns.iter().flat_map(|pattern| pattern.files()).collect();
        for path in found {
            if self.places.contains_key(path.as_path()) || self.is_excluded(&path) {
                continue;
            }
            if let Ok(Some(stat)) = fs::metadata(&path).map(|metadata| Stat::of(&metadata)) {
                let place = Place { key: Some(stat.key), empty_since: None };
                self.places.insert(Arc::from(path.as_path()), place);
                self.bind(path, stat, is_first);
            }
        }
        if is_first {
            tracing::info!(files = self.files.len(), "the file input looks after these files");
        }
    }

    fn is_excluded(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.exclude.iter().any(|pattern| pattern.matches(name)))
    }

    /// Looks at every file.
    pub fn poll(&mut self) -> Result<(), Stop> {
        let mut moved = Vec::new();
        for (path, place) in &mut self.places {
            let stat = match fs::metadata(path) {
                Ok(metadata) => Stat::of(&metadata),
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    None
                }
                Err(error) => {
                    tracing::debug!(path = %path.display(), %error, "could not look at a file");
                    continue;
                }
            };
            let before = place.key;
            place.key = stat.map(|stat| stat.key);
            if let (Some(stat), Some(file)) = (stat, before.and_then(|key| self.files.get_mut(&key)))
                && file.stat.key == stat.key
                && file.has_name
                && !is_replaced(file, &stat)
            {
                file.stat = stat;
                continue;
            }
            moved.push((Arc::clone(path), before, stat));
        }
        for (path, before, _) in &moved {
            if let Some(file) = before.and_then(|key| self.files.get_mut(&key))
                && file.path == *path
            {
                file.has_name = false;
            }
        }
        for (path, _, stat) in moved {
            match stat {
                Some(stat) => {
                    self.forget_replaced(&stat)?;
                    self.bind(path.to_path_buf(), stat, false);
                }
                None => self.leave(&path),
            }
        }
        self.see_off()
    }

    /// Forgets a file whose inode another one has got.
    fn forget_replaced(&mut self, stat: &Stat) -> Result<(), Stop> {
        if !self.files.get(&stat.key).is_some_and(|file| is_replaced(file, stat)) {
            return Ok(());
        }
        let Some(mut file) = self.files.remove(&stat.key) else { return Ok(()) };
        tracing::debug!(path = %file.path_text, "another file has got a file's inode");
        self.reader.end(&mut file)
    }

    /// Notes that there is no file at a path.
    fn leave(&mut self, path: &Path) {
        let Some(place) = self.places.get_mut(path) else { return };
        let since = *place.empty_since.get_or_insert_with(Instant::now);
        if since.elapsed() > FAREWELL {
            self.places.remove(path);
        }
    }

    /// Follows files without a name to their end, and lets go of them some time after.
    fn see_off(&mut self) -> Result<(), Stop> {
        let is_tail = self.settings.mode == Mode::Tail;
        let mut gone = Vec::new();
        for (key, file) in self.files.iter_mut().filter(|(_, file)| !file.has_name) {
            if let Some(content) = &file.content {
                file.stat = content.stat().unwrap_or(file.stat);
                // Read mode closes it when it is complete.
                if is_tail && file.unread() == 0 && file.accessed.elapsed() > FAREWELL {
                    self.reader.end(file)?;
                    file.content = None;
                }
            } else if file.flush_at.is_some() {
                self.reader.flush(file)?;
            }
            // Its record has to say how much of it is safe.
            if file.content.is_none() && file.progress.is_settled() && file.state != State::Complete {
                gone.push(*key);
            }
        }
        for key in gone {
            let unread = self.files.get(&key).filter(|file| file.state == State::Active && file.unread() > 0);
            if let Some(file) = unread {
                tracing::warn!(path = %file.path_text, unread = file.unread(), "a file was deleted or renamed before all of it was read; if it is found again, it will be read on");
            }
            self.retire(key);
        }
        Ok(())
    }

    /// Makes a path lead to the file that was found there.
    fn bind(&mut self, path: PathBuf, stat: Stat, is_first: bool) {
        if let Some(place) = self.places.get_mut(path.as_path()) {
            *place = Place { key: Some(stat.key), empty_since: None };
        }
        if let Some(file) = self.files.get_mut(&stat.key) {
            if !file.has_name {
                tracing::debug!(from = %file.path.display(), to = %path.display(), "a file was renamed");
                file.rename(path);
            }
            file.stat = stat;
            return;
        }
        let mut file = self.track(path, stat, is_first);
        self.open_early(&mut file);
        self.files.insert(stat.key, file);
    }

    /// A file that is new to this run.
    fn track(&mut self, path: PathBuf, stat: Stat, is_first: bool) -> Tracked {
        let is_tail = self.settings.mode == Mode::Tail;
        let age = SystemTime::now().duration_since(stat.modified).unwrap_or_default();
        let is_old = self.settings.ignore_older.is_some_and(|oldest| age > oldest);
        let record = self.sincedb.take(stat.key);
        let is_known = record.is_some();
        let record = record.filter(|record| is_recorded(record, &path, &stat));
        let changed = record.as_ref().and_then(|record| record.changed);
        let (position, state) = match &record {
            // What is shorter now has begun anew.
            Some(record) if record.position > stat.size => (0, State::Active),
            Some(record) if !is_tail && record.position == stat.size => (record.position, State::Done),
            Some(record) => (record.position, State::Active),
            None if is_old && is_tail => (stat.size, State::Ignored),
            // Where another file had the inode before, this one is new.
            None if is_tail
                && is_first
                && !is_known
                && self.settings.start_position == StartPosition::End =>
            {
                (stat.size, State::Active)
            }
            None => (0, State::Active),
        };
        let state = match &record {
            None if is_old && !is_tail => State::Ignored,
            Some(_) if is_old && !is_tail => State::Done,
            _ => state,
        };
        let is_archive = !is_tail && is_archive(&path);
        let position = if is_archive && state != State::Done { 0 } else { position };
        let changed = changed.unwrap_or_else(|| seconds(SystemTime::now()));
        let progress = Progress::new(Arc::clone(&self.reader.ledger), position, changed);
        self.reader.ledger.set_moved();
        let codec = self.codec.create();
        let feeding = Feeding::of(self.codec.name(), &*codec);
        let mut file = Tracked::new(path, stat, position, progress, (codec, feeding));
        file.state = state;
        file.is_archive = is_archive;
        tracing::debug!(path = %file.path.display(), position, ?state, "found a file");
        file
    }

    /// Opens a file that is tailed before there is something to read, so that nothing is lost when it is renamed.
    fn open_early(&mut self, file: &mut Tracked) {
        if !self.is_full(1) && self.settings.mode == Mode::Tail && file.state == State::Active {
            // It is tried again, and said, when there is something to read.
            let content = Content::open(&file.path, file.read_position(), &self.open);
            file.content =
                content.ok().filter(|content| content.stat().is_some_and(|it| it.key == file.stat.key));
            file.remember_first();
            file.compared = Some(file.stat.modified);
        }
    }

    /// Closes files that were quiet for longer than `close_older`.
    pub fn close_idle(&mut self) -> Result<(), Stop> {
        if self.settings.mode == Mode::Read {
            return Ok(());
        }
        for file in self.files.values_mut() {
            let is_idle = file.unread() == 0 && file.accessed.elapsed() > self.settings.close_older;
            if is_idle && file.has_name && file.content.is_some() {
                tracing::debug!(path = %file.path.display(), "closing a quiet file");
                self.reader.flush(file)?;
                file.content = None;
            }
        }
        Ok(())
    }
}

/// Whether another file has got the inode. As long as a file is open, nobody gets its inode.
fn is_replaced(file: &Tracked, stat: &Stat) -> bool {
    file.content.is_none() && file.stat.born.is_some() && stat.born.is_some() && file.stat.born != stat.born
}

/// Whether a record with the file's inode is the file's.
fn is_recorded(record: &Record, path: &Path, stat: &Stat) -> bool {
    let beginning = match record.beginning.length {
        0 => Beginning::default(),
        length => fs::File::open(path)
            .and_then(|file| FirstBytes::of(&file, length))
            .map(|first| Beginning::of(&first))
            .unwrap_or_default(),
    };
    let is_of = record.is_of(&path.to_string_lossy(), stat, &beginning);
    if !is_of {
        tracing::debug!(path = %path.display(), inode = stat.key.inode, "a sincedb record is of another file that had the same inode, or of what was in this one before");
    }
    is_of
}

/// Whether read mode unpacks a file, by its name.
fn is_archive(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.ends_with(".gz") || path.ends_with(".gzip")
}
