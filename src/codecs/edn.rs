//! Codec `edn`: Clojure's Extensible Data Notation, one map per message (logstash-codec-edn).

mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::event::{Event, FieldReference};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, Spec, options};

use super::target;

pub use write::write_event;

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "edn",
    summary: "Clojure's data notation, one map per message.",
    options: Edn::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: "output { stdout { codec => edn } }", input: &[], output: &[] },
    build: Build::Codec(|reader| Some(Box::new(Edn::read(reader)?))),
};

options! {
    #[derive(Debug, Clone)]
    struct Edn {
        /// The field that gets the map. Without it: the event itself.
        target: Option<FieldReference>,
    }
}

impl Codec for Edn {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        emit(event_of(SPEC.name, bytes, self.target.as_ref()));
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        write_event(event, out);
        Ok(())
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}

/// The event of the first form in a text; what cannot be read becomes its message, without a tag as in Logstash.
pub fn event_of(codec: &str, bytes: &[u8], target: Option<&FieldReference>) -> Event {
    let read = read::read(&String::from_utf8_lossy(bytes));
    read.and_then(|value| target::event_of(value, target))
        .unwrap_or_else(|error| target::failure(codec, bytes, None, &error))
}
