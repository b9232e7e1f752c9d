//! Input `http`: each request is an event, or as many as its codec finds in the body (logstash-input-http).

mod body;
mod options;
mod request;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::future::BoxFuture;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::net::{Duplex, Listener};
use crate::plugin::{Build, Example, Input, Kind, RunError, Shutdown, Sink, Spec};
use crate::tls::ServerTls;
use options::Http;
use request::Requests;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "http",
    summary: "Receives events by HTTP, and answers when they are delivered.",
    options: Http::OPTIONS,
    renamed: ServerTls::RENAMED,
    deprecated: ServerTls::DEPRECATED,
    refused: &[],
    default_codec: Some("plain"),
    example: Example { config: "input { http { port => 8080 } }", input: &[], output: &[] },
    build: Build::Input(|reader| Some(Box::new(options::build(reader)?))),
};

/// How long requests may still be on their way after shutdown was requested.
const GRACE: Duration = Duration::from_secs(5);
/// How long a client may take for the headers of a request, the wait for its first byte included. Logstash waits for
/// ever, so that a client that writes a byte now and then keeps its connection.
const HEADERS: Duration = Duration::from_secs(60);

/// The input, ready to run.
pub struct Server {
    host: String,
    port: u16,
    handshake_timeout: Duration,
    acceptor: Option<TlsAcceptor>,
    requests: Requests,
}

impl Input for Server {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(self.serve(sink, shutdown))
    }
}

impl Server {
    async fn serve(self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let listener = Listener::bind(&self.host, self.port).await?;
        tracing::info!(address = %listener.place(), "listening for HTTP requests");
        let input = Arc::new(self);
        let accepted = |stream, peer| {
            let (input, sink, shutdown) = (Arc::clone(&input), sink.clone(), shutdown.clone());
            async move { input.connected(stream, peer, sink, shutdown).await }
        };
        listener.serve(&shutdown, accepted).await;
        Ok(())
    }

    /// Serves one connection; what goes wrong ends it alone.
    async fn connected(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, sink: Sink, shutdown: Shutdown) {
        let opened = tokio::select! {
            () = shutdown.requested() => return,
            opened = self.open(stream) => opened,
        };
        match opened {
            Ok(stream) => self.answer(stream, peer, sink, shutdown).await,
            Err(error) => tracing::info!(%peer, %error, "closing a connection"),
        }
    }

    async fn open(&self, stream: TcpStream) -> io::Result<Box<dyn Duplex>> {
        SockRef::from(&stream).set_keepalive(true)?;
        stream.set_nodelay(true)?;
        match &self.acceptor {
            None => Ok(Box::new(stream)),
            Some(acceptor) => Ok(Box::new(timeout(self.handshake_timeout, acceptor.accept(stream)).await??)),
        }
    }

    /// Answers the requests of a connection, one after the other.
    async fn answer(
        self: Arc<Self>,
        stream: Box<dyn Duplex>,
        peer: SocketAddr,
        sink: Sink,
        shutdown: Shutdown,
    ) {
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (input, sink) = (Arc::clone(&self), sink.clone());
            async move { Ok::<_, Infallible>(input.requests.answer(request.map(Body::new), peer, &sink).await) }
        });
        let mut connection = std::pin::pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS)
                .serve_connection(TokioIo::new(stream), service)
        );
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = shutdown.requested() => {
                connection.as_mut().graceful_shutdown();
                match timeout(GRACE, connection).await {
                    Ok(ended) => ended,
                    Err(_) => {
                        tracing::warn!(%peer, "a request that was not delivered in time goes without an answer");
                        return;
                    }
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "closing a connection");
        }
    }
}
