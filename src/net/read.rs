//! Reading without holding room for it: connections on which nothing happens cost next to nothing, however many.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use futures_util::future::poll_fn;
use tokio::io::{AsyncRead, ReadBuf};

/// As much as one read may bring, in bytes.
const BLOCK: usize = 64 * 1024;

thread_local! {
    static ROOM: RefCell<Box<[u8]>> = RefCell::new(vec![0; BLOCK].into());
}

/// Appends what has come, and waits for it if need be. 0: the peer has closed the connection. Cancel-safe.
///
/// # Errors
/// What the transport says.
pub async fn read_more(reader: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|context| {
        ROOM.with_borrow_mut(|room| {
            let mut buffer = ReadBuf::new(room);
            ready!(Pin::new(&mut *reader).poll_read(context, &mut buffer))?;
            into.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    })
    .await
}
