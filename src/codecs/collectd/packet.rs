//! One packet: parts that set the names of what follows, and values, which make an event of all that is set.

use crate::event::{Event, Object, TIMESTAMP, Timestamp, Value};

use super::{NanHandling, Rules};
use crate::codecs::target;

/// The size of a part's head: its type and its length.
const HEAD: usize = 4;
/// What a part of values adds to each value's eight bytes: the byte of its type.
const VALUE_SIZE: usize = 9;

const SIGNATURE: u16 = 512;
const ENCRYPTION: u16 = 528;

/// The fields that hold for more than one event.
const LASTING: [&str; 6] = ["host", TIMESTAMP, "plugin", "plugin_instance", "collectd_type", "type_instance"];

/// What a part's value does.
enum Part {
    /// Sets a field.
    Field(&'static str, Value),
    /// Ends an event, which has this as its values.
    Values(Values),
    Message(Value),
    Interval(Value),
}

/// The values of one event.
struct Values {
    /// Nothing where they cannot be read.
    values: Option<Vec<Value>>,
    /// Whether one of them was not a number.
    has_nan: bool,
}

/// Emits the events of a packet, up to where it cannot be read, which is told.
pub fn decode(bytes: &[u8], rules: &Rules, emit: &mut dyn FnMut(Event)) -> Result<(), &'static str> {
    let mut rest = bytes;
    let mut fields = Object::with_capacity(10);
    while !rest.is_empty() {
        let (number, body) = next_part(&mut rest)?;
        match number {
            SIGNATURE => {
                if let Some(keys) = &rules.keys {
                    keys.verify(body, rest)?;
                }
            }
            ENCRYPTION => {
                let keys = rules.keys.as_ref();
                let keys = keys.ok_or("a packet is encrypted, but security_level is None")?;
                return decode_plain(&keys.decrypt(body)?, rules, &mut fields, emit);
            }
            _ if rules.must_be_encrypted => return Err("a packet is not encrypted"),
            _ => take(number, body, rules, &mut fields, emit)?,
        }
    }
    Ok(())
}

/// What stood in an encrypted part.
fn decode_plain(
    mut rest: &[u8],
    rules: &Rules,
    fields: &mut Object,
    emit: &mut dyn FnMut(Event),
) -> Result<(), &'static str> {
    while !rest.is_empty() {
        let (number, body) = next_part(&mut rest)?;
        match number {
            SIGNATURE | ENCRYPTION => return Err("an encrypted part has others of its kind in it"),
            _ => take(number, body, rules, fields, emit)?,
        }
    }
    Ok(())
}

/// The type of the next part and what is in it.
fn next_part<'b>(rest: &mut &'b [u8]) -> Result<(u16, &'b [u8]), &'static str> {
    let (&[high, low, long, short], _) = rest.split_first_chunk::<HEAD>().ok_or("a part has no head")?;
    let length = usize::from(u16::from_be_bytes([long, short]));
    let (part, after) = rest.split_at_checked(length).ok_or("a part is longer than its packet")?;
    let body = part.get(HEAD..).ok_or("a part is shorter than its head")?;
    *rest = after;
    Ok((u16::from_be_bytes([high, low]), body))
}

fn take(
    number: u16,
    body: &[u8],
    rules: &Rules,
    fields: &mut Object,
    emit: &mut dyn FnMut(Event),
) -> Result<(), &'static str> {
    let part = match read(number, body, rules)? {
        Some(part) => part,
        None => {
            tracing::warn!(number, "unknown part in a packet of collectd");
            return Ok(());
        }
    };
    let mut has_nan = false;
    let is_event = match part {
        Part::Field(name, value) => {
            fields.insert(name, value);
            return Ok(());
        }
        Part::Values(values) => {
            has_nan = values.has_nan;
            set_values(values.values, rules, fields);
            !(has_nan && rules.nan_handling == NanHandling::Drop)
        }
        Part::Message(message) => {
            fields.insert("message", message);
            true
        }
        Part::Interval(interval) => {
            fields.insert("interval", interval);
            !rules.prune_intervals
        }
    };
    for name in ["type_instance", "plugin_instance"] {
        if is_event && fields.get(name).and_then(Value::as_str) == Some("") {
            fields.remove(name);
        }
    }
    if is_event {
        emit_event(fields.clone(), has_nan, rules, emit);
    }
    fields.retain(|name, _| LASTING.contains(&name));
    Ok(())
}

