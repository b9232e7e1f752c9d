//! `Array`: combinations, permutations, products, transposition.

use super::super::MethodDef;
use super::own;
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::stdlib::enumerator::for_method;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("combination", exactly(1), |interp, this, args| choose(interp, this, args, "combination")),
    MethodDef("permutation", between(0, 1), |interp, this, args| choose(interp, this, args, "permutation")),
    MethodDef("repeated_combination", exactly(1), |interp, this, args| {
        choose(interp, this, args, "repeated_combination")
    }),
    MethodDef("repeated_permutation", exactly(1), |interp, this, args| {
        choose(interp, this, args, "repeated_permutation")
    }),
    MethodDef("product", at_least(0), product),
    MethodDef("transpose", exactly(0), transpose),
];

/// All choices of some items, in Ruby's order.
fn choose(interp: &mut Interp, this: &Value, args: Args<'_>, kind: &str) -> Outcome {
    let Some(block) = args.block else { return for_method(interp, this, kind, args.values) };
    let items = own(interp, this)?.to_vec();
    let count = if args.at(0).is_nil() { items.len() as i64 } else { args.int(interp, 0)? };
    let Ok(count) = usize::try_from(count) else { return Ok(this.clone()) };
    let ordered = kind.ends_with("permutation");
    let repeated = kind.starts_with("repeated");
    if count > items.len() && !repeated {
        return Ok(this.clone());
    }
    let mut chosen: Vec<usize> = Vec::with_capacity(count);
    let mut candidate = 0;
    loop {
        if chosen.len() == count {
            let picked = chosen.iter().filter_map(|at| items.get(*at).cloned()).collect();
            interp.yield_one(block, Value::array(picked))?;
        } else {
            while candidate < items.len() && ordered && !repeated && chosen.contains(&candidate) {
                candidate += 1;
            }
            if candidate < items.len() {
                chosen.push(candidate);
                candidate = match (ordered, repeated) {
                    (true, _) => 0,
                    (false, true) => candidate,
                    (false, false) => candidate + 1,
                };
                continue;
            }
        }
        match chosen.pop() {
            Some(last) => candidate = last + 1,
            None => return Ok(this.clone()),
        }
    }
}

fn product(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut lists = vec![own(interp, this)?.to_vec()];
    for other in args.values {
        lists.push(interp.to_array(other)?.to_vec());
    }
    let total = lists.iter().fold(1usize, |total, list| total.saturating_mul(list.len()));
    interp.check_size(total.saturating_mul(lists.len()).saturating_mul(16))?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in &lists {
        let mut longer = Vec::with_capacity(rows.len().saturating_mul(list.len()));
        for row in &rows {
            for item in list {
                let mut row = row.clone();
                row.push(item.clone());
                longer.push(row);
            }
        }
        rows = longer;
    }
    let rows: Vec<Value> = rows.into_iter().map(Value::array).collect();
    match args.block {
        Some(block) => {
            for row in rows {
                interp.yield_one(block, row)?;
            }
            Ok(this.clone())
        }
        None => Ok(Value::array(rows)),
    }
}

fn transpose(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let mut rows = Vec::new();
    for row in own(interp, this)?.to_vec() {
        rows.push(interp.to_array(&row)?.to_vec());
    }
    let width = rows.first().map_or(0, Vec::len);
    for row in &rows {
        if row.len() != width {
            let message = format!("element size differs ({} should be {width})", row.len());
            return Err(interp.error("IndexError", message));
        }
    }
    let columns = (0..width)
        .map(|at| Value::array(rows.iter().map(|row| row.get(at).cloned().unwrap_or_default()).collect()));
    Ok(Value::array(columns.collect()))
}
