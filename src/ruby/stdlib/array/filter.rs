//! `Array`: leaving items out, in place or in a copy.

use super::super::MethodDef;
use super::change::put;
use super::{own, own_mut};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::stdlib::enumerable::uniq_values;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("select!", exactly(0), |interp, this, args| keep(interp, this, args, true, true)),
    MethodDef("filter!", exactly(0), |interp, this, args| keep(interp, this, args, true, true)),
    MethodDef("keep_if", exactly(0), |interp, this, args| keep(interp, this, args, true, false)),
    MethodDef("reject!", exactly(0), |interp, this, args| keep(interp, this, args, false, true)),
    MethodDef("delete_if", exactly(0), |interp, this, args| keep(interp, this, args, false, false)),
    MethodDef("compact", exactly(0), |interp, this, _| {
        let array = own(interp, this)?;
        Ok(Value::array(array.borrow().iter().filter(|item| !item.is_nil()).cloned().collect()))
    }),
    MethodDef("compact!", exactly(0), |interp, this, _| {
        let array = own_mut(interp, this)?;
        let before = array.len();
        array.borrow_mut().retain(|item| !item.is_nil());
        Ok(if array.len() == before { Value::Nil } else { this.clone() })
    }),
    MethodDef("uniq!", exactly(0), |interp, this, args| {
        let items = own_mut(interp, this)?.to_vec();
        let before = items.len();
        let kept = uniq_values(interp, items, args.block)?;
        if kept.len() == before { Ok(Value::Nil) } else { put(interp, this, kept) }
    }),
    MethodDef("flatten", between(0, 1), |interp, this, args| {
        Ok(Value::array(flattened(interp, this, args)?.0))
    }),
    MethodDef("flatten!", between(0, 1), |interp, this, args| {
        interp.check_frozen(this)?;
        let (items, changed) = flattened(interp, this, args)?;
        if changed { put(interp, this, items) } else { Ok(Value::Nil) }
    }),
];

fn keep(interp: &mut Interp, this: &Value, args: Args<'_>, wanted: bool, nil_if_same: bool) -> Outcome {
    let Some(block) = args.block else {
        let name = if wanted { "select!" } else { "reject!" };
        return crate::ruby::stdlib::enumerator::for_method(interp, this, name, args.values);
    };
    let items = own_mut(interp, this)?.to_vec();
    let before = items.len();
    let mut kept = Vec::with_capacity(before);
    for item in items {
        if interp.yield_one(block, item.clone())?.truthy() == wanted {
            kept.push(item);
        }
    }
    if kept.len() == before {
        return Ok(if nil_if_same { Value::Nil } else { this.clone() });
    }
    put(interp, this, kept)
}

fn flattened(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<(Vec<Value>, bool)> {
    let depth = match args.at(0) {
        Value::Nil => -1,
        _ => args.int(interp, 0)?,
    };
    let mut out = Vec::new();
    let mut changed = false;
    flatten_into(interp, this, depth, &mut out, &mut changed, &mut Vec::new())?;
    Ok((out, changed))
}

fn flatten_into(
    interp: &mut Interp,
    array: &Value,
    depth: i64,
    out: &mut Vec<Value>,
    changed: &mut bool,
    within: &mut Vec<i64>,
) -> Outcome<()> {
    interp.guard()?;
    if within.contains(&array.identity()) {
        return Err(interp.argument_error("tried to flatten recursive array"));
    }
    within.push(array.identity());
    for item in own(interp, array)?.to_vec() {
        if matches!(item, Value::Array(_)) && depth != 0 {
            *changed = true;
            flatten_into(interp, &item, depth - 1, out, changed, within)?;
        } else {
            out.push(item);
        }
    }
    within.pop();
    Ok(())
}
