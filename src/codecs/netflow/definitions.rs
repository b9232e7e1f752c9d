//! The fields' names and types: the tables that come with the program, and files in YAML that change them.

use std::collections::HashMap;
use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};

use super::kind::FieldKind;

const NETFLOW: &str = include_str!("netflow_fields.txt");
const IPFIX: &str = include_str!("ipfix_fields.txt");

/// A field: its type and, unless it is skipped, its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub kind: FieldKind,
    pub name: Box<str>,
}

/// Fields by their number, and those of IPFIX by their enterprise; NetFlow has enterprise 0 alone.
#[derive(Debug, Default)]
pub struct Definitions(HashMap<u32, HashMap<u16, Definition>>);

impl Definitions {
    /// The fields of NetFlow 9; those of the file replace or join them. Fails where the file cannot be read.
    pub fn netflow(file: Option<&Path>) -> Result<Self, String> {
        let mut definitions = Self::parse(NETFLOW);
        if let Some(file) = file {
            let fields = fields(&load(file)?).map_err(|error| format!("{}: {error}", file.display()))?;
            definitions.0.entry(0).or_default().extend(fields);
        }
        Ok(definitions)
    }

    /// The fields of IPFIX; an enterprise of the file replaces the whole of that enterprise.
    pub fn ipfix(file: Option<&Path>) -> Result<Self, String> {
        let mut definitions = Self::parse(IPFIX);
        if let Some(file) = file {
            let fail = |error: String| format!("{}: {error}", file.display());
            let document = load(file)?;
            let enterprises =
                document.as_mapping().ok_or_else(|| fail("not a hash of enterprises".into()))?;
            for (enterprise, section) in enterprises {
                let enterprise = number(enterprise).map_err(fail)?;
                definitions.0.insert(enterprise, fields(section).map_err(fail)?);
            }
        }
        Ok(definitions)
    }

    pub fn get(&self, enterprise: u32, field: u16) -> Option<&Definition> {
        self.0.get(&enterprise)?.get(&field)
    }

    fn parse(table: &str) -> Self {
        let mut definitions = Definitions::default();
        let mut enterprise = 0;
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if first == "enterprise" {
                enterprise = second.parse().unwrap_or(0);
            } else if let (Ok(field), Some(kind)) = (first.parse(), FieldKind::named(second)) {
                let name = words.next().unwrap_or_default().into();
                definitions.0.entry(enterprise).or_default().insert(field, Definition { kind, name });
            }
        }
        definitions
    }
}

fn load(file: &Path) -> Result<Yaml<'static>, String> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| fail(&error))?;
    let documents = Yaml::load_from_str(&text).map_err(|error| fail(&error))?;
    let document = documents.into_iter().next().ok_or_else(|| fail(&"the file is empty"))?;
    Ok(owned(&document))
}

/// A copy that does not borrow from the file's text.
fn owned(yaml: &Yaml<'_>) -> Yaml<'static> {
    match yaml {
        Yaml::Mapping(entries) => {
            Yaml::Mapping(entries.iter().map(|(key, value)| (owned(key), owned(value))).collect())
        }
        Yaml::Sequence(items) => Yaml::Sequence(items.iter().map(owned).collect()),
        Yaml::Value(Scalar::Integer(number)) => Yaml::Value(Scalar::Integer(*number)),
        Yaml::Value(Scalar::String(text)) => Yaml::Value(Scalar::String(text.to_string().into())),
        _ => Yaml::Value(Scalar::Null),
    }
}

/// The fields of a hash such as `{ 5: [":uint8", ":src_tos"], 0: [":skip"] }`.
fn fields(section: &Yaml<'_>) -> Result<HashMap<u16, Definition>, String> {
    let entries = section.as_mapping().ok_or("not a hash of fields")?;
    entries
        .iter()
        .map(|(key, definition)| {
            let field = number(key)?;
            let items = definition.as_sequence().map(Vec::as_slice).unwrap_or_default();
            let text = |at: usize| items.get(at).and_then(word).unwrap_or_default();
            let (kind, name) = (text(0), text(1));
            let known = FieldKind::named(&kind).filter(|_| !items.is_empty());
            let kind = known.ok_or_else(|| format!("field {field}: \"{kind}\" is no type of a field"))?;
            if name.is_empty() && kind != FieldKind::Skip {
                return Err(format!("field {field} has no name; write e.g. [:uint32, :name]"));
            }
            Ok((field, Definition { kind, name: name.trim_start_matches(':').into() }))
        })
        .collect()
}

fn number<N: TryFrom<i64>>(yaml: &Yaml<'_>) -> Result<N, String> {
    let number = yaml.as_integer().and_then(|number| N::try_from(number).ok());
    number.ok_or_else(|| "a number of a field or an enterprise was expected".to_owned())
}

fn word(yaml: &Yaml<'_>) -> Option<String> {
    match yaml {
        Yaml::Value(Scalar::Integer(number)) => Some(number.to_string()),
        Yaml::Value(Scalar::String(text)) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_a_field() {
        for (table, definitions) in
            [(NETFLOW, Definitions::netflow(None).unwrap()), (IPFIX, Definitions::ipfix(None).unwrap())]
        {
            let lines = table.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
            let fields = definitions.0.values().map(HashMap::len).sum::<usize>();
            assert_eq!(lines.count(), fields);
            let mut all = definitions.0.values().flat_map(HashMap::values);
            assert!(all.all(|field| field.name.is_empty() == (field.kind == FieldKind::Skip)));
        }
    }

    #[test]
    fn files_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.yaml");
        for (text, part) in [
            ("", "empty"),
            ("- 1", "hash"),
            ("x: [4, :a]", "number"),
            ("1: [:nosuch, :a]", "nosuch"),
            ("1: [:uint8]", "name"),
            ("1: {", "x.yaml"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Definitions::netflow(Some(&file)).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(Definitions::ipfix(Some(&folder.path().join("none"))).is_err());
    }
}
