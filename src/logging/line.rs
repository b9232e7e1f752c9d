//! One line of the log, as plain text or as JSON.
use super::{FATAL, LogFormat};
use jiff::Zoned;
use serde_json::{Map, Value, json};
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::span::Attributes;
use tracing::{Event, Id, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Formats events the way Logstash's log reads.
pub(super) struct Line {
    format: LogFormat,
}

/// Which pipeline and plugin a span is about.
#[derive(Default, Clone)]
struct Names {
    pipeline: Option<String>,
    plugin: Option<String>,
}

/// Remembers the fields `pipeline.id` and `plugin.id` of spans, for the brackets of the lines inside them.
pub(super) struct PluginNames;

impl Line {
    pub(super) fn new(format: LogFormat) -> Self {
        Line { format }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for PluginNames {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut names = Names::default();
        attributes.record(&mut names);
        if let Some(span) = context.span(id).filter(|_| names.pipeline.is_some() || names.plugin.is_some()) {
            span.extensions_mut().insert(names);
        }
    }
}

impl Visit for Names {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "pipeline.id" => self.pipeline = Some(format!("{value:?}")),
            "plugin.id" => self.plugin = Some(format!("{value:?}")),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut names = Names::default();
        for span in context.event_scope().into_iter().flatten() {
            if let Some(found) = span.extensions().get::<Names>().cloned() {
                names.pipeline = names.pipeline.or(found.pipeline);
                names.plugin = names.plugin.or(found.plugin);
            }
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (level, target) = match (event.metadata().target(), event.metadata().level()) {
            (FATAL, _) => ("FATAL", "rstash".to_owned()),
            (target, level) => (level_name(level), target.replace("::", ".")),
        };
        match self.format {
            LogFormat::Plain => plain(writer, level, &target, &names, &fields),
            LogFormat::Json => json_line(writer, level, &target, names, fields),
        }
    }
}

fn level_name(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

fn plain(mut writer: Writer<'_>, level: &str, target: &str, names: &Names, fields: &Fields) -> fmt::Result {
    let now = Zoned::now();
    write!(writer, "[{}][{level:<5}][{target}]", now.strftime("%Y-%m-%dT%H:%M:%S,%3f"))?;
    for name in [&names.pipeline, &names.plugin].into_iter().flatten() {
        write!(writer, "[{name}]")?;
    }
    if !fields.message.is_empty() {
        write!(writer, " {}", fields.message)?;
    }
    for (name, value) in &fields.others {
        match value {
            Value::String(text) if !needs_quotes(text) => write!(writer, " {name}={text}")?,
            value => write!(writer, " {name}={value}")?,
        }
    }
    writeln!(writer)
}

/// Whether the end of a bare text could not be seen.
fn needs_quotes(text: &str) -> bool {
    text.is_empty()
        || text.chars().any(|letter| letter.is_whitespace() || letter.is_control() || letter == '"')
}

fn json_line(mut writer: Writer<'_>, level: &str, target: &str, names: Names, fields: Fields) -> fmt::Result {
    let mut event = Map::new();
    event.insert("message".to_owned(), fields.message.into());
    event.extend(fields.others.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let mut line = Map::new();
    line.insert("level".to_owned(), level.into());
    line.insert("loggerName".to_owned(), target.into());
    line.insert("timeMillis".to_owned(), jiff::Timestamp::now().as_millisecond().into());
    line.insert("thread".to_owned(), std::thread::current().name().unwrap_or_default().into());
    for (key, name) in [("pipeline.id", names.pipeline), ("plugin.id", names.plugin)] {
        if let Some(name) = name {
            line.insert(key.to_owned(), name.into());
        }
    }
    line.insert("logEvent".to_owned(), event.into());
    writeln!(writer, "{}", Value::Object(line))
}

/// What an event says: its message, and its fields in the order they were given.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.others.push((field.name(), format!("{value:?}").into()));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.others.push((field.name(), json!(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.others.push((field.name(), json!(value)));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.others.push((field.name(), json!(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.others.push((field.name(), json!(value)));
    }
}
