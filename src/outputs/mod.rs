//! The outputs: one file per plugin, named as in Logstash.

mod elasticsearch;
mod file;
mod http;
mod kafka;
mod null;
mod pipeline;
mod stdout;
mod tcp;
mod udp;

use crate::plugin::Spec;

/// Every output of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &elasticsearch::ELASTICSEARCH,
    &elasticsearch::OPENSEARCH,
    &file::SPEC,
    &http::SPEC,
    &kafka::SPEC,
    &null::SPEC,
    &pipeline::SPEC,
    &stdout::SPEC,
    &tcp::SPEC,
    &udp::SPEC,
];
