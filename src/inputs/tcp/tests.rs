//! The input over loopback, with a plain socket and rustls at the other end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener as Peer, TcpStream as Client};

use super::*;
use crate::event::Event;
use crate::plugin::{Problem, testkit};
use crate::queue::Taken;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    Peer::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs the input of a config (with `PORT` in it) while `peer` talks to it, until it has brought so many events.
fn events(
    config: &str,
    context: &crate::plugin::Context,
    port: u16,
    count: usize,
    peer: impl FnOnce(),
) -> Vec<Event> {
    let (input, decoration) = testkit::input(&config.replace("PORT", &port.to_string()), context).unwrap();
    let (sink, receiver) = testkit::sink(decoration, 1000);
    let (stop, shutdown) = Shutdown::channel();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let running = runtime.spawn(input.run(sink, shutdown));
    peer();
    let mut found = Vec::new();
    while found.len() < count {
        match receiver.take(usize::MAX, Duration::ZERO, testkit::LONG) {
            Taken::Batch { events, .. } => found.extend(events),
            Taken::Idle | Taken::End => panic!("only {} events came", found.len()),
        }
    }
    stop.send(true).unwrap();
    runtime.block_on(running).unwrap().unwrap();
    found.extend(testkit::drain(&receiver));
    found
}

