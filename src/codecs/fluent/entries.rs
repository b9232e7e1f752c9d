//! The events in one message of the forward protocol: one entry, a list of them, or packed and perhaps compressed ones.

use rmpv::Value as Packed;

use crate::codecs::{gzip, packed, target};
use crate::event::{Event, FieldReference, Timestamp};

use super::EVENT_TIME;

/// The tag of what cannot be read.
pub const FAILURE_TAG: &str = "_fluentparsefailure";
/// How large packed entries may become when decompressed.
const MAX_ENTRIES: u64 = 256 << 20;

/// Emits the events of one message; what cannot be read becomes the message of an event tagged `_fluentparsefailure`,
/// after the entries before it.
pub fn decode(bytes: &[u8], target: Option<&FieldReference>, emit: &mut dyn FnMut(Event)) {
    if let Err(error) = read(bytes, target, emit) {
        let mut event = target::failure(super::SPEC.name, bytes, Some(FAILURE_TAG), &error);
        // What is MessagePack is shown as data.
        if let Ok((message, _)) = packed::read(bytes)
            && let Ok(value) = packed::to_value(message)
        {
            event.data_mut().insert("message", value);
        }
        emit(event);
    }
}

fn read(bytes: &[u8], target: Option<&FieldReference>, emit: &mut dyn FnMut(Event)) -> Result<(), String> {
    let (message, _) = packed::read(bytes)?;
    let Packed::Array(parts) = message else { return Err("a message is an array".into()) };
    let mut parts = parts.into_iter();
    let (Some(tag), Some(entries)) = (parts.next(), parts.next()) else {
        return Err("a message has a tag and entries".into());
    };
    let tag = tag.as_str().unwrap_or_default().to_owned();
    let third = parts.next();
    match entries {
        Packed::String(text) => read_packed(text.as_bytes(), third.as_ref(), &tag, target, emit),
        Packed::Binary(bytes) => read_packed(&bytes, third.as_ref(), &tag, target, emit),
        Packed::Array(entries) => entries.into_iter().try_for_each(|entry| {
            emit(entry_event(entry, &tag, target)?);
            Ok(())
        }),
        time @ (Packed::Integer(_) | Packed::Ext(..)) => {
            emit(event_of(&time, third.unwrap_or(Packed::Nil), &tag, target)?);
            Ok(())
        }
        _ => Err("unknown event type".into()),
    }
}

fn read_packed(
    bytes: &[u8],
    options: Option<&Packed>,
    tag: &str,
    target: Option<&FieldReference>,
    emit: &mut dyn FnMut(Event),
) -> Result<(), String> {
    let compressed = options
        .and_then(Packed::as_map)
        .into_iter()
        .flatten()
        .any(|(key, value)| key.as_str() == Some("compressed") && value.as_str() == Some("gzip"));
    let decompressed = match compressed {
        true => Some(gzip::decompress(bytes, MAX_ENTRIES).map_err(|error| error.to_string())?),
        false => None,
    };
    let mut rest = decompressed.as_deref().unwrap_or(bytes);
    while !rest.is_empty() {
        let (entry, end) = packed::read(rest)?;
        emit(entry_event(entry, tag, target)?);
        rest = rest.get(end..).unwrap_or_default();
    }
    Ok(())
}

/// The event of a pair of time and record.
fn entry_event(entry: Packed, tag: &str, target: Option<&FieldReference>) -> Result<Event, String> {
    let Packed::Array(pair) = entry else { return Err("an entry is an array".into()) };
    let mut pair = pair.into_iter();
    match (pair.next(), pair.next()) {
        (Some(time), Some(record)) => event_of(&time, record, tag, target),
        _ => Err("an entry has a time and a record".into()),
    }
}

fn event_of(
    time: &Packed,
    record: Packed,
    tag: &str,
    target: Option<&FieldReference>,
) -> Result<Event, String> {
    let time = timestamp(time).ok_or("an entry has no time")?;
    let record = packed::to_value(record)?;
    if target.is_none() && record.is_null() {
        return Err("an entry has no record".into());
    }
    let mut event = target::event_of(record, target)?;
    event.set_timestamp(time);
    event.tag(tag);
    Ok(event)
}

/// Seconds, or seconds and nanoseconds of 32 bits each.
fn timestamp(time: &Packed) -> Option<Timestamp> {
    match time {
        Packed::Integer(seconds) => Timestamp::new(seconds.as_i64()?, 0),
        Packed::Ext(EVENT_TIME, bytes) => {
            let (seconds, nanos) = bytes.split_first_chunk::<4>()?;
            let nanos = <[u8; 4]>::try_from(nanos).ok()?;
            Timestamp::new(u32::from_be_bytes(*seconds).into(), u32::from_be_bytes(nanos))
        }
        _ => None,
    }
}
