//! Output `redis`: puts events at the end of a list, or publishes them to a channel (logstash-output-redis).

mod delivery;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustls::pki_types::ServerName;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use crate::event::{Event, Template};
use crate::plugin::{
    Build, CodecFactory, Delivery, Example, Kind, OptionReader, Output, Password, Spec, Undelivered, choices,
    options,
};
use crate::redis::{Address, Commands, Server};
use crate::tls::{ClientTls, VerificationMode};

use delivery::{Command, Link};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "redis",
    summary: "Puts events into a Redis list, or publishes them to a channel.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("json"),
    example: Example {
        config: r#"output { redis { host => ["redis1", "redis2:6380"] data_type => "list" key => "logstash-%{type}" batch => true } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| Some(Box::new(Redis::build(reader)?))),
};

choices! {
    /// What the key names.
    pub enum DataType {
        /// A list, at whose end events are put.
        List = "list",
        /// A channel, on which events are published.
        Channel = "channel",
    }
}

options! {
    struct Options {
        /// How events become bytes.
        codec: CodecFactory = "json",
        /// Servers, as `name` or `name:port`. One is written to; when it is away, the next one.
        host: Vec<String> = ["127.0.0.1"],
        /// Whether the servers are tried in an order of chance.
        shuffle_hosts: bool = true,
        /// The port of servers that are given without one.
        port: u16 = 6379,
        /// The number of the database.
        db: u32 = 0,
        /// Seconds that connecting may take.
        timeout: f64 = 5,
        /// The servers' password.
        password: Option<Password>,
        /// The list or the channel. It may hold `%{field}`.
        key: Template,
        /// list puts events at the end of a list (RPUSH), channel publishes them (PUBLISH).
        data_type: DataType,
        /// Whether a list gets several events with one command. Only for lists.
        batch: bool = false,
        /// How many events such a command has at most.
        batch_events: usize = 50,
        /// Seconds after which events are sent although there are fewer. Here they never wait: each batch of the
        /// pipeline is sent at once.
        batch_timeout: f64 = 5,
        /// Seconds between two tries to connect.
        reconnect_interval: f64 = 1,
        /// A list that is longer gets no events until it is shorter again; 0: no limit. Only for lists.
        congestion_threshold: u64 = 0,
        /// Seconds between two looks at how long a list is; 0: a look before every command.
        congestion_interval: f64 = 1,
        ..tls: Tls,
    }
}

options! {
    #[derive(Debug)]
    struct Tls {
        /// Whether connections are encrypted.
        ssl_enabled: bool = false,
        /// PEM files with the authorities that the server's certificate must come from. Default: those of the system.
        ssl_certificate_authorities: Vec<PathBuf> = [],
        /// full checks the server's certificate and name; none takes any server, which is for tests only.
        ssl_verification_mode: VerificationMode = "full",
        /// PEM file with the certificate to show to the server.
        ssl_certificate: Option<PathBuf>,
        /// PEM file with that certificate's private key: PKCS#8, PKCS#1 or SEC1.
        ssl_key: Option<PathBuf>,
        /// What the key is encrypted with.
        ssl_key_passphrase: Option<Password>,
        /// Protocol versions to speak: TLSv1.2, TLSv1.3. Default: both.
        ssl_supported_protocols: Vec<String> = [],
        /// Cipher suites to offer, by their standard names, best first. Default: all that are safe.
        ssl_cipher_suites: Vec<String> = [],
    }
}

struct Redis {
    codec: CodecFactory,
    key: Template,
    data_type: DataType,
    /// Events in one command.
    most: usize,
    /// Batches wait here for their turn, in their order.
    link: Mutex<Link>,
}

