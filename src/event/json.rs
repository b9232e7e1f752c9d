//! JSON straight to and from `Value`, as Logstash (Jackson) reads and writes it.

use std::io::Write as _;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use jiter::{Jiter, JiterErrorType, JsonErrorType, Peek};
use num_bigint::BigInt;

mod surrogates;

use super::object::{Key, Object};
use super::text;
use super::value::{Big, Value};

/// Documents nested deeper are refused (Jackson's `StreamReadConstraints` allows 1000 as well).
pub const MAX_DEPTH: usize = 1000;
/// Numbers with more digits are refused, for their arithmetic costs quadratic time (Jackson's limit too).
const MAX_NUMBER_LENGTH: usize = 1000;

/// How numbers with a fraction or an exponent are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimals {
    /// As doubles: the json codecs. `1.10` becomes 1.1, `1e400` infinity.
    Double,
    /// Digit by digit, all of them: what Logstash reads by `LogStash::Json.load` holds BigDecimals, which are no floats
    /// to Ruby, and print as `0.15e1` there.
    Exact,
    /// As doubles where that loses nothing, else digit by digit.
    Lossless,
}

/// Text that is not JSON, with the place where it stops to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line} column {column}")]
pub struct JsonError {
    pub message: String,
    pub line: usize,
    pub column: usize,
}

/// Reads the one document that `text` holds; only white space may follow it.
pub fn parse(text: &str, decimals: Decimals) -> Result<Value, JsonError> {
    let (value, end) = parse_prefix(text, decimals)?;
    match text.get(end..).unwrap_or_default().trim_start_matches([' ', '\t', '\n', '\r']) {
        "" => Ok(value),
        _ => Err(error_at(text, end, "trailing characters".into())),
    }
}

/// Reads every document of the text and keeps the last, as `LogStash::Json.load` does. No document gives null; numbers
/// keep their digits.
pub fn load(text: &str) -> Result<Value, JsonError> {
    let mut rest = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut last = Value::Null;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        if rest.is_empty() {
            return Ok(last);
        }
        let (document, end) = parse_prefix(rest, Decimals::Exact)?;
        last = document;
        rest = rest.get(end..).unwrap_or_default();
    }
}

/// Reads the first document in `text` and tells where it ends (in bytes); whatever follows is not looked at.
pub fn parse_prefix(text: &str, decimals: Decimals) -> Result<(Value, usize), JsonError> {
    read_prefix(text, decimals).or_else(|error| {
        let Some(cut) = surrogates::cut(text) else { return Err(error) };
        let (value, end) = read_prefix(&cut.text, decimals).map_err(|_| error)?;
        Ok((value, cut.original_index(end)))
    })
}

fn read_prefix(text: &str, decimals: Decimals) -> Result<(Value, usize), JsonError> {
    let mut reader = Reader { jiter: Jiter::new(text.as_bytes()), decimals };
    let read = reader.jiter.peek().map_err(Failure::from).and_then(|peek| reader.value(peek, 0));
    match read {
        Ok(value) => Ok((value, reader.jiter.current_index())),
        Err(Failure { message, index }) => {
            Err(error_at(text, index.unwrap_or(reader.jiter.current_index()), message))
        }
    }
}

fn error_at(text: &str, index: usize, message: String) -> JsonError {
    let before = text.as_bytes().get(..index).unwrap_or(text.as_bytes());
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    JsonError { message, line, column: before.len() - line_start + 1 }
}

struct Failure {
    message: String,
    index: Option<usize>,
}

impl From<jiter::JiterError> for Failure {
    fn from(error: jiter::JiterError) -> Self {
        let message = match error.error_type {
            JiterErrorType::JsonError(JsonErrorType::EofWhileParsingObject) => {
                "object is not closed".to_owned()
            }
            JiterErrorType::JsonError(JsonErrorType::EofWhileParsingList) => "array is not closed".to_owned(),
            JiterErrorType::JsonError(JsonErrorType::EofWhileParsingString) => {
                "string is not closed".to_owned()
            }
            other => other.to_string(),
        };
        Failure { message, index: Some(error.index) }
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Failure { message: message.to_owned(), index: None }
    }
}

struct Reader<'j> {
    jiter: Jiter<'j>,
    decimals: Decimals,
}

