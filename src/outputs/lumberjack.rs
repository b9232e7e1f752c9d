//! Output `lumberjack`: sends lines to other Logstashes by the Lumberjack protocol, and waits until they have been
//! acknowledged (logstash-output-lumberjack).

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::event::Event;
use crate::lumberjack::{Client, window_of};
use crate::net::Peer;
use crate::plugin::{
    Build, CodecFactory, Delivery, Example, Kind, OptionReader, Output, Spec, Undelivered, options,
};
use crate::tls::ClientTls;

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "lumberjack",
    summary: "Sends lines by the Lumberjack protocol, until they are acknowledged.",
    options: Lumberjack::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output {
  lumberjack {
    hosts => ["indexer1.example.org", "indexer2.example.org"]
    port => 5043
    ssl_certificate => "/etc/pki/lumberjack.crt"
    codec => json
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| Some(Box::new(Sender::build(reader)?))),
};

/// How long to wait for a server to answer before the next one is tried.
const CONNECT: Duration = Duration::from_secs(10);

options! {
    #[derive(Debug)]
    #[expect(dead_code, reason = "some options are read for their checks alone")]
    struct Lumberjack {
        /// The servers. One of them, whichever, is used as long as it answers.
        hosts: Vec<String>,
        /// The port of all of them.
        port: u16,
        /// PEM file with the server's certificate, or with the authority's that it comes from. The name in it may be any.
        ssl_certificate: PathBuf,
        /// Most events in a window, which is what is acknowledged together.
        flush_size: usize = 1024,
        /// Has no effect: a batch of the pipeline is sent at once.
        idle_flush_time: f64 = 1,
    }
}

struct Sender {
    peers: Vec<Peer>,
    window: usize,
    codec: CodecFactory,
    /// The connection in use. Windows go one by one, in the order in which their batches came.
    client: Mutex<Option<Client>>,
}

