//! Names and addresses: files of hosts first, then name servers.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::OnceLock;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts, ServerOrderingStrategy,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::hosts::Hosts;
use crate::plugin::blocking;

/// How questions are put.
#[derive(Debug)]
pub struct Resolver {
    /// In the order in which they are asked.
    pub hosts: Vec<Hosts>,
    /// `None`: only the files are asked.
    pub servers: Option<Servers>,
    /// Of one request to one server.
    pub timeout: Duration,
    /// How often a question is put again that was not answered in time.
    pub max_retries: u32,
    client: OnceLock<Result<TokioResolver, String>>,
}

/// The name servers to ask.
#[derive(Debug, Clone)]
pub enum Servers {
    /// Those of the machine, `/etc/resolv.conf`.
    System,
    Given {
        addresses: Vec<SocketAddr>,
        search: Vec<Name>,
        ndots: usize,
    },
}

/// A question without an answer.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// There is none.
    #[error("not found")]
    NotFound,
    #[error("no answer in time")]
    Timeout,
    #[error("{0}")]
    Other(String),
}

impl From<NetError> for ResolveError {
    fn from(error: NetError) -> Self {
        match error {
            NetError::Timeout => ResolveError::Timeout,
            // A server that says so, or one that fails or refuses: Ruby takes both for no answer.
            NetError::Dns(_) => ResolveError::NotFound,
            other => ResolveError::Other(other.to_string()),
        }
    }
}

impl Resolver {
    pub fn new(hosts: Vec<Hosts>, servers: Option<Servers>, timeout: Duration, max_retries: u32) -> Self {
        Resolver { hosts, servers, timeout, max_retries, client: OnceLock::new() }
    }

    /// The first address of a name; an address is its own.
    pub fn address(&self, name: &str) -> Result<String, ResolveError> {
        if name.parse::<IpAddr>().is_ok() {
            return Ok(name.to_owned());
        }
        if let Some(address) = self.hosts.iter().find_map(|hosts| hosts.address(name)) {
            return Ok(address.to_owned());
        }
        let parsed = Name::from_utf8(name).map_err(|error| ResolveError::Other(error.to_string()))?;
        match self.ask(&parsed, RecordType::A) {
            Err(ResolveError::NotFound) if has_ipv6() => self.ask(&parsed, RecordType::AAAA),
            answer => answer,
        }
    }

    /// The first name of an address.
    pub fn name(&self, address: IpAddr, written: &str) -> Result<String, ResolveError> {
        if let Some(name) = self.hosts.iter().find_map(|hosts| hosts.name(written)) {
            return Ok(name.to_owned());
        }
        self.ask(&Name::from(address), RecordType::PTR)
    }

    /// The first record's data as text.
    fn ask(&self, name: &Name, kind: RecordType) -> Result<String, ResolveError> {
        let Some(servers) = &self.servers else { return Err(ResolveError::NotFound) };
        let mut retries = self.max_retries;
        loop {
            let answer = blocking::block_on(async {
                let client = self.client.get_or_init(|| servers.client(self.timeout));
                let client = client.as_ref().map_err(|error| ResolveError::Other(error.clone()))?;
                let lookup = client.lookup(name.clone(), kind).await?;
                lookup.answers().iter().find_map(|record| text_of(&record.data)).ok_or(ResolveError::NotFound)
            });
            match answer.unwrap_or_else(|error| Err(ResolveError::Other(error.to_string()))) {
                Err(ResolveError::Timeout) if retries > 0 => retries -= 1,
                answer => return answer,
            }
        }
    }
}

impl Servers {
    /// Must be called on the runtime that will be used.
    fn client(&self, timeout: Duration) -> Result<TokioResolver, String> {
        let (config, mut options) = match self {
            Servers::System => {
                hickory_resolver::system_conf::read_system_conf().map_err(|error| error.to_string())?
            }
            Servers::Given { addresses, search, ndots } => {
                let servers = addresses.iter().map(name_server).collect();
                let mut options = ResolverOpts::default();
                options.ndots = *ndots;
                (ResolverConfig::from_parts(None, search.clone(), servers), options)
            }
        };
        // Retries, files of hosts and what is kept are the filter's own.
        options.timeout = timeout;
        options.attempts = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        options.num_concurrent_reqs = 1;
        options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.with_options(options).build().map_err(|error| error.to_string())
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}

/// An address, or a name without its final point and with the letters that Punycode stands for.
fn text_of(data: &RData) -> Option<String> {
    match data {
        RData::A(address) => Some(address.to_string()),
        RData::AAAA(address) => Some(address.to_string()),
        RData::PTR(name) => {
            let name = name.to_utf8();
            Some(name.strip_suffix('.').unwrap_or(&name).to_owned())
        }
        _ => None,
    }
}

/// Whether the machine has an address of IPv6 by which others can be reached. No packet is sent.
fn has_ipv6() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let local = UdpSocket::bind("[::]:0").and_then(|socket| {
            // An address of the documentation's network, RFC 3849.
            socket.connect("[2001:db8::1]:53")?;
            socket.local_addr()
        });
        local.is_ok_and(|address| match address.ip() {
            IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
            IpAddr::V4(_) => false,
        })
    })
}
