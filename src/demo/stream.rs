//! The body of one streaming connection to the stand-in endpoint: tweets at their rate, keep-alives, and mishaps.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::stream;
use tokio::time::{Instant, sleep, sleep_until};

use super::tweets::to_line;
use super::twitter_endpoint::{Act, Shared, Turn};

/// Written with one system call when there is no rate to keep.
const TWEETS_PER_CHUNK: u64 = 16;
/// The pause before the window is looked at again.
const WINDOW_PAUSE: Duration = Duration::from_millis(5);

/// Where a connection stands.
pub struct Stream {
    shared: Arc<Shared>,
    keywords: Vec<String>,
    is_v2: bool,
    acts: VecDeque<Act>,
    /// When the next tweet is due, where there is a rate.
    due: Instant,
    ended: bool,
}

impl Stream {
    pub(super) fn new(shared: Arc<Shared>, keywords: Vec<String>, is_v2: bool, acts: Vec<Act>) -> Self {
        // A v2 client may not say what it wants with the connection.
        let keywords = match keywords.is_empty() {
            true => ["news", "game", "bigdata", "AI"].map(str::to_owned).to_vec(),
            false => keywords,
        };
        Stream { shared, keywords, is_v2, acts: acts.into(), due: Instant::now(), ended: false }
    }

    /// The next bytes of the body, `None` at its end; an error breaks the connection.
    async fn next(&mut self) -> Option<io::Result<String>> {
        if self.ended {
            return None;
        }
        match self.acts.pop_front() {
            Some(Act::Tweets(count)) => {
                let (chunk, sent) = self.tweets(count).await;
                if sent < count {
                    self.acts.push_front(Act::Tweets(count - sent));
                }
                Some(Ok(chunk))
            }
            Some(Act::Line(line)) => Some(Ok(line + "\r\n")),
            Some(Act::HalfTweet) => {
                let line = self.tweet();
                Some(Ok(line.chars().take(line.len() / 2).collect()))
            }
            Some(Act::Break) => {
                self.ended = true;
                // What was written must have left before the connection breaks.
                sleep(Duration::from_millis(50)).await;
                Some(Err(io::Error::from(io::ErrorKind::ConnectionReset)))
            }
            Some(Act::End) => None,
            Some(Act::Stall) => std::future::pending().await,
            None => Some(Ok(self.tweets(u64::MAX).await.0)),
        }
    }

    /// Up to `most` tweets, when they are due, and how many; a keep-alive where there are none.
    async fn tweets(&mut self, most: u64) -> (String, u64) {
        let keep_alive = self.shared.options.keep_alive;
        let count = match self.shared.options.rate {
            Some(rate) if rate > 0.0 => {
                if self.due > Instant::now() + keep_alive {
                    sleep(keep_alive).await;
                    return ("\r\n".to_owned(), 0);
                }
                sleep_until(self.due).await;
                self.due += Duration::from_secs_f64(1.0 / rate);
                1
            }
            _ => TWEETS_PER_CHUNK,
        };
        let mut chunk = String::new();
        let mut sent = 0;
        while sent < count.min(most) {
            match self.shared.take_turn() {
                Turn::Now => {}
                Turn::Later if sent == 0 => {
                    sleep(WINDOW_PAUSE).await;
                    continue;
                }
                Turn::Later | Turn::Never => break,
            }
            sent += 1;
            let line = self.tweet();
            chunk.push_str(&line);
            chunk.push_str("\r\n");
            if self.shared.options.record {
                self.shared.state().sent.push(line.into());
            }
        }
        if chunk.is_empty() {
            sleep(keep_alive).await;
            chunk.push_str("\r\n");
        }
        (chunk, sent)
    }

    fn tweet(&self) -> String {
        let tweets = &mut self.shared.state().tweets;
        to_line(&if self.is_v2 { tweets.next_v2(&self.keywords) } else { tweets.next_v1(&self.keywords) })
    }
}

/// The stream as the body of an answer.
pub fn body(stream: Stream) -> Body {
    Body::from_stream(stream::unfold(stream, |mut stream| async move {
        let next = stream.next().await?;
        Some((next, stream))
    }))
}
