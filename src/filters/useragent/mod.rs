//! Filter `useragent`: tells browser, system and device from a user agent's text (logstash-filter-useragent).

mod agent;
mod definitions;
mod rules;

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use quick_cache::sync::Cache;

use crate::event::{Event, FieldReference, InvalidReference, SetError, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Problem, Spec, options};

use agent::{Agent, AgentParser};
use definitions::Definitions;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "useragent",
    summary: "Tells browser, operating system and device from a user agent's text.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { useragent { source => "agent" } }"#,
        input: &[r#"{"agent":"curl/8.4.0"}"#],
        output: &[
            r#"{"agent":"curl/8.4.0","user_agent":{"name":"curl","version":"8.4.0","device":{"name":"Other"},"os":{"name":"Other","full":"Other"}},"@metadata":{"filter":{"user_agent":{"version":{"major":"8","minor":"4","patch":"0"}}}}}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(UserAgent::build(reader)?))),
};

options! {
    #[derive(Debug)]
    struct Options {
        /// Field that holds the user agent. Of an array the first element counts.
        source: FieldReference,
        /// Field that gets what is found: `[user_agent]`, or the event itself without ECS.
        target: Option<String>,
        /// File with patterns in the format of uap-core's regexes.yaml, instead of those that are built in.
        regexes: Option<PathBuf>,
        /// Put before the names of the fields, without ECS.
        prefix: String = "",
        /// How many user agents are kept with what was found.
        lru_cache_size: usize = 100000,
    }
}

/// The patterns of uap-core that the package ua-parser carries.
const BUILT_IN: &str = include_str!(concat!(env!("OUT_DIR"), "/uap-core-regexes.yaml"));

/// The parser of the built-in patterns, made for the first filter that needs it.
fn built_in() -> Result<Arc<AgentParser>, String> {
    static PARSER: LazyLock<Result<Arc<AgentParser>, String>> = LazyLock::new(|| read(BUILT_IN));
    PARSER.clone()
}

fn read(text: &str) -> Result<Arc<AgentParser>, String> {
    let definitions = Definitions::parse(text).map_err(|error| error.to_string())?;
    let parser = AgentParser::new(definitions);
    parser.map(Arc::new).map_err(|error| format!("{}: {error}", error.pattern()))
}

struct UserAgent {
    source: FieldReference,
    /// The source is the target too: it makes room.
    in_place: bool,
    fields: Fields,
    parser: Arc<AgentParser>,
    known: Cache<Box<str>, Arc<Agent>>,
}

/// Where each part goes.
#[derive(Debug)]
struct Fields {
    name: FieldReference,
    version: FieldReference,
    /// Major, minor, patch.
    parts: [FieldReference; 3],
    device: FieldReference,
    os_name: FieldReference,
    /// The name once more, where it stood before there was ECS.
    legacy_os_name: Option<FieldReference>,
    os_full: FieldReference,
    os_version: FieldReference,
    os_parts: [FieldReference; 3],
}

/// An event of which the user agent could not be told.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("a {0} is no user agent")]
    NoText(&'static str),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl UserAgent {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let ecs = reader.ecs();
        if ecs.is_enabled() && !options.prefix.is_empty() {
            let message = "option \"prefix\" of the useragent filter has no effect: it is for ecs_compatibility => disabled";
            reader.report(Problem::warning(reader.span("prefix"), message).label("remove this"));
        }
        if options.lru_cache_size == 0 {
            reader.error("lru_cache_size", "expected a number above 0, got 0");
            return None;
        }
        let target = options.target.as_deref().unwrap_or(ecs.select("", "[user_agent]"));
        let fields = match ecs.is_enabled() {
            true => Fields::ecs(target),
            false => Fields::legacy(target, &options.prefix),
        };
        let fields = fields.map_err(|error| reader.error("target", error.to_string())).ok()?;
        let parser = match &options.regexes {
            None => built_in().map_err(|error| reader.error("source", error)).ok()?,
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
                let parser = text.and_then(|text| read(&text));
                parser
                    .map_err(|error| reader.error("regexes", format!("{}: {error}", path.display())))
                    .ok()?
            }
        };
        let source = reader.value("source").and_then(|source| source.as_single()?.scalar_text());
        Some(UserAgent {
            in_place: source == options.target,
            source: options.source,
            fields,
            parser,
            known: Cache::new(options.lru_cache_size),
        })
    }

    fn run(&self, event: &mut Event) -> Result<Outcome, Failure> {
        let text = match event.get(&self.source) {
            Some(Value::Array(items)) => items.first(),
            value => value,
        };
        let text = match text {
            None | Some(Value::Null) => return Ok(Outcome::Unmatched),
            Some(Value::Str(text)) if text.is_empty() => return Ok(Outcome::Unmatched),
            Some(Value::Object(object)) if object.is_empty() => return Ok(Outcome::Unmatched),
            Some(Value::Array(items)) if items.is_empty() => return Ok(Outcome::Unmatched),
            Some(Value::Str(text)) => text,
            Some(other) => return Err(Failure::NoText(other.kind())),
        };
        let agent = self.known.get(&**text).unwrap_or_else(|| {
            let agent = Arc::new(self.parser.parse(text));
            self.known.insert(text.as_str().into(), Arc::clone(&agent));
            agent
        });
        if self.in_place {
            event.remove(&self.source);
        }
        self.fields.set(event, &agent)?;
        Ok(Outcome::Matched)
    }
}

