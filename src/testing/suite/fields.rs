//! Field references in test-case files (`internal/testcase/helper.go`), and fields as the value of add_field
//! (`internal/logstash/fieldset.go`).

use std::collections::BTreeMap;
use std::fmt;

use super::super::raw::Raw;
use crate::language::Span;
use crate::plugin::{ConfigKind, ConfigValue};

/// The keys that lead to a field: those between the brackets of `[a][b]`, or a name as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    pub fn parse(text: &str) -> Path {
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let names: Vec<String> =
            inner.map_or_else(Vec::new, |inner| inner.split("][").map(str::to_owned).collect());
        let is_name = |name: &String| !name.is_empty() && !name.contains(['[', ']', ',']);
        match names.is_empty() || !names.iter().all(is_name) {
            true => Path(vec![text.to_owned()]),
            false => Path(names),
        }
    }

    /// Takes the field out, and the objects around it that are empty then.
    pub fn remove_from(&self, raw: &mut Raw) {
        remove(&self.0, raw);
    }

    fn is_plain(&self) -> bool {
        self.0.len() == 1
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [name] => f.write_str(name),
            names => names.iter().try_for_each(|name| write!(f, "[{name}]")),
        }
    }
}

fn remove(names: &[String], raw: &mut Raw) {
    let (Raw::Map(map), Some((name, rest))) = (raw, names.split_first()) else { return };
    if rest.is_empty() {
        map.remove(name);
        return;
    }
    let Some(inner) = map.get_mut(name) else { return };
    remove(rest, inner);
    if matches!(inner, Raw::Map(map) if map.is_empty()) {
        map.remove(name);
    }
}

/// Turns keys such as `[a][b]` into nested objects, at every level.
pub fn expand(raw: Raw) -> Raw {
    let Raw::Map(map) = raw else { return raw };
    let mut expanded = BTreeMap::new();
    for (key, value) in map {
        insert(&mut expanded, &Path::parse(&key).0, expand(value));
    }
    Raw::Map(expanded)
}

fn insert(map: &mut BTreeMap<String, Raw>, names: &[String], value: Raw) {
    let Some((name, rest)) = names.split_first() else { return };
    if rest.is_empty() {
        match (map.get_mut(name), value) {
            (Some(Raw::Map(there)), Raw::Map(more)) => there.extend(more),
            (_, value) => _ = map.insert(name.clone(), value),
        }
        return;
    }
    let inner = map.entry(name.clone()).or_insert_with(|| Raw::Map(BTreeMap::new()));
    if !matches!(inner, Raw::Map(_)) {
        *inner = Raw::Map(BTreeMap::new());
    }
    if let Raw::Map(inner) = inner {
        insert(inner, rest, value);
    }
}

/// Does the same to a line of JSON; a line that needs nothing, or is not JSON, stays as it is.
pub fn expand_line(line: &mut String) {
    let Ok(raw) = Raw::parse(line) else { return };
    if has_references(&raw) {
        *line = expand(raw).to_json();
    }
}

fn has_references(raw: &Raw) -> bool {
    match raw {
        Raw::Map(map) => map.iter().any(|(key, value)| {
            !Path::parse(key).is_plain() || key.starts_with('[') || has_references(value)
        }),
        _ => false,
    }
}

/// Fields as the hash of an `add_field`: nested ones by their references.
///
/// # Errors
/// A value that add_field cannot have, by its field.
pub fn add_field(fields: &BTreeMap<String, Raw>) -> Result<ConfigValue, String> {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        flatten(std::slice::from_ref(name), value, &mut pairs)?;
    }
    Ok(ConfigValue { kind: ConfigKind::Hash(pairs), span: Span::default() })
}

fn flatten(path: &[String], value: &Raw, pairs: &mut Vec<(String, ConfigValue)>) -> Result<(), String> {
    let Raw::Map(map) = value else {
        let name = Path(path.to_vec()).to_string();
        let value = literal(value).map_err(|what| format!("\"fields\": {name} cannot be {what}"))?;
        pairs.push((name, value));
        return Ok(());
    };
    for (name, value) in map {
        let mut path = path.to_vec();
        path.push(name.clone());
        flatten(&path, value, pairs)?;
    }
    Ok(())
}

/// A value as a config would write it.
fn literal(value: &Raw) -> Result<ConfigValue, &'static str> {
    let kind = match value {
        Raw::Text(text) => ConfigKind::Text(text.clone()),
        Raw::Bool(flag) => ConfigKind::Text(flag.to_string()),
        Raw::Number(number) => match (number.parse(), number.parse()) {
            (Ok(integer), _) => ConfigKind::Integer(integer),
            (_, Ok(float)) => ConfigKind::Float(float),
            _ => ConfigKind::Text(number.clone()),
        },
        Raw::List(items) => ConfigKind::Array(items.iter().map(literal).collect::<Result<_, _>>()?),
        Raw::Map(_) => return Err("an object inside a list"),
        Raw::Null => return Err("null"),
    };
    Ok(ConfigValue { kind, span: Span::default() })
}
