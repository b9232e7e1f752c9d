//! Looking a text up in a dictionary.

use super::dictionary::Entries;
use crate::event::{Object, Value, text};
use crate::regex::Regex;

/// How keys meet a text: the options exact and regex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// A key equals the text.
    Exact,
    /// The first key that matches the text as a regular expression.
    Regex,
    /// Every key that occurs in the text is replaced by its value.
    Replace,
}

/// A key that cannot be used in this way of matching.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error("the key \"{key}\" is no regular expression: {error}")]
    Regex { key: String, error: crate::regex::Error },
    #[error("keys must be text here, and {0} is not; put it in quotes")]
    NotText(String),
}

/// A found value that no event can hold: YAML's dates become Ruby's, and setting a field to one raises.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("what the dictionary has for \"{0}\" holds a date, which no event can hold; put it in quotes")]
pub struct Date(String);

/// A dictionary, ready to look texts up in.
#[derive(Debug)]
pub struct Lookup {
    entries: Entries,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Exact,
    Each(Vec<Regex>),
    Union(Option<Regex>),
}

impl Lookup {
    pub fn new(entries: Entries, matching: Matching) -> Result<Self, LookupError> {
        if let Some(other) = entries.other_key().filter(|_| matching != Matching::Exact) {
            return Err(LookupError::NotText(other.to_owned()));
        }
        let compile = |pattern: &str| {
            Regex::new(pattern).map_err(|error| LookupError::Regex { key: pattern.to_owned(), error })
        };
        let keys = match matching {
            Matching::Exact => Keys::Exact,
            Matching::Regex => Keys::Each(entries.as_object().keys().map(compile).collect::<Result<_, _>>()?),
            Matching::Replace if entries.as_object().is_empty() => Keys::Union(None),
            Matching::Replace => {
                let literals: Vec<_> = entries.as_object().keys().map(Regex::escape).collect();
                Keys::Union(Some(compile(&literals.join("|"))?))
            }
        };
        Ok(Lookup { entries, keys })
    }

    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// What a text becomes. A text in which nothing was replaced by anything else was not found.
    pub fn find(&self, source: &str) -> Result<Option<Value>, Date> {
        let object = self.entries.as_object();
        let found = match &self.keys {
            Keys::Exact => object.get(source).map(|value| (source, value)),
            Keys::Each(regexes) => {
                let mut values = regexes.iter().zip(object.iter());
                values.find(|(regex, _)| regex.is_match(source)).map(|(_, pair)| pair)
            }
            Keys::Union(None) => return Ok(None),
            Keys::Union(Some(regex)) => {
                let replaced = replace(source, regex, object);
                return Ok((replaced != source).then(|| Value::from(replaced)));
            }
        };
        match found {
            Some((key, _)) if self.entries.holds_date(key) => Err(Date(key.to_owned())),
            found => Ok(found.map(|(_, value)| value.clone())),
        }
    }
}

fn replace(source: &str, keys: &Regex, object: &Object) -> String {
    let mut out = String::with_capacity(source.len());
    let mut end = 0;
    for found in keys.find_iter(source) {
        out.push_str(source.get(end..found.start()).unwrap_or_default());
        match object.get(found.as_str()) {
            Some(Value::Str(value)) => out.push_str(value),
            Some(value) => out.push_str(&text::ruby_to_s(value)),
            None => {}
        }
        end = found.end();
    }
    out.push_str(source.get(end..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(matching: Matching, entries: &[(&str, Value)]) -> Lookup {
        let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        Lookup::new(entries, matching).unwrap()
    }

    #[test]
    fn replacing_takes_keys_literally_and_in_order() {
        let keys = [("a.c", Value::Int(1)), ("ab", "X".into()), ("abc", "Y".into()), ("n", Value::Null)];
        let lookup = lookup(Matching::Replace, &keys);
        assert_eq!(lookup.find("abc a.c n").unwrap(), Some(Value::from("Xc 1 ")));
        assert_eq!(lookup.find("axc").unwrap(), None);
        assert_eq!(Lookup::new(Entries::default(), Matching::Replace).unwrap().find("x").unwrap(), None);
    }

    #[test]
    fn dates_are_found_and_cannot_be_set() {
        let mut entries: Entries = [("k".to_owned(), Value::from("2001-12-15"))].into_iter().collect();
        entries.note_date("k");
        let exact = Lookup::new(entries.clone(), Matching::Exact).unwrap();
        assert_eq!(exact.find("k"), Err(Date("k".to_owned())));
        assert_eq!(exact.find("x"), Ok(None));
        let replace = Lookup::new(entries, Matching::Replace).unwrap();
        assert_eq!(replace.find("on k"), Ok(Some(Value::from("on 2001-12-15"))));
    }

    #[test]
    fn the_first_matching_expression_wins() {
        let lookup = lookup(Matching::Regex, &[("^b", "1".into()), ("[ab]", "2".into())]);
        assert_eq!(lookup.find("ba").unwrap(), Some(Value::from("1")));
        assert_eq!(lookup.find("xa").unwrap(), Some(Value::from("2")));
        assert_eq!(lookup.find("x").unwrap(), None);
    }

    #[test]
    fn keys_that_are_no_text_or_no_expression() {
        let mut entries = Entries::default();
        entries.note_other_key("100");
        assert!(Lookup::new(entries.clone(), Matching::Exact).is_ok());
        let error = Lookup::new(entries, Matching::Regex).unwrap_err();
        assert!(error.to_string().contains("100"), "{error}");
        let broken: Entries = [("(".to_owned(), Value::Null)].into_iter().collect();
        assert!(Lookup::new(broken, Matching::Regex).unwrap_err().to_string().contains("\"(\""));
    }
}
