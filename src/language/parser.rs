//! The grammar at work: reads one piece of a config at a time (an option, a condition, the head of a section) and turns
//! what pest found into the tree.

use pest::Parser as _;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::{Pair, Pairs};
use pest_derive::Parser;

use super::ast::*;
use super::compile::{BooleanOperator, Compiler, MAX_DEPTH, Measured, Operand, too_deep};
use super::escape::process_escapes;
use super::source::Span;

#[derive(Parser)]
#[grammar = "../grammar/logstash.pest"]
struct LogstashGrammar;

/// Why a piece could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The furthest place that was understood.
    pub at: usize,
    /// What could have stood there, in plain words.
    pub expected: Vec<&'static str>,
    /// The piece is nested deeper than the stack allows.
    pub too_deep: bool,
}

impl Failure {
    /// The one that got further.
    pub fn or(self, other: Failure) -> Failure {
        if other.at > self.at { other } else { self }
    }
}

/// A piece and the offset behind it.
pub(super) type Piece<T> = (T, usize);

/// The arms of a branch after its first.
pub(super) enum Continuation {
    ElseIf(Option<Expression>),
    Else,
}

/// Reads pieces of one source's text; what the compile step refuses is collected in `compiler`.
pub(super) struct PieceParser<'t> {
    pub text: &'t str,
    pub source: u32,
    pub support_escapes: bool,
    pub compiler: Compiler,
    /// Where the slice that is being read starts in the text.
    base: usize,
}

impl<'t> PieceParser<'t> {
    pub fn new(text: &'t str, source: u32, support_escapes: bool) -> Self {
        Self { text, source, support_escapes, compiler: Compiler::default(), base: 0 }
    }

