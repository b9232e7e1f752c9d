//! The pattern of `multiline`: a regular expression in which names of grok patterns may stand.

use std::time::Duration;

use crate::grok::{Dictionary, Expression, Library, pattern_files};
use crate::plugin::EcsMode;
use crate::regex::Locations;

/// A line that takes longer to match does not match.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern(Expression);

impl Pattern {
    /// Compiles a pattern with the patterns that come with Logstash, and those of the files in `folders`.
    ///
    /// # Errors
    /// What is wrong with the pattern, or which of the folders cannot be read.
    pub fn compile(pattern: &str, folders: &[String], ecs: EcsMode) -> Result<Self, String> {
        let mut dictionary = Dictionary::new(ecs.select(Library::Legacy, Library::EcsV1));
        for folder in folders {
            let unreadable = |error: std::io::Error| format!("cannot read patterns of {folder}: {error}");
            for file in pattern_files(folder, "*").map_err(unreadable)? {
                dictionary.define_lines(&std::fs::read_to_string(file).map_err(unreadable)?);
            }
        }
        Expression::compile(pattern, &dictionary, true).map(Pattern).map_err(|error| error.to_string())
    }

    /// Whether it matches somewhere in a line.
    pub fn is_match(&self, line: &str) -> bool {
        self.0.matches(line, Some(TIMEOUT), &mut Locations::default()).unwrap_or(false)
    }
}
