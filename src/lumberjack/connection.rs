//! One connection to a server: a window is read, sent on its way, and acknowledged when the pipeline has it
//! (`BeatsHandler.java`, `ConnectionHandler.java`).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, interval_at, timeout};

use super::frame::{Malformed, Version, acknowledgement};
use super::window::{Progress, Window, Windows};
use crate::event::{Event, Object};
use crate::net::read_more;
use crate::plugin::{Shutdown, Sink};
use crate::queue::{Ack, Settled};

/// How often a client that waits for its window is told that it has not been forgotten, as Logstash does.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a window may still be on its way after shutdown was requested; its client would send it again.
const GRACE: Duration = Duration::from_secs(5);
/// How long a client may take to make room for six bytes.
const WRITE: Duration = Duration::from_secs(30);

/// What becomes of the events that come over a connection: one such thing for each.
pub trait Received: Send {
    /// Appends the events that the fields of one frame give, with the input's common options applied.
    ///
    /// # Errors
    /// What no client may send.
    fn receive(&mut self, fields: Object, events: &mut Vec<Event>) -> Result<(), Malformed>;

    /// Appends what was held back for more to come, at the end or after a quiet time.
    fn flush(&mut self, events: &mut Vec<Event>);

    /// How long to wait for more before what is held back is flushed. `None`: until the end.
    fn flush_after(&self) -> Option<Duration> {
        None
    }
}

/// Why a connection ended in order.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The client closed it.
    Closed,
    /// Nothing came for the time given as `idle`.
    Idle,
    /// Shutdown was requested.
    Stopped,
    /// The pipeline has lost a window or takes nothing any more: the client has to send it again.
    Lost,
}

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Transport(#[from] io::Error),
    #[error("the client breaks the protocol: {0}")]
    Malformed(#[from] Malformed),
}

/// Logs how the connection of a client ended.
pub fn log_end(client: SocketAddr, ended: Result<End, Failure>) {
    match ended {
        Ok(End::Lost) => {
            tracing::warn!(peer = %client, "events were lost on their way; closing the connection, so that the client sends them again");
        }
        Ok(end) => tracing::debug!(peer = %client, ?end, "connection closed"),
        // Clients that go away like this are everyday life.
        Err(Failure::Transport(error)) => tracing::info!(peer = %client, %error, "closing a connection"),
        Err(error) => tracing::error!(peer = %client, %error, "closing a connection"),
    }
}

/// Serves a connection to its end. It is closed when nothing has come for `idle`.
///
/// # Errors
/// What the transport says, or a client that breaks the protocol. What was not acknowledged is sent again by
/// clients.
pub async fn serve(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin + Send),
    received: &mut impl Received,
    idle: Option<Duration>,
    sink: &Sink,
    shutdown: &Shutdown,
) -> Result<End, Failure> {
    let ended = windows(stream, received, idle, sink, shutdown).await;
    flush(received, sink).await;
    ended
}

async fn flush(received: &mut impl Received, sink: &Sink) {
    let mut held = Vec::new();
    received.flush(&mut held);
    if !held.is_empty() {
        // An error means that the pipeline has ended.
        _ = sink.send_decorated(held, None).await;
    }
}

async fn windows(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin + Send),
    received: &mut impl Received,
    idle: Option<Duration>,
    sink: &Sink,
    shutdown: &Shutdown,
) -> Result<End, Failure> {
    let mut windows = Windows::default();
    loop {
        match windows.advance()? {
            Progress::Window(window) => {
                if let Some(end) = pass(stream, window, received, sink, shutdown).await? {
                    return Ok(end);
                }
            }
            Progress::Busy => tokio::task::yield_now().await,
            Progress::Starved => {
                let end = idle.map(|time| Instant::now() + time);
                let mut quiet = received.flush_after().map(|time| Instant::now() + time);
                loop {
                    tokio::select! {
                        biased;
                        () = shutdown.requested() => return Ok(End::Stopped),
                        read = read_more(stream, windows.buffer()) => match read? {
                            0 => return Ok(End::Closed),
                            _ => break,
                        },
                        () = until(end) => return Ok(End::Idle),
                        () = until(quiet) => {
                            quiet = None;
                            flush(received, sink).await;
                        }
                    }
                }
            }
        }
    }
}

/// Passes a window on and acknowledges it. `None`: the connection goes on.
async fn pass(
    stream: &mut (impl AsyncWrite + Unpin + Send),
    window: Window,
    received: &mut impl Received,
    sink: &Sink,
    shutdown: &Shutdown,
) -> Result<Option<End>, Failure> {
    let mut events = Vec::with_capacity(window.events.len());
    for fields in window.events {
        received.receive(fields, &mut events)?;
    }
    match deliver(stream, window.version, events, sink, shutdown).await? {
        Some(Settled::Safe) => write(stream, window.version, window.sequence).await?,
        Some(Settled::Lost) => return Ok(Some(End::Lost)),
        None => return Ok(Some(End::Stopped)),
    }
    Ok(shutdown.is_requested().then_some(End::Stopped))
}

/// Hands a window to the pipeline and waits until it is settled, keeping the client patient. `None`: there was no time
/// for that before the end.
async fn deliver(
    stream: &mut (impl AsyncWrite + Unpin + Send),
    version: Version,
    events: Vec<Event>,
    sink: &Sink,
    shutdown: &Shutdown,
) -> io::Result<Option<Settled>> {
    let (settle, settled) = oneshot::channel();
    let ack = Ack::new(move |outcome| _ = settle.send(outcome));
    let delivering = async {
        match sink.send_decorated(events, Some(ack)).await {
            Ok(()) => settled.await.unwrap_or(Settled::Lost),
            Err(_) => Settled::Lost,
        }
    };
    tokio::pin!(delivering);
    let mut keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    let mut end = None;
    loop {
        tokio::select! {
            biased;
            outcome = &mut delivering => return Ok(Some(outcome)),
            () = shutdown.requested(), if end.is_none() => end = Some(Instant::now() + GRACE),
            () = until(end) => return Ok(None),
            _ = keep_alive.tick() => write(stream, version, 0).await?,
        }
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), version: Version, sequence: u32) -> io::Result<()> {
    let frame = acknowledgement(version, sequence);
    timeout(WRITE, async {
        stream.write_all(&frame).await?;
        stream.flush().await
    })
    .await?
}

/// Resolves at a point in time; never without one.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
