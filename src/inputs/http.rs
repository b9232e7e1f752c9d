//! Input `http`: each request is an event, or as many as its codec finds in the body (logstash-input-http).

mod body;
mod options;
mod request;
#[cfg(test)]
mod tests;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::{ConnectInfo, IntoMakeServiceWithConnectInfo};
use axum::extract::{Request, State};
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::plugin::{Build, Example, Input, Kind, RunError, Shutdown, Sink, Spec};
use crate::tls::ServerTls;
use options::Http;
use request::Requests;
use transport::{Accepted, Client};

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "http",
    summary: "Receives events by HTTP, and answers when they are delivered.",
    options: Http::OPTIONS,
    renamed: ServerTls::RENAMED,
    deprecated: ServerTls::DEPRECATED,
    refused: options::REFUSED,
    default_codec: Some("plain"),
    example: Example { config: "input { http { port => 8080 } }", input: &[], output: &[] },
    build: Build::Input(|reader| Some(Box::new(options::build(reader)?))),
};

/// How long requests may still be on their way after shutdown was requested.
const GRACE: Duration = Duration::from_secs(5);

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

type Service = IntoMakeServiceWithConnectInfo<axum::Router, Client>;

impl Server {
    async fn serve(self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let place = format!("{}:{}", self.host, self.port);
        let broken =
            |error: std::io::Error| RunError::new(format!("could not listen on tcp {place}: {error}"));
        let listener = TcpListener::bind((self.host.as_str(), self.port)).await.map_err(broken)?;
        let accepted = Accepted::start(listener, self.acceptor, self.handshake_timeout).map_err(broken)?;
        tracing::info!(address = %place, "listening for HTTP requests");
        let service = service(self.requests, sink);
        let (stop, late) = (shutdown.clone(), shutdown);
        let serving =
            axum::serve(accepted, service).with_graceful_shutdown(async move { stop.requested().await });
        tokio::select! {
            served = serving => served.map_err(broken),
            () = async {
                late.requested().await;
                tokio::time::sleep(GRACE).await;
            } => {
                tracing::warn!(address = %place, "requests that were not delivered in time go without an answer");
                Ok(())
            }
        }
    }
}

fn service(requests: Requests, sink: Sink) -> Service {
    let answer =
        |ConnectInfo(client): ConnectInfo<Client>,
         State(state): State<Arc<(Requests, Sink)>>,
         request: Request| async move { state.0.answer(request, client.0, &state.1).await };
    axum::Router::new()
        .fallback(answer)
        .with_state(Arc::new((requests, sink)))
        .into_make_service_with_connect_info::<Client>()
}
