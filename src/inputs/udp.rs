//! Input `udp`: one or more events of each datagram (logstash-input-udp).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use socket2::SockRef;
use tokio::net::UdpSocket;

use crate::event::{Event, FieldReference, Value};
use crate::plugin::{
    Build, Codec, CodecFactory, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "udp",
    summary: "Reads datagrams from the network.",
    options: Udp::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example { config: "input { udp { port => 5514 codec => json } }", input: &[], output: &[] },
    build: Build::Input(|reader| Some(Box::new(Listener::new(reader)?))),
};

/// After this long a listener that failed starts again, as in Logstash.
const RESTART: Duration = Duration::from_secs(5);

options! {
    #[derive(Debug)]
    #[expect(dead_code, reason = "workers is read for its check alone")]
    pub struct Udp {
        /// The address to listen on.
        host: String = "0.0.0.0",
        /// The port to listen on.
        port: u16,
        /// Longest datagram in bytes; what is longer is cut.
        buffer_size: usize = 65536,
        /// Size of the socket's receive buffer in bytes. Default: the system's.
        receive_buffer_bytes: Option<usize>,
        /// Has no effect: decoding keeps up with the socket without threads of its own.
        workers: u64 = 2,
        /// Most datagrams that go on their way together.
        queue_size: usize = 2000,
        /// Field for the sender's address. Default: `[host][ip]`, without ECS `host`.
        source_ip_fieldname: Option<FieldReference>,
    }
}

struct Listener {
    options: Udp,
    codec: Box<dyn Codec>,
    source: FieldReference,
}

impl Listener {
    fn new(reader: &mut OptionReader<'_>) -> Option<Self> {
        let codec: Option<CodecFactory> = reader.take("codec", Some("plain"));
        let options = Udp::read(reader)?;
        reader.no_effect("workers", "decoding keeps up with the socket without threads of its own");
        let default = FieldReference::parse(reader.ecs().select("host", "[host][ip]")).ok()?;
        let source = options.source_ip_fieldname.clone().unwrap_or(default);
        Some(Listener { codec: codec?.create(), source, options })
    }

    fn decode(&mut self, bytes: &[u8], peer: SocketAddr, events: &mut Vec<Event>) {
        // As in Logstash, a datagram without anything in it is none.
        if bytes.is_empty() {
            return;
        }
        let from = events.len();
        self.codec.decode_from(bytes, peer, &mut |event| events.push(event));
        self.codec.flush(&mut |event| events.push(event));
        for event in events.iter_mut().skip(from) {
            if matches!(event.get(&self.source), None | Some(Value::Null)) {
                // A field in its way that is no object keeps its value.
                _ = event.set(&self.source, Value::from(peer.ip().to_canonical().to_string()));
            }
        }
    }

    async fn bind(&self) -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((self.options.host.as_str(), self.options.port)).await?;
        if let Some(wanted) = self.options.receive_buffer_bytes {
            let options = SockRef::from(&socket);
            options.set_recv_buffer_size(wanted)?;
            // The kernel reports twice of what it gives.
            let got = options.recv_buffer_size()? / 2;
            if got < wanted {
                tracing::warn!(
                    wanted,
                    got,
                    "receive_buffer_bytes: the system allows less (net.core.rmem_max)"
                );
            }
        }
        Ok(socket)
    }

    async fn listen(&mut self, socket: &UdpSocket, sink: &Sink, shutdown: &Shutdown) -> io::Result<()> {
        let mut buffer = vec![0; self.options.buffer_size.max(1)];
        loop {
            let (length, peer) = tokio::select! {
                biased;
                () = shutdown.requested() => return Ok(()),
                received = socket.recv_from(&mut buffer) => received?,
            };
            let mut events = Vec::new();
            self.decode(buffer.get(..length).unwrap_or_default(), peer, &mut events);
            for _ in 1..self.options.queue_size {
                match socket.try_recv_from(&mut buffer) {
                    Ok((length, peer)) => {
                        self.decode(buffer.get(..length).unwrap_or_default(), peer, &mut events);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => {
                        _ = sink.send(events, None).await;
                        return Err(error);
                    }
                }
            }
            if sink.send(events, None).await.is_err() {
                return Ok(());
            }
        }
    }
}

