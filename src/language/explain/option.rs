//! Says what is wrong with an option that could not be parsed.

use super::Explainer;
use crate::language::ast::{Attribute, Name};
use crate::language::diagnostic::Diagnostic;
use crate::language::parser::Failure;
use crate::language::recover::{open_brackets, rest_of_line, split_word, string_end};

impl Explainer<'_> {
    /// The slip in the option that starts at `start`, or in what stands between it and the option before it.
    pub(super) fn attribute(
        &self,
        failure: &Failure,
        start: usize,
        plugin: &Name,
        last: Option<&Attribute>,
    ) -> Option<Diagnostic> {
        let at = failure.at;
        if at < start || failure.expected.first() == Some(&"white space") {
            return self.behind_value(at, last);
        }
        if at == start {
            return self.no_option_name(at, plugin, last);
        }
        let name_end = match self.rest(start).starts_with(['"', '\'']) {
            true => string_end(self.text, start)?,
            false => start + split_word(self.rest(start)).0.len(),
        };
        let name = self.text.get(start..name_end)?;
        let gap = self.text.get(name_end..at)?;
        if !gap.contains("=>") {
            return Some(self.no_arrow(at, name, last));
        }
        let brackets = open_brackets(self.text, name_end, at);
        match brackets.last() {
            None => self.value(at, name, name_end),
            Some((opened, '[')) => self.in_array(at, *opened),
            Some((opened, _)) => self.in_hash(at, *opened),
        }
    }

    /// Something stuck to the end of a value.
    fn behind_value(&self, at: usize, last: Option<&Attribute>) -> Option<Diagnostic> {
        let last = last?;
        let from = last.value.span.start as usize;
        let written = self.text.get(last.value.span.range()).unwrap_or_default();
        match self.rest(at).chars().next()? {
            ',' | ';' => Some(
                self.error(at, "options are not separated by commas or semicolons")
                    .help("remove it: white space or a new line is enough"),
            ),
            _ if written.contains("<%") || written.contains("{{") => Some(self.template(from)),
            _ if written.starts_with(['"', '\'']) && written.contains('\n') => Some(
                Diagnostic::error(
                    self.span(from, from + 1),
                    "the closing quote of this string is probably missing",
                )
                .label("the string starts here and runs over several lines")
                .related(self.word_span(at), "it ended before this, which cannot follow a string")
                .help("close the quote on its line"),
            ),
            _ if written.starts_with(['"', '\'', '[', '{']) => {
                let message =
                    format!("unexpected {} behind the value of `{}`", self.found(at), last.name.text);
                let diagnostic = self.error(at, message).label("expected white space");
                Some(match written.starts_with(['"', '\'']) {
                    true => diagnostic
                        .related(last.value.span, "the string ends before it")
                        .help("to have a quote in a string, put the other kind of quotes around it"),
                    false => diagnostic.help("options need white space between them"),
                })
            }
            _ => Some(self.needs_quotes(from)),
        }
    }

    fn needs_quotes(&self, from: usize) -> Diagnostic {
        let value = self.unquoted_value(from);
        let length = value.len();
        let shown: String = value.chars().take(60).collect();
        Diagnostic::error(self.span(from, from + length), format!("the value `{shown}` needs quotes"))
            .label("only numbers and plain words of letters, digits and `_` can do without")
            .help(format!("write \"{shown}\""))
    }

    /// What a person meant as one value: up to white space, a quote or a comma, without brackets that only close.
    fn unquoted_value(&self, from: usize) -> &str {
        let line = rest_of_line(self.text, from);
        let stop = |c: char| c.is_whitespace() || "\"',".contains(c);
        let mut value = line.get(..line.find(stop).unwrap_or(line.len())).unwrap_or_default();
        for (open, close) in [('{', '}'), ('[', ']'), ('(', ')'), ('{', '}'), ('[', ']')] {
            while value.ends_with(close) && value.matches(open).count() < value.matches(close).count() {
                value = value.strip_suffix(close).unwrap_or_default();
            }
        }
        value
    }

    fn no_option_name(&self, at: usize, plugin: &Name, last: Option<&Attribute>) -> Option<Diagnostic> {
        let diagnostic = self.error(at, format!("unexpected {} in `{}`", self.found(at), plugin.text));
        let diagnostic = diagnostic.label("expected an option or `}`");
        Some(match self.rest(at).chars().next()? {
            ',' | ';' => self
                .error(at, "options are not separated by commas or semicolons")
                .help("remove it: white space or a new line is enough"),
            ']' | ')' => diagnostic.help("this bracket closes nothing; did you mean `}`?"),
            '[' => diagnostic.help("put a field's name in quotes: \"[field]\""),
            '=' => diagnostic.help("the name of the option is missing before it"),
            '{' => match last {
                Some(last) => diagnostic.help(format!(
                    "options are written `name => {{ ... }}`; to give `{}` another value, use an array",
                    last.name.text
                )),
                None => diagnostic.help("options are written `name => { ... }`"),
            },
            '@' | '$' | '%' | '.' | '/' => {
                diagnostic.help("names with other characters than letters, digits, `_` and `-` need quotes")
            }
            _ => diagnostic,
        })
    }

    fn no_arrow(&self, at: usize, name: &str, last: Option<&Attribute>) -> Diagnostic {
        let rest = self.rest(at);
        let message = format!("expected `=>` after `{name}`");
        let wrong = ["= >", "->", "==", ":=", "=", ":"].into_iter().find(|it| rest.starts_with(it));
        if let Some(wrong) = wrong {
            let span = self.span(at, at + wrong.len());
            let label = format!("`{wrong}` should be `=>`");
            return Diagnostic::error(span, message).label(label).help(format!("write `{name} => ...`"));
        }
        let diagnostic = self.error(at, message);
        if let (Some(last), true) = (last, name.starts_with(['"', '\''])) {
            return diagnostic
                .label("so this string stands alone")
                .related(last.span, "the option before it")
                .help(format!("several values are an array: `{} => [\"a\", \"b\"]`", last.name.text));
        }
        match rest.chars().next() {
            Some('.' | '@' | '[' | '/' | ':') => {
                diagnostic.help("names with other characters than letters, digits, `_` and `-` need quotes")
            }
            Some('{') => diagnostic.help(format!("write `{name} => {{ ... }}`")),
            _ => diagnostic.label(format!("found {}", self.found(at))).help(format!("write `{name} => ...`")),
        }
    }

    /// No value, or one that cannot stand without quotes.
    fn value(&self, at: usize, name: &str, name_end: usize) -> Option<Diagnostic> {
        let from = name_end + self.rest(name_end).find("=>")? + 2;
        let from = from + self.rest(from).find(|c: char| !c.is_whitespace()).unwrap_or(0);
        self.unquoted(from.min(at), at, &format!("the option {name}"))
    }

    /// A value that starts at `from` and was not understood at `at`.
    fn unquoted(&self, from: usize, at: usize, whose: &str) -> Option<Diagnostic> {
        let rest = self.rest(from);
        let Some(first) = rest.chars().next() else {
            return Some(self.error(from, format!("the file ends before the value of {whose}")));
        };
        Some(match first {
            '}' | ']' | ',' => self.error(from, format!("{whose} has no value")).label("expected a value"),
            '=' | '>' => self
                .error(from, format!("unexpected {} where the value of {whose} starts", self.found(from)))
                .help("the arrow is written `=>`, once"),
            '(' => self.error(from, "a value cannot stand in parentheses").help("write [ ] for an array"),
            '/' if !rest_of_line(self.text, from).get(1..)?.contains('/') => self.needs_quotes(from),
            '/' => {
                self.needs_quotes(from).note("regular expressions between slashes only work in conditions")
            }
            _ if rest.get(at - from..).is_some_and(|it| it.starts_with("=>")) => self
                .error(at, "two options run into each other")
                .label(format!("the value of {whose} is missing before it")),
            _ => self.needs_quotes(from),
        })
    }

    fn in_array(&self, at: usize, opened: usize) -> Option<Diagnostic> {
        let here = |message: &str| {
            self.error(at, message).related(self.span(opened, opened + 1), "the array starts here")
        };
        let before = self.before(at).trim_end().chars().next_back();
        Some(match self.rest(at).chars().next() {
            None => Diagnostic::error(self.span(opened, opened + 1), "this `[` is never closed")
                .help("add the missing `]`"),
            Some(']') if before == Some(',') => {
                here("an array cannot end with a comma").help("remove the comma before the `]`")
            }
            Some(',') if matches!(before, Some(',' | '[')) => here("a value is missing before this comma"),
            Some(',') => self.needs_quotes(self.word_start(self.before(at).trim_end().len())),
            Some('}') => here("expected `,` or `]`").help("this `[` is not closed: add the missing `]`"),
            Some(';') => here("array elements are separated by commas, not semicolons"),
            Some('=' | ':') => here("an array holds values, not keys")
                .help("a hash is written in braces: `{ \"key\" => \"value\" }`"),
            Some('"' | '\'' | '[' | '{') if before != Some(',') => {
                here("a comma is missing between two elements of this array")
                    .label("expected `,` or `]` before this")
            }
            _ if matches!(before, Some(',' | '[')) => self.needs_quotes(at),
            _ if self.before(at).ends_with(|c: char| c.is_ascii_alphanumeric() || "_-".contains(c)) => {
                self.needs_quotes(self.word_start(at))
            }
            _ => return None,
        })
    }

    fn in_hash(&self, at: usize, opened: usize) -> Option<Diagnostic> {
        let here = |message: &str| {
            self.error(at, message).related(self.span(opened, opened + 1), "the hash starts here")
        };
        let before = self.before(at).trim_end();
        let rest = self.rest(at);
        Some(match rest.chars().next() {
            None => Diagnostic::error(self.span(opened, opened + 1), "this `{` is never closed")
                .help("add the missing `}`"),
            Some(',' | ';') => here("the entries of a hash are not separated by commas")
                .help("remove it: white space or a new line is enough"),
            Some(']' | ')') => {
                here("expected a key or `}`").help("this bracket closes nothing; did you mean `}`?")
            }
            Some('}') if before.ends_with("=>") => here("the value of this entry is missing"),
            Some('}') => here("this key has no value").help("entries are written `\"key\" => \"value\"`"),
            Some(':' | '=' | '-') if before.ends_with(['"', '\'']) || before.len() < at => {
                here("expected `=>` after the key").help("entries are written `\"key\" => \"value\"`")
            }
            _ if before.ends_with("=>") => return self.unquoted(at, at, "this entry"),
            Some('"' | '\'') => {
                here("expected `=>` after the key").help("entries are written `\"key\" => \"value\"`")
            }
            _ => {
                let from = self.word_start(at);
                let word = self.word(from);
                let after_arrow = self.before(from).trim_end().ends_with("=>");
                match after_arrow {
                    true => self.needs_quotes(from),
                    false => {
                        Diagnostic::error(self.word_span(from), format!("the key `{word}` needs quotes"))
                            .label("only words of two or more letters, digits and `_` can do without")
                            .help(format!("write \"{word}\" => ..."))
                    }
                }
            }
        })
    }
}
