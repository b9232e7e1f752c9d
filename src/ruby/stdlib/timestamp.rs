//! `LogStash::Timestamp` (JrubyTimestampExtLibrary.java).

use super::{ClassDef, MethodDef};
use crate::event::Timestamp;
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::bridge;
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

/// The instant of a LogStash::Timestamp.
pub struct TimestampData(pub Timestamp);

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef::module("LogStash"),
    ClassDef { superclass: Some("StandardError"), ..ClassDef::class("LogStash::Error") },
    ClassDef { superclass: Some("LogStash::Error"), ..ClassDef::class("LogStash::EnvironmentError") },
    ClassDef { superclass: Some("LogStash::Error"), ..ClassDef::class("LogStash::ConfigurationError") },
    ClassDef { superclass: Some("LogStash::Error"), ..ClassDef::class("LogStash::TimestampParserError") },
    ClassDef {
        includes: &["Comparable"],
        methods: &[TEXT, NUMBERS, ORDER],
        singleton_methods: &[SINGLETON],
        setup: Some(|interp, class| {
            interp.define_constant(class, "ISO8601_PRECISION", Value::Int(3));
        }),
        ..ClassDef::class("LogStash::Timestamp")
    },
];

const SINGLETON: &[MethodDef] = &[
    MethodDef("new", between(0, 1), new),
    MethodDef("now", exactly(0), |interp, _, _| Ok(bridge::timestamp(interp, Timestamp::now()))),
    MethodDef("at", between(1, 2), at),
    MethodDef("coerce", exactly(1), coerce),
    MethodDef("parse_iso8601", exactly(1), |interp, _, args| match args.at(0) {
        Value::Str(text) => parse(interp, &text.to_text(), "invalid timestamp format"),
        other => Err(wrong_type(interp, other, "String")),
    }),
];

const TEXT: &[MethodDef] = &[
    MethodDef("to_s", exactly(0), |_, this, _| Ok(Value::str(time(this).to_string()))),
    MethodDef("inspect", exactly(0), |_, this, _| Ok(Value::str(time(this).to_string()))),
    MethodDef("to_iso8601", exactly(0), |_, this, _| Ok(Value::str(time(this).to_string()))),
    MethodDef("to_json", at_least(0), |_, this, _| Ok(Value::str(format!("\"{}\"", time(this))))),
    MethodDef("clone", between(0, 1), |interp, this, _| Ok(bridge::timestamp(interp, time(this)))),
    MethodDef("dup", exactly(0), |interp, this, _| Ok(bridge::timestamp(interp, time(this)))),
];

const NUMBERS: &[MethodDef] = &[
    MethodDef("time", exactly(0), |interp, this, _| bridge::to_time(interp, time(this))),
    MethodDef("to_i", exactly(0), |_, this, _| Ok(Value::Int(time(this).epoch_seconds()))),
    MethodDef("to_f", exactly(0), |_, this, _| {
        let time = time(this);
        Ok(Value::Float(time.epoch_seconds() as f64 + f64::from(time.nanos()) / 1e9))
    }),
    MethodDef("to_r", exactly(0), |interp, this, _| {
        let time = bridge::to_time(interp, time(this))?;
        interp.call(&time, "to_r", &[])
    }),
    MethodDef("usec", exactly(0), usec),
    MethodDef("tv_usec", exactly(0), usec),
    MethodDef("nsec", exactly(0), nsec),
    MethodDef("tv_nsec", exactly(0), nsec),
    MethodDef("year", exactly(0), |interp, this, _| {
        let time = bridge::to_time(interp, time(this))?;
        let utc = interp.call(&time, "utc", &[])?;
        interp.call(&utc, "year", &[])
    }),
    MethodDef("utc", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("gmtime", exactly(0), |_, this, _| Ok(this.clone())),
];

const ORDER: &[MethodDef] = &[
    MethodDef("<=>", exactly(1), |_, this, args| {
        Ok(match args.at(0).as_native::<TimestampData>() {
            Some(TimestampData(other)) => Value::Int(time(this).cmp(other) as i64),
            None => Value::Nil,
        })
    }),
    MethodDef("==", exactly(1), equal),
    MethodDef("eql?", exactly(1), equal),
    MethodDef("+", exactly(1), |interp, this, args| {
        let time = bridge::to_time(interp, time(this))?;
        interp.call(&time, "+", args.values)
    }),
    MethodDef("-", exactly(1), |interp, this, args| {
        let left = bridge::to_time(interp, time(this))?;
        let right = match args.at(0).as_native::<TimestampData>() {
            Some(TimestampData(other)) => bridge::to_time(interp, *other)?,
            None => args.at(0).clone(),
        };
        interp.call(&left, "-", &[right])
    }),
];

fn time(this: &Value) -> Timestamp {
    this.as_native::<TimestampData>().map_or(Timestamp::EPOCH, |data| data.0)
}

fn usec(_: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    Ok(Value::Int(i64::from(time(this).nanos() / 1000)))
}

fn nsec(_: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    Ok(Value::Int(i64::from(time(this).nanos())))
}

fn equal(_: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let other = args.at(0).as_native::<TimestampData>();
    Ok(Value::Bool(other.is_some_and(|other| other.0 == time(this))))
}

fn wrong_type(interp: &mut Interp, value: &Value, expected: &str) -> crate::ruby::Control {
    let class = interp.class_name(&interp.real_class(value));
    interp.type_error(format!("wrong argument type {class} (expected {expected})"))
}

fn parse(interp: &mut Interp, text: &str, message: &str) -> Outcome {
    match Timestamp::parse(text) {
        Some(time) => Ok(bridge::timestamp(interp, time)),
        None => Err(interp.error("LogStash::TimestampParserError", format!("{message} {text}"))),
    }
}

fn new(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let time = match args.at(0) {
        Value::Nil => Timestamp::now(),
        Value::Str(text) => return parse(interp, &text.to_text(), "invalid timestamp string format"),
        other if interp.is_a(other, &interp.classes.time.clone()) => bridge::time_of(interp, other)?,
        other => return Err(wrong_type(interp, other, "Time")),
    };
    Ok(bridge::timestamp(interp, time))
}

fn at(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let class = Value::Class(interp.classes.time.clone());
    let time = interp.call(&class, "at", args.values)?;
    let time = bridge::time_of(interp, &time)?;
    Ok(bridge::timestamp(interp, time))
}

fn coerce(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    match args.at(0) {
        Value::Str(text) => parse(interp, &text.to_text(), "invalid timestamp format"),
        value if value.as_native::<TimestampData>().is_some() => Ok(value.clone()),
        value if interp.is_a(value, &interp.classes.time.clone()) => {
            let time = bridge::time_of(interp, value)?;
            Ok(bridge::timestamp(interp, time))
        }
        _ => Ok(Value::Nil),
    }
}
