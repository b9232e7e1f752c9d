//! Filter `ruby`: Ruby code for every event, inline or from a script file (logstash-filter-ruby).

mod file;
mod inline;
mod worlds;

use crate::event::{Event, Object, Value};
use crate::language::Span;
use crate::plugin::{
    Build, ConfigValue, DecorateError, Emit, Example, Filter, Kind, OptionReader, Outcome, Problem, Spec,
    options,
};
use crate::ruby::{Failure, ScriptError};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "ruby",
    summary: "Runs Ruby code on every event.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { ruby { code => "event.set('sum', event.get('a') + event.get('b'))" } }"#,
        input: &[r#"{"a":1,"b":2}"#, r#"{"a":1}"#],
        output: &[r#"{"a":1,"b":2,"sum":3}"#, r#"{"a":1,"tags":["_rubyexception"]}"#],
    },
    build: Build::Filter(build),
};

options! {
    #[derive(Debug)]
    pub struct Options {
        /// Code that runs once at the start.
        init: Option<String>,
        /// Code that runs for every event, which is there as `event`. `new_event_block.call(other)` adds an event.
        code: Option<String>,
        /// Script file with a method `filter(event)` that returns an array of events, and perhaps `register(params)`
        /// and `test` blocks, which run at the start.
        path: Option<String>,
        /// What `register` of the script file gets.
        script_params: Value = {},
        /// Tag of an event for which an exception was raised.
        tag_on_exception: String = "_rubyexception",
        /// Add a second tag with the exception's message behind it. Logstash does not check this option: any value that
        /// is given means true, `false` as well.
        tag_with_exception_message: Option<ConfigValue>,
    }
}

fn build(reader: &mut OptionReader<'_>) -> Option<Box<dyn Filter>> {
    reader.text_only(&["init"]);
    let options = Options::read(reader)?;
    let with_message = options.tag_with_exception_message.is_some();
    if options.tag_with_exception_message.is_some_and(|value| value.scalar_text().as_deref() == Some("false"))
    {
        let message = "it means true, as in Logstash, which does not check its value; remove it";
        reader.warning("tag_with_exception_message", message);
    }
    let tags = Tags { tag: options.tag_on_exception, with_message };
    match (&options.code, &options.path) {
        (Some(code), None) => {
            let filter = inline::Inline::load(code, options.init.as_deref(), tags, reader)?;
            Some(Box::new(filter))
        }
        (None, Some(path)) => {
            let params = match options.script_params {
                Value::Object(object) => *object,
                _ => Object::new(),
            };
            Some(Box::new(file::ScriptFilter::load(path, params, tags, reader)?))
        }
        (Some(_), Some(_)) => {
            reader.error("path", "it excludes the option \"code\": use one of both");
            None
        }
        (None, None) => {
            let message = "the ruby filter has neither code nor path: it does nothing";
            reader.report(Problem::warning(reader.span("code"), message).label("does nothing"));
            Some(Box::new(Nothing))
        }
    }
}

/// A filter without code.
struct Nothing;

impl Filter for Nothing {
    fn filter(&self, _event: &mut Event, _emit: &mut Emit) -> Outcome {
        Outcome::Unmatched
    }
}

/// How events are tagged for which an exception was raised.
#[derive(Debug, Clone)]
struct Tags {
    tag: String,
    with_message: bool,
}

impl Tags {
    fn failed(&self, event: &mut Event, failure: &Failure) -> Outcome {
        tracing::error!(
            plugin = "ruby",
            class = failure.class,
            backtrace = ?failure.backtrace.first(),
            "ruby exception occurred: {}",
            failure.message
        );
        self.tag(event, &failure.message);
        if event.is_cancelled() { Outcome::Cancelled } else { Outcome::Failed }
    }

    fn tag(&self, event: &mut Event, message: &str) {
        if self.with_message {
            event.tag(&format!("{}: {message}", self.tag));
        }
        event.tag(&self.tag);
    }

    fn decoration_failed(&self, event: &mut Event, error: &DecorateError) {
        tracing::error!(plugin = "ruby", %error, "could not apply the common options");
        self.tag(event, &error.to_string());
    }
}

/// Reports what is wrong with the code of an option, each at its place in the config where the text stands there as
/// it is.
fn report(reader: &mut OptionReader<'_>, option: &str, source: &str, errors: &[ScriptError]) {
    let value: Option<ConfigValue> = reader.value(option).cloned();
    for error in errors {
        let span = value.as_ref().map_or_else(|| reader.span(option), |value| place(value, source, error));
        let message = format!("option \"{option}\" of the filter ruby: {error}");
        reader.report(Problem::error(span, message).label("here"));
    }
}

/// Where an error stands in the config. A text with escapes or variables has other offsets there; then the whole value
/// is meant.
fn place(value: &ConfigValue, source: &str, error: &ScriptError) -> Span {
    let (start, end) = (value.span.start, value.span.end);
    let quoted = u32::try_from(source.len()).is_ok_and(|length| end - start == length + 2);
    match u32::try_from(error.offset) {
        Ok(offset) if quoted => {
            let at = (start + 1 + offset).min(end.saturating_sub(1));
            Span { start: at, end: at + 1, ..value.span }
        }
        _ => value.span,
    }
}
