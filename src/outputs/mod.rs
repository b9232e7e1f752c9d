//! The outputs: one file per plugin, named as in Logstash.

mod elasticsearch;
mod email;
mod file;
mod graphite;
mod http;
mod kafka;
mod null;
mod pipeline;
mod statsd;
mod stdout;
mod syslog;
mod tcp;
mod udp;

use crate::plugin::Spec;

/// Every output of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &elasticsearch::ELASTICSEARCH,
    &elasticsearch::OPENSEARCH,
    &email::SPEC,
    &file::SPEC,
    &graphite::SPEC,
    &http::SPEC,
    &kafka::SPEC,
    &null::SPEC,
    &pipeline::SPEC,
    &statsd::SPEC,
    &stdout::SPEC,
    &syslog::SPEC,
    &tcp::SPEC,
    &udp::SPEC,
];
