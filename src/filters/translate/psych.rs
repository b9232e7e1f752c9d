//! What an unquoted scalar means to Psych, Ruby's YAML library (`Psych::ScalarScanner#tokenize`).

use std::borrow::Cow;
use std::sync::LazyLock;

use num_bigint::BigInt;
use regex::Regex;

use crate::event::{Timestamp, Value};

/// A scalar: text, or what else it stands for in Ruby. Only text can be the key that a field's value meets.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'t> {
    Text(Cow<'t, str>),
    Other(Value),
    /// A Date in Ruby, which no event can hold.
    Date(&'t str),
}

/// The patterns of `Psych::ScalarScanner`, without the line anchors that only texts of several lines could tell from
/// those of the text.
struct Patterns {
    text: Regex,
    time: Regex,
    date: Regex,
    sexagesimal: Regex,
    float: Regex,
    integer: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| Patterns::compile().ok());

impl Patterns {
    fn compile() -> Result<Self, regex::Error> {
        Ok(Patterns {
            text: Regex::new(r"^[^0-9.:-]?[\p{Alphabetic}_\s!@\#$%\^&*(){}<>|/\\~;=]")?,
            time: Regex::new(concat!(
                r"^(-?[0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|\s+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})",
                r"(?:\.([0-9]*))?(?:\s*(?:Z|([-+])([0-9]{1,2}):?([0-9]{2})?))?$"
            ))?,
            date: Regex::new(r"^[0-9]{4}-(?:1[012]|0[0-9]|[0-9])-(?:[12][0-9]|3[01]|0[0-9]|[0-9])$")?,
            sexagesimal: Regex::new(r"^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}(\.[0-9_]*)?$")?,
            float: Regex::new(r"^[-+]?([0-9][0-9_,]*)?\.[0-9]*([eE][+-][0-9]+)?$")?,
            integer: Regex::new(concat!(
                r"^([-+]?)(?:0b_*([01][01_]*)|0_*([0-7][0-7_]*)|((?:0|[1-9](?:[0-9]|[,_][0-9])*))",
                r"|0x_*([0-9a-fA-F][0-9a-fA-F_]*))$"
            ))?,
        })
    }
}

/// Reads an unquoted scalar.
pub fn scalar(text: &str) -> Scalar<'_> {
    let kept = Scalar::Text(Cow::Borrowed(text));
    let Some(patterns) = PATTERNS.as_ref() else { return kept };
    if text.is_empty() {
        return Scalar::Other(Value::Null);
    }
    if patterns.text.is_match(text) || text.contains('\n') {
        return word(text).map_or(kept, Scalar::Other);
    }
    if let Some(time) = patterns.time.captures(text) {
        return timestamp(&time).map_or(kept, |time| Scalar::Other(Value::Timestamp(time)));
    }
    if patterns.date.is_match(text) && is_day(text) {
        return Scalar::Date(text);
    }
    match text.trim_start_matches('+').to_ascii_lowercase().as_str() {
        ".inf" => return Scalar::Other(Value::Float(f64::INFINITY)),
        "-.inf" => return Scalar::Other(Value::Float(f64::NEG_INFINITY)),
        ".nan" => return Scalar::Other(Value::Float(f64::NAN)),
        _ => {}
    }
    if let Some(symbol) = text.strip_prefix(':').filter(|symbol| !symbol.is_empty()) {
        return Scalar::Other(Value::from(symbol.trim_matches(['"', '\''])));
    }
    if let Some(found) = patterns.sexagesimal.captures(text) {
        return Scalar::Other(sexagesimal(text, found.get(1).is_some()));
    }
    if patterns.float.is_match(text) {
        return float(text).map_or(kept, |number| Scalar::Other(Value::Float(number)));
    }
    match patterns.integer.captures(text).and_then(|found| integer(&found)) {
        Some(number) => Scalar::Other(number),
        None => kept,
    }
}

/// Whether there is such a day.
fn is_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let day = (|| {
        let (year, month) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        jiff::civil::Date::new(year, month, parts.next()?.parse().ok()?).ok()
    })();
    day.is_some()
}

/// Reads an unquoted scalar as the plugin's streaming reader does (`StreamingYamlDictParser#parse_scalar`).
pub fn streamed_scalar(text: &str) -> Scalar<'_> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match text {
        "null" | "" | "~" => Scalar::Other(Value::Null),
        "true" => Scalar::Other(Value::Bool(true)),
        "false" => Scalar::Other(Value::Bool(false)),
        _ if is_number(digits) => match text.parse::<BigInt>() {
            Ok(number) => Scalar::Other(Value::from_big_integer(number)),
            Err(_) => Scalar::Text(Cow::Borrowed(text)),
        },
        _ => match (digits.split_once('.'), text.parse::<f64>()) {
            (Some((whole, fraction)), Ok(number)) if is_number(whole) && is_number(fraction) => {
                Scalar::Other(Value::Float(number))
            }
            _ => Scalar::Text(Cow::Borrowed(text)),
        },
    }
}

