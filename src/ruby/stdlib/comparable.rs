//! `Comparable`: order by `<=>`.

use std::cmp::Ordering;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) static CLASSES: &[ClassDef] =
    &[ClassDef { methods: &[METHODS], ..ClassDef::module("Comparable") }];

const METHODS: &[MethodDef] = &[
    MethodDef("<", exactly(1), |interp, this, args| test(interp, this, args, Ordering::is_lt)),
    MethodDef("<=", exactly(1), |interp, this, args| test(interp, this, args, Ordering::is_le)),
    MethodDef(">", exactly(1), |interp, this, args| test(interp, this, args, Ordering::is_gt)),
    MethodDef(">=", exactly(1), |interp, this, args| test(interp, this, args, Ordering::is_ge)),
    MethodDef("==", exactly(1), equal),
    MethodDef("between?", exactly(2), between_two),
    MethodDef("clamp", between(1, 2), clamp),
];

fn test(interp: &mut Interp, this: &Value, args: Args<'_>, is: fn(Ordering) -> bool) -> Outcome {
    Ok(Value::Bool(is(interp.order(this, args.at(0))?)))
}

fn equal(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    if this.is_same(args.at(0)) {
        return Ok(Value::Bool(true));
    }
    Ok(Value::Bool(interp.compare(this, args.at(0))? == Some(Ordering::Equal)))
}

fn between_two(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let inside = interp.order(this, args.at(0))?.is_ge() && interp.order(this, args.at(1))?.is_le();
    Ok(Value::Bool(inside))
}

fn clamp(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let (low, high) = match args.values {
        [Value::Range(range)] => (range.start.clone(), range.end.clone()),
        [low, high] => (low.clone(), high.clone()),
        _ => return Err(interp.type_error("wrong argument type (expected Range)")),
    };
    if !low.is_nil() && !high.is_nil() && interp.order(&low, &high)?.is_gt() {
        return Err(interp.argument_error("min argument must be less than or equal to max argument"));
    }
    if !low.is_nil() && interp.order(this, &low)?.is_lt() {
        return Ok(low);
    }
    if !high.is_nil() && interp.order(this, &high)?.is_gt() {
        return Ok(high);
    }
    Ok(this.clone())
}
