//! The node that the tests use, and its API as the other side.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::shared::missing;

/// A node's HTTP address.
pub struct Node {
    /// `host:port`
    pub address: String,
}

impl Node {
    /// The node of RSTASH_ELASTICSEARCH, or nothing with a line that says so.
    pub fn from_environment() -> Option<Self> {
        let Ok(address) = std::env::var("RSTASH_ELASTICSEARCH") else {
            missing(
                "no OpenSearch node (run .ci/search.sh up and set RSTASH_ELASTICSEARCH to its host:port)",
            );
            return None;
        };
        Some(Node { address })
    }

    /// A name that no other test uses.
    pub fn name(&self, purpose: &str) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        format!("{purpose}_{}_{number}_{:06x}", std::process::id(), fastrand::u32(..1 << 24))
    }

    /// A request and its answer: status and JSON.
    fn request(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        // Fails when another test has installed one, which then serves as well.
        _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let client = Client::builder().no_proxy().build().expect("a client");
            let mut request = client.request(method, format!("http://{}{path}", self.address));
            if let Some(body) = body {
                request = request.header("content-type", "application/json").body(body.to_string());
            }
            let response = request.send().await.expect("the node answers");
            let status = response.status().as_u16();
            let text = response.text().await.expect("a whole answer");
            (status, serde_json::from_str(&text).unwrap_or_default())
        })
    }

    fn successful(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.request(method.clone(), path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub fn put(&self, path: &str, body: &Value) -> Value {
        self.successful(Method::PUT, path, Some(body))
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.successful(Method::POST, path, Some(body))
    }

    pub fn get(&self, path: &str) -> Value {
        self.successful(Method::GET, path, None)
    }

    /// Deletes what may not be there.
    pub fn delete(&self, path: &str) {
        self.request(Method::DELETE, path, None);
    }

    /// Makes all documents visible to searches.
    pub fn refresh(&self, index: &str) {
        self.post(&format!("/{index}/_refresh"), &json!({}));
    }

    /// How many documents there are; none when there is no index.
    pub fn count(&self, index: &str) -> usize {
        let (status, _) = self.request(Method::POST, &format!("/{index}/_refresh"), None);
        if status != 200 {
            return 0;
        }
        let count = self.get(&format!("/{index}/_count"))["count"].as_u64().expect("a number");
        usize::try_from(count).expect("a number")
    }

    /// At most a thousand documents.
    pub fn documents(&self, index: &str) -> Vec<Value> {
        self.refresh(index);
        let found = self.post(&format!("/{index}/_search?size=1000"), &json!({}));
        found["hits"]["hits"].as_array().cloned().unwrap_or_default()
    }

    /// The ids of at most a thousand documents, sorted.
    pub fn ids(&self, index: &str) -> Vec<String> {
        let documents = self.documents(index);
        let mut ids: Vec<String> =
            documents.iter().filter_map(|found| Some(found["_id"].as_str()?.to_owned())).collect();
        ids.sort();
        ids
    }

    /// A document's content.
    pub fn document(&self, index: &str, id: &str) -> Value {
        self.get(&format!("/{index}/_doc/{id}"))["_source"].clone()
    }
}

/// A node of a test's own, for tests that stop it.
pub struct OwnNode {
    node: Node,
    folder: TempDir,
    queue: Option<u32>,
}

impl OwnNode {
    /// Starts a node with the jars of the shared one, or says what is missing. `queue` is the length of its queue of writes.
    pub fn start(queue: Option<u32>) -> Option<Self> {
        Node::from_environment()?;
        let folder = std::env::var_os("RSTASH_ELASTICSEARCH_DIR").unwrap_or_default();
        let libs = PathBuf::from(folder).join("libs");
        if !libs.is_dir() {
            missing("the node's jars (set RSTASH_ELASTICSEARCH_DIR to the SEARCH_DIR of .ci/search.sh)");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(libs, folder.path().join("libs")).expect("a link");
        let address = format!("127.0.0.1:{}", two_free_ports());
        let own = OwnNode { node: Node { address }, folder, queue };
        own.control("up");
        Some(own)
    }

    fn command(&self, action: &str) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/search.sh"));
        let (host, port) = self.node.address.rsplit_once(':').expect("host:port");
        command.arg(action).env("SEARCH_DIR", self.folder.path()).env("SEARCH_PORT", port);
        command.env("SEARCH_HOST", host).env_remove("SEARCH_LIBS").stdout(Stdio::null());
        if let Some(queue) = self.queue {
            command.env("SEARCH_QUEUE", queue.to_string());
        }
        command
    }

    /// `stop`, `kill` or `start`.
    pub fn control(&self, action: &str) {
        let status = self.command(action).status();
        assert!(status.is_ok_and(|status| status.success()), "search.sh {action}");
    }
}

impl Deref for OwnNode {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl Drop for OwnNode {
    fn drop(&mut self) {
        _ = self.command("kill").status();
    }
}

/// A port that is free together with the one above it.
fn two_free_ports() -> u16 {
    for _ in 0..100 {
        let first = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = first.local_addr().expect("an address").port();
        if port < u16::MAX && std::net::TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
    panic!("no two free ports");
}
