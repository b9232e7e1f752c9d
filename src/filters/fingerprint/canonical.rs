//! Values as the text that is hashed: the same for equal values, whatever the order of their keys.

use std::borrow::Cow;

use crate::event::{Value, text};

/// Ruby's `to_s` of scalars; the elements of arrays, and the keys and values of hashes sorted by key, with `|` between
/// (`to_canonical_value` of the plugin).
pub fn canonical(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Str(text) => Cow::Borrowed(text),
        Value::Array(_) | Value::Object(_) => {
            let mut out = String::new();
            push(&mut out, value);
            Cow::Owned(out)
        }
        scalar => Cow::Owned(text::ruby_to_s(scalar)),
    }
}

fn push(out: &mut String, value: &Value) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "|" } else { "" });
                push(out, item);
            }
        }
        Value::Object(object) => {
            let mut fields: Vec<_> = object.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (at, (name, item)) in fields.into_iter().enumerate() {
                out.push_str(if at > 0 { "|" } else { "" });
                out.extend([name, "|"]);
                push(out, item);
            }
        }
        scalar => out.push_str(&canonical(scalar)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::json::{Decimals, parse};

    #[test]
    fn nested_values() {
        // Worked out by hand from to_canonical_value.
        for (json, text) in [
            (r#"{"b":[1,null,"x"],"a":{"z":1.0,"y":true}}"#, "a|y|true|z|1.0|b|1||x"),
            (r#"[[1,[2]],{}]"#, "1|2|"),
            ("1e20", "1.0e+20"),
            ("null", ""),
        ] {
            assert_eq!(canonical(&parse(json, Decimals::Double).unwrap()), text, "{json}");
        }
    }
}
