//! Why a regular expression was refused, and why a search gave up.
use std::fmt;

/// A pattern that does not compile: what is wrong, and where in the pattern it was seen.
///
/// The wording of `message` is Oniguruma's own ("target of repeat operator is not specified"), so that it can be
/// looked up; it names no internals of the engine that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    offset: Option<usize>,
    pattern: Box<str>,
}

impl Error {
    pub(super) fn at(message: impl Into<String>, offset: usize) -> Error {
        Error { message: message.into(), offset: Some(offset), pattern: Box::default() }
    }

    pub(super) fn whole(message: impl Into<String>) -> Error {
        Error { message: message.into(), offset: None, pattern: Box::default() }
    }

    pub(super) fn in_pattern(mut self, pattern: &str) -> Error {
        self.pattern = pattern.into();
        self
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Byte offset into the pattern at which the mistake was seen; `None` when it concerns the pattern as a whole.
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }

    /// The pattern as it was given.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(offset) = self.offset {
            let characters = self.pattern.get(..offset).map_or(offset, |before| before.chars().count());
            write!(f, " at character {}", characters + 1)?;
        }
        write!(f, ": /{}/", self.pattern)
    }
}

impl std::error::Error for Error {}

/// A search that was given up before it had an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The time given by [`RegexBuilder::timeout`](super::RegexBuilder::timeout) ran out.
    #[error("the time limit of the regular expression ran out")]
    Timeout,
    /// The backtracking stack outgrew its limit.
    #[error("the regular expression needs too much memory for this text")]
    TooComplex,
}