impl Input for Listener {
    fn run(mut self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let place = format!("{}:{}", self.options.host, self.options.port);
            let mut socket = self
                .bind()
                .await
                .map_err(|error| RunError::new(format!("could not listen on udp {place}: {error}")))?;
            tracing::info!(address = %place, "listening for datagrams");
            while let Err(error) = self.listen(&socket, &sink, &shutdown).await {
                tracing::error!(address = %place, %error, "the udp listener failed and starts again");
                tokio::select! {
                    () = shutdown.requested() => break,
                    () = tokio::time::sleep(RESTART) => {}
                }
                if let Ok(again) = self.bind().await {
                    socket = again;
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::text::ruby_to_s;
    use crate::plugin::testkit;
    use crate::queue::Taken;

    /// The messages and senders of the events that these datagrams become.
    fn received(options: &str, datagrams: &[&str], count: usize) -> Vec<String> {
        received_as(options, datagrams, count, &testkit::context(), "[host][ip]")
    }

    /// The same with the sender in this field.
    fn received_as(
        options: &str,
        datagrams: &[&str],
        count: usize,
        context: &crate::plugin::Context,
        sender: &str,
    ) -> Vec<String> {
        let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!("input {{ udp {{ port => {port} host => '127.0.0.1' {options} }} }}");
        let (input, decoration) = testkit::input(&config, context).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 1000);
        let (stop, shutdown) = Shutdown::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let running = runtime.spawn(input.run(sink, shutdown));
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.connect(("127.0.0.1", port)).unwrap();
        // Refused as long as nobody listens.
        let begun = std::time::Instant::now();
        while peer.send(b"are you there?").and_then(|_| peer.send(b"")).is_err()
            || peer.take_error().unwrap().is_some()
        {
            assert!(begun.elapsed() < testkit::LONG);
            std::thread::sleep(Duration::from_millis(20));
        }
        datagrams.iter().for_each(|datagram| _ = peer.send(datagram.as_bytes()).unwrap());
        let mut events = Vec::new();
        while events.iter().filter(|event| !text(event, "message").starts_with("are you")).count() < count {
            match receiver.take(usize::MAX, Duration::ZERO, testkit::LONG) {
                Taken::Batch { events: more, .. } => events.extend(more),
                Taken::Idle | Taken::End => panic!("only {} events came", events.len()),
            }
        }
        stop.send(true).unwrap();
        runtime.block_on(running).unwrap().unwrap();
        events.extend(testkit::drain(&receiver));
        let all = events.iter().map(|event| format!("{} {}", text(event, "message"), text(event, sender)));
        all.filter(|event| !event.starts_with("are you")).collect()
    }

    fn text(event: &Event, name: &str) -> String {
        event.get(&FieldReference::parse(name).unwrap()).map(ruby_to_s).unwrap_or_default()
    }

    #[test]
    fn every_datagram_is_decoded_on_its_own() {
        let datagrams = ["one\ntwo", "three", "longer than twelve"];
        let seen = received("codec => line buffer_size => 12", &datagrams, 4);
        let expected = ["one", "two", "three", "longer than "].map(|line| format!("{line} 127.0.0.1"));
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_sender_has_a_field_of_its_own() {
        let one = ["one 127.0.0.1"];
        assert_eq!(received_as("", &["one"], 1, &testkit::legacy_context(), "host"), one);
        let named = "source_ip_fieldname => '[from][ip]'";
        assert_eq!(received_as(named, &["one"], 1, &testkit::context(), "[from][ip]"), one);
    }

    #[test]
    fn an_empty_datagram_is_no_event() {
        assert_eq!(received("", &["one", "", "two"], 2), ["one 127.0.0.1", "two 127.0.0.1"]);
    }
}
