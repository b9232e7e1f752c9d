//! A host of a report: its addresses, what it runs, its ports and the way to it.

use crate::event::time_format::{DateParser, DateSource, Zone};
use crate::event::{Object, Value};

use super::fields;
use super::xml::{Element, time};

/// What the events of a host are made of.
pub struct Host {
    /// What all of them have.
    pub fields: Object,
    pub ports: Vec<Value>,
    /// The hops of the trace.
    pub hops: Vec<Value>,
    /// The trace as a whole; null without one.
    pub traceroute: Value,
}

impl Host {
    /// `start` is the scan's, for hosts without times of their own.
    pub fn read(host: &Element<'_>, start: &Value, boot_time: &DateParser) -> Self {
        let or_start = |name| match time(host.number(name)) {
            Value::Null => start.clone(),
            time => time,
        };
        let address = |kind: &str| {
            let mut addresses = host.children("address");
            addresses
                .find(|one| one.attribute("addrtype") == Some(kind))
                .map_or(Value::Null, |one| one.text("addr"))
        };
        let (ipv4, ipv6, mac) = (address("ipv4"), address("ipv6"), address("mac"));
        let ip = if ipv6.is_null() { ipv4.clone() } else { ipv6.clone() };
        let addresses = host.children("address").filter(|one| one.attribute("addr").is_some());
        let mut all = fields([
            ("start_time", or_start("starttime")),
            ("end_time", or_start("endtime")),
            (
                "addresses",
                addresses
                    .map(|one| pick(&one, [("type", "addrtype"), ("addr", "addr")]))
                    .collect::<Vec<_>>()
                    .into(),
            ),
            ("address", if ip.is_null() { mac.clone() } else { ip.clone() }),
            ("ip", ip),
            ("ipv4", ipv4),
            ("ipv6", ipv6),
            ("mac", mac),
            (
                "status",
                optional(host.child("status"), |status| {
                    pick(&status, [("state", "state"), ("reason", "reason")])
                }),
            ),
            ("hostname", hostname(host)),
            ("uptime", optional(host.child("uptime"), |uptime| read_uptime(&uptime, boot_time))),
            ("os", optional(host.child("os"), |os| read_os(&os))),
        ]);
        if let Some(times) = host.child("times") {
            all.insert("times", times.numbers());
        }
        let ports = host.child("ports").into_iter().flat_map(|ports| ports.children("port"));
        let trace = host.child("trace");
        let hops: Vec<_> =
            trace.into_iter().flat_map(|trace| trace.children("hop")).enumerate().map(hop).collect();
        let traceroute = optional(trace, |trace| {
            Value::from(fields([
                ("port", Value::Int(trace.number("port"))),
                ("protocol", trace.text("proto")),
                ("hops", Value::Array(hops.clone())),
            ]))
        });
        Host { fields: all, ports: ports.map(|port| read_port(&port)).collect(), hops, traceroute }
    }
}

fn optional<'d>(element: Option<Element<'d>>, read: impl FnOnce(Element<'d>) -> Value) -> Value {
    element.map_or(Value::Null, read)
}

/// Some attributes under names of their own.
fn pick<const N: usize>(element: &Element<'_>, names: [(&str, &str); N]) -> Value {
    Value::from(fields(names.map(|(name, attribute)| (name, element.text(attribute)))))
}

fn hostname(host: &Element<'_>) -> Value {
    let mut names = host.child("hostnames").into_iter().flat_map(|names| names.children("hostname"));
    let named = names.find(|one| one.attribute("name").is_some());
    optional(named, |one| pick(&one, [("name", "name"), ("type", "type")]))
}

fn read_uptime(uptime: &Element<'_>, boot_time: &DateParser) -> Value {
    // Days of one digit stand behind two spaces.
    let text = uptime.attribute("lastboot").unwrap_or_default();
    let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let booted = boot_time.parse(DateSource::Text(&text), &Zone::system());
    Value::from(fields([
        ("seconds", Value::Int(uptime.number("seconds"))),
        ("last_boot", booted.map_or(Value::Null, Value::Timestamp)),
    ]))
}

fn read_os(os: &Element<'_>) -> Value {
    let class = |class: Element<'_>| {
        let text = |name| Value::from(class.attribute(name).unwrap_or_default());
        Value::from(fields([
            ("type", text("type")),
            ("vendor", text("vendor")),
            ("family", text("osfamily")),
            ("gen", text("osgen")),
            ("accuracy", Value::Int(class.number("accuracy"))),
        ]))
    };
    let classes: Vec<_> = os.children("osmatch").flat_map(|one| one.children("osclass")).map(class).collect();
    let matches = os.children("osmatch").map(|one| {
        Value::from(fields([("name", one.text("name")), ("accuracy", Value::Int(one.number("accuracy")))]))
    });
    let ports = os.children("portused").filter(|port| port.attribute("portid").is_some());
    Value::from(fields([
        ("ports_used", ports.map(|port| Value::Int(port.number("portid"))).collect::<Vec<_>>().into()),
        ("fingerprint", optional(os.child("osfingerprint"), |print| print.text("fingerprint"))),
        ("classes", if classes.is_empty() { Value::Null } else { Value::Array(classes) }),
        ("matches", matches.collect::<Vec<_>>().into()),
    ]))
}

fn read_port(port: &Element<'_>) -> Value {
    let state = port.child("state");
    Value::from(fields([
        ("number", Value::Int(port.number("portid"))),
        ("reason", optional(state, |state| state.text("reason"))),
        ("protocol", port.text("protocol")),
        ("service", optional(port.child("service"), |service| read_service(&service))),
        ("state", optional(state, |state| state.text("state"))),
    ]))
}

fn read_service(service: &Element<'_>) -> Value {
    Value::from(fields([
        ("name", service.text("name")),
        ("ssl", Value::Bool(service.attribute("tunnel") == Some("ssl"))),
        ("protocol", service.text("proto")),
        ("product", service.text("product")),
        ("version", service.text("version")),
        ("hostname", service.text("hostname")),
        ("device_type", service.text("devicetype")),
        ("fingerprint_method", service.text("method")),
        ("fingerprint", service.text("servicefp")),
        ("confidence", Value::Int(service.number("conf"))),
    ]))
}

fn hop((index, hop): (usize, Element<'_>)) -> Value {
    Value::from(fields([
        ("address", hop.text("ipaddr")),
        ("hostname", hop.text("host")),
        ("ttl", Value::Int(hop.number("ttl"))),
        ("rtt", Value::Int(hop.number("rtt"))),
        ("index", Value::Int(i64::try_from(index).unwrap_or(i64::MAX))),
    ]))
}
