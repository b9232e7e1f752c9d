//! The memory queue: bounded by events, one lock per batch, asynchronous for inputs and blocking for workers.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::ack::Ack;
use super::piece::{Encoded, Piece, Pieces};
use crate::event::Event;

/// The queue takes nothing any more: every receiver is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is closed")]
pub struct Closed;

struct Chunk {
    piece: Piece,
    ack: Option<Ack>,
}

struct State {
    chunks: VecDeque<Chunk>,
    events: usize,
    senders: usize,
    receivers: usize,
}

struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    /// One permit per event that still fits.
    room: Semaphore,
    capacity: usize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a queue that holds at most `capacity` events.
pub fn bounded(capacity: usize) -> (Sender, Receiver) {
    let capacity = capacity.clamp(1, Semaphore::MAX_PERMITS);
    let shared = Arc::new(Shared {
        state: Mutex::new(State { chunks: VecDeque::new(), events: 0, senders: 1, receivers: 1 }),
        filled: Condvar::new(),
        room: Semaphore::new(capacity),
        capacity,
    });
    (Sender { shared: Arc::clone(&shared), decodes_early: false }, Receiver { shared })
}

/// The inputs' end. When the last one is dropped, receivers drain what is left and then see the end.
pub struct Sender {
    shared: Arc<Shared>,
    decodes_early: bool,
}

impl Sender {
    /// Whether what inputs send encoded is decoded on their side: with a single worker, which then has the rest to do.
    pub fn decoding_early(mut self, decodes_early: bool) -> Self {
        self.decodes_early = decodes_early;
        self
    }

    /// Hands events over, waiting for room. Back-pressure is this wait: an input that awaits it reads no further.
    /// Without events, the token is released at once.
    ///
    /// They go in pieces of at most half of what the queue holds. A worker that waits for its batch to become full leaves
    /// that much room, so that the two never wait for each other: with one worker and whole blocks of 195 events, each
    /// block cost a `pipeline.batch.delay` (300,000 lines took 79 s, and 1.1 s in pieces).
    pub async fn send(&self, mut events: Vec<Event>, ack: Option<Ack>) -> Result<(), Closed> {
        let most = (self.shared.capacity / 2).max(1);
        if events.len() > most {
            let mut rest = events.into_iter();
            while rest.len() > most {
                let piece = rest.by_ref().take(most).collect();
                self.send_piece(Piece::Events(piece), ack.clone()).await?;
            }
            events = rest.collect();
        }
        if events.is_empty() {
            return Ok(());
        }
        self.send_piece(Piece::Events(events), ack).await
    }

    /// [`send`](Self::send) for what a worker may decode. Should count for no more events than a worker takes at once.
    pub async fn send_encoded(&self, encoded: Encoded, ack: Option<Ack>) -> Result<(), Closed> {
        match self.decodes_early {
            true => self.send(encoded.decode(), ack).await,
            false => {
                self.send_piece(Piece::Encoded(encoded.counting_at_most(self.shared.capacity)), ack).await
            }
        }
    }

    async fn send_piece(&self, piece: Piece, ack: Option<Ack>) -> Result<(), Closed> {
        let permits = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        match self.shared.room.acquire_many(permits).await {
            Ok(permit) => permit.forget(),
            Err(_) => {
                if let Some(ack) = ack {
                    ack.fail();
                }
                return Err(Closed);
            }
        }
        let mut state = self.shared.lock();
        state.events += piece.len();
        state.chunks.push_back(Chunk { piece, ack });
        drop(state);
        self.shared.filled.notify_one();
        Ok(())
    }

