//! `Enumerable`: items in groups.

use std::rc::Rc;

use super::{block_or_enumerator, items, walk};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::stdlib::MethodDef;
use crate::ruby::value::{HashMap, RProc, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("group_by", exactly(0), group_by),
    MethodDef("partition", exactly(0), partition),
    MethodDef("tally", between(0, 1), tally),
    MethodDef("tally_by", exactly(0), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "tally_by", args);
        let mut keys = Vec::new();
        walk(interp, this, &mut |interp, item| {
            keys.push(item.call(interp, block)?);
            Ok(true)
        })?;
        Ok(Value::hash(tally_values(keys, HashMap::new())))
    }),
    MethodDef("uniq", exactly(0), |interp, this, args| {
        let own = items(interp, this)?;
        Ok(Value::array(uniq_values(interp, own, args.block)?))
    }),
    MethodDef("chunk", exactly(0), chunk),
    MethodDef("chunk_while", exactly(0), |interp, this, args| split_between(interp, this, args, false)),
    MethodDef("slice_when", exactly(0), |interp, this, args| split_between(interp, this, args, true)),
    MethodDef("slice_before", between(0, 1), |interp, this, args| split_at(interp, this, args, true)),
    MethodDef("slice_after", between(0, 1), |interp, this, args| split_at(interp, this, args, false)),
];

fn group_by(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "group_by", args);
    let mut groups = HashMap::new();
    walk(interp, this, &mut |interp, item| {
        let key = item.call(interp, block)?;
        let value = item.value();
        match groups.get(&key) {
            Some(Value::Array(group)) => group.push(value),
            _ => groups.insert(key, Value::array(vec![value])),
        }
        Ok(true)
    })?;
    Ok(Value::hash(groups))
}

fn partition(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "partition", args);
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    walk(interp, this, &mut |interp, item| {
        let passes = item.call(interp, block)?.truthy();
        if passes { &mut yes } else { &mut no }.push(item.value());
        Ok(true)
    })?;
    Ok(Value::array(vec![Value::array(yes), Value::array(no)]))
}

fn tally(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let own = items(interp, this)?;
    match args.get(0) {
        Some(into) => {
            interp.check_frozen(into)?;
            let hash = interp.to_hash(into)?;
            let start = hash.borrow().clone();
            *hash.borrow_mut() = tally_values(own, start);
            Ok(into.clone())
        }
        None => Ok(Value::hash(tally_values(own, HashMap::new()))),
    }
}

fn tally_values(values: Vec<Value>, mut counts: HashMap) -> HashMap {
    for value in values {
        let count = match counts.get(&value) {
            Some(Value::Int(count)) => count.saturating_add(1),
            _ => 1,
        };
        counts.insert(value, Value::Int(count));
    }
    counts
}

/// Values without those that are the same key as an earlier one.
pub(in crate::ruby::stdlib) fn uniq_values(
    interp: &mut Interp,
    values: Vec<Value>,
    block: Option<&Rc<RProc>>,
) -> Outcome<Vec<Value>> {
    let mut seen = HashMap::new();
    let mut kept = Vec::new();
    for value in values {
        let key = match block {
            Some(block) => interp.yield_one(block, value.clone())?,
            None => value.clone(),
        };
        if !seen.contains_key(&key) {
            seen.insert(key, Value::Nil);
            kept.push(value);
        }
    }
    Ok(kept)
}

fn chunk(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = block_or_enumerator!(interp, this, "chunk", args);
    let mut chunks: Vec<(Value, Vec<Value>)> = Vec::new();
    let mut alone = true;
    walk(interp, this, &mut |interp, item| {
        let key = item.call(interp, block)?;
        let value = item.value();
        let special = match &key {
            Value::Sym(name) => name.as_str(),
            Value::Nil => "_separator",
            _ => "",
        };
        if special == "_separator" {
            alone = true;
            return Ok(true);
        }
        match chunks.last_mut() {
            Some((last, group)) if !alone && special != "_alone" && interp.equal(last, &key)? => {
                group.push(value);
            }
            _ => chunks.push((key.clone(), vec![value])),
        }
        alone = special == "_alone";
        Ok(true)
    })?;
    let pairs = chunks.into_iter().map(|(key, group)| Value::array(vec![key, Value::array(group)]));
    let pairs = Value::array(pairs.collect());
    crate::ruby::stdlib::enumerator::for_method(interp, &pairs, "each", &[])
}

/// `slice_when`, `chunk_while`: the block looks at two neighbours.
fn split_between(interp: &mut Interp, this: &Value, args: Args<'_>, split_if: bool) -> Outcome {
    let block = args.block(interp)?;
    let mut groups: Vec<Value> = Vec::new();
    let mut group: Vec<Value> = Vec::new();
    walk(interp, this, &mut |interp, item| {
        let value = item.value();
        if let Some(last) = group.last()
            && interp.yield_values(block, &[last.clone(), value.clone()])?.truthy() == split_if
        {
            groups.push(Value::array(std::mem::take(&mut group)));
        }
        group.push(value);
        Ok(true)
    })?;
    if !group.is_empty() {
        groups.push(Value::array(group));
    }
    crate::ruby::stdlib::enumerator::for_method(interp, &Value::array(groups), "each", &[])
}

/// `slice_before`, `slice_after`: by pattern or block.
fn split_at(interp: &mut Interp, this: &Value, args: Args<'_>, before: bool) -> Outcome {
    let mut groups: Vec<Value> = Vec::new();
    let mut group: Vec<Value> = Vec::new();
    walk(interp, this, &mut |interp, item| {
        let value = item.value();
        let splits = match (args.get(0), args.block) {
            (Some(pattern), _) => interp.case_equal(pattern, &value)?,
            (None, Some(block)) => interp.yield_one(block, value.clone())?.truthy(),
            (None, None) => {
                return Err(interp.argument_error("wrong number of arguments (given 0, expected 1)"));
            }
        };
        if before && splits && !group.is_empty() {
            groups.push(Value::array(std::mem::take(&mut group)));
        }
        group.push(value);
        if !before && splits {
            groups.push(Value::array(std::mem::take(&mut group)));
        }
        Ok(true)
    })?;
    if !group.is_empty() {
        groups.push(Value::array(group));
    }
    crate::ruby::stdlib::enumerator::for_method(interp, &Value::array(groups), "each", &[])
}
