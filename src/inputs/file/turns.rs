//! Whose turn it is: every file that has something to read gets one after the other, for as many bytes as it may.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::content::{Content, check_archive};
use super::identity::{FirstBytes, Key};
use super::reader::{Piece, Stop};
use super::tracked::{State, Tracked};
use super::watch::Watch;
use super::{Mode, SortBy, SortDirection};

/// After so many bytes, even of one turn, the sincedb is looked after.
const PIECE: u64 = 4 * 1024 * 1024;
/// The errors of a process, and of a system, that has too many files open: EMFILE and ENFILE.
const TOO_MANY_OPEN: [i32; 2] = [24, 23];

impl Watch {
    /// Gives every file with something to read its turn. Returns whether one has more.
    pub fn read_all(&mut self) -> Result<bool, Stop> {
        let mut is_more = false;
        for key in self.order() {
            if self.reader.is_stopping() {
                break;
            }
            is_more |= self.turn(key)?;
            self.close_surplus(key);
        }
        Ok(is_more)
    }

    /// The files with something to read, in the order of `file_sort_by`.
    fn order(&self) -> Vec<Key> {
        let mode = self.settings.mode;
        let with_work = self.files.iter().filter(|(_, file)| has_work(file, mode));
        let mut order: Vec<_> =
            with_work.map(|(key, file)| (file.stat.modified, Arc::clone(&file.path), *key)).collect();
        match self.settings.sort_by {
            SortBy::LastModified => order.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1))),
            SortBy::Path => order.sort_by(|one, other| one.1.cmp(&other.1)),
        }
        if self.settings.sort_direction == SortDirection::Descending {
            order.reverse();
        }
        order.into_iter().map(|(_, _, key)| key).collect()
    }

    /// One file's turn. Returns whether there is more to read at once.
    fn turn(&mut self, key: Key) -> Result<bool, Stop> {
        if !self.prepare(key)? {
            return Ok(false);
        }
        let mut left = self.settings.turn_bytes;
        while left > 0 && !self.reader.is_stopping() {
            let Some(file) = self.files.get_mut(&key) else { return Ok(false) };
            let most = match self.settings.mode {
                // What is written while it is being read is for the next turn: others wait.
                Mode::Tail => left.min(PIECE).min(file.unread()),
                Mode::Read => left.min(PIECE),
            };
            if most == 0 {
                return Ok(false);
            }
            match self.reader.read(file, most)? {
                Piece::Read(read) => {
                    file.failing = None;
                    left -= read.min(left);
                }
                Piece::End => {
                    self.at_end(key)?;
                    return Ok(false);
                }
                Piece::Failed(error) => {
                    self.failed(key, &error)?;
                    return Ok(false);
                }
            }
            self.tick();
        }
        Ok(self.files.get(&key).is_some_and(|file| has_work(file, self.settings.mode)))
    }

    /// Opens a file and sees whether it is still what it was. Returns whether there is something to read.
    fn prepare(&mut self, key: Key) -> Result<bool, Stop> {
        let is_tail = self.settings.mode == Mode::Tail;
        let Some(file) = self.files.get_mut(&key) else { return Ok(false) };
        match file.state {
            State::Active => {}
            State::Damaged { .. } => {
                file.state = State::Active;
                self.reader.restart(file)?;
            }
            _ => file.state = State::Active,
        }
        if file.content.is_none() && !self.open_content(key)? {
            return Ok(false);
        }
        let Some(file) = self.files.get_mut(&key) else { return Ok(false) };
        file.remember_first();
        let Some(open) = file.content.as_ref().and_then(Content::plain) else { return Ok(true) };
        let first = match FirstBytes::of(open, file.first.len()) {
            Ok(first) => first,
            Err(error) => {
                self.failed(key, &error)?;
                return Ok(false);
            }
        };
        let is_shorter = file.stat.size < file.read_position();
        if is_shorter || !file.first.is_prefix_of(&first) {
            tracing::debug!(path = %file.path.display(), position = file.read_position(), size = file.stat.size, "a file was truncated or written anew, it is read from its beginning");
            self.reader.restart(file)?;
        }
        file.compared = Some(file.stat.modified);
        Ok(!is_tail || file.unread() > 0)
    }

    /// Opens a file where it was left. Says so when that fails; it will be tried again.
    fn open_content(&mut self, key: Key) -> Result<bool, Stop> {
        let Some(file) = self.files.get(&key) else { return Ok(false) };
        let is_full = |error: &io::Error| error.raw_os_error().is_some_and(|it| TOO_MANY_OPEN.contains(&it));
        let mut opened = self.try_open(file);
        if opened.as_ref().is_err_and(is_full) {
            self.make_room();
            let Some(file) = self.files.get(&key) else { return Ok(false) };
            opened = self.try_open(file);
        }
        let Some(file) = self.files.get_mut(&key) else { return Ok(false) };
        match opened {
            Ok(content) => {
                // Another file may have come to its path; the next look at it tells.
                file.content = content.stat().is_some_and(|it| it.key == key).then_some(content);
                file.accessed = Instant::now();
                Ok(file.content.is_some())
            }
            Err(error) if file.is_archive && error.raw_os_error().is_none() => {
                self.damaged(key, &error)?;
                Ok(false)
            }
            Err(error) => {
                file.warn("could not open a file", &error);
                Ok(false)
            }
        }
    }

    fn try_open(&self, file: &Tracked) -> io::Result<Content> {
        if !file.is_archive {
            return Content::open(&file.path, file.read_position(), &self.open);
        }
        if self.settings.check_archive_validity {
            check_archive(&file.path)?;
        }
        Content::open_archive(&file.path, &self.open)
    }

    /// The system has no more open files for this process: fewer are kept open from now on.
    fn make_room(&mut self) {
        self.most_open = (self.open.count() / 4 * 3).max(1);
        tracing::warn!(
            limit = self.most_open,
            "too many open files, fewer are kept open from now on; raise the limit (ulimit -n) or lower max_open_files"
        );
        for file in self.files.values_mut() {
            if self.open.count() < self.most_open {
                break;
            }
            if file.unread() == 0 && file.has_name && !file.is_archive {
                file.content = None;
            }
        }
    }

    /// Closes a file after its turn where others already take all the room.
    fn close_surplus(&mut self, key: Key) {
        if !self.is_full(0) {
            return;
        }
        if let Some(file) = self.files.get_mut(&key)
            && file.has_name
            && !file.is_archive
        {
            file.content = None;
        }
    }

    /// A file has no more for now; in read mode that is all.
    fn at_end(&mut self, key: Key) -> Result<(), Stop> {
        let Some(file) = self.files.get_mut(&key) else { return Ok(()) };
        file.failing = None;
        if self.settings.mode == Mode::Tail {
            // It was truncated while it was read: the next look at it tells.
            return Ok(());
        }
        self.reader.end(file)?;
        if file.is_archive {
            file.passed = file.stat.size;
            file.progress.pass(file.passed);
        }
        file.content = None;
        file.state = State::Complete;
        self.complete.push(key);
        Ok(())
    }

    /// Reading a file failed: it is tried again at the next look.
    fn failed(&mut self, key: Key, error: &io::Error) -> Result<(), Stop> {
        let Some(file) = self.files.get_mut(&key) else { return Ok(()) };
        if file.is_archive {
            return self.damaged(key, error);
        }
        file.content = None;
        file.warn("could not read a file", error);
        Ok(())
    }

    /// An archive cannot be unpacked. The lines before the damage are on their way.
    fn damaged(&mut self, key: Key, error: &io::Error) -> Result<(), Stop> {
        let Some(file) = self.files.get_mut(&key) else { return Ok(()) };
        tracing::error!(path = %file.path.display(), %error, "cannot unpack a gzip file, it is left as it is until it changes");
        file.content = None;
        file.held = Vec::new();
        file.state = State::Damaged { size: file.stat.size, modified: file.stat.modified };
        self.reader.flush(file)
    }
}

fn has_work(file: &Tracked, mode: Mode) -> bool {
    if !file.has_name && file.content.is_none() {
        return false;
    }
    match (mode, file.state) {
        (Mode::Tail, State::Active) => file.unread() > 0 || file.may_be_rewritten(),
        (Mode::Tail, State::Ignored) => file.stat.size != file.line_position,
        (Mode::Read, State::Active) => true,
        (Mode::Read, State::Damaged { size, modified }) => {
            (size, modified) != (file.stat.size, file.stat.modified)
        }
        _ => false,
    }
}
