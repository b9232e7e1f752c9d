//! `Array`: changing items.

use std::rc::Rc;

use super::super::MethodDef;
use super::{own, own_mut, position};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::stdlib::enumerable::count_argument;
use crate::ruby::stdlib::range;
use crate::ruby::value::{RArray, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("[]=", between(2, 3), assign),
    MethodDef("<<", exactly(1), |interp, this, args| {
        own_mut(interp, this)?.push(args.at(0).clone());
        Ok(this.clone())
    }),
    MethodDef("push", at_least(0), push),
    MethodDef("append", at_least(0), push),
    MethodDef("pop", between(0, 1), |interp, this, args| {
        let array = own_mut(interp, this)?;
        if args.is_empty() {
            return Ok(array.borrow_mut().pop().unwrap_or_default());
        }
        let count = count_argument(interp, args, 0, "negative array size")?;
        let mut items = array.borrow_mut();
        let at = items.len().saturating_sub(count);
        Ok(Value::array(items.split_off(at)))
    }),
    MethodDef("shift", between(0, 1), |interp, this, args| {
        let array = own_mut(interp, this)?;
        if args.is_empty() {
            let mut items = array.borrow_mut();
            return Ok(if items.is_empty() { Value::Nil } else { items.remove(0) });
        }
        let count = count_argument(interp, args, 0, "negative array size")?;
        let mut items = array.borrow_mut();
        let count = count.min(items.len());
        Ok(Value::array(items.drain(..count).collect()))
    }),
    MethodDef("unshift", at_least(0), unshift),
    MethodDef("prepend", at_least(0), unshift),
    MethodDef("insert", at_least(1), insert),
    MethodDef("concat", at_least(0), |interp, this, args| {
        let array = own_mut(interp, this)?;
        let mut added = Vec::new();
        for other in args.values {
            added.extend(interp.to_array(other)?.to_vec());
        }
        interp.check_size(array.len().saturating_add(added.len()).saturating_mul(16))?;
        array.borrow_mut().extend(added);
        Ok(this.clone())
    }),
    MethodDef("delete", exactly(1), delete),
    MethodDef("delete_at", exactly(1), |interp, this, args| {
        let array = own_mut(interp, this)?;
        let index = args.int(interp, 0)?;
        let mut items = array.borrow_mut();
        match position(index, items.len()) {
            Some(at) if at < items.len() => Ok(items.remove(at)),
            _ => Ok(Value::Nil),
        }
    }),
    MethodDef("slice!", between(1, 2), slice_out),
    MethodDef("clear", exactly(0), |interp, this, _| {
        let array = own_mut(interp, this)?;
        let old = std::mem::take(&mut *array.borrow_mut());
        drop(old);
        Ok(this.clone())
    }),
    MethodDef("replace", exactly(1), |interp, this, args| {
        let other = interp.to_array(args.at(0))?.to_vec();
        put(interp, this, other)
    }),
    MethodDef("fill", between(0, 3), fill),
    MethodDef("reverse", exactly(0), |interp, this, _| {
        Ok(Value::array(own(interp, this)?.borrow().iter().rev().cloned().collect()))
    }),
    MethodDef("reverse!", exactly(0), |interp, this, _| {
        own_mut(interp, this)?.borrow_mut().reverse();
        Ok(this.clone())
    }),
    MethodDef("rotate", between(0, 1), |interp, this, args| Ok(Value::array(rotated(interp, this, args)?))),
    MethodDef("rotate!", between(0, 1), |interp, this, args| {
        let items = rotated(interp, this, args)?;
        put(interp, this, items)
    }),
    MethodDef("sort!", exactly(0), |interp, this, args| {
        let items = own_mut(interp, this)?.to_vec();
        let sorted = crate::ruby::stdlib::enumerable::sort_plain(interp, items, args.block)?;
        put(interp, this, sorted)
    }),
    MethodDef("sort_by!", exactly(0), |interp, this, args| {
        let block = args.block(interp)?;
        let items = own_mut(interp, this)?.to_vec();
        let sorted = crate::ruby::stdlib::enumerable::sort_by_keys(interp, items, block)?;
        put(interp, this, sorted)
    }),
    MethodDef("shuffle!", between(0, 1), |interp, this, _| {
        fastrand::shuffle(&mut own_mut(interp, this)?.borrow_mut());
        Ok(this.clone())
    }),
    MethodDef("map!", exactly(0), map_in_place),
    MethodDef("collect!", exactly(0), map_in_place),
];

