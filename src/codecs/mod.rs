//! The codecs room.
