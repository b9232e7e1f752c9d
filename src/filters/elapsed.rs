//! Filter `elapsed`: the time between a start event and its end event (logstash-filter-elapsed).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::text::push_ruby_inspect;
use crate::event::{Event, FieldReference, Key, SetError, TAGS, Timestamp, Value};
use crate::plugin::{
    Build, Emit, Example, Filter, FilterDecoration, Kind, OptionReader, Outcome, Spec, choices, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "elapsed",
    summary: "Measures the time between a start event and its end event.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  elapsed { start_tag => "begin" end_tag => "end" unique_id_field => "task" }
}"#,
        input: &[
            r#"{"task":"a","tags":["begin"],"@timestamp":"2024-05-06T07:08:09.000Z"}"#,
            r#"{"task":"a","tags":["end"],"@timestamp":"2024-05-06T07:08:11.500Z"}"#,
        ],
        output: &[
            r#"{"task":"a","tags":["begin"]}"#,
            r#"{"task":"a","tags":["end","elapsed","elapsed_match"],"elapsed_time":2.5,"elapsed_timestamp_start":"2024-05-06T07:08:09.000Z"}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Elapsed::build(reader)?))),
};

choices! {
    /// Which of several start events with the same id counts.
    enum Keep {
        First = "first",
        Last = "last",
    }
}

options! {
    struct Options {
        /// Tag of start events.
        start_tag: String,
        /// Tag of end events.
        end_tag: String,
        /// Field by which an end event finds its start event.
        unique_id_field: FieldReference,
        /// Seconds after which a start event without an end is reported by an event of its own.
        timeout: f64 = 1800,
        /// Put the result into a new event instead of the end event.
        new_event_on_match: bool = false,
        /// Which of several start events with the same id counts.
        keep_start_event: Keep = "first",
    }
}

const ELAPSED_TAG: &str = "elapsed";
const MATCH_TAG: &str = "elapsed_match";
const EXPIRED_TAG: &str = "elapsed_expired_error";
const END_WITHOUT_START_TAG: &str = "elapsed_end_without_start";
const TIME_FIELD: &str = "elapsed_time";
const START_FIELD: &str = "elapsed_timestamp_start";

/// Start events older by this much at every flush, as Logstash's flush comes every 5 seconds.
const SECONDS_PER_FLUSH: i64 = 5;

/// More start events than these are not remembered: memory is bounded, also for ids that never end.
const MAX_STARTED: usize = 1_000_000;

struct Elapsed {
    options: Options,
    /// Applied here and not by the pipeline: Logstash decorates an event before it adds the tags and fields of this
    /// filter, and the new event of a match too.
    decoration: FilterDecoration,
    host: Arc<str>,
    /// By the id as Ruby prints it, so that 1 and "1" stay apart.
    started: Mutex<HashMap<String, Started>>,
}

#[derive(Debug)]
struct Started {
    id: Value,
    time: Timestamp,
    age: i64,
}

