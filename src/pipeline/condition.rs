//! Conditions of `if`: an enum specialised when it is built (`EventCondition.java`), evaluated against one event.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::matcher::Matcher;
use crate::event::{Big, Event, FieldReference, Value, text};
use crate::language::Span;
use crate::language::ast::{self, CompareOperator, ExpressionKind, RvalueKind};
use crate::plugin::{Environment, Problem, expand_whole};
use crate::regex::Regex;

/// A condition, ready to be evaluated.
#[derive(Debug)]
pub enum Condition {
    Constant(bool),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Xor(Box<Condition>, Box<Condition>),
    Nand(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Truthy(FieldReference),
    Equals(FieldReference, Value),
    FieldsEqual(FieldReference, FieldReference),
    Compare(FieldReference, CompareOperator, Value),
    CompareFields(FieldReference, CompareOperator, FieldReference),
    Matches(FieldReference, Box<Matcher>),
    /// The field's text is one of these.
    InList(FieldReference, TextList),
    /// The field's text occurs in this one.
    InText(FieldReference, String),
    /// This text occurs in the field's text, or is an element of the field's array.
    TextInField(String, FieldReference),
    /// This number is an element of the field's array.
    NumberInField(Value, FieldReference),
    FieldInField(FieldReference, FieldReference),
}

/// The texts of a list, which may be a list of thousands of addresses.
#[derive(Debug)]
pub struct TextList {
    texts: Vec<String>,
    /// The same, where there are so many that a look-up is quicker than a walk.
    set: Option<HashSet<Box<str>>>,
}

impl TextList {
    const WALKED: usize = 8;

    pub fn new(texts: Vec<String>) -> Self {
        let many = texts.len() > Self::WALKED;
        let set = many.then(|| texts.iter().map(|text| text.as_str().into()).collect());
        TextList { texts, set }
    }

    pub fn contains(&self, text: &str) -> bool {
        match &self.set {
            Some(set) => set.contains(text),
            None => self.texts.iter().any(|item| item == text),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }
}

/// Two values that cannot be compared. Logstash drops such an event, and so does the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot compare {left} with {right}")]
pub struct ConditionError {
    pub left: &'static str,
    pub right: &'static str,
}

/// One side of an operator.
enum Operand {
    Field(FieldReference),
    Constant(Value),
    List(Vec<Value>),
    /// Compared with nothing but a field by `=~`, which has a way of its own.
    Regex,
}

/// Builds conditions and notes what is wrong with them.
pub struct Builder<'a> {
    pub environment: &'a Environment,
    pub problems: &'a mut Vec<Problem>,
}

impl Builder<'_> {
    /// A condition that is wrong becomes one that is never true; the problems tell.
    pub fn build(&mut self, expression: &ast::Expression) -> Condition {
        match &expression.kind {
            ExpressionKind::And(parts) => Condition::And(parts.iter().map(|part| self.build(part)).collect()),
            ExpressionKind::Or(parts) => Condition::Or(parts.iter().map(|part| self.build(part)).collect()),
            ExpressionKind::Xor(left, right) => Condition::Xor(self.boxed(left), self.boxed(right)),
            ExpressionKind::Nand(left, right) => Condition::Nand(self.boxed(left), self.boxed(right)),
            ExpressionKind::Not(inner) => Condition::Not(self.boxed(inner)),
            ExpressionKind::Truthy(value) => match self.operand(value) {
                Operand::Field(field) => Condition::Truthy(field),
                Operand::Constant(value) => Condition::Constant(is_truthy(&value)),
                Operand::List(_) | Operand::Regex => Condition::Constant(true),
            },
            ExpressionKind::Compare { left, operator, right } => {
                let (left, right) = (self.operand(left), self.operand(right));
                compare_condition(left, *operator, right)
            }
            ExpressionKind::Match { left, pattern, negated } => {
                let matches = self.matches(left, pattern);
                negate_if(*negated, matches)
            }
            ExpressionKind::In { left, right, negated } => {
                let (left, right) = (self.operand(left), self.operand(right));
                negate_if(*negated, in_condition(left, right))
            }
        }
    }

    fn boxed(&mut self, expression: &ast::Expression) -> Box<Condition> {
        Box::new(self.build(expression))
    }

    fn matches(&mut self, left: &ast::Rvalue, pattern: &ast::Pattern) -> Condition {
        let operand = self.operand(left);
        let regex = match Regex::new(&pattern.text) {
            Ok(regex) => regex,
            Err(error) => {
                let message = format!("invalid regular expression: {error}");
                self.problems.push(Problem::error(pattern.span, message).label("does not compile"));
                return Condition::Constant(false);
            }
        };
        match operand {
            Operand::Field(field) => Condition::Matches(field, Box::new(Matcher::new(regex))),
            Operand::Constant(Value::Str(text)) => Condition::Constant(regex.is_match(&text)),
            _ => Condition::Constant(false),
        }
    }

