//! Values to Avro's binary encoding, with the checks of Ruby's `Avro::Schema.validate`.

use crate::event::{Object, Value};

use super::schema::{Field, Id, Node, Schema};

/// Events nested deeper are refused.
const MAX_DEPTH: usize = 128;

/// The datum of an event's fields. Fails where they are not what the schema says, naming the field.
pub fn write(schema: &Schema, fields: &Object) -> Result<Vec<u8>, String> {
    let mut writer = Writer { schema, out: Vec::new() };
    match schema.node(0) {
        Node::Record(declared) => writer.record(declared, fields, 0)?,
        _ => writer.value(0, &Value::from(fields.clone()), 0)?,
    }
    Ok(writer.out)
}

struct Writer<'s> {
    schema: &'s Schema,
    out: Vec<u8>,
}

impl Writer<'_> {
    /// A number of variable length, zig-zag coded.
    fn long(&mut self, number: i64) {
        let mut rest = ((number << 1) ^ (number >> 63)) as u64;
        while rest >= 0x80 {
            self.out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.out.push(rest as u8);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.long(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.out.extend_from_slice(bytes);
    }

    fn record(&mut self, declared: &[Field], fields: &Object, depth: usize) -> Result<(), String> {
        for field in declared {
            let value = fields.get(&field.name).or(field.default.as_ref()).unwrap_or(&Value::Null);
            self.value(field.schema, value, depth + 1)
                .map_err(|error| format!("field {}: {error}", field.name))?;
        }
        Ok(())
    }

    fn value(&mut self, id: Id, value: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("is nested too deeply".into());
        }
        let schema = self.schema;
        if !fits(schema, id, value, depth) {
            return Err(format!("{} is not what the schema says", value.kind()));
        }
        match (schema.node(id), value) {
            (Node::Boolean, Value::Bool(flag)) => self.out.push((*flag).into()),
            (Node::Int | Node::Long | Node::Date | Node::Timestamp(_), Value::Int(number)) => {
                self.long(*number)
            }
            (Node::Timestamp(unit), Value::Timestamp(time)) => {
                let fraction = i64::from(time.nanos()) / (1_000_000_000 / unit);
                self.long(time.epoch_seconds().saturating_mul(*unit).saturating_add(fraction));
            }
            (Node::Date, Value::Timestamp(time)) => self.long(time.epoch_seconds().div_euclid(86_400)),
            (Node::Float, value) => self.out.extend_from_slice(&(number(value) as f32).to_le_bytes()),
            (Node::Double, value) => self.out.extend_from_slice(&number(value).to_le_bytes()),
            (Node::String | Node::Bytes, Value::Timestamp(time)) => self.bytes(time.to_string().as_bytes()),
            (Node::String | Node::Bytes, Value::Str(text)) => self.bytes(text.as_bytes()),
            (Node::Fixed(_), Value::Str(text)) => self.out.extend_from_slice(text.as_bytes()),
            (Node::Enum(symbols), Value::Str(text)) => {
                let at = symbols.iter().position(|symbol| **symbol == **text).unwrap_or(0);
                self.long(i64::try_from(at).unwrap_or(0));
            }
            (Node::Array(items), Value::Array(values)) => {
                if !values.is_empty() {
                    self.long(i64::try_from(values.len()).unwrap_or(i64::MAX));
                }
                for value in values {
                    self.value(*items, value, depth + 1)?;
                }
                self.long(0);
            }
            (Node::Map(items), Value::Object(object)) => {
                if !object.is_empty() {
                    self.long(i64::try_from(object.len()).unwrap_or(i64::MAX));
                }
                for (key, value) in object.iter() {
                    self.bytes(key.as_bytes());
                    self.value(*items, value, depth + 1)?;
                }
                self.long(0);
            }
            (Node::Union(variants), value) => {
                let fitting = variants.iter().position(|variant| fits(schema, *variant, value, depth + 1));
                if let Some((at, variant)) = fitting.and_then(|at| Some((at, *variants.get(at)?))) {
                    self.long(i64::try_from(at).unwrap_or(0));
                    self.value(variant, value, depth + 1)?;
                }
            }
            (Node::Record(declared), Value::Object(object)) => self.record(declared, object, depth)?,
            _ => {}
        }
        Ok(())
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Big(number) => number.to_string().parse().unwrap_or(f64::NAN),
        _ => 0.0,
    }
}

/// Whether a value is what a part of the schema says. What arrays, maps and records hold is looked at too, so that the
/// right branch of a union is found.
fn fits(schema: &Schema, id: Id, value: &Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match (schema.node(id), value) {
        (Node::Null, Value::Null) | (Node::Boolean, Value::Bool(_)) => true,
        (Node::Int | Node::Date, Value::Int(number)) => i32::try_from(*number).is_ok(),
        (Node::Long | Node::Timestamp(_), Value::Int(_)) => true,
        (Node::Date | Node::Timestamp(_) | Node::String | Node::Bytes, Value::Timestamp(_)) => true,
        (Node::Float | Node::Double, Value::Int(_) | Value::Float(_) | Value::Big(_)) => true,
        (Node::String | Node::Bytes, Value::Str(_)) => true,
        (Node::Fixed(size), Value::Str(text)) => text.len() == *size,
        (Node::Enum(symbols), Value::Str(text)) => symbols.iter().any(|symbol| **symbol == **text),
        (Node::Array(items), Value::Array(values)) => {
            values.iter().all(|value| fits(schema, *items, value, depth + 1))
        }
        (Node::Map(items), Value::Object(object)) => {
            object.iter().all(|(_, value)| fits(schema, *items, value, depth + 1))
        }
        (Node::Union(variants), value) => {
            variants.iter().any(|variant| fits(schema, *variant, value, depth + 1))
        }
        (Node::Record(fields), Value::Object(object)) => fields.iter().all(|field| {
            let value = object.get(&field.name).or(field.default.as_ref()).unwrap_or(&Value::Null);
            fits(schema, field.schema, value, depth + 1)
        }),
        _ => false,
    }
}
