//! Where a Redis server is and how to come in: address, TLS, password, database, and names of commands.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use redis::Cmd;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::{Connection, Failure};
use crate::plugin::{ConfigValue, Pairs, Password};

/// After so long a silence the system asks the other host for a sign of life, and again and again so often: a connection
/// that waits for messages would not notice otherwise that the host is gone.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// The place of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl Address {
    /// Reads `host` or `host:port`, with IPv6 addresses as they are or in brackets.
    ///
    /// # Errors
    /// What stands behind the colon is no port.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match text.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (text, None),
            },
        };
        if host.is_empty() {
            return Err(format!("\"{text}\" names no host"));
        }
        let port = match port {
            Some(port) => port.parse().map_err(|_| format!("\"{port}\" in \"{text}\" is no port"))?,
            None => default_port,
        };
        Ok(Address::Tcp(host.to_owned(), port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp(host, port) => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// `command_map`: what commands are called in a server that has renamed them.
#[derive(Debug, Clone, Default)]
pub struct Commands(HashMap<String, String>);

impl Commands {
    /// Reads the option.
    ///
    /// # Errors
    /// A command gets no text for a name.
    pub fn read(pairs: &Pairs) -> Result<Self, String> {
        let mut names = HashMap::new();
        for (command, name) in pairs.iter() {
            let name = name.as_single().and_then(ConfigValue::scalar_text);
            let name = name.filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| format!("\"{command}\" needs a name"))?;
            names.insert(command.to_ascii_lowercase(), name);
        }
        Ok(Commands(names))
    }

    /// The name to call a command by.
    pub fn name<'a>(&'a self, command: &'a str) -> &'a str {
        self.0.get(command).map_or(command, String::as_str)
    }

    /// A command, without its arguments.
    pub fn command(&self, name: &str) -> Cmd {
        redis::cmd(self.name(name))
    }
}

/// A server, and all that is needed to be let in.
#[derive(Clone)]
pub struct Server {
    pub address: Address,
    pub tls: Option<(TlsConnector, ServerName<'static>)>,
    pub password: Option<Password>,
    pub db: u32,
    /// How long connecting may take.
    pub timeout: Duration,
    pub commands: Commands,
}

impl Server {
    /// Connects, shows the password and chooses the database.
    ///
    /// # Errors
    /// The server is not there, or it refuses.
    pub async fn connect(&self) -> Result<Connection, Failure> {
        let entered = tokio::time::timeout(self.timeout, self.enter()).await;
        entered.map_err(|_| Failure::TimedOut(self.timeout))?
    }

    async fn enter(&self) -> Result<Connection, Failure> {
        let mut connection = self.open().await?;
        if let Some(password) = &self.password {
            connection.ask(self.commands.command("auth").arg(password.reveal())).await?;
        }
        if self.db != 0 {
            connection.ask(self.commands.command("select").arg(self.db)).await?;
        }
        Ok(connection)
    }

    async fn open(&self) -> Result<Connection, Failure> {
        let (host, port) = match &self.address {
            Address::Unix(path) => return Ok(Connection::new(UnixStream::connect(path).await?)),
            Address::Tcp(host, port) => (host, port),
        };
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        stream.set_nodelay(true)?;
        let (after, every) = KEEPALIVE;
        SockRef::from(&stream)
            .set_tcp_keepalive(&TcpKeepalive::new().with_time(after).with_interval(every))?;
        Ok(match &self.tls {
            None => Connection::new(stream),
            Some((connector, name)) => Connection::new(connector.connect(name.clone(), stream).await?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, shown) in [
            ("localhost", "localhost:6379"),
            ("10.0.0.1:6380", "10.0.0.1:6380"),
            ("::1", "[::1]:6379"),
            ("[::1]:7000", "[::1]:7000"),
            ("[::1]", "[::1]:6379"),
        ] {
            assert_eq!(Address::parse(text, 6379).unwrap().to_string(), shown, "{text}");
        }
        for text in ["", ":6379", "host:", "host:x", "host:70000"] {
            assert!(Address::parse(text, 6379).is_err(), "{text}");
        }
    }
}
