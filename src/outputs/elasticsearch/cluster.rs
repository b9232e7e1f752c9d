//! `Cluster`: requests to whichever server answers, and the task that keeps track of which do (`http_client/pool.rb`,
//! `healthcheck!`, `sniff!`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde::Deserialize;
use tokio::time::Instant;

use super::answer;
use super::http::{Answer, Http, Payload};
use super::pool::{Lease, Member, Pool};
use super::server::Server;

/// Where the APIs are that the options may move.
#[derive(Debug, Clone)]
pub struct Paths {
    /// `path`: before every API that has no path of its own. Empty, or begins with a slash.
    pub prefix: String,
    pub bulk: String,
    pub health: String,
    pub sniffing: String,
}

/// The servers behind one output.
#[derive(Debug)]
pub struct Cluster {
    pub http: Http,
    pub pool: Pool,
    pub paths: Paths,
    /// How long to wait before servers that are away are asked again.
    pub resurrect_delay: Duration,
    /// How often the cluster's own list is looked at.
    pub sniffing_delay: Option<Duration>,
    /// The major version of servers that do not tell theirs.
    pub default_major: Option<u32>,
    /// The newest server seen.
    pub server: Mutex<Option<Server>>,
}

/// A request that no server answered.
#[derive(Debug)]
pub enum Unanswered {
    /// None is known to be alive.
    NoServer,
    /// This one is not any more.
    Lost(String),
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unanswered::NoServer => f.write_str("no server answers"),
            Unanswered::Lost(reason) => f.write_str(reason),
        }
    }
}

#[derive(Deserialize)]
struct Nodes {
    #[serde(default)]
    nodes: std::collections::HashMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    roles: Option<Vec<String>>,
    http: Option<NodeHttp>,
}

#[derive(Deserialize)]
struct NodeHttp {
    publish_address: String,
}

impl Cluster {
    /// Sends a request to one of the servers. A server that does not answer counts as lost.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Payload<'_>>,
    ) -> Result<Answer, Unanswered> {
        let lease: Lease = self.pool.lease().ok_or(Unanswered::NoServer)?;
        match self.http.send(lease.host(), method, path, body).await {
            Ok(answer) => Ok(answer),
            Err(reason) => {
                self.pool.mark_lost(lease.member(), &reason);
                Err(Unanswered::Lost(format!("{}: {reason}", lease.host())))
            }
        }
    }

    /// Calls an API below `path`.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<&[u8]>) -> Result<Answer, String> {
        let path = format!("{}{path}", self.paths.prefix);
        self.request(method, &path, body.map(Payload::from)).await.map_err(|why| why.to_string())
    }

    /// The newest server seen so far.
    pub fn server(&self) -> Option<Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks every server that is away whether it is back, all at once: one may be slow to fail.
    pub async fn check_missing(&self) {
        let missing = self.pool.missing();
        join_all(missing.iter().map(|member| async {
            match self.check(member).await {
                Ok(server) => {
                    self.note(server);
                    self.pool.mark_alive(member);
                }
                Err(reason) => member.complain(&reason),
            }
        }))
        .await;
    }

    async fn check(&self, member: &Member) -> Result<Server, String> {
        let health = self.http.send(&member.host, Method::HEAD, &self.paths.health, None).await?;
        if !health.is_success() {
            return Err(format!("{}{}", health.status, advice(health.status)));
        }
        let root = format!("{}/", self.paths.prefix);
        let answer = self.http.send(&member.host, Method::GET, &root, None).await?;
        match (answer.status, self.default_major) {
            (200..=299, default) => Server::read(&answer.body)
                .or(default.map(Server::assumed))
                .ok_or_else(|| "it does not tell its version, it may be no Elasticsearch".to_owned()),
            (404, Some(major)) => Ok(Server::assumed(major)),
            (status, _) => {
                let said = answer::refusal(&answer.body);
                Err(format!("{status} {said}{}", advice(status)))
            }
        }
    }

    fn note(&self, server: Server) {
        if server.is_serverless() {
            self.http.speak_serverless();
        }
        let mut newest = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_none_or(|known| known.major < server.major) {
            tracing::info!(%server, "server's version");
            *newest = Some(server);
        }
    }

    /// Takes over the cluster's own list of servers.
    async fn sniff(&self) {
        let answer = match self.request(Method::GET, &self.paths.sniffing, None).await {
            Ok(answer) if answer.is_success() => answer,
            Ok(answer) => {
                let reason = answer::refusal(&answer.body);
                tracing::warn!(status = answer.status, reason, "the cluster does not tell its servers");
                return;
            }
            Err(reason) => {
                tracing::warn!(%reason, "the cluster cannot be asked for its servers");
                return;
            }
        };
        let listed: Nodes = match serde_json::from_slice(&answer.body) {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(%error, "the cluster's list of servers cannot be read");
                return;
            }
        };
        let Some(first) = self.pool.first() else { return };
        let for_documents =
            listed.nodes.into_values().filter(|node| node.roles.as_deref() != Some(&["master".into()]));
        let mut hosts: Vec<_> =
            for_documents.filter_map(|node| first.at(&node.http?.publish_address)).collect();
        hosts.sort_by(|left, right| left.origin.cmp(&right.origin));
        if hosts.is_empty() {
            tracing::warn!("the cluster's list names no server for documents, the list stays as it is");
            return;
        }
        self.pool.replace(hosts);
        self.check_missing().await;
    }

    /// Keeps track of the servers until it is dropped.
    pub async fn watch(&self) {
        let mut last_sniff = Instant::now();
        let pause = self.sniffing_delay.map_or(self.resurrect_delay, |delay| delay.min(self.resurrect_delay));
        loop {
            self.check_missing().await;
            if self.sniffing_delay.is_some_and(|delay| last_sniff.elapsed() >= delay) {
                last_sniff = Instant::now();
                self.sniff().await;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.pool.lost.notified() => {}
            }
        }
    }
}

/// What to do about a status.
fn advice(status: u16) -> &'static str {
    match status {
        401 => ": check user and password, or api_key",
        403 => ": the user may not read the cluster's state",
        _ => "",
    }
}
