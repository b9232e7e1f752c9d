//! Filter `truncate`: shortens texts to a number of bytes (logstash-filter-truncate).

use crate::event::{Event, FieldReference, SetError, TAGS, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "truncate",
    summary: "Shortens texts to a number of bytes.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { truncate { fields => ["title", "[http][body]"] length_bytes => 4 add_tag => ["cut"] } }"#,
        input: &[r#"{"title":"naïve","http":{"body":["long text","ok"]}}"#, r#"{"title":"ok"}"#],
        output: &[r#"{"title":"naï","http":{"body":["long","ok"]},"tags":["cut"]}"#, r#"{"title":"ok"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Truncate::build(reader)?))),
};

/// The tag of an event with a field that Logstash cannot name and stops the pipeline at.
const ERROR_TAG: &str = "_truncateerror";

options! {
    struct Options {
        /// Fields to shorten: texts, arrays of texts, or hashes, whose fields are shortened at any depth; a hash must be
        /// written in brackets. None given: all fields.
        fields: Option<Vec<String>>,
        /// The most bytes a text may have. Characters are not cut apart.
        length_bytes: f64,
    }
}

#[derive(Debug)]
struct Truncate {
    fields: Option<Vec<Field>>,
    length_bytes: f64,
}

/// A field of the option `fields`.
#[derive(Debug)]
struct Field {
    reference: FieldReference,
    /// Logstash names what is inside by appending to the text of the option, which takes brackets.
    has_brackets: bool,
}

/// What ends the work on an event early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the hash {0} is not written in brackets, so that its fields have no names")]
    HashWithoutBrackets(FieldReference),
    #[error("the field name \"{0}\" cannot be part of a field reference")]
    Name(String),
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
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { fields, length_bytes } = Options::read(reader)?;
        let Some(names) = fields else { return Some(Truncate { fields: None, length_bytes }) };
        let mut fields = Vec::with_capacity(names.len());
        for name in &names {
            match FieldReference::parse(name) {
                Ok(reference) => fields.push(Field { reference, has_brackets: name.starts_with('[') }),
                Err(error) => reader.error("fields", error.to_string()),
            }
        }
        (fields.len() == names.len()).then_some(Truncate { fields: Some(fields), length_bytes })
    }

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
                check_names(event.data().keys())?;
                let tags = Field { reference: FieldReference::top_level(TAGS), has_brackets: true };
                changed |= self.truncate_field(&tags, event)?;
                for value in event.data_mut().values_mut() {
                    changed |= self.truncate(value)?;
                }
            }
        }
        Ok(changed)
    }

    fn truncate_field(&self, field: &Field, event: &mut Event) -> Result<bool, Failure> {
        if field.reference.as_top_level() == Some(TAGS) {
            // Tags must stay texts, which the event sees to.
            let Some(mut tags) = event.get(&field.reference).cloned() else { return Ok(false) };
            let changed = self.truncate(&mut tags)?;
            event.assign(&field.reference, tags)?;
            return Ok(changed);
        }
        match event.get_mut(&field.reference) {
            None => Ok(false),
            Some(Value::Object(object)) if !field.has_brackets && !object.is_empty() => {
                Err(Failure::HashWithoutBrackets(field.reference.clone()))
            }
            Some(value) => self.truncate(value),
        }
    }

    /// Shortens a value; hashes within arrays are left alone.
    fn truncate(&self, value: &mut Value) -> Result<bool, Failure> {
        let mut changed = false;
        match value {
            Value::Str(_) => changed = self.trim(value),
            Value::Array(items) => {
                for item in items {
                    changed |= self.trim(item);
                }
            }
            Value::Object(object) => {
                check_names(object.keys())?;
                for inner in object.values_mut() {
                    changed |= self.truncate(inner)?;
                }
            }
            _ => {}
        }
        Ok(changed)
    }

    /// Shortens what is a text; to null when the length is negative. Whether it changed.
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

/// Names with brackets, and the empty one, make no references.
fn check_names<'n>(mut names: impl Iterator<Item = &'n str>) -> Result<(), Failure> {
    match names.find(|name| name.is_empty() || name.contains(['[', ']'])) {
        Some(name) => Err(Failure::Name(name.to_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    fn truncate(fields: Option<&[&str]>, length_bytes: f64, event: &mut Event) -> Outcome {
        let field = |name: &&str| Field {
            reference: FieldReference::parse(name).unwrap(),
            has_brackets: name.starts_with('['),
        };
        let fields = fields.map(|fields| fields.iter().map(field).collect());
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
