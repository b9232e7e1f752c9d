//! One connection of the input `tcp`: who is there, and what the events get of it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::RData;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;

use super::proxy::{self, Proxied};
use crate::event::{Event, FieldReference, Value};
use crate::inputs::stream::{End, Stream};
use crate::plugin::{CodecFactory, EcsMode, Shutdown, Sink};
use crate::tls::peer;

/// Names of hosts that the DNS need not know.
const HOSTS: &str = "/etc/hosts";

/// The fields that tell of a connection.
pub struct Fields {
    host: FieldReference,
    ip: FieldReference,
    port: FieldReference,
    proxy_host: FieldReference,
    proxy_port: FieldReference,
    subject: FieldReference,
}

impl Fields {
    pub fn new(ecs: EcsMode) -> Option<Self> {
        let field = |legacy, ecs_name| FieldReference::parse(ecs.select(legacy, ecs_name)).ok();
        Some(Fields {
            host: field("host", "[@metadata][input][tcp][source][name]")?,
            ip: field("[@metadata][ip_address]", "[@metadata][input][tcp][source][ip]")?,
            port: field("port", "[@metadata][input][tcp][source][port]")?,
            proxy_host: field("proxy_host", "[@metadata][input][tcp][proxy][ip]")?,
            proxy_port: field("proxy_port", "[@metadata][input][tcp][proxy][port]")?,
            subject: field("sslsubject", "[@metadata][input][tcp][tls][client][subject]")?,
        })
    }
}

/// What all connections share.
pub struct Connections {
    pub codec: CodecFactory,
    pub fields: Fields,
    pub proxy: bool,
    pub look_up: bool,
}

/// Who is at the other end.
struct Peer {
    name: String,
    ip: String,
    port: Value,
    proxied: Option<Proxied>,
    subject: Option<String>,
}

impl Connections {
    /// Reads a connection to its end. `certificate` is the one that the peer showed.
    ///
    /// # Errors
    /// What the transport says, or a missing PROXY header.
    pub async fn read(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        address: SocketAddr,
        certificate: Option<CertificateDer<'static>>,
        sink: &Sink,
        shutdown: &Shutdown,
    ) -> io::Result<End> {
        let (proxied, first) = match self.proxy {
            true => {
                let read = tokio::select! {
                    () = shutdown.requested() => return Ok(End::Stopped),
                    read = proxy::read(&mut stream) => read?,
                };
                (Some(read.0), read.1)
            }
            false => (None, Vec::new()),
        };
        let ip = address.ip().to_canonical();
        let (ip, port) = match &proxied {
            None => (ip.to_string(), Value::Int(i64::from(address.port()))),
            Some(proxied) => (proxied.source.clone(), Value::from(proxied.source_port.as_str())),
        };
        let name = match ip.parse() {
            Ok(address) if self.look_up => name_of(address).await.unwrap_or_else(|| ip.clone()),
            _ => ip.clone(),
        };
        let subject = certificate.as_ref().and_then(peer::subject);
        let peer = Peer { name, ip, port, proxied, subject };
        let reading = Stream {
            codec: self.codec.create(),
            finish: |event: &mut Event| self.finish(event, &peer),
            sink,
            shutdown,
            idle: None,
        };
        reading.pump(&mut stream, first).await
    }

    fn finish(&self, event: &mut Event, peer: &Peer) {
        let fields = &self.fields;
        if let Some(proxied) = &peer.proxied {
            set_missing(event, &fields.proxy_host, || proxied.proxy.as_str().into());
            set_missing(event, &fields.proxy_port, || proxied.proxy_port.as_str().into());
        }
        set_missing(event, &fields.host, || peer.name.as_str().into());
        set_missing(event, &fields.ip, || peer.ip.as_str().into());
        set_missing(event, &fields.port, || peer.port.clone());
        if let Some(subject) = &peer.subject {
            set_missing(event, &fields.subject, || subject.as_str().into());
        }
    }
}

fn set_missing(event: &mut Event, field: &FieldReference, value: impl FnOnce() -> Value) {
    if matches!(event.get(field), None | Some(Value::Null | Value::Bool(false))) {
        // A field in its way that is no object keeps its value.
        _ = event.set(field, value());
    }
}

/// The name of an address, from the hosts file or the DNS. The resolver keeps what it has learnt.
async fn name_of(address: IpAddr) -> Option<String> {
    if let Ok(hosts) = tokio::fs::read_to_string(HOSTS).await
        && let Some(name) = name_in_hosts(&hosts, address)
    {
        return Some(name.to_owned());
    }
    static RESOLVER: OnceCell<Option<TokioResolver>> = OnceCell::const_new();
    let resolver = RESOLVER
        .get_or_init(|| async {
            match TokioResolver::builder_tokio().and_then(|builder| builder.build()) {
                Ok(resolver) => Some(resolver),
                Err(error) => {
                    tracing::warn!(%error, "names of peers cannot be looked up");
                    None
                }
            }
        })
        .await;
    let answer = resolver.as_ref()?.reverse_lookup(address).await.ok()?;
    let name = answer.answers().iter().find_map(|record| match &record.data {
        RData::PTR(name) => Some(name.to_string()),
        _ => None,
    })?;
    Some(name.trim_end_matches('.').to_owned())
}

/// The first name that a hosts file gives an address.
fn name_in_hosts(hosts: &str, address: IpAddr) -> Option<&str> {
    hosts.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_ascii_whitespace();
        let first: IpAddr = words.next()?.parse().ok()?;
        if first == address { words.next() } else { None }
    })
}
