//! The runs of the statement.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::tracker::{self, Tracker};
use super::{Jdbc, PagingMode, Query, Rhythm, SqlLogLevel};
use crate::event::{Event, Object, Timestamp, Value};
use crate::net::spread;
use crate::plugin::{Input, RunError, Shutdown, Sink};
use crate::queue::{Ack, Settled};
use crate::sql::{BindError, Database, SqlError};

/// Why a run came to no good end.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sql(#[from] SqlError),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("the pipeline takes no more events")]
    Closed,
    #[error("the pipeline is shutting down")]
    Shutdown,
}

type Shared = Arc<Mutex<Tracker>>;

fn lock(tracker: &Shared) -> MutexGuard<'_, Tracker> {
    tracker.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One run: where its rows go, and what the tracked column was last.
struct Run<'a> {
    sink: &'a Sink,
    shutdown: &'a Shutdown,
    ack: Ack,
    events: Vec<Event>,
    last: Option<Value>,
    warned: bool,
    /// Rows of the current page.
    rows: u64,
}

impl Input for Jdbc {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let tracker = Arc::new(Mutex::new(self.open_tracker()?));
            let mut next = Instant::now();
            loop {
                match &self.rhythm {
                    Rhythm::Schedule(schedule) => {
                        let Some(wait) = schedule.times().wait() else { return Ok(()) };
                        next = Instant::now() + wait;
                    }
                    Rhythm::Interval(wait) => next = Instant::now() + *wait,
                    // A run that takes longer than a period is followed by the next one at once.
                    Rhythm::Period(wait) => next = (next + *wait).max(Instant::now()),
                    Rhythm::Once => {}
                }
                tokio::select! {
                    () = tokio::time::sleep_until(next) => {}
                    () = shutdown.requested() => return Ok(()),
                }
                let done = self.execute(&sink, &shutdown, &tracker).await;
                match (done, &self.rhythm) {
                    (Err(Failure::Closed | Failure::Shutdown), _) | (Ok(()), Rhythm::Once) => return Ok(()),
                    (Err(error), Rhythm::Once) => return Err(RunError::new(error.to_string())),
                    _ => {}
                }
            }
        })
    }
}

impl Jdbc {
    fn open_tracker(&self) -> Result<Tracker, RunError> {
        let told = |error: std::io::Error| {
            let path = self.path.as_deref().unwrap_or_else(|| std::path::Path::new("")).display();
            RunError::new(format!("{path}: {error} (see last_run_metadata_path)"))
        };
        if let (Some(path), true, Some(home)) = (&self.path, self.path_is_default, std::env::var_os("HOME")) {
            tracker::move_old_file(home.as_ref(), path).map_err(told)?;
        }
        Tracker::open(self.tracked, self.path.clone(), self.clean_run).map_err(told)
    }

    /// Runs the statement, as often as it may be tried, and waits until all its rows are safe.
    async fn execute(&self, sink: &Sink, shutdown: &Shutdown, tracker: &Shared) -> Result<(), Failure> {
        let mut attempt = 1;
        loop {
            let error = match self.attempt(sink, shutdown, tracker).await {
                Err(error @ (Failure::Sql(_) | Failure::Bind(_))) => error,
                done => return done,
            };
            if attempt >= self.running.attempts {
                // The end of an input that runs once says it all.
                if matches!(self.rhythm, Rhythm::Once) {
                    return Err(error);
                }
                tracing::error!(%error, attempts = attempt, "a JDBC statement failed, its rows are left for the next run");
                return Err(error);
            }
            tracing::warn!(%error, "a JDBC statement failed, trying again");
            attempt += 1;
            tokio::select! {
                () = tokio::time::sleep(spread(self.running.wait)) => {}
                () = shutdown.requested() => return Err(Failure::Shutdown),
            }
        }
    }

    async fn attempt(&self, sink: &Sink, shutdown: &Shutdown, tracker: &Shared) -> Result<(), Failure> {
        let started = Value::Timestamp(Timestamp::now());
        let database = self.connect(shutdown).await?;
        let (settled, outcome) = oneshot::channel();
        // The value that is kept once every row is safe; nothing while the run has not come to its end.
        let reached = Arc::new(Mutex::new(None));
        let ack = Ack::new(keep(Arc::clone(tracker), Arc::clone(&reached), settled));
        let mut run = Run { sink, shutdown, ack, events: Vec::new(), last: None, warned: false, rows: 0 };
        let before = lock(tracker).value().clone();
        let done = self.perform(&database, &before, &mut run).await;
        // Each run has connections of its own, as in Logstash.
        database.close().await;
        done?;
        run.send().await?;
        let value = if self.tracking_column.is_some() { run.last.take() } else { Some(started) };
        *reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(value.unwrap_or(before));
        drop(run);
        tokio::select! {
            settled = outcome => {
                if settled == Ok(Settled::Lost) {
                    tracing::warn!("rows of a jdbc input were not delivered, sql_last_value stays as it was");
                }
                Ok(())
            }
            // The rows are in the queue; what keeps the value comes to it when they are delivered.
            () = shutdown.requested() => Err(Failure::Shutdown),
        }
    }

    async fn connect(&self, shutdown: &Shutdown) -> Result<Database, Failure> {
        let database = Database::open(&self.url, &self.pool, self.clock.clone());
        let mut attempt = 1;
        loop {
            let error = match database.test().await {
                Ok(()) => return Ok(database),
                Err(error) => error,
            };
            if attempt >= self.connecting.attempts {
                return Err(error.into());
            }
            tracing::error!(%error, "could not connect, trying again");
            attempt += 1;
            tokio::select! {
                () = tokio::time::sleep(spread(self.connecting.wait)) => {}
                () = shutdown.requested() => return Err(Failure::Shutdown),
            }
        }
    }

