//! Setting the key `expected` in a YAML text and leaving the rest as it is, comments and quotes with it.

use std::fmt::Write;

use super::super::raw::Raw;
use super::super::yaml::{Node, NodeKind};
use super::Place;

const KEY: &str = "expected";

/// Sets `expected` of one test to a list of events.
///
/// # Errors
/// The text is no YAML, has no such test, or is written in a style that cannot be changed in place.
pub fn set_expected(text: &str, place: Place, events: &Raw) -> Result<String, String> {
    let document = Node::parse(text)?;
    let holder = holder(&document, place).ok_or("there is no such test in the file")?;
    let NodeKind::Map(entries) = &holder.kind else { return Err("a test is a mapping".into()) };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let first = lines.get(holder.line.saturating_sub(1)).copied().unwrap_or_default();
    if first.chars().nth(holder.column) == Some('{') {
        return Err(
            "a test in flow style, { ... }, cannot be changed in place: write it on several lines".into()
        );
    }
    let (line, column, is_new) = match holder.entry(KEY) {
        Some((key, _)) => (key.line, key.column, false),
        None => {
            let last = entries.iter().map(|(key, _)| key.line).max().unwrap_or(holder.line);
            (last, holder.column, true)
        }
    };
    let end = end_of_entry(&lines, line, column);
    let mut edited: String = lines.iter().take(if is_new { end } else { line - 1 }).copied().collect();
    if is_new {
        if !edited.ends_with('\n') {
            edited.push('\n');
        }
        edited.push_str(&" ".repeat(column));
    } else {
        let before = lines.get(line - 1).copied().unwrap_or_default();
        edited.extend(before.chars().take(column));
    }
    edited.push_str(KEY);
    edited.push(':');
    write_value(&mut edited, events, column);
    edited.extend(lines.iter().skip(end).copied());
    check(&edited, place, events)?;
    Ok(edited)
}

fn holder(document: &Node, place: Place) -> Option<&Node> {
    let Place::Test(number) = place else { return Some(document) };
    match &document.entry("testcases")?.1.kind {
        NodeKind::List(items) => items.get(number),
        _ => None,
    }
}

/// The number of lines up to the end of the entry whose key stands at this place: behind its last line that is not
/// blank, before the next that is not indented deeper. A list may stand in the column of its key.
fn end_of_entry(lines: &[&str], line: usize, column: usize) -> usize {
    let mut end = line;
    for (number, text) in lines.iter().enumerate().skip(line) {
        let content = text.trim_start_matches(' ');
        if content.trim_end().is_empty() {
            continue;
        }
        let indent = text.len() - content.len();
        let is_list = indent == column && (content.starts_with("- ") || content.trim_end() == "-");
        if indent <= column && !is_list {
            break;
        }
        end = number + 1;
    }
    end
}

/// Reads what was written again: nothing but what was meant may be there now.
fn check(text: &str, place: Place, events: &Raw) -> Result<(), String> {
    let document = Node::parse(text)?;
    let written = holder(&document, place).and_then(|holder| holder.entry(KEY));
    match written {
        Some((_, value)) if value.value() == *events => Ok(()),
        _ => Err("the file cannot be changed in place: give the test an empty `expected:` first".into()),
    }
}

/// Writes a value behind its key or dash, and ends its last line.
fn write_value(out: &mut String, value: &Raw, indent: usize) {
    match value {
        Raw::Map(map) if !map.is_empty() => {
            out.push('\n');
            write_entries(out, value, indent + 2, false);
        }
        Raw::List(items) if !items.is_empty() => {
            out.push('\n');
            for item in items {
                out.push_str(&" ".repeat(indent + 2));
                out.push('-');
                match item {
                    Raw::Map(map) if !map.is_empty() => {
                        out.push(' ');
                        write_entries(out, item, indent + 4, true);
                    }
                    other => {
                        let _ = writeln!(out, " {}", scalar(other));
                    }
                }
            }
        }
        other => {
            let _ = writeln!(out, " {}", scalar(other));
        }
    }
}

/// Writes the entries of a mapping; `inline`: the first of them stands where the text is.
fn write_entries(out: &mut String, map: &Raw, indent: usize, inline: bool) {
    let Raw::Map(map) = map else { return };
    for (number, (key, value)) in map.iter().enumerate() {
        if number > 0 || !inline {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&scalar(&Raw::Text(key.clone())));
        out.push(':');
        write_value(out, value, indent);
    }
}

/// A value on one line: text without quotes where it needs none, all else as JSON, which is YAML.
fn scalar(value: &Raw) -> String {
    let Raw::Text(text) = value else { return value.to_json() };
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || " _./-".contains(letter));
    let means_itself = |text: &str| Node::parse(text).is_ok_and(|node| node.value() == *value);
    if is_plain && means_itself(text) { text.clone() } else { value.to_json() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(json: &str) -> Raw {
        Raw::parse(json).expect("JSON")
    }

    #[test]
    fn an_expectation_is_replaced_and_the_rest_stays() {
        let text = "# mine\nfields: {type: 'x'}\ntestcases:\n- input: [a]\n  expected:\n  - old: 1\n    b: 2\n  # last\n\n- expected: []\n  input:\n    - b\n";
        let new = events(r#"[{"message":"a: b","n":[1,{"x":"yes"}],"o":{"p":null}}]"#);
        let edited = set_expected(text, Place::Test(0), &new).expect("it can be changed");
        assert_eq!(
            edited,
            "# mine\nfields: {type: 'x'}\ntestcases:\n- input: [a]\n  expected:\n    - message: \"a: b\"\n      \"n\":\n        - 1\n        - x: \"yes\"\n      o:\n        p: null\n  # last\n\n- expected: []\n  input:\n    - b\n"
        );
        let edited = set_expected(text, Place::Test(1), &events(r#"[{"a":1}]"#)).expect("it can be changed");
        assert!(edited.ends_with("- expected:\n    - a: 1\n  input:\n    - b\n"), "{edited}");
    }

    #[test]
    fn a_missing_expectation_comes_last() {
        let text =
            "testcases:\n  - description: d\n    input:\n      - >\n        {\n        }\n  - input: [b]";
        let edited = set_expected(text, Place::Test(0), &events("[]")).expect("it can be changed");
        assert!(edited.contains("        }\n    expected: []\n  - input: [b]"), "{edited}");
        let edited = set_expected(text, Place::Test(1), &events(r#"["x"]"#)).expect("it can be changed");
        assert!(edited.ends_with("  - input: [b]\n    expected:\n      - x\n"), "{edited}");
        let edited = set_expected("input: [a]\n", Place::Top, &events("[]")).expect("it can be changed");
        assert_eq!(edited, "input: [a]\nexpected: []\n");
    }

    #[test]
    fn flow_style_is_refused() {
        let refused = set_expected("testcases: [{input: [a]}]", Place::Test(0), &events("[]"));
        assert!(refused.is_err_and(|error| error.contains("flow style")));
        let refused = set_expected("testcases: []", Place::Test(3), &events("[]"));
        assert!(refused.is_err());
    }
}
