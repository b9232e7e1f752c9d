//! What a pipeline's text means: sections, plugins, options and conditions, each with the place it was written at.
//!
//! The tree is what is left after Logstash's compile step (`compiler/lscl.rb`): numbers are numbers, operators are
//! grouped the way Logstash groups them, and the parts of a condition that Logstash looks past are gone. Whoever
//! builds a plan from it needs to know nothing of the grammar.

use super::source::Span;

/// Every section of every source of one pipeline, in the order they were loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    pub sections: Vec<Section>,
}

/// `input { ... }`, `filter { ... }` or `output { ... }`; each kind may occur any number of times.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub kind: SectionKind,
    pub items: Vec<Item>,
    pub span: Span,
}

/// The three stages a section can belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SectionKind {
    Input,
    Filter,
    Output,
}

impl SectionKind {
    /// The word that opens the section.
    pub fn keyword(self) -> &'static str {
        match self {
            SectionKind::Input => "input",
            SectionKind::Filter => "filter",
            SectionKind::Output => "output",
        }
    }
}

/// What stands in a section or in the body of a branch.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Plugin(Plugin),
    Branch(Branch),
}

/// `if ... { } else if ... { } else { }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The `if` and every `else if`, in order; never empty.
    pub arms: Vec<Arm>,
    /// The body of the `else`.
    pub otherwise: Option<Vec<Item>>,
    pub span: Span,
}

/// One `if` or `else if` with its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    pub condition: Expression,
    pub body: Vec<Item>,
    pub span: Span,
}

/// `name { option => value ... }`; also a codec that stands as an option's value.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugin {
    /// A quoted name parses, but Logstash looks it up with its quotes and never finds it.
    pub name: Name,
    /// The options as written: a repeated option stands here repeatedly (see [`super::merged_attributes`]).
    pub attributes: Vec<Attribute>,
    pub span: Span,
}

/// The name of a plugin, of an option, or of a hash entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// Without the quotes.
    pub text: Box<str>,
    /// Whether it stood in quotes.
    pub quoted: bool,
    pub span: Span,
}

/// `name => value` of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub name: Name,
    pub value: Value,
    pub span: Span,
}

/// The value of an option, of an array element, or of a hash entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub kind: ValueKind,
    pub span: Span,
}

/// What a value can be. A bareword such as `true` is a string to Logstash; only its spelling differs.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// Quoted text, with the escapes processed if `config.support_escapes` is set and as written if not.
    String(Box<str>),
    Bareword(Box<str>),
    Number(Number),
    Array(Vec<Value>),
    /// Keys are unique: of two equal keys in different quotes, the later value stands at the earlier place.
    Hash(Vec<HashEntry>),
    /// A codec with options of its own; only ever the direct value of an option.
    Plugin(Box<Plugin>),
}

/// `key => value` of a hash; the escapes of the key are processed like those of any string.
#[derive(Clone, Debug, PartialEq)]
pub struct HashEntry {
    pub key: Name,
    pub value: Value,
}

/// A number with its spelling, since `1.10` may have to be printed as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    pub text: Box<str>,
    pub value: NumberValue,
}

/// Ruby's `Integer()` and `Float()` of the text: `010` is 8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NumberValue {
    Integer(i64),
    Float(f64),
}

/// A condition or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub kind: ExpressionKind,
    pub span: Span,
}

/// The shapes of a condition. `And` and `Or` hold at least two operands, evaluated left to right.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Xor(Box<Expression>, Box<Expression>),
    Nand(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    /// `left == right` and its kin; neither side is ever an array or a regular expression.
    Compare {
        left: Rvalue,
        operator: CompareOperator,
        right: Rvalue,
    },
    /// `left =~ pattern`, or `left !~ pattern` if negated; `left` is a selector, a string or a regular expression.
    Match {
        left: Rvalue,
        pattern: Pattern,
        negated: bool,
    },
    /// `left in right`, or `left not in right` if negated.
    In {
        left: Rvalue,
        right: Rvalue,
        negated: bool,
    },
    /// A value standing alone: true unless it is missing, null, false or its text is empty or `false`.
    Truthy(Rvalue),
}

/// The six comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOperator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl CompareOperator {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            CompareOperator::Equal => "==",
            CompareOperator::NotEqual => "!=",
            CompareOperator::Less => "<",
            CompareOperator::LessOrEqual => "<=",
            CompareOperator::Greater => ">",
            CompareOperator::GreaterOrEqual => ">=",
        }
    }
}

/// The regular expression of a `=~`: the text between the slashes as it stands, or a string's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub text: Box<str>,
    pub span: Span,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Rvalue {
    pub kind: RvalueKind,
    pub span: Span,
}

/// What can stand beside an operator.
#[derive(Clone, Debug, PartialEq)]
pub enum RvalueKind {
    /// A field reference as written, `[a][b]`; `["x"]` and `[5]` are field references as well.
    Selector(Box<str>),
    String(Box<str>),
    Number(Number),
    Array(Vec<Value>),
    /// The text between the slashes, as it stands.
    Regex(Box<str>),
}
