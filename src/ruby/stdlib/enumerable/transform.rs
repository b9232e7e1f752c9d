//! `Enumerable`: walking over items and making others of them.

use super::{block_or_enumerator, count_argument, items, walk};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::stdlib::MethodDef;
use crate::ruby::value::{HashMap, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("map", exactly(0), map),
    MethodDef("collect", exactly(0), map),
    MethodDef("flat_map", exactly(0), flat_map),
    MethodDef("collect_concat", exactly(0), flat_map),
    MethodDef("filter_map", exactly(0), filter_map),
    MethodDef("select", exactly(0), |interp, this, args| filter(interp, this, args, true)),
    MethodDef("filter", exactly(0), |interp, this, args| filter(interp, this, args, true)),
    MethodDef("find_all", exactly(0), |interp, this, args| filter(interp, this, args, true)),
    MethodDef("reject", exactly(0), |interp, this, args| filter(interp, this, args, false)),
    MethodDef("compact", exactly(0), |interp, this, _| {
        Ok(Value::array(items(interp, this)?.into_iter().filter(|item| !item.is_nil()).collect()))
    }),
    MethodDef("grep", exactly(1), |interp, this, args| grep(interp, this, args, true)),
    MethodDef("grep_v", exactly(1), |interp, this, args| grep(interp, this, args, false)),
    MethodDef("each_entry", exactly(0), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "each_entry", args);
        walk(interp, this, &mut |interp, item| item.call(interp, block).map(|_| true))?;
        Ok(this.clone())
    }),
    MethodDef("each_with_index", at_least(0), each_with_index),
    MethodDef("each_with_object", exactly(1), each_with_object),
    MethodDef("reverse_each", exactly(0), reverse_each),
    MethodDef("each_slice", exactly(1), each_slice),
    MethodDef("each_cons", exactly(1), each_cons),
    MethodDef("inject", between(0, 2), inject),
    MethodDef("reduce", between(0, 2), inject),
    MethodDef("zip", at_least(0), zip),
    MethodDef("cycle", between(0, 1), cycle),
    MethodDef("to_h", at_least(0), to_h),
    MethodDef("to_set", exactly(0), |interp, this, _| {
        let items = items(interp, this)?;
        crate::ruby::stdlib::set::new_set(interp, items)
    }),
];

fn map(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "map", args);
    let mut mapped = match this {
        Value::Array(array) => Vec::with_capacity(array.len()),
        _ => Vec::new(),
    };
    walk(interp, this, &mut |interp, item| {
        mapped.push(item.call(interp, block)?);
        Ok(true)
    })?;
    Ok(Value::array(mapped))
}

/// Appends the items of an array, or anything else as it is.
pub(in crate::ruby::stdlib) fn flat_push(into: &mut Vec<Value>, value: Value) {
    match value {
        Value::Array(array) => into.extend_from_slice(&array.borrow()),
        other => into.push(other),
    }
}

fn flat_map(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "flat_map", args);
    let mut mapped = Vec::new();
    walk(interp, this, &mut |interp, item| {
        flat_push(&mut mapped, item.call(interp, block)?);
        Ok(true)
    })?;
    Ok(Value::array(mapped))
}

fn filter_map(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "filter_map", args);
    let mut mapped = Vec::new();
    walk(interp, this, &mut |interp, item| {
        let value = item.call(interp, block)?;
        if value.truthy() {
            mapped.push(value);
        }
        Ok(true)
    })?;
    Ok(Value::array(mapped))
}

fn filter(interp: &mut Interp, this: &Value, args: Args<'_>, wanted: bool) -> Outcome {
    let Some(block) = args.block else {
        let name = if wanted { "select" } else { "reject" };
        return crate::ruby::stdlib::enumerator::for_method(interp, this, name, args.values);
    };
    let mut kept = Vec::new();
    walk(interp, this, &mut |interp, item| {
        if item.call(interp, block)?.truthy() == wanted {
            kept.push(item.value());
        }
        Ok(true)
    })?;
    Ok(Value::array(kept))
}

fn grep(interp: &mut Interp, this: &Value, args: Args<'_>, wanted: bool) -> Outcome {
    let mut kept = Vec::new();
    walk(interp, this, &mut |interp, item| {
        let value = item.value();
        if interp.case_equal(args.at(0), &value)? == wanted {
            kept.push(match args.block {
                Some(block) => interp.yield_one(block, value)?,
                None => value,
            });
        }
        Ok(true)
    })?;
    Ok(Value::array(kept))
}

fn each_with_index(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "each_with_index", args);
    let mut at = 0;
    walk(interp, this, &mut |interp, item| {
        interp.yield_values(block, &[item.value(), Value::Int(at)])?;
        at += 1;
        Ok(true)
    })?;
    Ok(this.clone())
}

fn each_with_object(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "each_with_object", args);
    walk(interp, this, &mut |interp, item| {
        interp.yield_values(block, &[item.value(), args.at(0).clone()])?;
        Ok(true)
    })?;
    Ok(args.at(0).clone())
}

fn reverse_each(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "reverse_each", args);
    for item in items(interp, this)?.into_iter().rev() {
        interp.yield_one(block, item)?;
    }
    Ok(this.clone())
}

