//! The jdbc plugins against real servers: PostgreSQL and MariaDB, with psql and mariadb as the other side.
//! `.ci/sql.sh up` brings both up, and `eval "$(.ci/sql.sh env)"` sets what these tests read.

mod filters;
mod reading;
mod server;
mod types;

pub use self::server::Server;
