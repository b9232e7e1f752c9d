//! The life of one input: prepares (user ids, rules), opens the stream, reads it, and opens it again.

use std::time::Duration;

use reqwest::Response;

use super::backoff::{Backoff, Cause};
use super::client::{Authorization, Client, Failure};
use super::lines::{Line, Lines};
use super::request::{self, Fields, Filter, Hosts, Request};
use super::tweet::{self, Message, Shape};
use super::v2::{post, rules};
use crate::event::json::{self, Decimals};
use crate::event::{Event, SetError, Value};
use crate::plugin::{RunError, Shutdown, Sink};

/// So much of a line that is not JSON stands in the log.
const SHOWN_LINE: usize = 100;

/// Which API is spoken, and what is wanted of it.
#[derive(Debug)]
pub enum Api {
    V1 { filter: Filter },
    V2 { fields: Fields, rules: Vec<String>, rule_tag: String },
}

/// One input, ready to run.
#[derive(Debug)]
pub struct Session {
    pub id: String,
    pub hosts: Hosts,
    pub authorization: Authorization,
    pub api: Api,
    pub use_samples: bool,
    pub ignore_retweets: bool,
    pub shape: Shape,
    /// `host:port` of an HTTP proxy.
    pub proxy: Option<String>,
    pub rate_limit_reset_in: Duration,
    pub stall_timeout: Duration,
}

/// Why an attempt ended that will not be followed by another.
enum End {
    /// Shutdown was requested, or the pipeline is gone.
    Stopped,
    /// No retry can mend it.
    Fatal(RunError),
}

/// An attempt failed, for now or for good.
enum Broken {
    ForNow(Failure),
    ForGood(End),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Broken::ForNow(failure)
    }
}

impl Session {
    /// Runs until shutdown is requested. Whatever the server or the network do is retried; only a followed user that
    /// does not exist ends the input.
    pub async fn stream(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let client = Client::new(self.authorization.clone(), self.proxy.as_deref())
            .map_err(|error| RunError::new(format!("twitter input: cannot set up HTTP: {error}")))?;
        let mut run = Run {
            backoff: Backoff::new(self.rate_limit_reset_in),
            session: *self,
            client,
            sink,
            shutdown,
            request: None,
        };
        loop {
            let failure = match run.attempt().await {
                Broken::ForGood(End::Stopped) => return Ok(()),
                Broken::ForGood(End::Fatal(error)) => return Err(error),
                Broken::ForNow(failure) => failure,
            };
            let wait = run.backoff.wait(failure.cause, fastrand::f64());
            run.log(&failure, wait);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = run.shutdown.requested() => return Ok(()),
            }
        }
    }

    /// The event of one message; `None` for those that carry none.
    fn event(&self, message: Value) -> Result<Option<Event>, SetError> {
        match self.api {
            Api::V1 { .. } => match Message::of(message) {
                Message::Tweet(tweet) if self.ignore_retweets && tweet::is_retweet(&tweet) => Ok(None),
                Message::Tweet(tweet) => self.shape.event_of_tweet(tweet).map(Some),
                other => {
                    self.note(&other);
                    Ok(None)
                }
            },
            Api::V2 { .. } => match post::Message::of(message) {
                post::Message::Post(post) if self.ignore_retweets && post::is_retweet(&post) => Ok(None),
                post::Message::Post(post) => post::event_of_post(&self.shape, post).map(Some),
                post::Message::Errors { reason } => {
                    tracing::warn!(plugin = self.id, reason, "the stream reports an error");
                    Ok(None)
                }
                post::Message::Other => Ok(None),
            },
        }
    }

    fn note(&self, message: &Message) {
        let plugin = self.id.as_str();
        match message {
            // Comes every second while more matches than the API passes on.
            Message::Limit { track } => tracing::debug!(plugin, track, "the api holds tweets back"),
            Message::Disconnect { reason } => tracing::warn!(plugin, reason, "the server ends the stream"),
            Message::Warning { message } => tracing::warn!(plugin, message, "the server warns"),
            Message::Tweet(_) | Message::Other => {}
        }
    }
}

/// A session at work.
struct Run {
    session: Session,
    client: Client,
    sink: Sink,
    shutdown: Shutdown,
    backoff: Backoff,
    /// What opens the stream, once it is prepared.
    request: Option<Request>,
}

impl Run {
    /// Opens the stream and reads it until something ends it.
    async fn attempt(&mut self) -> Broken {
        let shutdown = self.shutdown.clone();
        let opened = tokio::select! {
            () = shutdown.requested() => return Broken::ForGood(End::Stopped),
            opened = self.open() => opened,
        };
        match opened {
            Ok(response) => self.read(response).await,
            Err(broken) => broken,
        }
    }

    async fn open(&mut self) -> Result<Response, Broken> {
        if self.request.is_none() {
            self.request = Some(self.prepare().await?);
        }
        let Some(request) = &self.request else { return Err(Broken::ForGood(End::Stopped)) };
        let response = self.client.open(request, self.session.stall_timeout).await?;
        tracing::info!(plugin = self.session.id, url = request.url, "reading the stream");
        Ok(response)
    }

    /// Looks up user names (v1.1) or brings the rules in step (v2), and makes the request that opens the stream.
    async fn prepare(&self) -> Result<Request, Broken> {
        let Session { hosts, use_samples, .. } = &self.session;
        match &self.session.api {
            Api::V1 { .. } if *use_samples => Ok(request::sample(hosts)),
            Api::V1 { filter } => {
                let mut filter = filter.clone();
                for user in &mut filter.follows {
                    if !request::is_user_id(user) {
                        *user = self.user_id(user).await?;
                    }
                }
                Ok(filter.request(hosts))
            }
            Api::V2 { fields, rules, rule_tag } => {
                if !use_samples {
                    self.put_rules_in_step(rules, rule_tag).await?;
                }
                Ok(request::v2_stream(hosts, *use_samples, fields))
            }
        }
    }

