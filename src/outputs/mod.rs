//! The outputs: one file per plugin, named as in Logstash.

mod csv;
mod elasticsearch;
mod email;
mod exec;
mod file;
mod graphite;
mod http;
mod kafka;
mod lumberjack;
mod null;
mod pipe;
mod pipeline;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
mod redis;
mod statsd;
mod stdout;
mod syslog;
mod tcp;
mod udp;

use crate::plugin::Spec;

/// Every output of this build, sorted by name.
pub static SPECS: &[&Spec] = &[
    &csv::SPEC,
    &elasticsearch::ELASTICSEARCH,
    &elasticsearch::OPENSEARCH,
    &email::SPEC,
    &exec::SPEC,
    &file::SPEC,
    &graphite::SPEC,
    &http::SPEC,
    &kafka::SPEC,
    &lumberjack::SPEC,
    &null::SPEC,
    &pipe::SPEC,
    &pipeline::SPEC,
    #[cfg(feature = "rabbitmq")]
    &rabbitmq::SPEC,
    &redis::SPEC,
    &statsd::SPEC,
    &stdout::SPEC,
    &syslog::SPEC,
    &tcp::SPEC,
    &udp::SPEC,
];
