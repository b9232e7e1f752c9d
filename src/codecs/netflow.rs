//! Codec `netflow`: flow records of NetFlow 5 and 9 and of IPFIX (logstash-codec-netflow).
//!
//! The crate netflow_parser is not used: it types fields by a table of its own, where here names and types come from
//! definitions that a config can replace, and a template with an unknown field is refused as a whole.

mod definitions;
mod ipfix;
mod kind;
mod registry;
#[cfg(test)]
mod tests;
mod v5;
mod v9;
mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Event, FieldReference, Object, Timestamp};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, OptionReader, Spec, options};

use self::definitions::Definitions;
use self::registry::Registry;
use self::wire::{Invalid, Reader};
use super::text;

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "netflow",
    summary: "Flow records of NetFlow 5, NetFlow 9 and IPFIX.",
    options: NetflowOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: "input { stdin { codec => netflow { versions => [5, 9] } } }",
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        let options = NetflowOptions::read(reader)?;
        Some(Box::new(Netflow(Arc::new(Shared::new(options, reader)?))))
    }),
};

options! {
    struct NetflowOptions {
        /// Seconds after which a template that was not sent again is forgotten.
        cache_ttl: u64 = 4000,
        /// A folder where templates are kept over restarts, in netflow_templates.cache and ipfix_templates.cache.
        cache_save_path: Option<PathBuf>,
        /// The field that gets the record.
        target: FieldReference = "netflow",
        /// Whether records of IPFIX have the number of their set in flowset_id; those of NetFlow 9 always do.
        include_flowset_id: bool = false,
        /// The versions that are read.
        versions: Vec<u16> = [5, 9, 10],
        /// A YAML file with more fields of NetFlow 9, or other names for them.
        netflow_definitions: Option<PathBuf>,
        /// A YAML file with more fields of IPFIX by enterprise; an enterprise in it replaces the known one.
        ipfix_definitions: Option<PathBuf>,
    }
}

/// Everything is shared: templates that come over one connection count for all, as in Logstash.
#[derive(Debug, Clone)]
struct Netflow(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    target: FieldReference,
    include_flowset_id: bool,
    versions: Vec<u16>,
    netflow_fields: Definitions,
    ipfix_fields: Definitions,
    netflow_templates: Registry,
    ipfix_templates: Registry,
}

/// Where the records of one datagram go, and what they have in common.
struct Packet<'p> {
    shared: &'p Shared,
    peer: Option<SocketAddr>,
    emit: &'p mut dyn FnMut(Event),
}

impl Shared {
    fn new(options: NetflowOptions, reader: &mut OptionReader<'_>) -> Option<Self> {
        let mut load = |option: &str, loaded: Result<Definitions, String>| {
            loaded.map_err(|error| reader.error(option, error)).ok()
        };
        let netflow =
            load("netflow_definitions", Definitions::netflow(options.netflow_definitions.as_deref()));
        let ipfix = load("ipfix_definitions", Definitions::ipfix(options.ipfix_definitions.as_deref()));
        let registry = |name: &str| {
            let file = options.cache_save_path.as_ref().map(|folder| folder.join(name));
            Registry::new(Duration::from_secs(options.cache_ttl), file)
        };
        Some(Shared {
            netflow_fields: netflow?,
            ipfix_fields: ipfix?,
            netflow_templates: registry("netflow_templates.cache"),
            ipfix_templates: registry("ipfix_templates.cache"),
            target: options.target,
            include_flowset_id: options.include_flowset_id,
            versions: options.versions,
        })
    }

    fn decode(&self, bytes: &[u8], peer: Option<SocketAddr>, emit: &mut dyn FnMut(Event)) {
        let mut packet = Packet { shared: self, peer, emit };
        let decoded = match Reader::new(bytes).u16() {
            Ok(version) if !self.versions.contains(&version) => {
                return tracing::warn!(version, "ignoring this version of netflow");
            }
            Ok(5) => v5::decode(bytes, &mut packet),
            Ok(9) => v9::decode(bytes, &mut packet),
            Ok(10) => ipfix::decode(bytes, &mut packet),
            Ok(version) => return tracing::warn!(version, "this version of netflow cannot be read"),
            Err(error) => Err(error),
        };
        if let Err(Invalid(error)) = decoded {
            tracing::warn!(error, "invalid netflow packet received");
        }
    }
}

impl Packet<'_> {
    /// Emits the event of one record.
    fn emit(&mut self, time: Timestamp, record: Object) {
        let mut event = Event::at(time);
        match event.set(&self.shared.target, record) {
            Ok(()) => (self.emit)(event),
            Err(error) => tracing::warn!(%error, "a flow record has no place in its event"),
        }
    }
}

impl Codec for Netflow {
    /// Takes one datagram.
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        self.0.decode(bytes, None, emit);
    }

    fn decode_from(&mut self, bytes: &[u8], peer: SocketAddr, emit: &mut dyn FnMut(Event)) {
        self.0.decode(bytes, Some(peer), emit);
    }

    fn encode(&self, _event: &Event, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Err(text::unencodable(SPEC.name))
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}

/// A time given as the device's uptime in milliseconds, as text: `seconds` and `micros` are the time when the uptime was
/// `uptime`.
fn switched(uptime: i64, at: i64, seconds: i64, micros: impl FnOnce(i64) -> i64) -> String {
    let millis = uptime - at;
    let seconds = seconds - millis.div_euclid(1000);
    time_text(seconds, micros(millis.rem_euclid(1000) * 1000).saturating_mul(1000))
}

/// A time as text, with as many digits of the second as it needs.
fn time_text(seconds: i64, nanos: i64) -> String {
    let seconds = seconds.saturating_add(nanos.div_euclid(1_000_000_000));
    let nanos = u32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0);
    Timestamp::new(seconds, nanos).unwrap_or(Timestamp::EPOCH).to_string()
}
