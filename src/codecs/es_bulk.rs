//! Codec `es_bulk`: the bulk format of Elasticsearch, an action and its document on a line each (logstash-codec-es_bulk).

use crate::event::json::{self, Decimals};
use crate::event::{Event, FieldReference, Object, Value};
use crate::plugin::{Build, Charset, Codec, EncodeError, Example, Kind, Spec, options};

use super::documents::recommend_target;
use super::target;
use super::text;
use super::tokenizer::{Token, Tokenizer};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "es_bulk",
    summary: "The bulk format of Elasticsearch: the events are the documents.",
    options: EsBulkOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "input { stdin { codec => es_bulk } }", input: &[], output: &[] },
    build: Build::Codec(|reader| {
        let options = EsBulkOptions::read(reader)?;
        recommend_target(reader, options.target.as_ref());
        let metadata = reader.ecs().select("[@metadata]", "[@metadata][codec][es_bulk]");
        Some(Box::new(EsBulk {
            target: options.target,
            metadata_field: FieldReference::parse(metadata).ok()?,
            charset: Charset::find("UTF-8").ok()?,
            tokenizer: Tokenizer::new(b"\n"),
            action: None,
        }))
    }),
};

options! {
    struct EsBulkOptions {
        /// The field that gets the document. Without it: the event itself.
        target: Option<FieldReference>,
    }
}

#[derive(Debug, Clone)]
struct EsBulk {
    target: Option<FieldReference>,
    /// Where the action goes.
    metadata_field: FieldReference,
    charset: Charset,
    tokenizer: Tokenizer,
    /// The action whose document comes next.
    action: Option<Object>,
}

impl Codec for EsBulk {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let mut tokenizer = std::mem::replace(&mut self.tokenizer, Tokenizer::new(b"\n"));
        tokenizer.extract(bytes, |token| self.take(token, emit));
        self.tokenizer = tokenizer;
    }

    fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        let mut tokenizer = std::mem::replace(&mut self.tokenizer, Tokenizer::new(b"\n"));
        tokenizer.flush(|token| self.take(token, emit));
    }

    fn held(&self) -> usize {
        self.tokenizer.held()
    }

    fn encode(&self, _event: &Event, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Err(text::unencodable(SPEC.name))
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(EsBulk { tokenizer: self.tokenizer.fresh(), action: None, ..self.clone() })
    }
}

impl EsBulk {
    fn take(&mut self, token: Token<'_>, emit: &mut dyn FnMut(Event)) {
        let (Token::Whole(line) | Token::Cut(line)) = token;
        let text = self.charset.decode(line);
        if text.trim().is_empty() && self.action.is_none() {
            return;
        }
        let taken = match text.trim().is_empty() {
            true => Ok(Value::Null),
            false => json::parse(&text, Decimals::Exact).map_err(|error| error.to_string()),
        };
        if let Err(error) = taken.and_then(|value| self.take_value(value, emit)) {
            tracing::error!(
                error,
                "a line of the bulk format is left out; ES Bulk messages must be in UTF-8 JSON"
            );
        }
    }

    fn take_value(&mut self, value: Value, emit: &mut dyn FnMut(Event)) -> Result<(), String> {
        if let Some(action) = self.action.take() {
            emit(self.event(value, action)?);
            return Ok(());
        }
        let Value::Object(line) = value else {
            return Err(format!("found {}, but an action is an object", value.kind()));
        };
        let Some((name, Value::Object(metadata))) = line.iter().next() else {
            return Err("an action is an object with its metadata under its name".into());
        };
        let mut metadata = (**metadata).clone();
        metadata.insert("action", Value::from(name));
        match name {
            // There is no document to what is deleted: an empty one stands for it.
            "delete" => emit(self.event(Value::from(Object::new()), metadata)?),
            _ => self.action = Some(metadata),
        }
        Ok(())
    }

    fn event(&self, document: Value, action: Object) -> Result<Event, String> {
        let mut event = target::event_of(document, self.target.as_ref())?;
        event.set(&self.metadata_field, action).map_err(|error| error.to_string())?;
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::codecs::testkit::{codec, data, decode, decode_one};
    use crate::plugin::EcsMode;

    const BULK: &str = concat!(
        r#"{"index":{"_index":"test","_id":"1"}}"#,
        "\n",
        r#"{"field1":"value1"}"#,
        "\n",
        r#"{"delete":{"_index":"test","_id":"2"}}"#,
        "\n",
        r#"{"create":{"_id":"3"}}"#,
        "\n",
        r#"{"field1":"value3"}"#,
    );

    #[test]
    fn documents_carry_their_action() {
        let mut bulk = codec("es_bulk", EcsMode::Disabled).unwrap();
        let pieces: Vec<_> = BULK.as_bytes().chunks(10).collect();
        let events: Vec<_> = decode(&mut *bulk, &pieces).iter().map(data).collect();
        assert_eq!(
            events,
            [
                json!({"field1": "value1", "@metadata": {"_index": "test", "_id": "1", "action": "index"}}),
                json!({"@metadata": {"_index": "test", "_id": "2", "action": "delete"}}),
                json!({"field1": "value3", "@metadata": {"_id": "3", "action": "create"}}),
            ]
        );
        let ecs = decode_one("es_bulk { target => '[doc]' }", EcsMode::V8, BULK.as_bytes());
        assert_eq!(
            data(&ecs[0]),
            json!({"doc": {"field1": "value1"},
                "@metadata": {"codec": {"es_bulk": {"_index": "test", "_id": "1", "action": "index"}}}})
        );
    }

    #[test]
    fn lines_that_are_not_json_are_left_out() {
        let text = "\n{\"index\":{}}\n{broken\n{\"a\":1}\n[]\n{\"index\":5}\n{}\n";
        let events = decode_one("es_bulk", EcsMode::Disabled, text.as_bytes());
        assert_eq!(
            events.iter().map(data).collect::<Vec<_>>(),
            [json!({"a": 1, "@metadata": {"action": "index"}})]
        );
    }
}
