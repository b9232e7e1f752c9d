//! `Object`: what every value answers to.

use std::rc::Rc;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Body, BoundMethod, RArray, RHash, RObject, RString, Value, Visibility, key_hash};

pub(super) static CLASSES: &[ClassDef] = &[ClassDef {
    includes: &["Kernel"],
    methods: &[IDENTITY, TEXT, INITIALIZE, COPYING, SENDING, REFLECTION],
    ..ClassDef::class("Object")
}];

const IDENTITY: &[MethodDef] = &[
    MethodDef("==", exactly(1), |_, this, args| Ok(Value::Bool(this.is_same(args.at(0))))),
    MethodDef("equal?", exactly(1), |_, this, args| Ok(Value::Bool(this.is_same(args.at(0))))),
    MethodDef("eql?", exactly(1), |_, this, args| {
        Ok(Value::Bool(crate::ruby::value::keys_equal(this, args.at(0))))
    }),
    MethodDef("!=", exactly(1), |interp, this, args| Ok(Value::Bool(!interp.equal(this, args.at(0))?))),
    MethodDef("!", exactly(0), |_, this, _| Ok(Value::Bool(!this.truthy()))),
    MethodDef("===", exactly(1), |interp, this, args| {
        Ok(Value::Bool(this.is_same(args.at(0)) || interp.equal(this, args.at(0))?))
    }),
    MethodDef("=~", exactly(1), |_, _, _| Ok(Value::Nil)),
    MethodDef("!~", exactly(1), |interp, this, args| {
        Ok(Value::Bool(!interp.call(this, "=~", args.values)?.truthy()))
    }),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        let equal = this.is_same(args.at(0)) || interp.equal(this, args.at(0))?;
        Ok(if equal { Value::Int(0) } else { Value::Nil })
    }),
    MethodDef("hash", exactly(0), |_, this, _| Ok(Value::Int((key_hash(this) >> 1) as i64))),
    MethodDef("object_id", exactly(0), |_, this, _| Ok(Value::Int(this.identity()))),
    MethodDef("__id__", exactly(0), |_, this, _| Ok(Value::Int(this.identity()))),
    MethodDef("nil?", exactly(0), |_, _, _| Ok(Value::Bool(false))),
    MethodDef("itself", exactly(0), |_, this, _| Ok(this.clone())),
];

const TEXT: &[MethodDef] = &[
    MethodDef("to_s", exactly(0), |interp, this, _| {
        if this.is_same(&interp.main) {
            return Ok(Value::str("main"));
        }
        Ok(Value::str(interp.plain_to_s(this)))
    }),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        if this.is_same(&interp.main) {
            return Ok(Value::str("main"));
        }
        Ok(Value::str(interp.inspect_object(this)?))
    }),
];

const INITIALIZE: &[MethodDef] = &[MethodDef("initialize", at_least(0), |_, _, _| Ok(Value::Nil))];

const COPYING: &[MethodDef] = &[
    MethodDef("dup", exactly(0), |interp, this, _| copy(interp, this, false)),
    MethodDef("clone", between(0, 1), |interp, this, args| {
        let asked = args.keyword("freeze").filter(|freeze| !freeze.is_nil()).map(|freeze| freeze.truthy());
        let copy = copy(interp, this, asked.unwrap_or(true))?;
        if asked == Some(true) {
            freeze(&copy);
        }
        Ok(copy)
    }),
    MethodDef("initialize_copy", exactly(1), |_, this, _| Ok(this.clone())),
    MethodDef("freeze", exactly(0), |_, this, _| {
        freeze(this);
        Ok(this.clone())
    }),
    MethodDef("frozen?", exactly(0), |interp, this, _| Ok(Value::Bool(interp.is_frozen(this)))),
    MethodDef("tap", exactly(0), |interp, this, args| {
        let block = args.block(interp)?;
        interp.yield_one(block, this.clone())?;
        Ok(this.clone())
    }),
    MethodDef("then", exactly(0), then),
    MethodDef("yield_self", exactly(0), then),
];