    fn parse(&mut self, rule: Rule, at: usize) -> Result<Pairs<'t, Rule>, Failure> {
        self.base = at;
        let rest = self.text.get(at..).unwrap_or_default();
        LogstashGrammar::parse(rule, rest).map_err(|error| {
            let offset = match error.location {
                InputLocation::Pos(offset) | InputLocation::Span((offset, _)) => offset,
            };
            let (expected, too_deep) = match &error.variant {
                ErrorVariant::ParsingError { positives, .. } => {
                    (positives.iter().filter_map(|rule| in_words(*rule)).collect(), false)
                }
                ErrorVariant::CustomError { .. } => (vec![], true),
            };
            Failure { at: at + offset, expected, too_deep }
        })
    }

    /// The one pair a visible rule gives.
    fn one(&mut self, rule: Rule, at: usize) -> Result<Pair<'t, Rule>, Failure> {
        let mut pairs = self.parse(rule, at)?;
        pairs.next().ok_or(Failure { at, expected: vec![], too_deep: false })
    }

    /// The offset behind white space and comments.
    pub fn gap(&mut self, at: usize) -> usize {
        self.one(Rule::gap, at).map_or(at, |pair| self.span(&pair).end as usize)
    }

    /// The offset behind what must stand between two options; the same offset if it is missing.
    pub fn separator(&mut self, at: usize) -> usize {
        self.one(Rule::separator, at).map_or(at, |pair| self.span(&pair).end as usize)
    }

    /// `input {`, `filter {` or `output {`.
    pub fn section_start(&mut self, at: usize) -> Result<Piece<SectionKind>, Failure> {
        let pair = self.one(Rule::plugin_section_start, at)?;
        let end = self.span(&pair).end as usize;
        let kind = match pair.into_inner().next().map(|it| it.as_str()) {
            Some("input") => SectionKind::Input,
            Some("filter") => SectionKind::Filter,
            _ => SectionKind::Output,
        };
        Ok((kind, end))
    }

    /// `if condition {`, if there is one. The condition is missing if the compile step refused it.
    pub fn branch_start(&mut self, at: usize) -> Option<Piece<Option<Expression>>> {
        let pair = self.one(Rule::branch_start, at).ok()?.into_inner().next()?;
        let end = self.span(&pair).end as usize;
        Some((self.condition_of(pair), end))
    }

    /// How far `if condition {` can be read, where [`Self::branch_start`] found none.
    pub fn branch_failure(&mut self, at: usize) -> Option<Failure> {
        self.parse(Rule::if_start, at).err()
    }

    /// How far `else if condition {` can be read.
    pub fn else_if_failure(&mut self, at: usize) -> Option<Failure> {
        self.parse(Rule::else_if_start, at).err()
    }

    /// `else if condition {` or `else {` after white space, if there is one, with the offset of its `else`.
    pub fn branch_continuation(&mut self, at: usize) -> Option<(usize, Piece<Continuation>)> {
        let pair = self.one(Rule::branch_continuation, at).ok()?.into_inner().next()?;
        let span = self.span(&pair);
        let continuation = match pair.as_rule() {
            Rule::else_if_start => Continuation::ElseIf(self.condition_of(pair)),
            _ => Continuation::Else,
        };
        Some((span.start as usize, (continuation, span.end as usize)))
    }

    /// Whether `name { name =>` stands here.
    pub fn is_plugin_with_attribute(&mut self, at: usize) -> bool {
        self.one(Rule::plugin_with_attribute, at).is_ok_and(|pair| !pair.as_str().is_empty())
    }

    /// `name {`.
    pub fn plugin_start(&mut self, at: usize) -> Result<Piece<Name>, Failure> {
        let pair = self.one(Rule::plugin_start, at)?;
        let end = self.span(&pair).end as usize;
        let mut inner = pair.into_inner();
        Ok((self.name(inner.next(), at), end))
    }

    /// `name => value`.
    pub fn attribute(&mut self, at: usize) -> Result<Piece<Attribute>, Failure> {
        let pair = self.one(Rule::attribute, at)?;
        let end = self.span(&pair).end as usize;
        Ok((self.attribute_of(pair, 0), end))
    }

    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span {
            source: self.source,
            start: (self.base + span.start()) as u32,
            end: (self.base + span.end()) as u32,
        }
    }

    fn name(&self, pair: Option<Pair<'t, Rule>>, at: usize) -> Name {
        let Some(pair) = pair else {
            let span = Span { source: self.source, start: at as u32, end: at as u32 };
            return Name { text: "".into(), quoted: false, span };
        };
        let quoted = pair.as_str().starts_with(['"', '\'']);
        let text = if quoted { unquoted(pair.as_str()) } else { pair.as_str() };
        Name { text: text.into(), quoted, span: self.span(&pair) }
    }

    fn attribute_of(&mut self, pair: Pair<'t, Rule>, depth: usize) -> Attribute {
        let span = self.span(&pair);
        let mut inner = pair.into_inner().filter(|it| it.as_rule() != Rule::arrow);
        let name = self.name(inner.next(), span.start as usize);
        let value = self.value(inner.next(), span, depth);
        Attribute { name, value, span }
    }

    fn plugin_of(&mut self, pair: Pair<'t, Rule>, depth: usize) -> Plugin {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let name = self.name(inner.next(), span.start as usize);
        let attributes = inner
            .filter(|it| it.as_rule() == Rule::attribute)
            .map(|it| self.attribute_of(it, depth + 1))
            .collect();
        Plugin { name, attributes, span }
    }

    /// The value in a `value` pair, or an empty string in its place if it is missing or nested too deeply.
    fn value(&mut self, pair: Option<Pair<'t, Rule>>, parent: Span, depth: usize) -> Value {
        let Some(pair) = pair.and_then(|it| it.into_inner().next()) else {
            return Value { kind: ValueKind::String("".into()), span: parent };
        };
        let span = self.span(&pair);
        if depth > MAX_DEPTH {
            self.compiler.diagnostics.push(too_deep(Span { end: span.start + 1, ..span }));
            return Value { kind: ValueKind::String("".into()), span };
        }
        let kind = match pair.as_rule() {
            Rule::plugin => ValueKind::Plugin(Box::new(self.plugin_of(pair, depth))),
            Rule::bareword => ValueKind::Bareword(pair.as_str().into()),
            Rule::string => ValueKind::String(self.string(pair.as_str())),
            Rule::number => ValueKind::Number(self.compiler.number(pair.as_str(), span)),
            Rule::array => ValueKind::Array(self.array(pair, depth)),
            _ => ValueKind::Hash(self.hash(pair, depth)),
        };
        Value { kind, span }
    }

    fn array(&mut self, pair: Pair<'t, Rule>, depth: usize) -> Vec<Value> {
        let span = self.span(&pair);
        let values = pair.into_inner().filter(|it| it.as_rule() == Rule::value);
        let values = values.map(|it| self.value(Some(it), span, depth + 1)).collect();
        self.compiler.array(values)
    }

    fn hash(&mut self, pair: Pair<'t, Rule>, depth: usize) -> Vec<HashEntry> {
        let (mut entries, mut keys) = (Vec::new(), Vec::new());
        for entry in pair.into_inner().filter(|it| it.as_rule() == Rule::hashentry) {
            let span = self.span(&entry);
            let mut inner = entry.into_inner().filter(|it| it.as_rule() != Rule::arrow);
            let Some(key) = inner.next() else { continue };
            keys.push(key.as_str());
            let key = self.hash_key(key);
            let value = self.value(inner.next(), span, depth + 1);
            entries.push(HashEntry { key, value });
        }
        self.compiler.hash(entries, &keys)
    }

    fn hash_key(&mut self, pair: Pair<'t, Rule>) -> Name {
        let (text, span) = (pair.as_str(), self.span(&pair));
        match pair.into_inner().next().map(|it| it.as_rule()) {
            // A number stays as it is written: see `refused_at_start`.
            Some(Rule::string) => Name { text: self.string(text), quoted: true, span },
            _ => Name { text: text.into(), quoted: false, span },
        }
    }

    /// The text of a quoted string.
    fn string(&self, quoted: &str) -> Box<str> {
        let text = unquoted(quoted);
        if self.support_escapes { process_escapes(text) } else { text.into() }
    }

    fn condition_of(&mut self, start: Pair<'t, Rule>) -> Option<Expression> {
        let condition = start.into_inner().find(|it| it.as_rule() == Rule::condition)?;
        self.condition(condition, 0).map(|it| it.expression)
    }

    fn condition(&mut self, pair: Pair<'t, Rule>, depth: usize) -> Option<Measured> {
        let (mut operands, mut operators) = (Vec::new(), Vec::new());
        let mut complete = true;
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::boolean_operator => operators.push((boolean_operator(part.as_str()), span)),
                _ => match self.expression(part, depth) {
                    Some(expression) => operands.push(expression),
                    None => complete = false,
                },
            }
        }
        if complete { self.compiler.join(operands, &operators) } else { None }
    }

    fn expression(&mut self, pair: Pair<'t, Rule>, depth: usize) -> Option<Measured> {
        let span = self.span(&pair);
        if depth > MAX_DEPTH {
            self.compiler.diagnostics.push(too_deep(Span { end: span.start + 1, ..span }));
            return None;
        }
        let mut inner = pair.into_inner();
        let first = inner.next()?;
        let (kind, height) = match first.as_rule() {
            Rule::group => return self.group(first, depth),
            Rule::negative_expression => {
                let negated = first.into_inner().next()?;
                let Measured { expression, height } = match negated.as_rule() {
                    Rule::group => self.group(negated, depth)?,
                    _ => {
                        let span = self.span(&negated);
                        let kind = RvalueKind::Selector(negated.as_str().into());
                        let kind = ExpressionKind::Truthy(Rvalue { kind, span });
                        Measured { expression: Expression { kind, span }, height: 1 }
                    }
                };
                (ExpressionKind::Not(Box::new(expression)), height + 1)
            }
            _ => {
                let left = self.operand(first, 0)?;
                let kind = match inner.next() {
                    Some(comparison) => self.comparison(left, comparison, span)?,
                    None => self.compiler.truthy(left)?,
                };
                (kind, 1)
            }
        };
        Some(Measured { expression: Expression { kind, span }, height })
    }

    fn group(&mut self, pair: Pair<'t, Rule>, depth: usize) -> Option<Measured> {
        let condition = pair.into_inner().find(|it| it.as_rule() == Rule::condition)?;
        self.condition(condition, depth + 1)
    }

    fn comparison(&mut self, left: Operand, pair: Pair<'t, Rule>, span: Span) -> Option<ExpressionKind> {
        let mut inner = pair.into_inner();
        let (operator, right) = (inner.next()?, inner.next()?);
        let negated = matches!(operator.as_str(), "!~") || operator.as_rule() == Rule::not_in_operator;
        match operator.as_rule() {
            Rule::in_operator | Rule::not_in_operator => {
                Compiler::contains(left, self.operand(right, 0)?, negated)
            }
            Rule::regexp_operator => {
                let pattern = self.pattern(right)?;
                self.compiler.matches(left, pattern, negated)
            }
            _ => {
                let right = self.operand(right, 0)?;
                self.compiler.compare(left, compare_operator(operator.as_str()), right, span)
            }
        }
    }

    fn pattern(&self, pair: Pair<'t, Rule>) -> Option<Pattern> {
        let span = self.span(&pair);
        let inner = pair.into_inner().next()?;
        let text = match inner.as_rule() {
            Rule::string => self.string(inner.as_str()),
            _ => unquoted(inner.as_str()).into(),
        };
        Some(Pattern { text, span })
    }

    fn operand(&mut self, pair: Pair<'t, Rule>, depth: usize) -> Option<Operand> {
        let span = self.span(&pair);
        if depth > MAX_DEPTH {
            self.compiler.diagnostics.push(too_deep(Span { end: span.start + 1, ..span }));
            return None;
        }
        let inner = pair.into_inner().next()?;
        let text = inner.as_str();
        let kind = match inner.as_rule() {
            Rule::string => RvalueKind::String(self.string(text)),
            Rule::number => RvalueKind::Number(self.compiler.number(text, span)),
            Rule::selector => RvalueKind::Selector(text.into()),
            Rule::array => RvalueKind::Array(self.array(inner, depth)),
            Rule::method_call => return self.method_call(inner, depth),
            _ => RvalueKind::Regex(unquoted(text).into()),
        };
        Some(Operand::Value(Rvalue { kind, span }))
    }

    fn method_call(&mut self, pair: Pair<'t, Rule>, depth: usize) -> Option<Operand> {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let name = inner.next()?;
        let method = Rvalue { kind: RvalueKind::String(name.as_str().into()), span: self.span(&name) };
        let arguments = inner.filter(|it| it.as_rule() == Rule::rvalue);
        let arguments = arguments.map(|it| self.operand(it, depth + 1)).collect::<Option<_>>()?;
        Some(Operand::Call { method, arguments, span })
    }
}

