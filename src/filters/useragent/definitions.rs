//! Files of patterns in the format of uap-core's `regexes.yaml`.

use saphyr::{ScanError, Yaml, YamlLoader};
use saphyr_parser::Parser;

/// The patterns of a file, in the order they are tried.
#[derive(Debug, Default)]
pub struct Definitions {
    pub agents: Vec<Definition>,
    pub systems: Vec<Definition>,
    pub devices: Vec<Definition>,
}

/// One entry: a pattern, and what to write instead of what its groups captured.
#[derive(Debug, Default)]
pub struct Definition {
    pub regex: String,
    /// `regex_flag: 'i'`
    pub ignore_case: bool,
    /// `family_replacement`, `os_replacement` or `device_replacement`
    pub family: Option<String>,
    /// `v1_replacement`, `v2_replacement`, `v3_replacement`; for systems with `os_` before. The plugin knows no others.
    pub version: [Option<String>; 3],
}

/// Why a file is none of patterns.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    #[error("{} at line {} column {}", .0.info(), .0.marker().line(), .0.marker().col() + 1)]
    Syntax(#[from] ScanError),
    #[error("{0} is missing: expected the format of uap-core's regexes.yaml")]
    Missing(&'static str),
    #[error("entry {at} of {section} has no regex")]
    NoRegex { section: &'static str, at: usize },
}

impl Definitions {
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let mut loader = YamlLoader::default();
        loader.early_parse(false);
        loader.allow_duplicate_keys(true);
        Parser::new_from_str(text).load(&mut loader, false)?;
        if let Some(error) = loader.error() {
            return Err(error.clone().into());
        }
        let documents: Vec<Yaml<'_>> = loader.into_documents();
        let file = documents.first();
        let os = ["os_v1_replacement", "os_v2_replacement", "os_v3_replacement"];
        let agent = ["v1_replacement", "v2_replacement", "v3_replacement"];
        Ok(Definitions {
            agents: section(file, "user_agent_parsers", "family_replacement", agent)?,
            systems: section(file, "os_parsers", "os_replacement", os)?,
            devices: section(file, "device_parsers", "device_replacement", [""; 3])?,
        })
    }
}

fn section(
    file: Option<&Yaml<'_>>,
    name: &'static str,
    family: &str,
    version: [&str; 3],
) -> Result<Vec<Definition>, DefinitionError> {
    let Some(Yaml::Sequence(entries)) = file.and_then(|file| get(file, name)) else {
        return Err(DefinitionError::Missing(name));
    };
    let read = |(at, entry): (usize, &Yaml<'_>)| {
        let text = |key: &str| get(entry, key).and_then(text);
        let regex = text("regex").ok_or(DefinitionError::NoRegex { section: name, at: at + 1 })?;
        Ok(Definition {
            regex,
            ignore_case: text("regex_flag").as_deref() == Some("i"),
            family: text(family),
            version: version.map(text),
        })
    };
    entries.iter().enumerate().map(read).collect()
}

fn get<'n, 'y>(mapping: &'n Yaml<'y>, key: &str) -> Option<&'n Yaml<'y>> {
    let Yaml::Mapping(pairs) = mapping else { return None };
    pairs
        .iter()
        .find(|(name, _)| matches!(name, Yaml::Representation(name, ..) if name == key))
        .map(|(_, item)| item)
}

fn text(node: &Yaml<'_>) -> Option<String> {
    match node {
        Yaml::Representation(text, ..) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sections_of_a_file() {
        let text = "user_agent_parsers:\n  - regex: '(A)''s'\n    family_replacement: \"$1\\t\"\nos_parsers:\n  \
                    - regex: 'b'\n    os_v1_replacement: 7\ndevice_parsers:\n  - {regex: c, regex_flag: 'i'}\n";
        let found = Definitions::parse(text).unwrap();
        let [agent] = found.agents.as_slice() else { panic!("{found:?}") };
        assert_eq!((agent.regex.as_str(), agent.family.as_deref()), ("(A)'s", Some("$1\t")));
        assert_eq!(found.systems.first().and_then(|os| os.version[0].as_deref()), Some("7"));
        assert!(found.devices.first().is_some_and(|device| device.ignore_case));
    }

    #[test]
    fn what_is_no_such_file() {
        let error = |text: &str| Definitions::parse(text).unwrap_err().to_string();
        assert!(error("").contains("user_agent_parsers is missing"));
        assert!(error("user_agent_parsers: []\nos_parsers: x").contains("os_parsers is missing"));
        assert!(
            error("user_agent_parsers:\n  - family_replacement: x").contains("entry 1 of user_agent_parsers")
        );
        assert!(error("user_agent_parsers: [").contains("line "));
    }
}