fn emit_event(fields: Object, has_nan: bool, rules: &Rules, emit: &mut dyn FnMut(Event)) {
    match target::event_of(Value::from(fields), rules.target.as_ref()) {
        Ok(mut event) => {
            if has_nan {
                event.tag(&rules.nan_tag);
            }
            emit(event);
        }
        Err(error) => tracing::warn!(error, "values of collectd have no place in their event"),
    }
}

/// A single value is called `value`; several have the names of their type.
fn set_values(values: Option<Vec<Value>>, rules: &Rules, fields: &mut Object) {
    let Some(mut values) = values else {
        fields.insert("values", Value::Null);
        return;
    };
    if values.len() <= 1 {
        fields.insert("value", values.pop().unwrap_or_default());
        return;
    }
    let kind = fields.get("collectd_type").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (at, value) in values.into_iter().enumerate() {
        match rules.types.name(&kind, at) {
            Some(name) => _ = fields.insert(name, value),
            None => tracing::error!(r#type = kind, index = at, "a value of this type has no name in typesdb"),
        }
    }
}

/// What a part holds; nothing where its type is not known.
fn read(number: u16, body: &[u8], rules: &Rules) -> Result<Option<Part>, &'static str> {
    Ok(Some(match number {
        0 => Part::Field("host", text(body)),
        1 => Part::Field(TIMESTAMP, time(integer(body)?, 0)),
        2 => Part::Field("plugin", text(body)),
        3 => Part::Field("plugin_instance", text(body)),
        4 => Part::Field("collectd_type", text(body)),
        5 => Part::Field("type_instance", text(body)),
        6 => Part::Values(values(body, rules)?),
        7 => Part::Interval(unsigned(integer(body)?)),
        8 => {
            // Of 64 bits the last 30 are the fraction of a second.
            let bits = integer(body)?;
            let nanos = ((bits & 0x3FFF_FFFF) * 1_000_000_000) >> 30;
            Part::Field(TIMESTAMP, time(bits >> 30, nanos as u32))
        }
        9 => Part::Interval(unsigned(integer(body)? >> 30)),
        256 => Part::Message(text(body)),
        257 => Part::Field("severity", unsigned(integer(body)?)),
        _ => return Ok(None),
    }))
}

/// Text up to the byte that ends it.
fn text(body: &[u8]) -> Value {
    let text = body.split_last().map_or(body, |(_, text)| text);
    Value::from(String::from_utf8_lossy(text).into_owned())
}

fn integer(body: &[u8]) -> Result<u64, &'static str> {
    body.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes)).ok_or("a number is too short")
}

fn unsigned(number: u64) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from_big_integer(number.into()), Value::Int)
}

fn time(seconds: u64, nanos: u32) -> Value {
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::new(seconds, nanos));
    Value::Timestamp(time.unwrap_or(Timestamp::EPOCH))
}

/// The count of values, the type of each, then each one.
fn values(body: &[u8], rules: &Rules) -> Result<Values, &'static str> {
    let body = body.get(2..).unwrap_or_default();
    if !body.len().is_multiple_of(VALUE_SIZE) {
        tracing::error!(bytes = body.len(), "incorrect number of data fields for collectd record");
        return Ok(Values { values: None, has_nan: false });
    }
    let (types, numbers) = body.split_at_checked(body.len() / VALUE_SIZE).unwrap_or_default();
    let mut has_nan = false;
    let mut values = Vec::with_capacity(types.len());
    for (kind, bytes) in types.iter().zip(numbers.chunks_exact(8)) {
        let Some(bytes) = bytes.first_chunk::<8>() else { continue };
        values.push(match kind {
            0 | 3 => unsigned(u64::from_be_bytes(*bytes)),
            // The only number that is not in network order.
            1 => {
                let gauge = f64::from_le_bytes(*bytes);
                if gauge.is_nan() {
                    has_nan = true;
                    if rules.nan_handling == NanHandling::Warn {
                        tracing::warn!(value = ?rules.nan_value, "NaN replaced");
                    }
                }
                if gauge.is_nan() { rules.nan_value.clone() } else { Value::Float(gauge) }
            }
            2 => Value::Int(i64::from_be_bytes(*bytes)),
            _ => return Err("a value has an unknown type"),
        });
    }
    Ok(Values { values: Some(values), has_nan })
}
