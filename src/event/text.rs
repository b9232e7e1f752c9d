//! Values as text, the way Java (`toString`) and Ruby (`to_s`, `inspect`) write them.

use std::fmt::Write as _;
use std::sync::LazyLock;

use bigdecimal::BigDecimal;
use num_bigint::{BigInt, Sign};

use super::object::Object;
use super::value::{Big, Value};

/// The shortest decimal digits that read back as `number`, and the exponent of the first digit's place:
/// `(digits, exponent)` stands for `0.digits * 10^exponent`.
fn shortest_digits(number: f64) -> (String, i32) {
    let mut buffer = ryu::Buffer::new();
    // Java wants two digits where one would do; only the smallest subnormals differ by it (4.9E-324, not 5E-324).
    let two_digits;
    let text = if number != 0.0 && number.abs() < 1e-320 {
        two_digits = format!("{:.1e}", number.abs());
        two_digits.as_str()
    } else {
        buffer.format_finite(number.abs())
    };
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = if fraction == "0" { "" } else { fraction };
    let joined = format!("{whole}{fraction}");
    let leading_zeros = joined.len() - joined.trim_start_matches('0').len();
    let digits = joined.trim_matches('0').to_owned();
    let point = whole.len() as i32 - leading_zeros as i32 + exponent;
    if digits.is_empty() { ("0".to_owned(), 1) } else { (digits, point) }
}

/// Writes digits as plain decimal notation with at least one fraction digit.
fn push_plain(out: &mut String, digits: &str, point: i32) {
    if point <= 0 {
        out.push_str("0.");
        (point..0).for_each(|_| out.push('0'));
        out.push_str(digits);
        return;
    }
    let point = point as usize;
    match digits.split_at_checked(point) {
        Some((whole, fraction)) => {
            out.push_str(whole);
            out.push('.');
            out.push_str(if fraction.is_empty() { "0" } else { fraction });
        }
        None => {
            out.push_str(digits);
            (digits.len()..point).for_each(|_| out.push('0'));
            out.push_str(".0");
        }
    }
}

/// `1.0E10`, `1.5`, `NaN`: `Double.toString` of JDK 19 and later.
pub fn push_java_double(out: &mut String, number: f64) {
    // Where Java writes plain digits, so does ryu, and its digits need no taking apart.
    if (1e-3..1e7).contains(&number.abs()) {
        return out.push_str(ryu::Buffer::new().format_finite(number));
    }
    push_double(out, number, -2..=7, |out, exponent| _ = write!(out, "E{exponent}"));
}

/// `1.0e+20`, `1.5`, `NaN`: `Float#to_s` of JRuby, which writes zeros up to 10^20 (other Rubies only to 10^16).
pub fn push_ruby_float(out: &mut String, number: f64) {
    // In this decade JRuby writes 15 digits with an exponent, below and above it all that are needed.
    if (1e19..1e20).contains(&number.abs()) {
        let text = format!("{number:.14e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "19"));
        let digits = digits.trim_end_matches('0');
        let zero = if digits.ends_with('.') { "0" } else { "" };
        _ = write!(out, "{digits}{zero}e+{exponent}");
        return;
    }
    push_double(out, number, -3..=20, |out, exponent| {
        let sign = if exponent < 0 { '-' } else { '+' };
        _ = write!(out, "e{sign}{:02}", exponent.abs());
    });
}

/// Plain notation while the decimal point's place lies within `plain` (0.01 has it at -1, 10.0 at 2), else one digit, a point and an exponent.
fn push_double(
    out: &mut String,
    number: f64,
    plain: std::ops::RangeInclusive<i32>,
    push_exponent: impl Fn(&mut String, i32),
) {
    if number.is_nan() {
        return out.push_str("NaN");
    }
    if number.is_sign_negative() {
        out.push('-');
    }
    if number.is_infinite() {
        return out.push_str("Infinity");
    }
    let (digits, point) = shortest_digits(number);
    if plain.contains(&point) {
        return push_plain(out, &digits, point);
    }
    let (first, rest) = digits.split_at(1);
    out.push_str(first);
    out.push('.');
    out.push_str(if rest.is_empty() { "0" } else { rest });
    push_exponent(out, point - 1);
}

/// What `%{field}` prints: text as it is, arrays joined with commas, objects as JSON. Null prints nothing.
pub fn push_sprintf(out: &mut String, value: &Value) {
    match value {
        Value::Array(items) => push_joined(out, items),
        Value::Object(object) => super::json::push_object(out, object),
        other => push_java(out, other),
    }
}

/// `KeyNode.join`: nested arrays flatten, null is empty, objects print as Java maps.
fn push_joined(out: &mut String, items: &[Value]) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match item {
            Value::Null => {}
            Value::Array(nested) => push_joined(out, nested),
            other => push_java(out, other),
        }
    }
}

/// Java's `toString` of a value: `{k=v, l=[1, 2]}`.
pub fn push_java(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => _ = write!(out, "{number}"),
        Value::Float(number) => push_java_double(out, *number),
        Value::Big(number) => _ = write!(out, "{number}"),
        Value::Str(text) => out.push_str(text),
        Value::Timestamp(time) => _ = write!(out, "{time}"),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                push_java(out, item);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (at, (key, item)) in object.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                out.push_str(key);
                out.push('=');
                push_java(out, item);
            }
            out.push('}');
        }
    }
}

/// Appends a text for HTML, as Ruby's `CGI.escapeHTML` writes it.
pub fn push_html_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

/// Ruby's `to_s`: text as it is, null empty, arrays and hashes as `inspect`.
pub fn ruby_to_s(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Null => {}
        Value::Str(text) => out.push_str(text),
        other => push_ruby_inspect(&mut out, other),
    }
    out
}

