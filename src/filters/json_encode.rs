//! Filter `json_encode`: writes a field as JSON text (logstash-filter-json_encode).

use crate::event::{Event, FieldReference, Value, json};
use crate::plugin::{Build, DecorateError, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "json_encode",
    summary: "Writes a field as JSON text.",
    options: JsonEncode::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { json_encode { source => "doc" target => "text" } }"#,
        input: &[r#"{"doc":{"a":[1,null]}}"#],
        output: &[r#"{"doc":{"a":[1,null]},"text":"{\"a\":[1,null]}"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(JsonEncode::read(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct JsonEncode {
        /// Field to write as JSON; a missing one is written as null.
        source: FieldReference,
        /// Field that takes the text. Without it the source is overwritten.
        target: Option<FieldReference>,
    }
}

impl Filter for JsonEncode {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let mut bytes = Vec::new();
        json::write_value(&mut bytes, event.get(&self.source).unwrap_or(&Value::Null));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match event.assign(self.target.as_ref().unwrap_or(&self.source), text) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                tracing::warn!(source = %self.source, %error, "trouble encoding json");
                event.tag(FAILURE_TAG);
                Outcome::Failed
            }
        }
    }

    fn decoration_failed(&self, _name: &str, event: &mut Event, error: &DecorateError) {
        tracing::warn!(source = %self.source, %error, "could not apply the common options");
        event.tag(FAILURE_TAG);
    }
}

const FAILURE_TAG: &str = "_jsongeneratefailure";
