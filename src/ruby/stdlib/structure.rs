//! `Struct` and `OpenStruct`.

use std::rc::Rc;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Body, HashMap, RClass, RObject, Value, Visibility};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        includes: &["Enumerable"],
        methods: &[METHODS],
        singleton_methods: &[NEW],
        ..ClassDef::class("Struct")
    },
    ClassDef { methods: &[OPEN], ..ClassDef::class("OpenStruct") },
];

/// `Struct.new(:a, :b)` makes a class; `new` of that class makes an instance.
const NEW: &[MethodDef] = &[
    MethodDef("new", at_least(0), new),
    MethodDef("[]", at_least(0), new),
    MethodDef("members", exactly(0), |interp, this, _| {
        let class = interp.to_class(this)?;
        let members = members(&class);
        Ok(Value::array(members.into_iter().map(Value::Sym).collect()))
    }),
];

const METHODS: &[MethodDef] = &[
    MethodDef("initialize", at_least(0), initialize),
    MethodDef("members", exactly(0), |interp, this, _| {
        let class = interp.real_class(this);
        Ok(Value::array(members(&class).into_iter().map(Value::Sym).collect()))
    }),
    MethodDef("to_a", exactly(0), |interp, this, _| Ok(Value::array(values(interp, this)))),
    MethodDef("deconstruct", exactly(0), |interp, this, _| Ok(Value::array(values(interp, this)))),
    MethodDef("values", exactly(0), |interp, this, _| Ok(Value::array(values(interp, this)))),
    MethodDef("size", exactly(0), |interp, this, _| Ok(Value::from(values(interp, this).len()))),
    MethodDef("length", exactly(0), |interp, this, _| Ok(Value::from(values(interp, this).len()))),
    MethodDef("to_h", exactly(0), to_h),
    MethodDef("deconstruct_keys", exactly(1), to_h),
    MethodDef("[]", exactly(1), |interp, this, args| {
        let name = member(interp, this, args.at(0))?;
        Ok(interp.get_ivar(this, name))
    }),
    MethodDef("[]=", exactly(2), |interp, this, args| {
        let name = member(interp, this, args.at(0))?;
        interp.set_ivar(this, name, args.at(1).clone())?;
        Ok(args.at(1).clone())
    }),
    MethodDef("dig", at_least(1), |interp, this, args| {
        let name = member(interp, this, args.at(0))?;
        let value = interp.get_ivar(this, name);
        match args.from(1) {
            [] => Ok(value),
            _ if value.is_nil() => Ok(value),
            rest => interp.call(&value, "dig", rest),
        }
    }),
    MethodDef("each", exactly(0), |interp, this, args| {
        let block = super::enumerable::block_or_enumerator!(interp, this, "each", args);
        for value in values(interp, this) {
            interp.yield_one(block, value)?;
        }
        Ok(this.clone())
    }),
    MethodDef("each_pair", exactly(0), |interp, this, args| {
        let block = super::enumerable::block_or_enumerator!(interp, this, "each_pair", args);
        let class = interp.real_class(this);
        for name in members(&class) {
            let value = interp.get_ivar(this, name);
            interp.yield_pair(block, Value::Sym(name), value)?;
        }
        Ok(this.clone())
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let other = args.at(0);
        if !Rc::ptr_eq(&interp.real_class(this), &interp.real_class(other)) {
            return Ok(Value::Bool(false));
        }
        interp.guard()?;
        let (mine, others) = (values(interp, this), values(interp, other));
        Ok(Value::Bool(interp.equal(&Value::array(mine), &Value::array(others))?))
    }),
    MethodDef("eql?", exactly(1), |_, this, args| {
        Ok(Value::Bool(crate::ruby::value::keys_equal(this, args.at(0))))
    }),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
    MethodDef("to_s", exactly(0), inspect),
    MethodDef("inspect", exactly(0), inspect),
    MethodDef("values_at", at_least(0), |interp, this, args| {
        let values = Value::array(values(interp, this));
        interp.call(&values, "values_at", args.values)
    }),
];

