//! Bodies of searches: what the option `query` says, and what each page adds to it (`paginated_search.rb`).

use crate::elasticsearch::Info;
use crate::event::{Key, Object, Value, json};

/// Reads the body of a search.
///
/// # Errors
/// Why it is none.
pub(super) fn parse(text: &str) -> Result<Object, String> {
    match json::load(text) {
        Ok(Value::Object(body)) => Ok(*body),
        Ok(other) => {
            Err(format!("expected a JSON object such as {{ \"query\": ... }}, this is a {}", other.kind()))
        }
        Err(error) => Err(format!("it is no JSON: {error}")),
    }
}

pub(super) fn bytes(body: &Object) -> Vec<u8> {
    let mut bytes = Vec::new();
    json::write_object(&mut bytes, body);
    bytes
}

pub(super) fn object<const N: usize>(pairs: [(&'static str, Value); N]) -> Value {
    Value::from(pairs.into_iter().map(|(key, value)| (Key::const_new(key), value)).collect::<Object>())
}

/// The part of a search that one task reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slice {
    pub id: u32,
    pub max: u32,
}

impl Slice {
    /// Adds the part to the body; a search that is not cut needs no word of it.
    pub fn add_to(self, body: &mut Object) {
        if self.max > 1 {
            let number = |number: u32| Value::Int(i64::from(number));
            body.insert("slice", object([("id", number(self.id)), ("max", number(self.max))]));
        }
    }
}

/// Makes the order of a search one in which no two documents stand at the same place, so that what comes after a
/// document is well-defined. Elasticsearch does so itself in a point in time, once there is any order; OpenSearch
/// does not.
pub(super) fn settle_sort(body: &mut Object, info: &Info) {
    let ascending = |field: &'static str| object([(field, Value::from("asc"))]);
    if !info.is_opensearch {
        if body.get("sort").is_none_or(Value::is_null) {
            body.insert("sort", ascending("_shard_doc"));
        }
        return;
    }
    let mut fields = match body.remove("sort") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(fields)) => fields,
        Some(field) => vec![field],
    };
    let is_unique = |field: &Value| match field {
        Value::Str(name) => matches!(&**name, "_id" | "_shard_doc"),
        Value::Object(field) => field.contains_key("_id") || field.contains_key("_shard_doc"),
        _ => false,
    };
    if !fields.iter().any(is_unique) {
        fields.push(ascending("_id"));
    }
    body.insert("sort", Value::Array(fields));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(body: &str, is_opensearch: bool) -> String {
        let mut body = parse(body).unwrap();
        settle_sort(&mut body, &Info { is_opensearch, ..Info::default() });
        String::from_utf8(bytes(&body)).unwrap()
    }

    #[test]
    fn every_document_has_a_place_of_its_own() {
        assert_eq!(settled("{}", false), r#"{"sort":{"_shard_doc":"asc"}}"#);
        assert_eq!(settled(r#"{"sort":["_doc"]}"#, false), r#"{"sort":["_doc"]}"#);
        assert_eq!(settled("{}", true), r#"{"sort":[{"_id":"asc"}]}"#);
        assert_eq!(settled(r#"{"sort":"n"}"#, true), r#"{"sort":["n",{"_id":"asc"}]}"#);
        assert_eq!(settled(r#"{"sort":[{"_id":"desc"}]}"#, true), r#"{"sort":[{"_id":"desc"}]}"#);
    }

    #[test]
    fn bodies_are_objects() {
        assert!(parse("*").is_err());
        assert!(parse("[1]").unwrap_err().contains("array"));
    }
}
