//! Codec `nmap`: reports of the port scanner Nmap in XML (logstash-codec-nmap).

mod host;
#[cfg(test)]
mod tests;
mod xml;

use uuid::Uuid;
use xmloxide::parser::{ParseOptions as Limits, parse_str_with_options};

use crate::event::time_format::{DateParser, Locale, Precision};
use crate::event::{Event, Object, Value};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, Spec, options};

use self::host::Host;
use self::xml::{Element, time};
use super::{target, text};

/// How Nmap writes the time of the last boot.
const BOOT_PATTERN: &str = "EEE MMM d HH:mm:ss yyyy";

/// A report is ten elements deep. The parser calls itself for each one.
const MAX_DEPTH: u32 = 32;

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "nmap",
    summary: "Reports of the port scanner Nmap, in XML.",
    options: NmapOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: "input { stdin { codec => nmap { emit_traceroute_links => false } } }",
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        let options = NmapOptions::read(reader)?;
        let parser = DateParser::compile(BOOT_PATTERN, Locale::english(), Precision::Milliseconds);
        Some(Box::new(Nmap { options, boot_time: parser.ok()? }))
    }),
};

options! {
    #[derive(Debug, Clone)]
    struct NmapOptions {
        /// Whether the scan itself is an event.
        emit_scan_metadata: bool = true,
        /// Whether each host is an event.
        emit_hosts: bool = true,
        /// Whether each port of a host is an event.
        emit_ports: bool = true,
        /// Whether each hop of the way to a host is an event.
        emit_traceroute_links: bool = true,
    }
}

#[derive(Debug, Clone)]
struct Nmap {
    options: NmapOptions,
    boot_time: DateParser,
}

/// Fields of an event.
fn fields<const N: usize>(fields: [(&str, Value); N]) -> Object {
    fields.into_iter().collect()
}

/// What an event of a host has beside the host's own fields; these win.
fn merged(base: &Object, own: Object) -> Object {
    let mut all = base.clone();
    for (name, value) in own.iter() {
        all.insert(name, value.clone());
    }
    all
}

fn send(fields: Object, emit: &mut dyn FnMut(Event)) {
    match target::event_of(Value::from(fields), None) {
        Ok(event) => emit(event),
        Err(error) => tracing::warn!(error, "a part of a report of nmap makes no event"),
    }
}

impl Nmap {
    /// Fails where the document is no report of a finished scan.
    fn report(&self, text: &str, emit: &mut dyn FnMut(Event)) -> Result<(), String> {
        let limits = Limits::default().max_depth(MAX_DEPTH);
        let document = parse_str_with_options(text, &limits).map_err(|error| error.to_string())?;
        let root = Element::root(&document).filter(|root| root.name() == "nmaprun");
        let root = root.ok_or("not a report of nmap")?;
        let scan_id = Uuid::new_v4().to_string();
        let scan = fields([
            ("arguments", root.text("args")),
            ("version", root.text("version")),
            ("scan_id", scan_id.as_str().into()),
        ]);
        let start = time(root.number("start"));
        let stats = root.child("runstats").ok_or("the scan has not finished")?;
        let finished = stats.child("finished").ok_or("the scan has not finished")?;
        let hosts = stats.child("hosts").ok_or("the scan has not finished")?;
        if self.options.emit_scan_metadata {
            let own = fields([
                ("id", scan_id.as_str().into()),
                ("type", "nmap_scan_metadata".into()),
                ("host_stats", hosts.numbers()),
                ("start_time", start.clone()),
                ("end_time", time(finished.number("time"))),
                ("run_stats", run_stats(&finished)),
            ]);
            send(merged(&scan, own), emit);
        }
        for (at, host) in root.children("host").enumerate() {
            let id = format!("{scan_id}-h{at}");
            let host = Host::read(&host, &start, &self.boot_time);
            let base = merged(&host.fields, scan.clone());
            self.host(&base, host, &id, emit);
        }
        Ok(())
    }

    fn host(&self, base: &Object, host: Host, id: &str, emit: &mut dyn FnMut(Event)) {
        if self.options.emit_ports {
            for (at, port) in host.ports.iter().enumerate() {
                let own = fields([
                    ("type", "nmap_port".into()),
                    ("port", port.clone()),
                    ("scan_host_id", id.into()),
                    ("id", format!("{id}-p{at}").into()),
                ]);
                send(merged(base, own), emit);
            }
        }
        if self.options.emit_traceroute_links {
            for (at, hop) in host.hops.iter().enumerate() {
                let next = host.hops.get(at + 1);
                let own = fields([
                    ("type", "nmap_traceroute_link".into()),
                    ("from", hop.clone()),
                    ("to", next.cloned().unwrap_or_default()),
                    ("rtt_diff", next.map_or(Value::Null, |next| difference(next, hop))),
                    ("scan_host_id", id.into()),
                    ("id", format!("{id}-tl{at}").into()),
                ]);
                send(merged(base, own), emit);
            }
        }
        if self.options.emit_hosts {
            let own = fields([
                ("type", "nmap_host".into()),
                ("ports", Value::Array(host.ports)),
                ("traceroute", host.traceroute),
                ("id", id.into()),
            ]);
            send(merged(base, own), emit);
        }
    }
}

/// How much longer the way to the next hop takes.
fn difference(next: &Value, hop: &Value) -> Value {
    let rtt = |hop: &Value| match hop.as_object().and_then(|hop| hop.get("rtt")) {
        Some(Value::Int(rtt)) => *rtt,
        _ => 0,
    };
    Value::Int(rtt(next).saturating_sub(rtt(hop)))
}

fn run_stats(finished: &Element<'_>) -> Value {
    let elapsed = finished.attribute("elapsed").unwrap_or_default();
    Value::from(fields([
        ("end_time", time(finished.number("time"))),
        ("elapsed", Value::Float(super::numbers::to_f(elapsed))),
        ("summary", finished.text("summary")),
        ("exit_status", finished.text("exit")),
    ]))
}

impl Codec for Nmap {
    /// Takes a whole report.
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        if let Err(error) = self.report(&String::from_utf8_lossy(bytes), emit) {
            emit(target::failure(SPEC.name, bytes, Some("_nmapdecodefailure"), &error));
        }
    }

    fn encode(&self, _event: &Event, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Err(text::unencodable(SPEC.name))
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}
