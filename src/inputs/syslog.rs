//! Input `syslog`: messages by UDP and TCP on one port, taken apart as RFC 3164 has it (logstash-input-syslog).

mod message;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};

use crate::event::{Event, FieldReference};
use crate::net::{LONGEST_LINE, Listener};
use crate::plugin::{
    Build, Codec, CodecFactory, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec, options,
};
use message::Relay;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "syslog",
    summary: "Reads syslog messages by UDP and TCP.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example { config: "input { syslog { port => 5514 } }", input: &[], output: &[] },
    build: Build::Input(|reader| Some(Box::new(Syslog::build(reader)?))),
};

/// Pause after a socket failed.
const AGAIN: Duration = Duration::from_secs(5);
/// Room that is kept for the next line.
const KEPT: usize = 8 * 1024;
/// The longest payload of a datagram in IPv4.
const LONGEST_DATAGRAM: usize = 65_507;

options! {
    struct Options {
        /// The address to listen on.
        host: String = "0.0.0.0",
        /// The port to listen on, for UDP and TCP. Those below 1024 need special rights.
        port: u16 = 514,
        /// Field with the message, which is read and replaced.
        syslog_field: String = "message",
        /// How messages look: a grok pattern. Default: `<%{POSINT:priority}>%{SYSLOGLINE}`, or with ECS
        /// `<%{POSINT:[log][syslog][priority]:int}>%{SYSLOGLINE}`.
        grok_pattern: Option<String>,
        /// Expect a line of the PROXY protocol, version 1, first on every TCP connection.
        proxy_protocol: bool = false,
        /// Add names of facility and severity beside their numbers.
        use_labels: bool = true,
        /// Names of the facilities, from 0 on.
        facility_labels: Vec<String> = ["kernel", "user-level", "mail", "system", "security/authorization", "syslogd",
            "line printer", "network news", "UUCP", "clock", "security/authorization", "FTP", "NTP", "log audit",
            "log alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
        /// Names of the severities, from 0 on.
        severity_labels: Vec<String> = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice",
            "Informational", "Debug"],
        /// Zone of times that name none, such as `Europe/Paris`. Default: the machine's.
        timezone: Option<String>,
        /// Language of month names, such as `de`. Default: English.
        locale: Option<String>,
        /// What `[service][type]` says where no event says it itself. With ECS field names only.
        service_type: String = "system",
    }
}

struct Syslog {
    address: (String, u16),
    proxy: bool,
    codec: CodecFactory,
    host: FieldReference,
    relay: Relay,
}

