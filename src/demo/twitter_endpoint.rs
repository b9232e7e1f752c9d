//! A stand-in for Twitter's streaming hosts on loopback: checks who asks, streams made-up tweets, and misbehaves on
//! request, so that one can see and test what a client does then.

use std::collections::{HashSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{io, thread};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::signature::{self, Secrets};
use super::stream::{self, Stream};
use super::tweets::{Tweets, user_id};

/// How the endpoint behaves.
#[derive(Clone)]
pub struct Options {
    /// The sequence of tweets: see [`Tweets`].
    pub seed: u64,
    /// When the first tweet was written.
    pub start: jiff::Timestamp,
    /// Tweets to send over all connections; then only keep-alives follow. Without end where it is `None`.
    pub count: Option<u64>,
    /// Tweets per second; as fast as they are read where it is `None`.
    pub rate: Option<f64>,
    /// The pause between two keep-alives while there is nothing else to send.
    pub keep_alive: Duration,
    /// What v1.1 requests must be signed with.
    pub secrets: Secrets,
    /// What v2 requests must name.
    pub bearer_token: &'static str,
    /// The scheme that clients reach it by, which they sign: `https` where something before it ends TLS.
    pub scheme: &'static str,
    /// What the first connections see, in order; later ones are streamed to as they should be.
    pub script: Vec<Connection>,
    /// Holds tweets back while too many of those sent have not arrived.
    pub window: Option<Window>,
    /// Remember what was asked and sent, for [`Endpoint::requests`] and [`Endpoint::sent`]. Costs memory for ever.
    pub record: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 1,
            start: jiff::Timestamp::now(),
            count: None,
            rate: None,
            keep_alive: Duration::from_secs(10),
            secrets: signature::EXAMPLE,
            bearer_token: "AAAAAAAAAAAAAAAAAAAAAExample",
            scheme: "http",
            script: Vec::new(),
            window: None,
            record: false,
        }
    }
}

/// How many tweets may be on their way.
#[derive(Debug, Clone)]
pub struct Window {
    /// Counts those that arrived where they should.
    pub arrived: Arc<AtomicU64>,
    pub most: u64,
}

/// What one connection to a stream sees.
#[derive(Debug, Clone)]
pub enum Connection {
    /// An answer that is no success, with one header.
    Refused { status: u16, header: Option<(&'static str, String)>, body: &'static str },
    /// A stream that does these things first, and then goes on as it should.
    Streamed(Vec<Act>),
}

/// A thing that a stream does.
#[derive(Debug, Clone)]
pub enum Act {
    /// Sends so many tweets.
    Tweets(u64),
    /// Sends a line as it stands.
    Line(String),
    /// Sends the first half of a tweet.
    HalfTweet,
    /// Breaks the connection, as a crash does.
    Break,
    /// Ends the stream in good order, as a server does that is restarted.
    End,
    /// Falls silent without an end.
    Stall,
}

/// One request as the endpoint saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    pub path: String,
    /// Decoded, of the query and of a form.
    pub parameters: Vec<(String, String)>,
    pub status: u16,
}

