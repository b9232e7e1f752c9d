//! The config language: the text of a pipeline becomes a tree with places, and mistakes become diagnostics that point
//! into the text.
//!
//! It accepts what Logstash's grammar and compile step accept (`compiler/lscl/lscl_grammar.treetop`,
//! `compiler/lscl.rb`), and nothing they refuse. It knows nothing of plugins: whether an option exists is for others to
//! say, with the same [`Diagnostic`]s.
//!
//! `document` walks a text from section to section; `parser` reads one option or condition at a time with the grammar
//! (`grammar/logstash.pest`) and lets `compile` make sense of it; where that fails, `explain` says why and `recover`
//! finds the place to read on.

pub mod ast;
mod check;
mod compile;
mod diagnostic;
mod document;
mod escape;
mod explain;
mod merge;
mod parser;
mod recover;
mod source;
mod spelling;
#[cfg(test)]
mod tests;

pub use check::refused_at_start;
pub use diagnostic::{Diagnostic, Severity, render_all};
pub use merge::merged_attributes;
pub use source::{Location, Source, Sources, Span};
pub use spelling::nearest;

use ast::Config;
use source::Unreadable;

/// How to read a config.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// The setting `config.support_escapes`: process `\n`, `\t`, `\"` and the like in quoted strings.
    pub support_escapes: bool,
}

/// What came of reading a config.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// What was understood. With errors it is incomplete: plugins with a mistake are missing. It is there so that the
    /// plugins that were understood can be checked as well, and all mistakes come at once; it must not be run.
    pub config: Config,
    /// Every mistake, by source and place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Whether Logstash's parser and compile step accept the config.
    pub fn is_ok(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The config if there are no errors.
    ///
    /// # Errors
    /// The diagnostics, if there is an error among them.
    pub fn into_result(self) -> Result<Config, Vec<Diagnostic>> {
        if self.is_ok() { Ok(self.config) } else { Err(self.diagnostics) }
    }
}

/// Reads all sources of one pipeline, each on its own as Logstash does, and checks them together.
pub fn parse(sources: &Sources, options: ParseOptions) -> Parsed {
    let mut parsed = Parsed { config: Config::default(), diagnostics: vec![] };
    for (number, source) in sources.iter() {
        match source.unreadable {
            Some(problem) => parsed.diagnostics.push(unreadable(problem, number, source)),
            None => {
                let (sections, diagnostics) =
                    document::Document::read(source, number, options.support_escapes);
                parsed.config.sections.extend(sections);
                parsed.diagnostics.extend(diagnostics);
            }
        }
    }
    parsed.diagnostics.extend(check::check(&parsed.config));
    parsed.diagnostics.sort_by_key(|it| it.span.map(|span| (span.source, span.start)));
    parsed
}

fn unreadable(problem: Unreadable, number: u32, source: &Source) -> Diagnostic {
    match problem {
        Unreadable::NotUtf8(at) => {
            let span = Span { source: number, start: at, end: at + '\u{fffd}'.len_utf8() as u32 };
            Diagnostic::error(span, format!("{} is not UTF-8", source.name))
                .label("these bytes are not UTF-8")
                .help("save the file as UTF-8")
        }
        Unreadable::TooLong => {
            let span = Span { source: number, start: 0, end: 0 };
            Diagnostic::error(span, format!("{} is larger than 4 GiB", source.name))
        }
    }
}

/// Reads one option value, with escapes on: how a plugin's declaration writes a default.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_value(text: &str) -> Result<ast::Value, Diagnostic> {
    parse_value_with(text, ParseOptions { support_escapes: true })
}

/// Reads one option value.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_value_with(text: &str, options: ParseOptions) -> Result<ast::Value, Diagnostic> {
    let sources = Sources::single("default", format!("filter {{ plugin {{ option => {text} }} }}"));
    let config =
        parse(&sources, options).into_result().map_err(|mut diagnostics| diagnostics.swap_remove(0))?;
    let mut items = config.sections.into_iter().flat_map(|section| section.items);
    match items.next() {
        Some(ast::Item::Plugin(mut plugin)) if plugin.attributes.len() == 1 => {
            Ok(plugin.attributes.swap_remove(0).value)
        }
        _ => Err(Diagnostic::general(Severity::Error, format!("{text} is not a value"))),
    }
}
