//! Reads files piece by piece, and sends the events of their lines.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::lines::{LineBuffer, LineEnd};
use super::progress::Ledger;
use super::tracked::Tracked;
use crate::event::{Event, FieldReference, InvalidReference};
use crate::plugin::{EcsMode, Shutdown, Sink};

/// How long a shutdown waits for a pipeline that takes or acknowledges nothing. What it has not acknowledged by then is
/// read again after the next start.
pub const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);
/// A line that is longer is taken in pieces of this size, in bytes: a file without line ends must not fill the memory.
const LONGEST_LINE: usize = 20 * 1024 * 1024;
/// The buffer's memory is given back beyond this.
const USUAL_BUFFER: usize = 1024 * 1024;

/// Why reading ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The pipeline takes nothing any more.
    Closed,
    /// A shutdown was requested, and the pipeline did not take events for too long.
    Abandoned,
}

/// What one piece of reading came to.
#[derive(Debug)]
pub enum Piece {
    /// So many bytes were read; there may be more.
    Read(u64),
    /// The file's end was reached.
    End,
    /// Reading failed.
    Failed(io::Error),
}

/// Where an event says it comes from.
#[derive(Debug)]
pub struct Fields {
    host: String,
    metadata_path: FieldReference,
    metadata_host: FieldReference,
    host_field: FieldReference,
    path_field: FieldReference,
}

impl Fields {
    pub fn new(ecs: EcsMode) -> Result<Self, InvalidReference> {
        Ok(Fields {
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            metadata_path: FieldReference::parse("[@metadata][path]")?,
            metadata_host: FieldReference::parse("[@metadata][host]")?,
            host_field: FieldReference::parse(ecs.select("host", "[host][name]"))?,
            path_field: FieldReference::parse(ecs.select("path", "[log][file][path]"))?,
        })
    }

    /// Sets the fields that the event does not bring itself.
    fn apply(&self, event: &mut Event, path: &str) {
        let set = event
            .set(&self.metadata_path, path)
            .and_then(|()| event.set(&self.metadata_host, self.host.as_str()));
        for (field, value) in [(&self.host_field, self.host.as_str()), (&self.path_field, path)] {
            if !event.contains(field)
                && let Err(error) = event.set(field, value)
            {
                tracing::trace!(%error, "an event of a file stays without a field");
            }
        }
        if let Err(error) = set {
            tracing::trace!(%error, "an event of a file stays without its metadata");
        }
    }
}

pub struct Reader {
    buffer: LineBuffer,
    delimiter: LineEnd,
    /// As much as one read brings at most, in bytes.
    chunk_size: usize,
    /// As many events as are sent together.
    batch_size: usize,
    fields: Fields,
    events: Vec<Event>,
    sink: Option<Sink>,
    shutdown: Shutdown,
    pub ledger: Arc<Ledger>,
    runtime: Handle,
    /// The pipeline was given up on during a shutdown.
    abandoned: bool,
    shutdown_seen: Option<Instant>,
}

impl Reader {
    pub fn new(
        delimiter: &str,
        chunk_size: usize,
        batch_size: usize,
        fields: Fields,
        sink: Sink,
        shutdown: Shutdown,
    ) -> Self {
        Reader {
            buffer: LineBuffer::default(),
            delimiter: LineEnd::new(delimiter),
            chunk_size: chunk_size.min(LONGEST_LINE),
            batch_size: batch_size.max(1),
            fields,
            events: Vec::new(),
            sink: Some(sink),
            shutdown,
            ledger: Arc::default(),
            runtime: Handle::current(),
            abandoned: false,
            shutdown_seen: None,
        }
    }

    pub fn is_stopping(&self) -> bool {
        self.shutdown.is_requested()
    }

    /// Reads at most so many bytes of an open file and sends the events of all lines that they complete.
    pub fn read(&mut self, file: &mut Tracked, most: u64) -> Result<Piece, Stop> {
        let Some(mut content) = file.content.take() else { return Ok(Piece::End) };
        let position = file.read_position();
        self.buffer.load(&std::mem::take(&mut file.held));
        let mut read = 0;
        let piece = loop {
            let left = usize::try_from(most - read).unwrap_or(usize::MAX).min(self.chunk_size);
            if left == 0 || self.is_stopping() {
                break Piece::Read(read);
            }
            match self.buffer.fill(&mut content, left) {
                Ok(0) => break Piece::End,
                Ok(filled) => {
                    if !file.is_archive {
                        file.first.extend(position + read, self.buffer.filled(filled));
                    }
                    read += filled as u64;
                    self.take_lines(file)?;
                }
                Err(error) => break Piece::Failed(error),
            }
        };
        file.content = Some(content);
        if read > 0 {
            file.accessed = Instant::now();
            file.flush_at = file.codec.flush_after().map(|quiet| file.accessed + quiet);
        }
        self.send(file)?;
        file.held = self.buffer.rest().to_vec();
        self.buffer.load(&[]);
        self.buffer.shrink(USUAL_BUFFER);
        Ok(piece)
    }

