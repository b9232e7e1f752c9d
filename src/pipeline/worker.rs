//! The workers: threads that take batches from the queue, run the filters and deliver to the outputs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};

use super::batch::{Batch, Flush, Selection};
use super::plan::{FilterNode, OutputNode, Step};
use super::run::PipelineSettings;
use crate::event::Event;
use crate::queue::{Ack, Pieces, Receiver, Taken};
use crate::ruby::{SCRIPT_STACK, use_script_stack};

/// How often filters that hold events back are asked for what is due.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);
/// How many batches of a worker may wait for their outputs at once, while it goes on with the next: an output that answers
/// after a round trip over the network is then limited by its bandwidth, not by its distance. 300,000 events to Kafka took
/// 9.5 s one batch at a time.
const BATCHES_IN_FLIGHT: usize = 16;
/// Waits between two offers of events to an output that could not take them: doubled from the first to the last.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(30);

/// What all workers of a pipeline share.
pub(super) struct Stage {
    pub settings: PipelineSettings,
    pub filters: Vec<Step<FilterNode>>,
    pub outputs: Vec<OutputNode>,
    pub routes: Vec<Step<usize>>,
    pub runtime: Handle,
    /// Events that reached the outputs.
    pub delivered: AtomicU64,
    /// Events that an output gave up on.
    pub dead: AtomicU64,
    /// A worker panicked; the pipeline has to end.
    pub failed: AtomicBool,
    /// Wakes whoever runs the inputs when the pipeline has to end from its other side: a worker panicked, or an output
    /// has ended.
    pub stop: Notify,
    /// One permit per batch that may wait for its outputs.
    pub in_flight: Arc<Semaphore>,
}

/// The tokens of a batch on its way. Dropped before it is released, as in a panic, it fails them and the pipeline.
struct Held {
    stage: Arc<Stage>,
    acks: Vec<Ack>,
    released: bool,
}

impl Held {
    /// Every event of the batch is delivered or given up on.
    fn release(mut self) {
        self.released = true;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.released {
            return;
        }
        for ack in &self.acks {
            ack.fail();
        }
        self.stage.failed.store(true, Ordering::Release);
        self.stage.stop.notify_one();
    }
}

/// The running worker threads.
pub struct Workers(Vec<JoinHandle<()>>);

impl Workers {
    pub(super) fn start(stage: &Arc<Stage>, receiver: Receiver) -> std::io::Result<Self> {
        let mut workers = Vec::with_capacity(stage.settings.workers);
        for number in 0..stage.settings.workers {
            let (stage, receiver) = (Arc::clone(stage), receiver.clone());
            let name = format!("[{}]>worker{number}", stage.settings.id);
            // Log lines of a worker carry the pipeline's name, as those of its starter do.
            let span = tracing::Span::current();
            let worker =
                std::thread::Builder::new().name(name).stack_size(SCRIPT_STACK).spawn(move || {
                    use_script_stack();
                    span.in_scope(|| work(&stage, &receiver, number == 0));
                })?;
            workers.push(worker);
        }
        Ok(Workers(workers))
    }

    /// Waits until every worker has drained its part of the queue.
    pub(super) fn join(self) {
        for worker in self.0 {
            // A panic inside a batch is caught there; one outside is already on stderr.
            _ = worker.join();
        }
    }
}

/// One worker's life. Only the first one flushes filters, so that nothing is flushed twice.
fn work(stage: &Arc<Stage>, receiver: &Receiver, flushes: bool) {
    let mut last_flush = Instant::now();
    loop {
        let settings = &stage.settings;
        let (pieces, acks) =
            match receiver.take_pieces(settings.batch_size, settings.batch_delay, FLUSH_INTERVAL) {
                Taken::Batch { events, acks } => (events, acks),
                Taken::Idle => (Pieces::default(), Vec::new()),
                Taken::End => return,
            };
        let flush =
            if flushes && last_flush.elapsed() >= FLUSH_INTERVAL { Flush::Periodic } else { Flush::No };
        if flush == Flush::Periodic {
            last_flush = Instant::now();
        }
        if pieces.is_empty() && flush == Flush::No {
            continue;
        }
        let held = Held { stage: Arc::clone(stage), acks, released: false };
        if catch_unwind(AssertUnwindSafe(|| stage.process(pieces.into_events(), held, flush))).is_err() {
            tracing::error!(pipeline = %stage.settings.id, "a worker panicked, the pipeline will be stopped");
            return;
        }
    }
}

