//! Input `rabbitmq`: takes messages out of a queue, and acknowledges them when they are delivered
//! (logstash-integration-rabbitmq).

mod consume;
mod metadata;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, try_join_all};

use crate::plugin::{
    Build, Choice, CodecFactory, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec, choices,
    options,
};
use crate::rabbitmq::{Broker, ConnectionOptions, short, table};

use consume::{Consumer, Wanted};
use metadata::Metadata;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "rabbitmq",
    summary: "Takes messages out of a queue of RabbitMQ.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("json"),
    example: Example {
        config: r#"input {
  rabbitmq {
    host => "rabbit.example.org"
    queue => "logs"
    durable => true
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(RabbitMq::build(reader)?))),
};

choices! {
    /// How much of a message events tell in `[@metadata]`.
    pub enum MetadataLevel {
        None = "none",
        Basic = "basic",
        Extended = "extended",
        /// An old word for `none`.
        False = "false",
        /// An old word for `basic`.
        True = "true",
    }
}

options! {
    struct Options {
        /// The queue. Without a name the broker makes one up.
        queue: String = "",
        /// Whether queue and exchange are declared as ones that outlive the broker's restart.
        durable: bool = false,
        /// Whether the queue goes when its last consumer does.
        auto_delete: bool = false,
        /// Whether the queue is for this connection alone.
        exclusive: bool = false,
        /// Most messages that may be under way without an acknowledgement.
        prefetch_count: u16 = 256,
        /// Whether messages are acknowledged when their events are delivered; else as soon as they come.
        ack: bool = true,
        /// The exchange to bind the queue to.
        exchange: Option<String>,
        /// The exchange's type, such as `direct`; with it the exchange is declared.
        exchange_type: Option<String>,
        /// The routing key of the binding.
        key: String = "logstash",
        /// Seconds before the next try to consume, after the broker did not let us or took the queue away.
        subscription_retry_interval_seconds: f64 = 5,
        /// What events tell in `[@metadata]`: with `basic` `rabbitmq_headers` and `rabbitmq_properties`, with `extended`
        /// `rabbitmq_payload` too.
        metadata_enabled: MetadataLevel = "none",
        /// How many consumers there are, each with a connection of its own.
        threads: usize = 1,
        ..connection: ConnectionOptions,
    }
}

struct RabbitMq {
    consumer: Arc<Consumer>,
    consumers: usize,
}

impl RabbitMq {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let codec: Option<CodecFactory> = reader.take("codec", Some("json"));
        let options = Options::read(reader)?;
        let broker = Broker::build(&options.connection, reader);
        for (option, number) in
            [("prefetch_count", usize::from(options.prefetch_count)), ("threads", options.threads)]
        {
            if number == 0 {
                reader.error(option, "it must be at least 1");
            }
        }
        if options.exchange.is_none() {
            for option in ["exchange_type", "key"] {
                reader.no_effect(option, "there is no exchange to bind the queue to");
            }
        }
        if options.connection.passive {
            for option in ["durable", "auto_delete", "exclusive", "arguments"] {
                reader.no_effect(option, "with passive the queue is taken as it is");
            }
        }
        for (old, new) in [("true", "basic"), ("false", "none")] {
            if options.metadata_enabled.word() == Some(old) {
                reader.warning("metadata_enabled", format!("\"{old}\" is an old word for \"{new}\""));
            }
        }
        let retry = Duration::try_from_secs_f64(options.subscription_retry_interval_seconds);
        if retry.is_err() {
            reader.error("subscription_retry_interval_seconds", "expected a number of seconds");
        }
        let mut checked = |option: &'static str, text: &str| {
            short("it", text).map_err(|reason| reader.error(option, reason)).ok()
        };
        let queue = checked("queue", &options.queue);
        let key = checked("key", &options.key);
        let exchange = options.exchange.as_deref().map(|exchange| checked("exchange", exchange));
        let arguments = table(&options.connection.arguments);
        let arguments = arguments.map_err(|reason| reader.error("arguments", reason)).ok();
        let wanted = Wanted {
            queue: queue?,
            passive: options.connection.passive,
            durable: options.durable,
            auto_delete: options.auto_delete,
            exclusive: options.exclusive,
            arguments: arguments?,
            exchange: exchange.map_or(Some(None), |exchange| exchange.map(Some))?,
            exchange_type: options.exchange_type,
            key: key?,
            prefetch: options.prefetch_count.max(1),
        };
        let consumer = Consumer {
            broker: broker?,
            wanted,
            acknowledges: options.ack,
            retry: retry.ok()?,
            codec: codec?,
            metadata: Metadata::new(options.metadata_enabled)?,
            batch: reader.context.batch_size.max(1),
        };
        Some(RabbitMq { consumer: Arc::new(consumer), consumers: options.threads.max(1) })
    }
}

impl Input for RabbitMq {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let consumers = (0..self.consumers).map(|_| {
                let (consumer, sink, shutdown) = (Arc::clone(&self.consumer), sink.clone(), shutdown.clone());
                tokio::spawn(async move { consumer.run(&sink, &shutdown).await })
            });
            let ended = try_join_all(consumers).await;
            ended.map(drop).map_err(|panicked| RunError::new(format!("a consumer failed: {panicked}")))
        })
    }
}
