//! What becomes of an event: one value, the elements of an array, or a field in each hash of an array is translated.

use std::borrow::Cow;

use super::lookup::{Date, Lookup};
use crate::event::{Event, FieldReference, InvalidReference, SetError, SprintfError, Template, Value, text};

/// Where values are found, and where their translations go.
#[derive(Debug)]
pub struct Update {
    pub place: Place,
    pub fallback: Option<Template>,
    pub overwrite: bool,
}

/// The option iterate_on decides which of the three it is.
#[derive(Debug)]
pub enum Place {
    Single { source: FieldReference, target: FieldReference },
    Values { source: FieldReference, target: FieldReference },
    Maps(Maps),
}

/// The hashes of an array, each with a field to translate.
#[derive(Debug)]
pub struct Maps {
    array: FieldReference,
    /// The names as written, with brackets.
    array_name: String,
    source: String,
    target: String,
    /// The references into the first elements: source and target.
    first: Vec<(FieldReference, FieldReference)>,
}

/// How many elements have their references parsed at load.
const PARSED_AHEAD: usize = 16;

/// An event that could not be translated.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Set(#[from] SetError),
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Date(#[from] Date),
}

impl Maps {
    /// Takes the names as the config writes them.
    pub fn new(array: &str, source: &str, target: &str) -> Result<Self, InvalidReference> {
        let bracketed = |name: &str| match name.starts_with('[') && name.ends_with(']') {
            true => name.to_owned(),
            false => format!("[{name}]"),
        };
        let mut maps = Maps {
            array: FieldReference::parse(array)?,
            array_name: bracketed(array),
            source: bracketed(source),
            target: bracketed(target),
            first: Vec::new(),
        };
        maps.first = (0..PARSED_AHEAD).map(|index| maps.references(index)).collect::<Result<_, _>>()?;
        Ok(maps)
    }

    fn references(&self, index: usize) -> Result<(FieldReference, FieldReference), InvalidReference> {
        let Maps { array_name, source, target, .. } = self;
        Ok((
            FieldReference::parse(&format!("{array_name}[{index}]{source}"))?,
            FieldReference::parse(&format!("{array_name}[{index}]{target}"))?,
        ))
    }
}

impl Update {
    /// Whether there is anything to translate in the event, and room for it.
    pub fn concerns(&self, event: &Event) -> bool {
        match &self.place {
            Place::Single { source, target } | Place::Values { source, target } => {
                (self.overwrite || !event.contains(target)) && event.contains(source)
            }
            Place::Maps(maps) => event.contains(&maps.array),
        }
    }

    /// Translates, and says whether anything was found or fell back.
    pub fn apply(&self, event: &mut Event, lookup: &Lookup) -> Result<bool, Failure> {
        match &self.place {
            Place::Single { source, target } => {
                let found = match event.get(source) {
                    Some(Value::Array(items)) => {
                        lookup.find(&text_of(items.first().unwrap_or(&Value::Null)))?
                    }
                    Some(value) => lookup.find(&text_of(value))?,
                    None => None,
                };
                self.set_or_fall_back(event, target, found)
            }
            Place::Values { source, target } => self.apply_to_values(event, lookup, source, target),
            Place::Maps(maps) => self.apply_to_maps(event, lookup, maps),
        }
    }

    fn set_or_fall_back(
        &self,
        event: &mut Event,
        target: &FieldReference,
        found: Option<Value>,
    ) -> Result<bool, Failure> {
        let value = match (found, &self.fallback) {
            (Some(value), _) => value,
            (None, Some(fallback)) => Value::from(fallback.render(event)?),
            (None, None) => return Ok(false),
        };
        event.assign(target, value)?;
        Ok(true)
    }

    fn apply_to_values(
        &self,
        event: &mut Event,
        lookup: &Lookup,
        source: &FieldReference,
        target: &FieldReference,
    ) -> Result<bool, Failure> {
        let fallback = match &self.fallback {
            Some(fallback) => Value::from(fallback.render(event)?),
            None => Value::Null,
        };
        let found =
            |value: &Value| Ok::<_, Date>(lookup.find(&text_of(value))?.unwrap_or_else(|| fallback.clone()));
        let translated: Vec<Value> = match event.get(source) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.iter().map(found).collect::<Result<_, _>>()?,
            // Ruby's Array(hash): its pairs.
            Some(Value::Object(object)) => object
                .iter()
                .map(|(key, value)| found(&Value::Array(vec![Value::from(key), value.clone()])))
                .collect::<Result<_, _>>()?,
            Some(value) => vec![found(value)?],
        };
        let any = translated.iter().any(|value| !matches!(value, Value::Null | Value::Bool(false)));
        event.assign(target, Value::Array(translated))?;
        Ok(any)
    }

    fn apply_to_maps(&self, event: &mut Event, lookup: &Lookup, maps: &Maps) -> Result<bool, Failure> {
        let count = match event.get(&maps.array) {
            None | Some(Value::Null) => 0,
            Some(Value::Array(items)) => items.len(),
            Some(Value::Object(object)) => object.len(),
            Some(_) => 1,
        };
        let mut any = false;
        for index in 0..count {
            let parsed;
            let (source, target) = match maps.first.get(index) {
                Some(references) => references,
                None => {
                    parsed = maps.references(index)?;
                    &parsed
                }
            };
            let found = match event.get(source) {
                None | Some(Value::Null) => continue,
                Some(value) => lookup.find(&text_of(value))?,
            };
            any |= self.set_or_fall_back(event, target, found)?;
        }
        Ok(any)
    }
}

/// Ruby's `to_s`.
fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Str(text) => Cow::Borrowed(text),
        other => Cow::Owned(text::ruby_to_s(other)),
    }
}