/// A running endpoint. It ends when this is dropped.
pub struct Endpoint {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

pub(super) struct Shared {
    pub options: Options,
    pub state: Mutex<Progress>,
}

/// What changes while the endpoint runs.
pub(super) struct Progress {
    pub tweets: Tweets,
    /// Tweets still to be sent, where there is an end.
    left: Option<u64>,
    /// Tweets that were taken to be sent.
    taken: u64,
    pub sent: Vec<Arc<str>>,
    seen: Vec<Seen>,
    script: VecDeque<Connection>,
    nonces: HashSet<String>,
    rules: Vec<(u64, Value)>,
}

impl Shared {
    /// A panic elsewhere leaves nothing half-written here.
    pub fn state(&self) -> MutexGuard<'_, Progress> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another tweet may be sent.
pub(super) enum Turn {
    Now,
    /// When some of those on their way have arrived.
    Later,
    /// All are sent.
    Never,
}

impl Shared {
    /// Counts one more tweet as sent, if there is one to send.
    pub fn take_turn(&self) -> Turn {
        let mut state = self.state();
        if state.left == Some(0) {
            return Turn::Never;
        }
        if let Some(window) = &self.options.window
            && state.taken.saturating_sub(window.arrived.load(Ordering::Acquire)) >= window.most
        {
            return Turn::Later;
        }
        state.taken += 1;
        state.left = state.left.map(|left| left - 1);
        Turn::Now
    }
}

impl Endpoint {
    /// Starts an endpoint on a free port of loopback, on a thread of its own.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let progress = Progress {
            tweets: Tweets::new(options.seed, options.start),
            left: options.count,
            taken: 0,
            sent: Vec::new(),
            seen: Vec::new(),
            script: options.script.clone().into(),
            nonces: HashSet::new(),
            rules: Vec::new(),
        };
        let shared = Arc::new(Shared { options, state: Mutex::new(progress) });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("twitter endpoint".into()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                // Open streams end with the runtime.
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Endpoint { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// The address to give a client, as `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, when they are recorded.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// The messages sent in full so far, one line of JSON each, when they are recorded.
    pub fn sent(&self) -> Vec<Arc<str>> {
        self.shared.state().sent.clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread has ended already where nobody listens any more.
            _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

/// A request taken apart.
struct Asked {
    method: Method,
    path: String,
    parameters: Vec<(String, String)>,
    headers: HeaderMap,
    body: String,
}

async fn answer(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let is_form = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/x-www-form-urlencoded");
    let parameters =
        pairs(parts.uri.query().unwrap_or_default()).chain(pairs(if is_form { &body } else { "" })).collect();
    let asked =
        Asked { method: parts.method, path: path_of(&parts.uri), parameters, headers: parts.headers, body };
    let response = respond(&shared, &asked);
    if shared.options.record {
        shared.state().seen.push(Seen {
            method: asked.method.to_string(),
            path: asked.path,
            parameters: asked.parameters,
            status: response.status().as_u16(),
        });
    }
    response
}

fn path_of(uri: &Uri) -> String {
    uri.path().to_owned()
}

fn pairs(encoded: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    encoded.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn respond(shared: &Arc<Shared>, asked: &Asked) -> Response {
    if let Err(why) = check(shared, asked) {
        return json_answer(
            401,
            &json!({ "errors": [{ "code": 32, "message": format!("Could not authenticate you: {why}.") }] }),
        );
    }
    match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/1.1/statuses/filter.json") => filter(shared, asked),
        ("GET", "/1.1/statuses/sample.json") => streamed(shared, Vec::new(), false),
        ("GET", "/1.1/users/show.json") => show_user(asked),
        ("GET", "/2/tweets/search/stream/rules") => list_rules(shared),
        ("POST", "/2/tweets/search/stream/rules") => change_rules(shared, asked),
        ("GET", "/2/tweets/search/stream" | "/2/tweets/sample/stream") => streamed(shared, Vec::new(), true),
        _ => json_answer(
            404,
            &json!({ "errors": [{ "code": 34, "message": "Sorry, that page does not exist." }] }),
        ),
    }
}

/// Checks the signature of v1.1's requests and the token of v2's.
fn check(shared: &Shared, asked: &Asked) -> Result<(), &'static str> {
    let text = |name| asked.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = text(header::AUTHORIZATION);
    if asked.path.starts_with("/2/") {
        let right = given.strip_prefix("Bearer ").is_some_and(|token| token == shared.options.bearer_token);
        return if right { Ok(()) } else { Err("wrong bearer token") };
    }
    let url = format!("{}://{}{}", shared.options.scheme, text(header::HOST), asked.path);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let target = (asked.method.as_str(), url.as_str());
    let nonce = signature::check(&shared.options.secrets, target, &asked.parameters, given, now)?;
    if shared.state().nonces.insert(nonce) { Ok(()) } else { Err("nonce was used before") }
}

fn filter(shared: &Arc<Shared>, asked: &Asked) -> Response {
    let value = |name| asked.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if ["track", "follow", "locations"].into_iter().all(|name| value(name).is_none()) {
        return text_answer(
            406,
            "No filter parameters found. Expect at least one parameter: follow track locations\r\n",
        );
    }
    let track = value("track").unwrap_or_default();
    streamed(shared, track.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect(), false)
}

/// The next connection of the script, or an orderly stream.
fn streamed(shared: &Arc<Shared>, keywords: Vec<String>, is_v2: bool) -> Response {
    let next = shared.state().script.pop_front();
    let acts = match next {
        Some(Connection::Refused { status, header, body }) => {
            let mut response = text_answer(status, body);
            if let Some((name, value)) = header
                && let Ok(value) = value.parse()
            {
                response.headers_mut().insert(name, value);
            }
            return response;
        }
        Some(Connection::Streamed(acts)) => acts,
        None => Vec::new(),
    };
    let body = stream::body(Stream::new(Arc::clone(shared), keywords, is_v2, acts));
    with_type(Response::new(body), "application/json; charset=utf-8")
}

fn show_user(asked: &Asked) -> Response {
    match asked.parameters.iter().find(|(name, _)| name == "screen_name") {
        // The one name that nobody has.
        Some((_, name)) if name != "nobody" => {
            let id = user_id(name);
            json_answer(200, &json!({ "id": id, "id_str": id.to_string(), "screen_name": name }))
        }
        _ => json_answer(404, &json!({ "errors": [{ "code": 50, "message": "User not found." }] })),
    }
}

fn list_rules(shared: &Shared) -> Response {
    let rules: Vec<Value> = shared
        .state()
        .rules
        .iter()
        .map(|(id, rule)| json!({ "id": id.to_string(), "value": rule["value"], "tag": rule["tag"] }))
        .collect();
    let meta = json!({ "sent": "2024-05-06T07:08:09.000Z", "result_count": rules.len() });
    json_answer(
        200,
        &if rules.is_empty() { json!({ "meta": meta }) } else { json!({ "data": rules, "meta": meta }) },
    )
}

fn change_rules(shared: &Shared, asked: &Asked) -> Response {
    let Ok(change) = serde_json::from_str::<Value>(&asked.body) else {
        return json_answer(400, &json!({ "title": "Invalid Request", "detail": "the body is not JSON" }));
    };
    let mut state = shared.state();
    let ids = change["delete"]["ids"].as_array().cloned().unwrap_or_default();
    state.rules.retain(|(id, _)| !ids.contains(&json!(id.to_string())));
    for rule in change["add"].as_array().into_iter().flatten() {
        let id = state.rules.last().map_or(1, |(last, _)| last + 1);
        state.rules.push((id, rule.clone()));
    }
    json_answer(201, &json!({ "meta": { "sent": "2024-05-06T07:08:09.000Z" } }))
}

fn json_answer(status: u16, body: &Value) -> Response {
    with_type(text_answer(status, &body.to_string()), "application/json; charset=utf-8")
}

fn text_answer(status: u16, body: &str) -> Response {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = status.try_into().unwrap_or_default();
    response
}

fn with_type(mut response: Response, kind: &'static str) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
