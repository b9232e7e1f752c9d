//! What Logstash's compile step makes of what its grammar accepts (`compiler/lscl.rb`): numbers, unique keys, the
//! grouping of `and` and `or`, and which operand of a comparison counts.

use std::collections::HashMap;

use super::ast::*;
use super::diagnostic::Diagnostic;
use super::source::Span;

/// Collects what the compile step finds wrong while the tree is built from the leaves up.
#[derive(Default)]
pub(super) struct Compiler {
    pub diagnostics: Vec<Diagnostic>,
}

/// What stands beside an operator, as written.
pub(super) enum Operand {
    Value(Rvalue),
    /// `name(a, b)` parses, but there are no methods: Logstash looks through it at what is inside.
    Call {
        method: Rvalue,
        arguments: Vec<Operand>,
        span: Span,
    },
}

/// An expression and how many levels of expressions it has.
pub(super) struct Measured {
    pub expression: Expression,
    pub height: usize,
}

/// The words between the expressions of one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BooleanOperator {
    And,
    Or,
    Xor,
    Nand,
}

impl BooleanOperator {
    fn word(self) -> &'static str {
        match self {
            BooleanOperator::And => "and",
            BooleanOperator::Or => "or",
            BooleanOperator::Xor => "xor",
            BooleanOperator::Nand => "nand",
        }
    }
}

impl Operand {
    fn span(&self) -> Span {
        match self {
            Operand::Value(rvalue) => rvalue.span,
            Operand::Call { span, .. } => *span,
        }
    }
}

impl Compiler {
    /// `Integer(text)` or `Float(text)` as Ruby reads them.
    pub fn number(&mut self, text: &str, span: Span) -> Number {
        let value = match read_number(text) {
            Ok(value) => value,
            Err(problem) => {
                self.diagnostics.push(problem.diagnostic(text, span));
                NumberValue::Integer(0)
            }
        };
        Number { text: text.into(), value }
    }

    /// An array's elements; a plugin among them leaves only the values written inside it.
    pub fn array(&mut self, elements: Vec<Value>) -> Vec<Value> {
        if !elements.iter().any(|it| matches!(it.kind, ValueKind::Plugin(_))) {
            return elements;
        }
        let mut values = Vec::new();
        for element in elements {
            match element.kind {
                ValueKind::Plugin(plugin) => flatten_plugin(*plugin, &mut values),
                _ => values.push(element),
            }
        }
        values
    }

    /// A hash from its entries; `keys` holds each key as written, with its quotes.
    pub fn hash(&mut self, entries: Vec<HashEntry>, keys: &[&str]) -> Vec<HashEntry> {
        let mut first: HashMap<&str, Span> = HashMap::new();
        for (entry, key) in entries.iter().zip(keys) {
            if let Some(&earlier) = first.get(key) {
                let message = format!("the key {key} occurs twice in this hash");
                self.diagnostics.push(
                    Diagnostic::error(entry.key.span, message)
                        .label("used again here")
                        .related(earlier, "first used here")
                        .help("remove one of the two, or give both values as an array under one key"),
                );
            } else {
                first.insert(key, entry.key.span);
            }
            if let ValueKind::Plugin(plugin) = &entry.value.kind {
                let message = format!("`{} {{ }}` cannot be the value of a hash entry", plugin.name.text);
                self.diagnostics.push(Diagnostic::error(entry.value.span, message).help(
                    "a block with a name is a codec and stands directly after an option: `codec => json { }`",
                ));
            }
        }
        last_wins(entries)
    }

    /// `left operator right`. Of an array or a call only the selectors, strings and numbers inside count.
    pub fn compare(
        &mut self,
        left: Operand,
        operator: CompareOperator,
        right: Operand,
        span: Span,
    ) -> Option<ExpressionKind> {
        let (left_span, right_span) = (left.span(), right.span());
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        comparable(left, &mut lefts);
        comparable(right, &mut rights);
        let (1, Some(left)) = (lefts.len(), lefts.pop()) else {
            return self.not_comparable(left_span, operator.symbol(), span);
        };
        match rights.into_iter().next() {
            Some(right) => Some(ExpressionKind::Compare { left, operator, right }),
            None => self.not_comparable(right_span, operator.symbol(), span),
        }
    }

