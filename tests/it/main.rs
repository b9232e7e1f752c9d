//! The tests that see rstash from outside, in one binary.
mod language;
