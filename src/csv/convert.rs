//! `Conversion`: the types of the option `convert` (`CONVERTERS` of logstash-filter-csv, which calls those of Ruby's CSV).

use std::borrow::Cow;

use super::date;
use super::reader::Field;
use crate::event::{Value, numbers, ruby_text};
use crate::plugin::choices;

choices! {
    /// What a column is converted to. What cannot be converted stays text.
    pub enum Conversion {
        Integer = "integer",
        Float = "float",
        Date = "date",
        DateTime = "date_time",
        Boolean = "boolean",
    }
}

/// A value without text was to be a boolean, which fails its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an empty column cannot be converted to a boolean")]
pub struct NotText;

impl Conversion {
    /// Converts a value of a row.
    ///
    /// # Errors
    /// When there is no text to make a boolean of; the other types leave null alone.
    pub fn apply(self, field: Field<'_>) -> Result<Value, NotText> {
        let Some(text) = field else {
            return if self == Conversion::Boolean { Err(NotText) } else { Ok(Value::Null) };
        };
        let converted = match self {
            Conversion::Integer => numbers::strict_integer(&text).map(Value::from_big_integer),
            Conversion::Float => numbers::float(&text).map(Value::Float),
            Conversion::Date => date::parse_date(&text).map(Value::Timestamp),
            Conversion::DateTime => date::parse_date_time(&text).map(Value::Timestamp),
            Conversion::Boolean => Some(to_boolean(&text)),
        };
        Ok(converted.unwrap_or_else(|| text_value(text)))
    }
}

/// A value of a row as it is.
pub(super) fn text_value(text: Cow<'_, str>) -> Value {
    match text {
        Cow::Borrowed(text) => Value::from(text),
        Cow::Owned(text) => Value::from(text),
    }
}

/// What is no boolean comes out without white space around it and in lower case.
fn to_boolean(text: &str) -> Value {
    let word = ruby_text::downcase(ruby_text::strip(text));
    match word.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::from(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_convert_stays() {
        let apply = |conversion: Conversion, text| conversion.apply(Some(Cow::Borrowed(text)));
        assert_eq!(apply(Conversion::Integer, " 12 "), Ok(Value::Int(12)));
        assert_eq!(apply(Conversion::Integer, "4.5"), Ok(Value::from("4.5")));
        assert_eq!(apply(Conversion::Float, "0x1A"), Ok(Value::Float(26.0)));
        assert_eq!(apply(Conversion::Float, ""), Ok(Value::from("")));
        assert_eq!(apply(Conversion::Boolean, " YES "), Ok(Value::from("yes")));
        assert_eq!(apply(Conversion::Date, "soon"), Ok(Value::from("soon")));
        assert_eq!(Conversion::Float.apply(None), Ok(Value::Null));
        assert_eq!(Conversion::Boolean.apply(None), Err(NotText));
    }
}
