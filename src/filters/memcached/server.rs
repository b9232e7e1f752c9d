//! The servers: which of them holds a key, as Dalli's ring has it, and connections that are made when they are needed.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use flate2::Crc;
use memcache::{Client, FromMemcacheValue, MemcacheError, ToMemcacheValue};
use sha1::{Digest, Sha1};

/// How long to wait for a connection and for an answer, as Dalli does.
const TIMEOUT: Duration = Duration::from_secs(1);
/// A server that could not be reached is left alone for as long: each attempt holds a worker up.
const PAUSE: Duration = Duration::from_secs(1);
const DEFAULT_PORT: u16 = 11_211;
/// Points of a server on the ring, where all weigh the same.
const POINTS_PER_SERVER: u64 = 160;

/// A value as it is stored, with Dalli's flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub bytes: Vec<u8>,
    pub flags: u32,
}

impl<W: Write> ToMemcacheValue<W> for Stored {
    fn get_flags(&self) -> u32 {
        self.flags
    }

    fn get_length(&self) -> usize {
        self.bytes.len()
    }

    fn write_to(&self, stream: &mut W) -> io::Result<()> {
        stream.write_all(&self.bytes)
    }
}

impl FromMemcacheValue for Stored {
    fn from_memcache_value(bytes: Vec<u8>, flags: u32) -> Result<Self, MemcacheError> {
        Ok(Stored { bytes, flags })
    }
}

/// Why a server could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum CacheError {
    #[error("{server} was not reachable a moment ago")]
    Down { server: String },
    #[error("{server}: {source}")]
    Asked { server: String, source: MemcacheError },
}

/// All servers of one filter.
pub(super) struct Servers {
    servers: Vec<Server>,
    /// Points in ascending order with the server that each stands for; empty for a single server.
    ring: Vec<(u32, usize)>,
}

struct Server {
    /// The address as Dalli writes it, which places the server on the ring.
    name: String,
    url: String,
    weight: u64,
    connections: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    client: Option<Client>,
    /// Not to be tried before.
    retry_at: Option<Instant>,
}

impl Servers {
    pub fn new(hosts: &[String], connections: u32) -> Result<Self, String> {
        let servers =
            hosts.iter().map(|host| Server::new(host, connections)).collect::<Result<Vec<_>, _>>()?;
        let ring = if servers.len() > 1 { ring(&servers) } else { Vec::new() };
        Ok(Servers { servers, ring })
    }

    /// The server that holds a key: that of the last point not beyond the key's checksum.
    fn server_of(&self, key: &str) -> Option<&Server> {
        let mut checksum = Crc::new();
        checksum.update(key.as_bytes());
        let after = self.ring.partition_point(|(point, _)| *point <= checksum.sum());
        // Below the first point lies what belongs to the last one.
        let point = after.checked_sub(1).or_else(|| self.ring.len().checked_sub(1));
        let at = point.and_then(|point| self.ring.get(point)).map_or(0, |(_, server)| *server);
        self.servers.get(at)
    }

    pub fn set(&self, key: &str, value: Stored, expiration: u32) -> Result<(), CacheError> {
        match self.server_of(key) {
            Some(server) => server.ask(|client| client.set(key, value, expiration)),
            None => Ok(()),
        }
    }

    /// The values of those keys that there are.
    pub fn get(&self, keys: &[&str]) -> Result<HashMap<String, Stored>, CacheError> {
        let mut found = HashMap::new();
        for server in &self.servers {
            let is_here = |key: &&str| self.server_of(key).is_some_and(|of| std::ptr::eq(of, server));
            let here: Vec<&str> = keys.iter().copied().filter(is_here).collect();
            if !here.is_empty() {
                found.extend(server.ask(|client| client.gets(&here))?);
            }
        }
        Ok(found)
    }
}

