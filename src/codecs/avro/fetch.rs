//! Where a schema comes from: a file, read when the codec is made, or a server, asked with the first message.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::AvroOptions;
use super::schema::Schema;
use super::tls;

/// How often a server is asked before the message fails.
const ATTEMPTS: u32 = 3;
/// How long a server may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// After a failure, messages fail at once for that long.
const PAUSE: Duration = Duration::from_secs(10);
/// A schema is some kilobytes.
const LARGEST_SCHEMA: usize = 16 << 20;

/// A schema that is there or can be had.
#[derive(Debug)]
pub enum Source {
    Known(Arc<Schema>),
    Server(Box<Server>),
}

/// A server and the way to it.
#[derive(Debug)]
pub struct Server {
    uri: String,
    client: reqwest::Client,
    user: Option<(String, crate::plugin::Password)>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Unknown,
    Known(Arc<Schema>),
    Failed(Instant, String),
}

impl Source {
    /// Reads the file of `schema_uri`, or prepares to fetch it. Fails with the option to blame and the reason.
    pub fn new(options: &AvroOptions) -> Result<Self, (&'static str, String)> {
        let uri = &options.schema_uri;
        let is_secure = uri.starts_with("https://");
        if !is_secure && !uri.starts_with("http://") {
            let path = uri.strip_prefix("file://").unwrap_or(uri);
            let text =
                std::fs::read_to_string(path).map_err(|error| ("schema_uri", format!("{path}: {error}")))?;
            return match Schema::parse(&text) {
                Ok(schema) => Ok(Source::Known(Arc::new(schema))),
                Err(error) => Err(("schema_uri", format!("{path}: {error}"))),
            };
        }
        let user = credentials(options)?;
        if user.is_some() && !is_secure {
            tracing::warn!("credentials are sent over unencrypted HTTP to fetch the schema");
        }
        let client = tls::client(options, is_secure)?;
        let server = Server { uri: uri.clone(), client, user, state: Mutex::new(State::Unknown) };
        Ok(Source::Server(Box::new(server)))
    }

    /// The schema; asks the server until it has answered once. Fails with the reason.
    pub fn get(&self) -> Result<Arc<Schema>, String> {
        let server = match self {
            Source::Known(schema) => return Ok(Arc::clone(schema)),
            Source::Server(server) => server,
        };
        let mut state = server.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Known(schema) => return Ok(Arc::clone(schema)),
            State::Failed(since, error) if since.elapsed() < PAUSE => return Err(error.clone()),
            _ => {}
        }
        match server.fetch() {
            Ok(schema) => {
                let schema = Arc::new(schema);
                *state = State::Known(Arc::clone(&schema));
                Ok(schema)
            }
            Err(error) => {
                let error = format!("could not fetch the schema from {}: {error}", server.uri);
                tracing::error!(error, "without its schema, avro data cannot be read or written");
                *state = State::Failed(Instant::now(), error.clone());
                Err(error)
            }
        }
    }
}

/// User and password, of which none may be given alone.
fn credentials(
    options: &AvroOptions,
) -> Result<Option<(String, crate::plugin::Password)>, (&'static str, String)> {
    match (&options.username, &options.password) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) if !user.is_empty() && !password.reveal().is_empty() => {
            Ok(Some((user.clone(), password.clone())))
        }
        (Some(_), Some(_)) => Err(("username", "an empty username or password is not allowed".into())),
        (Some(_), None) => Err(("username", "requires password".into())),
        (None, Some(_)) => Err(("password", "is not allowed unless username is given".into())),
    }
}

impl Server {
    /// Asks on a thread of its own, for the caller may stand inside an asynchronous task.
    fn fetch(&self) -> Result<Schema, String> {
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.map_err(|error| error.to_string())?.block_on(self.ask())
            });
            asking.join().unwrap_or_else(|_| Err("the request broke down".into()))
        })
    }

    async fn ask(&self) -> Result<Schema, String> {
        let mut attempt = 1;
        loop {
            let (error, is_final) = match self.ask_once().await {
                Ok(text) => return Schema::parse(&text),
                Err(failure) => failure,
            };
            if is_final || attempt >= ATTEMPTS {
                return Err(error);
            }
            let wait = 2_u64.pow(attempt);
            tracing::warn!(uri = self.uri, error, "fetching the schema failed, trying again in {wait} s");
            tokio::time::sleep(Duration::from_secs(wait)).await;
            attempt += 1;
        }
    }

    /// Fails with the reason, and whether asking again is of no use.
    async fn ask_once(&self) -> Result<String, (String, bool)> {
        let mut request = self.client.get(&self.uri).timeout(ANSWER_TIMEOUT);
        if let Some((user, password)) = &self.user {
            request = request.basic_auth(user, Some(password.reveal()));
        }
        let passing = |error: reqwest::Error| (error.without_url().to_string(), false);
        let mut response = request.send().await.map_err(passing)?;
        let status = response.status();
        if status != reqwest::StatusCode::OK {
            return Err((format!("HTTP {status}"), status.is_client_error()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(passing)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_SCHEMA {
                return Err(("the answer is too large for a schema".into(), true));
            }
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}
