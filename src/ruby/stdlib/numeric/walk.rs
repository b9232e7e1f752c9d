//! `times`, `upto`, `downto`, `step`.

use super::super::MethodDef;
use super::super::enumerable::block_or_enumerator;
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("times", exactly(0), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "times", args);
        for number in 0..interp.to_int(this)? {
            interp.yield_one(block, Value::Int(number))?;
        }
        Ok(this.clone())
    }),
    MethodDef("upto", exactly(1), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "upto", args);
        let start = interp.to_int(this)?;
        let end = match args.at(0) {
            Value::Float(end) => end.floor() as i64,
            Value::Int(end) => *end,
            other => return Err(interp.comparison_failed(this, other)),
        };
        for number in start..=end {
            interp.yield_one(block, Value::Int(number))?;
        }
        Ok(this.clone())
    }),
    MethodDef("downto", exactly(1), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "downto", args);
        let start = interp.to_int(this)?;
        let end = match args.at(0) {
            Value::Float(end) => end.ceil() as i64,
            Value::Int(end) => *end,
            other => return Err(interp.comparison_failed(this, other)),
        };
        for number in (end..=start).rev() {
            interp.yield_one(block, Value::Int(number))?;
        }
        Ok(this.clone())
    }),
];

pub(super) const STEPS: &[MethodDef] = &[MethodDef("step", between(0, 3), step)];

/// The numbers from one to another by steps, computed without adding up errors.
pub(in crate::ruby::stdlib) fn float_steps(
    start: f64,
    end: f64,
    by: f64,
    exclusive: bool,
) -> impl Iterator<Item = f64> {
    let count = (end - start) / by;
    let error = (start.abs() + end.abs() + (end - start).abs()) / by.abs() * f64::EPSILON;
    let error = error.min(0.5);
    let steps = if by == 0.0 || count < 0.0 || count.is_nan() {
        0
    } else if exclusive {
        let whole = (count - error).floor();
        let reaches = whole * by + start;
        (whole + if (by > 0.0 && reaches < end) || (by < 0.0 && reaches > end) { 1.0 } else { 0.0 }) as u64
    } else {
        ((count + error).floor() as u64).saturating_add(1)
    };
    (0..steps).map(move |step| {
        let number = start + step as f64 * by;
        if !exclusive && ((by > 0.0 && number > end) || (by < 0.0 && number < end)) { end } else { number }
    })
}

fn step(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "step", args);
    // An enumerator hands the keywords on as a plain hash.
    let is_hash = matches!(args.values.last(), Some(Value::Hash(_)));
    let args = Args { has_keywords: args.has_keywords || is_hash, ..args };
    let (positional, _) = args.split_keywords();
    let limit = args.keyword("to").or_else(|| positional.get(0).cloned()).unwrap_or_default();
    let by = args.keyword("by").or_else(|| positional.get(1).cloned()).unwrap_or(Value::Int(1));
    if interp.equal(&by, &Value::Int(0))? {
        return Err(interp.argument_error("step can't be 0"));
    }
    if [this, &limit, &by].iter().any(|value| matches!(value, Value::Float(_))) && !limit.is_nil() {
        let (start, end, by) = (interp.to_float(this)?, interp.to_float(&limit)?, interp.to_float(&by)?);
        for number in float_steps(start, end, by, false) {
            interp.yield_one(block, Value::Float(number))?;
        }
        return Ok(this.clone());
    }
    let down = interp.order(&by, &Value::Int(0))?.is_lt();
    let mut at = this.clone();
    loop {
        if !limit.is_nil() {
            let order = interp.order(&at, &limit)?;
            if if down { order.is_lt() } else { order.is_gt() } {
                return Ok(this.clone());
            }
        }
        interp.yield_one(block, at.clone())?;
        at = interp.call(&at, "+", std::slice::from_ref(&by))?;
    }
}
