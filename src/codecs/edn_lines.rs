//! Codec `edn_lines`: each line is a map in Clojure's data notation (logstash-codec-edn_lines).

use crate::event::{Event, FieldReference};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, Spec, options};

use super::edn;
use super::tokenizer::{Token, Tokenizer};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "edn_lines",
    summary: "Clojure's data notation, one map per line.",
    options: EdnLinesOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "output { stdout { codec => edn_lines } }", input: &[], output: &[] },
    build: Build::Codec(|reader| {
        let EdnLinesOptions { target } = EdnLinesOptions::read(reader)?;
        Some(Box::new(EdnLines { target, tokenizer: Tokenizer::new(b"\n") }))
    }),
};

options! {
    struct EdnLinesOptions {
        /// The field that gets the map. Without it: the event itself.
        target: Option<FieldReference>,
    }
}

#[derive(Debug, Clone)]
struct EdnLines {
    target: Option<FieldReference>,
    tokenizer: Tokenizer,
}

impl Codec for EdnLines {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let EdnLines { target, tokenizer } = self;
        tokenizer.extract(bytes, |token| emit(event_of(token, target.as_ref())));
    }

    fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        let EdnLines { target, tokenizer } = self;
        tokenizer.flush(|token| emit(event_of(token, target.as_ref())));
    }

    fn held(&self) -> usize {
        self.tokenizer.held()
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        edn::write_event(event, out);
        out.push(b'\n');
        Ok(())
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(EdnLines { tokenizer: self.tokenizer.fresh(), ..self.clone() })
    }
}

fn event_of(token: Token<'_>, target: Option<&FieldReference>) -> Event {
    let (Token::Whole(line) | Token::Cut(line)) = token;
    edn::event_of(SPEC.name, line, target)
}
