//! The tests that see rstash from outside, in one binary.
mod cli;
mod demo;
mod dns;
mod ends;
mod examples;
mod golden;
mod kafka;
mod language;
mod post;
mod rooms;
mod shared;
mod twitter;
