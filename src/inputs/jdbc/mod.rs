//! Input `jdbc`: makes an event of every row that a statement gives (logstash-input-jdbc).

mod run;
mod tracker;

use std::path::PathBuf;
use std::time::Duration;

use crate::event::{FieldReference, Value};
use crate::plugin::{
    Build, Charset, ConfigValue, Example, Kind, OptionReader, Pairs, Password, Spec, choices, options,
};
use crate::schedule::{Schedule, parse_duration};
use crate::sql::{Clock, ConnectionOptions, JdbcUrl, PoolSettings, SequelOptions, Statement, Writing};

use tracker::Kind as TrackedKind;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "jdbc",
    summary: "Reads rows of a database.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"input { jdbc {
            jdbc_connection_string => "jdbc:postgresql://localhost:5432/songs" jdbc_user => "reader"
            statement => "SELECT * FROM songs WHERE id > :sql_last_value ORDER BY id"
            use_column_value => true tracking_column => "id" schedule => "* * * * *"
        } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Jdbc::build(reader)?))),
};

choices! {
    /// How a statement is cut into pages.
    pub enum PagingMode {
        /// With a count, a limit and an offset around it.
        Auto = "auto",
        /// By `:size` and `:offset` in the statement itself.
        Explicit = "explicit",
    }
}

choices! {
    /// What a tracked column holds.
    pub enum TrackingType {
        Numeric = "numeric",
        Timestamp = "timestamp",
    }
}

choices! {
    /// How loud statements are logged.
    pub enum SqlLogLevel {
        Fatal = "fatal",
        Error = "error",
        Warn = "warn",
        Info = "info",
        Debug = "debug",
    }
}

choices! {
    /// The zone of the plugin's own times.
    pub enum PluginTimezone {
        Local = "local",
        Utc = "utc",
    }
}

options! {
    struct Options {
        /// The statement. `:sql_last_value` and other `:name`s stand for parameters.
        statement: Option<String>,
        /// A file with the statement.
        statement_filepath: Option<PathBuf>,
        /// Parameters by name.
        parameters: Pairs = {},
        /// When to run: a cron line, with seconds in front and a time zone behind if wanted. Without it, and without
        /// `interval` and `period`, the statement runs once.
        schedule: Option<String>,
        /// How long after a run to run again: `1m`, `3h10m`.
        interval: Option<String>,
        /// How often to run, counted from start to start.
        period: Option<String>,
        /// The file that keeps `sql_last_value`. By default
        /// `<path.data>/plugins/inputs/jdbc/logstash_jdbc_last_run`.
        last_run_metadata_path: Option<PathBuf>,
        /// Whether `sql_last_value` is the tracked column of the last row, and not the time of the last run.
        use_column_value: bool = false,
        /// The column to track.
        tracking_column: Option<String>,
        /// What that column holds.
        tracking_column_type: TrackingType = "numeric",
        /// Whether to forget `sql_last_value` at the start.
        clean_run: bool = false,
        /// Whether to keep `sql_last_value` in a file.
        record_last_run: bool = true,
        /// Whether names of columns become lower case.
        lowercase_column_names: bool = true,
        /// The encoding of all texts, where the database's own idea of it is wrong.
        charset: Option<Charset>,
        /// The encoding of the texts of single columns.
        columns_charset: Pairs = {},
        /// Whether `?` in the statement stands for parameters, which are `prepared_statement_bind_values`.
        use_prepared_statements: bool = false,
        /// A name for the prepared statement, which must be given; nothing depends on it here.
        prepared_statement_name: String = "",
        /// The values for each `?`; `:sql_last_value` means that value.
        prepared_statement_bind_values: Vec<ConfigValue> = [],
        /// The field for the columns; by default the event itself.
        target: Option<FieldReference>,
        /// A file with the password.
        jdbc_password_filepath: Option<PathBuf>,
        /// Whether to ask for the rows in pages.
        jdbc_paging_enabled: bool = false,
        /// How the pages are asked for.
        jdbc_paging_mode: PagingMode = "auto",
        /// Rows in a page.
        jdbc_page_size: u64 = 100000,
        /// No effect: rows are taken as they come, and none more than fit into the queue.
        jdbc_fetch_size: Option<u64>,
        /// Whether a connection is asked for a sign of life before use.
        jdbc_validate_connection: bool = false,
        /// Seconds for which a connection must have been idle for that.
        jdbc_validation_timeout: f64 = 3600,
        /// Seconds to wait for a connection.
        jdbc_pool_timeout: f64 = 5,
        /// The zone of the database's times, such as `America/Denver`; by default the machine's. With
        /// `[dst_enabled_on_overlap:true]` or `false` behind it, the hour that comes twice in autumn is the first or the
        /// second one.
        jdbc_default_timezone: Option<String>,
        /// Options of the connection pool: `max_connections`, `pool_timeout`; for MySQL `fractional_seconds`.
        sequel_opts: Pairs = {},
        /// At which level statements are logged.
        sql_log_level: SqlLogLevel = "info",
        /// How often to try to connect.
        connection_retry_attempts: u32 = 1,
        /// Seconds between these tries.
        connection_retry_attempts_wait_time: f64 = 0.5,
        /// How often to try a statement.
        statement_retry_attempts: u32 = 1,
        /// Seconds between these tries.
        statement_retry_attempts_wait_time: f64 = 0.5,
        /// The zone in which a time in `sql_last_value` is written, where it comes from a column and there is no
        /// `jdbc_default_timezone`.
        plugin_timezone: PluginTimezone = "utc",
        ..connection: ConnectionOptions,
    }
}

