//! Makes events of the blocks that the stdin input reads, and gives them the fields of that input.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Event, FieldReference, Text, Value};
use crate::plugin::{Apart, Codec, CodecFactory, EcsMode, InputDecoration, Sink};

/// Makes events of block after block.
pub struct Decoder {
    codec: Box<dyn Codec>,
    /// Whether the codec gets line by line, so that each event can have its own line as `[event][original]`. Logstash
    /// gives every event all that one read brought.
    by_line: bool,
    /// The line that has not ended yet.
    line: Vec<u8>,
    apart: Option<Arc<LineDecoder>>,
    finish: Finish,
}

/// What to do with a block.
pub enum Lines {
    /// Its lines may be decoded elsewhere.
    Apart(WholeLines),
    /// The decoder has to have the block.
    Together,
}

/// Lines with their ends.
pub struct WholeLines {
    bytes: Arc<Vec<u8>>,
    decoder: Arc<LineDecoder>,
}

/// Decodes lines without regard to what came before.
struct LineDecoder {
    codec: Box<dyn Codec>,
    by_line: bool,
    finish: Finish,
}

/// The fields of the input.
#[derive(Clone)]
struct Finish {
    decoration: Arc<InputDecoration>,
    host: Text,
    host_field: FieldReference,
    original_field: Option<FieldReference>,
}

impl Decoder {
    pub fn new(factory: &CodecFactory, ecs: EcsMode, sink: &Sink) -> Self {
        let event = FieldReference::top_level;
        let finish = Finish {
            decoration: Arc::clone(sink.decoration()),
            host: gethostname::gethostname().to_string_lossy().as_ref().into(),
            host_field: ecs.select(event("host"), event("host").child("hostname")),
            original_field: ecs.is_enabled().then(|| event("event").child("original")),
        };
        let by_line = ecs.is_enabled() && factory.name() == "json_lines";
        let codec = factory.create();
        let apart = (codec.apart() == Apart::WholeLines)
            .then(|| Arc::new(LineDecoder { codec: codec.fresh(), by_line, finish: finish.clone() }));
        Decoder { codec, by_line, line: Vec::new(), apart, finish }
    }

    /// The same with another name for the host, for tests.
    #[cfg(test)]
    pub fn with_host(mut self, host: &str) -> Self {
        self.finish.host = host.into();
        let finish = self.finish.clone();
        self.apart = self.apart.map(|apart| {
            Arc::new(LineDecoder { codec: apart.codec.fresh(), by_line: apart.by_line, finish })
        });
        self
    }

    /// All lines that are complete with this block, where they can be decoded apart; the last one is held back.
    pub fn whole_lines(&mut self, block: &[u8]) -> Lines {
        let Some(decoder) = &self.apart else { return Lines::Together };
        let decoder = Arc::clone(decoder);
        Lines::Apart(WholeLines { bytes: Arc::new(self.complete(block)), decoder })
    }

    /// The lines that are complete with this block.
    fn complete(&mut self, block: &[u8]) -> Vec<u8> {
        let end = memchr::memrchr(b'\n', block).map_or(0, |at| at + 1);
        let (ended, rest) = block.split_at(end);
        let mut lines = Vec::new();
        if !ended.is_empty() {
            lines = std::mem::take(&mut self.line);
            lines.extend_from_slice(ended);
        }
        self.line.extend_from_slice(rest);
        lines
    }

    pub fn decode(&mut self, block: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        if self.by_line {
            let lines = self.complete(block);
            self.finish.decode_by_line(&mut *self.codec, &lines, &mut events);
            return events;
        }
        if self.codec.takes_lines() {
            let lines = self.complete(block);
            if !lines.is_empty() {
                self.codec.decode(&lines, &mut |event| events.push(event));
                self.finish.apply(&mut events, None);
            }
            return events;
        }
        self.codec.decode(block, &mut |event| events.push(event));
        let whole = if events.len() == 1 { Some(block) } else { None };
        self.finish.apply(&mut events, whole);
        events
    }

    /// How long after a block the codec should be flushed when nothing more came.
    pub fn flush_after(&self) -> Option<Duration> {
        self.codec.flush_after()
    }

    /// What the codec holds back while the input is quiet. A line that has not ended yet stays where it is.
    pub fn flush(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        self.codec.flush(&mut |event| events.push(event));
        self.finish.apply(&mut events, None);
        events
    }

    /// What is held back when the input ends.
    pub fn end(&mut self) -> Vec<Event> {
        let line = std::mem::take(&mut self.line);
        let mut events = Vec::new();
        if !line.is_empty() {
            self.codec.decode(&line, &mut |event| events.push(event));
        }
        self.codec.flush(&mut |event| events.push(event));
        self.finish.apply(&mut events, (!line.is_empty()).then_some(&line));
        events
    }
}

impl WholeLines {
    /// Pieces of up to so many lines, each with the number of its lines and what decodes it.
    pub fn pieces(
        &self,
        lines: usize,
    ) -> impl Iterator<Item = (usize, impl FnOnce() -> Vec<Event> + Send + use<>)> {
        cut(&self.bytes, lines).map(|(count, range)| {
            let (bytes, decoder) = (Arc::clone(&self.bytes), Arc::clone(&self.decoder));
            (count, move || decoder.decode(count, bytes.get(range).unwrap_or_default()))
        })
    }
}

/// Cuts bytes that end with a line's end behind every `most`th line.
fn cut(bytes: &[u8], most: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut ends = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1);
    let mut start = 0;
    std::iter::from_fn(move || {
        let (mut count, mut end) = (0, start);
        while count < most.max(1)
            && let Some(next) = ends.next()
        {
            (count, end) = (count + 1, next);
        }
        let range = std::mem::replace(&mut start, end)..end;
        (count > 0).then_some((count, range))
    })
}

impl LineDecoder {
    fn decode(&self, count: usize, lines: &[u8]) -> Vec<Event> {
        let mut codec = self.codec.fresh();
        let mut events = Vec::with_capacity(count);
        if !self.by_line {
            codec.decode(lines, &mut |event| events.push(event));
            self.finish.apply(&mut events, None);
            return events;
        }
        self.finish.decode_by_line(&mut *codec, lines, &mut events);
        events
    }
}

impl Finish {
    fn decode_by_line(&self, codec: &mut dyn Codec, lines: &[u8], events: &mut Vec<Event>) {
        for (_, range) in cut(lines, 1) {
            let line = lines.get(range).unwrap_or_default();
            let from = events.len();
            codec.decode(line, &mut |event| events.push(event));
            self.apply(events.get_mut(from..).unwrap_or_default(), Some(line));
        }
    }

    fn apply(&self, events: &mut [Event], original: Option<&[u8]>) {
        for event in events {
            self.decoration.apply(event);
            let fields = [
                (self.original_field.as_ref(), original.map(text_of)),
                (Some(&self.host_field), Some(self.host.clone())),
            ];
            for (field, value) in fields {
                let (Some(field), Some(value)) = (field, value) else { continue };
                if !event.contains(field)
                    && let Err(error) = event.set(field, Value::from(value))
                {
                    tracing::debug!(%error, "an event of stdin stays without a field");
                }
            }
        }
    }
}

/// A line as text; checking it whole is several times as fast as going through it for errors.
fn text_of(line: &[u8]) -> Text {
    std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed).as_ref().into()
}
