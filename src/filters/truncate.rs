//! Filter `truncate`: shortens texts to a number of bytes (logstash-filter-truncate).

use crate::event::{Event, FieldReference, InvalidReference, SetError, TAGS, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "truncate",
    summary: "Shortens texts to a number of bytes.",
    options: Truncate::OPTIONS,
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { truncate { fields => ["title", "[http][body]"] length_bytes => 4 add_tag => ["cut"] } }"#,
        input: &[r#"{"title":"naïve","http":{"body":["long text","ok"]}}"#, r#"{"title":"ok"}"#],
        output: &[r#"{"title":"naï","http":{"body":["long","ok"]},"tags":["cut"]}"#, r#"{"title":"ok"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Truncate::read(reader)?))),
};

/// The tag of an event with a field that Logstash cannot name and stops the pipeline at.
const ERROR_TAG: &str = "_truncateerror";

options! {
    #[derive(Debug)]
    pub struct Truncate {
        /// Fields to shorten: texts, arrays of texts, or hashes, whose fields are shortened at any depth; a hash must be
        /// written in brackets. None given: all fields.
        fields: Option<Vec<String>>,
        /// The most bytes a text may have. Characters are not cut apart.
        length_bytes: f64,
    }
}

/// What ends the work on an event early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Filter for Truncate {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.truncate_all(event) {
            Ok(true) => Outcome::Matched,
            Ok(false) => Outcome::Unmatched,
            Err(error) => {
                tracing::warn!(%error, "could not truncate a field");
                event.tag(ERROR_TAG);
                Outcome::Failed
            }
        }
    }
}

impl Truncate {
    /// Whether anything changed.
    fn truncate_all(&self, event: &mut Event) -> Result<bool, Failure> {
        let mut changed = false;
        match &self.fields {
            Some(fields) => {
                for field in fields {
                    changed |= self.truncate_field(field, event)?;
                }
            }
            None => {
                let names: Vec<String> = event.data().keys().map(|name| format!("[{name}]")).collect();
                for name in names {
                    changed |= self.truncate_field(&name, event)?;
                }
            }
        }
        Ok(changed)
    }

    fn truncate_field(&self, name: &str, event: &mut Event) -> Result<bool, Failure> {
        let field = FieldReference::parse(name)?;
        if field.as_top_level() == Some(TAGS) {
            // Tags must stay texts, which the event sees to.
            let Some(mut tags) = event.get(&field).cloned() else { return Ok(false) };
            let changed = self.truncate(&mut tags, name)?;
            event.assign(&field, tags)?;
            return Ok(changed);
        }
        event.get_mut(&field).map_or(Ok(false), |value| self.truncate(value, name))
    }

    /// Shortens a value; `name` is how Logstash names it.
    fn truncate(&self, value: &mut Value, name: &str) -> Result<bool, Failure> {
        match value {
            Value::Str(_) => Ok(self.trim(value)),
            Value::Array(items) => {
                let trimmed = items.iter_mut().map(|item| item.as_str().is_some() && self.trim(item));
                Ok(trimmed.fold(false, |any, trimmed| any | trimmed))
            }
            Value::Object(object) => {
                let keys: Vec<String> = object.keys().map(str::to_owned).collect();
                let mut changed = false;
                for key in keys {
                    let name = format!("{name}[{key}]");
                    FieldReference::parse(&name)?;
                    if let Some(inner) = object.get_mut(&key) {
                        changed |= self.truncate(inner, &name)?;
                    }
                }
                Ok(changed)
            }
            _ => Ok(false),
        }
    }

    /// Shortens a text; to null when the length is negative. Whether it changed.
    fn trim(&self, value: &mut Value) -> bool {
        let Value::Str(text) = value else { return false };
        if text.len() as f64 <= self.length_bytes {
            return false;
        }
        if self.length_bytes < 0.0 {
            *value = Value::Null;
            return true;
        }
        // The text is longer than the number, which therefore is an offset into it.
        let mut end = self.length_bytes as usize;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        *value = Value::from(text.get(..end).unwrap_or_default());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    fn truncate(fields: Option<&[&str]>, length_bytes: f64, event: &mut Event) -> Outcome {
        let fields = fields.map(|fields| fields.iter().map(|&field| field.into()).collect());
        Truncate { fields, length_bytes }.filter(event, &mut Emit::default())
    }

    #[test]
    fn a_hash_without_brackets_is_an_error() {
        let mut event = Event::from_message("abc");
        event
            .data_mut()
            .insert("h", Value::from(crate::event::Object::from_iter([("k", Value::from("abc"))])));
        assert_eq!(truncate(Some(&["message", "h"]), 1.0, &mut event), Outcome::Failed);
        assert_eq!(testkit::fields(&event), r#"{"h":{"k":"abc"},"message":"a","tags":["_truncateerror"]}"#);
        assert_eq!(truncate(Some(&["[h]"]), 1.0, &mut event), Outcome::Matched);
        assert_eq!(
            event.data().get("h").map(crate::event::text::ruby_to_s).as_deref(),
            Some("{\"k\" => \"a\"}")
        );
    }

    #[test]
    fn lengths_at_the_edges() {
        let after = |length| {
            let mut event = Event::from_message("é€");
            let outcome = truncate(Some(&["message"]), length, &mut event);
            (outcome, event.data().get("message").cloned())
        };
        assert_eq!(after(5.0), (Outcome::Unmatched, Some(Value::from("é€"))));
        assert_eq!(after(4.9), (Outcome::Matched, Some(Value::from("é"))));
        assert_eq!(after(1.0), (Outcome::Matched, Some(Value::from(""))));
        assert_eq!(after(0.0), (Outcome::Matched, Some(Value::from(""))));
        assert_eq!(after(-1.0), (Outcome::Matched, Some(Value::Null)));
    }
}
