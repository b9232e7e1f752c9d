//! SQL databases behind JDBC URLs: what the jdbc plugins share (logstash-integration-jdbc, and the ways of Sequel, the
//! library that Logstash reaches databases through).
//!
//! There is no JVM here: the URL names one of three native drivers. Values stand in statements as literals, as Sequel
//! writes them, because a literal takes the type of what it is compared with (a text `'5'` and an integer column), and a
//! bound parameter of PostgreSQL does not.

mod clock;
mod database;
mod literal;
mod mysql;
mod options;
mod postgres;
mod sqlite;
mod statement;
mod url;

pub use clock::{Clock, UnknownClock};
pub use database::{Database, PoolSettings, SqlError, runs_on};
pub use literal::{Dialect, LiteralError, Writing};
pub use options::{ConnectionOptions, SequelOptions, warn_of_drivers};
pub use statement::{BindError, Statement};
pub use url::{JdbcUrl, UrlError};
