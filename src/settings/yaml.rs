//! Reads logstash.yml and pipelines.yml into settings with their lines.
//!
//! Follows `LogStash::Settings#from_yaml` and `LogStash::Config::Source::MultiLocal`. Scalars stay as they are written: what they mean
//! is for the row of the setting to say.
use super::table;
use super::value::Raw;
use saphyr::{MarkedYaml, ScalarStyle, ScanError, YamlData, YamlLoader};
use saphyr_parser::Parser;

/// One `name: value` of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Dotted name: nested mappings are flattened.
    pub name: String,
    pub value: Raw,
    /// Line of the value, from 1.
    pub line: usize,
}

/// Why a file cannot be used; the messages follow a path.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    #[error("{} (line {}, column {})", .0.info(), .0.marker().line(), .0.marker().col() + 1)]
    Syntax(#[from] ScanError),
    #[error("settings must be `name: value` pairs (line {0})")]
    NotAMapping(usize),
    #[error("pipelines must be a list of `- pipeline.id: ...` entries (line {0})")]
    NotAList(usize),
    #[error("a list may only hold plain values (line {0})")]
    NestedList(usize),
}

/// The settings of a logstash.yml in file order. An empty file holds none.
pub fn settings(text: &str) -> Result<Vec<Entry>, YamlError> {
    let mut entries = Vec::new();
    match document(text)? {
        Some(node) => flatten(&node, "", true, &mut entries)?,
        None => return Ok(entries),
    }
    Ok(entries)
}

/// The entries of a pipelines.yml, each with its settings. An empty file holds none.
pub fn pipelines(text: &str) -> Result<Vec<Vec<Entry>>, YamlError> {
    let Some(node) = document(text)? else { return Ok(Vec::new()) };
    let YamlData::Sequence(items) = &node.data else {
        return Err(YamlError::NotAList(node.span.start.line()));
    };
    let mut pipelines = Vec::with_capacity(items.len());
    for item in items {
        let mut entries = Vec::new();
        flatten(item, "", false, &mut entries)?;
        pipelines.push(entries);
    }
    Ok(pipelines)
}

/// The first document, or `None` when it is empty.
fn document(text: &str) -> Result<Option<MarkedYaml<'_>>, YamlError> {
    let mut loader = YamlLoader::default();
    loader.early_parse(false);
    loader.allow_duplicate_keys(true);
    Parser::new_from_str(text).load(&mut loader, false)?;
    if let Some(error) = loader.error() {
        return Err(error.clone().into());
    }
    let node = loader.into_documents().into_iter().next();
    Ok(node.filter(|node| scalar(node) != Some(Raw::Null)))
}

/// Appends the settings of a mapping; `deep` also those of the mappings inside, with dotted names.
fn flatten(
    node: &MarkedYaml<'_>,
    prefix: &str,
    deep: bool,
    entries: &mut Vec<Entry>,
) -> Result<(), YamlError> {
    let YamlData::Mapping(mapping) = &node.data else {
        return Err(YamlError::NotAMapping(node.span.start.line()));
    };
    for (key, value) in mapping {
        let line = key.span.start.line();
        let Some(Raw::Text(key) | Raw::Plain(key)) = scalar(key) else {
            return Err(YamlError::NotAMapping(line));
        };
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match &value.data {
            YamlData::Mapping(_) if deep => flatten(value, &name, deep, entries)?,
            YamlData::Mapping(_) => return Err(YamlError::NotAMapping(value.span.start.line())),
            YamlData::Sequence(items) => {
                let read: Result<_, _> = items.iter().map(list_item).collect();
                let value = match read {
                    Ok(items) => Raw::List(items),
                    // It is refused by its name, whatever stands in it: `modules` is a list of mappings.
                    Err(_) if is_removed(&name) => Raw::Null,
                    Err(error) => return Err(error),
                };
                entries.push(Entry { name, value, line });
            }
            _ => entries.push(Entry { name, value: scalar(value).unwrap_or(Raw::Null), line }),
        }
    }
    Ok(())
}

fn is_removed(name: &str) -> bool {
    table::find(name).is_some_and(|setting| matches!(setting.support, table::Support::Removed(_)))
}

fn list_item(item: &MarkedYaml<'_>) -> Result<String, YamlError> {
    match scalar(item) {
        Some(Raw::Text(text) | Raw::Plain(text)) => Ok(text),
        _ => Err(YamlError::NestedList(item.span.start.line())),
    }
}

/// The text of a scalar; unquoted `~`, `null` and nothing at all are null.
fn scalar(node: &MarkedYaml<'_>) -> Option<Raw> {
    match &node.data {
        YamlData::Representation(text, ScalarStyle::Plain, _) => Some(match text.as_ref() {
            "" | "~" | "null" | "Null" | "NULL" => Raw::Null,
            text => Raw::Plain(text.to_owned()),
        }),
        YamlData::Representation(text, ..) => Some(Raw::Text(text.clone().into_owned())),
        YamlData::Tagged(_, node) => scalar(node),
        YamlData::BadValue => Some(Raw::Null),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(name: &str, value: &str, line: usize) -> Entry {
        Entry { name: name.to_owned(), value: Raw::Plain(value.to_owned()), line }
    }

    #[test]
    fn flat_and_nested_names_are_one() {
        let text = "# comment\npipeline.workers: 2\npipeline:\n  batch:\n    size: 125\n    delay: '50'\n";
        let entries = settings(text).expect("the file is well formed");
        let quoted = Entry { name: "pipeline.batch.delay".into(), value: Raw::Text("50".into()), line: 6 };
        assert_eq!(
            entries,
            [plain("pipeline.workers", "2", 2), plain("pipeline.batch.size", "125", 5), quoted]
        );
    }

    #[test]
    fn null_lists_and_empty_files() {
        let entries = settings("path.config:\npath.plugins: [a, 'b']\n").expect("the file is well formed");
        let values: Vec<_> = entries.into_iter().map(|entry| entry.value).collect();
        assert_eq!(values, [Raw::Null, Raw::List(vec!["a".into(), "b".into()])]);
        for empty in ["", "# only a comment\n", "---\n"] {
            assert_eq!(settings(empty).expect("an empty file is well formed"), []);
            assert!(pipelines(empty).expect("an empty file is well formed").is_empty());
        }
    }

    #[test]
    fn pipelines_are_a_list_of_flat_mappings() {
        let text = "- pipeline.id: a\n  path.config: /a\n- pipeline.id: b\n";
        let found = pipelines(text).expect("the file is well formed");
        let second = [plain("pipeline.id", "b", 3)];
        assert_eq!(found.len(), 2);
        assert_eq!(found.get(1).map(Vec::as_slice), Some(second.as_slice()));
        assert!(matches!(pipelines("pipeline.id: a"), Err(YamlError::NotAList(1))));
        assert!(matches!(pipelines("- pipeline:\n    id: a"), Err(YamlError::NotAMapping(2))));
    }

    #[test]
    fn broken_files_say_where() {
        let error = settings("a: 1\nb: [1\n").expect_err("the list is not closed");
        assert!(error.to_string().contains("line "), "{error}");
        assert!(matches!(settings("- a"), Err(YamlError::NotAMapping(1))));
        assert!(matches!(settings("a: [[1]]"), Err(YamlError::NestedList(1))));
        let modules =
            settings("modules:\n  - name: arcsight\n").expect("it is read, and refused by its name");
        assert_eq!(modules[0].name, "modules");
    }
}
