//! `Sockets`: what the AMQP client asks of the runtime, with connections that may be encrypted by our own TLS.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_compat::{Compat, CompatExt};
use async_rs::traits::Reactor;
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, Sleep};

use crate::net::Duplex;

/// Sockets and timers of the tokio runtime at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sockets;

impl Reactor for Sockets {
    type TcpStream = Compat<Box<dyn Duplex>>;
    type Sleep = Sleep;

    /// Not asked for: connections come from the broker's own `dial`.
    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Self::TcpStream, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, time: Duration) -> Sleep {
        tokio::time::sleep(time)
    }

    fn interval(&self, time: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        let mut interval = tokio::time::interval(time);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        unfold(interval, async |mut interval| {
            let tick = interval.tick().await;
            Some((tick.into_std(), interval))
        })
    }

    #[expect(clippy::manual_async_fn, reason = "the future must not borrow from this")]
    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        async move {
            let stream: Box<dyn Duplex> = Box::new(TcpStream::connect(address).await?);
            Ok(stream.compat())
        }
    }
}
