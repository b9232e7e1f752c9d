//! `jdbc:sqlite:` URLs: a path, or nothing or `:memory:` for a database in memory.

use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::{Driver, JdbcUrl, UrlError, flag, parameters, refused};

pub(super) fn parse(rest: &str) -> Result<JdbcUrl, UrlError> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("file:").unwrap_or(path);
    let in_memory = path.is_empty() || path == ":memory:";
    // As SQLite's JDBC driver does, a file that is missing is made.
    let mut options = SqliteConnectOptions::new()
        .filename(if in_memory { ":memory:" } else { path })
        .create_if_missing(true)
        .disable_statement_logging();
    for (name, value) in parameters(query) {
        match name.as_str() {
            "busy_timeout" => {
                let millis = value.parse().map_err(|_| refused(&name, "expected milliseconds"))?;
                options = options.busy_timeout(Duration::from_millis(millis));
            }
            "foreign_keys" => options = options.foreign_keys(flag(&name, &value)?),
            "mode" if value == "ro" => options = options.read_only(true).create_if_missing(false),
            "mode" if value == "rw" => options = options.create_if_missing(false),
            "mode" if value == "rwc" => {}
            _ => return Err(refused(&name, "there are busy_timeout, foreign_keys and mode (ro, rw, rwc)")),
        }
    }
    let driver = Driver::Sqlite(Box::new(options), in_memory);
    Ok(JdbcUrl { driver, clock: None, tiny_int_is_bit: true, ignored: Vec::new() })
}

pub(super) fn in_memory() -> JdbcUrl {
    let options = SqliteConnectOptions::new().filename(":memory:").disable_statement_logging();
    let driver = Driver::Sqlite(Box::new(options), true);
    JdbcUrl { driver, clock: None, tiny_int_is_bit: true, ignored: Vec::new() }
}
