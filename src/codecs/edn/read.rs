//! EDN text to values, as the Ruby gem `edn` and Logstash's events have them.

use edn_format::{Keyword, Parser, ParserOptions, Value as Edn};

use crate::event::{Object, Value, text};

/// How deep forms may be nested: the parser calls itself for each level.
const MAX_DEPTH: usize = 256;

/// The value of the first form. Fails where there is none, and where it is something that no event holds: a symbol, a
/// set, or an element with a tag other than `#uuid`.
pub fn read(text: &str) -> Result<Value, String> {
    check(text)?;
    match Parser::from_str(text, ParserOptions::default()).next() {
        Some(Ok(value)) => convert(value),
        Some(Err(error)) => Err(format!("not EDN: {error:?}")),
        None => Err("not EDN: unexpected end of the text".into()),
    }
}

fn convert(value: Edn) -> Result<Value, String> {
    Ok(match value {
        Edn::Nil => Value::Null,
        Edn::Boolean(flag) => Value::Bool(flag),
        Edn::Character(character) => Value::from(String::from(character)),
        Edn::String(text) => Value::from(text),
        Edn::Keyword(keyword) => Value::from(name_of(&keyword)),
        Edn::Integer(number) => Value::Int(number),
        Edn::Float(number) => Value::Float(number.into_inner()),
        Edn::BigInt(number) => Value::from_big_integer(number),
        // `1M` is an integer for the gem, and `1.5M` a float.
        Edn::BigDec(number) => match number.to_string().parse::<i64>() {
            Ok(integer) => Value::Int(integer),
            Err(_) => number.to_string().parse().map_or(Value::Null, Value::Float),
        },
        Edn::List(items) | Edn::Vector(items) => {
            Value::Array(items.into_iter().map(convert).collect::<Result<_, _>>()?)
        }
        Edn::Map(entries) => {
            let mut object = Object::with_capacity(entries.len());
            for (key, value) in entries {
                object.insert(key_of(key)?, convert(value)?);
            }
            Value::from(object)
        }
        Edn::Uuid(uuid) => Value::from(uuid.to_string()),
        Edn::Symbol(_) => return Err("a symbol is no value of an event".into()),
        Edn::Set(_) => return Err("a set is no value of an event".into()),
        Edn::Inst(_) => return Err("an #inst is no value of an event".into()),
        Edn::TaggedElement(tag, _) => return Err(format!("#{tag} is no value of an event")),
    })
}

/// A key of a map as a field's name: Ruby's `to_s` of it.
fn key_of(key: Edn) -> Result<String, String> {
    match key {
        Edn::Symbol(symbol) => Ok(symbol.to_string()),
        other => convert(other).map(|value| text::ruby_to_s(&value)),
    }
}

fn name_of(keyword: &Keyword) -> String {
    match keyword.namespace() {
        Some(namespace) => format!("{namespace}/{}", keyword.name()),
        None => keyword.name().to_owned(),
    }
}

/// Refuses what the parser would not survive: deep nesting, of which every bracket and every `#tag` is a level, and a
/// character by number (`\u....`) whose digits are not ASCII.
fn check(text: &str) -> Result<(), String> {
    // The pending tags before each open bracket, and those before the form that comes next.
    let mut open: Vec<usize> = Vec::new();
    let (mut outer_tags, mut tags) = (0_usize, 0_usize);
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b';' => {
                let rest = bytes.get(at..).unwrap_or_default();
                at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            }
            b'"' => {
                at = string_end(bytes, at);
                tags = 0;
            }
            b'\\' => {
                let rest = bytes.get(at..).unwrap_or_default();
                if rest.first() == Some(&b'u') && !rest.iter().take(5).all(u8::is_ascii) {
                    return Err("not EDN: a character by number has four digits".into());
                }
                at += 1;
                tags = 0;
            }
            b'#' if bytes.get(at) != Some(&b'{') => tags += 1,
            b'(' | b'[' | b'{' => {
                open.push(tags);
                outer_tags += std::mem::take(&mut tags);
            }
            b')' | b']' | b'}' => {
                outer_tags -= open.pop().unwrap_or(0);
                tags = 0;
            }
            _ => {}
        }
        if open.len() + outer_tags + tags > MAX_DEPTH {
            return Err("not EDN that is read here: forms are nested too deeply".into());
        }
    }
    Ok(())
}

/// Where the string ends whose first quote stands before `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    at
}