impl Reader<'_> {
    fn value(&mut self, peek: Peek, depth: usize) -> Result<Value, Failure> {
        if depth > MAX_DEPTH {
            return Err("document is nested too deeply".into());
        }
        Ok(match peek {
            Peek::Null => {
                self.jiter.known_null()?;
                Value::Null
            }
            Peek::True | Peek::False => Value::Bool(self.jiter.known_bool(peek)?),
            Peek::String => Value::Str(self.jiter.known_str()?.into()),
            Peek::Array => self.array(depth)?,
            Peek::Object => self.object(depth)?,
            _ => {
                let number = self.jiter.known_number_bytes(peek)?;
                read_number(number, self.decimals)?
            }
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value, Failure> {
        let mut items = Vec::new();
        let mut next = self.jiter.known_array()?;
        while let Some(peek) = next {
            items.push(self.value(peek, depth + 1)?);
            next = self.jiter.array_step()?;
        }
        Ok(Value::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Value, Failure> {
        let mut object = Object::with_capacity(8);
        let mut next = self.jiter.known_object()?.map(Key::from);
        while let Some(key) = next {
            let peek = self.jiter.peek()?;
            let value = self.value(peek, depth + 1)?;
            object.insert(key, value);
            next = self.jiter.next_key()?.map(Key::from);
        }
        Ok(Value::Object(Box::new(object)))
    }
}

fn read_number(number: &[u8], decimals: Decimals) -> Result<Value, Failure> {
    let text = std::str::from_utf8(number).map_err(|_| Failure::from("invalid number"))?;
    if text.bytes().any(|byte| byte.is_ascii_alphabetic() && byte | 0x20 != b'e') {
        return Err("NaN and Infinity are not JSON numbers".into());
    }
    if text.len() > MAX_NUMBER_LENGTH {
        return Err("number has too many digits".into());
    }
    if !text.contains(['.', 'e', 'E']) {
        return Ok(match text.parse() {
            Ok(integer) => Value::Int(integer),
            Err(_) => {
                Value::from_big_integer(BigInt::from_str(text).map_err(|_| Failure::from("invalid number"))?)
            }
        });
    }
    let double = || text.parse::<f64>().map_err(|_| Failure::from("invalid number"));
    let exact = || BigDecimal::from_str(text).map_err(|_| Failure::from("invalid number"));
    match decimals {
        Decimals::Double => Ok(Value::Float(double()?)),
        Decimals::Exact => Ok(Value::Big(Box::new(Big::Decimal(exact()?)))),
        Decimals::Lossless => Ok(exact_decimal(exact()?, double()?)),
    }
}

/// A double where it prints as the decimal does; else the decimal, so that `1.10` and `1E+400` keep their digits.
fn exact_decimal(exact: BigDecimal, double: f64) -> Value {
    let big = Big::Decimal(exact);
    // Java's BigDecimal has no negative zero.
    let double = if double == 0.0 { 0.0 } else { double };
    let mut shown = String::new();
    text::push_java_double(&mut shown, double);
    if shown == big.to_string() { Value::Float(double) } else { Value::Big(Box::new(big)) }
}

/// Appends an object as compact JSON.
pub fn write_object(out: &mut Vec<u8>, object: &Object) {
    out.push(b'{');
    for (at, (key, value)) in object.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_string(out, key);
        out.push(b':');
        write_value(out, value);
    }
    out.push(b'}');
}

/// Appends any value as compact JSON: doubles in Java's notation, infinities and NaN as strings, timestamps as text.
pub fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(number) => _ = write!(out, "{number}"),
        // The range that Java and ryu print alike, which is nearly every number.
        Value::Float(number) if (1e-3..1e7).contains(&number.abs()) => {
            out.extend_from_slice(ryu::Buffer::new().format_finite(*number).as_bytes());
        }
        Value::Float(number) if number.is_finite() => {
            let mut shown = String::with_capacity(24);
            text::push_java_double(&mut shown, *number);
            out.extend_from_slice(shown.as_bytes());
        }
        Value::Float(number) => {
            let mut shown = String::with_capacity(9);
            text::push_java_double(&mut shown, *number);
            write_string(out, &shown);
        }
        Value::Big(number) => _ = write!(out, "{number}"),
        Value::Str(text) => write_string(out, text),
        Value::Timestamp(time) => {
            out.push(b'"');
            time.write_to(out);
            out.push(b'"');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_value(out, item);
            }
            out.push(b']');
        }
        Value::Object(object) => write_object(out, object),
    }
}

/// Appends an object's JSON to a string.
pub fn push_object(out: &mut String, object: &Object) {
    let mut bytes = Vec::with_capacity(64);
    write_object(&mut bytes, object);
    out.push_str(&String::from_utf8_lossy(&bytes));
}

/// Appends a quoted string. Only quotes, backslashes and control characters are escaped, as Jackson does.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
        copied = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            control => _ = write!(out, "\\u{control:04X}"),
        }
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str, decimals: Decimals) -> String {
        let mut out = Vec::new();
        write_value(&mut out, &parse(text, decimals).unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_as_the_codec_reads_them() {
        let text = r#"[1.0,1.10,1e2,12345678.9,9223372036854775808,-9223372036854775808,1e400,123456789012345678901234567890]"#;
        let expected = r#"[1.0,1.1,100.0,1.23456789E7,9223372036854775808,-9223372036854775808,"Infinity",123456789012345678901234567890]"#;
        assert_eq!(round(text, Decimals::Double), expected);
    }

    #[test]
    fn numbers_as_the_filter_reads_them() {
        assert_eq!(round("1e400", Decimals::Exact), "1E+400");
        assert_eq!(round("0.123456789012345678901234", Decimals::Exact), "0.123456789012345678901234");
        assert_eq!(round("-0.0", Decimals::Exact), "0.0");
        assert_eq!(round("1.10", Decimals::Exact), "1.10");
    }

    #[test]
    fn strings_escape_what_jackson_escapes() {
        let text = r#""\u0000\b\t\n\u000b\f\r\u001f\u007f \" \\ \/ \ud83d\ude00""#;
        assert_eq!(
            round(text, Decimals::Double),
            "\"\\u0000\\b\\t\\n\\u000B\\f\\r\\u001F\u{7f} \\\" \\\\ / 😀\""
        );
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "{",
            "{a:1}",
            "[1,]",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{\"a\":-Infinity}",
            "\"x\ty\"",
            "1 2",
            "+1",
        ] {
            assert!(parse(text, Decimals::Double).is_err(), "{text}");
        }
        assert!(parse(&"[".repeat(100_000), Decimals::Double).is_err());
        assert!(parse(&"9".repeat(100_000), Decimals::Double).is_err());
    }

    #[test]
    fn the_first_document_can_be_read_alone() {
        let (value, end) = parse_prefix(r#"{"a":1}{"b":2}"#, Decimals::Double).unwrap();
        assert_eq!(value.as_object().unwrap().get("a"), Some(&Value::Int(1)));
        assert_eq!(end, 7);
    }
}
