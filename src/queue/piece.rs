//! `Encoded`: what an input read and left to be decoded by the worker that takes it.

use crate::event::{Event, Timestamp};

/// Whole messages as they were read, and how events are made of them.
///
/// Decoding JSON costs more than reading it. Left to the workers, it uses as many cores as there are, the queue holds
/// compact bytes, and events die on the thread that they were born on, which is what allocators like best. 300,000 lines of
/// JSON from stdin to null on 2 busy cores, best of three in turn, with short texts in place at the same time: 0.79 s of
/// time and 0.54 s of CPU before, 0.31 s and 0.52 s since.
pub struct Encoded {
    count: usize,
    read_at: Timestamp,
    decode: Box<dyn FnOnce() -> Vec<Event> + Send>,
}

impl Encoded {
    /// `count` is how many events are expected, which is what it counts for in the queue. `decode` makes them; the time
    /// of now is theirs.
    pub fn new(count: usize, decode: impl FnOnce() -> Vec<Event> + Send + 'static) -> Self {
        Encoded { count, read_at: Timestamp::now(), decode: Box::new(decode) }
    }

    /// The same, counting for no more than a whole queue holds: it would wait for ever for room.
    pub(super) fn counting_at_most(self, capacity: usize) -> Self {
        Encoded { count: self.count.clamp(1, capacity), ..self }
    }

    /// The events, as if they had been decoded when they were read.
    pub fn decode(self) -> Vec<Event> {
        Timestamp::as_of(self.read_at, self.decode)
    }
}

/// What is in the queue.
pub(super) enum Piece {
    Events(Vec<Event>),
    Encoded(Encoded),
}

impl Piece {
    pub fn len(&self) -> usize {
        match self {
            Piece::Events(events) => events.len(),
            Piece::Encoded(encoded) => encoded.count,
        }
    }
}

/// What a worker took: at most as many events as it asked for, some of them perhaps still to be decoded.
#[derive(Default)]
pub struct Pieces {
    pub(super) pieces: Vec<Piece>,
    pub(super) len: usize,
}

impl Pieces {
    pub(super) fn push(&mut self, piece: Piece) {
        self.len += piece.len();
        self.pieces.push(piece);
    }

    /// How many events are expected.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All events in order. Runs the codecs of inputs: to be called where their panics are caught.
    pub fn into_events(self) -> Vec<Event> {
        let mut events = Vec::new();
        for piece in self.pieces {
            let more = match piece {
                Piece::Events(events) => events,
                Piece::Encoded(encoded) => encoded.decode(),
            };
            match events.is_empty() {
                true => events = more,
                false => events.extend(more),
            }
        }
        events
    }
}
