//! `Array`: as sets of values, and sums of arrays.

use super::super::MethodDef;
use super::own;
use crate::ruby::args::{Args, at_least, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("+", exactly(1), |interp, this, args| {
        let other = interp.to_array(args.at(0))?;
        let array = own(interp, this)?;
        interp.check_size(array.len().saturating_add(other.len()).saturating_mul(16))?;
        let mut items = array.to_vec();
        items.extend_from_slice(&other.borrow());
        Ok(Value::array(items))
    }),
    MethodDef("-", exactly(1), difference),
    MethodDef("difference", at_least(0), difference),
    MethodDef("&", exactly(1), intersection),
    MethodDef("intersection", at_least(0), intersection),
    MethodDef("|", exactly(1), union),
    MethodDef("union", at_least(0), union),
    MethodDef("intersect?", exactly(1), |interp, this, args| {
        let Value::Array(common) = intersection(interp, this, args)? else { return Ok(Value::Nil) };
        Ok(Value::Bool(!common.is_empty()))
    }),
];

/// The values of an array as keys.
fn keys(interp: &mut Interp, value: &Value) -> Outcome<HashMap> {
    let array = interp.to_array(value)?;
    let items = array.borrow();
    Ok(items.iter().map(|item| (item.clone(), Value::Nil)).collect())
}

fn difference(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut items = own(interp, this)?.to_vec();
    for other in args.values {
        let without = keys(interp, other)?;
        items.retain(|item| !without.contains_key(item));
    }
    Ok(Value::array(items))
}

fn intersection(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut common = keys(interp, this)?;
    for other in args.values {
        let with = keys(interp, other)?;
        common = common
            .iter()
            .filter(|(key, _)| with.contains_key(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
    }
    Ok(Value::array(common.keys().cloned().collect()))
}

fn union(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut all = keys(interp, this)?;
    for other in args.values {
        let array = interp.to_array(other)?;
        for item in array.to_vec() {
            all.insert(item, Value::Nil);
        }
    }
    Ok(Value::array(all.keys().cloned().collect()))
}
