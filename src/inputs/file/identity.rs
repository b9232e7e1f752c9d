//! What makes a file the same file: its inode, when it was born, and its first bytes.

use std::fmt::Write;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use md5::{Digest, Md5};

/// How many of the first bytes are remembered.
const FIRST_BYTES: usize = 256;

/// A file's inode on its device. After a file is deleted, another one may get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub inode: u64,
    pub device: u64,
}

impl Key {
    /// The major and minor number of the device, as JRuby (jnr-posix, `BaseFileStat`) takes them apart on every system:
    /// these are in the sincedbs of Logstash.
    pub fn device_numbers(self) -> (u64, u64) {
        ((self.device >> 24) & 0xff, self.device & 0xff_ffff)
    }

    /// The same as Linux counts them, in sincedbs that something else has written.
    pub fn linux_device_numbers(self) -> (u64, u64) {
        let device = self.device;
        (
            ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff),
            (device & 0xff) | ((device >> 12) & 0xffff_ff00),
        )
    }
}

/// What one look at a file told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    pub key: Key,
    pub size: u64,
    pub modified: SystemTime,
    /// Where the file system knows it.
    pub born: Option<SystemTime>,
}

impl Stat {
    /// `None` for what is not a regular file.
    pub fn of(metadata: &Metadata) -> Option<Self> {
        metadata.is_file().then(|| Stat {
            key: Key { inode: metadata.ino(), device: metadata.dev() },
            size: metadata.len(),
            modified: metadata.modified().unwrap_or(UNIX_EPOCH),
            born: metadata.created().ok(),
        })
    }
}

/// Seconds since 1970.
pub fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The first bytes of a file, as many as it had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstBytes(Box<[u8]>);

impl FirstBytes {
    /// Reads the first `limit` bytes, or as many of them as are remembered, wherever the file is being read.
    pub fn of(file: &std::fs::File, limit: u64) -> std::io::Result<Self> {
        use std::os::unix::fs::FileExt;
        let mut bytes = [0; FIRST_BYTES];
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(FIRST_BYTES);
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..limit).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(FirstBytes(bytes.get(..filled).unwrap_or_default().into()))
    }

    /// Whether a file that begins with `later` can be the one that began with these.
    pub fn is_prefix_of(&self, later: &Self) -> bool {
        later.0.starts_with(&self.0)
    }

    /// How many they are.
    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Takes note of bytes that were read, which begin at `offset`.
    pub fn extend(&mut self, offset: u64, bytes: &[u8]) {
        let known = self.0.len();
        if known < FIRST_BYTES && offset == known as u64 {
            let more = bytes.get(..FIRST_BYTES - known).unwrap_or(bytes);
            self.0 = [&self.0, more].concat().into();
        }
    }

    /// Whether nothing is known of the file's content.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How a file began, without the text itself: how many bytes of it are known, and their digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beginning {
    pub length: u64,
    /// In hexadecimal digits.
    pub digest: Box<str>,
}

impl Beginning {
    /// Nothing is known where `first` holds nothing.
    pub fn of(first: &FirstBytes) -> Self {
        let mut digest = String::new();
        if !first.is_empty() {
            for byte in Md5::digest(&first.0) {
                _ = write!(digest, "{byte:02x}");
            }
        }
        Beginning { length: first.len(), digest: digest.into() }
    }

    pub fn is_known(&self) -> bool {
        self.length > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0xfd00 is the first device of the device mapper, 253:0; Logstash writes `0 64768`.
    #[test]
    fn device_numbers_as_in_sincedbs() {
        let key = Key { inode: 1, device: 0xfd00 };
        assert_eq!(key.device_numbers(), (0, 64768));
        assert_eq!(key.linux_device_numbers(), (253, 0));
    }
}