impl Syslog {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let codec: Option<CodecFactory> = reader.take("codec", Some("plain"));
        let options = Options::read(reader)?;
        let relay = Relay::new(reader, &options);
        Some(Syslog {
            address: (options.host, options.port),
            proxy: options.proxy_protocol,
            codec: codec?,
            host: FieldReference::parse(reader.ecs().select("host", "[host][ip]")).ok()?,
            relay: relay?,
        })
    }

    /// Decodes what one read brought and sends its events. Returns whether the pipeline goes on.
    async fn pass(&self, codec: &mut dyn Codec, data: &[u8], peer: &str, sink: &Sink) -> bool {
        let mut events = Vec::new();
        codec.decode(data, &mut |event| events.push(event));
        self.finish(events, peer, sink).await
    }

    async fn finish(&self, mut events: Vec<Event>, peer: &str, sink: &Sink) -> bool {
        if events.is_empty() {
            return true;
        }
        for event in &mut events {
            sink.decorate(event);
            // A field in its way that is no object keeps its value.
            _ = event.set(&self.host, peer);
            if let Err(error) = self.relay.apply(event) {
                tracing::warn!(%error, "a field of a syslog message could not be set");
            }
        }
        sink.send_decorated(events, None).await.is_ok()
    }

    async fn flush(&self, codec: &mut dyn Codec, peer: &str, sink: &Sink) -> bool {
        let mut events = Vec::new();
        codec.flush(&mut |event| events.push(event));
        self.finish(events, peer, sink).await
    }

    async fn datagrams(&self, socket: &UdpSocket, sink: &Sink, shutdown: &Shutdown) {
        let mut codec = self.codec.create();
        let mut buffer = vec![0; LONGEST_DATAGRAM];
        loop {
            let received = tokio::select! {
                biased;
                () = shutdown.requested() => return,
                received = socket.recv_from(&mut buffer) => received,
            };
            let (length, peer) = match received {
                Ok(received) => received,
                Err(error) => {
                    tracing::warn!(%error, "the syslog udp listener failed and goes on");
                    tokio::select! {
                        () = shutdown.requested() => return,
                        () = tokio::time::sleep(AGAIN) => continue,
                    }
                }
            };
            let peer = peer.ip().to_canonical().to_string();
            let data = buffer.get(..length).unwrap_or_default();
            if !self.pass(&mut *codec, data, &peer, sink).await || !self.flush(&mut *codec, &peer, sink).await
            {
                return;
            }
        }
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr, sink: &Sink, shutdown: &Shutdown) {
        match self.lines(stream, peer, sink, shutdown).await {
            Ok(()) => tracing::debug!(%peer, "connection closed"),
            Err(error) => tracing::info!(%peer, %error, "closing a connection"),
        }
    }

    /// Every line goes through the codec with its end, as in Logstash.
    async fn lines(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        sink: &Sink,
        shutdown: &Shutdown,
    ) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut codec = self.codec.create();
        let mut peer = peer.ip().to_canonical().to_string();
        let mut proxy_line = self.proxy;
        let mut line = Vec::new();
        loop {
            let mut limited = (&mut reader).take(LONGEST_LINE as u64);
            let read = tokio::select! {
                biased;
                () = shutdown.requested() => Ok(0),
                read = limited.read_until(b'\n', &mut line) => read,
            };
            let ended = !matches!(read, Ok(length) if length > 0);
            if line.len() >= LONGEST_LINE && !line.ends_with(b"\n") {
                let reason = format!("more than {} MiB came without a line's end", LONGEST_LINE >> 20);
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
            if proxy_line && !line.is_empty() {
                proxy_line = false;
                peer = proxied(&line)?;
            } else if !line.is_empty() && !self.pass(&mut *codec, &line, &peer, sink).await {
                return Ok(());
            }
            line.clear();
            line.shrink_to(KEPT);
            if ended {
                self.flush(&mut *codec, &peer, sink).await;
                return read.map(|_| ());
            }
        }
    }
}

/// The client's address in a line of the PROXY protocol.
fn proxied(line: &[u8]) -> io::Result<String> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    match (words.next(), words.nth(1)) {
        (Some("PROXY"), Some(client)) => Ok(client.to_owned()),
        _ => {
            let start: String = line.chars().take(40).collect();
            let message = format!("no PROXY protocol header, but {start:?}");
            Err(io::Error::new(io::ErrorKind::InvalidData, message))
        }
    }
}

impl Input for Syslog {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let (host, port) = (self.address.0.as_str(), self.address.1);
            let socket = UdpSocket::bind((host, port))
                .await
                .map_err(|error| RunError::new(format!("could not listen on udp {host}:{port}: {error}")))?;
            let listener = Listener::bind(host, port).await?;
            tracing::info!(%host, port, "listening for syslog messages");
            let input: Arc<Self> = Arc::from(self);
            let accepted = |stream, peer| {
                let (input, sink, shutdown) = (Arc::clone(&input), sink.clone(), shutdown.clone());
                async move { input.connection(stream, peer, &sink, &shutdown).await }
            };
            tokio::join!(input.datagrams(&socket, &sink, &shutdown), listener.serve(&shutdown, accepted));
            Ok(())
        })
    }
}
