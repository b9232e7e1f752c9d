//! `Hash`: changing entries, and merging.

use super::super::MethodDef;
use super::{own, own_mut, pairs, put};
use crate::ruby::args::{Args, at_least, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, RHash, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("[]=", exactly(2), store),
    MethodDef("store", exactly(2), store),
    MethodDef("delete", exactly(1), |interp, this, args| {
        let hash = own_mut(interp, this)?;
        let removed = hash.remove(args.at(0));
        match (removed, args.block) {
            (Some(value), _) => Ok(value),
            (None, Some(block)) => interp.yield_one(block, args.at(0).clone()),
            (None, None) => Ok(Value::Nil),
        }
    }),
    MethodDef("shift", exactly(0), |interp, this, _| {
        let hash = own_mut(interp, this)?;
        let shifted = hash.borrow_mut().shift();
        Ok(shifted.map_or(Value::Nil, |(key, value)| Value::array(vec![key, value])))
    }),
    MethodDef("clear", exactly(0), |interp, this, _| put(interp, this, HashMap::new())),
    MethodDef("replace", exactly(1), |interp, this, args| {
        let map = interp.to_hash(args.at(0))?.borrow().clone();
        put(interp, this, map)
    }),
    MethodDef("merge", at_least(0), |interp, this, args| {
        let hash = own(interp, this)?;
        let copy = RHash::new(hash.borrow().clone());
        *copy.default.borrow_mut() = hash.default.borrow().clone();
        if let Some(class) = hash.extra.class() {
            copy.extra.set_class(class);
        }
        let copy = Value::Hash(std::rc::Rc::new(copy));
        merge(interp, &copy, args)
    }),
    MethodDef("merge!", at_least(0), merge),
    MethodDef("update", at_least(0), merge),
    MethodDef("transform_values!", exactly(0), |interp, this, args| {
        let block = super::super::enumerable::block_or_enumerator!(interp, this, "transform_values!", args);
        let hash = own_mut(interp, this)?;
        pairs(interp, this, &mut |interp, key, value| {
            let value = interp.yield_one(block, value)?;
            hash.insert(key, value);
            Ok(())
        })?;
        Ok(this.clone())
    }),
    MethodDef("transform_keys!", super::super::super::args::between(0, 1), |interp, this, args| {
        interp.check_frozen(this)?;
        let changed = super::transform::transform_keys(interp, this, args)?;
        put(interp, this, changed)
    }),
];

fn store(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    own_mut(interp, this)?.insert(args.at(0).clone(), args.at(1).clone());
    Ok(args.at(1).clone())
}

fn merge(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let hash = own_mut(interp, this)?;
    for other in args.values {
        let entries = interp.to_hash(other)?.borrow().clone();
        for (key, value) in entries.iter() {
            let value = match (args.block, hash.get(key)) {
                (Some(block), Some(old)) => interp.yield_values(block, &[key.clone(), old, value.clone()])?,
                _ => value.clone(),
            };
            hash.insert(key.clone(), value);
        }
    }
    Ok(this.clone())
}