    /// Decodes the lines that are complete.
    fn take_lines(&mut self, file: &mut Tracked) -> Result<(), Stop> {
        loop {
            let line_end = if file.is_archive { &LineEnd::Any } else { &self.delimiter };
            let line = match self.buffer.next(line_end, false) {
                Some(line) => line,
                None if self.buffer.rest().len() >= LONGEST_LINE => {
                    tracing::warn!(path = %file.path_text, position = file.line_position, "a line does not end, it is taken in pieces");
                    self.buffer.take_rest()
                }
                None => return Ok(()),
            };
            let (text, whole) = (self.buffer.bytes(&line.text), self.buffer.bytes(&line.whole));
            file.decode(text, whole, &mut self.events);
            if self.events.len() >= self.batch_size {
                self.send(file)?;
            }
        }
    }

    /// Takes a line without an end and what the codec holds back for complete: the file has no more.
    pub fn end(&mut self, file: &mut Tracked) -> Result<(), Stop> {
        if file.is_archive && file.held.last() == Some(&b'\r') {
            file.held.pop();
        }
        file.end(&mut self.events);
        self.send(file)
    }

    /// Sends what the codec holds back.
    pub fn flush(&mut self, file: &mut Tracked) -> Result<(), Stop> {
        file.flush(&mut self.events);
        self.send(file)
    }

    /// Reads a file from its beginning again, because there is something else in it.
    pub fn restart(&mut self, file: &mut Tracked) -> Result<(), Stop> {
        self.end(file)?;
        file.line_position = 0;
        file.passed = 0;
        file.first = Default::default();
        file.progress.begin_anew();
        if let Some(content) = &mut file.content
            && content.seek(0).is_err()
        {
            // Opened again, it begins at its beginning.
            file.content = None;
        }
        Ok(())
    }

    /// Sends the events that are ready, all of this file, and waits while the pipeline takes none.
    fn send(&mut self, file: &mut Tracked) -> Result<(), Stop> {
        if self.events.is_empty() {
            file.progress.pass(file.passed);
            return Ok(());
        }
        let mut events = std::mem::replace(&mut self.events, Vec::with_capacity(self.batch_size));
        for event in &mut events {
            self.fields.apply(event, &file.path_text);
        }
        let Some(sink) = self.sink.as_ref().filter(|_| !self.abandoned) else { return Err(Stop::Abandoned) };
        let ack = file.progress.token(file.passed);
        let (shutdown, seen) = (&self.shutdown, &mut self.shutdown_seen);
        let sent = self.runtime.block_on(async {
            tokio::select! {
                biased;
                sent = sink.send(events, Some(ack.clone())) => sent.map_err(|_| Stop::Closed),
                () = patience(shutdown, seen) => Err(Stop::Abandoned),
            }
        });
        if let Err(stop) = sent {
            // Part of the batch may be on its way; all of it comes again.
            ack.fail();
            self.abandoned = true;
            return Err(stop);
        }
        Ok(())
    }

    /// Waits, at most until a shutdown is requested.
    pub fn pause(&self, time: Duration) {
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = self.shutdown.requested() => {}
            }
        });
    }

    /// Lets go of the pipeline and waits until everything sent is acknowledged; in a shutdown, not for ever.
    pub fn finish(&mut self) {
        self.sink = None;
        let (shutdown, seen) = (&self.shutdown, &mut self.shutdown_seen);
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.ledger.all_settled() => {}
                () = patience(shutdown, seen) => {
                    tracing::warn!("the pipeline has not acknowledged all that was read of files, the rest will be read again after the next start");
                }
            }
        });
    }
}

/// Resolves when a shutdown was requested long enough ago.
async fn patience(shutdown: &Shutdown, seen: &mut Option<Instant>) {
    shutdown.requested().await;
    let since = *seen.get_or_insert_with(Instant::now);
    tokio::time::sleep_until((since + SHUTDOWN_PATIENCE).into()).await;
}
