//! `Array`: reading items.

use super::super::MethodDef;
use super::{own, position};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::stdlib::enumerable::count_argument;
use crate::ruby::stdlib::range;
use crate::ruby::value::Value;

const TOO_SMALL: &str = "negative array size (or size too big)";

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("[]", between(1, 2), slice),
    MethodDef("slice", between(1, 2), slice),
    MethodDef("at", exactly(1), |interp, this, args| {
        let index = args.int(interp, 0)?;
        let array = own(interp, this)?;
        Ok(position(index, array.len()).and_then(|at| array.get(at)).unwrap_or_default())
    }),
    MethodDef("fetch", between(1, 2), fetch),
    MethodDef("fetch_values", at_least(0), |interp, this, args| {
        let mut found = Vec::new();
        for index in args.values {
            let one = Args { values: std::slice::from_ref(index), ..args };
            found.push(fetch(interp, this, one)?);
        }
        Ok(Value::array(found))
    }),
    MethodDef("dig", at_least(1), |interp, this, args| {
        let found = interp.call(this, "[]", args.values.get(..1).unwrap_or_default())?;
        dig_on(interp, found, args.from(1))
    }),
    MethodDef("values_at", at_least(0), values_at),
    MethodDef("first", between(0, 1), |interp, this, args| {
        let array = own(interp, this)?;
        if args.is_empty() {
            return Ok(array.get(0).unwrap_or_default());
        }
        let count = count_argument(interp, args, 0, TOO_SMALL)?;
        Ok(Value::array(array.borrow().iter().take(count).cloned().collect()))
    }),
    MethodDef("last", between(0, 1), |interp, this, args| {
        let array = own(interp, this)?;
        if args.is_empty() {
            return Ok(array.borrow().last().cloned().unwrap_or_default());
        }
        let count = count_argument(interp, args, 0, TOO_SMALL)?;
        let items = array.borrow();
        Ok(Value::array(items.iter().skip(items.len().saturating_sub(count)).cloned().collect()))
    }),
    MethodDef("take", exactly(1), |interp, this, args| {
        let count = count_argument(interp, args, 0, "attempt to take negative size")?;
        Ok(Value::array(own(interp, this)?.borrow().iter().take(count).cloned().collect()))
    }),
    MethodDef("drop", exactly(1), |interp, this, args| {
        let count = count_argument(interp, args, 0, "attempt to drop negative size")?;
        Ok(Value::array(own(interp, this)?.borrow().iter().skip(count).cloned().collect()))
    }),
    MethodDef("index", between(0, 1), index),
    MethodDef("rindex", between(0, 1), rindex),
    MethodDef("assoc", exactly(1), |interp, this, args| associated(interp, this, args, 0)),
    MethodDef("rassoc", exactly(1), |interp, this, args| associated(interp, this, args, 1)),
    MethodDef("bsearch", exactly(0), |interp, this, args| {
        let array = own(interp, this)?.clone();
        let found = search(interp, this, args)?;
        Ok(found.and_then(|at| array.get(at)).unwrap_or_default())
    }),
    MethodDef("bsearch_index", exactly(0), |interp, this, args| Ok(Value::from(search(interp, this, args)?))),
    MethodDef("sample", between(0, 2), sample),
    MethodDef("shuffle", between(0, 1), |interp, this, _| {
        let mut items = own(interp, this)?.to_vec();
        fastrand::shuffle(&mut items);
        Ok(Value::array(items))
    }),
];

/// Goes on with `dig` in what was found.
pub(in crate::ruby::stdlib) fn dig_on(interp: &mut Interp, found: Value, rest: &[Value]) -> Outcome {
    if rest.is_empty() || found.is_nil() {
        return Ok(found);
    }
    if !interp.responds_to(&found, crate::ruby::symbol::sym!("dig")) {
        let class = interp.class_name(&interp.real_class(&found));
        return Err(interp.type_error(format!("{class} does not have #dig method")));
    }
    interp.call(&found, "dig", rest)
}

