//! `BigDecimal`.

use std::str::FromStr as _;

use bigdecimal::{BigDecimal, RoundingMode, Zero as _};
use num_bigint::{BigInt, Sign};

use super::numeric::{Mode, rounding_mode};
use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Native, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        superclass: Some("Numeric"),
        methods: &[METHODS],
        singleton_methods: &[&[MethodDef("mode", between(0, 2), |_, _, _| Ok(Value::Int(0)))]],
        setup: Some(|interp, class| {
            for (name, value) in [
                ("ROUND_UP", 1),
                ("ROUND_DOWN", 2),
                ("ROUND_HALF_UP", 3),
                ("ROUND_HALF_DOWN", 4),
                ("ROUND_CEILING", 5),
                ("ROUND_FLOOR", 6),
                ("ROUND_HALF_EVEN", 7),
            ] {
                interp.define_constant(class, name, Value::Int(value));
            }
        }),
        ..ClassDef::class("BigDecimal")
    },
    ClassDef { functions: &[FUNCTIONS], ..ClassDef::module("Kernel") },
    ClassDef { methods: &[CONVERSION], ..ClassDef::class("Integer") },
];

/// The largest power of ten in one: larger ones would only fill memory.
const MAX_EXPONENT: i64 = 100_000;

/// A decimal number; `NaN` and the infinities have no digits.
enum Decimal {
    Finite(BigDecimal),
    Special(f64),
}

impl Native for Decimal {
    fn trace(&self, _visit: &mut dyn FnMut(&Value)) -> bool {
        true
    }

    fn key_hash(&self) -> Option<u64> {
        match self {
            Decimal::Finite(number) => {
                let (digits, scale) = number.normalized().into_bigint_and_exponent();
                Some(digits.iter_u64_digits().fold(scale as u64, |hash, digit| hash.rotate_left(7) ^ digit))
            }
            Decimal::Special(number) => Some(number.to_bits()),
        }
    }

    fn is_same_key(&self, other: &dyn Native) -> bool {
        match (self, other.downcast::<Decimal>()) {
            (Decimal::Finite(a), Some(Decimal::Finite(b))) => a == b,
            _ => false,
        }
    }
}

fn wrap(interp: &Interp, number: BigDecimal) -> Value {
    Value::native(&interp.classes.big_decimal, Decimal::Finite(number))
}

fn special(interp: &Interp, number: f64) -> Value {
    Value::native(&interp.classes.big_decimal, Decimal::Special(number))
}

/// What `BigDecimal()` reads; leniently, the number at the start of the text.
pub(super) fn from_text(interp: &mut Interp, text: &str, strictly: bool) -> Outcome {
    let trimmed = text.trim().replace('_', "");
    match trimmed.as_str() {
        "NaN" => return Ok(special(interp, f64::NAN)),
        "Infinity" | "+Infinity" => return Ok(special(interp, f64::INFINITY)),
        "-Infinity" => return Ok(special(interp, f64::NEG_INFINITY)),
        _ => {}
    }
    let bytes = trimmed.as_bytes();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    end = digits(end);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E' | b'd' | b'D')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    let number = trimmed.get(..end).unwrap_or_default().replace(['d', 'D'], "e");
    let number = number.trim_end_matches('.').trim_start_matches('+');
    let parsed = if end == trimmed.len() || !strictly { BigDecimal::from_str(number).ok() } else { None };
    match parsed {
        Some(number) if number.fractional_digit_count().abs() <= MAX_EXPONENT => Ok(wrap(interp, number)),
        Some(_) => Err(interp.argument_error("exponent overflow")),
        None if strictly => {
            let shown = interp.inspect(&Value::str(text))?;
            Err(interp.argument_error(format!("invalid value for BigDecimal(): {shown}")))
        }
        None => Ok(wrap(interp, BigDecimal::zero())),
    }
}

const FUNCTIONS: &[MethodDef] = &[MethodDef("BigDecimal", between(1, 3), |interp, _, args| {
    let quiet = args.keyword("exception").is_some_and(|raise| !raise.truthy());
    match to_decimal(interp, args.at(0), true) {
        Err(control) if quiet && control.exception().is_some() => Ok(Value::Nil),
        other => other,
    }
})];

const CONVERSION: &[MethodDef] =
    &[MethodDef("to_d", exactly(0), |interp, this, _| to_decimal(interp, this, false))];

