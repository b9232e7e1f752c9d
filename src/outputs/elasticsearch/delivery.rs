//! `Sender`: delivers batches, and repeats what the cluster could not take, until every document is in or given up
//! (`common.rb`, `retrying_submit` and `safe_bulk`).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::Method;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::answer::{self, Item};
use super::chunk::{Chunk, Chunks};
use super::cluster::{Cluster, Unanswered};
use super::documents::{Destination, Documents};
use super::http::Payload;
use super::order::Order;
use super::setup::Setup;
use crate::event::Event;
use crate::net::Backoff;
use crate::plugin::{Delivery, Undelivered};

/// A smaller limit is not learnt from a server that refuses large requests.
const SMALLEST_LIMIT: usize = 64 << 10;
/// How often the same trouble is said.
const REMINDER: Duration = Duration::from_secs(60);

/// Which documents are given up, and which of those silently.
#[derive(Debug, Clone)]
pub struct Verdicts {
    /// Statuses with which a document is given up.
    pub dead_statuses: Vec<u16>,
    /// Types of errors with which it is, too.
    pub dead_types: Vec<String>,
    /// Types of errors of which nothing is logged.
    pub silent_types: Vec<String>,
}

/// What to do about a document.
enum Verdict {
    Done,
    /// It was to be created and is there already, perhaps from an earlier try.
    Exists,
    Dead,
    Again,
}

impl Verdicts {
    fn of(&self, item: &Item, is_create: bool) -> Verdict {
        let give_up = if self.is_silent(item) { Verdict::Done } else { Verdict::Dead };
        match item.status {
            200..=299 => Verdict::Done,
            // A document that has no error is not there any more, as the delete wanted.
            404 if item.kind().is_none() => Verdict::Done,
            409 if is_create => Verdict::Exists,
            409 => give_up,
            _ if item.kind().is_some_and(|kind| named(&self.dead_types, kind)) => give_up,
            status if self.dead_statuses.contains(&status) => Verdict::Dead,
            _ => Verdict::Again,
        }
    }

    fn is_silent(&self, item: &Item) -> bool {
        item.kind().is_some_and(|kind| named(&self.silent_types, kind))
    }
}

fn named(types: &[String], kind: &str) -> bool {
    types.iter().any(|name| name == kind)
}

/// Everything that deliveries share.
#[derive(Debug)]
pub struct Sender {
    pub cluster: Cluster,
    pub documents: Documents,
    pub verdicts: Verdicts,
    pub setup: Setup,
    pub order: Arc<Order>,
    /// One for every bulk request that may be on its way.
    pub permits: Semaphore,
    /// Most bytes of a request before compression; less once a server has refused one as too large.
    pub limit: AtomicUsize,
    pub retry_first: Duration,
    pub retry_last: Duration,
    /// Set when the cluster is prepared.
    pub destination: OnceLock<Destination>,
    pub ready: watch::Sender<bool>,
    pub trouble: Trouble,
}

/// What is wrong at the moment, said once in a while.
#[derive(Debug, Default)]
pub struct Trouble(Mutex<Option<(Instant, String, u64)>>);

impl Trouble {
    /// Warns, unless the same was said a short time ago.
    fn say(&self, reason: &str, wait: Duration) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unsaid = 0;
        if let Some((when, last, count)) = &mut *said {
            if when.elapsed() < REMINDER && *last == reason {
                *count += 1;
                return;
            }
            unsaid = *count;
        }
        tracing::warn!(
            reason,
            unsaid,
            retry_in_ms = wait.as_millis() as u64,
            "bulk request failed, will retry"
        );
        *said = Some((Instant::now(), reason.to_owned(), 0));
    }

    fn is_over(&self) {
        let was = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((since, ..)) = was {
            tracing::info!(last_said_s = since.elapsed().as_secs(), "bulk requests succeed again");
        }
    }
}

/// What became of a request.
enum Exchange {
    /// Everything was taken.
    Taken,
    Items(Vec<Item>),
    /// Smaller requests may succeed: this one is too large, or one of its documents spoils it.
    Divide(String),
    /// Nothing was taken, or nobody knows.
    Failed(String),
    /// A server was lost, another one may answer.
    Lost(String),
}

impl Sender {
    /// Delivers a batch. What must keep the order of events is done before the first await.
    pub async fn deliver(&self, events: &[&Event]) -> Delivery {
        let identities = events.iter().filter_map(|event| self.documents.identity(event)).collect();
        let claim = self.order.claim(identities);
        let mut delivery = Delivery::done();
        // An error means that the output is gone, and so is this future.
        _ = self.ready.subscribe().wait_for(|ready| *ready).await;
        let (Some(destination), Some(server)) = (self.destination.get(), self.cluster.server()) else {
            return Delivery::retry_all(events.len(), "the cluster is not prepared");
        };
        let mut claim = claim;
        if let Some(claim) = &mut claim {
            claim.turn().await;
        }
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        let mut chunks = Chunks::new(&self.documents, destination, server.knows_types(), events);
        while let Some(chunk) = chunks.next(self.limit.load(Ordering::Relaxed), &mut delivery.dead) {
            self.submit(chunk, &mut delivery.dead).await;
        }
        delivery
    }

