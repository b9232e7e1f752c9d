//! `Range`.

use std::cmp::Ordering;
use std::rc::Rc;

use super::enumerable::{block_or_enumerator, walk};
use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::{RRange, Value};

pub(super) static CLASSES: &[ClassDef] = &[ClassDef {
    includes: &["Enumerable"],
    methods: &[ENDS, MEMBERSHIP, WALKING, TEXT],
    singleton_methods: &[NEW],
    ..ClassDef::class("Range")
}];

const NEW: &[MethodDef] = &[MethodDef("new", between(2, 3), |interp, _, args| {
    interp.new_range(args.at(0).clone(), args.at(1).clone(), args.at(2).truthy())
})];

fn own<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Rc<RRange>> {
    match this {
        Value::Range(range) => Ok(range),
        _ => Err(interp.type_error("not a range")),
    }
}

/// The last integer of a range of integers with this end; the largest one for an open end.
pub(super) fn last_int(end: &Value, exclusive: bool) -> i64 {
    match end {
        Value::Int(end) if exclusive => end.checked_sub(1).unwrap_or(i64::MIN),
        Value::Int(end) => *end,
        Value::Float(end) if exclusive && end.fract() == 0.0 => (*end as i64).saturating_sub(1),
        Value::Float(end) => end.floor() as i64,
        _ => i64::MAX,
    }
}

/// Where a range of positions lies in something of `len` items: start and length, as `array[range]` takes it. `None`
/// where it starts outside.
pub(super) fn span(interp: &mut Interp, range: &RRange, len: usize) -> Outcome<Option<(usize, usize)>> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let mut start = if range.start.is_nil() { 0 } else { interp.to_int(&range.start)? };
    let mut end = if range.end.is_nil() { -1 } else { interp.to_int(&range.end)? };
    let exclusive = range.exclusive && !range.end.is_nil();
    if start < 0 {
        start = start.saturating_add(len);
    }
    if end < 0 {
        end = end.saturating_add(len);
    }
    if start < 0 || start > len {
        return Ok(None);
    }
    if !exclusive {
        end = end.saturating_add(1);
    }
    let count = end.min(len).saturating_sub(start).max(0);
    Ok(Some((start as usize, count as usize)))
}

const ENDS: &[MethodDef] = &[
    MethodDef("begin", exactly(0), |interp, this, _| Ok(own(interp, this)?.start.clone())),
    MethodDef("end", exactly(0), |interp, this, _| Ok(own(interp, this)?.end.clone())),
    MethodDef("bsearch", exactly(0), bsearch),
    MethodDef("first", between(0, 1), |interp, this, args| {
        let range = own(interp, this)?;
        if range.start.is_nil() {
            return Err(interp.error("RangeError", "cannot get the first element of beginless range"));
        }
        if args.is_empty() {
            return Ok(range.start.clone());
        }
        let name = sym!("take");
        interp.call_with(this, name, args)
    }),
    MethodDef("last", between(0, 1), |interp, this, args| {
        let range = own(interp, this)?;
        if range.end.is_nil() {
            return Err(interp.error("RangeError", "cannot get the last element of endless range"));
        }
        if args.is_empty() {
            return Ok(range.end.clone());
        }
        let all = Value::array(super::enumerable::items(interp, this)?);
        interp.call_with(&all, sym!("last"), args)
    }),
    MethodDef("min", between(0, 1), |interp, this, args| extreme(interp, this, args, false)),
    MethodDef("max", between(0, 1), |interp, this, args| extreme(interp, this, args, true)),
    MethodDef("minmax", exactly(0), |interp, this, args| {
        let least = extreme(interp, this, args, false)?;
        Ok(Value::array(vec![least, extreme(interp, this, args, true)?]))
    }),
    MethodDef("exclude_end?", exactly(0), |interp, this, _| Ok(Value::Bool(own(interp, this)?.exclusive))),
    MethodDef("size", exactly(0), size),
    MethodDef("count", between(0, 1), |interp, this, args| {
        let range = own(interp, this)?;
        if args.is_empty() && args.block.is_none() && matches!(range.start, Value::Int(_)) {
            return size(interp, this, args);
        }
        let all = super::enumerable::items(interp, this)?;
        interp.call_with(&Value::array(all), sym!("count"), args)
    }),
    MethodDef("sum", between(0, 1), |interp, this, args| {
        let range = own(interp, this)?;
        if let (Value::Int(start), Value::Int(end), None, []) =
            (&range.start, &range.end, args.block, args.values)
        {
            let last = if range.exclusive { end.saturating_sub(1) } else { *end };
            if last < *start {
                return Ok(Value::Int(0));
            }
            let (start, last) = (i128::from(*start), i128::from(last));
            let total = num_bigint::BigInt::from(start + last) * num_bigint::BigInt::from(last - start + 1);
            return Ok(Value::big(total / 2));
        }
        let mut values = Vec::new();
        walk(interp, this, &mut |interp, item| {
            values.push(match args.block {
                Some(block) => item.call(interp, block)?,
                None => item.value(),
            });
            Ok(true)
        })?;
        super::enumerable::sum_values(interp, args.get(0).cloned().unwrap_or(Value::Int(0)), values)
    }),
];

