//! What the codecs for text share: the field that keeps the original, events printed by a format, and codecs that
//! only write.

use std::io::Write as _;

use crate::event::{Event, FieldReference, SetError, Template, Text};
use crate::plugin::{EcsMode, EncodeError};

/// Where the text that an event was decoded from is kept: `[event][original]` with ECS, nowhere without.
#[derive(Debug, Clone)]
pub struct Original(Option<FieldReference>);

impl Original {
    pub fn new(ecs: EcsMode) -> Self {
        Original(ecs.is_enabled().then(|| FieldReference::top_level("event").child("original")))
    }

    /// Keeps the text unless the event brings an original of its own. Fails where `event` is not an object.
    pub fn keep(&self, event: &mut Event, text: &str) -> Result<(), SetError> {
        match &self.0 {
            Some(field) if !event.contains(field) => event.set(field, text),
            _ => Ok(()),
        }
    }

    /// Keeps the text even where the event brings an original of its own.
    pub fn replace(&self, event: &mut Event, text: &str) -> Result<(), SetError> {
        self.0.as_ref().map_or(Ok(()), |field| event.set(field, text))
    }

    /// An event of one line of text, which is its own original.
    pub fn event_of_message(&self, text: &str) -> Event {
        let text = Text::from(text);
        let mut event = Event::from_message(text.clone());
        if let Some(field) = &self.0 {
            // The new event has no field `event` that could be in the way.
            _ = event.set(field, text);
        }
        event
    }
}

/// Appends an event as a format prints it, or as `Event#to_s` does.
pub fn encode(format: Option<&Template>, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match format {
        Some(format) => {
            let start = out.len();
            format.render_bytes(event, out).map_err(|error| {
                out.truncate(start);
                EncodeError(error.to_string())
            })?;
        }
        // Writing to a vector does not fail.
        None => _ = write!(out, "{event}"),
    }
    Ok(())
}

/// The event that a codec makes of data it has no way to decode: the text as it is, tagged `_<codec>decodefailure`.
/// (Logstash raises "Not implemented", which ends the input.)
pub fn undecodable(codec: &str, bytes: &[u8]) -> Event {
    tracing::warn!(codec, "this codec only encodes: the data is kept as the message");
    let mut event = Event::from_message(String::from_utf8_lossy(bytes).into_owned());
    event.tag(&format!("_{codec}decodefailure"));
    event
}

/// Why a codec that only decodes writes nothing.
pub fn unencodable(codec: &str) -> EncodeError {
    EncodeError(format!("the codec {codec} only decodes; give the output another codec"))
}