    /// Events waiting in the queue.
    pub fn len(&self) -> usize {
        self.shared.lock().events
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Clone for Sender {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Sender { shared: Arc::clone(&self.shared), decodes_early: self.decodes_early }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.senders -= 1;
        if state.senders == 0 {
            drop(state);
            self.shared.filled.notify_all();
        }
    }
}

/// The workers' end.
pub struct Receiver {
    shared: Arc<Shared>,
}

/// What a worker got.
#[derive(Debug)]
pub enum Taken<E = Vec<Event>> {
    /// Events, and the tokens to release when all of them are safe.
    Batch { events: E, acks: Vec<Ack> },
    /// Nothing came within the idle time.
    Idle,
    /// Every sender is gone and nothing is left.
    End,
}

impl Receiver {
    /// Takes up to `max` events, decoded: [`take_pieces`](Self::take_pieces).
    pub fn take(&self, max: usize, delay: Duration, idle: Duration) -> Taken {
        match self.take_pieces(max, delay, idle) {
            Taken::Batch { events, acks } => Taken::Batch { events: events.into_events(), acks },
            Taken::Idle => Taken::Idle,
            Taken::End => Taken::End,
        }
    }

    /// Takes up to `max` events. Waits up to `idle` for the first. A batch that is not full is topped up for at most
    /// `delay`, unless the queue had been quiet for longer than that: then the event goes at once, since waiting would
    /// only add latency.
    pub fn take_pieces(&self, max: usize, delay: Duration, idle: Duration) -> Taken<Pieces> {
        let started = Instant::now();
        let mut state = self.shared.lock();
        while state.events == 0 {
            if state.senders == 0 {
                return Taken::End;
            }
            let left = idle.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Taken::Idle;
            }
            state = self.wait(state, left);
        }
        if started.elapsed() < delay {
            let topping_up = Instant::now();
            while state.events < max && state.events > 0 && state.senders > 0 {
                let left = delay.saturating_sub(topping_up.elapsed());
                if left.is_zero() {
                    break;
                }
                state = self.wait(state, left);
            }
        }
        let (events, acks) = state.pop(max);
        drop(state);
        self.shared.room.add_permits(events.len());
        if events.is_empty() { Taken::Idle } else { Taken::Batch { events, acks } }
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, time: Duration) -> MutexGuard<'s, State> {
        self.shared.filled.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    fn pop(&mut self, max: usize) -> (Pieces, Vec<Ack>) {
        let mut taken = Pieces::default();
        let mut acks = Vec::new();
        while let Some(chunk) = self.chunks.front_mut() {
            let room = max.saturating_sub(taken.len());
            if chunk.piece.len() > room {
                match &mut chunk.piece {
                    Piece::Events(events) if room > 0 => {
                        taken.push(Piece::Events(events.drain(..room).collect()));
                        acks.extend(chunk.ack.clone());
                        break;
                    }
                    // What is not decoded cannot be cut.
                    Piece::Encoded(_) if taken.is_empty() => {}
                    _ => break,
                }
            }
            let Some(whole) = self.chunks.pop_front() else { break };
            taken.push(whole.piece);
            acks.extend(whole.ack);
        }
        self.events -= taken.len();
        (taken, acks)
    }
}

