//! Redis, as both of its plugins speak with it: where it is, one connection, and how long to wait for a lost one.
//!
//! The protocol is that of the crate `redis`; its clients are not used, because a command that was renamed in the server
//! must be sent by its new name, and because an answer that holds what was taken from a list may not be thrown away.

mod connection;
#[cfg(test)]
pub mod fake;
mod server;

use std::io;
use std::time::Duration;

pub use connection::{Connection, texts};
pub use server::{Address, Commands, Server};

use crate::net::spread;

/// What went wrong with a server.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server refuses a command. Its answers do not repeat passwords.
    #[error("the server answers: {0}")]
    Refused(String),
    #[error("not an answer of Redis: {0}")]
    Protocol(String),
    #[error("no answer within {} seconds", .0.as_secs_f64())]
    TimedOut(Duration),
    #[error("the server closed the connection")]
    Closed,
}

/// The waits between tries to connect: a second at first, as in Logstash, doubled up to half a minute, and up to a
/// quarter more at random, so that many who lost a server do not come back at once.
#[derive(Debug, Default)]
pub struct Waits(u32);

impl Waits {
    const MOST: u32 = 30;

    /// The next one.
    pub fn wait(&mut self) -> Duration {
        let seconds = 1_u32.checked_shl(self.0).unwrap_or(Self::MOST).min(Self::MOST);
        self.0 = self.0.saturating_add(1).min(8);
        spread(Duration::from_secs(seconds.into()))
    }

    /// Call when the server answers again.
    pub fn reset(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_start_anew() {
        let mut waits = Waits::default();
        let seconds: Vec<_> = (0..40).map(|_| waits.wait().as_secs_f64()).collect();
        for (wait, at_least) in seconds.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]) {
            assert!((at_least..=at_least * 1.25).contains(wait), "{seconds:?}");
        }
        assert!(seconds.last().is_some_and(|last| (30.0..=37.5).contains(last)), "{seconds:?}");
        waits.reset();
        assert!(waits.wait().as_secs_f64() < 2.0);
    }
}