    fn operand(&mut self, rvalue: &ast::Rvalue) -> Operand {
        match &rvalue.kind {
            RvalueKind::Selector(text) => match FieldReference::parse(text) {
                Ok(field) => Operand::Field(field),
                Err(error) => {
                    let problem = Problem::error(rvalue.span, error.to_string());
                    self.problems.push(problem.label("not a field reference"));
                    Operand::Constant(Value::Null)
                }
            },
            RvalueKind::String(text) => Operand::Constant(self.text(text, rvalue.span)),
            RvalueKind::Number(number) => Operand::Constant(number_value(number)),
            RvalueKind::Array(items) => Operand::List(items.iter().map(|item| self.element(item)).collect()),
            RvalueKind::Regex(_) => Operand::Regex,
        }
    }

    fn element(&mut self, value: &ast::Value) -> Value {
        match &value.kind {
            ast::ValueKind::String(text) | ast::ValueKind::Bareword(text) => self.text(text, value.span),
            ast::ValueKind::Number(number) => number_value(number),
            ast::ValueKind::Array(items) => {
                Value::Array(items.iter().map(|item| self.element(item)).collect())
            }
            ast::ValueKind::Hash(_) | ast::ValueKind::Plugin(_) => Value::Null,
        }
    }

    /// A string constant; one that is nothing but a variable is expanded.
    fn text(&mut self, text: &str, span: Span) -> Value {
        match expand_whole(text, self.environment) {
            Ok(expanded) => Value::from(expanded.as_deref().unwrap_or(text)),
            Err(undefined) => {
                self.problems.push(Problem::error(span, undefined.to_string()).label("not defined"));
                Value::from(text)
            }
        }
    }
}

fn number_value(number: &ast::Number) -> Value {
    match number.value {
        ast::NumberValue::Integer(integer) => Value::Int(integer),
        ast::NumberValue::Float(float) => Value::Float(float),
    }
}

fn negate_if(negated: bool, condition: Condition) -> Condition {
    if negated { Condition::Not(Box::new(condition)) } else { condition }
}

fn compare_condition(left: Operand, operator: CompareOperator, right: Operand) -> Condition {
    use CompareOperator::{Equal, NotEqual};
    let negated = operator == NotEqual;
    match (left, right) {
        (Operand::Field(field), Operand::Constant(value))
        | (Operand::Constant(value), Operand::Field(field))
            if matches!(operator, Equal | NotEqual) =>
        {
            negate_if(negated, Condition::Equals(field, value))
        }
        (Operand::Field(left), Operand::Field(right)) if matches!(operator, Equal | NotEqual) => {
            negate_if(negated, Condition::FieldsEqual(left, right))
        }
        (Operand::Field(field), Operand::Constant(value)) => Condition::Compare(field, operator, value),
        (Operand::Constant(value), Operand::Field(field)) => {
            Condition::Compare(field, converse(operator), value)
        }
        (Operand::Field(left), Operand::Field(right)) => Condition::CompareFields(left, operator, right),
        (Operand::Constant(left), Operand::Constant(right)) => Condition::Constant(match operator {
            Equal => left == right,
            NotEqual => left != right,
            _ => order(Some(&left), Some(&right)).is_ok_and(|order| holds(operator, order)),
        }),
        _ => Condition::Constant(false),
    }
}

fn converse(operator: CompareOperator) -> CompareOperator {
    match operator {
        CompareOperator::Less => CompareOperator::Greater,
        CompareOperator::LessOrEqual => CompareOperator::GreaterOrEqual,
        CompareOperator::Greater => CompareOperator::Less,
        CompareOperator::GreaterOrEqual => CompareOperator::LessOrEqual,
        equality => equality,
    }
}

fn in_condition(left: Operand, right: Operand) -> Condition {
    match (left, right) {
        (Operand::Field(field), Operand::Constant(value)) => Condition::InText(field, java_text(&value)),
        (Operand::Field(field), Operand::List(items)) => {
            Condition::InList(field, TextList::new(items.iter().map(java_text).collect()))
        }
        (Operand::Field(left), Operand::Field(right)) => Condition::FieldInField(left, right),
        (Operand::Constant(Value::Str(text)), Operand::Field(field)) => {
            Condition::TextInField(text.into(), field)
        }
        (Operand::Constant(number), Operand::Field(field)) => Condition::NumberInField(number, field),
        // Logstash compares two literals as wholes: "ell" in "hello" is false.
        (Operand::Constant(left), Operand::Constant(right)) => Condition::Constant(left == right),
        (Operand::List(left), Operand::List(right)) => Condition::Constant(left == right),
        _ => Condition::Constant(false),
    }
}

fn java_text(value: &Value) -> String {
    let mut out = String::new();
    // A null of an event is Ruby's nil, which prints as nothing.
    if !value.is_null() {
        text::push_java(&mut out, value);
    }
    out
}

