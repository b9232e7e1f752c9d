//! `kafka` output: writes events to topics (Logstash: `docs/plugins-outputs-kafka`, `lib/logstash/outputs/kafka.rb`).
//!
//! A batch counts as delivered when the brokers have acknowledged every message of it. While they are away, events wait
//! and are offered again, as Logstash does; a message that can never be written (too large, an illegal topic) is given
//! up with its reason.

mod delivery;
mod producer;
mod spread;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, PurgeConfig};

use self::delivery::{Context, Failure, Receipts};
use self::producer::KafkaProducer;
use self::spread::Spread;
use crate::event::{Event, Template, text::ruby_to_s};
use crate::kafka::block::{kafka_options, words};
use crate::kafka::client::{Client, configure, explain};
use crate::kafka::oauth::Tokens;
use crate::kafka::options::{Plugin, refused, refused_count};
use crate::kafka::trouble::Reporter;
use crate::plugin::{
    Build, CodecFactory, Delivery, Example, Kind, OptionReader, Output, Pairs, RunError, Shutdown, Spec,
    Undelivered, choices,
};

/// The `kafka` output.
pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "kafka",
    summary: "Writes events to Kafka topics and waits for the brokers' acknowledgement.",
    options: KafkaOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &refused::<{ refused_count(Plugin::Output) }>(Plugin::Output),
    default_codec: Some("plain"),
    example: Example {
        config: r#"output { kafka { bootstrap_servers => "localhost:9092" topic_id => "logs-%{[service][name]}" codec => json } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| KafkaOutput::new(reader).map(|output| Box::new(output) as Box<dyn Output>)),
};

choices! {
    /// `acks`
    pub enum Acks {
        /// Nobody acknowledges: a message counts as written when it was sent.
        None = "0",
        /// The partition's leader.
        Leader = "1",
        /// All replicas in sync.
        All = "all",
    }
}

choices! {
    /// `compression_type`
    pub enum Compression {
        /// Not compressed.
        None = "none",
        /// gzip.
        Gzip = "gzip",
        /// Snappy.
        Snappy = "snappy",
        /// LZ4.
        Lz4 = "lz4",
        /// Zstandard.
        Zstd = "zstd",
    }
}
words!(Acks, Compression);

kafka_options! {
    /// The options of the kafka output.
    pub struct KafkaOptions {
        /// Who must have a message before it counts as written: the leader (1), all replicas in sync (all), nobody (0).
        acks: Acks = "1",
        /// Most bytes of one partition's batch; the default leaves it to the client, which makes larger ones.
        batch_size: i64 = 16384,
        /// Most bytes that wait to be sent.
        buffer_memory: i64 = 33554432,
        /// How an event becomes a message's value.
        codec: CodecFactory = "plain",
        /// Compression of batches.
        compression_type: Compression = "none",
        /// Kafka's StringSerializer: the key is text.
        key_serializer: String = "org.apache.kafka.common.serialization.StringSerializer",
        /// How long a batch waits for more messages.
        linger_ms: i64 = 5,
        /// Largest message.
        max_request_size: i64 = 1048576,
        /// Headers of every message; values may hold `%{field}`.
        message_headers: Pairs = {},
        /// The message's key, which may hold `%{field}`; messages with the same key go to the same partition.
        message_key: Option<Template>,
        /// How long a topic that the brokers do not know yet is waited for, before its messages are offered again.
        metadata_fetch_timeout_ms: i64 = 60000,
        /// By default, the key's murmur2 hash as in the Java client, and without a key one partition for a while.
        /// round_robin and uniform_sticky spread messages whatever their key.
        partitioner: Option<String>,
        /// Give an event up after so many attempts more. Without it nothing is ever given up.
        retries: Option<i64>,
        /// The topic, which may hold `%{field}`.
        topic_id: Template,
        /// StringSerializer or ByteArraySerializer: the codec's bytes are written either way.
        value_serializer: String = "org.apache.kafka.common.serialization.StringSerializer",
    }
}

/// After a shutdown request, brokers that are away are waited for so long per batch.
const LAST_ATTEMPT: Duration = Duration::from_secs(5);
/// How long to wait for room when the producer's buffer is full.
const FULL_BUFFER_PAUSE: Duration = Duration::from_millis(5);

