//! Filter `aggregate`: collects what several events of one task say, by code in Ruby (logstash-filter-aggregate).

mod script;
mod store;
mod tasks;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use crate::event::{Event, FieldReference, SprintfError, Template, Timestamp, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Spec, choices, options};
use script::Code;
use tasks::{Guard, Limits, Tasks, Timeouts};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "aggregate",
    summary: "Collects what several events of one task say.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  aggregate {
    task_id => "%{id}"
    code => "map['sum'] ||= 0; map['sum'] += event.get('n'); event.set('sum', map['sum'])"
  }
}"#,
        input: &[r#"{"id":"a","n":1}"#, r#"{"id":"a","n":2}"#],
        output: &[r#"{"id":"a","n":1,"sum":1}"#, r#"{"id":"a","n":2,"sum":3}"#],
    },
    build: Build::Filter(build),
};

choices! {
    /// What the filter may do with a task's map.
    enum MapAction { Create = "create", Update = "update", CreateOrUpdate = "create_or_update" }
}

options! {
    struct Options {
        /// What tells the tasks apart; it must hold a `%{field}`. Events without the field are left alone.
        task_id: String,
        /// Ruby code for every event: `event`, `map` (the task's hash), `map_meta`, and `new_event_block.call(event)`.
        code: String,
        /// create: only the first event of a task runs the code. update: only later ones do.
        map_action: MapAction = "create_or_update",
        /// Forget the task's map after this event.
        end_of_task: bool = false,
        /// File that keeps the maps from the end of one run to the start of the next.
        aggregate_maps_path: Option<PathBuf>,
        /// Seconds after its first event at which a task ends by itself. Default: 1800.
        timeout: Option<f64>,
        /// Seconds after its latest event at which a task ends by itself. Default: `timeout`.
        inactivity_timeout: Option<f64>,
        /// Ruby code for the `event` that a task ends with.
        timeout_code: Option<String>,
        /// Make an event of the map of a task that ends by itself.
        push_map_as_event_on_timeout: bool = false,
        /// Make an event of the previous task's map when another task begins.
        push_previous_map_as_event: bool = false,
        /// Field with the time that counts for time-outs, instead of the clock.
        timeout_timestamp_field: Option<FieldReference>,
        /// Field for the task's id in the event that a task ends with.
        timeout_task_id_field: Option<FieldReference>,
        /// Tags of the event that a task ends with.
        timeout_tags: Vec<String> = [],
        /// Warn when so many tasks are open; 0: never.
        map_count_warning_threshold: usize = 5000,
    }
}

impl Options {
    fn timeouts(&self) -> Timeouts {
        let given = self.timeout.is_some()
            || self.inactivity_timeout.is_some()
            || self.timeout_code.is_some()
            || self.push_previous_map_as_event
            || self.timeout_timestamp_field.is_some()
            || self.timeout_task_id_field.is_some()
            || !self.timeout_tags.is_empty();
        match (self.push_map_as_event_on_timeout, given) {
            (true, _) => Timeouts::Pushing,
            (false, true) => Timeouts::Given,
            (false, false) => Timeouts::None,
        }
    }
}

/// The tag of an event whose code raised an exception.
const EXCEPTION_TAG: &str = "_aggregateexception";
/// The tag of events made at the very end.
const FINAL_TAG: &str = "_aggregatefinalflush";

struct Aggregate {
    options: Options,
    task_id: Template,
    limits: Limits,
    code: Code,
    tasks: Arc<Tasks>,
    /// This filter's number among those of the pipeline.
    number: usize,
}

fn build(reader: &mut OptionReader<'_>) -> Option<Box<dyn Filter>> {
    let options = Options::read(reader)?;
    let dynamic = options.task_id.find("%{").is_some_and(|at| options.task_id[at..].contains('}'));
    if !dynamic {
        reader.error("task_id", "it must hold a field of the event, e.g. \"%{request_id}\"");
        return None;
    }
    let longest = options.timeout.unwrap_or(tasks::DEFAULT_TIMEOUT);
    if options.inactivity_timeout.is_some_and(|seconds| seconds > longest) {
        reader.error("inactivity_timeout", format!("it must be lower than timeout ({longest} s)"));
        return None;
    }
    let tasks: Arc<Tasks> = reader.context.shared.get();
    let number =
        match tasks.join(&options.task_id, options.timeouts(), options.aggregate_maps_path.as_deref()) {
            Ok(number) => number,
            Err((option, reason)) => {
                reader.error(option, reason);
                return None;
            }
        };
    let code = Code::load(&options.code, options.timeout_code.as_deref(), &tasks, reader)?;
    let task_id = Template::parse(&options.task_id);
    let limits = Limits {
        timeout: options.timeout,
        inactivity: options.inactivity_timeout,
        warning: options.map_count_warning_threshold,
    };
    Some(Box::new(Aggregate { options, task_id, limits, code, tasks, number }))
}

