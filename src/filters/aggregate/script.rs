//! The Ruby side of the filter `aggregate`: its code, and the objects `map` and `map_meta` of a task.

use super::tasks::{Task, Tasks};
use crate::event::{Event, Object, Timestamp, Value};
use crate::language::Span;
use crate::plugin::{OptionReader, Problem};
use crate::ruby::{self, Args, Interp, Kept, ScriptError, World};

const HOST_CLASS: &str = "LogStash::Filters::Aggregate";
/// What code sees as `map_meta`.
const ELEMENT: &str = "class Element
  attr_accessor :creation_timestamp, :lastevent_timestamp, :difference_from_creation_to_now,
                :difference_from_lastevent_to_now, :timeout, :inactivity_timeout, :task_id, :map
end";
const MAKE: &str = "element = Element.new; element.task_id = id; element.map = map; element.creation_timestamp = time; element";

/// An exception in words.
pub struct Failure {
    pub class: String,
    pub message: String,
}

impl From<ruby::Failure> for Failure {
    fn from(failure: ruby::Failure) -> Self {
        Failure { class: failure.class, message: failure.message }
    }
}

/// The code of one filter, in the world that all filters of the pipeline share.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    code: Kept,
    timeout: Option<Kept>,
    event: Kept,
    block: Kept,
}

impl Code {
    /// Compiles the options `code` and `timeout_code`; what is wrong is reported.
    pub fn load(
        code: &str,
        timeout_code: Option<&str>,
        tasks: &Tasks,
        reader: &mut OptionReader<'_>,
    ) -> Option<Self> {
        let (code_text, timeout_text) = (code.to_owned(), timeout_code.map(str::to_owned));
        let loaded = tasks.with_world(move |world| {
            world.with(move |interp| load_into(interp, &code_text, timeout_text.as_deref()))
        });
        match loaded {
            Ok(code) => Some(code),
            Err((option, errors)) => {
                for error in errors {
                    let message = format!("option \"{option}\" of the filter aggregate: {error}");
                    let span: Span = reader.span(option);
                    reader.report(Problem::error(span, message).label("here"));
                }
                None
            }
        }
    }

    /// Runs the code for an event of a task. Returns the exception, and the events given to `new_event_block`.
    pub fn run(self, world: &mut World, task: &mut Task, event: &mut Event) -> (Option<Failure>, Vec<Event>) {
        world.with(|interp| {
            let (code, meta) = (interp.kept(self.code), interp.kept(task.meta));
            let block = interp.kept(self.block);
            let block = interp.to_block(&block).ok().flatten();
            interp
                .with_event(self.event, event, |interp, object| {
                    let map = interp.call(&meta, "map", &[]).unwrap_or_default();
                    let values = [object.clone(), map, meta.clone()];
                    let args = Args { block: block.as_ref(), ..Args::of(&values) };
                    let result = interp.run_code(&code, args);
                    let emitted = interp.take_emitted();
                    let failure = result.err().map(|control| interp.failure(control).into());
                    (failure, emitted)
                })
                .unwrap_or_else(|failure| (Some(failure.into()), Vec::new()))
        })
    }

    /// Runs `timeout_code`, if there is any, for the event that a task ends with.
    pub fn run_timeout(self, world: &mut World, event: &mut Event) -> Option<Failure> {
        let timeout = self.timeout?;
        world.with(|interp| {
            let code = interp.kept(timeout);
            let ran = interp.with_event(self.event, event, |interp, object| {
                let result = interp.run_code(&code, Args::of(std::slice::from_ref(object)));
                result.err().map(|control| interp.failure(control).into())
            });
            ran.unwrap_or_else(|failure| Some(failure.into()))
        })
    }
}

fn load_into(
    interp: &mut Interp,
    code: &str,
    timeout: Option<&str>,
) -> Result<Code, (&'static str, Vec<ScriptError>)> {
    let host = interp.new_host(HOST_CLASS);
    let code = interp
        .load_code(code, "(aggregate filter code)", "event, map, map_meta, &new_event_block", &host)
        .map_err(|errors| ("code", errors))?;
    let timeout = timeout
        .map(|timeout| interp.load_code(timeout, "(aggregate filter timeout code)", "event", &host))
        .transpose()
        .map_err(|errors| ("timeout_code", errors))?;
    let block = interp.new_event_block();
    Ok(Code {
        code: interp.keep(code),
        timeout: timeout.map(|timeout| interp.keep(timeout)),
        event: interp.new_event_slot(),
        block: interp.keep(block),
    })
}

/// Makes the world ready for tasks. Returns what makes a `map_meta`; nothing if the code above were wrong.
pub fn prepare(world: &mut World) -> Option<Kept> {
    world.with(|interp| {
        let host = interp.new_host(HOST_CLASS);
        interp.run_once(ELEMENT, "(aggregate filter)", &host).ok()?.ok()?;
        let make = interp.load_code(MAKE, "(aggregate filter)", "id, map, time", &host).ok()?;
        Some(interp.keep(make))
    })
}

/// Makes the `map_meta` of a new task, with this map.
pub fn new_meta(world: &mut World, make: Option<Kept>, id: &str, map: &Object, created: Timestamp) -> Kept {
    world.with(|interp| {
        let map = ruby::to_ruby(interp, &Value::Object(Box::new(map.clone())));
        let time = ruby::to_time(interp, created).unwrap_or_default();
        let make = make.map(|make| interp.kept(make)).unwrap_or_default();
        let values = [ruby::Value::str(id), map, time];
        let meta = interp.run_code(&make, Args::of(&values)).unwrap_or_default();
        interp.keep(meta)
    })
}

/// Tells a `map_meta` when its latest event was.
pub fn touch(world: &mut World, meta: Kept, time: Timestamp, behind_now: i64) {
    world.with(|interp| {
        let meta = interp.kept(meta);
        let time = ruby::to_time(interp, time).unwrap_or_default();
        // Plain setters: they cannot fail.
        _ = interp.call(&meta, "lastevent_timestamp=", &[time]);
        _ = interp.call(&meta, "difference_from_lastevent_to_now=", &[ruby::Value::Int(behind_now)]);
    });
}

/// The time-outs that code has set, in seconds.
pub fn timeouts(world: &mut World, meta: Kept) -> (Option<f64>, Option<f64>) {
    world.with(|interp| {
        let meta = interp.kept(meta);
        let mut seconds = |name| match interp.call(&meta, name, &[]) {
            Ok(ruby::Value::Int(seconds)) => Some(seconds as f64),
            Ok(ruby::Value::Float(seconds)) => Some(seconds),
            _ => None,
        };
        (seconds("timeout"), seconds("inactivity_timeout"))
    })
}

/// A task's map as a value of events.
pub fn map(world: &mut World, meta: Kept) -> Value {
    world.with(|interp| {
        let meta = interp.kept(meta);
        let map = interp.call(&meta, "map", &[]).unwrap_or_default();
        ruby::to_event(interp, &map).unwrap_or_else(|control| {
            let failure = interp.failure(control);
            tracing::error!(plugin = "aggregate", "a map holds what no event can: {}", failure.message);
            Value::Null
        })
    })
}

/// Forgets a task.
pub fn release(world: &mut World, meta: Kept) {
    world.with(|interp| interp.release(meta));
}
