//! What a parameter of a statement is made of (`parameter_handler.rb`).

use crate::event::{Event, FieldReference, SprintfError, Template, Value};
use crate::plugin::{ConfigKind, ConfigValue};

#[derive(Debug)]
pub(super) enum Parameter {
    Field(FieldReference),
    Text(Template),
    Constant(Value),
}

impl Parameter {
    /// A value of `parameters`: a field, or text with `%{`...`}` in it.
    pub fn named(value: &ConfigValue) -> Result<Self, String> {
        match &value.kind {
            ConfigKind::Text(text) if has_reference(text) => Ok(Parameter::Text(Template::parse(text))),
            ConfigKind::Text(text) => field(text),
            _ => Err(format!("expected a field or text with %{{field}} in it, got {}", value.describe())),
        }
    }

    /// A value of `prepared_statement_bind_values`: `[field]`, text with `%{`...`}` in it, or a constant.
    pub fn bound(value: &ConfigValue) -> Result<Self, String> {
        match &value.kind {
            ConfigKind::Text(text) if has_reference(text) => Ok(Parameter::Text(Template::parse(text))),
            ConfigKind::Text(text) if is_bracketed(text) => field(text.trim()),
            _ => Ok(Parameter::Constant(value.to_value())),
        }
    }

    /// The value for an event; null for a field that is missing.
    pub fn value(&self, event: &Event) -> Result<Value, SprintfError> {
        Ok(match self {
            Parameter::Field(field) => event.get(field).cloned().unwrap_or_default(),
            Parameter::Text(template) => Value::from(template.render(event)?),
            Parameter::Constant(value) => value.clone(),
        })
    }
}

fn has_reference(text: &str) -> bool {
    text.split_once("%{").is_some_and(|(_, rest)| rest.contains('}'))
}

/// Nothing but `[name]`s.
fn is_bracketed(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('[')
        && text
            .split_terminator(']')
            .all(|part| part.trim_start().strip_prefix('[').is_some_and(|name| !name.is_empty()))
        && text.ends_with(']')
}

fn field(text: &str) -> Result<Parameter, String> {
    let field = FieldReference::parse(text).map_err(|_| format!("\"{text}\" is not a field reference"))?;
    Ok(Parameter::Field(field))
}