impl Condition {
    /// Whether the condition holds for an event. An error means that the event has to be dropped.
    pub fn holds(&self, event: &Event) -> Result<bool, ConditionError> {
        Ok(match self {
            Condition::Constant(value) => *value,
            Condition::And(parts) => {
                for part in parts {
                    if !part.holds(event)? {
                        return Ok(false);
                    }
                }
                true
            }
            Condition::Or(parts) => {
                for part in parts {
                    if part.holds(event)? {
                        return Ok(true);
                    }
                }
                false
            }
            Condition::Xor(left, right) => left.holds(event)? != right.holds(event)?,
            Condition::Nand(left, right) => !(left.holds(event)? && right.holds(event)?),
            Condition::Not(inner) => !inner.holds(event)?,
            Condition::Truthy(field) => event.get(field).is_some_and(is_truthy),
            Condition::Equals(field, value) => event.get(field).is_some_and(|found| found == value),
            Condition::FieldsEqual(left, right) => event.get(left) == event.get(right),
            Condition::Compare(field, operator, value) => {
                holds(*operator, order(event.get(field), Some(value))?)
            }
            Condition::CompareFields(left, operator, right) => match (event.get(left), event.get(right)) {
                // Logstash's pipeline crashes when the right one is missing.
                (Some(left), Some(right)) => holds(*operator, order(Some(left), Some(right))?),
                _ => false,
            },
            Condition::Matches(field, matcher) => {
                event.get(field).and_then(Value::as_str).is_some_and(|text| matcher.is_match(text))
            }
            Condition::InList(field, list) => event.get(field).is_some_and(|value| is_one_of(value, list)),
            Condition::InText(field, text) => {
                event.get(field).and_then(Value::as_str).is_some_and(|part| text.contains(part))
            }
            Condition::TextInField(text, field) => match event.get(field) {
                Some(Value::Str(whole)) => whole.contains(text),
                Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(text)),
                _ => false,
            },
            Condition::NumberInField(number, field) => {
                event.get(field).and_then(Value::as_array).is_some_and(|items| items.contains(number))
            }
            Condition::FieldInField(left, right) => field_in_field(event.get(left), event.get(right)),
        })
    }
}

fn is_one_of(value: &Value, list: &TextList) -> bool {
    match value {
        Value::Str(text) => list.contains(text),
        Value::Big(_) => list.contains(&text::ruby_to_s(value)),
        other => list.contains(&java_text(other)),
    }
}

fn field_in_field(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (None | Some(Value::Array(_) | Value::Object(_)), _) | (_, None) => false,
        (Some(Value::Str(part)), Some(Value::Str(whole))) => whole.contains(&**part),
        (Some(value), Some(Value::Array(items))) => items.contains(value),
        (Some(left), Some(right)) => left == right,
    }
}

/// Missing, null, false, and the texts "" and "false" are not true; 0 and empty containers are.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Str(text) => !text.is_empty() && &**text != "false",
        _ => true,
    }
}

fn holds(operator: CompareOperator, order: Option<Ordering>) -> bool {
    let Some(order) = order else { return false };
    match operator {
        CompareOperator::Equal => order.is_eq(),
        CompareOperator::NotEqual => order.is_ne(),
        CompareOperator::Less => order.is_lt(),
        CompareOperator::LessOrEqual => order.is_le(),
        CompareOperator::Greater => order.is_gt(),
        CompareOperator::GreaterOrEqual => order.is_ge(),
    }
}

/// How two values compare: by number or by bytes of text. What null, booleans, timestamps and decimals cannot be
/// compared with counts as equal (`RubyBasicObject#compareTo`), so `<=` holds; whatever else does not fit is an error.
fn order(left: Option<&Value>, right: Option<&Value>) -> Result<Option<Ordering>, ConditionError> {
    let error = || ConditionError {
        left: left.map_or("a missing field", Value::kind),
        right: right.map_or("a missing field", Value::kind),
    };
    match (left, right) {
        (Some(Value::Timestamp(left)), Some(Value::Timestamp(right))) => Ok(Some(left.cmp(right))),
        (Some(Value::Null | Value::Bool(_) | Value::Timestamp(_)), Some(_)) => Ok(Some(Ordering::Equal)),
        (Some(Value::Str(left)), Some(Value::Str(right))) => Ok(Some(left.as_bytes().cmp(right.as_bytes()))),
        (Some(left), Some(right)) if is_number(left) && is_number(right) => Ok(order_numbers(left, right)),
        (Some(Value::Big(big)), Some(_)) if matches!(**big, Big::Decimal(_)) => Ok(Some(Ordering::Equal)),
        _ => Err(error()),
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_) | Value::Big(_))
}

fn order_numbers(left: &Value, right: &Value) -> Option<Ordering> {
    use bigdecimal::BigDecimal;
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::Float(right)) => (*left as f64).partial_cmp(right),
        (Value::Float(left), Value::Int(right)) => left.partial_cmp(&(*right as f64)),
        _ => {
            let decimal = |value: &Value| match value {
                Value::Int(number) => Some(BigDecimal::from(*number)),
                Value::Float(number) => BigDecimal::try_from(*number).ok(),
                Value::Big(big) => Some(match &**big {
                    Big::Integer(number) => BigDecimal::from(number.clone()),
                    Big::Decimal(number) => number.clone(),
                }),
                _ => None,
            };
            decimal(left)?.partial_cmp(&decimal(right)?)
        }
    }
}
