//! `kafka` input: reads topics as members of a consumer group (Logstash: `docs/plugins-inputs-kafka`,
//! `lib/logstash/inputs/kafka.rb`).
//!
//! Each of `consumer_threads` is a [`member`] of the group on a thread of its own. An offset is committed only when the
//! outputs have acknowledged every event up to it ([`watermarks`]), so that a killed process loses nothing; what was
//! read but not acknowledged is read again by whoever gets the partition.

mod decorate;
mod member;
mod records;
mod topics;
mod watermarks;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use rdkafka::config::ClientConfig;
use tokio::sync::oneshot;

use self::decorate::Decoration;
use self::member::{Member, Stop};
use self::topics::Topics;
use crate::kafka::block::{kafka_options, words};
use crate::kafka::client::{Client, configure};
use crate::kafka::oauth::Tokens;
use crate::kafka::options::{Plugin, refused, refused_count};
use crate::kafka::trouble::Reporter;
use crate::plugin::{
    Build, Choice, CodecFactory, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec, choices,
};

/// The `kafka` input.
pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "kafka",
    summary: "Reads messages of Kafka topics as a consumer group, at least once.",
    options: KafkaOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &refused::<{ refused_count(Plugin::Input) }>(Plugin::Input),
    default_codec: Some("plain"),
    example: Example {
        config: r#"input { kafka { bootstrap_servers => "localhost:9092" topics => ["logs"] group_id => "indexer" codec => json } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| KafkaInput::new(reader).map(|input| Box::new(input) as Box<dyn Input>)),
};

choices! {
    /// `decorate_events`
    pub enum Decorate {
        /// No metadata.
        None = "none",
        /// Topic, group, partition, offset, key and time.
        Basic = "basic",
        /// The same and the headers.
        Extended = "extended",
        /// An old word for `none`.
        False = "false",
        /// An old word for `basic`.
        True = "true",
    }
}

choices! {
    /// `group_protocol`
    pub enum GroupProtocol {
        /// Members agree among themselves.
        Classic = "classic",
        /// The broker assigns, and only what moves pauses.
        Consumer = "consumer",
    }
}

choices! {
    /// `isolation_level`
    pub enum Isolation {
        /// All messages.
        Uncommitted = "read_uncommitted",
        /// Of transactions, only what was committed.
        Committed = "read_committed",
    }
}
words!(Decorate, GroupProtocol, Isolation);

