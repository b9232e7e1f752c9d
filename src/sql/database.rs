//! `Database`: a pool of connections, and rows as the fields of an event.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{Connection, Executor};

use super::url::Driver;
use super::{Clock, Dialect, JdbcUrl, mysql, postgres, sqlite};
use crate::event::{Object, Value};

/// How connections are kept.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    pub max_connections: u32,
    /// How long to wait for a connection, a new one included.
    pub acquire_timeout: Duration,
    /// Connections are asked for a sign of life before use when they have been idle for so long.
    pub validate_after: Option<Duration>,
}

impl Default for PoolSettings {
    /// As in Sequel.
    fn default() -> Self {
        PoolSettings { max_connections: 4, acquire_timeout: Duration::from_secs(5), validate_after: None }
    }
}

/// What went wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    #[error("could not connect to the database at {place}: {source}")]
    Connect { place: String, source: sqlx::Error },
    #[error("{0}")]
    Statement(#[source] sqlx::Error),
    #[error(transparent)]
    Runtime(#[from] std::io::Error),
}

/// A database. Connections are made when they are needed.
#[derive(Debug, Clone)]
pub struct Database {
    pool: Pool,
    /// Where it is, for messages.
    place: String,
    reading: Reading,
}

#[derive(Debug, Clone)]
enum Pool {
    Postgres(PgPool),
    MySql(MySqlPool),
    Sqlite(SqlitePool),
}

/// How columns become values.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// The zone of times that come without one.
    pub clock: Clock,
    pub tiny_int_is_bit: bool,
}

