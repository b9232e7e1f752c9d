//! The outputs: one file per plugin, named as in Logstash.

mod csv;
mod elasticsearch;
mod exec;
mod file;
mod http;
mod kafka;
mod null;
mod pipe;
mod pipeline;
mod redis;
mod stdout;
mod tcp;
mod udp;

use crate::plugin::Spec;

/// Every output of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &csv::SPEC,
    &elasticsearch::ELASTICSEARCH,
    &elasticsearch::OPENSEARCH,
    &exec::SPEC,
    &file::SPEC,
    &http::SPEC,
    &kafka::SPEC,
    &null::SPEC,
    &pipe::SPEC,
    &pipeline::SPEC,
    &redis::SPEC,
    &stdout::SPEC,
    &tcp::SPEC,
    &udp::SPEC,
];