kafka_options! {
    /// The options of the kafka input.
    pub struct KafkaOptions {
        /// How often acknowledged offsets are committed.
        auto_commit_interval_ms: i64 = 5000,
        /// Whether subscribing may create a topic, where the broker allows it.
        auto_create_topics: bool = true,
        /// Where to begin in a partition of which the group has no offset: earliest, latest (also when unset), or none,
        /// which is an error.
        auto_offset_reset: Option<String>,
        /// Whether the checksums of messages are verified.
        check_crcs: bool = true,
        /// Rack of this client: replicas in the same rack are read from.
        client_rack: Option<String>,
        /// How a message's value becomes events.
        codec: CodecFactory = "plain",
        /// Members that this input adds to the group. More than there are partitions are idle.
        consumer_threads: i64 = 1,
        /// Adds `[@metadata][kafka]` with topic, consumer_group, partition, offset, key and timestamp (basic), and
        /// headers (extended).
        decorate_events: Decorate = "none",
        /// true commits acknowledged offsets every auto_commit_interval_ms, false as soon as they are acknowledged.
        enable_auto_commit: bool = true,
        /// false lets topics_pattern match Kafka's own topics too.
        exclude_internal_topics: Option<String>,
        /// Most bytes of one fetch; as many are fetched ahead at most.
        fetch_max_bytes: i64 = 52428800,
        /// Longest wait of the broker for fetch_min_bytes.
        fetch_max_wait_ms: i64 = 500,
        /// Fewest bytes of one fetch.
        fetch_min_bytes: Option<i64>,
        /// Name of the consumer group.
        group_id: String = "logstash",
        /// Makes members static: one that comes back with the same name in time causes no rebalance. With several
        /// consumer_threads, `-0`, `-1` ... is appended.
        group_instance_id: Option<String>,
        /// classic, or consumer (Kafka 4 and later), where the broker assigns partitions.
        group_protocol: GroupProtocol = "classic",
        /// How often a member reports to the group.
        heartbeat_interval_ms: i64 = 3000,
        /// Whether messages of transactions that are not committed are read.
        isolation_level: Isolation = "read_uncommitted",
        /// How keys are read, for decorate_events: Kafka's StringDeserializer or ByteArrayDeserializer.
        key_deserializer_class: String = "org.apache.kafka.common.serialization.StringDeserializer",
        /// Most bytes of one partition in a fetch.
        max_partition_fetch_bytes: i64 = 1048576,
        /// A member that makes no progress for so long is taken out of the group. A full queue does not count: reading
        /// pauses then.
        max_poll_interval_ms: i64 = 300000,
        /// Most messages handed on at once.
        max_poll_records: i64 = 500,
        /// How partitions are spread: range, round_robin, cooperative_sticky (also for sticky).
        partition_assignment_strategy: Option<String>,
        /// Longest wait for messages before looking after anything else.
        poll_timeout_ms: i64 = 100,
        /// A member that does not report for so long is taken out of the group.
        session_timeout_ms: i64 = 10000,
        /// Topics to read.
        topics: Vec<String> = ["logstash"],
        /// Java regular expression: all topics whose whole name matches are read. Takes the place of topics.
        topics_pattern: Option<String>,
        /// StringDeserializer hands the codec text, in which bytes that are not UTF-8 are replaced;
        /// ByteArrayDeserializer hands it the bytes, for codecs with a charset.
        value_deserializer_class: String = "org.apache.kafka.common.serialization.StringDeserializer",
    }
}

/// What the members of one input share.
struct Shared {
    codec: CodecFactory,
    decoration: Decoration,
    text_values: bool,
    topics: Topics,
    group_id: String,
    max_records: usize,
    /// Most messages that are left to a worker at once.
    batch_size: usize,
    poll_timeout: Duration,
    max_poll_interval: Duration,
    /// `enable_auto_commit => false`
    commit_at_once: bool,
    /// Where bearer tokens come from.
    tokens: Option<Tokens>,
}

struct KafkaInput {
    config: ClientConfig,
    id: String,
    client_id: String,
    group_instance_id: Option<String>,
    threads: usize,
    shared: Shared,
}

impl KafkaInput {
    fn new(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = KafkaOptions::read(reader)?;
        let client = configure(Plugin::Input, &options.given());
        let topics = Topics::new(&options);
        let keys = is_text(reader, "key_deserializer_class", &options.key_deserializer_class);
        let text_values = is_text(reader, "value_deserializer_class", &options.value_deserializer_class);
        let threads = at_least_one(reader, "consumer_threads", options.consumer_threads);
        let max_records = at_least_one(reader, "max_poll_records", options.max_poll_records);
        for (option, word, better) in [
            ("decorate_events", options.decorate_events.word(), [("true", "basic"), ("false", "none")]),
            ("client_dns_lookup", options.client_dns_lookup.word(), [("default", "use_all_dns_ips"); 2]),
        ] {
            if let Some((old, new)) = better.iter().find(|(old, _)| word == Some(*old)) {
                reader.warning(option, format!("\"{old}\" is deprecated, use \"{new}\""));
            }
        }
        let topics = topics.map_err(|refusal| reader.error(refusal.option, refusal.reason));
        let client = client.map_err(|refusals| {
            refusals.into_iter().for_each(|refusal| reader.error(refusal.option, refusal.reason));
        });
        let Client { config, tokens, warnings } = client.ok()?;
        warnings.iter().for_each(|warning| warning.tell(reader));
        let shared = Shared {
            decoration: keys.map(|_| Decoration::new(&options))?,
            text_values: text_values?,
            topics: topics.ok()?,
            group_id: options.group_id,
            max_records: max_records?,
            batch_size: reader.context.batch_size.max(1),
            poll_timeout: milliseconds(options.poll_timeout_ms),
            max_poll_interval: milliseconds(options.max_poll_interval_ms),
            commit_at_once: !options.enable_auto_commit,
            tokens,
            codec: options.codec,
        };
        Some(KafkaInput {
            config,
            id: reader.id().to_owned(),
            client_id: options.client_id,
            group_instance_id: options.group_instance_id,
            threads: threads?,
            shared,
        })
    }

