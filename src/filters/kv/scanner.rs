//! The search for pairs without a regular expression, for options that are plain ASCII characters.
//!
//! It finds what the expression of [`patterns`](super::patterns) finds. For texts without backslashes that expression
//! is simple: a key is a run of characters that split nothing; where it is followed by what splits key and value
//! (in lenient mode with spaces around it), the rest always fits, for an unquoted value may be anything. So there is
//! nothing to try again but quotes that are not closed or not followed by the end of the pair, which are then part of
//! an unquoted value. With a backslash in what had to be tried again, the expression is asked.

use memchr::{memchr, memchr2};

/// Byte offsets into the text: first, and behind the last.
pub(super) type Range = (usize, usize);

/// The answer to a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Pair {
        key: Range,
        value: Range,
        /// Where the search for the next pair begins.
        end: usize,
    },
    Nothing,
    /// No pair begins before this offset; what begins there is for the expression to tell.
    Unsure(usize),
}

const SPLITS_VALUE: u8 = 1;
const SPLITS_FIELD: u8 = 2;

/// What the bytes mean.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    meaning: [u8; 256],
    /// The only byte that splits keys and values, if there is but one.
    only_value_split: Option<u8>,
    lenient: bool,
    brackets: bool,
}

/// Where closing quotes of each kind stand, as far as searches without backslashes have shown: none from the first
/// offset up to the second, which has one or is the end of the text. Without it, a text full of quotes that are never
/// closed would be searched to its end for each of them.
#[derive(Debug)]
pub(super) struct Closings([Range; 5]);

impl Default for Closings {
    fn default() -> Self {
        // Ranges that no offset lies in.
        Closings([(1, 0); 5])
    }
}

/// The quotes, in the order of [`Closings`].
const QUOTES: [(u8, u8); 5] = [(b'"', b'"'), (b'\'', b'\''), (b'(', b')'), (b'[', b']'), (b'<', b'>')];

/// What an attempt at a quoted value came to.
enum Quoted {
    Value {
        value: Range,
        end: usize,
    },
    /// Never closed, or followed by more: part of an unquoted value then.
    Unfit,
    Unsure,
}

impl Scanner {
    /// Nothing where backslashes split, which only the expression understands.
    pub fn new(
        value_split: &[bool; 256],
        field_split: &[bool; 256],
        lenient: bool,
        brackets: bool,
    ) -> Option<Self> {
        let mut meaning = [0; 256];
        for (slot, (splits_value, splits_field)) in
            meaning.iter_mut().zip(value_split.iter().zip(field_split))
        {
            *slot = u8::from(*splits_value) * SPLITS_VALUE + u8::from(*splits_field) * SPLITS_FIELD;
        }
        let mut splitting = (0..=255u8).filter(|byte| value_split.get(usize::from(*byte)) == Some(&true));
        let only_value_split = splitting.next().filter(|_| splitting.next().is_none());
        let scanner = Scanner { meaning, only_value_split, lenient, brackets };
        (scanner.meaning_of(b'\\') == 0).then_some(scanner)
    }

    fn meaning_of(&self, byte: u8) -> u8 {
        self.meaning.get(usize::from(byte)).copied().unwrap_or(0)
    }

    fn splits_value(&self, byte: Option<&u8>) -> bool {
        byte.is_some_and(|byte| self.meaning_of(*byte) & SPLITS_VALUE != 0)
    }

    fn splits_field(&self, byte: Option<&u8>) -> bool {
        byte.is_some_and(|byte| self.meaning_of(*byte) & SPLITS_FIELD != 0)
    }

    /// Whether anything in a text splits a key and a value.
    pub fn has_separator(&self, text: &str) -> bool {
        match self.only_value_split {
            Some(byte) => memchr(byte, text.as_bytes()).is_some(),
            None => text.bytes().any(|byte| self.splits_value(Some(&byte))),
        }
    }

