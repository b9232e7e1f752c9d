//! `decorate_events`: a message's origin under `[@metadata][kafka]`.

use rdkafka::message::{Headers as _, Message};

use super::{Decorate, KafkaOptions};
use crate::event::{Event, FieldReference, Object, Value};

/// What is added to each event.
pub struct Decoration {
    field: Option<FieldReference>,
    headers: bool,
    group: String,
}

impl Decoration {
    /// What the options ask for.
    pub fn new(options: &KafkaOptions) -> Self {
        let wanted = !matches!(options.decorate_events, Decorate::None | Decorate::False);
        Decoration {
            field: FieldReference::parse("[@metadata][kafka]").ok().filter(|_| wanted),
            headers: options.decorate_events == Decorate::Extended,
            group: options.group_id.clone(),
        }
    }

    /// What the events of a message get, if they get anything.
    pub fn origin_of(&self, message: &impl Message) -> Option<Object> {
        self.field.as_ref().map(|_| self.origin(message))
    }

    /// Decorates the events that were decoded from one message.
    pub fn apply(&self, events: &mut [Event], origin: Option<Object>) {
        let (Some(field), Some(origin)) = (&self.field, origin) else { return };
        let Some((last, others)) = events.split_last_mut() else { return };
        // Setting fails only where a parent is no object, and @metadata always is one.
        for event in others {
            _ = event.set(field, origin.clone());
        }
        _ = last.set(field, origin);
    }

    fn origin(&self, message: &impl Message) -> Object {
        let mut origin = Object::with_capacity(7);
        origin.insert("topic", message.topic().into());
        origin.insert("consumer_group", self.group.as_str().into());
        origin.insert("partition", Value::Int(message.partition().into()));
        origin.insert("offset", Value::Int(message.offset()));
        origin.insert(
            "key",
            message.key().map_or(Value::Null, |key| String::from_utf8_lossy(key).as_ref().into()),
        );
        origin.insert("timestamp", Value::Int(message.timestamp().to_millis().unwrap_or(-1)));
        if self.headers
            && let Some(headers) = message.headers()
        {
            let mut fields = Object::new();
            // Headers without a value and those that are not UTF-8 are skipped; of several with one name the last counts.
            for header in headers.iter() {
                if let Some(Ok(value)) = header.value.map(std::str::from_utf8) {
                    fields.insert(header.key, value.into());
                }
            }
            if !fields.is_empty() {
                origin.insert("headers", fields.into());
            }
        }
        origin
    }
}
