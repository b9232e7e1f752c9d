//! The filters room.
