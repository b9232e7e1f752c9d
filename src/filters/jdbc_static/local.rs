//! The local database, in memory (`read_write_database.rb`).

use std::time::Duration;

use super::object::{DbObject, quoted};
use crate::event::{Object, Value};
use crate::sql::{Clock, Database, Dialect, JdbcUrl, PoolSettings, SqlError, Writing};

/// How many rows one statement puts in.
const ROWS: usize = 200;

/// How long a lookup waits for its turn while a table is copied (Logstash: `pool_timeout`).
const TURN: Duration = Duration::from_secs(30);

pub(super) struct Local {
    database: Database,
}

impl Local {
    /// Makes the tables.
    pub async fn create(objects: &[DbObject]) -> Result<Self, SqlError> {
        let url = JdbcUrl::in_memory();
        let settings = PoolSettings { acquire_timeout: TURN, ..PoolSettings::default() };
        // Times are kept in UTC, so that nothing depends on summer time.
        let local = Local { database: Database::open(&url, &settings, Clock::utc()) };
        // As in Derby, and in SQL altogether.
        local.database.execute("PRAGMA case_sensitive_like = ON").await?;
        for object in objects {
            local.database.execute(&object.sql()).await?;
        }
        Ok(local)
    }

    /// How values are written for this database.
    pub fn writing() -> Writing {
        Writing::new(Dialect::Sqlite, Clock::utc())
    }

    /// The rows of a lookup; the names of columns are in lower case, as with Derby.
    pub async fn fetch(&self, sql: &str) -> Result<Vec<Value>, SqlError> {
        let rows = self.database.fetch(sql, usize::MAX).await?;
        let lower = |row: Object| -> Object {
            row.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect()
        };
        Ok(rows.into_iter().map(|row| Value::from(lower(row))).collect())
    }

    /// Puts rows in the place of all that are in a table, or leaves it as it was.
    pub async fn replace(&self, table: &str, rows: &[Object]) -> Result<(), SqlError> {
        let (table, writing) = (quoted(table), Self::writing());
        let mut statements = vec![format!("DELETE FROM {table}")];
        for chunk in rows.chunks(ROWS) {
            let mut sql = format!("INSERT INTO {table} VALUES ");
            for (number, row) in chunk.iter().enumerate() {
                sql.push_str(if number > 0 { ", (" } else { "(" });
                for (number, (_, value)) in row.iter().enumerate() {
                    sql.push_str(if number > 0 { ", " } else { "" });
                    // An array has no column type here; its text is kept.
                    let text = value.as_array().map(|_| Value::from(crate::event::text::ruby_to_s(value)));
                    if writing.push(&mut sql, text.as_ref().unwrap_or(value)).is_err() {
                        sql.push_str("NULL");
                    }
                }
                sql.push(')');
            }
            statements.push(sql);
        }
        self.database.transaction(&statements).await
    }
}
