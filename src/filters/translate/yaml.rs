//! YAML dictionaries: scalars mean what Ruby's Psych or the plugin's streaming reader takes them for.

use std::borrow::Cow;

use saphyr::{ScalarStyle, ScanError, Yaml, YamlLoader};
use saphyr_parser::{Parser, Tag};

use super::dictionary::Entries;
use super::psych::{self, Scalar};
use crate::event::{Object, Value, text};

/// The option yaml_load_strategy: who reads the file in Logstash, and so what unquoted scalars mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Psych: `yes` is true, `0x1F` a number, `2024-05-06 07:08:09` a time, `<<` merges.
    Psych,
    /// The plugin's own reader: null, `true`, `false` and plain decimal numbers; the first mapping of the file counts.
    Streaming,
}

/// A YAML file that is no dictionary.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    #[error("{} at line {} column {}", .0.info(), .0.marker().line(), .0.marker().col() + 1)]
    Syntax(#[from] ScanError),
    #[error("the file exceeds the limit of {0} code points; raise yaml_dictionary_code_point_limit")]
    TooLong(usize),
}

/// How many nodes aliases may stand for.
const ALIAS_LIMIT: usize = 1_000_000;

/// Adds the entries of every document's mapping to those there are.
pub fn read(text: &str, reading: Reading, limit: usize, entries: &mut Entries) -> Result<(), YamlError> {
    if text.len() > limit && text.chars().nth(limit).is_some() {
        return Err(YamlError::TooLong(limit));
    }
    let mut loader = YamlLoader::default();
    loader.early_parse(false);
    loader.allow_duplicate_keys(true);
    loader.alias_limit(ALIAS_LIMIT);
    Parser::new_from_str(text).load(&mut loader, true)?;
    if let Some(error) = loader.error() {
        return Err(error.clone().into());
    }
    let documents: Vec<Yaml<'_>> = loader.into_documents();
    match reading {
        Reading::Streaming => {
            if let Some(mapping) = documents.iter().find_map(first_mapping) {
                add(mapping, reading, entries);
            }
        }
        Reading::Psych => documents.iter().for_each(|document| add_all(document, entries)),
    }
    Ok(())
}

/// Psych's visitor puts every mapping into the dictionary that does not stand inside another one.
fn add_all(node: &Yaml<'_>, entries: &mut Entries) {
    match node {
        Yaml::Mapping(_) => add(node, Reading::Psych, entries),
        Yaml::Sequence(items) => items.iter().for_each(|item| add_all(item, entries)),
        Yaml::Tagged(_, node) => add_all(node, entries),
        _ => {}
    }
}

fn first_mapping<'n, 'y>(node: &'n Yaml<'y>) -> Option<&'n Yaml<'y>> {
    match node {
        Yaml::Mapping(_) => Some(node),
        Yaml::Sequence(items) => items.iter().find_map(first_mapping),
        Yaml::Tagged(_, node) => first_mapping(node),
        _ => None,
    }
}

fn add(mapping: &Yaml<'_>, reading: Reading, entries: &mut Entries) {
    let Yaml::Mapping(pairs) = mapping else { return };
    for (key, item) in pairs {
        match scalar(key, reading) {
            Some(Scalar::Text(name)) if name == "<<" && reading == Reading::Psych && is_merge(key, item) => {
                merge(item, &mut |mapping| add(mapping, reading, entries));
            }
            Some(Scalar::Text(name)) => {
                entries.insert(name.clone().into_owned(), value(item, reading));
                if holds_date(item, reading) {
                    entries.note_date(&name);
                }
            }
            Some(Scalar::Date(text)) => entries.note_other_key(text),
            Some(Scalar::Other(other)) => entries.note_other_key(&text::ruby_to_s(&other)),
            None => entries.note_other_key("a collection"),
        }
    }
}

/// Calls `with` for each mapping that a merge key names.
fn merge(node: &Yaml<'_>, with: &mut dyn FnMut(&Yaml<'_>)) {
    match node {
        Yaml::Mapping(_) => with(node),
        Yaml::Sequence(items) => items.iter().for_each(|item| merge(item, with)),
        _ => {}
    }
}

