//! `Integer`: tests, conversions, number theory.

use num_bigint::{BigInt, Sign};

use super::super::MethodDef;
use super::bits::integer;
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, Value};

pub(super) const SINGLETON: &[MethodDef] = &[MethodDef("sqrt", exactly(1), |interp, _, args| {
    let number = integer(interp, args.at(0))?;
    if number.sign() == Sign::Minus {
        return Err(interp.error("Math::DomainError", "Numerical argument is out of domain - \"isqrt\""));
    }
    Ok(Value::big(number.sqrt()))
})];

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("to_i", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("to_int", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("to_r", exactly(0), to_r),
    MethodDef("rationalize", between(0, 1), to_r),
    MethodDef("numerator", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("denominator", exactly(0), |_, _, _| Ok(Value::Int(1))),
    MethodDef("chr", between(0, 1), chr),
    MethodDef("ord", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("size", exactly(0), |_, this, _| match this {
        Value::Big(number) => Ok(Value::big((number.bits().div_ceil(64) * 8).into())),
        _ => Ok(Value::Int(8)),
    }),
    MethodDef("succ", exactly(0), |interp, this, _| interp.call(this, "+", &[Value::Int(1)])),
    MethodDef("next", exactly(0), |interp, this, _| interp.call(this, "+", &[Value::Int(1)])),
    MethodDef("pred", exactly(0), |interp, this, _| interp.call(this, "-", &[Value::Int(1)])),
    MethodDef("even?", exactly(0), |interp, this, _| Ok(Value::Bool(!integer(interp, this)?.bit(0)))),
    MethodDef("odd?", exactly(0), |interp, this, _| Ok(Value::Bool(integer(interp, this)?.bit(0)))),
    MethodDef("div", exactly(1), |interp, this, args| {
        if let Value::Float(divisor) = args.at(0) {
            if *divisor == 0.0 {
                return Err(interp.error("ZeroDivisionError", "divided by 0"));
            }
            let quotient = interp.call(this, "/", args.values)?;
            return interp.call(&quotient, "floor", &[]);
        }
        interp.call(this, "/", args.values)
    }),
    MethodDef("ceildiv", exactly(1), |interp, this, args| {
        let negated = interp.call(this, "-@", &[])?;
        let quotient = interp.call(&negated, "div", args.values)?;
        interp.call(&quotient, "-@", &[])
    }),
    MethodDef("pow", between(1, 2), |interp, this, args| {
        if args.len() == 1 {
            return interp.call(this, "**", args.values);
        }
        let (base, exponent) = (integer(interp, this)?, integer(interp, args.at(0))?);
        let modulus = integer(interp, args.at(1))?;
        if modulus.sign() == Sign::NoSign {
            return Err(interp.error("ZeroDivisionError", "divided by 0"));
        }
        if exponent.sign() == Sign::Minus {
            return Err(interp.error(
                "RangeError",
                "Integer#pow() 2nd argument cannot be negative when 3rd argument specified",
            ));
        }
        Ok(Value::big(base.modpow(&exponent, &modulus)))
    }),
    MethodDef("gcd", exactly(1), |interp, this, args| {
        let (a, b) = (integer(interp, this)?, integer(interp, args.at(0))?);
        Ok(Value::big(gcd(a, b)))
    }),
    MethodDef("lcm", exactly(1), |interp, this, args| {
        let (a, b) = (integer(interp, this)?, integer(interp, args.at(0))?);
        if a.sign() == Sign::NoSign || b.sign() == Sign::NoSign {
            return Ok(Value::Int(0));
        }
        let divisor = gcd(a.clone(), b.clone());
        let multiple = a * b / divisor;
        Ok(Value::big(BigInt::from(multiple.magnitude().clone())))
    }),
];

/// The greatest common divisor, never negative.
pub(super) fn gcd(a: BigInt, b: BigInt) -> BigInt {
    let (mut a, mut b) = (BigInt::from(a.magnitude().clone()), BigInt::from(b.magnitude().clone()));
    while b.sign() != Sign::NoSign {
        let rest = a % &b;
        a = std::mem::replace(&mut b, rest);
    }
    a
}

fn to_r(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let number = integer(interp, this)?;
    super::rational::make(interp, number, BigInt::from(1))
}

fn chr(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let code = interp.to_int(this)?;
    let out_of_range =
        |interp: &mut Interp| Err(interp.error("RangeError", format!("{code} out of char range")));
    if args.is_empty() {
        return match u8::try_from(code) {
            Ok(byte) if byte.is_ascii() => Ok(Value::bytes(vec![byte], Encoding::UsAscii)),
            Ok(byte) => Ok(Value::bytes(vec![byte], Encoding::Binary)),
            Err(_) => out_of_range(interp),
        };
    }
    match u32::try_from(code).ok().and_then(char::from_u32) {
        Some(character) => Ok(Value::str(character.to_string())),
        None if (0xD800..0xE000).contains(&code) => {
            Err(interp.error("RangeError", format!("invalid codepoint 0x{code:X} in UTF-8")))
        }
        None => out_of_range(interp),
    }
}
