//! Output `statsd`: counts, timings, gauges and sets for a StatsD server, by UDP or TCP (logstash-output-statsd with the
//! gem statsd-ruby).

#[cfg(test)]
mod tests;

use std::io;

use futures_util::future::BoxFuture;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::Mutex;

use crate::event::{Event, SprintfError, Template, Value, text};
use crate::net::{Connection, Peer};
use crate::plugin::{
    Build, ConfigValue, Delivery, Example, Kind, OptionReader, Output, Pairs, Spec, Undelivered, choices,
    options, take_unused_codec,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "statsd",
    summary: "Sends metrics to a StatsD server.",
    options: Statsd::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output {
  statsd {
    host => "statsd.example.org"
    increment => "apache.%{[http][response][status_code]}"
    count => { "apache.bytes" => "%{bytes}" }
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(build),
};

choices! {
    /// How metrics travel.
    pub enum Protocol { Udp = "udp", Tcp = "tcp" }
}

options! {
    #[derive(Debug)]
    pub struct Statsd {
        /// The host of the server.
        host: String = "localhost",
        /// The server's port.
        port: u16 = 8125,
        /// udp sends each metric in a datagram, tcp in a line.
        protocol: Protocol = "udp",
        /// First part of all names; may hold `%{field}`. Empty: none.
        namespace: Template = "logstash",
        /// Second part of all names; may hold `%{field}`. Dots in its text become underscores.
        sender: Template = "%{host}",
        /// Names of counters to add 1 to; may hold `%{field}`.
        increment: Vec<Template> = [],
        /// Names of counters to take 1 from; may hold `%{field}`.
        decrement: Vec<Template> = [],
        /// Times in milliseconds by name; both may hold `%{field}`.
        timing: Pairs = {},
        /// What to add to counters, by name; both may hold `%{field}`.
        count: Pairs = {},
        /// Members of sets, by name; both may hold `%{field}`.
        set: Pairs = {},
        /// Values of gauges, by name; both may hold `%{field}`.
        gauge: Pairs = {},
        /// The part of the metrics that is sent, from 0 to 1; the server counts the others in.
        sample_rate: f64 = 1,
    }
}

fn build(reader: &mut OptionReader<'_>) -> Option<Box<dyn Output>> {
    take_unused_codec(reader);
    let options = Statsd::read(reader)?;
    let metrics = Metrics::new(&options);
    let to = match options.protocol {
        Protocol::Udp => Route::Udp { host: options.host, port: options.port },
        Protocol::Tcp => {
            Route::Tcp(Box::new(Mutex::new(Connection::new(Peer::new(options.host, options.port)))))
        }
    };
    Some(Box::new(Sender { metrics, to }))
}

/// One entry of an option: a metric that every event makes.
struct Metric {
    name: Template,
    value: Template,
    /// The protocol's word for what it is.
    kind: &'static str,
}

/// What is made of an event.
struct Metrics {
    namespace: Template,
    sender: Template,
    metrics: Vec<Metric>,
    sample_rate: f64,
}

impl Metrics {
    /// In the order in which Logstash's plugin sends them.
    fn new(options: &Statsd) -> Self {
        let mut metrics = Vec::new();
        for (names, step) in [(&options.increment, "1"), (&options.decrement, "-1")] {
            let counted =
                |name: &Template| Metric { name: name.clone(), value: Template::parse(step), kind: "c" };
            metrics.extend(names.iter().map(counted));
        }
        for (pairs, kind) in
            [(&options.count, "c"), (&options.timing, "ms"), (&options.set, "s"), (&options.gauge, "g")]
        {
            let valued = |(name, value): (&str, &ConfigValue)| Metric {
                name: Template::parse(name),
                value: Template::parse(&text::ruby_to_s(&value.to_value())),
                kind,
            };
            metrics.extend(pairs.iter().map(valued));
        }
        Metrics {
            namespace: options.namespace.clone(),
            sender: options.sender.clone(),
            metrics,
            sample_rate: options.sample_rate,
        }
    }

    /// The metrics of an event, less those that the sample rate leaves out.
    fn of(&self, event: &Event) -> Result<Vec<String>, SprintfError> {
        let mut prefix = self.namespace.render(event)?;
        if !self.namespace.source().is_empty() {
            prefix.push('.');
        }
        prefix.push_str(&escaped(&self.sender.render(event)?).replace('.', "_"));
        let mut made = Vec::new();
        for Metric { name, value, kind } in &self.metrics {
            let (name, value) = (escaped(&name.render(event)?), value.render(event)?);
            if self.sample_rate == 1.0 {
                made.push(format!("{prefix}.{name}:{value}|{kind}"));
            } else if fastrand::f64() < self.sample_rate {
                let rate = text::ruby_to_s(&Value::Float(self.sample_rate));
                made.push(format!("{prefix}.{name}:{value}|{kind}|@{rate}"));
            }
        }
        Ok(made)
    }
}

/// A name without what has a meaning in the protocol, as plugin and gem replace it.
fn escaped(name: &str) -> String {
    name.replace("::", ".").replace([':', '|', '@'], "_")
}

/// How metrics get to the server.
enum Route {
    Udp { host: String, port: u16 },
    Tcp(Box<Mutex<Connection>>),
}

struct Sender {
    metrics: Metrics,
    to: Route,
}

impl Sender {
    async fn send(&self, metrics: &[String]) -> io::Result<()> {
        match &self.to {
            Route::Udp { host, port } => send_datagrams(metrics, host, *port).await,
            Route::Tcp(connection) => {
                let mut lines = metrics.join("\n");
                lines.push('\n');
                connection.lock().await.write(lines.as_bytes()).await
            }
        }
    }
}

async fn send_datagrams(metrics: &[String], host: &str, port: u16) -> io::Result<()> {
    let peer = lookup_host((host, port)).await?.next();
    let peer = peer.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address"))?;
    let socket = UdpSocket::bind(if peer.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
    for metric in metrics {
        socket.send_to(metric.as_bytes(), peer).await?;
    }
    Ok(())
}

impl Output for Sender {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let (mut metrics, mut dead) = (Vec::new(), Vec::new());
            for (index, event) in events.iter().enumerate() {
                match self.metrics.of(event) {
                    Ok(made) => metrics.extend(made),
                    Err(error) => dead.push(Undelivered { index, reason: error.to_string() }),
                }
            }
            if metrics.is_empty() {
                return Delivery { retry: Vec::new(), dead };
            }
            if let Err(error) = self.send(&metrics).await {
                let failed = Delivery::retry_all(events.len(), error.to_string()).retry.into_iter();
                let retry =
                    failed.filter(|event| dead.iter().all(|other| other.index != event.index)).collect();
                return Delivery { retry, dead };
            }
            Delivery { retry: Vec::new(), dead }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Route::Tcp(connection) = &self.to {
                connection.lock().await.close().await;
            }
        })
    }
}