fn connect(port: u16) -> Client {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    for _ in 0..200 {
        if let Ok(stream) = Client::connect(address) {
            return stream;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("nothing listens");
}

fn field(event: &Event, name: &str) -> String {
    let field = crate::event::FieldReference::parse(name).unwrap();
    event.get(&field).map(crate::event::text::ruby_to_s).unwrap_or_default()
}

#[test]
fn lines_of_several_connections_are_kept_apart() {
    let port = free_port();
    let found =
        events("input { tcp { port => PORT host => '127.0.0.1' } }", &testkit::context(), port, 3, || {
            let (mut one, mut two) = (connect(port), connect(port));
            one.write_all(b"first ha").unwrap();
            two.write_all(b"other\n").unwrap();
            one.write_all(b"lf\nnot ended").unwrap();
        });
    let mut messages: Vec<_> = found.iter().map(|event| field(event, "message")).collect();
    messages.sort();
    assert_eq!(messages, ["first half", "not ended", "other"]);
    let about = "[@metadata][input][tcp][source]";
    assert!(found.iter().all(|event| field(event, &format!("{about}[ip]")) == "127.0.0.1"));
    assert!(found.iter().all(|event| field(event, &format!("{about}[name]")) == "localhost"));
    assert!(found.iter().all(|event| field(event, &format!("{about}[port]")).parse::<u16>().is_ok()));
}

#[test]
fn every_connection_joins_its_own_lines() {
    let port = free_port();
    let config = r"input { tcp { port => PORT host => '127.0.0.1' codec => multiline { pattern => '^\s' what => previous } } }";
    let found = events(config, &testkit::context(), port, 3, || {
        let (one, two) = (connect(port), connect(port));
        // Each is read before the other one goes on.
        for (mut stream, text) in
            [(&one, "one\n"), (&two, "two\n at a\n"), (&one, " at b\n"), (&two, " at c\n"), (&one, "three\n")]
        {
            stream.write_all(text.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let mut messages: Vec<_> = found.iter().map(|event| field(event, "message")).collect();
    messages.sort();
    assert_eq!(messages, ["one\n at b", "three", "two\n at a\n at c"]);
}

#[test]
fn legacy_names_and_json() {
    let port = free_port();
    let config = "input { tcp { port => PORT codec => json dns_reverse_lookup_enabled => false } }";
    let found = events(config, &testkit::legacy_context(), port, 2, || {
        connect(port).write_all(b"{\"a\":1,\"host\":\"kept\"}\n{\"a\":2}\n").unwrap();
    });
    let seen: Vec<_> = found.iter().map(|event| (field(event, "a"), field(event, "host"))).collect();
    assert_eq!(seen, [("1".into(), "kept".into()), ("2".into(), "127.0.0.1".into())]);
    assert_eq!(field(&found[1], "[@metadata][ip_address]"), "127.0.0.1");
}

#[test]
fn a_proxy_header_tells_the_source() {
    let port = free_port();
    let config = "input { tcp { port => PORT proxy_protocol => true dns_reverse_lookup_enabled => false } }";
    let found = events(config, &testkit::legacy_context(), port, 1, || {
        let mut stream = connect(port);
        stream.write_all(b"PROXY TCP4 192.0.2.7 198.51.100.2 5").unwrap();
        std::thread::sleep(Duration::from_millis(50));
        stream.write_all(b"6324 443\r\nhello\n").unwrap();
        // No header: nothing of it is taken.
        connect(port).write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    });
    assert_eq!(found.len(), 1);
    let names = ["message", "host", "port", "proxy_host", "proxy_port"];
    let seen: Vec<_> = names.iter().map(|name| field(&found[0], name)).collect();
    assert_eq!(seen, ["hello", "192.0.2.7", "56324", "198.51.100.2", "443"]);
}

#[test]
fn a_client_reads_what_a_server_sends() {
    let server = Peer::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let config = "input { tcp { host => '127.0.0.1' port => PORT mode => client } }";
    let found = events(config, &testkit::context(), port, 2, || {
        let (mut stream, _) = server.accept().unwrap();
        stream.write_all(b"from the server\n").unwrap();
        drop(stream);
        // It comes back after the connection was closed.
        let (mut stream, _) = server.accept().unwrap();
        stream.write_all(b"again\n").unwrap();
    });
    let messages: Vec<_> = found.iter().map(|event| field(event, "message")).collect();
    assert_eq!(messages, ["from the server", "again"]);
}

#[test]
fn tls_with_a_client_certificate_names_its_subject() {
    let port = free_port();
    let fixture = |name: &str| format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR"));
    let config = format!(
        "input {{ tcp {{ port => PORT ssl_enable => true ssl_cert => '{}' ssl_key => '{}' ssl_certificate_authorities => '{}' }} }}",
        fixture("client.chain"),
        fixture("client.key"),
        fixture("ca.pem")
    );
    let found = events(&config, &testkit::legacy_context(), port, 1, || {
        let tls = crate::tls::ClientTls {
            ssl_certificate: Some(fixture("client.chain").into()),
            ssl_key: Some(fixture("client.key").into()),
            ssl_verification_mode: crate::tls::VerificationMode::None,
            ..Default::default()
        };
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let mut session =
            rustls::ClientConnection::new(Arc::new(tls.config().unwrap()), name.clone()).unwrap();
        let mut socket = connect(port);
        let mut stream = rustls::Stream::new(&mut session, &mut socket);
        stream.write_all(b"sealed\n").unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        // Someone without a certificate, and someone without TLS, are turned away.
        connect(port).write_all(b"open\n").unwrap();
        let anonymous = crate::tls::ClientTls {
            ssl_verification_mode: crate::tls::VerificationMode::None,
            ..Default::default()
        };
        let mut session = rustls::ClientConnection::new(Arc::new(anonymous.config().unwrap()), name).unwrap();
        let mut socket = connect(port);
        let mut stream = rustls::Stream::new(&mut session, &mut socket);
        _ = stream.write_all(b"nobody\n");
        assert!(!matches!(stream.read(&mut [0; 1]), Ok(1..)));
    });
    let messages: Vec<_> = found.iter().map(|event| field(event, "message")).collect();
    assert_eq!(messages, ["sealed"]);
    // As the certificate has it, from the particular to the general.
    assert!(field(&found[0], "sslsubject").starts_with("CN="), "{}", field(&found[0], "sslsubject"));
}

/// `ssl_verify`, a name of Logstash 8, means what `ssl_verification_mode` means where the input is the client.
#[test]
fn a_client_may_trust_any_server() {
    let fixture = |name: &str| format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR"));
    let server = crate::tls::ServerTls {
        ssl_enabled: true,
        ssl_certificate: Some(fixture("client.chain").into()),
        ssl_key: Some(fixture("client.key").into()),
        ..Default::default()
    };
    let server = Arc::new(server.config(crate::tls::ClientAuthentication::None).unwrap());
    for trust in ["ssl_verify => false", "ssl_verification_mode => none"] {
        let peer = Peer::bind("127.0.0.1:0").unwrap();
        let port = peer.local_addr().unwrap().port();
        let config = format!(
            "input {{ tcp {{ host => '127.0.0.1' port => PORT mode => client ssl_enabled => true {trust} }} }}"
        );
        let found = events(&config, &testkit::context(), port, 1, || {
            let (mut socket, _) = peer.accept().unwrap();
            let mut session = rustls::ServerConnection::new(Arc::clone(&server)).unwrap();
            let mut stream = rustls::Stream::new(&mut session, &mut socket);
            stream.write_all(b"sealed\n").unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        });
        assert_eq!(field(&found[0], "message"), "sealed", "{trust}");
    }
}

#[test]
fn options_of_the_other_mode_are_errors() {
    let refused = |config: &str| {
        let problems = testkit::input(config, &testkit::context()).err().unwrap();
        problems
            .iter()
            .filter(|problem| problem.is_error())
            .map(|problem: &Problem| problem.message.clone())
            .collect::<String>()
    };
    let server = refused("input { tcp { port => 1 ssl_enabled => true ssl_verification_mode => full } }");
    assert!(server.contains("ssl_client_authentication"), "{server}");
    let client = refused(
        "input { tcp { port => 1 mode => client ssl_enabled => true ssl_client_authentication => none } }",
    );
    assert!(client.contains("ssl_verification_mode"), "{client}");
    let both = refused(
        "input { tcp { port => 1 mode => client ssl_enabled => true ssl_verify => true ssl_verification_mode => full } }",
    );
    assert!(both.contains("old name of ssl_verification_mode"), "{both}");
    let open =
        refused("input { tcp { port => 1 ssl_enabled => true ssl_certificate => '/x' ssl_key => '/y' } }");
    assert!(open.contains("/x"), "{open}");
}
