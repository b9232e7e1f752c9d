//! What the tests of codecs share: codecs made of config text, and what they decode and encode.

use crate::event::{Event, FieldReference, Object, Value, json, text};
use crate::language::{self, ParseOptions, Span, ast};
use crate::plugin::{Block, Codec, CodecFactory, ConfigValue, Context, EcsMode, FromOption, Kind, Problem};

fn context(ecs: EcsMode) -> Context {
    Context { data_path: std::env::temp_dir(), ecs, ..Context::new(crate::registry()) }
}

/// A codec as it is written in a config: `json`, or `line { delimiter => "|" }`.
pub fn codec(text: &str, ecs: EcsMode) -> Result<Box<dyn Codec>, Vec<Problem>> {
    let context = context(ecs);
    let value = language::parse_value_with(text, ParseOptions::default())
        .unwrap_or_else(|error| panic!("{text}: {}", error.message));
    if let ast::ValueKind::Bareword(name) = &value.kind {
        return CodecFactory::new(&Block::bare(Kind::Codec, name, Span::default()), &context)
            .map(|f| f.create());
    }
    let value = ConfigValue::new(&value, &context.environment, &mut Vec::new());
    CodecFactory::from_option(&value, &context).map(|factory| factory.create())
}

pub fn decode(codec: &mut dyn Codec, pieces: &[&[u8]]) -> Vec<Event> {
    let mut events = Vec::new();
    pieces.iter().for_each(|piece| codec.decode(piece, &mut |event| events.push(event)));
    codec.flush(&mut |event| events.push(event));
    events
}

pub fn encode(codec: &dyn Codec, event: &Event) -> String {
    let mut out = Vec::new();
    codec.encode(event, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What a codec makes of one text.
pub fn decode_one(text: &str, ecs: EcsMode, bytes: &[u8]) -> Vec<Event> {
    decode(&mut *codec(text, ecs).unwrap(), &[bytes])
}

/// The same field of several events, as text; empty where it is missing.
pub fn texts(events: &[Event], field: &str) -> Vec<String> {
    events.iter().map(|event| show(event, field)).collect()
}

/// A field as text (Java's `toString`); empty where it is missing.
pub fn show(event: &Event, field: &str) -> String {
    let mut shown = String::new();
    if let Some(value) = event.get(&FieldReference::parse(field).unwrap()) {
        text::push_java(&mut shown, value);
    }
    shown
}

/// The tags of an event.
pub fn tags(event: &Event) -> Vec<String> {
    let tags = event.data().get("tags").and_then(Value::as_array).unwrap_or_default();
    tags.iter().map(|tag| tag.as_str().unwrap().to_owned()).collect()
}

/// An event of JSON.
pub fn event(text: &str) -> Event {
    let Value::Object(object) = json::parse(text, json::Decimals::Double).unwrap() else { panic!("{text}") };
    Event::from_object(*object).unwrap()
}

/// The fields of an event but `@timestamp` and `@version`, with `@metadata` where there is any, as JSON.
pub fn data(event: &Event) -> serde_json::Value {
    let mut object: Object = event.data().clone();
    object.remove("@timestamp");
    object.remove("@version");
    if !event.metadata().is_empty() {
        object.insert("@metadata", event.metadata().clone().into());
    }
    let mut out = Vec::new();
    json::write_object(&mut out, &object);
    serde_json::from_slice(&out).unwrap()
}

/// Asserts that a codec is refused with a message that has this part.
pub fn fails(text: &str, part: &str) {
    let problems = codec(text, EcsMode::V8).err().unwrap_or_else(|| panic!("{text} is accepted"));
    assert!(problems.iter().any(|problem| problem.message.contains(part)), "{text}: {problems:?}");
}
