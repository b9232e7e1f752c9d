//! Events of JSON documents, for the codecs that read JSON (`Event.fromJson`, and the mixins event_support and
//! ecs_compatibility_support).

use crate::event::json::{self, Decimals};
use crate::event::{Event, FieldReference, Object, Value};
use crate::plugin::OptionReader;

/// The events of one document.
pub enum Documents {
    /// A blank text or an empty array.
    None,
    /// An object, or an array of one.
    One(Event),
    Many(Vec<Event>),
}

/// Decodes the first document in a text; what follows it is not looked at. Fails as a whole, with the reason, when
/// anything but objects would become an event.
pub fn decode(text: &str, target: Option<&FieldReference>) -> Result<Documents, String> {
    // As in Java, all ASCII control characters are white space here.
    if text.trim_start_matches(|character| character <= ' ').is_empty() {
        return Ok(Documents::None);
    }
    let (document, _) = json::parse_prefix(text, Decimals::Double).map_err(|error| error.to_string())?;
    match document {
        Value::Object(object) => Ok(Documents::One(event_of(*object, target)?)),
        Value::Array(items) => {
            let mut events =
                items.into_iter().map(|item| event_of_item(item, target)).collect::<Result<Vec<_>, _>>()?;
            match events.pop() {
                None => Ok(Documents::None),
                Some(only) if events.is_empty() => Ok(Documents::One(only)),
                Some(last) => {
                    events.push(last);
                    Ok(Documents::Many(events))
                }
            }
        }
        other => Err(format!("found {}, but only objects and arrays of objects become events", other.kind())),
    }
}

/// Says that documents without a target may use field names that mean something else in ECS (`TargetCheck`).
pub fn recommend_target(reader: &OptionReader<'_>, target: Option<&FieldReference>) {
    if target.is_none() && reader.ecs().is_enabled() {
        tracing::info!(
            codec = reader.plugin_name(),
            "ECS compatibility is on and target is not set: fields of documents may clash with the Elastic Common Schema"
        );
    }
}

fn event_of(object: Object, target: Option<&FieldReference>) -> Result<Event, String> {
    let Some(target) = target else {
        return Event::from_object(object).map_err(|error| error.to_string());
    };
    let mut event = Event::new();
    event.assign(target, object).map_err(|error| error.to_string())?;
    Ok(event)
}

/// An element of an array. Null is an event without fields of its own.
fn event_of_item(item: Value, target: Option<&FieldReference>) -> Result<Event, String> {
    match (item, target) {
        (Value::Object(object), _) => event_of(*object, target),
        (Value::Null, None) => Ok(Event::new()),
        (Value::Null, Some(target)) => {
            let mut event = Event::new();
            event.assign(target, Value::Null).map_err(|error| error.to_string())?;
            Ok(event)
        }
        (other, _) => Err(format!("found {} in the array, but only objects become events", other.kind())),
    }
}

/// Emits what was decoded, or the text itself as the message of an event tagged `_jsonparsefailure`.
pub fn emit(decoded: Result<Documents, String>, text: &str, emit: &mut dyn FnMut(Event)) {
    match decoded {
        Ok(Documents::None) => {}
        Ok(Documents::One(event)) => emit(event),
        Ok(Documents::Many(events)) => events.into_iter().for_each(emit),
        Err(error) => {
            tracing::warn!(error, "JSON parse error, original data now in message field");
            let mut event = Event::from_message(text);
            event.tag("_jsonparsefailure");
            emit(event);
        }
    }
}