/// Ruby 3.4's `inspect`: `{"a" => 1}`, `["x", nil]`, `"say \"hi\""`.
pub fn push_ruby_inspect(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("nil"),
        Value::Float(number) => push_ruby_float(out, *number),
        Value::Big(big) => match &**big {
            Big::Decimal(number) => push_ruby_decimal(out, number),
            Big::Integer(number) => _ = write!(out, "{number}"),
        },
        Value::Str(text) => push_ruby_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                push_ruby_inspect(out, item);
            }
            out.push(']');
        }
        Value::Object(object) => push_ruby_hash(out, object),
        other => push_java(out, other),
    }
}

/// `BigDecimal#to_s`: `0.11e1`, `-0.1e-6`, `0.0`.
pub fn push_ruby_decimal(out: &mut String, number: &BigDecimal) {
    let (digits, scale) = number.normalized().into_bigint_and_exponent();
    if digits == BigInt::ZERO {
        out.push_str("0.0");
        return;
    }
    let sign = if digits.sign() == Sign::Minus { "-" } else { "" };
    let digits = digits.magnitude().to_string();
    let exponent = i128::from(digits.len() as u64) - i128::from(scale);
    _ = write!(out, "{sign}0.{digits}e{exponent}");
}

fn push_ruby_hash(out: &mut String, object: &Object) {
    out.push('{');
    for (at, (key, item)) in object.iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        push_ruby_string(out, key);
        out.push_str(" => ");
        push_ruby_inspect(out, item);
    }
    out.push('}');
}

/// `String#inspect`: quotes, backslashes, `#{`, `#$`, `#@` and whatever does not print are escaped.
pub fn push_ruby_string(out: &mut String, text: &str) {
    out.push('"');
    push_ruby_escaped(out, text);
    out.push('"');
}

/// `String#inspect` without the quotes around it.
pub fn push_ruby_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !prints_as_it_is(byte)) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = special.chars();
        if let Some(character) = characters.next() {
            push_escaped(out, character, characters.clone().next());
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

/// Whether a byte is a character of ASCII that is never escaped.
fn prints_as_it_is(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'#')
}

fn push_escaped(out: &mut String, character: char, next: Option<char>) {
    match character {
        '"' | '\\' => out.extend(['\\', character]),
        '#' if matches!(next, Some('{' | '$' | '@')) => out.push_str("\\#"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{0C}' => out.push_str("\\f"),
        '\u{0B}' => out.push_str("\\v"),
        '\u{08}' => out.push_str("\\b"),
        '\u{07}' => out.push_str("\\a"),
        '\u{1B}' => out.push_str("\\e"),
        other if is_printable(other) => out.push(other),
        other if (other as u32) < 0x1_0000 => _ = write!(out, "\\u{:04X}", other as u32),
        other => _ = write!(out, "\\u{{{:X}}}", other as u32),
    }
}

/// Whether Ruby prints a character as it is. Format characters (U+FEFF, U+200B) and private ones do print; controls,
/// separators of lines and code points that stand for nothing do not.
fn is_printable(character: char) -> bool {
    static UNPRINTABLE: LazyLock<Option<regex::Regex>> =
        LazyLock::new(|| regex::Regex::new(r"[\p{Cc}\p{Cn}\p{Zl}\p{Zp}]").ok());
    match character {
        ' '..='~' => true,
        // Most of what is written anywhere: Latin, kana, Chinese, Hangul.
        '\u{A0}'..='\u{377}' | '\u{3041}'..='\u{3096}' | '\u{30A0}'..='\u{30FF}' => true,
        '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' => true,
        other => {
            let mut bytes = [0; 4];
            let text = other.encode_utf8(&mut bytes);
            !UNPRINTABLE.as_ref().is_some_and(|unprintable| unprintable.is_match(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn java(number: f64) -> String {
        let mut out = String::new();
        push_java_double(&mut out, number);
        out
    }

    fn ruby(number: f64) -> String {
        let mut out = String::new();
        push_ruby_float(&mut out, number);
        out
    }

    #[test]
    fn java_doubles() {
        // Thresholds as the documentation of java.lang.Double.toString gives them.
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (9999999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (123456789.125, "1.23456789125E8"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (1e23, "1.0E23"),
            (2e-44, "2.0E-44"),
            (0.30000000000000004, "0.30000000000000004"),
            (4.9e-324, "4.9E-324"),
        ] {
            assert_eq!(java(number), text);
        }
    }

    #[test]
    fn ruby_floats() {
        for (number, text) in [
            (1e20, "1.0e+20"),
            (1e19, "1.0e+19"),
            (1e18, "1000000000000000000.0"),
            (1e16, "10000000000000000.0"),
            (9999999999999998.0, "9999999999999998.0"),
            (1e15, "1000000000000000.0"),
            (1e-7, "1.0e-07"),
            (0.0001, "0.0001"),
            (0.00001, "1.0e-05"),
            (5e-324, "4.9e-324"),
        ] {
            assert_eq!(ruby(number), text);
        }
    }

    #[test]
    fn ruby_strings() {
        let mut out = String::new();
        push_ruby_string(&mut out, "a\"b\\c#{d} #e\n\u{7f}\u{2028}\u{feff}é😀");
        assert_eq!(out, "\"a\\\"b\\\\c\\#{d} #e\\n\\u007F\\u2028\u{feff}é😀\"");
        out.clear();
        push_ruby_string(&mut out, "\u{378} \u{e000} \u{fffe} \u{ffff} \u{fffd} #\u{1ffff}");
        assert_eq!(out, "\"\\u0378 \u{e000} \\uFFFE \\uFFFF \u{fffd} #\\u{1FFFF}\"");
    }
}
