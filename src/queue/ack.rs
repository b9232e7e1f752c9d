//! `Ack`: how an input learns that the events of one read are safe.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What became of the events that shared a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Every one was delivered, dropped by a filter, or given up on for a reason of its own (and logged).
    Safe,
    /// At least one was not: its input should offer the batch again.
    Lost,
}

/// A token that an input attaches to the events of one read. Whatever holds these events holds a clone; when the last
/// clone is gone, the input's callback runs, once, on whichever thread that happens: it should only take a note.
#[derive(Clone)]
pub struct Ack(Arc<Token>);

type Callback = Box<dyn FnOnce(Settled) + Send>;

struct Token {
    lost: AtomicBool,
    callback: Mutex<Option<Callback>>,
}

impl Ack {
    pub fn new(callback: impl FnOnce(Settled) + Send + 'static) -> Self {
        Ack(Arc::new(Token { lost: AtomicBool::new(false), callback: Mutex::new(Some(Box::new(callback))) }))
    }

    /// Marks the batch as not safe; the callback still waits for the last clone.
    pub fn fail(&self) {
        self.0.lost.store(true, Ordering::Release);
    }
}

impl std::fmt::Debug for Ack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ack").field("lost", &self.0.lost).finish_non_exhaustive()
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let callback = self.callback.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(callback) = callback {
            callback(if self.lost.load(Ordering::Acquire) { Settled::Lost } else { Settled::Safe });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn fires_once_when_the_last_holder_is_gone() {
        let (sender, receiver) = mpsc::channel();
        let ack = Ack::new(move |settled| sender.send(settled).unwrap());
        let clone = ack.clone();
        drop(ack);
        assert!(receiver.try_recv().is_err());
        drop(clone);
        assert_eq!(receiver.try_recv(), Ok(Settled::Safe));
    }

    #[test]
    fn one_failing_holder_loses_the_batch() {
        let (sender, receiver) = mpsc::channel();
        let ack = Ack::new(move |settled| sender.send(settled).unwrap());
        ack.clone().fail();
        drop(ack);
        assert_eq!(receiver.try_recv(), Ok(Settled::Lost));
    }
}