fn each_slice(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let count = args.int(interp, 0)?;
    let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else {
        return Err(interp.argument_error("invalid slice size"));
    };
    let block = block_or_enumerator!(interp, this, "each_slice", args);
    let mut slice = Vec::new();
    walk(interp, this, &mut |interp, item| {
        slice.push(item.value());
        if slice.len() >= count {
            interp.yield_one(block, Value::array(std::mem::take(&mut slice)))?;
        }
        Ok(true)
    })?;
    if !slice.is_empty() {
        interp.yield_one(block, Value::array(slice))?;
    }
    Ok(this.clone())
}

fn each_cons(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let count = args.int(interp, 0)?;
    let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else {
        return Err(interp.argument_error("invalid size"));
    };
    let block = block_or_enumerator!(interp, this, "each_cons", args);
    let mut window = std::collections::VecDeque::new();
    walk(interp, this, &mut |interp, item| {
        window.push_back(item.value());
        if window.len() > count {
            window.pop_front();
        }
        if window.len() == count {
            interp.yield_one(block, Value::array(window.iter().cloned().collect()))?;
        }
        Ok(true)
    })?;
    Ok(this.clone())
}

fn inject(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let (mut memo, operator) = match (args.values, args.block) {
        ([], _) => (None, None),
        ([operator], None) => (None, Some(interp.to_name(operator)?)),
        ([start], Some(_)) => (Some(start.clone()), None),
        ([start, operator, ..], _) => (Some(start.clone()), Some(interp.to_name(operator)?)),
    };
    if operator.is_none() && args.block.is_none() {
        return Err(interp.error("LocalJumpError", "no block given"));
    }
    walk(interp, this, &mut |interp, item| {
        let value = item.value();
        memo = Some(match (memo.take(), operator, args.block) {
            (None, ..) => value,
            (Some(memo), Some(operator), _) => interp.call_with(&memo, operator, Args::of(&[value]))?,
            (Some(memo), None, Some(block)) => interp.yield_values(block, &[memo, value])?,
            (Some(memo), None, None) => memo,
        });
        Ok(true)
    })?;
    Ok(memo.unwrap_or_default())
}

fn zip(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let own = items(interp, this)?;
    let mut others = Vec::new();
    for other in args.values {
        others.push(match other {
            Value::Range(range) if range.end.is_nil() => {
                let count = Value::from(own.len());
                let taken = interp.call(other, "first", &[count])?;
                interp.splat(&taken)?
            }
            Value::Array(array) => array.to_vec(),
            other if interp.responds_to(other, crate::ruby::symbol::sym!("each")) => items(interp, other)?,
            other => {
                let class = interp.class_name(&interp.real_class(other));
                return Err(interp.type_error(format!("wrong argument type {class} (must respond to :each)")));
            }
        });
    }
    let mut rows = Vec::with_capacity(own.len());
    for (at, item) in own.into_iter().enumerate() {
        let mut row = vec![item];
        row.extend(others.iter().map(|other| other.get(at).cloned().unwrap_or_default()));
        match args.block {
            Some(block) => _ = interp.yield_one(block, Value::array(row))?,
            None => rows.push(Value::array(row)),
        }
    }
    Ok(if args.block.is_some() { Value::Nil } else { Value::array(rows) })
}

fn cycle(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "cycle", args);
    let rounds = match args.at(0) {
        Value::Nil => None,
        _ => Some(count_argument(interp, args, 0, "negative count").unwrap_or(0)),
    };
    let own = items(interp, this)?;
    let mut round = 0;
    while !own.is_empty() && rounds.is_none_or(|rounds| round < rounds) {
        for item in &own {
            interp.yield_one(block, item.clone())?;
        }
        round += 1;
    }
    Ok(Value::Nil)
}

fn to_h(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut pairs = Vec::new();
    walk(interp, this, &mut |interp, item| {
        pairs.push(match args.block {
            Some(block) => item.call(interp, block)?,
            None => item.value(),
        });
        Ok(true)
    })?;
    pairs_to_hash(interp, pairs, args.block.is_some())
}

/// A hash of arrays of two.
pub(in crate::ruby::stdlib) fn pairs_to_hash(
    interp: &mut Interp,
    pairs: Vec<Value>,
    from_block: bool,
) -> Outcome {
    let mut map = HashMap::new();
    for (at, pair) in pairs.into_iter().enumerate() {
        let Value::Array(array) = &pair else {
            let class = interp.class_name(&interp.real_class(&pair));
            let message = match from_block {
                true => format!("wrong element type {class} (expected array)"),
                false => format!("wrong element type {class} at {at} (expected array)"),
            };
            return Err(interp.type_error(message));
        };
        match array.borrow().as_slice() {
            [key, value] => map.insert(key.clone(), value.clone()),
            other => {
                let length = other.len();
                let message = match from_block {
                    true => format!("element has wrong array length (expected 2, was {length})"),
                    false => format!("wrong array length at {at} (expected 2, was {length})"),
                };
                return Err(interp.argument_error(message));
            }
        }
    }
    Ok(Value::hash(map))
}
