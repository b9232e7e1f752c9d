//! The output `tcp` as a client: one connection, opened again when it breaks.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::encode;
use crate::event::Event;
use crate::net::{Connection, Peer};
use crate::plugin::{CodecFactory, Delivery, Output};

pub struct Client {
    /// Pause between two tries to connect.
    pause: Duration,
    codec: CodecFactory,
    /// Batches wait here for their turn, in their order.
    connection: Mutex<Connection>,
}

impl Client {
    pub fn new(peer: Peer, pause: Duration, codec: CodecFactory) -> Self {
        Client { pause, codec, connection: Mutex::new(Connection::new(peer)) }
    }
}

impl Output for Client {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let (bytes, dead) = encode(&self.codec, events);
            if !bytes.is_empty() {
                self.connection.lock().await.write_at_last(&bytes, self.pause).await;
            }
            Delivery { retry: Vec::new(), dead }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.connection.lock().await.close().await })
    }
}
