//! Dictionaries: what stands in the config or in a YAML, JSON or CSV file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::csv::{self, CsvError};
use super::yaml::{self, Reading, YamlError};
use crate::event::json::{self, Decimals, JsonError};
use crate::event::{Object, Value};

/// What a dictionary maps, in order.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    texts: Object,
    /// The first key that is no text: no value ever equals it, and no regular expression can be made of it.
    other_key: Option<String>,
    /// The keys whose values hold a Ruby Date.
    dates: BTreeSet<String>,
}

impl Entries {
    pub fn insert(&mut self, key: String, value: Value) {
        self.dates.remove(&key);
        self.texts.insert(key, value);
    }

    /// Notes that a key's value holds a date, which Ruby can compare but no event can hold.
    pub fn note_date(&mut self, key: &str) {
        self.dates.insert(key.to_owned());
    }

    pub fn holds_date(&self, key: &str) -> bool {
        self.dates.contains(key)
    }

    pub fn note_other_key(&mut self, shown: &str) {
        self.other_key.get_or_insert_with(|| shown.to_owned());
    }

    pub fn other_key(&self) -> Option<&str> {
        self.other_key.as_deref()
    }

    pub fn as_object(&self) -> &Object {
        &self.texts
    }
}

impl FromIterator<(String, Value)> for Entries {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        Entries { texts: entries.into_iter().collect(), ..Entries::default() }
    }
}

/// Why a file is no dictionary. The messages follow its path.
#[derive(Debug, thiserror::Error)]
pub enum DictionaryError {
    #[error("{0}")]
    Read(#[from] std::io::Error),
    #[error("it is not UTF-8")]
    Encoding,
    #[error("{0}")]
    Yaml(#[from] YamlError),
    #[error("{0}")]
    Json(#[from] JsonError),
    #[error("a JSON dictionary is an object, this is a {0}")]
    NotAnObject(&'static str),
    #[error("{0}")]
    Csv(#[from] CsvError),
}

/// A dictionary's file and how it is read.
#[derive(Debug, Clone)]
pub struct DictionaryFile {
    pub path: PathBuf,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Yaml(Reading, usize),
    Json,
    Csv,
}

impl DictionaryFile {
    /// Whether the name is that of a YAML file.
    pub fn is_yaml(path: &Path) -> bool {
        let path = path.to_string_lossy();
        path.ends_with(".yml") || path.ends_with(".yaml")
    }

    /// The format follows from the name's ending; nothing for other endings. `limit` is in characters.
    pub fn new(path: PathBuf, reading: Reading, limit: usize) -> Option<Self> {
        let name = path.to_string_lossy();
        let format = match () {
            () if Self::is_yaml(&path) => Format::Yaml(reading, limit),
            () if name.ends_with(".json") => Format::Json,
            () if name.ends_with(".csv") => Format::Csv,
            () => return None,
        };
        drop(name);
        Some(DictionaryFile { path, format })
    }

    /// When the file was last written.
    pub fn modified(&self) -> std::io::Result<SystemTime> {
        fs::metadata(&self.path)?.modified()
    }

    /// Adds what stands in the file to the entries there are.
    pub fn read(&self, entries: &mut Entries) -> Result<(), DictionaryError> {
        let bytes = fs::read(&self.path)?;
        let text = String::from_utf8(bytes).map_err(|_| DictionaryError::Encoding)?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        match self.format {
            Format::Yaml(reading, limit) => yaml::read(text, reading, limit, entries)?,
            Format::Csv => csv::read(text, entries)?,
            Format::Json if text.is_empty() => {}
            Format::Json => match json::parse(text, Decimals::Exact)? {
                Value::Object(object) => {
                    object
                        .into_iter()
                        .for_each(|(key, value)| entries.insert(key.into(), value.deep_clone()));
                }
                other => return Err(DictionaryError::NotAnObject(other.kind())),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &[u8]) -> Result<Entries, DictionaryError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let mut entries = Entries::default();
        DictionaryFile::new(path, Reading::Psych, 1000).unwrap().read(&mut entries)?;
        Ok(entries)
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        for (name, content) in [("d.json", "{\"a\":1}"), ("d.csv", "a,1"), ("d.yaml", "a: 1")] {
            let entries = read(name, format!("\u{FEFF}{content}").as_bytes()).unwrap();
            assert!(entries.as_object().contains_key("a"), "{name}");
        }
    }

    #[test]
    fn what_is_no_dictionary() {
        assert!(matches!(read("d.json", b"[1]"), Err(DictionaryError::NotAnObject("array"))));
        assert!(matches!(read("d.json", b"{"), Err(DictionaryError::Json(_))));
        assert!(matches!(read("d.csv", b"a,\xff"), Err(DictionaryError::Encoding)));
        assert!(DictionaryFile::new("d.txt".into(), Reading::Psych, 1).is_none());
    }
}