/// When the statement runs.
enum Rhythm {
    Once,
    Schedule(Schedule),
    /// So long after the end of a run.
    Interval(Duration),
    /// So long after the start of a run.
    Period(Duration),
}

/// How often something is tried, and how long to wait in between.
struct Tries {
    attempts: u32,
    wait: Duration,
}

/// The statement and what takes the places in it.
struct Query {
    statement: Statement,
    /// The values of its parameters; where there is none stands `sql_last_value`, and `:size` and `:offset` behind it.
    values: Vec<Option<Value>>,
    paging: Option<(PagingMode, u64)>,
    writing: Writing,
}

struct Jdbc {
    url: JdbcUrl,
    pool: PoolSettings,
    clock: Clock,
    rhythm: Rhythm,
    query: Query,
    tracked: TrackedKind,
    /// The column whose value is tracked, if it is not the time of the run.
    tracking_column: Option<String>,
    /// Where the value is kept, if it is.
    path: Option<PathBuf>,
    path_is_default: bool,
    clean_run: bool,
    lowercase: bool,
    charset: Option<Charset>,
    columns_charset: Vec<(String, Charset)>,
    target: Option<FieldReference>,
    log_level: SqlLogLevel,
    connecting: Tries,
    running: Tries,
    batch_size: usize,
}