    /// The configuration of one member, named as Logstash names its consumers.
    fn member_config(&self, number: usize) -> ClientConfig {
        let mut config = self.config.clone();
        config.set("client.id", format!("{}-{number}", self.client_id));
        if let Some(instance) = self.group_instance_id.as_ref().filter(|_| self.threads > 1) {
            config.set("group.instance.id", format!("{instance}-{number}"));
        }
        config
    }
}

fn milliseconds(number: i64) -> Duration {
    Duration::from_millis(number.max(0).unsigned_abs())
}

fn at_least_one(reader: &mut OptionReader<'_>, option: &str, number: i64) -> Option<usize> {
    let number = usize::try_from(number).ok().filter(|number| *number > 0);
    if number.is_none() {
        reader.error(option, "it must be at least 1");
    }
    number
}

/// Whether a deserializer class makes text of the bytes; others than the two that need no Java are refused.
fn is_text(reader: &mut OptionReader<'_>, option: &str, class: &str) -> Option<bool> {
    match class.strip_prefix("org.apache.kafka.common.serialization.") {
        Some("StringDeserializer") => Some(true),
        Some("ByteArrayDeserializer") => Some(false),
        _ => {
            let known = "use org.apache.kafka.common.serialization.StringDeserializer or ...ByteArrayDeserializer with a codec";
            reader.error(option, format!("\"{class}\" is not available; {known}"));
            None
        }
    }
}

/// Tells the members to stop when the input's future goes away, finished or not.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Input for KafkaInput {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let abandoned = Arc::new(AtomicBool::new(false));
            let _guard = StopOnDrop(Arc::clone(&abandoned));
            let reporter = Arc::new(Reporter::new(self.id.as_str()));
            let configs: Vec<_> = (0..self.threads).map(|number| self.member_config(number)).collect();
            let shared = Arc::new(self.shared);
            let mut members = Vec::with_capacity(configs.len());
            for (number, config) in configs.into_iter().enumerate() {
                let stop = Stop { shutdown: shutdown.clone(), abandoned: Arc::clone(&abandoned) };
                let member =
                    Member::new(&config, Arc::clone(&shared), sink.clone(), stop, Arc::clone(&reporter))?;
                let (done, ended) = oneshot::channel();
                std::thread::Builder::new()
                    .name(format!("kafka-input-worker-{}-{number}", self.client_id))
                    .spawn(move || _ = done.send(member.run()))
                    .map_err(|error| {
                        RunError::new(format!("cannot start a thread for a consumer: {error}"))
                    })?;
                let abandoned = Arc::clone(&abandoned);
                members.push(async move {
                    let result =
                        ended.await.unwrap_or_else(|_| Err(RunError::new("a consumer's thread panicked")));
                    if result.is_err() {
                        // The others give their partitions back; the pipeline decides what happens to the input.
                        abandoned.store(true, Ordering::Relaxed);
                    }
                    result
                });
            }
            drop(sink);
            join_all(members).await.into_iter().collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_options_are_those_of_the_table() {
        crate::kafka::block::assert_agrees_with_table(Plugin::Input, KafkaOptions::OPTIONS);
    }
}
