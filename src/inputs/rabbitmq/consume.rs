//! One consumer: it connects, declares what is to be declared, and takes messages until shutdown.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Error, ExchangeKind};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::metadata::Metadata;
use crate::event::Event;
use crate::net::spread;
use crate::plugin::{Codec, CodecFactory, Shutdown, Sink};
use crate::queue::{Ack, Settled};
use crate::rabbitmq::{Broker, Session, Short};

/// How long events may still be on their way after shutdown was requested; the broker would give their messages out again.
const GRACE: Duration = Duration::from_secs(5);

/// What there has to be at the broker.
pub(super) struct Wanted {
    pub queue: Short,
    pub passive: bool,
    pub durable: bool,
    pub auto_delete: bool,
    pub exclusive: bool,
    pub arguments: FieldTable,
    pub exchange: Option<Short>,
    pub exchange_type: Option<String>,
    pub key: Short,
    pub prefetch: u16,
}

pub(super) struct Consumer {
    pub broker: Broker,
    pub wanted: Wanted,
    /// Whether messages are acknowledged when their events are delivered.
    pub acknowledges: bool,
    /// How long to wait after the broker took the queue away.
    pub retry: Duration,
    pub codec: CodecFactory,
    pub metadata: Metadata,
    /// Most messages whose events go on together.
    pub batch: usize,
}

/// Why a session is over.
enum Over {
    Shutdown,
    /// The pipeline takes nothing any more.
    Closed,
    /// The broker has taken the consumer away, as it does when a queue is deleted.
    Cancelled,
    /// Events were lost on their way: their messages have to come again.
    Lost,
    Failed(Error),
}

impl From<Error> for Over {
    fn from(error: Error) -> Self {
        Over::Failed(error)
    }
}

/// What became of the messages up to a tag.
struct Portion {
    last_tag: u64,
    state: AtomicU8,
}

const UNDER_WAY: u8 = 0;
const SAFE: u8 = 1;
const LOST: u8 = 2;

/// Messages that are not acknowledged, in the order in which they came: an acknowledgement counts for all before it.
#[derive(Default)]
struct Unacknowledged {
    portions: Mutex<VecDeque<Arc<Portion>>>,
    changed: Arc<Notify>,
}

impl Unacknowledged {
    /// The token of the messages up to this one.
    fn add(&self, last_tag: u64) -> Ack {
        let portion = Arc::new(Portion { last_tag, state: AtomicU8::new(UNDER_WAY) });
        let (kept, changed) = (Arc::clone(&portion), Arc::clone(&self.changed));
        self.portions.lock().unwrap_or_else(PoisonError::into_inner).push_back(portion);
        Ack::new(move |settled| {
            let state = if settled == Settled::Safe { SAFE } else { LOST };
            kept.state.store(state, Ordering::Release);
            changed.notify_one();
        })
    }

    /// The tag up to which everything is safe, if it is a new one; an error where something is lost.
    fn safe(&self) -> Result<Option<u64>, Over> {
        let mut portions = self.portions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut safe = None;
        while let Some(first) = portions.front() {
            match first.state.load(Ordering::Acquire) {
                SAFE => safe = Some(first.last_tag),
                LOST => return Err(Over::Lost),
                _ => break,
            }
            portions.pop_front();
        }
        Ok(safe)
    }

