//! `Module` and `Class`.

use std::rc::Rc;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Body, BoundMethod, Method, RClass, Value, Visibility};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        methods: &[NAMES, METHODS, VISIBILITY, CONSTANTS, INCLUSION, HOOKS],
        ..ClassDef::class("Module")
    },
    ClassDef { methods: &[CLASS], singleton_methods: &[NEW_CLASS], ..ClassDef::class("Class") },
    ClassDef { singleton_methods: &[NEW_MODULE], ..ClassDef::class("Module") },
];

const NAMES: &[MethodDef] = &[
    MethodDef("name", exactly(0), |_, this, _| {
        Ok(this.as_class().and_then(|class| class.name()).map_or(Value::Nil, |name| Value::str(&*name)))
    }),
    MethodDef("to_s", exactly(0), to_s),
    MethodDef("inspect", exactly(0), to_s),
    MethodDef("===", exactly(1), |interp, this, args| {
        let class = interp.to_class(this)?;
        Ok(Value::Bool(interp.is_a(args.at(0), &class)))
    }),
    MethodDef("==", exactly(1), |_, this, args| Ok(Value::Bool(this.is_same(args.at(0))))),
    MethodDef("<", exactly(1), |interp, this, args| relation(interp, this, args.at(0), false)),
    MethodDef("<=", exactly(1), |interp, this, args| relation(interp, this, args.at(0), true)),
    MethodDef(">", exactly(1), |interp, this, args| relation(interp, args.at(0), this, false)),
    MethodDef(">=", exactly(1), |interp, this, args| relation(interp, args.at(0), this, true)),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        let (Value::Class(a), Value::Class(b)) = (this, args.at(0)) else { return Ok(Value::Nil) };
        _ = interp;
        Ok(match (a.is_a(b), b.is_a(a)) {
            (true, true) => Value::Int(0),
            (true, false) => Value::Int(-1),
            (false, true) => Value::Int(1),
            (false, false) => Value::Nil,
        })
    }),
    MethodDef("ancestors", exactly(0), |interp, this, _| {
        let class = interp.to_class(this)?;
        Ok(Value::array(class.ancestors().into_iter().map(Value::Class).collect()))
    }),
    MethodDef("hash", exactly(0), |_, this, _| Ok(Value::Int(this.identity()))),
];

const METHODS: &[MethodDef] = &[
    MethodDef("define_method", between(1, 2), define_method),
    MethodDef("alias_method", exactly(2), |interp, this, args| {
        let class = interp.to_class(this)?;
        let (new, old) = (interp.to_name(args.at(0))?, interp.to_name(args.at(1))?);
        interp.alias_method(&class, new, old)?;
        Ok(Value::Sym(new))
    }),
    MethodDef("remove_method", at_least(0), |interp, this, args| {
        let class = interp.to_class(this)?;
        for name in args.values {
            let name = interp.to_name(name)?;
            if !interp.remove_method(&class, name) {
                let class = interp.class_name(&class);
                return Err(interp.error("NameError", format!("method '{name}' not defined in {class}")));
            }
        }
        Ok(this.clone())
    }),
    MethodDef("undef_method", at_least(0), |interp, this, args| {
        let class = interp.to_class(this)?;
        for name in args.values {
            let name = interp.to_name(name)?;
            interp.add_method(&class, name, Body::Undefined, Visibility::Public);
        }
        Ok(this.clone())
    }),
    MethodDef("attr_accessor", at_least(0), |interp, this, args| attributes(interp, this, args, true, true)),
    MethodDef("attr_reader", at_least(0), |interp, this, args| attributes(interp, this, args, true, false)),
    MethodDef("attr", at_least(0), |interp, this, args| attributes(interp, this, args, true, false)),
    MethodDef("attr_writer", at_least(0), |interp, this, args| attributes(interp, this, args, false, true)),
    MethodDef("instance_methods", between(0, 1), instance_methods),
    MethodDef("public_instance_methods", between(0, 1), instance_methods),
    MethodDef("method_defined?", between(1, 2), method_defined),
    MethodDef("public_method_defined?", between(1, 2), method_defined),
    MethodDef("private_method_defined?", between(1, 2), |interp, this, args| {
        let class = interp.to_class(this)?;
        let name = interp.to_name(args.at(0))?;
        let found = interp.find_instance_method(&class, name);
        Ok(Value::Bool(found.is_some_and(|method| method.visibility == Visibility::Private)))
    }),
    MethodDef("instance_method", exactly(1), |interp, this, args| {
        let class = interp.to_class(this)?;
        let name = interp.to_name(args.at(0))?;
        let Some(method) = interp.find_instance_method(&class, name) else {
            let class = interp.class_name(&class);
            let message = format!("undefined method '{name}' for class '{class}'");
            return Err(interp.error("NameError", message));
        };
        let data = BoundMethod { receiver: None, name, method };
        Ok(Value::native(&interp.classes.unbound_method.clone(), data))
    }),
    MethodDef("class_eval", exactly(0), class_exec),
    MethodDef("module_eval", exactly(0), class_exec),
    MethodDef("class_exec", at_least(0), class_exec),
    MethodDef("module_exec", at_least(0), class_exec),
];

