//! Windows: what a client sends before it waits for an acknowledgement, put together of frames (`BeatsParser.java`).

use super::frame::{self, Frame, Malformed, Step, Version};
use super::packed::Packed;
use crate::event::Object;

/// Most events in a window; Beats send 2048 unless told otherwise.
pub const MAX_EVENTS: u32 = 1024 * 1024;
/// Most bytes of a window's frames, unpacked.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;
/// Frames that are read without a pause: enough to be quick, and few enough for others to have their turn.
const FRAMES: usize = 128;
/// Room that is kept between two windows: there may be thousands of clients that have nothing to say.
const KEPT: usize = 16 * 1024;

/// Events that are acknowledged together.
#[derive(Debug, PartialEq)]
pub struct Window {
    pub version: Version,
    /// The highest sequence number among the events; 0 without events.
    pub sequence: u32,
    pub events: Vec<Object>,
}

/// What there is after a while.
pub enum Progress {
    Window(Window),
    /// There are more frames: others may have their turn before them.
    Busy,
    /// More bytes are needed.
    Starved,
}

/// Makes windows of the bytes of one connection. It holds no more of them than the limits allow, whatever a length
/// in a frame says.
#[derive(Default)]
pub struct Windows {
    received: Buffer,
    /// A compressed frame, and what was unpacked of it.
    packed: Option<(Packed, Buffer)>,
    open: Option<Open>,
}

/// A window that is not complete.
struct Open {
    window: Window,
    size: u32,
    bytes: usize,
}

#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    /// Where the next frame starts.
    at: usize,
    /// How many bytes that frame has at least.
    needs: usize,
}

impl Windows {
    /// Where to put the bytes that come in.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.received.bytes
    }

    /// Goes on with what has come.
    ///
    /// # Errors
    /// What ends the connection.
    pub fn advance(&mut self) -> Result<Progress, Malformed> {
        for _ in 0..FRAMES {
            let packed = self.packed.is_some();
            let Some((version, frame, length)) = self.read()? else {
                if packed {
                    self.packed = None;
                    continue;
                }
                self.received.compact();
                return Ok(Progress::Starved);
            };
            let complete = match frame {
                Frame::Window(size) => self.start(version, size)?,
                Frame::Event { sequence, fields } => self.add(version, length, sequence, fields)?,
                Frame::Compressed(_) if packed => return Err(Malformed::Nested),
                Frame::Compressed(bytes) => {
                    let used = self.open.as_ref().map_or(0, |open| open.bytes);
                    let packed = Packed::new(bytes, MAX_BYTES.saturating_sub(used));
                    self.packed = Some((packed, Buffer::default()));
                    None
                }
            };
            if let Some(window) = complete {
                return Ok(Progress::Window(window));
            }
        }
        Ok(Progress::Busy)
    }

    /// The next complete window, if there is one.
    #[cfg(test)]
    pub fn next_window(&mut self) -> Result<Option<Window>, Malformed> {
        loop {
            match self.advance()? {
                Progress::Window(window) => return Ok(Some(window)),
                Progress::Busy => {}
                Progress::Starved => return Ok(None),
            }
        }
    }

    /// The next frame: of the compressed one, as long as that holds any.
    fn read(&mut self) -> Result<Option<(Version, Frame, usize)>, Malformed> {
        let Some((packed, unpacked)) = &mut self.packed else { return self.received.read() };
        loop {
            if let Some(found) = unpacked.read()? {
                return Ok(Some(found));
            }
            unpacked.compact();
            if !packed.unpack(&mut unpacked.bytes)? {
                return if unpacked.is_empty() { Ok(None) } else { Err(Malformed::Partial) };
            }
        }
    }

    /// Opens a window. One that is open and has events ends then; one of no events is complete at once.
    fn start(&mut self, version: Version, size: u32) -> Result<Option<Window>, Malformed> {
        if size > MAX_EVENTS {
            return Err(Malformed::WindowSize(size));
        }
        let before = self.open.replace(Open::new(version, size)).map(|open| open.window);
        if let Some(window) = before.filter(|window| !window.events.is_empty()) {
            tracing::warn!("a new window came before the last one was complete");
            return Ok(Some(window));
        }
        if size == 0 {
            return Ok(self.open.take().map(|open| open.window));
        }
        Ok(None)
    }

    /// Adds an event. Events that come without a window wait for the next.
    fn add(
        &mut self,
        version: Version,
        length: usize,
        sequence: u32,
        fields: Object,
    ) -> Result<Option<Window>, Malformed> {
        let open = self.open.get_or_insert_with(|| Open::new(version, 0));
        open.bytes += length;
        if open.bytes > MAX_BYTES {
            return Err(Malformed::WindowBytes);
        }
        open.window.events.push(fields);
        open.window.sequence = open.window.sequence.max(sequence);
        let count = u32::try_from(open.window.events.len()).unwrap_or(u32::MAX);
        if count > MAX_EVENTS {
            return Err(Malformed::WindowSize(count));
        }
        let complete = count == open.size;
        Ok(if complete { self.open.take().map(|open| open.window) } else { None })
    }
}

impl Open {
    fn new(version: Version, size: u32) -> Self {
        Open { window: Window { version, sequence: 0, events: Vec::new() }, size, bytes: 0 }
    }
}

impl Buffer {
    fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn read(&mut self) -> Result<Option<(Version, Frame, usize)>, Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.is_empty() || rest.len() < self.needs {
            return Ok(None);
        }
        match frame::read(rest)? {
            Step::Frame { version, frame, length } => {
                self.at += length;
                self.needs = 0;
                Ok(Some((version, frame, length)))
            }
            Step::Needs(length) => {
                self.needs = length;
                Ok(None)
            }
        }
    }

    /// Forgets what was read.
    fn compact(&mut self) {
        self.bytes.drain(..self.at);
        self.at = 0;
        if self.bytes.is_empty() {
            self.bytes.shrink_to(KEPT);
        }
    }
}
