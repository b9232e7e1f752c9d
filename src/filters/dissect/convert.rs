//! The types of `convert_datatype` (`Converters.java`): Java's `BigDecimal`, and what it is as an integer.

use bigdecimal::BigDecimal;
use num_bigint::BigInt;

use crate::event::{Big, Value, text};
use crate::plugin::{ConfigValue, Context, FromOption, Problem};

/// Numbers of more digits, once written out, are not converted: turning text into them takes quadratic time.
const MAX_DIGITS: i64 = 10_000;

/// What a field is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Datatype {
    Int,
    Float,
}

impl FromOption for Datatype {
    fn type_name() -> String {
        "int or float".into()
    }

    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
        match String::from_option(value, context)?.to_uppercase().as_str() {
            "INT" => Ok(Datatype::Int),
            "FLOAT" => Ok(Datatype::Float),
            _ => {
                let shown = text::ruby_to_s(&value.to_value());
                let message =
                    format!("option \"convert_datatype\": the data type \"{shown}\" is not supported");
                Err(vec![Problem::error(value.span, message).label("expected int or float")])
            }
        }
    }
}

impl Datatype {
    /// The number that a value reads as; `None` when it is none. Fractions of an `int` are cut off.
    pub fn convert(self, value: &Value) -> Option<Value> {
        let mut written = String::new();
        let number = match value {
            Value::Str(text) => text,
            other => {
                text::push_java(&mut written, other);
                written.as_str()
            }
        };
        if self == Datatype::Int && is_short_integer(number) {
            return number.parse().ok().map(Value::Int);
        }
        let decimal = java_decimal(number).or_else(|| java_decimal(&in_ascii_digits(number)?))?;
        match self {
            Datatype::Float => Some(Value::Big(Box::new(Big::Decimal(decimal)))),
            Datatype::Int => integer(&decimal).map(Value::from_big_integer),
        }
    }
}

/// The zeros of the other decimal digits that `Character.isDigit` knows; each is followed by its one to nine.
const ZEROS: [u32; 36] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0,
    0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// The text with the digits of all scripts as those of ASCII; `None` where it has no others.
fn in_ascii_digits(text: &str) -> Option<String> {
    let ascii = |character: char| {
        let code = u32::from(character);
        let value = ZEROS.iter().find_map(|zero| code.checked_sub(*zero).filter(|value| *value < 10));
        value.and_then(|value| char::from_digit(value, 10)).unwrap_or(character)
    };
    let replaced: String = text.chars().map(ascii).collect();
    (replaced != text).then_some(replaced)
}

fn is_short_integer(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `new BigDecimal(text)`: a sign, digits around an optional point, an exponent, and nothing else.
fn java_decimal(text: &str) -> Option<BigDecimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = whole.len() + fraction.len() > 0;
    if !has_digits || !are_digits(whole) || !are_digits(fraction) || digits.len() as i64 > MAX_DIGITS {
        return None;
    }
    let exponent = match exponent {
        Some(exponent) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let significant = digits.trim_start_matches('0');
            if digits.is_empty() || !are_digits(digits) || significant.len() > 10 {
                return None;
            }
            let sign = if exponent.starts_with('-') { -1 } else { 1 };
            sign * format!("0{significant}").parse::<i64>().ok()?
        }
        None => 0,
    };
    // A scale is an int in Java.
    let scale = i64::from(i32::try_from(fraction.len() as i64 - exponent).ok()?);
    let negative = if mantissa.starts_with('-') { "-" } else { "" };
    let unscaled: BigInt = format!("{negative}{whole}{fraction}").parse().ok()?;
    Some(BigDecimal::new(unscaled, scale))
}

/// `toBigInteger`: the number without its fraction; `None` when writing it out would take too long.
fn integer(decimal: &BigDecimal) -> Option<BigInt> {
    let (unscaled, scale) = decimal.as_bigint_and_exponent();
    if unscaled == BigInt::ZERO {
        return Some(unscaled);
    }
    if scale <= 0 {
        let zeros = u32::try_from(-scale).ok().filter(|zeros| i64::from(*zeros) <= MAX_DIGITS)?;
        return Some(unscaled * BigInt::from(10).pow(zeros));
    }
    match u32::try_from(scale).ok().filter(|digits| i64::from(*digits) <= MAX_DIGITS) {
        Some(digits) => Some(unscaled / BigInt::from(10).pow(digits)),
        // The number has no more digits than that, so nothing is left of it.
        None => Some(BigInt::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(datatype: Datatype, text: &str) -> Option<String> {
        let mut out = String::new();
        text::push_java(&mut out, &datatype.convert(&Value::from(text))?);
        Some(out)
    }

    #[test]
    fn numbers_as_java_reads_them() {
        for (text, int, float) in [
            ("12", "12", "12"),
            ("+5", "5", "5"),
            ("-7.9", "-7", "-7.9"),
            ("1e3", "1000", "1E+3"),
            (".5", "0", "0.5"),
            ("5.", "5", "5"),
            ("1.10", "1", "1.10"),
            ("0e99999", "0", "0E+99999"),
            ("1E-0000000000007", "0", "1E-7"),
            ("99999999999999999999", "99999999999999999999", "99999999999999999999"),
        ] {
            assert_eq!(convert(Datatype::Int, text).as_deref(), Some(int), "{text}");
            assert_eq!(convert(Datatype::Float, text).as_deref(), Some(float), "{text}");
        }
        for text in
            ["", " 1", "1 ", "abc", "NaN", "0x1f", "1_000", ".", "1e", "1e99999999999", "--1", "1.2.3"]
        {
            assert_eq!(convert(Datatype::Int, text), None, "{text}");
            assert_eq!(convert(Datatype::Float, text), None, "{text}");
        }
    }

    #[test]
    fn huge_numbers_are_not_written_out() {
        assert_eq!(convert(Datatype::Int, "1e999999999"), None);
        assert_eq!(convert(Datatype::Int, "1e-999999999").as_deref(), Some("0"));
        assert_eq!(convert(Datatype::Float, "1e999999999").as_deref(), Some("1E+999999999"));
    }
}