struct KafkaOutput {
    id: String,
    config: ClientConfig,
    /// Where bearer tokens come from.
    tokens: Option<Arc<Tokens>>,
    spread: Mutex<Option<Spread>>,
    producer: Mutex<Option<Arc<KafkaProducer>>>,
    shutdown: OnceLock<Shutdown>,
    topic: Template,
    key: Option<Template>,
    headers: Vec<(String, Template)>,
    codec: CodecFactory,
    retries: Option<u64>,
    retry_backoff: Duration,
}

impl KafkaOutput {
    fn new(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = KafkaOptions::read(reader)?;
        let client = configure(Plugin::Output, &options.given());
        let spread = Spread::new(options.partitioner.as_deref(), options.linger_ms);
        let serializers = [
            ("key_serializer", &options.key_serializer, &["StringSerializer"][..]),
            ("value_serializer", &options.value_serializer, &["StringSerializer", "ByteArraySerializer"]),
        ];
        let mut is_fine = true;
        for (option, class, known) in serializers {
            let name = class.strip_prefix("org.apache.kafka.common.serialization.");
            if !name.is_some_and(|name| known.contains(&name)) {
                let use_one = known.join(" or org.apache.kafka.common.serialization.");
                let message = format!(
                    "\"{class}\" is not available; use org.apache.kafka.common.serialization.{use_one}"
                );
                reader.error(option, message);
                is_fine = false;
            }
        }
        if let Some(retries) = options.retries {
            let why =
                "events are given up, and lost, when the brokers are away for longer; without it nothing is";
            match retries {
                0.. => reader.warning("retries", why),
                _ => {
                    reader.error(
                        "retries",
                        format!("{retries} is negative; leave it out to try until it succeeds"),
                    );
                    is_fine = false;
                }
            }
        }
        let spread = spread.map_err(|refusal| reader.error(refusal.option, refusal.reason)).ok();
        let client = client.map_err(|refusals| {
            refusals.into_iter().for_each(|refusal| reader.error(refusal.option, refusal.reason));
        });
        let Client { config, tokens, warnings } = client.ok()?;
        warnings.iter().for_each(|warning| warning.tell(reader));
        let headers = options.message_headers.iter();
        let headers =
            headers.map(|(name, value)| (name.to_owned(), Template::parse(&ruby_to_s(&value.to_value()))));
        is_fine.then_some(KafkaOutput {
            id: reader.id().to_owned(),
            config,
            tokens: tokens.map(Arc::new),
            spread: Mutex::new(spread?),
            producer: Mutex::new(None),
            shutdown: OnceLock::new(),
            topic: options.topic_id,
            key: options.message_key,
            headers: headers.collect(),
            codec: options.codec,
            retries: options.retries.map(i64::unsigned_abs),
            retry_backoff: Duration::from_millis(options.retry_backoff_ms.max(0).unsigned_abs()),
        })
    }

    fn producer(&self) -> Option<Arc<KafkaProducer>> {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Offers some events of a batch once and returns those that were not delivered.
    async fn offer(&self, producer: &KafkaProducer, events: &[&Event], indices: &[usize]) -> Vec<Failure> {
        let receipts = Arc::new(Receipts::default());
        let mut payload = Vec::new();
        let mut failures = Vec::new();
        for &index in indices {
            let Some(event) = events.get(index) else { continue };
            let message = match self.message(event, &mut payload) {
                Ok(message) => message,
                Err(reason) => {
                    failures.push(Failure { index, reason, passing: false });
                    continue;
                }
            };
            loop {
                match message.send(producer, &payload, receipts.expect(index)) {
                    Ok(()) => break,
                    Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull))
                        if !self.is_hopeless() =>
                    {
                        receipts.settle(None);
                        producer.wake();
                        tokio::time::sleep(FULL_BUFFER_PAUSE).await;
                    }
                    Err(error) => {
                        receipts.settle(Some(Failure::new(index, &message.topic, &error)));
                        break;
                    }
                }
            }
        }
        producer.wake();
        tokio::select! {
            () = receipts.all() => {}
            () = self.last_attempt_over() => {
                // Messages that were not sent come back at once; those under way may have been written, which nobody knows.
                producer.purge(PurgeConfig::default().queue().inflight());
                receipts.all().await;
            }
        }
        failures.extend(receipts.failures());
        failures
    }

    /// Resolves some time after a shutdown request; never without one.
    async fn last_attempt_over(&self) {
        match self.shutdown.get() {
            Some(shutdown) => shutdown.requested().await,
            None => std::future::pending().await,
        }
        tokio::time::sleep(LAST_ATTEMPT).await;
    }

    /// Whether waiting for room in the buffer makes no sense any more.
    fn is_hopeless(&self) -> bool {
        self.shutdown.get().is_some_and(Shutdown::is_requested)
    }

    fn message(&self, event: &Event, payload: &mut Vec<u8>) -> Result<Message<'_>, String> {
        let render = |template: &Template| template.render(event).map_err(|error| error.to_string());
        let topic = match self.topic.as_literal() {
            Some(topic) => Cow::Borrowed(topic),
            None => Cow::Owned(render(&self.topic)?),
        };
        payload.clear();
        self.codec.encoder().encode(event, payload).map_err(|error| error.to_string())?;
        let headers = self.headers.iter().map(|(name, value)| Ok((name.clone(), render(value)?)));
        Ok(Message {
            topic,
            key: self.key.as_ref().map(render).transpose()?,
            headers: headers.collect::<Result<_, String>>()?,
        })
    }
}

