//! Reading the hashes that the options of this filter are made of.

use crate::plugin::{ConfigKind, ConfigValue, OptionReader, Pairs};

/// Reads every hash of an option. What is wrong with each is noted, with its number.
pub(super) fn each<T>(
    reader: &mut OptionReader<'_>,
    option: &'static str,
    hashes: &[Pairs],
    mut read: impl FnMut(&mut OptionReader<'_>, usize, &Pairs) -> Result<T, String>,
) -> Option<Vec<T>> {
    let mut items = Vec::with_capacity(hashes.len());
    for (number, pairs) in hashes.iter().enumerate() {
        match read(reader, number + 1, pairs) {
            Ok(item) => items.push(item),
            Err(error) => reader.error(option, format!("entry {}: {error}", number + 1)),
        }
    }
    (items.len() == hashes.len()).then_some(items)
}

/// A value of a hash.
pub(super) fn get<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a ConfigValue> {
    pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// A text of a hash.
pub(super) fn text(pairs: &Pairs, name: &str) -> Result<Option<String>, String> {
    match get(pairs, name).map(|value| &value.kind) {
        None => Ok(None),
        Some(ConfigKind::Text(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("\"{name}\" must be a string")),
    }
}

/// A text that must be there.
pub(super) fn required(pairs: &Pairs, name: &str) -> Result<String, String> {
    text(pairs, name)?.ok_or_else(|| format!("a \"{name}\" is missing"))
}

/// Texts: an array of them, or one alone.
pub(super) fn texts(pairs: &Pairs, name: &str) -> Result<Option<Vec<String>>, String> {
    let Some(value) = get(pairs, name) else { return Ok(None) };
    let texts: Option<Vec<_>> = value.as_list().iter().map(ConfigValue::scalar_text).collect();
    texts.map(Some).ok_or_else(|| format!("\"{name}\" must be an array of strings"))
}

/// That there is nothing else in a hash.
pub(super) fn only(pairs: &Pairs, known: &[&str]) -> Result<(), String> {
    match pairs.iter().find(|(key, _)| !known.contains(key)) {
        Some((key, _)) => Err(format!("there is no \"{key}\"; there are: {}", known.join(", "))),
        None => Ok(()),
    }
}
