//! `LogStash::Event` (JrubyEventExtLibrary.java).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::timestamp::TimestampData;
use super::{ClassDef, MethodDef};
use crate::event::{self, Event, FieldReference, Root, TIMESTAMP, Template, Timestamp, json};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::bridge;
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, Native, RString, Value};

/// The event behind a LogStash::Event.
pub struct EventData {
    event: RefCell<Event>,
    /// Strings that were read from fields: changing one in place changes its field.
    live: RefCell<Vec<(Rc<FieldReference>, Rc<RString>)>>,
    /// The count of changed strings up to which they were brought back.
    settled: Cell<u64>,
}

impl Native for EventData {
    fn duplicate(&self) -> Option<Rc<dyn Native>> {
        self.settle();
        Some(Rc::new(EventData::new(self.event.borrow().duplicate())))
    }

    fn trace(&self, _visit: &mut dyn FnMut(&Value)) -> bool {
        true
    }
}

impl EventData {
    pub fn new(event: Event) -> EventData {
        EventData {
            event: RefCell::new(event),
            live: RefCell::default(),
            settled: Cell::new(RString::changes()),
        }
    }

    /// Exchanges the event with another; nothing read before is live any more.
    pub fn swap(&self, other: &mut Event) {
        self.settle();
        self.live.borrow_mut().clear();
        std::mem::swap(&mut *self.event.borrow_mut(), other);
    }

    /// Reads the event as it is now.
    pub fn read<R>(&self, look: impl FnOnce(&Event) -> R) -> R {
        self.settle();
        look(&self.event.borrow())
    }

    /// Brings strings that were changed in place back into their fields.
    fn settle(&self) {
        if self.settled.replace(RString::changes()) == RString::changes() {
            return;
        }
        let mut event = self.event.borrow_mut();
        for (field, string) in &*self.live.borrow() {
            if !string.take_change() {
                continue;
            }
            if let Some(place @ event::Value::Str(_)) = event.get_mut(field) {
                *place = event::Value::from(string.to_text());
            }
        }
    }

    /// Forgets the strings of fields that lie at, above or below the one that is replaced.
    fn forget(&self, field: &FieldReference) {
        let mut live = self.live.borrow_mut();
        if !live.is_empty() {
            live.retain(|(known, _)| !overlap(known, field));
        }
    }
}

fn overlap(a: &FieldReference, b: &FieldReference) -> bool {
    if a.root() == Root::WholeMetadata || b.root() == Root::WholeMetadata {
        return a.root() != Root::Data && b.root() != Root::Data;
    }
    fn names(field: &FieldReference) -> impl Iterator<Item = &event::Key> {
        field.parents().iter().chain(std::iter::once(field.last())).map(|segment| &segment.name)
    }
    a.root() == b.root() && names(a).zip(names(b)).all(|(a, b)| a == b)
}

pub(super) static CLASSES: &[ClassDef] = &[ClassDef {
    methods: &[FIELDS, STATE, TEXT],
    singleton_methods: &[SINGLETON],
    ..ClassDef::class("LogStash::Event")
}];

const SINGLETON: &[MethodDef] =
    &[MethodDef("new", between(0, 1), new), MethodDef("from_json", exactly(1), from_json)];

const FIELDS: &[MethodDef] = &[
    MethodDef("get", exactly(1), get),
    MethodDef("set", exactly(2), set),
    MethodDef("remove", exactly(1), remove),
    MethodDef("include?", exactly(1), |interp, this, args| {
        let field = reference(interp, args.at(0))?;
        let data = data(interp, this)?;
        Ok(Value::Bool(field.root() == Root::WholeMetadata || data.read(|event| event.contains(&field))))
    }),
    MethodDef("tag", exactly(1), |interp, this, args| {
        let tag = args.text(interp, 0)?;
        let data = data(interp, this)?;
        data.settle();
        data.forget(&FieldReference::top_level(event::TAGS));
        data.event.borrow_mut().tag(&tag);
        Ok(Value::Nil)
    }),
    MethodDef("timestamp", exactly(0), |interp, this, _| {
        let time = data(interp, this)?.read(Event::timestamp);
        Ok(time.map_or(Value::Nil, |time| bridge::timestamp(interp, time)))
    }),
    MethodDef("timestamp=", exactly(1), |interp, this, args| {
        let time = timestamp_argument(interp, args.at(0))?;
        data(interp, this)?.event.borrow_mut().set_timestamp(time);
        Ok(args.at(0).clone())
    }),
    MethodDef("[]", at_least(0), refuse_brackets),
    MethodDef("[]=", at_least(0), refuse_brackets),
];

const STATE: &[MethodDef] = &[
    MethodDef("cancel", exactly(0), |interp, this, _| {
        data(interp, this)?.event.borrow_mut().cancel();
        Ok(Value::Bool(true))
    }),
    MethodDef("uncancel", exactly(0), |interp, this, _| {
        data(interp, this)?.event.borrow_mut().uncancel();
        Ok(Value::Bool(false))
    }),
    MethodDef("cancelled?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(data(interp, this)?.read(Event::is_cancelled)))
    }),
    MethodDef("clone", between(0, 1), duplicate),
    MethodDef("dup", exactly(0), duplicate),
    MethodDef("overwrite", exactly(1), overwrite),
    MethodDef("append", exactly(1), append),
    MethodDef("==", exactly(1), |_, this, args| Ok(Value::Bool(this.is_same(args.at(0))))),
];

