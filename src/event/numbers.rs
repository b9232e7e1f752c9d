//! Text as numbers, exactly as far as JRuby's `Float()`, `Integer()`, `BigDecimal()` and `to_f` accept it.

use bigdecimal::BigDecimal;
use num_bigint::BigInt;

/// Numbers of more digits are refused: turning them into integers costs quadratic time.
const MAX_DIGITS: i64 = 10_000;

/// `BigDecimal(text).to_i`: the number truncated towards zero.
///
/// JRuby's reading is lenient in odd ways that data relies on: one character of junk at the end is allowed (`12%`),
/// as is a second number behind a minus (`5-6` is 5), and `d` is an exponent too.
pub fn big_decimal_to_integer(text: &str) -> Option<BigInt> {
    if text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(BigInt::from);
    }
    let text = text.trim_matches(|c: char| c <= ' ');
    let (number, junk) = split_decimal(text)?;
    // Only white space and then a single character may follow.
    let mut behind = junk.trim_start().chars();
    if behind.next().is_some() && (behind.next().is_some() || number.contains('_')) {
        return None;
    }
    let number = number.replace('_', "").replace(['d', 'D'], "e");
    truncated(&number)
}

/// Splits a text into the part that is read as a decimal and what follows it.
fn split_decimal(text: &str) -> Option<(&str, &str)> {
    let mut characters = text.char_indices().peekable();
    let (mut dot, mut exponent, mut last_sign) = (false, false, 0);
    let mut end = text.len();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let number_goes_on = match character {
            '0'..='9' => true,
            '+' | '-' => {
                last_sign = at;
                true
            }
            '.' => !std::mem::replace(&mut dot, true) && next.is_none_or(|next| next.is_ascii_digit()),
            'd' | 'D' => !std::mem::replace(&mut exponent, true),
            'e' | 'E' => {
                !std::mem::replace(&mut exponent, true)
                    && next.is_none_or(|next| next.is_ascii_digit() || matches!(next, '+' | '-'))
            }
            '_' => next.is_none_or(|next| next.is_ascii_digit()).then_some(true)?,
            _ => false,
        };
        if !number_goes_on {
            end = at;
            break;
        }
    }
    let (number, junk) = text.split_at(end);
    if !number.contains(['e', 'E', 'd', 'D']) && last_sign > 0 {
        return Some((number.get(..last_sign)?, junk));
    }
    Some((number, junk))
}

fn truncated(number: &str) -> Option<BigInt> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (_, digits) = split_sign(mantissa);
    let whole_digits = digits.split('.').next().unwrap_or_default();
    let written = digits.strip_suffix('.').unwrap_or(digits);
    if written.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let (negative_exponent, exponent_digits) = split_sign(exponent);
    if exponent_digits.is_empty() || !exponent_digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        return Some(BigInt::ZERO);
    }
    let exponent = exponent_digits.parse::<i64>().unwrap_or(i64::MAX);
    if exponent.saturating_add(whole_digits.len() as i64) > MAX_DIGITS {
        return if negative_exponent && exponent > MAX_DIGITS { Some(BigInt::ZERO) } else { None };
    }
    let exponent = if negative_exponent { -exponent } else { exponent };
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let decimal: BigDecimal = format!("{sign}0{written}e{exponent}").parse().ok()?;
    Some(decimal.with_scale(0).into_bigint_and_exponent().0)
}

/// Whether a minus stands in front, and the text behind the sign.
fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// `text.to_f`: the number that a text begins with, 0 without one.
pub fn leading_float(text: &str) -> f64 {
    let text = text.trim_start();
    let (mut end, mut dot, mut exponent) = (0, false, false);
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(end) {
        let next_is_digit = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        let behind_digit = end > 0 && bytes.get(end - 1).is_some_and(u8::is_ascii_digit);
        match byte {
            b'0'..=b'9' => {}
            b'+' | b'-' if end == 0 => {}
            b'_' if behind_digit && next_is_digit => {}
            b'.' if !dot && !exponent && next_is_digit => dot = true,
            b'e' | b'E' if !exponent && behind_digit => {
                let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
                if !bytes.get(end + 1 + usize::from(signed)).is_some_and(u8::is_ascii_digit) {
                    break;
                }
                exponent = true;
                end += usize::from(signed);
            }
            _ => break,
        }
        end += 1;
    }
    text.get(..end).unwrap_or_default().replace('_', "").parse().unwrap_or(0.0)
}

/// `text.to_i`: the whole number that a text begins with, 0 without one; beyond 64 bits the nearest there is.
pub fn leading_integer(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, unsigned) = split_sign(text);
    let mut number = 0i64;
    let mut after_digit = false;
    for byte in unsigned.bytes() {
        match byte {
            b'0'..=b'9' => {
                let digit = i64::from(byte - b'0');
                number = number.saturating_mul(10).saturating_add(if negative { -digit } else { digit });
                after_digit = true;
            }
            b'_' if after_digit => after_digit = false,
            _ => break,
        }
    }
    number
}