    fn not_comparable(&mut self, side: Span, operator: &str, whole: Span) -> Option<ExpressionKind> {
        let help = match operator {
            "==" => "to match a regular expression write `=~ /.../`; to look into a list write `in [...]`",
            "!=" => {
                "to match a regular expression write `!~ /.../`; to look into a list write `not in [...]`"
            }
            _ => "compare a field, a string or a number",
        };
        let message = format!("`{operator}` cannot compare this");
        let label = "needs exactly one field, string or number";
        self.diagnostics.push(Diagnostic::error(side, message).label(label).help(help).related(whole, ""));
        None
    }

    /// `left in right`; of a call, its name and its arguments count as operands of their own.
    pub fn contains(left: Operand, right: Operand, negated: bool) -> Option<ExpressionKind> {
        let mut operands = Vec::new();
        rvalues(left, &mut operands);
        rvalues(right, &mut operands);
        let mut operands = operands.into_iter();
        let (left, right) = (operands.next()?, operands.next()?);
        Some(ExpressionKind::In { left, right, negated })
    }

    /// `left =~ pattern`.
    pub fn matches(&mut self, left: Operand, pattern: Pattern, negated: bool) -> Option<ExpressionKind> {
        let side = left.span();
        let mut lefts = Vec::new();
        matchable(left, &mut lefts);
        if let (1, Some(left)) = (lefts.len(), lefts.pop()) {
            return Some(ExpressionKind::Match { left, pattern, negated });
        }
        let message = "a regular expression is matched against a field or a string";
        self.diagnostics.push(Diagnostic::error(side, message).label("this is neither"));
        None
    }

    /// An operand that stands alone.
    pub fn truthy(&mut self, operand: Operand) -> Option<ExpressionKind> {
        let (arguments, span) = match operand {
            Operand::Value(rvalue) => return Some(ExpressionKind::Truthy(rvalue)),
            Operand::Call { arguments, span, .. } => (arguments, span),
        };
        let mut found = Vec::new();
        arguments.into_iter().for_each(|it| comparable(it, &mut found));
        found.retain(|it| matches!(it.kind, RvalueKind::Selector(_)));
        if let (1, Some(selector)) = (found.len(), found.pop()) {
            return Some(ExpressionKind::Truthy(selector));
        }
        self.diagnostics.push(
            Diagnostic::error(span, "a condition cannot call a method")
                .help("there are no methods in conditions; compare fields with ==, !=, <, >, =~, in"),
        );
        None
    }

    /// Groups the expressions of one condition the way Logstash's `join_conditions` does. It is almost the usual
    /// precedence, `and` before `or`, but when an `or` follows, only the last `and` is closed:
    /// `a and b and c or d` is `a and ((b and c) or d)`.
    pub fn join(
        &mut self,
        operands: Vec<Measured>,
        operators: &[(BooleanOperator, Span)],
    ) -> Option<Measured> {
        if let Some(lone) = self.mixed(operators) {
            self.diagnostics.push(lone);
            return None;
        }
        let mut output: Vec<Measured> = Vec::new();
        let mut pending: Vec<BooleanOperator> = Vec::new();
        let mut operands = operands.into_iter();
        output.extend(operands.next());
        // A chain of `and` or of `or` groups from the right, so an operator is applied when it is popped.
        for (&(operator, _), operand) in operators.iter().zip(operands) {
            if pending.last() == Some(&BooleanOperator::And) && operator == BooleanOperator::Or {
                pending.pop();
                self.apply(BooleanOperator::And, 1, &mut output)?;
            }
            pending.push(operator);
            output.push(operand);
        }
        while let Some(operator) = pending.last().copied() {
            let run = pending.iter().rev().take_while(|it| **it == operator).count();
            pending.truncate(pending.len() - run);
            self.apply(operator, run, &mut output)?;
        }
        output.pop()
    }

