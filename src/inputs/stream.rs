//! Reads streams of bytes without frames through a codec: what inputs with connections share.

use std::io;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::time::Instant;

use crate::event::Event;
use crate::net::{LONGEST_LINE, read_more};
use crate::plugin::{Codec, Shutdown, Sink};

/// Why reading a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The peer closed it.
    Closed,
    /// Nothing came for the time given as `idle`.
    Idle,
    /// Shutdown was requested, or the pipeline takes nothing any more.
    Stopped,
}

/// Decodes one stream and sends its events.
pub struct Stream<'a, F> {
    pub codec: Box<dyn Codec>,
    /// Gives each event the fields of its connection.
    pub finish: F,
    pub sink: &'a Sink,
    pub shutdown: &'a Shutdown,
    /// How long to wait for bytes before the connection counts as dead.
    pub idle: Option<Duration>,
}

impl<F: Fn(&mut Event)> Stream<'_, F> {
    /// Reads to the end and sends what is left in the codec. `first` are bytes that were read before.
    ///
    /// # Errors
    /// What the transport says, after everything that came before it was sent; or a line beyond all measure, which is
    /// let go.
    pub async fn pump(mut self, reader: &mut (impl AsyncRead + Unpin), first: Vec<u8>) -> io::Result<End> {
        // A line that has not ended yet, for codecs that take whole ones.
        let mut held = Vec::new();
        let mut more = first;
        let mut flush_at: Option<Instant> = None;
        let ended = loop {
            if !more.is_empty() {
                if !self.decode(&mut held, &more).await {
                    return Ok(End::Stopped);
                }
                if held.len().max(self.codec.held()) > LONGEST_LINE {
                    let reason = format!("more than {} MiB came without a line's end", LONGEST_LINE >> 20);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
                }
                more = Vec::new();
                flush_at = self.codec.flush_after().map(|quiet| Instant::now() + quiet);
            }
            let idle = self.idle.map(|time| Instant::now() + time);
            tokio::select! {
                biased;
                () = self.shutdown.requested() => break Ok(End::Stopped),
                read = read_more(reader, &mut more) => match read {
                    Ok(0) => break Ok(End::Closed),
                    Ok(_) => {}
                    Err(error) => break Err(error),
                },
                () = until(flush_at) => {
                    flush_at = None;
                    if !self.flush().await {
                        return Ok(End::Stopped);
                    }
                }
                () = until(idle) => break Ok(End::Idle),
            }
        };
        if !held.is_empty() {
            let rest = std::mem::take(&mut held);
            let mut events = Vec::new();
            self.codec.decode(&rest, &mut |event| events.push(event));
            self.send(events).await;
        }
        self.flush().await;
        ended
    }

    /// Returns whether the pipeline goes on.
    async fn decode(&mut self, held: &mut Vec<u8>, block: &[u8]) -> bool {
        let mut events = Vec::new();
        if self.codec.takes_lines() {
            let end = memchr::memrchr(b'\n', block).map_or(0, |at| at + 1);
            let (lines, rest) = block.split_at(end);
            if !lines.is_empty() {
                held.extend_from_slice(lines);
                self.codec.decode(&std::mem::take(held), &mut |event| events.push(event));
            }
            held.extend_from_slice(rest);
        } else {
            self.codec.decode(block, &mut |event| events.push(event));
        }
        self.send(events).await
    }

    async fn flush(&mut self) -> bool {
        let mut events = Vec::new();
        self.codec.flush(&mut |event| events.push(event));
        self.send(events).await
    }

    async fn send(&self, mut events: Vec<Event>) -> bool {
        events.iter_mut().for_each(&self.finish);
        events.is_empty() || self.sink.send(events, None).await.is_ok()
    }
}

/// Resolves at a point in time; never without one.
pub async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