impl Clone for Receiver {
    fn clone(&self) -> Self {
        self.shared.lock().receivers += 1;
        Receiver { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        self.shared.room.close();
        let left = std::mem::take(&mut state.chunks);
        drop(state);
        for chunk in left {
            if let Some(ack) = chunk.ack {
                ack.fail();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Settled;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const LONG: Duration = Duration::from_secs(10);

    fn events(count: usize) -> Vec<Event> {
        (0..count).map(|n| Event::from_message(n.to_string())).collect()
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn batches_are_split_and_joined_in_order() {
        let (sender, receiver) = bounded(100);
        runtime().block_on(async {
            sender.send(events(3), None).await.unwrap();
            sender.send(events(4), None).await.unwrap();
        });
        drop(sender);
        let mut seen = Vec::new();
        while let Taken::Batch { events, .. } = receiver.take(2, Duration::ZERO, LONG) {
            assert!(events.len() <= 2);
            seen.extend(events.iter().map(|event| event.data().get("message").cloned().unwrap()));
        }
        let expected: Vec<_> = ["0", "1", "2", "0", "1", "2", "3"].map(crate::event::Value::from).into();
        assert_eq!(seen, expected);
    }

    /// `count` events that are made when they are taken.
    fn encoded(count: usize) -> Encoded {
        Encoded::new(count, move || events(count))
    }

    #[test]
    fn encoded_pieces_are_taken_whole_and_in_order() {
        let (sender, receiver) = bounded(100);
        runtime().block_on(async {
            sender.send(events(1), None).await.unwrap();
            sender.send_encoded(encoded(2), None).await.unwrap();
            sender.send_encoded(encoded(5), None).await.unwrap();
            sender.send(events(2), None).await.unwrap();
            // A line with an array in it makes more events than lines, a blank one fewer.
            sender.send_encoded(Encoded::new(1, || events(3)), None).await.unwrap();
            sender.send_encoded(Encoded::new(1, Vec::new), None).await.unwrap();
        });
        assert_eq!(sender.len(), 12);
        drop(sender);
        let mut sizes = Vec::new();
        while let Taken::Batch { events, .. } = receiver.take(4, Duration::ZERO, LONG) {
            sizes.push(events.len());
        }
        assert_eq!(sizes, [3, 5, 5]);
    }

    #[test]
    fn a_large_batch_and_a_worker_that_waits_for_more_do_not_wait_for_each_other() {
        // Twice what a worker takes, as with one worker; the wait for more is never over.
        let (sender, receiver) = bounded(250);
        let sending = std::thread::spawn(move || {
            runtime().block_on(async {
                for _ in 0..20 {
                    sender.send(events(195), None).await.unwrap();
                }
            });
        });
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut count = 0;
            while let Taken::Batch { events, .. } = receiver.take(125, Duration::MAX, LONG) {
                count += events.len();
            }
            done.send(count).unwrap();
        });
        assert_eq!(is_done.recv_timeout(12 * LONG), Ok(20 * 195));
        sending.join().unwrap();
    }

    #[test]
    fn encoded_pieces_hold_the_sender_back_too() {
        let (sender, receiver) = bounded(3);
        let full = runtime().block_on(async {
            sender.send_encoded(encoded(50), None).await.unwrap();
            tokio::time::timeout(Duration::from_millis(20), sender.send_encoded(encoded(1), None)).await
        });
        assert!(full.is_err());
        assert!(
            matches!(receiver.take(9, Duration::ZERO, LONG), Taken::Batch { events, .. } if events.len() == 50)
        );
        runtime().block_on(sender.send_encoded(encoded(1), None)).unwrap();
    }

    #[test]
    fn a_token_waits_for_every_piece() {
        static SAFE: AtomicUsize = AtomicUsize::new(0);
        let (sender, receiver) = bounded(100);
        let ack = Ack::new(|settled| {
            assert_eq!(settled, Settled::Safe);
            SAFE.fetch_add(1, Ordering::SeqCst);
        });
        runtime().block_on(sender.send(events(3), Some(ack))).unwrap();
        let first = receiver.take(2, Duration::ZERO, LONG);
        drop(first);
        assert_eq!(SAFE.load(Ordering::SeqCst), 0);
        drop(receiver.take(2, Duration::ZERO, LONG));
        assert_eq!(SAFE.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_full_queue_holds_the_sender_back() {
        let (sender, receiver) = bounded(2);
        runtime().block_on(async {
            sender.send(events(2), None).await.unwrap();
            let blocked = tokio::time::timeout(Duration::from_millis(20), sender.send(events(1), None)).await;
            assert!(blocked.is_err());
        });
        assert!(
            matches!(receiver.take(5, Duration::ZERO, LONG), Taken::Batch { events, .. } if events.len() == 2)
        );
        runtime().block_on(sender.send(events(1), None)).unwrap();
        drop(receiver);
        assert_eq!(runtime().block_on(sender.send(events(3), None)), Err(Closed));
    }

    #[test]
    fn an_abandoned_queue_loses_what_it_held() {
        let (lost, was_lost) = std::sync::mpsc::channel();
        let (sender, receiver) = bounded(10);
        let ack = Ack::new(move |settled| lost.send(settled).unwrap());
        runtime().block_on(sender.send(events(1), Some(ack))).unwrap();
        drop(receiver);
        assert_eq!(was_lost.recv_timeout(LONG), Ok(Settled::Lost));
    }
}