    /// Replaces the topmost expressions by one: `count` times the same operator, so one operand more.
    fn apply(&mut self, operator: BooleanOperator, count: usize, output: &mut Vec<Measured>) -> Option<()> {
        let operands = output.split_off(output.len().saturating_sub(count + 1));
        let height = 1 + operands.iter().map(|it| it.height).max()?;
        let span = operands.first()?.expression.span.to(operands.last()?.expression.span);
        if height > MAX_DEPTH {
            self.diagnostics.push(too_deep(span));
            return None;
        }
        let mut operands: Vec<Expression> = operands.into_iter().map(|it| it.expression).collect();
        let kind = match operator {
            BooleanOperator::And => ExpressionKind::And(operands),
            BooleanOperator::Or => ExpressionKind::Or(operands),
            BooleanOperator::Xor | BooleanOperator::Nand => {
                let (right, left) = (Box::new(operands.pop()?), Box::new(operands.pop()?));
                match operator {
                    BooleanOperator::Xor => ExpressionKind::Xor(left, right),
                    _ => ExpressionKind::Nand(left, right),
                }
            }
        };
        output.push(Measured { expression: Expression { kind, span }, height });
        Some(())
    }

    /// `xor` and `nand` only work alone.
    fn mixed(&self, operators: &[(BooleanOperator, Span)]) -> Option<Diagnostic> {
        let alone =
            |it: &&(BooleanOperator, Span)| matches!(it.0, BooleanOperator::Xor | BooleanOperator::Nand);
        let (operator, span) = operators.iter().find(alone).filter(|_| operators.len() > 1)?;
        let word = operator.word();
        Some(
            Diagnostic::error(*span, format!("`{word}` cannot be mixed with another operator"))
                .label("which of them comes first is not defined")
                .help(format!("put it in parentheses: `([a] {word} [b]) and [c]`")),
        )
    }
}

/// The operands of `==` and its kin: selectors, strings and numbers, however deep; nothing else.
fn comparable(operand: Operand, found: &mut Vec<Rvalue>) {
    match operand {
        Operand::Value(rvalue) => match rvalue.kind {
            RvalueKind::Selector(_) | RvalueKind::String(_) | RvalueKind::Number(_) => found.push(rvalue),
            RvalueKind::Array(values) => literals(&values, true, found),
            RvalueKind::Regex(_) => {}
        },
        Operand::Call { arguments, .. } => arguments.into_iter().for_each(|it| comparable(it, found)),
    }
}

/// The operands of `=~`: selectors, strings and regular expressions, however deep; nothing else.
fn matchable(operand: Operand, found: &mut Vec<Rvalue>) {
    match operand {
        Operand::Value(rvalue) => match rvalue.kind {
            RvalueKind::Selector(_) | RvalueKind::String(_) | RvalueKind::Regex(_) => found.push(rvalue),
            RvalueKind::Array(values) => literals(&values, false, found),
            RvalueKind::Number(_) => {}
        },
        Operand::Call { arguments, .. } => arguments.into_iter().for_each(|it| matchable(it, found)),
    }
}

/// The operands of `in`: everything that has a value.
fn rvalues(operand: Operand, found: &mut Vec<Rvalue>) {
    match operand {
        Operand::Value(rvalue) => found.push(rvalue),
        Operand::Call { method, arguments, .. } => {
            found.push(method);
            arguments.into_iter().for_each(|it| rvalues(it, found));
        }
    }
}

