//! `Framer`: finds where MessagePack values end in a stream, without reading any byte twice.

/// A longer message is refused: it would have to be held in memory whole.
const MAX_MESSAGE: usize = 256 << 20;
/// More values in one message are refused: each one costs much more memory than the byte it may be written in.
const MAX_VALUES: usize = 8 << 20;
/// How deep containers may be nested.
pub const MAX_DEPTH: usize = 128;

/// How many bytes the value at the start of `bytes` takes; nothing where it is not whole. Fails where it is none, or one
/// beyond the limits.
pub fn size_of_value(bytes: &[u8]) -> Result<Option<usize>, &'static str> {
    Framer::default().message_end(bytes)
}

/// What is known of the message that is not complete yet.
#[derive(Debug, Clone, Default)]
pub struct Framer {
    held: Vec<u8>,
    /// How much of `held` has been looked at.
    scanned: usize,
    /// How many values have been found in it.
    values: usize,
    /// How many values are missing in each open container.
    open: Vec<u64>,
}

/// A whole message, or what cannot be one and why.
pub type Message<'b> = Result<&'b [u8], (&'b [u8], &'static str)>;

impl Framer {
    /// Takes the next bytes of the stream and hands out every message they complete. After a mistake, everything that
    /// came is given up, for there is no telling where the next message begins.
    pub fn extract(&mut self, bytes: &[u8], mut each: impl FnMut(Message<'_>)) {
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        let mut start = 0;
        loop {
            let rest = held.get(start..).unwrap_or_default();
            match self.message_end(rest) {
                Ok(Some(end)) => {
                    each(Ok(rest.get(..end).unwrap_or_default()));
                    start += end;
                }
                Ok(None) => {
                    self.held = held;
                    self.held.drain(..start);
                    return;
                }
                Err(error) => {
                    each(Err((rest, error)));
                    *self = Framer::default();
                    return;
                }
            }
        }
    }

    /// Where the message at the start of `bytes` ends, once it is whole.
    fn message_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, &'static str> {
        while let Some((size, children)) = token(bytes.get(self.scanned..).unwrap_or_default())? {
            if self.scanned.saturating_add(size) > MAX_MESSAGE {
                return Err("the message is larger than 256 MiB");
            }
            if self.scanned + size > bytes.len() {
                return Ok(None);
            }
            self.scanned += size;
            self.values += 1;
            if self.values > MAX_VALUES {
                return Err("the message has too many values");
            }
            if children > 0 {
                if self.open.len() >= MAX_DEPTH {
                    return Err("the message is nested too deeply");
                }
                self.open.push(children);
                continue;
            }
            // This value is complete, and perhaps the containers it stands in.
            while let Some(missing) = self.open.last_mut() {
                *missing -= 1;
                if *missing > 0 {
                    break;
                }
                self.open.pop();
            }
            if self.open.is_empty() {
                self.values = 0;
                return Ok(Some(std::mem::take(&mut self.scanned)));
            }
        }
        Ok(None)
    }
}

/// The size of the value at the start of `bytes` without what is in it, and how many values are in it. Nothing while its
/// head is not whole.
fn token(bytes: &[u8]) -> Result<Option<(usize, u64)>, &'static str> {
    let Some(&marker) = bytes.first() else { return Ok(None) };
    // The number that the next `width` bytes hold.
    let number = |width: usize| {
        let digits = bytes.get(1..=width)?;
        Some(digits.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte)))
    };
    let sized = |width: usize, extra: usize| number(width).map(|size| (1 + width + extra + size, 0));
    let counted = |width: usize, each: u64| number(width).map(|count| (1 + width, count as u64 * each));
    Ok(match marker {
        0x80..=0x8f => Some((1, u64::from(marker & 0x0f) * 2)),
        0x90..=0x9f => Some((1, u64::from(marker & 0x0f))),
        0xa0..=0xbf => Some((1 + usize::from(marker & 0x1f), 0)),
        0xc1 => return Err("not MessagePack: the byte 0xc1 is never used"),
        0xc4 | 0xd9 => sized(1, 0),
        0xc5 | 0xda => sized(2, 0),
        0xc6 | 0xdb => sized(4, 0),
        0xc7 => sized(1, 1),
        0xc8 => sized(2, 1),
        0xc9 => sized(4, 1),
        0xcc | 0xd0 => Some((2, 0)),
        0xcd | 0xd1 | 0xd4 => Some((3, 0)),
        0xca | 0xce | 0xd2 => Some((5, 0)),
        0xcb | 0xcf | 0xd3 => Some((9, 0)),
        0xd5 => Some((4, 0)),
        0xd6 => Some((6, 0)),
        0xd7 => Some((10, 0)),
        0xd8 => Some((18, 0)),
        0xdc => counted(2, 1),
        0xdd => counted(4, 1),
        0xde => counted(2, 2),
        0xdf => counted(4, 2),
        _ => Some((1, 0)),
    })
}
