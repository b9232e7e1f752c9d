//! Operators of integers and floats.

use num_bigint::{BigInt, Sign};

use super::super::MethodDef;
use crate::ruby::args::{Args, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::{Interp, big_to_f64};
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::Value;

/// A builtin number.
pub(in crate::ruby::stdlib) enum Number {
    Integer(BigInt),
    Float(f64),
}

/// The number that a value is.
pub(in crate::ruby::stdlib) fn number(value: &Value) -> Option<Number> {
    Some(match value {
        Value::Int(number) => Number::Integer((*number).into()),
        Value::Big(number) => Number::Integer((**number).clone()),
        Value::Float(number) => Number::Float(*number),
        _ => return None,
    })
}

impl Number {
    pub fn to_f64(&self) -> f64 {
        match self {
            Number::Integer(number) => big_to_f64(number),
            Number::Float(number) => *number,
        }
    }
}

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("+", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("+"))),
    MethodDef("-", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("-"))),
    MethodDef("*", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("*"))),
    MethodDef("/", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("/"))),
    MethodDef("%", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("%"))),
    MethodDef("modulo", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("%"))),
    MethodDef("**", exactly(1), |interp, this, args| operate(interp, this, args.at(0), sym!("**"))),
    MethodDef("-@", exactly(0), |_, this, _| {
        Ok(match this {
            Value::Float(number) => Value::Float(-number),
            Value::Int(number) => {
                number.checked_neg().map_or_else(|| Value::big(-BigInt::from(*number)), Value::Int)
            }
            Value::Big(number) => Value::big(-(**number).clone()),
            other => other.clone(),
        })
    }),
    MethodDef("==", exactly(1), |interp, this, args| Ok(Value::Bool(interp.equal(this, args.at(0))?))),
    MethodDef("===", exactly(1), |interp, this, args| Ok(Value::Bool(interp.equal(this, args.at(0))?))),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        Ok(order(interp, this, args.at(0))?.map_or(Value::Nil, |order| Value::Int(order as i64)))
    }),
    MethodDef("<", exactly(1), |interp, this, args| test(interp, this, args, |order| order.is_lt())),
    MethodDef("<=", exactly(1), |interp, this, args| test(interp, this, args, |order| order.is_le())),
    MethodDef(">", exactly(1), |interp, this, args| test(interp, this, args, |order| order.is_gt())),
    MethodDef(">=", exactly(1), |interp, this, args| test(interp, this, args, |order| order.is_ge())),
    MethodDef("to_s", crate::ruby::args::between(0, 1), to_s),
    MethodDef("inspect", exactly(0), to_s),
    MethodDef("to_f", exactly(0), |interp, this, _| Ok(Value::Float(interp.to_float(this)?))),
    MethodDef("to_c", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
];

