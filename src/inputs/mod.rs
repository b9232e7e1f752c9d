//! The inputs: one file per plugin, named as in Logstash.

mod beats;
mod file;
mod generator;
mod heartbeat;
mod http;
mod http_poller;
mod jdbc;
mod kafka;
mod pipeline;
mod stdin;
mod stream;
mod syslog;
mod tcp;
mod threads;
mod twitter;
mod udp;
mod unix;

use crate::plugin::Spec;

/// Every input of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &beats::SPEC,
    &beats::ELASTIC_AGENT,
    &file::SPEC,
    &generator::SPEC,
    &heartbeat::SPEC,
    &http::SPEC,
    &http_poller::SPEC,
    &jdbc::SPEC,
    &kafka::SPEC,
    &pipeline::SPEC,
    &stdin::SPEC,
    &syslog::SPEC,
    &tcp::SPEC,
    &twitter::SPEC,
    &udp::SPEC,
    &unix::SPEC,
];