const SENDING: &[MethodDef] = &[
    MethodDef("send", at_least(1), send),
    MethodDef("__send__", at_least(1), send),
    MethodDef("public_send", at_least(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        interp.call_public(this, name, Args { values: args.from(1), ..args })
    }),
    MethodDef("respond_to?", between(1, 2), respond_to),
    MethodDef("respond_to_missing?", exactly(2), |_, _, _| Ok(Value::Bool(false))),
    MethodDef("method_missing", at_least(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        Err(interp.no_method(this, name, false))
    }),
    MethodDef("method", exactly(1), method),
    MethodDef("public_method", exactly(1), method),
    MethodDef("instance_eval", exactly(0), instance_exec),
    MethodDef("instance_exec", at_least(0), instance_exec),
];

const REFLECTION: &[MethodDef] = &[
    MethodDef("class", exactly(0), |interp, this, _| Ok(Value::Class(interp.real_class(this)))),
    MethodDef("singleton_class", exactly(0), |interp, this, _| {
        Ok(Value::Class(interp.singleton_class(this)))
    }),
    MethodDef("is_a?", exactly(1), is_a),
    MethodDef("kind_of?", exactly(1), is_a),
    MethodDef("instance_of?", exactly(1), |interp, this, args| {
        let class = interp.to_class(args.at(0))?;
        Ok(Value::Bool(Rc::ptr_eq(&interp.real_class(this), &class)))
    }),
    MethodDef("methods", between(0, 1), methods),
    MethodDef("public_methods", between(0, 1), methods),
    MethodDef("singleton_methods", between(0, 1), |interp, this, _| {
        let class = interp.class_of(this);
        let names = if class.is_singleton() { class.own_methods() } else { Vec::new() };
        Ok(Value::array(names.iter().map(|method| Value::Sym(method.name)).collect()))
    }),
    MethodDef("instance_variables", exactly(0), |_, this, _| {
        let ivars = match this {
            Value::Object(object) => object.ivars(),
            Value::Class(class) => class.ivars(),
            _ => Vec::new(),
        };
        let named = ivars.into_iter().filter(|(name, _)| name.as_str().starts_with('@'));
        Ok(Value::array(named.map(|(name, _)| Value::Sym(name)).collect()))
    }),
    MethodDef("instance_variable_get", exactly(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        Ok(interp.get_ivar(this, name))
    }),
    MethodDef("instance_variable_set", exactly(2), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        interp.set_ivar(this, name, args.at(1).clone())?;
        Ok(args.at(1).clone())
    }),
    MethodDef("instance_variable_defined?", exactly(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        let known = match this {
            Value::Object(object) => object.ivar(name).is_some(),
            Value::Class(class) => class.ivar(name).is_some(),
            _ => false,
        };
        Ok(Value::Bool(known))
    }),
    MethodDef("remove_instance_variable", exactly(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        interp.check_frozen(this)?;
        match this {
            Value::Object(object) => Ok(object.remove_ivar(name).unwrap_or_default()),
            _ => Ok(Value::Nil),
        }
    }),
    MethodDef("define_singleton_method", between(1, 2), define_singleton_method),
    MethodDef("singleton_method", exactly(1), method),
    MethodDef("extend", at_least(1), |interp, this, args| {
        for module in args.values {
            let module = interp.to_class(module)?;
            let class = interp.singleton_class(this);
            interp.include_module(&class, &module, false);
            interp.call(&Value::Class(module), "extended", std::slice::from_ref(this))?;
        }
        Ok(this.clone())
    }),
];

fn is_a(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.to_class(args.at(0))?;
    Ok(Value::Bool(interp.is_a(this, &class)))
}

fn then(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = args.block(interp)?;
    interp.yield_one(block, this.clone())
}

fn send(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let name = interp.to_name(args.at(0))?;
    interp.call_with(this, name, Args { values: args.from(1), ..args })
}

