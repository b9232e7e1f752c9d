//! One member of the consumer group: a consumer on a thread of its own.

use std::collections::HashMap;
use std::error::Error;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::Shared;
use super::records::Records;
use super::topics::Subscription;
use super::watermarks::{Partition, Step, Watermarks};
use crate::kafka::client::explain;
use crate::kafka::options::Plugin;
use crate::kafka::trouble::Reporter;
use crate::plugin::{Codec, RunError, Shutdown, Sink};
use crate::queue::{Ack, Settled};

/// A batch ends at `max_poll_records` messages or here, so that large messages do not fill the memory.
const BATCH_BYTES: usize = 8 << 20;
/// How long a thread that waits for something else may not look at its stop sign.
const GLANCE: Duration = Duration::from_millis(100);
/// A full queue is waited for so long, at most, before reading pauses and polling goes on.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a shutdown request, acknowledgements are waited for as long as one comes within this time.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(10);

/// How long the broker may take to confirm the last commit and the goodbye.
const FAREWELL: Duration = Duration::from_secs(3);

/// When a member ends: the pipeline asked for it, or the input was abandoned.
#[derive(Clone)]
pub struct Stop {
    /// The pipeline's request.
    pub shutdown: Shutdown,
    /// Set when the input's future is gone, or another member failed.
    pub abandoned: Arc<AtomicBool>,
}

impl Stop {
    fn is_requested(&self) -> bool {
        self.shutdown.is_requested() || self.abandoned.load(Ordering::Relaxed)
    }
}

/// What librdkafka calls back into; all calls come from within polls, on the member's thread.
struct Context {
    reporter: Arc<Reporter>,
    shared: Arc<Shared>,
    stop: Stop,
    marks: Mutex<Watermarks>,
    /// Set while the queue is full: partitions that are assigned then begin paused.
    paused: AtomicBool,
    committing: AtomicBool,
}

impl Context {
    fn marks(&self) -> MutexGuard<'_, Watermarks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        // Called with sasl_mechanism => "OAUTHBEARER" alone, which always has a source.
        let tokens = self.shared.tokens.as_ref().ok_or("there is no source of tokens")?;
        Ok(tokens.get(&|| self.stop.is_requested())?)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.reporter.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reporter.error(&error, reason);
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        // Acknowledged offsets are stored already, and librdkafka commits what is stored before it gives a partition away.
        if let Rebalance::Revoke(partitions) = rebalance {
            let mut marks = self.marks();
            for element in partitions.elements() {
                marks.forget(&(Arc::from(element.topic()), element.partition()));
            }
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        // librdkafka remembers a pause beyond the assignment it was made in: a partition that was given away paused would
        // come back paused.
        if let Rebalance::Assign(partitions) = rebalance {
            _ = match self.paused.load(Ordering::Relaxed) {
                true => consumer.pause(partitions),
                false => consumer.resume(partitions),
            };
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        self.committing.store(false, Ordering::Relaxed);
        match result {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            // The next commit covers it; another member that gets the partition before reads a little again.
            Err(error) => tracing::debug!(%error, "could not commit offsets"),
        }
    }
}

/// A batch's number and what became of it.
type Note = (u64, Settled);

/// A member, ready to run.
pub struct Member {
    consumer: BaseConsumer<Context>,
    shared: Arc<Shared>,
    sink: Option<Sink>,
    stop: Stop,
    runtime: Handle,
    codec: Box<dyn Codec>,
    subscription: Subscription,
    /// What became of batches, by their numbers. It holds at most one note per batch on its way, and those are bounded by
    /// the queue.
    settled: mpsc::Receiver<Note>,
    settle_later: mpsc::Sender<Note>,
    /// Names of topics, shared by all spans.
    topics: HashMap<String, Arc<str>>,
}

impl Member {
    /// Makes the consumer; it connects when it runs. To be called on the pipeline's runtime.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration as a whole.
    pub fn new(
        config: &ClientConfig,
        shared: Arc<Shared>,
        sink: Sink,
        stop: Stop,
        reporter: Arc<Reporter>,
    ) -> Result<Self, RunError> {
        let context = Context {
            reporter,
            shared: Arc::clone(&shared),
            stop: stop.clone(),
            marks: Mutex::default(),
            paused: AtomicBool::new(false),
            committing: AtomicBool::new(false),
        };
        let consumer = config
            .create_with_context(context)
            .map_err(|error: KafkaError| RunError::new(explain(Plugin::Input, &error.to_string())))?;
        let (settle_later, settled) = mpsc::channel();
        Ok(Member {
            consumer,
            codec: shared.codec.create(),
            shared,
            sink: Some(sink),
            stop,
            runtime: Handle::current(),
            subscription: Subscription::default(),
            settled,
            settle_later,
            topics: HashMap::new(),
        })
    }