impl Filter for Aggregate {
    fn filter(&self, event: &mut Event, emit: &mut Emit) -> Outcome {
        let id = match self.task_id.render(event) {
            Ok(id) if id != self.options.task_id => id,
            Ok(_) => return Outcome::Unmatched,
            Err(error) => return self.failed(event, &error),
        };
        let Some(now) = self.reference_time(event) else {
            tracing::error!(plugin = "aggregate", "timeout_timestamp_field: the event has no time there");
            event.tag(EXCEPTION_TAG);
            return Outcome::Failed;
        };
        let mut guard = self.tasks.open(&self.options.task_id, self.number);
        let (outcome, ended) = self.run(&mut guard, &id, now, event, emit);
        drop(guard);
        ended.into_iter().for_each(|event| emit.plain(event));
        outcome
    }

    fn flush(&self, last: bool, emit: &mut Emit) {
        let mut guard = self.tasks.open(&self.options.task_id, self.number);
        if !guard.is_flush_due(&self.limits, last) {
            return;
        }
        let wanted = self.options.push_previous_map_as_event || self.options.push_map_as_event_on_timeout;
        let mut ended = Vec::new();
        for (id, map) in guard.take_expired(&self.limits, Timestamp::now()) {
            ended.extend(wanted.then(|| self.ending(&mut guard, &id, map)).flatten());
        }
        if last
            && self.options.push_previous_map_as_event
            && let Some((id, map)) = guard.take_oldest()
        {
            ended.extend(self.ending(&mut guard, &id, map));
        }
        for mut event in ended {
            if last {
                event.tag(FINAL_TAG);
            }
            emit.plain(event);
        }
    }

    fn flushes(&self) -> bool {
        true
    }
}

impl Aggregate {
    /// The time that counts for time-outs; `None` when the event should have one and has not.
    fn reference_time(&self, event: &Event) -> Option<Timestamp> {
        match &self.options.timeout_timestamp_field {
            None => Some(Timestamp::now()),
            Some(field) if field.as_top_level() == Some("@timestamp") => event.timestamp(),
            Some(field) => match event.get(field) {
                Some(Value::Timestamp(time)) => Some(*time),
                _ => None,
            },
        }
    }

    fn failed(&self, event: &mut Event, error: &SprintfError) -> Outcome {
        tracing::error!(plugin = "aggregate", %error, "task_id");
        event.tag(EXCEPTION_TAG);
        Outcome::Failed
    }

    /// Runs the code for one event of a task. Returns events of tasks that ended by it as well.
    fn run(
        &self,
        guard: &mut Guard<'_>,
        id: &str,
        now: Timestamp,
        event: &mut Event,
        emit: &mut Emit,
    ) -> (Outcome, Vec<Event>) {
        guard.warn_of_many(&self.options.task_id, &self.limits);
        let mut ended = Vec::new();
        let pushes = self.options.push_previous_map_as_event || self.options.push_map_as_event_on_timeout;
        if self.options.timeout_timestamp_field.is_some()
            && let Some(map) = guard.take_if_expired(id, &self.limits, now)
            && pushes
        {
            ended.extend(self.ending(guard, id, map));
        }
        match (guard.has(id), self.options.map_action) {
            (false, MapAction::Update) | (true, MapAction::Create) => return (Outcome::Unmatched, ended),
            (true, _) => {}
            (false, _) => {
                if self.options.push_previous_map_as_event
                    && let Some((id, map)) = guard.take_oldest()
                {
                    ended.extend(self.ending(guard, &id, map));
                }
                guard.create(id, now);
            }
        }
        let ran = guard.with_task(id, now, |world, task| self.code.run(world, task, event));
        let (failure, emitted) = ran.unwrap_or_default();
        emitted.into_iter().for_each(|event| emit.plain(event));
        if self.options.end_of_task {
            guard.remove(id);
        }
        if let Some(map) = guard.take_if_zero(id)
            && guard.pushes_on_timeout()
        {
            ended.extend(self.ending(guard, id, map));
        }
        match failure {
            None if event.is_cancelled() => (Outcome::Cancelled, ended),
            None => (Outcome::Matched, ended),
            Some(failure) => {
                let script::Failure { class, message } = failure;
                tracing::error!(plugin = "aggregate", class, "aggregate exception occurred: {message}");
                event.tag(EXCEPTION_TAG);
                (Outcome::Failed, ended)
            }
        }
    }

    /// The event that a task ends with.
    fn ending(&self, guard: &mut Guard<'_>, id: &str, map: Value) -> Option<Event> {
        let Value::Object(object) = map else { return None };
        let mut event = match Event::from_object(*object) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(plugin = "aggregate", task = id, %error, "no event can be made of the map");
                return None;
            }
        };
        if let Some(field) = &self.options.timeout_task_id_field
            && let Err(error) = event.set(field, Value::from(id))
        {
            tracing::error!(plugin = "aggregate", %error, "timeout_task_id_field");
        }
        for tag in &self.options.timeout_tags {
            // As add_tag: it may hold %{field}.
            let tag = Template::parse(tag).render(&event).unwrap_or_else(|_| tag.clone());
            event.tag(&tag);
        }
        if let Some(failure) = self.code.run_timeout(guard.world(), &mut event) {
            let script::Failure { class, message } = failure;
            tracing::error!(plugin = "aggregate", class, "aggregate exception occurred: {message}");
            event.tag(EXCEPTION_TAG);
        }
        Some(event)
    }
}
