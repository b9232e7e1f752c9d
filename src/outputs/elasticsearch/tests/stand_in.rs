//! A server on loopback that answers as Elasticsearch does, and as a test tells it to.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

/// How a bulk request is answered.
pub enum Reply {
    /// The whole request with a status and a body.
    Status(u16, &'static str),
    /// Each document by the next of these: status, type of error.
    Items(Vec<(u16, &'static str)>),
    /// The answer begins, and then the connection ends.
    HangUp,
    /// 413 for requests with more bytes.
    AtMost(usize),
    /// 400 where a document's action has this id.
    Spoilt(&'static str),
}

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: String,
}

#[derive(Default)]
struct Inner {
    seen: Vec<Seen>,
    replies: VecDeque<Reply>,
    root: String,
    health: u16,
    existing: Vec<String>,
    nodes: Value,
    pause: std::time::Duration,
    at_once: (usize, usize),
    refusals: Vec<(String, u16)>,
}

/// The server. It ends with the test's runtime.
#[derive(Clone)]
pub struct StandIn {
    pub address: String,
    inner: Arc<Mutex<Inner>>,
}

impl StandIn {
    /// A server that says it is Elasticsearch 8.
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    pub async fn start_at(address: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let inner = Arc::new(Mutex::new(Inner {
            root: r#"{"version":{"number":"8.15.0","build_flavor":"default"}}"#.into(),
            health: 200,
            ..Inner::default()
        }));
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await });
        StandIn { address, inner }
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) -> &Self {
        change(&mut self.inner.lock().unwrap());
        self
    }

    /// What `GET /` answers.
    pub fn is(&self, root: &str) -> &Self {
        self.change(|inner| inner.root = root.into())
    }

    /// What the health check answers.
    pub fn health(&self, status: u16) -> &Self {
        self.change(|inner| inner.health = status)
    }

    /// The next bulk requests are answered so; those after them are taken.
    pub fn replies(&self, replies: impl IntoIterator<Item = Reply>) -> &Self {
        self.change(|inner| inner.replies.extend(replies))
    }

    /// Every bulk request takes this long.
    pub fn slow(&self, pause: std::time::Duration) -> &Self {
        self.change(|inner| inner.pause = pause)
    }

    /// How many bulk requests there were at most at a time.
    pub fn most_at_once(&self) -> usize {
        self.inner.lock().unwrap().at_once.1
    }

    /// A path that exists.
    pub fn has(&self, path: &str) -> &Self {
        self.change(|inner| inner.existing.push(path.into()))
    }

    /// Requests whose path begins so are refused with a status.
    pub fn refuses(&self, path: &str, status: u16) -> &Self {
        self.change(|inner| inner.refusals.push((path.into(), status)))
    }

    pub fn lists(&self, addresses: &[&str]) -> &Self {
        let node = |address: &&str| json!({ "roles": ["data"], "http": { "publish_address": address } });
        let mut nodes: Vec<Value> = addresses.iter().map(node).collect();
        nodes.push(json!({ "roles": ["master"], "http": { "publish_address": "127.0.0.1:1" } }));
        let nodes: serde_json::Map<String, Value> =
            nodes.into_iter().enumerate().map(|(at, node)| (at.to_string(), node)).collect();
        self.change(|inner| inner.nodes = Value::Object(nodes))
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().seen.clone()
    }

    pub fn bulks(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.method == "POST").collect()
    }

