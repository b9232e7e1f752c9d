//! The input `redis` at channels: hears messages as long as its connection stands.

use redis::Value;
use tokio::time::Instant;

use super::{DataType, End, Redis};
use crate::event::Event;
use crate::inputs::stream::until;
use crate::plugin::{Codec, Shutdown, Sink};
use crate::redis::{Connection, Failure, Waits, texts};

/// What a subscription brings.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    channel: String,
    payload: Vec<u8>,
}

impl Redis {
    pub(super) async fn listen(
        &self,
        codec: &mut dyn Codec,
        sink: &Sink,
        shutdown: &Shutdown,
        waits: &mut Waits,
    ) -> End {
        let mut connection = tokio::select! {
            connection = self.server.connect() => match connection {
                Ok(connection) => connection,
                Err(failure) => return failure.into(),
            },
            () = shutdown.requested() => return End::Stopped,
        };
        let subscribe = if self.data_type == DataType::Channel { "subscribe" } else { "psubscribe" };
        let mut command = self.server.commands.command(subscribe);
        command.arg(&self.key);
        if let Err(failure) = connection.send(&command.get_packed_command()).await {
            return failure.into();
        }
        let mut flush_at: Option<Instant> = None;
        loop {
            let answer = tokio::select! {
                answer = connection.answer() => Some(answer),
                () = until(flush_at) => None,
                () = shutdown.requested() => break,
            };
            let mut events = Vec::new();
            let heard = match answer {
                Some(answer) => {
                    flush_at = codec.flush_after().map(|quiet| Instant::now() + quiet);
                    self.hear(answer, codec, sink, &mut events)
                }
                None => {
                    codec.flush(&mut |event| events.push(event));
                    events.iter_mut().for_each(|event| sink.decorate(event));
                    flush_at = None;
                    Ok(())
                }
            };
            if heard.is_ok() {
                waits.reset();
            }
            let more = self.hear_the_rest(&mut connection, codec, sink, &mut events);
            if !events.is_empty() && sink.send_decorated(events, None).await.is_err() {
                return End::Stopped;
            }
            if let Err(failure) = heard.and(more) {
                return failure.into();
            }
        }
        let mut events = Vec::new();
        _ = self.hear_the_rest(&mut connection, codec, sink, &mut events);
        _ = sink.send_decorated(events, None).await;
        End::Stopped
    }

    /// The messages that are here already, up to a batch.
    fn hear_the_rest(
        &self,
        connection: &mut Connection,
        codec: &mut dyn Codec,
        sink: &Sink,
        events: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        while events.len() < self.batch_size {
            let Some(answer) = connection.answer_at_hand() else { break };
            self.hear(answer, codec, sink, events)?;
        }
        Ok(())
    }

    fn hear(
        &self,
        answer: Result<Value, Failure>,
        codec: &mut dyn Codec,
        sink: &Sink,
        events: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        if let Some(message) = message(answer?) {
            self.decode(codec, &message.payload, Some(&message.channel), sink, events);
        }
        Ok(())
    }
}

/// A message, with its channel; `None` for what only says that a subscription stands.
fn message(answer: Value) -> Option<Message> {
    let Value::Array(parts) = answer else { return None };
    let mut parts = texts(Value::Array(parts)).into_iter();
    let kind = parts.next()?;
    if kind == b"pmessage" {
        // The pattern.
        parts.next()?;
    }
    let channel = String::from_utf8_lossy(&parts.next()?).into_owned();
    match kind.as_slice() {
        b"message" | b"pmessage" => Some(Message { channel, payload: parts.next()? }),
        _ => {
            tracing::info!(channel, "subscribed");
            None
        }
    }
}