    fn is_empty(&self) -> bool {
        self.portions.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl Consumer {
    /// Takes messages until shutdown is requested.
    pub async fn run(&self, sink: &Sink, shutdown: &Shutdown) {
        loop {
            let connected = tokio::select! {
                () = shutdown.requested() => return,
                connected = self.broker.connect() => connected,
            };
            let wait = match connected {
                Ok(session) => {
                    let mut codec = self.codec.create();
                    let over = self.session(&session, &mut *codec, sink, shutdown).await;
                    let mut held = Vec::new();
                    codec.flush(&mut |event| held.push(event));
                    if !held.is_empty() {
                        // An error means that the pipeline has ended.
                        _ = sink.send(held, None).await;
                    }
                    let over = over.err().unwrap_or(Over::Shutdown);
                    session.close().await;
                    match self.after(&session, over) {
                        Some(wait) => wait,
                        None => return,
                    }
                }
                Err(_) => self.broker.retry,
            };
            tokio::select! {
                () = shutdown.requested() => return,
                () = tokio::time::sleep(spread(wait)) => {}
            }
        }
    }

    /// Says why a session is over, and returns how long to wait before the next. `None`: there is none.
    fn after(&self, session: &Session, over: Over) -> Option<Duration> {
        let (server, queue) = (session.server.as_str(), self.wanted.queue.as_str());
        match over {
            Over::Shutdown | Over::Closed => return None,
            Over::Cancelled => {
                tracing::warn!(server, queue, "RabbitMQ has taken the queue away, will try again");
                return Some(self.retry);
            }
            Over::Lost => {
                tracing::warn!(
                    server,
                    queue,
                    "events were lost on their way: their messages are asked for again"
                );
            }
            Over::Failed(error) => {
                tracing::warn!(server, queue, %error, "lost the connection to RabbitMQ, will try again");
            }
        }
        Some(self.broker.retry)
    }

    async fn session(
        &self,
        session: &Session,
        codec: &mut dyn Codec,
        sink: &Sink,
        shutdown: &Shutdown,
    ) -> Result<(), Over> {
        let queue = self.declare(session).await?;
        let options = BasicConsumeOptions::default();
        let consumed = session.channel.basic_consume(queue, Short::default(), options, FieldTable::default());
        let mut consumer = consumed.await?;
        let tag = consumer.tag();
        let unacknowledged = Unacknowledged::default();
        loop {
            let first = tokio::select! {
                biased;
                () = unacknowledged.changed.notified() => {
                    self.acknowledge(session, &unacknowledged).await?;
                    continue;
                }
                () = shutdown.requested() => break,
                first = consumer.next() => first,
            };
            let Some(first) = first else { return Err(Over::Cancelled) };
            let mut deliveries = vec![first?];
            while deliveries.len() < self.batch {
                match consumer.next().now_or_never() {
                    Some(Some(next)) => deliveries.push(next?),
                    _ => break,
                }
            }
            self.pass(session, &deliveries, tag.as_str(), codec, sink, &unacknowledged).await?;
        }
        // No more may come while the last are on their way.
        _ = session.channel.basic_cancel(tag, Default::default()).await;
        self.finish(session, &unacknowledged).await
    }

    /// Hands the events of messages to the pipeline.
    async fn pass(
        &self,
        session: &Session,
        deliveries: &[Delivery],
        consumer_tag: &str,
        codec: &mut dyn Codec,
        sink: &Sink,
        unacknowledged: &Unacknowledged,
    ) -> Result<(), Over> {
        let Some(last) = deliveries.last() else { return Ok(()) };
        let mut events: Vec<Event> = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let told = self.metadata.of(delivery, consumer_tag);
            let from = events.len();
            codec.decode(&delivery.data, &mut |event| events.push(event));
            for event in events.iter_mut().skip(from) {
                sink.decorate(event);
                if let Some(told) = &told {
                    self.metadata.tell(event, told);
                }
            }
        }
        let ack = if self.acknowledges {
            Some(unacknowledged.add(last.delivery_tag))
        } else {
            acknowledge(session, last.delivery_tag).await?;
            None
        };
        sink.send_decorated(events, ack).await.map_err(|_| Over::Closed)
    }

    async fn acknowledge(&self, session: &Session, unacknowledged: &Unacknowledged) -> Result<(), Over> {
        match unacknowledged.safe()? {
            Some(tag) => Ok(acknowledge(session, tag).await?),
            None => Ok(()),
        }
    }

    /// Waits for what is on its way, for a while.
    async fn finish(&self, session: &Session, unacknowledged: &Unacknowledged) -> Result<(), Over> {
        let end = Instant::now() + GRACE;
        while !unacknowledged.is_empty() {
            tokio::select! {
                () = unacknowledged.changed.notified() => self.acknowledge(session, unacknowledged).await?,
                () = tokio::time::sleep_until(end) => break,
            }
        }
        Ok(())
    }

    /// Declares queue and exchange as the options say; returns the queue's name.
    async fn declare(&self, session: &Session) -> Result<Short, Error> {
        let (channel, wanted) = (&session.channel, &self.wanted);
        let options = QueueDeclareOptions {
            passive: wanted.passive,
            durable: wanted.durable,
            exclusive: wanted.exclusive,
            auto_delete: wanted.auto_delete,
            nowait: false,
        };
        let queue = channel.queue_declare(wanted.queue.clone(), options, wanted.arguments.clone()).await?;
        let name = queue.name().clone();
        if let Some(exchange) = &wanted.exchange {
            if let Some(kind) = &wanted.exchange_type {
                let options =
                    ExchangeDeclareOptions { durable: wanted.durable, ..ExchangeDeclareOptions::default() };
                let kind = ExchangeKind::Custom(kind.clone());
                channel.exchange_declare(exchange.clone(), kind, options, FieldTable::default()).await?;
            }
            let (exchange, key) = (exchange.clone(), wanted.key.clone());
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            channel.queue_bind(name.clone(), exchange, key, options, none).await?;
        }
        channel.basic_qos(wanted.prefetch, BasicQosOptions::default()).await?;
        Ok(name)
    }
}

/// Acknowledges all messages up to this one.
async fn acknowledge(session: &Session, tag: u64) -> Result<(), Error> {
    session.channel.basic_ack(tag, BasicAckOptions { multiple: true }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_safe_is_acknowledged_in_order() {
        let unacknowledged = Unacknowledged::default();
        let (first, second, third) = (unacknowledged.add(3), unacknowledged.add(7), unacknowledged.add(9));
        drop(second);
        assert!(matches!(unacknowledged.safe(), Ok(None)));
        drop(first);
        assert!(matches!(unacknowledged.safe(), Ok(Some(7))));
        assert!(!unacknowledged.is_empty());
        third.fail();
        drop(third);
        assert!(matches!(unacknowledged.safe(), Err(Over::Lost)));
    }
}