    /// Reads until told to stop, then waits for what is on its way, commits, and leaves the group.
    ///
    /// # Errors
    /// What no retry mends, such as another member with the same `group_instance_id`.
    pub fn run(mut self) -> Result<(), RunError> {
        if self.shared.tokens.is_some() {
            // The first token is fetched within a poll, and looking for topics needs it.
            _ = self.consumer.poll(Duration::ZERO);
        }
        while !self.stop.is_requested() {
            self.subscription
                .keep(&self.shared.topics, &self.consumer)
                .map_err(|error| RunError::new(format!("cannot subscribe (see topics): {error}")))?;
            self.settle(self.settled.try_iter().collect());
            let batch = self.read()?;
            if batch.messages > 0 && !self.send(batch) {
                break;
            }
        }
        self.finish();
        close(self.consumer);
        Ok(())
    }

    /// Waits `poll_timeout_ms` for a first message and takes what else is there.
    fn read(&mut self) -> Result<Records, RunError> {
        let mut batch = Records::default();
        let mut wait = self.shared.poll_timeout;
        while batch.messages < self.shared.max_records && batch.bytes < BATCH_BYTES {
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    batch.take(&message, &self.shared, &mut *self.codec, &mut self.topics);
                }
                Some(Err(error)) => {
                    fatal(&error)?;
                    // Everything else was told by the reporter, and librdkafka tries on by itself.
                    if batch.messages > 0 {
                        break;
                    }
                }
                None => break,
            }
            wait = Duration::ZERO;
        }
        if batch.messages > 0 {
            self.consumer.context().reporter.recovered();
        }
        Ok(batch)
    }

    /// Puts a batch into the queue, however long that takes. False when the queue is closed or a stop was requested
    /// first: the batch is not acknowledged then.
    fn send(&mut self, mut batch: Records) -> bool {
        let Some(sink) = self.sink.clone() else { return false };
        let number = self.consumer.context().marks().sent(std::mem::take(&mut batch.spans));
        let note = self.settle_later.clone();
        // The receiver is gone only when the member is.
        let ack = Ack::new(move |settled| _ = note.send((number, settled)));
        let mut sending = pin!(batch.send(&self.shared, &sink, ack.clone()));
        let begun = Instant::now();
        let patience = PATIENCE.min(self.shared.max_poll_interval / 2);
        let sent = loop {
            match self.runtime.block_on(async { timeout(GLANCE, &mut sending).await }) {
                Ok(result) => break result.is_ok(),
                Err(_) if self.stop.is_requested() => break false,
                Err(_) if begun.elapsed() >= patience => self.poll_paused(),
                Err(_) => {}
            }
        };
        if !sent {
            ack.fail();
        }
        self.resume();
        sent
    }

    /// Keeps the membership while the queue is full: pauses all partitions and polls.
    fn poll_paused(&self) {
        if !self.consumer.context().paused.swap(true, Ordering::Relaxed) {
            tracing::debug!(group = self.shared.group_id, "the queue is full, reading pauses");
            if let Ok(assigned) = self.consumer.assignment() {
                _ = self.consumer.pause(&assigned);
            }
        }
        self.settle(self.settled.try_iter().collect());
        // Paused partitions give no messages; should one come all the same, it is read again.
        if let Some(Ok(message)) = self.consumer.poll(Duration::ZERO) {
            self.rewind(message.topic(), message.partition(), message.offset());
        }
    }

    fn resume(&self) {
        if self.consumer.context().paused.swap(false, Ordering::Relaxed)
            && let Ok(assigned) = self.consumer.assignment()
        {
            _ = self.consumer.resume(&assigned);
        }
    }

    /// Stores the offsets that acknowledgements allow, and reads again what was lost.
    fn settle(&self, notes: Vec<Note>) {
        if notes.is_empty() {
            return;
        }
        let mut reached: HashMap<Partition, i64> = HashMap::new();
        for (batch, settled) in notes {
            let steps = self.consumer.context().marks().settled(batch, settled);
            for step in steps {
                match step {
                    Step::Commit(partition, offset) => _ = reached.insert(partition, offset),
                    Step::Rewind((topic, partition), offset) if !self.stop.is_requested() => {
                        tracing::warn!(%topic, partition, offset, "a batch was lost on its way, reading it again");
                        self.rewind(&topic, partition, offset);
                    }
                    Step::Rewind(..) => {}
                }
            }
        }
        if reached.is_empty() {
            return;
        }
        let mut offsets = TopicPartitionList::with_capacity(reached.len());
        for ((topic, partition), offset) in reached {
            _ = offsets.add_partition_offset(&topic, partition, Offset::Offset(offset));
        }
        // A partition that was taken away a moment ago refuses its offset; whoever has it now reads from its last commit.
        if let Err(error) = self.consumer.store_offsets(&offsets) {
            tracing::debug!(%error, "could not store offsets");
        }
        if self.shared.commit_at_once && !self.consumer.context().committing.swap(true, Ordering::Relaxed) {
            _ = self.consumer.commit_consumer_state(CommitMode::Async);
        }
    }

    fn rewind(&self, topic: &str, partition: i32, offset: i64) {
        if let Err(error) = self.consumer.seek(topic, partition, Offset::Offset(offset), Duration::ZERO) {
            tracing::error!(topic, partition, offset, %error, "could not go back to an offset");
        }
    }

    /// Waits for the acknowledgements of what was read.
    fn finish(&mut self) {
        if let Ok(assigned) = self.consumer.assignment() {
            self.consumer.context().paused.store(true, Ordering::Relaxed);
            _ = self.consumer.pause(&assigned);
        }
        let mut rest = Vec::new();
        self.codec.flush(&mut |event| rest.push(event));
        if let Some(sink) = self.sink.take().filter(|_| !rest.is_empty()) {
            // What a codec held back belongs to messages that are acknowledged by now; nobody else has it.
            _ = self.runtime.block_on(async { timeout(LAST_ACKNOWLEDGEMENTS, sink.send(rest, None)).await });
        }
        let mut latest = Instant::now();
        while self.consumer.context().marks().on_their_way() > 0 && latest.elapsed() < LAST_ACKNOWLEDGEMENTS {
            _ = self.consumer.poll(Duration::ZERO);
            if let Ok(note) = self.settled.recv_timeout(GLANCE) {
                latest = Instant::now();
                let notes = std::iter::once(note).chain(self.settled.try_iter()).collect();
                self.settle(notes);
            }
        }
        let left = self.consumer.context().marks().on_their_way();
        if left > 0 {
            tracing::warn!(
                batches = left,
                "stopping without acknowledgements; what these hold will be read again"
            );
        }
    }
}

/// Commits what is stored and leaves the group, which dropping a consumer does. Without a broker librdkafka tries for as
/// long as the session lasts; that is left to a thread that nobody waits for.
fn close(consumer: BaseConsumer<Context>) {
    let (done, closed) = mpsc::channel();
    let closing = std::thread::Builder::new().name("kafka-input-close".into()).spawn(move || {
        drop(consumer);
        // Nobody may be waiting any more.
        _ = done.send(());
    });
    if closing.is_ok() && closed.recv_timeout(FAREWELL).is_err() {
        tracing::warn!(
            "the broker did not take the last offsets in time; what came since the last commit will be read again"
        );
    }
}

/// Errors that no retry mends.
fn fatal(error: &KafkaError) -> Result<(), RunError> {
    match error {
        KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId) => {
            Err(RunError::new("another consumer with the same group_instance_id has joined the group"))
        }
        KafkaError::MessageConsumptionFatal(code) => {
            Err(RunError::new(format!("the consumer cannot go on: {code}")))
        }
        _ => Ok(()),
    }
}