impl Fields {
    fn ecs(target: &str) -> Result<Self, InvalidReference> {
        let below = below(target)?;
        let metadata = FieldReference::parse("[@metadata][filter][user_agent]")?;
        let parts =
            |of: FieldReference| ["major", "minor", "patch"].map(|part| of.child("version").child(part));
        let os = below("os");
        Ok(Fields {
            name: below("name"),
            version: below("version"),
            parts: parts(metadata.clone()),
            device: below("device").child("name"),
            os_name: os.child("name"),
            legacy_os_name: None,
            os_full: os.child("full"),
            os_version: os.child("version"),
            os_parts: parts(metadata.child("os")),
        })
    }

    fn legacy(target: &str, prefix: &str) -> Result<Self, InvalidReference> {
        let below = below(target)?;
        let field = |name: &str| below(&format!("{prefix}{name}"));
        Ok(Fields {
            name: field("name"),
            version: field("version"),
            parts: ["major", "minor", "patch"].map(field),
            device: field("device"),
            os_name: field("os_name"),
            legacy_os_name: Some(field("os")),
            os_full: field("os_full"),
            os_version: field("os_version"),
            os_parts: ["os_major", "os_minor", "os_patch"].map(field),
        })
    }

    fn set(&self, event: &mut Event, agent: &Agent) -> Result<(), SetError> {
        event.assign(&self.name, agent.name.as_str())?;
        event.assign(&self.device, agent.device.as_str())?;
        set_parts(event, &self.parts, &agent.parts)?;
        if let Some(version) = &agent.version {
            event.assign(&self.version, version.as_str())?;
        }
        let os = &agent.os;
        set_parts(event, &self.os_parts, &os.parts)?;
        event.assign(&self.os_name, os.name.as_str())?;
        if let Some(field) = &self.legacy_os_name {
            event.assign(field, os.name.as_str())?;
        }
        match &os.version {
            Some(version) => {
                event.assign(&self.os_version, version.as_str())?;
                event.assign(&self.os_full, format!("{} {version}", os.name))
            }
            None => event.assign(&self.os_full, os.name.as_str()),
        }
    }
}

/// Makes references below the target; below the event itself where it is empty.
fn below(target: &str) -> Result<impl Fn(&str) -> FieldReference, InvalidReference> {
    let target = if target.is_empty() { None } else { Some(FieldReference::parse(target)?) };
    Ok(move |name: &str| match &target {
        Some(target) => target.child(name),
        None => FieldReference::top_level(name),
    })
}

fn set_parts(
    event: &mut Event,
    fields: &[FieldReference; 3],
    parts: &[Option<String>; 4],
) -> Result<(), SetError> {
    for (field, part) in fields.iter().zip(parts) {
        if let Some(part) = part {
            event.assign(field, part.as_str())?;
        }
    }
    Ok(())
}

impl Filter for UserAgent {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        self.run(event).unwrap_or_else(|error| {
            // Logstash stops the pipeline here.
            tracing::warn!(%error, source = %self.source, "could not tell a user agent");
            event.tag("_useragenterror");
            Outcome::Failed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_pattern_compiles() {
        let definitions = Definitions::parse(BUILT_IN).unwrap();
        let all = [definitions.agents, definitions.systems, definitions.devices];
        assert!(all.iter().all(|section| section.len() > 100));
        for definition in all.iter().flatten() {
            let builder = crate::regex::Regex::builder(&definition.regex).ignore_case(definition.ignore_case);
            assert!(builder.build().is_ok(), "{}", definition.regex);
        }
    }

    #[test]
    fn an_unset_prefix_and_an_empty_target_leave_fields_at_the_top() {
        let fields = Fields::legacy("", "ua_").unwrap();
        assert_eq!(fields.os_full.as_top_level(), Some("ua_os_full"));
        let fields = Fields::ecs("").unwrap();
        assert_eq!(fields.name.as_top_level(), Some("name"));
        assert_eq!(Fields::ecs("[a][b]").unwrap().device.to_string(), "[a][b][device][name]");
        assert!(Fields::ecs("[a").is_err());
    }
}
