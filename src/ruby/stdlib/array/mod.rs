//! `Array`.

mod access;
mod change;
mod combine;
mod filter;
mod pack;
mod sets;

use std::rc::Rc;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, RArray, StrBuf, Value, key_hash};

pub(super) use access::dig_on;
pub(super) use pack::PackDirective;
pub(super) use pack::parse_template;

pub(super) static CLASSES: &[ClassDef] = &[ClassDef {
    includes: &["Enumerable"],
    methods: &[
        BASICS,
        access::METHODS,
        change::METHODS,
        combine::METHODS,
        filter::METHODS,
        sets::METHODS,
        &[MethodDef("pack", between(1, 2), pack::pack)],
    ],
    singleton_methods: &[NEW],
    ..ClassDef::class("Array")
}];

const NEW: &[MethodDef] = &[
    MethodDef("new", between(0, 2), |interp, this, args| {
        let array = new(interp, args)?;
        if let (Value::Array(array), Value::Class(class)) = (&array, this)
            && !Rc::ptr_eq(class, &interp.classes.array)
        {
            array.extra.set_class(class.clone());
        }
        Ok(array)
    }),
    MethodDef("[]", at_least(0), |_, _, args| Ok(Value::array(args.values.to_vec()))),
    MethodDef("try_convert", exactly(1), |_, _, args| {
        Ok(if args.at(0).as_array().is_some() { args.at(0).clone() } else { Value::Nil })
    }),
];

fn new(interp: &mut Interp, args: Args<'_>) -> Outcome {
    if let (Some(Value::Array(other)), 1) = (args.get(0), args.len()) {
        return Ok(Value::array(other.to_vec()));
    }
    let count = if args.is_empty() { 0 } else { args.int(interp, 0)? };
    let Ok(count) = usize::try_from(count) else {
        return Err(interp.argument_error("negative array size"));
    };
    interp.check_size(count.saturating_mul(16))?;
    if let Some(block) = args.block {
        let mut items = Vec::with_capacity(count);
        for at in 0..count {
            items.push(interp.yield_one(block, Value::from(at))?);
        }
        return Ok(Value::array(items));
    }
    Ok(Value::array(vec![args.at(1).clone(); count]))
}

/// The receiver as an array.
fn own<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Rc<RArray>> {
    match this {
        Value::Array(array) => Ok(array),
        _ => Err(interp.type_error("not an array")),
    }
}

/// The receiver as an array that may be changed.
fn own_mut<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Rc<RArray>> {
    interp.check_frozen(this)?;
    own(interp, this)
}

/// The position that an index means, which may count from the end.
fn position(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(i64::try_from(len).ok()?)? } else { index };
    usize::try_from(index).ok()
}

const BASICS: &[MethodDef] = &[
    MethodDef("length", exactly(0), length),
    MethodDef("size", exactly(0), length),
    MethodDef("empty?", exactly(0), |interp, this, _| Ok(Value::Bool(own(interp, this)?.is_empty()))),
    MethodDef("to_a", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("to_ary", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("entries", exactly(0), |interp, this, _| Ok(Value::array(own(interp, this)?.to_vec()))),
    MethodDef("deconstruct", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("inspect", exactly(0), inspect),
    MethodDef("to_s", exactly(0), inspect),
    MethodDef("==", exactly(1), |interp, this, args| Ok(Value::Bool(equal(interp, this, args.at(0))?))),
    MethodDef("hash", exactly(0), |_, this, _| Ok(Value::Int((key_hash(this) >> 1) as i64))),
    MethodDef("<=>", exactly(1), |interp, this, args| match args.at(0) {
        Value::Array(_) => {
            Ok(interp.compare(this, args.at(0))?.map_or(Value::Nil, |order| Value::Int(order as i64)))
        }
        _ => Ok(Value::Nil),
    }),
    MethodDef("each", exactly(0), |interp, this, args| {
        let block = super::enumerable::block_or_enumerator!(interp, this, "each", args);
        let array = own(interp, this)?;
        let mut at = 0;
        while let Some(item) = array.get(at) {
            interp.yield_one(block, item)?;
            at += 1;
        }
        Ok(this.clone())
    }),
    MethodDef("each_index", exactly(0), |interp, this, args| {
        let block = super::enumerable::block_or_enumerator!(interp, this, "each_index", args);
        let array = own(interp, this)?;
        let mut at = 0;
        while at < array.len() {
            interp.yield_one(block, Value::from(at))?;
            at += 1;
        }
        Ok(this.clone())
    }),
    MethodDef("join", between(0, 1), |interp, this, args| {
        let separator = match args.at(0) {
            Value::Nil => None,
            _ => Some(args.string(interp, 0)?.borrow().clone()),
        };
        let mut out = StrBuf::from("");
        join_into(interp, this, separator.as_ref(), &mut out, &mut true, &mut Vec::new())?;
        Ok(Value::Str(Rc::new(crate::ruby::value::RString::new(out))))
    }),
    MethodDef("*", exactly(1), |interp, this, args| {
        if let Value::Str(_) = args.at(0) {
            return interp.call(this, "join", args.values);
        }
        let items = own(interp, this)?.to_vec();
        let times = args.int(interp, 0)?;
        let Ok(times) = usize::try_from(times) else {
            return Err(interp.argument_error("negative argument"));
        };
        interp.check_size(items.len().saturating_mul(times).saturating_mul(16))?;
        let count = items.len() * times;
        Ok(Value::array(items.iter().cycle().take(count).cloned().collect()))
    }),
    MethodDef("to_h", exactly(0), |interp, this, args| {
        let items = own(interp, this)?.to_vec();
        if items.is_empty() {
            return Ok(Value::hash(HashMap::new()));
        }
        let Some(block) = args.block else {
            return super::enumerable::pairs_to_hash(interp, items, false);
        };
        let mut pairs = Vec::with_capacity(items.len());
        for item in items {
            pairs.push(interp.yield_one(block, item)?);
        }
        super::enumerable::pairs_to_hash(interp, pairs, true)
    }),
];

fn length(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    Ok(Value::from(own(interp, this)?.len()))
}

fn inspect(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let items = own(interp, this)?.to_vec();
    Ok(Value::str(interp.inspect_items("[", items, "]", this)?))
}

/// Equality of arrays, whatever class of their own they have.
fn equal(interp: &mut Interp, this: &Value, other: &Value) -> Outcome<bool> {
    interp.guard()?;
    let (Value::Array(a), Value::Array(b)) = (this, other) else { return Ok(false) };
    if Rc::ptr_eq(a, b) {
        return Ok(true);
    }
    let (a, b) = (a.to_vec(), b.to_vec());
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(&b) {
        if !interp.equal(a, b)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn join_into(
    interp: &mut Interp,
    this: &Value,
    separator: Option<&StrBuf>,
    out: &mut StrBuf,
    first: &mut bool,
    within: &mut Vec<i64>,
) -> Outcome<()> {
    interp.guard()?;
    if within.contains(&this.identity()) {
        return Err(interp.argument_error("recursive array join"));
    }
    within.push(this.identity());
    for item in own(interp, this)?.to_vec() {
        if let Value::Array(_) = item {
            join_into(interp, &item, separator, out, first, within)?;
            continue;
        }
        if !std::mem::replace(first, false)
            && let Some(separator) = separator
        {
            out.append(separator);
        }
        interp.append_to_s(&item, out)?;
        interp.check_size(out.len())?;
    }
    within.pop();
    Ok(())
}
