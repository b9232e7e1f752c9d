//! The client's side: windows of version 1, and the wait for their acknowledgements (`lumberjack/client.rb` of the gem
//! jls-lumberjack).

use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::net::Duplex;

/// How long a server may be silent while a window is on its way. Servers of today say every few seconds that they have
/// not forgotten it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A window: a frame that tells its size, and its events in one packed frame. The events are numbered from 1, so that
/// the number of the last one is their count: servers acknowledge either.
///
/// # Errors
/// There is more than a frame can hold.
pub fn window_of(events: &[&[(&str, &[u8])]]) -> io::Result<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    for (number, pairs) in (1..).zip(events) {
        packer.write_all(b"1D")?;
        packer.write_all(&u32::to_be_bytes(number))?;
        packer.write_all(&length(pairs.len())?)?;
        for (key, value) in *pairs {
            for part in [key.as_bytes(), value] {
                packer.write_all(&length(part.len())?)?;
                packer.write_all(part)?;
            }
        }
    }
    let packed = packer.finish()?;
    let mut window = Vec::with_capacity(packed.len() + 12);
    window.extend_from_slice(b"1W");
    window.extend_from_slice(&length(events.len())?);
    window.extend_from_slice(b"1C");
    window.extend_from_slice(&length(packed.len())?);
    window.extend_from_slice(&packed);
    Ok(window)
}

fn length(length: usize) -> io::Result<[u8; 4]> {
    u32::try_from(length).map(u32::to_be_bytes).map_err(|_| io::Error::other("an event is larger than 4 GiB"))
}

/// A connection to a server.
pub struct Client {
    stream: Box<dyn Duplex>,
}

impl Client {
    pub fn new(stream: Box<dyn Duplex>) -> Self {
        Client { stream }
    }

    /// Sends a window of so many events, and returns when the server has taken all of them.
    ///
    /// # Errors
    /// What the transport says, a server that is silent for too long, or one that says what none may say. The
    /// connection is of no use then.
    pub async fn send(&mut self, window: &[u8], events: usize) -> io::Result<()> {
        let write = async {
            self.stream.write_all(window).await?;
            self.stream.flush().await
        };
        // A server that is busy reads slowly, but it reads.
        timeout(PATIENCE, write).await??;
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        loop {
            let mut frame = [0; 6];
            timeout(PATIENCE, self.stream.read_exact(&mut frame)).await??;
            let [b'1' | b'2', b'A', number @ ..] = frame else {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the server's answer is no acknowledgement",
                ));
            };
            match u32::from_be_bytes(number) {
                number if number == events => return Ok(()),
                // Some are safe, or the server asks for patience.
                number if number < events => {}
                number => {
                    let said = format!("the server acknowledges event {number} of {events}");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, said));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;
    use crate::lumberjack::window::Windows;
    use crate::lumberjack::{Version, frame};

    #[test]
    fn windows_are_what_servers_read() {
        let bytes = window_of(&[&[("line", b"one")], &[("line", "zwei \u{e4}".as_bytes()), ("host", b"h")]]);
        let bytes = bytes.unwrap();
        assert_eq!(bytes[..8], *b"1W\0\0\0\x021C");
        let mut windows = Windows::default();
        windows.buffer().extend_from_slice(&bytes);
        let window = windows.next_window().unwrap().unwrap();
        assert_eq!((window.version, window.sequence, window.events.len()), (Version::V1, 2, 2));
        assert_eq!(window.events[1].get("line"), Some(&Value::from("zwei \u{e4}")));
        assert_eq!(window.events[1].get("host"), Some(&Value::from("h")));
    }

    #[tokio::test]
    async fn a_window_is_done_when_its_last_event_is_acknowledged() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let mut client = Client::new(Box::new(ours));
        for number in [0, 1, 3] {
            theirs.write_all(&frame::acknowledgement(Version::V1, number)).await.unwrap();
        }
        client.send(b"window", 3).await.unwrap();
        theirs.write_all(&frame::acknowledgement(Version::V1, 4)).await.unwrap();
        assert!(client.send(b"window", 3).await.unwrap_err().to_string().contains("event 4 of 3"));
        theirs.write_all(b"HTTP/1.1 400").await.unwrap();
        assert!(client.send(b"window", 3).await.is_err());
        drop(theirs);
        assert!(client.send(b"window", 3).await.is_err());
    }
}
