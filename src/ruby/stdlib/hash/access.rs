//! `Hash`: reading entries.

use super::super::MethodDef;
use super::{lookup, own};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::stdlib::array::dig_on;
use crate::ruby::symbol::sym;
use crate::ruby::value::{HashDefault, RProc, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("[]", exactly(1), |interp, this, args| {
        let missing = own(interp, this)?.extra.class().is_some() && !interp.is_builtin(this, sym!("default"));
        match own(interp, this)?.get(args.at(0)) {
            Some(value) => Ok(value),
            None if missing => interp.call(this, "default", args.values),
            None => lookup(interp, this, args.at(0)),
        }
    }),
    MethodDef("fetch", between(1, 2), fetch),
    MethodDef("dig", at_least(1), |interp, this, args| {
        let found = lookup(interp, this, args.at(0))?;
        dig_on(interp, found, args.from(1))
    }),
    MethodDef("key", exactly(1), |interp, this, args| {
        let entries = own(interp, this)?.borrow().clone();
        for (key, value) in entries.iter() {
            if interp.equal(value, args.at(0))? {
                return Ok(key.clone());
            }
        }
        Ok(Value::Nil)
    }),
    MethodDef("keys", exactly(0), |interp, this, _| {
        Ok(Value::array(own(interp, this)?.borrow().keys().cloned().collect()))
    }),
    MethodDef("values", exactly(0), |interp, this, _| {
        Ok(Value::array(own(interp, this)?.borrow().values().cloned().collect()))
    }),
    MethodDef("values_at", at_least(0), |interp, this, args| {
        let mut values = Vec::with_capacity(args.len());
        for key in args.values {
            values.push(lookup(interp, this, key)?);
        }
        Ok(Value::array(values))
    }),
    MethodDef("fetch_values", at_least(0), |interp, this, args| {
        let mut values = Vec::with_capacity(args.len());
        for key in args.values {
            values.push(fetch(interp, this, Args { values: std::slice::from_ref(key), ..args })?);
        }
        Ok(Value::array(values))
    }),
    MethodDef("key?", exactly(1), has_key),
    MethodDef("has_key?", exactly(1), has_key),
    MethodDef("include?", exactly(1), has_key),
    MethodDef("member?", exactly(1), has_key),
    MethodDef("value?", exactly(1), has_value),
    MethodDef("has_value?", exactly(1), has_value),
    MethodDef("default", between(0, 1), |interp, this, args| {
        let default = own(interp, this)?.default.borrow().clone();
        match (default, args.get(0)) {
            (HashDefault::Value(value), _) => Ok(value),
            (HashDefault::Block(block), Some(key)) => {
                interp.yield_values(&block, &[this.clone(), key.clone()])
            }
            _ => Ok(Value::Nil),
        }
    }),
    MethodDef("default=", exactly(1), |interp, this, args| {
        interp.check_frozen(this)?;
        *own(interp, this)?.default.borrow_mut() = HashDefault::Value(args.at(0).clone());
        Ok(args.at(0).clone())
    }),
    MethodDef("default_proc", exactly(0), |interp, this, _| match &*own(interp, this)?.default.borrow() {
        HashDefault::Block(block) => Ok(Value::Proc(block.clone())),
        _ => Ok(Value::Nil),
    }),
    MethodDef("default_proc=", exactly(1), |interp, this, args| {
        interp.check_frozen(this)?;
        let block: Option<std::rc::Rc<RProc>> = interp.to_block(args.at(0))?;
        *own(interp, this)?.default.borrow_mut() = block.map_or(HashDefault::None, HashDefault::Block);
        Ok(args.at(0).clone())
    }),
    MethodDef("assoc", exactly(1), |interp, this, args| {
        let found = own(interp, this)?.get(args.at(0));
        Ok(found.map_or(Value::Nil, |value| Value::array(vec![args.at(0).clone(), value])))
    }),
    MethodDef("rassoc", exactly(1), |interp, this, args| {
        let key = interp.call(this, "key", args.values)?;
        Ok(if key.is_nil() { Value::Nil } else { Value::array(vec![key, args.at(0).clone()]) })
    }),
    MethodDef("first", between(0, 1), |interp, this, args| {
        let all = Value::array(super::super::enumerable::items(interp, this)?);
        interp.call_with(&all, sym!("first"), args)
    }),
    MethodDef("count", between(0, 1), |interp, this, args| {
        let hash = own(interp, this)?;
        if args.is_empty() && args.block.is_none() {
            return Ok(Value::from(hash.len()));
        }
        let mut count = 0usize;
        super::super::enumerable::walk(interp, this, &mut |interp, item| {
            count += usize::from(match (args.get(0), args.block) {
                (Some(wanted), _) => interp.equal(&item.value(), wanted)?,
                (None, Some(block)) => item.call(interp, block)?.truthy(),
                (None, None) => true,
            });
            Ok(true)
        })?;
        Ok(Value::from(count))
    }),
];

fn has_key(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    Ok(Value::Bool(own(interp, this)?.borrow().contains_key(args.at(0))))
}

fn has_value(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let values: Vec<Value> = own(interp, this)?.borrow().values().cloned().collect();
    for value in values {
        if interp.equal(&value, args.at(0))? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn fetch(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    if let Some(value) = own(interp, this)?.get(args.at(0)) {
        return Ok(value);
    }
    match (args.block, args.get(1)) {
        (Some(block), _) => interp.yield_one(block, args.at(0).clone()),
        (None, Some(otherwise)) => Ok(otherwise.clone()),
        (None, None) => Err(key_not_found(interp, this, args.at(0))?),
    }
}

/// `key not found: :name`
pub(super) fn key_not_found(interp: &mut Interp, this: &Value, key: &Value) -> Outcome<Control> {
    let shown = interp.inspect(key)?;
    let error = interp.error("KeyError", format!("key not found: {shown}"));
    if let Some(exception) = error.exception() {
        interp.set_ivar(exception, sym!("key"), key.clone())?;
        interp.set_ivar(exception, sym!("receiver"), this.clone())?;
    }
    Ok(error)
}
