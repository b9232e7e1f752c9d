//! The inputs room.
pub mod twitter;
