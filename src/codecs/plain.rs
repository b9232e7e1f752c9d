//! Codec `plain`: all bytes of a read are one event's message (logstash-codec-plain).

use crate::event::{Event, Template};
use crate::plugin::{Apart, Build, Charset, Codec, EncodeError, Example, Kind, Spec, options};

use super::text::{self, Original};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "plain",
    summary: "Text without any structure: what is read at once is one event.",
    options: PlainOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"output { stdout { codec => plain { format => "%{host}: %{message}" } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        let options = PlainOptions::read(reader)?;
        Some(Box::new(Plain {
            charset: options.charset,
            format: options.format,
            original: Original::new(reader.ecs()),
        }))
    }),
};

options! {
    struct PlainOptions {
        /// The text to write for each event. Without it: timestamp, host and message.
        format: Option<Template>,
        /// The character encoding of what is read.
        charset: Charset = "UTF-8",
    }
}

#[derive(Debug, Clone)]
struct Plain {
    charset: Charset,
    format: Option<Template>,
    original: Original,
}

impl Codec for Plain {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        emit(self.original.event_of_message(&self.charset.decode(bytes)));
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        text::encode(self.format.as_ref(), event, out)
    }

    fn apart(&self) -> Apart {
        Apart::EveryPiece
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}
