//! The event: `Event`, `Value`, `Object`, `FieldReference`, `Template` (sprintf), `Timestamp`, and JSON to and from bytes.
//!
//! Follows `Event.java`, `Accessors.java`, `FieldReference.java`, `StringInterpolation.java` and `Timestamp.java` of
//! Logstash's core. This room knows neither the config language nor any plugin.

mod field_reference;
pub mod json;
pub mod numbers;
mod object;
pub mod ruby_text;
mod template;
pub mod text;
pub mod time_format;
pub mod timestamp;
mod value;

use std::sync::LazyLock;

pub use field_reference::{EscapeStyle, FieldReference, InvalidReference, Root, Segment};
pub use object::{Key, Object};
pub use template::{SprintfError, Template};
pub use timestamp::Timestamp;
pub use value::{Big, Text, Value};

pub const TIMESTAMP: &str = "@timestamp";
pub const VERSION: &str = "@version";
pub const METADATA: &str = "@metadata";
pub const TAGS: &str = "tags";

/// Arrays are never padded beyond this length when a high index is set.
const MAX_INDEX: usize = 1_000_000;

/// One event on its way through a pipeline: its fields, and `@metadata`, which no output sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    data: Object,
    /// `Null` while nothing is in it, which is nearly always.
    metadata: Value,
    cancelled: bool,
}

