//! `Kernel#format` and `String#%`.

use num_bigint::{BigInt, Sign};

use super::super::MethodDef;
use super::chars;
use crate::ruby::args::at_least;
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::{StrBuf, Value};

pub(super) const FUNCTIONS: &[MethodDef] = &[
    MethodDef("format", at_least(1), |interp, _, args| {
        let template = args.string(interp, 0)?.borrow().clone();
        Ok(super::from_buffer(format(interp, &template, args.from(1))?))
    }),
    MethodDef("sprintf", at_least(1), |interp, _, args| {
        let template = args.string(interp, 0)?.borrow().clone();
        Ok(super::from_buffer(format(interp, &template, args.from(1))?))
    }),
    MethodDef("printf", at_least(1), |interp, this, args| {
        let template = args.string(interp, 0)?.borrow().clone();
        let text = super::from_buffer(format(interp, &template, args.from(1))?);
        interp.call(this, "print", &[text])
    }),
];

#[derive(Default)]
struct Directive {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternative: bool,
    width: usize,
    precision: Option<usize>,
    value: Option<Value>,
}

/// What the arguments of a format are taken by.
struct Arguments<'a> {
    values: &'a [Value],
    next: usize,
}

impl Arguments<'_> {
    fn take(&mut self, interp: &mut Interp) -> Outcome {
        let value = self.values.get(self.next).cloned();
        self.next += 1;
        value.ok_or_else(|| interp.argument_error("too few arguments"))
    }

    /// `shown` is the name in its brackets.
    fn named(&self, interp: &mut Interp, name: &str, shown: &str) -> Outcome {
        let Some(Value::Hash(hash)) = self.values.first() else {
            return Err(interp.argument_error("one hash required"));
        };
        let key = Value::sym(name);
        match hash.get(&key) {
            Some(value) => Ok(value),
            None => {
                let default = hash.default.borrow().clone();
                match default {
                    crate::ruby::value::HashDefault::Value(value) => Ok(value),
                    crate::ruby::value::HashDefault::Block(block) => {
                        interp.yield_values(&block, &[Value::Hash(hash.clone()), key])
                    }
                    crate::ruby::value::HashDefault::None => {
                        Err(interp.error("KeyError", format!("key{shown} not found")))
                    }
                }
            }
        }
    }
}

/// Fills in a template.
pub(in crate::ruby::stdlib) fn format(
    interp: &mut Interp,
    template: &StrBuf,
    values: &[Value],
) -> Outcome<StrBuf> {
    let mut out = StrBuf::new(Vec::with_capacity(template.len()), template.encoding());
    let mut arguments = Arguments { values, next: 0 };
    let bytes = template.bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let plain = memchr::memchr(b'%', rest).unwrap_or(rest.len());
        out.bytes_mut().extend_from_slice(rest.get(..plain).unwrap_or_default());
        at += plain + 1;
        if plain == rest.len() {
            break;
        }
        at = directive(interp, bytes, at, &mut arguments, &mut out)?;
        interp.check_size(out.len())?;
    }
    Ok(out)
}

fn number_at(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let start = *at;
    while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
        *at += 1;
    }
    std::str::from_utf8(bytes.get(start..*at)?).ok()?.parse().ok()
}

