//! `Raw`: JSON whose numbers keep their spelling, so that 1 and 1.0, or 1.1 and 1.10, are told apart.

use std::collections::{BTreeMap, BTreeSet};

use jiter::{Jiter, JiterError, Peek};

/// How deep a document may be nested: one that is deeper would overflow the stack of whoever walks it.
pub const DEPTH_LIMIT: usize = 500;

/// A JSON document for comparing; the order of keys does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Raw>),
    Map(BTreeMap<String, Raw>),
}

impl Raw {
    pub fn parse(json: &str) -> Result<Self, String> {
        let mut reader = Jiter::new(json.as_bytes());
        let parsed = reader.peek().map_err(ReadError::Json).and_then(|peek| {
            let raw = read(&mut reader, peek, DEPTH_LIMIT)?;
            reader.finish()?;
            Ok(raw)
        });
        parsed.map_err(|error| match error {
            ReadError::Json(error) => error.description(&reader),
            ReadError::TooDeep => format!("nested deeper than {DEPTH_LIMIT} levels"),
        })
    }

    pub fn get(&self, key: &str) -> Option<&Raw> {
        match self {
            Raw::Map(map) => map.get(key),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Raw::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn list(&self) -> &[Raw] {
        match self {
            Raw::List(items) => items,
            _ => &[],
        }
    }

    /// Compact JSON with sorted keys.
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out, None);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// JSON with sorted keys, one field a line.
    pub fn to_pretty(&self) -> String {
        self.to_pretty_at(0)
    }

    /// [`to_pretty`](Self::to_pretty) for a place that is indented by so many spaces; the first line is not.
    pub fn to_pretty_at(&self, indent: usize) -> String {
        let mut out = Vec::new();
        self.write(&mut out, Some(indent));
        String::from_utf8_lossy(&out).into_owned()
    }

    fn write(&self, out: &mut Vec<u8>, indent: Option<usize>) {
        let inner = indent.map(|depth| depth + 2);
        match self {
            Raw::Null => out.extend_from_slice(b"null"),
            Raw::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
            Raw::Number(number) => out.extend_from_slice(number.as_bytes()),
            Raw::Text(text) => crate::event::json::write_string(out, text),
            Raw::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    separate(out, at, inner);
                    item.write(out, inner);
                }
                close(out, items.is_empty(), indent, b']');
            }
            Raw::Map(map) => {
                out.push(b'{');
                for (at, (key, value)) in map.iter().enumerate() {
                    separate(out, at, inner);
                    crate::event::json::write_string(out, key);
                    out.extend_from_slice(if inner.is_some() { b": " } else { b":" });
                    value.write(out, inner);
                }
                close(out, map.is_empty(), indent, b'}');
            }
        }
    }

    /// Replaces everything that a JSON pointer of `pointers` names by null. `at` is where this value stands.
    pub fn blank(&mut self, at: &str, pointers: &BTreeSet<String>) {
        if pointers.contains(at) {
            *self = Raw::Null;
            return;
        }
        match self {
            Raw::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    item.blank(&format!("{at}/{index}"), pointers);
                }
            }
            Raw::Map(map) => {
                for (key, value) in map.iter_mut() {
                    value.blank(&format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), pointers);
                }
            }
            _ => {}
        }
    }
}

fn separate(out: &mut Vec<u8>, at: usize, indent: Option<usize>) {
    if at > 0 {
        out.push(b',');
    }
    new_line(out, indent);
}

fn close(out: &mut Vec<u8>, empty: bool, indent: Option<usize>, bracket: u8) {
    if !empty {
        new_line(out, indent);
    }
    out.push(bracket);
}

fn new_line(out: &mut Vec<u8>, indent: Option<usize>) {
    if let Some(depth) = indent {
        out.push(b'\n');
        out.resize(out.len() + depth, b' ');
    }
}

/// Why a document cannot be read.
enum ReadError {
    Json(JiterError),
    TooDeep,
}

impl From<JiterError> for ReadError {
    fn from(error: JiterError) -> Self {
        ReadError::Json(error)
    }
}

fn read(reader: &mut Jiter<'_>, peek: Peek, depth: usize) -> Result<Raw, ReadError> {
    let deeper = depth.checked_sub(1).ok_or(ReadError::TooDeep)?;
    Ok(match peek {
        Peek::Null => {
            reader.known_null()?;
            Raw::Null
        }
        Peek::True | Peek::False => Raw::Bool(reader.known_bool(peek)?),
        Peek::String => Raw::Text(reader.known_str()?.to_owned()),
        Peek::Array => {
            let mut items = Vec::new();
            let mut next = reader.known_array()?;
            while let Some(peek) = next {
                items.push(read(reader, peek, deeper)?);
                next = reader.array_step()?;
            }
            Raw::List(items)
        }
        Peek::Object => {
            let mut map = BTreeMap::new();
            let mut next = reader.known_object()?.map(str::to_owned);
            while let Some(key) = next {
                let peek = reader.peek()?;
                map.insert(key, read(reader, peek, deeper)?);
                next = reader.next_key()?.map(str::to_owned);
            }
            Raw::Map(map)
        }
        _ => Raw::Number(String::from_utf8_lossy(reader.known_number_bytes(peek)?).into_owned()),
    })
}
