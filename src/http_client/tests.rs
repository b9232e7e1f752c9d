//! Tests of the client against a server on the loopback interface.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;
use crate::language::Span;
use crate::plugin::{Block, BlockOption, ConfigKind, ConfigValue, Kind, OptionReader, blocking, testkit};

fn option(name: &str, kind: ConfigKind) -> BlockOption {
    let span = Span::default();
    BlockOption { name: name.into(), name_span: span, value: ConfigValue { kind, span } }
}

fn client(options: Vec<BlockOption>) -> HttpClient {
    let context = testkit::context();
    let block = Block { options, ..Block::bare(Kind::Filter, "http", Span::default()) };
    let mut reader = OptionReader::new(&block, &context, "http".into());
    HttpOptions::read(&mut reader).unwrap().client(true, &mut reader).unwrap()
}

/// Reads the head of a request.
fn read_head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// A server that closes the first connection without an answer; it says which requests came.
fn server_that_breaks_off_once() -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        let mut heads = vec![read_head(&mut first)];
        drop(first);
        listener.set_nonblocking(false).unwrap();
        if let Ok((mut second, _)) = listener.accept() {
            heads.push(read_head(&mut second));
            _ = second.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        }
        heads
    });
    (url, server)
}

fn send(client: &HttpClient, method: Method, url: &str) -> Result<u16, HttpError> {
    let sent = blocking::block_on(client.send(client.request(method, url))).unwrap();
    sent.map(|response| response.status().as_u16())
}

#[test]
fn a_broken_connection_is_repeated_when_that_does_no_harm() {
    let (url, server) = server_that_breaks_off_once();
    assert_eq!(send(&client(Vec::new()), Method::GET, &url).unwrap(), 200);
    assert_eq!(server.join().unwrap().len(), 2);

    let (url, server) = server_that_breaks_off_once();
    let client = client(Vec::new());
    assert!(send(&client, Method::POST, &url).is_err());
    // The server waits for a second connection, which this is.
    assert_eq!(send(&client, Method::GET, &url).unwrap(), 200);
    assert!(server.join().unwrap()[1].starts_with("GET"));
}

#[test]
fn user_and_password_are_sent_at_once_and_never_shown() {
    let (url, server) = server_that_breaks_off_once();
    let text = |text: &str| ConfigKind::Text(text.into());
    let client = client(vec![option("user", text("u")), option("password", text("geheim"))]);
    assert!(!format!("{client:?}").contains("geheim"));
    assert_eq!(send(&client, Method::GET, &url).unwrap(), 200);
    // "u:geheim" in base64.
    assert!(server.join().unwrap()[0].contains("authorization: Basic dTpnZWhlaW0="));
}

#[test]
fn errors_do_not_show_the_url() {
    let error =
        send(&client(Vec::new()), Method::GET, "http://user:secret@127.0.0.1:1/token=abc").unwrap_err();
    assert!(error.is_connect, "{error}");
    assert!(!error.message.contains("secret") && !error.message.contains("abc"), "{error}");
}

/// A server that answers those with a certificate of the fixtures' authority, and shows one itself.
fn strict_server() -> (u16, thread::JoinHandle<()>) {
    let fixture = |name: &str| format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR"));
    let tls = crate::tls::ServerTls {
        ssl_enabled: true,
        ssl_certificate: Some(fixture("client.chain").into()),
        ssl_key: Some(fixture("client.key").into()),
        ssl_certificate_authorities: vec![fixture("ca.pem").into()],
        ssl_client_authentication: Some(crate::tls::ClientAuthentication::Required),
        ..Default::default()
    };
    let config = std::sync::Arc::new(tls.config(crate::tls::ClientAuthentication::Required).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        for socket in listener.incoming() {
            let session = rustls::ServerConnection::new(std::sync::Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, socket.unwrap());
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.extend(byte);
            }
            if head.starts_with(b"GET /end") {
                return;
            }
            if !head.is_empty() {
                _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
                stream.conn.send_close_notify();
                _ = stream.flush();
            }
        }
    });
    (port, server)
}

/// Stores that keytool made: whom to trust, and what to show.
#[test]
fn stores_of_java_hold_authorities_and_keys() {
    let fixture = |name: &str| format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str, value: String| option(name, ConfigKind::Text(value));
    let (port, server) = strict_server();
    let url = format!("https://localhost:{port}/x");
    let with = |trust: (&str, &str), own: Option<(&str, &str)>| {
        let mut options = vec![
            text("ssl_truststore_path", fixture(trust.0)),
            text("ssl_truststore_type", trust.1.into()),
            text("ssl_truststore_password", "store-secret".into()),
        ];
        if let Some((store, kind)) = own {
            options.push(text("ssl_keystore_path", fixture(store)));
            options.push(text("ssl_keystore_type", kind.into()));
            options.push(text("ssl_keystore_password", "store-secret".into()));
        }
        client(options)
    };
    for (trust, own) in [
        (("trust.jks", "jks"), ("client-one.jks", "jks")),
        (("trust.p12", "pkcs12"), ("client.p12", "pkcs12")),
        // Java tells them apart by their content too.
        (("trust.p12", "jks"), ("client.p12", "jks")),
    ] {
        assert_eq!(send(&with(trust, Some(own)), Method::GET, &url).unwrap(), 200, "{trust:?} {own:?}");
        assert!(send(&with(trust, None), Method::GET, &url).is_err(), "{trust:?}: nothing was shown");
    }
    let last = with(("trust.jks", "jks"), Some(("client.p12", "pkcs12")));
    _ = send(&last, Method::GET, &format!("https://localhost:{port}/end"));
    server.join().unwrap();
}
