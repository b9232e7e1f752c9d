//! `:int` and `:float`: Ruby's `String#to_i` and `String#to_f`.
use num_bigint::BigInt;

use crate::event::Value;

/// What becomes of the text of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coercion {
    /// It stays text.
    Text,
    /// A whole number, 0 where there is none at the beginning of the text.
    Integer,
    /// A number, 0.0 where there is none at the beginning of the text.
    Float,
}

impl Coercion {
    /// The type that `:name` behind a field asks for; unknown ones mean nothing.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "int" => Coercion::Integer,
            "float" => Coercion::Float,
            _ => Coercion::Text,
        }
    }

    /// The value of a group's text.
    pub fn apply(self, text: &str) -> Value {
        match self {
            Coercion::Text => Value::from(text),
            Coercion::Integer => integer(text),
            Coercion::Float => Value::Float(float(text)),
        }
    }
}

/// Digits with single underscores between them, and what stands behind.
fn digits(text: &str) -> (&str, &str) {
    let mut end = 0;
    let mut previous = b'_';
    for byte in text.bytes() {
        match (byte, previous) {
            (b'0'..=b'9', _) => {}
            (b'_', b'0'..=b'9') => {}
            _ => break,
        }
        previous = byte;
        end += 1;
    }
    let (digits, _) = text.split_at(end);
    let digits = digits.strip_suffix('_').unwrap_or(digits);
    text.split_at(digits.len())
}

fn sign(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(|c: char| matches!(c, '\t'..='\r' | ' '));
    match text.as_bytes().first() {
        Some(b'-' | b'+') => text.split_at(1),
        _ => ("", text),
    }
}

fn integer(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return Value::Int(number);
    }
    let (sign, rest) = sign(text);
    let (digits, _) = digits(rest);
    let number: Option<BigInt> = format!("{sign}{digits}").replace('_', "").parse().ok();
    Value::from_big_integer(number.unwrap_or_default())
}

fn float(text: &str) -> f64 {
    let plain = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    if text.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && text.as_bytes().last().is_some_and(u8::is_ascii_digit)
        && text.as_bytes().iter().all(plain)
        && let Ok(number) = text.parse()
    {
        return number;
    }
    let (sign, rest) = sign(text);
    let (whole, behind) = digits(rest);
    let (fraction, behind) = match behind.strip_prefix('.').map(digits) {
        Some((fraction, behind)) if !fraction.is_empty() => (fraction, behind),
        _ => ("", behind),
    };
    if whole.is_empty() && fraction.is_empty() {
        return 0.0;
    }
    let exponent = match behind.strip_prefix(['e', 'E']) {
        Some(behind) => {
            let (sign, behind) = match behind.as_bytes().first() {
                Some(b'-' | b'+') => behind.split_at(1),
                _ => ("", behind),
            };
            let (digits, _) = digits(behind);
            if digits.is_empty() { String::new() } else { format!("e{sign}{digits}") }
        }
        None => String::new(),
    };
    let sign = if sign == "-" { "-" } else { "" };
    format!("{sign}0{whole}.{fraction}0{exponent}").replace('_', "").parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_ruby_reads_them() {
        for (text, number) in [
            ("12", 12),
            ("-7", -7),
            ("+7", 7),
            (" \n42 ", 42),
            ("1_000", 1000),
            ("1__0", 1),
            ("_1", 0),
            ("12abc", 12),
            ("abc", 0),
            ("", 0),
            ("0x1A", 0),
            ("017", 17),
            ("12.9", 12),
            ("- 5", 0),
        ] {
            assert_eq!(Coercion::Integer.apply(text), Value::Int(number), "{text:?}");
        }
        let big = Coercion::Integer.apply("123456789012345678901234567890");
        assert_eq!(crate::event::text::ruby_to_s(&big), "123456789012345678901234567890");
    }

    #[test]
    fn floats_are_read_as_ruby_reads_them() {
        for (text, number) in [
            ("12", 12.0),
            ("-7.5", -7.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1.5e-2x", 0.015),
            ("1e", 1.0),
            ("1.e3", 1.0),
            ("1_000.2_5", 1000.25),
            ("1.5.2", 1.5),
            ("0.05", 0.05),
            ("10.05", 10.05),
            ("abc", 0.0),
            ("1e400", f64::INFINITY),
        ] {
            assert_eq!(Coercion::Float.apply(text), Value::Float(number), "{text:?}");
        }
        assert!(matches!(Coercion::Float.apply("-0"), Value::Float(number) if number.is_sign_negative()));
    }
}