/// The words that are no text.
fn word(text: &str) -> Option<Value> {
    match text.to_ascii_lowercase().as_str() {
        "~" | "null" => Some(Value::Null),
        "yes" | "true" | "on" => Some(Value::Bool(true)),
        "no" | "false" | "off" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// A time without a zone is one of UTC.
fn timestamp(found: &regex::Captures<'_>) -> Option<Timestamp> {
    let part = |group: usize| found.get(group).map_or("", |part| part.as_str());
    let fraction = part(7);
    let fraction = match fraction.get(..9).unwrap_or(fraction) {
        "" => "0",
        fraction => fraction,
    };
    let zone = match part(8) {
        "" => "Z".to_owned(),
        sign => format!("{sign}{:0>2}:{:0>2}", part(9), part(10)),
    };
    let (year, month, day) = (part(1), part(2), part(3));
    Timestamp::parse(&format!(
        "{year}-{month:0>2}-{day:0>2}T{:0>2}:{}:{}.{fraction}{zone}",
        part(4),
        part(5),
        part(6)
    ))
}

/// `1:30:15` in seconds. Two parts are hours and minutes.
fn sexagesimal(text: &str, is_float: bool) -> Value {
    let digits = text.replace('_', "");
    let parts = digits.split(':').zip([3600.0, 60.0, 1.0]);
    let seconds: f64 = parts.map(|(part, weight)| part.parse::<f64>().unwrap_or(0.0) * weight).sum();
    if is_float { Value::Float(seconds) } else { Value::Int(seconds as i64) }
}

/// A lone point is text.
fn float(text: &str) -> Option<f64> {
    if matches!(text, "." | "+." | "-.") {
        return None;
    }
    text.replace([',', '_'], "").parse().ok()
}

fn integer(found: &regex::Captures<'_>) -> Option<Value> {
    let radixes = [(2, 2), (3, 8), (4, 10), (5, 16)];
    let (digits, radix) =
        radixes.into_iter().find_map(|(group, radix)| Some((found.get(group)?.as_str(), radix)))?;
    let sign = found.get(1).map_or("", |sign| sign.as_str());
    let digits = format!("{sign}{}", digits.replace([',', '_'], ""));
    Some(Value::from_big_integer(BigInt::parse_bytes(digits.as_bytes(), radix)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::text::ruby_to_s;

    fn other(text: &str) -> String {
        match scalar(text) {
            Scalar::Other(value) => format!("{} {}", value.kind(), ruby_to_s(&value)),
            Scalar::Text(text) => format!("text {text}"),
            Scalar::Date(text) => format!("date {text}"),
        }
    }

    #[test]
    fn scalars_as_psych_reads_them() {
        // From Psych's own tests, test/psych/test_scalar_scanner.rb and test_numeric.rb.
        for (text, expected) in [
            ("1", "number 1"),
            ("-10", "number -10"),
            ("0b1010", "number 10"),
            ("0o17", "text 0o17"),
            ("017", "number 15"),
            ("0x1F", "number 31"),
            ("123_456", "number 123456"),
            ("685,230", "number 685230"),
            ("12,", "text 12,"),
            ("123456789012345678901", "number 123456789012345678901"),
            ("09", "text 09"),
            ("1.5", "number 1.5"),
            ("-1_000.5", "number -1000.5"),
            ("1.", "number 1.0"),
            (".5", "number 0.5"),
            (".", "text ."),
            ("1e3", "text 1e3"),
            ("1.0e+3", "number 1000.0"),
            (".inf", "number Infinity"),
            ("-.Inf", "number -Infinity"),
            (".NaN", "number NaN"),
            ("~", "null "),
            ("NULL", "null "),
            ("yes", "boolean true"),
            ("Off", "boolean false"),
            ("y", "text y"),
            ("nothing", "text nothing"),
            (":sym", "string sym"),
            ("190:20:30", "number 685230"),
            ("-1:30", "number -1800"),
            ("190:20:30.15", "number 685230.15"),
            ("2001-12-14 21:59:43.10 -05:00", "timestamp 2001-12-15T02:59:43.100Z"),
            ("2001-12-14t21:59:43Z", "timestamp 2001-12-14T21:59:43.000Z"),
            ("2001-12-14 21:59:43 +9", "timestamp 2001-12-14T12:59:43.000Z"),
            ("2001-12-14", "date 2001-12-14"),
            ("2001-1-2", "date 2001-1-2"),
            ("2001-02-30", "text 2001-02-30"),
            ("1.2.3.4", "text 1.2.3.4"),
            ("한국", "text 한국"),
            ("10.0.0.0/8", "text 10.0.0.0/8"),
        ] {
            assert_eq!(other(text), expected, "{text}");
        }
    }

    #[test]
    fn scalars_as_the_streaming_reader_reads_them() {
        for (text, expected) in [
            ("12", Value::Int(12)),
            ("-1.50", Value::Float(-1.5)),
            ("~", Value::Null),
            ("true", Value::Bool(true)),
        ] {
            assert_eq!(streamed_scalar(text), Scalar::Other(expected), "{text}");
        }
        for text in ["yes", "0x1F", "+1", "1.", "1e5", "inf", "-"] {
            assert_eq!(streamed_scalar(text), Scalar::Text(text.into()), "{text}");
        }
    }
}