fn to_decimal(interp: &mut Interp, value: &Value, strictly: bool) -> Outcome {
    match value {
        Value::Str(text) => {
            let text = text.to_text();
            from_text(interp, &text, strictly)
        }
        Value::Int(_) | Value::Big(_) => {
            let text = interp.to_s(value)?;
            from_text(interp, &text, true)
        }
        Value::Float(number) => {
            let text = crate::ruby::interpreter::float_to_s(*number);
            from_text(interp, &text, true)
        }
        Value::Nil => Err(interp.type_error("can't convert nil into BigDecimal")),
        other if other.as_native::<Decimal>().is_some() => Ok(other.clone()),
        other if interp.responds_to(other, sym!("numerator")) => {
            let (above, below) =
                (interp.call(other, "numerator", &[])?, interp.call(other, "denominator", &[])?);
            let (above, below) = (to_decimal(interp, &above, true)?, to_decimal(interp, &below, true)?);
            interp.call(&above, "/", &[below])
        }
        other => {
            let class = interp.describe_for_conversion(other);
            Err(interp.type_error(format!("can't convert {class} into BigDecimal")))
        }
    }
}

/// The number of a BigDecimal that is one, with all its zeros.
pub fn own(value: &Value) -> Option<BigDecimal> {
    match value.as_native::<Decimal>() {
        Some(Decimal::Finite(number)) => Some(number.clone()),
        _ => None,
    }
}

fn to_f64(value: &Value) -> f64 {
    match value.as_native::<Decimal>() {
        Some(Decimal::Finite(number)) => number.to_string().parse().unwrap_or(f64::NAN),
        Some(Decimal::Special(number)) => *number,
        None => f64::NAN,
    }
}

const METHODS: &[MethodDef] = &[
    MethodDef("+", exactly(1), |interp, this, args| operate(interp, this, args.at(0), "+")),
    MethodDef("-", exactly(1), |interp, this, args| operate(interp, this, args.at(0), "-")),
    MethodDef("*", exactly(1), |interp, this, args| operate(interp, this, args.at(0), "*")),
    MethodDef("/", exactly(1), |interp, this, args| operate(interp, this, args.at(0), "/")),
    MethodDef("quo", exactly(1), |interp, this, args| operate(interp, this, args.at(0), "/")),
    MethodDef("%", exactly(1), |interp, this, args| operate(interp, this, args.at(0), "%")),
    MethodDef("modulo", exactly(1), |interp, this, args| operate(interp, this, args.at(0), "%")),
    MethodDef("add", exactly(2), |interp, this, args| operate(interp, this, args.at(0), "+")),
    MethodDef("sub", exactly(2), |interp, this, args| operate(interp, this, args.at(0), "-")),
    MethodDef("mult", exactly(2), |interp, this, args| operate(interp, this, args.at(0), "*")),
    MethodDef("**", exactly(1), power),
    MethodDef("power", exactly(1), power),
    MethodDef("sqrt", between(0, 1), |interp, this, _| match own(this).and_then(|number| number.sqrt()) {
        Some(root) => Ok(wrap(interp, root)),
        None => Err(interp.error("FloatDomainError", "sqrt of negative value")),
    }),
    MethodDef("-@", exactly(0), |interp, this, _| match own(this) {
        Some(number) => Ok(wrap(interp, -number)),
        None => Ok(special(interp, -to_f64(this))),
    }),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        Ok(compare(interp, this, args.at(0))?.map_or(Value::Nil, |order| Value::Int(order as i64)))
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        Ok(Value::Bool(compare(interp, this, args.at(0))? == Some(std::cmp::Ordering::Equal)))
    }),
    MethodDef("===", exactly(1), |interp, this, args| {
        Ok(Value::Bool(compare(interp, this, args.at(0))? == Some(std::cmp::Ordering::Equal)))
    }),
    MethodDef("coerce", exactly(1), |interp, this, args| {
        let other = to_decimal(interp, args.at(0), false)?;
        Ok(Value::array(vec![other, this.clone()]))
    }),
    MethodDef("nan?", exactly(0), |_, this, _| Ok(Value::Bool(to_f64(this).is_nan()))),
    MethodDef("finite?", exactly(0), |_, this, _| Ok(Value::Bool(own(this).is_some()))),
    MethodDef("infinite?", exactly(0), |_, this, _| match this.as_native() {
        Some(Decimal::Special(number)) if number.is_infinite() => Ok(Value::Int(number.signum() as i64)),
        _ => Ok(Value::Nil),
    }),
    MethodDef("zero?", exactly(0), |_, this, _| {
        Ok(Value::Bool(own(this).is_some_and(|number| number.is_zero())))
    }),
    MethodDef("sign", exactly(0), |_, this, _| {
        Ok(Value::Int(match own(this).map(|number| number.sign()) {
            Some(Sign::Minus) => -2,
            Some(Sign::NoSign) => 1,
            Some(Sign::Plus) => 2,
            None => 0,
        }))
    }),
    MethodDef("abs", exactly(0), |interp, this, _| match own(this) {
        Some(number) => Ok(wrap(interp, number.abs())),
        None => Ok(special(interp, to_f64(this).abs())),
    }),
    MethodDef("round", between(0, 2), |interp, this, args| {
        let half = half(interp, args)?;
        let (args, _) = args.split_keywords();
        let mode = match (args.at(1), args.len()) {
            (Value::Int(1), _) => RoundingMode::Up,
            (Value::Int(2), _) => RoundingMode::Down,
            (Value::Int(4), _) => RoundingMode::HalfDown,
            (Value::Int(5), _) => RoundingMode::Ceiling,
            (Value::Int(6), _) => RoundingMode::Floor,
            (Value::Int(7), _) => RoundingMode::HalfEven,
            (Value::Sym(name), _) => match name.as_str() {
                "up" => RoundingMode::Up,
                "down" | "truncate" => RoundingMode::Down,
                "half_down" => RoundingMode::HalfDown,
                "half_even" | "banker" => RoundingMode::HalfEven,
                "ceiling" | "ceil" => RoundingMode::Ceiling,
                "floor" => RoundingMode::Floor,
                _ => RoundingMode::HalfUp,
            },
            _ => half,
        };
        round(interp, this, args, mode)
    }),
    MethodDef("floor", between(0, 1), |interp, this, args| round(interp, this, args, RoundingMode::Floor)),
    MethodDef("ceil", between(0, 1), |interp, this, args| round(interp, this, args, RoundingMode::Ceiling)),
    MethodDef("truncate", between(0, 1), |interp, this, args| round(interp, this, args, RoundingMode::Down)),
    MethodDef("fix", exactly(0), |interp, this, _| match own(this) {
        Some(number) => Ok(wrap(interp, number.with_scale_round(0, RoundingMode::Down))),
        None => Ok(this.clone()),
    }),
    MethodDef("frac", exactly(0), |interp, this, _| match own(this) {
        Some(number) => {
            let whole = number.with_scale_round(0, RoundingMode::Down);
            Ok(wrap(interp, number - whole))
        }
        None => Ok(this.clone()),
    }),
    MethodDef("to_i", exactly(0), |interp, this, args| round(interp, this, args, RoundingMode::Down)),
    MethodDef("to_int", exactly(0), |interp, this, args| round(interp, this, args, RoundingMode::Down)),
    MethodDef("to_f", exactly(0), |_, this, _| Ok(Value::Float(to_f64(this)))),
    MethodDef("to_d", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("to_r", exactly(0), |interp, this, _| {
        let text = own(this).map(|number| number.to_plain_string()).unwrap_or_default();
        super::numeric::rational_from_text(interp, &text, false)
    }),
    MethodDef("to_s", between(0, 1), to_s),
    MethodDef("inspect", exactly(0), to_s),
    MethodDef("to_digits", exactly(0), |_, this, _| {
        Ok(Value::str(own(this).map(|number| plain(&number)).unwrap_or_default()))
    }),
    MethodDef("precision", exactly(0), |_, this, _| {
        Ok(Value::big(own(this).map_or(0, |number| number.normalized().digits()).into()))
    }),
    MethodDef("scale", exactly(0), |_, this, _| {
        Ok(Value::Int(own(this).map_or(0, |number| number.normalized().fractional_digit_count().max(0))))
    }),
    MethodDef("exponent", exactly(0), |_, this, _| {
        Ok(Value::Int(
            own(this)
                .filter(|number| !number.is_zero())
                .map_or(0, |number| number.digits() as i64 - number.fractional_digit_count()),
        ))
    }),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
];