/// The names of a struct class' members; subclasses have those of their superclass.
pub(super) fn members(class: &Rc<RClass>) -> Vec<Sym> {
    let found = class.ancestors().iter().find_map(|class| class.ivar(sym!("__members__")));
    match found {
        Some(Value::Array(names)) => names
            .borrow()
            .iter()
            .filter_map(|name| match name {
                Value::Sym(name) => Some(*name),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Members' values stand in variables without an at sign, which scripts cannot name.
pub(super) fn values(interp: &mut Interp, this: &Value) -> Vec<Value> {
    let class = interp.real_class(this);
    members(&class).into_iter().map(|name| interp.get_ivar(this, name)).collect()
}

fn member(interp: &mut Interp, this: &Value, key: &Value) -> Outcome<Sym> {
    let class = interp.real_class(this);
    let names = members(&class);
    if let Value::Int(index) = key {
        let length = names.len() as i64;
        let at = if *index < 0 { index + length } else { *index };
        let found = usize::try_from(at).ok().and_then(|at| names.get(at));
        return match found {
            Some(name) => Ok(*name),
            None => {
                let size = if *index < 0 { "small" } else { "large" };
                let message = format!("offset {index} too {size} for struct(size:{length})");
                Err(interp.error("IndexError", message))
            }
        };
    }
    let name = interp.to_name(key)?;
    if names.contains(&name) {
        return Ok(name);
    }
    Err(interp.error("NameError", format!("no member '{name}' in struct")))
}

fn new(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.to_class(this)?;
    if !Rc::ptr_eq(&class, &interp.classes.structure.clone()) {
        let instance = Value::Object(Rc::new(RObject::new(&class)));
        interp.call_with(&instance, sym!("initialize"), args)?;
        return Ok(instance);
    }
    let (args, options) = args.split_keywords();
    let by_keyword = options.and_then(|options| options.get(&Value::sym("keyword_init")));
    let mut names = Vec::with_capacity(args.len());
    let mut constant = None;
    for (at, value) in args.values.iter().enumerate() {
        match value {
            Value::Str(name) if at == 0 => constant = Some(name.to_text()),
            other => names.push(Value::Sym(interp.to_name(other)?)),
        }
    }
    let made = interp.make_class(None, Some(class.clone()), false);
    if let Some(name) = constant {
        interp.define_constant(&class, &name, Value::Class(made.clone()));
    }
    for name in &names {
        if let Value::Sym(name) = name {
            interp.add_method(&made, *name, Body::Reader(*name), Visibility::Public);
            interp.add_method(&made, name.setter(), Body::Writer(*name), Visibility::Public);
        }
    }
    made.set_ivar(sym!("__members__"), Value::array(names));
    made.set_ivar(sym!("__keyword_init__"), by_keyword.unwrap_or_default());
    let value = Value::Class(made.clone());
    if let Some(block) = args.block {
        interp.call_block_as(block, &value, &made, Args::of(std::slice::from_ref(&value)))?;
    }
    Ok(value)
}

fn initialize(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.real_class(this);
    let names = members(&class);
    let by_keyword = class.ancestors().iter().find_map(|class| class.ivar(sym!("__keyword_init__")));
    let only_keywords = args.len() == 1 && args.has_keywords;
    let by_keyword = match by_keyword.unwrap_or_default() {
        Value::Nil => only_keywords,
        flag => flag.truthy(),
    };
    if by_keyword {
        return initialize_by_keyword(interp, this, &names, args);
    }
    if args.len() > names.len() {
        let message = format!("struct size differs ({} for {})", args.len(), names.len());
        return Err(interp.argument_error(message));
    }
    for (at, name) in names.into_iter().enumerate() {
        interp.set_ivar(this, name, args.at(at).clone())?;
    }
    Ok(Value::Nil)
}

fn initialize_by_keyword(interp: &mut Interp, this: &Value, names: &[Sym], args: Args<'_>) -> Outcome {
    let (rest, given) = args.split_keywords();
    if !rest.is_empty() {
        return Err(interp.wrong_count(rest.len(), "0"));
    }
    for name in names {
        interp.set_ivar(this, *name, Value::Nil)?;
    }
    let given = given.map(|given| given.borrow().clone()).unwrap_or_default();
    for (key, value) in given.iter() {
        match key {
            Value::Sym(name) if names.contains(name) => interp.set_ivar(this, *name, value.clone())?,
            other => {
                let shown = interp.to_s(other)?;
                return Err(interp.argument_error(format!("unknown keywords: {shown}")));
            }
        }
    }
    Ok(Value::Nil)
}

fn to_h(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let class = interp.real_class(this);
    let mut map = HashMap::new();
    for name in members(&class) {
        let value = interp.get_ivar(this, name);
        match args.block {
            None => map.insert(Value::Sym(name), value),
            Some(block) => {
                let pair = interp.yield_values(block, &[Value::Sym(name), value])?;
                if let Value::Array(pair) = &pair {
                    map.insert(pair.get(0).unwrap_or_default(), pair.get(1).unwrap_or_default());
                }
            }
        }
    }
    Ok(Value::hash(map))
}

fn inspect(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    interp.guard()?;
    let class = interp.real_class(this);
    let name = class.name().map(|name| format!(" {name}")).unwrap_or_default();
    let mut shown = Vec::new();
    for name in members(&class) {
        let value = interp.get_ivar(this, name);
        shown.push(format!("{name}={}", interp.inspect(&value)?));
    }
    let shown = if shown.is_empty() { String::new() } else { format!(" {}", shown.join(", ")) };
    Ok(Value::str(format!("#<struct{name}{shown}>")))
}

const OPEN: &[MethodDef] = &[
    MethodDef("initialize", between(0, 1), |interp, this, args| {
        if let Some(hash) = args.get(0)
            && !hash.is_nil()
        {
            let hash = interp.to_hash(hash)?.borrow().clone();
            for (key, value) in hash.iter() {
                let name = interp.to_name(key)?;
                interp.set_ivar(this, name, value.clone())?;
            }
        }
        Ok(Value::Nil)
    }),
    MethodDef("[]", exactly(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        Ok(interp.get_ivar(this, name))
    }),
    MethodDef("[]=", exactly(2), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        interp.set_ivar(this, name, args.at(1).clone())?;
        Ok(args.at(1).clone())
    }),
    MethodDef("to_h", exactly(0), |_, this, _| Ok(Value::hash(open_fields(this)))),
    MethodDef("each_pair", exactly(0), |interp, this, args| {
        let block = args.block(interp)?;
        for (key, value) in open_fields(this).iter() {
            interp.yield_pair(block, key.clone(), value.clone())?;
        }
        Ok(this.clone())
    }),
    MethodDef("dig", at_least(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        let value = interp.get_ivar(this, name);
        match args.from(1) {
            [] => Ok(value),
            _ if value.is_nil() => Ok(value),
            rest => interp.call(&value, "dig", rest),
        }
    }),
    MethodDef("delete_field", exactly(1), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        match this {
            Value::Object(object) => Ok(object.remove_ivar(name).unwrap_or_default()),
            _ => Ok(Value::Nil),
        }
    }),
    MethodDef("respond_to?", between(1, 2), |interp, this, args| {
        let name = interp.to_name(args.at(0))?;
        let known = matches!(this, Value::Object(object) if object.ivar(name).is_some());
        Ok(Value::Bool(known || interp.find_method(this, name).is_some()))
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let (mine, other) = (open_fields(this), open_fields(args.at(0)));
        let same = Rc::ptr_eq(&interp.real_class(this), &interp.real_class(args.at(0)));
        Ok(Value::Bool(same && interp.equal(&Value::hash(mine), &Value::hash(other))?))
    }),
    MethodDef("inspect", exactly(0), inspect_open),
    MethodDef("to_s", exactly(0), inspect_open),
];

fn open_fields(this: &Value) -> HashMap {
    let fields = if let Value::Object(object) = this { object.ivars() } else { Vec::new() };
    fields.into_iter().map(|(name, value)| (Value::Sym(name), value)).collect()
}

fn inspect_open(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    interp.guard()?;
    let mut shown = Vec::new();
    for (key, value) in open_fields(this).iter() {
        shown.push(format!("{}={}", interp.to_s(key)?, interp.inspect(value)?));
    }
    let shown = if shown.is_empty() { String::new() } else { format!(" {}", shown.join(", ")) };
    Ok(Value::str(format!("#<OpenStruct{shown}>")))
}

/// What an OpenStruct answers to names that are no methods: its fields.
pub(in crate::ruby) fn open_field(
    interp: &mut Interp,
    this: &Value,
    name: Sym,
    args: Args<'_>,
) -> Option<Outcome> {
    let class = interp.class_named("OpenStruct")?;
    if !interp.is_a(this, &class) {
        return None;
    }
    match (name.as_str().strip_suffix('='), args.values) {
        (Some(field), [value]) => {
            let set = interp.set_ivar(this, Sym::new(field), value.clone());
            Some(set.map(|()| value.clone()))
        }
        (None, []) => Some(Ok(interp.get_ivar(this, name))),
        _ => None,
    }
}
