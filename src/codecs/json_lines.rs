//! Codec `json_lines`: each line is a JSON document (logstash-codec-json_lines).

use crate::event::{Event, FieldReference};
use crate::plugin::{Apart, Build, Charset, Codec, EncodeError, Example, Kind, Spec, options};

use super::documents;
use super::terminal;
use super::tokenizer::{Token, Tokenizer};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "json_lines",
    summary: "Lines of JSON: an object, or an array of them, per line.",
    options: JsonLinesOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "output { stdout { codec => json_lines } }", input: &[], output: &[] },
    build: Build::Codec(|reader| {
        reader.text_only(&["delimiter"]);
        let options = JsonLinesOptions::read(reader)?;
        if options.delimiter.is_empty() {
            reader
                .error("delimiter", "is empty, so that lines would never end; leave it out for line breaks");
            return None;
        }
        if options.decode_size_limit_bytes == 0 {
            reader.error("decode_size_limit_bytes", "must be positive");
            return None;
        }
        documents::recommend_target(reader, options.target.as_ref());
        let delimiter = options.delimiter.as_bytes();
        Some(Box::new(JsonLines {
            tokenizer: Tokenizer::with_limit(delimiter, options.decode_size_limit_bytes),
            charset: options.charset,
            target: options.target,
            delimiter: options.delimiter.into(),
        }))
    }),
};

options! {
    struct JsonLinesOptions {
        /// The character encoding of what is read.
        charset: Charset = "UTF-8",
        /// What ends a line. A `\n` in it is a line break only with config.support_escapes.
        delimiter: String = "\n",
        /// The most bytes a line may have. The first bytes of a longer one become the message of an event with the tag
        /// _jsonparsefailure; the rest is dropped.
        decode_size_limit_bytes: usize = 536870912,
        /// The field that gets the document. Without it: the event itself.
        target: Option<FieldReference>,
    }
}

#[derive(Debug, Clone)]
struct JsonLines {
    charset: Charset,
    target: Option<FieldReference>,
    delimiter: Box<str>,
    tokenizer: Tokenizer,
}

impl Codec for JsonLines {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let JsonLines { charset, target, tokenizer, .. } = self;
        tokenizer.extract(bytes, |token| decode_line(token, charset, target.as_ref(), emit));
    }

    fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        let JsonLines { charset, target, tokenizer, .. } = self;
        tokenizer.flush(|token| decode_line(token, charset, target.as_ref(), emit));
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        crate::event::json::write_object(out, event.data());
        out.extend_from_slice(self.delimiter.as_bytes());
        Ok(())
    }

    fn encode_for_terminal(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        terminal::write_json(event.data(), out);
        out.extend_from_slice(self.delimiter.as_bytes());
        Ok(())
    }

    fn apart(&self) -> Apart {
        self.tokenizer.apart()
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(JsonLines { tokenizer: self.tokenizer.fresh(), ..self.clone() })
    }
}

fn decode_line(
    token: Token<'_>,
    charset: &Charset,
    target: Option<&FieldReference>,
    emit: &mut dyn FnMut(Event),
) {
    match token {
        Token::Whole(line) => {
            let text = charset.decode(line);
            documents::emit(documents::decode(&text, target), &text, emit);
        }
        Token::Cut(line) => {
            documents::emit(
                Err("line is longer than decode_size_limit_bytes".into()),
                &charset.decode(line),
                emit,
            );
        }
    }
}
