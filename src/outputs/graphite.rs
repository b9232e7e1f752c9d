//! Output `graphite`: metrics for Carbon, a line each, by TCP (logstash-output-graphite).

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::event::numbers::{leading_float, leading_integer};
use crate::event::{Event, FieldReference, Object, SprintfError, Template, Value, text};
use crate::net::{Connection, Peer};
use crate::plugin::{
    Build, Delivery, Example, Kind, OptionReader, Output, Pairs, Spec, Undelivered, options,
    take_unused_codec,
};
use crate::regex::Regex;

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "graphite",
    summary: "Sends metrics to Graphite's Carbon.",
    options: Graphite::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output {
  graphite {
    host => "graphite.example.org"
    metrics => { "%{[host][name]}.uptime.1m" => "%{load}" }
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(build),
};

options! {
    #[derive(Debug)]
    pub struct Graphite {
        /// The host of the server.
        host: String = "localhost",
        /// The server's port for lines of text.
        port: u16 = 2003,
        /// Longest time in seconds between two tries to connect; the first ones follow sooner.
        reconnect_interval: f64 = 2,
        /// Whether metrics are sent again when the connection broke while they were written; some may then arrive
        /// twice. Otherwise the events that they came of are logged as not delivered.
        resend_on_failure: bool = false,
        /// Values by name; both may hold `%{field}`. Has no effect with `fields_are_metrics`.
        metrics: Pairs = {},
        /// Makes a metric of every field, under its name.
        fields_are_metrics: bool = false,
        /// Regular expressions for names: only what one of them matches is sent.
        include_metrics: Vec<String> = [".*"],
        /// Regular expressions for names: what one of them matches is not sent.
        exclude_metrics: Vec<String> = ["%{[^}]+}"],
        /// The field with the time of the metrics.
        timestamp_field: FieldReference = "@timestamp",
        /// What becomes of names: `*` stands for the name; may hold `%{field}`.
        metrics_format: String = "*",
        /// What stands between the names of a field and of a field in it.
        nested_object_separator: String = ".",
    }
}

/// In `metrics_format`: the place of the name.
const PLACEHOLDER: &str = "*";
/// Fields that are no metrics.
const NO_METRICS: [&str; 2] = ["@timestamp", "@version"];

fn build(reader: &mut OptionReader<'_>) -> Option<Box<dyn Output>> {
    take_unused_codec(reader);
    let options = Graphite::read(reader)?;
    let include = expressions("include_metrics", &options.include_metrics, reader);
    let exclude = expressions("exclude_metrics", &options.exclude_metrics, reader);
    let mut format = options.metrics_format;
    if !format.contains(PLACEHOLDER) {
        reader.warning("metrics_format", "it has no \"*\" for the name, so the names stay as they are");
        format = PLACEHOLDER.to_owned();
    }
    if options.fields_are_metrics {
        reader.no_effect("metrics", "fields_are_metrics is true");
    }
    let metrics = options
        .metrics
        .iter()
        .map(|(name, value)| (Template::parse(name), Template::parse(&text::ruby_to_s(&value.to_value()))));
    Some(Box::new(Carbon {
        lines: Lines {
            metrics: (!options.fields_are_metrics).then(|| metrics.collect()),
            include: include?,
            exclude: exclude?,
            time: options.timestamp_field,
            format: Template::parse(&format),
            separator: options.nested_object_separator,
        },
        pause: Duration::try_from_secs_f64(options.reconnect_interval).unwrap_or(Duration::from_secs(2)),
        resend: options.resend_on_failure,
        connection: Mutex::new(Connection::new(Peer::new(options.host, options.port))),
    }))
}

fn expressions(option: &str, patterns: &[String], reader: &mut OptionReader<'_>) -> Option<Vec<Regex>> {
    let mut compiled = Vec::new();
    for pattern in patterns {
        match Regex::new(pattern) {
            Ok(regex) => compiled.push(regex),
            Err(error) => reader.error(option, error.to_string()),
        }
    }
    (compiled.len() == patterns.len()).then_some(compiled)
}

/// Why an event makes no metrics.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error("timestamp_field holds a {0}, which is no time")]
    Time(&'static str),
}

/// What is made of events.
struct Lines {
    /// Names and values; `None`: the fields are metrics.
    metrics: Option<Vec<(Template, Template)>>,
    include: Vec<Regex>,
    exclude: Vec<Regex>,
    time: FieldReference,
    format: Template,
    separator: String,
}

impl Lines {
    /// Appends the lines of an event.
    fn write(&self, event: &Event, out: &mut String) -> Result<(), Unfit> {
        let time = seconds(event.get(&self.time))?;
        let mut add = |name: &str, value: &str| -> Result<(), Unfit> {
            let name = self.format.render(event)?.replace(PLACEHOLDER, name);
            // Writing to a string does not fail.
            _ = writeln!(out, "{name} {value} {time}");
            Ok(())
        };
        let Some(metrics) = &self.metrics else {
            for (name, value) in event.data().iter() {
                // Without any pattern, every field is sent, but none of `metrics` is.
                let wanted = self.include.is_empty() || any(&self.include, name);
                if !NO_METRICS.contains(&name) && wanted && !any(&self.exclude, name) {
                    // A field's text may itself hold references.
                    let text = text::ruby_to_s(value);
                    self.add_metric(event, name, &Template::parse(&text), &mut add)?;
                }
            }
            return Ok(());
        };
        for (name, value) in metrics {
            let name = name.render(event)?;
            if any(&self.include, &name) && !any(&self.exclude, &name) {
                self.add_metric(event, &name, value, &mut add)?;
            }
        }
        Ok(())
    }

    /// A metric, or those of an object that stands in a field of this name.
    fn add_metric(
        &self,
        event: &Event,
        name: &str,
        value: &Template,
        add: &mut impl FnMut(&str, &str) -> Result<(), Unfit>,
    ) -> Result<(), Unfit> {
        let field = FieldReference::parse(name).ok();
        if let Some(Value::Object(object)) = field.and_then(|field| event.get(&field)) {
            return self.add_nested(object, name, add);
        }
        let number = leading_float(&value.render(event)?);
        add(&Template::parse(name).render(event)?, &text::ruby_to_s(&Value::Float(number)))
    }

    fn add_nested(
        &self,
        object: &Object,
        prefix: &str,
        add: &mut impl FnMut(&str, &str) -> Result<(), Unfit>,
    ) -> Result<(), Unfit> {
        for (key, value) in object.iter() {
            let name = format!("{prefix}{}{key}", self.separator);
            match value {
                Value::Object(inner) => self.add_nested(inner, &name, add)?,
                Value::Array(_) => {
                    tracing::warn!(%name, "arrays cannot be metrics, leaving one out");
                }
                value => add(&name, &text::ruby_to_s(value))?,
            }
        }
        Ok(())
    }
}

fn any(expressions: &[Regex], name: &str) -> bool {
    expressions.iter().any(|regex| regex.is_match(name))
}

/// Seconds since 1970, as Ruby's `to_i` finds them in a field.
fn seconds(value: Option<&Value>) -> Result<i64, Unfit> {
    match value {
        None | Some(Value::Null) => Ok(0),
        Some(Value::Timestamp(time)) => Ok(time.epoch_seconds()),
        Some(Value::Int(number)) => Ok(*number),
        Some(Value::Float(number)) => Ok(*number as i64),
        Some(Value::Str(text)) => Ok(leading_integer(text)),
        Some(other) => Err(Unfit::Time(other.kind())),
    }
}

struct Carbon {
    lines: Lines,
    pause: Duration,
    resend: bool,
    /// Batches wait here for their turn, in their order.
    connection: Mutex<Connection>,
}

impl Output for Carbon {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let (mut lines, mut dead) = (String::new(), Vec::new());
            for (index, event) in events.iter().enumerate() {
                let before = lines.len();
                if let Err(error) = self.lines.write(event, &mut lines) {
                    lines.truncate(before);
                    dead.push(Undelivered { index, reason: error.to_string() });
                }
            }
            let mut connection = self.connection.lock().await;
            if lines.is_empty() {
                return Delivery { retry: Vec::new(), dead };
            }
            if self.resend {
                connection.write_at_last(lines.as_bytes(), self.pause).await;
                return Delivery { retry: Vec::new(), dead };
            }
            // Nothing is lost while there is no connection: only what was under way when one broke is not sent again.
            connection.open_at_last(self.pause).await;
            if let Err(error) = connection.write(lines.as_bytes()).await {
                let reason = format!("{error}; it is not sent again, as resend_on_failure is false");
                let known: Vec<_> = dead.iter().map(|event| event.index).collect();
                let lost = Delivery::retry_all(events.len(), reason).retry;
                dead.extend(lost.into_iter().filter(|event| !known.contains(&event.index)));
            }
            Delivery { retry: Vec::new(), dead }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.connection.lock().await.close().await })
    }
}
