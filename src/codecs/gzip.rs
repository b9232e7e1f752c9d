//! Decompressed lines, for the codecs that read gzip.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// How much may come out of one read: a small file can hold nearly endless zeros.
pub const MAX_DECOMPRESSED: u64 = 1 << 30;

/// Decompresses bytes whole. Fails where they are not gzip or hold more than `limit` bytes.
pub fn decompress(bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut out)?;
    match out.len() as u64 > limit {
        true => Err(too_large(limit)),
        false => Ok(out),
    }
}

/// Hands out the lines that bytes hold, each with the line break that ends it. Fails as [`decompress`] does, after the
/// lines before.
pub fn each_line(bytes: &[u8], mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut reader = BufReader::new(MultiGzDecoder::new(bytes)).take(MAX_DECOMPRESSED);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        each(&line);
        line.clear();
    }
    // The limit is used up although there is more.
    match reader.limit() == 0 && !reader.into_inner().fill_buf()?.is_empty() {
        true => Err(too_large(MAX_DECOMPRESSED)),
        false => Ok(()),
    }
}

fn too_large(limit: u64) -> io::Error {
    io::Error::other(format!("more than {limit} bytes when decompressed"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn bombs_are_refused() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; 100_000]).unwrap();
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 1000);
        assert_eq!(decompress(&bomb, 100_000).unwrap().len(), 100_000);
        assert!(decompress(&bomb, 99_999).is_err());
        assert!(decompress(b"not gzip", 100).is_err());
    }
}