fn respond_to(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let name = interp.to_name(args.at(0))?;
    let all = args.at(1).truthy();
    let found = interp.find_method(this, name);
    if found.is_some_and(|method| all || method.visibility == Visibility::Public) {
        return Ok(Value::Bool(true));
    }
    let known = interp.call(this, "respond_to_missing?", &[Value::Sym(name), Value::Bool(all)])?;
    Ok(Value::Bool(known.truthy()))
}

fn method(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let name = interp.to_name(args.at(0))?;
    let Some(method) = interp.find_method(this, name) else {
        let receiver = crate::ruby::interpreter::describe_receiver(interp, this);
        return Err(interp.error("NameError", format!("undefined method '{name}' for {receiver}")));
    };
    let data = BoundMethod { receiver: Some(this.clone()), name, method };
    Ok(Value::native(&interp.classes.method.clone(), data))
}

fn methods(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let mut names: Vec<Sym> = Vec::new();
    for class in interp.class_of(this).ancestors() {
        for method in class.own_methods() {
            if method.visibility != Visibility::Private && !names.contains(&method.name) {
                names.push(method.name);
            }
        }
    }
    Ok(Value::array(names.into_iter().map(Value::Sym).collect()))
}

fn instance_exec(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = args.block(interp)?;
    let target = match this {
        Value::Int(_) | Value::Float(_) | Value::Sym(_) | Value::Nil | Value::Bool(_) | Value::Big(_) => {
            interp.class_of(this)
        }
        _ => interp.singleton_class(this),
    };
    let own = std::slice::from_ref(this);
    let values = if args.is_empty() { own } else { args.values };
    interp.call_block_as(block, this, &target, Args { values, block: None, ..args })
}

fn define_singleton_method(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let name = interp.to_name(args.at(0))?;
    let body = match args.get(1) {
        Some(callable) => interp.to_block(callable)?,
        None => args.block.cloned(),
    };
    let Some(body) = body else {
        return Err(interp.argument_error("tried to create Proc object without a block"));
    };
    let class = interp.singleton_class(this);
    interp.add_method(&class, name, Body::Proc(body), Visibility::Public);
    Ok(Value::Sym(name))
}

fn freeze(value: &Value) {
    match value {
        Value::Str(string) => string.freeze(),
        Value::Array(array) => array.freeze(),
        Value::Hash(hash) => hash.freeze(),
        Value::Object(object) => object.freeze(),
        Value::Class(class) => class.frozen.set(true),
        _ => {}
    }
}

/// `dup` and `clone`; `keep` also copies being frozen.
pub(super) fn copy(interp: &mut Interp, this: &Value, keep: bool) -> Outcome {
    let copy = match this {
        Value::Str(string) => {
            let copy = RString::new(string.borrow().clone());
            if let Some(class) = string.extra.class() {
                copy.extra.set_class(class);
            }
            Value::Str(Rc::new(copy))
        }
        Value::Array(array) => {
            let copy = RArray::new(array.to_vec());
            if let Some(class) = array.extra.class() {
                copy.extra.set_class(class);
            }
            Value::Array(Rc::new(copy))
        }
        Value::Hash(hash) => {
            let copy = RHash::new(hash.borrow().clone());
            *copy.default.borrow_mut() = hash.default.borrow().clone();
            if let Some(class) = hash.extra.class() {
                copy.extra.set_class(class);
            }
            Value::Hash(Rc::new(copy))
        }
        Value::Object(object) => {
            let copy: RObject = object.duplicate();
            if keep {
                copy.set_class(object.class());
            }
            let copy = Value::Object(Rc::new(copy));
            if !interp.is_builtin(&copy, sym!("initialize_copy")) {
                interp.call(&copy, "initialize_copy", std::slice::from_ref(this))?;
            }
            copy
        }
        other => other.clone(),
    };
    if keep && interp.is_frozen(this) {
        freeze(&copy);
    }
    Ok(copy)
}