/// Puts other items into an array.
pub(super) fn put(interp: &mut Interp, this: &Value, items: Vec<Value>) -> Outcome {
    let array = own_mut(interp, this)?;
    let old = std::mem::replace(&mut *array.borrow_mut(), items);
    drop(old);
    Ok(this.clone())
}

fn push(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own_mut(interp, this)?;
    if args.len() > 1 {
        interp.check_size(array.len().saturating_add(args.len()).saturating_mul(16))?;
    }
    array.borrow_mut().extend_from_slice(args.values);
    Ok(this.clone())
}

fn unshift(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own_mut(interp, this)?;
    interp.check_size(array.len().saturating_add(args.len()).saturating_mul(16))?;
    array.borrow_mut().splice(0..0, args.values.iter().cloned());
    Ok(this.clone())
}

fn insert(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own_mut(interp, this)?;
    let index = args.int(interp, 0)?;
    if args.len() == 1 {
        return Ok(this.clone());
    }
    let len = array.len();
    let at = if index < 0 {
        position(index.saturating_add(1), len + usize::from(index == -1)).or(Some(0))
    } else {
        usize::try_from(index).ok()
    };
    let at = match at {
        _ if index == -1 => len,
        Some(at) if index >= 0 || index.unsigned_abs() as usize <= len + 1 => at,
        _ => {
            let message = format!("index {index} too small for array; minimum: -{}", len + 1);
            return Err(interp.error("IndexError", message));
        }
    };
    splice(interp, array, at, 0, args.from(1).to_vec())?;
    Ok(this.clone())
}

/// Replaces items by others; fills up with `nil` where the place lies behind the end.
fn splice(interp: &mut Interp, array: &RArray, at: usize, count: usize, with: Vec<Value>) -> Outcome<()> {
    interp.check_size(at.saturating_add(with.len()).saturating_mul(16))?;
    let mut items = array.borrow_mut();
    if at > items.len() {
        items.resize(at, Value::Nil);
    }
    let end = at.saturating_add(count).min(items.len());
    let old: Vec<Value> = items.splice(at..end, with).collect();
    drop(items);
    drop(old);
    Ok(())
}

fn assign(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own_mut(interp, this)?;
    let value = args.values.last().cloned().unwrap_or_default();
    let len = array.len();
    let parts = |interp: &mut Interp, value: &Value| -> Outcome<Vec<Value>> {
        match value {
            Value::Array(array) => Ok(array.to_vec()),
            other if interp.responds_to(other, crate::ruby::symbol::sym!("to_ary")) => {
                Ok(interp.to_array(other)?.to_vec())
            }
            other => Ok(vec![other.clone()]),
        }
    };
    if args.len() == 3 {
        let (start, count) = (args.int(interp, 0)?, args.int(interp, 1)?);
        let Ok(count) = usize::try_from(count) else {
            return Err(interp.error("IndexError", format!("negative length ({count})")));
        };
        let Some(start) = position(start, len) else {
            return Err(too_small(interp, start));
        };
        let parts = parts(interp, &value)?;
        splice(interp, array, start, count, parts)?;
        return Ok(value);
    }
    if let Value::Range(range) = args.at(0) {
        let first = if range.start.is_nil() { 0 } else { interp.to_int(&range.start)? };
        let Some(start) = position(first, len) else {
            let shown = interp.inspect(args.at(0))?;
            return Err(interp.error("RangeError", format!("{shown} out of range")));
        };
        let count = match range::span(interp, range, len)? {
            Some((_, count)) => count,
            None => 0,
        };
        let parts = parts(interp, &value)?;
        splice(interp, array, start, count, parts)?;
        return Ok(value);
    }
    let index = args.int(interp, 0)?;
    let Some(at) = position(index, len) else { return Err(too_small(interp, index)) };
    interp.check_size(at.saturating_mul(16))?;
    let mut items = array.borrow_mut();
    if at >= items.len() {
        items.resize(at + 1, Value::Nil);
    }
    let old = items.get_mut(at).map(|slot| std::mem::replace(slot, value.clone()));
    drop(items);
    drop(old);
    Ok(value)
}

