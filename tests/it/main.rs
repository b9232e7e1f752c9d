//! The tests that see rstash from outside, in one binary.
mod cli;
mod demo;
mod elasticsearch;
mod ends;
mod examples;
mod golden;
mod kafka;
mod language;
mod pipelines;
mod post;
mod rooms;
mod shared;
mod tls;
mod twitter;
