//! The Lumberjack protocol, versions 1 and 2: what servers and clients of it share, whichever plugins they are.

mod client;
mod connection;
pub mod frame;
pub mod packed;
pub mod window;

pub use client::{Client, window_of};
pub use connection::{End, Failure, Received, log_end, serve};
pub use frame::{Malformed, Version};
