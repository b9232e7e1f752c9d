//! Loaders: queries whose rows fill a local table (`loader.rb`).

use super::hash;
use super::local::Local;
use crate::plugin::{ConfigValue, OptionReader, Pairs, Password};
use crate::sql::{Clock, ConnectionOptions, Database, JdbcUrl, PoolSettings, SqlError};

#[derive(Clone)]
pub(super) struct Loader {
    pub id: String,
    table: String,
    query: String,
    max_rows: usize,
    url: JdbcUrl,
}

const KEYS: &[&str] = &[
    "id",
    "query",
    "local_table",
    "max_rows",
    "jdbc_connection_string",
    "jdbc_user",
    "jdbc_password",
    "jdbc_driver_class",
    "jdbc_driver_library",
    "staging_directory",
];

impl Loader {
    /// Reads a hash. What it does not say of the database, the filter's own options do.
    pub fn read(
        reader: &mut OptionReader<'_>,
        pairs: &Pairs,
        connection: &ConnectionOptions,
    ) -> Result<Self, String> {
        hash::only(pairs, KEYS)?;
        for key in ["jdbc_driver_class", "jdbc_driver_library", "staging_directory"] {
            if hash::get(pairs, key).is_some() {
                reader.warning("loaders", format!("\"{key}\" has no effect: the drivers are built in"));
            }
        }
        let table = hash::required(pairs, "local_table")?;
        let query = hash::required(pairs, "query")?;
        let id = hash::text(pairs, "id")?.unwrap_or_else(|| table.clone());
        let max_rows = match hash::get(pairs, "max_rows").map(ConfigValue::scalar_text) {
            None => 1_000_000,
            Some(text) => {
                text.and_then(|text| text.parse().ok()).ok_or("\"max_rows\" must be a whole number")?
            }
        };
        let string = hash::text(pairs, "jdbc_connection_string")?;
        let user = hash::text(pairs, "jdbc_user")?.or_else(|| connection.jdbc_user.clone());
        let password =
            hash::get(pairs, "jdbc_password").and_then(ConfigValue::scalar_text).map(Password::new);
        let password = password.or_else(|| connection.jdbc_password.clone());
        let string = string.as_deref().unwrap_or(&connection.jdbc_connection_string);
        let url =
            JdbcUrl::parse(string, user.as_deref(), password.as_ref()).map_err(|error| error.to_string())?;
        Ok(Loader { id, table, query, max_rows, url })
    }

    /// Copies the rows. A table stays as it is when there are none, or too many.
    pub async fn fill(&self, local: &Local) -> Result<(), SqlError> {
        let settings = PoolSettings { max_connections: 1, ..PoolSettings::default() };
        let clock = self.url.clock.clone().unwrap_or_else(Clock::local);
        let remote = Database::open(&self.url, &settings, clock);
        let fetched = remote.fetch(&self.query, self.max_rows.saturating_add(1)).await;
        remote.close().await;
        let rows = fetched?;
        if rows.is_empty() {
            tracing::warn!(loader = %self.id, "a query for a local table returned no results");
            return Ok(());
        }
        if rows.len() > self.max_rows {
            tracing::warn!(loader = %self.id, max_rows = self.max_rows, "a query for a local table returned more than max_rows results");
            return Ok(());
        }
        local.replace(&self.table, &rows).await?;
        tracing::info!(loader = %self.id, rows = rows.len(), "a local table has been filled");
        Ok(())
    }
}