/// The quoted strings, and with `numbers` the numbers, of an array; barewords do not count.
fn literals(values: &[Value], numbers: bool, found: &mut Vec<Rvalue>) {
    for value in values {
        let span = value.span;
        match &value.kind {
            ValueKind::String(text) => found.push(Rvalue { kind: RvalueKind::String(text.clone()), span }),
            ValueKind::Number(number) if numbers => {
                found.push(Rvalue { kind: RvalueKind::Number(number.clone()), span });
            }
            ValueKind::Array(values) => literals(values, numbers, found),
            ValueKind::Hash(entries) => {
                for HashEntry { key, value } in entries {
                    if key.quoted {
                        found.push(Rvalue { kind: RvalueKind::String(key.text.clone()), span: key.span });
                    }
                    literals(std::slice::from_ref(value), numbers, found);
                }
            }
            ValueKind::Number(_) | ValueKind::Bareword(_) | ValueKind::Plugin(_) => {}
        }
    }
}

/// What Logstash keeps of a plugin that stands in an array: quoted names and the values.
fn flatten_plugin(plugin: Plugin, values: &mut Vec<Value>) {
    let quoted =
        |name: Name| name.quoted.then_some(Value { kind: ValueKind::String(name.text), span: name.span });
    values.extend(quoted(plugin.name));
    for attribute in plugin.attributes {
        values.extend(quoted(attribute.name));
        match attribute.value.kind {
            ValueKind::Plugin(inner) => flatten_plugin(*inner, values),
            _ => values.push(attribute.value),
        }
    }
}

/// Of equal keys the last value stands at the first place, as in a Ruby hash.
fn last_wins(entries: Vec<HashEntry>) -> Vec<HashEntry> {
    let mut places: HashMap<Box<str>, usize> = HashMap::new();
    let mut unique: Vec<HashEntry> = Vec::with_capacity(entries.len());
    for entry in entries {
        match places.get(&entry.key.text).and_then(|&place| unique.get_mut(place)) {
            Some(earlier) => earlier.value = entry.value,
            None => {
                places.insert(entry.key.text.clone(), unique.len());
                unique.push(entry);
            }
        }
    }
    unique
}

/// Deeper than this nothing a person wrote is nested; it keeps every walk over the tree from overflowing its stack.
pub(super) const MAX_DEPTH: usize = 200;

/// The complaint about more than [`MAX_DEPTH`] levels.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(span, "this is nested too deeply")
        .label(format!("more than {MAX_DEPTH} levels of braces, brackets, parentheses or conditions"))
        .help("split it into several options or conditions")
}

/// Why a number is refused.
enum NumberProblem {
    TrailingDot,
    Octal,
    TooLarge,
}

impl NumberProblem {
    fn diagnostic(&self, text: &str, span: Span) -> Diagnostic {
        let error = |message: String| Diagnostic::error(span, message);
        match self {
            NumberProblem::TrailingDot => error(format!("invalid value for Float(): \"{text}\""))
                .label("digits are missing after the point")
                .help(format!("write {text}0")),
            NumberProblem::Octal => error(format!("invalid value for Integer(): \"{text}\""))
                .label("a leading 0 makes the number octal, and 8 and 9 are no octal digits")
                .help("remove the leading zeros, or put the number in quotes if they matter"),
            NumberProblem::TooLarge => {
                error(format!("the number {text} does not fit into 64 bits")).help("put it in quotes")
            }
        }
    }
}

/// Ruby's `Integer()` or, with a point, `Float()`, of what the grammar takes for a number.
fn read_number(text: &str) -> Result<NumberValue, NumberProblem> {
    if text.contains('.') {
        if text.ends_with('.') {
            return Err(NumberProblem::TrailingDot);
        }
        return text.parse().map(NumberValue::Float).map_err(|_| NumberProblem::TrailingDot);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let octal = digits.len() > 1 && digits.starts_with('0');
    if octal && digits.contains(['8', '9']) {
        return Err(NumberProblem::Octal);
    }
    let radix = if octal { 8 } else { 10 };
    i64::from_str_radix(&format!("{sign}{digits}"), radix)
        .map(NumberValue::Integer)
        .map_err(|_| NumberProblem::TooLarge)
}
