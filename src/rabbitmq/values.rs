//! Values as AMQP has them.

use lapin::types::{AMQPValue, FieldArray, FieldTable, ShortString};

use crate::event::{Big, Key, Object, Timestamp, Value, text};
use crate::plugin::Pairs;

/// Text of at most 255 bytes.
pub type Short = ShortString;

/// A text where AMQP has room for 255 bytes.
///
/// # Errors
/// It is longer. `what` stands in the message.
pub fn short(what: &str, text: &str) -> Result<Short, String> {
    Short::try_new(text).map_err(|_| format!("{what} is longer than 255 bytes"))
}

/// A hash of a config, as arguments and headers are written.
///
/// # Errors
/// A name that is too long.
pub fn table(pairs: &Pairs) -> Result<FieldTable, String> {
    let mut table = FieldTable::default();
    for (name, value) in pairs.iter() {
        table.insert(short("a name", name)?, to_amqp(&value.to_value())?);
    }
    Ok(table)
}

fn to_amqp(value: &Value) -> Result<AMQPValue, String> {
    Ok(match value {
        Value::Null => AMQPValue::Void,
        Value::Bool(value) => AMQPValue::Boolean(*value),
        // The client of Logstash sends small numbers in 32 bits.
        Value::Int(number) => match i32::try_from(*number) {
            Ok(small) => AMQPValue::LongInt(small),
            Err(_) => AMQPValue::LongLongInt(*number),
        },
        Value::Float(number) => AMQPValue::Double(*number),
        Value::Big(big) => match &**big {
            Big::Decimal(number) => AMQPValue::Double(number.to_string().parse().unwrap_or(f64::NAN)),
            Big::Integer(number) => AMQPValue::LongString(number.to_string().into()),
        },
        Value::Array(items) => {
            AMQPValue::FieldArray(FieldArray::from(items.iter().map(to_amqp).collect::<Result<Vec<_>, _>>()?))
        }
        Value::Object(object) => {
            let mut table = FieldTable::default();
            for (name, value) in object.iter() {
                table.insert(short("a name", name)?, to_amqp(value)?);
            }
            AMQPValue::FieldTable(table)
        }
        other => AMQPValue::LongString(text::ruby_to_s(other).into()),
    })
}

/// The headers of a message, as fields.
pub fn from_table(table: &FieldTable) -> Object {
    let pairs = table.inner().iter().map(|(name, value)| (Key::from(name.as_str()), from_amqp(value)));
    pairs.collect()
}

fn from_amqp(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Boolean(value) => Value::Bool(*value),
        AMQPValue::ShortShortInt(number) => Value::Int(i64::from(*number)),
        AMQPValue::ShortShortUInt(number) => Value::Int(i64::from(*number)),
        AMQPValue::ShortInt(number) => Value::Int(i64::from(*number)),
        AMQPValue::ShortUInt(number) => Value::Int(i64::from(*number)),
        AMQPValue::LongInt(number) => Value::Int(i64::from(*number)),
        AMQPValue::LongUInt(number) => Value::Int(i64::from(*number)),
        AMQPValue::LongLongInt(number) => Value::Int(*number),
        AMQPValue::Float(number) => Value::Float(f64::from(*number)),
        AMQPValue::Double(number) => Value::Float(*number),
        AMQPValue::DecimalValue(number) => {
            Value::Float(f64::from(number.value) / 10_f64.powi(i32::from(number.scale)))
        }
        AMQPValue::ShortString(text) => Value::from(text.as_str()),
        AMQPValue::LongString(text) => Value::from(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ByteArray(bytes) => Value::from(String::from_utf8_lossy(bytes.as_slice()).into_owned()),
        AMQPValue::FieldArray(items) => Value::Array(items.as_slice().iter().map(from_amqp).collect()),
        AMQPValue::FieldTable(table) => Value::from(from_table(table)),
        AMQPValue::Timestamp(seconds) => {
            let time = i64::try_from(*seconds).ok().and_then(|seconds| Timestamp::new(seconds, 0));
            time.map_or(Value::Null, Value::Timestamp)
        }
        AMQPValue::Void => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_become_fields_and_come_back() {
        let text = r#"{"a":1,"b":["x",true],"c":{"d":1.5},"big":5000000000}"#;
        let Ok(Value::Object(object)) = crate::event::json::load(text) else { panic!("no object") };
        let Ok(AMQPValue::FieldTable(table)) = to_amqp(&Value::Object(object)) else { panic!("no table") };
        assert_eq!(table.inner().get("a"), Some(&AMQPValue::LongInt(1)));
        let mut shown = Vec::new();
        crate::event::json::write_object(&mut shown, &from_table(&table));
        let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
        assert_eq!(shown, serde_json::from_str::<serde_json::Value>(text).unwrap());
        assert!(short("a key", &"x".repeat(256)).unwrap_err().contains("a key"));
    }
}
