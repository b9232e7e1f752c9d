//! The output `tcp` as a server: every event goes to all who are connected, and to nobody when there is none.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, join_all};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::encode;
use crate::event::Event;
use crate::net::Listener;
use crate::plugin::{CodecFactory, Delivery, Output, RunError, Shutdown};

/// Batches that may wait for one slow reader before the pipeline waits for it as well.
const WAITING: usize = 64;

type Batch = Arc<[u8]>;

pub struct Server {
    address: (String, u16),
    tls: Option<TlsAcceptor>,
    codec: CodecFactory,
    clients: Arc<Clients>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

/// Everyone who is connected.
struct Clients {
    senders: Mutex<Vec<mpsc::Sender<Batch>>>,
    /// How many tasks still write; each holds a receiver.
    writing: watch::Sender<()>,
}

impl Clients {
    fn current(&self) -> Vec<mpsc::Sender<Batch>> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        senders.retain(|sender| !sender.is_closed());
        senders.clone()
    }

    fn clear(&self) {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn add(&self) -> mpsc::Receiver<Batch> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.senders.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    async fn serve(&self, stream: TcpStream, tls: Option<TlsAcceptor>) -> std::io::Result<()> {
        match tls {
            None => self.write(stream).await,
            Some(acceptor) => self.write(acceptor.accept(stream).await?).await,
        }
    }

    async fn write(&self, mut stream: impl AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut batches = self.add();
        while let Some(batch) = batches.recv().await {
            stream.write_all(&batch).await?;
            stream.flush().await?;
        }
        stream.shutdown().await
    }
}

impl Server {
    pub fn new(address: (String, u16), tls: Option<TlsAcceptor>, codec: CodecFactory) -> Self {
        let clients = Clients { senders: Mutex::new(Vec::new()), writing: watch::Sender::new(()) };
        Server { address, tls, codec, clients: Arc::new(clients), accepting: Mutex::new(None) }
    }
}

async fn accept(mut listener: Listener, tls: Option<TlsAcceptor>, clients: Arc<Clients>) {
    loop {
        let (stream, peer) = listener.accept().await;
        let (tls, clients) = (tls.clone(), Arc::clone(&clients));
        let writing = clients.writing.subscribe();
        tokio::spawn(async move {
            if let Err(error) = clients.serve(stream, tls).await {
                tracing::warn!(%peer, %error, "closing a connection");
            }
            drop(writing);
        });
    }
}

impl Output for Server {
    fn open(&self, _: Shutdown) -> BoxFuture<'_, Result<(), RunError>> {
        Box::pin(async {
            let listener = Listener::bind(&self.address.0, self.address.1).await?;
            tracing::info!(address = %listener.place(), "listening for connections");
            let task = tokio::spawn(accept(listener, self.tls.clone(), Arc::clone(&self.clients)));
            *self.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
            Ok(())
        })
    }

    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let (bytes, dead) = encode(&self.codec, events);
            if !bytes.is_empty() {
                let batch: Batch = bytes.into();
                let clients = self.clients.current();
                // A client that has gone meanwhile gets nothing.
                join_all(clients.iter().map(|client| client.send(Arc::clone(&batch)))).await;
            }
            Delivery { retry: Vec::new(), dead }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if let Some(task) = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take() {
                task.abort();
            }
            self.clients.clear();
            self.clients.writing.closed().await;
        })
    }
}