fn compare(interp: &mut Interp, this: &Value, other: &Value) -> Outcome<Option<std::cmp::Ordering>> {
    let other = match other {
        Value::Int(_) | Value::Big(_) | Value::Float(_) => to_decimal(interp, other, true)?,
        Value::Object(_) if other.as_native::<Decimal>().is_some() => other.clone(),
        Value::Object(_) if interp.responds_to(other, sym!("to_r")) => to_decimal(interp, other, true)?,
        _ => return Ok(None),
    };
    Ok(match (own(this), own(&other)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => to_f64(this).partial_cmp(&to_f64(&other)),
    })
}

fn operate(interp: &mut Interp, this: &Value, other: &Value, operator: &str) -> Outcome {
    let other = match other {
        Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Object(_) => {
            to_decimal(interp, other, true)?
        }
        other => {
            let class = interp.describe_for_conversion(other);
            return Err(interp.type_error(format!("{class} can't be coerced into BigDecimal")));
        }
    };
    let (Some(a), Some(b)) = (own(this), own(&other)) else {
        let result = interp.call_with(
            &Value::Float(to_f64(this)),
            Sym::new(operator),
            Args::of(&[Value::Float(to_f64(&other))]),
        )?;
        let number = interp.to_float(&result)?;
        return Ok(special(interp, number));
    };
    let span = a.fractional_digit_count().abs().saturating_add(b.fractional_digit_count().abs());
    if span > 4 * MAX_EXPONENT {
        return Err(interp.error("FloatDomainError", "exponent overflow"));
    }
    Ok(match operator {
        "+" => wrap(interp, a + b),
        "-" => wrap(interp, a - b),
        "*" => {
            let ((a, scale), (b, other)) = (a.into_bigint_and_exponent(), b.into_bigint_and_exponent());
            wrap(interp, BigDecimal::new(a * b, scale + other))
        }
        _ if b.is_zero() => return Err(interp.error("ZeroDivisionError", "divided by 0")),
        "/" => {
            // Twice the digits of the longer one, in words of nine (`RubyBigDecimal#quoImpl`).
            let digits = |number: &BigDecimal| {
                number.digits().saturating_add(number.fractional_digit_count().min(0).unsigned_abs())
            };
            let places = digits(&a).max(digits(&b)).saturating_mul(2).max(32).div_ceil(9).saturating_mul(9);
            wrap(interp, quotient(&a, &b, places.min(MAX_EXPONENT as u64) as i64))
        }
        _ => {
            let quotient = (&a / &b).with_scale_round(0, RoundingMode::Floor);
            wrap(interp, a - quotient * b)
        }
    })
}

