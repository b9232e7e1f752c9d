//! Lookups: queries against the local tables, one after another for every event (`lookup.rb`).

use super::hash;
use super::local::Local;
use crate::event::{Event, FieldReference, Object, Template, Value};
use crate::plugin::{ConfigKind, ConfigValue, Pairs};
use crate::sql::{Dialect, Statement, Writing, runs_on};

/// The tags of a lookup.
#[derive(Debug, Clone)]
pub(super) struct Tags {
    pub failure: Vec<String>,
    pub default_use: Vec<String>,
}

pub(super) struct Lookup {
    id: String,
    /// Whether the target has a name of its own.
    targeted: bool,
    target: FieldReference,
    statement: Statement,
    parameters: Vec<Parameter>,
    writing: Writing,
    default: Option<Value>,
    tags: Tags,
}

/// What a parameter is made of. An event without it is not looked up.
enum Parameter {
    Field(FieldReference),
    Text(Template),
}

const KEYS: &[&str] = &[
    "id",
    "query",
    "parameters",
    "prepared_parameters",
    "target",
    "default_hash",
    "tag_on_failure",
    "tag_on_default_use",
];

impl Lookup {
    /// Reads the hash with that number; the tags are those of the filter, unless it has some of its own.
    pub fn read(pairs: &Pairs, number: usize, tags: &Tags) -> Result<Self, String> {
        hash::only(pairs, KEYS)?;
        let id = hash::text(pairs, "id")?.unwrap_or_else(|| format!("lookup-{number}"));
        let target = hash::text(pairs, "target")?;
        let targeted = target.is_some();
        let target = target.as_deref().unwrap_or(&id);
        let target =
            FieldReference::parse(target).map_err(|_| format!("\"{target}\" is not a field reference"))?;
        let query = hash::required(pairs, "query")?;
        let (named, positional) = (hash::get(pairs, "parameters"), hash::get(pairs, "prepared_parameters"));
        let (statement, parameters) = match (named, positional) {
            (Some(_), Some(_)) => {
                return Err("\"parameters\" and \"prepared_parameters\" exclude each other".into());
            }
            (None, Some(given)) => positional_parameters(&query, given)?,
            (named, None) => named_parameters(&query, named)?,
        };
        let default = match hash::get(pairs, "default_hash").map(|value| &value.kind) {
            None => None,
            Some(ConfigKind::Hash(pairs)) => {
                let row: Object =
                    pairs.iter().map(|(name, value)| (name.as_str(), value.to_value())).collect();
                (!pairs.is_empty()).then(|| Value::Array(vec![row.into()]))
            }
            Some(_) => return Err("\"default_hash\" must be a hash".into()),
        };
        let tags = Tags {
            failure: hash::texts(pairs, "tag_on_failure")?.unwrap_or_else(|| tags.failure.clone()),
            default_use: hash::texts(pairs, "tag_on_default_use")?
                .unwrap_or_else(|| tags.default_use.clone()),
        };
        Ok(Lookup { id, targeted, target, statement, parameters, writing: Local::writing(), default, tags })
    }

    /// Looks up and sets the rows. Returns whether nothing went wrong.
    pub fn enhance(&self, local: Option<&Local>, event: &mut Event) -> bool {
        let rows = match self.rows(local, event) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(lookup = %self.id, error, "a lookup in a local table failed");
                self.tags.failure.iter().for_each(|tag| event.tag(tag));
                return false;
            }
        };
        let value = match &self.default {
            Some(default) if rows.is_empty() => {
                self.tags.default_use.iter().for_each(|tag| event.tag(tag));
                default.clone()
            }
            _ => Value::Array(rows),
        };
        if let Err(error) = event.set(&self.target, value) {
            // Logstash stops the pipeline here.
            tracing::warn!(lookup = %self.id, %error, "could not set the rows of a lookup");
            event.tag("_jdbc_staticerror");
            return false;
        }
        true
    }

    fn rows(&self, local: Option<&Local>, event: &Event) -> Result<Vec<Value>, String> {
        let local = local.ok_or("the local tables are not there yet")?;
        let values = self.parameters.iter().map(|parameter| parameter.value(event));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let sql = self.statement.render(&values, &self.writing).map_err(|error| error.to_string())?;
        runs_on(local.fetch(&sql)).map_err(|error| error.to_string())
    }
}

impl Parameter {
    fn read(value: &ConfigValue) -> Result<Self, String> {
        let ConfigKind::Text(text) = &value.kind else {
            return Err(format!(
                "a parameter must be a field or text with %{{field}} in it, got {}",
                value.describe()
            ));
        };
        let has_reference = text
            .split_once("%{")
            .is_some_and(|(_, rest)| rest.split_once('}').is_some_and(|(name, _)| !name.is_empty()));
        if has_reference {
            return Ok(Parameter::Text(Template::parse(text)));
        }
        let field =
            FieldReference::parse(text).map_err(|_| format!("\"{text}\" is not a field reference"))?;
        Ok(Parameter::Field(field))
    }

    /// The value for an event. A missing field, an array and an object are none.
    fn value(&self, event: &Event) -> Result<Value, String> {
        match self {
            Parameter::Field(field) => match event.get(field) {
                None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
                    Err(format!("the parameter {field} is not in the event, or is no single value"))
                }
                Some(value) => Ok(value.clone()),
            },
            Parameter::Text(template) => {
                let text = template.render(event).map_err(|error| error.to_string())?;
                if text == template.source() {
                    return Err(format!("the parameter {text} is not in the event"));
                }
                Ok(Value::from(text))
            }
        }
    }
}

type Parsed = (Statement, Vec<Parameter>);

fn named_parameters(query: &str, given: Option<&ConfigValue>) -> Result<Parsed, String> {
    let pairs = match given.map(|value| &value.kind) {
        None => &[][..],
        Some(ConfigKind::Hash(pairs)) => pairs,
        Some(_) => return Err("\"parameters\" must be a hash".into()),
    };
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    let parameters = pairs.iter().map(|(_, value)| Parameter::read(value)).collect::<Result<_, _>>()?;
    Ok((Statement::named(query, Dialect::Sqlite, &names), parameters))
}

fn positional_parameters(query: &str, given: &ConfigValue) -> Result<Parsed, String> {
    let ConfigKind::Array(given) = &given.kind else {
        return Err("\"prepared_parameters\" must be an array".into());
    };
    let statement = Statement::positional(query, Dialect::Sqlite);
    if statement.parameters() != given.len() {
        let (marks, values) = (statement.parameters(), given.len());
        return Err(format!(
            "the query has {marks} placeholders (?), and {values} \"prepared_parameters\" are given"
        ));
    }
    Ok((statement, given.iter().map(Parameter::read).collect::<Result<_, _>>()?))
}

/// Neither two ids nor two targets may be the same.
pub(super) fn check_distinct(lookups: &[Lookup]) -> Result<(), String> {
    for (number, lookup) in lookups.iter().enumerate() {
        for earlier in lookups.iter().take(number) {
            if earlier.id == lookup.id {
                return Err(format!("the id \"{}\" is given twice", lookup.id));
            }
            if earlier.targeted && lookup.targeted && earlier.target == lookup.target {
                return Err(format!("\"{}\" and \"{}\" have the same target", earlier.id, lookup.id));
            }
        }
    }
    Ok(())
}
