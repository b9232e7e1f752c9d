//! What is wrong with a config, where, and what to do about it; for a person with a caret, for a program as JSON.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::source::{Source, Sources, Span};

/// Whether a finding keeps the pipeline from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// One finding about a config.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where; `None` where it concerns no particular text.
    pub span: Option<Span>,
    /// What to write beside the caret.
    pub label: Option<String>,
    /// Other places that have to do with it, each with what to write beside it.
    pub related: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
    /// Further facts.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::general(Severity::Error, message) }
    }

    /// A warning at a place.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::general(Severity::Warning, message) }
    }

    /// A finding that concerns no particular text.
    pub fn general(severity: Severity, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { severity, message, span: None, label: None, related: vec![], help: None, notes: vec![] }
    }

    /// Sets what stands beside the caret.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a fact.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds another place that has to do with it.
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Whether it keeps the pipeline from running.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The finding with file, line, column, the source line and a caret; several lines without a final line break.
    /// With `color` it carries ANSI colours.
    pub fn render(&self, sources: &Sources, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let excerpts = self.excerpts(sources);
        let mut group = Group::with_title(level.primary_title(self.message.as_str()));
        for excerpt in excerpts {
            let mut snippet = Snippet::source(excerpt.text).line_start(excerpt.line);
            match excerpt.cut {
                // The renderer counts columns from the start of what it is shown.
                Some(column) => {
                    group = group.element(Origin::path(excerpt.file).line(excerpt.line).char_column(column));
                }
                None => snippet = snippet.path(excerpt.file),
            }
            for (kind, range, label) in excerpt.marks {
                let label = (!label.is_empty()).then_some(label);
                snippet = snippet.annotation(kind.span(range).label(label));
            }
            group = group.element(snippet);
        }
        for note in &self.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// One line for a log: `file:line:column: message`.
    pub fn one_line(&self, sources: &Sources) -> String {
        match self.span.and_then(|span| sources.locate(span)) {
            Some(at) => format!("{}:{}:{}: {}", at.file, at.line, at.column, self.message),
            None => self.message.clone(),
        }
    }

    /// The finding as a JSON object: `severity`, `message`, and where they apply `file`, `line`, `column`,
    /// `end_line`, `end_column`, `label`, `help`, `notes`.
    pub fn to_json(&self, sources: &Sources) -> serde_json::Value {
        let mut object = serde_json::Map::new();
        let mut put = |key: &str, value: serde_json::Value| object.insert(key.to_owned(), value);
        put("severity", serde_json::json!(self.severity));
        put("message", self.message.as_str().into());
        if let Some(span) = self.span
            && let Some(start) = sources.locate(span)
            && let Some(end) = sources.locate(Span { start: span.end, ..span })
        {
            put("file", start.file.into());
            put("line", start.line.into());
            put("column", start.column.into());
            put("end_line", end.line.into());
            put("end_column", end.column.into());
        }
        if let Some(label) = &self.label {
            put("label", label.as_str().into());
        }
        if let Some(help) = &self.help {
            put("help", help.as_str().into());
        }
        if !self.notes.is_empty() {
            put("notes", self.notes.clone().into());
        }
        object.into()
    }

    /// The lines to show, grouped so that places of one file that lie close together share an excerpt.
    fn excerpts<'a>(&'a self, sources: &'a Sources) -> Vec<Excerpt<'a>> {
        let primary =
            self.span.map(|span| (AnnotationKind::Primary, span, self.label.as_deref().unwrap_or("")));
        let related =
            self.related.iter().map(|(span, label)| (AnnotationKind::Context, *span, label.as_str()));
        let mut excerpts: Vec<Excerpt> = Vec::new();
        for (kind, span, label) in primary.into_iter().chain(related) {
            let Some(source) = sources.get(span.source) else { continue };
            let line = source.line_of(span.start);
            match excerpts
                .iter_mut()
                .find(|it| it.source == span.source && it.line == line && it.cut.is_none())
            {
                Some(excerpt) => excerpt.mark(kind, span, label),
                None => {
                    let mut excerpt = Excerpt::around(span, source);
                    excerpt.mark(kind, span, label);
                    excerpts.push(excerpt);
                }
            }
        }
        excerpts
    }
}

/// The longest line that is shown whole; configs may be one line of megabytes.
const SHOWN_BYTES: usize = 1000;

/// One source line with what is to be marked in it.
struct Excerpt<'a> {
    source: u32,
    file: &'a str,
    line: usize,
    /// The column of the first mark, if only a part of the line is shown.
    cut: Option<usize>,
    /// Where the shown text starts in the source.
    start: usize,
    text: &'a str,
    marks: Vec<(AnnotationKind, Range<usize>, &'a str)>,
}

impl<'a> Excerpt<'a> {
    /// The line around a place.
    fn around(span: Span, source: &'a Source) -> Self {
        let at = source.locate(span.start);
        let range = source.line_range(at.line);
        let mut excerpt = Excerpt {
            source: span.source,
            file: &source.name,
            line: at.line,
            cut: None,
            start: range.start,
            text: source.text.get(range).unwrap_or_default().trim_end_matches(['\r', '\n']),
            marks: vec![],
        };
        if excerpt.text.len() > SHOWN_BYTES {
            let from = (span.start as usize).saturating_sub(excerpt.start + SHOWN_BYTES / 4);
            let from = floor_char_boundary(excerpt.text, from);
            let to = floor_char_boundary(excerpt.text, from + SHOWN_BYTES);
            excerpt.text = excerpt.text.get(from..to).unwrap_or_default();
            excerpt.start += from;
            excerpt.cut = Some(at.column);
        }
        excerpt
    }

    fn mark(&mut self, kind: AnnotationKind, span: Span, label: &'a str) {
        let end = self.text.len();
        let within = |offset: u32| (offset as usize).saturating_sub(self.start).min(end);
        let from = floor_char_boundary(self.text, within(span.start));
        let to = floor_char_boundary(self.text, within(span.end).max(from));
        // An empty place still gets a caret, under the character it stands before.
        let to = if to == from { ceil_char_boundary(self.text, from + 1) } else { to };
        self.marks.push((kind, from..to, label));
    }
}

fn floor_char_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil_char_boundary(text: &str, mut at: usize) -> usize {
    while at < text.len() && !text.is_char_boundary(at) {
        at += 1;
    }
    at.min(text.len())
}

/// Several findings one after the other, an empty line between them.
pub fn render_all(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    diagnostics.iter().map(|it| it.render(sources, color)).collect::<Vec<_>>().join("\n\n")
}
