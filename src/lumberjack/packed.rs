//! A compressed frame, unpacked bit by bit: what is no frame inside ends the connection before more of it is unpacked.

use std::io::{self, Cursor, Read};

use flate2::read::ZlibDecoder;

use super::frame::Malformed;

/// As much as is unpacked at once, in bytes.
const BLOCK: usize = 64 * 1024;

/// What is still to be unpacked.
pub struct Packed {
    decoder: Option<ZlibDecoder<Cursor<Vec<u8>>>>,
    /// Most bytes that may come.
    limit: usize,
    block: Box<[u8]>,
}

impl Packed {
    /// An empty frame is none that could not be unpacked: it holds nothing.
    pub fn new(bytes: Vec<u8>, limit: usize) -> Self {
        let decoder = (!bytes.is_empty()).then(|| ZlibDecoder::new(Cursor::new(bytes)));
        Packed { decoder, limit, block: vec![0; BLOCK].into() }
    }

    /// Appends the next bytes; returns whether there were any.
    ///
    /// # Errors
    /// [`Malformed::Packed`], or [`Malformed::WindowBytes`] where it holds more than the limit.
    pub fn unpack(&mut self, into: &mut Vec<u8>) -> Result<bool, Malformed> {
        let Some(decoder) = &mut self.decoder else { return Ok(false) };
        let length = loop {
            match decoder.read(&mut self.block) {
                Ok(length) => break length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Malformed::Packed(error.to_string())),
            }
        };
        if length == 0 {
            self.decoder = None;
            return Ok(false);
        }
        self.limit = self.limit.checked_sub(length).ok_or(Malformed::WindowBytes)?;
        into.extend_from_slice(self.block.get(..length).unwrap_or_default());
        Ok(true)
    }
}
