//! The syntax tree of a Ruby regular expression, with every option already resolved except case folding.
//!
//! `\w`, `.`, whitespace under `x` and the like mean different things under different options; the parser settles
//! that, so both writers ([`linear`](super::linear) and [`backtracking`](super::backtracking)) only spell out what
//! stands here and neither depends on the defaults of the engine it writes for.

/// One node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Empty,
    Literal(char),
    /// `.`; `newline` says whether it matches a newline too (Ruby's `m`).
    Any {
        newline: bool,
    },
    /// `\w`, `\D`, `\h` and so on outside of brackets.
    Type(ClassType),
    Class(Class),
    /// `\p{..}` outside of brackets.
    Property(Property),
    Anchor(Anchor),
    /// `\R`.
    LineBreak,
    /// `\X`.
    Grapheme,
    /// `\K`.
    Keep,
    Concat(Vec<Node>),
    Alternation(Vec<Node>),
    Capture {
        group: usize,
        node: Box<Node>,
    },
    /// `(?i:..)` and `(?-i:..)`.
    Fold {
        ignore_case: bool,
        node: Box<Node>,
    },
    Look {
        ahead: bool,
        negated: bool,
        node: Box<Node>,
    },
    Atomic(Box<Node>),
    /// `(?~..)`: text that does not contain the pattern.
    Absent(Box<Node>),
    Conditional {
        group: GroupReference,
        yes: Box<Node>,
        no: Box<Node>,
    },
    Repeat(Box<Repeat>),
    Backreference {
        group: GroupReference,
        /// The recursion level of `\k<name+1>`.
        level: Option<i32>,
    },
    /// `\g<name>`; group 0 is the whole pattern.
    Call(GroupReference),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Repeat {
    pub node: Node,
    pub min: u32,
    pub max: Option<u32>,
    pub mode: RepeatMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RepeatMode {
    Greedy,
    Lazy,
    Possessive,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GroupReference {
    Number(usize),
    Name(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// `^`: at the start, and behind every newline that is not the last character.
    LineStart,
    /// `$`: at the end, and before every newline.
    LineEnd,
    /// `\A`
    TextStart,
    /// `\z`
    TextEnd,
    /// `\Z`: at the end, and before a newline that is the last character.
    TextEndNewline,
    /// `\G`: where the search started.
    SearchStart,
    /// `\b`
    WordBoundary { ascii: bool },
    /// `\B`
    NotWordBoundary { ascii: bool },
}

/// A bracket expression: the intersection (`&&`) of one or more unions.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Class {
    pub negated: bool,
    pub unions: Vec<Vec<ClassItem>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ClassItem {
    Range(char, char),
    Type(ClassType),
    Property(Property),
    Nested(Class),
}

/// A class known by a letter (`\w`) or by a POSIX name (`[:alpha:]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClassType {
    pub kind: TypeKind,
    pub negated: bool,
    /// Only ASCII characters belong to it (before negation).
    pub ascii: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypeKind {
    Alnum,
    Alpha,
    Ascii,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Word,
    Xdigit,
}

impl TypeKind {
    /// Every kind with its POSIX name.
    pub const ALL: [(TypeKind, &'static str); 14] = [
        (TypeKind::Alnum, "alnum"),
        (TypeKind::Alpha, "alpha"),
        (TypeKind::Ascii, "ascii"),
        (TypeKind::Blank, "blank"),
        (TypeKind::Cntrl, "cntrl"),
        (TypeKind::Digit, "digit"),
        (TypeKind::Graph, "graph"),
        (TypeKind::Lower, "lower"),
        (TypeKind::Print, "print"),
        (TypeKind::Punct, "punct"),
        (TypeKind::Space, "space"),
        (TypeKind::Upper, "upper"),
        (TypeKind::Word, "word"),
        (TypeKind::Xdigit, "xdigit"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The ASCII members, written as the inside of a bracket expression that every engine reads alike.
    pub fn ascii_members(self) -> &'static str {
        match self {
            TypeKind::Alnum => "0-9A-Za-z",
            TypeKind::Alpha => "A-Za-z",
            TypeKind::Ascii => r"\x00-\x7F",
            TypeKind::Blank => r"\x09\x20",
            TypeKind::Cntrl => r"\x00-\x1F\x7F",
            TypeKind::Digit => "0-9",
            TypeKind::Graph => r"\x21-\x7E",
            TypeKind::Lower => "a-z",
            TypeKind::Print => r"\x20-\x7E",
            TypeKind::Punct => r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E",
            TypeKind::Space => r"\x09-\x0D\x20",
            TypeKind::Upper => "A-Z",
            TypeKind::Word => "0-9A-Z_a-z",
            TypeKind::Xdigit => "0-9A-Fa-f",
        }
    }
}

/// `\p{name}` or `\P{name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub name: String,
    pub negated: bool,
}

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    pub node: Node,
    /// Number of groups without group 0.
    pub groups: usize,
    /// Group names in order of first appearance, each with its groups in ascending order.
    pub names: Vec<(String, Vec<usize>)>,
}

impl Pattern {
    /// The position in `names` of the name that `group` carries.
    pub fn name_index_of(&self, group: usize) -> Option<usize> {
        self.names.iter().position(|(_, groups)| groups.contains(&group))
    }

    pub fn name_index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|(known, _)| known == name)
    }
}

impl Node {
    /// Whether every match of this node consumes at least one character.
    pub fn consumes(&self) -> bool {
        match self {
            Node::Literal(_)
            | Node::Any { .. }
            | Node::Type(_)
            | Node::Class(_)
            | Node::Property(_)
            | Node::LineBreak
            | Node::Grapheme => true,
            Node::Concat(nodes) => nodes.iter().any(Node::consumes),
            Node::Alternation(nodes) => nodes.iter().all(Node::consumes),
            Node::Capture { node, .. } | Node::Fold { node, .. } | Node::Atomic(node) => node.consumes(),
            Node::Repeat(repeat) => repeat.min > 0 && repeat.node.consumes(),
            Node::Conditional { yes, no, .. } => yes.consumes() && no.consumes(),
            Node::Empty
            | Node::Anchor(_)
            | Node::Keep
            | Node::Look { .. }
            | Node::Absent(_)
            | Node::Backreference { .. }
            | Node::Call(_) => false,
        }
    }
}
