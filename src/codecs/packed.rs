//! MessagePack to values and back, for the codecs that speak it.

mod framer;

use rmpv::Value as Packed;

use crate::event::{Big, Object, Value, text};
use crate::plugin::EncodeError;

pub use framer::Framer;

/// Reads one value and tells how many bytes it took. Fails where it is not MessagePack, or not whole.
pub fn read(bytes: &[u8]) -> Result<(Packed, usize), String> {
    // What is whole and within the limits can be read safely.
    let size = framer::size_of_value(bytes)?.ok_or("not MessagePack: the value is not whole")?;
    let mut whole = bytes.get(..size).unwrap_or_default();
    let value = rmpv::decode::read_value_with_max_depth(&mut whole, framer::MAX_DEPTH * 3);
    value.map(|value| (value, size)).map_err(|error| format!("not MessagePack: {error}"))
}

/// A value as an event holds it. Fails on extension types, as Ruby's msgpack does on unknown ones.
pub fn to_value(packed: Packed) -> Result<Value, String> {
    Ok(match packed {
        Packed::Nil => Value::Null,
        Packed::Boolean(flag) => Value::Bool(flag),
        Packed::Integer(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::from_big_integer(number.as_u64().unwrap_or_default().into()),
        },
        Packed::F32(number) => Value::Float(number.into()),
        Packed::F64(number) => Value::Float(number),
        Packed::String(text) => Value::from(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        Packed::Binary(bytes) => Value::from(String::from_utf8_lossy(&bytes).into_owned()),
        Packed::Array(items) => Value::Array(items.into_iter().map(to_value).collect::<Result<_, _>>()?),
        Packed::Map(entries) => {
            let mut object = Object::with_capacity(entries.len());
            for (key, value) in entries {
                object.insert(text::ruby_to_s(&to_value(key)?), to_value(value)?);
            }
            Value::from(object)
        }
        Packed::Ext(kind, _) => return Err(format!("unknown extension type {kind}")),
    })
}

/// Packs a value; timestamps are text. Fails on integers beyond 64 bits, which MessagePack does not have.
pub fn of_value(value: &Value) -> Result<Packed, EncodeError> {
    Ok(match value {
        Value::Null => Packed::Nil,
        Value::Bool(flag) => Packed::from(*flag),
        Value::Int(number) => Packed::from(*number),
        Value::Float(number) => Packed::from(*number),
        Value::Big(number) => match &**number {
            Big::Integer(number) => match u64::try_from(number) {
                Ok(number) => Packed::from(number),
                Err(_) => {
                    return Err(EncodeError(format!("{number} is too large an integer for MessagePack")));
                }
            },
            Big::Decimal(number) => Packed::from(number.to_string().parse::<f64>().unwrap_or(f64::NAN)),
        },
        Value::Str(text) => Packed::from(&**text),
        Value::Timestamp(time) => Packed::from(time.to_string()),
        Value::Array(items) => Packed::Array(items.iter().map(of_value).collect::<Result<_, _>>()?),
        Value::Object(object) => of_object(object)?,
    })
}

/// Packs an object as a map.
pub fn of_object(object: &Object) -> Result<Packed, EncodeError> {
    let entries = object.iter().map(|(key, value)| Ok((Packed::from(key), of_value(value)?)));
    Ok(Packed::Map(entries.collect::<Result<_, _>>()?))
}

/// Appends a packed value.
pub fn write(packed: &Packed, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    rmpv::encode::write_value(out, packed).map_err(|error| EncodeError(error.to_string()))
}
