//! Says what is wrong with a config that could not be parsed: what was expected in plain words, the likely slip, the fix.

mod condition;
mod option;

use super::ast::{Attribute, Name};
use super::diagnostic::Diagnostic;
use super::document::Misfit;
use super::parser::Failure;
use super::recover::{Mark, Marks, rest_of_line, split_word, string_end};
use super::source::Span;
use super::spelling::{nearest, odd_character};

/// Where the parser was when it failed, with the start of the piece it was reading.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    TopLevel { start: usize, misfit: Option<Misfit> },
    Item { start: usize, section: &'static str },
    Attribute { start: usize, plugin: &'a Name, last: Option<&'a Attribute> },
}

impl Place<'_> {
    fn start(&self) -> usize {
        match self {
            Place::TopLevel { start, .. } | Place::Item { start, .. } | Place::Attribute { start, .. } => {
                *start
            }
        }
    }
}

/// Explains the failures of one source.
pub(super) struct Explainer<'s> {
    pub text: &'s str,
    pub source: u32,
}

/// What is missing its closing brace.
pub(super) fn unclosed(source: u32, what: &str, opened: usize, misfit: Option<Misfit>) -> Diagnostic {
    let span =
        |start: usize, length: usize| Span { source, start: start as u32, end: (start + length) as u32 };
    let diagnostic =
        Diagnostic::error(span(opened, what.len()), format!("the `{{` of `{what}` is never closed"))
            .label("opened here")
            .help("add the missing `}`");
    match misfit {
        Some(misfit) => diagnostic
            .related(
                span(misfit.closed, 1),
                "this `}` closes the block below, but is indented like one further out",
            )
            .related(span(misfit.opened, 1), "a `}` is probably missing in this block"),
        None => diagnostic,
    }
}