/// One directive behind its `%`; gives the place behind it.
fn directive(
    interp: &mut Interp,
    bytes: &[u8],
    mut at: usize,
    arguments: &mut Arguments<'_>,
    out: &mut StrBuf,
) -> Outcome<usize> {
    let mut directive = Directive::default();
    loop {
        let Some(byte) = bytes.get(at).copied() else {
            return Err(interp.argument_error("incomplete format specifier; use %% (double %) instead"));
        };
        at += 1;
        match byte {
            b' ' => directive.space = true,
            b'#' => directive.alternative = true,
            b'+' => directive.plus = true,
            b'-' => directive.left = true,
            b'0' => directive.zero = true,
            b'1'..=b'9' => {
                at -= 1;
                let number = number_at(bytes, &mut at).unwrap_or(usize::MAX);
                if bytes.get(at) == Some(&b'$') {
                    at += 1;
                    let value = number.checked_sub(1).and_then(|place| arguments.values.get(place));
                    directive.value =
                        Some(value.cloned().ok_or_else(|| interp.argument_error("too few arguments"))?);
                } else {
                    interp.check_size(number)?;
                    directive.width = number;
                }
            }
            b'*' => {
                let width = arguments.take(interp)?;
                let width = interp.to_int(&width)?;
                directive.left |= width < 0;
                directive.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
                interp.check_size(directive.width)?;
            }
            b'.' => {
                let precision = if bytes.get(at) == Some(&b'*') {
                    at += 1;
                    let value = arguments.take(interp)?;
                    usize::try_from(interp.to_int(&value)?).unwrap_or(0)
                } else {
                    number_at(bytes, &mut at).unwrap_or(0)
                };
                interp.check_size(precision)?;
                directive.precision = Some(precision);
            }
            b'<' | b'{' => {
                let close = if byte == b'<' { b'>' } else { b'}' };
                let rest = bytes.get(at..).unwrap_or_default();
                let Some(end) = memchr::memchr(close, rest) else {
                    return Err(interp.argument_error("malformed name - unmatched parenthesis"));
                };
                let name = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
                at += end + 1;
                let shown = format!("{}{name}{}", char::from(byte), char::from(close));
                let value = arguments.named(interp, &name, &shown)?;
                if byte == b'{' {
                    let text = interp.to_s_string(&value)?.borrow().clone();
                    pad_text(&directive, text, out);
                    return Ok(at);
                }
                directive.value = Some(value);
            }
            b'%' => {
                out.push_str("%");
                return Ok(at);
            }
            b'\n' | 0 => {
                out.push_str("%");
                return Ok(at - 1);
            }
            kind => {
                convert(interp, char::from(kind), directive, arguments, out)?;
                return Ok(at);
            }
        }
    }
}

fn convert(
    interp: &mut Interp,
    kind: char,
    mut directive: Directive,
    arguments: &mut Arguments<'_>,
    out: &mut StrBuf,
) -> Outcome<()> {
    if !"diuxXobBfgGeEaAspc".contains(kind) {
        return Err(interp.argument_error(format!("malformed format string - %{kind}")));
    }
    let value = match directive.value.take() {
        Some(value) => value,
        None => arguments.take(interp)?,
    };
    match kind {
        's' => {
            let text = interp.to_s_string(&value)?.borrow().clone();
            pad_text(&directive, text, out);
        }
        'p' => {
            let text = StrBuf::from(interp.inspect(&value)?);
            pad_text(&directive, text, out);
        }
        'c' => {
            let text = match &value {
                Value::Str(string) => {
                    let text = string.to_text();
                    text.chars().next().map(String::from).unwrap_or_default()
                }
                other => {
                    let code = interp.to_int(other)?;
                    match u32::try_from(code).ok().and_then(char::from_u32) {
                        Some(character) => character.to_string(),
                        None => return Err(interp.argument_error("invalid character")),
                    }
                }
            };
            directive.precision = None;
            pad_text(&directive, StrBuf::from(text), out);
        }
        'd' | 'i' | 'u' => {
            let number = to_integer(interp, &value)?;
            let (negative, digits) = (number.sign() == Sign::Minus, number.magnitude().to_string());
            pad_number(&directive, negative, "", &digits, out);
        }
        'x' | 'X' | 'o' | 'b' | 'B' => {
            let number = to_integer(interp, &value)?;
            in_base(&directive, kind, &number, out);
        }
        _ => {
            let number = interp.call_float(&value)?;
            float(&directive, kind, number, out);
        }
    }
    Ok(())
}

fn to_integer(interp: &mut Interp, value: &Value) -> Outcome<BigInt> {
    let converted = match value {
        Value::Int(_) | Value::Big(_) => value.clone(),
        Value::Float(number) if number.is_finite() => {
            let floored = Value::Float(number.floor());
            interp.call(&floored, "to_i", &[])?
        }
        other => {
            let main = interp.main.clone();
            interp.call(&main, "Integer", std::slice::from_ref(other))?
        }
    };
    match converted {
        Value::Int(number) => Ok(number.into()),
        Value::Big(number) => Ok((*number).clone()),
        other => Err(interp.no_conversion(&other, "Integer")),
    }
}

fn pad_text(directive: &Directive, text: StrBuf, out: &mut StrBuf) {
    let text = match directive.precision {
        Some(precision) => {
            let end = chars::byte_of(&text, precision).unwrap_or(text.len());
            StrBuf::new(text.bytes().get(..end).unwrap_or_default().to_vec(), text.encoding())
        }
        None => text,
    };
    let space = " ".repeat(directive.width.saturating_sub(chars::char_count(&text)));
    if !directive.left {
        out.push_str(&space);
    }
    out.append(&text);
    if directive.left {
        out.push_str(&space);
    }
}

