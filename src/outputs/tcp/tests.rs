//! The output over loopback.

use std::io::{BufRead, BufReader, Read};
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