fn slice(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own(interp, this)?;
    if args.len() == 2 {
        let (start, count) = (args.int(interp, 0)?, args.int(interp, 1)?);
        let items = array.borrow();
        let Some(start) = position(start, items.len()).filter(|start| *start <= items.len()) else {
            return Ok(Value::Nil);
        };
        let Ok(count) = usize::try_from(count) else { return Ok(Value::Nil) };
        return Ok(Value::array(items.iter().skip(start).take(count).cloned().collect()));
    }
    if let Value::Range(range) = args.at(0) {
        let Some((start, count)) = range::span(interp, range, array.len())? else { return Ok(Value::Nil) };
        return Ok(Value::array(array.borrow().iter().skip(start).take(count).cloned().collect()));
    }
    let index = args.int(interp, 0)?;
    Ok(position(index, array.len()).and_then(|at| array.get(at)).unwrap_or_default())
}

fn fetch(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own(interp, this)?;
    let index = args.int(interp, 0)?;
    let len = array.len();
    if let Some(found) = position(index, len).and_then(|at| array.get(at)) {
        return Ok(found);
    }
    match (args.block, args.get(1)) {
        (Some(block), _) => interp.yield_one(block, args.at(0).clone()),
        (None, Some(otherwise)) => Ok(otherwise.clone()),
        (None, None) => {
            let index = if index < 0 { index.saturating_add(len as i64) } else { index };
            let message = format!("index {index} out of array");
            Err(interp.error("IndexError", message))
        }
    }
}

fn values_at(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own(interp, this)?;
    let mut found = Vec::new();
    for index in args.values {
        match index {
            Value::Range(range) => {
                if let Some((start, count)) = range::span(interp, range, array.len())? {
                    found.extend((start..start + count).map(|at| array.get(at).unwrap_or_default()));
                }
            }
            index => {
                let index = interp.to_int(index)?;
                found.push(position(index, array.len()).and_then(|at| array.get(at)).unwrap_or_default());
            }
        }
    }
    Ok(Value::array(found))
}

fn index(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own(interp, this)?;
    if args.is_empty() && args.block.is_none() {
        return crate::ruby::stdlib::enumerator::for_method(interp, this, "index", args.values);
    }
    let mut at = 0;
    while let Some(item) = array.get(at) {
        if is_wanted(interp, &item, args)? {
            return Ok(Value::from(at));
        }
        at += 1;
    }
    Ok(Value::Nil)
}

fn is_wanted(interp: &mut Interp, item: &Value, args: Args<'_>) -> Outcome<bool> {
    match (args.get(0), args.block) {
        (Some(wanted), _) => interp.equal(item, wanted),
        (None, Some(block)) => Ok(interp.yield_one(block, item.clone())?.truthy()),
        (None, None) => Ok(false),
    }
}

fn rindex(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let array = own(interp, this)?;
    let mut at = array.len();
    while at > 0 {
        at -= 1;
        if let Some(item) = array.get(at)
            && is_wanted(interp, &item, args)?
        {
            return Ok(Value::from(at));
        }
    }
    Ok(Value::Nil)
}

fn associated(interp: &mut Interp, this: &Value, args: Args<'_>, place: usize) -> Outcome {
    for row in own(interp, this)?.to_vec() {
        if let Value::Array(pair) = &row
            && let Some(found) = pair.get(place)
            && interp.equal(&found, args.at(0))?
        {
            return Ok(row);
        }
    }
    Ok(Value::Nil)
}

fn search(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<Option<usize>> {
    let block = args.block(interp)?;
    let array = own(interp, this)?;
    let (mut low, mut high, mut found) = (0, array.len(), None);
    while low < high {
        let middle = low + (high - low) / 2;
        let answer = interp.yield_one(block, array.get(middle).unwrap_or_default())?;
        match answer {
            Value::Bool(true) => {
                found = Some(middle);
                high = middle;
            }
            Value::Bool(false) | Value::Nil => low = middle + 1,
            number => {
                let number = interp.to_float(&number)?;
                if number == 0.0 {
                    return Ok(Some(middle));
                }
                if number < 0.0 { high = middle } else { low = middle + 1 }
            }
        }
    }
    Ok(found)
}

fn sample(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let args = args.split_keywords().0;
    let array = own(interp, this)?;
    if args.is_empty() {
        let len = array.len();
        return Ok(if len == 0 { Value::Nil } else { array.get(fastrand::usize(..len)).unwrap_or_default() });
    }
    let count = count_argument(interp, args, 0, "negative sample number")?;
    let mut items = array.to_vec();
    fastrand::shuffle(&mut items);
    items.truncate(count);
    Ok(Value::array(items))
}
