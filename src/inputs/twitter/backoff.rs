//! How long to wait before the stream is opened again, after the API's page "Connecting to a streaming endpoint".

use std::time::Duration;

/// Why a connection ended or did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The server closed a stream that had brought something.
    Closed,
    /// The network: no connection, a broken one, or one that fell silent.
    Network,
    /// The server is in trouble (5xx) or answered what nobody expects.
    Server,
    /// 420 or 429: too many connections or requests. Some servers say when the next one is welcome.
    RateLimited { reset_in: Option<Duration> },
    /// 401 or 403: the credentials are wrong, or lack a right.
    Refused,
}

/// The waits of one input. A connection that brings a message starts them all anew.
#[derive(Debug)]
pub struct Backoff {
    /// The wait after 420 and 429 where the answer names none: `rate_limit_reset_in`.
    rate_limit_reset_in: Duration,
    last: Option<Cause>,
    attempt: u32,
}

impl Backoff {
    /// Network errors pass quickly: 250 ms more each time, up to 16 s.
    const NETWORK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(16));
    /// Servers in trouble want rest: 5 s, doubled each time, up to 320 s.
    const SERVER: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(320));
    /// Wrong credentials stay wrong until a person changes something: 1 minute, doubled each time, up to 16.
    const REFUSED: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(960));
    /// Nobody is made to wait longer for a limit, whatever the header says: its windows have 15 minutes.
    const LONGEST_RESET: Duration = Duration::from_secs(3600);

    const SHORTEST_RESET: Duration = Duration::from_secs(1);

    pub fn new(rate_limit_reset_in: Duration) -> Self {
        Backoff { rate_limit_reset_in, last: None, attempt: 0 }
    }

    /// Call when a message arrived: what went wrong before is over.
    pub fn reset(&mut self) {
        self.last = None;
        self.attempt = 0;
    }

    /// The wait before the next attempt. `jitter` lies in 0..1 and spreads clients that lost the same server: up to a
    /// quarter is added, never taken away, for the shortest waits are the server's rules.
    pub fn wait(&mut self, cause: Cause, jitter: f64) -> Duration {
        let same =
            self.last.is_some_and(|last| std::mem::discriminant(&last) == std::mem::discriminant(&cause));
        self.attempt = if same { self.attempt.saturating_add(1) } else { 0 };
        self.last = Some(cause);
        let wait = match cause {
            // A stream that worked may be opened again at once; one that only ever closes is a network error.
            Cause::Closed if self.attempt == 0 => return Duration::ZERO,
            Cause::Closed => linear(Self::NETWORK, self.attempt - 1),
            Cause::Network => linear(Self::NETWORK, self.attempt),
            Cause::Server => doubling(Self::SERVER, self.attempt),
            Cause::RateLimited { reset_in } => {
                let wait = reset_in.map_or(self.rate_limit_reset_in, |reset| reset.min(Self::LONGEST_RESET));
                // A time that has passed already must not make a busy loop.
                wait.max(Self::SHORTEST_RESET)
            }
            Cause::Refused => doubling(Self::REFUSED, self.attempt),
        };
        wait + wait.mul_f64(jitter.clamp(0.0, 1.0) / 4.0)
    }

    /// Whether this is the first failure of its kind in a row, the one that deserves a line in the log.
    pub fn is_first(&self) -> bool {
        self.attempt == 0
    }
}

fn linear((step, most): (Duration, Duration), attempt: u32) -> Duration {
    step.saturating_mul(attempt.saturating_add(1)).min(most)
}

fn doubling((first, most): (Duration, Duration), attempt: u32) -> Duration {
    first.saturating_mul(2u32.saturating_pow(attempt.min(16))).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(cause: Cause, count: usize) -> Vec<u64> {
        let mut backoff = Backoff::new(Duration::from_secs(300));
        (0..count).map(|_| backoff.wait(cause, 0.0).as_millis() as u64).collect()
    }

    #[test]
    fn network_errors_wait_a_little_longer_each_time() {
        assert_eq!(waits(Cause::Network, 3), [250, 500, 750]);
        assert_eq!(waits(Cause::Network, 200).last(), Some(&16_000));
    }

    #[test]
    fn servers_in_trouble_are_left_alone_ever_longer() {
        assert_eq!(
            waits(Cause::Server, 8),
            [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 320_000]
        );
    }

    #[test]
    fn wrong_credentials_never_loop_quickly() {
        assert_eq!(waits(Cause::Refused, 6), [60_000, 120_000, 240_000, 480_000, 960_000, 960_000]);
    }

    #[test]
    fn a_closed_stream_is_opened_at_once_but_not_for_ever() {
        assert_eq!(waits(Cause::Closed, 4), [0, 250, 500, 750]);
        let mut backoff = Backoff::new(Duration::ZERO);
        backoff.wait(Cause::Closed, 0.0);
        backoff.reset();
        assert_eq!(backoff.wait(Cause::Closed, 0.0), Duration::ZERO);
    }

    #[test]
    fn limits_end_when_the_server_says_or_the_option() {
        let said = Cause::RateLimited { reset_in: Some(Duration::from_secs(7)) };
        assert_eq!(waits(said, 2), [7000, 7000]);
        assert_eq!(waits(Cause::RateLimited { reset_in: None }, 2), [300_000, 300_000]);
        let absurd = Cause::RateLimited { reset_in: Some(Duration::MAX) };
        assert_eq!(waits(absurd, 1), [3_600_000]);
        assert_eq!(waits(Cause::RateLimited { reset_in: Some(Duration::ZERO) }, 1), [1000]);
    }

    #[test]
    fn another_cause_starts_anew_and_jitter_only_adds() {
        let mut backoff = Backoff::new(Duration::from_secs(300));
        backoff.wait(Cause::Network, 0.0);
        backoff.wait(Cause::Network, 0.0);
        assert!(!backoff.is_first());
        assert_eq!(backoff.wait(Cause::Server, 1.0), Duration::from_millis(6250));
        assert!(backoff.is_first());
    }
}
