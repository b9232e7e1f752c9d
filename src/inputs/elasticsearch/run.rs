//! The runs of a search, and when they are (`run`, `retryable`, `aggregation.rb`, `esql.rb`).

use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::pages::Run;
use super::{Query, Search, SearchApi, query};
use crate::elasticsearch::{Ask, AskError, Info};
use crate::event::{Object, Value};
use crate::net::Backoff;
use crate::plugin::{Input, RunError, Shutdown, Sink};
use crate::schedule::Schedule;

/// How long to wait before a cluster that is away is asked again: at first, and at most.
const AWAY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// The same for a search that failed.
const FAILED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Why a run came to no good end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("{0}")]
    Query(String),
    #[error("{0}: {1} (see last_run_metadata_path)")]
    Tracking(String, std::io::Error),
    #[error("the pipeline takes no more events")]
    Closed,
    #[error("the pipeline is shutting down")]
    Shutdown,
}

impl Input for Search {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let Some(info) = self.greet(&shutdown).await? else { return Ok(()) };
            let run = Run { search: &self, sink: &sink, shutdown: &shutdown, info: &info };
            match &self.schedule {
                Some(schedule) => {
                    run.again_and_again(schedule).await;
                    Ok(())
                }
                None => match run.once().await {
                    Ok(()) | Err(Stop::Closed | Stop::Shutdown) => Ok(()),
                    Err(error) => Err(RunError::new(format!("the search failed: {error}"))),
                },
            }
        })
    }
}

impl Search {
    /// Waits until the cluster says what it is. `None`: there was no time for that before the end.
    async fn greet(&self, shutdown: &Shutdown) -> Result<Option<Info>, RunError> {
        let mut waits = Backoff::new(AWAY.0, AWAY.1);
        loop {
            let asked = tokio::select! {
                () = shutdown.requested() => return Ok(None),
                asked = self.cluster.info() => asked,
            };
            let error = match asked {
                Ok(info) => return self.accept(info).map(Some),
                Err(error @ AskError::Status(401 | 403, _)) => {
                    let help = "check user and password, cloud_auth or api_key";
                    return Err(RunError::new(format!("the cluster lets nobody in: {error}; {help}")));
                }
                Err(error) => error,
            };
            tracing::warn!(%error, "the cluster is away, it is asked again");
            tokio::select! {
                () = shutdown.requested() => return Ok(None),
                () = tokio::time::sleep(waits.wait()) => {}
            }
        }
    }

    /// Whether the cluster can do what is wanted of it.
    fn accept(&self, info: &Info) -> Result<Info, RunError> {
        let version = if info.version.is_empty() { "of unknown version" } else { info.version.as_str() };
        let speaks_esql = !info.is_opensearch && info.numbers().as_slice() >= [8, 11].as_slice();
        if matches!(self.query, Query::Esql(_)) && !speaks_esql {
            let name = if info.is_opensearch { "OpenSearch" } else { "Elasticsearch" };
            return Err(RunError::new(format!(
                "{name} {version} has no ES|QL, which is there from Elasticsearch 8.11 on; use query_type => \"dsl\""
            )));
        }
        tracing::debug!(version, search_after = self.searches_after(info), "the cluster answers");
        Ok(info.clone())
    }

    /// Whether pages come by `search_after`; else by scrolling.
    pub(super) fn searches_after(&self, info: &Info) -> bool {
        match self.api {
            SearchApi::SearchAfter => true,
            SearchApi::Scroll => false,
            SearchApi::Auto => !info.is_opensearch && info.numbers().first().is_some_and(|major| *major >= 8),
        }
    }
}

impl Run<'_> {
    /// Runs at every scheduled time, until shutdown is requested.
    async fn again_and_again(&self, schedule: &Schedule) {
        let mut times = schedule.times();
        let mut running = FuturesUnordered::new();
        let mut due = times.wait().map(|wait| Instant::now() + wait);
        loop {
            let next = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(ended) = running.next() => match ended {
                    Ok(()) => {}
                    Err(Stop::Closed) => return,
                    Err(Stop::Shutdown) => break,
                    Err(error) => tracing::error!(%error, "a search failed, the next one comes as scheduled"),
                },
                () = self.shutdown.requested() => break,
                () = next => {
                    due = times.wait().map(|wait| Instant::now() + wait);
                    if self.search.may_overlap || running.is_empty() {
                        running.push(self.once());
                    } else {
                        tracing::debug!("a search is left out, the one before still runs");
                    }
                }
            }
        }
        // They see the shutdown by themselves.
        while running.next().await.is_some() {}
    }

    /// One run.
    async fn once(&self) -> Result<(), Stop> {
        tracing::info!("a search begins");
        let done = match &self.search.query {
            Query::Dsl(query) => self.documents(query).await,
            Query::Aggregations(query) => self.aggregations(query).await,
            Query::Esql(query) => self.table(query).await,
        };
        if done.is_ok() {
            tracing::info!("a search is at its end");
        }
        done
    }

    async fn aggregations(&self, query: &str) -> Result<(), Stop> {
        let body = query::bytes(&query::parse(query).map_err(Stop::Query)?);
        let ask = Ask::post(&[&self.search.index, "_search"], body).with("size", "0");
        let answer = self.persist(|| self.ask(&ask)).await?;
        let event = self.search.maker.of_hit(answer, "aggregations");
        self.sink.send(vec![event], None).await.map_err(|_| Stop::Closed)
    }

    async fn table(&self, query: &str) -> Result<(), Stop> {
        let mut body = Object::new();
        body.insert("query", Value::from(query));
        let ask = Ask::post(&["_query"], query::bytes(&body));
        let ask = ask.with("format", "json").with("drop_null_columns", "true");
        let answer = self.persist(|| self.ask(&ask)).await?;
        let events = self.search.maker.of_table(&answer)?;
        self.sink.send(events, None).await.map_err(|_| Stop::Closed)
    }

    /// Asks once, unless it is time to end.
    pub(super) async fn ask(&self, ask: &Ask<'_>) -> Result<Value, Stop> {
        let (answer, headers) = tokio::select! {
            biased;
            () = self.shutdown.requested() => return Err(Stop::Shutdown),
            answer = self.search.cluster.ask(ask) => answer?,
        };
        if let Some(warning) = headers.get("warning").and_then(|warning| warning.to_str().ok()) {
            tracing::warn!(warning, "the cluster warns of a search");
        }
        Ok(answer)
    }

    /// Tries as often as `retries` allows.
    pub(super) async fn persist<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, Stop>
    where
        F: Future<Output = Result<T, Stop>>,
    {
        let mut waits = Backoff::new(FAILED.0, FAILED.1);
        let mut left = self.search.retries;
        loop {
            let error = match attempt().await {
                Err(Stop::Ask(error)) if left > 0 => error,
                done => return done,
            };
            tracing::warn!(%error, tries_left = left, "a request failed, it is tried again");
            left -= 1;
            tokio::select! {
                () = self.shutdown.requested() => return Err(Stop::Shutdown),
                () = tokio::time::sleep(waits.wait()) => {}
            }
        }
    }
}