/// `Float(text)`: decimal digits, possibly with single underscores between them, and nothing else.
pub fn strict_float(text: &str) -> Option<f64> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0C']);
    let (_, unsigned) = split_sign(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole_is_fine = digits_with_underscores(whole) || (whole.is_empty() && fraction.is_some());
    if !whole_is_fine || !fraction.is_none_or(digits_with_underscores) {
        return None;
    }
    // JRuby reads a bare sign as the exponent 0.
    let exponent = exponent.map(|exponent| if matches!(exponent, "+" | "-") { "0" } else { exponent });
    if !exponent.is_none_or(|exponent| digits_with_underscores(split_sign(exponent).1)) {
        return None;
    }
    let exponent = exponent.map(|exponent| format!("e{exponent}")).unwrap_or_default();
    let sign = if text.starts_with('-') { "-" } else { "" };
    format!("{sign}{mantissa}{exponent}").replace('_', "").parse().ok()
}

fn digits_with_underscores(text: &str) -> bool {
    text.split('_').all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `Integer(text)`: decimal digits, or others behind `0x`, `0b`, `0o` or `0`, possibly with single underscores between
/// them. White space may stand around the number.
pub fn strict_integer(text: &str) -> Option<BigInt> {
    if text.len() <= 18 && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(BigInt::from);
    }
    let text = text.trim_matches(|c| matches!(c, '\t'..='\r' | ' '));
    let (negative, unsigned) = split_sign(text);
    let (radix, digits) = split_radix(unsigned);
    let whole =
        digits.split('_').all(|part| !part.is_empty() && part.chars().all(|digit| digit.is_digit(radix)));
    if !whole || digits.len() as i64 > MAX_DIGITS {
        return None;
    }
    let number = BigInt::parse_bytes(digits.replace('_', "").as_bytes(), radix)?;
    Some(if negative { -number } else { number })
}

/// The radix that a number without sign has, and its digits behind the prefix.
fn split_radix(unsigned: &str) -> (u32, &str) {
    let Some(rest) = unsigned.strip_prefix('0').filter(|rest| !rest.is_empty()) else {
        return (10, unsigned);
    };
    for (letters, radix) in [(['x', 'X'], 16), (['b', 'B'], 2), (['o', 'O'], 8), (['d', 'D'], 10)] {
        if let Some(digits) = rest.strip_prefix(letters) {
            return (radix, digits);
        }
    }
    (8, rest.strip_prefix('_').unwrap_or(rest))
}

/// `Float(text)` of any text: decimal or hexadecimal.
pub fn float(text: &str) -> Option<f64> {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\x0C']);
    match looks_hexadecimal(trimmed) {
        true => hexadecimal_float(trimmed),
        false => strict_float(text),
    }
}

/// Whether a line of the text begins like a hexadecimal number, which is then read by other rules.
pub fn looks_hexadecimal(text: &str) -> bool {
    text.lines().any(|line| {
        let (_, unsigned) = split_sign(line);
        unsigned.starts_with("0x") || unsigned.starts_with("0X")
    })
}

/// `Integer("0x1a")`, with a sign.
pub fn hexadecimal_integer(text: &str) -> Option<BigInt> {
    let (negative, unsigned) = split_sign(text);
    let digits = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X"))?;
    let whole = digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit()));
    if !whole || digits.len() as i64 > MAX_DIGITS {
        return None;
    }
    let number = BigInt::parse_bytes(digits.replace('_', "").as_bytes(), 16)?;
    Some(if negative { -number } else { number })
}

/// `Float("0x1.8p1")`, with a sign; a fraction needs the exponent.
pub fn hexadecimal_float(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let Some((mantissa, exponent)) = lower.split_once('p') else {
        return hexadecimal_integer(text).map(|number| big_to_float(&number));
    };
    let (negative, unsigned) = split_sign(mantissa);
    let digits = unsigned.strip_prefix("0x")?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (negative_exponent, exponent) = split_sign(exponent);
    if !digits_with_underscores(exponent) || digits.starts_with('_') || digits.len() as i64 > MAX_DIGITS {
        return None;
    }
    let all = format!("{whole}{fraction}").replace('_', "");
    let number = big_to_float(&BigInt::parse_bytes(all.as_bytes(), 16)?);
    let exponent = exponent.replace('_', "").parse::<i32>().unwrap_or(i32::MAX / 2);
    let power = if negative_exponent { -exponent } else { exponent };
    let power = power.saturating_sub(4 * fraction.replace('_', "").len() as i32);
    Some(if negative { -number } else { number } * 2f64.powi(power))
}

/// The nearest double, infinite beyond its range.
pub fn big_to_float(number: &BigInt) -> f64 {
    number.to_string().parse().unwrap_or(f64::NAN)
}

