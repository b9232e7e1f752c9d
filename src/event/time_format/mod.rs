//! Time as configs write it: calendar arithmetic, zones, and the pattern languages of `%{+...}`, `%{{...}}` and
//! the date filter.
pub(crate) mod civil;
mod date_parser;
mod fields;
mod iso8601;
mod java;
mod java_steps;
mod joda;
mod locale;
mod moment;
mod print;
mod steps;
mod zone;

pub use date_parser::{DateParser, DateSource, Precision};
pub use java::JavaTimeFormat;
pub use joda::JodaFormat;
pub use locale::Locale;
pub use zone::{UnknownZone, Zone};

/// Why a time pattern is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("the time pattern is empty")]
    Empty,
    #[error(
        "the letters `{letters}` mean nothing in a time pattern, here in `{pattern}`; put text between single quotes"
    )]
    Letters { letters: String, pattern: String },
    #[error("a `]` in the time pattern `{0}` has no `[` before it")]
    Bracket(String),
    #[error("the time pattern `{0}` opens a quote that it does not close")]
    Quote(String),
    #[error("the character `{0}` is reserved in time patterns, here in `{1}`; put it between single quotes")]
    Reserved(char, String),
    #[error("the pad letter `p` must stand before another letter, unlike in the time pattern `{0}`")]
    PadsNothing(String),
    #[error(
        "`zzzz` in the time pattern `{0}` prints zone names but cannot read them: use `zzz` for UTC, EST, PDT and the like, `ZZZ` for Europe/Paris"
    )]
    ZoneNames(String),
    #[error(
        "the letters `{letters}` in the time pattern `{pattern}` cannot be read with precision \"ns\": use precision \"ms\", or other letters of java.time"
    )]
    NotInNanoseconds { letters: String, pattern: String },
    #[error("the time pattern `{0}` has more parts than a date can have")]
    TooLong(String),
}

impl PatternError {
    fn letter(letter: char, count: usize, pattern: &str) -> PatternError {
        PatternError::Letters { letters: letter.to_string().repeat(count), pattern: pattern.to_owned() }
    }
}
