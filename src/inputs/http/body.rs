//! The body of a request: read within its limit, unpacked, and as text.

use std::io::{self, Read};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use futures_util::StreamExt;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::plugin::Charset;

/// How long a client may let its body rest. Logstash waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is longer than max_content_length")]
    TooLong,
    #[error("the body cannot be unpacked: {0}")]
    Packed(io::Error),
    #[error("the body did not come to its end: {0}")]
    Broken(axum::Error),
    #[error("nothing more of the body came for {} s", PATIENCE.as_secs())]
    Slow,
}

/// Reads a body of at most `limit` bytes, packed and unpacked. The headers are left as Netty leaves them: without the
/// encodings that were undone, and with the length.
///
/// # Errors
/// See [`BodyError`].
pub async fn read(headers: &mut HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, BodyError> {
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(BodyError::TooLong);
    }
    let mut bytes = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = timeout(PATIENCE, chunks.next()).await.map_err(|_| BodyError::Slow)? {
        let chunk = chunk.map_err(BodyError::Broken)?;
        if bytes.len() + chunk.len() > limit {
            return Err(BodyError::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    let encoding = headers.get(CONTENT_ENCODING).and_then(|encoding| Packing::find(encoding.to_str().ok()?));
    if let Some(packing) = encoding {
        // It may take its time, which others do not have to wait for.
        let unpacking = spawn_blocking(move || packing.unpack(&bytes, limit));
        bytes = unpacking.await.map_err(|error| BodyError::Packed(io::Error::other(error)))??;
        headers.remove(CONTENT_ENCODING);
    }
    headers.remove(TRANSFER_ENCODING);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok(bytes)
}

/// How a body is packed.
#[derive(Clone, Copy)]
enum Packing {
    Gzip,
    Deflate,
}

impl Packing {
    /// `None` where the encoding is not known: the body stays as it is.
    fn find(encoding: &str) -> Option<Self> {
        let is = |name: &str| encoding.trim().eq_ignore_ascii_case(name);
        if is("gzip") || is("x-gzip") {
            return Some(Packing::Gzip);
        }
        (is("deflate") || is("x-deflate")).then_some(Packing::Deflate)
    }

    fn unpack(self, packed: &[u8], limit: usize) -> Result<Vec<u8>, BodyError> {
        match self {
            Packing::Gzip => unpacked(MultiGzDecoder::new(packed), limit),
            // Some clients leave the zlib header away.
            Packing::Deflate => match unpacked(ZlibDecoder::new(packed), limit) {
                Err(BodyError::Packed(_)) => unpacked(DeflateDecoder::new(packed), limit),
                other => other,
            },
        }
    }
}

fn unpacked(reader: impl Read, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(most).read_to_end(&mut bytes).map_err(BodyError::Packed)?;
    if bytes.len() > limit { Err(BodyError::TooLong) } else { Ok(bytes) }
}

/// The body as UTF-8: from the charset that the type names, as far as it is known. What is wrong is replaced.
pub fn text(body: Vec<u8>, content_type: &str) -> Vec<u8> {
    if let Some(charset) = charset(content_type).and_then(|name| Charset::find(name).ok())
        && charset.name() != "UTF-8"
    {
        return charset.decode(&body).into_owned().into_bytes();
    }
    match String::from_utf8(body) {
        Ok(text) => text.into_bytes(),
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned().into_bytes(),
    }
}

fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}

/// The type without its parameters.
pub fn mime_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default()
}
