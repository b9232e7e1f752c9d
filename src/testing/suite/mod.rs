//! `Suite`: a test-case file of logstash-filter-verifier, JSON or YAML (its README, "Test case file reference").
//!
//! A file that names an `input_plugin` means what it means in the verifier's daemon mode: the input's codec, type, tags
//! and add_field apply, and an event is expected once for every output that it reaches. Any other file means what it
//! means in standalone mode: lines come from a stdin input, and an event is expected once.

mod compare;
mod fields;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::raw::Raw;
use crate::language::nearest;
use fields::{Path, expand};

/// What a file may hold beside its tests.
const KEYS: [&str; 10] = [
    "codec",
    "description",
    "expected",
    "export_metadata",
    "export_outputs",
    "fields",
    "ignore",
    "input",
    "input_plugin",
    "testcases",
];
/// What one of its tests may hold.
const TEST_KEYS: [&str; 4] = ["description", "expected", "fields", "input"];

/// A document in two readings: with numbers and booleans, and with every scalar as the text it was written as.
pub struct Document {
    pub values: Raw,
    pub texts: Raw,
}

/// The tests of one file.
#[derive(Debug)]
pub struct Suite {
    codec: String,
    input_plugin: Option<String>,
    ignore: Vec<Path>,
    fields: BTreeMap<String, Raw>,
    export_metadata: bool,
    export_outputs: bool,
    tests: Vec<Test>,
    /// Whether input and expectation stand at the top of the file, as they did before there was `testcases`.
    legacy: bool,
}

/// One element of `testcases`.
#[derive(Debug)]
struct Test {
    description: Option<String>,
    lines: Vec<String>,
    fields: BTreeMap<String, Raw>,
    expected: Vec<Raw>,
}

impl Suite {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it; keys that it cannot have are named.
    pub fn read(document: &Document) -> Result<Suite, String> {
        let (Raw::Map(values), Raw::Map(texts)) = (&document.values, &document.texts) else {
            return Err("a file of test cases is an object with the key \"testcases\"".into());
        };
        check_keys(values, &KEYS, "a file of test cases")?;
        let codec = text(texts, "codec")?.unwrap_or_else(|| "line".to_owned());
        let mut ignore = list_of_texts(texts, "ignore")?;
        ignore.push("@version".to_owned());
        let legacy = values.contains_key("input") || values.contains_key("expected");
        let mut tests = Vec::new();
        if legacy {
            tests.push(Test::read(values, texts, &codec).map_err(|error| format!("test 1: {error}"))?);
            // At the top of a file, they are those of the file.
            tests.iter_mut().for_each(|test| (test.fields, test.description) = (BTreeMap::new(), None));
        }
        let (value_list, text_list) = (cases(values)?, cases(texts)?);
        if legacy && !value_list.is_empty() {
            return Err("\"input\" and \"expected\" stand either at the top or in \"testcases\"".into());
        }
        for (number, (value, text)) in value_list.iter().zip(text_list).enumerate() {
            let test = match (value, text) {
                (Raw::Map(value), Raw::Map(text)) => check_keys(value, &TEST_KEYS, "a test case")
                    .and_then(|()| Test::read(value, text, &codec)),
                _ => Err("a test case is an object".into()),
            };
            tests.push(test.map_err(|error| format!("test {}: {error}", number + 1))?);
        }
        Ok(Suite {
            codec,
            input_plugin: text(texts, "input_plugin")?,
            ignore: ignore.iter().map(|field| Path::parse(field)).collect(),
            fields: object(values, "fields")?,
            export_metadata: flag(values, "export_metadata")?,
            export_outputs: flag(values, "export_outputs")?,
            tests,
            legacy,
        })
    }

    /// Whether the expectation of its only test stands at the top of the file.
    pub fn is_legacy(&self) -> bool {
        self.legacy
    }
}

impl Test {
    fn read(
        values: &BTreeMap<String, Raw>,
        texts: &BTreeMap<String, Raw>,
        codec: &str,
    ) -> Result<Test, String> {
        let mut lines = list_of_texts(texts, "input")?;
        if codec == "json_lines" {
            lines.iter_mut().for_each(fields::expand_line);
        }
        let expected = match values.get("expected") {
            None | Some(Raw::Null) => &[],
            Some(Raw::List(items)) => items.as_slice(),
            Some(_) => return Err("\"expected\" must be a list of events".into()),
        };
        let event = |raw: &Raw| match raw {
            Raw::Map(_) => Ok(expand(raw.clone())),
            _ => Err("\"expected\" must be a list of events".to_owned()),
        };
        Ok(Test {
            description: text(texts, "description")?,
            lines,
            fields: object(values, "fields")?,
            expected: expected.iter().map(event).collect::<Result<_, _>>()?,
        })
    }
}

fn check_keys(map: &BTreeMap<String, Raw>, known: &[&str], what: &str) -> Result<(), String> {
    let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let hint = match nearest(key, known) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("it has: {}", known.join(", ")),
    };
    Err(format!("{what} cannot have the key \"{key}\": {hint}"))
}

fn cases(map: &BTreeMap<String, Raw>) -> Result<&[Raw], String> {
    match map.get("testcases") {
        None | Some(Raw::Null) => Ok(&[]),
        Some(Raw::List(items)) => Ok(items),
        Some(_) => Err("\"testcases\" must be a list".into()),
    }
}

fn text(map: &BTreeMap<String, Raw>, key: &str) -> Result<Option<String>, String> {
    match map.get(key) {
        None | Some(Raw::Null) => Ok(None),
        Some(Raw::Text(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("\"{key}\" must be a string")),
    }
}

fn list_of_texts(map: &BTreeMap<String, Raw>, key: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("\"{key}\" must be a list of strings");
    match map.get(key) {
        None | Some(Raw::Null) => Ok(Vec::new()),
        Some(Raw::List(items)) => {
            items.iter().map(|item| item.text().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn flag(map: &BTreeMap<String, Raw>, key: &str) -> Result<bool, String> {
    match map.get(key) {
        None | Some(Raw::Null) => Ok(false),
        Some(Raw::Bool(flag)) => Ok(*flag),
        Some(_) => Err(format!("\"{key}\" must be true or false")),
    }
}

/// The fields of an object, those named by a reference such as `[a][b]` as the nested objects that they mean.
fn object(map: &BTreeMap<String, Raw>, key: &str) -> Result<BTreeMap<String, Raw>, String> {
    match map.get(key).cloned().map(expand) {
        None | Some(Raw::Null) => Ok(BTreeMap::new()),
        Some(Raw::Map(map)) => Ok(map),
        Some(_) => Err(format!("\"{key}\" must be an object")),
    }
}
