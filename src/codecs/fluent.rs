//! Codec `fluent`: the forward protocol of Fluentd and Fluent Bit (logstash-codec-fluent).

mod entries;
#[cfg(test)]
mod tests;

use rmpv::Value as Packed;

use crate::event::{Event, FieldReference, TAGS, Timestamp, Value, text};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, Spec, options};

use super::packed::{self, Framer};
use super::target;

/// The extension type of times with nanoseconds (`EventTime` of the forward protocol).
const EVENT_TIME: i8 = 0;

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "fluent",
    summary: "The forward protocol of Fluentd and Fluent Bit.",
    options: FluentOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: "output { stdout { codec => fluent { nanosecond_precision => true } } }",
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        let options = FluentOptions::read(reader)?;
        Some(Box::new(Fluent { options, framer: Framer::default() }))
    }),
};

options! {
    #[derive(Debug, Clone)]
    struct FluentOptions {
        /// Whether times are written with nanoseconds. They are read either way.
        nanosecond_precision: bool = false,
        /// The field that gets the record. Without it: the event itself.
        target: Option<FieldReference>,
    }
}

#[derive(Debug, Clone)]
struct Fluent {
    options: FluentOptions,
    framer: Framer,
}

impl Codec for Fluent {
    /// Takes a stream: messages may be cut anywhere.
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let Fluent { options, framer } = self;
        framer.extract(bytes, |message| match message {
            Ok(message) => entries::decode(message, options.target.as_ref(), emit),
            Err((bytes, error)) => {
                emit(target::failure(SPEC.name, bytes, Some(entries::FAILURE_TAG), error));
            }
        });
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let tag = match event.data().get(TAGS) {
            None | Some(Value::Null | Value::Bool(false)) => "log".to_owned(),
            Some(Value::Array(tags)) => tags.iter().map(text::ruby_to_s).collect::<Vec<_>>().join("."),
            Some(other) => text::ruby_to_s(other),
        };
        let time = event.timestamp().unwrap_or(Timestamp::EPOCH);
        let time = match self.options.nanosecond_precision {
            true => event_time(time),
            false => Packed::from(time.epoch_seconds()),
        };
        let record = packed::of_object(event.data())?;
        packed::write(&Packed::Array(vec![tag.into(), time, record]), out)
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(Fluent { framer: Framer::default(), ..self.clone() })
    }
}

/// Seconds in 32 bits and nanoseconds, of which Logstash writes whole microseconds.
fn event_time(time: Timestamp) -> Packed {
    let nanos = time.nanos() / 1000 * 1000;
    let seconds = (time.epoch_seconds() & 0xFFFF_FFFF) as u32;
    Packed::Ext(EVENT_TIME, [seconds.to_be_bytes(), nanos.to_be_bytes()].concat())
}