    /// The first pair that begins at byte `at` or behind it.
    pub fn find(&self, text: &str, at: usize, closings: &mut Closings) -> Found {
        let text = text.as_bytes();
        let mut start = at;
        loop {
            while text.get(start).is_some_and(|byte| self.meaning_of(*byte) != 0) {
                start += 1;
            }
            if start >= text.len() {
                return Found::Nothing;
            }
            let (end, has_backslash) = self.run(text, start, SPLITS_VALUE | SPLITS_FIELD);
            if let Some(split) = self.value_split_behind(text, end) {
                return self.pair(text, (start, end), split + 1, closings);
            }
            if has_backslash {
                return Found::Unsure(start);
            }
            start = end;
        }
    }

    /// The end of the characters from `start` on that mean none of what is asked; a character behind a backslash means
    /// nothing. Also whether there was a backslash.
    fn run(&self, text: &[u8], start: usize, meanings: u8) -> (usize, bool) {
        let (mut at, mut has_backslash) = (start, false);
        while let Some(&byte) = text.get(at) {
            if byte == b'\\' {
                has_backslash = true;
                at += if text.get(at + 1).is_some_and(|next| *next != b'\n') { 2 } else { 1 };
            } else if self.meaning_of(byte) & meanings == 0 {
                at += 1;
            } else {
                break;
            }
        }
        (at, has_backslash)
    }

    /// Where what splits key and value stands behind a key that ends at `end`. Spaces before it are passed over, as
    /// many as possible; where a space splits as well, one of them is taken if nothing else can be.
    fn value_split_behind(&self, text: &[u8], end: usize) -> Option<usize> {
        let mut at = end;
        if self.lenient {
            while text.get(at) == Some(&b' ') {
                at += 1;
            }
        }
        if self.splits_value(text.get(at)) {
            return Some(at);
        }
        (at > end && self.splits_value(Some(&b' '))).then(|| at - 1)
    }

    /// The pair of a key whose value begins at `at`, or behind spaces there.
    fn pair(&self, text: &[u8], key: Range, mut at: usize, closings: &mut Closings) -> Found {
        if self.lenient {
            while text.get(at) == Some(&b' ') {
                at += 1;
            }
        }
        let usable = if self.brackets { 5 } else { 2 };
        let mut kinds = QUOTES.iter().zip(&mut closings.0).take(usable);
        if let Some(((_, close), known)) = kinds.find(|((open, _), _)| text.get(at) == Some(open)) {
            match self.quoted(text, at + 1, *close, known) {
                Quoted::Value { value, end } => return Found::Pair { key, value, end },
                Quoted::Unsure => return Found::Unsure(key.0),
                Quoted::Unfit => {}
            }
        }
        let (end, _) = self.run(text, at, SPLITS_FIELD);
        let behind = if end < text.len() { end + 1 } else { end };
        Found::Pair { key, value: (at, end), end: behind }
    }

    /// A value from `start` to the next closing quote, if the pair ends behind that.
    fn quoted(&self, text: &[u8], start: usize, close: u8, known: &mut Range) -> Quoted {
        let (end, has_backslash) = match *known {
            (first, last) if (first..=last).contains(&start) => (last, false),
            _ => closing(text, start, close),
        };
        if !has_backslash {
            *known = (start, end);
        }
        if end < text.len() {
            let behind = text.get(end + 1);
            if self.splits_field(behind) {
                return Quoted::Value { value: (start, end), end: end + 2 };
            }
            if behind.is_none_or(|byte| *byte == b'\n') {
                return Quoted::Value { value: (start, end), end: end + 1 };
            }
        }
        if has_backslash { Quoted::Unsure } else { Quoted::Unfit }
    }
}

/// Where the next closing quote stands that no backslash protects, or the end of the text; also whether there was a
/// backslash before it.
fn closing(text: &[u8], start: usize, close: u8) -> (usize, bool) {
    let (mut at, mut has_backslash) = (start, false);
    while let Some(rest) = text.get(at..) {
        let Some(found) = memchr2(close, b'\\', rest) else { break };
        at += found;
        if text.get(at) == Some(&close) {
            return (at, has_backslash);
        }
        has_backslash = true;
        at += if text.get(at + 1).is_some_and(|next| *next != b'\n') { 2 } else { 1 };
    }
    (text.len(), has_backslash)
}
