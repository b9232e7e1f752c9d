//! Connections for the HTTP server, encrypted or not.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Pause after a connection could not be accepted, most often for want of file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Connections that are ready and that the server has not taken over.
const READY: usize = 16;

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

type Connection = Box<dyn Duplex>;

/// Who sent a request.
#[derive(Debug, Clone, Copy)]
pub struct Client(pub SocketAddr);

impl Connected<IncomingStream<'_, Accepted>> for Client {
    fn connect_info(stream: IncomingStream<'_, Accepted>) -> Self {
        Client(*stream.remote_addr())
    }
}

/// Connections whose handshake is done. Handshakes run side by side, so that a slow client delays nobody.
pub struct Accepted {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Accepted {
    /// Accepts until this is dropped.
    ///
    /// # Errors
    /// A listener without an address.
    pub fn start(
        listener: TcpListener,
        acceptor: Option<TlsAcceptor>,
        patience: Duration,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(READY);
        let accepting = tokio::spawn(accept(listener, acceptor, patience, sender)).abort_handle();
        Ok(Accepted { ready, address, accepting })
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for Accepted {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The runtime ends.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    patience: Duration,
    ready: mpsc::Sender<(Connection, SocketAddr)>,
) {
    let mut handshakes = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    let (acceptor, ready) = (acceptor.clone(), ready.clone());
                    handshakes.spawn(async move {
                        match open(stream, acceptor, patience).await {
                            Ok(connection) => _ = ready.send((connection, address)).await,
                            Err(error) => tracing::info!(peer = %address, %error, "closing a connection"),
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
            Some(_) = handshakes.join_next() => {}
        }
    }
}

async fn open(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    patience: Duration,
) -> io::Result<Connection> {
    SockRef::from(&stream).set_keepalive(true)?;
    stream.set_nodelay(true)?;
    match acceptor {
        None => Ok(Box::new(stream)),
        Some(acceptor) => Ok(Box::new(tokio::time::timeout(patience, acceptor.accept(stream)).await??)),
    }
}
