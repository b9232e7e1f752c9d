//! Messages to events: all fields for version 3, as `pb3_to_hash` gives them, and the set ones for version 2.

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value as Proto,
};

use crate::event::{Object, Value};

/// Every field of a message: those without a value have their default, but messages, and what stands in a oneof, are
/// there only when set. Enums have the names of their values.
pub fn all_fields(message: &DynamicMessage) -> Object {
    let class = message.descriptor();
    let mut object = Object::with_capacity(class.fields().len());
    for field in class.fields() {
        if field.supports_presence() && !message.has_field(&field) {
            continue;
        }
        object.insert(field.name(), value(&message.get_field(&field), &field, Form::Names));
    }
    object
}

/// The fields of a message that are set; enums are numbers.
pub fn set_fields(message: &DynamicMessage) -> Object {
    message
        .fields()
        .map(|(field, set)| (field.name().to_owned(), value(set, &field, Form::Numbers)))
        .collect()
}

/// Which field of each oneof is set, in this message and those in it; an empty name where none is.
pub fn oneofs(message: &DynamicMessage) -> Object {
    let class = message.descriptor();
    let mut told = Object::new();
    for field in class.fields().filter(|field| message.has_field(field)) {
        match &*message.get_field(&field) {
            Proto::List(items) => {
                let told_of = |item: &Proto| match item {
                    Proto::Message(inner) if !is_struct(&inner.descriptor()) => Value::from(oneofs(inner)),
                    _ => Value::from(Object::new()),
                };
                told.insert(field.name(), Value::Array(items.iter().map(told_of).collect()));
            }
            Proto::Map(entries) => {
                let told_of = |(key, item): (&MapKey, &Proto)| match item {
                    Proto::Message(inner) if !is_struct(&inner.descriptor()) => {
                        Some((key_text(key), Value::from(oneofs(inner))))
                    }
                    _ => None,
                };
                let inner: Object =
                    entries.iter().filter_map(told_of).filter(|(_, told)| !is_empty(told)).collect();
                if !inner.is_empty() {
                    told.insert(field.name(), Value::from(inner));
                }
            }
            Proto::Message(inner) if !is_struct(&inner.descriptor()) => {
                let inner = Value::from(oneofs(inner));
                if !is_empty(&inner) {
                    told.insert(field.name(), inner);
                }
            }
            _ => {}
        }
    }
    for oneof in class.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let set = oneof.fields().find(|field| message.has_field(field));
        let name = set.map(|field| field.name().to_owned()).unwrap_or_default();
        told.insert(oneof.name(), Value::from(name));
    }
    told
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Object::is_empty)
}

/// How enums are given.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Names,
    Numbers,
}

fn value(proto: &Proto, field: &FieldDescriptor, form: Form) -> Value {
    match proto {
        Proto::List(items) => {
            Value::Array(items.iter().map(|item| single(item, &field.kind(), form)).collect())
        }
        Proto::Map(entries) => {
            let kind = match field.kind() {
                Kind::Message(entry) => entry.map_entry_value_field().kind(),
                other => other,
            };
            let entries = entries.iter().map(|(key, item)| (key_text(key), single(item, &kind, form)));
            Value::from(entries.collect::<Object>())
        }
        other => single(other, &field.kind(), form),
    }
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(flag) => flag.to_string(),
        MapKey::I32(number) => number.to_string(),
        MapKey::I64(number) => number.to_string(),
        MapKey::U32(number) => number.to_string(),
        MapKey::U64(number) => number.to_string(),
        MapKey::String(text) => text.clone(),
    }
}

fn single(proto: &Proto, kind: &Kind, form: Form) -> Value {
    match proto {
        Proto::Bool(flag) => Value::Bool(*flag),
        Proto::I32(number) => Value::Int((*number).into()),
        Proto::I64(number) => Value::Int(*number),
        Proto::U32(number) => Value::Int((*number).into()),
        Proto::U64(number) => Value::from_big_integer((*number).into()),
        Proto::F32(number) => Value::Float((*number).into()),
        Proto::F64(number) => Value::Float(*number),
        Proto::String(text) => Value::from(text.as_str()),
        Proto::Bytes(bytes) => Value::from(String::from_utf8_lossy(bytes).into_owned()),
        Proto::EnumNumber(number) => match kind {
            Kind::Enum(class) if form == Form::Names => class
                .get_value(*number)
                .map_or(Value::Int((*number).into()), |value| Value::from(value.name())),
            _ => Value::Int((*number).into()),
        },
        Proto::Message(message) if is_struct(&message.descriptor()) => struct_value(message),
        Proto::Message(message) if form == Form::Names => Value::from(all_fields(message)),
        Proto::Message(message) => Value::from(set_fields(message)),
        Proto::List(_) | Proto::Map(_) => Value::Null,
    }
}

fn is_struct(class: &MessageDescriptor) -> bool {
    class.full_name() == "google.protobuf.Struct"
}

/// `google.protobuf.Struct` stands for an object of JSON.
fn struct_value(message: &DynamicMessage) -> Value {
    let fields = message.get_field_by_name("fields");
    let entries = fields.as_deref().and_then(Proto::as_map).into_iter().flatten();
    let entries = entries.map(|(key, value)| (key_text(key), json_value(value)));
    Value::from(entries.collect::<Object>())
}

/// `google.protobuf.Value`.
fn json_value(proto: &Proto) -> Value {
    let Proto::Message(message) = proto else { return Value::Null };
    let Some((field, set)) = message.fields().next() else { return Value::Null };
    match (field.name(), set) {
        ("bool_value", Proto::Bool(flag)) => Value::Bool(*flag),
        ("string_value", Proto::String(text)) => Value::from(text.as_str()),
        // As JSON shows it: whole numbers have no point.
        ("number_value", Proto::F64(number)) if number.fract() == 0.0 && number.abs() < 1e15 => {
            Value::Int(*number as i64)
        }
        ("number_value", Proto::F64(number)) => Value::Float(*number),
        ("struct_value", Proto::Message(inner)) => struct_value(inner),
        ("list_value", Proto::Message(list)) => {
            let values = list.get_field_by_name("values");
            let values = values.as_deref().and_then(Proto::as_list).unwrap_or_default();
            Value::Array(values.iter().map(json_value).collect())
        }
        _ => Value::Null,
    }
}