fn too_small(interp: &mut Interp, index: i64) -> crate::ruby::control::Control {
    interp.error("IndexError", format!("index {index} out of array"))
}

fn delete(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let items = own_mut(interp, this)?.to_vec();
    let mut found = None;
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        if interp.equal(&item, args.at(0))? { found = Some(item) } else { kept.push(item) }
    }
    match (found, args.block) {
        (Some(found), _) => {
            put(interp, this, kept)?;
            Ok(found)
        }
        (None, Some(block)) => interp.yield_one(block, args.at(0).clone()),
        (None, None) => Ok(Value::Nil),
    }
}

fn slice_out(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own_mut(interp, this)?;
    let len = array.len();
    let (start, count) = match (args.at(0), args.get(1)) {
        (start, Some(count)) => {
            let (start, count) = (interp.to_int(start)?, interp.to_int(count)?);
            match (position(start, len).filter(|start| *start <= len), usize::try_from(count)) {
                (Some(start), Ok(count)) => (start, count),
                _ => return Ok(Value::Nil),
            }
        }
        (Value::Range(range), None) => match range::span(interp, range, len)? {
            Some(span) => span,
            None => return Ok(Value::Nil),
        },
        _ => return interp.call(this, "delete_at", args.values),
    };
    let mut items = array.borrow_mut();
    let end = start.saturating_add(count).min(items.len());
    Ok(Value::array(items.drain(start..end).collect()))
}

fn fill(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own_mut(interp, this)?;
    let (value, place) = match args.block {
        Some(_) => (Value::Nil, args.values),
        None => (args.at(0).clone(), args.from(1)),
    };
    let len = array.len();
    let (start, count) = match place {
        [] | [Value::Nil] => (0, len),
        [Value::Range(range)] => match range::span(interp, range, usize::MAX >> 1)? {
            Some((start, count)) if matches!(range.end, Value::Int(end) if end >= 0) => (start, count),
            _ => range::span(interp, range, len)?.unwrap_or((0, 0)),
        },
        [start, rest @ ..] => {
            let start = if start.is_nil() { 0 } else { interp.to_int(start)? };
            let start = position(start, len).unwrap_or(0);
            match rest {
                [] | [Value::Nil, ..] => (start, len.saturating_sub(start)),
                [count, ..] => (start, usize::try_from(interp.to_int(count)?).unwrap_or(0)),
            }
        }
    };
    interp.check_size(start.saturating_add(count).saturating_mul(16))?;
    for at in start..start + count {
        let value = match args.block {
            Some(block) => interp.yield_one(block, Value::from(at))?,
            None => value.clone(),
        };
        let mut items = array.borrow_mut();
        if at >= items.len() {
            items.resize(at + 1, Value::Nil);
        }
        if let Some(slot) = items.get_mut(at) {
            *slot = value;
        }
    }
    Ok(this.clone())
}

fn rotated(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<Vec<Value>> {
    let mut items = own(interp, this)?.to_vec();
    let by = if args.is_empty() { 1 } else { args.int(interp, 0)? };
    if !items.is_empty() {
        let by = by.rem_euclid(items.len() as i64);
        items.rotate_left(by as usize);
    }
    Ok(items)
}

fn map_in_place(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = crate::ruby::stdlib::enumerable::block_or_enumerator!(interp, this, "map!", args);
    let array: &Rc<RArray> = own_mut(interp, this)?;
    let mut at = 0;
    while let Some(item) = array.get(at) {
        let value = interp.yield_one(block, item)?;
        if let Some(slot) = array.borrow_mut().get_mut(at) {
            *slot = value;
        }
        at += 1;
    }
    Ok(this.clone())
}