    /// Sends a chunk until each of its documents is in or given up.
    async fn submit(&self, chunk: Chunk, dead: &mut Vec<Undelivered>) {
        let mut backoff = Backoff::new(self.retry_first, self.retry_last);
        let mut others = self.cluster.pool.alive();
        let mut todo = vec![chunk];
        while let Some(chunk) = todo.pop() {
            match self.exchange(&chunk).await {
                Exchange::Taken => {
                    self.trouble.is_over();
                    backoff.reset();
                }
                Exchange::Items(items) => {
                    self.trouble.is_over();
                    if let Some(again) = self.judge(&chunk, &items, dead) {
                        todo.push(again);
                        tokio::time::sleep(backoff.wait()).await;
                    }
                }
                Exchange::Divide(reason) if chunk.len() == 1 => {
                    dead.extend(chunk.events().map(|index| Undelivered { index, reason: reason.clone() }));
                }
                Exchange::Divide(_) => {
                    let (first, second) = chunk.halves();
                    todo.extend([second, first]);
                }
                Exchange::Lost(_) if others > 1 => {
                    others -= 1;
                    todo.push(chunk);
                }
                Exchange::Lost(reason) | Exchange::Failed(reason) => {
                    todo.push(chunk);
                    self.pause(&mut backoff, &reason).await;
                    others = self.cluster.pool.alive();
                }
            }
        }
    }

    /// Waits before a repetition. A server that comes back ends the wait, but not before the first interval is over.
    async fn pause(&self, backoff: &mut Backoff, reason: &str) {
        let wait = backoff.wait();
        self.trouble.say(reason, wait);
        let least = wait.min(self.retry_first);
        let none_alive = self.cluster.pool.alive() == 0;
        tokio::time::sleep(least).await;
        if none_alive && self.cluster.pool.alive() == 0 {
            tokio::select! {
                () = tokio::time::sleep(wait - least) => {}
                () = self.cluster.pool.restored.notified() => {}
            }
        } else if !none_alive {
            tokio::time::sleep(wait - least).await;
        }
    }

    /// One request and its answer.
    async fn exchange(&self, chunk: &Chunk) -> Exchange {
        let path = &self.cluster.paths.bulk;
        let payload = Payload { bytes: chunk.bytes(), documents: Some(chunk.len()) };
        let answer = match self.cluster.request(Method::POST, path, Some(payload)).await {
            Ok(answer) => answer,
            Err(Unanswered::NoServer) => return Exchange::Failed("no server answers".into()),
            Err(Unanswered::Lost(reason)) => return Exchange::Lost(reason),
        };
        if answer.is_success() {
            return match answer::read(&answer.body, chunk.len()) {
                Ok(None) => Exchange::Taken,
                Ok(Some(items)) => Exchange::Items(items),
                Err(reason) => Exchange::Failed(reason),
            };
        }
        let reason = format!("{} {}", answer.status, answer::refusal(&answer.body));
        match answer.status {
            413 => {
                self.learn_limit(chunk.bytes().len());
                Exchange::Divide(format!("{reason} (the document has {} bytes)", chunk.bytes().len()))
            }
            400 if answer::blames_a_document(&answer.body) => Exchange::Divide(reason),
            _ => Exchange::Failed(reason),
        }
    }

    /// The server refuses requests of this size: those to come are smaller.
    fn learn_limit(&self, refused: usize) {
        let limit = (refused / 2).max(SMALLEST_LIMIT);
        if self.limit.fetch_min(limit, Ordering::Relaxed) > limit {
            tracing::warn!(
                refused_bytes = refused,
                limit,
                "the server refuses requests of this size, they will be smaller"
            );
        }
    }

    /// Sorts the documents of an answer; what is to be sent again comes back.
    fn judge(&self, chunk: &Chunk, items: &[Item], dead: &mut Vec<Undelivered>) -> Option<Chunk> {
        let (mut again, mut existing) = (Vec::new(), Vec::new());
        for (number, item) in items.iter().enumerate() {
            match self.verdicts.of(item, chunk.is_create(number)) {
                Verdict::Done => {}
                Verdict::Exists => existing.push(number),
                Verdict::Again => again.push(number),
                Verdict::Dead => {
                    let Some(index) = chunk.event(number) else { continue };
                    dead.push(Undelivered { index, reason: item.describe(chunk, number) });
                }
            }
        }
        if let Some(reason) = self.example(&existing, chunk, items) {
            let documents = existing.len();
            tracing::warn!(documents, reason, "documents were not created, for they are there already");
        }
        if let Some(reason) = self.example(&again, chunk, items) {
            let documents = again.len();
            tracing::info!(documents, reason, "documents were not taken, they are sent again");
        }
        (!again.is_empty()).then(|| chunk.select(again))
    }

    /// What the server says of the first of some documents, unless nothing is to be logged of it.
    fn example(&self, numbers: &[usize], chunk: &Chunk, items: &[Item]) -> Option<String> {
        let number = *numbers.first()?;
        let item = items.get(number).filter(|item| !self.verdicts.is_silent(item))?;
        Some(item.describe(chunk, number))
    }

    /// Looks after the servers, and prepares the cluster as soon as one answers. Ends only when it is dropped.
    pub async fn look_after(&self) {
        tokio::join!(self.cluster.watch(), self.prepare());
    }

    async fn prepare(&self) {
        let mut backoff = Backoff::new(self.retry_first, self.retry_last);
        let mut said = String::new();
        loop {
            while self.cluster.pool.alive() == 0 {
                // Whoever restores a server may do so between the question and the wait.
                _ = tokio::time::timeout(Duration::from_secs(1), self.cluster.pool.restored.notified()).await;
            }
            let Some(server) = self.cluster.server() else { continue };
            match self.setup.run(&self.cluster, &server).await {
                Ok(destination) => {
                    _ = self.destination.set(destination);
                    self.ready.send_replace(true);
                    return;
                }
                Err(reason) => {
                    if said != reason {
                        tracing::error!(reason, "the cluster cannot be prepared, events wait until it can");
                        said = reason;
                    }
                    tokio::time::sleep(backoff.wait()).await;
                }
            }
        }
    }
}