/// A double truncated towards zero; `None` for NaN and the infinities.
pub fn float_to_integer(number: f64) -> Option<BigInt> {
    let whole = number.trunc();
    if whole.abs() < 9e18 {
        return Some(BigInt::from(whole as i64));
    }
    whole.is_finite().then(|| format!("{whole:.0}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_big_decimal_reads_them() {
        for (text, number) in [
            ("12", "12"),
            ("+5", "5"),
            ("-12.9", "-12"),
            ("1e3", "1000"),
            ("1.5e3", "1500"),
            ("15e-1", "1"),
            (".5", "0"),
            ("5.", "5"),
            ("017", "17"),
            ("1 2", "1"),
            ("12%", "12"),
            ("1_000", "1000"),
            ("5-6", "5"),
            ("2d2", "200"),
            ("0e99999999999", "0"),
            ("1e-99999999999", "0"),
            ("12345678901234567890123", "12345678901234567890123"),
        ] {
            assert_eq!(big_decimal_to_integer(text), number.parse().ok(), "{text}");
        }
        for text in [
            "", "abc", "12abc", "0b11", "-", ".", "nan", "infinity", "1.5.6", "1e", "1e999999", "--5", "1__0",
        ] {
            assert_eq!(big_decimal_to_integer(text), None, "{text}");
        }
    }

    #[test]
    fn integers_are_strict() {
        // As irb answers Integer("...").
        for (text, number) in [
            (" 12\n", 12),
            ("-3", -3),
            ("007", 7),
            ("0_7", 7),
            ("0", 0),
            ("0x1f", 31),
            ("-0X1F", -31),
            ("0b11", 3),
            ("0o17", 15),
            ("0d19", 19),
            ("1_000", 1000),
        ] {
            assert_eq!(strict_integer(text), Some(BigInt::from(number)), "{text}");
        }
        assert_eq!(strict_integer("99999999999999999999"), "99999999999999999999".parse().ok());
        for text in ["", "08", "4.5", "1__0", "_1", "1_", "0x", "0x_1", "- 1", "abc", "1e3", "0b2"] {
            assert_eq!(strict_integer(text), None, "{text}");
        }
    }

    #[test]
    fn floats_are_strict() {
        for (text, number) in
            [("1", 1.0), (".5", 0.5), ("-1.5e3", -1500.0), ("1_0.2_5", 10.25), ("1e+", 1.0), ("0017", 17.0)]
        {
            assert_eq!(strict_float(text), Some(number), "{text}");
        }
        assert_eq!(strict_float("1e400"), Some(f64::INFINITY));
        for text in
            ["", "5.", "nan", "infinity", "1 2", "12abc", "1__0", "_1", "1_", "1._5", "e5", ".", "1e", "+"]
        {
            assert_eq!(strict_float(text), None, "{text}");
        }
    }

    #[test]
    fn hexadecimal_numbers() {
        assert_eq!(hexadecimal_integer("0x1a"), Some(BigInt::from(26)));
        assert_eq!(hexadecimal_integer("-0x1_0"), Some(BigInt::from(-16)));
        assert_eq!(hexadecimal_float("-0x1.8p1"), Some(-3.0));
        assert_eq!(hexadecimal_float("0x10"), Some(16.0));
        for text in ["0x", "0x1.8", "0x1.8p", "0xg", "0x_1"] {
            assert_eq!(hexadecimal_float(text), None, "{text}");
        }
        assert!(looks_hexadecimal("a\n-0x1") && !looks_hexadecimal("10x1"));
    }

    #[test]
    fn integers_with_prefixes() {
        for (text, number) in [
            ("12", 12),
            (" -1_000\n", -1000),
            ("0x1F", 31),
            ("+0b101", 5),
            ("0o17", 15),
            ("017", 15),
            ("0_7", 7),
            ("0d19", 19),
            ("0", 0),
        ] {
            assert_eq!(strict_integer(text), Some(BigInt::from(number)), "{text}");
        }
        for text in ["", "08", "1.0", "1__0", "_1", "1_", "0x", "0xg", "12a", "- 1", "1e3"] {
            assert_eq!(strict_integer(text), None, "{text}");
        }
    }

    #[test]
    fn the_number_that_a_text_begins_with() {
        for (text, number) in [
            ("1", 1.0),
            (" 0.5s", 0.5),
            ("-1.5e2x", -150.0),
            ("1_000", 1000.0),
            ("1.", 1.0),
            ("2e", 2.0),
            ("", 0.0),
            ("abc", 0.0),
            (".5", 0.5),
        ] {
            assert_eq!(leading_float(text), number, "{text}");
        }
        let huge = "99999999999999999999";
        for (text, number) in
            [("60", 60), (" -5s", -5), ("1_0", 10), ("1__0", 1), ("%{p}", 0), (huge, i64::MAX)]
        {
            assert_eq!(leading_integer(text), number, "{text}");
        }
    }

    #[test]
    fn doubles_are_truncated() {
        assert_eq!(float_to_integer(-2.9), Some(BigInt::from(-2)));
        assert_eq!(float_to_integer(1e20), "100000000000000000000".parse().ok());
        assert_eq!(float_to_integer(f64::NAN), None);
    }
}
