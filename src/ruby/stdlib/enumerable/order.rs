//! `Enumerable`: sorting, extremes and sums.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{block_or_enumerator, count_argument, items, walk};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::stdlib::MethodDef;
use crate::ruby::value::{RProc, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("sort", exactly(0), |interp, this, args| {
        let own = items(interp, this)?;
        Ok(Value::array(sort_plain(interp, own, args.block)?))
    }),
    MethodDef("sort_by", exactly(0), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "sort_by", args);
        let own = items(interp, this)?;
        Ok(Value::array(sort_by_keys(interp, own, block)?))
    }),
    MethodDef("min", between(0, 1), |interp, this, args| extreme(interp, this, args, Ordering::Less)),
    MethodDef("max", between(0, 1), |interp, this, args| extreme(interp, this, args, Ordering::Greater)),
    MethodDef("min_by", between(0, 1), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "min_by", args);
        extreme_by(interp, this, args, block, Ordering::Less)
    }),
    MethodDef("max_by", between(0, 1), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "max_by", args);
        extreme_by(interp, this, args, block, Ordering::Greater)
    }),
    MethodDef("minmax", exactly(0), |interp, this, args| {
        let least = extreme(interp, this, args, Ordering::Less)?;
        Ok(Value::array(vec![least, extreme(interp, this, args, Ordering::Greater)?]))
    }),
    MethodDef("minmax_by", exactly(0), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "minmax_by", args);
        let least = extreme_by(interp, this, args, block, Ordering::Less)?;
        Ok(Value::array(vec![least, extreme_by(interp, this, args, block, Ordering::Greater)?]))
    }),
    MethodDef("sum", between(0, 1), |interp, this, args| {
        let mut values = Vec::new();
        walk(interp, this, &mut |interp, item| {
            values.push(match args.block {
                Some(block) => item.call(interp, block)?,
                None => item.value(),
            });
            Ok(true)
        })?;
        sum_values(interp, args.get(0).cloned().unwrap_or(Value::Int(0)), values)
    }),
];

/// Order of values that need no method; `None` where one has to be asked.
fn quick_order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Str(a), Value::Str(b)) => Some(a.borrow().bytes().cmp(b.borrow().bytes())),
        (Value::Sym(a), Value::Sym(b)) => Some(a.as_str().cmp(b.as_str())),
        _ => None,
    }
}

/// Whether all values are of one kind that `quick_order` knows.
fn is_quick(values: &[Value]) -> bool {
    let kind = |value: &Value| match value {
        Value::Int(_) => 1,
        Value::Float(number) if !number.is_nan() => 2,
        Value::Str(_) => 3,
        Value::Sym(_) => 4,
        _ => 0,
    };
    let first = values.first().map_or(0, kind);
    first != 0 && values.iter().all(|value| kind(value) == first)
}

/// `sort`, with the comparison of a block if there is one.
pub(in crate::ruby::stdlib) fn sort_plain(
    interp: &mut Interp,
    mut values: Vec<Value>,
    block: Option<&Rc<RProc>>,
) -> Outcome<Vec<Value>> {
    match block {
        None if is_quick(&values) => {
            values.sort_by(|a, b| quick_order(a, b).unwrap_or(Ordering::Equal));
            Ok(values)
        }
        None => interp.sort_values(values, &mut |interp, a, b| interp.order(a, b)),
        Some(block) => interp.sort_values(values, &mut |interp, a, b| {
            let order = interp.yield_values(block, &[a.clone(), b.clone()])?;
            interp.order_of(&order, a, b)
        }),
    }
}

/// `sort_by`
pub(in crate::ruby::stdlib) fn sort_by_keys(
    interp: &mut Interp,
    values: Vec<Value>,
    block: &Rc<RProc>,
) -> Outcome<Vec<Value>> {
    let mut keys = Vec::with_capacity(values.len());
    for value in &values {
        keys.push(interp.yield_one(block, value.clone())?);
    }
    if is_quick(&keys) {
        let mut pairs: Vec<(Value, Value)> = keys.into_iter().zip(values).collect();
        pairs.sort_by(|(a, _), (b, _)| quick_order(a, b).unwrap_or(Ordering::Equal));
        return Ok(pairs.into_iter().map(|(_, value)| value).collect());
    }
    let places = (0..values.len()).map(Value::from).collect();
    let key = |place: &Value| match place {
        Value::Int(at) => usize::try_from(*at).ok().and_then(|at| keys.get(at)).cloned().unwrap_or_default(),
        _ => Value::Nil,
    };
    let sorted = interp.sort_keyed(places, &mut |interp, a, b| interp.order(&key(a), &key(b)))?;
    let value = |place: Value| match place {
        Value::Int(at) => usize::try_from(at).ok().and_then(|at| values.get(at)).cloned().unwrap_or_default(),
        _ => Value::Nil,
    };
    Ok(sorted.into_iter().map(value).collect())
}

