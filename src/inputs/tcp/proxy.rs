//! The PROXY protocol, version 1: one line before the stream that says where a connection really came from
//! (haproxy's proxy-protocol.txt).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest line there can be, its end included.
const LONGEST: usize = 107;

/// What the line says. Ports are text, as Logstash has them in events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxied {
    pub source: String,
    pub source_port: String,
    pub proxy: String,
    pub proxy_port: String,
}

/// Reads the line, and the bytes of the stream that came with it.
///
/// # Errors
/// A stream that begins with anything else, or ends before.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Proxied, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(LONGEST);
    let end = loop {
        if let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
            break end;
        }
        if bytes.len() >= LONGEST || stream.read_buf(&mut bytes).await? == 0 {
            return Err(invalid(&bytes));
        }
    };
    let (line, rest) = bytes.split_at(end);
    let rest = rest.get(2..).unwrap_or_default().to_vec();
    Ok((parse(line).ok_or_else(|| invalid(line))?, rest))
}

fn parse(line: &[u8]) -> Option<Proxied> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    if words.next()? != "PROXY" {
        return None;
    }
    // With UNKNOWN nothing has to follow.
    let _family = words.next()?;
    let mut next = || words.next().unwrap_or_default().to_owned();
    let (source, proxy) = (next(), next());
    Some(Proxied { source, source_port: next(), proxy, proxy_port: next() })
}

fn invalid(line: &[u8]) -> io::Error {
    let start = String::from_utf8_lossy(line.get(..line.len().min(40)).unwrap_or_default()).into_owned();
    io::Error::new(io::ErrorKind::InvalidData, format!("no PROXY protocol header, but {start:?}"))
}
