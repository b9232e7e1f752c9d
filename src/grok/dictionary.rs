//! The patterns an expression can name: those of a library, of pattern files and of the config.
use std::collections::HashMap;

use super::library::Library;

/// Patterns by name; a later definition replaces an earlier one.
#[derive(Debug, Clone)]
pub struct Dictionary {
    library: Library,
    own: HashMap<String, String>,
}

impl Dictionary {
    /// The patterns of a library.
    pub fn new(library: Library) -> Self {
        Dictionary { library, own: HashMap::new() }
    }

    /// Adds a pattern.
    pub fn define(&mut self, name: impl Into<String>, expression: impl Into<String>) {
        self.own.insert(name.into(), expression.into());
    }

    /// Adds the patterns of a file's text, `NAME expression` by line (`Grok#add_patterns_from_file`).
    ///
    /// Lines that begin with `#` are comments. A name without an expression stands for the empty one.
    pub fn define_lines(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            let line = line.trim_start_matches(is_space);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, behind)) = line.split_once(is_space) else { continue };
            let expression = behind.trim_start_matches(is_space);
            self.define(name, chomp(expression));
        }
    }

    /// The expression of a pattern.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.own.get(name).map(String::as_str).or_else(|| self.library.get(name))
    }

    /// All names, in no particular order, some twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let library = self.library.names().map(|name| -> &str { name });
        library.chain(self.own.keys().map(String::as_str))
    }
}

/// What Ruby's `\s` matches.
fn is_space(character: char) -> bool {
    matches!(character, '\t'..='\r' | ' ')
}

/// Ruby's `chomp`: the text without the line end it ends with.
pub(super) fn chomp(text: &str) -> &str {
    match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => text.strip_suffix('\r').unwrap_or(text),
    }
}

impl Dictionary {
    /// Adds a pattern of the option `pattern_definitions`, whose final line end does not count.
    pub fn define_inline(&mut self, name: &str, expression: &str) {
        self.define(name, chomp(expression));
    }
}
