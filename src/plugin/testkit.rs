//! What unit tests of plugins share: a context, plugins built from config text, and a queue to look into.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use super::{
    Block, Build, Codec, Context, EcsMode, EncodeError, Environment, Example, Input, InputDecoration, Kind,
    OptionReader, Output, Problem, Registry, Sink, Spec, Stdout, take_common,
};
use crate::event::{Event, json};
use crate::language::ast::Item;
use crate::language::{ParseOptions, Sources};
use crate::queue::{self, Receiver, Taken};

/// How long a test waits for what has to come.
pub const LONG: Duration = Duration::from_secs(20);

/// A context with the defaults of a pipeline, ECS v8 among them.
pub fn context() -> Context {
    Context {
        pipeline_id: Arc::from("main"),
        node_name: Arc::from("test"),
        data_path: PathBuf::from("."),
        ecs: EcsMode::V8,
        workers: 2,
        batch_size: 125,
        registry: registry(),
        environment: Environment::new(|_| None),
        stdout: Stdout::Capture(Arc::new(Mutex::new(Vec::new()))),
    }
}

/// Every plugin, and lines of text in the place of codecs that this build lacks.
fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let all = crate::registry();
        let missing = ["plain", "line", "json", "json_lines", "rubydebug"]
            .into_iter()
            .filter(|name| all.get(Kind::Codec, name).is_none())
            .map(|name| &*Box::leak(Box::new(text_spec(name))));
        Registry::new(all.iter().chain(missing))
    })
}

fn text_spec(name: &'static str) -> Spec {
    Spec {
        kind: Kind::Codec,
        name,
        summary: "",
        options: &[],
        deprecated: &[],
        refused: &[],
        default_codec: None,
        example: Example { config: "", input: &[], output: &[] },
        build: Build::Codec(match name {
            "plain" => |_| Some(Box::new(Text { lines: false, held: Vec::new() })),
            _ => |_| Some(Box::new(Text { lines: true, held: Vec::new() })),
        }),
    }
}

/// Decodes lines, or everything, to `message`; encodes JSON lines.
struct Text {
    lines: bool,
    held: Vec<u8>,
}

impl Codec for Text {
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        self.held.extend_from_slice(bytes);
        while let Some(at) = self.held.iter().position(|byte| *byte == b'\n').filter(|_| self.lines) {
            let line: Vec<u8> = self.held.drain(..=at).collect();
            emit(Event::from_message(String::from_utf8_lossy(&line).trim_end()));
        }
        if !self.lines {
            self.flush(emit);
        }
    }

    fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        if !self.held.is_empty() {
            emit(Event::from_message(String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()));
        }
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        json::write_object(out, event.data());
        out.push(b'\n');
        Ok(())
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(Text { lines: self.lines, held: Vec::new() })
    }
}

/// Builds the only plugin of a config, or says what is wrong with it.
fn build<T>(
    config: &str,
    context: &Context,
    make: impl FnOnce(&Build, &mut OptionReader<'_>) -> Option<T>,
) -> Result<T, Vec<Problem>> {
    let parsed = crate::language::parse(&Sources::single("test", config), ParseOptions::default());
    assert!(parsed.is_ok(), "{:?}", parsed.diagnostics);
    let section = parsed.config.sections.first().unwrap();
    let Some(Item::Plugin(plugin)) = section.items.first() else { panic!("{config}: no plugin") };
    let kind = if config.starts_with("input") { Kind::Input } else { Kind::Output };
    let mut problems = Vec::new();
    let block = Block::new(kind, plugin, &context.environment, &mut problems);
    let spec = context.registry.get(kind, &block.name).unwrap();
    let mut reader = OptionReader::new(&block, context, block.name.clone());
    take_common(&mut reader);
    let made = make(&spec.build, &mut reader);
    problems.extend(reader.finish(spec));
    match made {
        Some(made) if !problems.iter().any(Problem::is_error) => Ok(made),
        _ => Err(problems),
    }
}

/// An input and its common options, of a config such as `input { generator { } }`.
pub fn input(
    config: &str,
    context: &Context,
) -> Result<(Box<dyn Input>, Arc<InputDecoration>), Vec<Problem>> {
    build(config, context, |build, reader| {
        let decoration = InputDecoration::read(reader);
        let Build::Input(build) = build else { return None };
        Some((build(reader)?, Arc::new(decoration?)))
    })
}

/// An output of a config such as `output { stdout { } }`.
pub fn output(config: &str, context: &Context) -> Result<Box<dyn Output>, Vec<Problem>> {
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
