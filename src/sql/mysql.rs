//! Rows of MySQL and MariaDB, which come as text here, by the type of each column.

use sqlx::mysql::{MySql, MySqlRow};
use sqlx::{Column, Decode, Row, TypeInfo, ValueRef};

use super::SqlError;
use super::database::{Reading, decimal, integer, time_or_text, unreadable};
use crate::event::{Object, Value};

pub(super) fn row(row: &MySqlRow, reading: &Reading) -> Result<Object, SqlError> {
    let mut fields = Object::with_capacity(row.len());
    for (number, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(number).map_err(unreadable)?;
        let value = if raw.is_null() {
            Value::Null
        } else {
            let bytes = <&[u8] as Decode<MySql>>::decode(raw)
                .map_err(|error| unreadable(sqlx::Error::Decode(error)))?;
            value(bytes, column.type_info().name(), reading)
        };
        fields.insert(column.name(), value);
    }
    Ok(fields)
}

fn value(bytes: &[u8], type_name: &str, reading: &Reading) -> Value {
    if type_name == "BIT" {
        return bits(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let clock = &reading.clock;
    match type_name {
        // TINYINT(1), which Connector/J takes for a bit.
        "BOOLEAN" if reading.tiny_int_is_bit => Value::Bool(text != "0"),
        "FLOAT" | "DOUBLE" => text.parse::<f64>().map_or_else(|_| Value::from(&*text), Value::Float),
        "DECIMAL" => decimal(&text),
        // A day that there is not is null, as with zeroDateTimeBehavior=CONVERT_TO_NULL.
        "DATE" | "DATETIME" | "TIMESTAMP" if text.starts_with("0000-00-00") => Value::Null,
        "DATE" => time_or_text(clock.read_date(&text), &text),
        "DATETIME" | "TIMESTAMP" => time_or_text(clock.read_timestamp(&text), &text),
        "TIME" => time_or_text(clock.read_time(&text), &text),
        // Connector/J makes it the year's first day (yearIsDateType).
        "YEAR" => time_or_text(clock.read_date(&format!("{text}-01-01")), &text),
        name if name == "BOOLEAN" || name.contains("INT") && name != "POINT" => integer(&text),
        _ => Value::from(&*text),
    }
}

/// `BIT(1)` is a boolean; more of them are a number.
fn bits(bytes: &[u8]) -> Value {
    match bytes {
        [0] => Value::Bool(false),
        [1] => Value::Bool(true),
        bytes => Value::from_big_integer(num_bigint::BigInt::from_bytes_be(num_bigint::Sign::Plus, bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Clock;
    use super::*;

    fn read(text: &str, type_name: &str) -> Value {
        let reading = Reading { clock: Clock::utc(), tiny_int_is_bit: true };
        value(text.as_bytes(), type_name, &reading)
    }

    #[test]
    fn types() {
        assert_eq!(read("1", "BOOLEAN"), Value::Bool(true));
        assert_eq!(read("-7", "MEDIUMINT"), Value::Int(-7));
        assert_eq!(
            crate::event::text::ruby_to_s(&read("18446744073709551615", "BIGINT UNSIGNED")),
            "18446744073709551615"
        );
        assert_eq!(read("0000-00-00 00:00:00", "DATETIME"), Value::Null);
        assert_eq!(crate::event::text::ruby_to_s(&read("2024", "YEAR")), "2024-01-01T00:00:00.000Z");
        assert_eq!(read("838:59:59", "TIME"), Value::from("838:59:59"));
        assert_eq!(
            value(&[1, 0], "BIT", &Reading { clock: Clock::utc(), tiny_int_is_bit: true }),
            256.into()
        );
        assert_eq!(read("{\"a\":1}", "JSON"), Value::from("{\"a\":1}"));
    }
}
