//! What stands in for the ends of a pipeline under test: an input that brings the case's events, a filter that puts
//! keys in order, and an output that keeps what arrives.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::event::{Event, FieldReference, METADATA, Object, Value};
use crate::plugin::{
    Codec, Delivery, Emit, Filter, FilterDecoration, Input, Outcome, Output, RunError, Shutdown, Sink,
};

use crate::pipeline::FilterNode;

/// One element of a case's `input`.
#[derive(Debug)]
pub enum Given {
    Event(Box<Event>),
    /// Bytes for the codec.
    Bytes(Vec<u8>),
    Pause(Duration),
}

/// Called with every event that the codec made, with its number from 0 on, before the input's common options are
/// applied; `line` is what it was decoded from.
pub type Prepare = Box<dyn Fn(&mut Event, usize, &[u8]) + Send + Sync>;

/// Brings what a case gives, in order.
pub struct Inject {
    given: Vec<Given>,
    codec: Box<dyn Codec>,
    prepare: Option<Prepare>,
}

impl Inject {
    pub fn new(given: Vec<Given>, codec: Box<dyn Codec>) -> Self {
        Inject { given, codec, prepare: None }
    }

    /// Has every event prepared.
    pub fn preparing(self, prepare: Prepare) -> Self {
        Inject { prepare: Some(prepare), ..self }
    }
}

impl Input for Inject {
    fn run(self: Box<Self>, sink: Sink, _shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let Inject { given, mut codec, prepare } = *self;
            let mut events = Vec::new();
            let mut number = 0;
            let mut take = |mut event: Event, line: &[u8], events: &mut Vec<Event>| {
                if let Some(prepare) = &prepare {
                    prepare(&mut event, number, line);
                }
                number += 1;
                events.push(event);
            };
            for given in given {
                match given {
                    Given::Event(event) => take(*event, &[], &mut events),
                    Given::Bytes(bytes) => {
                        codec.decode(&bytes, &mut |event| take(event, &bytes, &mut events));
                    }
                    Given::Pause(time) => {
                        send(&sink, std::mem::take(&mut events)).await?;
                        tokio::time::sleep(time).await;
                    }
                }
            }
            codec.flush(&mut |event| take(event, &[], &mut events));
            send(&sink, events).await
        })
    }
}

async fn send(sink: &Sink, events: Vec<Event>) -> Result<(), RunError> {
    sink.send(events, None).await.map_err(|closed| RunError::new(closed.to_string()))
}

/// Events with the id of the output they reached.
type Collected = Arc<Mutex<Vec<(Arc<str>, Event)>>>;

/// Keeps the events that reach the outputs.
#[derive(Debug, Clone)]
pub struct Collect {
    output: Arc<str>,
    collected: Collected,
}

impl Default for Collect {
    fn default() -> Self {
        Collect { output: "".into(), collected: Collected::default() }
    }
}

impl Collect {
    /// One that stands in for the output of that id and keeps its events with those of this one.
    pub fn at(&self, output: &str) -> Self {
        Collect { output: output.into(), collected: Arc::clone(&self.collected) }
    }

    pub fn take(&self) -> Vec<(Arc<str>, Event)> {
        std::mem::take(&mut self.collected.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Output for Collect {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        let mut collected = self.collected.lock().unwrap_or_else(PoisonError::into_inner);
        collected.extend(events.iter().map(|event| (Arc::clone(&self.output), (*event).clone())));
        Box::pin(async { Delivery::done() })
    }
}

/// Sorts the keys of every level, so that texts can be compared.
struct SortKeys;

/// The last filter of every plan under test.
pub fn sort_keys() -> FilterNode {
    FilterNode {
        id: "sort_keys".into(),
        name: "sort_keys",
        filter: Box::new(SortKeys),
        decoration: FilterDecoration::default(),
    }
}

impl Filter for SortKeys {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let data = std::mem::take(event.data_mut());
        *event.data_mut() = sorted(data, &printed_in_json);
        if !event.metadata().is_empty() {
            let metadata = sorted(event.metadata().clone(), &printed_in_json);
            if let Ok(field) = FieldReference::parse(METADATA) {
                // An object is always accepted there.
                _ = event.set(&field, metadata);
            }
        }
        Outcome::Unmatched
    }
}

/// A copy of an object with the keys of every level sorted by their text as rubydebug prints it.
pub fn sorted_for_rubydebug(object: &Object) -> Object {
    sorted(object.clone(), &|key| {
        let mut printed = String::new();
        crate::event::text::push_ruby_string(&mut printed, key);
        printed.pop();
        printed.into_bytes()
    })
}

/// How a key is printed; that text decides about the order.
type Printed<'p> = &'p dyn Fn(&str) -> Vec<u8>;

fn printed_in_json(key: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(key.len() + 2);
    crate::event::json::write_string(&mut out, key);
    out.pop();
    out
}

fn sorted(object: Object, printed: Printed<'_>) -> Object {
    let mut fields: Vec<_> = object.into_iter().map(|(key, value)| (printed(&key), key, value)).collect();
    fields.sort_by(|left, right| left.0.cmp(&right.0));
    fields.into_iter().map(|(_, key, value)| (key, sorted_value(value, printed))).collect()
}

fn sorted_value(value: Value, printed: Printed<'_>) -> Value {
    match value {
        Value::Object(object) => Value::from(sorted(*object, printed)),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| sorted_value(item, printed)).collect())
        }
        scalar => scalar,
    }
}
