//! The regex room.
