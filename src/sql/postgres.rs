//! Rows of PostgreSQL, which come as text here, by the type of each column.

use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::{Column, Row, TypeInfo, ValueRef};

use super::SqlError;
use super::database::{Reading, decimal, integer, time_or_text, unreadable};
use crate::event::{Object, Value};

pub(super) fn row(row: &PgRow, reading: &Reading) -> Result<Object, SqlError> {
    let mut fields = Object::with_capacity(row.len());
    for (number, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(number).map_err(unreadable)?;
        let value = if raw.is_null() {
            Value::Null
        } else {
            debug_assert!(raw.format() == PgValueFormat::Text, "statements are sent in the simple protocol");
            let bytes = raw.as_bytes().map_err(|error| unreadable(sqlx::Error::Decode(error)))?;
            value(&String::from_utf8_lossy(bytes), column.type_info().name(), reading)
        };
        fields.insert(column.name(), value);
    }
    Ok(fields)
}

/// A value by the name of its type. A type without a Ruby counterpart stays the text that PostgreSQL shows, as with pgJDBC.
fn value(text: &str, type_name: &str, reading: &Reading) -> Value {
    let clock = &reading.clock;
    match type_name {
        "BOOL" => Value::Bool(text == "t"),
        "INT2" | "INT4" | "INT8" | "OID" => integer(text),
        "FLOAT4" | "FLOAT8" => text.parse::<f64>().map_or_else(|_| Value::from(text), Value::Float),
        "NUMERIC" => decimal(text),
        "DATE" => time_or_text(clock.read_date(text), text),
        "TIME" => time_or_text(clock.read_time(text), text),
        "TIMESTAMP" | "TIMESTAMPTZ" => time_or_text(clock.read_timestamp(text), text),
        "BYTEA" => Value::from(bytes(text)),
        name => match name.strip_suffix("[]") {
            Some(element) => array(text, element, reading).unwrap_or_else(|| Value::from(text)),
            None => Value::from(text),
        },
    }
}

/// `\x68656c6c6f`, which is how bytea_output=hex shows bytes.
fn bytes(text: &str) -> String {
    let Some(digits) = text.strip_prefix("\\x") else { return text.to_owned() };
    let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
    let bytes: Vec<u8> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | nibble(*digit)))
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An array as PostgreSQL shows it: `{1,NULL,"a \"b\"",{2,3}}`. Nothing for one with other bounds (`[0:1]={...}`).
fn array(text: &str, element: &str, reading: &Reading) -> Option<Value> {
    let mut rest = text;
    let items = items(&mut rest, element, reading, 0)?;
    rest.is_empty().then_some(Value::Array(items))
}

/// PostgreSQL has arrays of up to six dimensions.
const DIMENSIONS: usize = 6;

fn items(rest: &mut &str, element: &str, reading: &Reading, depth: usize) -> Option<Vec<Value>> {
    *rest = rest.strip_prefix('{')?;
    let mut items = Vec::new();
    if let Some(after) = rest.strip_prefix('}') {
        *rest = after;
        return Some(items);
    }
    loop {
        if rest.starts_with('{') && depth < DIMENSIONS {
            items.push(Value::Array(self::items(rest, element, reading, depth + 1)?));
        } else if rest.starts_with('"') {
            items.push(value(&quoted(rest)?, element, reading));
        } else {
            let (plain, after) = rest.split_at(rest.find([',', '}'])?);
            *rest = after;
            items.push(if plain == "NULL" { Value::Null } else { value(plain, element, reading) });
        }
        let after_item = rest.strip_prefix(',');
        match after_item {
            Some(after) => *rest = after,
            None => {
                *rest = rest.strip_prefix('}')?;
                return Some(items);
            }
        }
    }
}

fn quoted(rest: &mut &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = rest.strip_prefix('"')?.chars();
    loop {
        match characters.next()? {
            '"' => break,
            '\\' => text.push(characters.next()?),
            other => text.push(other),
        }
    }
    *rest = characters.as_str();
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::Clock;
    use super::*;

    fn read(text: &str, type_name: &str) -> Value {
        let reading = Reading { clock: Clock::parse("Europe/Berlin").unwrap(), tiny_int_is_bit: true };
        value(text, type_name, &reading)
    }

    fn shown(text: &str, type_name: &str) -> String {
        crate::event::text::ruby_to_s(&read(text, type_name))
    }

    #[test]
    fn types() {
        assert_eq!(read("t", "BOOL"), Value::Bool(true));
        assert_eq!(read("-5", "INT4"), Value::Int(-5));
        assert_eq!(read("1.10", "NUMERIC").kind(), "number");
        assert_eq!(shown("2024-01-31", "DATE"), "2024-01-30T23:00:00.000Z");
        assert_eq!(shown("2024-01-31 10:00:00.5", "TIMESTAMP"), "2024-01-31T09:00:00.500Z");
        assert_eq!(shown("2024-01-31 10:00:00+00", "TIMESTAMPTZ"), "2024-01-31T10:00:00.000Z");
        assert_eq!(read("infinity", "TIMESTAMP"), Value::from("infinity"));
        assert_eq!(read("\\x68c3bc", "BYTEA"), Value::from("hü"));
        assert_eq!(read("{\"a\": 1}", "JSONB"), Value::from("{\"a\": 1}"));
    }

    /// The forms are those of the chapter "Arrays" of PostgreSQL's manual.
    #[test]
    fn arrays() {
        let ints = Value::Array(vec![1.into(), Value::Null, 3.into()]);
        assert_eq!(read("{1,NULL,3}", "INT4[]"), ints);
        let texts = Value::Array(vec!["a \"b\" \\".into(), "NULL".into(), "".into(), "c".into()]);
        assert_eq!(read(r#"{"a \"b\" \\","NULL","",c}"#, "TEXT[]"), texts);
        let nested = Value::Array(vec![Value::Array(vec![1.into()]), Value::Array(vec![2.into()])]);
        assert_eq!(read("{{1},{2}}", "INT8[]"), nested);
        assert_eq!(read("{}", "TEXT[]"), Value::Array(Vec::new()));
        assert_eq!(read("[0:1]={1,2}", "INT4[]"), Value::from("[0:1]={1,2}"));
        assert_eq!(read("{1,", "INT4[]"), Value::from("{1,"));
    }
}
