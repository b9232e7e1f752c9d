//! `Problem`: what is wrong with a plugin's options, and where.

use crate::language::source::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One mistake in a config, for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub span: Span,
    /// What is wrong, in one line that names the option or plugin.
    pub message: String,
    /// What was expected at the place, shown beside the caret.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Error, span, message: message.into(), label: String::new(), help: None }
    }

    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Warning, ..Self::error(span, message) }
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The candidate that a misspelt name most likely means.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(name.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name() {
        let names = ["codec", "add_field", "remove_field", "type"];
        assert_eq!(nearest("add_feild", names), Some("add_field"));
        assert_eq!(nearest("codek", names), Some("codec"));
        assert_eq!(nearest("bootstrap", names), None);
    }
}
