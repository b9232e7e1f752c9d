//! A connection to a Redis server: commands go out, and a task reads the answers.

use redis::{Cmd, Value};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Failure;

/// Answers that may wait to be taken; behind them, the server waits.
const AHEAD: usize = 64;

/// An open connection. It closes when it is dropped.
pub struct Connection {
    writer: Box<dyn AsyncWrite + Send + Unpin>,
    answers: mpsc::Receiver<Result<Value, Failure>>,
    reading: JoinHandle<()>,
}

impl Connection {
    /// A connection over a stream, of which nothing has been read.
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let (sender, answers) = mpsc::channel(AHEAD);
        Connection { writer: Box::new(writer), answers, reading: tokio::spawn(read(reader, sender)) }
    }

    /// Sends commands, as one or as several.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn send(&mut self, packed: &[u8]) -> Result<(), Failure> {
        self.writer.write_all(packed).await?;
        Ok(self.writer.flush().await?)
    }

    /// Waits for the next answer. Nothing is lost where this is given up half-way.
    ///
    /// # Errors
    /// The connection is broken, or the server refuses the command.
    pub async fn answer(&mut self) -> Result<Value, Failure> {
        let answer = self.answers.recv().await.unwrap_or(Err(Failure::Closed))?;
        answer.extract_error().map_err(refused)
    }

    /// An answer that is there already.
    pub fn answer_at_hand(&mut self) -> Option<Result<Value, Failure>> {
        let answer = self.answers.try_recv().ok()?;
        Some(answer.and_then(|answer| answer.extract_error().map_err(refused)))
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// The connection is broken, or the server refuses the command.
    pub async fn ask(&mut self, command: &Cmd) -> Result<Value, Failure> {
        self.send(&command.get_packed_command()).await?;
        self.answer().await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// Reads answers until the connection breaks, or until nobody wants them any more.
async fn read(mut reader: impl AsyncRead + Unpin, answers: mpsc::Sender<Result<Value, Failure>>) {
    let mut decoder = Default::default();
    loop {
        let answer = redis::parse_redis_value_async(&mut decoder, &mut reader).await.map_err(broken);
        let is_end = answer.is_err();
        if answers.send(answer).await.is_err() || is_end {
            return;
        }
    }
}

fn broken(error: redis::RedisError) -> Failure {
    match error.kind() {
        redis::ErrorKind::Io if error.is_connection_dropped() => Failure::Closed,
        redis::ErrorKind::Io => Failure::Io(std::io::Error::other(error.to_string())),
        _ => Failure::Protocol(error.to_string()),
    }
}

/// The server's own words, such as `NOSCRIPT No matching script`.
fn refused(error: redis::RedisError) -> Failure {
    Failure::Refused(match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => error.to_string(),
    })
}

/// The texts of an answer: an array's, or one alone; none of nil.
pub fn texts(answer: Value) -> Vec<Vec<u8>> {
    match answer {
        Value::BulkString(text) => vec![text],
        Value::SimpleString(text) => vec![text.into_bytes()],
        Value::Array(items) | Value::Set(items) => items.into_iter().flat_map(texts).collect(),
        Value::Push { data, .. } => data.into_iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn commands_go_out_and_answers_come_in() {
        let (near, mut far) = tokio::io::duplex(1000);
        let mut connection = Connection::new(near);
        far.write_all(b"$5\r\nhello\r\n-ERR no such thing\r\n*2\r\n$1\r\na\r\n$-1\r\n*-1\r\n").await.unwrap();
        assert_eq!(texts(connection.ask(redis::cmd("get").arg("k")).await.unwrap()), [b"hello".to_vec()]);
        let mut sent = [0; 20];
        far.read_exact(&mut sent).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&sent), "*2\r\n$3\r\nget\r\n$1\r\nk\r\n");
        let refused = connection.answer().await.unwrap_err();
        assert_eq!(refused.to_string(), "the server answers: ERR no such thing");
        assert_eq!(texts(connection.answer().await.unwrap()), [b"a".to_vec()]);
        assert!(texts(connection.answer().await.unwrap()).is_empty());
        drop(far);
        let closed = connection.answer().await.unwrap_err();
        assert!(matches!(closed, Failure::Closed), "{closed}");
    }

    #[tokio::test]
    async fn what_is_no_answer_is_said_so() {
        let (near, mut far) = tokio::io::duplex(1000);
        let mut connection = Connection::new(near);
        far.write_all(b"HTTP/1.1 400 Bad Request\r\n").await.unwrap();
        let wrong = connection.answer().await.unwrap_err();
        assert!(matches!(wrong, Failure::Protocol(_)), "{wrong}");
    }
}
