//! What scripts use of Logstash itself beside events: `LogStash::Json`, `LogStash::Util`.

use super::{ClassDef, MethodDef};
use crate::event::json;
use crate::ruby::args::{Args, at_least, exactly};
use crate::ruby::bridge;
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { singleton_methods: &[JSON], ..ClassDef::module("LogStash::Json") },
    ClassDef { superclass: Some("LogStash::Error"), ..ClassDef::class("LogStash::Json::ParserError") },
    ClassDef { superclass: Some("LogStash::Error"), ..ClassDef::class("LogStash::Json::GeneratorError") },
    ClassDef { singleton_methods: &[UTIL], ..ClassDef::module("LogStash::Util") },
];

const JSON: &[MethodDef] = &[
    MethodDef("load", exactly(1), load),
    MethodDef("dump", at_least(1), dump),
    MethodDef("jruby_load", exactly(1), load),
    MethodDef("jruby_dump", at_least(1), dump),
];

fn load(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let text = args.text(interp, 0)?;
    if text.trim().is_empty() {
        return Ok(Value::Nil);
    }
    match json::parse(&text, json::Decimals::Double) {
        Ok(value) => Ok(bridge::to_ruby(interp, &value)),
        Err(error) => Err(interp.error("LogStash::Json::ParserError", error.to_string())),
    }
}

fn dump(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let value = bridge::to_event(interp, args.at(0))?;
    let mut out = Vec::new();
    json::write_value(&mut out, &value);
    Ok(Value::bytes(out, Encoding::Utf8))
}

const UTIL: &[MethodDef] = &[MethodDef("deep_clone", exactly(1), |interp, _, args| {
    let copy = bridge::to_event(interp, args.at(0))?;
    Ok(bridge::to_ruby(interp, &copy))
})];
