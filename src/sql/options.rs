//! The options that the jdbc plugins share.

use std::time::Duration;

use super::{JdbcUrl, PoolSettings};
use crate::plugin::{ConfigKind, ConfigValue, OptionReader, Pairs, Password, options};

options! {
    /// Which database, and who asks.
    pub struct ConnectionOptions {
        /// No effect: there is no JVM that could load a driver. The URL names the driver.
        jdbc_driver_library: Option<ConfigValue>,
        /// No effect, as `jdbc_driver_library`.
        jdbc_driver_class: Option<ConfigValue>,
        /// The database: `jdbc:postgresql://host:port/database`, `jdbc:mysql://...`, `jdbc:mariadb://...` or
        /// `jdbc:sqlite:path`, with the parameters of the usual JDBC drivers, such as `?sslmode=require`.
        jdbc_connection_string: String,
        /// The user. It goes before one in the URL.
        jdbc_user: Option<String>,
        /// The password. It goes before one in the URL.
        jdbc_password: Option<Password>,
    }
}

const NO_JVM: &str = "the drivers for PostgreSQL, MySQL, MariaDB and SQLite are built in";

/// Says of the options that name a JDBC driver that they do nothing.
pub fn warn_of_drivers(reader: &mut OptionReader<'_>) {
    reader.no_effect("jdbc_driver_library", NO_JVM);
    reader.no_effect("jdbc_driver_class", NO_JVM);
}

impl ConnectionOptions {
    /// What the URL says; a mistake in it is noted.
    pub fn url(&self, reader: &mut OptionReader<'_>) -> Option<JdbcUrl> {
        warn_of_drivers(reader);
        let parsed = JdbcUrl::parse(
            &self.jdbc_connection_string,
            self.jdbc_user.as_deref(),
            self.jdbc_password.as_ref(),
        );
        match parsed {
            Ok(url) => {
                for name in &url.ignored {
                    let message =
                        format!("the URL's parameter \"{name}\" has no effect: it is about a JDBC driver");
                    reader.warning("jdbc_connection_string", message);
                }
                Some(url)
            }
            Err(error) => {
                reader.error("jdbc_connection_string", error.to_string());
                None
            }
        }
    }
}

/// What `sequel_opts` can say here.
#[derive(Debug, Clone, Default)]
pub struct SequelOptions {
    pub fractional_seconds: bool,
    max_connections: Option<u32>,
    pool_timeout: Option<Duration>,
}

impl SequelOptions {
    /// Reads the option of that name; what is not understood is noted.
    pub fn read(reader: &mut OptionReader<'_>, given: &Pairs) -> Option<Self> {
        let mut options = SequelOptions::default();
        let mut understood = true;
        for (name, value) in given.iter() {
            if let Err(error) = options.take(name, value) {
                reader.error("sequel_opts", format!("\"{name}\": {error}"));
                understood = false;
            }
        }
        understood.then_some(options)
    }

    fn take(&mut self, name: &str, value: &ConfigValue) -> Result<(), &'static str> {
        let text = value.scalar_text().unwrap_or_default();
        match name {
            "max_connections" => {
                let count = text.parse().ok().filter(|count| *count > 0);
                self.max_connections = Some(count.ok_or("expected a number of connections")?);
            }
            "pool_timeout" => {
                let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                self.pool_timeout = Some(seconds.ok_or("expected a number of seconds")?);
            }
            "fractional_seconds" => {
                self.fractional_seconds = text.parse().map_err(|_| "expected true or false")?;
            }
            // True is what happens anyway, when the pipeline starts.
            "test" | "keep_reference" if matches!(&value.kind, ConfigKind::Text(_)) => {}
            _ => {
                return Err(
                    "this option of Sequel means nothing here; there are max_connections, pool_timeout and \
                            fractional_seconds, and parameters of the URL",
                );
            }
        }
        Ok(())
    }

    /// Writes what is given over what a plugin has by itself.
    pub fn apply(&self, settings: &mut PoolSettings) {
        if let Some(count) = self.max_connections {
            settings.max_connections = count;
        }
        if let Some(timeout) = self.pool_timeout {
            settings.acquire_timeout = timeout;
        }
    }
}
