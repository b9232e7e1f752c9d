//! The queue room.
