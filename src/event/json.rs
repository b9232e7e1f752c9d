//! JSON straight to and from `Value`, as Logstash (Jackson) reads and writes it.

mod write;

use std::cell::Cell;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use jiter::{Jiter, JiterErrorType, JsonErrorType, Peek};
use num_bigint::BigInt;

mod surrogates;

use super::object::{Key, Object};
use super::text;
use super::value::{Big, Value};
pub use write::{push_object, write_object, write_string, write_value};

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
    let mut reader = Reader { jiter: Jiter::with_tape(text.as_bytes(), TAPE.take()), decimals };
    let read = reader.jiter.peek().map_err(Failure::from).and_then(|peek| reader.value(peek, 0));
    let end = reader.jiter.current_index();
    let tape = reader.jiter.into_tape();
    if tape.capacity() <= TAPE_KEPT {
        TAPE.set(tape);
    }
    match read {
        Ok(value) => Ok((value, end)),
        Err(Failure { message, index }) => Err(error_at(text, index.unwrap_or(end), message)),
    }
}

/// A longer tape is let go: one huge document should not cost memory for ever.
const TAPE_KEPT: usize = 64 * 1024;

thread_local! {
    /// Where texts with escapes are put together: one buffer for all documents of a thread.
    static TAPE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
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
        // Room for what inputs add; objects inside are small.
        let mut object = Object::with_capacity(if depth == 0 { 16 } else { 4 });
        let mut seen = Seen::default();
        let mut next = self.jiter.known_object()?.map(Key::from);
        while let Some(key) = next {
            let peek = self.jiter.peek()?;
            let value = self.value(peek, depth + 1)?;
            match seen.is_new(&key) {
                true => object.push_new(key, value),
                false => _ = object.insert(key, value),
            }
            next = self.jiter.next_key()?.map(Key::from);
        }
        Ok(Value::Object(Box::new(object)))
    }
}

/// Knows of most names that they come for the first time, without comparing them to the others: a Bloom filter of 64 bits.
#[derive(Default)]
struct Seen(u64);

impl Seen {
    /// False means that the name may have come before.
    fn is_new(&mut self, name: &str) -> bool {
        let bytes = name.as_bytes();
        let byte = |at: usize| u64::from(bytes.get(at).copied().unwrap_or_default());
        let ends = byte(0) | byte(bytes.len() / 2) << 8 | byte(bytes.len().wrapping_sub(1)) << 16;
        let hash = (ends | (bytes.len() as u64) << 24).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let bit = 1 << (hash >> 58);
        let is_new = self.0 & bit == 0;
        self.0 |= bit;
        is_new
    }
}

/// A whole number of a few digits, as nearly all are.
fn small_integer(number: &[u8]) -> Option<i64> {
    let (sign, digits) = match number {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    let fits = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    fits.then(|| sign * digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

fn read_number(number: &[u8], decimals: Decimals) -> Result<Value, Failure> {
    if let Some(integer) = small_integer(number) {
        return Ok(Value::Int(integer));
    }
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
    fn of_one_name_the_last_value_counts_in_the_first_place() {
        let names: Vec<_> = (0..200).map(|n| format!("\"k{}\":{n}", n % 90)).collect();
        let text = format!("{{{}}}", names.join(","));
        let Ok(Value::Object(object)) = parse(&text, Decimals::Double) else { panic!("{text}") };
        assert_eq!(object.len(), 90);
        for (at, (name, value)) in object.iter().enumerate() {
            assert_eq!(name, format!("k{at}"));
            assert_eq!(value, &Value::Int(at as i64 + if at < 20 { 180 } else { 90 }));
        }
        assert_eq!(round("{\"\":1,\"a\":-0,\"\":-12}", Decimals::Exact), "{\"\":-12,\"a\":0}");
    }

    #[test]
    fn the_first_document_can_be_read_alone() {
        let (value, end) = parse_prefix(r#"{"a":1}{"b":2}"#, Decimals::Double).unwrap();
        assert_eq!(value.as_object().unwrap().get("a"), Some(&Value::Int(1)));
        assert_eq!(end, 7);
    }
}