/// `a <=> b` for numbers of any kind.
fn order(interp: &mut Interp, a: &Value, b: &Value) -> Outcome<Option<std::cmp::Ordering>> {
    match (number(a), number(b)) {
        (Some(Number::Integer(a)), Some(Number::Integer(b))) => Ok(Some(a.cmp(&b))),
        (Some(a), Some(b)) => Ok(a.to_f64().partial_cmp(&b.to_f64())),
        _ if matches!(b, Value::Object(_)) && interp.responds_to(b, sym!("coerce")) => {
            match coerced(interp, a, b)? {
                Some((a, b)) => interp.compare(&a, &b),
                None => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

fn test(interp: &mut Interp, this: &Value, args: Args<'_>, is: fn(std::cmp::Ordering) -> bool) -> Outcome {
    let other = args.at(0);
    match order(interp, this, other)? {
        Some(order) => Ok(Value::Bool(is(order))),
        None if number(other).is_some() => Ok(Value::Bool(false)),
        None => Err(interp.comparison_failed(this, other)),
    }
}

/// Both sides as `other.coerce(this)` makes them fit together.
pub(in crate::ruby::stdlib) fn coerced(
    interp: &mut Interp,
    this: &Value,
    other: &Value,
) -> Outcome<Option<(Value, Value)>> {
    interp.guard()?;
    let pair = interp.call(other, "coerce", std::slice::from_ref(this))?;
    Ok(match &pair {
        Value::Array(pair) => match pair.borrow().as_slice() {
            [a, b] => Some((a.clone(), b.clone())),
            _ => None,
        },
        _ => None,
    })
}

fn operate(interp: &mut Interp, this: &Value, other: &Value, operator: Sym) -> Outcome {
    match (number(this), number(other)) {
        (Some(Number::Integer(a)), Some(Number::Integer(b))) => integers(interp, a, b, operator.as_str()),
        // JRuby alone refuses it.
        (Some(_), Some(b)) if b.to_f64() == 0.0 && operator.as_str() == "%" => {
            Err(interp.error("ZeroDivisionError", "divided by 0"))
        }
        (Some(a), Some(b)) => Ok(Value::Float(floats(a.to_f64(), b.to_f64(), operator.as_str()))),
        _ => {
            if matches!(other, Value::Object(_))
                && interp.responds_to(other, sym!("coerce"))
                && let Some((a, b)) = coerced(interp, this, other)?
            {
                return interp.call_with(&a, operator, Args::of(&[b]));
            }
            let class = interp.class_name(&interp.real_class(this));
            let other = match other {
                Value::Nil | Value::Bool(_) => interp.inspect(other)?,
                other => interp.class_name(&interp.real_class(other)),
            };
            Err(interp.type_error(format!("{other} can't be coerced into {class}")))
        }
    }
}

fn integers(interp: &mut Interp, a: BigInt, b: BigInt, operator: &str) -> Outcome {
    let is_zero = b.sign() == Sign::NoSign;
    Ok(Value::big(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => {
            interp.check_size((a.bits().saturating_add(b.bits()) / 8) as usize)?;
            a * b
        }
        "/" | "%" if is_zero => return Err(interp.error("ZeroDivisionError", "divided by 0")),
        "/" => divide(&a, &b).0,
        "%" => divide(&a, &b).1,
        _ => return power(interp, a, &b),
    }))
}

/// Quotient and rest of a division towards negative infinity.
pub(super) fn divide(a: &BigInt, b: &BigInt) -> (BigInt, BigInt) {
    let (quotient, rest) = (a / b, a % b);
    if rest.sign() != Sign::NoSign && rest.sign() != b.sign() {
        (quotient - 1, rest + b)
    } else {
        (quotient, rest)
    }
}

fn power(interp: &mut Interp, base: BigInt, exponent: &BigInt) -> Outcome {
    if exponent.sign() == Sign::Minus {
        let base = super::rational::make(interp, base, BigInt::from(1))?;
        return interp.call(&base, "**", &[Value::big(exponent.clone())]);
    }
    if base.magnitude().bits() <= 1 {
        // 0, 1 and -1 stay what they are, whatever the exponent.
        let odd = exponent.bit(0);
        let is_zero_power = exponent.sign() == Sign::NoSign;
        let result =
            if is_zero_power || (base.sign() == Sign::Minus && !odd) { BigInt::from(1) } else { base };
        return Ok(Value::big(result));
    }
    let bits =
        u32::try_from(exponent).ok().map(|exponent| (exponent, base.bits().saturating_mul(exponent.into())));
    match bits {
        Some((exponent, bits)) if bits < 32 * 1024 * 1024 => Ok(Value::big(base.pow(exponent))),
        _ => Err(interp.argument_error("exponent is too large")),
    }
}

fn floats(a: f64, b: f64, operator: &str) -> f64 {
    match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "%" => modulo(a, b),
        _ => a.powf(b),
    }
}

/// The rest with the sign of the divisor.
pub(super) fn modulo(a: f64, b: f64) -> f64 {
    if b.is_infinite() && a.is_finite() {
        return if a == 0.0 || (a < 0.0) == (b < 0.0) { a } else { b };
    }
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

fn to_s(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    if args.is_empty() {
        return Ok(Value::bytes(interp.to_s(this)?, crate::ruby::value::Encoding::Utf8));
    }
    let base = args.int(interp, 0)?;
    let Some(base) = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)) else {
        return Err(interp.argument_error(format!("illegal radix {base}")));
    };
    match number(this) {
        Some(Number::Integer(number)) => Ok(Value::str(number.to_str_radix(base))),
        _ => Err(interp.wrong_count(1, "0")),
    }
}