fn sign_of(directive: &Directive, negative: bool) -> &'static str {
    match (negative, directive.plus, directive.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn pad_number(directive: &Directive, negative: bool, prefix: &str, digits: &str, out: &mut StrBuf) {
    let sign = sign_of(directive, negative);
    let mut digits = digits.to_owned();
    if let Some(precision) = directive.precision {
        digits = format!("{digits:0>precision$}");
    }
    let used = sign.len() + prefix.len() + digits.len();
    let space = directive.width.saturating_sub(used);
    if directive.left {
        out.push_str(&format!("{sign}{prefix}{digits}{}", " ".repeat(space)));
    } else if directive.zero && directive.precision.is_none() {
        out.push_str(&format!("{sign}{prefix}{}{digits}", "0".repeat(space)));
    } else {
        out.push_str(&format!("{}{sign}{prefix}{digits}", " ".repeat(space)));
    }
}

/// `%x`, `%o`, `%b`: negative numbers show as `..f`, unless a sign is asked for.
fn in_base(directive: &Directive, kind: char, number: &BigInt, out: &mut StrBuf) {
    let base = match kind {
        'x' | 'X' => 16,
        'o' => 8,
        _ => 2,
    };
    let prefix = match (directive.alternative, kind) {
        (true, 'x') => "0x",
        (true, 'X') => "0X",
        (true, 'b') => "0b",
        (true, 'B') => "0B",
        (true, 'o') => "0",
        _ => "",
    };
    let upper = |digits: String| if kind == 'X' { digits.to_uppercase() } else { digits };
    let negative = number.sign() == Sign::Minus;
    if !negative || directive.plus || directive.space {
        return pad_number(directive, negative, prefix, &upper(number.magnitude().to_str_radix(base)), out);
    }
    // The digits of the two's complement, with one filler before them.
    let filler = match base {
        16 => 'f',
        8 => '7',
        _ => '1',
    };
    let bits: u64 = match base {
        16 => 4,
        8 => 3,
        _ => 1,
    };
    let digits_needed = number.magnitude().bits().div_ceil(bits) + 1;
    let complement = (BigInt::from(1) << (digits_needed * bits)) + number;
    let digits = complement.to_str_radix(base);
    let trimmed = digits.trim_start_matches(filler);
    let digits = upper(format!("{filler}{trimmed}"));
    let shown = match directive.precision {
        Some(precision) => {
            let filler = upper(filler.to_string());
            format!("{}{digits}", filler.repeat(precision.saturating_sub(digits.len())))
        }
        None if directive.zero && !directive.left => {
            let filler = upper(filler.to_string());
            let used = digits.len() + prefix.len() + 2;
            format!("..{}{digits}", filler.repeat(directive.width.saturating_sub(used)))
        }
        None => format!("..{digits}"),
    };
    let space = " ".repeat(directive.width.saturating_sub(shown.len() + prefix.len()));
    if directive.left {
        out.push_str(&format!("{prefix}{shown}{space}"));
    } else {
        out.push_str(&format!("{space}{prefix}{shown}"));
    }
}

fn float(directive: &Directive, kind: char, number: f64, out: &mut StrBuf) {
    let negative = number.is_sign_negative() && !number.is_nan();
    let magnitude = number.abs();
    let precision = directive.precision.unwrap_or(6);
    if !number.is_finite() {
        let text = if number.is_nan() { "NaN" } else { "Inf" };
        let plain = Directive { zero: false, ..shape_of(directive) };
        return pad_number(&plain, negative, "", text, out);
    }
    let digits = match kind {
        'f' => fixed(magnitude, precision, directive.alternative),
        'e' | 'E' => exponential(magnitude, precision, directive.alternative),
        'a' | 'A' => hexadecimal(magnitude),
        _ => general(magnitude, precision, directive.alternative),
    };
    let digits = if kind.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
    pad_number(&shape_of(directive), negative, "", &digits, out);
}

/// The flags and width alone.
fn shape_of(directive: &Directive) -> Directive {
    Directive {
        left: directive.left,
        plus: directive.plus,
        space: directive.space,
        zero: directive.zero,
        alternative: directive.alternative,
        width: directive.width,
        precision: None,
        value: None,
    }
}

/// The shortest digits that mean a number, and the place of its point: `0.digits * 10^point`.
fn shortest(number: f64) -> (Vec<u8>, i64) {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.bytes().filter(u8::is_ascii_digit).collect();
    (digits, exponent.parse::<i64>().unwrap_or(0) + 1)
}

/// Where a five that is the last digit goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tie {
    Up,
    Down,
    /// To the even digit; up where none is left.
    Even,
}