const MEMBERSHIP: &[MethodDef] = &[
    MethodDef("===", exactly(1), cover),
    MethodDef("include?", exactly(1), include),
    MethodDef("member?", exactly(1), include),
    MethodDef("cover?", exactly(1), cover),
    MethodDef("overlap?", exactly(1), |interp, this, args| {
        let (a, b) = (own(interp, this)?.clone(), own(interp, args.at(0))?.clone());
        let begins_within = |interp: &mut Interp, inner: &RRange, outer: &RRange| -> Outcome<bool> {
            if inner.start.is_nil() || outer.end.is_nil() {
                return Ok(true);
            }
            let order = interp.compare(&inner.start, &outer.end)?;
            Ok(match order {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => !outer.exclusive,
                _ => false,
            })
        };
        Ok(Value::Bool(begins_within(interp, &a, &b)? && begins_within(interp, &b, &a)?))
    }),
    MethodDef("==", exactly(1), |interp, this, args| Ok(Value::Bool(interp.equal(this, args.at(0))?))),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
];

const WALKING: &[MethodDef] = &[
    MethodDef("each", exactly(0), each),
    MethodDef("reverse_each", exactly(0), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "reverse_each", args);
        for item in super::enumerable::items(interp, this)?.into_iter().rev() {
            interp.yield_one(block, item)?;
        }
        Ok(this.clone())
    }),
    MethodDef("step", between(0, 1), step),
    MethodDef("%", exactly(1), step),
    MethodDef("to_a", exactly(0), to_a),
    MethodDef("entries", exactly(0), to_a),
];

const TEXT: &[MethodDef] = &[
    MethodDef("to_s", exactly(0), |interp, this, _| {
        let range = own(interp, this)?;
        let (start, end) = (interp.to_s(&range.start)?, interp.to_s(&range.end)?);
        Ok(Value::str(format!("{start}{}{end}", if range.exclusive { "..." } else { ".." })))
    }),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let range = own(interp, this)?;
        let mut shown = [String::new(), String::new()];
        for (into, value) in shown.iter_mut().zip([&range.start, &range.end]) {
            if !value.is_nil() {
                *into = interp.inspect(value)?;
            }
        }
        let [start, end] = shown;
        Ok(Value::str(format!("{start}{}{end}", if range.exclusive { "..." } else { ".." })))
    }),
];

fn extreme(interp: &mut Interp, this: &Value, args: Args<'_>, greatest: bool) -> Outcome {
    let range = own(interp, this)?.clone();
    let integers = matches!((&range.start, &range.end), (Value::Int(_), Value::Int(_)));
    if args.block.is_some() || !args.is_empty() || (greatest && range.exclusive && !integers) {
        let all = Value::array(super::enumerable::items(interp, this)?);
        return interp.call_with(&all, if greatest { sym!("max") } else { sym!("min") }, args);
    }
    if (greatest && range.end.is_nil()) || (!greatest && range.start.is_nil()) {
        let (side, kind) = if greatest { ("maximum", "endless") } else { ("minimum", "beginless") };
        return Err(interp.error("RangeError", format!("cannot get the {side} of {kind} range")));
    }
    if !range.end.is_nil() && !range.start.is_nil() {
        let order = interp.order(&range.start, &range.end)?;
        if order.is_gt() || (order.is_eq() && range.exclusive) {
            return Ok(Value::Nil);
        }
    }
    Ok(match (&range.end, greatest) {
        (Value::Int(end), true) if range.exclusive => Value::Int(end.saturating_sub(1)),
        (end, true) => end.clone(),
        (_, false) => range.start.clone(),
    })
}

fn size(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let range = own(interp, this)?.clone();
    match (&range.start, &range.end) {
        (Value::Int(_), Value::Nil) => Ok(Value::Float(f64::INFINITY)),
        (Value::Int(_), Value::Float(end)) if end.is_infinite() => Ok(Value::Float(f64::INFINITY)),
        (Value::Int(start), end @ (Value::Int(_) | Value::Float(_))) => {
            let last = last_int(end, range.exclusive);
            Ok(Value::Int(last.saturating_sub(*start).saturating_add(1).max(0)))
        }
        (Value::Float(_), _) => Err(interp.type_error("can't iterate from Float")),
        (Value::Nil, _) => Err(interp.type_error("can't iterate from NilClass")),
        _ => Ok(Value::Nil),
    }
}

fn covers(interp: &mut Interp, range: &RRange, value: &Value) -> Outcome<bool> {
    if !range.start.is_nil() && !matches!(interp.compare(&range.start, value)?, Some(order) if order.is_le())
    {
        return Ok(false);
    }
    if range.end.is_nil() {
        return Ok(true);
    }
    Ok(match interp.compare(value, &range.end)? {
        Some(Ordering::Less) => true,
        Some(Ordering::Equal) => !range.exclusive,
        _ => false,
    })
}