impl Server {
    /// Reads `host`, `host:port`, `host:port:weight`, `[v6]:port` or `/socket`.
    fn new(host: &str, connections: u32) -> Result<Self, String> {
        let wrong = || format!("\"{host}\" is no server: write host, host:port or the path of a socket");
        let number = |text: &str| text.parse::<u16>().ok().filter(|number| *number > 0);
        let timeout = TIMEOUT.as_secs();
        let (name, url, weight) = if host.starts_with('/') {
            let (path, weight) = host.split_once(':').unwrap_or((host, "1"));
            (path.to_owned(), format!("memcache://{path}?timeout={timeout}"), weight)
        } else {
            let host = host.strip_prefix("memcached://").unwrap_or(host);
            let (address, rest) = match host.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
                Some((address, rest)) => (format!("[{address}]"), rest),
                None => {
                    let end = host.find(':').unwrap_or(host.len());
                    let (address, rest) = host.split_at(end);
                    (address.to_owned(), rest)
                }
            };
            let mut parts = rest.strip_prefix(':').map_or("", |parts| parts).split(':');
            let port = match parts.next().filter(|port| !port.is_empty()) {
                Some(port) => number(port).ok_or_else(wrong)?,
                None => DEFAULT_PORT,
            };
            let weight = parts.next().unwrap_or("1");
            if parts.next().is_some() || address.is_empty() {
                return Err(wrong());
            }
            let plain = address.trim_matches(['[', ']']);
            let url = format!("memcache://{address}:{port}?timeout={timeout}&tcp_nodelay=true");
            (format!("{plain}:{port}"), url, weight)
        };
        let weight = number(weight).ok_or_else(wrong)?.into();
        Ok(Server { name, url, weight, connections, state: Mutex::default() })
    }

    /// Runs a command. A server that breaks off is connected to again with the next event.
    fn ask<T>(&self, command: impl FnOnce(&Client) -> Result<T, MemcacheError>) -> Result<T, CacheError> {
        let client = self.client()?;
        command(&client).map_err(|source| {
            if matches!(source, MemcacheError::IOError(_) | MemcacheError::PoolError(_)) {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.client = None;
                state.retry_at = Some(Instant::now() + PAUSE);
            }
            CacheError::Asked { server: self.name.clone(), source }
        })
    }

    /// The pool of connections; a clone shares them.
    fn client(&self) -> Result<Client, CacheError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &state.client {
            return Ok(client.clone());
        }
        if state.retry_at.is_some_and(|at| Instant::now() < at) {
            return Err(CacheError::Down { server: self.name.clone() });
        }
        let built = Client::builder()
            .with_max_pool_size(self.connections)
            .with_min_idle_conns(1)
            .with_connection_timeout(TIMEOUT)
            .add_server(self.url.as_str())
            .and_then(memcache::ClientBuilder::build);
        match built {
            Ok(client) => {
                state.client = Some(client.clone());
                Ok(client)
            }
            Err(source) => {
                state.retry_at = Some(Instant::now() + PAUSE);
                Err(CacheError::Asked { server: self.name.clone(), source })
            }
        }
    }
}

/// Dalli's continuum: points made of the servers' names, as many as their weights say.
fn ring(servers: &[Server]) -> Vec<(u32, usize)> {
    let total: u64 = servers.iter().map(|server| server.weight).sum();
    let mut points = Vec::new();
    for (at, server) in servers.iter().enumerate() {
        for point in 0..servers.len() as u64 * POINTS_PER_SERVER * server.weight / total.max(1) {
            let digest = Sha1::digest(format!("{}:{point}", server.name).as_bytes());
            if let Some(first) = digest.first_chunk::<4>() {
                points.push((u32::from_be_bytes(*first), at));
            }
        }
    }
    points.sort_by_key(|(point, _)| *point);
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(hosts: &[&str]) -> Servers {
        let hosts: Vec<String> = hosts.iter().map(|host| host.to_string()).collect();
        Servers::new(&hosts, 1).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn addresses() {
        for (host, name, url) in [
            ("cache", "cache:11211", "memcache://cache:11211?"),
            ("10.0.0.1:11212:3", "10.0.0.1:11212", "memcache://10.0.0.1:11212?"),
            ("[::1]:11212", "::1:11212", "memcache://[::1]:11212?"),
            ("/run/m.sock", "/run/m.sock", "memcache:///run/m.sock?"),
        ] {
            let server = Server::new(host, 1).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(server.name, name);
            assert!(server.url.starts_with(url), "{}", server.url);
        }
        for wrong in ["", "a:b", "a:1:2:3", "a:70000", ":11211"] {
            assert!(Server::new(wrong, 1).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_lie_where_dalli_looks_for_them() {
        // Calculated with Python's hashlib and zlib after dalli/ring.rb.
        let servers = servers(&["a", "b", "c:11212:2"]);
        assert_eq!(servers.ring.len(), 480);
        let long = "x".repeat(40);
        for (key, name) in [
            ("foo", "a:11211"),
            ("bar", "c:11212"),
            ("ns:key", "a:11211"),
            ("user/7", "b:11211"),
            (long.as_str(), "c:11212"),
            ("1", "c:11212"),
            ("3", "b:11211"),
        ] {
            assert_eq!(servers.server_of(key).map(|server| server.name.as_str()), Some(name), "{key}");
        }
    }

    #[test]
    fn a_server_that_is_down_is_left_alone_for_a_moment() {
        let servers = servers(&["127.0.0.1:1"]);
        assert!(matches!(servers.get(&["k"]), Err(CacheError::Asked { .. })));
        assert!(matches!(servers.get(&["k"]), Err(CacheError::Down { .. })));
    }
}
