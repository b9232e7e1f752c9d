//! Counts the events that a pipeline's outputs delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use crate::event::Event;
use crate::pipeline::Plan;
use crate::plugin::{Delivery, Output, RunError, Shutdown};

/// How many events were delivered so far.
#[derive(Clone, Default)]
pub struct Shown {
    events: Arc<AtomicU64>,
    more: Arc<Notify>,
}

impl Shown {
    /// Counts what the outputs of a plan deliver from now on.
    pub fn watch(&self, plan: &mut Plan) {
        plan.outputs = std::mem::take(&mut plan.outputs)
            .into_iter()
            .map(|mut node| {
                node.output = Box::new(Watched { output: node.output, shown: self.clone() });
                node
            })
            .collect();
    }

    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Acquire)
    }

    /// The count itself, for whoever must not run ahead of it.
    pub fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.events)
    }

    /// Resolves when that many were delivered; never without a number.
    pub async fn reached(&self, count: Option<u64>) {
        let Some(count) = count else { return std::future::pending().await };
        // A notification that comes between look and wait is kept by `Notify`.
        while self.events() < count {
            self.more.notified().await;
        }
    }
}

struct Watched {
    output: Box<dyn Output>,
    shown: Shown,
}

impl Output for Watched {
    fn open(&self, shutdown: Shutdown) -> BoxFuture<'_, Result<(), RunError>> {
        self.output.open(shutdown)
    }

    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            let delivery = self.output.deliver(events).await;
            if !self.output.has_ended() {
                let delivered = events.len().saturating_sub(delivery.retry.len() + delivery.dead.len());
                self.shown.events.fetch_add(delivered as u64, Ordering::AcqRel);
                self.shown.more.notify_one();
            }
            delivery
        })
    }

    fn has_ended(&self) -> bool {
        self.output.has_ended()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.output.close()
    }
}