/// The quotient with so many places behind the point.
fn quotient(a: &BigDecimal, b: &BigDecimal, places: i64) -> BigDecimal {
    let (above, above_scale) = a.as_bigint_and_exponent();
    let (below, below_scale) = b.as_bigint_and_exponent();
    let shift = places + below_scale - above_scale;
    let power = BigInt::from(10).pow(u32::try_from(shift.unsigned_abs()).unwrap_or(u32::MAX));
    let (above, below) = if shift >= 0 { (above * power, below) } else { (above, below * power) };
    let (whole, part) = (above.magnitude(), below.magnitude());
    let rounded = (whole * 2u32 + part) / (part * 2u32);
    let sign = if above.sign() == below.sign() { Sign::Plus } else { Sign::Minus };
    BigDecimal::new(BigInt::from_biguint(sign, rounded), places)
}

fn power(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let Some(base) = own(this) else { return Ok(this.clone()) };
    let exponent = args.int(interp, 0)?;
    if exponent.unsigned_abs().saturating_mul(base.digits()) > MAX_EXPONENT as u64 {
        return Err(interp.argument_error("exponent is too large"));
    }
    let mut result = BigDecimal::from(1);
    for _ in 0..exponent.unsigned_abs() {
        result *= &base;
    }
    if exponent < 0 {
        let one = wrap(interp, BigDecimal::from(1));
        return operate(interp, &one, &wrap(interp, result), "/");
    }
    Ok(wrap(interp, result))
}

fn round(interp: &mut Interp, this: &Value, args: Args<'_>, mode: RoundingMode) -> Outcome {
    let Some(number) = own(this) else {
        let shown = interp.to_s(this)?;
        return Err(interp.error("FloatDomainError", format!("Computation results in '{shown}'")));
    };
    if args.is_empty() {
        let (digits, _) = number.with_scale_round(0, mode).into_bigint_and_exponent();
        let digits: BigInt = digits;
        return Ok(Value::big(digits));
    }
    let places = args.int(interp, 0)?.clamp(-MAX_EXPONENT, MAX_EXPONENT);
    Ok(wrap(interp, number.with_scale_round(places, mode)))
}

/// Digits with a point, at least one behind it.
fn plain(number: &BigDecimal) -> String {
    let text = number.normalized().to_plain_string();
    if text.contains('.') { text } else { text + ".0" }
}

fn to_s(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let Some(number) = own(this) else {
        return Ok(Value::str(crate::ruby::interpreter::float_to_s(to_f64(this))));
    };
    let format = match args.at(0) {
        Value::Str(format) => format.to_text(),
        _ => String::new(),
    };
    if format.to_ascii_uppercase().contains('F') {
        let sign = if format.starts_with('+') && number.sign() != Sign::Minus { "+" } else { "" };
        return Ok(Value::str(format!("{sign}{}", plain(&number))));
    }
    if number.is_zero() {
        return Ok(Value::str("0.0"));
    }
    _ = interp;
    let (digits, scale) = number.normalized().into_bigint_and_exponent();
    let sign = if digits.sign() == Sign::Minus { "-" } else { "" };
    let digits = digits.magnitude().to_string();
    let exponent = digits.len() as i64 - scale;
    Ok(Value::str(format!("{sign}0.{digits}e{exponent}")))
}

/// What `half:` means for decimals.
fn half(interp: &mut Interp, args: Args<'_>) -> Outcome<RoundingMode> {
    Ok(match rounding_mode(interp, args)? {
        Mode::HalfEven => RoundingMode::HalfEven,
        Mode::HalfDown => RoundingMode::HalfDown,
        _ => RoundingMode::HalfUp,
    })
}
