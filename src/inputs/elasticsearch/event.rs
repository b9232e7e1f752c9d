//! Events of documents, aggregations and rows (`event_from_hit`, `set_docinfo_fields`, `esql.rb`).

use super::Options;
use crate::elasticsearch::{AskError, Column, columns};
use crate::event::{Event, FieldReference, Object, SetError, Value, json};
use crate::plugin::OptionReader;

const FAILURE: &str = "_elasticsearch_input_failure";

/// Makes events.
pub(super) struct Maker {
    target: Option<FieldReference>,
    /// The field for what is to tell of a document, and which fields these are.
    docinfo: Option<(FieldReference, Vec<String>)>,
    original: FieldReference,
}

/// Why there is no event as it should be.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Set(#[from] SetError),
    #[error(transparent)]
    Table(#[from] AskError),
    #[error("a document is a {0}, and no object")]
    Document(&'static str),
    #[error("the field of docinfo_target is there and is a {0}")]
    Docinfo(&'static str),
}

impl Maker {
    pub fn new(reader: &mut OptionReader<'_>, options: &Options) -> Option<Self> {
        let default = reader.ecs().select("@metadata", "[@metadata][input][elasticsearch]");
        let docinfo_target = match &options.docinfo_target {
            Some(target) => target.clone(),
            None => FieldReference::parse(default).ok()?,
        };
        if !options.docinfo {
            for option in ["docinfo_target", "docinfo_fields"] {
                reader.no_effect(option, "docinfo is false");
            }
        }
        Some(Maker {
            target: options.target.clone(),
            docinfo: options.docinfo.then(|| (docinfo_target, options.docinfo_fields.clone())),
            original: FieldReference::parse("[event][original]").ok()?,
        })
    }

    /// The event of a document, which stands in `root` of the hit.
    pub fn of_hit(&self, hit: Value, root: &str) -> Event {
        let Value::Object(mut hit) = hit else {
            return self.failed(&hit, &Failure::Document(hit.kind()));
        };
        let document = hit.remove(root).unwrap_or_default();
        match self.of_document(document.clone(), &hit) {
            Ok(event) => event,
            Err(error) => {
                hit.insert(root, document);
                self.failed(&Value::Object(hit), &error)
            }
        }
    }

    fn of_document(&self, document: Value, hit: &Object) -> Result<Event, Failure> {
        let mut event = match (&self.target, document) {
            (Some(target), document) => {
                let mut event = Event::new();
                event.set(target, document)?;
                event
            }
            (None, Value::Object(document)) => Event::from_object(*document)?,
            (None, Value::Null) => Event::new(),
            (None, other) => return Err(Failure::Document(other.kind())),
        };
        let Some((target, fields)) = &self.docinfo else { return Ok(event) };
        let mut told = match event.get(target) {
            None | Some(Value::Null) => Object::new(),
            Some(Value::Object(told)) => (**told).clone(),
            Some(other) => return Err(Failure::Docinfo(other.kind())),
        };
        for field in fields {
            told.insert(field.as_str(), hit.get(field).cloned().unwrap_or_default());
        }
        event.set(target, Value::from(told))?;
        Ok(event)
    }

    fn failed(&self, hit: &Value, error: &Failure) -> Event {
        tracing::warn!(%error, "a document makes no event as it should, it stands in [event][original]");
        let mut bytes = Vec::new();
        json::write_value(&mut bytes, hit);
        let mut event = Event::new();
        // Cannot fail: there is nothing in the way in a new event.
        _ = event.set(&self.original, String::from_utf8_lossy(&bytes).into_owned());
        event.tag(FAILURE);
        event
    }

    /// The events of the rows that an ES|QL query found.
    pub fn of_table(&self, answer: &Value) -> Result<Vec<Event>, AskError> {
        let part = |name: &str| answer.as_object().and_then(|answer| answer.get(name));
        let (Some(Value::Array(described)), Some(Value::Array(rows))) = (part("columns"), part("values"))
        else {
            return Ok(Vec::new());
        };
        let columns = columns(described)?;
        let left_out: Vec<&str> = columns
            .iter()
            .filter(|column| column.is_below_another)
            .map(|column| column.name.as_str())
            .collect();
        if !left_out.is_empty() {
            tracing::warn!(columns = ?left_out, "columns below others are left out: RENAME them in the query");
        }
        let events = rows.iter().map(|row| {
            self.of_row(&columns, row).unwrap_or_else(|error| {
                tracing::warn!(%error, "a row makes no event as it should");
                let mut event = Event::new();
                event.data_mut().insert("columns", Value::Array(described.clone()));
                event.data_mut().insert("values", Value::Array(vec![row.clone()]));
                event.tag(FAILURE);
                event
            })
        });
        Ok(events.collect())
    }

    fn of_row(&self, columns: &[Column], row: &Value) -> Result<Event, Failure> {
        let mut event = Event::new();
        for (column, value) in columns.iter().zip(row.as_array().unwrap_or_default()) {
            let Some(value) = column.read(value)? else { continue };
            match &self.target {
                None => event.assign(&column.field, value)?,
                Some(target) => {
                    let field = column.name.split('.').fold(target.clone(), |at, step| at.child(step));
                    event.assign(&field, value)?;
                }
            }
        }
        Ok(event)
    }
}