fn extreme(interp: &mut Interp, this: &Value, args: Args<'_>, side: Ordering) -> Outcome {
    if args.get(0).is_some_and(|count| !count.is_nil()) {
        let count = count_argument(interp, args, 0, "negative size")?;
        let mut own = items(interp, this)?;
        if side == Ordering::Greater {
            // Of equals the first comes first, also when the order is turned round.
            own.reverse();
        }
        let mut sorted = sort_plain(interp, own, args.block)?;
        if side == Ordering::Greater {
            sorted.reverse();
        }
        sorted.truncate(count);
        return Ok(Value::array(sorted));
    }
    let mut best: Option<Value> = None;
    walk(interp, this, &mut |interp, item| {
        let value = item.value();
        let better = match (&best, args.block) {
            (None, _) => true,
            (Some(best), None) => match quick_order(&value, best) {
                Some(order) => order == side,
                None => interp.order(&value, best)? == side,
            },
            (Some(best), Some(block)) => {
                let order = interp.yield_values(block, &[value.clone(), best.clone()])?;
                interp.order_of(&order, &value, best)? == side
            }
        };
        if better {
            best = Some(value);
        }
        Ok(true)
    })?;
    Ok(best.unwrap_or_default())
}

fn extreme_by(
    interp: &mut Interp,
    this: &Value,
    args: Args<'_>,
    block: &Rc<RProc>,
    side: Ordering,
) -> Outcome {
    if args.get(0).is_some_and(|count| !count.is_nil()) {
        let count = count_argument(interp, args, 0, "negative size")?;
        let mut own = items(interp, this)?;
        if side == Ordering::Greater {
            own.reverse();
        }
        let mut sorted = sort_by_keys(interp, own, block)?;
        if side == Ordering::Greater {
            sorted.reverse();
        }
        sorted.truncate(count);
        return Ok(Value::array(sorted));
    }
    let mut best: Option<(Value, Value)> = None;
    walk(interp, this, &mut |interp, item| {
        let key = item.call(interp, block)?;
        let better = match &best {
            None => true,
            Some((best, _)) => match quick_order(&key, best) {
                Some(order) => order == side,
                None => interp.order(&key, best)? == side,
            },
        };
        if better {
            best = Some((key, item.value()));
        }
        Ok(true)
    })?;
    Ok(best.map(|(_, value)| value).unwrap_or_default())
}

/// `sum`: floats are added with Kahan and Babuska's compensation, as Ruby does.
pub(in crate::ruby::stdlib) fn sum_values(interp: &mut Interp, start: Value, values: Vec<Value>) -> Outcome {
    let mut total = start;
    let mut rest = values.into_iter().peekable();
    while let Some(next) = rest.peek() {
        if let (Value::Float(_), Value::Int(_) | Value::Float(_)) | (Value::Int(_), Value::Float(_)) =
            (&total, next)
        {
            let start = interp.to_float(&total)?;
            total = Value::Float(sum_floats(start, &mut rest));
            continue;
        }
        let Some(value) = rest.next() else { break };
        let quick = match (&total, &value) {
            (Value::Int(a), Value::Int(b)) => a.checked_add(*b),
            _ => None,
        };
        total = match quick {
            Some(sum) => Value::Int(sum),
            None => interp.call(&total, "+", std::slice::from_ref(&value))?,
        };
    }
    Ok(total)
}

fn is_small(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_))
}

/// Adds numbers as long as there are any in a row.
fn sum_floats(start: f64, rest: &mut std::iter::Peekable<std::vec::IntoIter<Value>>) -> f64 {
    let (mut sum, mut compensation) = (start, 0.0);
    while let Some(value) = rest.next_if(is_small) {
        let number = match value {
            Value::Int(number) => number as f64,
            Value::Float(number) => number,
            _ => 0.0,
        };
        if !number.is_finite() || !sum.is_finite() {
            sum += number;
            continue;
        }
        let next = sum + number;
        compensation += if sum.abs() >= number.abs() { (sum - next) + number } else { (number - next) + sum };
        sum = next;
    }
    sum + compensation
}