const TEXT: &[MethodDef] = &[
    MethodDef("sprintf", exactly(1), sprintf),
    MethodDef("to_s", exactly(0), |interp, this, _| {
        Ok(Value::str(data(interp, this)?.read(ToString::to_string)))
    }),
    MethodDef("inspect", exactly(0), |interp, this, _| Ok(Value::str(interp.plain_to_s(this)))),
    MethodDef("to_json", at_least(0), |interp, this, _| {
        let mut out = Vec::with_capacity(256);
        data(interp, this)?.read(|event| json::write_object(&mut out, event.data()));
        Ok(Value::bytes(out, crate::ruby::value::Encoding::Utf8))
    }),
    MethodDef("to_hash", exactly(0), |interp, this, _| fields(interp, this, false)),
    MethodDef("to_hash_with_metadata", exactly(0), |interp, this, _| fields(interp, this, true)),
];

fn data<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v EventData> {
    match this.as_native::<EventData>() {
        Some(data) => Ok(data),
        None => Err(wrong_type(interp, this, "LogStash::Event")),
    }
}

fn wrong_type(interp: &mut Interp, value: &Value, expected: &str) -> Control {
    let class = interp.class_name(&interp.real_class(value));
    interp.type_error(format!("wrong argument type {class} (expected {expected})"))
}

/// A field reference, parsed once for each text.
fn reference(interp: &mut Interp, value: &Value) -> Outcome<Rc<FieldReference>> {
    let text = interp.to_str(value)?;
    match interp.references.get(&text) {
        Ok(field) => Ok(field),
        Err(error) => Err(interp.error("RuntimeError", error.to_string())),
    }
}

fn get(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let field = reference(interp, args.at(0))?;
    let data = data(interp, this)?;
    data.settle();
    if interp.changes_strings
        && let Some((_, string)) = data.live.borrow().iter().find(|(known, _)| **known == *field)
    {
        return Ok(Value::Str(string.clone()));
    }
    let event = data.event.borrow();
    let Some(found) = event.get(&field) else { return Ok(Value::Nil) };
    let value = bridge::to_ruby(interp, found);
    if interp.changes_strings {
        watch(data, &field, &value);
    }
    Ok(value)
}

/// Notes the strings within a value that was read, each with its field.
fn watch(data: &EventData, field: &Rc<FieldReference>, value: &Value) {
    match value {
        Value::Str(string) => {
            string.watch();
            data.live.borrow_mut().push((field.clone(), string.clone()));
        }
        Value::Array(array) => {
            for (at, item) in array.borrow().iter().enumerate() {
                if matches!(item, Value::Str(_) | Value::Array(_) | Value::Hash(_)) {
                    watch(data, &Rc::new(field.child(&at.to_string())), item);
                }
            }
        }
        Value::Hash(hash) => {
            for (key, item) in hash.borrow().iter() {
                if let (Value::Str(key), Value::Str(_) | Value::Array(_) | Value::Hash(_)) = (key, item) {
                    watch(data, &Rc::new(field.child(&key.to_text())), item);
                }
            }
        }
        _ => {}
    }
}

fn timestamp_argument(interp: &mut Interp, value: &Value) -> Outcome<Timestamp> {
    match value.as_native::<TimestampData>() {
        Some(TimestampData(time)) => Ok(*time),
        None => Err(wrong_type(interp, value, "LogStash::Timestamp")),
    }
}

fn set(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let field = reference(interp, args.at(0))?;
    let value = args.at(1);
    let converted = match field.as_top_level() {
        Some(TIMESTAMP) => event::Value::Timestamp(timestamp_argument(interp, value)?),
        _ => bridge::to_event(interp, value)?,
    };
    let data = data(interp, this)?;
    data.settle();
    data.forget(&field);
    let stored = data.event.borrow_mut().set(&field, converted);
    if let Err(error) = stored {
        return Err(interp.error("StandardError", error.to_string()));
    }
    if interp.changes_strings
        && let Value::Str(string) = value
        && !string.is_frozen()
    {
        string.watch();
        data.live.borrow_mut().push((field, string.clone()));
    }
    Ok(value.clone())
}

fn remove(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let field = reference(interp, args.at(0))?;
    let data = data(interp, this)?;
    data.settle();
    data.forget(&field);
    let removed = data.event.borrow_mut().remove(&field);
    Ok(removed.map_or(Value::Nil, |value| bridge::to_ruby(interp, &value)))
}

fn refuse_brackets(interp: &mut Interp, _: &Value, _: Args<'_>) -> Outcome {
    let message = "Direct event field references (i.e. event['field']) have been disabled in favor of using event \
                   get and set methods (e.g. event.get('field')). Please consult the Logstash 5.0 breaking changes \
                   documentation for more details.";
    Err(interp.error("NoMethodError", message))
}

