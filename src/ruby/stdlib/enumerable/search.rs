//! `Enumerable`: looking for items, counting them, taking some.

use super::{Item, block_or_enumerator, count_argument, items, walk};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::stdlib::MethodDef;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("to_a", at_least(0), |interp, this, _| Ok(Value::array(items(interp, this)?))),
    MethodDef("entries", at_least(0), |interp, this, _| Ok(Value::array(items(interp, this)?))),
    MethodDef("all?", between(0, 1), |interp, this, args| {
        Ok(Value::Bool(count_until(interp, this, args, false, 1)? == 0))
    }),
    MethodDef("any?", between(0, 1), |interp, this, args| {
        Ok(Value::Bool(count_until(interp, this, args, true, 1)? == 1))
    }),
    MethodDef("none?", between(0, 1), |interp, this, args| {
        Ok(Value::Bool(count_until(interp, this, args, true, 1)? == 0))
    }),
    MethodDef("one?", between(0, 1), |interp, this, args| {
        Ok(Value::Bool(count_until(interp, this, args, true, 2)? == 1))
    }),
    MethodDef("count", between(0, 1), count),
    MethodDef("find", between(0, 1), find),
    MethodDef("detect", between(0, 1), find),
    MethodDef("find_index", between(0, 1), find_index),
    MethodDef("first", between(0, 1), first),
    MethodDef("take", exactly(1), take),
    MethodDef("take_while", exactly(0), take_while),
    MethodDef("drop", exactly(1), drop),
    MethodDef("drop_while", exactly(0), drop_while),
    MethodDef("include?", exactly(1), include),
    MethodDef("member?", exactly(1), include),
];

/// Whether an item passes: by pattern, by block, or by being truthy.
fn passes(interp: &mut Interp, item: &Item, args: Args<'_>) -> Outcome<bool> {
    match (args.get(0), args.block) {
        (Some(pattern), _) => interp.case_equal(pattern, &item.to_value()),
        (None, Some(block)) => Ok(item.call(interp, block)?.truthy()),
        (None, None) => Ok(match item {
            Item::One(value) => value.truthy(),
            Item::Pair(..) => true,
        }),
    }
}

/// Counts items that pass (or do not), up to `enough`.
fn count_until(
    interp: &mut Interp,
    this: &Value,
    args: Args<'_>,
    wanted: bool,
    enough: usize,
) -> Outcome<usize> {
    let mut found = 0;
    walk(interp, this, &mut |interp, item| {
        found += usize::from(passes(interp, &item, args)? == wanted);
        Ok(found < enough)
    })?;
    Ok(found)
}

fn count(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut found = 0;
    walk(interp, this, &mut |interp, item| {
        found += usize::from(match (args.get(0), args.block) {
            (Some(wanted), _) => interp.equal(&item.value(), wanted)?,
            (None, Some(block)) => item.call(interp, block)?.truthy(),
            (None, None) => true,
        });
        Ok(true)
    })?;
    Ok(Value::from(found))
}

fn find(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "find", args);
    let mut found = None;
    walk(interp, this, &mut |interp, item| {
        if item.call(interp, block)?.truthy() {
            found = Some(item.value());
        }
        Ok(found.is_none())
    })?;
    match (found, args.get(0)) {
        (Some(found), _) => Ok(found),
        (None, Some(otherwise)) if !otherwise.is_nil() => interp.call(otherwise, "call", &[]),
        _ => Ok(Value::Nil),
    }
}

fn find_index(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    if args.is_empty() && args.block.is_none() {
        return crate::ruby::stdlib::enumerator::for_method(interp, this, "find_index", args.values);
    }
    let (mut at, mut found) = (0, false);
    walk(interp, this, &mut |interp, item| {
        found = match (args.get(0), args.block) {
            (Some(wanted), _) => interp.equal(&item.value(), wanted)?,
            (None, Some(block)) => item.call(interp, block)?.truthy(),
            (None, None) => false,
        };
        at += usize::from(!found);
        Ok(!found)
    })?;
    Ok(if found { Value::from(at) } else { Value::Nil })
}

fn first(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    if args.is_empty() {
        let mut found = Value::Nil;
        walk(interp, this, &mut |_, item| {
            found = item.value();
            Ok(false)
        })?;
        return Ok(found);
    }
    take(interp, this, args)
}

fn take(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let count = count_argument(interp, args, 0, "attempt to take negative size")?;
    let mut taken = Vec::new();
    if count > 0 {
        walk(interp, this, &mut |_, item| {
            taken.push(item.value());
            Ok(taken.len() < count)
        })?;
    }
    Ok(Value::array(taken))
}

fn take_while(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "take_while", args);
    let mut taken = Vec::new();
    walk(interp, this, &mut |interp, item| {
        let more = item.call(interp, block)?.truthy();
        if more {
            taken.push(item.value());
        }
        Ok(more)
    })?;
    Ok(Value::array(taken))
}

fn drop(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let count = count_argument(interp, args, 0, "attempt to drop negative size")?;
    let (mut at, mut kept) = (0, Vec::new());
    walk(interp, this, &mut |_, item| {
        if at >= count {
            kept.push(item.value());
        }
        at += 1;
        Ok(true)
    })?;
    Ok(Value::array(kept))
}

fn drop_while(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "drop_while", args);
    let (mut dropping, mut kept) = (true, Vec::new());
    walk(interp, this, &mut |interp, item| {
        dropping = dropping && item.call(interp, block)?.truthy();
        if !dropping {
            kept.push(item.value());
        }
        Ok(true)
    })?;
    Ok(Value::array(kept))
}

fn include(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut found = false;
    walk(interp, this, &mut |interp, item| {
        found = interp.equal(&item.value(), args.at(0))?;
        Ok(!found)
    })?;
    Ok(Value::Bool(found))
}
