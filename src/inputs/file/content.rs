//! The bytes of an open file: as they are, or unpacked from gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::bufread::GzDecoder;

use super::identity::Stat;

/// How much of an archive is read at once.
const ARCHIVE_BLOCK: usize = 64 * 1024;

/// How many files all file inputs of the process have open.
static ALL: AtomicUsize = AtomicUsize::new(0);

/// Counts the open files of one input.
#[derive(Debug, Clone, Default)]
pub struct OpenFiles(Arc<AtomicUsize>);

impl OpenFiles {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Those of every input together.
    pub fn of_all() -> usize {
        ALL.load(Ordering::Relaxed)
    }
}

/// A file that is open, and counted as such.
#[derive(Debug)]
pub struct Content {
    bytes: Bytes,
    open: OpenFiles,
}

#[expect(clippy::large_enum_variant, reason = "few files are archives, and few are open at once")]
#[derive(Debug)]
enum Bytes {
    Plain(File),
    Gzip(Gzip),
}

impl Content {
    /// Opens a file to read on from `position`.
    pub fn open(path: &Path, position: u64, open: &OpenFiles) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if position > 0 {
            file.seek(SeekFrom::Start(position))?;
        }
        Ok(Self::counted(Bytes::Plain(file), open))
    }

    /// Opens a gzip archive to unpack it from its beginning.
    pub fn open_archive(path: &Path, open: &OpenFiles) -> io::Result<Self> {
        Ok(Self::counted(Bytes::Gzip(Gzip::new(File::open(path)?)), open))
    }

    fn counted(bytes: Bytes, open: &OpenFiles) -> Self {
        open.0.fetch_add(1, Ordering::Relaxed);
        ALL.fetch_add(1, Ordering::Relaxed);
        Content { bytes, open: open.clone() }
    }

    /// What the system tells of the open file, whatever its path leads to by now.
    pub fn stat(&self) -> Option<Stat> {
        let file = match &self.bytes {
            Bytes::Plain(file) => file,
            Bytes::Gzip(gzip) => gzip.0.as_ref()?.get_ref().get_ref(),
        };
        Stat::of(&file.metadata().ok()?)
    }

    /// The file itself, where it is read as it is.
    pub fn plain(&self) -> Option<&File> {
        match &self.bytes {
            Bytes::Plain(file) => Some(file),
            Bytes::Gzip(_) => None,
        }
    }

    pub fn seek(&mut self, position: u64) -> io::Result<()> {
        match &mut self.bytes {
            Bytes::Plain(file) => file.seek(SeekFrom::Start(position)).map(|_| ()),
            Bytes::Gzip(_) => Ok(()),
        }
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.bytes {
            Bytes::Plain(file) => file.read(buffer),
            Bytes::Gzip(gzip) => gzip.read(buffer),
        }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.open.0.fetch_sub(1, Ordering::Relaxed);
        ALL.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Unpacks the members of an archive one behind the other. What stands behind them and is no member is left alone, as
/// Java's `GZIPInputStream` does.
#[derive(Debug)]
struct Gzip(Option<GzDecoder<BufReader<File>>>);

impl Gzip {
    fn new(file: File) -> Self {
        Gzip(Some(GzDecoder::new(BufReader::with_capacity(ARCHIVE_BLOCK, file))))
    }
}

impl Read for Gzip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.0 {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut rest) = self.0.take().map(GzDecoder::into_inner) else { break };
            if rest.fill_buf()?.first() == Some(&0x1f) {
                self.0 = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

/// Unpacks a whole archive to see whether it can be.
///
/// # Errors
/// What is wrong with it.
pub fn check_archive(path: &Path) -> io::Result<()> {
    io::copy(&mut Gzip::new(File::open(path)?), &mut io::sink()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    pub fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn archives_of_several_members_and_damaged_ones() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.gz");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let mut text = Vec::new();
            Gzip::new(File::open(&path).unwrap()).read_to_end(&mut text).map(|_| text)
        };
        let two = [gzip(b"one\n"), gzip(b""), gzip(b"two\n")].concat();
        assert_eq!(read(&two).unwrap(), b"one\ntwo\n");
        assert_eq!(read(&[&two[..], &[0; 512]].concat()).unwrap(), b"one\ntwo\n");
        assert!(check_archive(&path).is_ok());
        assert!(read(&two[..two.len() - 4]).is_err());
        assert!(check_archive(&path).is_err());
        assert!(read(b"no archive").is_err());
        let open = OpenFiles::default();
        let content = Content::open_archive(&path, &open).unwrap();
        assert_eq!(open.count(), 1);
        drop(content);
        assert_eq!(open.count(), 0);
    }
}
