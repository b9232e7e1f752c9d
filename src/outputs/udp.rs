//! Output `udp`: one datagram for each event (logstash-output-udp).

use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::OnceCell;

use crate::event::{Event, Template};
use crate::plugin::{
    Build, CodecFactory, Delivery, Example, Kind, OptionReader, Output, Spec, Undelivered, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "udp",
    summary: "Sends each event as a datagram.",
    options: Udp::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("json"),
    example: Example {
        config: r#"output { udp { host => "127.0.0.1" port => 5514 } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(build),
};

options! {
    #[derive(Debug)]
    pub struct Udp {
        /// The host to send to.
        host: String,
        /// The port to send to; it may hold `%{field}`.
        port: Template,
        /// How often a failed datagram is tried again.
        retry_count: u64 = 0,
        /// Milliseconds between two tries.
        retry_backoff_ms: u64 = 100,
    }
}

fn build(reader: &mut OptionReader<'_>) -> Option<Box<dyn Output>> {
    let codec: Option<CodecFactory> = reader.take("codec", Some("json"));
    let options = Udp::read(reader)?;
    Some(Box::new(Sender { options, codec: codec?, sockets: [OnceCell::new(), OnceCell::new()] }))
}

struct Sender {
    options: Udp,
    codec: CodecFactory,
    /// For IPv4 and IPv6 peers, each made when it is needed.
    sockets: [OnceCell<UdpSocket>; 2],
}

impl Sender {
    async fn send(&self, event: &Event) -> Result<(), String> {
        let mut datagram = Vec::new();
        self.codec.encoder().encode(event, &mut datagram).map_err(|error| error.to_string())?;
        let port = self.options.port.render(event).map_err(|error| error.to_string())?;
        let port: u16 = port.trim().parse().map_err(|_| format!("{port:?} is no port"))?;
        let mut tries = 0;
        loop {
            match self.try_send(&datagram, port).await {
                Ok(()) => return Ok(()),
                Err(error) if tries < self.options.retry_count => {
                    tries += 1;
                    tracing::warn!(%error, "could not send a datagram, will try again");
                    tokio::time::sleep(Duration::from_millis(self.options.retry_backoff_ms)).await;
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    async fn try_send(&self, datagram: &[u8], port: u16) -> io::Result<()> {
        let peer = lookup_host((self.options.host.as_str(), port)).await?.next();
        let peer = peer.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address"))?;
        let [ipv4, ipv6] = &self.sockets;
        let socket = match peer.is_ipv4() {
            true => ipv4.get_or_try_init(|| UdpSocket::bind("0.0.0.0:0")).await?,
            false => ipv6.get_or_try_init(|| UdpSocket::bind("[::]:0")).await?,
        };
        socket.send_to(datagram, peer).await.map(|_| ())
    }
}

impl Output for Sender {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let mut delivery = Delivery::done();
            for (index, event) in events.iter().enumerate() {
                if let Err(reason) = self.send(event).await {
                    delivery.dead.push(Undelivered { index, reason });
                }
            }
            delivery
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    #[test]
    fn events_go_to_the_port_they_name() {
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.set_read_timeout(Some(testkit::LONG)).unwrap();
        let config = "output { udp { host => 'localhost' port => '%{port}' codec => plain { format => '%{message}' } } }";
        let output = testkit::output(config, &testkit::context()).unwrap();
        let mut event = Event::from_message("hello");
        event.data_mut().insert("port", i64::from(peer.local_addr().unwrap().port()).into());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let delivery = runtime.block_on(output.deliver(&[&event, &Event::from_message("no port")]));
        assert_eq!(delivery.dead.iter().map(|dead| dead.index).collect::<Vec<_>>(), [1]);
        let mut buffer = [0; 100];
        let (length, _) = peer.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"hello");
    }
}
