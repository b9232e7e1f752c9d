//! Filter `json`: reads JSON from a field (logstash-filter-json).

use crate::event::json;
use crate::event::{
    Event, FieldReference, InvalidReference, METADATA, Object, SetError, TAGS, TIMESTAMP, Timestamp, Value,
    text,
};
use crate::plugin::{Build, DecorateError, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "json",
    summary: "Reads JSON from a field.",
    options: Json::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { json { source => "message" target => "doc" } }"#,
        input: &[r#"{"message":"{\"a\":[1,2]}"}"#, r#"{"message":"no json"}"#],
        output: &[
            r#"{"message":"{\"a\":[1,2]}","doc":{"a":[1,2]}}"#,
            r#"{"message":"no json","tags":["_jsonparsefailure"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Json::read(reader)?))),
};

/// The tag of an event whose document has an `@timestamp` that is none, and the field that then keeps it.
const TIMESTAMP_FAILURE_TAG: &str = "_timestampparsefailure";
const TIMESTAMP_FAILURE_FIELD: &str = "_@timestamp";

options! {
    #[derive(Debug)]
    pub struct Json {
        /// Field that holds the JSON.
        source: FieldReference,
        /// Field that takes the document. Without it the document must be an object, and its fields become the event's.
        target: Option<FieldReference>,
        /// Tags added to an event whose field is not JSON.
        tag_on_failure: Vec<String> = ["_jsonparsefailure"],
        /// Pass events on untouched and without a tag when the field is not JSON.
        skip_on_invalid_json: bool = false,
    }
}

/// A document that was read but does not fit into the event.
#[derive(Debug, thiserror::Error)]
enum Misfit {
    #[error("a document that is no object needs the option target")]
    NotAnObject,
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Filter for Json {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let document = match event.get(&self.source) {
            None | Some(Value::Null | Value::Bool(false)) => return Outcome::Unmatched,
            Some(Value::Str(source)) => json::load(source).map_err(|error| error.to_string()),
            Some(other) => Err(format!("a {} is no JSON text", other.kind())),
        };
        let document = match document {
            Ok(document) => document,
            Err(_) if self.skip_on_invalid_json => return Outcome::Unmatched,
            Err(error) => return self.failed(event, &error),
        };
        let stored = match (&self.target, document) {
            (Some(target), document) => event.assign(target, document).map_err(Misfit::from),
            (None, Value::Object(object)) => merge(event, *object),
            (None, _) => Err(Misfit::NotAnObject),
        };
        match stored {
            Ok(()) => Outcome::Matched,
            Err(misfit) => self.failed(event, &misfit.to_string()),
        }
    }

    fn decoration_failed(&self, _name: &str, event: &mut Event, error: &DecorateError) {
        self.failed(event, &error.to_string());
    }
}

impl Json {
    fn failed(&self, event: &mut Event, error: &str) -> Outcome {
        tracing::warn!(source = %self.source, error, "error parsing json");
        for tag in &self.tag_on_failure {
            event.tag(tag);
        }
        Outcome::Failed
    }
}

/// Makes the fields of a document fields of the event. Those set before an illegal one stay.
fn merge(event: &mut Event, mut document: Object) -> Result<(), Misfit> {
    let time = document.remove(TIMESTAMP).filter(|time| !matches!(time, Value::Null | Value::Bool(false)));
    for (key, value) in document {
        if key.contains(['[', ']']) || key == TAGS || key == METADATA {
            event.assign(&FieldReference::parse(&key)?, value)?;
        } else {
            event.data_mut().insert(key, value);
        }
    }
    let Some(time) = time else { return Ok(()) };
    match time.as_str().and_then(Timestamp::parse) {
        Some(parsed) => event.set_timestamp(parsed),
        None => {
            event.set_timestamp(Timestamp::now());
            event.tag(TIMESTAMP_FAILURE_TAG);
            event.data_mut().insert(TIMESTAMP_FAILURE_FIELD, Value::from(text::ruby_to_s(&time)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        match json::load(text) {
            Ok(Value::Object(object)) => *object,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_last_document_counts() {
        assert_eq!(json::load(" {\"a\":1} \n[2]"), Ok(Value::Array(vec![Value::Int(2)])));
        assert_eq!(json::load("\u{FEFF}  "), Ok(Value::Null));
        assert!(json::load("{\"a\":1} trailing").is_err());
    }

    #[test]
    fn fields_before_an_illegal_one_stay() {
        let mut event = Event::new();
        assert!(merge(&mut event, object(r#"{"ok":1,"[bad":2,"late":3}"#)).is_err());
        assert_eq!(event.data().get("ok"), Some(&Value::Int(1)));
        assert!(!event.data().contains_key("late"));
        assert!(merge(&mut event, object(r#"{"tags":{"a":1}}"#)).is_err());
        assert!(merge(&mut event, object(r#"{"[x][y]":1,"@metadata":{"m":2}}"#)).is_ok());
        assert!(event.data().contains_key("x"));
        assert_eq!(event.metadata().get("m"), Some(&Value::Int(2)));
    }

    #[test]
    fn a_bad_time_is_kept_aside() {
        let mut event = Event::at(Timestamp::EPOCH);
        assert!(merge(&mut event, object(r#"{"@timestamp":"yesterday"}"#)).is_ok());
        assert_ne!(event.timestamp(), Some(Timestamp::EPOCH));
        assert_eq!(event.data().get(TIMESTAMP_FAILURE_FIELD), Some(&Value::from("yesterday")));
    }
}
