//! `Backoff`: the waits of whoever tries again, growing and partly random, so that many who lost the same server do not
//! come back at the same moment.

use std::time::Duration;

/// Where an option gives the longest wait alone, the first one is a part of it, and no longer than this.
const FIRST: Duration = Duration::from_millis(500);

/// A wait that the config names, and up to a quarter more.
pub fn spread(wait: Duration) -> Duration {
    wait + wait.mul_f64(fastrand::f64() / 4.0)
}

/// Waits that double from the first to the longest one.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    first: Duration,
    last: Duration,
}

impl Backoff {
    /// From `first` to `last`.
    pub fn new(first: Duration, last: Duration) -> Self {
        let first = first.min(last);
        Backoff { next: first, first, last }
    }

    /// Up to an interval that the config names.
    pub fn up_to(last: Duration) -> Self {
        Backoff::new(FIRST, last)
    }

    /// The next wait. Half of it is random.
    pub fn wait(&mut self) -> Duration {
        let wait = self.next.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.next = self.next.saturating_mul(2).min(self.last);
        wait
    }

    /// The next wait is a first one again: call when something succeeded.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_differ_and_start_anew() {
        let mut backoff = Backoff::up_to(Duration::from_secs(3));
        let waits: Vec<_> = (0..50).map(|_| backoff.wait().as_secs_f64()).collect();
        for (wait, most) in waits.iter().zip([0.5, 1.0, 2.0, 3.0, 3.0]) {
            assert!((most / 2.0..=most).contains(wait), "{waits:?}");
        }
        let mut last = waits[3..].to_vec();
        assert!(last.iter().all(|wait| (1.5..=3.0).contains(wait)), "{waits:?}");
        last.dedup();
        assert!(last.len() > 1, "all are the same: {waits:?}");
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
        let short = Duration::from_millis(10);
        assert!(Backoff::up_to(short).wait() <= short, "an interval is never exceeded");
    }
}
