//! Reading one CEF message: the syslog header before it, its seven header fields and its extension.

use std::borrow::Cow;
use std::sync::Arc;

use crate::event::{Event, FieldReference, Value};
use crate::plugin::EcsMode;

use super::extension::{self, Pairs};
use super::fields::{HEADER, Names};
use super::time::Times;

/// The tag of what is not CEF.
const FAILURE_TAG: &str = "_cefparsefailure";

/// What stands before the version.
const PREFIX: &str = "CEF:";

/// What reads messages; it keeps nothing of them.
#[derive(Debug)]
pub struct Reader {
    names: Arc<Names>,
    times: Times,
    header: Vec<FieldReference>,
    syslog_header: FieldReference,
    /// Where the time zone of the device stands, which counts for its times.
    timezone: Option<FieldReference>,
    raw_data_field: Option<FieldReference>,
}

impl Reader {
    pub fn new(
        ecs: EcsMode,
        names: Arc<Names>,
        times: Times,
        raw_data_field: Option<FieldReference>,
    ) -> Self {
        let header =
            HEADER.iter().filter_map(|(legacy, name)| FieldReference::parse(ecs.select(legacy, name)).ok());
        let log = FieldReference::top_level("log").child("syslog").child("header");
        Reader {
            header: header.collect(),
            timezone: names
                .decode("deviceTimeZone")
                .filter(|_| ecs.is_enabled())
                .map(|zone| zone.field.clone()),
            names,
            times,
            syslog_header: ecs.select(FieldReference::top_level("syslog"), log),
            raw_data_field,
        }
    }

    /// The event of a message. What cannot be read becomes the message of an event tagged `_cefparsefailure`.
    pub fn read(&self, bytes: &[u8]) -> Event {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return failure(&String::from_utf8_lossy(bytes), "invalid byte sequence in UTF-8");
        };
        // Flex connectors put quotes around the whole.
        let data = match text.strip_prefix('"') {
            Some(quoted) => {
                quoted.char_indices().next_back().map_or("", |(at, _)| quoted.get(..at).unwrap_or(""))
            }
            None => text,
        };
        self.read_text(data, text).unwrap_or_else(|error| failure(data, &error))
    }

    fn read_text(&self, data: &str, raw: &str) -> Result<Event, String> {
        let mut event = Event::new();
        if let Some(field) = &self.raw_data_field {
            set(&mut event, field, raw)?;
        }
        let mut rest = data.strip_suffix('\n').unwrap_or(data);
        rest = rest.strip_suffix('\r').unwrap_or(rest);
        if rest.contains('\n') {
            return Err(
                "message is not valid CEF because it contains unescaped newline characters; use the \
                        `delimiter` setting to cut a stream into messages"
                    .into(),
            );
        }
        for (index, field) in self.header.iter().enumerate() {
            let end = header_end(rest).ok_or_else(|| {
                format!("message is not valid CEF; found {index} of 7 required pipe-terminated header fields")
            })?;
            let value = unescape_header(rest.get(..end).unwrap_or_default());
            rest = rest.get(end + 1..).unwrap_or_default();
            match index {
                0 => self.set_version(&mut event, field, &value)?,
                _ => set(&mut event, field, value)?,
            }
        }
        if !rest.is_empty() {
            self.read_extension(&mut event, rest)?;
        }
        Ok(event)
    }

    /// The version, and what a syslog daemon has put before it.
    fn set_version(&self, event: &mut Event, field: &FieldReference, text: &str) -> Result<(), String> {
        let version = match text.rsplit_once(' ') {
            Some((header, version)) => {
                set(event, &self.syslog_header, header)?;
                version
            }
            None => text,
        };
        set(event, field, version.strip_prefix(PREFIX).unwrap_or(version))
    }

    fn read_extension(&self, event: &mut Event, text: &str) -> Result<(), String> {
        let mut times = Vec::new();
        let mut others = Vec::new();
        for pair in Pairs::new(text) {
            let (key, value) = pair?;
            match self.names.decode(key) {
                Some(decoded) if decoded.is_time => times.push((&decoded.field, extension::unescape(value))),
                Some(decoded) => others.push((Cow::Borrowed(&decoded.field), extension::unescape(value))),
                None => {
                    let field = FieldReference::parse(&extension::strict_key(key));
                    let field = field.map_err(|error| error.to_string())?;
                    others.push((Cow::Owned(field), extension::unescape(value)));
                }
            }
        }
        let timezone = self.timezone.as_ref();
        let zone =
            others.iter().rev().find(|(field, _)| timezone == Some(field)).map(|(_, zone)| zone.as_str());
        let mut done: Vec<&FieldReference> = Vec::new();
        // Only the last of several values counts.
        for (field, value) in times.iter().rev() {
            if !done.contains(field) {
                done.push(field);
                let time = self.times.read(value, zone)?;
                set(event, field, time.map_or(Value::Null, Value::Timestamp))?;
            }
        }
        for (field, value) in others {
            set(event, &field, value)?;
        }
        Ok(())
    }
}

fn set(event: &mut Event, field: &FieldReference, value: impl Into<Value>) -> Result<(), String> {
    event.assign(field, value).map_err(|error| error.to_string())
}

/// Where the header field at the start of a text ends: at the first pipe without a backslash before it. Where every
/// pipe has one, the last pipe counts, as in the regular expression of the codec.
fn header_end(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    let mut escaped = None;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'|' => return Some(at),
            b'\\' => match text.as_bytes().get(at + 1) {
                Some(b'|') => {
                    escaped = Some(at + 1);
                    bytes.next();
                }
                Some(b'\\') => _ = bytes.next(),
                _ => {}
            },
            _ => {}
        }
    }
    escaped
}

/// Takes the backslash before a backslash or a pipe away.
fn unescape_header(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(&next @ ('\\' | '|')) if character == '\\' => {
                out.push(next);
                characters.next();
            }
            _ => out.push(character),
        }
    }
    out
}

fn failure(data: &str, error: &str) -> Event {
    tracing::error!(error, "failed to decode CEF payload, the event gets it as its message");
    let mut event = Event::from_message(data);
    event.tag(FAILURE_TAG);
    event
}