impl Elapsed {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let host = Arc::from(gethostname::gethostname().to_string_lossy());
        Some(Elapsed { options, decoration: FilterDecoration::default(), host, started: Mutex::default() })
    }

    fn decorate(&self, event: &mut Event) {
        if let Err(error) = self.decoration.apply(event) {
            self.decoration_failed("elapsed", event, &error);
        }
    }

    fn started(&self) -> std::sync::MutexGuard<'_, HashMap<String, Started>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, id: Value, time: Option<Timestamp>) {
        let Some(time) = time else {
            tracing::warn!("a start event without @timestamp cannot be measured");
            return;
        };
        let key = key_of(&id);
        let mut started = self.started();
        let known = started.contains_key(&key);
        if known && self.options.keep_start_event == Keep::First {
            return;
        }
        if !known && started.len() >= MAX_STARTED {
            tracing::warn!(
                waiting = started.len(),
                "too many start events wait for their end, this one is forgotten"
            );
            return;
        }
        started.insert(key, Started { id, time, age: 0 });
    }

    fn end(&self, event: &mut Event, id: Value, emit: &mut Emit) -> Result<(), SetError> {
        let Some(start) = self.started().remove(&key_of(&id)) else {
            event.tag(END_WITHOUT_START_TAG);
            return Ok(());
        };
        let Some(end) = event.timestamp() else {
            tracing::warn!("an end event without @timestamp cannot be measured");
            event.tag("_elapsederror");
            return Ok(());
        };
        let seconds = seconds_between(start.time, end);
        if !self.options.new_event_on_match {
            return self.report(event, seconds, id, start.time);
        }
        let mut new = Event::new();
        new.data_mut().insert(Key::const_new("host"), Value::from(&*self.host));
        self.report(&mut new, seconds, id, start.time)?;
        self.decorate(&mut new);
        emit.plain(new);
        Ok(())
    }

    /// Adds the tags and fields of a match.
    fn report(&self, event: &mut Event, seconds: f64, id: Value, start: Timestamp) -> Result<(), SetError> {
        event.tag(ELAPSED_TAG);
        event.tag(MATCH_TAG);
        event.data_mut().insert(Key::const_new(TIME_FIELD), Value::Float(seconds));
        event.assign(&self.options.unique_id_field, id)?;
        event.data_mut().insert(Key::const_new(START_FIELD), Value::Timestamp(start));
        Ok(())
    }

    /// The event that reports a start event without an end.
    fn expired(&self, start: Started) -> Event {
        let mut event = Event::new();
        event.tag(ELAPSED_TAG);
        event.tag(EXPIRED_TAG);
        event.data_mut().insert(Key::const_new("host"), Value::from(&*self.host));
        if let Err(error) = event.assign(&self.options.unique_id_field, start.id) {
            tracing::warn!(%error, "could not set the id of an expired start event");
        }
        event.data_mut().insert(Key::const_new(TIME_FIELD), Value::Int(start.age));
        event.data_mut().insert(Key::const_new(START_FIELD), Value::Timestamp(start.time));
        event
    }
}

fn key_of(id: &Value) -> String {
    let mut key = String::new();
    push_ruby_inspect(&mut key, id);
    key
}

/// `Time#-` of JRuby: milliseconds and what is finer are taken apart before they are divided.
fn seconds_between(start: Timestamp, end: Timestamp) -> f64 {
    let split = |time: Timestamp| {
        let millis = time.epoch_seconds() * 1000 + i64::from(time.nanos() / 1_000_000);
        (millis, i64::from(time.nanos() % 1_000_000))
    };
    let ((start_millis, start_nanos), (end_millis, end_nanos)) = (split(start), split(end));
    (end_millis - start_millis) as f64 / 1e3 + (end_nanos - start_nanos) as f64 / 1e9
}

/// Ruby's `include?` of an array of tags, or of a text that stands for one.
fn has_tag(event: &Event, tag: &str) -> bool {
    match event.data().get(TAGS) {
        Some(Value::Array(tags)) => tags.iter().any(|other| other.as_str() == Some(tag)),
        Some(Value::Str(tags)) => tags.contains(tag),
        _ => false,
    }
}

impl Filter for Elapsed {
    /// Never reports a match: the common options are applied in here.
    fn filter(&self, event: &mut Event, emit: &mut Emit) -> Outcome {
        let id = match event.get(&self.options.unique_id_field) {
            None | Some(Value::Null) => return Outcome::Unmatched,
            Some(id) => id,
        };
        if has_tag(event, &self.options.start_tag) {
            let id = id.clone();
            self.decorate(event);
            self.start(id, event.timestamp());
        } else if has_tag(event, &self.options.end_tag) {
            let id = id.clone();
            self.decorate(event);
            if let Err(error) = self.end(event, id, emit) {
                tracing::warn!(%error, "could not set the id of an event");
                event.tag("_elapsederror");
                return Outcome::Failed;
            }
        }
        Outcome::Unmatched
    }

    fn set_decoration(&mut self, decoration: &FilterDecoration) {
        self.decoration = decoration.clone();
    }

