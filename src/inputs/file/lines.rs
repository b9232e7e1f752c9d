//! Cuts the bytes of a file into lines, in one buffer that all files use in turn.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memmem::Finder;

/// What ends a line.
#[expect(clippy::large_enum_variant, reason = "one for each input")]
#[derive(Debug, Clone)]
pub enum LineEnd {
    Byte(u8),
    Text(Finder<'static>),
    /// `\n`, `\r` or `\r\n`, as Java's `readLine` has it.
    Any,
}

impl LineEnd {
    /// For a delimiter that is not empty.
    pub fn new(delimiter: &str) -> Self {
        match delimiter.as_bytes() {
            [byte] => LineEnd::Byte(*byte),
            bytes => LineEnd::Text(Finder::new(bytes).into_owned()),
        }
    }

    /// Where the first line of `bytes` ends, and where the next one begins. Nothing before `searched` ends it. At the
    /// end of a file a last `\r` needs nothing behind it.
    fn find(&self, bytes: &[u8], searched: usize, at_end: bool) -> Option<(usize, usize)> {
        match self {
            LineEnd::Byte(byte) => {
                let end = searched + memchr::memchr(*byte, bytes.get(searched..)?)?;
                Some((end, end + 1))
            }
            LineEnd::Text(finder) => {
                let from = searched.saturating_sub(finder.needle().len() - 1);
                let end = from + finder.find(bytes.get(from..)?)?;
                Some((end, end + finder.needle().len()))
            }
            LineEnd::Any => {
                // A carriage return that ends the bytes may have been seen before without what follows.
                let from = searched.saturating_sub(1);
                let end = from + memchr::memchr2(b'\r', b'\n', bytes.get(from..)?)?;
                match (bytes.get(end), bytes.get(end + 1)) {
                    (Some(b'\r'), Some(b'\n')) => Some((end, end + 2)),
                    (Some(b'\r'), None) if !at_end => None,
                    _ => Some((end, end + 1)),
                }
            }
        }
    }
}

/// One line in a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Without what ends it.
    pub text: Range<usize>,
    /// With it.
    pub whole: Range<usize>,
}

/// Bytes that were read, of which `start..end` are not yet handed out.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Up to here there is no end of a line.
    searched: usize,
}

impl LineBuffer {
    /// Begins with what was left of a file the last time.
    pub fn load(&mut self, held: &[u8]) {
        (self.start, self.end, self.searched) = (0, held.len(), held.len());
        if self.bytes.len() < held.len() {
            self.bytes.resize(held.len(), 0);
        }
        if let Some(space) = self.bytes.get_mut(..held.len()) {
            space.copy_from_slice(held);
        }
    }

    /// Reads once, at most so many bytes. 0 is the end of the file, for now.
    pub fn fill(&mut self, from: &mut impl Read, most: usize) -> io::Result<usize> {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        let needed = self.end + most;
        if self.bytes.len() < needed {
            self.bytes.resize(needed, 0);
        }
        let space = self.bytes.get_mut(self.end..needed).unwrap_or_default();
        loop {
            match from.read(space) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.inspect(|read| self.end += read),
            }
        }
    }

    /// What the last read brought, when it brought so many bytes.
    pub fn filled(&self, read: usize) -> &[u8] {
        self.bytes(&(self.end - read..self.end))
    }

    /// The next line that is complete.
    pub fn next(&mut self, line_end: &LineEnd, at_end: bool) -> Option<Line> {
        let waiting = self.bytes.get(self.start..self.end)?;
        let Some((text, next)) = line_end.find(waiting, self.searched - self.start, at_end) else {
            self.searched = self.end;
            return None;
        };
        let start = self.start;
        self.start += next;
        self.searched = self.start;
        Some(Line { text: start..start + text, whole: start..self.start })
    }

    /// All that is left, as a line without an end.
    pub fn take_rest(&mut self) -> Line {
        let rest = self.start..self.end;
        (self.start, self.searched) = (self.end, self.end);
        Line { text: rest.clone(), whole: rest }
    }

    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// What is not handed out yet.
    pub fn rest(&self) -> &[u8] {
        self.bytes(&(self.start..self.end))
    }

    /// Gives memory back that an unusually long line took.
    pub fn shrink(&mut self, most: usize) {
        if self.bytes.len() > most && self.end - self.start <= most {
            let rest = self.rest().to_vec();
            self.bytes = Vec::new();
            self.load(&rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, line_end: &LineEnd, size: usize) -> Vec<String> {
        let mut buffer = LineBuffer::default();
        let mut source = text.as_bytes();
        let mut held: Vec<u8> = Vec::new();
        let mut found = Vec::new();
        loop {
            buffer.load(&held);
            let read = buffer.fill(&mut source, size).unwrap();
            while let Some(line) = buffer.next(line_end, read == 0) {
                found.push(String::from_utf8_lossy(buffer.bytes(&line.text)).into_owned());
            }
            if read == 0 {
                let rest = buffer.take_rest();
                found.push(String::from_utf8_lossy(buffer.bytes(&rest.text)).into_owned());
                assert!(buffer.rest().is_empty());
                return found;
            }
            held = buffer.rest().to_vec();
        }
    }

    #[test]
    fn lines_do_not_depend_on_the_reads() {
        for size in 1..20 {
            let newline = LineEnd::new("\n");
            assert_eq!(lines("a\r\n\nbcd\rx\ne", &newline, size), ["a\r", "", "bcd\rx", "e"], "{size}");
            let text = LineEnd::new("||");
            assert_eq!(lines("a|b||||c|||", &text, size), ["a|b", "", "c", "|"], "{size}");
            assert_eq!(
                lines("a\r\n\r\rb\n\nc\r", &LineEnd::Any, size),
                ["a", "", "", "b", "", "c", ""],
                "{size}"
            );
        }
    }
}