/// The options of every driver's pool: a macro, because each has types of its own.
macro_rules! pool {
    ($options:ty, $settings:expr) => {{
        let validate_after = $settings.validate_after;
        <$options>::new()
            .max_connections($settings.max_connections)
            .acquire_timeout($settings.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(move |connection, state| {
                Box::pin(async move {
                    match validate_after {
                        Some(after) if state.idle_for >= after => Ok(connection.ping().await.is_ok()),
                        _ => Ok(true),
                    }
                })
            })
    }};
}

impl Database {
    /// A pool for a database; `clock` is the zone of times that the database has without one. To be called within a
    /// tokio runtime, on which its connections live.
    pub fn open(url: &JdbcUrl, settings: &PoolSettings, clock: Clock) -> Self {
        let pool = match &url.driver {
            Driver::Postgres(options) => {
                let zone = Clock::local().name().unwrap_or("UTC").replace('\'', "");
                let set_zone = format!("SET TIME ZONE '{zone}'");
                let pool = pool!(PgPoolOptions, settings).after_connect(move |connection, _| {
                    // As pgJDBC does, so that a time without a zone in a statement means the same.
                    let set_zone = set_zone.clone();
                    Box::pin(async move { connection.execute(set_zone.as_str()).await.map(|_| ()) })
                });
                Pool::Postgres(pool.connect_lazy_with((**options).clone()))
            }
            Driver::MySql(options) => {
                Pool::MySql(pool!(MySqlPoolOptions, settings).connect_lazy_with((**options).clone()))
            }
            Driver::Sqlite(options, in_memory) => {
                let mut pool = pool!(SqlitePoolOptions, settings);
                if *in_memory {
                    // Each connection would have a database of its own, which ends with it.
                    pool = pool.max_connections(1).idle_timeout(None).max_lifetime(None);
                }
                Pool::Sqlite(pool.connect_lazy_with((**options).clone()))
            }
        };
        let place = url.driver.place();
        Database { pool, place, reading: Reading { clock, tiny_int_is_bit: url.tiny_int_is_bit } }
    }

    pub fn dialect(&self) -> Dialect {
        match self.pool {
            Pool::Postgres(_) => Dialect::Postgres,
            Pool::MySql(_) => Dialect::MySql,
            Pool::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Makes a connection, if there is none.
    ///
    /// # Errors
    /// The database cannot be reached, or it refuses.
    pub async fn test(&self) -> Result<(), SqlError> {
        let tested = match &self.pool {
            Pool::Postgres(pool) => pool.acquire().await.map(drop),
            Pool::MySql(pool) => pool.acquire().await.map(drop),
            Pool::Sqlite(pool) => pool.acquire().await.map(drop),
        };
        tested.map_err(|source| SqlError::Connect { place: self.place.clone(), source })
    }

    /// The rows of a statement, as they come: whoever reads slowly makes the database wait. Nothing is sent before the
    /// first poll.
    pub fn rows<'a>(&'a self, sql: &'a str) -> BoxStream<'a, Result<Object, SqlError>> {
        let reading = &self.reading;
        macro_rules! rows {
            ($pool:expr, $driver:ident) => {
                Box::pin(
                    sqlx::raw_sql(sql)
                        .fetch($pool)
                        .map(move |row| $driver::row(&row.map_err(|error| self.failed(error))?, reading)),
                )
            };
        }
        match &self.pool {
            Pool::Postgres(pool) => rows!(pool, postgres),
            Pool::MySql(pool) => rows!(pool, mysql),
            Pool::Sqlite(pool) => rows!(pool, sqlite),
        }
    }

    /// All rows of a statement, but no more than `limit`.
    ///
    /// # Errors
    /// The statement failed.
    pub async fn fetch(&self, sql: &str, limit: usize) -> Result<Vec<Object>, SqlError> {
        let mut rows = self.rows(sql);
        let mut fetched = Vec::new();
        while fetched.len() < limit {
            match rows.next().await {
                Some(row) => fetched.push(row?),
                None => break,
            }
        }
        Ok(fetched)
    }

    /// Runs a statement that gives no rows.
    ///
    /// # Errors
    /// The statement failed.
    pub async fn execute(&self, sql: &str) -> Result<(), SqlError> {
        let done = match &self.pool {
            Pool::Postgres(pool) => pool.execute(sqlx::raw_sql(sql)).await.map(drop),
            Pool::MySql(pool) => pool.execute(sqlx::raw_sql(sql)).await.map(drop),
            Pool::Sqlite(pool) => pool.execute(sqlx::raw_sql(sql)).await.map(drop),
        };
        done.map_err(|error| self.failed(error))
    }

    fn failed(&self, source: sqlx::Error) -> SqlError {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls};
        match source {
            Io(_) | Tls(_) | PoolTimedOut | PoolClosed => {
                SqlError::Connect { place: self.place.clone(), source }
            }
            source => SqlError::Statement(source),
        }
    }

    /// Closes the connections.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Postgres(pool) => pool.close().await,
            Pool::MySql(pool) => pool.close().await,
            Pool::Sqlite(pool) => pool.close().await,
        }
    }

    /// Runs statements that give no rows, all of them or none.
    ///
    /// # Errors
    /// One of the statements failed; what was before is restored.
    pub async fn transaction(&self, statements: &[String]) -> Result<(), SqlError> {
        macro_rules! run {
            ($pool:expr) => {{
                let mut transaction = $pool.begin().await.map_err(|error| self.failed(error))?;
                for sql in statements {
                    (&mut *transaction)
                        .execute(sqlx::raw_sql(sql))
                        .await
                        .map_err(|error| self.failed(error))?;
                }
                transaction.commit().await.map_err(|error| self.failed(error))
            }};
        }
        match &self.pool {
            Pool::Postgres(pool) => run!(pool),
            Pool::MySql(pool) => run!(pool),
            Pool::Sqlite(pool) => run!(pool),
        }
    }
}

/// A row that cannot be read.
pub(super) fn unreadable(error: sqlx::Error) -> SqlError {
    SqlError::Statement(error)
}

/// Runs a future of a filter on its thread.
///
/// # Errors
/// Those of the future, and when the system gives no thread.
pub fn runs_on<T>(future: impl Future<Output = Result<T, SqlError>>) -> Result<T, SqlError> {
    crate::plugin::blocking::block_on(future)?
}

/// A decimal number, digit by digit; the text where it is none.
pub(super) fn decimal(text: &str) -> Value {
    match text.parse() {
        Ok(number) => Value::Big(Box::new(crate::event::Big::Decimal(number))),
        Err(_) => text.parse::<f64>().map_or_else(|_| Value::from(text), Value::Float),
    }
}

/// An integer of any size; the text where it is none.
pub(super) fn integer(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) => Value::Int(number),
        Err(_) => text.parse().map_or_else(|_| Value::from(text), Value::from_big_integer),
    }
}

/// A time that a reader understands; the text where it does not (`infinity`).
pub(super) fn time_or_text(time: Option<crate::event::Timestamp>, text: &str) -> Value {
    time.map_or_else(|| Value::from(text), Value::Timestamp)
}