/// A merge key: unquoted, with a collection as its value. Above anything else it is a key like others.
fn is_merge(key: &Yaml<'_>, item: &Yaml<'_>) -> bool {
    matches!(key, Yaml::Representation(_, ScalarStyle::Plain, None))
        && matches!(item, Yaml::Mapping(_) | Yaml::Sequence(_))
}

/// What a scalar means; nothing for collections.
fn scalar<'n>(node: &'n Yaml<'_>, reading: Reading) -> Option<Scalar<'n>> {
    let Yaml::Representation(text, style, tag) = node else { return None };
    let is_text = |tag: &Cow<'_, Tag>| tag.suffix == "str" || tag.suffix == "binary";
    if *style != ScalarStyle::Plain || (reading == Reading::Psych && tag.as_ref().is_some_and(is_text)) {
        return Some(Scalar::Text(Cow::Borrowed(text)));
    }
    Some(match reading {
        Reading::Psych => psych::scalar(text),
        Reading::Streaming => psych::streamed_scalar(text),
    })
}

fn value(node: &Yaml<'_>, reading: Reading) -> Value {
    match node {
        Yaml::Sequence(items) => Value::Array(items.iter().map(|item| value(item, reading)).collect()),
        Yaml::Mapping(_) => Value::from(object(node, reading)),
        Yaml::Tagged(_, node) => value(node, reading),
        _ => match scalar(node, reading) {
            Some(Scalar::Text(text)) => Value::from(&*text),
            Some(Scalar::Date(text)) => Value::from(text),
            Some(Scalar::Other(value)) => value,
            None => Value::Null,
        },
    }
}

fn holds_date(node: &Yaml<'_>, reading: Reading) -> bool {
    match node {
        Yaml::Sequence(items) => items.iter().any(|item| holds_date(item, reading)),
        Yaml::Mapping(pairs) => pairs.iter().any(|(_, item)| holds_date(item, reading)),
        Yaml::Tagged(_, node) => holds_date(node, reading),
        _ => matches!(scalar(node, reading), Some(Scalar::Date(_))),
    }
}

fn object(mapping: &Yaml<'_>, reading: Reading) -> Object {
    let mut object = Object::new();
    let Yaml::Mapping(pairs) = mapping else { return object };
    for (key, item) in pairs {
        match scalar(key, reading) {
            Some(Scalar::Text(name)) if name == "<<" && reading == Reading::Psych && is_merge(key, item) => {
                merge(item, &mut |mapping| {
                    for (name, value) in self::object(mapping, reading) {
                        object.insert(name, value);
                    }
                });
            }
            Some(Scalar::Text(name)) => _ = object.insert(&*name, value(item, reading)),
            _ => _ = object.insert(text::ruby_to_s(&value(key, reading)), value(item, reading)),
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    fn read_as(text: &str, reading: Reading) -> String {
        let mut entries = Entries::default();
        read(text, reading, 1000, &mut entries).unwrap();
        let mut event = crate::event::Event::new();
        event.data_mut().insert("d", Value::from(entries.as_object().clone()));
        testkit::fields(&event)
    }

    #[test]
    fn merge_keys_and_anchors() {
        let text = "base: &b {x: 1, y: yes}\nmore:\n  <<: *b\n  y: 0x10\n<<: [{one: 1}, {two: 2}]\n";
        assert_eq!(
            read_as(text, Reading::Psych),
            r#"{"d":{"base":{"x":1,"y":true},"more":{"x":1,"y":16},"one":1,"two":2}}"#
        );
    }

    #[test]
    fn every_outermost_mapping_counts() {
        assert_eq!(
            read_as("- a: 1\n- b: {a: 2}\n---\nc: 3\n", Reading::Psych),
            r#"{"d":{"a":1,"b":{"a":2},"c":3}}"#
        );
        assert_eq!(read_as("- a: 1\n- b: 2\n---\nc: 3\n", Reading::Streaming), r#"{"d":{"a":1}}"#);
        assert_eq!(read_as("", Reading::Psych), r#"{"d":{}}"#);
        assert_eq!(read_as("just text", Reading::Streaming), r#"{"d":{}}"#);
    }

    #[test]
    fn the_limit_counts_characters() {
        let mut entries = Entries::default();
        assert!(read("a: é", Reading::Psych, 4, &mut entries).is_ok());
        assert!(matches!(read("a: éx", Reading::Psych, 4, &mut entries), Err(YamlError::TooLong(4))));
    }
}
