//! A file that is being read: where it stands, and what its codec makes of its lines.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::content::Content;
use super::identity::{FirstBytes, Stat};
use super::progress::Progress;
use crate::event::Event;
use crate::plugin::Codec;

/// What there is to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is read as far as it goes.
    Active,
    /// It was too old when it was found: nothing is read until it changes.
    Ignored,
    /// Read mode: everything is read, and not all of it acknowledged.
    Complete,
    /// Read mode: nothing is left to do.
    Done,
    /// Read mode: an archive that could not be unpacked; another one may come in its place.
    Damaged { size: u64, modified: SystemTime },
}

/// How a codec gets lines, and what it may hold back of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feeding {
    /// Line by line without their ends. Each makes its events at once.
    Lines,
    /// The same, but an event may need further lines: a line that completes an event may begin the next one.
    JoinedLines,
    /// With their ends, which the codec looks for itself.
    Stream,
}

impl Feeding {
    /// Codecs that look for line ends in a stream. Logstash gives them lines without, and they wait for an end that
    /// never comes.
    pub fn of(name: &str, codec: &dyn Codec) -> Self {
        match name {
            _ if codec.takes_lines() => Feeding::JoinedLines,
            "line" | "json_lines" | "edn_lines" | "es_bulk" | "graphite" => Feeding::Stream,
            _ => Feeding::Lines,
        }
    }
}

pub struct Tracked {
    /// Where the file is, or was when it lost its name.
    pub path: Arc<Path>,
    /// The path as events have it.
    pub path_text: Arc<str>,
    /// Whether a path of this input leads to the file; one that was renamed or deleted is read to its end.
    pub has_name: bool,
    pub stat: Stat,
    pub state: State,
    pub content: Option<Content>,
    pub is_archive: bool,
    /// How the file began, as far as it was read.
    pub first: FirstBytes,
    /// The file's modification time when its first bytes were compared last.
    pub compared: Option<SystemTime>,
    /// Where the first line begins that the codec does not have yet, in bytes.
    pub line_position: u64,
    /// The beginning of that line, as far as it was read.
    pub held: Vec<u8>,
    /// Up to here, everything is with the pipeline or needs not be.
    pub passed: u64,
    pub progress: Arc<Progress>,
    pub codec: Box<dyn Codec>,
    pub feeding: Feeding,
    /// When what the codec holds back goes on its way.
    pub flush_at: Option<Instant>,
    /// When bytes were read last, or the file was opened.
    pub accessed: Instant,
    /// When it was last said that the file cannot be read; `None` as long as it can.
    pub failing: Option<Instant>,
}

impl Tracked {
    /// A file that is read from `position` on.
    pub fn new(
        path: PathBuf,
        stat: Stat,
        position: u64,
        progress: Progress,
        codec: (Box<dyn Codec>, Feeding),
    ) -> Self {
        let mut tracked = Tracked {
            path: Arc::from(Path::new("")),
            path_text: Arc::from(""),
            has_name: true,
            stat,
            state: State::Active,
            content: None,
            is_archive: false,
            first: FirstBytes::default(),
            compared: None,
            line_position: position,
            held: Vec::new(),
            passed: position,
            progress: Arc::new(progress),
            codec: codec.0,
            feeding: codec.1,
            flush_at: None,
            accessed: Instant::now(),
            failing: None,
        };
        tracked.rename(path);
        tracked
    }

    /// Gives the file the path that leads to it now.
    pub fn rename(&mut self, path: PathBuf) {
        self.path_text = Arc::from(path.to_string_lossy());
        self.path = Arc::from(path);
        self.has_name = true;
    }

    /// Up to here the file's bytes were read.
    pub fn read_position(&self) -> u64 {
        self.line_position + self.held.len() as u64
    }

    /// Bytes that wait to be read, as far as the last look at the file told.
    pub fn unread(&self) -> u64 {
        self.stat.size.saturating_sub(self.read_position())
    }

    /// Whether the file changed in another way than by growing since its beginning was compared.
    pub fn may_be_rewritten(&self) -> bool {
        self.stat.size < self.read_position()
            || (self.unread() == 0 && self.read_position() > 0 && self.compared != Some(self.stat.modified))
    }

    /// Takes note of how a file begins that an earlier run has read, or that is read from its end.
    pub fn remember_first(&mut self) {
        let position = self.read_position();
        if let Some(open) = self.content.as_ref().and_then(Content::plain)
            && self.first.is_empty()
        {
            self.first = FirstBytes::of(open, position).unwrap_or_default();
        }
    }

    /// Gives the codec a line, and notes how far the file has passed with it.
    pub fn decode(&mut self, text: &[u8], whole: &[u8], events: &mut Vec<Event>) {
        let before = events.len();
        let bytes = if self.feeding == Feeding::Stream { whole } else { text };
        self.codec.decode(bytes, &mut |event| events.push(event));
        let emitted = events.len() > before;
        let start = self.line_position;
        self.line_position += whole.len() as u64;
        match self.feeding {
            _ if self.is_archive => {}
            Feeding::Lines => self.passed = self.line_position,
            Feeding::JoinedLines if emitted => self.passed = start,
            Feeding::Stream if emitted => self.passed = self.line_position,
            Feeding::JoinedLines | Feeding::Stream => {}
        }
    }

    /// Takes what the codec holds back.
    pub fn flush(&mut self, events: &mut Vec<Event>) {
        self.flush_at = None;
        self.codec.flush(&mut |event| events.push(event));
        if !self.is_archive {
            self.passed = self.line_position;
        }
    }

    /// Takes the line that has not ended for a whole one, and what the codec holds back.
    pub fn end(&mut self, events: &mut Vec<Event>) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.decode(&held, &held, events);
        }
        self.flush(events);
    }

    /// Says no more than every so often that something about the file fails.
    pub fn warn(&mut self, what: &str, error: &std::io::Error) {
        /// As `OPEN_WARN_INTERVAL` of Logstash.
        const SILENCE: std::time::Duration = std::time::Duration::from_secs(300);
        if self.failing.is_none_or(|warned| warned.elapsed() > SILENCE) {
            self.failing = Some(Instant::now());
            tracing::warn!(path = %self.path.display(), %error, "{what}, it will be tried again");
        }
    }
}
