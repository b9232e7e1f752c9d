//! `Math`.

use super::super::MethodDef;
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) const FUNCTIONS: &[MethodDef] = &[
    MethodDef("sqrt", exactly(1), |interp, _, args| within(interp, args, "sqrt", 0.0.., f64::sqrt)),
    MethodDef("cbrt", exactly(1), |interp, _, args| plain(interp, args, f64::cbrt)),
    MethodDef("sin", exactly(1), |interp, _, args| plain(interp, args, f64::sin)),
    MethodDef("cos", exactly(1), |interp, _, args| plain(interp, args, f64::cos)),
    MethodDef("tan", exactly(1), |interp, _, args| plain(interp, args, f64::tan)),
    MethodDef("asin", exactly(1), |interp, _, args| within(interp, args, "asin", -1.0..=1.0, f64::asin)),
    MethodDef("acos", exactly(1), |interp, _, args| within(interp, args, "acos", -1.0..=1.0, f64::acos)),
    MethodDef("atan", exactly(1), |interp, _, args| plain(interp, args, f64::atan)),
    MethodDef("sinh", exactly(1), |interp, _, args| plain(interp, args, f64::sinh)),
    MethodDef("cosh", exactly(1), |interp, _, args| plain(interp, args, f64::cosh)),
    MethodDef("tanh", exactly(1), |interp, _, args| plain(interp, args, f64::tanh)),
    MethodDef("asinh", exactly(1), |interp, _, args| plain(interp, args, f64::asinh)),
    MethodDef("acosh", exactly(1), |interp, _, args| within(interp, args, "acosh", 1.0.., f64::acosh)),
    MethodDef("atanh", exactly(1), |interp, _, args| within(interp, args, "atanh", -1.0..=1.0, f64::atanh)),
    MethodDef("expm1", exactly(1), |interp, _, args| plain(interp, args, f64::exp_m1)),
    MethodDef("log1p", exactly(1), |interp, _, args| within(interp, args, "log1p", -1.0.., f64::ln_1p)),
    MethodDef("exp", exactly(1), |interp, _, args| plain(interp, args, f64::exp)),
    MethodDef("log2", exactly(1), |interp, _, args| within(interp, args, "log2", 0.0.., f64::log2)),
    MethodDef("log10", exactly(1), |interp, _, args| within(interp, args, "log10", 0.0.., f64::log10)),
    MethodDef("log", between(1, 2), |interp, _, args| {
        let number = within(interp, args, "log", 0.0.., f64::ln)?;
        if args.len() == 1 {
            return Ok(number);
        }
        let base = within(interp, Args::of(args.from(1)), "log", 0.0.., f64::ln)?;
        interp.call(&number, "/", &[base])
    }),
    MethodDef("atan2", exactly(2), |interp, _, args| two(interp, args, f64::atan2)),
    MethodDef("hypot", exactly(2), |interp, _, args| two(interp, args, f64::hypot)),
    MethodDef("pow", exactly(2), |interp, _, args| two(interp, args, f64::powf)),
];

/// A number as Math takes it: text is none.
fn float(interp: &mut Interp, value: &Value) -> Outcome<f64> {
    match value {
        Value::Nil => Err(interp.type_error("no implicit conversion to float from nil")),
        Value::Str(_) => Err(interp.type_error("no implicit conversion to float from string")),
        Value::Array(_) | Value::Hash(_) | Value::Sym(_) => Err(interp.no_conversion(value, "Float")),
        other => interp.to_float(other),
    }
}

fn plain(interp: &mut Interp, args: Args<'_>, function: fn(f64) -> f64) -> Outcome {
    Ok(Value::Float(function(float(interp, args.at(0))?)))
}

fn two(interp: &mut Interp, args: Args<'_>, function: fn(f64, f64) -> f64) -> Outcome {
    let (a, b) = (float(interp, args.at(0))?, float(interp, args.at(1))?);
    Ok(Value::Float(function(a, b)))
}

fn within(
    interp: &mut Interp,
    args: Args<'_>,
    name: &str,
    domain: impl std::ops::RangeBounds<f64>,
    function: fn(f64) -> f64,
) -> Outcome {
    let number = float(interp, args.at(0))?;
    if !number.is_nan() && !domain.contains(&number) {
        return Err(
            interp.error("Math::DomainError", format!("Numerical argument is out of domain - \"{name}\""))
        );
    }
    Ok(Value::Float(function(number)))
}
