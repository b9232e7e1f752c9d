//! `Output`: where events go.

use futures_util::future::BoxFuture;

use super::input::{RunError, Shutdown};
use crate::event::Event;

/// An event that was not delivered, by its index in the batch, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    pub index: usize,
    pub reason: String,
}

/// What became of a batch. Events named in neither list are delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// To be offered again, after a back-off: the peer is away or busy.
    pub retry: Vec<Undelivered>,
    /// Never deliverable: logged and counted by the pipeline.
    pub dead: Vec<Undelivered>,
}

impl Delivery {
    /// Everything arrived.
    pub fn done() -> Self {
        Self::default()
    }

    /// The whole batch has to be offered again.
    pub fn retry_all(events: usize, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let retry = (0..events).map(|index| Undelivered { index, reason: reason.clone() }).collect();
        Delivery { retry, dead: Vec::new() }
    }
}

/// An output, shared by all workers of a pipeline.
pub trait Output: Send + Sync {
    /// Connects, opens, starts background tasks; called once, on the pipeline's runtime, before the first batch. Not
    /// called by `--config-test`. A peer that is away is no error: deliveries are retried.
    fn open(&self, _shutdown: Shutdown) -> BoxFuture<'_, Result<(), RunError>> {
        Box::pin(async { Ok(()) })
    }

    /// Delivers a batch and returns when its events are safe (acknowledged, written). Batches overlap: the next one may
    /// come while this one still waits, but not before this one's future has been polled once. What must keep the order
    /// of events therefore happens before the first await. The pipeline offers
    /// [`Delivery::retry`] again, with a back-off, until it succeeds.
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery>;

    /// Whether what this output writes to is gone for good and nobody minds, as with a pipe whose reader has seen
    /// enough. Asked after every delivery; the pipeline then stops its inputs and ends as if they had come to their end.
    fn has_ended(&self) -> bool {
        false
    }

    /// Flushes and closes; called once, after the last batch.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}
