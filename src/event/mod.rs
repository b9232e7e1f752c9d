//! The event room.
pub mod time_format;
pub mod timestamp;
