//! Documents, page by page: by scrolling, or by `search_after` in a point in time (`paginated_search.rb`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::query::{self, Slice, object, settle_sort};
use super::run::Stop;
use super::tracker::{Tracking, inject, larger};
use super::{Search, SearchApi};
use crate::elasticsearch::{Ask, AskError, Info};
use crate::event::{Object, Value};
use crate::plugin::{Shutdown, Sink};
use crate::queue::{Ack, Settled};

/// How long the cluster may take to close what was opened for a search; it closes it by itself after a while.
const CLOSING: Duration = Duration::from_secs(5);
/// More slices than this cost a cluster more than they bring.
const MANY_SLICES: u32 = 8;

/// A run of the search.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub search: &'a Search,
    pub sink: &'a Sink,
    pub shutdown: &'a Shutdown,
    pub info: &'a Info,
}

/// What the slices of a run have together.
struct Common {
    /// Fires when all events are delivered, where anything depends on that.
    ack: Option<Ack>,
    /// Whether a shard could not be read.
    is_partial: AtomicBool,
    warned: AtomicBool,
}

/// A page: the documents, and what the next one is asked for with.
struct Page {
    hits: Vec<Value>,
    rest: Object,
}

impl Run<'_> {
    /// Reads all documents that the query finds.
    pub async fn documents(&self, query: &str) -> Result<(), Stop> {
        let Some(tracking) = &self.search.tracking else {
            let common = Common { ack: None, is_partial: false.into(), warned: false.into() };
            return self.slices(query, &common).await.map(drop);
        };
        let failed = |error| Stop::Tracking(tracking.path.display().to_string(), error);
        let query = inject(query, &tracking.last().map_err(failed)?);
        // The value that is kept once every event is safe; none while the run has not come to its end.
        let reached = Arc::new(Mutex::new(None));
        let (settled, outcome) = oneshot::channel();
        let ack = Ack::new(keep(tracking.clone(), Arc::clone(&reached), settled));
        let common = Common { ack: Some(ack), is_partial: false.into(), warned: false.into() };
        let last = self.slices(&query, &common).await?;
        if common.is_partial.load(Ordering::Relaxed) {
            tracing::error!("some shards could not be read: the tracked value stays as it was");
        } else {
            *reached.lock().unwrap_or_else(PoisonError::into_inner) = last;
        }
        drop(common);
        tokio::select! {
            // What keeps the value comes to it when the events are delivered.
            () = self.shutdown.requested() => Err(Stop::Shutdown),
            settled = outcome => {
                if settled == Ok(Settled::Lost) {
                    tracing::warn!("documents were not delivered, the tracked value stays as it was");
                }
                Ok(())
            }
        }
    }

    /// Reads all slices at the same time; returns the largest of their last tracked values.
    async fn slices(&self, query: &str, common: &Common) -> Result<Option<Value>, Stop> {
        let body = query::parse(query).map_err(Stop::Query)?;
        let max = self.search.slices.max(1);
        if max > MANY_SLICES {
            tracing::warn!(slices = max, "so many slices cost more than they bring");
        }
        let slices = (0..max).map(|id| Slice { id, max });
        let lasts = if self.search.searches_after(self.info) {
            let point = self.persist(|| self.open_point()).await?;
            let lasts = join_all(slices.map(|slice| self.search_after(&body, &point, slice, common))).await;
            self.close_point(&point).await;
            lasts
        } else {
            if self.search.api == SearchApi::Scroll && self.info.numbers().first() >= Some(&8) {
                tracing::info!("scrolling is no longer recommended, consider search_api => \"search_after\"");
            }
            // A page that went astray cannot be asked for again: the slice is read from its beginning.
            let body = &body;
            let read = |slice| self.persist(move || self.scroll(body.clone(), slice, common));
            join_all(slices.map(read)).await
        };
        let lasts: Vec<Option<Value>> = lasts.into_iter().collect::<Result<_, _>>()?;
        Ok(lasts.into_iter().flatten().reduce(larger))
    }

    async fn scroll(&self, mut body: Object, slice: Slice, common: &Common) -> Result<Option<Value>, Stop> {
        slice.add_to(&mut body);
        let ask = Ask::post(&[&self.search.index, "_search"], query::bytes(&body));
        let ask = ask.with("scroll", &*self.search.scroll).with("size", self.search.size.to_string());
        let mut last = None;
        let mut page = self.page(&ask, common).await?;
        loop {
            let id = page.rest.remove("_scroll_id").filter(|id| id.as_str().is_some());
            let is_last = page.hits.is_empty();
            let read = match is_last {
                true => Ok(()),
                false => self.send(page.hits, &mut last, common).await,
            };
            let Some(id) = id else { return read.map(|()| last) };
            let body = query::bytes(&[("scroll_id", id)].into_iter().collect());
            if read.is_err() || is_last {
                self.close(Ask::delete(&["_search", "scroll"], body)).await;
                return read.map(|()| last);
            }
            let ask = Ask::post(&["_search", "scroll"], body.clone()).with("scroll", &*self.search.scroll);
            page = match self.page(&ask, common).await {
                Ok(page) => page,
                Err(error) => {
                    self.close(Ask::delete(&["_search", "scroll"], body)).await;
                    return Err(error);
                }
            };
        }
    }

    async fn search_after(
        &self,
        body: &Object,
        point: &str,
        slice: Slice,
        common: &Common,
    ) -> Result<Option<Value>, Stop> {
        let mut body = body.clone();
        settle_sort(&mut body, self.info);
        slice.add_to(&mut body);
        let keep_alive = || Value::from(self.search.scroll.as_str());
        body.insert("pit", object([("id", Value::from(point)), ("keep_alive", keep_alive())]));
        let mut last = None;
        loop {
            let ask = Ask::post(&["_search"], query::bytes(&body)).with("size", self.search.size.to_string());
            let mut page = self.persist(|| self.page(&ask, common)).await?;
            let Some(sort) = page.hits.last().map(sort_of) else { return Ok(last) };
            let Some(sort) = sort else {
                let reason = "a document does not say where in the order it stands";
                return Err(AskError::Answer(reason.into()).into());
            };
            self.send(page.hits, &mut last, common).await?;
            body.insert("search_after", sort);
            if let Some(id) = page.rest.remove("pit_id").filter(|id| id.as_str().is_some()) {
                body.insert("pit", object([("id", id), ("keep_alive", keep_alive())]));
            }
        }
    }

    /// Opens a point in time; returns its id.
    async fn open_point(&self) -> Result<String, Stop> {
        let index = self.search.index.as_str();
        let (path, name) = match self.info.is_opensearch {
            true => (vec![index, "_search", "point_in_time"], "pit_id"),
            false => (vec![index, "_pit"], "id"),
        };
        let mut ask = Ask::post(&path, Vec::new()).with("keep_alive", &*self.search.scroll);
        ask.body = None;
        let answer = self.ask(&ask).await?;
        let id = answer.as_object().and_then(|answer| answer.get(name)).and_then(Value::as_str);
        Ok(id.ok_or_else(|| AskError::Answer("a point in time has no id".into()))?.to_owned())
    }

    async fn close_point(&self, id: &str) {
        let (path, body): (&[&str], _) = match self.info.is_opensearch {
            true => (&["_search", "point_in_time"], ("pit_id", Value::Array(vec![Value::from(id)]))),
            false => (&["_pit"], ("id", Value::from(id))),
        };
        self.close(Ask::delete(path, query::bytes(&[body].into_iter().collect()))).await;
    }

    /// Tells the cluster that it may forget something. It does so by itself if it does not hear that.
    async fn close(&self, ask: Ask<'_>) {
        match tokio::time::timeout(CLOSING, self.search.cluster.ask(&ask)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a search could not be closed"),
            Err(_) => tracing::debug!("a search could not be closed in time"),
        }
    }

    async fn page(&self, ask: &Ask<'_>, common: &Common) -> Result<Page, Stop> {
        let answer = self.ask(ask).await?;
        let Value::Object(mut rest) = answer else {
            return Err(AskError::Answer(format!("it is a {}", answer.kind())).into());
        };
        let hits = match rest.remove("hits") {
            Some(Value::Object(mut hits)) => hits.remove("hits"),
            _ => None,
        };
        let Some(Value::Array(hits)) = hits else {
            return Err(AskError::Answer("it has no hits".into()).into());
        };
        let failed = rest.get("_shards").and_then(Value::as_object).and_then(|shards| shards.get("failed"));
        if failed.is_some_and(|failed| !matches!(failed, Value::Int(0))) {
            common.is_partial.store(true, Ordering::Relaxed);
            let shards = rest.get("_shards").map(crate::event::text::ruby_to_s).unwrap_or_default();
            tracing::error!(shards, "some shards could not be read, their documents are missing");
        }
        Ok(Page { hits, rest: *rest })
    }

    /// Hands the documents of a page to the pipeline.
    async fn send(&self, hits: Vec<Value>, last: &mut Option<Value>, common: &Common) -> Result<(), Stop> {
        let mut events: Vec<_> =
            hits.into_iter().map(|hit| self.search.maker.of_hit(hit, "_source")).collect();
        events.iter_mut().for_each(|event| self.sink.decorate(event));
        if let (Some(tracking), Some(event)) = (&self.search.tracking, events.last()) {
            match tracking.value_of(event) {
                Some(value) => *last = Some(value),
                None if common.warned.swap(true, Ordering::Relaxed) => {}
                None => {
                    tracing::warn!(tracking_field = %tracking.field, "documents have no tracking_field, the value stays behind");
                }
            }
        }
        self.sink.send_decorated(events, common.ack.clone()).await.map_err(|_| Stop::Closed)
    }
}

/// Where in the order a document stands.
fn sort_of(hit: &Value) -> Option<Value> {
    hit.as_object()?.get("sort").filter(|sort| matches!(sort, Value::Array(_))).cloned()
}

/// What happens when the last event of a run has been delivered: the value is kept. The file is a few bytes long.
fn keep(
    tracking: Tracking,
    reached: Arc<Mutex<Option<Value>>>,
    settled: oneshot::Sender<Settled>,
) -> impl FnOnce(Settled) + Send + 'static {
    move |outcome| {
        let value = reached.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Settled::Safe, Some(value)) = (outcome, value)
            && let Err(error) = tracking.keep(&value)
        {
            tracing::error!(%error, path = %tracking.path.display(), "could not keep the tracked value");
        }
        _ = settled.send(outcome);
    }
}