/// A field that could not be set. The messages are Logstash's, for they end up in logs people search for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SetError {
    #[error(
        "Could not set field '{key}' on object '{target}' to value '{value}'. This is probably due to trying to set \
         a field like [foo][bar] = someValue when [foo] is not either a map or a string"
    )]
    NotAContainer { key: String, target: String, value: String },
    #[error(
        "Could not set the reserved tags field '{field}' to value '{value}'. The tags field only accepts string or \
         array of string."
    )]
    InvalidTags { field: String, value: String },
    #[error("Could not set index {index} of an array of {len} elements")]
    IndexOutOfRange { index: i64, len: usize },
    #[error("Could not set @metadata to a {0}: it only accepts an object")]
    InvalidMetadata(&'static str),
    #[error("wrong argument type {0} for @timestamp (expected a timestamp)")]
    InvalidTimestamp(&'static str),
}

impl SetError {
    fn not_a_container(key: &str, target: &Value, value: &Value) -> Self {
        let shown = |value: &Value| {
            let mut text = String::new();
            if !value.is_null() {
                text::push_java(&mut text, value);
            }
            text
        };
        SetError::NotAContainer { key: key.to_owned(), target: shown(target), value: shown(value) }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl Event {
    /// An event of now, with nothing but `@timestamp` and `@version`.
    pub fn new() -> Self {
        Self::at(Timestamp::now())
    }

    /// An event of the given time, with nothing but `@timestamp` and `@version`.
    pub fn at(time: Timestamp) -> Self {
        let mut data = Object::with_capacity(8);
        data.push_new(Key::const_new(TIMESTAMP), Value::Timestamp(time));
        data.push_new(Key::const_new(VERSION), Value::from("1"));
        Event { data, metadata: Value::Null, cancelled: false }
    }

    /// An event of now that holds one line of text in `message`.
    pub fn from_message(message: impl Into<Value>) -> Self {
        let mut event = Self::new();
        event.data.push_new(Key::const_new("message"), message.into());
        event
    }

    /// Makes an event of decoded data, as the constructor of `Event.java` does: `@metadata` is taken out, a missing
    /// `@version` and `@timestamp` are added; a `tags` or `@timestamp` of the wrong kind is moved to `_tags` or
    /// `_@timestamp` and tagged. Fails when `@metadata` is not an object.
    pub fn from_object(mut data: Object) -> Result<Self, SetError> {
        let metadata = match data.remove(METADATA) {
            None => Value::Null,
            Some(object @ Value::Object(_)) => object,
            Some(other) => return Err(SetError::InvalidMetadata(other.kind())),
        };
        if !data.contains_key(VERSION) {
            data.push_new(Key::const_new(VERSION), Value::from("1"));
        }
        let mut event = Event { data, metadata, cancelled: false };
        if event.data.get(TAGS).is_some_and(|tags| !is_legal_tags(tags)) {
            let tags = event.data.remove(TAGS).unwrap_or_default();
            event.data.insert("_tags", Value::Array(vec![tags]));
            event.tag("_tagsparsefailure");
        }
        event.settle_timestamp();
        Ok(event)
    }

    fn settle_timestamp(&mut self) {
        let parsed = match self.data.get(TIMESTAMP) {
            Some(Value::Timestamp(_)) => return,
            None | Some(Value::Null) => Some(Timestamp::now()),
            Some(Value::Str(text)) => Timestamp::parse(text),
            Some(_) => None,
        };
        let provided = self.data.insert(TIMESTAMP, Value::Timestamp(parsed.unwrap_or_else(Timestamp::now)));
        if parsed.is_none() {
            let provided = provided.unwrap_or_default();
            tracing::warn!(value = %text::ruby_to_s(&provided), "error parsing @timestamp, the event gets the time of now");
            self.data.insert("_@timestamp", provided);
            self.tag("_timestampparsefailure");
        }
    }

    /// The fields, without `@metadata`.
    pub fn data(&self) -> &Object {
        &self.data
    }

    /// The fields, without `@metadata`. Setting `tags` here goes past the check that [`set`](Self::set) makes.
    pub fn data_mut(&mut self) -> &mut Object {
        &mut self.data
    }

    /// The fields of `@metadata`.
    pub fn metadata(&self) -> &Object {
        static EMPTY: LazyLock<Object> = LazyLock::new(Object::new);
        match &self.metadata {
            Value::Object(object) => object,
            _ => &EMPTY,
        }
    }

    fn metadata_mut(&mut self) -> &mut Value {
        if self.metadata.is_null() {
            self.metadata = Value::from(Object::new());
        }
        &mut self.metadata
    }

    pub fn timestamp(&self) -> Option<Timestamp> {
        match self.data.get(TIMESTAMP) {
            Some(Value::Timestamp(time)) => Some(*time),
            _ => None,
        }
    }

    pub fn set_timestamp(&mut self, time: Timestamp) {
        self.data.insert(TIMESTAMP, Value::Timestamp(time));
    }

    /// Takes the event out of the pipeline: no later filter and no output sees it.
    pub fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Takes a [`cancel`](Self::cancel) back.
    pub fn uncancel(&mut self) {
        self.cancelled = false;
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// The value of a field; JSON null is `Some(Null)`, a missing field `None`.
    pub fn get(&self, field: &FieldReference) -> Option<&Value> {
        static EMPTY: LazyLock<Value> = LazyLock::new(|| Value::from(Object::new()));
        let whole = match field.root() {
            Root::Data => match parent(&self.data, field.parents()) {
                Parent::Object(object) => return object.get(&field.last().name),
                Parent::Array(items) => return items.get(index_of(field.last(), items.len())?),
                Parent::Missing => return None,
            },
            _ if self.metadata.is_null() => &EMPTY,
            _ => &self.metadata,
        };
        match field.root() {
            Root::WholeMetadata => Some(whole),
            _ => match parent(self.metadata(), field.parents()) {
                Parent::Object(object) => object.get(&field.last().name),
                Parent::Array(items) => items.get(index_of(field.last(), items.len())?),
                Parent::Missing => None,
            },
        }
    }

    /// The value of a field, to be changed in place.
    pub fn get_mut(&mut self, field: &FieldReference) -> Option<&mut Value> {
        let root = match field.root() {
            Root::WholeMetadata => return Some(self.metadata_mut()),
            Root::Metadata => object_in(&mut self.metadata)?,
            Root::Data => &mut self.data,
        };
        let Some((first, rest)) = field.parents().split_first() else {
            return root.get_mut(&field.last().name);
        };
        let mut at = root.get_mut(&first.name)?;
        for segment in rest.iter().chain([field.last()]) {
            at = step_into(at, segment)?;
        }
        Some(at)
    }

    pub fn contains(&self, field: &FieldReference) -> bool {
        self.get(field).is_some()
    }

    /// Sets a field and creates missing parents. Fails where a parent is a scalar or null, where `tags` would become
    /// anything but text, and where an index lies before the start of an array.
    pub fn set(&mut self, field: &FieldReference, value: impl Into<Value>) -> Result<(), SetError> {
        let value = value.into();
        match field.root() {
            Root::WholeMetadata => match value {
                Value::Object(_) => {
                    self.metadata = value;
                    Ok(())
                }
                other => Err(SetError::InvalidMetadata(other.kind())),
            },
            Root::Metadata => match self.metadata_mut() {
                Value::Object(object) => set_in(object, field, value),
                other => Err(SetError::InvalidMetadata(other.kind())),
            },
            Root::Data => {
                refuse_illegal_tags(field, &value)?;
                set_in(&mut self.data, field, value)
            }
        }
    }

    /// Sets a field as plugins written in Ruby do (`JrubyEventExtLibrary.java`): like [`set`](Self::set), but
    /// `@timestamp` takes nothing but a timestamp.
    pub fn assign(&mut self, field: &FieldReference, value: impl Into<Value>) -> Result<(), SetError> {
        let value = value.into();
        if field.as_top_level() == Some(TIMESTAMP) && !matches!(value, Value::Timestamp(_)) {
            return Err(SetError::InvalidTimestamp(value.kind()));
        }
        self.set(field, value)
    }

    /// Whether a field may be changed in place: one below `tags` takes no value, not even the one it has.
    pub fn may_change(&self, field: &FieldReference, value: &Value) -> Result<(), SetError> {
        match field.root() {
            Root::Data => refuse_illegal_tags(field, value),
            _ => Ok(()),
        }
    }

    /// Removes a field and returns what it held. `[@metadata]` is emptied.
    pub fn remove(&mut self, field: &FieldReference) -> Option<Value> {
        let root = match field.root() {
            Root::WholeMetadata => {
                return Some(match std::mem::take(&mut self.metadata) {
                    Value::Null => Value::from(Object::new()),
                    metadata => metadata,
                });
            }
            Root::Metadata => object_in(&mut self.metadata)?,
            Root::Data => &mut self.data,
        };
        let Some((first, rest)) = field.parents().split_first() else {
            return root.remove(&field.last().name);
        };
        let mut at = root.get_mut(&first.name)?;
        for segment in rest {
            at = step_into(at, segment)?;
        }
        match at {
            Value::Object(object) => object.remove(&field.last().name),
            Value::Array(items) => {
                let index = index_of(field.last(), items.len())?;
                (index < items.len()).then(|| items.remove(index))
            }
            _ => None,
        }
    }

    /// Adds a tag unless the event has it already (`Event#tag`).
    pub fn tag(&mut self, tag: &str) {
        match self.data.get_mut(TAGS) {
            Some(Value::Array(tags)) => {
                if !tags.iter().any(|existing| existing.as_str() == Some(tag)) {
                    tags.push(tag.into());
                }
            }
            Some(existing @ Value::Str(_)) => {
                if existing.as_str() != Some(tag) {
                    *existing = Value::Array(vec![std::mem::take(existing), tag.into()]);
                } else {
                    *existing = Value::Array(vec![std::mem::take(existing)]);
                }
            }
            _ => _ = self.data.insert(TAGS, Value::Array(vec![tag.into()])),
        }
    }

    /// An independent copy. One whose `@timestamp` was removed gets the time of now, and `@version` comes back, as
    /// in Logstash's clone.
    pub fn duplicate(&self) -> Self {
        let mut copy = self.clone();
        copy.cancelled = false;
        if !copy.data.contains_key(VERSION) {
            copy.data.insert(VERSION, Value::from("1"));
        }
        if copy.timestamp().is_none() {
            copy.settle_timestamp();
        }
        copy
    }
}

impl std::fmt::Display for Event {
    /// `Event#to_s`: `2024-05-06T07:08:09.123Z host message`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(time) = self.timestamp() {
            write!(f, "{time} ")?;
        }
        let field = |name: &str| match self.data.get(name) {
            None | Some(Value::Null) => format!("%{{{name}}}"),
            Some(value) => {
                let mut text = String::new();
                text::push_java(&mut text, value);
                text
            }
        };
        write!(f, "{} {}", field("host"), field("message"))
    }
}

fn object_in(value: &mut Value) -> Option<&mut Object> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// What a step of a path leads to.
fn step_into<'e>(container: &'e mut Value, segment: &Segment) -> Option<&'e mut Value> {
    match container {
        Value::Object(object) => object.get_mut(&segment.name),
        Value::Array(items) => {
            let index = index_of(segment, items.len())?;
            items.get_mut(index)
        }
        _ => None,
    }
}

