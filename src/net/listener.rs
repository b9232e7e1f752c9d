//! A listening socket: accepts connections until shutdown is requested, whatever happens to a single one.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::plugin::{RunError, Shutdown};

/// Pause after a connection could not be accepted, most often for want of file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Such a time of want is one line in the log, not ten a second.
const COMPLAIN_AGAIN: Duration = Duration::from_secs(60);

/// A socket that listens.
pub struct Listener {
    socket: TcpListener,
    place: String,
    complained: Option<Instant>,
}

impl Listener {
    /// Listens on an address.
    ///
    /// # Errors
    /// The address and what the system says.
    pub async fn bind(host: &str, port: u16) -> Result<Self, RunError> {
        let place = format!("{host}:{port}");
        match TcpListener::bind((host, port)).await {
            Ok(socket) => Ok(Listener { socket, place, complained: None }),
            Err(error) => Err(RunError::new(format!("could not listen on tcp {place}: {error}"))),
        }
    }

    /// The address as the config gives it.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The next connection. Cancel-safe.
    pub async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => self.complain(&error),
            }
            tokio::time::sleep(ACCEPT_AGAIN).await;
        }
    }

    fn complain(&mut self, error: &io::Error) {
        if self.complained.is_none_or(|at| at.elapsed() > COMPLAIN_AGAIN) {
            self.complained = Some(Instant::now());
            tracing::warn!(address = %self.place, %error, "could not accept a connection, will try until it works");
        }
    }

    /// Gives every connection a task of its own, until shutdown is requested; then closes the socket and waits for
    /// those tasks.
    pub async fn serve<S>(mut self, shutdown: &Shutdown, mut each: impl FnMut(TcpStream, SocketAddr) -> S)
    where
        S: Future<Output = ()> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.requested() => break,
                (stream, peer) = self.accept() => {
                    connections.spawn(each(stream, peer));
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self);
        while connections.join_next().await.is_some() {}
    }
}
