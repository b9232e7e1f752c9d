//! Mutate's `merge`: arrays to arrays, hashes to hashes.

use crate::event::Value;

/// Merges `added` into `merged`, which accumulates if it is an array or a hash, and gives the new value of the field.
pub fn merge(merged: &mut Value, added: Value) -> Option<Value> {
    match (merged, added) {
        (Value::Object(object), Value::Object(added)) => {
            for (key, value) in *added {
                object.insert(key, value);
            }
            Some(Value::Object(object.clone()))
        }
        (Value::Object(_), _) | (_, Value::Object(_)) => None,
        (Value::Array(items), added) => {
            items.extend(into_array(added));
            Some(Value::Array(items.clone()))
        }
        (scalar, added) => {
            let mut items = into_array(scalar.clone());
            items.extend(into_array(added));
            Some(Value::Array(items))
        }
    }
}

/// Ruby's `Array(value)` of anything but a hash.
fn into_array(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        scalar => vec![scalar],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        crate::event::json::parse(json, crate::event::json::Decimals::Double).expect("JSON")
    }

    #[test]
    fn merging_accumulates_only_in_arrays_and_hashes() {
        let merged = |target: &str, sources: &[&str]| {
            let mut target = value(target);
            sources.iter().fold(None, |_, source| merge(&mut target, value(source)))
        };
        assert_eq!(merged(r#"["a"]"#, &[r#""b""#, r#"["c"]"#, "null"]), Some(value(r#"["a","b","c"]"#)));
        assert_eq!(merged(r#""a""#, &[r#""b""#, "null"]), Some(value(r#"["a"]"#)));
        assert_eq!(merged("null", &["null"]), Some(value("[]")));
        assert_eq!(merged(r#"{"a":1}"#, &[r#"{"b":2}"#, r#"{"a":3}"#]), Some(value(r#"{"a":3,"b":2}"#)));
        assert_eq!(merged(r#"{"a":1}"#, &["1"]), None);
        assert_eq!(merged("1", &[r#"{"a":1}"#]), None);
    }
}