enum Parent<'e> {
    Object(&'e Object),
    Array(&'e [Value]),
    Missing,
}

/// Walks down to the container that holds the last step of a reference.
fn parent<'e>(root: &'e Object, path: &[Segment]) -> Parent<'e> {
    let Some((first, rest)) = path.split_first() else {
        return Parent::Object(root);
    };
    let mut at = root.get(&first.name);
    for segment in rest {
        at = match at {
            Some(Value::Object(object)) => object.get(&segment.name),
            Some(Value::Array(items)) => index_of(segment, items.len()).and_then(|index| items.get(index)),
            _ => return Parent::Missing,
        };
    }
    match at {
        Some(Value::Object(object)) => Parent::Object(object),
        Some(Value::Array(items)) => Parent::Array(items),
        _ => Parent::Missing,
    }
}

/// The position a step means in an array of `len` elements; negative ones count from the end.
fn index_of(segment: &Segment, len: usize) -> Option<usize> {
    let index = i64::from(segment.index?);
    usize::try_from(if index < 0 { index + len as i64 } else { index }).ok()
}

fn set_in(root: &mut Object, field: &FieldReference, value: Value) -> Result<(), SetError> {
    let Some((first, rest)) = field.parents().split_first() else {
        root.insert(field.last().name.clone(), value);
        return Ok(());
    };
    if !root.contains_key(&first.name) {
        root.push_new(first.name.clone(), Value::from(Object::new()));
    }
    // The key exists: it was there or has just been added.
    let Some(mut at) = root.get_mut(&first.name) else { return Ok(()) };
    for segment in rest {
        at = match at {
            Value::Object(object) => {
                if !object.contains_key(&segment.name) {
                    object.push_new(segment.name.clone(), Value::from(Object::new()));
                }
                match object.get_mut(&segment.name) {
                    Some(child) => child,
                    None => return Ok(()),
                }
            }
            Value::Array(items) => match element_to_enter(items, segment)? {
                Some(child) => child,
                None => return Ok(()),
            },
            scalar => return Err(SetError::not_a_container(&segment.name, scalar, &value)),
        };
    }
    match at {
        Value::Object(object) => {
            object.insert(field.last().name.clone(), value);
            Ok(())
        }
        Value::Array(items) => match slot(items, field.last())? {
            Some(element) => {
                *element = value;
                Ok(())
            }
            None => Ok(()),
        },
        scalar => Err(SetError::not_a_container(&field.last().name, scalar, &value)),
    }
}