const VISIBILITY: &[MethodDef] = &[
    MethodDef("public", at_least(0), |interp, this, args| {
        set_visibility(interp, this, args, Visibility::Public)
    }),
    MethodDef("private", at_least(0), |interp, this, args| {
        set_visibility(interp, this, args, Visibility::Private)
    }),
    MethodDef("protected", at_least(0), |interp, this, args| {
        set_visibility(interp, this, args, Visibility::Protected)
    }),
    MethodDef("module_function", at_least(0), module_function),
    MethodDef("private_class_method", at_least(0), |interp, this, args| {
        let meta = Value::Class(interp.singleton_class(this));
        set_visibility(interp, &meta, args, Visibility::Private)
    }),
    MethodDef("public_class_method", at_least(0), |interp, this, args| {
        let meta = Value::Class(interp.singleton_class(this));
        set_visibility(interp, &meta, args, Visibility::Public)
    }),
    MethodDef("private_constant", at_least(0), |_, _, _| Ok(Value::Nil)),
    MethodDef("public_constant", at_least(0), |_, _, _| Ok(Value::Nil)),
];

const CONSTANTS: &[MethodDef] = &[
    MethodDef("const_get", between(1, 2), |interp, this, args| {
        let path = interp.to_name(args.at(0))?;
        let mut scope = this.clone();
        for name in path.as_str().split("::") {
            let object = Value::Class(interp.classes.object.clone());
            scope = match interp.constant_in(&scope, Sym::new(name)) {
                Ok(value) => value,
                Err(control) => interp.constant_in(&object, Sym::new(name)).map_err(|_| control)?,
            };
        }
        Ok(scope)
    }),
    MethodDef("const_set", exactly(2), |interp, this, args| {
        let class = interp.to_class(this)?;
        let name = interp.to_name(args.at(0))?;
        interp.define_constant(&class, name.as_str(), args.at(1).clone());
        Ok(args.at(1).clone())
    }),
    MethodDef("const_defined?", between(1, 2), |interp, this, args| {
        let class = interp.to_class(this)?;
        let name = interp.to_name(args.at(0))?;
        let own = class.ancestors().iter().any(|class| class.constant(name).is_some());
        Ok(Value::Bool(own || interp.class_named(name.as_str()).is_some()))
    }),
    MethodDef("constants", between(0, 1), |interp, this, _| {
        let class = interp.to_class(this)?;
        Ok(Value::array(class.constants().into_iter().map(|(name, _)| Value::Sym(name)).collect()))
    }),
    MethodDef("remove_const", exactly(1), |interp, this, args| {
        let class = interp.to_class(this)?;
        let name = interp.to_name(args.at(0))?;
        Ok(interp.remove_constant(&class, name).unwrap_or_default())
    }),
    MethodDef("class_variable_get", exactly(1), |interp, this, args| {
        let class = interp.to_class(this)?;
        let name = interp.to_name(args.at(0))?;
        let variables = class.class_variables.borrow();
        Ok(variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default())
    }),
    MethodDef("class_variable_set", exactly(2), |interp, this, args| {
        let class = interp.to_class(this)?;
        let name = interp.to_name(args.at(0))?;
        let mut variables = class.class_variables.borrow_mut();
        variables.retain(|(known, _)| *known != name);
        variables.push((name, args.at(1).clone()));
        Ok(args.at(1).clone())
    }),
    MethodDef("class_variables", between(0, 1), |interp, this, _| {
        let class = interp.to_class(this)?;
        let names = class.class_variables.borrow().iter().map(|(name, _)| Value::Sym(*name)).collect();
        Ok(Value::array(names))
    }),
    MethodDef("class_variable_defined?", exactly(1), |interp, this, args| {
        let class = interp.to_class(this)?;
        let name = interp.to_name(args.at(0))?;
        let known = class.class_variables.borrow().iter().any(|(known, _)| *known == name);
        Ok(Value::Bool(known))
    }),
];

