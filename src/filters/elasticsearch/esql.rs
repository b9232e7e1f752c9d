//! Searches by an ES|QL query, which finds a table (`esql_executor.rb`).

use std::sync::LazyLock;

use regex::Regex;

use super::searcher::Searcher;
use super::{Failure, Options};
use crate::elasticsearch::{Ask, Column, columns};
use crate::event::{Event, FieldReference, Key, Object, Value, json};
use crate::plugin::{ConfigKind, ConfigValue, OptionReader};

pub(super) struct Esql {
    query: String,
    /// Parameters taken from events come first, as in Logstash.
    parameters: Vec<(String, Parameter)>,
    target: Option<FieldReference>,
    total_values: FieldReference,
}

enum Parameter {
    Field(FieldReference),
    Fixed(Value),
}

/// The parameters in a query; their names, which start with a letter. `None` could only come from a mistake in the
/// patterns.
static PLACEHOLDER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\?([A-Za-z_][A-Za-z0-9_]*)").ok());
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[a-z_][a-z0-9_]*$").ok());

impl Esql {
    pub fn build(options: &Options, reader: &mut OptionReader<'_>) -> Option<Self> {
        let Some(query) = options.query.clone() else {
            reader.error("query", "it is required with query_type => \"esql\"");
            return None;
        };
        let given = options.query_params.as_ref().map_or_else(|| Some(Vec::new()), parameters);
        let Some(given) = given else {
            reader.error("query_params", "it must be a hash, or an array of hashes with one entry each");
            return None;
        };
        let (mut from_fields, mut fixed) = (Vec::new(), Vec::new());
        for (name, value) in given {
            if !NAME.as_ref().is_some_and(|pattern| pattern.is_match(&name)) {
                let message =
                    format!("\"{name}\" is no name: a letter, then letters, digits and underscores");
                reader.error("query_params", message);
            }
            match value.as_str().filter(|text| text.starts_with('[') && text.ends_with(']')) {
                Some(reference) => match FieldReference::parse(reference) {
                    Ok(field) => from_fields.push((name, Parameter::Field(field))),
                    Err(_) => {
                        reader.error("query_params", format!("\"{reference}\" is not a field reference"))
                    }
                },
                None => fixed.push((name, Parameter::Fixed(value))),
            }
        }
        from_fields.append(&mut fixed);
        for found in PLACEHOLDER.iter().flat_map(|pattern| pattern.captures_iter(&query)) {
            let (_, [name]) = found.extract();
            if !from_fields.iter().any(|(known, _)| known == name) {
                reader.error("query", format!("query_params gives no value for ?{name}"));
            }
        }
        let target = match &options.target {
            Some(target) => Some(FieldReference::parse(&format!("[{target}]")).ok()?),
            None => {
                tracing::warn!(
                    "an elasticsearch filter without target takes only the first row that it finds"
                );
                None
            }
        };
        let total_values = FieldReference::parse("[@metadata][total_values]").ok()?;
        Some(Esql { query, parameters: from_fields, target, total_values })
    }

    /// Always a match, like in Logstash, unless it fails.
    pub fn search(&self, searcher: &Searcher, event: &mut Event) -> Result<bool, Failure> {
        let parameters = self.parameters.iter().map(|(name, parameter)| {
            let value = match parameter {
                Parameter::Field(field) => event.get(field).cloned().unwrap_or_default(),
                Parameter::Fixed(value) => value.clone(),
            };
            Value::from([(Key::from(name.as_str()), value)].into_iter().collect::<Object>())
        });
        let mut body = Object::new();
        body.insert("query", Value::from(self.query.as_str()));
        body.insert("params", Value::Array(parameters.collect()));
        let mut bytes = Vec::new();
        json::write_object(&mut bytes, &body);
        let (answer, headers) = searcher
            .ask(&Ask::post(&["_query"], bytes).with("format", "json").with("drop_null_columns", "true"))?;
        if let Some(warning) = headers.get("warning").and_then(|warning| warning.to_str().ok()) {
            tracing::warn!(warning, "elasticsearch warns of an ES|QL query");
        }
        self.keep(&answer, event)?;
        Ok(true)
    }

    fn keep(&self, answer: &Value, event: &mut Event) -> Result<(), Failure> {
        let part = |name: &str| {
            let part = answer.as_object().and_then(|answer| answer.get(name)).and_then(Value::as_array);
            part.unwrap_or_default()
        };
        let rows = part("values");
        let columns: Vec<Column> = columns(part("columns"))?;
        if rows.is_empty() || columns.is_empty() {
            return Ok(());
        }
        event.assign(&self.total_values, Value::Int(i64::try_from(rows.len()).unwrap_or(i64::MAX)))?;
        match &self.target {
            Some(target) => {
                let rows = rows.iter().map(|row| nested(&columns, row)).collect::<Result<Vec<_>, _>>()?;
                event.assign(target, Value::Array(rows))?;
            }
            None => {
                for (column, value) in
                    columns.iter().zip(rows.first().and_then(Value::as_array).unwrap_or_default())
                {
                    if let Some(value) = column.read(value)? {
                        event.assign(&column.field, value)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A row as an object, with the dots in names as steps; null for a row without values.
fn nested(columns: &[Column], row: &Value) -> Result<Value, Failure> {
    let mut holder = Event::new();
    holder.data_mut().retain(|_, _| false);
    for (column, value) in columns.iter().zip(row.as_array().unwrap_or_default()) {
        if let Some(value) = column.read(value)? {
            holder.set(&column.field, value)?;
        }
    }
    let object = std::mem::take(holder.data_mut());
    Ok(if object.is_empty() { Value::Null } else { Value::from(object) })
}

/// The parameters of a hash, or of hashes with one entry each.
fn parameters(value: &ConfigValue) -> Option<Vec<(String, Value)>> {
    let of = |pairs: &[(String, ConfigValue)]| -> Vec<(String, Value)> {
        pairs.iter().map(|(name, value)| (name.clone(), value.to_value())).collect()
    };
    match &value.kind {
        ConfigKind::Hash(pairs) => Some(of(pairs)),
        ConfigKind::Array(items) => {
            let mut all = Vec::new();
            for item in items {
                match &item.kind {
                    ConfigKind::Hash(pairs) if pairs.len() == 1 => all.extend(of(pairs)),
                    _ => return None,
                }
            }
            Some(all)
        }
        _ => None,
    }
}
