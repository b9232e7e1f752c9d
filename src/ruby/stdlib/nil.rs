//! `NilClass`, `TrueClass` and `FalseClass`.

use super::{ClassDef, MethodDef};
use crate::ruby::args::exactly;
use crate::ruby::value::{HashMap, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { methods: &[NIL, LOGIC], ..ClassDef::class("NilClass") },
    ClassDef { methods: &[LOGIC, BOOLEAN], ..ClassDef::class("TrueClass") },
    ClassDef { methods: &[LOGIC, BOOLEAN], ..ClassDef::class("FalseClass") },
];

const NIL: &[MethodDef] = &[
    MethodDef("nil?", exactly(0), |_, _, _| Ok(Value::Bool(true))),
    MethodDef("to_a", exactly(0), |_, _, _| Ok(Value::array(Vec::new()))),
    MethodDef("to_h", exactly(0), |_, _, _| Ok(Value::hash(HashMap::new()))),
    MethodDef("to_i", exactly(0), |_, _, _| Ok(Value::Int(0))),
    MethodDef("to_f", exactly(0), |_, _, _| Ok(Value::Float(0.0))),
    MethodDef("to_s", exactly(0), |_, _, _| Ok(crate::ruby::bridge::frozen_text(""))),
    MethodDef("inspect", exactly(0), |_, _, _| Ok(Value::str("nil"))),
    MethodDef("=~", exactly(1), |_, _, _| Ok(Value::Nil)),
];

const LOGIC: &[MethodDef] = &[
    MethodDef("&", exactly(1), |_, this, args| Ok(Value::Bool(this.truthy() && args.at(0).truthy()))),
    MethodDef("|", exactly(1), |_, this, args| Ok(Value::Bool(this.truthy() || args.at(0).truthy()))),
    MethodDef("^", exactly(1), |_, this, args| Ok(Value::Bool(this.truthy() != args.at(0).truthy()))),
];

const BOOLEAN: &[MethodDef] = &[
    MethodDef("to_s", exactly(0), |_, this, _| {
        Ok(crate::ruby::bridge::frozen_text(if this.truthy() { "true" } else { "false" }))
    }),
    MethodDef("inspect", exactly(0), |_, this, _| Ok(Value::str(this.truthy().to_string()))),
    MethodDef("!", exactly(0), |_, this, _| Ok(Value::Bool(!this.truthy()))),
];
