//! Writing an event as one CEF message.

use crate::event::{Event, FieldReference, Template, Value, json, text};
use crate::plugin::EncodeError;

/// What stands in the header where an option gives an empty text: vendor, product, version, signature, name.
const DEFAULTS: [&str; 5] = ["Elasticsearch", "Logstash", "1.0", "Logstash", "Logstash"];
const DEFAULT_SEVERITY: i64 = 6;

/// What writes messages.
#[derive(Debug)]
pub struct Writer {
    /// Vendor, product, version, signature and name.
    pub header: [Template; 5],
    pub severity: Template,
    /// The fields of the extension with their keys.
    pub fields: Vec<(FieldReference, String)>,
    /// What ends a message.
    pub delimiter: String,
}

impl Writer {
    pub fn write(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let render = |template: &Template| {
            let text = template.render(event).map_err(|error| EncodeError(error.to_string()))?;
            Ok(header_field(&text))
        };
        let mut message = String::from("CEF:0|");
        for (template, default) in self.header.iter().zip(DEFAULTS) {
            let text = render(template)?;
            message.push_str(if text.is_empty() { default } else { &text });
            message.push('|');
        }
        message.push_str(&severity(render(&self.severity)?.trim()).to_string());
        message.push('|');
        let mut is_first = true;
        for (field, key) in &self.fields {
            let Some(value) = event.get(field).filter(|value| !value.is_null()) else { continue };
            message.push_str(if std::mem::take(&mut is_first) { "" } else { " " });
            message.push_str(key);
            message.push('=');
            push_value(&mut message, value);
        }
        out.extend_from_slice(message.as_bytes());
        out.extend_from_slice(self.delimiter.as_bytes());
        Ok(())
    }
}

/// A key has letters and digits only.
pub fn extension_key(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// A header has no line breaks; backslashes and pipes are escaped.
fn header_field(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\\' | '|' => out.extend(['\\', character]),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

fn push_value(out: &mut String, value: &Value) {
    let text = match value {
        Value::Timestamp(time) => return out.push_str(&time.to_string()),
        Value::Array(_) | Value::Object(_) => {
            let mut bytes = Vec::new();
            json::write_value(&mut bytes, value);
            String::from_utf8_lossy(&bytes).into_owned()
        }
        other => text::ruby_to_s(other),
    };
    for character in text_lines(&text).chars() {
        match character {
            '\\' | '=' => out.extend(['\\', character]),
            '\n' | '\r' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}

/// A Windows line break is one line break.
fn text_lines(text: &str) -> std::borrow::Cow<'_, str> {
    match text.contains("\r\n") {
        true => text.replace("\r\n", "\n").into(),
        false => text.into(),
    }
}

/// A whole number from 0 to 10, however it is written (`6`, `6.0`), as Ruby's `to_i` then reads it.
fn severity(text: &str) -> i64 {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '+' || first == '-')
        && text.ends_with(|last: char| last.is_ascii_digit());
    let number = text.parse::<f64>().ok().filter(|number| is_number && (0.0..=10.0).contains(number));
    match number {
        Some(number) if number.fract() == 0.0 => {
            let text = text.strip_prefix('+').unwrap_or(text);
            let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
            text.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(0)
        }
        _ => DEFAULT_SEVERITY,
    }
}
