//! The inputs: one file per plugin, named as in Logstash.

mod beats;
mod elasticsearch;
mod exec;
mod file;
mod generator;
mod heartbeat;
mod http;
mod http_poller;
mod jdbc;
mod kafka;
mod lumberjack;
mod pipe;
mod pipeline;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
mod redis;
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
    &elasticsearch::SPEC,
    &exec::SPEC,
    &file::SPEC,
    &generator::SPEC,
    &heartbeat::SPEC,
    &http::SPEC,
    &http_poller::SPEC,
    &jdbc::SPEC,
    &kafka::SPEC,
    &lumberjack::SPEC,
    &pipe::SPEC,
    &pipeline::SPEC,
    #[cfg(feature = "rabbitmq")]
    &rabbitmq::SPEC,
    &redis::SPEC,
    &stdin::SPEC,
    &syslog::SPEC,
    &tcp::SPEC,
    &twitter::SPEC,
    &udp::SPEC,
    &unix::SPEC,
];