const INCLUSION: &[MethodDef] = &[
    MethodDef("include", at_least(1), |interp, this, args| include(interp, this, args, false)),
    MethodDef("prepend", at_least(1), |interp, this, args| include(interp, this, args, true)),
    MethodDef("include?", exactly(1), |interp, this, args| {
        let (class, module) = (interp.to_class(this)?, interp.to_class(args.at(0))?);
        Ok(Value::Bool(!Rc::ptr_eq(&class, &module) && class.is_a(&module)))
    }),
    MethodDef("included_modules", exactly(0), |interp, this, _| {
        let class = interp.to_class(this)?;
        let modules = class.ancestors().into_iter().filter(|class| class.is_module).map(Value::Class);
        Ok(Value::array(modules.collect()))
    }),
];

const HOOKS: &[MethodDef] = &[
    MethodDef("included", exactly(1), |_, _, _| Ok(Value::Nil)),
    MethodDef("extended", exactly(1), |_, _, _| Ok(Value::Nil)),
    MethodDef("prepended", exactly(1), |_, _, _| Ok(Value::Nil)),
    MethodDef("method_added", exactly(1), |_, _, _| Ok(Value::Nil)),
];

const CLASS: &[MethodDef] = &[
    MethodDef("new", at_least(0), new_instance),
    MethodDef("allocate", exactly(0), |interp, this, _| {
        let class = interp.to_class(this)?;
        interp.allocate(&class)
    }),
    MethodDef("superclass", exactly(0), |_, this, _| {
        let mut superclass = this.as_class().and_then(|class| class.superclass());
        while superclass.as_ref().is_some_and(|class| class.is_singleton()) {
            superclass = superclass.and_then(|class| class.superclass());
        }
        Ok(superclass.map_or(Value::Nil, Value::Class))
    }),
    MethodDef("inherited", exactly(1), |_, _, _| Ok(Value::Nil)),
];

const NEW_CLASS: &[MethodDef] = &[MethodDef("new", between(0, 1), |interp, _, args| {
    let superclass = match args.get(0) {
        Some(superclass) => Some(interp.to_class(superclass)?),
        None => None,
    };
    let class = interp.make_class(None, superclass.clone(), false);
    let superclass = superclass.unwrap_or_else(|| interp.classes.object.clone());
    interp.inherited(&superclass, &class)?;
    let value = Value::Class(class);
    if args.block.is_some() {
        class_exec(interp, &value, Args { block: args.block, ..Args::default() })?;
    }
    Ok(value)
})];

const NEW_MODULE: &[MethodDef] = &[MethodDef("new", exactly(0), |interp, _, args| {
    let value = Value::Class(interp.make_class(None, None, true));
    if args.block.is_some() {
        class_exec(interp, &value, Args { block: args.block, ..Args::default() })?;
    }
    Ok(value)
})];

fn to_s(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let class = interp.to_class(this)?;
    Ok(Value::str(interp.class_name(&class)))
}

/// Whether one class is below another; `nil` where they have nothing to do with each other.
fn relation(interp: &mut Interp, below: &Value, above: &Value, or_same: bool) -> Outcome {
    let (below, above) = (interp.to_class(below)?, interp.to_class(above)?);
    if Rc::ptr_eq(&below, &above) {
        return Ok(Value::Bool(or_same));
    }
    Ok(match (below.is_a(&above), above.is_a(&below)) {
        (true, _) => Value::Bool(true),
        (_, true) => Value::Bool(false),
        _ => Value::Nil,
    })
}

/// `new` of classes that have none of their own.
fn new_instance(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.to_class(this)?;
    let instance = interp.allocate(&class)?;
    let Some(initialize) = interp.find_instance_method(&class, sym!("initialize")) else {
        return Ok(instance);
    };
    // Object's own takes anything, for `super` passes it whatever a subclass was given.
    if !args.is_empty() && Rc::ptr_eq(&initialize.owner, &interp.classes.object) {
        return Err(interp.wrong_count(args.len(), "0"));
    }
    interp.invoke(&initialize, &instance, args)?;
    Ok(instance)
}

