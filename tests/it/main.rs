//! The tests that see rstash from outside, in one binary.
mod cli;
mod cli_cases;
mod corpus;
mod demo;
mod ends;
mod examples;
mod file;
mod golden;
mod kafka;
mod language;
mod pipelines;
mod post;
mod reference;
mod rooms;
mod shared;
mod tls;
mod twitter;
