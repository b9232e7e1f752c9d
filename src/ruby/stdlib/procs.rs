//! `Proc`, `Method` and `UnboundMethod`.

use std::cell::Cell;
use std::rc::Rc;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::{Body, BoundMethod, ProcBody, RProc, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { methods: &[PROC, CALLABLE], singleton_methods: &[NEW], ..ClassDef::class("Proc") },
    ClassDef { methods: &[METHOD, CALLABLE], ..ClassDef::class("Method") },
    ClassDef { methods: &[UNBOUND], ..ClassDef::class("UnboundMethod") },
];

const NEW: &[MethodDef] = &[MethodDef("new", exactly(0), |interp, _, args| match args.block {
    Some(block) => Ok(Value::Proc(block.clone())),
    None => Err(interp.argument_error("tried to create Proc object without a block")),
})];

/// What procs and methods share.
const CALLABLE: &[MethodDef] = &[
    MethodDef("call", at_least(0), run),
    MethodDef("()", at_least(0), run),
    MethodDef("yield", at_least(0), run),
    MethodDef("[]", at_least(0), run),
    MethodDef("===", at_least(0), run),
    MethodDef(">>", exactly(1), |interp, this, args| compose(interp, this, args.at(0))),
    MethodDef("<<", exactly(1), |interp, this, args| compose(interp, args.at(0), this)),
    MethodDef("curry", between(0, 1), curry),
    MethodDef("arity", exactly(0), |_, this, _| Ok(Value::Int(arity(this)))),
    MethodDef("parameters", between(0, 1), parameters),
    MethodDef("to_proc", exactly(0), |interp, this, _| {
        Ok(interp.to_block(this)?.map_or(Value::Nil, Value::Proc))
    }),
];

const PROC: &[MethodDef] = &[
    MethodDef("lambda?", exactly(0), |_, this, _| match this {
        Value::Proc(block) => Ok(Value::Bool(block.is_lambda.get())),
        _ => Ok(Value::Bool(false)),
    }),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let plain = interp.plain_to_s(this);
        let lambda = matches!(this, Value::Proc(block) if block.is_lambda.get());
        Ok(Value::str(if lambda { format!("{} (lambda)>", plain.trim_end_matches('>')) } else { plain }))
    }),
];

const METHOD: &[MethodDef] = &[
    MethodDef("name", exactly(0), |_, this, _| Ok(Value::from(bound(this).map(|bound| bound.name)))),
    MethodDef("receiver", exactly(0), |_, this, _| {
        Ok(bound(this).and_then(|bound| bound.receiver.clone()).unwrap_or_default())
    }),
    MethodDef("owner", exactly(0), |_, this, _| {
        Ok(bound(this).map_or(Value::Nil, |bound| Value::Class(bound.method.owner.clone())))
    }),
    MethodDef("unbind", exactly(0), |interp, this, _| {
        let Some(bound) = bound(this) else { return Ok(Value::Nil) };
        let data = BoundMethod { receiver: None, name: bound.name, method: bound.method.clone() };
        Ok(Value::native(&interp.classes.unbound_method.clone(), data))
    }),
];

const UNBOUND: &[MethodDef] = &[
    MethodDef("name", exactly(0), |_, this, _| Ok(Value::from(bound(this).map(|bound| bound.name)))),
    MethodDef("arity", exactly(0), |_, this, _| Ok(Value::Int(arity(this)))),
    MethodDef("bind", exactly(1), |interp, this, args| {
        let Some(bound) = bound(this) else { return Ok(Value::Nil) };
        let data = BoundMethod {
            receiver: Some(args.at(0).clone()),
            name: bound.name,
            method: bound.method.clone(),
        };
        Ok(Value::native(&interp.classes.method.clone(), data))
    }),
    MethodDef("bind_call", at_least(1), |interp, this, args| {
        let Some(bound) = bound(this) else { return Ok(Value::Nil) };
        interp.invoke(&bound.method, args.at(0), Args { values: args.from(1), ..args })
    }),
];

fn bound(value: &Value) -> Option<&BoundMethod> {
    value.as_native()
}

fn arity(value: &Value) -> i64 {
    match value {
        Value::Proc(block) => block.arity(),
        other => bound(other).map_or(0, |bound| bound.method.arity()),
    }
}

fn run(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    match (this, bound(this)) {
        (Value::Proc(block), _) => interp.call_block(block, args),
        (_, Some(BoundMethod { receiver: Some(receiver), method, .. })) => {
            interp.invoke(method, receiver, args)
        }
        _ => Ok(Value::Nil),
    }
}

fn compose(interp: &mut Interp, first: &Value, second: &Value) -> Outcome {
    for callable in [first, second] {
        if !matches!(callable, Value::Proc(_)) && !interp.responds_to(callable, sym!("call")) {
            return Err(interp.type_error("callable object is expected"));
        }
    }
    let (first, second) = (first.clone(), second.clone());
    let held = Some(vec![first.clone(), second.clone()]);
    Ok(Value::Proc(RProc::native_holding(at_least(0), held, move |interp, args| {
        let inner = interp.call_callable(&first, args)?;
        interp.call_callable(&second, Args::of(&[inner]))
    })))
}

fn curry(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let needed = match args.get(0) {
        Some(count) => interp.to_int(count)?,
        None => match arity(this) {
            open if open < 0 => -open - 1,
            exact => exact,
        },
    };
    Ok(curried(this.clone(), Vec::new(), usize::try_from(needed).unwrap_or(0)))
}

fn curried(callable: Value, given: Vec<Value>, needed: usize) -> Value {
    let held = given.iter().chain([&callable]).cloned().collect();
    Value::Proc(RProc::native_holding(at_least(0), Some(held), move |interp, args| {
        let mut all = given.clone();
        all.extend_from_slice(args.values);
        if all.len() >= needed {
            return interp.call_callable(&callable, Args { values: &all, ..args });
        }
        Ok(curried(callable.clone(), all, needed))
    }))
}

fn parameters(_: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let (params, strict) = match (this, bound(this)) {
        (Value::Proc(block), _) => match &block.body {
            ProcBody::Code { code, .. } => (&code.params, block.is_lambda.get()),
            _ => return Ok(Value::array(vec![Value::array(vec![Value::sym("rest")])])),
        },
        (_, Some(bound)) => match &bound.method.body {
            Body::Code { code, .. } => (&code.params, true),
            _ => return Ok(Value::array(vec![Value::array(vec![Value::sym("rest")])])),
        },
        _ => return Ok(Value::Nil),
    };
    let shown = params.names.iter().map(|(kind, name)| {
        let kind = if !strict && *kind == "req" { "opt" } else { kind };
        let mut pair = vec![Value::sym(kind)];
        pair.extend(name.map(Value::Sym));
        Value::array(pair)
    });
    Ok(Value::array(shown.collect()))
}

/// The same block, called as a lambda.
pub(super) fn as_lambda(interp: &mut Interp, block: &Rc<RProc>) -> Value {
    match &block.body {
        ProcBody::Code { code, env } if !block.is_lambda.get() => Value::Proc(Rc::new(RProc {
            body: ProcBody::Code { code: code.clone(), env: env.clone() },
            is_lambda: Cell::new(true),
            break_tag: interp.fresh_id(),
        })),
        _ => Value::Proc(block.clone()),
    }
}
