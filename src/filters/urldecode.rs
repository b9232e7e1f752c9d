//! Filter `urldecode`: decodes `%41` and the like in fields (logstash-filter-urldecode).

use std::borrow::Cow;

use crate::event::{Event, FieldReference, InvalidReference, SetError, Value};
use crate::plugin::{Build, Charset, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "urldecode",
    summary: "Decodes URL-encoded fields.",
    options: UrlDecode::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { urldecode { field => "q" } }"#,
        input: &[r#"{"q":"caf%C3%A9+%26%20bar","raw":"%41"}"#],
        output: &[r#"{"q":"café+& bar","raw":"%41"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(UrlDecode::read(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct UrlDecode {
        /// Field to decode: text, or an array or a hash of texts. A missing one becomes null.
        field: FieldReference = "message",
        /// Decode every field of the event.
        all_fields: bool = false,
        /// Tags added when a field cannot be set.
        tag_on_failure: Vec<String> = ["_urldecodefailure"],
        /// The character encoding of the decoded bytes.
        charset: Charset = "UTF-8",
    }
}

/// A field that could not be set.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Filter for UrlDecode {
    /// The common options apply even after a failure.
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let decoded = if self.all_fields { self.decode_all(event) } else { self.decode_field(event) };
        if let Err(error) = decoded {
            tracing::warn!(%error, "could not set a decoded field");
            for tag in &self.tag_on_failure {
                event.tag(tag);
            }
        }
        Outcome::Matched
    }
}

impl UrlDecode {
    fn decode_field(&self, event: &mut Event) -> Result<(), Failure> {
        match event.get_mut(&self.field) {
            Some(value) => self.decode(value),
            None => event.assign(&self.field, Value::Null)?,
        }
        Ok(())
    }

    fn decode_all(&self, event: &mut Event) -> Result<(), Failure> {
        // A name with brackets is taken for a reference, so that its value goes elsewhere.
        if event.data().keys().any(|name| name.contains(['[', ']'])) {
            let fields: Vec<_> =
                event.data().iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
            for (name, mut value) in fields {
                self.decode(&mut value);
                event.assign(&FieldReference::parse(&name)?, value)?;
            }
            return Ok(());
        }
        event.data_mut().values_mut().for_each(|value| self.decode(value));
        Ok(())
    }

    /// Decodes texts at any depth; keys stay as they are.
    fn decode(&self, value: &mut Value) {
        match value {
            Value::Str(text) => {
                if let Some(decoded) = self.decode_text(text) {
                    *value = Value::from(decoded);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.decode(item)),
            Value::Object(object) => object.values_mut().for_each(|item| self.decode(item)),
            _ => {}
        }
    }

    /// The decoded text, unless it is the same.
    fn decode_text(&self, text: &str) -> Option<String> {
        let bytes = match text.contains('%') {
            true => unescape(text.as_bytes()),
            false => Cow::Borrowed(text.as_bytes()),
        };
        // What was no escape is in the same encoding for Logstash as what was one.
        match self.charset.decode(&bytes) {
            Cow::Borrowed(decoded) => (decoded != text).then(|| decoded.to_owned()),
            Cow::Owned(decoded) => Some(decoded),
        }
    }
}

/// Replaces each `%` with two hexadecimal digits behind it by the byte that they mean.
fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    percent_encoding::percent_decode(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    fn filter(charset: &str, all_fields: bool) -> UrlDecode {
        UrlDecode {
            field: FieldReference::top_level("message"),
            all_fields,
            tag_on_failure: vec!["_urldecodefailure".into()],
            charset: Charset::find(charset).unwrap(),
        }
    }

    #[test]
    fn bytes_are_read_in_their_encoding() {
        for (charset, text, decoded) in [
            ("UTF-8", "%e9t%C3%A9%2", "\\xE9té%2"),
            ("ISO-8859-1", "%e9t%E9", "été"),
            ("Shift_JIS", "%83%65%83X%83g", "テスト"),
        ] {
            let mut event = Event::from_message(text);
            filter(charset, false).filter(&mut event, &mut Emit::default());
            assert_eq!(event.data().get("message"), Some(&Value::from(decoded)), "{text}");
        }
    }

    #[test]
    fn names_with_brackets_are_references() {
        let mut event = Event::from_message("%41");
        event.data_mut().insert("[x][y]", Value::from("%42"));
        event.data_mut().insert("z[", Value::from("%43"));
        filter("UTF-8", true).filter(&mut event, &mut Emit::default());
        let expected =
            r#"{"[x][y]":"%42","message":"A","tags":["_urldecodefailure"],"x":{"y":"B"},"z[":"%43"}"#;
        assert_eq!(testkit::fields(&event), expected);
    }
}