impl Explainer<'_> {
    /// The diagnostic for a failure.
    pub fn explain(&self, failure: &Failure, place: Place) -> Diagnostic {
        if failure.too_deep {
            return super::compile::too_deep(self.word_span(place.start()));
        }
        let at = failure.at;
        if let Some(diagnostic) = self.anywhere(at, place.start()) {
            return diagnostic;
        }
        let specific = match place {
            Place::TopLevel { misfit, .. } => self.top_level(at, misfit),
            Place::Item { start, section } => self.item(failure, start, section),
            Place::Attribute { start, plugin, last } => self.attribute(failure, start, plugin, last),
        };
        let diagnostic = specific.unwrap_or_else(|| self.unexpected(failure));
        self.with_long_string(diagnostic, place.start(), at)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { source: self.source, start: start as u32, end: end.max(start) as u32 }
    }

    fn rest(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or_default()
    }

    fn before(&self, at: usize) -> &str {
        self.text.get(..at).unwrap_or_default()
    }

    /// The run of characters up to the next white space or closing bracket; at least one.
    fn word_span(&self, at: usize) -> Span {
        let rest = self.rest(at);
        let stop = |c: char| c.is_whitespace() || "{}[](),\"'#".contains(c);
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let length = rest.find(stop).unwrap_or(rest.len()).max(first);
        self.span(at, at + length)
    }

    fn word(&self, at: usize) -> &str {
        self.text.get(self.word_span(at).range()).unwrap_or_default()
    }

    fn error(&self, at: usize, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.word_span(at), message)
    }

    /// What was found, in words.
    fn found(&self, at: usize) -> String {
        match self.rest(at).chars().next() {
            None => "the end of the file".to_owned(),
            Some('\n' | '\r') => "the end of the line".to_owned(),
            Some(c) if c.is_whitespace() => "white space".to_owned(),
            Some(_) => format!("`{}`", self.word(at).chars().take(40).collect::<String>()),
        }
    }

    /// The general form: found this, expected that.
    fn unexpected(&self, failure: &Failure) -> Diagnostic {
        let mut expected = failure.expected.clone();
        expected.dedup();
        let diagnostic = self.error(failure.at, format!("unexpected {}", self.found(failure.at)));
        match expected.split_last() {
            None => diagnostic,
            Some((last, [])) => diagnostic.label(format!("expected {last}")),
            Some((last, others)) => diagnostic.label(format!("expected {} or {last}", others.join(", "))),
        }
    }

    /// Slips that can happen anywhere.
    fn anywhere(&self, at: usize, start: usize) -> Option<Diagnostic> {
        let rest = self.rest(at);
        if let Some(diagnostic) = self.unclosed_string(at, start) {
            return Some(diagnostic);
        }
        if rest.starts_with('#') && rest_of_line(self.text, at).contains('\r') {
            return Some(
                self.error(at, "this comment ends with a lone carriage return")
                    .help("convert the file's line endings to LF or CRLF"),
            );
        }
        if ["{{", "{%", "<%", "#{"].iter().any(|it| rest.starts_with(it)) {
            return Some(self.template(at));
        }
        if rest.starts_with("//") || rest.starts_with("/*") {
            let message = format!("`{}` does not start a comment", self.rest(at).get(..2).unwrap_or("//"));
            return Some(self.error(at, message).help("comments start with `#` and end with the line"));
        }
        let character = rest.chars().next()?;
        let (name, help) = odd_character(character)?;
        let span = self.span(at, at + character.len_utf8());
        Some(Diagnostic::error(span, format!("unexpected {name}")).help(help))
    }

    /// Text that some tool should have replaced.
    fn template(&self, at: usize) -> Diagnostic {
        self.error(at, TEMPLATE)
            .label("template syntax, as of ERB, Jinja or Go")
            .help("use the rendered file; for environment variables write \"${NAME}\"")
    }

    /// A quote at or before the failure that nothing closes.
    fn unclosed_string(&self, at: usize, start: usize) -> Option<Diagnostic> {
        let opening = match self.rest(at).starts_with(['"', '\'']) && string_end(self.text, at).is_none() {
            true => at,
            false => Marks::new(self.text, start)
                .take_while(|(offset, _)| *offset <= at)
                .find_map(|(offset, mark)| (mark == Mark::Unclosed).then_some(offset))?,
        };
        let diagnostic = Diagnostic::error(self.span(opening, opening + 1), "this quote is never closed")
            .label("the string starts here");
        let quote = self.rest(opening).chars().next().unwrap_or('"');
        let line = rest_of_line(self.text, opening);
        Some(match line.contains(&format!("\\{quote}")) {
            true => diagnostic.help(format!(
                "a quote after a backslash never closes a string, not even in `\\\\{quote}`; \
                 if the text ends with a backslash, use the other kind of quotes"
            )),
            false => diagnostic.help(format!("add the closing {quote}")),
        })
    }

    /// If the last string before the failure runs over several lines, its closing quote is most likely missing.
    fn with_long_string(&self, diagnostic: Diagnostic, start: usize, at: usize) -> Diagnostic {
        let last = Marks::new(self.text, start).take_while(|(offset, _)| *offset < at).filter_map(
            |(offset, mark)| match mark {
                Mark::String(end) if end <= at => Some((offset, end)),
                _ => None,
            },
        );
        let Some((from, end)) = last.last() else { return diagnostic };
        let several_lines = self.text.get(from..end).is_some_and(|it| it.contains('\n'));
        if several_lines && self.text.get(end..at).is_some_and(|it| !it.contains('\n')) {
            return diagnostic.related(
                self.span(from, from + 1),
                "this string runs over several lines: is its closing quote missing?",
            );
        }
        diagnostic
    }

    fn top_level(&self, at: usize, misfit: Option<Misfit>) -> Option<Diagnostic> {
        let rest = self.rest(at);
        if rest.starts_with('}') {
            let diagnostic = self.error(at, "this `}` closes nothing").label("every block is closed already");
            return Some(match misfit {
                Some(misfit) => diagnostic
                    .related(self.span(misfit.closed, misfit.closed + 1), "is this `}` one too many?"),
                None => diagnostic.help("remove it, or add the `{` that is missing further up"),
            });
        }
        let first =
            self.before(at).lines().all(|it| it.trim().is_empty() || it.trim_start().starts_with('#'));
        if first && rest.starts_with(['{', '[']) {
            return Some(self.error(at, "this looks like JSON, not like a pipeline").help(PIPELINE_HELP));
        }
        let line = rest_of_line(self.text, at);
        let (word, behind) = split_word(line);
        let key = line.split([':', ' ']).next().unwrap_or_default();
        let yaml =
            line.starts_with("---") || line.starts_with("- ") || line.get(key.len()..)?.starts_with(':');
        if first && yaml {
            return Some(self.error(at, "this looks like YAML, not like a pipeline").help(PIPELINE_HELP));
        }
        if word.is_empty() {
            // Behind the word `input`, `filter` or `output`.
            return None;
        }
        let diagnostic = self.error(at, format!("`{}` is not a section", self.word(at)));
        let diagnostic = diagnostic.label("expected `input {`, `filter {` or `output {`");
        if let Some(section) = nearest(word, &["input", "filter", "output"]) {
            return Some(diagnostic.help(format!("did you mean `{section}`?")));
        }
        Some(match behind.trim_start().starts_with('{') {
            true if word == "codec" => {
                diagnostic.help("a codec stands in an input or output: `codec => json`")
            }
            true => diagnostic.help(format!("plugins stand inside a section: `filter {{ {word} {{ }} }}`")),
            false => diagnostic,
        })
    }

    fn item(&self, failure: &Failure, start: usize, section: &str) -> Option<Diagnostic> {
        let (word, behind) = split_word(self.rest(start));
        let next = behind.trim_start();
        match word {
            "elsif" | "elif" | "elseif" => {
                return Some(self.error(start, format!("`{word}` is written `else if`")));
            }
            "unless" | "switch" | "case" | "while" | "for" => {
                return Some(self.error(start, format!("there is no `{word}`")).help(
                    "conditions are written `if ... { } else if ... { } else { }`; negate with `!( ... )`",
                ));
            }
            "else" if next.starts_with("if") || next.starts_with('{') => {
                let in_condition = failure.at > start + word.len() + 2;
                if in_condition && let Some(diagnostic) = self.condition(failure, start) {
                    return Some(diagnostic);
                }
                if !in_condition {
                    return Some(self.error(start, "this `else` belongs to no `if`").help(
                        "an `else` stands directly after the closing brace of its `if`, and only once",
                    ));
                }
                return None;
            }
            "if" => return self.condition(failure, start),
            "" => {
                return Some(
                    self.error(failure.at, format!("unexpected {}", self.found(failure.at)))
                        .label(format!("expected a plugin, `if`, or the `}}` of this {section}")),
                );
            }
            _ => {}
        }
        if next.starts_with("=>") || next.starts_with('=') {
            return Some(
                self.error(start, format!("the option `{word}` stands outside of a plugin"))
                    .label(format!("a {section} section holds plugins and `if`"))
                    .help(format!("put it into its plugin: `plugin {{ {word} => ... }}`")),
            );
        }
        let whole = self.word(start);
        if whole != word {
            return Some(
                self.error(start, format!("`{whole}` is not a plugin's name"))
                    .help("names are made of letters, digits, `_` and `-`"),
            );
        }
        let message = format!("the plugin `{word}` has no `{{`");
        Some(
            self.error(start, message)
                .label("expected `{` after the name")
                .help(format!("write `{word} {{ }}`")),
        )
    }

    /// Where the word that ends at or covers `at` begins.
    fn word_start(&self, at: usize) -> usize {
        let stop = |c: char| c.is_whitespace() || "{}[](),\"'#".contains(c);
        let before = self.before(at).rfind(stop).map_or(0, |it| it + 1);
        match self.rest(before).starts_with(stop) {
            true => at,
            false => before,
        }
    }
}

/// The message about templates; one is enough, since there are many of them where there is one.
pub(super) const TEMPLATE: &str = "this looks like a template that was not rendered";

const PIPELINE_HELP: &str = "a pipeline is made of `input { }`, `filter { }` and `output { }`; \
     settings belong into logstash.yml, the list of pipelines into pipelines.yml";
