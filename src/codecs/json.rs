//! Codec `json`: one JSON document is one event, an array of objects several (logstash-codec-json).

use crate::event::{Event, FieldReference};
use crate::plugin::{Apart, Build, Charset, Codec, EncodeError, Example, Kind, Spec, options};

use super::documents::{self, Documents};
use super::terminal;
use super::text::Original;

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "json",
    summary: "One JSON object, or an array of them, per message.",
    options: JsonOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"input { stdin { codec => json { target => "[document]" } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        let options = JsonOptions::read(reader)?;
        documents::recommend_target(reader, options.target.as_ref());
        Some(Box::new(Json {
            charset: options.charset,
            target: options.target,
            original: Original::new(reader.ecs()),
        }))
    }),
};

options! {
    struct JsonOptions {
        /// The character encoding of what is read.
        charset: Charset = "UTF-8",
        /// The field that gets the document. Without it: the event itself.
        target: Option<FieldReference>,
    }
}

#[derive(Debug, Clone)]
struct Json {
    charset: Charset,
    target: Option<FieldReference>,
    original: Original,
}

impl Codec for Json {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let text = self.charset.decode(bytes);
        let decoded = documents::decode(&text, self.target.as_ref()).and_then(|mut documents| {
            if let Documents::One(event) = &mut documents {
                self.original.keep(event, &text).map_err(|error| error.to_string())?;
            }
            Ok(documents)
        });
        documents::emit(decoded, &text, emit);
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        crate::event::json::write_object(out, event.data());
        Ok(())
    }

    fn encode_for_terminal(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        terminal::write_json(event.data(), out);
        Ok(())
    }

    fn apart(&self) -> Apart {
        Apart::EveryPiece
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}
