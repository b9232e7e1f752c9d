//! Mutate's `convert`: values to text, numbers and booleans.

use num_bigint::BigInt;

use super::field::Failure;
use crate::event::ruby_text::{downcase, strip};
use crate::event::{Big, Value, numbers, text::ruby_to_s};
use crate::plugin::choices;

choices! {
    /// What a field is converted to.
    pub enum Conversion {
        Text = "string",
        Integer = "integer",
        Float = "float",
        Boolean = "boolean",
        /// With points between thousands and a decimal comma.
        IntegerEu = "integer_eu",
        FloatEu = "float_eu",
    }
}

impl Conversion {
    /// Converts a field. Null and hashes stay; of an array every element but null is converted.
    pub fn apply(self, value: &Value) -> Result<Option<Value>, Failure> {
        match value {
            Value::Null | Value::Object(_) => Ok(None),
            Value::Array(items) => {
                let convert = |item: &Value| match item {
                    Value::Null => Ok(Value::Null),
                    item => self.scalar(item),
                };
                Ok(Some(Value::Array(items.iter().map(convert).collect::<Result<_, _>>()?)))
            }
            scalar => self.scalar(scalar).map(Some),
        }
    }

    fn scalar(self, value: &Value) -> Result<Value, Failure> {
        match self {
            Conversion::Text => Ok(Value::from(ruby_to_s(value))),
            Conversion::Boolean => Ok(to_boolean(value)),
            Conversion::Integer => to_integer(value),
            Conversion::Float => to_float(value),
            Conversion::IntegerEu => to_integer(&from_european(value)),
            Conversion::FloatEu => to_float(&from_european(value)),
        }
    }
}

/// Swaps points and commas of a text.
fn from_european(value: &Value) -> Value {
    let swap = |character| match character {
        ',' => '.',
        '.' => ',',
        other => other,
    };
    match value {
        Value::Str(text) => Value::from(text.chars().map(swap).collect::<String>()),
        other => other.clone(),
    }
}

/// What does not look like a boolean stays as it is. One line of a text is enough to decide.
fn to_boolean(value: &Value) -> Value {
    let text = ruby_to_s(value);
    if text.split('\n').any(|line| is_word(line, ["true", "t", "yes", "y", "1"], '1')) {
        return Value::Bool(true);
    }
    if text.is_empty() || text.split('\n').any(|line| is_word(line, ["false", "f", "no", "n", "0"], '0')) {
        return Value::Bool(false);
    }
    tracing::warn!(value = text, "failed to convert into boolean");
    value.clone()
}

/// Whether `line` is one of `words`, or `digit`, any character and a zero (Logstash's pattern says `1.0`).
fn is_word(line: &str, words: [&str; 5], digit: char) -> bool {
    if words.iter().any(|word| word.eq_ignore_ascii_case(line)) {
        return true;
    }
    let mut characters = line.chars();
    let (first, _, last) = (characters.next(), characters.next(), characters.next());
    first == Some(digit) && last == Some('0') && characters.next().is_none()
}

fn to_integer(value: &Value) -> Result<Value, Failure> {
    let refuse = || Failure::conversion("Integer", value);
    let number: BigInt = match value {
        Value::Bool(flag) => return Ok(Value::Int(i64::from(*flag))),
        Value::Int(_) => return Ok(value.clone()),
        Value::Float(number) => numbers::float_to_integer(*number).ok_or_else(refuse)?,
        Value::Big(big) => match &**big {
            Big::Integer(_) => return Ok(value.clone()),
            Big::Decimal(decimal) => {
                numbers::big_decimal_to_integer(&decimal.to_scientific_notation()).ok_or_else(refuse)?
            }
        },
        Value::Timestamp(time) => return Ok(Value::Int(time.epoch_seconds())),
        Value::Str(text) => {
            if let Some(number) = plain_integer(text) {
                return Ok(Value::Int(number));
            }
            let text = normalized(text);
            match numbers::looks_hexadecimal(&text) {
                true if text.contains('.') => {
                    numbers::hexadecimal_float(&text).and_then(numbers::float_to_integer)
                }
                true => numbers::hexadecimal_integer(&text),
                false => numbers::big_decimal_to_integer(&text),
            }
            .ok_or_else(refuse)?
        }
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(refuse()),
    };
    Ok(Value::from_big_integer(number))
}

fn to_float(value: &Value) -> Result<Value, Failure> {
    let refuse = || Failure::conversion("Float", value);
    Ok(Value::Float(match value {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Big(big) => big.to_string().parse().map_err(|_| refuse())?,
        Value::Timestamp(time) => time.epoch_seconds() as f64 + f64::from(time.nanos()) / 1e9,
        Value::Str(text) if is_plain_decimal(text) => text.parse().map_err(|_| refuse())?,
        Value::Str(text) => {
            let text = normalized(text);
            match numbers::looks_hexadecimal(&text) {
                true => numbers::hexadecimal_float(&text),
                false => numbers::strict_float(&text),
            }
            .ok_or_else(refuse)?
        }
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(refuse()),
    }))
}

/// The number of a text that is nothing but digits, as nearly all are.
fn plain_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// Whether a text is nothing but digits, with perhaps a point between them.
fn is_plain_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    digits(whole) && digits(fraction)
}

/// The text without surrounding white space and without commas between thousands, in lower case.
fn normalized(text: &str) -> String {
    downcase(strip(text)).replace(',', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(conversion: Conversion, text: &str) -> Option<Value> {
        conversion.apply(&Value::from(text)).ok().flatten()
    }

    #[test]
    fn texts_become_numbers() {
        assert_eq!(convert(Conversion::Integer, " 1,234.9 "), Some(Value::Int(1234)));
        assert_eq!(convert(Conversion::Integer, "-0X1A"), Some(Value::Int(-26)));
        assert_eq!(convert(Conversion::Integer, "12abc"), None);
        assert_eq!(convert(Conversion::IntegerEu, "-1.000.000"), Some(Value::Int(-1_000_000)));
        assert_eq!(convert(Conversion::FloatEu, "1.234,5"), Some(Value::Float(1234.5)));
        assert_eq!(convert(Conversion::Float, "1,234"), Some(Value::Float(1234.0)));
        assert_eq!(convert(Conversion::Float, "NaN"), None);
    }

    #[test]
    fn booleans() {
        for text in ["true", "Yes", "1", "1.0", "1x0", "a\ntrue"] {
            assert_eq!(convert(Conversion::Boolean, text), Some(Value::Bool(true)), "{text}");
        }
        for text in ["", "F", "no", "0.0"] {
            assert_eq!(convert(Conversion::Boolean, text), Some(Value::Bool(false)), "{text}");
        }
        assert_eq!(convert(Conversion::Boolean, "maybe"), Some(Value::from("maybe")));
    }
}
