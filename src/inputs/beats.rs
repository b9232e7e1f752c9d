//! Inputs `beats` and `elastic_agent`: events of Elastic's shippers, by the Lumberjack protocol (logstash-input-beats).

mod events;
mod options;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustls::CommonState;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::lumberjack::{End, Failure, log_end, serve};
use crate::net::Listener;
use crate::plugin::{Build, CodecFactory, Example, Input, Kind, RunError, Shutdown, Sink, Spec};
use crate::tls::{ServerTls, peer};
use events::{Enricher, Peer, Receiving, TlsPeer};
use options::Beats;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "beats",
    summary: "Receives events from Beats, and acknowledges them when they are delivered.",
    options: Beats::OPTIONS,
    renamed: ServerTls::RENAMED,
    deprecated: options::DEPRECATED,
    refused: options::REFUSED,
    default_codec: Some("plain"),
    example: Example { config: "input { beats { port => 5044 } }", input: &[], output: &[] },
    build: Build::Input(|reader| Some(Box::new(options::build(reader)?))),
};

/// Another name of the same input.
pub static ELASTIC_AGENT: Spec = Spec {
    name: "elastic_agent",
    summary: "Receives events from Elastic Agent, and acknowledges them when they are delivered.",
    options: Beats::OPTIONS,
    example: Example { config: "input { elastic_agent { port => 5044 } }", input: &[], output: &[] },
    build: Build::Input(|reader| Some(Box::new(options::build(reader)?))),
    ..SPEC
};

/// The input, ready to run.
pub struct Server {
    host: String,
    port: u16,
    handshake_timeout: Duration,
    acceptor: Option<TlsAcceptor>,
    /// Whether events tell of the client's certificate.
    ssl_peer: bool,
    codec: CodecFactory,
    enricher: Enricher,
    /// Without a byte for this long, a connection is closed. `None`: never.
    idle: Option<Duration>,
}

impl Input for Server {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(self.serve(sink, shutdown))
    }
}

impl Server {
    async fn serve(self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let listener = Listener::bind(&self.host, self.port).await?;
        tracing::info!(address = %listener.place(), "listening for Beats");
        let input = Arc::new(self);
        let accepted = |stream, address| {
            let (input, sink, shutdown) = (Arc::clone(&input), sink.clone(), shutdown.clone());
            async move { input.connected(stream, address, &sink, &shutdown).await }
        };
        listener.serve(&shutdown, accepted).await;
        Ok(())
    }

    /// Serves one connection; what goes wrong ends it alone.
    async fn connected(&self, stream: TcpStream, address: SocketAddr, sink: &Sink, shutdown: &Shutdown) {
        log_end(address, self.talk(stream, address, sink, shutdown).await);
    }

    async fn talk(
        &self,
        mut stream: TcpStream,
        address: SocketAddr,
        sink: &Sink,
        shutdown: &Shutdown,
    ) -> Result<End, Failure> {
        let ip = address.ip().to_canonical().to_string();
        // An acknowledgement is six bytes that the client waits for.
        stream.set_nodelay(true)?;
        let Some(acceptor) = &self.acceptor else {
            let mut receiving = self.receiving(Peer { ip, tls: None }, sink);
            return serve(&mut stream, &mut receiving, self.idle, sink, shutdown).await;
        };
        let accepted = tokio::select! {
            () = shutdown.requested() => return Ok(End::Stopped),
            accepted = tokio::time::timeout(self.handshake_timeout, acceptor.accept(stream)) => accepted,
        };
        let mut stream = accepted.map_err(io::Error::from)??;
        let tls = self.ssl_peer.then(|| tls_peer(stream.get_ref().1));
        let mut receiving = self.receiving(Peer { ip, tls }, sink);
        serve(&mut stream, &mut receiving, self.idle, sink, shutdown).await
    }

    fn receiving<'a>(&'a self, peer: Peer, sink: &'a Sink) -> Receiving<'a> {
        Receiving { enricher: &self.enricher, codec: self.codec.create(), peer, sink }
    }
}

/// What the session says of the client.
fn tls_peer(session: &CommonState) -> TlsPeer {
    let Some(certificate) = session.peer_certificates().and_then(<[_]>::first) else {
        return TlsPeer::Unverified;
    };
    TlsPeer::Verified {
        protocol: peer::protocol(session).unwrap_or_default(),
        subject: peer::subject(certificate).unwrap_or_default(),
        cipher: peer::cipher_suite(session).unwrap_or_default(),
    }
}
