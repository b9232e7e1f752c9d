//! The inputs room.
