//! Data streams: when a config means them, their names, and the fields `data_stream.*` (`data_stream_support.rb`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::options::{Automatic, ElasticsearchOptions, Shared};
use crate::event::{Event, Object, Value, json, text};
use crate::plugin::OptionReader;

/// The field whose members name the data stream.
const FIELD: &str = "data_stream";
/// Options of `Shared` that fit data streams; of the other ones some do with one value only.
const FITTING: [&str; 26] = [
    "routing",
    "pipeline",
    "document_id",
    "hosts",
    "path",
    "bulk_path",
    "healthcheck_path",
    "parameters",
    "custom_headers",
    "user",
    "password",
    "proxy",
    "sniffing",
    "sniffing_delay",
    "sniffing_path",
    "timeout",
    "pool_max",
    "pool_max_per_route",
    "resurrect_delay",
    "validate_after_inactivity",
    "retry_initial_interval",
    "retry_max_interval",
    "failure_type_logging_whitelist",
    "action",
    "data_stream",
    "manage_template",
];
/// Options of the elasticsearch output alone that do not fit data streams.
const UNFITTING: [&str; 5] =
    ["template_api", "ilm_enabled", "ilm_rollover_alias", "ilm_pattern", "ilm_policy"];

/// A data stream by its three parts.
#[derive(Debug, Clone)]
pub struct DataStream {
    parts: [(&'static str, String); 3],
    name: String,
    sync_fields: bool,
    auto_routing: bool,
    /// Whether it was said that events name another data stream.
    said: Arc<AtomicBool>,
}

/// Whether the config means data streams. `None` where it is contradictory, which is reported.
pub fn decide(reader: &mut OptionReader<'_>, given: Option<Automatic>) -> Option<bool> {
    let unfitting = unfitting(reader);
    let use_streams = match given {
        Some(Automatic::True) => {
            for option in &unfitting {
                reader.error(option, "it does not fit data streams: remove it, or set data_stream => false");
            }
            let ecs = reader.ecs().is_enabled();
            if !ecs {
                reader.error("data_stream", "data streams need ECS: set ecs_compatibility => v8");
            }
            return (unfitting.is_empty() && ecs).then_some(true);
        }
        Some(Automatic::False) => false,
        // Logstash counts a written-out auto among the options that do not fit.
        Some(Automatic::Auto) => {
            reader.warning(
                "data_stream",
                "written out, auto means false, as in Logstash: remove it, or use true",
            );
            false
        }
        None => reader.ecs().is_enabled() && unfitting.is_empty(),
    };
    if use_streams {
        return Some(true);
    }
    let mut fine = true;
    for option in names(ElasticsearchOptions::OPTIONS) {
        if option.starts_with("data_stream_") && reader.is_given(option) {
            let because = match (given, unfitting.as_slice()) {
                (Some(Automatic::False), _) => "data_stream is false".to_owned(),
                (Some(Automatic::Auto), _) => "a written-out data_stream => auto means false".to_owned(),
                (_, []) => "ecs_compatibility is disabled".to_owned(),
                (_, options) => format!("these options do not fit them: {}", options.join(", ")),
            };
            reader.error(option, format!("events go to no data stream, because {because}"));
            fine = false;
        }
    }
    fine.then_some(false)
}

fn names(options: &'static [crate::plugin::OptionSpec]) -> impl Iterator<Item = &'static str> + use<> {
    options.iter().map(|option| option.name)
}

/// The options of the config that do not fit data streams (`invalid_data_stream_params`).
fn unfitting(reader: &OptionReader<'_>) -> Vec<&'static str> {
    let is = |option: &str, word: &str| {
        reader.value(option).and_then(|value| value.scalar_text()).is_some_and(|text| text == word)
    };
    let shared = names(Shared::OPTIONS).filter(|option| match *option {
        "action" => !is("action", "create"),
        "manage_template" => !is("manage_template", "false"),
        option => !FITTING.contains(&option),
    });
    shared
        .chain(UNFITTING)
        .chain(["data_stream"].into_iter().filter(|_| !is("data_stream", "true")))
        .filter(|option| reader.is_given(option))
        .collect()
}

impl DataStream {
    /// The data stream that the options name.
    pub fn new(options: &ElasticsearchOptions) -> Self {
        let kind = options.data_stream_type.word();
        let (dataset, namespace) = (&options.data_stream_dataset.0, &options.data_stream_namespace.0);
        DataStream {
            name: format!("{kind}-{dataset}-{namespace}"),
            parts: [
                ("type", kind.to_owned()),
                ("dataset", dataset.clone()),
                ("namespace", namespace.clone()),
            ],
            sync_fields: options.data_stream_sync_fields,
            auto_routing: options.data_stream_auto_routing,
            said: Arc::default(),
        }
    }

    /// The name of the data stream that an event goes to.
    pub fn name_for<'n>(&'n self, event: &Event, scratch: &'n mut String) -> &'n str {
        let own = match event.data().get(FIELD) {
            Some(Value::Object(own)) if self.auto_routing => own,
            _ => return &self.name,
        };
        scratch.clear();
        for (part, default) in &self.parts {
            if !scratch.is_empty() {
                scratch.push('-');
            }
            match truthy(own, part) {
                Some(value) => text::push_sprintf(scratch, value),
                None => scratch.push_str(default),
            }
        }
        scratch
    }

    /// Appends the event, with the fields `data_stream.*` filled in.
    pub fn write_document(&self, event: &Event, out: &mut Vec<u8>) {
        if !self.sync_fields {
            return json::write_object(out, event.data());
        }
        out.push(b'{');
        for (key, value) in event.data().iter().filter(|(key, _)| *key != FIELD) {
            json::write_string(out, key);
            out.push(b':');
            json::write_value(out, value);
            out.push(b',');
        }
        json::write_string(out, FIELD);
        out.extend_from_slice(b":{");
        let own = match event.data().get(FIELD) {
            Some(Value::Object(own)) => Some(&**own),
            other => {
                if other.is_some_and(|value| !value.is_null()) {
                    self.say("an event's field data_stream is no object, it was overwritten");
                }
                None
            }
        };
        let others = own.into_iter().flat_map(Object::iter);
        for (key, value) in others.filter(|(key, _)| !self.parts.iter().any(|(part, _)| part == key)) {
            json::write_string(out, key);
            out.push(b':');
            json::write_value(out, value);
            out.push(b',');
        }
        for (at, (part, configured)) in self.parts.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            json::write_string(out, part);
            out.push(b':');
            match own.and_then(|own| truthy(own, part)) {
                Some(value) if self.auto_routing => json::write_value(out, value),
                value => {
                    if value.is_some_and(|value| value.as_str() != Some(configured)) {
                        self.say(
                            "events name another data stream than the config does, theirs is overwritten",
                        );
                    }
                    json::write_string(out, configured);
                }
            }
        }
        out.extend_from_slice(b"}}");
    }

    /// Warns once: what is wrong with one event is so with many.
    fn say(&self, message: &str) {
        if !self.said.swap(true, Ordering::Relaxed) {
            tracing::warn!(data_stream = %self.name, "{message}");
        }
    }
}

/// A member that is there in Ruby's sense.
fn truthy<'o>(object: &'o Object, part: &str) -> Option<&'o Value> {
    object.get(part).filter(|value| !matches!(value, Value::Null | Value::Bool(false)))
}
