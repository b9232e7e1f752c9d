//! Values as EDN text, as the Ruby gem `edn` writes them.

use std::fmt::Write as _;

use crate::event::{Big, Event, Object, Value, text};

/// Appends an event as a map.
pub fn write_event(event: &Event, out: &mut Vec<u8>) {
    let mut shown = String::new();
    push_object(&mut shown, event.data());
    out.extend_from_slice(shown.as_bytes());
}

fn push_object(out: &mut String, object: &Object) {
    out.push('{');
    for (at, (key, value)) in object.iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        push_string(out, key);
        out.push(' ');
        push(out, value);
    }
    out.push('}');
}

fn push(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("nil"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        // The gem marks every integer as one of arbitrary precision.
        Value::Int(number) => _ = write!(out, "{number}M"),
        Value::Big(number) => match &**number {
            Big::Integer(number) => _ = write!(out, "{number}M"),
            Big::Decimal(number) => _ = write!(out, "{}M", number.to_plain_string()),
        },
        Value::Float(number) => text::push_ruby_float(out, *number),
        Value::Str(text) => push_string(out, text),
        Value::Timestamp(time) => _ = write!(out, "\"{time}\""),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                push(out, item);
            }
            out.push(']');
        }
        Value::Object(object) => push_object(out, object),
    }
}

/// Quotes and backslashes alone are escaped.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}
