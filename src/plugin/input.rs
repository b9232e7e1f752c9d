//! `Input`: where events come from; `Sink`: where it puts them; `Shutdown`: when it ends.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::decoration::InputDecoration;
use crate::event::Event;
use crate::queue::{Ack, Closed, Encoded, Sender};

/// An input cannot go on, or an output cannot start. The message names what is wrong and which option mends it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RunError(pub String);

impl RunError {
    pub fn new(message: impl Into<String>) -> Self {
        RunError(message.into())
    }
}

/// An input. It runs as a task on the pipeline's tokio runtime.
pub trait Input: Send {
    /// Reads until there is nothing more to read, or until shutdown is requested, and returns in bounded time then.
    /// Passing faults (a lost connection) are retried inside with a back-off and one log line each; an error ends the
    /// input.
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>>;
}

/// The way into the pipeline's queue, with the input's common options applied.
#[derive(Clone)]
pub struct Sink {
    sender: Sender,
    decoration: Arc<InputDecoration>,
}

impl Sink {
    pub fn new(sender: Sender, decoration: Arc<InputDecoration>) -> Self {
        Sink { sender, decoration }
    }

    /// Hands over a batch, best what one read gave. Waits while the queue is full: that is the back-pressure. The token
    /// is released when all its events are safe.
    pub async fn send(&self, mut events: Vec<Event>, ack: Option<Ack>) -> Result<(), Closed> {
        for event in &mut events {
            self.decoration.apply(event);
        }
        self.send_decorated(events, ack).await
    }

    /// Applies the input's common options to one event, for inputs that set fields afterwards: such a field gives way to
    /// one of `add_field`. Those events then go through [`send_decorated`](Self::send_decorated).
    pub fn decorate(&self, event: &mut Event) {
        self.decoration.apply(event);
    }

    /// [`send`](Self::send) for events that went through [`decorate`](Self::decorate).
    pub async fn send_decorated(&self, events: Vec<Event>, ack: Option<Ack>) -> Result<(), Closed> {
        self.sender.send(events, ack).await
    }

    /// [`send`](Self::send) for what a worker may decode, about `count` events; `decode` applies
    /// [`decorate`](Self::decorate) by itself. Only for codecs that decode it [`apart`](super::Codec::apart) from the rest.
    pub async fn send_encoded(
        &self,
        count: usize,
        decode: impl FnOnce() -> Vec<Event> + Send + 'static,
        ack: Option<Ack>,
    ) -> Result<(), Closed> {
        self.sender.send_encoded(Encoded::new(count, decode), ack).await
    }

    /// The input's common options, for what is decoded without this sink.
    pub fn decoration(&self) -> &Arc<InputDecoration> {
        &self.decoration
    }

    /// [`send`](Self::send) for an input that runs on a thread of its own (within `spawn_blocking`).
    pub fn send_blocking(&self, events: Vec<Event>, ack: Option<Ack>) -> Result<(), Closed> {
        tokio::runtime::Handle::current().block_on(self.send(events, ack))
    }
}

/// Tells an input that it should stop.
#[derive(Clone)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// A switch and what hangs on it: send `true` to request the shutdown.
    pub fn channel() -> (watch::Sender<bool>, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (sender, Shutdown(receiver))
    }

    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when shutdown is requested; at once if it was before. Cancel-safe.
    pub async fn requested(&self) {
        // An error means that the pipeline is gone, which is a shutdown as well.
        _ = self.0.clone().wait_for(|requested| *requested).await;
    }
}
