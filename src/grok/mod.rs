//! Grok expressions: regular expressions with named building blocks, `%{IP:client}`.
//!
//! Follows ruby-grok (`lib/grok-pure.rb`, gem jls-grok), which Logstash's grok filter and syslog input use. An
//! [`Expression`] is compiled against a [`Dictionary`] of patterns; those that come with Logstash are in [`Library`].
mod coercion;
mod dictionary;
mod expand;
mod expression;
mod files;
mod library;
mod reference;
#[cfg(test)]
mod tests;

pub use coercion::Coercion;
pub use dictionary::Dictionary;
pub use expression::{Capture, Error, Expression};
pub use files::pattern_files;
pub use library::Library;
