//! Filter `jdbc_streaming`: asks a database for every event (logstash-filter-jdbc_streaming).

mod parameter;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::kept::Kept;
use crate::event::{Event, FieldReference, Value};
use crate::plugin::{
    Build, ConfigValue, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, RunError, Spec, options,
};
use crate::sql::{
    BindError, Clock, ConnectionOptions, Database, JdbcUrl, PoolSettings, SequelOptions, SqlError, Statement,
    Writing, runs_on,
};

use parameter::Parameter;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "jdbc_streaming",
    summary: "Asks a database for every event.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { jdbc_streaming {
            jdbc_connection_string => "jdbc:sqlite::memory:"
            statement => "SELECT :price * 2 AS both, :name AS name"
            parameters => { "price" => "[item][price]" "name" => "a %{kind}" }
            target => "found"
        } }"#,
        input: &[r#"{"item":{"price":21},"kind":"chair"}"#],
        output: &[r#"{"item":{"price":21},"kind":"chair","found":[{"both":42,"name":"a chair"}]}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(JdbcStreaming::build(reader)?))),
};

options! {
    struct Options {
        /// The statement. `:name` stands for a parameter.
        statement: String,
        /// Parameters by name: a field, or text with `%{field}` in it.
        parameters: Pairs = {},
        /// The field for the rows, an array of objects.
        target: FieldReference,
        /// The only row where the database has none, or does not answer.
        default_hash: Pairs = {},
        /// Tags added when the statement failed.
        tag_on_failure: Vec<String> = ["_jdbcstreamingfailure"],
        /// Tags added when `default_hash` is used.
        tag_on_default_use: Vec<String> = ["_jdbcstreamingdefaultsused"],
        /// Whether to keep answers, failures among them.
        use_cache: bool = true,
        /// Seconds to keep an answer for.
        cache_expiration: f64 = 5.0,
        /// How many answers to keep.
        cache_size: usize = 500,
        /// Whether `?` in the statement stands for parameters, which are `prepared_statement_bind_values`.
        use_prepared_statements: bool = false,
        /// A name for the prepared statement, which must be given; nothing depends on it here.
        prepared_statement_name: String = "",
        /// The values for each `?`: `[field]`, text with `%{field}` in it, or a constant.
        prepared_statement_bind_values: Vec<ConfigValue> = [],
        /// Whether to warn of constant texts among those values.
        prepared_statement_warn_on_constant_usage: bool = true,
        /// Options of the connection pool: `max_connections`, `pool_timeout`; for MySQL `fractional_seconds`.
        sequel_opts: Pairs = {},
        /// Whether a connection is asked for a sign of life before use.
        jdbc_validate_connection: bool = false,
        /// Seconds for which a connection must have been idle for that.
        jdbc_validation_timeout: f64 = 3600,
        ..connection: ConnectionOptions,
    }
}

struct JdbcStreaming {
    url: JdbcUrl,
    pool: PoolSettings,
    /// Opened with the start of the pipeline.
    database: OnceLock<Database>,
    source: String,
    statement: Statement,
    parameters: Vec<Parameter>,
    writing: Writing,
    cache: Option<Kept<Arc<Answer>>>,
    target: FieldReference,
    default: Value,
    tag_on_failure: Vec<String>,
    tag_on_default_use: Vec<String>,
}

/// What the database said.
#[derive(Debug, Default)]
struct Answer {
    rows: Vec<Value>,
    failed: bool,
}

/// Why a statement gave no rows.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Sprintf(#[from] crate::event::SprintfError),
    #[error(transparent)]
    Sql(#[from] SqlError),
}

impl JdbcStreaming {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let url = options.connection.url(reader);
        let sequel = SequelOptions::read(reader, &options.sequel_opts);
        let parameters = read_parameters(reader, &options, url.as_ref());
        if options.cache_size == 0 {
            reader.error("cache_size", "must be at least 1; use_cache => false keeps nothing");
            return None;
        }
        let validation = Duration::try_from_secs_f64(options.jdbc_validation_timeout);
        let (Ok(life), Ok(validation)) = (Duration::try_from_secs_f64(options.cache_expiration), validation)
        else {
            reader.error("cache_expiration", "expected a number of seconds, and in jdbc_validation_timeout");
            return None;
        };
        let (url, sequel, (statement, parameters)) = (url?, sequel?, parameters?);
        let validate_after = options.jdbc_validate_connection.then_some(validation);
        let mut pool = PoolSettings { validate_after, ..PoolSettings::default() };
        sequel.apply(&mut pool);
        // Sequel writes the UTC of an event's times as it is, where no zone is set.
        let mut writing = Writing::new(url.dialect(), Clock::utc());
        writing.fractional_seconds = sequel.fractional_seconds;
        let default: crate::event::Object =
            options.default_hash.iter().map(|(name, value)| (name, value.to_value())).collect();
        Some(JdbcStreaming {
            url,
            pool,
            database: OnceLock::new(),
            source: options.statement,
            statement,
            parameters,
            writing,
            cache: options.use_cache.then(|| Kept::new(options.cache_size, life)).flatten(),
            target: options.target,
            default: Value::Array(vec![Value::from(default)]),
            tag_on_failure: options.tag_on_failure,
            tag_on_default_use: options.tag_on_default_use,
        })
    }

    fn database(&self) -> Result<&Database, SqlError> {
        if let Some(database) = self.database.get() {
            return Ok(database);
        }
        let clock = self.url.clock.clone().unwrap_or_else(Clock::local);
        let opened = runs_on(async { Ok(Database::open(&self.url, &self.pool, clock)) })?;
        Ok(self.database.get_or_init(|| opened))
    }

    /// The answer for an event, from the cache if it has it. The statement with its values is what is remembered by.
    fn look_up(&self, event: &Event) -> Arc<Answer> {
        let sql = match self.sql(event) {
            Ok(sql) => sql,
            Err(error) => return Arc::new(self.failure(&error)),
        };
        if let Some(answer) = self.cache.as_ref().and_then(|cache| cache.get(&sql)) {
            return answer;
        }
        let answer = Arc::new(self.ask(&sql).unwrap_or_else(|error| self.failure(&error)));
        if let Some(cache) = &self.cache {
            cache.insert(&sql, Arc::clone(&answer));
        }
        answer
    }

    fn sql(&self, event: &Event) -> Result<String, Failure> {
        let values = self.parameters.iter().map(|parameter| parameter.value(event));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        Ok(self.statement.render(&values, &self.writing)?)
    }

    fn ask(&self, sql: &str) -> Result<Answer, Failure> {
        tracing::debug!(statement = sql, "executing a JDBC query");
        let database = self.database()?;
        let rows = runs_on(database.fetch(sql, usize::MAX))?;
        Ok(Answer { rows: rows.into_iter().map(Value::from).collect(), failed: false })
    }

    fn failure(&self, error: &Failure) -> Answer {
        tracing::warn!(statement = %self.source, %error, "a JDBC query failed");
        Answer { rows: Vec::new(), failed: true }
    }
}

