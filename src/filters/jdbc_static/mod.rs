//! Filter `jdbc_static`: looks things up in tables that are copied from a database beforehand
//! (logstash-filter-jdbc_static).
//!
//! The copies are in an SQLite database in memory, where Logstash has Apache Derby.

mod hash;
mod loader;
mod local;
mod lookup;
mod object;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::task::JoinHandle;

use crate::event::Event;
use crate::plugin::{
    Build, ConfigValue, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, RunError, Spec, options,
};
use crate::schedule::Schedule;
use crate::sql::{ConnectionOptions, runs_on};

use loader::Loader;
use local::Local;
use lookup::{Lookup, Tags};
use object::DbObject;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "jdbc_static",
    summary: "Looks things up in tables copied from a database.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { jdbc_static {
            jdbc_connection_string => "jdbc:sqlite::memory:"
            loaders => [ { id => "remote-servers" query => "SELECT '10.2.3.20', 'Payments'" local_table => "servers" } ]
            local_db_objects => [
              { name => "servers" index_columns => ["ip"] columns => [["ip", "varchar(15)"], ["descr", "varchar(255)"]] }
            ]
            local_lookups => [ {
              query => "SELECT descr AS description FROM servers WHERE ip = :ip" parameters => { ip => "[from]" }
              target => "server"
            } ]
        } }"#,
        input: &[r#"{"from":"10.2.3.20"}"#, r#"{"from":"10.2.3.21"}"#],
        output: &[
            r#"{"from":"10.2.3.20","server":[{"description":"Payments"}]}"#,
            r#"{"from":"10.2.3.21","server":[]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(JdbcStatic::build(reader)?))),
};

options! {
    struct Options {
        /// What to copy, hashes with `query` and `local_table`; if wanted `id`, `max_rows` and a database of its own:
        /// `jdbc_connection_string`, `jdbc_user`, `jdbc_password`.
        loaders: Vec<Pairs> = [],
        /// The tables to copy into, hashes with `name`, `columns` (pairs of name and type) and `index_columns`.
        local_db_objects: Vec<Pairs> = [],
        /// What to look up, hashes with `query`; if wanted `id`, `parameters` or `prepared_parameters`, `target`,
        /// `default_hash`, `tag_on_failure` and `tag_on_default_use`.
        local_lookups: Vec<Pairs>,
        /// When to copy anew: a cron line, with seconds in front and a time zone behind if wanted.
        loader_schedule: Option<String>,
        /// Tags added when a lookup failed or had no value for a parameter.
        tag_on_failure: Vec<String> = ["_jdbcstaticfailure"],
        /// Tags added when a `default_hash` is used.
        tag_on_default_use: Vec<String> = ["_jdbcstaticdefaultsused"],
        /// No effect: nothing is put into files on the way.
        staging_directory: Option<ConfigValue>,
        ..connection: ConnectionOptions,
    }
}

struct JdbcStatic {
    copies: Arc<Copies>,
    lookups: Vec<Lookup>,
    schedule: Option<Schedule>,
    /// What copies anew, from the start on.
    repeats: Mutex<Option<JoinHandle<()>>>,
}

/// The local tables, and what fills them.
struct Copies {
    local: OnceLock<Local>,
    objects: Vec<DbObject>,
    loaders: Vec<Loader>,
}

impl JdbcStatic {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        reader.no_effect("staging_directory", "rows go from one database into the other without files");
        drop(options.staging_directory);
        let connection = options.connection.url(reader);
        let loaders = hash::each(reader, "loaders", &options.loaders, |reader, _, pairs| {
            Loader::read(reader, pairs, &options.connection)
        });
        let mut objects = hash::each(reader, "local_db_objects", &options.local_db_objects, |_, _, pairs| {
            DbObject::read(pairs)
        });
        let tags =
            Tags { failure: options.tag_on_failure.clone(), default_use: options.tag_on_default_use.clone() };
        let lookups = hash::each(reader, "local_lookups", &options.local_lookups, |_, number, pairs| {
            Lookup::read(pairs, number, &tags)
        });
        if let Some(Err(error)) = lookups.as_deref().map(lookup::check_distinct) {
            reader.error("local_lookups", error);
        }
        let schedule = match options.loader_schedule.as_deref().map(Schedule::cron).transpose() {
            Ok(schedule) => schedule,
            Err(error) => {
                reader.error("loader_schedule", error.to_string());
                return None;
            }
        };
        connection?;
        // Logstash makes the tables in the order of their names.
        if let Some(objects) = &mut objects {
            objects.sort_by(|one, other| one.name.cmp(&other.name));
        }
        let copies = Copies { local: OnceLock::new(), objects: objects?, loaders: loaders? };
        Some(JdbcStatic { copies: Arc::new(copies), lookups: lookups?, schedule, repeats: Mutex::new(None) })
    }
}

impl Copies {
    /// Copies all there is.
    async fn load(&self) -> Result<(), RunError> {
        let Some(local) = self.local.get() else { return Ok(()) };
        for loader in &self.loaders {
            loader
                .fill(local)
                .await
                .map_err(|error| RunError::new(format!("loader \"{}\": {error}", loader.id)))?;
        }
        Ok(())
    }

    /// Copies whenever a schedule says so.
    async fn repeat(&self, schedule: Schedule) {
        let mut times = schedule.times();
        while let Some(wait) = times.wait() {
            tokio::time::sleep(wait).await;
            if let Err(error) = self.load().await {
                tracing::error!(%error, "could not copy the tables of a jdbc_static filter, the last copy stays");
            }
        }
    }
}

impl Filter for JdbcStatic {
    fn start(&self) -> Result<(), RunError> {
        let told = |error: crate::sql::SqlError| RunError::new(error.to_string());
        let copies = &self.copies;
        let local = runs_on(Local::create(&copies.objects)).map_err(told)?;
        _ = copies.local.set(local);
        let started = runs_on(async { Ok(copies.load().await) });
        started.map_err(told)??;
        if let Some(schedule) = &self.schedule {
            let (copies, schedule) = (Arc::clone(copies), schedule.clone());
            let task = runs_on(async { Ok(tokio::spawn(async move { copies.repeat(schedule).await })) });
            *self.repeats.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.map_err(told)?);
        }
        Ok(())
    }

    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let mut all = true;
        for lookup in &self.lookups {
            all &= lookup.enhance(self.copies.local.get(), event);
        }
        if all { Outcome::Matched } else { Outcome::Failed }
    }
}

impl Drop for JdbcStatic {
    fn drop(&mut self) {
        if let Some(task) = self.repeats.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests;
