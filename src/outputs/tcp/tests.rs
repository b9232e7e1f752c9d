//! The output over loopback.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::TcpListener;

use super::*;
use crate::plugin::{Shutdown, testkit};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn a_client_connects_again_and_loses_nothing() {
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = peer.local_addr().unwrap().port();
    let config = format!(
        "output {{ tcp {{ host => '127.0.0.1' port => {port} reconnect_interval => 0.1 codec => line {{ format => '%{{message}}' }} }} }}"
    );
    let output = testkit::output(&config, &testkit::context()).unwrap();
    let reading = std::thread::spawn(move || {
        let mut lines = Vec::new();
        for _ in 0..2 {
            let (stream, _) = peer.accept().unwrap();
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).unwrap();
            lines.push(line);
            // The connection is closed here, after one line.
        }
        lines
    });
    let runtime = runtime();
    assert_eq!(runtime.block_on(output.deliver(&[&Event::from_message("one")])), Default::default());
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(runtime.block_on(output.deliver(&[&Event::from_message("two")])), Default::default());
    assert_eq!(reading.join().unwrap(), ["one\n", "two\n"]);
}

#[test]
fn a_server_writes_to_everyone() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "output {{ tcp {{ host => '127.0.0.1' port => {port} mode => server codec => line {{ format => '%{{message}}' }} }} }}"
    );
    let output = testkit::output(&config, &testkit::context()).unwrap();
    let runtime = runtime();
    let (_stop, shutdown) = Shutdown::channel();
    runtime.block_on(output.open(shutdown)).unwrap();
    let mut clients: Vec<_> =
        (0..2).map(|_| std::net::TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(300));
    runtime.block_on(output.deliver(&[&Event::from_message("one"), &Event::from_message("two")]));
    runtime.block_on(output.close());
    for client in &mut clients {
        let mut text = String::new();
        client.set_read_timeout(Some(testkit::LONG)).unwrap();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }
}

/// `ssl_verify`, a name of Logstash 8, is about clients' certificates where the output is the server: nobody without one
/// reads anything.
#[test]
fn a_server_writes_to_nobody_without_a_certificate() {
    let fixture = |name: &str| format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for demand in ["ssl_verify => true", "ssl_client_authentication => required"] {
        let config = format!(
            "output {{ tcp {{ host => '127.0.0.1' port => {port} mode => server ssl_enabled => true {demand}
              ssl_certificate => '{}' ssl_key => '{}' ssl_certificate_authorities => '{}'
              codec => line {{ format => '%{{message}}' }} }} }}",
            fixture("client.chain"),
            fixture("client.key"),
            fixture("ca.pem")
        );
        let output = testkit::output(&config, &testkit::context()).unwrap_or_else(|p| panic!("{p:?}"));
        let runtime = runtime();
        let (_stop, shutdown) = Shutdown::channel();
        runtime.block_on(output.open(shutdown)).unwrap();
        let connect = |certificate: bool| {
            let tls = ClientTls {
                ssl_certificate: certificate.then(|| fixture("client.chain").into()),
                ssl_key: certificate.then(|| fixture("client.key").into()),
                ssl_certificate_authorities: vec![fixture("ca.pem").into()],
                ..ClientTls::default()
            };
            let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
            let session = rustls::ClientConnection::new(tls.config().unwrap().into(), name).unwrap();
            let socket = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            socket.set_read_timeout(Some(testkit::LONG)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, socket);
            _ = stream.conn.complete_io(&mut stream.sock);
            stream
        };
        let mut stranger = connect(false);
        let refusal = stranger.read(&mut [0; 1]).expect_err("someone without a certificate is served").kind();
        assert!(!matches!(refusal, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{demand}: left to wait");
        let mut known = connect(true);
        std::thread::sleep(Duration::from_millis(300));
        runtime.block_on(output.deliver(&[&Event::from_message("one")]));
        let mut text = [0; 4];
        known.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"one\n", "{demand}");
        drop(known);
        runtime.block_on(output.close());
    }
}

#[test]
fn options_of_the_other_mode_are_errors() {
    let refused = |options: &str| {
        let config = format!("output {{ tcp {{ host => 'a' port => 1 ssl_enabled => true {options} }} }}");
        let problems = testkit::output(&config, &testkit::context()).err().unwrap();
        problems
            .into_iter()
            .filter(|problem| problem.is_error())
            .map(|problem| problem.message)
            .collect::<String>()
    };
    let client = refused("ssl_client_authentication => none");
    assert!(client.contains("ssl_verification_mode"), "{client}");
    let server = refused("mode => server ssl_verification_mode => full");
    assert!(server.contains("ssl_client_authentication"), "{server}");
}
