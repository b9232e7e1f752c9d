//! Which offsets may be committed: per partition, the end of the batches that were acknowledged without a gap.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::queue::Settled;

/// A partition of a topic.
pub type Partition = (Arc<str>, i32);

/// What a batch holds of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The partition.
    pub partition: Partition,
    /// Offset of the first message.
    pub first: i64,
    /// Offset after the last message.
    pub next: i64,
}

/// What has to be done with a partition's position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Everything before this offset is acknowledged: it may be committed.
    Commit(Partition, i64),
    /// What begins at this offset was lost on its way: it has to be read again.
    Rewind(Partition, i64),
}

#[derive(Debug)]
struct Piece {
    batch: u64,
    first: i64,
    next: i64,
    acknowledged: bool,
}

/// The batches of one member that are on their way.
#[derive(Debug, Default)]
pub struct Watermarks {
    partitions: HashMap<Partition, VecDeque<Piece>>,
    batches: HashMap<u64, Vec<Partition>>,
    last_batch: u64,
}

impl Watermarks {
    /// Notes a batch that is about to leave and names it.
    pub fn sent(&mut self, spans: Vec<Span>) -> u64 {
        self.last_batch += 1;
        let batch = self.last_batch;
        for Span { partition, first, next } in &spans {
            let piece = Piece { batch, first: *first, next: *next, acknowledged: false };
            self.partitions.entry(partition.clone()).or_default().push_back(piece);
        }
        self.batches.insert(batch, spans.into_iter().map(|span| span.partition).collect());
        batch
    }

    /// Notes what became of a batch.
    pub fn settled(&mut self, batch: u64, settled: Settled) -> Vec<Step> {
        let mut steps = Vec::new();
        for partition in self.batches.remove(&batch).unwrap_or_default() {
            let Some(pieces) = self.partitions.get_mut(&partition) else { continue };
            // A piece that is missing belongs to a partition that was given away, or to what was rewound.
            let Some(at) = pieces.iter().position(|piece| piece.batch == batch) else { continue };
            if settled == Settled::Lost {
                // Later batches of the partition are read again too; their acknowledgement no longer counts.
                if let Some(lost) = pieces.drain(at..).next() {
                    steps.push(Step::Rewind(partition, lost.first));
                }
                continue;
            }
            if let Some(piece) = pieces.get_mut(at) {
                piece.acknowledged = true;
            }
            let mut reached = None;
            while let Some(piece) = pieces.front().filter(|piece| piece.acknowledged) {
                reached = Some(piece.next);
                pieces.pop_front();
            }
            if let Some(offset) = reached {
                steps.push(Step::Commit(partition, offset));
            }
        }
        steps
    }

    /// Forgets a partition that was given away: what is still on its way of it is no longer this member's to commit.
    pub fn forget(&mut self, partition: &Partition) {
        self.partitions.remove(partition);
    }

    /// How many batches are on their way.
    pub fn on_their_way(&self) -> usize {
        self.batches.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: i32) -> Partition {
        (Arc::from("logs"), number)
    }

    fn span(number: i32, first: i64, next: i64) -> Span {
        Span { partition: partition(number), first, next }
    }

    #[test]
    fn offsets_advance_without_gaps() {
        let mut marks = Watermarks::default();
        let first = marks.sent(vec![span(0, 0, 10)]);
        let second = marks.sent(vec![span(0, 10, 20), span(1, 5, 6)]);
        let third = marks.sent(vec![span(0, 20, 30)]);
        assert_eq!(marks.settled(second, Settled::Safe), [Step::Commit(partition(1), 6)]);
        assert_eq!(marks.settled(first, Settled::Safe), [Step::Commit(partition(0), 20)]);
        assert_eq!(marks.on_their_way(), 1);
        assert_eq!(marks.settled(third, Settled::Safe), [Step::Commit(partition(0), 30)]);
    }

    #[test]
    fn a_lost_batch_is_read_again_and_not_committed_past() {
        let mut marks = Watermarks::default();
        let first = marks.sent(vec![span(0, 0, 10)]);
        let second = marks.sent(vec![span(0, 10, 20)]);
        let third = marks.sent(vec![span(0, 20, 30)]);
        assert_eq!(marks.settled(second, Settled::Lost), [Step::Rewind(partition(0), 10)]);
        assert_eq!(marks.settled(third, Settled::Safe), [], "what came behind the gap does not count");
        let again = marks.sent(vec![span(0, 10, 30)]);
        assert_eq!(marks.settled(first, Settled::Safe), [Step::Commit(partition(0), 10)]);
        assert_eq!(marks.settled(again, Settled::Safe), [Step::Commit(partition(0), 30)]);
    }

    #[test]
    fn a_partition_given_away_is_not_committed() {
        let mut marks = Watermarks::default();
        let batch = marks.sent(vec![span(0, 0, 10), span(1, 0, 10)]);
        marks.forget(&partition(0));
        assert_eq!(marks.settled(batch, Settled::Safe), [Step::Commit(partition(1), 10)]);
        // Nor when it came back meanwhile and is read from another place.
        let old = marks.sent(vec![span(0, 0, 10)]);
        marks.forget(&partition(0));
        let new = marks.sent(vec![span(0, 4, 8)]);
        assert_eq!(marks.settled(old, Settled::Safe), []);
        assert_eq!(marks.settled(new, Settled::Safe), [Step::Commit(partition(0), 8)]);
    }
}