/// The statement and what stands for its parameters, in their order.
fn read_parameters(
    reader: &mut OptionReader<'_>,
    options: &Options,
    url: Option<&JdbcUrl>,
) -> Option<(Statement, Vec<Parameter>)> {
    let dialect = url?.dialect();
    if !options.use_prepared_statements {
        let names: Vec<&str> = options.parameters.iter().map(|(name, _)| name).collect();
        let values = options.parameters.iter().map(|(_, value)| Parameter::named(value));
        let values =
            values.collect::<Result<_, _>>().map_err(|error| reader.error("parameters", error)).ok()?;
        return Some((Statement::named(&options.statement, dialect, &names), values));
    }
    let statement = Statement::positional(&options.statement, dialect);
    let given = &options.prepared_statement_bind_values;
    if options.prepared_statement_name.is_empty() {
        reader.error("prepared_statement_name", "a prepared statement must have a name");
    }
    if statement.parameters() != given.len() {
        let (marks, values) = (statement.parameters(), given.len());
        let message = format!("the statement has {marks} placeholders (?), and {values} values are given");
        reader.error("prepared_statement_bind_values", message);
    }
    let values = given.iter().map(Parameter::bound).collect::<Result<Vec<_>, _>>();
    let values = values.map_err(|error| reader.error("prepared_statement_bind_values", error)).ok()?;
    for value in values.iter().filter(|_| options.prepared_statement_warn_on_constant_usage) {
        if let Parameter::Constant(Value::Str(text)) = value {
            let message = format!("\"{text}\" is a constant; a field is written [{text}]");
            reader.warning("prepared_statement_bind_values", message);
        }
    }
    Some((statement, values))
}

impl Filter for JdbcStreaming {
    fn start(&self) -> Result<(), RunError> {
        let started = self.database().and_then(|database| runs_on(database.test()));
        started.map_err(|error| RunError::new(format!("{error} (see jdbc_connection_string)")))
    }

    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let answer = self.look_up(event);
        if answer.failed {
            self.tag_on_failure.iter().for_each(|tag| event.tag(tag));
        }
        let rows = if answer.rows.is_empty() {
            self.tag_on_default_use.iter().for_each(|tag| event.tag(tag));
            self.default.clone()
        } else {
            Value::Array(answer.rows.clone())
        };
        if let Err(error) = event.set(&self.target, rows) {
            // Logstash stops the pipeline here.
            tracing::warn!(target = %self.target, %error, "could not set the rows of a jdbc_streaming filter");
            event.tag("_jdbc_streamingerror");
            return Outcome::Failed;
        }
        // A failed statement counts as a match too, as in Logstash: the common options are applied.
        Outcome::Matched
    }
}

#[cfg(test)]
mod tests;
