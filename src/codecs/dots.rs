//! Codec `dots`: writes a dot for every event, to see that something moves (logstash-codec-dots).

use crate::event::Event;
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, Spec, options};

use super::text;

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "dots",
    summary: "Writes a dot for every event.",
    options: Dots::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "output { stdout { codec => dots } }", input: &[], output: &[] },
    build: Build::Codec(|reader| Some(Box::new(Dots::read(reader)?))),
};

options! {
    #[derive(Debug, Clone)]
    struct Dots {}
}

impl Codec for Dots {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        emit(text::undecodable(SPEC.name, bytes));
    }

    fn encode(&self, _event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(b'.');
        Ok(())
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}