impl Redis {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let is_list = options.data_type == DataType::List;
        if options.batch && !is_list {
            reader.error("batch", "works only with data_type => \"list\"");
            return None;
        }
        if options.batch && options.batch_events == 0 {
            reader.error("batch_events", "must be at least 1");
            return None;
        }
        if !is_list {
            reader.no_effect("congestion_threshold", "a channel keeps nothing that could pile up");
        }
        seconds(reader, "batch_timeout", options.batch_timeout)?;
        reader
            .no_effect("batch_timeout", "events never wait here, each batch of the pipeline is sent at once");
        let timeout = seconds(reader, "timeout", options.timeout)?;
        if timeout.is_zero() {
            reader.error("timeout", "must be above 0");
            return None;
        }
        let reconnect = seconds(reader, "reconnect_interval", options.reconnect_interval)?;
        let congestion = seconds(reader, "congestion_interval", options.congestion_interval)?;
        let tls = options.tls.connector(reader)?;
        let mut servers = Vec::new();
        for host in &options.host {
            let address = Address::parse(host, options.port);
            let address = address.map_err(|error| reader.error("host", error)).ok()?;
            servers.push(Server {
                tls: named(reader, tls.as_ref(), &address)?,
                address,
                password: options.password.clone(),
                db: options.db,
                timeout,
                commands: Commands::default(),
            });
        }
        if servers.is_empty() {
            reader.error("host", "there is no server to write to");
            return None;
        }
        if options.shuffle_hosts {
            fastrand::shuffle(&mut servers);
        }
        let threshold = if is_list { options.congestion_threshold } else { 0 };
        Some(Redis {
            codec: options.codec,
            key: options.key,
            data_type: options.data_type,
            most: if options.batch { options.batch_events } else { 1 },
            link: Mutex::new(Link::new(servers, reconnect, (threshold, congestion))),
        })
    }

    /// The commands for a batch, in the order of its events: those of a list follow each other in one command, up to
    /// the limit.
    fn commands(&self, events: &[&Event], dead: &mut Vec<Undelivered>) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let mut payload = Vec::new();
            let encoded = self.codec.encoder().encode(event, &mut payload).map_err(|error| error.to_string());
            let key = encoded.and_then(|()| self.key.render(event).map_err(|error| error.to_string()));
            let key = match key {
                Ok(key) => key,
                Err(reason) => {
                    dead.push(Undelivered { index, reason });
                    continue;
                }
            };
            let open = match self.most {
                1 => None,
                _ => commands.iter_mut().rev().find(|command| command.key == key),
            };
            match open {
                Some(command) if command.payloads.len() < self.most => command.payloads.push(payload),
                _ => commands.push(Command::new(self.data_type, key, payload)),
            }
        }
        commands
    }
}

impl Tls {
    fn connector(&self, reader: &mut OptionReader<'_>) -> Option<Option<TlsConnector>> {
        if !self.ssl_enabled {
            let others = Self::OPTIONS.iter().map(|option| option.name).filter(|name| *name != "ssl_enabled");
            others.for_each(|name| reader.no_effect(name, "ssl_enabled is not set"));
            return Some(None);
        }
        let tls = ClientTls {
            ssl_certificate_authorities: self.ssl_certificate_authorities.clone(),
            ssl_certificate: self.ssl_certificate.clone(),
            ssl_key: self.ssl_key.clone(),
            ssl_key_passphrase: self.ssl_key_passphrase.clone(),
            ssl_verification_mode: self.ssl_verification_mode,
            ssl_supported_protocols: self.ssl_supported_protocols.clone(),
            ssl_cipher_suites: self.ssl_cipher_suites.clone(),
            ..ClientTls::default()
        };
        Some(Some(TlsConnector::from(Arc::new(tls.checked(reader)?))))
    }
}

/// TLS towards one server, with the name that its certificate must have.
fn named(
    reader: &mut OptionReader<'_>,
    connector: Option<&TlsConnector>,
    address: &Address,
) -> Option<Option<(TlsConnector, ServerName<'static>)>> {
    let (Some(connector), Address::Tcp(host, _)) = (connector, address) else { return Some(None) };
    let Ok(name) = ServerName::try_from(host.clone()) else {
        reader.error("host", format!("\"{host}\" is no name that a certificate could have"));
        return None;
    };
    Some(Some((connector.clone(), name)))
}

fn seconds(reader: &mut OptionReader<'_>, option: &str, value: f64) -> Option<Duration> {
    let duration = Duration::try_from_secs_f64(value).ok();
    if duration.is_none() {
        reader.error(option, format!("{value} is no number of seconds"));
    }
    duration
}

impl Output for Redis {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let mut delivery = Delivery::done();
            let commands = self.commands(events, &mut delivery.dead);
            if !commands.is_empty() {
                self.link.lock().await.deliver(commands).await;
            }
            delivery
        })
    }
}
