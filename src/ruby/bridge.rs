//! Values crossing between events and Ruby, as Logstash's `Rubyfier.java` and `Valuefier.java` convert them.

use std::rc::Rc;

use bigdecimal::BigDecimal;

use super::control::{Control, Outcome};
use super::interpreter::Interp;
use super::stdlib::TimestampData;
use super::symbol::sym;
use super::value::{HashMap, Native, RString, Value};
use crate::event::{self, Big, Object, Timestamp};

/// Values nested deeper do not get into an event: printing them would overflow.
const MAX_DEPTH: usize = 1000;

/// A field's value as a Ruby value of its own: changing it does not change the field.
pub fn to_ruby(interp: &mut Interp, value: &event::Value) -> Value {
    match value {
        event::Value::Null => Value::Nil,
        event::Value::Bool(flag) => Value::Bool(*flag),
        event::Value::Int(number) => Value::Int(*number),
        event::Value::Float(number) => Value::Float(*number),
        event::Value::Big(big) => match &**big {
            Big::Integer(number) => Value::big(number.clone()),
            Big::Decimal(number) => decimal(interp, number),
        },
        event::Value::Str(text) => Value::str(&**text),
        event::Value::Timestamp(time) => timestamp(interp, *time),
        event::Value::Array(items) => Value::array(items.iter().map(|item| to_ruby(interp, item)).collect()),
        event::Value::Object(object) => object_to_ruby(interp, object),
    }
}

/// The fields of an object as a hash with text keys.
pub fn object_to_ruby(interp: &mut Interp, object: &Object) -> Value {
    let mut map = HashMap::with_capacity(object.len());
    for (key, value) in object.iter() {
        let value = to_ruby(interp, value);
        map.insert(frozen_text(key), value);
    }
    Value::hash(map)
}

/// A key of a hash, which is frozen anyway.
pub(super) fn frozen_text(text: &str) -> Value {
    let string = RString::from_text(text.to_owned());
    string.freeze();
    Value::Str(Rc::new(string))
}

/// A LogStash::Timestamp.
pub fn timestamp(interp: &Interp, time: Timestamp) -> Value {
    Value::native(&interp.classes.timestamp, TimestampData(time))
}

fn decimal(interp: &mut Interp, number: &BigDecimal) -> Value {
    // As Java writes it, which keeps 1E+3 apart from 1000.
    let text = Value::str(Big::Decimal(number.clone()).to_string());
    let main = interp.main.clone();
    interp
        .call(&main, "BigDecimal", &[text])
        .unwrap_or_else(|_| Value::Float(number.to_string().parse().unwrap_or(f64::NAN)))
}

/// A Ruby value as a field's value; what an event cannot hold is a TypeError.
pub fn to_event(interp: &mut Interp, value: &Value) -> Outcome<event::Value> {
    convert(interp, value, 0)
}

fn convert(interp: &mut Interp, value: &Value, depth: usize) -> Outcome<event::Value> {
    if depth > MAX_DEPTH {
        return Err(interp.error("SystemStackError", "stack level too deep"));
    }
    interp.guard()?;
    Ok(match value {
        Value::Nil => event::Value::Null,
        Value::Bool(flag) => event::Value::Bool(*flag),
        Value::Int(number) => event::Value::Int(*number),
        Value::Float(number) => event::Value::Float(*number),
        Value::Big(number) => event::Value::from_big_integer((**number).clone()),
        Value::Sym(name) => event::Value::from(name.as_str()),
        Value::Str(string) => string_to_event(string),
        Value::Array(array) => {
            let mut items = Vec::with_capacity(array.len());
            for item in array.to_vec() {
                items.push(convert(interp, &item, depth + 1)?);
            }
            event::Value::Array(items)
        }
        Value::Hash(hash) => {
            let mut object = Object::with_capacity(hash.len());
            let mut position = 0;
            loop {
                let next = hash.borrow().next_from(position);
                let Some((key, value, after)) = next else { break };
                let value = convert(interp, &value, depth + 1)?;
                object.insert(key_text(interp, &key)?, value);
                position = after;
            }
            event::Value::from(object)
        }
        other => return convert_object(interp, other),
    })
}

fn string_to_event(string: &RString) -> event::Value {
    let buffer = string.borrow();
    match buffer.as_str() {
        Some(text) => event::Value::from(text),
        None => event::Value::from(buffer.to_text().into_owned()),
    }
}

/// The name of a field that a hash's key gives.
fn key_text(interp: &mut Interp, key: &Value) -> Outcome<event::Key> {
    Ok(match key {
        Value::Str(string) => match string.borrow().as_str() {
            Some(text) => text.into(),
            None => string.borrow().to_text().as_ref().into(),
        },
        Value::Sym(name) => name.as_str().into(),
        other => interp.to_s(other)?.into(),
    })
}

fn convert_object(interp: &mut Interp, value: &Value) -> Outcome<event::Value> {
    if let Some(TimestampData(time)) = value.as_native() {
        return Ok(event::Value::Timestamp(*time));
    }
    if interp.is_a(value, &interp.classes.time.clone()) && !matches!(value, Value::Class(_)) {
        return Ok(event::Value::Timestamp(time_of(interp, value)?));
    }
    if interp.is_a(value, &interp.classes.big_decimal.clone()) && !matches!(value, Value::Class(_)) {
        return Ok(match super::stdlib::decimal_of(value) {
            Some(number) => event::Value::Big(Box::new(Big::Decimal(number))),
            None => event::Value::from(interp.to_s(value)?),
        });
    }
    Err(missing_converter(interp, value))
}

/// The refusal of a value that no field can hold.
fn missing_converter(interp: &mut Interp, value: &Value) -> Control {
    let class = interp.class_name(&interp.real_class(value));
    interp.type_error(format!("Missing Converter handling for full class name={class}, simple name={class}"))
}

/// The instant of a Time.
pub fn time_of(interp: &mut Interp, time: &Value) -> Outcome<Timestamp> {
    let seconds = interp.call(time, "to_i", &[])?;
    let nanos = interp.call_with(time, sym!("nsec"), super::args::Args::default())?;
    let (seconds, nanos) = (interp.to_int(&seconds)?, interp.to_int(&nanos)?);
    match u32::try_from(nanos).ok().and_then(|nanos| Timestamp::new(seconds, nanos)) {
        Some(time) => Ok(time),
        None => Err(interp.error("RangeError", format!("{seconds} out of Time range"))),
    }
}

/// A Time of an instant.
pub fn to_time(interp: &mut Interp, time: Timestamp) -> Outcome {
    let class = Value::Class(interp.classes.time.clone());
    let arguments =
        [Value::Int(time.epoch_seconds()), Value::Int(i64::from(time.nanos())), Value::sym("nsec")];
    interp.call(&class, "at", &arguments)
}

impl Native for TimestampData {
    fn trace(&self, _visit: &mut dyn FnMut(&Value)) -> bool {
        true
    }

    fn key_hash(&self) -> Option<u64> {
        Some((self.0.epoch_seconds() as u64).rotate_left(20) ^ u64::from(self.0.nanos()))
    }

    fn is_same_key(&self, other: &dyn Native) -> bool {
        other.downcast::<TimestampData>().is_some_and(|other| other.0 == self.0)
    }
}
