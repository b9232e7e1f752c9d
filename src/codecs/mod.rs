//! The codecs: one file per plugin, named as in Logstash.

mod cef;
mod csv;
mod documents;
mod dots;
mod json;
mod json_lines;
mod line;
mod multiline;
mod plain;
pub mod rubydebug;
pub mod terminal;
mod text;
mod tokenizer;

#[cfg(test)]
mod testkit;
#[cfg(test)]
mod tests;

use crate::plugin::Spec;

/// Every codec of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &cef::SPEC,
    &csv::SPEC,
    &dots::SPEC,
    &json::SPEC,
    &json_lines::SPEC,
    &line::SPEC,
    &multiline::SPEC,
    &plain::SPEC,
    &rubydebug::SPEC,
];