    async fn user_id(&self, name: &str) -> Result<String, Broken> {
        let answer = match self.client.fetch(&request::user(&self.session.hosts, name)).await {
            Err(failure) if failure.status == Some(404) => {
                let message = format!("twitter input: option \"follows\": there is no user \"{name}\"");
                return Err(Broken::ForGood(End::Fatal(RunError::new(message))));
            }
            answer => answer?,
        };
        match answer.as_object().and_then(|user| user.get("id")) {
            Some(Value::Int(id)) => Ok(id.to_string()),
            _ => Err(Failure::unexpected(format!("the answer about the user \"{name}\" has no id")).into()),
        }
    }

    async fn put_rules_in_step(&self, wanted: &[String], tag: &str) -> Result<(), Broken> {
        let url = request::rules_url(&self.session.hosts);
        let listing = self.client.fetch(&Request::get(url.clone(), Vec::new())).await?;
        let changes = rules::Changes::between(wanted, &rules::parse_listing(&listing), tag);
        for body in changes.bodies(tag) {
            let answer = self.client.fetch(&Request::post_json(url.clone(), body.to_string())).await?;
            // Refused rules are reported in an answer that is a success otherwise.
            if let Some(errors) = answer.as_object().and_then(|answer| answer.get("errors")?.as_array()) {
                let reason = post::reason(errors);
                return Err(Failure::unexpected(format!("the rules are refused: {reason}")).into());
            }
        }
        Ok(())
    }

    /// Reads the body to its end. What was read is handed over even when shutdown is requested meanwhile.
    async fn read(&mut self, mut response: Response) -> Broken {
        let shutdown = self.shutdown.clone();
        let mut lines = Lines::default();
        loop {
            let next = tokio::time::timeout(self.session.stall_timeout, response.chunk());
            let chunk = tokio::select! {
                () = shutdown.requested() => return Broken::ForGood(End::Stopped),
                chunk = next => chunk,
            };
            let chunk = match chunk {
                Err(_) => {
                    let seconds = self.session.stall_timeout.as_secs_f64();
                    return Failure::network(format!("no data for {seconds} s, not even a keep-alive"))
                        .into();
                }
                Ok(Err(error)) => return Failure::from(error).into(),
                Ok(Ok(None)) => return closed(&lines).into(),
                Ok(Ok(Some(chunk))) => chunk,
            };
            let mut events = Vec::new();
            lines.push(&chunk, |line| {
                if let Some(event) = self.session.event_of_line(line) {
                    events.push(event);
                }
            });
            if !events.is_empty() {
                self.backoff.reset();
                if self.sink.send(events, None).await.is_err() {
                    return Broken::ForGood(End::Stopped);
                }
            }
        }
    }

    /// One line per trouble: the first of its kind in a row, and every wait for a limit, which are long.
    fn log(&self, failure: &Failure, wait: Duration) {
        let plugin = self.session.id.as_str();
        let wait = format!("{:.1} s", wait.as_secs_f64());
        match failure.cause {
            Cause::RateLimited { .. } => {
                tracing::warn!(plugin, error = %failure, wait, "too many requests or connections, waiting");
            }
            _ if !self.backoff.is_first() => {
                tracing::debug!(plugin, error = %failure, wait, "the stream is still away");
            }
            Cause::Refused => {
                let options = match self.session.api {
                    Api::V1 { .. } => "consumer_key, consumer_secret, oauth_token and oauth_token_secret",
                    Api::V2 { .. } => "bearer_token",
                };
                tracing::error!(
                    plugin, error = %failure, wait,
                    "the server refuses the credentials: check {options} (and this machine's clock)"
                );
            }
            Cause::Network if failure.is_untrusted() => tracing::error!(
                plugin, error = %failure, wait,
                "the server's certificate is not trusted: the environment variable SSL_CERT_FILE may name a file with \
                 the authorities to trust"
            ),
            Cause::Closed => tracing::info!(plugin, wait, "the server closed the stream, opening it again"),
            Cause::Network | Cause::Server => {
                tracing::warn!(plugin, error = %failure, wait, "the stream broke, opening it again");
            }
        }
    }
}

impl Session {
    /// Decodes a line. One that is no JSON is logged and left out.
    fn event_of_line(&self, line: Line<'_>) -> Option<Event> {
        let plugin = self.id.as_str();
        let Line::Message(bytes) = line else {
            tracing::warn!(plugin, "skipped a line that is too long for a tweet");
            return None;
        };
        let text = String::from_utf8_lossy(bytes);
        let message = match json::parse(&text, Decimals::Lossless) {
            Ok(message) => message,
            Err(error) => {
                let shown: String = text.chars().take(SHOWN_LINE).collect();
                tracing::warn!(plugin, %error, line = ?shown, "skipped a line that is not JSON");
                return None;
            }
        };
        match self.event(message) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(plugin, %error, "could not make an event of a tweet");
                None
            }
        }
    }
}

fn closed(lines: &Lines) -> Failure {
    let message = if lines.is_inside_line() { "closed inside a message" } else { "closed by the server" };
    Failure { cause: Cause::Closed, status: None, message: message.to_owned() }
}
