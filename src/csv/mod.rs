//! Comma-separated values as Ruby's CSV library (3.3) reads and writes them: what the csv filter, codec and
//! output share.
//!
//! | file | what it is |
//! |---|---|
//! | [`Reader`] | the first row of a text, strict about quotes |
//! | [`Writer`] | a row as a line |
//! | [`Columns`] | which value gets which name and type |
//! | [`Conversion`] | the types of the option `convert` |

mod columns;
mod convert;
mod date;
mod reader;
mod writer;

pub use columns::{Columns, convert};
pub use convert::{Conversion, NotText};
pub use reader::{Field, Malformed, Reader, Row};
pub use writer::{Forced, Writer};

/// The quote character that an option names: Logstash takes the four characters `\x00` for NUL.
pub fn quote_option(text: String) -> String {
    if text == "\\x00" { "\0".to_owned() } else { text }
}
