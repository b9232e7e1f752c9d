//! `Integer`: bits and digits.

use num_bigint::{BigInt, Sign};

use super::super::MethodDef;
use super::arithmetic::divide;
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("&", exactly(1), |interp, this, args| bitwise(interp, this, args, |a, b| a & b)),
    MethodDef("|", exactly(1), |interp, this, args| bitwise(interp, this, args, |a, b| a | b)),
    MethodDef("^", exactly(1), |interp, this, args| bitwise(interp, this, args, |a, b| a ^ b)),
    MethodDef("~", exactly(0), |interp, this, _| Ok(Value::big(!integer(interp, this)?))),
    MethodDef("<<", exactly(1), |interp, this, args| {
        let by = args.int(interp, 0)?;
        shift(interp, this, by)
    }),
    MethodDef(">>", exactly(1), |interp, this, args| {
        let by = args.int(interp, 0)?;
        shift(interp, this, by.saturating_neg())
    }),
    MethodDef("[]", between(1, 2), |interp, this, args| {
        let number = integer(interp, this)?;
        let at = args.int(interp, 0)?;
        if args.len() == 2 {
            let count = u32::try_from(args.int(interp, 1)?).unwrap_or(0);
            let shifted = shift(interp, this, at.saturating_neg())?;
            let mask = (BigInt::from(1) << count.min(1 << 20)) - 1;
            return Ok(Value::big(integer(interp, &shifted)? & mask));
        }
        let bit = u64::try_from(at).is_ok_and(|at| number.bit(at));
        Ok(Value::Int(bit.into()))
    }),
    MethodDef("bit_length", exactly(0), |interp, this, _| {
        let number = integer(interp, this)?;
        let bits = if number.sign() == Sign::Minus { (!number).bits() } else { number.bits() };
        Ok(Value::big(bits.into()))
    }),
    MethodDef("allbits?", exactly(1), |interp, this, args| {
        let (a, b) = (integer(interp, this)?, integer(interp, args.at(0))?);
        Ok(Value::Bool(a & &b == b))
    }),
    MethodDef("anybits?", exactly(1), |interp, this, args| {
        let (a, b) = (integer(interp, this)?, integer(interp, args.at(0))?);
        Ok(Value::Bool((a & b).sign() != Sign::NoSign))
    }),
    MethodDef("nobits?", exactly(1), |interp, this, args| {
        let (a, b) = (integer(interp, this)?, integer(interp, args.at(0))?);
        Ok(Value::Bool((a & b).sign() == Sign::NoSign))
    }),
    MethodDef("digits", between(0, 1), |interp, this, args| {
        let base = if args.is_empty() { BigInt::from(10) } else { integer(interp, args.at(0))? };
        let mut number = integer(interp, this)?;
        if number.sign() == Sign::Minus {
            return Err(interp.error("Math::DomainError", "out of domain"));
        }
        if base < BigInt::from(2) {
            let message = if base.sign() == Sign::Minus {
                "negative radix".into()
            } else {
                format!("invalid radix {base}")
            };
            return Err(interp.argument_error(message));
        }
        let mut digits = Vec::new();
        while number.sign() != Sign::NoSign || digits.is_empty() {
            let (quotient, rest) = divide(&number, &base);
            digits.push(Value::big(rest));
            number = quotient;
        }
        Ok(Value::array(digits))
    }),
];

/// An integer operand.
pub(super) fn integer(interp: &mut Interp, value: &Value) -> Outcome<BigInt> {
    match value {
        Value::Int(number) => Ok((*number).into()),
        Value::Big(number) => Ok((**number).clone()),
        other => Ok(interp.to_int(other)?.into()),
    }
}

fn bitwise(
    interp: &mut Interp,
    this: &Value,
    args: Args<'_>,
    operate: fn(BigInt, BigInt) -> BigInt,
) -> Outcome {
    if let Value::Float(_) | Value::Nil | Value::Str(_) = args.at(0) {
        let class = interp.describe_for_conversion(args.at(0));
        return Err(interp.type_error(format!("{class} can't be coerced into Integer")));
    }
    let (a, b) = (integer(interp, this)?, integer(interp, args.at(0))?);
    Ok(Value::big(operate(a, b)))
}

fn shift(interp: &mut Interp, this: &Value, by: i64) -> Outcome {
    let number = integer(interp, this)?;
    if by >= 0 {
        let by = usize::try_from(by).unwrap_or(usize::MAX);
        if number.sign() == Sign::NoSign {
            return Ok(Value::Int(0));
        }
        if by > 1 << 31 {
            return Err(interp.error("RangeError", "shift width too big"));
        }
        return Ok(Value::big(number << by));
    }
    let by = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
    if by as u64 > number.bits() + 1 {
        return Ok(Value::Int(if number.sign() == Sign::Minus { -1 } else { 0 }));
    }
    Ok(Value::big(number >> by))
}
