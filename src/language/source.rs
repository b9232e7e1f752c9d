//! The texts a pipeline is made of, and places in them.

use std::ops::Range;

/// A place: the bytes `start..end` of source number `source` of a [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    pub source: u32,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// The place as a range of byte offsets into its source's text.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest place that covers both; both must be of the same source.
    pub fn to(self, other: Span) -> Span {
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One text: a file, or what was given on the command line.
#[derive(Clone, Debug)]
pub struct Source {
    /// What to call it in messages: a file's path, or `config_string`.
    pub name: String,
    pub text: String,
    pub(super) unreadable: Option<Unreadable>,
    /// Byte offset of the first byte of every line.
    line_starts: Vec<u32>,
}

/// The texts of one pipeline in the order they were loaded.
///
/// Logstash parses each of them on its own (`ConfigCompiler.compileSources`): a section that starts in one file
/// cannot end in the next.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    sources: Vec<Source>,
}

/// A place as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The source's name.
    pub file: &'a str,
    /// Counted from 1.
    pub line: usize,
    /// Counted in characters from 1.
    pub column: usize,
    /// The whole line, without its line break.
    pub text: &'a str,
}

/// Why a source's text cannot be parsed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Not UTF-8 from this byte offset of the text on, where a replacement character stands for the bad bytes.
    NotUtf8(u32),
    /// Longer than a [`Span`] can count.
    TooLong,
}

impl Sources {
    /// No sources yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A single source, such as the text given on the command line.
    pub fn single(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        let mut sources = Self::new();
        sources.add(name, text);
        sources
    }

    /// Adds a text and returns its number. Bytes that are not UTF-8 are kept as replacement characters, so that the
    /// place can be shown; parsing then reports them.
    pub fn add(&mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> u32 {
        let (text, unreadable) = match String::from_utf8(bytes.into()) {
            Ok(text) => (text, None),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                (text, Some(Unreadable::NotUtf8(valid as u32)))
            }
        };
        let (text, unreadable) = match u32::try_from(text.len()) {
            Ok(_) => (text, unreadable),
            Err(_) => (String::new(), Some(Unreadable::TooLong)),
        };
        let line_starts = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|offset| offset as u32 + 1))
            .collect();
        self.sources.push(Source { name: name.into(), text, unreadable, line_starts });
        self.sources.len() as u32 - 1
    }

    /// Every source with its number, in load order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Source)> {
        (0..).zip(&self.sources)
    }

    /// The source of that number.
    pub fn get(&self, number: u32) -> Option<&Source> {
        self.sources.get(number as usize)
    }

    /// The text a span covers; empty for a span of other sources.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source).and_then(|source| source.text.get(span.range())).unwrap_or_default()
    }

    /// Where a span starts, for people; `None` for a span of other sources.
    pub fn locate(&self, span: Span) -> Option<Location<'_>> {
        self.get(span.source).map(|source| source.locate(span.start))
    }
}

impl Source {
    /// The line of a byte offset, counted from 1.
    pub fn line_of(&self, offset: u32) -> usize {
        self.line_starts.partition_point(|&start| start <= offset).max(1)
    }

    /// Where a byte offset is, for people; an offset past the end is the end. Takes as long as the line is.
    pub fn locate(&self, offset: u32) -> Location<'_> {
        let line = self.line_of(offset);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0) as usize;
        let rest = self.text.get(start..).unwrap_or_default();
        let text = rest.lines().next().unwrap_or_default();
        let before = rest.get(..(offset as usize).saturating_sub(start)).unwrap_or(rest);
        Location { file: &self.name, line, column: before.chars().count() + 1, text }
    }

    /// The byte range of a line, counted from 1, with its line break.
    pub(super) fn line_range(&self, line: usize) -> Range<usize> {
        let start =
            self.line_starts.get(line.saturating_sub(1)).map_or(self.text.len(), |&start| start as usize);
        let end = self.line_starts.get(line).map_or(self.text.len(), |&start| start as usize);
        start..end
    }
}
