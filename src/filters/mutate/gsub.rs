//! Mutate's `gsub`: replacements by regular expression.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::field::{Failure, Field};
use crate::event::{Event, Template, Value};
use crate::plugin::OptionReader;
use crate::regex::Regex;

/// Patterns compiled for events that are kept: a pattern made from a field usually takes few values.
const KEPT_PATTERNS: usize = 64;

/// One entry of the option: what to replace in which field by what.
#[derive(Debug)]
pub(super) struct Gsub {
    field: Field,
    pattern: Pattern,
    replacement: Template,
}

#[derive(Debug)]
enum Pattern {
    Fixed(Regex),
    /// A pattern with `%{...}`, compiled for each event.
    Computed(Template, Mutex<HashMap<String, Arc<Regex>>>),
}

impl Gsub {
    /// Reads field, pattern and replacement in turn; what is wrong is reported.
    pub fn read(texts: &[String], reader: &mut OptionReader<'_>) -> Option<Vec<Self>> {
        let mut entries = Vec::new();
        let mut complete = true;
        for entry in texts.chunks(3) {
            let [field, pattern, replacement] = entry else {
                let message = format!(
                    "it takes three values for each replacement (field, pattern, replacement), but {} stand{} alone at the end",
                    entry.len(),
                    if entry.len() == 1 { "s" } else { "" },
                );
                reader.error("gsub", message);
                return None;
            };
            match Pattern::new(pattern) {
                Ok(pattern) => {
                    entries.push(Gsub {
                        field: Field::new(field),
                        pattern,
                        replacement: Template::parse(replacement),
                    });
                }
                Err(error) => {
                    reader.error("gsub", format!("invalid regular expression: {error}"));
                    complete = false;
                }
            }
        }
        complete.then_some(entries)
    }

    /// Replaces in a text, or in the texts of an array.
    pub fn apply(&self, event: &mut Event) -> Result<(), Failure> {
        let field = self.field.reference()?;
        let replaced = match event.get(field) {
            Some(Value::Str(text)) => self.replaced(event, text)?,
            Some(Value::Array(items)) => {
                let mut replaced = Vec::with_capacity(items.len());
                for item in items {
                    let new = match item {
                        Value::Str(text) => self.replaced(event, text)?,
                        _ => None,
                    };
                    replaced.push(new.unwrap_or_else(|| item.clone()));
                }
                Some(Value::Array(replaced))
            }
            _ => None,
        };
        match replaced {
            Some(value) => event.assign(field, value)?,
            None => {
                if let Some(value @ Value::Str(_)) = event.get(field) {
                    event.may_change(field, value)?;
                }
            }
        }
        Ok(())
    }

    fn replaced(&self, event: &Event, text: &str) -> Result<Option<Value>, Failure> {
        let replacement = self.replacement.render(event)?;
        let replaced = match &self.pattern {
            Pattern::Fixed(regex) => regex.replace_all(text, &replacement)?,
            Pattern::Computed(template, kept) => {
                compiled(&template.render(event)?, kept)?.replace_all(text, &replacement)?
            }
        };
        Ok(replaced.map(Value::from))
    }
}

impl Pattern {
    fn new(text: &str) -> Result<Self, crate::regex::Error> {
        match text.contains("%{") {
            true => Ok(Pattern::Computed(Template::parse(text), Mutex::default())),
            false => Ok(Pattern::Fixed(Regex::new(text)?)),
        }
    }
}

fn compiled(
    pattern: &str,
    kept: &Mutex<HashMap<String, Arc<Regex>>>,
) -> Result<Arc<Regex>, crate::regex::Error> {
    if let Some(regex) = kept.lock().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return Ok(regex.clone());
    }
    let regex = Arc::new(Regex::new(pattern)?);
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= KEPT_PATTERNS {
        kept.clear();
    }
    kept.insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}