impl Sender {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let codec: Option<CodecFactory> = reader.take("codec", Some("plain"));
        let options = Lumberjack::read(reader)?;
        reader.no_effect("idle_flush_time", "a batch of the pipeline is sent at once");
        if options.flush_size == 0 {
            reader.error("flush_size", "it must be at least 1");
        }
        if options.hosts.is_empty() {
            reader.error("hosts", "it cannot be empty");
        }
        let tls =
            ClientTls { ssl_certificate_authorities: vec![options.ssl_certificate], ..ClientTls::default() };
        let config = match tls.config_of_any_name() {
            Ok(config) => config,
            Err(refusal) => {
                reader.error("ssl_certificate", refusal.reason);
                return None;
            }
        };
        let mut peers = Vec::with_capacity(options.hosts.len());
        for host in options.hosts {
            match Peer::new(host.as_str(), options.port).with_tls(config.clone()) {
                Some(peer) => peers.push(peer),
                None => reader.error("hosts", format!("\"{host}\" is no name or address of a host")),
            }
        }
        Some(Sender { peers, window: options.flush_size.max(1), codec: codec?, client: Mutex::default() })
    }

    /// Connects to any of the servers.
    async fn connect(&self) -> io::Result<Client> {
        let mut order: Vec<&Peer> = self.peers.iter().collect();
        fastrand::shuffle(&mut order);
        let mut last = io::Error::other("there is no server");
        for peer in order {
            let connected =
                tokio::time::timeout(CONNECT, peer.dial()).await.unwrap_or_else(|late| Err(late.into()));
            match connected {
                Ok(stream) => {
                    tracing::debug!(%peer, "connected");
                    return Ok(Client::new(stream));
                }
                Err(error) => {
                    tracing::warn!(%peer, %error, "could not connect");
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// Sends a window over the connection in use, or over a new one.
    async fn send(&self, client: &mut Option<Client>, window: &[u8], events: usize) -> io::Result<()> {
        let mut open = match client.take() {
            Some(open) => open,
            None => self.connect().await?,
        };
        open.send(window, events).await?;
        *client = Some(open);
        Ok(())
    }

    async fn deliver_all(&self, events: &[&Event]) -> Delivery {
        let mut delivery = Delivery::done();
        let mut lines = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            let mut line = Vec::new();
            match self.codec.encoder().encode(event, &mut line) {
                Ok(()) => lines.push((index, line)),
                Err(error) => delivery.dead.push(Undelivered { index, reason: error.to_string() }),
            }
        }
        let mut client = self.client.lock().await;
        let mut windows = lines.chunks(self.window);
        while let Some(window) = windows.next() {
            let pairs: Vec<[(&str, &[u8]); 1]> =
                window.iter().map(|(_, line)| [("line", line.as_slice())]).collect();
            let pairs: Vec<&[(&str, &[u8])]> = pairs.iter().map(<[_; 1]>::as_slice).collect();
            let sent = match window_of(&pairs) {
                Ok(bytes) => self.send(&mut client, &bytes, window.len()).await,
                Err(error) => Err(error),
            };
            if let Err(error) = sent {
                let reason = error.to_string();
                let left = window.iter().chain(windows.flatten());
                delivery.retry =
                    left.map(|(index, _)| Undelivered { index: *index, reason: reason.clone() }).collect();
                break;
            }
        }
        delivery
    }
}

impl Output for Sender {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(self.deliver_all(events))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { drop(self.client.lock().await.take()) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::plugin::testkit;
    use crate::tls::{ClientAuthentication, ServerTls};

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kafka");

    fn output(hosts: &str, port: u16, certificate: &str, more: &str) -> Box<dyn Output> {
        let config = format!(
            "output {{ lumberjack {{ hosts => {hosts} port => {port} ssl_certificate => '{FIXTURES}/{certificate}' codec => line {{ format => '%{{n}}' }} {more} }} }}"
        );
        testkit::output(&config, &testkit::context()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    /// A server that answers each of these times, over one connection after another, with these bytes to the window it
    /// has read the beginning of. Returns the sizes of the windows.
    fn serve(
        listener: tokio::net::TcpListener,
        answers: Vec<Vec<&'static [u8]>>,
    ) -> tokio::task::JoinHandle<Vec<u8>> {
        let tls = ServerTls {
            ssl_enabled: true,
            ssl_certificate: Some(format!("{FIXTURES}/client.chain").into()),
            ssl_key: Some(format!("{FIXTURES}/client.key").into()),
            ..ServerTls::default()
        };
        let acceptor = TlsAcceptor::from(Arc::new(tls.config(ClientAuthentication::None).unwrap()));
        tokio::spawn(async move {
            let mut sizes = Vec::new();
            for connection in answers {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                for answer in connection {
                    let mut head = [0; 12];
                    stream.read_exact(&mut head).await.unwrap();
                    assert_eq!((&head[..2], &head[6..8]), (&b"1W"[..], &b"1C"[..]));
                    sizes.push(head[5]);
                    let mut packed = vec![0; usize::from(u16::from_be_bytes([head[10], head[11]]))];
                    stream.read_exact(&mut packed).await.unwrap();
                    stream.write_all(answer).await.unwrap();
                    stream.flush().await.unwrap();
                }
            }
            sizes
        })
    }

    #[tokio::test]
    async fn windows_that_are_not_acknowledged_are_offered_again() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // The first window is taken, the second one only in part before the connection ends.
        let answers: Vec<Vec<&[u8]>> =
            vec![vec![b"1A\0\0\0\0\x31A\0\0\0\x02", b"1A\0\0\0\x01"], vec![b"1A\0\0\0\x02", b"1A\0\0\0\x01"]];
        let server = serve(listener, answers);
        // No certificate of the fixtures knows this address, and that of its authority is given.
        let output = output("'127.0.0.1'", port, "ca.pem", "flush_size => 2");
        let events: Vec<_> = (1..=5).map(|n| testkit::event(&format!(r#"{{"n":{n}}}"#))).collect();
        let events: Vec<&Event> = events.iter().collect();
        let delivery = output.deliver(&events).await;
        let left: Vec<_> = delivery.retry.iter().map(|left| left.index).collect();
        assert_eq!((left.as_slice(), delivery.dead.len()), (&[2, 3, 4][..], 0));
        assert_eq!(output.deliver(&events[2..]).await, Delivery::done());
        output.close().await;
        assert_eq!(server.await.unwrap(), [2, 2, 2, 1]);
    }

    #[test]
    fn options_are_checked() {
        let certificate = format!("ssl_certificate => '{FIXTURES}/ca.pem'");
        for (options, said) in [
            (format!("hosts => [] port => 1 {certificate}"), "cannot be empty"),
            (format!("hosts => 'a' port => 1 {certificate} flush_size => 0"), "at least 1"),
            (format!("hosts => 'not a name' port => 1 {certificate}"), "no name or address"),
            ("hosts => 'a' port => 1 ssl_certificate => '/no/such'".to_owned(), "/no/such"),
            ("hosts => 'a' port => 1".to_owned(), "missing required option \"ssl_certificate\""),
        ] {
            let config = format!("output {{ lumberjack {{ {options} }} }}");
            let problems = testkit::output(&config, &testkit::context()).err().unwrap();
            assert!(problems.iter().any(|problem| problem.message.contains(said)), "{options}: {problems:?}");
        }
    }
}
