//! Output `syslog`: a message of RFC 3164 or RFC 5424 for each event, by UDP, TCP or TLS (logstash-output-syslog).

mod message;
mod options;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::Mutex;

use crate::event::Event;
use crate::net::Connection;
use crate::plugin::{Build, Delivery, Example, Kind, Output, Spec, Undelivered};
use message::Messages;
use options::Syslog;

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "syslog",
    summary: "Sends syslog messages.",
    options: Syslog::OPTIONS,
    renamed: &[("ssl_cacert", "ssl_certificate_authorities"), ("ssl_cert", "ssl_certificate")],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output {
  syslog {
    host => "logs.example.org"
    port => 6514
    protocol => "ssl-tcp"
    ssl_verify => true
    rfc => "rfc5424"
    facility => "%{facility}"
    severity => "%{level}"
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| Some(Box::new(options::build(reader)?))),
};

/// How messages travel.
enum Route {
    Udp {
        host: String,
        port: u16,
    },
    /// Plain or over TLS. Batches wait here for their turn, in their order.
    Tcp {
        connection: Mutex<Connection>,
        /// Pause between two tries to connect.
        pause: Duration,
    },
}

/// The output, ready to run.
pub struct Sender {
    messages: Messages,
    route: Route,
}

impl Sender {
    /// Datagrams that cannot be sent are lost, as in Logstash and as is the way of this protocol; but said so.
    async fn send(&self, messages: &[String]) {
        match &self.route {
            Route::Udp { host, port } => {
                if let Err(error) = send_datagrams(messages, host, *port).await {
                    tracing::warn!(%host, port, %error, "could not send syslog messages; by udp they are not sent again");
                }
            }
            Route::Tcp { connection, pause } => {
                let bytes = messages.concat();
                connection.lock().await.write_at_last(bytes.as_bytes(), *pause).await;
            }
        }
    }
}

async fn send_datagrams(messages: &[String], host: &str, port: u16) -> io::Result<()> {
    let peer = lookup_host((host, port)).await?.next();
    let peer = peer.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address"))?;
    let socket = UdpSocket::bind(if peer.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
    let mut failed = Ok(());
    for message in messages {
        // One that is too long for a datagram does not hold the others up.
        if let Err(error) = socket.send_to(message.as_bytes(), peer).await {
            failed = Err(error);
        }
    }
    failed
}

impl Output for Sender {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let (mut messages, mut dead) = (Vec::with_capacity(events.len()), Vec::new());
            for (index, event) in events.iter().enumerate() {
                match self.messages.of(event) {
                    Ok(message) => messages.push(message),
                    Err(reason) => dead.push(Undelivered { index, reason }),
                }
            }
            if !messages.is_empty() {
                self.send(&messages).await;
            }
            Delivery { retry: Vec::new(), dead }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Route::Tcp { connection, .. } = &self.route {
                connection.lock().await.close().await;
            }
        })
    }
}
