//! `Data`: values with named members that do not change.

use std::rc::Rc;

use super::structure::{members, values};
use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Body, HashMap, RObject, Value, Visibility, key_hash, keys_equal};

pub(super) static CLASSES: &[ClassDef] =
    &[ClassDef { methods: &[METHODS], singleton_methods: &[SINGLETON], ..ClassDef::class("Data") }];

const SINGLETON: &[MethodDef] = &[
    MethodDef("define", at_least(0), define),
    MethodDef("new", at_least(0), new),
    MethodDef("[]", at_least(0), new),
    MethodDef("members", exactly(0), |interp, this, _| {
        let class = interp.to_class(this)?;
        Ok(Value::array(members(&class).into_iter().map(Value::Sym).collect()))
    }),
];

const METHODS: &[MethodDef] = &[
    MethodDef("initialize", at_least(0), initialize),
    MethodDef("members", exactly(0), |interp, this, _| {
        let class = interp.real_class(this);
        Ok(Value::array(members(&class).into_iter().map(Value::Sym).collect()))
    }),
    MethodDef("to_h", exactly(0), |interp, this, _| Ok(Value::hash(fields(interp, this)))),
    MethodDef("deconstruct_keys", exactly(1), |interp, this, _| Ok(Value::hash(fields(interp, this)))),
    MethodDef("with", at_least(0), with),
    MethodDef("==", exactly(1), |interp, this, args| {
        let other = args.at(0);
        if !Rc::ptr_eq(&interp.real_class(this), &interp.real_class(other)) {
            return Ok(Value::Bool(false));
        }
        interp.guard()?;
        let (mine, others) = (values(interp, this), values(interp, other));
        Ok(Value::Bool(interp.equal(&Value::array(mine), &Value::array(others))?))
    }),
    MethodDef("eql?", exactly(1), |_, this, args| Ok(Value::Bool(keys_equal(this, args.at(0))))),
    MethodDef("hash", exactly(0), |_, this, _| Ok(Value::Int((key_hash(this) >> 1) as i64))),
    MethodDef("inspect", exactly(0), inspect),
    MethodDef("to_s", exactly(0), inspect),
];

fn define(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.to_class(this)?;
    let made = interp.make_class(None, Some(class), false);
    let mut names = Vec::with_capacity(args.len());
    for name in args.values {
        let name = interp.to_name(name)?;
        interp.add_method(&made, name, Body::Reader(name), Visibility::Public);
        names.push(Value::Sym(name));
    }
    made.set_ivar(sym!("__members__"), Value::array(names));
    let value = Value::Class(made.clone());
    if let Some(block) = args.block {
        interp.call_block_as(block, &value, &made, Args::of(std::slice::from_ref(&value)))?;
    }
    Ok(value)
}

/// Positional arguments become keywords, which `initialize` gets.
fn new(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.to_class(this)?;
    let names = members(&class);
    let (positional, given) = args.split_keywords();
    if positional.len() > names.len() {
        let expected = if names.is_empty() { "0".to_owned() } else { format!("0..{}", names.len()) };
        return Err(interp.wrong_count(positional.len(), &expected));
    }
    let mut map = given.map(|given| given.borrow().clone()).unwrap_or_default();
    for (name, value) in names.iter().zip(positional.values) {
        map.insert(Value::Sym(*name), value.clone());
    }
    made(interp, this, map)
}

fn made(interp: &mut Interp, class: &Value, fields: HashMap) -> Outcome {
    let class = interp.to_class(class)?;
    let object = Rc::new(RObject::new(&class));
    let instance = Value::Object(object.clone());
    let values = [Value::hash(fields)];
    let args = Args { has_keywords: true, ..Args::of(&values) };
    interp.call_with(&instance, sym!("initialize"), args)?;
    object.freeze();
    Ok(instance)
}

fn initialize(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.real_class(this);
    let names = members(&class);
    let given = args.split_keywords().1;
    let given = given.map(|given| given.borrow().clone()).unwrap_or_default();
    let is_member = |key: &Value| matches!(key, Value::Sym(name) if names.contains(name));
    if let Some(unknown) = given.keys().find(|key| !is_member(key)) {
        let shown = interp.inspect(unknown)?;
        return Err(interp.argument_error(format!("unknown keyword: {shown}")));
    }
    let missing: Vec<String> = names
        .iter()
        .filter(|name| !given.contains_key(&Value::Sym(**name)))
        .map(|name| format!(":{name}"))
        .collect();
    if !missing.is_empty() {
        let plural = if missing.len() > 1 { "s" } else { "" };
        return Err(interp.argument_error(format!("missing keyword{plural}: {}", missing.join(", "))));
    }
    for (name, value) in given.iter() {
        if let Value::Sym(name) = name {
            interp.set_ivar(this, *name, value.clone())?;
        }
    }
    Ok(Value::Nil)
}

fn fields(interp: &mut Interp, this: &Value) -> HashMap {
    let class = interp.real_class(this);
    let names = members(&class);
    let pair = |name: Sym| (Value::Sym(name), interp.get_ivar(this, name));
    names.into_iter().map(pair).collect()
}

fn with(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let (positional, changed) = args.split_keywords();
    if !positional.is_empty() {
        return Err(interp.wrong_count(positional.len(), "0"));
    }
    let mut map = fields(interp, this);
    if let Some(changed) = changed {
        for (key, value) in changed.borrow().iter() {
            map.insert(key.clone(), value.clone());
        }
    }
    let class = Value::Class(interp.real_class(this));
    made(interp, &class, map)
}

fn inspect(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    interp.guard()?;
    let class = interp.real_class(this);
    let name = class.name().map(|name| format!(" {name}")).unwrap_or_default();
    let mut shown = Vec::new();
    for (key, value) in fields(interp, this).iter() {
        shown.push(format!("{}={}", interp.to_s(key)?, interp.inspect(value)?));
    }
    let shown = if shown.is_empty() { String::new() } else { format!(" {}", shown.join(", ")) };
    Ok(Value::str(format!("#<data{name}{shown}>")))
}