/// Cuts digits to some. JRuby rounds the shortest decimal digits, not the exact value of the double (Sprintf.java).
fn cut(digits: &mut Vec<u8>, point: &mut i64, keep: i64, tie: Tie) {
    let Ok(keep) = usize::try_from(keep) else {
        digits.clear();
        return;
    };
    let Some(next) = digits.get(keep).copied() else { return };
    let last = keep.checked_sub(1).and_then(|at| digits.get(at));
    let tie_goes_up = match tie {
        Tie::Up => true,
        Tie::Down => false,
        Tie::Even => last.is_none_or(|last| last % 2 == 1),
    };
    let up = next > b'5' || (next == b'5' && (keep + 1 != digits.len() || tie_goes_up));
    digits.truncate(keep);
    if !up {
        return;
    }
    while let Some(last) = digits.pop() {
        if last < b'9' {
            digits.push(last + 1);
            break;
        }
    }
    if digits.is_empty() {
        digits.push(b'1');
        *point += 1;
    }
}

/// Digits from a place on, filled up with zeros.
fn padded(digits: &[u8], from: i64, count: usize) -> String {
    (0..count as i64)
        .map(|place| {
            let at = usize::try_from(from + place).ok();
            at.and_then(|at| digits.get(at)).map_or('0', |digit| char::from(*digit))
        })
        .collect()
}

fn fixed(number: f64, precision: usize, keep_point: bool) -> String {
    let (mut digits, mut point) = shortest(number);
    if number == 0.0 {
        digits.clear();
    }
    let keep = point.saturating_add(precision as i64);
    if keep < digits.len() as i64 {
        cut(&mut digits, &mut point, keep, Tie::Even);
    }
    let whole = if point > 0 { padded(&digits, 0, point as usize) } else { "0".into() };
    let decimals = padded(&digits, point, precision);
    let point = if precision > 0 || keep_point { "." } else { "" };
    format!("{whole}{point}{decimals}")
}

fn exponential(number: f64, precision: usize, keep_point: bool) -> String {
    let (mut digits, mut point) = shortest(number);
    let tie = if precision == 0 { Tie::Up } else { Tie::Down };
    cut(&mut digits, &mut point, precision as i64 + 1, tie);
    let exponent = if number == 0.0 { 0 } else { point - 1 };
    let sign = if exponent < 0 { '-' } else { '+' };
    let dot = if precision > 0 || keep_point { "." } else { "" };
    let (first, rest) = (padded(&digits, 0, 1), padded(&digits, 1, precision));
    format!("{first}{dot}{rest}e{sign}{:02}", exponent.abs())
}

/// `%g`: fixed or exponential, whichever is shorter, without zeros at the end.
fn general(number: f64, precision: usize, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    let (mut digits, mut point) = shortest(number);
    let trim = |text: String| match keep_zeros || !text.contains('.') {
        true => text,
        false => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
    };
    if number != 0.0 && (point - 1 < -4 || point > precision as i64) {
        let text = exponential(number, precision - 1, keep_zeros);
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{exponent}", trim(digits.to_owned()));
    }
    let tie = if precision as i64 > point { Tie::Down } else { Tie::Up };
    cut(&mut digits, &mut point, precision as i64, tie);
    let decimals = usize::try_from(precision as i64 - point).unwrap_or(0);
    let whole = if point > 0 { padded(&digits, 0, point as usize) } else { "0".into() };
    let dot = if decimals > 0 || keep_zeros { "." } else { "" };
    trim(format!("{whole}{dot}{}", padded(&digits, point, decimals)))
}

/// `%a`
fn hexadecimal(number: f64) -> String {
    if number == 0.0 {
        return "0x0p+0".into();
    }
    let bits = number.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7FF) as i64, bits & ((1 << 52) - 1));
    let (lead, exponent) = if exponent == 0 { (0, -1022) } else { (1, exponent - 1023) };
    let digits = format!("{fraction:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("0x{lead}{point}{digits}p{exponent:+}")
}

impl Interp {
    /// A number as `%f` takes it: text is read as `Float()` reads it.
    fn call_float(&mut self, value: &Value) -> Outcome<f64> {
        if let Value::Str(_) = value {
            let main = self.main.clone();
            let number = self.call_with(
                &main,
                sym!("Float"),
                crate::ruby::args::Args::of(std::slice::from_ref(value)),
            )?;
            return self.to_float(&number);
        }
        self.to_float(value)
    }
}
