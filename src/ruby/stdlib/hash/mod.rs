//! `Hash`.

mod access;
mod change;
mod filter;
mod transform;

use std::rc::Rc;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashDefault, HashMap, RHash, RProc, Value, key_hash};

pub(super) static CLASSES: &[ClassDef] = &[ClassDef {
    includes: &["Enumerable"],
    methods: &[BASICS, access::METHODS, change::METHODS, filter::METHODS, transform::METHODS],
    singleton_methods: &[NEW],
    ..ClassDef::class("Hash")
}];

const NEW: &[MethodDef] = &[
    MethodDef("new", between(0, 2), |interp, this, args| {
        let (args, _) = args.split_keywords();
        let hash = RHash::new(HashMap::new());
        if let Some(block) = args.block {
            if !args.is_empty() {
                return Err(interp.wrong_count(args.len(), "0"));
            }
            *hash.default.borrow_mut() = HashDefault::Block(block.clone());
        } else if let Some(value) = args.get(0) {
            *hash.default.borrow_mut() = HashDefault::Value(value.clone());
        }
        if let Value::Class(class) = this
            && !Rc::ptr_eq(class, &interp.classes.hash)
        {
            hash.extra.set_class(class.clone());
        }
        Ok(Value::Hash(Rc::new(hash)))
    }),
    MethodDef("[]", at_least(0), |interp, _, args| match args.values {
        [Value::Hash(hash)] => Ok(Value::hash(hash.borrow().clone())),
        [Value::Array(pairs)] => {
            let pairs = pairs.to_vec();
            super::enumerable::pairs_to_hash(interp, pairs, false)
        }
        values if values.len() % 2 == 0 => {
            let pairs = values.chunks_exact(2).filter_map(|pair| match pair {
                [key, value] => Some((key.clone(), value.clone())),
                _ => None,
            });
            Ok(Value::hash(pairs.collect()))
        }
        _ => Err(interp.argument_error("odd number of arguments for Hash")),
    }),
    MethodDef("try_convert", exactly(1), |_, _, args| {
        Ok(if args.at(0).as_hash().is_some() { args.at(0).clone() } else { Value::Nil })
    }),
];

/// The receiver as a hash.
fn own<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Rc<RHash>> {
    match this {
        Value::Hash(hash) => Ok(hash),
        _ => Err(interp.type_error("not a hash")),
    }
}

/// The receiver as a hash that may be changed.
fn own_mut<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Rc<RHash>> {
    interp.check_frozen(this)?;
    own(interp, this)
}

/// The value under a key, or what the hash gives instead.
pub(super) fn lookup(interp: &mut Interp, this: &Value, key: &Value) -> Outcome {
    let hash = own(interp, this)?;
    if let Some(value) = hash.get(key) {
        return Ok(value);
    }
    let default = hash.default.borrow().clone();
    match default {
        HashDefault::None => Ok(Value::Nil),
        HashDefault::Value(value) => Ok(value),
        HashDefault::Block(block) => interp.yield_values(&block, &[this.clone(), key.clone()]),
    }
}

/// Calls something with every pair; the hash may change meanwhile, but gets no new keys.
fn pairs(
    interp: &mut Interp,
    this: &Value,
    step: &mut dyn FnMut(&mut Interp, Value, Value) -> Outcome<()>,
) -> Outcome<()> {
    super::enumerable::walk(interp, this, &mut |interp, item| {
        if let super::enumerable::Item::Pair(key, value) = item {
            step(interp, key, value)?;
        }
        Ok(true)
    })
}

/// Pairs for which a block is true (or not), in a new map.
fn kept(interp: &mut Interp, this: &Value, block: &Rc<RProc>, wanted: bool) -> Outcome<HashMap> {
    let mut map = HashMap::new();
    pairs(interp, this, &mut |interp, key, value| {
        if interp.yield_values(block, &[key.clone(), value.clone()])?.truthy() == wanted {
            map.insert(key, value);
        }
        Ok(())
    })?;
    Ok(map)
}