fn new(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let made = match args.at(0) {
        Value::Nil => Ok(Event::new()),
        Value::Hash(_) => match bridge::to_event(interp, args.at(0))? {
            event::Value::Object(object) => Event::from_object(*object),
            _ => Ok(Event::new()),
        },
        other => return Err(wrong_type(interp, other, "Hash")),
    };
    match made {
        Ok(event) => {
            let class = interp.to_class(this)?;
            Ok(Value::native(&class, EventData::new(event)))
        }
        Err(error) => Err(interp.type_error(error.to_string())),
    }
}

fn from_json(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let text = args.text(interp, 0)?;
    if text.trim().is_empty() {
        return Ok(Value::array(Vec::new()));
    }
    let parsed = match json::parse(&text, json::Decimals::Double) {
        Ok(parsed) => parsed,
        Err(error) => return Err(interp.error("LogStash::Json::ParserError", error.to_string())),
    };
    let documents = match parsed {
        event::Value::Array(items) => items,
        one => vec![one],
    };
    let mut events = Vec::with_capacity(documents.len());
    for document in documents {
        let made = match document {
            event::Value::Object(object) => Event::from_object(*object).map_err(|error| error.to_string()),
            other => Err(format!(
                "incompatible json object type={}, only hash map or arrays are supported",
                other.kind()
            )),
        };
        match made {
            Ok(event) => events.push(event_value(interp, event)),
            Err(message) => return Err(interp.error("LogStash::Json::ParserError", message)),
        }
    }
    Ok(Value::array(events))
}

/// A LogStash::Event of an event.
pub fn event_value(interp: &Interp, event: Event) -> Value {
    Value::native(&interp.classes.event, EventData::new(event))
}

fn duplicate(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let copy = data(interp, this)?.read(Event::duplicate);
    Ok(event_value(interp, copy))
}

fn overwrite(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut other = data(interp, args.at(0))?.read(Event::clone);
    if other.timestamp().is_none() {
        other.set_timestamp(Timestamp::now());
    }
    let data = data(interp, this)?;
    // The metadata stays.
    let metadata = data.read(|event| event.metadata().clone());
    data.swap(&mut other);
    let whole = FieldReference::parse(event::METADATA);
    if let Ok(whole) = whole {
        _ = data.event.borrow_mut().set(&whole, metadata);
    }
    Ok(this.clone())
}

fn append(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let other = data(interp, args.at(0))?.read(|event| event.data().clone());
    let data = data(interp, this)?;
    data.settle();
    data.live.borrow_mut().clear();
    merge(data.event.borrow_mut().data_mut(), other);
    Ok(this.clone())
}

/// Adds fields to fields; what both have becomes a list of both (`Util.mapMerge`).
fn merge(target: &mut event::Object, added: event::Object) {
    for (key, value) in added {
        let Some(existing) = target.get_mut(&key).filter(|existing| !existing.is_null()) else {
            target.insert(key, value);
            continue;
        };
        match (existing, value) {
            (event::Value::Object(existing), event::Value::Object(value)) => merge(existing, *value),
            (event::Value::Array(existing), event::Value::Array(value)) => {
                for item in value {
                    if !existing.contains(&item) {
                        existing.push(item);
                    }
                }
            }
            (event::Value::Array(existing), value) => {
                if !existing.contains(&value) {
                    existing.push(value);
                }
            }
            (existing, event::Value::Array(value)) => {
                let first = std::mem::take(existing);
                let rest = value.into_iter().filter(|item| *item != first).collect::<Vec<_>>();
                *existing = event::Value::Array(std::iter::once(first).chain(rest).collect());
            }
            (existing, value) => {
                if *existing != value {
                    *existing = event::Value::Array(vec![std::mem::take(existing), value]);
                }
            }
        }
    }
}

fn sprintf(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let format = interp.to_s(args.at(0))?;
    let rendered = data(interp, this)?.read(|event| Template::parse(&format).render(event));
    match rendered {
        Ok(text) => Ok(Value::str(text)),
        Err(error) => Err(interp.error("LogStash::Error", error.to_string())),
    }
}

fn fields(interp: &mut Interp, this: &Value, with_metadata: bool) -> Outcome {
    let data = data(interp, this)?;
    data.settle();
    let event = data.event.borrow();
    let mut map = HashMap::with_capacity(event.data().len() + 1);
    for (key, value) in event.data().iter() {
        let converted = bridge::to_ruby(interp, value);
        if interp.changes_strings {
            watch(data, &Rc::new(FieldReference::top_level(key)), &converted);
        }
        map.insert(bridge::frozen_text(key), converted);
    }
    if with_metadata && !event.metadata().is_empty() {
        let metadata = bridge::object_to_ruby(interp, event.metadata());
        map.insert(bridge::frozen_text(event::METADATA), metadata);
    }
    Ok(Value::hash(map))
}
