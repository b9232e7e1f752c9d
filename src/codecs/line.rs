//! Codec `line`: each line is one event's message (logstash-codec-line).

use crate::event::{Event, Template};
use crate::plugin::{Apart, Build, Charset, Codec, EncodeError, Example, Kind, Spec, options};

use super::text::{self, Original};
use super::tokenizer::{Token, Tokenizer};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "line",
    summary: "Lines of text: each line is one event.",
    options: LineOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"output { stdout { codec => line { format => "%{host}: %{message}" } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        reader.text_only(&["delimiter"]);
        let options = LineOptions::read(reader)?;
        if options.delimiter.is_empty() {
            reader
                .error("delimiter", "is empty, so that lines would never end; leave it out for line breaks");
            return None;
        }
        Some(Box::new(Line {
            charset: options.charset,
            format: options.format,
            tokenizer: Tokenizer::new(options.delimiter.as_bytes()),
            delimiter: options.delimiter.into(),
            original: Original::new(reader.ecs()),
        }))
    }),
};

options! {
    struct LineOptions {
        /// The text to write for each event. Without it: timestamp, host and message.
        format: Option<Template>,
        /// The character encoding of what is read.
        charset: Charset = "UTF-8",
        /// What ends a line. A `\n` in it is a line break only with config.support_escapes.
        delimiter: String = "\n",
    }
}

#[derive(Debug, Clone)]
struct Line {
    charset: Charset,
    format: Option<Template>,
    delimiter: Box<str>,
    tokenizer: Tokenizer,
    original: Original,
}

impl Codec for Line {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let Line { charset, tokenizer, original, .. } = self;
        tokenizer.extract(bytes, |token| emit(event_of(token, charset, original)));
    }

    fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        let Line { charset, tokenizer, original, .. } = self;
        tokenizer.flush(|token| emit(event_of(token, charset, original)));
    }

    fn held(&self) -> usize {
        self.tokenizer.held()
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        text::encode(self.format.as_ref(), event, out)?;
        out.extend_from_slice(self.delimiter.as_bytes());
        Ok(())
    }

    fn apart(&self) -> Apart {
        self.tokenizer.apart()
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(Line { tokenizer: self.tokenizer.fresh(), ..self.clone() })
    }
}

fn event_of(token: Token<'_>, charset: &Charset, original: &Original) -> Event {
    let (Token::Whole(line) | Token::Cut(line)) = token;
    original.event_of_message(&charset.decode(line))
}
