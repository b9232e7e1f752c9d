//! Says what is wrong with a condition that could not be parsed.

use super::Explainer;
use crate::language::diagnostic::Diagnostic;
use crate::language::parser::Failure;
use crate::language::recover::open_brackets;

impl Explainer<'_> {
    /// The slip in the condition of the `if` or `else if` that starts at `start`.
    pub(super) fn condition(&self, failure: &Failure, start: usize) -> Option<Diagnostic> {
        let at = failure.at;
        let keyword = self.rest(start).find("if").map_or(start, |it| start + it + 2);
        let condition = self.before(at).get(keyword..)?;
        if condition.trim_start().starts_with("#{") {
            return Some(self.template(keyword + condition.find('#')?));
        }
        if condition.trim().is_empty() {
            return Some(self.condition_start(at));
        }
        self.wrong_operator(at)
            .or_else(|| self.wrong_operand(failure, at))
            .or_else(|| self.behind_expression(failure, at, keyword))
    }

    fn condition_start(&self, at: usize) -> Diagnostic {
        let test = "write what to test between `if` and `{`: `if [field] == \"value\" {`";
        match self.rest(at).chars().next() {
            Some('{') => self.error(at, "this `if` has no condition").help(test),
            Some('%' | '$') => self.interpolation(at),
            _ => self.error(at, format!("a condition cannot start with {}", self.found(at))).help(test),
        }
    }

    fn interpolation(&self, at: usize) -> Diagnostic {
        self.error(at, "a condition names fields without `%{ }`")
            .help("write a field as `[field]` or `[outer][inner]`, an environment variable as \"${NAME}\"")
    }

    /// Operators of other languages.
    fn wrong_operator(&self, at: usize) -> Option<Diagnostic> {
        // The parser may have understood the first character of the operator.
        let first = self.before(at).trim_end().len();
        let from = match self.before(first).chars().next_back() {
            Some('=' | '!' | '<' | '>') => {
                let operator = self.before(first).trim_end_matches(['=', '!', '<', '>', '~']).len();
                operator.min(at)
            }
            _ => at,
        };
        let rest = self.rest(from);
        let (wrong, right) = WRONG_OPERATORS.into_iter().find(|(wrong, _)| {
            let word = wrong.starts_with(|c: char| c.is_ascii_alphabetic());
            let behind = rest.get(wrong.len()..).and_then(|it| it.chars().next());
            rest.starts_with(wrong)
                && !(word && behind.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_'))
        })?;
        let wrong = wrong.trim_end();
        let span = self.span(from, from + wrong.len());
        Some(
            Diagnostic::error(span, format!("`{wrong}` is not an operator"))
                .help(format!("write {right}"))
                .note("operators are == != < <= > >= =~ !~ in, not in, and, or, xor, nand, !( )"),
        )
    }

    /// Something that cannot stand beside an operator.
    fn wrong_operand(&self, failure: &Failure, at: usize) -> Option<Diagnostic> {
        let expects = |what: &str| failure.expected.iter().any(|it| it.contains(what));
        // A bareword reads as the name of a method until the parenthesis is missing.
        if expects("`(`") && !expects("a condition") {
            let end = self.before(at).trim_end().len();
            let word_start = self.word_start(end);
            let word = self.text.get(word_start..end)?;
            let diagnostic =
                Diagnostic::error(self.span(word_start, end), format!("`{word}` needs quotes or brackets"));
            return Some(match word {
                "not" => Diagnostic::error(self.span(word_start, end), "`not` only stands before `in`")
                    .help("to negate write `!( ... )`, or `![field]` for a field"),
                "true" | "false" => diagnostic.help(format!(
                    "to test a field for {word} write `[field] == \"{word}\"`; text stands in quotes"
                )),
                _ => diagnostic.help(format!("text is written \"{word}\", a field [{word}]")),
            });
        }
        if expects("a regular expression or a quoted string") && self.rest(at).starts_with('[') {
            return Some(
                self.error(at, "a regular expression cannot come from a field")
                    .label("expected `/.../` or a quoted string")
                    .help("to look for the text of a field in another, write `[needle] in [haystack]`"),
            );
        }
        if self.rest(at).starts_with(['%', '$']) {
            return Some(self.interpolation(at));
        }
        if expects("a field, a string or a number") && self.rest(at).starts_with(char::is_alphanumeric) {
            let word = self.word(at);
            return Some(
                self.error(at, format!("`{word}` needs quotes or brackets"))
                    .help(format!("text is written \"{word}\", a field [{word}]")),
            );
        }
        if self.rest(at).starts_with('/') {
            return Some(
                self.error(at, "this regular expression is never closed").help("add the closing `/`"),
            );
        }
        None
    }

    /// Something behind a complete comparison.
    fn behind_expression(&self, failure: &Failure, at: usize, keyword: usize) -> Option<Diagnostic> {
        if self.before(at).ends_with('/') && self.rest(at).starts_with(|c: char| !c.is_whitespace()) {
            return Some(
                self.error(at, format!("unexpected {} behind a regular expression", self.found(at)))
                    .label("the regular expression ends before this")
                    .help("a slash inside is written `\\/`; flags such as /i go inside: `/(?i).../`"),
            );
        }
        let parenthesis = open_brackets(self.text, keyword, at).into_iter().rev().find(|(_, it)| *it == '(');
        if let (Some((opened, _)), Some('{') | None) = (parenthesis, self.rest(at).chars().next()) {
            return Some(
                Diagnostic::error(self.span(opened, opened + 1), "this `(` is never closed")
                    .help("add the missing `)`"),
            );
        }
        if self.rest(at).starts_with(')') && parenthesis.is_none() {
            return Some(self.error(at, "this `)` closes nothing"));
        }
        let negated = self.text.get(keyword..at)?.trim();
        if negated.starts_with('!') && self.rest(at).starts_with(['=', '<', '>', '!', 'i', 'n']) {
            return Some(
                self.error(at, "`!` before a field negates the field alone")
                    .help("put the comparison into parentheses: `!([field] == \"value\")`"),
            );
        }
        if let Some(diagnostic) = self.broken_selector(at) {
            return Some(diagnostic);
        }
        let expected = "expected an operator, `and`, `or` or `{`";
        let end = self.before(at).trim_end().len();
        if parenthesis.is_none() && self.text.get(end..at)?.contains('\n') {
            let diagnostic =
                Diagnostic::error(self.span(end, end), "this condition has no `{`").label(expected);
            return Some(diagnostic.help("the body of an `if` stands in braces: `if ... { }`"));
        }
        (failure.expected.contains(&"`{`") && parenthesis.is_none()).then(|| {
            self.error(at, format!("unexpected {} in this condition", self.found(at)))
                .label(expected)
                .help("combine comparisons with `and` and `or`; text stands in quotes, fields in brackets")
        })
    }

    /// A field reference with nothing or something impossible between its brackets.
    fn broken_selector(&self, at: usize) -> Option<Diagnostic> {
        let rest = self.rest(at);
        let in_brackets = self.before(at).rfind(['[', ']']).is_some_and(|it| self.rest(it).starts_with('['));
        if rest.starts_with("[]") {
            return Some(self.error(at, "there is no field name between these brackets"));
        }
        (in_brackets && rest.starts_with(',')).then(|| {
            self.error(at, "a comma cannot be part of a field name in a condition")
                .help("to look into a list write `[field] in [\"a\", \"b\"]`, with the texts in quotes")
        })
    }
}

/// What other languages write, longest first where one begins another, and what to write instead.
const WRONG_OPERATORS: [(&str, &str); 19] = [
    ("&&", "`and`"),
    ("||", "`or`"),
    ("AND", "`and`"),
    ("OR", "`or`"),
    ("IN", "`in`"),
    ("NOT", "`not in`, or `!( ... )` around the comparison"),
    ("===", "`==`"),
    ("!==", "`!=`"),
    ("=>", "`>=` to compare, or `==`"),
    ("=<", "`<=`"),
    ("<>", "`!=`"),
    ("~=", "`=~`"),
    ("= ~", "`=~`"),
    ("=\"", "`==` with the text behind it"),
    ("= ", "`==`"),
    ("eq", "`==`"),
    ("is", "`==`"),
    ("contains", "`\"text\" in [field]`, or `[field] =~ /text/`"),
    ("matches", "`=~`"),
];