    /// Sends the statement, or its pages one after another.
    async fn perform(&self, database: &Database, last: &Value, run: &mut Run<'_>) -> Result<(), Failure> {
        let query = &self.query;
        match query.paging {
            None => self.rows(database, &query.sql(last, 0, 0)?, run).await,
            Some((PagingMode::Explicit, size)) => {
                let mut offset = 0;
                loop {
                    run.rows = 0;
                    self.rows(database, &query.sql(last, size, offset)?, run).await?;
                    if run.rows != size {
                        return Ok(());
                    }
                    offset += size;
                }
            }
            Some((PagingMode::Auto, size)) => {
                let sql = query.sql(last, 0, 0)?;
                let counted =
                    database.fetch(&format!("SELECT count(*) AS count FROM ({sql}\n) AS t1"), 1).await?;
                let count = counted.first().and_then(|row| row.iter().next());
                let Some((_, Value::Int(count))) = count else { return Ok(()) };
                let count = u64::try_from(*count).unwrap_or_default();
                for page in 0..count.div_ceil(size.max(1)) {
                    let offset = page * size;
                    let sql = format!("SELECT * FROM ({sql}\n) AS t1 LIMIT {size} OFFSET {offset}");
                    self.rows(database, &sql, run).await?;
                }
                Ok(())
            }
        }
    }

    /// Makes events of the rows of one statement, as they come.
    async fn rows(&self, database: &Database, sql: &str, run: &mut Run<'_>) -> Result<(), Failure> {
        self.log(sql);
        let mut rows = database.rows(sql);
        loop {
            let row = tokio::select! {
                row = rows.next() => row,
                () = run.shutdown.requested() => return Err(Failure::Shutdown),
            };
            let Some(row) = row.transpose()? else { return Ok(()) };
            run.rows += 1;
            let row = self.named(row);
            self.track(&row, run);
            if let Some(event) = self.event(row) {
                run.events.push(event);
            }
            if run.events.len() >= self.batch_size {
                run.send().await?;
            }
        }
    }

    fn log(&self, statement: &str) {
        match self.log_level {
            SqlLogLevel::Fatal | SqlLogLevel::Error => tracing::error!(statement, "executing"),
            SqlLogLevel::Warn => tracing::warn!(statement, "executing"),
            SqlLogLevel::Info => tracing::info!(statement, "executing"),
            SqlLogLevel::Debug => tracing::debug!(statement, "executing"),
        }
    }

    fn named(&self, row: Object) -> Object {
        if !self.lowercase {
            return row;
        }
        row.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect()
    }

    fn track(&self, row: &Object, run: &mut Run<'_>) {
        let Some(column) = &self.tracking_column else { return };
        match row.get(column) {
            Some(value) => run.last = Some(value.clone()),
            None if !run.warned => {
                tracing::warn!(tracking_column = %column, "the tracking column is not among the columns of the rows");
                run.warned = true;
            }
            None => {}
        }
    }

    fn event(&self, mut row: Object) -> Option<Event> {
        if self.charset.is_some() || !self.columns_charset.is_empty() {
            let names: Vec<String> = row.keys().map(str::to_owned).collect();
            for (name, value) in names.iter().zip(row.values_mut()) {
                let own = self.columns_charset.iter().find(|(column, _)| column == name);
                let charset = own.map(|(_, charset)| charset).or(self.charset.as_ref());
                if let (Some(charset), Value::Str(text)) = (charset, &*value) {
                    *value = Value::from(charset.decode(text.as_bytes()).into_owned());
                }
            }
        }
        let made = match &self.target {
            None => Event::from_object(row),
            Some(target) => {
                let mut event = Event::new();
                event.set(target, Value::from(row)).map(|()| event)
            }
        };
        made.map_err(|error| tracing::error!(%error, "a row makes no event")).ok()
    }
}

impl Run<'_> {
    /// Hands over what has been read.
    async fn send(&mut self) -> Result<(), Failure> {
        let events = std::mem::take(&mut self.events);
        if events.is_empty() {
            return Ok(());
        }
        self.sink.send(events, Some(self.ack.clone())).await.map_err(|_| Failure::Closed)
    }
}

impl Query {
    /// The statement with its values.
    fn sql(&self, last: &Value, size: u64, offset: u64) -> Result<String, BindError> {
        let mut values: Vec<Value> =
            self.values.iter().map(|value| value.clone().unwrap_or_else(|| last.clone())).collect();
        if let Some((PagingMode::Explicit, _)) = self.paging {
            let number = |number| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
            values.extend([number(size), number(offset)]);
        }
        self.statement.render(&values, &self.writing)
    }
}

/// What happens when the last row of a run has been delivered: the value is kept. The file is a few bytes long.
fn keep(
    tracker: Shared,
    reached: Arc<Mutex<Option<Value>>>,
    settled: oneshot::Sender<Settled>,
) -> impl FnOnce(Settled) + Send + 'static {
    move |outcome| {
        let value = reached.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Settled::Safe, Some(value)) = (outcome, value) {
            let mut tracker = lock(&tracker);
            if !tracker.set(value) {
                tracing::warn!(
                    "the tracking column of the last row fits no sql_last_value, which stays as it was"
                );
            }
            if let Err(error) = tracker.write() {
                tracing::error!(%error, "could not write the file of last_run_metadata_path");
            }
        }
        _ = settled.send(outcome);
    }
}
