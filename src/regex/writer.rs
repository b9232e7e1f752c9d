//! Spells a syntax tree out again in the syntax that both engines share.
use super::ast::{Class, ClassItem, ClassType, Property, Repeat, RepeatMode, TypeKind};

/// What the two engines read differently inside a class.
pub(super) trait ClassDialect {
    /// Writes the members of a class whose Unicode members count.
    fn unicode_type(&mut self, out: &mut String, kind: TypeKind, negated: bool);
    /// Writes the members of a class limited to ASCII, or all characters but these.
    fn ascii_type(&mut self, out: &mut String, kind: TypeKind, negated: bool) {
        ascii_members(out, kind, negated);
    }
    /// Writes a property as it stands inside brackets.
    fn property(&mut self, out: &mut String, property: &Property);
}

/// Writes a character so that it stands for itself outside of brackets.
pub(super) fn literal(out: &mut String, character: char) {
    match character {
        '\\' | '.' | '*' | '?' | '+' | '^' | '$' | '|' | '(' | ')' | '[' | ']' | '{' | '}' | '-' | '#' => {
            out.push('\\');
            out.push(character);
        }
        _ if character.is_control() => code_point(out, character),
        _ => out.push(character),
    }
}

fn code_point(out: &mut String, character: char) {
    out.push_str(&format!("\\x{{{:X}}}", u32::from(character)));
}

fn class_character(out: &mut String, character: char) {
    match character.is_ascii_alphanumeric() {
        true => out.push(character),
        false => code_point(out, character),
    }
}

/// Writes a bracket expression.
pub(super) fn class(out: &mut String, class: &Class, dialect: &mut impl ClassDialect) {
    out.push_str(if class.negated { "[^" } else { "[" });
    match class.unions.as_slice() {
        [only] if !only.is_empty() => union(out, only, dialect),
        unions => {
            for (at, items) in unions.iter().enumerate() {
                if at > 0 {
                    out.push_str("&&");
                }
                out.push('[');
                match items.is_empty() {
                    true => out.push_str(r"^\x{0}-\x{10FFFF}"),
                    false => union(out, items, dialect),
                }
                out.push(']');
            }
        }
    }
    out.push(']');
}

fn union(out: &mut String, items: &[ClassItem], dialect: &mut impl ClassDialect) {
    for item in items {
        match item {
            ClassItem::Range(low, high) if low == high => class_character(out, *low),
            ClassItem::Range(low, high) => {
                class_character(out, *low);
                out.push('-');
                class_character(out, *high);
            }
            ClassItem::Type(class_type) => members(out, *class_type, dialect),
            ClassItem::Property(property) => dialect.property(out, property),
            ClassItem::Nested(nested) => class(out, nested, dialect),
        }
    }
}

/// Writes a class letter or POSIX class as it stands inside brackets.
pub(super) fn members(out: &mut String, class_type: ClassType, dialect: &mut impl ClassDialect) {
    let ClassType { kind, negated, ascii } = class_type;
    if !ascii && !matches!(kind, TypeKind::Xdigit | TypeKind::Ascii) {
        return dialect.unicode_type(out, kind, negated);
    }
    dialect.ascii_type(out, kind, negated);
}

/// Writes the ASCII members of `kind`, or all characters but these, as they stand inside brackets.
pub(super) fn ascii_members(out: &mut String, kind: TypeKind, negated: bool) {
    if negated {
        out.push_str("[^");
        out.push_str(kind.ascii_members());
        out.push(']');
    } else {
        out.push_str(kind.ascii_members());
    }
}

/// Writes the operator behind a repeated operand.
pub(super) fn repeat_operator(out: &mut String, repeat: &Repeat) {
    match (repeat.min, repeat.max) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        (min, None) => out.push_str(&format!("{{{min},}}")),
        (min, Some(max)) if min == max => {
            // A fixed count is the same greedy and lazy, and in Ruby's syntax `{n}?` would mean something else.
            out.push_str(&format!("{{{min}}}"));
            return;
        }
        (min, Some(max)) => out.push_str(&format!("{{{min},{max}}}")),
    }
    match repeat.mode {
        RepeatMode::Greedy => {}
        RepeatMode::Lazy => out.push('?'),
        RepeatMode::Possessive => out.push('+'),
    }
}
