//! `Symbol`: mostly what strings answer, on the name.

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::Sym;
use crate::ruby::value::{RProc, Value};

pub(super) static CLASSES: &[ClassDef] =
    &[ClassDef { includes: &["Comparable"], methods: &[METHODS], ..ClassDef::class("Symbol") }];

const METHODS: &[MethodDef] = &[
    MethodDef("to_s", exactly(0), text),
    MethodDef("id2name", exactly(0), text),
    MethodDef("name", exactly(0), |interp, this, args| {
        let name = text(interp, this, args)?;
        if let Value::Str(string) = &name {
            string.freeze();
        }
        Ok(name)
    }),
    MethodDef("to_sym", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("to_proc", exactly(0), |_, this, _| match this {
        Value::Sym(name) => Ok(Value::Proc(RProc::from_symbol(*name))),
        _ => Ok(Value::Nil),
    }),
    MethodDef("inspect", exactly(0), |interp, this, _| Ok(Value::str(interp.inspect(this)?))),
    MethodDef("length", exactly(0), |interp, this, args| on_name(interp, this, "length", args)),
    MethodDef("size", exactly(0), |interp, this, args| on_name(interp, this, "length", args)),
    MethodDef("empty?", exactly(0), |interp, this, args| on_name(interp, this, "empty?", args)),
    MethodDef("upcase", exactly(0), |interp, this, args| as_symbol(interp, this, "upcase", args)),
    MethodDef("downcase", exactly(0), |interp, this, args| as_symbol(interp, this, "downcase", args)),
    MethodDef("capitalize", exactly(0), |interp, this, args| as_symbol(interp, this, "capitalize", args)),
    MethodDef("swapcase", exactly(0), |interp, this, args| as_symbol(interp, this, "swapcase", args)),
    MethodDef("succ", exactly(0), |interp, this, args| as_symbol(interp, this, "succ", args)),
    MethodDef("next", exactly(0), |interp, this, args| as_symbol(interp, this, "succ", args)),
    MethodDef("[]", between(1, 2), |interp, this, args| on_name(interp, this, "[]", args)),
    MethodDef("slice", between(1, 2), |interp, this, args| on_name(interp, this, "[]", args)),
    MethodDef("=~", exactly(1), |interp, this, args| on_name(interp, this, "=~", args)),
    MethodDef("match", between(1, 2), |interp, this, args| on_name(interp, this, "match", args)),
    MethodDef("match?", between(1, 2), |interp, this, args| on_name(interp, this, "match?", args)),
    MethodDef("start_with?", at_least(0), |interp, this, args| on_name(interp, this, "start_with?", args)),
    MethodDef("end_with?", at_least(0), |interp, this, args| on_name(interp, this, "end_with?", args)),
    MethodDef("encoding", exactly(0), |interp, this, args| on_name(interp, this, "encoding", args)),
    MethodDef("==", exactly(1), |_, this, args| Ok(Value::Bool(this.is_same(args.at(0))))),
    MethodDef("===", exactly(1), |_, this, args| Ok(Value::Bool(this.is_same(args.at(0))))),
    MethodDef("<=>", exactly(1), |_, this, args| match (this, args.at(0)) {
        (Value::Sym(a), Value::Sym(b)) => Ok(Value::Int(a.as_str().cmp(b.as_str()) as i64)),
        _ => Ok(Value::Nil),
    }),
    MethodDef("casecmp", exactly(1), |interp, this, args| compare(interp, this, "casecmp", args)),
    MethodDef("casecmp?", exactly(1), |interp, this, args| compare(interp, this, "casecmp?", args)),
];

fn text(_: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    match this {
        Value::Sym(name) => Ok(Value::str(name.as_str())),
        _ => Ok(Value::Nil),
    }
}

fn on_name(interp: &mut Interp, this: &Value, method: &str, args: Args<'_>) -> Outcome {
    let name = text(interp, this, Args::default())?;
    interp.call_with(&name, Sym::new(method), args)
}

fn as_symbol(interp: &mut Interp, this: &Value, method: &str, args: Args<'_>) -> Outcome {
    let changed = on_name(interp, this, method, args)?;
    interp.to_name(&changed).map(Value::Sym)
}

fn compare(interp: &mut Interp, this: &Value, method: &str, args: Args<'_>) -> Outcome {
    match args.at(0) {
        Value::Sym(other) => on_name(interp, this, method, Args::of(&[Value::str(other.as_str())])),
        _ => Ok(Value::Nil),
    }
}