fn define_method(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.to_class(this)?;
    let name = interp.to_name(args.at(0))?;
    let body = match args.get(1) {
        Some(callable) => match callable.as_native::<BoundMethod>() {
            Some(bound) => Some(bound.method.body.clone()),
            None => interp.to_block(callable)?.map(Body::Proc),
        },
        None => args.block.map(|block| Body::Proc(block.clone())),
    };
    let Some(body) = body else {
        return Err(interp.argument_error("tried to create Proc object without a block"));
    };
    interp.add_method(&class, name, body, Visibility::Public);
    Ok(Value::Sym(name))
}

fn attributes(interp: &mut Interp, this: &Value, args: Args<'_>, read: bool, write: bool) -> Outcome {
    let class = interp.to_class(this)?;
    let mut defined = Vec::new();
    for name in args.values {
        let name = interp.to_name(name)?;
        let variable = Sym::new(&format!("@{name}"));
        if read {
            interp.add_method(&class, name, Body::Reader(variable), Visibility::Public);
            defined.push(Value::Sym(name));
        }
        if write {
            interp.add_method(&class, name.setter(), Body::Writer(variable), Visibility::Public);
            defined.push(Value::Sym(name.setter()));
        }
    }
    Ok(Value::array(defined))
}

fn instance_methods(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.to_class(this)?;
    let classes = if args.get(0).is_none_or(Value::truthy) { class.ancestors() } else { vec![class] };
    let mut names: Vec<Sym> = Vec::new();
    for class in classes {
        for method in class.own_methods() {
            if method.visibility != Visibility::Private && !names.contains(&method.name) {
                names.push(method.name);
            }
        }
    }
    Ok(Value::array(names.into_iter().map(Value::Sym).collect()))
}

fn method_defined(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.to_class(this)?;
    let name = interp.to_name(args.at(0))?;
    let found = interp.find_instance_method(&class, name);
    Ok(Value::Bool(found.is_some_and(|method| method.visibility != Visibility::Private)))
}

fn class_exec(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let block = args.block(interp)?;
    let class: Rc<RClass> = interp.to_class(this)?;
    let own = std::slice::from_ref(this);
    let values = if args.is_empty() { own } else { args.values };
    interp.call_block_as(block, this, &class, Args { values, block: None, ..args })
}

/// `private :a, :b`. Without names the evaluator switches the visibility of what follows.
fn set_visibility(interp: &mut Interp, this: &Value, args: Args<'_>, visibility: Visibility) -> Outcome {
    let class = interp.to_class(this)?;
    for name in names(interp, args)? {
        let Some(method) = interp.find_instance_method(&class, name) else {
            let shown = interp.class_name(&class);
            let message = format!("undefined method '{name}' for class '{shown}'");
            return Err(interp.error("NameError", message));
        };
        interp.add_method(&class, name, method.body.clone(), visibility);
    }
    Ok(match args.values {
        [] => Value::Nil,
        [one] => one.clone(),
        several => Value::array(several.to_vec()),
    })
}

/// Names given one by one or as an array.
fn names(interp: &mut Interp, args: Args<'_>) -> Outcome<Vec<Sym>> {
    let mut names = Vec::new();
    for value in args.values {
        match value {
            Value::Array(array) => {
                for name in array.to_vec() {
                    names.push(interp.to_name(&name)?);
                }
            }
            other => names.push(interp.to_name(other)?),
        }
    }
    Ok(names)
}

fn module_function(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.to_class(this)?;
    for name in names(interp, args)? {
        let method: Option<Rc<Method>> = interp.find_instance_method(&class, name);
        if let Some(method) = method {
            let meta = interp.singleton_class(this);
            interp.add_method(&meta, name, method.body.clone(), Visibility::Public);
        }
    }
    Ok(Value::Nil)
}

fn include(interp: &mut Interp, this: &Value, args: Args<'_>, prepend: bool) -> Outcome {
    let class = interp.to_class(this)?;
    for module in args.values.iter().rev() {
        let module = interp.to_class(module)?;
        if !module.is_module {
            let name = interp.class_name(&interp.classes.class.clone());
            return Err(interp.type_error(format!("wrong argument type {name} (expected Module)")));
        }
        interp.include_module(&class, &module, prepend);
        let hook = if prepend { "prepended" } else { "included" };
        interp.call(&Value::Class(module), hook, std::slice::from_ref(this))?;
    }
    Ok(this.clone())
}
