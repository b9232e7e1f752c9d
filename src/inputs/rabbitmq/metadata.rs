//! What events tell of their messages (`decorate`, `get_properties` of `inputs/rabbitmq.rb`).

use lapin::message::Delivery;

use super::MetadataLevel;
use crate::event::{Event, FieldReference, Object, Value};
use crate::rabbitmq::{Short, from_table};

/// The fields for headers and properties, and the one for the payload.
pub(super) struct Metadata {
    basic: Option<(FieldReference, FieldReference)>,
    payload: Option<FieldReference>,
}

/// What there is to tell of a message.
pub(super) struct Told {
    headers: Object,
    properties: Object,
    payload: Option<Value>,
}

impl Metadata {
    pub fn new(level: MetadataLevel) -> Option<Self> {
        let field = |name: &str| FieldReference::parse(&format!("[@metadata][rabbitmq_{name}]")).ok();
        let basic = match level {
            MetadataLevel::None | MetadataLevel::False => None,
            _ => Some((field("headers")?, field("properties")?)),
        };
        let payload = match level {
            MetadataLevel::Extended => Some(field("payload")?),
            _ => None,
        };
        Some(Metadata { basic, payload })
    }

    /// Looks at a message.
    pub fn of(&self, delivery: &Delivery, consumer_tag: &str) -> Option<Told> {
        self.basic.as_ref()?;
        let payload = || Value::from(String::from_utf8_lossy(&delivery.data).into_owned());
        Some(Told {
            headers: delivery.properties.headers().as_ref().map(from_table).unwrap_or_default(),
            properties: properties(delivery, consumer_tag),
            payload: self.payload.as_ref().map(|_| payload()),
        })
    }

    /// Tells an event of its message.
    pub fn tell(&self, event: &mut Event, told: &Told) {
        let Some((headers, properties)) = &self.basic else { return };
        let mut fields = vec![
            (headers, Value::from(told.headers.clone())),
            (properties, Value::from(told.properties.clone())),
        ];
        if let (Some(field), Some(payload)) = (&self.payload, &told.payload) {
            fields.push((field, payload.clone()));
        }
        for (field, value) in fields {
            if let Err(error) = event.set(field, value) {
                tracing::warn!(%error, %field, "could not tell of a message");
            }
        }
    }
}

/// The properties that a message has. It is redelivered or does not speak of it.
fn properties(delivery: &Delivery, consumer_tag: &str) -> Object {
    let given = &delivery.properties;
    let text = |text: &Option<Short>| text.as_ref().map(|text| Value::from(text.as_str()));
    let number = |number: Option<u8>| number.map(|number| Value::Int(i64::from(number)));
    let time = given.timestamp().and_then(|seconds| i64::try_from(seconds).ok());
    let all = [
        ("app-id", text(given.app_id())),
        ("cluster-id", text(given.cluster_id())),
        ("consumer-tag", Some(Value::from(consumer_tag))),
        ("content-encoding", text(given.content_encoding())),
        ("content-type", text(given.content_type())),
        ("correlation-id", text(given.correlation_id())),
        ("delivery-mode", number(*given.delivery_mode())),
        ("exchange", Some(Value::from(delivery.exchange.as_str()))),
        ("expiration", text(given.expiration())),
        ("message-id", text(given.message_id())),
        ("priority", number(*given.priority())),
        ("redeliver", delivery.redelivered.then_some(Value::Bool(true))),
        ("reply-to", text(given.reply_to())),
        ("routing-key", Some(Value::from(delivery.routing_key.as_str()))),
        ("timestamp", time.map(Value::Int)),
        ("type", text(given.kind())),
        ("user-id", text(given.user_id())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