/// Replaces all entries.
fn put(interp: &mut Interp, this: &Value, map: HashMap) -> Outcome {
    let hash = own_mut(interp, this)?;
    let old = std::mem::replace(&mut *hash.borrow_mut(), map);
    drop(old);
    Ok(this.clone())
}

const BASICS: &[MethodDef] = &[
    MethodDef("length", exactly(0), |interp, this, _| Ok(Value::from(own(interp, this)?.len()))),
    MethodDef("size", exactly(0), |interp, this, _| Ok(Value::from(own(interp, this)?.len()))),
    MethodDef("empty?", exactly(0), |interp, this, _| Ok(Value::Bool(own(interp, this)?.is_empty()))),
    MethodDef("to_hash", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("inspect", exactly(0), inspect),
    MethodDef("to_s", exactly(0), inspect),
    MethodDef("hash", exactly(0), |_, this, _| Ok(Value::Int((key_hash(this) >> 1) as i64))),
    MethodDef("==", exactly(1), |interp, this, args| {
        let a = own(interp, this)?.borrow().clone();
        let Value::Hash(b) = args.at(0) else { return Ok(Value::Bool(false)) };
        let b = b.borrow().clone();
        interp.equal(&Value::hash(a), &Value::hash(b)).map(Value::Bool)
    }),
    MethodDef("<=", exactly(1), |interp, this, args| is_subset(interp, this, args.at(0), false)),
    MethodDef("<", exactly(1), |interp, this, args| is_subset(interp, this, args.at(0), true)),
    MethodDef(">=", exactly(1), |interp, this, args| is_subset(interp, args.at(0), this, false)),
    MethodDef(">", exactly(1), |interp, this, args| is_subset(interp, args.at(0), this, true)),
    MethodDef("each", exactly(0), each),
    MethodDef("each_pair", exactly(0), each),
    MethodDef("each_key", exactly(0), |interp, this, args| {
        let block = super::enumerable::block_or_enumerator!(interp, this, "each_key", args);
        pairs(interp, this, &mut |interp, key, _| interp.yield_one(block, key).map(drop))?;
        Ok(this.clone())
    }),
    MethodDef("each_value", exactly(0), |interp, this, args| {
        let block = super::enumerable::block_or_enumerator!(interp, this, "each_value", args);
        pairs(interp, this, &mut |interp, _, value| interp.yield_one(block, value).map(drop))?;
        Ok(this.clone())
    }),
    MethodDef("to_proc", exactly(0), |_, this, _| {
        let hash = this.clone();
        Ok(Value::Proc(RProc::native(exactly(1), move |interp, args| interp.call(&hash, "[]", args.values))))
    }),
    MethodDef("compare_by_identity", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("rehash", exactly(0), |interp, this, _| {
        let map = own(interp, this)?.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        put(interp, this, map)
    }),
    MethodDef("deconstruct_keys", exactly(1), |_, this, _| Ok(this.clone())),
];

fn each(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = super::enumerable::block_or_enumerator!(interp, this, "each", args);
    pairs(interp, this, &mut |interp, key, value| interp.yield_pair(block, key, value).map(drop))?;
    Ok(this.clone())
}

fn inspect(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let hash = own(interp, this)?;
    if hash.extra.class().is_none() {
        return Ok(Value::str(interp.inspect(this)?));
    }
    // One with a class of its own shows its entries as any other does.
    let plain = Value::hash(hash.borrow().clone());
    interp.guard()?;
    Ok(Value::str(interp.inspect(&plain)?))
}

fn is_subset(interp: &mut Interp, small: &Value, large: &Value, strictly: bool) -> Outcome {
    let (small, large) = (interp.to_hash(small)?, interp.to_hash(large)?);
    if small.len() > large.len() || (strictly && small.len() == large.len()) {
        return Ok(Value::Bool(false));
    }
    let entries = small.borrow().clone();
    for (key, value) in entries.iter() {
        match large.get(key) {
            Some(other) if interp.equal(value, &other)? => {}
            _ => return Ok(Value::Bool(false)),
        }
    }
    Ok(Value::Bool(true))
}
