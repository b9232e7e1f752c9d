//! Codec `graphite`: metrics as Graphite's carbon takes them, `name value time` (logstash-codec-graphite).

use std::fmt::Write as _;

use crate::event::{Event, Object, TIMESTAMP, Template, Timestamp, VERSION, Value, text};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, OptionReader, Pairs, Spec, options};
use crate::regex::Regex;

use super::numbers;
use super::tokenizer::{Token, Tokenizer};

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "graphite",
    summary: "Lines of metrics for Graphite.",
    options: GraphiteOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"output { stdout { codec => graphite { metrics => { "%{host}.load" => "%{load}" } } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        let options = GraphiteOptions::read(reader)?;
        Some(Box::new(Graphite {
            encoder: Encoder::new(options, reader)?.into(),
            tokenizer: Tokenizer::new(b"\n"),
        }))
    }),
};

options! {
    struct GraphiteOptions {
        /// What is written: the metrics' names and values.
        metrics: Pairs = {},
        /// Whether every field of the event is a metric, whatever `metrics` says.
        fields_are_metrics: bool = false,
        /// Regular expressions of the names that are written.
        include_metrics: Vec<String> = [".*"],
        /// Regular expressions of the names that are not written.
        exclude_metrics: Vec<String> = ["%{[^}]+}"],
        /// How names are written: the star is the metric's name.
        metrics_format: Template = "*",
    }
}

#[derive(Debug, Clone)]
struct Graphite {
    encoder: std::sync::Arc<Encoder>,
    tokenizer: Tokenizer,
}

/// What writes metrics.
#[derive(Debug)]
struct Encoder {
    metrics: Vec<(Template, Template)>,
    fields_are_metrics: bool,
    include: Vec<Regex>,
    exclude: Vec<Regex>,
    format: Template,
}

impl Encoder {
    fn new(options: GraphiteOptions, reader: &mut OptionReader<'_>) -> Option<Self> {
        let mut metrics = Vec::new();
        for (name, value) in options.metrics.iter() {
            let Some(value) = value.scalar_text() else {
                reader.error("metrics", format!("the value of \"{name}\" is not a text or a number"));
                return None;
            };
            metrics.push((Template::parse(name), Template::parse(&value)));
        }
        let mut compile = |option: &str, patterns: &[String]| {
            let compiled: Result<Vec<_>, _> = patterns.iter().map(|pattern| Regex::new(pattern)).collect();
            compiled.map_err(|error| reader.error(option, error.to_string())).ok()
        };
        let include = compile("include_metrics", &options.include_metrics);
        let exclude = compile("exclude_metrics", &options.exclude_metrics);
        Some(Encoder {
            metrics,
            fields_are_metrics: options.fields_are_metrics,
            include: include?,
            exclude: exclude?,
            format: options.metrics_format,
        })
    }

    fn is_wanted(&self, name: &str) -> bool {
        // No pattern at all means every field, but no metric.
        let is_included = self.include.iter().any(|pattern| pattern.is_match(name))
            || (self.fields_are_metrics && self.include.is_empty());
        is_included && !self.exclude.iter().any(|pattern| pattern.is_match(name))
    }

    fn write(&self, event: &Event, out: &mut String) -> Result<(), EncodeError> {
        let render =
            |template: &Template| template.render(event).map_err(|error| EncodeError(error.to_string()));
        let format = render(&self.format)?;
        let time = event.timestamp().unwrap_or(Timestamp::EPOCH).epoch_seconds();
        let mut push = |name: &str, value: &str| {
            out.push_str(&format.replace('*', name));
            out.push(' ');
            text::push_ruby_float(out, numbers::to_f(value));
            _ = writeln!(out, " {time}");
        };
        if self.fields_are_metrics {
            for (name, value) in event.data().iter() {
                if name != TIMESTAMP && name != VERSION && self.is_wanted(name) {
                    let value = text::ruby_to_s(value);
                    match value.contains("%{") {
                        true => push(name, &render(&Template::parse(&value))?),
                        false => push(name, &value),
                    }
                }
            }
            return Ok(());
        }
        for (name, value) in &self.metrics {
            let name = render(name)?;
            if self.is_wanted(&name) {
                push(&name, &render(value)?);
            }
        }
        Ok(())
    }
}

impl Codec for Graphite {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        self.tokenizer.extract(bytes, |token| emit(event_of(token)));
    }

    fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        self.tokenizer.flush(|token| emit(event_of(token)));
    }

    fn held(&self) -> usize {
        self.tokenizer.held()
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut lines = String::new();
        self.encoder.write(event, &mut lines)?;
        out.extend_from_slice(lines.as_bytes());
        Ok(())
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(Graphite { tokenizer: self.tokenizer.fresh(), ..self.clone() })
    }
}

/// The event of a line: the value in the field of the metric's name, at its time. What is missing is 0.
fn event_of(token: Token<'_>) -> Event {
    let (Token::Whole(line) | Token::Cut(line)) = token;
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let (name, value, time) = (words.next(), words.next(), words.next());
    let mut object = Object::with_capacity(3);
    object.insert(name.unwrap_or_default(), Value::Float(numbers::to_f(value.unwrap_or_default())));
    let time = Timestamp::new(numbers::to_i(time.unwrap_or_default()), 0).unwrap_or(Timestamp::EPOCH);
    object.insert(TIMESTAMP, Value::Timestamp(time));
    Event::from_object(object).unwrap_or_else(|_| Event::from_message(line.into_owned()))
}

#[cfg(test)]
mod tests;
