//! `round`, `floor`, `ceil` and `truncate`.

use num_bigint::{BigInt, Sign};

use super::super::MethodDef;
use super::arithmetic::{Number, divide, number};
use super::float::to_integer;
use crate::ruby::args::{Args, between};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ruby::stdlib) enum Mode {
    Floor,
    Ceiling,
    Truncate,
    HalfUp,
    HalfEven,
    HalfDown,
}

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("round", between(0, 2), |interp, this, args| {
        let mode = rounding_mode(interp, args)?;
        round(interp, this, args.split_keywords().0, mode)
    }),
    MethodDef("floor", between(0, 1), |interp, this, args| round(interp, this, args, Mode::Floor)),
    MethodDef("ceil", between(0, 1), |interp, this, args| round(interp, this, args, Mode::Ceiling)),
    MethodDef("truncate", between(0, 1), |interp, this, args| round(interp, this, args, Mode::Truncate)),
];

/// What `half:` asks for.
pub(in crate::ruby::stdlib) fn rounding_mode(interp: &mut Interp, args: Args<'_>) -> Outcome<Mode> {
    let half = args.keyword("half").unwrap_or_default();
    let name = match &half {
        Value::Nil => return Ok(Mode::HalfUp),
        Value::Sym(name) => name.as_str().to_owned(),
        other => interp.to_s(other)?,
    };
    match name.as_str() {
        "up" => Ok(Mode::HalfUp),
        "even" => Ok(Mode::HalfEven),
        "down" => Ok(Mode::HalfDown),
        _ => Err(interp.argument_error(format!("invalid rounding mode: {name}"))),
    }
}

fn round(interp: &mut Interp, this: &Value, args: Args<'_>, mode: Mode) -> Outcome {
    let places = if args.is_empty() { 0 } else { args.int(interp, 0)? };
    match number(this) {
        Some(Number::Integer(_)) if places >= 0 => Ok(this.clone()),
        Some(Number::Integer(number)) => Ok(Value::big(round_integer(&number, places.unsigned_abs(), mode))),
        Some(Number::Float(number)) if places > 0 => Ok(Value::Float(round_float(number, places, mode))),
        Some(Number::Float(number)) => {
            let whole = match mode {
                Mode::Floor => number.floor(),
                Mode::Ceiling => number.ceil(),
                Mode::Truncate => number.trunc(),
                Mode::HalfUp => number.round(),
                Mode::HalfEven => number.round_ties_even(),
                Mode::HalfDown if (number - number.trunc()).abs() == 0.5 => number.trunc(),
                Mode::HalfDown => number.round(),
            };
            let exact = if places == 0 { whole } else { number };
            let whole = match (mode, places) {
                (_, 0) => to_integer(interp, exact)?,
                (Mode::Floor, _) => to_integer(interp, number.floor())?,
                (Mode::Ceiling, _) => to_integer(interp, number.ceil())?,
                _ => to_integer(interp, number.trunc())?,
            };
            if places == 0 {
                return Ok(whole);
            }
            match super::arithmetic::number(&whole) {
                Some(Number::Integer(whole)) => {
                    Ok(Value::big(round_integer(&whole, places.unsigned_abs(), mode)))
                }
                _ => Ok(whole),
            }
        }
        None => Ok(this.clone()),
    }
}

/// Rounds to a power of ten.
fn round_integer(number: &BigInt, places: u64, mode: Mode) -> BigInt {
    let Some(places) = u32::try_from(places).ok().filter(|places| *places < 10_000) else {
        return BigInt::default();
    };
    let unit = BigInt::from(10).pow(places);
    let (quotient, rest) = divide(number, &unit);
    let twice = &rest * 2;
    let up = match mode {
        Mode::Floor => false,
        Mode::Ceiling => rest.sign() != Sign::NoSign,
        Mode::Truncate => number.sign() == Sign::Minus && rest.sign() != Sign::NoSign,
        Mode::HalfUp if number.sign() == Sign::Minus => twice > unit,
        Mode::HalfUp => twice >= unit,
        Mode::HalfDown if number.sign() == Sign::Minus => twice >= unit,
        Mode::HalfDown => twice > unit,
        Mode::HalfEven => twice > unit || (twice == unit && quotient.bit(0)),
    };
    (if up { quotient + 1 } else { quotient }) * unit
}

/// Rounds to some decimals, as the nearest double of what was meant in decimal.
fn round_float(number: f64, places: i64, mode: Mode) -> f64 {
    if !number.is_finite() || number == 0.0 || places > 300 {
        return number;
    }
    // With so many decimals nothing would change, with so few everything vanishes.
    let exponent = number.abs().log10().floor() as i64 + 1;
    if places >= 17 - exponent {
        return number;
    }
    if places < -exponent {
        return match mode {
            Mode::Floor if number < 0.0 => -(10f64.powi(-(places as i32))),
            Mode::Ceiling if number > 0.0 => 10f64.powi(-(places as i32)),
            _ => 0.0,
        };
    }
    let scale = 10f64.powi(places as i32);
    let scaled = number * scale;
    let nearest = match mode {
        Mode::Floor => {
            let floor = scaled.floor();
            if (floor + 1.0) / scale <= number { floor + 1.0 } else { floor }
        }
        Mode::Ceiling => {
            let ceiling = scaled.ceil();
            if (ceiling - 1.0) / scale >= number { ceiling - 1.0 } else { ceiling }
        }
        Mode::Truncate if number < 0.0 => {
            let ceiling = scaled.ceil();
            if (ceiling - 1.0) / scale >= number { ceiling - 1.0 } else { ceiling }
        }
        Mode::Truncate => {
            let floor = scaled.floor();
            if (floor + 1.0) / scale <= number { floor + 1.0 } else { floor }
        }
        _ => half(number, scaled, scale, mode),
    };
    nearest / scale
}

/// The nearest whole number; what the scaling made of an exact half is seen through.
fn half(number: f64, scaled: f64, scale: f64, mode: Mode) -> f64 {
    let rounded = scaled.round();
    let correction = |rounded: f64| {
        // `5.015 * 100` is 501.49999999999994: the half that was written.
        let magnitude = rounded.abs();
        if (magnitude + 0.5) / scale <= number.abs() { (magnitude + 1.0).copysign(number) } else { rounded }
    };
    match mode {
        Mode::HalfUp => correction(rounded),
        Mode::HalfDown => {
            let magnitude = rounded.abs();
            if (magnitude - 0.5) / scale >= number.abs() {
                (magnitude - 1.0).copysign(number)
            } else {
                rounded
            }
        }
        _ => {
            let ties = (scaled.abs() - scaled.abs().floor() - 0.5).abs() < 1e-9
                && ((scaled.abs().floor() + 0.5) / scale - number.abs()).abs() <= f64::EPSILON * number.abs();
            if ties {
                let floor = scaled.abs().floor();
                let even = if floor % 2.0 == 0.0 { floor } else { floor + 1.0 };
                return even.copysign(number);
            }
            correction(rounded)
        }
    }
}