impl Stage {
    /// How many batches of all workers may wait for their outputs at once.
    pub(super) fn permits(settings: &PipelineSettings) -> usize {
        settings.workers.saturating_mul(BATCHES_IN_FLIGHT).clamp(1, Semaphore::MAX_PERMITS)
    }

    /// Takes a batch all the way: filters, then outputs. Returns when the outputs have it or, with as many batches on
    /// their way as may be, when one of them has arrived.
    fn process(self: &Arc<Self>, events: Vec<Event>, held: Held, flush: Flush) {
        let mut batch = Batch::new(events);
        let selection = batch.filter(&self.filters, flush);
        if selection.is_empty() {
            return held.release();
        }
        let mut routes = vec![Selection::new(); self.outputs.len()];
        batch.route(&self.routes, &selection, &mut routes);
        let stage = Arc::clone(self);
        let mut delivery = Box::pin(async move {
            stage.deliver_all(&batch, &routes).await;
            stage.delivered.fetch_add(selection.len() as u64, Ordering::Relaxed);
            held.release();
        });
        let _inside = self.runtime.enter();
        // An output that writes at once is done here; any other has taken its events in the order of the batches.
        if (&mut delivery).now_or_never().is_some() {
            return;
        }
        // The semaphore is never closed: without a permit there is nothing to wait for.
        let permit = self.runtime.block_on(Arc::clone(&self.in_flight).acquire_owned()).ok();
        self.runtime.spawn(async move {
            delivery.await;
            drop(permit);
        });
    }

    /// Flushes the filters for the last time and waits for every batch on its way.
    pub(super) fn drain(self: &Arc<Self>) {
        if !self.failed.load(Ordering::Acquire) {
            let held = Held { stage: Arc::clone(self), acks: Vec::new(), released: false };
            self.process(Vec::new(), held, Flush::Last);
        }
        let all = u32::try_from(Self::permits(&self.settings)).unwrap_or(u32::MAX);
        _ = self.runtime.block_on(self.in_flight.acquire_many(all));
    }

    async fn deliver_all(&self, batch: &Batch, routes: &[Selection]) {
        let routed = self.outputs.iter().zip(routes).filter(|(_, route)| !route.is_empty());
        let deliveries = routed.map(|(node, route)| {
            let events: Vec<&Event> = route.iter().filter_map(|&index| batch.event(index)).collect();
            self.deliver(node, events)
        });
        join_all(deliveries).await;
    }

    /// Offers events to an output until it has taken or refused every one.
    async fn deliver(&self, node: &OutputNode, mut events: Vec<&Event>) {
        let mut wait = RETRY_FIRST;
        loop {
            let delivery = node.output.deliver(&events).await;
            for dead in &delivery.dead {
                tracing::error!(output = %node.id, reason = %dead.reason, "event could not be delivered and was dropped");
            }
            self.dead.fetch_add(delivery.dead.len() as u64, Ordering::Relaxed);
            if node.output.has_ended() {
                self.stop.notify_one();
            }
            let Some(first) = delivery.retry.first() else { return };
            tracing::warn!(
                output = %node.id,
                events = delivery.retry.len(),
                reason = %first.reason,
                retry_in_ms = wait.as_millis() as u64,
                "could not deliver, will retry"
            );
            events = delivery.retry.iter().filter_map(|retry| events.get(retry.index).copied()).collect();
            // Half of the wait is random, so that many senders do not come back at the same moment.
            tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            wait = (wait * 2).min(RETRY_LAST);
        }
    }
}