impl Jdbc {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader);
        crate::plugin::take_unused_codec(reader);
        let mut options = options?;
        if options.jdbc_fetch_size.is_some() {
            reader.no_effect(
                "jdbc_fetch_size",
                "rows are taken as they come, and none more than fit into the queue",
            );
        }
        read_password(reader, &mut options)?;
        let url = options.connection.url(reader);
        let sequel = SequelOptions::read(reader, &options.sequel_opts);
        let rhythm = read_rhythm(reader, &options);
        let default_clock = match options.jdbc_default_timezone.as_deref().map(Clock::parse).transpose() {
            Ok(clock) => clock,
            Err(error) => {
                reader.error("jdbc_default_timezone", error.to_string());
                return None;
            }
        };
        let tracked = read_tracking(reader, &options, default_clock.is_some());
        let columns_charset = read_charsets(reader, &options.columns_charset);
        let sql = read_statement(reader, &options);
        let (url, sequel) = (url?, sequel?);
        let local = options.use_column_value && options.plugin_timezone == PluginTimezone::Local;
        let writes =
            default_clock.clone().unwrap_or_else(|| if local { Clock::local() } else { Clock::utc() });
        let mut writing = Writing::new(url.dialect(), writes);
        writing.fractional_seconds = sequel.fractional_seconds;
        let query = Query::read(reader, &options, &sql?, writing)?;
        let seconds = |option, seconds: f64| {
            Duration::try_from_secs_f64(seconds).map_err(|_| (option, "expected a number of seconds"))
        };
        let times = [
            seconds("jdbc_validation_timeout", options.jdbc_validation_timeout),
            seconds("jdbc_pool_timeout", options.jdbc_pool_timeout),
            seconds("connection_retry_attempts_wait_time", options.connection_retry_attempts_wait_time),
            seconds("statement_retry_attempts_wait_time", options.statement_retry_attempts_wait_time),
        ];
        for (option, error) in times.iter().filter_map(|time| time.err()) {
            reader.error(option, error);
        }
        let [Ok(validation), Ok(acquire_timeout), Ok(connect_wait), Ok(statement_wait)] = times else {
            return None;
        };
        let validate_after = options.jdbc_validate_connection.then_some(validation);
        let mut pool = PoolSettings { acquire_timeout, validate_after, ..PoolSettings::default() };
        sequel.apply(&mut pool);
        let default_path = reader.context.data_path.join("plugins/inputs/jdbc/logstash_jdbc_last_run");
        let path_is_default = options.last_run_metadata_path.is_none();
        let path = options.last_run_metadata_path.unwrap_or(default_path);
        if !path_is_default && path.is_dir() {
            reader.error("last_run_metadata_path", "expected a file, this is a directory");
        }
        Some(Jdbc {
            clock: default_clock.or_else(|| url.clock.clone()).unwrap_or_else(Clock::local),
            url,
            pool,
            rhythm: rhythm?,
            query,
            tracked: tracked?,
            tracking_column: options.tracking_column.filter(|_| options.use_column_value),
            path: options.record_last_run.then_some(path),
            path_is_default,
            clean_run: options.clean_run,
            lowercase: options.lowercase_column_names,
            charset: options.charset,
            columns_charset: columns_charset?,
            target: options.target,
            log_level: options.sql_log_level,
            connecting: Tries { attempts: options.connection_retry_attempts, wait: connect_wait },
            running: Tries { attempts: options.statement_retry_attempts, wait: statement_wait },
            batch_size: reader.context.batch_size.max(1),
        })
    }
}

impl Query {
    fn read(reader: &mut OptionReader<'_>, options: &Options, sql: &str, writing: Writing) -> Option<Self> {
        let dialect = writing.dialect;
        if !options.use_prepared_statements {
            let mut names: Vec<&str> = options.parameters.iter().map(|(name, _)| name).collect();
            let mut values: Vec<_> =
                options.parameters.iter().map(|(_, value)| Some(value.to_value())).collect();
            // Whatever has that name in the options, this is what it means.
            if let Some(at) = names.iter().position(|name| *name == "sql_last_value") {
                names.remove(at);
                values.remove(at);
            }
            names.push("sql_last_value");
            values.push(None);
            let paging =
                options.jdbc_paging_enabled.then_some((options.jdbc_paging_mode, options.jdbc_page_size));
            if let Some((_, 0)) = paging {
                reader.error("jdbc_page_size", "must be at least 1");
            }
            if let Some((PagingMode::Explicit, _)) = paging {
                names.extend(["size", "offset"]);
            }
            // A semicolon at the end would stand in the middle of the statements that make pages.
            let sql = sql.trim_end().trim_end_matches(';');
            return Some(Query {
                statement: Statement::named(sql, dialect, &names),
                values,
                paging,
                writing,
            });
        }
        let statement = Statement::positional(sql, dialect);
        let given = &options.prepared_statement_bind_values;
        if options.prepared_statement_name.is_empty() {
            reader.error("prepared_statement_name", "a prepared statement must have a name");
        }
        if statement.parameters() != given.len() {
            let (marks, values) = (statement.parameters(), given.len());
            let message =
                format!("the statement has {marks} placeholders (?), and {values} values are given");
            reader.error("prepared_statement_bind_values", message);
        }
        if options.jdbc_paging_enabled {
            reader.error("jdbc_paging_enabled", "a prepared statement cannot be cut into pages");
        }
        let value = |value: &ConfigValue| {
            Some(value.to_value()).filter(|value| value.as_str() != Some(":sql_last_value"))
        };
        Some(Query { statement, values: given.iter().map(value).collect(), paging: None, writing })
    }
}

