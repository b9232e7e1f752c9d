//! Tables: what an ES|QL query finds.

use super::AskError;
use crate::event::{FieldReference, Timestamp, Value};

/// A column of a table.
pub struct Column {
    pub name: String,
    /// The name, with the dots in it as steps.
    pub field: FieldReference,
    is_date: bool,
    /// Whether it lies below another column, which an event cannot hold beside it.
    pub is_below_another: bool,
}

impl Column {
    /// The value for the event; `None` for null, `false` and columns that are left out.
    ///
    /// # Errors
    /// A date that is none.
    pub fn read(&self, value: &Value) -> Result<Option<Value>, AskError> {
        match value {
            Value::Null | Value::Bool(false) => Ok(None),
            _ if self.is_below_another => Ok(None),
            Value::Str(text) if self.is_date => match Timestamp::parse(text) {
                Some(time) => Ok(Some(Value::Timestamp(time))),
                None => Err(AskError::Answer(format!("\"{text}\" in the column {} is no date", self.name))),
            },
            value => Ok(Some(value.clone())),
        }
    }
}

/// The columns of the list of descriptions in an answer.
///
/// # Errors
/// A column without a name or a type.
pub fn columns(described: &[Value]) -> Result<Vec<Column>, AskError> {
    let text = |column: &Value, what: &str| -> Result<String, AskError> {
        let text = column.as_object().and_then(|column| column.get(what)).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| AskError::Answer(format!("a column has no {what}")))
    };
    let names = described.iter().map(|column| text(column, "name")).collect::<Result<Vec<_>, _>>()?;
    let mut columns = Vec::with_capacity(names.len());
    for (name, column) in names.iter().zip(described) {
        let is_above = |other: &String| name.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'));
        columns.push(Column {
            name: name.clone(),
            field: FieldReference::parse(&format!("[{}]", name.replace('.', "][")))
                .map_err(|error| AskError::Answer(format!("the column {name}: {error}")))?,
            is_date: text(column, "type")? == "date",
            is_below_another: names.iter().any(is_above),
        });
    }
    Ok(columns)
}
