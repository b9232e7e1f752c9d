//! `Broker`: where the servers are and how to connect; `Session`: a connection with a channel.

use std::sync::Arc;
use std::time::Duration;

use async_compat::CompatExt;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use lapin::tcp::AsyncTcpStream;
use lapin::types::ShortString;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Channel, Connection, ConnectionProperties, Error};
use rustls::ClientConfig;

use super::ConnectionOptions;
use super::reactor::Sockets;
use crate::net::Peer;
use crate::plugin::{OptionReader, Password};
use crate::tls::{ClientTls, VerificationMode};

/// How long to wait for a connection unless told otherwise.
const CONNECT: Duration = Duration::from_secs(60);
/// How long a broker may take to say goodbye.
const CLOSE: Duration = Duration::from_secs(5);
/// The reply code of an orderly end.
const SUCCESS: u16 = 200;

/// Where the servers are, and who asks.
pub struct Broker {
    servers: Vec<(String, u16)>,
    user: String,
    password: Password,
    vhost: String,
    tls: Option<Arc<ClientConfig>>,
    heartbeat: Option<u16>,
    timeout: Duration,
    /// How long to wait before the next try.
    pub retry: Duration,
    /// What the broker shows of us.
    name: String,
}

/// A connection with its one channel.
pub struct Session {
    connection: Connection,
    pub channel: Channel,
    /// The server, for the log.
    pub server: String,
}

impl Broker {
    /// Reads the options. Reports what is wrong to the reader and is `None` then.
    pub fn build(options: &ConnectionOptions, reader: &mut OptionReader<'_>) -> Option<Self> {
        let mut servers = Vec::new();
        for host in &options.host {
            match server(host, options.port) {
                Some(server) => servers.push(server),
                None => reader.error("host", format!("\"{host}\" is neither host nor host:port")),
            }
        }
        if servers.is_empty() {
            reader.error("host", "it cannot be empty");
        }
        if !options.automatic_recovery {
            let message = "it cannot be false: remove it, a connection that breaks is always opened again";
            reader.error("automatic_recovery", message);
        }
        let retry = Duration::try_from_secs_f64(options.connect_retry_interval);
        if retry.is_err() {
            reader.error("connect_retry_interval", "expected a number of seconds");
        }
        // MarchHare's "no time-out" is 0.
        let timeout = options.connection_timeout.filter(|milliseconds| *milliseconds > 0);
        Some(Broker {
            servers,
            user: options.user.clone(),
            password: options.password.clone(),
            vhost: options.vhost.clone(),
            tls: tls(options, reader)?,
            heartbeat: options.heartbeat,
            timeout: timeout.map_or(CONNECT, Duration::from_millis),
            retry: retry.ok()?,
            name: format!("rstash {}", reader.id()),
        })
    }

    /// Connects to any of the servers, and opens a channel.
    ///
    /// # Errors
    /// Why the last one did not let us in.
    pub async fn connect(&self) -> Result<Session, Error> {
        let mut order: Vec<&(String, u16)> = self.servers.iter().collect();
        fastrand::shuffle(&mut order);
        let mut last = Error::from(std::io::Error::other("there is no server"));
        for (host, port) in order {
            let late = || Err(Error::from(std::io::Error::from(std::io::ErrorKind::TimedOut)));
            let connected = tokio::time::timeout(self.timeout, self.session(host, *port)).await;
            match connected.unwrap_or_else(|_| late()) {
                Ok(session) => {
                    tracing::info!(server = session.server, "connected to RabbitMQ");
                    return Ok(session);
                }
                Err(error) => {
                    tracing::warn!(%host, port, %error, "could not connect to RabbitMQ");
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn session(&self, host: &str, port: u16) -> Result<Session, Error> {
        let scheme = if self.tls.is_some() { AMQPScheme::AMQPS } else { AMQPScheme::AMQP };
        let userinfo =
            AMQPUserInfo { username: self.user.clone(), password: self.password.reveal().to_owned() };
        let uri = AMQPUri {
            scheme,
            authority: AMQPAuthority { userinfo, host: host.to_owned(), port },
            vhost: self.vhost.clone(),
            query: AMQPQueryString { heartbeat: self.heartbeat, ..AMQPQueryString::default() },
        };
        let peer = Peer::new(host, port);
        let peer = match &self.tls {
            None => peer,
            Some(config) => peer.with_tls((**config).clone()).ok_or_else(|| {
                Error::from(std::io::Error::other("it is no name that a certificate could have"))
            })?,
        };
        let server = peer.to_string();
        let runtime = Runtime::new(RuntimeParts::new(Tokio::current(), Sockets));
        let properties = ConnectionProperties::default().with_connection_name(self.name.as_str().into());
        let dial = async move |_, _| Ok(AsyncTcpStream::Plain(peer.dial().await?.compat()));
        let connection = Connection::connector(uri, runtime, dial, properties).await?;
        let channel = connection.create_channel().await?;
        Ok(Session { connection, channel, server })
    }
}

impl Session {
    /// Says goodbye. What the broker has not heard of is not waited for.
    pub async fn close(&self) {
        let goodbye = self.connection.close(SUCCESS, ShortString::default());
        _ = tokio::time::timeout(CLOSE, goodbye).await;
    }
}

/// `host`, `host:port`, `[::1]:port`.
fn server(text: &str, port: u16) -> Option<(String, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()?),
        _ => (text, port),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[expect(clippy::option_option, reason = "the outer one is whether the options can be used")]
fn tls(options: &ConnectionOptions, reader: &mut OptionReader<'_>) -> Option<Option<Arc<ClientConfig>>> {
    if options.ssl != Some(true) {
        for option in ["ssl_version", "ssl_certificate_path", "ssl_certificate_password"] {
            reader.no_effect(option, "ssl is not set");
        }
        return Some(None);
    }
    if options.ssl_certificate_path.is_some() != options.ssl_certificate_password.is_some() {
        let (given, missing) = match options.ssl_certificate_path {
            Some(_) => ("ssl_certificate_path", "ssl_certificate_password"),
            None => ("ssl_certificate_password", "ssl_certificate_path"),
        };
        reader.error(given, format!("it needs {missing} as well"));
        return None;
    }
    reader
        .warning("ssl", "the server's certificate is not checked, as in Logstash: there is no option for it");
    let tls = ClientTls {
        ssl_keystore_path: options.ssl_certificate_path.clone(),
        ssl_keystore_password: options.ssl_certificate_password.clone(),
        ssl_verification_mode: VerificationMode::None,
        ssl_supported_protocols: vec![options.ssl_version.clone()],
        ..ClientTls::default()
    };
    match tls.config() {
        Ok(config) => Some(Some(Arc::new(config))),
        Err(refusal) => {
            let option = match refusal.option {
                "ssl_supported_protocols" => "ssl_version",
                "ssl_keystore_password" => "ssl_certificate_password",
                _ => "ssl_certificate_path",
            };
            reader.error(option, refusal.reason);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_may_name_their_ports() {
        for (text, host, port) in
            [("a", "a", 1), ("a:2", "a", 2), ("::1", "::1", 1), ("[::1]:3", "::1", 3), ("[::1]", "::1", 1)]
        {
            assert_eq!(server(text, 1), Some((host.to_owned(), port)), "{text}");
        }
        for text in ["", ":5", "a:b"] {
            assert_eq!(server(text, 1), None, "{text}");
        }
    }
}
