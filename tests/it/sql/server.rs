//! The servers that RSTASH_POSTGRES and RSTASH_MYSQL name, and their own clients.

use std::process::Command;
use std::sync::Mutex;

use crate::shared::missing;

const USER: &str = "rstash";
pub const PASSWORD: &str = "rstash-secret";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    MariaDb,
}

/// A server, and the tables that a test has made there.
pub struct Server {
    pub kind: Kind,
    host: String,
    port: String,
    database: String,
    tables: Mutex<Vec<String>>,
}

impl Server {
    /// PostgreSQL, if there is one.
    pub fn postgres() -> Option<Self> {
        Self::named(Kind::Postgres, "RSTASH_POSTGRES", "psql")
    }

    /// MariaDB, if there is one.
    pub fn mariadb() -> Option<Self> {
        Self::named(Kind::MariaDb, "RSTASH_MYSQL", "mariadb")
    }

    /// Those that are there.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::postgres(), Self::mariadb()].into_iter().flatten()
    }

    /// A server whose variable is `kind://host:port/database`.
    fn named(kind: Kind, variable: &str, client: &str) -> Option<Self> {
        let Ok(url) = std::env::var(variable) else {
            missing(&format!("{variable} names no server (.ci/sql.sh up)"));
            return None;
        };
        if Command::new(client).arg("--version").output().is_err() {
            missing(&format!("{client} is not installed"));
            return None;
        }
        let parts = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let (address, database) = parts.expect("kind://host:port/database");
        let (host, port) = address.split_once(':').expect("host:port");
        let [host, port, database] = [host, port, database].map(str::to_owned);
        Some(Server { kind, host, port, database, tables: Mutex::default() })
    }

    /// What its client prints for a statement: values between `|`, rows between line breaks.
    pub fn run(&self, sql: &str) -> String {
        let mut command = match self.kind {
            Kind::Postgres => {
                let mut command = Command::new("psql");
                command.env("PGPASSWORD", PASSWORD).args(["-h", &self.host, "-p", &self.port, "-U", USER]);
                command.args(["-d", &self.database, "-v", "ON_ERROR_STOP=1", "-AtXc", sql]);
                command
            }
            Kind::MariaDb => {
                let mut command = Command::new("mariadb");
                command.args(["--no-defaults", "-h", &self.host, "-P", &self.port, "-u", USER, "-N", "-B"]);
                command.env("MYSQL_PWD", PASSWORD).args([
                    "--default-character-set=utf8mb4",
                    &self.database,
                    "-e",
                    sql,
                ]);
                command
            }
        };
        let output = command.output().expect("the client runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {errors}");
        let text = String::from_utf8(output.stdout).expect("text").trim_end().to_owned();
        if self.kind == Kind::MariaDb { text.replace('\t', "|") } else { text }
    }

    /// Makes a table of these columns and returns its name. It is dropped at the end.
    pub fn table(&self, columns: &str) -> String {
        let name = format!("t{}_{}", std::process::id(), fastrand::u64(..));
        self.run(&format!("CREATE TABLE {name} ({columns})"));
        self.tables.lock().expect("no panic").push(name.clone());
        name
    }

    /// A table of songs with the given ids.
    pub fn songs(&self, ids: std::ops::RangeInclusive<u32>) -> String {
        let table = self.table("id integer, title varchar(30)");
        self.add_songs(&table, ids);
        table
    }

    pub fn add_songs(&self, table: &str, ids: std::ops::RangeInclusive<u32>) {
        let rows: Vec<_> = ids.map(|id| format!("({id}, 'song ''{id}''')")).collect();
        self.run(&format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
    }

    /// Where it is, as the plugins are told; `parameters` begin with `?`.
    pub fn string(&self, parameters: &str) -> String {
        let scheme = if self.kind == Kind::Postgres { "postgresql" } else { "mariadb" };
        format!("jdbc:{scheme}://{}:{}/{}{parameters}", self.host, self.port, self.database)
    }

    /// The options that name it.
    pub fn options(&self) -> String {
        format!(
            r#"jdbc_connection_string => "{}" jdbc_user => "{USER}" jdbc_password => "{PASSWORD}""#,
            self.string("")
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let tables = std::mem::take(&mut *self.tables.lock().expect("no panic"));
        if !tables.is_empty() && !std::thread::panicking() {
            self.run(&format!("DROP TABLE {}", tables.join(", ")));
        }
    }
}
