//! rstash: a Logstash-compatible pipeline.
//!
//! | room | what it is |
//! |---|---|
//! | [`language`] | config text to a tree with places, and diagnostics |
//! | [`event`] | events, values, field references, sprintf, timestamps, JSON |
//! | [`regex`] | Ruby regular expressions |
//! | [`grok`] | grok expressions and the patterns that come with Logstash |
//! | [`ruby`] | the Ruby of scripts in configs |
//! | [`queue`] | batches from inputs to workers, acknowledgement back |
//! | [`plugin`] | what a plugin is: its options, traits and checks |
//! | [`tls`] | TLS options, stores, and rustls configurations made of them |
//! | [`net`] | sockets that plugins share |
//! | [`csv`] | comma-separated values, for the filter and the codec |
//! | [`http_client`] | HTTP options, and a client made of them |
//! | [`elasticsearch`] | searches of a cluster: options, requests, tables |
//! | [`lumberjack`] | the Lumberjack protocol, both sides of it |
//! | [`limits`] | how many files the process may have open |
//! | [`schedule`] | when something runs: cron lines and durations |
//! | [`command`] | programs that plugins start |
//! | `rabbitmq` | brokers of RabbitMQ and connections to them |
//! | [`redis`] | Redis servers and connections to them |
//! | [`sql`] | databases behind JDBC URLs, statements, and rows as fields |
//! | [`inputs`] [`filters`] [`outputs`] [`codecs`] | one file per plugin |
//! | [`pipeline`] | plan, conditions, workers, start and shutdown |
//! | [`testing`] | `rstash test` |
//! | [`demo`] | `rstash demo`: a stand-in Twitter, an embedded Kafka, and two pipelines between them |
//! | [`settings`] | logstash.yml, pipelines.yml, and which config texts they lead to |
//! | [`logging`] | the log of the process |
//! | [`cli`] | flags, subcommands, exit statuses |
//!
//! A room uses only the rooms above it.

pub mod cli;
pub mod codecs;
pub mod command;
pub mod csv;
pub mod demo;
pub mod elasticsearch;
pub mod event;
pub mod filters;

pub mod grok;
pub mod http_client;
pub mod inputs;
pub mod kafka;
pub mod language;
pub mod limits;
pub mod logging;
pub mod lumberjack;
pub mod net;
pub mod outputs;
pub mod pipeline;
pub mod plugin;
pub mod queue;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
pub mod redis;
pub mod regex;
pub mod ruby;
pub mod schedule;
pub mod settings;
pub mod sql;
pub mod testing;
pub mod tls;

use std::sync::LazyLock;

use plugin::Registry;

/// Every plugin of this build.
pub fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let kinds = [inputs::SPECS, filters::SPECS, outputs::SPECS, codecs::SPECS];
        Registry::new(kinds.into_iter().flatten().copied())
    });
    &REGISTRY
}
