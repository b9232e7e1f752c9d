//! The queue between inputs and workers: batches in, batches out, and acknowledgement back to where events came from.
//!
//! This room knows events, but neither plugins nor pipelines.

mod ack;
pub mod bus;
mod memory;
mod piece;

pub use ack::{Ack, Settled};
pub use memory::{Closed, Receiver, Sender, Taken, bounded};
pub use piece::{Encoded, Pieces};
