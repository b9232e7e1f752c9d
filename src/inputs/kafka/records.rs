//! What one read of the consumer gave: events, or values that workers decode.

use std::collections::HashMap;
use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Message as _};

use super::Shared;
use super::watermarks::Span;
use crate::event::{Event, Object};
use crate::plugin::{Apart, Codec, Sink};
use crate::queue::{Ack, Closed};

/// The messages of one read.
#[derive(Default)]
pub struct Records {
    pub messages: usize,
    pub bytes: usize,
    pub spans: Vec<Span>,
    /// Where the codec needs the messages one after the other.
    events: Vec<Event>,
    /// Where it does not.
    values: Vec<Values>,
}

/// Values of messages, in one buffer.
#[derive(Default)]
struct Values {
    bytes: Vec<u8>,
    /// Where each value ends, and what its events are decorated with.
    messages: Vec<(usize, Option<Object>)>,
}

impl Records {
    /// Takes one message.
    pub fn take(
        &mut self,
        message: &BorrowedMessage<'_>,
        shared: &Shared,
        codec: &mut dyn Codec,
        topics: &mut HashMap<String, Arc<str>>,
    ) {
        // A message without a value is an empty one, as nil.to_s is.
        let value = message.payload().unwrap_or_default();
        self.messages += 1;
        self.bytes += value.len();
        let origin = shared.decoration.origin_of(message);
        match codec.apart() {
            Apart::EveryPiece => self.keep(value, origin, shared.batch_size),
            _ => shared.decode(codec, value, origin, &mut self.events),
        }
        self.note(message, topics);
    }

    fn keep(&mut self, value: &[u8], origin: Option<Object>, batch_size: usize) {
        if self.values.last().is_none_or(|values| values.messages.len() >= batch_size) {
            self.values.push(Values::default());
        }
        if let Some(values) = self.values.last_mut() {
            values.bytes.extend_from_slice(value);
            values.messages.push((values.bytes.len(), origin));
        }
    }

    /// Notes how far the message's partition was read.
    fn note(&mut self, message: &BorrowedMessage<'_>, topics: &mut HashMap<String, Arc<str>>) {
        let next = message.offset() + 1;
        let (name, partition) = (message.topic(), message.partition());
        let known = |span: &&mut Span| span.partition.1 == partition && *span.partition.0 == *name;
        match self.spans.iter_mut().find(known) {
            Some(span) => span.next = next,
            None => {
                let topic = match topics.get(name) {
                    Some(topic) => Arc::clone(topic),
                    None => Arc::clone(topics.entry(name.to_owned()).or_insert_with(|| Arc::from(name))),
                };
                self.spans.push(Span { partition: (topic, partition), first: message.offset(), next });
            }
        }
    }

    /// Puts everything into the queue, however long that takes.
    ///
    /// # Errors
    /// When the pipeline takes nothing any more.
    pub async fn send(self, shared: &Arc<Shared>, sink: &Sink, ack: Ack) -> Result<(), Closed> {
        for values in self.values {
            let (count, shared, decoration) =
                (values.messages.len(), Arc::clone(shared), Arc::clone(sink.decoration()));
            let decode = move || {
                let mut events = values.decode(&shared);
                events.iter_mut().for_each(|event| decoration.apply(event));
                events
            };
            sink.send_encoded(count, decode, Some(ack.clone())).await?;
        }
        sink.send(self.events, Some(ack)).await
    }
}

impl Values {
    fn decode(self, shared: &Shared) -> Vec<Event> {
        let mut codec = shared.codec.create();
        let mut events = Vec::with_capacity(self.messages.len());
        let mut start = 0;
        for (end, origin) in self.messages {
            let value = self.bytes.get(start..end).unwrap_or_default();
            shared.decode(&mut *codec, value, origin, &mut events);
            start = end;
        }
        events
    }
}

impl Shared {
    /// Appends the events of one message.
    fn decode(&self, codec: &mut dyn Codec, value: &[u8], origin: Option<Object>, events: &mut Vec<Event>) {
        let before = events.len();
        let mut emit = |event| events.push(event);
        // Checking a text whole is several times as fast as going through it for errors, and there hardly ever is one.
        match self.text_values && std::str::from_utf8(value).is_err() {
            true => codec.decode(String::from_utf8_lossy(value).as_bytes(), &mut emit),
            false => codec.decode(value, &mut emit),
        }
        self.decoration.apply(events.get_mut(before..).unwrap_or_default(), origin);
    }
}