fn read_password(reader: &mut OptionReader<'_>, options: &mut Options) -> Option<()> {
    let Some(path) = &options.jdbc_password_filepath else { return Some(()) };
    if options.connection.jdbc_password.is_some() {
        reader.error("jdbc_password_filepath", "excludes jdbc_password");
        return None;
    }
    match std::fs::read_to_string(path) {
        Ok(secret) => {
            options.connection.jdbc_password = Some(Password::new(secret.trim()));
            Some(())
        }
        Err(error) => {
            reader.error("jdbc_password_filepath", format!("{}: {error}", path.display()));
            None
        }
    }
}

fn read_statement(reader: &mut OptionReader<'_>, options: &Options) -> Option<String> {
    match (&options.statement, &options.statement_filepath) {
        (Some(statement), None) => Some(statement.clone()),
        (None, Some(path)) => {
            let read = std::fs::read_to_string(path);
            read.map_err(|error| reader.error("statement_filepath", format!("{}: {error}", path.display())))
                .ok()
        }
        _ => {
            reader.error("statement", "give either statement or statement_filepath");
            None
        }
    }
}

fn read_rhythm(reader: &mut OptionReader<'_>, options: &Options) -> Option<Rhythm> {
    let (option, read) = match (&options.schedule, &options.interval, &options.period) {
        (None, None, None) => return Some(Rhythm::Once),
        (Some(line), None, None) => ("schedule", Schedule::cron(line).map(Rhythm::Schedule)),
        (None, Some(text), None) => ("interval", parse_duration(text).map(Rhythm::Interval)),
        (None, None, Some(text)) => ("period", parse_duration(text).map(Rhythm::Period)),
        _ => {
            reader.error("schedule", "give only one of schedule, interval and period");
            return None;
        }
    };
    read.map_err(|error| reader.error(option, error.to_string())).ok()
}

fn read_tracking(reader: &mut OptionReader<'_>, options: &Options, zoned: bool) -> Option<TrackedKind> {
    if options.use_column_value && options.tracking_column.is_none() {
        reader.error("use_column_value", "needs a tracking_column");
        return None;
    }
    Some(match options.tracking_column_type {
        TrackingType::Numeric if options.use_column_value => TrackedKind::Number,
        // Logstash keeps a DateTime where it has a zone to convert it with, and the files differ.
        _ if zoned => TrackedKind::DateTime,
        _ => TrackedKind::Time,
    })
}

fn read_charsets(reader: &mut OptionReader<'_>, given: &Pairs) -> Option<Vec<(String, Charset)>> {
    let mut charsets = Vec::new();
    for (column, value) in given.iter() {
        let name = value.scalar_text().unwrap_or_default();
        match Charset::find(&name) {
            Ok(charset) => charsets.push((column.to_owned(), charset)),
            Err(error) => {
                reader.error("columns_charset", format!("\"{column}\": {error}"));
                return None;
            }
        }
    }
    Some(charsets)
}

#[cfg(test)]
mod tests;
