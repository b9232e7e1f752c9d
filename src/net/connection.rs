//! A connection to a server: opened when there is something to write, and again after it broke.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::poll_fn;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Backoff;

/// Bytes in both directions: a socket, or TLS over it.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection that we opened, and the socket under it.
trait Outgoing: Duplex {
    fn socket(&self) -> &TcpStream;
}

impl Outgoing for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Outgoing for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Where to connect to, and how.
pub struct Peer {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Peer {
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Peer { host: host.into(), port, tls: None }
    }

    /// The same over TLS. `None` where the host cannot stand in a certificate.
    pub fn with_tls(self, config: ClientConfig) -> Option<Self> {
        let name = ServerName::try_from(self.host.clone()).ok()?;
        Some(Peer { tls: Some((TlsConnector::from(Arc::new(config)), name)), ..self })
    }

    /// Connects once, for those who speak with the peer in both directions.
    ///
    /// # Errors
    /// What the transport says.
    pub async fn dial(&self) -> io::Result<Box<dyn Duplex>> {
        let open: Box<dyn Duplex> = self.connect().await?;
        Ok(open)
    }

    async fn connect(&self) -> io::Result<Box<dyn Outgoing>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some((connector, name)) => Ok(Box::new(connector.connect(name.clone(), stream).await?)),
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A connection to a peer, if one is open.
pub struct Connection {
    peer: Peer,
    open: Option<Box<dyn Outgoing>>,
}

impl Connection {
    pub fn new(peer: Peer) -> Self {
        Connection { peer, open: None }
    }

    /// Connects, unless a connection is open whose peer has not closed it: that it has gone is no error of its own, as
    /// it may have restarted meanwhile.
    ///
    /// # Errors
    /// What the transport says.
    pub async fn open(&mut self) -> io::Result<()> {
        let ended = match self.open.as_mut() {
            Some(open) => has_ended(&mut **open).await,
            None => true,
        };
        if ended {
            self.open = None;
            self.open = Some(self.peer.connect().await?);
        }
        Ok(())
    }

    /// [`open`](Self::open), as often as it takes, with waits up to `pause`.
    pub async fn open_at_last(&mut self, pause: Duration) {
        let mut backoff = Backoff::up_to(pause);
        while let Err(error) = self.open().await {
            let Peer { host, port, .. } = &self.peer;
            let wait = backoff.wait();
            tracing::warn!(%host, port, %error, retry_in_ms = wait.as_millis() as u64, "could not connect, will try again");
            tokio::time::sleep(wait).await;
        }
    }

    /// Writes all bytes, over a connection that is opened if need be. After an error it is closed, and some of the
    /// bytes may have arrived.
    ///
    /// # Errors
    /// What the transport says.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.open().await?;
        let written = match self.open.as_mut() {
            Some(open) => write_all(&mut **open, bytes).await,
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        if written.is_err() {
            self.open = None;
        }
        written
    }

    /// Writes all bytes, over as many connections as it takes, with waits up to `pause`. What a broken one had taken is
    /// sent again.
    pub async fn write_at_last(&mut self, bytes: &[u8], pause: Duration) {
        let mut backoff = Backoff::up_to(pause);
        while let Err(error) = self.write(bytes).await {
            let Peer { host, port, .. } = &self.peer;
            let wait = backoff.wait();
            tracing::warn!(%host, port, %error, retry_in_ms = wait.as_millis() as u64, "could not send events, will try again");
            tokio::time::sleep(wait).await;
        }
    }

    /// Tells the peer that nothing more comes.
    pub async fn close(&mut self) {
        if let Some(mut open) = self.open.take() {
            _ = open.shutdown().await;
        }
    }
}

async fn write_all(connection: &mut dyn Outgoing, bytes: &[u8]) -> io::Result<()> {
    connection.write_all(bytes).await?;
    connection.flush().await
}

/// Whether the peer has closed the connection. What is written after that would be lost without an error.
async fn has_ended(connection: &mut dyn Outgoing) -> bool {
    let mut bytes = [0; 256];
    let said = poll_fn(|context: &mut Context<'_>| {
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut *connection).poll_read(context, &mut buffer);
            match read {
                Poll::Pending => return Poll::Ready(false),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => return Poll::Ready(true),
                // What it says is of no interest, but its end stands behind that.
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(true),
            }
        }
    })
    .await;
    // The runtime may not have heard of the end yet; the system has.
    let peeked = SockRef::from(connection.socket()).peek(&mut [MaybeUninit::uninit()]);
    said || match peeked {
        Ok(length) => length == 0,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    }
}
