//! `JdbcUrl`: what a JDBC URL says, as the options of a native driver.

mod mysql;
mod postgres;
mod sqlite;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::{Clock, Dialect};
use crate::plugin::Password;

/// A database and how to reach it.
#[derive(Clone)]
pub struct JdbcUrl {
    pub(super) driver: Driver,
    /// The zone of dates and times without one, where the URL names it.
    pub clock: Option<Clock>,
    /// Whether MySQL's `TINYINT(1)` is a boolean.
    pub(super) tiny_int_is_bit: bool,
    /// Parameters that do nothing here: they are about the inside of a JDBC driver.
    pub ignored: Vec<String>,
}

#[derive(Clone)]
pub(super) enum Driver {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
    /// With whether the database is in memory: then there must be only one connection.
    Sqlite(Box<SqliteConnectOptions>, bool),
}

impl Driver {
    /// Where the database is, for messages.
    pub(super) fn place(&self) -> String {
        match self {
            Driver::Postgres(options) => format!("{}:{}", options.get_host(), options.get_port()),
            Driver::MySql(options) => format!("{}:{}", options.get_host(), options.get_port()),
            Driver::Sqlite(options, _) => options.get_filename().display().to_string(),
        }
    }
}

/// A URL that leads nowhere. No message holds the URL itself: there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error(
        "expected a JDBC URL: jdbc:postgresql://host/database, jdbc:mysql://host/database, jdbc:mariadb://host/database or jdbc:sqlite:path"
    )]
    NoJdbcUrl,
    #[error("there is no driver for {0} here, only for PostgreSQL, MySQL, MariaDB and SQLite; {1}")]
    NoDriver(String, &'static str),
    #[error("expected one host, there are several: name one, or a proxy in front of them")]
    SeveralHosts,
    #[error("\"{0}\" is no port")]
    Port(String),
    #[error("the URL's parameter \"{0}\" is not understood here: {1}")]
    Refused(String, String),
}

/// Who asks.
#[derive(Clone, Copy, Default)]
pub(super) struct Credentials<'a> {
    pub user: Option<&'a str>,
    pub password: Option<&'a Password>,
}

/// The parameters of a URL, decoded.
pub(super) type Parameters = Vec<(String, String)>;

impl JdbcUrl {
    /// Reads a URL. A user and a password that are given beside it go before those in it.
    ///
    /// # Errors
    /// The URL is not understood, or means a database that there is no driver for.
    pub fn parse(url: &str, user: Option<&str>, password: Option<&Password>) -> Result<Self, UrlError> {
        let user = user.filter(|user| !user.is_empty());
        let credentials = Credentials { user, password };
        let (name, rest) =
            url.strip_prefix("jdbc:").and_then(|rest| rest.split_once(':')).ok_or(UrlError::NoJdbcUrl)?;
        match name {
            "postgresql" => postgres::parse(rest, credentials),
            "mysql" | "mariadb" => mysql::parse(rest, credentials),
            "sqlite" => sqlite::parse(rest),
            other => {
                let advice = match other {
                    "redshift" | "cockroachdb" | "pgsql" => "try jdbc:postgresql:// for it",
                    "oracle" => "read it through PostgreSQL (oracle_fdw), or leave this pipeline to Logstash",
                    "sqlserver" | "jtds" | "sybase" => {
                        "read it through PostgreSQL (tds_fdw), or leave this pipeline to Logstash"
                    }
                    _ => "copy the tables into one of these, or leave this pipeline to Logstash",
                };
                // What stands for the name of a database may be anything, even a mistyped password.
                let known = other.len() < 20 && other.chars().all(|c| c.is_ascii_alphanumeric());
                let shown = if known { format!("\"{other}\"") } else { "this database".to_owned() };
                Err(UrlError::NoDriver(shown, advice))
            }
        }
    }

    /// A new database in memory.
    pub fn in_memory() -> Self {
        sqlite::in_memory()
    }

    pub fn dialect(&self) -> Dialect {
        match self.driver {
            Driver::Postgres(_) => Dialect::Postgres,
            Driver::MySql(_) => Dialect::MySql,
            Driver::Sqlite(..) => Dialect::Sqlite,
        }
    }
}

/// A URL of `//host:port/database?parameters`.
pub(super) struct Server {
    pub user: Option<String>,
    pub password: Option<String>,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub database: Option<String>,
    pub parameters: Parameters,
}

impl Server {
    /// Reads a URL behind its scheme. The credentials that are given go before the parameters `user` and `password`, and
    /// those before what stands in front of the host.
    pub fn parse(rest: &str, given: Credentials<'_>) -> Result<Self, UrlError> {
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = match place.strip_prefix("//") {
            Some(place) => place.split_once('/').unwrap_or((place, "")),
            // jdbc:postgresql:database
            None => ("", place.strip_prefix('/').unwrap_or(place)),
        };
        if authority.contains(',') {
            return Err(UrlError::SeveralHosts);
        }
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((credentials, address)) => (Some(credentials), address),
            None => (None, authority),
        };
        let (user, password) = match credentials.map(|text| text.split_once(':').unwrap_or((text, ""))) {
            Some((user, "")) => (Some(decoded(user)), None),
            Some((user, password)) => (Some(decoded(user)), Some(decoded(password))),
            None => (None, None),
        };
        // The colons of an IPv6 address stand in brackets.
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (address, None),
        };
        let port = match port.filter(|port| !port.is_empty()) {
            Some(port) => Some(port.parse().map_err(|_| UrlError::Port(port.to_owned()))?),
            None => None,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let mut parameters = parameters(query);
        let mut take = |name: &str| {
            let taken = parameters.extract_if(.., |(parameter, _)| parameter.eq_ignore_ascii_case(name));
            taken.last().map(|(_, value)| value)
        };
        let (user, password) = (take("user").or(user), take("password").or(password));
        let filled = |text: &str| (!text.is_empty()).then(|| decoded(text));
        Ok(Server {
            user: given.user.map(str::to_owned).or(user),
            password: given.password.map(|given| given.reveal().to_owned()).or(password),
            host: filled(host),
            port,
            database: filled(database),
            parameters,
        })
    }
}

pub(super) fn parameters(query: &str) -> Parameters {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A parameter that must be `true` or `false`; nothing at all means `true`.
pub(super) fn flag(name: &str, value: &str) -> Result<bool, UrlError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(refused(name, "expected true or false")),
    }
}

pub(super) fn refused(name: &str, why: impl Into<String>) -> UrlError {
    UrlError::Refused(name.to_owned(), why.into())
}

/// A zone that a parameter names.
pub(super) fn clock(name: &str, value: &str) -> Result<Clock, UrlError> {
    Clock::parse(value).map_err(|error| refused(name, error.to_string()))
}

#[cfg(test)]
mod tests;
