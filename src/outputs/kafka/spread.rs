//! Partitioners of the Java client that librdkafka does not have.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::producer::Partitioner;

use crate::kafka::Refusal;

/// How messages are spread over a topic's partitions where it is not by their key.
pub enum Spread {
    /// One after the other, whatever the key (`RoundRobinPartitioner`).
    RoundRobin(Mutex<HashMap<String, usize>>),
    /// One partition for a while and then another, whatever the key (`UniformStickyPartitioner`).
    Sticky { current: Mutex<HashMap<String, (i32, Instant)>>, while_for: Duration },
}

impl Spread {
    /// Reads the option `partitioner`; `None` is the default one, which librdkafka has.
    ///
    /// # Errors
    /// A partitioner that is a Java class of someone's own.
    pub fn new(partitioner: Option<&str>, linger_ms: i64) -> Result<Option<Self>, Refusal> {
        const PACKAGE: &str = "org.apache.kafka.clients.producer.";
        let Some(name) = partitioner else { return Ok(None) };
        match name.strip_prefix(PACKAGE).unwrap_or(name) {
            "default" | "internals.DefaultPartitioner" => Ok(None),
            "round_robin" | "RoundRobinPartitioner" => Ok(Some(Spread::RoundRobin(Mutex::default()))),
            "uniform_sticky" | "UniformStickyPartitioner" => {
                // As long as librdkafka sticks: the next batch goes elsewhere.
                let while_for = Duration::from_millis(linger_ms.max(5).unsigned_abs().saturating_mul(2));
                Ok(Some(Spread::Sticky { current: Mutex::default(), while_for }))
            }
            _ => {
                let known =
                    "leave it out for the Java client's default, or use round_robin or uniform_sticky";
                Err(Refusal::new("partitioner", format!("{name:?} is not available; {known}")))
            }
        }
    }
}

impl Partitioner for Spread {
    fn partition(
        &self,
        topic: &str,
        _key: Option<&[u8]>,
        count: i32,
        is_available: impl Fn(i32) -> bool,
    ) -> i32 {
        let count = count.max(1);
        // The first partition that has a leader, from this one on.
        let available = |from: i32| {
            (0..count).map(|step| (from + step) % count).find(|at| is_available(*at)).unwrap_or(from)
        };
        match self {
            Spread::RoundRobin(turns) => {
                let mut turns = turns.lock().unwrap_or_else(PoisonError::into_inner);
                let turn = match turns.get_mut(topic) {
                    Some(turn) => turn,
                    None => turns.entry(topic.to_owned()).or_default(),
                };
                *turn = turn.wrapping_add(1);
                available((*turn % count.unsigned_abs() as usize) as i32)
            }
            Spread::Sticky { current, while_for } => {
                let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((partition, since)) = current.get(topic)
                    && since.elapsed() < *while_for
                    && *partition < count
                    && is_available(*partition)
                {
                    return *partition;
                }
                let partition = available(fastrand::i32(0..count));
                current.insert(topic.to_owned(), (partition, Instant::now()));
                partition
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_robin_takes_partitions_in_turn_by_topic() {
        let spread = Spread::new(Some("round_robin"), 5).expect("known").expect("not the default");
        let mut taken: Vec<_> = (0..4)
            .map(|_| {
                // Another topic in between does not take this one's turns.
                spread.partition("other", None, 4, |_| true);
                spread.partition("logs", Some(b"same key"), 4, |_| true)
            })
            .collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2, 3]);
        assert_eq!(spread.partition("logs", None, 4, |partition| partition == 2), 2, "the one with a leader");
    }

    #[test]
    fn uniform_sticky_stays_for_a_while() {
        let spread = Spread::new(Some("uniform_sticky"), 60_000).expect("known").expect("not the default");
        let first = spread.partition("logs", Some(b"a"), 64, |_| true);
        assert!((0..50).all(|_| spread.partition("logs", Some(b"b"), 64, |_| true) == first));
    }

    #[test]
    fn classes_of_someones_own_are_refused() {
        assert!(Spread::new(None, 5).is_ok_and(|spread| spread.is_none()));
        assert!(
            Spread::new(Some("org.apache.kafka.clients.producer.RoundRobinPartitioner"), 5)
                .is_ok_and(|s| s.is_some())
        );
        assert_eq!(
            Spread::new(Some("com.example.Mine"), 5).err().map(|refusal| refusal.option),
            Some("partitioner")
        );
    }
}
