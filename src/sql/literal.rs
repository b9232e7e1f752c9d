//! Values as SQL literals, as Sequel writes them for each kind of database (`Sequel::Dataset#literal_append`).

use std::fmt::Write as _;

use super::Clock;
use crate::event::{Value, text};

/// The kinds of database, by what their SQL looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

/// How values are written.
#[derive(Debug, Clone)]
pub struct Writing {
    pub dialect: Dialect,
    /// The zone in which times are written.
    pub clock: Clock,
    /// Whether MySQL is given fractions of seconds.
    pub fractional_seconds: bool,
}

/// A value that no statement can hold.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LiteralError {
    #[error("a text with a NUL character cannot be part of a statement")]
    Nul,
    #[error("an object cannot be part of a statement")]
    Object,
    #[error("{0} cannot be part of a statement")]
    Number(f64),
    #[error("the time {0} cannot be part of a statement")]
    Time(crate::event::Timestamp),
}

impl Writing {
    pub fn new(dialect: Dialect, clock: Clock) -> Self {
        Writing { dialect, clock, fractional_seconds: false }
    }

    /// Appends a value. Arrays become lists for `IN`.
    pub fn push(&self, out: &mut String, value: &Value) -> Result<(), LiteralError> {
        match value {
            Value::Null => out.push_str("NULL"),
            Value::Bool(flag) => out.push_str(match (self.dialect, flag) {
                (Dialect::Postgres, true) => "true",
                (Dialect::Postgres, false) => "false",
                (_, true) => "1",
                (_, false) => "0",
            }),
            Value::Float(number) if !number.is_finite() => return Err(LiteralError::Number(*number)),
            Value::Int(_) | Value::Float(_) | Value::Big(_) => push_number(out, value),
            Value::Str(text) => self.push_text(out, text)?,
            Value::Timestamp(time) => {
                let (shown, offset) = self.clock.shows(*time).ok_or(LiteralError::Time(*time))?;
                out.push('\'');
                _ = write!(out, "{}", shown.strftime("%Y-%m-%d %H:%M:%S"));
                if self.dialect != Dialect::MySql || self.fractional_seconds {
                    _ = write!(out, ".{:06}", shown.subsec_nanosecond() / 1000);
                }
                if self.dialect == Dialect::Postgres {
                    let minutes = offset.abs() / 60;
                    let sign = if offset < 0 { '-' } else { '+' };
                    _ = write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60);
                }
                out.push('\'');
            }
            Value::Array(items) if items.is_empty() => out.push_str("(NULL)"),
            Value::Array(items) => {
                out.push('(');
                for (number, item) in items.iter().enumerate() {
                    out.push_str(if number > 0 { ", " } else { "" });
                    self.push(out, item)?;
                }
                out.push(')');
            }
            Value::Object(_) => return Err(LiteralError::Object),
        }
        Ok(())
    }

    /// No text gets out of its quotes: quotes are doubled, and backslashes are where they can mean something.
    fn push_text(&self, out: &mut String, value: &str) -> Result<(), LiteralError> {
        if value.contains('\0') {
            return Err(LiteralError::Nul);
        }
        let escapes = self.dialect != Dialect::Sqlite && value.contains('\\');
        if escapes && self.dialect == Dialect::Postgres {
            // The E form means the same whatever the server thinks of backslashes in plain literals.
            out.push_str(" E");
        }
        out.push('\'');
        for character in value.chars() {
            match character {
                '\'' => out.push_str("''"),
                '\\' if escapes => out.push_str("\\\\"),
                other => out.push(other),
            }
        }
        out.push('\'');
        Ok(())
    }
}

/// Appends a number as it may stand inside a text literal as well.
pub(super) fn push_number(out: &mut String, value: &Value) {
    match value {
        // Ruby writes `1.0e+20`, which every database reads.
        Value::Float(number) => text::push_ruby_float(out, *number),
        Value::Int(number) => _ = write!(out, "{number}"),
        Value::Big(big) => _ = write!(out, "{big}"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(dialect: Dialect, value: impl Into<Value>) -> Result<String, LiteralError> {
        let mut out = String::new();
        Writing::new(dialect, Clock::utc()).push(&mut out, &value.into()).map(|()| out)
    }

    #[test]
    fn texts_stay_in_their_quotes() {
        for (dialect, value, expected) in [
            (Dialect::Postgres, "O'Hara", "'O''Hara'"),
            (Dialect::Postgres, r"a\' OR 1=1 --", r" E'a\\'' OR 1=1 --'"),
            (Dialect::MySql, r"\' OR 1=1 -- ", r"'\\'' OR 1=1 -- '"),
            (Dialect::Sqlite, r"\' OR 1=1 --", r"'\'' OR 1=1 --'"),
        ] {
            assert_eq!(literal(dialect, value).unwrap(), expected);
        }
        assert_eq!(literal(Dialect::Postgres, "a\0b"), Err(LiteralError::Nul));
    }

    /// The formats are those of `default_timestamp_format` in Sequel's shared adapters.
    #[test]
    fn times_are_written_in_the_clocks_zone() {
        let time = crate::event::Timestamp::parse("2024-01-31T23:20:30.25Z").unwrap();
        for (dialect, expected) in [
            (Dialect::Postgres, "'2024-02-01 00:20:30.250000+0100'"),
            (Dialect::MySql, "'2024-02-01 00:20:30'"),
            (Dialect::Sqlite, "'2024-02-01 00:20:30.250000'"),
        ] {
            let mut out = String::new();
            let writing = Writing::new(dialect, Clock::parse("Europe/Berlin").unwrap());
            writing.push(&mut out, &Value::Timestamp(time)).unwrap();
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn other_values() {
        let list = Value::Array(vec![1.into(), "a".into(), Value::Null]);
        assert_eq!(literal(Dialect::MySql, list).unwrap(), "(1, 'a', NULL)");
        assert_eq!(literal(Dialect::MySql, Vec::<Value>::new()).unwrap(), "(NULL)");
        assert_eq!(literal(Dialect::Postgres, true).unwrap(), "true");
        assert_eq!(literal(Dialect::Sqlite, true).unwrap(), "1");
        assert_eq!(literal(Dialect::Sqlite, 1.5).unwrap(), "1.5");
        assert_eq!(literal(Dialect::Sqlite, crate::event::Object::new()), Err(LiteralError::Object));
        assert!(literal(Dialect::Sqlite, f64::NAN).is_err());
    }
}