/// A message but for its value, which stays in a buffer that all messages of a batch use in turn.
struct Message<'a> {
    topic: Cow<'a, str>,
    key: Option<String>,
    headers: Vec<(String, String)>,
}

impl Message<'_> {
    fn send(
        &self,
        producer: &KafkaProducer,
        payload: &[u8],
        receipt: Box<delivery::Receipt>,
    ) -> Result<(), KafkaError> {
        let mut record = BaseRecord::with_opaque_to(&self.topic, receipt).payload(payload);
        if let Some(key) = &self.key {
            record = record.key(key.as_bytes());
        }
        if !self.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(self.headers.len());
            let headers = self
                .headers
                .iter()
                .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
            record = record.headers(headers);
        }
        producer.send(record).map_err(|(error, _)| error)
    }
}

impl Output for KafkaOutput {
    fn open(&self, shutdown: Shutdown) -> BoxFuture<'_, Result<(), RunError>> {
        Box::pin(async move {
            _ = self.shutdown.set(shutdown.clone());
            let spread = self.spread.lock().unwrap_or_else(PoisonError::into_inner).take();
            let reporter = Arc::new(Reporter::new(self.id.as_str()));
            let context = Context { reporter, spread, tokens: self.tokens.clone(), shutdown };
            let producer =
                KafkaProducer::start(&self.config, context, |error| explain(Plugin::Output, error))?;
            *self.producer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(producer));
            Ok(())
        })
    }

    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let Some(producer) = self.producer() else {
                return Delivery::retry_all(events.len(), "the producer is not open");
            };
            let mut delivery = Delivery::done();
            let mut indices: Vec<usize> = (0..events.len()).collect();
            let mut attempts_left = self.retries;
            loop {
                let failures = self.offer(&producer, events, &indices).await;
                let (passing, dead): (Vec<_>, Vec<_>) =
                    failures.into_iter().partition(|failure| failure.passing);
                delivery.dead.extend(dead.into_iter().map(undelivered));
                if passing.len() < indices.len() {
                    producer.context().reporter.recovered();
                }
                match attempts_left {
                    // Without retries the pipeline offers them again, for ever.
                    None => delivery.retry.extend(passing.into_iter().map(undelivered)),
                    Some(0) => delivery.dead.extend(passing.into_iter().map(given_up)),
                    Some(_) if passing.is_empty() => {}
                    Some(left) => {
                        attempts_left = Some(left - 1);
                        indices = passing.iter().map(|failure| failure.index).collect();
                        tokio::time::sleep(self.retry_backoff).await;
                        continue;
                    }
                }
                return delivery;
            }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner).take();
            // Dropping it joins its thread.
            _ = tokio::task::spawn_blocking(move || drop(producer)).await;
        })
    }
}

fn undelivered(failure: Failure) -> Undelivered {
    Undelivered { index: failure.index, reason: failure.reason }
}

fn given_up(failure: Failure) -> Undelivered {
    Undelivered {
        index: failure.index,
        reason: format!("{} (given up after as many attempts as retries allows)", failure.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_options_are_those_of_the_table() {
        crate::kafka::block::assert_agrees_with_table(Plugin::Output, KafkaOptions::OPTIONS);
    }
}
