//! Frames of the Lumberjack protocol, versions 1 and 2 (`PROTOCOL.md` of logstash-input-beats).

use crate::event::{Object, Value, json};

/// Longest frame in bytes, as it travels. The longest that Beats send are compressed windows of a few MiB.
pub const MAX_FRAME: usize = 64 * 1024 * 1024;
/// Most pairs in a data frame of version 1.
const MAX_PAIRS: u32 = 10_000;
/// Version, type, and one number: the shortest frame.
const HEADER: usize = 6;

/// The protocol's version, which each frame begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V1,
    V2,
}

/// A frame that a client sends.
#[derive(Debug, PartialEq)]
pub enum Frame {
    /// As many events follow, and then the client waits.
    Window(u32),
    /// One event: the pairs of version 1, or the JSON of version 2.
    Event { sequence: u32, fields: Object },
    /// Frames packed with zlib.
    Compressed(Vec<u8>),
}

/// What the bytes so far are.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// A frame, which took so many bytes.
    Frame { version: Version, frame: Frame, length: usize },
    /// The frame has at least this many bytes.
    Needs(usize),
}

/// What a client must not send. It ends the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it starts a frame with byte {0:#04x}, not with version 1 or 2 of the Lumberjack protocol")]
    Version(u8),
    #[error("there is no frame of type {0:#04x}")]
    Type(u8),
    #[error("a frame of {0} bytes is longer than {MAX_FRAME}")]
    TooLong(usize),
    #[error("a data frame has {0} pairs, where 1 to {MAX_PAIRS} can be")]
    Pairs(u32),
    #[error("an event is not a JSON object: {0}")]
    Document(String),
    #[error("a compressed frame cannot be unpacked: {0}")]
    Packed(String),
    #[error("a compressed frame ends within another frame")]
    Partial,
    #[error("a compressed frame holds another one")]
    Nested,
    #[error("a window of {0} events is larger than {max}", max = super::window::MAX_EVENTS)]
    WindowSize(u32),
    #[error("a window has more than {max} bytes; use smaller batches (bulk_max_size)", max = super::window::MAX_BYTES)]
    WindowBytes,
    #[error("an event's field {0} is no object")]
    NoObject(String),
}

/// The frame that tells a client that all events up to a sequence number are safe; number 0 keeps it waiting.
pub fn acknowledgement(version: Version, sequence: u32) -> [u8; HEADER] {
    let version = match version {
        Version::V1 => b'1',
        Version::V2 => b'2',
    };
    let [a, b, c, d] = sequence.to_be_bytes();
    [version, b'A', a, b, c, d]
}

/// Reads the frame that begins here.
///
/// # Errors
/// What makes it none.
pub fn read(input: &[u8]) -> Result<Step, Malformed> {
    match read_whole(&mut Cursor { input, at: 0 }) {
        Ok(step) => Ok(step),
        Err(Stop::Needs(length)) => Ok(Step::Needs(length)),
        Err(Stop::Malformed(malformed)) => Err(malformed),
    }
}

/// Why a frame was not read.
enum Stop {
    Needs(usize),
    Malformed(Malformed),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Stop::Malformed(malformed)
    }
}

fn read_whole(cursor: &mut Cursor<'_>) -> Result<Step, Stop> {
    let version = match cursor.byte()? {
        b'1' => Version::V1,
        b'2' => Version::V2,
        other => return Err(Malformed::Version(other).into()),
    };
    let frame = match cursor.byte()? {
        b'W' => Frame::Window(cursor.number()?),
        b'D' => Frame::Event { sequence: cursor.number()?, fields: pairs(cursor)? },
        b'J' => Frame::Event { sequence: cursor.number()?, fields: document(cursor.sized()?)? },
        b'C' => Frame::Compressed(cursor.sized()?.to_vec()),
        other => return Err(Malformed::Type(other).into()),
    };
    Ok(Step::Frame { version, frame, length: cursor.at })
}

fn pairs(cursor: &mut Cursor<'_>) -> Result<Object, Stop> {
    let count = cursor.number()?;
    if !(1..=MAX_PAIRS).contains(&count) {
        return Err(Malformed::Pairs(count).into());
    }
    let mut fields = Object::new();
    for _ in 0..count {
        let key = String::from_utf8_lossy(cursor.sized()?);
        let value = String::from_utf8_lossy(cursor.sized()?);
        fields.insert(&*key, Value::from(&*value));
    }
    Ok(fields)
}

fn document(bytes: &[u8]) -> Result<Object, Malformed> {
    let malformed = |reason: String| Malformed::Document(reason);
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    match json::parse(text, json::Decimals::Double) {
        Ok(Value::Object(fields)) => Ok(*fields),
        Ok(other) => Err(malformed(format!("it is a {}", other.kind()))),
        Err(error) => Err(malformed(error.to_string())),
    }
}

/// Reads a frame from its start; knows how long it must be when it ends too soon.
struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let end = self.at.saturating_add(length);
        if end > MAX_FRAME {
            return Err(Malformed::TooLong(end).into());
        }
        let bytes = self.input.get(self.at..end).ok_or(Stop::Needs(end))?;
        self.at = end;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    fn number(&mut self) -> Result<u32, Stop> {
        let bytes = self.take(4)?.try_into().unwrap_or_default();
        Ok(u32::from_be_bytes(bytes))
    }

    /// Bytes with their number before them.
    fn sized(&mut self) -> Result<&'a [u8], Stop> {
        let length = self.number()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }
}
