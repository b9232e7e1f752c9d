//! The output `tcp` as a client: one connection, opened again when it breaks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{BoxFuture, poll_fn};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use super::encode;
use crate::event::Event;
use crate::plugin::{CodecFactory, Delivery, Output};

/// What bytes are written to: the socket itself, or TLS over it.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

pub struct Client {
    address: (String, u16),
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// Pause between two tries to connect.
    pause: Duration,
    codec: CodecFactory,
    /// Batches wait here for their turn, in their order.
    connection: Mutex<Option<Box<dyn Connection>>>,
}

impl Client {
    pub fn new(
        address: (String, u16),
        tls: Option<(TlsConnector, ServerName<'static>)>,
        pause: Duration,
        codec: CodecFactory,
    ) -> Self {
        Client { address, tls, pause, codec, connection: Mutex::new(None) }
    }

    async fn connect(&self) -> io::Result<Box<dyn Connection>> {
        let stream = TcpStream::connect((self.address.0.as_str(), self.address.1)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some((connector, name)) => Ok(Box::new(connector.connect(name.clone(), stream).await?)),
        }
    }

    /// Writes all bytes, over as many connections as it takes. What a broken one had taken is sent again.
    async fn write(&self, bytes: &[u8]) {
        let mut connection = self.connection.lock().await;
        loop {
            match self.try_write(&mut connection, bytes).await {
                Ok(()) => return,
                Err(error) => {
                    let (host, port) = &self.address;
                    tracing::warn!(%host, port, %error, "could not send events, will try again");
                    *connection = None;
                    tokio::time::sleep(self.pause).await;
                }
            }
        }
    }

    async fn try_write(&self, connection: &mut Option<Box<dyn Connection>>, bytes: &[u8]) -> io::Result<()> {
        let ended = match connection.as_mut() {
            Some(open) => has_ended(&mut **open).await,
            None => true,
        };
        if ended {
            // That the peer has gone is no error of its own: it may have restarted since the last event.
            *connection = Some(self.connect().await?);
        }
        match connection.as_mut() {
            Some(open) => write_all(&mut **open, bytes).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

async fn write_all(connection: &mut dyn Connection, bytes: &[u8]) -> io::Result<()> {
    connection.write_all(bytes).await?;
    connection.flush().await
}

/// Whether the peer has closed the connection. What is written after that would be lost without an error.
async fn has_ended(connection: &mut dyn Connection) -> bool {
    let mut byte = [0; 256];
    poll_fn(|context: &mut Context<'_>| {
        let mut buffer = ReadBuf::new(&mut byte);
        Poll::Ready(match Pin::new(&mut *connection).poll_read(context, &mut buffer) {
            Poll::Pending => false,
            Poll::Ready(Ok(())) => buffer.filled().is_empty(),
            Poll::Ready(Err(_)) => true,
        })
    })
    .await
}

impl Output for Client {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let (bytes, dead) = encode(&self.codec, events);
            if !bytes.is_empty() {
                self.write(&bytes).await;
            }
            Delivery { retry: Vec::new(), dead }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Some(mut connection) = self.connection.lock().await.take() {
                _ = connection.shutdown().await;
            }
        })
    }
}
