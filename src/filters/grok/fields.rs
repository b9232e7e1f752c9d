//! How a capture becomes a field.

use crate::event::{Event, FieldReference, InvalidReference, SetError, TAGS, TIMESTAMP, Value};
use crate::regex::SearchError;

/// Why the work on an event ended early. What had been stored before stays.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Reference(InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
    #[error(transparent)]
    Search(SearchError),
}

/// Where a capture goes.
#[derive(Debug)]
pub(super) struct Destination {
    field: Result<FieldReference, InvalidReference>,
    overwrite: bool,
}

impl Destination {
    /// The field of a capture, below `target` if there is one.
    pub fn new(field: &str, target: Option<&str>, overwrite: &[String]) -> Self {
        let place = match target {
            Some(target) => FieldReference::parse(&format!("{target}[{field}]")),
            None => FieldReference::parse(field),
        };
        Destination { field: place, overwrite: overwrite.iter().any(|name| name == field) }
    }

    /// Stores a value as the plugin's `handle` does: text and arrays that are there are added to, null is replaced,
    /// and everything else stays as it is.
    pub fn store(&self, event: &mut Event, value: Value) -> Result<(), Failure> {
        let field = self.field.as_ref().map_err(|invalid| Failure::Reference(invalid.clone()))?;
        if !self.overwrite {
            match event.get_mut(field) {
                // By far the most usual case: a new field, for which the event need not be searched again.
                None if field.as_top_level().is_some_and(|name| name != TAGS && name != TIMESTAMP) => {
                    event.data_mut().push_new(field.last().name.clone(), value);
                    return Ok(());
                }
                None | Some(Value::Null) => {}
                Some(Value::Array(items)) if field.as_top_level() != Some(TAGS) => {
                    items.push(value);
                    return Ok(());
                }
                Some(Value::Array(items)) => {
                    let mut items = items.clone();
                    items.push(value);
                    return Ok(event.assign(field, items)?);
                }
                Some(text @ Value::Str(_)) => {
                    let both = vec![text.clone(), value];
                    return Ok(event.assign(field, both)?);
                }
                Some(_) => return Ok(()),
            }
        }
        Ok(event.assign(field, value)?)
    }
}
