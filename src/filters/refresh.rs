//! When to read a file again: the filters translate and cidr share it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Says once per interval that it is time, to the first worker that asks.
#[derive(Debug)]
pub struct Refresh {
    started: Instant,
    /// Milliseconds; none where a file is never read again.
    interval: Option<u64>,
    /// The next time, in milliseconds from `started` on.
    due: AtomicU64,
}

impl Refresh {
    /// An interval in seconds, counted from now on. What is no time span means never.
    pub fn every(seconds: f64) -> Self {
        let interval = Duration::try_from_secs_f64(seconds).ok();
        let interval = interval.and_then(|interval| u64::try_from(interval.as_millis()).ok());
        Refresh { started: Instant::now(), interval, due: AtomicU64::new(interval.unwrap_or(u64::MAX)) }
    }

    /// Whether the caller is the one to read the file now.
    pub fn is_due(&self) -> bool {
        let Some(interval) = self.interval else { return false };
        let due = self.due.load(Ordering::Relaxed);
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        now >= due
            && self
                .due
                .compare_exchange(due, now.saturating_add(interval), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_once_per_interval() {
        let at_once = Refresh::every(0.0);
        assert!(at_once.is_due());
        assert!(at_once.is_due());
        let hourly = Refresh::every(3600.0);
        assert!(!hourly.is_due());
        hourly.due.store(0, Ordering::Relaxed);
        assert!(hourly.is_due());
        assert!(!hourly.is_due());
        assert!(!Refresh::every(-1.0).is_due());
        assert!(!Refresh::every(f64::MAX).is_due());
    }
}
