//! Setting one key of a JSON text and leaving the rest as it is.

use jiter::{Jiter, JiterResult, Peek};

use super::super::raw::Raw;

/// A step on the way to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Key(&'static str),
    Index(usize),
}

/// Where the value of a key stands or would stand, in bytes.
enum Spot {
    There(std::ops::Range<usize>),
    /// Behind the last entry of its object, whose key starts at `sibling`.
    Missing {
        at: usize,
        sibling: usize,
    },
    /// In an object without entries.
    Empty {
        at: usize,
    },
}

/// Sets a key of the object that the path leads to. A value in a text of several lines is written on several lines.
///
/// # Errors
/// The text is no JSON, or has no such object.
pub fn set(text: &str, path: &[Step], key: &str, value: &Raw) -> Result<String, String> {
    let mut reader = Jiter::new(text.as_bytes());
    let found = reader.peek().and_then(|peek| find(&mut reader, peek, path, key));
    let spot = found.map_err(|error| error.description(&reader))?;
    let spot = spot.ok_or_else(|| format!("there is no object for \"{key}\""))?;
    let mut name = Vec::new();
    crate::event::json::write_string(&mut name, key);
    let name = String::from_utf8_lossy(&name).into_owned();
    let (range, new) = match spot {
        Spot::There(range) => {
            let new = match indent_of_line(text, range.start) {
                Some(indent) => value.to_pretty_at(indent),
                None => value.to_json(),
            };
            (range, new)
        }
        Spot::Missing { at, sibling } => {
            let new = match indent_of_line(text, sibling) {
                Some(indent) => {
                    format!(",\n{}{name}: {}", " ".repeat(indent), value.to_pretty_at(indent))
                }
                None => format!(",{name}:{}", value.to_json()),
            };
            (at..at, new)
        }
        Spot::Empty { at } => (at..at, format!("{name}: {}", value.to_json())),
    };
    let mut edited = text.to_owned();
    edited.replace_range(range, &new);
    Ok(edited)
}

/// How far the line of a byte is indented; `None` on the first line, where everything may stand on one line.
fn indent_of_line(text: &str, at: usize) -> Option<usize> {
    let line = text.get(..at)?.rfind('\n')? + 1;
    let rest = text.get(line..)?;
    Some(rest.len() - rest.trim_start_matches([' ', '\t']).len())
}

fn find(reader: &mut Jiter<'_>, peek: Peek, path: &[Step], key: &str) -> JiterResult<Option<Spot>> {
    match (path.split_first(), peek) {
        (None, Peek::Object) => find_key(reader, key).map(Some),
        (Some((Step::Key(wanted), rest)), Peek::Object) => {
            let mut next = reader.known_object()?.map(str::to_owned);
            while let Some(name) = next {
                let peek = reader.peek()?;
                if name == *wanted {
                    return find(reader, peek, rest, key);
                }
                reader.known_skip(peek)?;
                next = reader.next_key()?.map(str::to_owned);
            }
            Ok(None)
        }
        (Some((Step::Index(wanted), rest)), Peek::Array) => {
            let mut next = reader.known_array()?;
            let mut index = 0;
            while let Some(peek) = next {
                if index == *wanted {
                    return find(reader, peek, rest, key);
                }
                reader.known_skip(peek)?;
                next = reader.array_step()?;
                index += 1;
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// The spot of a key in the object that comes next.
fn find_key(reader: &mut Jiter<'_>, key: &str) -> JiterResult<Spot> {
    let open = reader.current_index();
    let mut next = reader.known_object()?.map(str::to_owned);
    let mut last = None;
    while let Some(name) = next {
        let peek = reader.peek()?;
        let start = reader.current_index();
        reader.known_skip(peek)?;
        let end = reader.current_index();
        if name == key {
            return Ok(Spot::There(start..end));
        }
        last = Some((start, end));
        next = reader.next_key()?.map(str::to_owned);
    }
    Ok(match last {
        Some((sibling, at)) => Spot::Missing { at, sibling },
        None => Spot::Empty { at: open + 1 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> Raw {
        Raw::parse(r#"[{"a":1}]"#).expect("JSON")
    }

    const TEST: [Step; 2] = [Step::Key("testcases"), Step::Index(1)];

    #[test]
    fn a_value_is_replaced_in_its_own_indentation() {
        let text = "{\n  \"n\": 1.10,\n  \"testcases\": [\n    {},\n    {\n      \"expected\": [ 5 ],\n      \"input\": []\n    }\n  ]\n}\n";
        let edited = set(text, &TEST, "expected", &value()).expect("the place is there");
        let new = "\"expected\": [\n        {\n          \"a\": 1\n        }\n      ],\n";
        assert_eq!(edited, text.replace("\"expected\": [ 5 ],\n", new));
    }

    #[test]
    fn a_missing_key_comes_last() {
        let text = "{\n  \"testcases\": [\n    {},\n    {\n      \"input\": [\"x\"]\n    }\n  ]\n}\n";
        let edited = set(text, &TEST, "expected", &Raw::List(Vec::new())).expect("the place is there");
        assert_eq!(edited, text.replace("[\"x\"]\n", "[\"x\"],\n      \"expected\": []\n"));
        assert_eq!(set("{ }", &[], "k", &value()), Ok("{\"k\": [{\"a\":1}] }".to_owned()));
        assert_eq!(set(r#"{"i": 1}"#, &[], "k", &value()), Ok(r#"{"i": 1,"k":[{"a":1}]}"#.to_owned()));
    }

    #[test]
    fn a_text_without_the_object_is_refused() {
        assert!(set("[]", &TEST, "k", &value()).is_err());
        assert!(set(r#"{"testcases":[{}]}"#, &TEST, "k", &value()).is_err());
    }
}
