//! One request: whether it is let in, its events, and the answer (`MessageProcessor.java` and `http.rb`).

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tokio::sync::oneshot;

use super::body::{self, BodyError};
use crate::event::{Event, FieldReference, Object, SetError, Value};
use crate::plugin::{CodecFactory, EcsMode, Password, Sink};
use crate::queue::{Ack, Settled};

/// While a request has waited for the pipeline for this long, others are turned away before their body is read.
const BLOCKED: Duration = Duration::from_secs(10);

/// What all requests share.
pub struct Requests {
    /// The header that lets a request in.
    pub token: Option<Password>,
    pub codec: CodecFactory,
    /// By content type.
    pub codecs: HashMap<String, CodecFactory>,
    pub fields: Fields,
    /// The answer to a request that was taken.
    pub answer: (StatusCode, HeaderMap),
    /// Most bytes of a body.
    pub longest: usize,
    pub waiting: Waiting,
}

impl Requests {
    /// Takes a request's events, waits until the pipeline has them, and answers.
    pub async fn answer(&self, request: Request, client: SocketAddr, sink: &Sink) -> Response {
        if self.waiting.is_blocked() {
            return empty(StatusCode::TOO_MANY_REQUESTS);
        }
        let (mut parts, body) = request.into_parts();
        let body = match body::read(&mut parts.headers, body, self.longest).await {
            Ok(body) => body,
            Err(error) => return refused(&error),
        };
        let Some(place) = self.waiting.enter() else {
            return empty(StatusCode::TOO_MANY_REQUESTS);
        };
        if let Some(unauthorized) = self.unauthorized(&mut parts.headers) {
            return unauthorized;
        }
        let events = match self.decode(&parts, body, client, sink) {
            Ok(events) => events,
            Err(error) => {
                tracing::error!(%error, peer = %client, "could not make events of a request");
                return empty(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        let (settle, settled) = oneshot::channel();
        let ack = Ack::new(move |outcome| _ = settle.send(outcome));
        let sent = sink.send_decorated(events, Some(ack)).await;
        drop(place);
        match (sent, settled.await) {
            (Ok(()), Ok(Settled::Safe)) => self.taken(),
            _ => empty(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// The answer to a request that may not come in. The header with the password goes no further.
    fn unauthorized(&self, headers: &mut HeaderMap) -> Option<Response> {
        let given = headers.remove(AUTHORIZATION);
        let token = self.token.as_ref()?.reveal().as_bytes();
        let Some(given) = given else {
            let mut answer = empty(StatusCode::UNAUTHORIZED);
            let realm = HeaderValue::from_static("Basic realm=\"Logstash HTTP Input\"");
            answer.headers_mut().insert(WWW_AUTHENTICATE, realm);
            return Some(answer);
        };
        // In a time that tells nothing of the password.
        let right = given.len() == token.len() && openssl::memcmp::eq(given.as_bytes(), token);
        if right { None } else { Some(empty(StatusCode::UNAUTHORIZED)) }
    }

    fn decode(
        &self,
        parts: &Parts,
        body: Vec<u8>,
        client: SocketAddr,
        sink: &Sink,
    ) -> Result<Vec<Event>, SetError> {
        let content_type =
            parts.headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or_default());
        let codec = self.codecs.get(body::mime_type(content_type)).unwrap_or(&self.codec);
        let body = body::text(body, content_type);
        let mut events = Vec::new();
        let mut codec = codec.create();
        codec.decode(&body, &mut |event| events.push(event));
        codec.flush(&mut |event| events.push(event));
        let headers = headers_of(parts);
        let client = client.ip().to_canonical().to_string();
        for event in &mut events {
            self.fields.set(event, &headers, &client)?;
            sink.decorate(event);
        }
        Ok(events)
    }

    fn taken(&self) -> Response {
        let (status, headers) = &self.answer;
        let has_body = *status != StatusCode::NO_CONTENT;
        let mut answer = Response::new(if has_body { Body::from("ok") } else { Body::empty() });
        *answer.status_mut() = *status;
        *answer.headers_mut() = headers.clone();
        answer
    }
}

fn empty(status: StatusCode) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}

fn refused(error: &BodyError) -> Response {
    tracing::debug!(%error, "could not read a request");
    let status = match error {
        BodyError::TooLong => return empty(StatusCode::PAYLOAD_TOO_LARGE),
        BodyError::Slow => StatusCode::REQUEST_TIMEOUT,
        BodyError::Packed(_) | BodyError::Broken(_) => StatusCode::BAD_REQUEST,
    };
    let mut answer = Response::new(Body::from(error.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}

/// The headers as events have them, and what the request's first line says.
fn headers_of(parts: &Parts) -> Object {
    let mut headers = Object::new();
    for (name, value) in &parts.headers {
        let name = name.as_str().replace('-', "_");
        headers.insert(name, Value::from(&*String::from_utf8_lossy(value.as_bytes())));
    }
    for (from, to) in [("accept", "http_accept"), ("host", "http_host"), ("user_agent", "http_user_agent")] {
        let value = headers.remove(from).unwrap_or_default();
        headers.insert(to, value);
    }
    headers.insert("request_method", parts.method.as_str().into());
    headers.insert("request_path", Value::from(parts.uri.to_string()));
    headers.insert("http_version", Value::from(format!("{:?}", parts.version)));
    headers
}

/// The fields that tell of a request.
pub struct Fields {
    remote_host: FieldReference,
    headers: FieldReference,
    ecs: Option<EcsFields>,
}

struct EcsFields {
    /// From which header to which field.
    copied: Vec<(&'static str, FieldReference)>,
    domain: FieldReference,
    port: FieldReference,
}

impl Fields {
    pub fn new(remote_host: FieldReference, headers: FieldReference, ecs: EcsMode) -> Option<Self> {
        let field = |name| FieldReference::parse(name).ok();
        let ecs = match ecs.is_enabled() {
            false => None,
            true => Some(EcsFields {
                copied: vec![
                    ("http_version", field("[http][version]")?),
                    ("http_user_agent", field("[user_agent][original]")?),
                    ("request_method", field("[http][method]")?),
                    ("request_path", field("[url][path]")?),
                    ("content_length", field("[http][request][body][bytes]")?),
                    ("content_type", field("[http][request][mime_type]")?),
                ],
                domain: field("[url][domain]")?,
                port: field("[url][port]")?,
            }),
        };
        Some(Fields { remote_host, headers, ecs })
    }

    fn set(&self, event: &mut Event, headers: &Object, client: &str) -> Result<(), SetError> {
        if let Some(ecs) = &self.ecs {
            for (header, field) in &ecs.copied {
                if let Some(value @ Value::Str(_)) = headers.get(header) {
                    event.set(field, value.clone())?;
                }
            }
            if let Some(Value::Str(host)) = headers.get("http_host") {
                let (domain, port) = domain_and_port(host);
                event.set(&ecs.domain, domain)?;
                if let Some(port) = port {
                    event.set(&ecs.port, port)?;
                }
            }
        }
        event.set(&self.headers, headers.clone())?;
        event.set(&self.remote_host, client)
    }
}

/// `name:80` and `[::1]:80` in two; all else is a name.
fn domain_and_port(host: &str) -> (&str, Option<i64>) {
    let whole = (host, None);
    let Some((domain, port)) = host.rsplit_once(':') else { return whole };
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole;
    }
    let Ok(port) = port.parse() else { return whole };
    match domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']')) {
        Some(address) => (address, Some(port)),
        None if domain.is_empty() || domain.contains(':') => whole,
        None => (domain, Some(port)),
    }
}

/// The requests that wait for room in the pipeline's queue.
pub struct Waiting {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Since when, in the order in which they came.
    since: BTreeMap<u64, Instant>,
}

/// A request's place among them, until it is dropped.
pub struct Place<'a> {
    waiting: &'a Waiting,
    number: u64,
}

impl Waiting {
    /// Room for so many.
    pub fn new(most: usize) -> Self {
        Waiting { most: most.max(1), state: Mutex::default() }
    }

    fn enter(&self) -> Option<Place<'_>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.since.len() >= self.most {
            return None;
        }
        let number = state.next;
        state.next += 1;
        state.since.insert(number, Instant::now());
        Some(Place { waiting: self, number })
    }

    fn is_blocked(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.since.values().next().is_some_and(|since| since.elapsed() > BLOCKED)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.state.lock().unwrap_or_else(PoisonError::into_inner).since.remove(&self.number);
    }
}