    /// The lines of all bulk requests.
    pub fn lines(&self) -> Vec<Value> {
        let bodies: String = self.bulks().into_iter().map(|seen| seen.body).collect();
        bodies.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Requests other than bulk requests, without those for the server's health and version.
    pub fn calls(&self) -> Vec<(String, Value)> {
        let calls = self.seen().into_iter().filter(|seen| seen.method != "POST" && seen.uri != "/");
        calls
            .map(|seen| {
                let body = serde_json::from_str(&seen.body).unwrap_or_default();
                (format!("{} {}", seen.method, seen.uri), body)
            })
            .collect()
    }
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut text = String::new();
    if headers.get("content-encoding").is_some_and(|value| value == "gzip") {
        GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(body.to_vec()).unwrap();
    }
    if method == Method::POST {
        let pause = {
            let mut inner = inner.lock().unwrap();
            inner.at_once.0 += 1;
            inner.at_once.1 = inner.at_once.1.max(inner.at_once.0);
            inner.pause
        };
        tokio::time::sleep(pause).await;
        inner.lock().unwrap().at_once.0 -= 1;
    }
    let mut inner = inner.lock().unwrap();
    inner.seen.push(Seen { method: method.to_string(), uri: uri.to_string(), headers, body: text.clone() });
    let refusal = inner.refusals.iter().find(|(path, _)| uri.path().starts_with(path));
    let status = match (method.as_str(), uri.path()) {
        _ if refusal.is_some() => refusal.map_or(500, |(_, status)| *status),
        ("POST", _) => return bulk(&mut inner, &text),
        ("GET", path) if path.ends_with("_nodes/http") => {
            return respond(200, &json!({ "nodes": inner.nodes }).to_string());
        }
        ("GET", path) if path.ends_with('/') => return respond(200, &inner.root),
        ("HEAD", path) if path.ends_with('/') => inner.health,
        ("HEAD" | "GET", path) if !inner.existing.iter().any(|known| known == path) => 404,
        _ => 200,
    };
    respond(status, "")
}

fn respond(status: u16, body: &str) -> Response {
    Response::builder().status(status).body(Body::from(body.to_owned())).unwrap()
}

fn bulk(inner: &mut Inner, body: &str) -> Response {
    let actions: Vec<(String, Value)> = actions(body);
    let wanted = match inner.replies.front() {
        // These last.
        Some(Reply::AtMost(limit)) => {
            if body.len() > *limit {
                return respond(413, "too large");
            }
            Vec::new()
        }
        Some(Reply::Spoilt(id)) => {
            if actions.iter().any(|(_, fields)| fields["_id"] == **id) {
                let error =
                    json!({ "type": "action_request_validation_exception", "reason": "Validation Failed" });
                return respond(400, &json!({ "error": error, "status": 400 }).to_string());
            }
            Vec::new()
        }
        _ => match inner.replies.pop_front() {
            Some(Reply::Status(status, body)) => return respond(status, body),
            Some(Reply::Items(items)) => items,
            Some(Reply::HangUp) => {
                let pieces = [Ok("{\"errors\":fal"), Err(std::io::Error::other("gone"))];
                let body = Body::from_stream(futures_util::stream::iter(pieces));
                return Response::builder().header("content-length", "1000").body(body).unwrap();
            }
            _ => Vec::new(),
        },
    };
    let mut errors = false;
    let items: Vec<Value> = actions
        .iter()
        .enumerate()
        .map(|(at, (action, _))| {
            let (status, kind) = wanted.get(at).copied().unwrap_or((201, ""));
            let mut outcome = json!({ "status": status });
            if !kind.is_empty() {
                errors = true;
                outcome["error"] = json!({ "type": kind, "reason": "as the test wants" });
            }
            json!({ action: outcome })
        })
        .collect();
    respond(200, &json!({ "errors": errors, "items": items }).to_string())
}

/// The actions of a body, which must be well-formed.
fn actions(body: &str) -> Vec<(String, Value)> {
    assert!(body.ends_with('\n'));
    let mut lines = body.lines();
    let mut actions = Vec::new();
    while let Some(line) = lines.next() {
        let action: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        assert_eq!(action.len(), 1, "{line}");
        let (name, fields) = action.into_iter().next().unwrap();
        if name != "delete" {
            let document: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
            assert!(document.is_object());
        }
        actions.push((name, fields));
    }
    actions
}