    fn flush(&self, _last: bool, emit: &mut Emit) {
        let timeout = self.options.timeout;
        let mut expired: Vec<Started> = {
            let mut started = self.started();
            started.values_mut().for_each(|start| start.age += SECONDS_PER_FLUSH);
            started.extract_if(|_, start| start.age as f64 >= timeout).map(|(_, start)| start).collect()
        };
        expired.sort_by_key(|start| start.time);
        for start in expired {
            let mut event = self.expired(start);
            self.decorate(&mut event);
            emit.plain(event);
        }
    }

    fn flushes(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    fn elapsed(options: &str) -> Box<dyn Filter> {
        let config = format!(
            "filter {{ elapsed {{ start_tag => \"s\" end_tag => \"ee\" unique_id_field => id {options} }} }}"
        );
        testkit::filter(&config, &testkit::context()).unwrap()
    }

    fn run(filter: &dyn Filter, event: &str) -> (String, Vec<String>) {
        let (mut event, mut emit) = (testkit::event(event), Emit::default());
        filter.filter(&mut event, &mut emit);
        (testkit::fields(&event), emit.drain().map(|emitted| testkit::fields(&emitted.event)).collect())
    }

    #[test]
    fn common_options_come_before_what_the_filter_adds() {
        let filter = elapsed(r#"add_tag => ["t"] add_field => { "took" => "%{elapsed_time}" }"#);
        run(&*filter, r#"{"id":1,"tags":["s"],"@timestamp":"2024-01-01T00:00:00Z"}"#);
        let (event, _) = run(&*filter, r#"{"id":1,"tags":["ee"],"@timestamp":"2024-01-01T00:00:01Z"}"#);
        let tags = r#""tags":["ee","t","elapsed","elapsed_match"],"took":"%{elapsed_time}""#;
        assert!(event.contains(tags), "{event}");
    }

    #[test]
    fn numbers_and_text_are_different_ids() {
        let filter = elapsed("");
        run(&*filter, r#"{"id":1,"tags":["s"]}"#);
        let (event, _) = run(&*filter, r#"{"id":"1","tags":["ee"]}"#);
        assert_eq!(event, r#"{"id":"1","tags":["ee","elapsed_end_without_start"]}"#);
    }

    #[test]
    fn starts_without_an_end_expire() {
        let filter = elapsed("timeout => 10");
        run(&*filter, r#"{"id":"x","tags":["s"],"@timestamp":"2024-01-01T00:00:00Z"}"#);
        let mut emit = Emit::default();
        filter.flush(false, &mut emit);
        assert!(emit.is_empty());
        filter.flush(true, &mut emit);
        let event = emit.drain().next().unwrap().event;
        assert_eq!(event.data().get(TIME_FIELD), Some(&Value::Int(10)));
        assert_eq!(event.data().get("id"), Some(&Value::from("x")));
        assert!(event.data().contains_key("host"));
        let (late, _) = run(&*filter, r#"{"id":"x","tags":["ee"]}"#);
        assert!(late.contains(END_WITHOUT_START_TAG), "{late}");
    }

    #[test]
    fn the_last_start_counts_when_it_is_to_be_kept() {
        let filter = elapsed("keep_start_event => last new_event_on_match => true");
        run(&*filter, r#"{"id":1,"tags":["s"],"@timestamp":"2024-01-01T00:00:00Z"}"#);
        run(&*filter, r#"{"id":1,"tags":["s"],"@timestamp":"2024-01-01T00:00:02Z"}"#);
        let (end, new) =
            run(&*filter, r#"{"id":1,"tags":["ee"],"@timestamp":"2024-01-01T00:00:02.000000250Z"}"#);
        assert_eq!(end, r#"{"id":1,"tags":["ee"]}"#);
        assert!(new.concat().contains(r#""elapsed_time":2.5e-7"#), "{new:?}");
    }

    #[test]
    fn a_tag_in_a_text_counts() {
        let event = testkit::event(r#"{"tags":"abc"}"#);
        assert!(has_tag(&event, "b") && !has_tag(&event, "d"));
    }
}
