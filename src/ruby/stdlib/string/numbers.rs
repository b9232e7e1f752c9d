//! Numbers in text: leniently (`to_i`, `to_f`) and strictly (`Integer()`, `Float()`).

use num_bigint::BigInt;

use super::super::MethodDef;
use crate::ruby::args::{Args, between};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::Value;

/// `Integer()`, `Float()`.
pub(super) const FUNCTIONS: &[MethodDef] = &[
    MethodDef("Integer", between(1, 3), |interp, _, args| lenient(interp, args, integer)),
    MethodDef("Float", between(1, 2), |interp, _, args| lenient(interp, args, float)),
];

/// Runs a conversion; with `exception: false` its failure is `nil`.
fn lenient(
    interp: &mut Interp,
    args: Args<'_>,
    convert: impl FnOnce(&mut Interp, Args<'_>) -> Outcome,
) -> Outcome {
    let quiet = args.keyword("exception").is_some_and(|raise| !raise.truthy());
    let result = convert(interp, args.split_keywords().0);
    match result {
        Err(control) if quiet && control.exception().is_some() => Ok(Value::Nil),
        other => other,
    }
}

fn integer(interp: &mut Interp, args: Args<'_>) -> Outcome {
    let base = if args.at(1).is_nil() { 0 } else { args.int(interp, 1)? };
    match args.at(0) {
        Value::Int(_) | Value::Big(_) => Ok(args.at(0).clone()),
        Value::Float(number) if number.is_finite() => interp.call(&Value::Float(*number), "to_i", &[]),
        Value::Float(number) => {
            let shown = crate::ruby::interpreter::float_to_s(*number);
            Err(interp.error("FloatDomainError", shown))
        }
        Value::Nil => Err(interp.type_error("can't convert nil into Integer")),
        Value::Str(string) => {
            let text = string.to_text();
            match parse_integer_strictly(&text, u32::try_from(base).unwrap_or(10)) {
                Some(number) => Ok(Value::big(number)),
                None => {
                    let shown = interp.inspect(args.at(0))?;
                    Err(interp.argument_error(format!("invalid value for Integer(): {shown}")))
                }
            }
        }
        other if interp.responds_to(other, sym!("to_int")) => interp.call(other, "to_int", &[]),
        other if interp.responds_to(other, sym!("to_i")) => interp.call(other, "to_i", &[]),
        other => Err(interp.no_conversion(other, "Integer")),
    }
}

fn float(interp: &mut Interp, args: Args<'_>) -> Outcome {
    match args.at(0) {
        Value::Str(string) => match parse_float(&string.to_text()) {
            Some(number) => Ok(Value::Float(number)),
            None => {
                let shown = interp.inspect(args.at(0))?;
                Err(interp.argument_error(format!("invalid value for Float(): {shown}")))
            }
        },
        other => interp.to_float(other).map(Value::Float),
    }
}

/// The base that a prefix names: `0x1F`, `0b101`, `0o17`, `017`.
fn prefixed(text: &str, base: u32) -> (u32, &str) {
    let lower = text.get(..2).unwrap_or_default().to_ascii_lowercase();
    let named = match lower.as_str() {
        "0x" => 16,
        "0b" => 2,
        "0o" => 8,
        "0d" => 10,
        _ if base == 0 && text.starts_with('0') && text.len() > 1 => {
            return (8, text.get(1..).unwrap_or_default());
        }
        _ => return (if base == 0 { 10 } else { base }, text),
    };
    if base != 0 && base != named {
        return (base, text);
    }
    (named, text.get(2..).unwrap_or_default())
}

/// What `to_i` reads: as many digits as there are, with single underscores between them. Base 0 goes by the prefix.
pub(in crate::ruby::stdlib) fn parse_integer_prefix(text: &str, base: u32) -> BigInt {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{0B}');
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, text) = prefixed(text, base);
    let mut digits = String::new();
    let mut after_digit = false;
    for character in text.chars() {
        if character.is_digit(base) {
            digits.push(character);
            after_digit = true;
        } else if character == '_' && after_digit {
            after_digit = false;
        } else {
            break;
        }
    }
    let number = BigInt::parse_bytes(digits.as_bytes(), base).unwrap_or_default();
    if negative { -number } else { number }
}

/// What `Integer()` reads: nothing but one number.
fn parse_integer_strictly(text: &str, base: u32) -> Option<BigInt> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{0B}');
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = prefixed(text, base);
    let octal = base == 8 && digits.starts_with('_');
    let digits = if octal { digits.get(1..)? } else { digits };
    if !(2..=36).contains(&base)
        || digits.is_empty()
        || digits.starts_with('_')
        || digits.ends_with('_')
        || digits.contains("__")
        || !digits.chars().all(|c| c == '_' || c.is_digit(base))
    {
        return None;
    }
    let number = BigInt::parse_bytes(digits.replace('_', "").as_bytes(), base)?;
    Some(if negative { -number } else { number })
}

/// The length of the number at the start of a text, without underscores in wrong places.
fn float_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while let Some(byte) = bytes.get(at) {
            let underscore = *byte == b'_'
                && at > 0
                && bytes.get(at - 1).is_some_and(u8::is_ascii_digit)
                && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
            if !byte.is_ascii_digit() && !underscore {
                break;
            }
            at += 1;
        }
        at
    };
    let start = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let mut end = digits(start);
    if end == start {
        return 0;
    }
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

/// What `to_f` reads.
pub(in crate::ruby::stdlib) fn parse_float_prefix(text: &str) -> f64 {
    let text = text.trim_start();
    // `.5` is a number here, though not as a literal.
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let padded;
    let number = if unsigned.starts_with('.') {
        padded = format!("{sign}0{unsigned}");
        &padded
    } else {
        text
    };
    let end = float_length(number);
    number.get(..end).unwrap_or_default().replace('_', "").parse().unwrap_or(0.0)
}

/// What `Float()` reads: nothing but one number.
pub(in crate::ruby::stdlib) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hex) = unsigned.strip_prefix("0x").or(unsigned.strip_prefix("0X")) {
        let number = u64::from_str_radix(hex, 16).ok()? as f64;
        return Some(if negative { -number } else { number });
    }
    let end = float_length(text);
    if end == 0 || end != text.len() {
        // A point at the end (`1.`) is none of a number's, a leading one is.
        if unsigned.starts_with('.') && unsigned.get(1..)?.starts_with(|c: char| c.is_ascii_digit()) {
            let padded = format!("0{unsigned}");
            let number = parse_float(&padded)?;
            return Some(if negative { -number } else { number });
        }
        return None;
    }
    text.replace('_', "").parse().ok()
}
