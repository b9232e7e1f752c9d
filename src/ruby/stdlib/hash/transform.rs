//! `Hash`: other hashes and arrays made of one.

use super::super::MethodDef;
use super::super::enumerable::block_or_enumerator;
use super::{own, pairs};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, RHash, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("transform_values", exactly(0), |interp, this, args| {
        let block = block_or_enumerator!(interp, this, "transform_values", args);
        let mut map = HashMap::with_capacity(own(interp, this)?.len());
        pairs(interp, this, &mut |interp, key, value| {
            let value = interp.yield_one(block, value)?;
            map.insert(key, value);
            Ok(())
        })?;
        Ok(Value::hash(map))
    }),
    MethodDef("transform_keys", between(0, 1), |interp, this, args| {
        if args.block.is_none() && args.is_empty() {
            return super::super::enumerator::for_method(interp, this, "transform_keys", args.values);
        }
        Ok(Value::hash(transform_keys(interp, this, args)?))
    }),
    MethodDef("to_h", exactly(0), |interp, this, args| {
        let Some(block) = args.block else {
            let hash = own(interp, this)?;
            if hash.extra.class().is_none() {
                return Ok(this.clone());
            }
            let plain = RHash::new(hash.borrow().clone());
            *plain.default.borrow_mut() = hash.default.borrow().clone();
            return Ok(Value::Hash(std::rc::Rc::new(plain)));
        };
        let mut made = Vec::new();
        pairs(interp, this, &mut |interp, key, value| {
            made.push(interp.yield_values(block, &[key, value])?);
            Ok(())
        })?;
        super::super::enumerable::pairs_to_hash(interp, made, true)
    }),
    MethodDef("invert", exactly(0), |interp, this, _| {
        let hash = own(interp, this)?.borrow();
        Ok(Value::hash(hash.iter().map(|(key, value)| (value.clone(), key.clone())).collect()))
    }),
    MethodDef("flatten", between(0, 1), |interp, this, args| {
        let depth = if args.is_empty() { 1 } else { args.int(interp, 0)? };
        let all = Value::array(super::super::enumerable::items(interp, this)?);
        interp.call(&all, "flatten", &[Value::Int(depth)])
    }),
    MethodDef("any?", between(0, 1), |interp, this, args| {
        let hash = own(interp, this)?;
        let Some(block) = args.block.filter(|_| args.is_empty()) else {
            if args.is_empty() {
                return Ok(Value::Bool(!hash.is_empty()));
            }
            let all = Value::array(super::super::enumerable::items(interp, this)?);
            return interp.call(&all, "any?", args.values);
        };
        let mut found = false;
        super::super::enumerable::walk(interp, this, &mut |interp, item| {
            found = item.call(interp, block)?.truthy();
            Ok(!found)
        })?;
        Ok(Value::Bool(found))
    }),
];

/// `transform_keys`: by a hash of new names, by a block, or both.
pub(super) fn transform_keys(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<HashMap> {
    let names = match args.get(0) {
        Some(names) => Some(interp.to_hash(names)?),
        None => None,
    };
    let mut map = HashMap::with_capacity(own(interp, this)?.len());
    pairs(interp, this, &mut |interp, key, value| {
        let renamed = names.as_ref().and_then(|names| names.get(&key));
        let key = match (renamed, args.block) {
            (Some(renamed), _) => renamed,
            (None, Some(block)) => interp.yield_one(block, key)?,
            (None, None) => key,
        };
        map.insert(key, value);
        Ok(())
    })?;
    Ok(map)
}
