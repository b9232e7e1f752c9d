//! The outputs room.
