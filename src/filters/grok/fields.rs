//! How a capture becomes a field.

use crate::event::{Event, FieldReference, InvalidReference, Object, Root, SetError, TAGS, TIMESTAMP, Value};
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
    /// A field of the event for which there are no rules of its own.
    ordinary: bool,
}

impl Destination {
    /// The field of a capture, below `target` if there is one.
    pub fn new(field: &str, target: Option<&str>, overwrite: &[String]) -> Self {
        let place = match target {
            Some(target) => FieldReference::parse(&format!("{target}[{field}]")),
            None => FieldReference::parse(field),
        };
        let ordinary = place.as_ref().is_ok_and(|place| {
            let first = place.parents().first().unwrap_or(place.last());
            place.root() == Root::Data && first.name != TAGS && first.name != TIMESTAMP
        });
        Destination { field: place, overwrite: overwrite.iter().any(|name| name == field), ordinary }
    }

    /// Stores a value as the plugin's `handle` does: text and arrays that are there are added to, null is replaced,
    /// and everything else stays as it is.
    pub fn store(&self, event: &mut Event, value: Value) -> Result<(), Failure> {
        let field = self.field.as_ref().map_err(|invalid| Failure::Reference(invalid.clone()))?;
        let mut value = value;
        if !self.overwrite {
            if self.ordinary {
                value = match push(event.data_mut(), field, value) {
                    None => return Ok(()),
                    Some(value) => value,
                };
            }
            match event.get_mut(field) {
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

/// Adds a new field, by far the most usual case, in one walk; gives the value back where it takes more.
fn push(root: &mut Object, field: &FieldReference, value: Value) -> Option<Value> {
    const USUAL_FIELDS: usize = 4;
    let mut at = root;
    for segment in field.parents() {
        let child = at.get_or_push(&segment.name, || Value::from(Object::with_capacity(USUAL_FIELDS)));
        let Some(Value::Object(object)) = child else { return Some(value) };
        at = object;
    }
    if at.contains_key(&field.last().name) {
        return Some(value);
    }
    at.push_new(field.last().name.clone(), value);
    None
}
