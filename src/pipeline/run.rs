//! Running one pipeline from start to end, in one order: outputs open, workers start, inputs run; then inputs stop, the
//! queue drains, filters flush, outputs close.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::plan::{FilterNode, InputNode, Plan, Step};
use super::worker::{Stage, Workers};
use crate::plugin::{RunError, Shutdown, Sink};
use crate::queue;

/// How often a shutdown that takes long says what it waits for.
const STALL_REPORT: Duration = Duration::from_secs(5);

/// The settings of one pipeline.
#[derive(Debug, Clone)]
pub struct PipelineSettings {
    pub id: Arc<str>,
    /// `pipeline.workers`
    pub workers: usize,
    /// `pipeline.batch.size`, in events
    pub batch_size: usize,
    /// `pipeline.batch.delay`
    pub batch_delay: Duration,
}

/// How a pipeline ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Events that reached the outputs.
    pub delivered: u64,
    /// Events that an output gave up on.
    pub dead: u64,
    /// Whether an input, an output or a worker failed, so that the process should not exit with success.
    pub failed: bool,
}

/// Runs a pipeline until its inputs have ended or `shutdown` is requested, and everything read is delivered. Must be
/// called within a tokio runtime.
pub async fn run(plan: Plan, settings: PipelineSettings, shutdown: Shutdown) -> Result<Ended, RunError> {
    let Plan { inputs, filters, outputs, routes } = plan;
    for node in &outputs {
        node.output
            .open(shutdown.clone())
            .await
            .map_err(|error| RunError::new(format!("{}: {error}", node.id)))?;
    }
    let filters = start_filters(filters).await?;
    let capacity = settings.workers.saturating_mul(settings.batch_size).saturating_mul(2).max(1);
    let (sender, receiver) = queue::bounded(capacity);
    let sender = sender.decoding_early(settings.workers == 1);
    let stage = Arc::new(Stage {
        in_flight: Arc::new(Semaphore::new(Stage::permits(&settings))),
        settings,
        filters,
        outputs,
        routes,
        runtime: Handle::current(),
        delivered: AtomicU64::new(0),
        dead: AtomicU64::new(0),
        failed: AtomicBool::new(false),
        stop: Notify::new(),
    });
    let workers = Workers::start(&stage, receiver)
        .map_err(|error| RunError::new(format!("could not start the worker threads: {error}")))?;

    let inputs_failed = run_inputs(inputs, sender, &shutdown, &stage).await;
    finish(stage, workers, inputs_failed).await
}

/// Starts every filter, off the runtime: they may wait for other hosts.
async fn start_filters(filters: Vec<Step<FilterNode>>) -> Result<Vec<Step<FilterNode>>, RunError> {
    fn start(steps: &[Step<FilterNode>]) -> Result<(), RunError> {
        for step in steps {
            match step {
                Step::Leaf(node) => {
                    node.filter.start().map_err(|error| RunError::new(format!("{}: {error}", node.id)))?;
                }
                Step::If { arms, otherwise, .. } => {
                    arms.iter().try_for_each(|(_, steps)| start(steps))?;
                    start(otherwise)?;
                }
            }
        }
        Ok(())
    }
    if filters.is_empty() {
        return Ok(filters);
    }
    let span = tracing::Span::current();
    let started = tokio::task::spawn_blocking(move || span.in_scope(|| start(&filters).map(|()| filters)));
    started.await.map_err(|panicked| RunError::new(format!("a filter could not be started: {panicked}")))?
}

/// Runs the inputs to their end and drops the last sender of the queue with them. Returns whether one failed.
async fn run_inputs(
    inputs: Vec<InputNode>,
    sender: queue::Sender,
    shutdown: &Shutdown,
    stage: &Stage,
) -> bool {
    // A worker that panics and an output that has ended stop the inputs as well.
    let (stop, stopped) = Shutdown::channel();
    let mut tasks = JoinSet::new();
    for node in inputs {
        let sink = Sink::new(sender.clone(), node.decoration);
        let input = node.input.run(sink, stopped.clone());
        let id = node.id;
        let span = tracing::info_span!("input", plugin.id = %id);
        tasks.spawn(async move { (id, input.await) }.instrument(span));
    }
    drop(sender);
    let mut failed = false;
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                None => return failed,
                Some(Ok((_, Ok(())))) => {}
                Some(Ok((input, Err(error)))) => {
                    tracing::error!(%input, %error, "input failed");
                    failed = true;
                }
                Some(Err(panicked)) => {
                    tracing::error!(%panicked, "an input panicked");
                    failed = true;
                }
            },
            () = shutdown.requested(), if !*stop.borrow() => {
                _ = stop.send(true);
            }
            () = stage.stop.notified(), if !*stop.borrow() => {
                _ = stop.send(true);
            }
            () = tokio::time::sleep(STALL_REPORT) => {
                if *stop.borrow() {
                    tracing::warn!(inputs = tasks.len(), "the shutdown process appears to be stalled: inputs are still busy");
                }
            }
        }
    }
}

