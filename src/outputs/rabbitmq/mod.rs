//! Output `rabbitmq`: publishes events to an exchange, and waits until the broker has confirmed them
//! (logstash-integration-rabbitmq).

mod properties;

use futures_util::future::{BoxFuture, join_all};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, ExchangeKind, PublisherConfirm};
use tokio::sync::Mutex;

use crate::event::{Event, Template};
use crate::plugin::{
    Build, Choice, CodecFactory, Delivery, Example, Kind, OptionReader, Output, Pairs, Spec, Undelivered,
    choices, options,
};
use crate::rabbitmq::{Broker, ConnectionOptions, Session, Short, short};

use properties::Properties;

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "rabbitmq",
    summary: "Publishes events to an exchange of RabbitMQ, until they are confirmed.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("json"),
    example: Example {
        config: r#"output {
  rabbitmq {
    host => "rabbit.example.org"
    exchange => "logs"
    exchange_type => "topic"
    key => "%{type}"
    message_properties => { "content_type" => "application/json" }
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| Some(Box::new(Publisher::build(reader)?))),
};

choices! {
    /// How an exchange gives its messages out.
    pub enum ExchangeType {
        Fanout = "fanout",
        Direct = "direct",
        Topic = "topic",
        ConsistentHash = "x-consistent-hash",
        ModulusHash = "x-modulus-hash",
    }
}

options! {
    struct Options {
        /// The routing key; may hold `%{...}`.
        key: Template = "logstash",
        /// The exchange, which is declared.
        exchange: String,
        /// How it gives its messages out.
        exchange_type: ExchangeType,
        /// Whether the exchange is declared as one that outlives the broker's restart.
        durable: bool = true,
        /// Whether the broker shall keep messages on disk.
        persistent: bool = true,
        /// Properties of messages, such as `content_type`, `priority`, `expiration` and `headers`; may hold `%{...}`.
        message_properties: Pairs = {},
        ..connection: ConnectionOptions,
    }
}

struct Publisher {
    broker: Broker,
    exchange: Short,
    exchange_type: &'static str,
    durable: bool,
    key: Template,
    properties: Properties,
    codec: CodecFactory,
    /// The connection in use. Messages go out in the order in which their batches came.
    session: Mutex<Option<Session>>,
}

/// A message that is ready to be published.
struct Message {
    /// The index of its event in the batch.
    index: usize,
    key: Short,
    properties: BasicProperties,
    payload: Vec<u8>,
}

impl Publisher {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let codec: Option<CodecFactory> = reader.take("codec", Some("json"));
        let options = Options::read(reader)?;
        let broker = Broker::build(&options.connection, reader);
        for option in ["passive", "arguments"] {
            reader.no_effect(option, "it is meant for queues, and this output declares none");
        }
        let exchange = short("it", &options.exchange);
        let exchange = exchange.map_err(|reason| reader.error("exchange", reason)).ok();
        let properties = Properties::build(&options.message_properties, options.persistent);
        let properties = properties.map_err(|reason| reader.error("message_properties", reason)).ok();
        Some(Publisher {
            broker: broker?,
            exchange: exchange?,
            exchange_type: options.exchange_type.word()?,
            durable: options.durable,
            key: options.key,
            properties: properties?,
            codec: codec?,
            session: Mutex::default(),
        })
    }

    fn message(&self, index: usize, event: &Event) -> Result<Message, String> {
        let mut payload = Vec::new();
        self.codec.encoder().encode(event, &mut payload).map_err(|error| error.to_string())?;
        let key = self.key.render(event).map_err(|error| error.to_string())?;
        Ok(Message {
            index,
            key: short("the key", &key)?,
            properties: self.properties.render(event)?,
            payload,
        })
    }

    /// A connection whose exchange is declared, and which confirms what it gets.
    async fn session(&self) -> Result<Session, lapin::Error> {
        let session = self.broker.connect().await?;
        let options = ExchangeDeclareOptions { durable: self.durable, ..ExchangeDeclareOptions::default() };
        let kind = ExchangeKind::Custom(self.exchange_type.to_owned());
        let channel = &session.channel;
        channel.exchange_declare(self.exchange.clone(), kind, options, FieldTable::default()).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(session)
    }

    /// Publishes messages one after the other, as far as the connection lets us.
    async fn publish(&self, messages: &[Message]) -> (Vec<PublisherConfirm>, Option<String>) {
        let mut sent = Vec::with_capacity(messages.len());
        let mut kept = self.session.lock().await;
        let session = match kept.take() {
            Some(session) if session.channel.status().connected() => session,
            _ => match self.session().await {
                Ok(session) => session,
                Err(error) => return (sent, Some(error.to_string())),
            },
        };
        for message in messages {
            let (exchange, key) = (self.exchange.clone(), message.key.clone());
            let (options, properties) = (BasicPublishOptions::default(), message.properties.clone());
            let published =
                session.channel.basic_publish(exchange, key, options, &message.payload, properties).await;
            match published {
                Ok(confirm) => sent.push(confirm),
                Err(error) => return (sent, Some(error.to_string())),
            }
        }
        *kept = Some(session);
        (sent, None)
    }

    async fn deliver_all(&self, events: &[&Event]) -> Delivery {
        let mut delivery = Delivery::done();
        let mut messages = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            match self.message(index, event) {
                Ok(message) => messages.push(message),
                Err(reason) => delivery.dead.push(Undelivered { index, reason }),
            }
        }
        if messages.is_empty() {
            return delivery;
        }
        let (sent, failure) = self.publish(&messages).await;
        let reached = sent.len();
        for (message, confirmed) in messages.iter().zip(join_all(sent).await) {
            let reason = match confirmed {
                Ok(confirmation) if !confirmation.is_nack() => continue,
                Ok(_) => "the broker refuses the message for now".to_owned(),
                Err(error) => error.to_string(),
            };
            delivery.retry.push(Undelivered { index: message.index, reason });
        }
        let reason = failure.unwrap_or_default();
        let left = messages.iter().skip(reached);
        delivery.retry.extend(left.map(|left| Undelivered { index: left.index, reason: reason.clone() }));
        delivery
    }
}

impl Output for Publisher {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(self.deliver_all(events))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Some(session) = self.session.lock().await.take() {
                session.close().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::plugin::testkit;

    #[test]
    fn options_are_checked() {
        let good = "host => 'a' exchange => 'e' exchange_type => topic";
        for (options, said) in [
            ("host => 'a' exchange => 'e'".to_owned(), "missing required option \"exchange_type\""),
            ("host => 'a' exchange => 'e' exchange_type => headers".to_owned(), "expected one of"),
            (format!("{good} message_properties => {{ 'colour' => 'red' }}"), "no property \"colour\""),
            (format!("{good} message_properties => {{ 'priority' => 300 }}"), "0 to 255"),
            (format!("{good} message_properties => {{ 'headers' => 'x' }}"), "must be a hash"),
            (format!("{good} automatic_recovery => false"), "cannot be false"),
        ] {
            let config = format!("output {{ rabbitmq {{ {options} }} }}");
            let problems = testkit::output(&config, &testkit::context()).err();
            let problems = problems.unwrap_or_else(|| panic!("{options}: no error"));
            assert!(problems.iter().any(|problem| problem.message.contains(said)), "{options}: {problems:?}");
        }
        let config = format!("output {{ rabbitmq {{ {good} }} }}");
        assert!(testkit::output(&config, &testkit::context()).is_ok());
    }
}
