//! `Float`.

use num_bigint::BigInt;

use super::super::MethodDef;
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::{Interp, float_to_s};
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("nan?", exactly(0), |_, this, _| Ok(Value::Bool(own(this).is_nan()))),
    MethodDef("to_i", exactly(0), |interp, this, _| to_integer(interp, own(this).trunc())),
    MethodDef("to_int", exactly(0), |interp, this, _| to_integer(interp, own(this).trunc())),
    MethodDef("to_r", exactly(0), to_r),
    MethodDef("rationalize", between(0, 1), |interp, this, _| {
        let text = float_to_s(own(this));
        super::rational_from_text(interp, &text, false)
    }),
    MethodDef("numerator", exactly(0), |interp, this, args| {
        let rational = to_r(interp, this, args)?;
        interp.call(&rational, "numerator", &[])
    }),
    MethodDef("denominator", exactly(0), |interp, this, args| {
        let rational = to_r(interp, this, args)?;
        interp.call(&rational, "denominator", &[])
    }),
    MethodDef("to_d", between(0, 1), |interp, this, _| {
        super::super::big_decimal::from_text(interp, &float_to_s(own(this)), false)
    }),
    MethodDef("next_float", exactly(0), |_, this, _| Ok(Value::Float(own(this).next_up()))),
    MethodDef("prev_float", exactly(0), |_, this, _| Ok(Value::Float(own(this).next_down()))),
    MethodDef("divmod", exactly(1), |interp, this, args| {
        let divisor = interp.to_float(args.at(0))?;
        if divisor == 0.0 {
            return Err(interp.error("ZeroDivisionError", "divided by 0"));
        }
        let rest = super::arithmetic::modulo(own(this), divisor);
        let quotient = to_integer(interp, ((own(this) - rest) / divisor).round())?;
        Ok(Value::array(vec![quotient, Value::Float(rest)]))
    }),
    MethodDef("eql?", exactly(1), |_, this, args| {
        Ok(Value::Bool(matches!(args.at(0), Value::Float(other) if *other == own(this))))
    }),
];

fn own(this: &Value) -> f64 {
    match this {
        Value::Float(number) => *number,
        Value::Int(number) => *number as f64,
        _ => f64::NAN,
    }
}

/// A whole number as an integer; FloatDomainError for what is none.
pub(super) fn to_integer(interp: &mut Interp, number: f64) -> Outcome {
    if !number.is_finite() {
        return Err(interp.error("FloatDomainError", float_to_s(number)));
    }
    if number.abs() < 9.0e18 {
        return Ok(Value::Int(number as i64));
    }
    let bits = number.to_bits();
    let exponent = (bits >> 52 & 0x7FF) as i64 - 1075;
    let mantissa = BigInt::from((bits & ((1 << 52) - 1)) | 1 << 52) << u64::try_from(exponent).unwrap_or(0);
    Ok(Value::big(if number < 0.0 { -mantissa } else { mantissa }))
}

fn to_r(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let number = own(this);
    if !number.is_finite() {
        return Err(interp.error("FloatDomainError", float_to_s(number)));
    }
    let bits = number.to_bits();
    let raw = (bits >> 52 & 0x7FF) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = if raw == 0 { (fraction, -1074) } else { (fraction | 1 << 52, raw - 1075) };
    let mantissa = if number < 0.0 { -BigInt::from(mantissa) } else { BigInt::from(mantissa) };
    let shift = exponent.unsigned_abs();
    match exponent >= 0 {
        true => super::rational::make(interp, mantissa << shift, BigInt::from(1)),
        false => super::rational::make(interp, mantissa, BigInt::from(1) << shift),
    }
}