/// Waits for the workers, flushes the filters one last time and closes the outputs.
async fn finish(stage: Arc<Stage>, workers: Workers, inputs_failed: bool) -> Result<Ended, RunError> {
    let draining = Arc::clone(&stage);
    let drained = tokio::task::spawn_blocking(move || {
        workers.join();
        draining.drain();
    });
    tokio::pin!(drained);
    loop {
        tokio::select! {
            ended = &mut drained => {
                ended.map_err(|error| RunError::new(format!("the pipeline could not be drained: {error}")))?;
                break;
            }
            () = tokio::time::sleep(STALL_REPORT) => {
                tracing::warn!("the shutdown process appears to be stalled: filters or outputs are still busy");
            }
        }
    }
    for node in &stage.outputs {
        node.output.close().await;
    }
    Ok(Ended {
        delivered: stage.delivered.load(Ordering::Relaxed),
        dead: stage.dead.load(Ordering::Relaxed),
        failed: inputs_failed || stage.failed.load(Ordering::Acquire),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::future::BoxFuture;
    use tokio::sync::Barrier;

    use super::*;
    use crate::event::Event;
    use crate::pipeline::plan::{OutputNode, Step};
    use crate::plugin::{Delivery, Input, InputDecoration, Output};
    use crate::queue::{Ack, Settled};

    const TIME_LIMIT: Duration = Duration::from_secs(20);

    /// Sends so many batches of one event, and notes what becomes of each.
    struct Batches {
        count: usize,
        settled: Arc<Mutex<Vec<Settled>>>,
    }

    impl Input for Batches {
        fn run(self: Box<Self>, sink: Sink, _: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
            Box::pin(async move {
                for _ in 0..self.count {
                    let settled = Arc::clone(&self.settled);
                    let ack = Ack::new(move |what| settled.lock().unwrap().push(what));
                    let sent = sink.send(vec![Event::from_message("x")], Some(ack)).await;
                    sent.map_err(|closed| RunError::new(closed.to_string()))?;
                }
                Ok(())
            })
        }
    }

    /// Answers a batch when so many are on their way together.
    struct Together(Barrier);

    impl Output for Together {
        fn deliver<'a>(&'a self, _: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
            Box::pin(async {
                self.0.wait().await;
                Delivery::done()
            })
        }
    }

    struct Panics;

    impl Output for Panics {
        fn deliver<'a>(&'a self, _: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
            Box::pin(async {
                tokio::task::yield_now().await;
                panic!("this output always panics")
            })
        }
    }

    /// Refuses the whole batch once, and then takes it.
    #[derive(Default)]
    struct SecondTry(Mutex<usize>);

    impl Output for SecondTry {
        fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
            let mut tries = self.0.lock().unwrap();
            *tries += 1;
            let delivery =
                if *tries == 1 { Delivery::retry_all(events.len(), "busy") } else { Delivery::done() };
            Box::pin(async { delivery })
        }
    }

    fn run_batches(count: usize, output: impl Output + 'static) -> (Ended, Vec<Settled>) {
        let settled = Arc::new(Mutex::new(Vec::new()));
        let input = Box::new(Batches { count, settled: Arc::clone(&settled) });
        let decoration = Arc::new(InputDecoration::default());
        let plan = Plan {
            inputs: vec![InputNode { id: "in".into(), name: "in", input, decoration }],
            filters: Vec::new(),
            outputs: vec![OutputNode { id: "out".into(), name: "out", output: Box::new(output) }],
            routes: vec![Step::Leaf(0)],
        };
        let settings =
            PipelineSettings { id: "main".into(), workers: 1, batch_size: 1, batch_delay: Duration::ZERO };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (_stop, shutdown) = Shutdown::channel();
        let ended = runtime.block_on(async {
            tokio::time::timeout(TIME_LIMIT, run(plan, settings, shutdown))
                .await
                .expect("the pipeline ends")
                .unwrap()
        });
        drop(runtime);
        let settled = settled.lock().unwrap().clone();
        (ended, settled)
    }

    #[test]
    fn batches_wait_for_their_outputs_together() {
        let (ended, settled) = run_batches(12, Together(Barrier::new(6)));
        assert_eq!(ended, Ended { delivered: 12, dead: 0, failed: false });
        assert_eq!(settled, vec![Settled::Safe; 12]);
    }

    #[test]
    fn what_could_not_be_delivered_is_offered_again() {
        let (ended, settled) = run_batches(2, SecondTry::default());
        assert_eq!(ended, Ended { delivered: 2, dead: 0, failed: false });
        assert_eq!(settled, vec![Settled::Safe; 2]);
    }

    #[test]
    fn a_panic_loses_the_batch_and_fails_the_pipeline() {
        let (ended, settled) = run_batches(1, Panics);
        assert!(ended.failed);
        assert_eq!(settled, vec![Settled::Lost]);
    }
}
