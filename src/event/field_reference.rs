//! Field references: `[a][b][0]`, `a`, `[@metadata][x]`, parsed once when the plugin is built.

use std::fmt;

use super::object::Key;

/// How `[` and `]` may be written inside a field name: the setting `config.field_reference.escape_style`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EscapeStyle {
    #[default]
    None,
    /// `%5B` and `%5D`
    Percent,
    /// `&#91;` and `&#93;`
    Ampersand,
}

impl EscapeStyle {
    fn unescape(self, fragment: &str) -> Key {
        match self {
            EscapeStyle::Percent if fragment.contains('%') => {
                percent_encoding::percent_decode_str(fragment).decode_utf8_lossy().as_ref().into()
            }
            EscapeStyle::Ampersand if fragment.contains('&') => unescape_ampersand(fragment),
            _ => Key::from(fragment),
        }
    }
}

/// Replaces decimal character references (`&#91;`); anything else stays as it is.
fn unescape_ampersand(fragment: &str) -> Key {
    let mut out = Key::default();
    let mut rest = fragment;
    while let Some(at) = rest.find("&#") {
        let (before, reference) = rest.split_at(at);
        out.push_str(before);
        let digits = reference.get(2..).and_then(|tail| tail.split_once(';'));
        let decoded = digits.and_then(|(number, tail)| Some((char::from_u32(number.parse().ok()?)?, tail)));
        match decoded {
            Some((character, tail)) => {
                out.push(character);
                rest = tail;
            }
            None => {
                out.push_str("&#");
                rest = reference.get(2..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// Which map of the event a reference looks into (`FieldReference.java`'s three types).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Root {
    Data,
    /// A field below `[@metadata]`.
    Metadata,
    /// `[@metadata]` itself.
    WholeMetadata,
}

/// A parsed reference to a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldReference {
    root: Root,
    parents: Box<[Segment]>,
    last: Segment,
}

/// One step of a path: a name, with the array index it also is (`0`, `-1`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Segment {
    pub name: Key,
    pub index: Option<i32>,
}

impl Segment {
    fn new(name: Key) -> Self {
        // Java's Integer.parseInt, which also takes a leading plus.
        let index = name.parse().ok();
        Segment { name, index }
    }
}

/// The text is not a field reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid FieldReference: `{text}`")]
pub struct InvalidReference {
    pub text: String,
}

impl FieldReference {
    /// Parses strictly, as `FieldReference.java`'s `StrictTokenizer` does.
    pub fn parse(text: &str) -> Result<Self, InvalidReference> {
        Self::parse_with(text, EscapeStyle::None)
    }

    /// Like [`parse`](Self::parse), with an escape style for brackets in names.
    pub fn parse_with(text: &str, style: EscapeStyle) -> Result<Self, InvalidReference> {
        let fragments = fragments(text).ok_or_else(|| InvalidReference { text: text.to_owned() })?;
        let mut path: Vec<Segment> =
            fragments.iter().map(|part| Segment::new(style.unescape(part))).collect();
        let last = path.pop().ok_or_else(|| InvalidReference { text: text.to_owned() })?;
        let root = match path.first() {
            None if last.name == "@metadata" => Root::WholeMetadata,
            Some(first) if first.name == "@metadata" => {
                path.remove(0);
                Root::Metadata
            }
            _ => Root::Data,
        };
        Ok(FieldReference { root, parents: path.into(), last })
    }

    /// A reference to a top-level field with exactly this name.
    pub fn top_level(name: &str) -> Self {
        FieldReference { root: Root::Data, parents: Box::default(), last: Segment::new(name.into()) }
    }

    pub fn root(&self) -> Root {
        self.root
    }

    /// The steps above the last one.
    pub fn parents(&self) -> &[Segment] {
        &self.parents
    }

    pub fn last(&self) -> &Segment {
        &self.last
    }

    /// The name of the field when the reference is to a top-level field of the data.
    pub fn as_top_level(&self) -> Option<&str> {
        (self.root == Root::Data && self.parents.is_empty()).then_some(self.last.name.as_str())
    }

    /// The reference to `name` below this one.
    pub fn child(&self, name: &str) -> Self {
        if self.root == Root::WholeMetadata {
            return FieldReference {
                root: Root::Metadata,
                parents: Box::default(),
                last: Segment::new(name.into()),
            };
        }
        let mut parents = self.parents.to_vec();
        parents.push(self.last.clone());
        FieldReference { root: self.root, parents: parents.into(), last: Segment::new(name.into()) }
    }
}

/// Splits a reference into its names; `None` where it is ambiguous or unbalanced.
fn fragments(text: &str) -> Option<Vec<&str>> {
    if !text.contains(['[', ']']) {
        return Some(vec![text]);
    }
    let mut fragments = Vec::new();
    let (mut depth, mut start, mut previous) = (0usize, 0usize, '\0');
    for (at, current) in text.char_indices() {
        match current {
            '[' => {
                if start != at {
                    return None;
                }
                depth += 1;
                start = at + 1;
            }
            ']' => {
                if depth == 0 || (start == at && previous != ']') {
                    return None;
                }
                if start < at {
                    fragments.push(text.get(start..at)?);
                }
                depth -= 1;
                start = at + 1;
            }
            _ if previous == ']' => return None,
            _ => {}
        }
        previous = current;
    }
    (depth == 0).then_some(fragments)
}

impl fmt::Display for FieldReference {
    /// Bracket form, `[a][b]`; a top-level field by its bare name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.as_top_level() {
            return f.write_str(name);
        }
        if self.root == Root::Metadata {
            f.write_str("[@metadata]")?;
        }
        for segment in self.parents.iter().chain([&self.last]) {
            write!(f, "[{}]", segment.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_references() {
        for (text, shown) in [
            ("a", "a"),
            ("[a]", "a"),
            ("[a][b][0]", "[a][b][0]"),
            ("[[a][b]]", "[a][b]"),
            ("[@metadata][x]", "[@metadata][x]"),
            ("@metadata", "[@metadata]"),
            ("", ""),
            ("with space.dot", "with space.dot"),
        ] {
            assert_eq!(FieldReference::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn invalid_references() {
        for text in ["[a", "a]", "[]", "[a]b", "a[b]", "[a][]", "][", "[a]]", "[a b][c"] {
            assert!(FieldReference::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn escaped_brackets() {
        let percent = FieldReference::parse_with("[a%5Bb%5D]", EscapeStyle::Percent).unwrap();
        assert_eq!(percent.last().name, "a[b]");
        let ampersand = FieldReference::parse_with("[a&#91;b&#93;&x]", EscapeStyle::Ampersand).unwrap();
        assert_eq!(ampersand.last().name, "a[b]&x");
    }
}
