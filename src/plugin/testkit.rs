//! What unit tests of plugins share: a context, plugins built from config text, and a queue to look into.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Block, Build, Context, EcsMode, Filter, FilterDecoration, Input, InputDecoration, Kind, OptionReader,
    Output, Problem, Sink, take_common,
};
use crate::event::{Event, Value, json};
use crate::language::ast::Item;
use crate::language::{ParseOptions, Sources};
use crate::queue::{self, Receiver, Taken};

/// How long a test waits for what has to come.
pub const LONG: Duration = Duration::from_secs(20);

/// A context with the defaults of a pipeline, ECS v8 among them.
pub fn context() -> Context {
    Context { workers: 2, ..Context::new(crate::registry()) }
}

/// The same without ECS.
pub fn legacy_context() -> Context {
    Context { ecs: EcsMode::Disabled, ..context() }
}

/// A plugin, or what is wrong with its config.
pub type Built<T> = Result<T, Vec<Problem>>;

/// Builds the only plugin of a config, or says what is wrong with it.
fn build<T>(
    config: &str,
    context: &Context,
    make: impl FnOnce(&Build, &mut OptionReader<'_>) -> Option<T>,
) -> Built<T> {
    let parsed = crate::language::parse(&Sources::single("test", config), ParseOptions::default());
    assert!(parsed.is_ok(), "{:?}", parsed.diagnostics);
    let section = parsed.config.sections.first().unwrap();
    let Some(Item::Plugin(plugin)) = section.items.first() else { panic!("{config}: no plugin") };
    let kind = match config.split_whitespace().next() {
        Some("input") => Kind::Input,
        Some("filter") => Kind::Filter,
        _ => Kind::Output,
    };
    let mut problems = Vec::new();
    let block = Block::new(kind, plugin, &context.environment, &mut problems);
    let spec = context.registry.get(kind, &block.name).unwrap();
    let mut reader = OptionReader::new(&block, context, block.name.clone()).with_renamed(spec.renamed);
    take_common(&mut reader);
    let made = make(&spec.build, &mut reader);
    problems.extend(reader.finish(spec));
    match made {
        Some(made) if !problems.iter().any(Problem::is_error) => Ok(made),
        _ => Err(problems),
    }
}

/// An input and its common options, of a config such as `input { generator { } }`.
pub fn input(config: &str, context: &Context) -> Built<(Box<dyn Input>, Arc<InputDecoration>)> {
    build(config, context, |build, reader| {
        let decoration = InputDecoration::read(reader);
        let Build::Input(build) = build else { return None };
        Some((build(reader)?, Arc::new(decoration?)))
    })
}

/// A filter of a config such as `filter { drop { } }`. Its common options apply only if it applies them itself.
pub fn filter(config: &str, context: &Context) -> Built<Box<dyn Filter>> {
    build(config, context, |build, reader| {
        let decoration = FilterDecoration::read(reader)?;
        let Build::Filter(build) = build else { return None };
        let mut filter = build(reader)?;
        filter.set_decoration(&decoration);
        Some(filter)
    })
}

/// An event of JSON such as `{"message":"m"}`.
pub fn event(document: &str) -> Event {
    let Ok(Value::Object(object)) = json::parse(document, json::Decimals::Double) else {
        panic!("no object: {document}")
    };
    Event::from_object(*object).unwrap()
}

/// An output of a config such as `output { stdout { } }`.
pub fn output(config: &str, context: &Context) -> Built<Box<dyn Output>> {
    build(config, context, |build, reader| {
        let Build::Output(build) = build else { return None };
        build(reader)
    })
}

/// A queue with an input's common options before it.
pub fn sink(decoration: Arc<InputDecoration>, capacity: usize) -> (Sink, Receiver) {
    let (sender, receiver) = queue::bounded(capacity);
    (Sink::new(sender, decoration), receiver)
}

/// Everything that comes until the last sender is gone.
pub fn drain(receiver: &Receiver) -> Vec<Event> {
    let mut all = Vec::new();
    loop {
        match receiver.take(usize::MAX, Duration::ZERO, LONG) {
            Taken::Batch { events, .. } => all.extend(events),
            Taken::Idle => panic!("nothing came"),
            Taken::End => return all,
        }
    }
}

/// An event's fields without `@timestamp` and `@version`, as JSON with sorted keys.
pub fn fields(event: &Event) -> String {
    let mut out = Vec::new();
    json::write_object(&mut out, event.data());
    let parsed: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let serde_json::Value::Object(object) = parsed else { panic!("not an object") };
    let sorted: std::collections::BTreeMap<_, _> =
        object.into_iter().filter(|(key, _)| !key.starts_with('@')).collect();
    serde_json::to_string(&sorted).unwrap()
}
