//! The fields of a mapping: what stands between `%{` and `}` (`FieldFactory.java` and the classes beside it).

use super::Named;
use crate::event::FieldReference;

/// Suffixes may name an order of up to two digits.
const MAX_ORDER_DIGITS: usize = 2;

/// What is done with the text of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Skip,
    Set,
    /// Appended to what the field holds, in this order.
    Append {
        order: u8,
    },
    /// Stored in the field that another field names.
    Indirect,
}

/// A field of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub name: String,
    /// The name as a reference, which is only looked at where a field is stored.
    pub reference: Named,
    pub action: Action,
    /// `->`: the delimiter behind it may be repeated.
    pub padded: bool,
}

/// A field that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidField {
    #[error("%{{{0}}} cannot both append and take its name from another field")]
    MixedPrefixes(String),
    #[error("%{{{0}}} is a prefix without a name")]
    PrefixAlone(String),
    #[error("%{{{0}}} has a prefix and a suffix, but no name")]
    NoName(String),
}

impl Field {
    /// # Errors
    /// When prefixes are mixed or stand alone.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        if text.starts_with("+&") || text.starts_with("&+") {
            return Err(InvalidField::MixedPrefixes(text.to_owned()));
        }
        let (prefix, rest) = match text.chars().next() {
            Some(prefix @ ('?' | '+' | '&')) => (Some(prefix), text.get(1..).unwrap_or_default()),
            _ => (None, text),
        };
        let (name, suffix) = split_suffix(rest);
        let must_have_name = matches!(prefix, Some('+' | '&'));
        if must_have_name && rest.is_empty() {
            return Err(InvalidField::PrefixAlone(text.to_owned()));
        }
        if must_have_name && name.is_empty() {
            return Err(InvalidField::NoName(text.to_owned()));
        }
        let action = match prefix {
            Some('+') => Action::Append { order: order(suffix) },
            Some('&') => Action::Indirect,
            Some(_) => Action::Skip,
            None if text.is_empty() => Action::Skip,
            None => Action::Set,
        };
        Ok(Field {
            name: name.to_owned(),
            reference: FieldReference::parse(name),
            action,
            padded: suffix.contains("->"),
        })
    }

    /// Where the field stands among those that are stored: appended ones come behind the others, and behind those
    /// the ones that other fields name. `None` for one that is not stored.
    pub fn rank(&self) -> Option<u32> {
        match self.action {
            Action::Skip => None,
            Action::Set => Some(1),
            Action::Append { order } => Some(100 + u32::from(order)),
            Action::Indirect => Some(1000),
        }
    }
}

/// The shortest name whose rest is a suffix. A text that is but a suffix has an empty name.
fn split_suffix(text: &str) -> (&str, &str) {
    if is_suffix(text) {
        return ("", text);
    }
    // Java's dot does not match the end of a line.
    if text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        return (text, "");
    }
    let starts = text.char_indices().skip(1).map(|(at, _)| at);
    let mut splits = starts.filter_map(|at| text.split_at_checked(at));
    splits.find(|(_, suffix)| is_suffix(suffix)).unwrap_or((text, ""))
}

/// `->`, `/1`, `/1->`, `->/1`, or nothing.
fn is_suffix(text: &str) -> bool {
    let is_order = |text: &str| {
        let digits = text.strip_prefix('/').unwrap_or_default();
        (1..=MAX_ORDER_DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    text.is_empty()
        || text == "->"
        || is_order(text)
        || text.strip_suffix("->").is_some_and(is_order)
        || text.strip_prefix("->").is_some_and(is_order)
}

fn order(suffix: &str) -> u8 {
    suffix.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_suffixes() {
        for (text, name, action, padded) in [
            ("a", "a", Action::Set, false),
            ("a->", "a", Action::Set, true),
            ("a/2", "a", Action::Set, false),
            ("+a/2->", "a", Action::Append { order: 2 }, true),
            ("+a->/12", "a", Action::Append { order: 12 }, true),
            ("+a/123", "a/123", Action::Append { order: 0 }, false),
            ("a->->", "a->", Action::Set, true),
            ("->", "", Action::Set, true),
            ("", "", Action::Skip, false),
            ("?", "", Action::Skip, false),
            ("?a->", "a", Action::Skip, true),
            ("&a", "a", Action::Indirect, false),
        ] {
            let field = Field::parse(text).unwrap();
            assert_eq!((field.name.as_str(), field.action, field.padded), (name, action, padded), "{text}");
        }
        for text in ["+", "&", "+->", "&/1", "+&a", "&+a"] {
            assert!(Field::parse(text).is_err(), "{text}");
        }
    }
}
