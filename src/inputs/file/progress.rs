//! How far a file is safe: positions that move as the pipeline acknowledges what was read, in the order of reading.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;

use super::identity::seconds;
use crate::queue::{Ack, Settled};

/// What all files of an input have on their way together.
#[derive(Debug, Default)]
pub struct Ledger {
    batches: AtomicUsize,
    settled: Notify,
    moved: AtomicBool,
}

impl Ledger {
    /// Waits until nothing is on its way.
    pub async fn all_settled(&self) {
        loop {
            let settled = self.settled.notified();
            if self.batches.load(Ordering::Acquire) == 0 {
                return;
            }
            settled.await;
        }
    }

    /// Notes that there is something else to write.
    pub fn set_moved(&self) {
        self.moved.store(true, Ordering::Release);
    }

    /// Whether a position has moved since this was asked last.
    pub fn take_moved(&self) -> bool {
        self.moved.swap(false, Ordering::AcqRel)
    }
}

/// The position of one file.
#[derive(Debug)]
pub struct Progress {
    ledger: Arc<Ledger>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Up to here everything is acknowledged, in bytes.
    safe: u64,
    /// When that was last so, in seconds since 1970.
    changed: f64,
    /// What comes after, in the order of reading.
    on_the_way: VecDeque<Step>,
    /// The number of the first of them.
    first: u64,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    /// Where it ends.
    end: u64,
    /// Whether it is acknowledged.
    acknowledged: bool,
    /// Whether the file has begun anew here: what came before was of other content.
    anew: bool,
}

impl Progress {
    pub fn new(ledger: Arc<Ledger>, position: u64, changed: f64) -> Self {
        let state = State { safe: position, changed, on_the_way: VecDeque::new(), first: 0 };
        Progress { ledger, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token for events; when it comes back, the file is safe up to `end`. Events that were lost stop the position for
    /// good: it will be read on from there after a restart.
    pub fn token(self: &Arc<Self>, end: u64) -> Ack {
        let mut state = self.lock();
        let number = state.first + state.on_the_way.len() as u64;
        state.on_the_way.push_back(Step { end, acknowledged: false, anew: false });
        drop(state);
        self.ledger.batches.fetch_add(1, Ordering::AcqRel);
        let progress = Arc::clone(self);
        Ack::new(move |settled| progress.settle(number, settled))
    }

    fn settle(&self, number: u64, settled: Settled) {
        if settled == Settled::Safe {
            let mut state = self.lock();
            let index = usize::try_from(number - state.first).unwrap_or(usize::MAX);
            if let Some(step) = state.on_the_way.get_mut(index) {
                step.acknowledged = true;
            }
            self.advance(&mut state);
        }
        if self.ledger.batches.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.ledger.settled.notify_waiters();
        }
    }

    /// Notes a position that nothing has to be acknowledged for but what was read before.
    pub fn pass(&self, end: u64) {
        let mut state = self.lock();
        if state.on_the_way.back().map_or(state.safe, |step| step.end) != end {
            state.on_the_way.push_back(Step { end, acknowledged: true, anew: false });
            self.advance(&mut state);
        }
    }

    /// Notes that the file has other content from here on, and is read from its beginning.
    pub fn begin_anew(&self) {
        let mut state = self.lock();
        state.on_the_way.push_back(Step { end: 0, acknowledged: true, anew: true });
        self.advance(&mut state);
        self.ledger.set_moved();
    }

    fn advance(&self, state: &mut State) {
        while let Some(Step { end, acknowledged: true, .. }) = state.on_the_way.front().copied() {
            state.on_the_way.pop_front();
            state.first += 1;
            state.safe = end;
            state.changed = seconds(SystemTime::now());
            self.ledger.set_moved();
        }
    }

    /// The position in bytes, and when it was reached in seconds since 1970. It is one in the file's present content:
    /// what is not yet acknowledged of content that is gone cannot be read again.
    pub fn safe(&self) -> (u64, f64) {
        let state = self.lock();
        let is_of_old_content = state.on_the_way.iter().any(|step| step.anew);
        (if is_of_old_content { 0 } else { state.safe }, state.changed)
    }

    /// Whether everything that was read is acknowledged.
    pub fn is_settled(&self) -> bool {
        self.lock().on_the_way.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(position: u64) -> Arc<Progress> {
        Arc::new(Progress::new(Arc::default(), position, 0.0))
    }

    #[test]
    fn positions_move_in_the_order_of_reading() {
        let progress = progress(5);
        let (first, second) = (progress.token(10), progress.token(20));
        progress.pass(25);
        drop(second);
        assert_eq!(progress.safe(), (5, 0.0));
        drop(first);
        assert_eq!(progress.safe().0, 25);
        assert!(progress.safe().1 > 1.7e9);
        assert!(progress.is_settled() && progress.ledger.take_moved() && !progress.ledger.take_moved());
    }

    #[test]
    fn a_file_that_begins_anew_goes_back_after_what_was_read_before() {
        let progress = progress(0);
        drop(progress.token(50));
        let before = progress.token(100);
        assert_eq!(progress.safe().0, 50);
        progress.begin_anew();
        let after = progress.token(7);
        drop(after);
        assert_eq!(progress.safe().0, 0, "50 would be a place in other content");
        drop(before);
        assert_eq!(progress.safe().0, 7);
    }

    #[test]
    fn what_is_lost_stops_the_position() {
        let progress = progress(0);
        let (first, second) = (progress.token(10), progress.token(20));
        first.fail();
        drop(first);
        drop(second);
        assert_eq!(progress.safe().0, 0);
        assert!(!progress.is_settled());
        assert_eq!(progress.ledger.batches.load(Ordering::Relaxed), 0);
    }
}
