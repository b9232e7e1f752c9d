//! Numbers: `Numeric`, `Integer`, `Float`, `Rational`, `Math`.

mod arithmetic;
mod bits;
mod float;
mod integer;
mod math;
mod rational;
mod rounding;
mod walk;

pub(super) use arithmetic::coerced;
pub(super) use rational::rational_from_text;
pub(super) use rounding::{Mode, rounding_mode};
pub(super) use walk::float_steps;

use super::{ClassDef, MethodDef};
use crate::ruby::args::exactly;
use crate::ruby::value::Value;

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { includes: &["Comparable"], methods: &[NUMERIC, walk::STEPS], ..ClassDef::class("Numeric") },
    ClassDef {
        superclass: Some("Numeric"),
        methods: &[arithmetic::METHODS, bits::METHODS, integer::METHODS, rounding::METHODS, walk::METHODS],
        singleton_methods: &[integer::SINGLETON],
        ..ClassDef::class("Integer")
    },
    ClassDef {
        superclass: Some("Numeric"),
        methods: &[arithmetic::METHODS, float::METHODS, rounding::METHODS],
        setup: Some(|interp, class| {
            for (name, value) in [
                ("INFINITY", f64::INFINITY),
                ("NAN", f64::NAN),
                ("EPSILON", f64::EPSILON),
                ("MAX", f64::MAX),
                ("MIN", f64::MIN_POSITIVE),
            ] {
                interp.define_constant(class, name, Value::Float(value));
            }
            interp.define_constant(class, "DIG", Value::Int(15));
        }),
        ..ClassDef::class("Float")
    },
    ClassDef { superclass: Some("Numeric"), methods: &[rational::METHODS], ..ClassDef::class("Rational") },
    ClassDef {
        functions: &[math::FUNCTIONS],
        setup: Some(|interp, class| {
            interp.define_constant(class, "PI", Value::Float(std::f64::consts::PI));
            interp.define_constant(class, "E", Value::Float(std::f64::consts::E));
        }),
        ..ClassDef::module("Math")
    },
    ClassDef { superclass: Some("ArgumentError"), ..ClassDef::class("Math::DomainError") },
    ClassDef { functions: &[rational::FUNCTIONS], ..ClassDef::module("Kernel") },
];

/// What all numbers answer.
const NUMERIC: &[MethodDef] = &[
    MethodDef("+@", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("-@", exactly(0), |interp, this, _| {
        interp.call(&Value::Int(0), "-", std::slice::from_ref(this))
    }),
    MethodDef("zero?", exactly(0), |interp, this, _| Ok(Value::Bool(interp.equal(this, &Value::Int(0))?))),
    MethodDef("nonzero?", exactly(0), |interp, this, _| {
        Ok(if interp.equal(this, &Value::Int(0))? { Value::Nil } else { this.clone() })
    }),
    MethodDef("positive?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(interp.compare(this, &Value::Int(0))?.is_some_and(|order| order.is_gt())))
    }),
    MethodDef("negative?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(interp.compare(this, &Value::Int(0))?.is_some_and(|order| order.is_lt())))
    }),
    MethodDef("integer?", exactly(0), |_, this, _| {
        Ok(Value::Bool(matches!(this, Value::Int(_) | Value::Big(_))))
    }),
    MethodDef("finite?", exactly(0), |_, this, _| {
        Ok(Value::Bool(!matches!(this, Value::Float(number) if !number.is_finite())))
    }),
    MethodDef("infinite?", exactly(0), |_, this, _| match this {
        Value::Float(number) if number.is_infinite() => Ok(Value::Int(if *number > 0.0 { 1 } else { -1 })),
        _ => Ok(Value::Nil),
    }),
    MethodDef("real?", exactly(0), |_, _, _| Ok(Value::Bool(true))),
    MethodDef("real", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("to_int", exactly(0), |interp, this, _| interp.call(this, "to_i", &[])),
    MethodDef("abs", exactly(0), abs),
    MethodDef("magnitude", exactly(0), abs),
    MethodDef("div", exactly(1), |interp, this, args| {
        if interp.equal(args.at(0), &Value::Int(0))? {
            return Err(interp.error("ZeroDivisionError", "divided by 0"));
        }
        let quotient = interp.call(this, "/", args.values)?;
        interp.call(&quotient, "floor", &[])
    }),
    MethodDef("fdiv", exactly(1), |interp, this, args| {
        let (a, b) = (interp.to_float(this)?, interp.to_float(args.at(0))?);
        Ok(Value::Float(a / b))
    }),
    MethodDef("quo", exactly(1), |interp, this, args| match (this, args.at(0)) {
        (Value::Float(_), _) | (_, Value::Float(_)) => interp.call(this, "fdiv", args.values),
        _ => {
            let own = interp.call(this, "to_r", &[])?;
            interp.call(&own, "/", args.values)
        }
    }),
    MethodDef("divmod", exactly(1), |interp, this, args| {
        let quotient = interp.call(this, "div", args.values)?;
        let rest = interp.call(this, "%", args.values)?;
        Ok(Value::array(vec![quotient, rest]))
    }),
    MethodDef("remainder", exactly(1), |interp, this, args| {
        let rest = interp.call(this, "%", args.values)?;
        let zero = Value::Int(0);
        let differs = interp.order(this, &zero)?.is_lt() != interp.order(args.at(0), &zero)?.is_lt();
        match differs && !interp.equal(&rest, &zero)? {
            true => interp.call(&rest, "-", args.values),
            false => Ok(rest),
        }
    }),
    MethodDef("coerce", exactly(1), |interp, this, args| match (this, args.at(0)) {
        (Value::Int(_) | Value::Big(_), other @ (Value::Int(_) | Value::Big(_))) => {
            Ok(Value::array(vec![other.clone(), this.clone()]))
        }
        (_, other) => {
            let other = match other {
                Value::Str(_) => interp.call(&interp.main.clone(), "Float", std::slice::from_ref(other))?,
                other => Value::Float(interp.to_float(other)?),
            };
            Ok(Value::array(vec![other, Value::Float(interp.to_float(this)?)]))
        }
    }),
    MethodDef("dup", exactly(0), |_, this, _| Ok(this.clone())),
];

fn abs(interp: &mut crate::ruby::Interp, this: &Value, _: crate::ruby::Args<'_>) -> crate::ruby::Outcome {
    match this {
        Value::Int(number) => Ok(number
            .checked_abs()
            .map_or_else(|| Value::big(num_bigint::BigInt::from(number.unsigned_abs())), Value::Int)),
        Value::Float(number) => Ok(Value::Float(number.abs())),
        Value::Big(number) => Ok(Value::big(num_bigint::BigInt::from(number.magnitude().clone()))),
        other => match interp.order(other, &Value::Int(0))?.is_lt() {
            true => interp.call(other, "-@", &[]),
            false => Ok(other.clone()),
        },
    }
}
