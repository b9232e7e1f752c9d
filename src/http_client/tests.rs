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