/// The element a path goes on through; a new one starts as an object.
fn element_to_enter<'e>(
    items: &'e mut Vec<Value>,
    segment: &Segment,
) -> Result<Option<&'e mut Value>, SetError> {
    let len = items.len();
    let Some(element) = slot(items, segment)? else { return Ok(None) };
    if index_of(segment, len).is_some_and(|index| index >= len) {
        *element = Value::from(Object::new());
    }
    Ok(Some(element))
}

/// The element a step means, the array padded with nulls up to it. A step that is no number means nothing.
fn slot<'e>(items: &'e mut Vec<Value>, segment: &Segment) -> Result<Option<&'e mut Value>, SetError> {
    let Some(written) = segment.index else { return Ok(None) };
    let len = items.len();
    let index = index_of(segment, len)
        .filter(|&index| index < MAX_INDEX.max(len))
        .ok_or(SetError::IndexOutOfRange { index: written.into(), len })?;
    if index >= len {
        items.resize(index + 1, Value::Null);
    }
    Ok(items.get_mut(index))
}

fn is_legal_tags(value: &Value) -> bool {
    match value {
        Value::Str(_) => true,
        Value::Array(items) => items.iter().all(|item| matches!(item, Value::Str(_))),
        _ => false,
    }
}

fn refuse_illegal_tags(field: &FieldReference, value: &Value) -> Result<(), SetError> {
    let whole = field.as_top_level() == Some(TAGS) && !is_legal_tags(value);
    let below = field.parents().first().is_some_and(|first| first.name == TAGS);
    if whole || below {
        let field = if below { field.to_string() } else { TAGS.to_owned() };
        return Err(SetError::InvalidTags { field, value: text::ruby_to_s(value) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Event {
        let Value::Object(object) = json::parse(json, json::Decimals::Double).unwrap() else {
            panic!("{json}")
        };
        Event::from_object(*object).unwrap()
    }

    fn field(text: &str) -> FieldReference {
        FieldReference::parse(text).unwrap()
    }

    #[test]
    fn nested_fields_are_read_set_and_removed() {
        let mut event = event(r#"{"a":{"b":[1,{"c":2}]},"s":"text"}"#);
        assert_eq!(event.get(&field("[a][b][-1][c]")), Some(&Value::Int(2)));
        assert_eq!(event.get(&field("[a][b][-3]")), None);
        assert_eq!(event.get(&field("[s][x]")), None);
        event.set(&field("[a][b][3]"), 9).unwrap();
        assert_eq!(event.get(&field("[a][b][2]")), Some(&Value::Null));
        event.set(&field("[x][y][z]"), "new").unwrap();
        assert_eq!(event.remove(&field("[x][y][z]")), Some(Value::from("new")));
        assert!(event.set(&field("[s][x]"), 1).is_err());
        assert!(event.set(&field("[a][b][-9]"), 1).is_err());
        assert!(event.set(&field("[a][b][2000000000]"), 1).is_err());
    }

    #[test]
    fn metadata_is_kept_apart() {
        let mut event = event(r#"{"@metadata":{"a":1}}"#);
        assert_eq!(event.get(&field("[@metadata][a]")), Some(&Value::Int(1)));
        assert!(!event.data().contains_key(METADATA));
        event.set(&field("[@metadata][b][c]"), 2).unwrap();
        assert_eq!(event.get(&field("[@metadata][b][c]")), Some(&Value::Int(2)));
        event.remove(&field("@metadata"));
        assert!(event.metadata().is_empty());
        assert!(event.get(&field("@metadata")).is_some());
    }

    #[test]
    fn tags_accept_text_only() {
        let mut event = event(r#"{"tags":5}"#);
        assert_eq!(event.get(&field("[_tags][0]")), Some(&Value::Int(5)));
        assert_eq!(event.get(&field("tags")), Some(&Value::Array(vec!["_tagsparsefailure".into()])));
        assert!(event.set(&field("[tags][x]"), "1").is_err());
        assert!(event.set(&field("tags"), 1).is_err());
        event.tag("a");
        event.tag("a");
        assert_eq!(
            event.get(&field("tags")),
            Some(&Value::Array(vec!["_tagsparsefailure".into(), "a".into()]))
        );
    }
}
