//! The dns filter and a name server, dnsmasq.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rstash::testing::{Case, Status};
use serde_json::{Value, json};

use crate::shared::missing;

/// How long the server may take to start.
const LONG: Duration = Duration::from_secs(20);

/// A dnsmasq of a test's own on the loopback interface.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Starts a server that knows these records, or says what is missing.
    fn start(records: &[&str]) -> Option<Self> {
        let port = free_port();
        let started = Command::new("dnsmasq")
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--pid-file=",
            ])
            .args(["--listen-address=127.0.0.1", "--bind-interfaces", "--local=/example/"])
            .arg(format!("--port={port}"))
            .args(records)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = started else {
            missing("no dnsmasq (Debian's package dnsmasq-base)");
            return None;
        };
        let mut server = Server { process, port };
        let since = Instant::now();
        // It listens with TCP as well, and that can be seen.
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(server.process.try_wait().unwrap().is_none(), "dnsmasq has ended");
            assert!(since.elapsed() < LONG, "dnsmasq does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    /// What becomes of events with this filter, which asks this server.
    fn ask(&self, options: &str, input: &[Value], expected: &[Value]) {
        assert_becomes(&format!("nameserver => \"127.0.0.1:{}\" {options}", self.port), input, expected);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// A port that is free for TCP and UDP.
fn free_port() -> u16 {
    for _ in 0..100 {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = tcp.local_addr().expect("an address").port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

fn assert_becomes(options: &str, input: &[Value], expected: &[Value]) {
    let stamped = |events: &[Value]| -> Vec<Value> {
        let mut events = events.to_vec();
        for event in &mut events {
            let event = event.as_object_mut().expect("an event");
            event.insert("@timestamp".into(), "2024-05-06T07:08:09.123Z".into());
            event.insert("@version".into(), "1".into());
        }
        events
    };
    let case = json!({
        "name": "dns", "config": format!("filter {{ dns {{ {options} }} }}"), "input": stamped(input),
        "expect": { "ok": true, "events": stamped(expected) },
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let verdict = Case::parse(&case.to_string()).unwrap().run(&runtime);
    assert_eq!(verdict.status, Status::Passed, "{options}:\n{}", verdict.reasons().join("\n"));
}

#[test]
fn names_and_addresses_are_looked_up() {
    let Some(server) = Server::start(&[
        "--host-record=db.example,192.0.2.7",
        "--host-record=xn--mnchen-3ya.example,192.0.2.8",
        "--cname=alias.example,db.example",
    ]) else {
        return;
    };
    server.ask(
        r#"resolve => ["a"] reverse => ["b"] action => "replace" add_tag => ["found"]"#,
        &[
            json!({"a": "db.example", "b": "192.0.2.7"}),
            json!({"a": "alias.example", "b": ["192.0.2.8"]}),
            json!({"a": "münchen.example"}),
            json!({"a": "no.example", "b": "192.0.2.7"}),
            json!({"b": "192.0.2.99"}),
        ],
        &[
            json!({"a": "192.0.2.7", "b": "db.example", "tags": ["found"]}),
            json!({"a": "192.0.2.7", "b": ["münchen.example"], "tags": ["found"]}),
            json!({"a": "192.0.2.8", "tags": ["found"]}),
            // Where the first has no answer, the second is not asked for.
            json!({"a": "no.example", "b": "192.0.2.7"}),
            json!({"b": "192.0.2.99"}),
        ],
    );
    server.ask(
        r#"resolve => ["a"] hit_cache_size => 10"#,
        &[json!({"a": "db.example"}), json!({"a": ["db.example"]})],
        &[json!({"a": ["db.example", "192.0.2.7"]}), json!({"a": ["db.example", "192.0.2.7"]})],
    );
}

#[test]
fn domains_are_searched() {
    let Some(server) = Server::start(&["--host-record=db.inner.example,192.0.2.9"]) else { return };
    let nameserver = format!(
        r#"nameserver => {{ "address" => ["127.0.0.1:{}"] "search" => ["outer.example", "inner.example"] }}"#,
        server.port
    );
    let options = format!("{nameserver} resolve => \"a\" action => replace");
    assert_becomes(&options, &[json!({"a": "db"})], &[json!({"a": "192.0.2.9"})]);
}

/// A server that is silent: bound, and never read from.
#[test]
fn silence_is_tagged() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let options = format!(
        r#"nameserver => "127.0.0.1:{port}" timeout => 0.05 max_retries => 1 resolve => ["a"] failed_cache_size => 10"#
    );
    assert_becomes(
        &options,
        &[json!({"a": "db.example"}), json!({"a": "db.example"})],
        // The second is remembered and not asked for again.
        &[json!({"a": "db.example", "tags": ["_dnstimeout"]}), json!({"a": "db.example"})],
    );
    // It was asked twice.
    silent.set_nonblocking(true).unwrap();
    let mut buffer = [0; 512];
    let questions = std::iter::from_fn(|| silent.recv(&mut buffer).ok()).count();
    assert_eq!(questions, 2);
}

#[test]
fn files_of_hosts_are_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts");
    std::fs::write(&path, "192.0.2.5 printer\n").unwrap();
    let options = format!("hostsfile => [\"{}\"] resolve => [\"a\"] action => replace", path.display());
    assert_becomes(
        &options,
        &[json!({"a": "printer"}), json!({"a": "elsewhere.example"})],
        &[json!({"a": "192.0.2.5"}), json!({"a": "elsewhere.example"})],
    );
}
