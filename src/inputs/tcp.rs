//! Input `tcp`: reads streams from connections, as a server or as a client (logstash-input-tcp).

mod connection;
mod options;
mod proxy;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustls::pki_types::CertificateDer;
use socket2::SockRef;
use tokio::net::TcpStream;

use crate::net::{Backoff, Listener};
use crate::plugin::{Build, Example, Input, Kind, RunError, Shutdown, Sink, Spec};
use connection::Connections;
use options::{Mode, Tcp, Transport};

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "tcp",
    summary: "Reads events from TCP connections.",
    options: Tcp::OPTIONS,
    renamed: options::RENAMED,
    deprecated: options::DEPRECATED,
    refused: &[],
    default_codec: Some("line"),
    example: Example {
        config: "input { tcp { port => 5000 codec => json_lines } }",
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(options::build(reader)?))),
};

/// Waits before a client connects again: about a second, as in Logstash, and longer the longer it is in vain.
const RECONNECT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The input, ready to run.
pub struct Endpoint {
    mode: Mode,
    host: String,
    port: u16,
    keep_alive: bool,
    transport: Transport,
    connections: Connections,
}

impl Input for Endpoint {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        match self.mode {
            Mode::Server => Box::pin(self.serve(sink, shutdown)),
            Mode::Client => Box::pin(self.connect(sink, shutdown)),
        }
    }
}

impl Endpoint {
    async fn serve(self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let listener = Listener::bind(&self.host, self.port).await?;
        tracing::info!(address = %listener.place(), "listening for connections");
        let input = Arc::new(self);
        let accepted = |stream, peer| {
            let (input, sink, shutdown) = (Arc::clone(&input), sink.clone(), shutdown.clone());
            async move { _ = input.read(stream, peer, &sink, &shutdown).await }
        };
        listener.serve(&shutdown, accepted).await;
        Ok(())
    }

    async fn connect(self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let mut backoff = Backoff::new(RECONNECT.0, RECONNECT.1);
        while !shutdown.is_requested() {
            let connecting = TcpStream::connect((self.host.as_str(), self.port));
            tokio::select! {
                () = shutdown.requested() => break,
                connected = connecting => match connected.and_then(|stream| Ok((stream.peer_addr()?, stream))) {
                    Ok((peer, stream)) => {
                        if self.read(stream, peer, &sink, &shutdown).await {
                            backoff.reset();
                        }
                    }
                    Err(error) => {
                        tracing::warn!(host = %self.host, port = self.port, %error, "could not connect, will try again");
                    }
                },
            }
            tokio::select! {
                () = shutdown.requested() => {}
                () = tokio::time::sleep(backoff.wait()) => {}
            }
        }
        Ok(())
    }

    /// Reads one connection; what goes wrong ends it alone. Returns whether nothing did.
    async fn read(&self, stream: TcpStream, peer: SocketAddr, sink: &Sink, shutdown: &Shutdown) -> bool {
        let read = self.read_to_end(stream, peer, sink, shutdown).await;
        match &read {
            Ok(()) => tracing::debug!(%peer, "connection closed"),
            // Clients that go away like this are everyday life.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                tracing::info!(%peer, %error, "closing a connection");
            }
            Err(error) => tracing::error!(%peer, %error, "closing a connection"),
        }
        read.is_ok()
    }

    async fn read_to_end(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        sink: &Sink,
        shutdown: &Shutdown,
    ) -> io::Result<()> {
        if self.keep_alive {
            SockRef::from(&stream).set_keepalive(true)?;
        }
        match &self.transport {
            Transport::Plain => self.connections.read(stream, peer, None, sink, shutdown).await?,
            Transport::Accept(acceptor) => {
                let accepted = tokio::select! {
                    () = shutdown.requested() => return Ok(()),
                    accepted = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)) => accepted,
                };
                let stream = accepted??;
                let certificate = shown(stream.get_ref().1.peer_certificates());
                self.connections.read(stream, peer, certificate, sink, shutdown).await?
            }
            Transport::Connect(connector, name) => {
                let connecting = connector.connect(name.clone(), stream);
                let stream = tokio::time::timeout(HANDSHAKE, connecting).await??;
                let certificate = shown(stream.get_ref().1.peer_certificates());
                self.connections.read(stream, peer, certificate, sink, shutdown).await?
            }
        };
        Ok(())
    }
}

/// The certificate of the peer itself.
fn shown(chain: Option<&[CertificateDer<'static>]>) -> Option<CertificateDer<'static>> {
    chain.and_then(<[_]>::first).cloned()
}
