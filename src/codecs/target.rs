//! Events of decoded data, in the event itself or under the option `target` (the mixin event_support).

use crate::event::{Event, FieldReference, Value};

/// The event of what was decoded: an object's fields, or any value in the field `target`. Null makes an event without
/// fields of its own. Fails where there is no target and the data is neither.
pub fn event_of(data: Value, target: Option<&FieldReference>) -> Result<Event, String> {
    match (data, target) {
        (data, Some(target)) => {
            let mut event = Event::new();
            event.assign(target, data).map_err(|error| error.to_string())?;
            Ok(event)
        }
        (Value::Object(object), None) => Event::from_object(*object).map_err(|error| error.to_string()),
        (Value::Null, None) => Ok(Event::new()),
        (other, None) => Err(format!("found {}, but only objects become events", other.kind())),
    }
}

/// The event of data that could not be decoded: as its message, with a tag where there is one.
pub fn failure(codec: &str, bytes: &[u8], tag: Option<&str>, error: &str) -> Event {
    tracing::warn!(codec, error, "data could not be decoded, the event gets it as its message");
    let mut event = Event::from_message(String::from_utf8_lossy(bytes).into_owned());
    if let Some(tag) = tag {
        event.tag(tag);
    }
    event
}
