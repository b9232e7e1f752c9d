//! Writes a syntax tree for the `regex` crate, if that gives the very match Ruby would find.
//!
//! The crate runs in linear time but has no look-around, references, atomic groups or conditions, and it differs in
//! small ways: `^` also matches behind a final newline, a repeated operand that can be empty captures differently,
//! and case folding never maps one character to two. A tree that touches any of these is not written at all, or it
//! is written with a [`Guard`] on the texts for which it is exact.
use super::ast::{Anchor, ClassType, Node, Property, Repeat, RepeatMode, TypeKind};
use super::writer::{self, ClassDialect};

/// The texts for which the written expression matches as Ruby would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Guard {
    /// Only texts that are ASCII throughout (Unicode classes, word boundaries, case folding).
    pub ascii: bool,
    /// Only texts that do not end in a newline (`^` that need not be followed by a character).
    pub no_final_newline: bool,
}

impl Guard {
    pub fn admits(self, text: &str) -> bool {
        !(self.no_final_newline && text.ends_with('\n')) && (!self.ascii || text.is_ascii())
    }

    /// Whether some text is not admitted.
    pub fn is_partial(self) -> bool {
        self.ascii || self.no_final_newline
    }
}

/// Writes `node` for the `regex` crate; `None` when it holds something that the crate cannot match exactly.
pub(super) fn write(node: &Node) -> Option<(String, Guard)> {
    let mut writer = Writer { out: String::new(), guard: Guard::default(), folding: false, exact: true };
    writer.node(node, false);
    writer.exact.then_some((writer.out, writer.guard))
}

struct Writer {
    out: String,
    guard: Guard,
    /// Inside `(?i:..)`.
    folding: bool,
    /// Nothing has been met so far that the crate cannot do.
    exact: bool,
}

impl Writer {
    /// Writes a node; `followed` says that a match must consume at least one character behind it.
    fn node(&mut self, node: &Node, followed: bool) {
        match node {
            Node::Empty => self.out.push_str("(?:)"),
            Node::Literal(character) => {
                self.exact &= !self.folding || character.is_ascii();
                writer::literal(&mut self.out, *character);
            }
            Node::Any { newline } => self.out.push_str(if *newline { "(?s:.)" } else { "(?-s:.)" }),
            Node::Type(class_type) => {
                let mut out = String::from("[");
                writer::members(&mut out, *class_type, self);
                out.push(']');
                self.out.push_str(&out);
            }
            Node::Class(class) => {
                let mut out = String::new();
                writer::class(&mut out, class, self);
                self.out.push_str(&out);
            }
            Node::Property(property) => {
                let mut out = String::from("[");
                self.property(&mut out, property);
                out.push(']');
                self.out.push_str(&out);
            }
            Node::Anchor(anchor) => self.anchor(*anchor, followed),
            Node::Concat(nodes) => self.concat(nodes, followed),
            Node::Alternation(nodes) => {
                self.out.push_str("(?:");
                for (at, node) in nodes.iter().enumerate() {
                    if at > 0 {
                        self.out.push('|');
                    }
                    self.node(node, followed);
                }
                self.out.push(')');
            }
            Node::Capture { node, .. } => self.enclosed("(", node, followed),
            Node::Fold { ignore_case, node } => {
                let outer = std::mem::replace(&mut self.folding, *ignore_case);
                self.guard.ascii |= *ignore_case;
                self.enclosed(if *ignore_case { "(?i:" } else { "(?-i:" }, node, followed);
                self.folding = outer;
            }
            Node::Repeat(repeat) => self.repeat(repeat, followed),
            Node::LineBreak
            | Node::Grapheme
            | Node::Keep
            | Node::Look { .. }
            | Node::Atomic(_)
            | Node::Absent(_)
            | Node::Conditional { .. }
            | Node::Backreference { .. }
            | Node::Call(_) => self.exact = false,
        }
    }

    fn enclosed(&mut self, open: &str, node: &Node, followed: bool) {
        self.out.push_str(open);
        self.node(node, followed);
        self.out.push(')');
    }

    fn concat(&mut self, nodes: &[Node], followed: bool) {
        let last_consuming = nodes.iter().rposition(Node::consumes);
        for (at, node) in nodes.iter().enumerate() {
            let followed = followed || last_consuming.is_some_and(|last| last > at);
            self.node(node, followed);
        }
    }

    fn anchor(&mut self, anchor: Anchor, followed: bool) {
        let written = match anchor {
            Anchor::LineStart => {
                self.guard.no_final_newline |= !followed;
                "(?m:^)"
            }
            Anchor::LineEnd => "(?m:$)",
            Anchor::TextStart => r"\A",
            Anchor::TextEnd => r"\z",
            Anchor::WordBoundary { .. } => {
                self.guard.ascii = true;
                r"\b"
            }
            Anchor::NotWordBoundary { .. } => {
                self.guard.ascii = true;
                r"\B"
            }
            Anchor::TextEndNewline | Anchor::SearchStart => {
                self.exact = false;
                ""
            }
        };
        self.out.push_str(written);
    }

    fn repeat(&mut self, repeat: &Repeat, followed: bool) {
        let repeated_empty = repeat.max != Some(1) && !repeat.node.consumes();
        self.exact &= !repeated_empty && repeat.mode != RepeatMode::Possessive;
        self.enclosed("(?:", &repeat.node, followed);
        writer::repeat_operator(&mut self.out, repeat);
    }
}

impl ClassDialect for Writer {
    fn unicode_type(&mut self, out: &mut String, kind: TypeKind, negated: bool) {
        // The crate's Unicode tables are of another version than the C library's: leave other texts to that one.
        self.guard.ascii = true;
        writer::ascii_members(out, kind, negated);
    }

    fn property(&mut self, out: &mut String, property: &Property) {
        let name = property.name.to_ascii_lowercase();
        match TypeKind::ALL.iter().find(|(kind, known)| *known == name && *kind != TypeKind::Punct) {
            Some((kind, _)) => {
                let class_type = ClassType { kind: *kind, negated: property.negated, ascii: false };
                writer::members(out, class_type, self);
            }
            None => self.exact = false,
        }
    }
}