/// The text between the first and the last character, which are quotes or slashes.
fn unquoted(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1)).unwrap_or_default()
}

fn boolean_operator(word: &str) -> BooleanOperator {
    match word {
        "and" => BooleanOperator::And,
        "or" => BooleanOperator::Or,
        "xor" => BooleanOperator::Xor,
        _ => BooleanOperator::Nand,
    }
}

fn compare_operator(symbol: &str) -> CompareOperator {
    match symbol {
        "==" => CompareOperator::Equal,
        "!=" => CompareOperator::NotEqual,
        "<" => CompareOperator::Less,
        "<=" => CompareOperator::LessOrEqual,
        ">" => CompareOperator::Greater,
        _ => CompareOperator::GreaterOrEqual,
    }
}

/// What a rule is called in messages; `None` for those that are never what a person forgot.
fn in_words(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::plugin_type | Rule::plugin_section_start => "a section (`input`, `filter` or `output`)",
        Rule::if_start | Rule::branch_start => "`if`",
        Rule::plugin_start | Rule::plugin => "a plugin's name",
        Rule::attribute => "an option",
        Rule::name | Rule::plain_name => "a name",
        Rule::open_brace => "`{`",
        Rule::close_brace => "`}`",
        Rule::open_bracket => "`[`",
        Rule::close_bracket => "`]`",
        Rule::open_paren => "`(`",
        Rule::close_paren => "`)`",
        Rule::arrow => "`=>`",
        Rule::comma => "`,`",
        Rule::value => "a value",
        Rule::string | Rule::double_quoted_string | Rule::single_quoted_string => "a quoted string",
        Rule::regexp => "a regular expression between slashes",
        Rule::number => "a number",
        Rule::array => "an array",
        Rule::hash => "a hash",
        Rule::hashentry | Rule::hash_key => "a key",
        Rule::condition | Rule::expression => "a condition",
        Rule::comparison => "a comparison (`==`, `!=`, `<`, `>`, `=~`, `!~`, `in`, `not in`)",
        Rule::boolean_operator => "`and` or `or`",
        Rule::rvalue => "a field, a string or a number",
        Rule::pattern => "a regular expression or a quoted string",
        Rule::selector => "a field like `[name]`",
        _ => return None,
    })
}
