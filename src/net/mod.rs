//! Sockets that plugins share: the loop that accepts connections, reading, and a connection that opens itself again
//! after growing waits.

mod backoff;
mod connection;
mod listener;
mod read;

pub use backoff::{Backoff, spread};
pub use connection::{Connection, Duplex, Peer};
pub use listener::Listener;
pub use read::read_more;

/// Most bytes of a stream that may wait for the end of a line. A connection that brings more is closed: Logstash keeps
/// on reading until memory is full.
pub const LONGEST_LINE: usize = 64 * 1024 * 1024;
