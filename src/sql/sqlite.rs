//! Rows of SQLite, whose values have types of their own; a column's declared type tells dates and booleans.

use sqlx::sqlite::{Sqlite, SqliteRow, SqliteValueRef};
use sqlx::{Column, Decode, Row, TypeInfo, ValueRef};

use super::SqlError;
use super::database::{Reading, time_or_text, unreadable};
use crate::event::{Object, Timestamp, Value};

pub(super) fn row(row: &SqliteRow, reading: &Reading) -> Result<Object, SqlError> {
    let mut fields = Object::with_capacity(row.len());
    for (number, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(number).map_err(unreadable)?;
        let declared = column.type_info().name();
        let value = value(raw, declared, reading).map_err(|error| unreadable(sqlx::Error::Decode(error)))?;
        fields.insert(column.name(), value);
    }
    Ok(fields)
}

fn value(
    raw: SqliteValueRef<'_>,
    declared: &str,
    reading: &Reading,
) -> Result<Value, sqlx::error::BoxDynError> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let stored = raw.type_info().name().to_owned();
    Ok(match stored.as_str() {
        "INTEGER" => {
            let number = <i64 as Decode<Sqlite>>::decode(raw)?;
            match declared {
                "BOOLEAN" => Value::Bool(number != 0),
                // SQLite's JDBC driver keeps times as milliseconds.
                "DATETIME" | "DATE" => Value::Timestamp(Timestamp::from_millis(number)),
                _ => Value::Int(number),
            }
        }
        "REAL" => Value::Float(<f64 as Decode<Sqlite>>::decode(raw)?),
        "BLOB" => {
            let bytes = <&[u8] as Decode<Sqlite>>::decode(raw)?;
            Value::from(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => {
            let bytes = <&[u8] as Decode<Sqlite>>::decode(raw)?;
            let text = String::from_utf8_lossy(bytes);
            let time = match declared {
                "DATETIME" | "DATE" => {
                    reading.clock.read_timestamp(&text).or_else(|| reading.clock.read_date(&text))
                }
                "TIME" => reading.clock.read_time(&text),
                _ => None,
            };
            time_or_text(time, &text)
        }
    })
}
