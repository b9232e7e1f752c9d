//! `Enumerable`: what arrays, hashes, ranges, sets, structs and everything else with `each` have in common.

mod group;
mod order;
mod search;
mod transform;

use std::cell::Cell;
use std::rc::Rc;

pub(super) use group::uniq_values;
pub(super) use order::{sort_by_keys, sort_plain, sum_values};
pub(super) use transform::{flat_push, pairs_to_hash};

use super::ClassDef;
use crate::ruby::args::{Args, at_least};
use crate::ruby::control::{Control, Jump, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::{RProc, Value};

pub(super) static CLASSES: &[ClassDef] = &[ClassDef {
    methods: &[search::METHODS, transform::METHODS, group::METHODS, order::METHODS],
    ..ClassDef::module("Enumerable")
}];

/// One item of a walk: hashes give pairs, which become an array only where one is needed.
pub(super) enum Item {
    One(Value),
    Pair(Value, Value),
}

impl Item {
    /// The item as one value.
    pub(super) fn value(self) -> Value {
        match self {
            Item::One(value) => value,
            Item::Pair(key, value) => Value::array(vec![key, value]),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        match self {
            Item::One(value) => value.clone(),
            Item::Pair(key, value) => Value::array(vec![key.clone(), value.clone()]),
        }
    }

    /// Calls a block with the item.
    #[inline]
    pub(super) fn call(&self, interp: &mut Interp, block: &Rc<RProc>) -> Outcome {
        match self {
            Item::One(value) => interp.yield_one(block, value.clone()),
            Item::Pair(key, value) => interp.yield_pair(block, key.clone(), value.clone()),
        }
    }
}

/// What a walk does with an item; `false` ends it.
pub(super) type Visit<'v> = dyn FnMut(&mut Interp, Item) -> Outcome<bool> + 'v;

/// Visits the items of anything that has `each`, until the visitor has enough. Arrays and hashes may change meanwhile.
pub(super) fn walk(interp: &mut Interp, this: &Value, visit: &mut Visit<'_>) -> Outcome<()> {
    match this {
        Value::Array(array) => {
            let mut at = 0;
            while let Some(item) = array.get(at) {
                if !visit(interp, Item::One(item))? {
                    break;
                }
                at += 1;
            }
            Ok(())
        }
        Value::Hash(hash) => {
            let mut position = 0;
            loop {
                let next = hash.borrow().next_from(position);
                let Some((key, value, after)) = next else { return Ok(()) };
                let before = hash.len();
                if !visit(interp, Item::Pair(key, value))? {
                    return Ok(());
                }
                if hash.len() > before {
                    let message = "can't add a new key into hash during iteration";
                    return Err(interp.error("RuntimeError", message));
                }
                position = after;
            }
        }
        Value::Range(range) => match (&range.start, &range.end) {
            (Value::Int(start), end @ (Value::Int(_) | Value::Nil | Value::Float(_))) => {
                let last = super::range::last_int(end, range.exclusive);
                let mut number = *start;
                while number <= last {
                    if !visit(interp, Item::One(Value::Int(number)))? {
                        break;
                    }
                    let Some(next) = number.checked_add(1) else { break };
                    number = next;
                }
                Ok(())
            }
            _ => walk_each(interp, this, visit),
        },
        other => walk_each(interp, other, visit),
    }
}

/// A visitor as a pointer, while the walk that it belongs to is running.
type Lent = Rc<Cell<Option<*mut Visit<'static>>>>;

/// Walks through the object's own `each`.
fn walk_each(interp: &mut Interp, this: &Value, visit: &mut Visit<'_>) -> Outcome<()> {
    if !interp.responds_to(this, sym!("each")) {
        return Err(interp.no_method(this, sym!("each"), false));
    }
    let tag = interp.fresh_id();
    let pointer: *mut Visit<'_> = visit;
    // SAFETY: only the lifetime changes. The pointer is used by the block below alone, which finds it in `lent`; `lent`
    // is emptied before this function returns, and while the visitor runs, so that it is never used twice at once.
    let pointer: *mut Visit<'static> = unsafe { std::mem::transmute(pointer) };
    let lent: Lent = Rc::new(Cell::new(Some(pointer)));
    let of_block = lent.clone();
    let block = RProc::native(at_least(0), move |interp, args| {
        let item = match args.values {
            [one] => one.clone(),
            several => Value::array(several.to_vec()),
        };
        let Some(pointer) = of_block.take() else { return Ok(Value::Nil) };
        // SAFETY: see above; the visitor outlives `lent`'s content, and nobody else has it now.
        let wants_more = unsafe { (*pointer)(interp, Item::One(item)) };
        of_block.set(Some(pointer));
        match wants_more {
            Ok(true) => Ok(Value::Nil),
            Ok(false) => Err(Control::new(Jump::Break { tag, value: Value::Nil })),
            Err(control) => Err(control),
        }
    });
    let result = interp.call_with(this, sym!("each"), Args { block: Some(&block), ..Args::default() });
    lent.set(None);
    match result {
        Ok(_) => Ok(()),
        Err(Control(jump)) => match *jump {
            Jump::Break { tag: broken, .. } if broken == tag => Ok(()),
            other => Err(other.into()),
        },
    }
}

/// All items of anything that has `each`.
pub(super) fn items(interp: &mut Interp, this: &Value) -> Outcome<Vec<Value>> {
    match this {
        Value::Array(array) => return Ok(array.to_vec()),
        Value::Range(range) if range.end.is_nil() && !range.start.is_nil() => {
            return Err(interp.error("RangeError", "cannot convert endless range to an array"));
        }
        _ => {}
    }
    let mut found = Vec::new();
    walk(interp, this, &mut |interp, item| {
        interp.check_size(found.len().saturating_mul(16))?;
        found.push(item.value());
        Ok(true)
    })?;
    Ok(found)
}

/// A count argument, which must not be negative.
pub(super) fn count_argument(
    interp: &mut Interp,
    args: Args<'_>,
    place: usize,
    what: &str,
) -> Outcome<usize> {
    let count = args.int(interp, place)?;
    match usize::try_from(count) {
        Ok(count) => Ok(count),
        Err(_) => Err(interp.argument_error(what)),
    }
}

/// The block of a method, or the enumerator that the method gives without one.
macro_rules! block_or_enumerator {
    ($interp:expr, $this:expr, $name:literal, $args:expr) => {
        match $args.block {
            Some(block) => block,
            None => return $crate::ruby::stdlib::enumerator::for_method($interp, $this, $name, $args.values),
        }
    };
}
pub(super) use block_or_enumerator;
