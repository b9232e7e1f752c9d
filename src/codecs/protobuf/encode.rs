//! Events to messages: every field must be in the definition, and its value of the right type, unless it is converted.

use std::collections::HashMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value as Proto};

use crate::codecs::numbers;
use crate::event::{Big, Object, Value, text};

/// Events nested deeper are refused.
const MAX_DEPTH: usize = 100;

/// The message of an event's fields, whose names lose their `@`. `converts`: texts become numbers and the like where the
/// definition wants it. Fails with the field to blame.
pub fn message(class: &MessageDescriptor, fields: &Object, converts: bool) -> Result<DynamicMessage, String> {
    Writer { converts }.message(class, fields, 0)
}

struct Writer {
    converts: bool,
}

impl Writer {
    fn message(
        &self,
        class: &MessageDescriptor,
        fields: &Object,
        depth: usize,
    ) -> Result<DynamicMessage, String> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply".into());
        }
        let mut message = DynamicMessage::new(class.clone());
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            let name = name.replace('@', "");
            let field = class.get_field_by_name(&name).ok_or_else(|| {
                format!("its definition has no field {name} (every field of the event must be there)")
            })?;
            let value = self.field(&field, value, depth).map_err(|error| format!("field {name}: {error}"))?;
            message.try_set_field(&field, value).map_err(|error| format!("field {name}: {error}"))?;
        }
        Ok(message)
    }

    fn field(&self, field: &FieldDescriptor, value: &Value, depth: usize) -> Result<Proto, String> {
        if field.is_map() {
            let (Value::Object(object), Kind::Message(entry)) = (value, field.kind()) else {
                return Err(format!("{} is not a hash", value.kind()));
            };
            return self.map(&entry, object, depth);
        }
        if field.is_list() {
            let Value::Array(items) = value else { return Err(format!("{} is not an array", value.kind())) };
            let items = items.iter().map(|item| self.single(&field.kind(), item, depth));
            return Ok(Proto::List(items.collect::<Result<_, _>>()?));
        }
        self.single(&field.kind(), value, depth)
    }

    fn map(&self, entry: &MessageDescriptor, object: &Object, depth: usize) -> Result<Proto, String> {
        let (key_kind, value_kind) =
            (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let mut map = HashMap::with_capacity(object.len());
        for (key, value) in object.iter() {
            let key = match self.single(&key_kind, &Value::from(key), depth)? {
                Proto::Bool(flag) => MapKey::Bool(flag),
                Proto::I32(number) => MapKey::I32(number),
                Proto::I64(number) => MapKey::I64(number),
                Proto::U32(number) => MapKey::U32(number),
                Proto::U64(number) => MapKey::U64(number),
                Proto::String(text) => MapKey::String(text),
                _ => return Err("a map has keys of an impossible type".into()),
            };
            map.insert(key, self.single(&value_kind, value, depth)?);
        }
        Ok(Proto::Map(map))
    }

    fn single(&self, kind: &Kind, value: &Value, depth: usize) -> Result<Proto, String> {
        let range = || format!("{} is out of range", text::ruby_to_s(value));
        Ok(match kind {
            Kind::Message(class) => match value {
                Value::Object(object) if class.full_name() == "google.protobuf.Struct" => {
                    self.structure(class, object, depth + 1)?
                }
                Value::Object(object) => Proto::Message(self.message(class, object, depth + 1)?),
                other => return Err(format!("{} is not a hash", other.kind())),
            },
            Kind::Enum(class) => match value {
                Value::Int(number) => Proto::EnumNumber(i32::try_from(*number).map_err(|_| range())?),
                Value::Str(name) => {
                    let found = class.get_value_by_name(name);
                    Proto::EnumNumber(found.ok_or_else(|| format!("{name} is no value of it"))?.number())
                }
                other => return Err(format!("{} is no value of it", other.kind())),
            },
            Kind::Bool => Proto::Bool(self.boolean(value)?),
            Kind::String => Proto::String(self.text(value)?),
            Kind::Bytes => Proto::Bytes(self.text(value)?.into_bytes().into()),
            Kind::Double => Proto::F64(self.float(value)?),
            Kind::Float => Proto::F32(self.float(value)? as f32),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                Proto::I32(self.integer(value)?.try_into().map_err(|_| range())?)
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                Proto::I64(self.integer(value)?.try_into().map_err(|_| range())?)
            }
            Kind::Uint32 | Kind::Fixed32 => Proto::U32(self.integer(value)?.try_into().map_err(|_| range())?),
            Kind::Uint64 | Kind::Fixed64 => Proto::U64(self.integer(value)?.try_into().map_err(|_| range())?),
        })
    }

    fn mismatch<T>(&self, value: &Value, wanted: &str) -> Result<T, String> {
        let advice = if self.converts { "" } else { "; pb3_encoder_autoconvert_types would convert it" };
        Err(format!("{} is not {wanted}{advice}", value.kind()))
    }

    fn boolean(&self, value: &Value) -> Result<bool, String> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            other if self.converts => Ok(text::ruby_to_s(other).eq_ignore_ascii_case("true")),
            other => self.mismatch(other, "a boolean"),
        }
    }

    fn text(&self, value: &Value) -> Result<String, String> {
        match value {
            Value::Str(text) => Ok(text.to_string()),
            // These are written as text everywhere.
            Value::Timestamp(_) | Value::Big(_) => Ok(text::ruby_to_s(value)),
            other if self.converts => Ok(text::ruby_to_s(other)),
            other => self.mismatch(other, "a text"),
        }
    }

    fn float(&self, value: &Value) -> Result<f64, String> {
        match value {
            Value::Float(number) => Ok(*number),
            Value::Int(number) => Ok(*number as f64),
            Value::Big(number) => number.to_string().parse().map_err(|_| "it is out of range".to_owned()),
            Value::Str(text) if self.converts => Ok(numbers::to_f(text)),
            other => self.mismatch(other, "a number"),
        }
    }

    fn integer(&self, value: &Value) -> Result<i128, String> {
        match value {
            Value::Int(number) => Ok((*number).into()),
            Value::Big(number) => number.to_string().parse().map_err(|_| "it is out of range".to_owned()),
            // Whole numbers alone.
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e18 => Ok(*number as i128),
            Value::Str(text) if self.converts => Ok(numbers::to_i(text).into()),
            other => self.mismatch(other, "a whole number"),
        }
    }

    /// `google.protobuf.Struct` of an object.
    fn structure(&self, class: &MessageDescriptor, object: &Object, depth: usize) -> Result<Proto, String> {
        let mut message = DynamicMessage::new(class.clone());
        let pool = class.parent_pool();
        let mut map = HashMap::with_capacity(object.len());
        for (key, value) in object.iter() {
            map.insert(MapKey::String(key.to_owned()), self.json(pool, value, depth)?);
        }
        message.set_field_by_name("fields", Proto::Map(map));
        Ok(Proto::Message(message))
    }

    /// `google.protobuf.Value` of any value.
    fn json(
        &self,
        pool: &prost_reflect::DescriptorPool,
        value: &Value,
        depth: usize,
    ) -> Result<Proto, String> {
        if depth > MAX_DEPTH {
            return Err("it is nested too deeply".into());
        }
        let class = |name: &str| pool.get_message_by_name(name).ok_or("the types of google are missing");
        let (name, inner) = match value {
            Value::Null => ("null_value", Proto::EnumNumber(0)),
            Value::Bool(flag) => ("bool_value", Proto::Bool(*flag)),
            Value::Int(number) => ("number_value", Proto::F64(*number as f64)),
            Value::Float(number) => ("number_value", Proto::F64(*number)),
            Value::Big(big) if matches!(**big, Big::Decimal(_)) => {
                ("number_value", Proto::F64(self.float(value)?))
            }
            Value::Object(object) => {
                ("struct_value", self.structure(&class("google.protobuf.Struct")?, object, depth + 1)?)
            }
            Value::Array(items) => {
                let mut list = DynamicMessage::new(class("google.protobuf.ListValue")?);
                let items = items.iter().map(|item| self.json(pool, item, depth + 1));
                list.set_field_by_name("values", Proto::List(items.collect::<Result<_, _>>()?));
                ("list_value", Proto::Message(list))
            }
            other => ("string_value", Proto::String(text::ruby_to_s(other))),
        };
        let mut message = DynamicMessage::new(class("google.protobuf.Value")?);
        message.set_field_by_name(name, inner);
        Ok(Proto::Message(message))
    }
}