fn cover(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let range = own(interp, this)?.clone();
    if let Value::Range(inner) = args.at(0) {
        let inside = covers(interp, &range, &inner.start)?
            && (covers(interp, &range, &inner.end)?
                || (inner.exclusive && interp.equal(&inner.end, &range.end)?));
        return Ok(Value::Bool(inside));
    }
    Ok(Value::Bool(covers(interp, &range, args.at(0))?))
}

fn bsearch(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = args.block(interp)?;
    let range = own(interp, this)?.clone();
    let (Value::Int(low), Value::Int(high)) = (&range.start, &range.end) else {
        let class = interp.class_name(&interp.real_class(&range.start));
        return Err(interp.type_error(format!("can't do binary search for {class}")));
    };
    let (mut low, mut high) = (i128::from(*low), i128::from(*high) + i128::from(!range.exclusive));
    let mut found = Value::Nil;
    while low < high {
        let middle = (low + high).div_euclid(2);
        let value = Value::Int(i64::try_from(middle).unwrap_or(i64::MAX));
        match interp.yield_one(block, value.clone())? {
            Value::Bool(true) => {
                found = value;
                high = middle;
            }
            Value::Bool(false) | Value::Nil => low = middle + 1,
            number => match interp.to_float(&number)? {
                0.0 => return Ok(value),
                below if below < 0.0 => high = middle,
                _ => low = middle + 1,
            },
        }
    }
    Ok(found)
}

fn include(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let range = own(interp, this)?.clone();
    if let (Value::Str(_), Value::Str(_), Value::Str(_)) = (&range.start, &range.end, args.at(0)) {
        let mut found = false;
        walk(interp, this, &mut |interp, item| {
            found = interp.equal(&item.value(), args.at(0))?;
            Ok(!found)
        })?;
        return Ok(Value::Bool(found));
    }
    Ok(Value::Bool(covers(interp, &range, args.at(0))?))
}

fn to_a(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let range = own(interp, this)?;
    if range.end.is_nil() {
        return Err(interp.error("RangeError", "cannot convert endless range to an array"));
    }
    if let (Value::Int(start), end @ (Value::Int(_) | Value::Float(_))) = (&range.start, &range.end) {
        let count = last_int(end, range.exclusive).saturating_sub(*start).saturating_add(1).max(0);
        interp.check_size(usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(16))?;
    }
    Ok(Value::array(super::enumerable::items(interp, this)?))
}

fn each(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "each", args);
    let range = own(interp, this)?.clone();
    match (&range.start, &range.end) {
        (Value::Int(start), end @ (Value::Int(_) | Value::Nil | Value::Float(_))) => {
            let last = last_int(end, range.exclusive);
            let mut number = *start;
            while number <= last {
                interp.yield_one(block, Value::Int(number))?;
                let Some(next) = number.checked_add(1) else { break };
                number = next;
            }
        }
        (Value::Str(start), Value::Str(end)) => {
            let strings = super::string::succession(interp, start, end, range.exclusive)?;
            for string in strings {
                interp.yield_one(block, string)?;
            }
        }
        (start, _) if !interp.responds_to(start, sym!("succ")) => {
            let class = interp.class_name(&interp.real_class(start));
            return Err(interp.type_error(format!("can't iterate from {class}")));
        }
        (start, end) => {
            let mut at = start.clone();
            loop {
                if !end.is_nil() {
                    let order = interp.order(&at, end)?;
                    if order.is_gt() || (order.is_eq() && range.exclusive) {
                        break;
                    }
                }
                interp.yield_one(block, at.clone())?;
                at = interp.call(&at, "succ", &[])?;
            }
        }
    }
    Ok(this.clone())
}

fn step(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "step", args);
    let range = own(interp, this)?.clone();
    let by = args.get(0).cloned().unwrap_or(Value::Int(1));
    if matches!(&by, Value::Int(0)) {
        return Err(interp.argument_error("step can't be 0"));
    }
    if let Value::Float(_) | Value::Int(_) = &range.start
        && [&range.start, &range.end, &by].iter().any(|value| matches!(value, Value::Float(_)))
        && !range.end.is_nil()
    {
        let start = interp.to_float(&range.start)?;
        let (end, by) = (interp.to_float(&range.end)?, interp.to_float(&by)?);
        for number in super::numeric::float_steps(start, end, by, range.exclusive) {
            interp.yield_one(block, Value::Float(number))?;
        }
        return Ok(this.clone());
    }
    let mut at = range.start.clone();
    loop {
        if !range.end.is_nil() {
            let order = interp.order(&at, &range.end)?;
            if order.is_gt() || (order.is_eq() && range.exclusive) {
                return Ok(this.clone());
            }
        }
        interp.yield_one(block, at.clone())?;
        match (&at, &by) {
            (Value::Str(_), Value::Int(count)) => {
                for _ in 0..*count {
                    at = interp.call(&at, "succ", &[])?;
                }
            }
            _ => at = interp.call(&at, "+", std::slice::from_ref(&by))?,
        }
    }
}
