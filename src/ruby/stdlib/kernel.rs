//! `Kernel`: the functions that need no receiver.

use std::io::Write as _;
use std::time::Duration;

use super::{ClassDef, MethodDef, exception, procs};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::{Control, Jump, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::libraries;
use crate::ruby::loading::{self, Loading};
use crate::ruby::symbol::sym;
use crate::ruby::value::{HashMap, Value};

pub(super) static CLASSES: &[ClassDef] =
    &[ClassDef { functions: &[OUTPUT, FLOW, CONVERSION, SYSTEM], ..ClassDef::module("Kernel") }];

const OUTPUT: &[MethodDef] = &[
    MethodDef("puts", at_least(0), puts),
    MethodDef("print", at_least(0), print),
    MethodDef("printf", at_least(1), |interp, this, args| {
        let text = interp.call_with(this, sym!("format"), args)?;
        print(interp, this, Args::of(&[text]))
    }),
    MethodDef("p", at_least(0), p),
    MethodDef("pp", at_least(0), p),
    MethodDef("warn", at_least(0), |interp, _, args| {
        for value in args.split_keywords().0.values {
            let text = interp.to_s(value)?;
            eprintln!("{text}");
        }
        Ok(Value::Nil)
    }),
];

const FLOW: &[MethodDef] = &[
    MethodDef("raise", at_least(0), |interp, _, args| Err(exception::raise(interp, args))),
    MethodDef("fail", at_least(0), |interp, _, args| Err(exception::raise(interp, args))),
    MethodDef("loop", exactly(0), run_loop),
    MethodDef("catch", between(0, 1), |interp, _, args| {
        let tag = match args.get(0) {
            Some(tag) => tag.clone(),
            None => interp.allocate(&interp.classes.object.clone())?,
        };
        let block = args.block(interp)?;
        interp.catch(tag, block)
    }),
    MethodDef("throw", between(1, 2), |interp, _, args| {
        Err(interp.throw(args.at(0).clone(), args.at(1).clone()))
    }),
    MethodDef("proc", exactly(0), |interp, _, args| match args.block {
        Some(block) => Ok(Value::Proc(block.clone())),
        None => Err(interp.argument_error("tried to create Proc object without a block")),
    }),
    MethodDef("lambda", exactly(0), |interp, _, args| {
        let block = args.block(interp)?;
        Ok(procs::as_lambda(interp, block))
    }),
    MethodDef("block_given?", exactly(0), |_, _, _| Ok(Value::Bool(false))),
    MethodDef("abort", between(0, 1), |interp, _, args| {
        let message = if args.is_empty() { "exit".into() } else { interp.to_s(args.at(0))? };
        Err(exit(interp, message, 1))
    }),
    MethodDef("exit", between(0, 1), |interp, _, args| {
        let status = match args.at(0) {
            Value::Int(status) => *status,
            Value::Bool(false) => 1,
            _ => 0,
        };
        Err(exit(interp, "exit".into(), status))
    }),
];

fn exit(interp: &mut Interp, message: String, status: i64) -> Control {
    let error = interp.error("SystemExit", message);
    if let Some(Value::Object(exception)) = error.exception() {
        exception.set_ivar(sym!("status"), Value::Int(status));
    }
    error
}

const CONVERSION: &[MethodDef] = &[
    MethodDef("String", exactly(1), |interp, _, args| Ok(Value::Str(interp.to_s_string(args.at(0))?))),
    MethodDef("Array", exactly(1), |interp, _, args| match args.at(0) {
        Value::Nil => Ok(Value::array(Vec::new())),
        array @ Value::Array(_) => Ok(array.clone()),
        other => Ok(Value::array(interp.splat(other)?)),
    }),
    MethodDef("Hash", exactly(1), |interp, _, args| match args.at(0) {
        Value::Nil => Ok(Value::hash(HashMap::new())),
        Value::Array(array) if array.is_empty() => Ok(Value::hash(HashMap::new())),
        other if matches!(other, Value::Hash(_)) || interp.responds_to(other, sym!("to_hash")) => {
            Ok(Value::Hash(interp.to_hash(other)?))
        }
        other => {
            let class = interp.describe_for_conversion(other);
            Err(interp.type_error(format!("can't convert {class} into Hash")))
        }
    }),
];

const SYSTEM: &[MethodDef] = &[
    MethodDef("require", exactly(1), |interp, _, args| {
        let name = args.text(interp, 0)?;
        if libraries::is_known(&name) {
            return Ok(Value::Bool(true));
        }
        if loading::is_path(&name) {
            return interp.load_path(&name, Loading::Require);
        }
        Err(interp.error("LoadError", format!("no such file to load -- {name}")))
    }),
    MethodDef("require_relative", exactly(1), |interp, _, args| {
        let name = args.text(interp, 0)?;
        interp.load_path(&name, Loading::Relative)
    }),
    MethodDef("load", between(1, 2), |interp, _, args| {
        let name = args.text(interp, 0)?;
        interp.load_path(&name, Loading::Load)
    }),
    MethodDef("sleep", between(0, 1), |interp, _, args| {
        let seconds = interp.to_float(args.at(0))?;
        if seconds < 0.0 {
            return Err(interp.argument_error("time interval must not be negative"));
        }
        std::thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        Ok(Value::Int(seconds.round() as i64))
    }),
    MethodDef("rand", between(0, 1), rand),
    MethodDef("srand", between(0, 1), |interp, _, args| {
        let seed = if args.is_empty() { 0 } else { interp.to_int(args.at(0))? };
        fastrand::seed(seed as u64);
        Ok(Value::Int(0))
    }),
    MethodDef("__dir__", exactly(0), |interp, _, _| {
        let file = interp.current_file();
        let folder = std::path::Path::new(&*file).parent().map(|path| path.to_string_lossy().into_owned());
        Ok(Value::from(folder))
    }),
    MethodDef("caller", between(0, 2), |interp, _, _| {
        Ok(Value::array(interp.backtrace().into_iter().skip(1).map(Value::str).collect()))
    }),
    MethodDef("binding", exactly(0), |interp, _, _| {
        Err(interp.error("NotImplementedError", "binding is not available"))
    }),
];

fn puts(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let mut out = Vec::new();
    if args.is_empty() {
        out.push(b'\n');
    }
    for value in args.values {
        push_line(interp, value, &mut out, 0)?;
    }
    write_out(&out);
    Ok(Value::Nil)
}

fn push_line(interp: &mut Interp, value: &Value, out: &mut Vec<u8>, depth: usize) -> Outcome<()> {
    interp.guard()?;
    if let Value::Array(array) = value
        && depth < 100
    {
        for item in array.to_vec() {
            push_line(interp, &item, out, depth + 1)?;
        }
        return Ok(());
    }
    let text = interp.to_s_string(value)?;
    let text = text.borrow();
    out.extend_from_slice(text.bytes());
    if !text.bytes().ends_with(b"\n") {
        out.push(b'\n');
    }
    Ok(())
}

fn print(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let mut out = Vec::new();
    for value in args.values {
        out.extend_from_slice(interp.to_s_string(value)?.borrow().bytes());
    }
    write_out(&out);
    Ok(Value::Nil)
}

fn p(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let mut out = String::new();
    for value in args.values {
        out.push_str(&interp.inspect(value)?);
        out.push('\n');
    }
    write_out(out.as_bytes());
    Ok(match args.values {
        [] => Value::Nil,
        [one] => one.clone(),
        several => Value::array(several.to_vec()),
    })
}

/// Writes to the process' output. One that is closed is no reason to fail an event.
fn write_out(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    _ = out.write_all(bytes).and_then(|()| out.flush());
}

fn run_loop(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let block = args.block(interp)?;
    let stop = interp.class_named("StopIteration");
    loop {
        match interp.call_block(block, Args::default()) {
            Ok(_) => {}
            Err(Control(jump)) => match (*jump, &stop) {
                (Jump::Raise(exception), Some(stop)) if interp.is_a(&exception, stop) => {
                    return Ok(interp.get_ivar(&exception, sym!("@result")));
                }
                (other, _) => return Err(other.into()),
            },
        }
    }
}

/// A number below the argument, or within its range.
pub(super) fn rand(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    match args.at(0) {
        Value::Nil | Value::Int(0) => Ok(Value::Float(fastrand::f64())),
        Value::Range(range) => match (&range.start, &range.end) {
            (Value::Int(start), Value::Int(end)) => {
                let last = if range.exclusive { end.saturating_sub(1) } else { *end };
                if last < *start {
                    return Ok(Value::Nil);
                }
                Ok(Value::Int(fastrand::i64(*start..=last)))
            }
            (start, end) => {
                let (start, end) = (interp.to_float(start)?, interp.to_float(end)?);
                Ok(Value::Float(start + fastrand::f64() * (end - start)))
            }
        },
        Value::Float(limit) => Ok(Value::Float(fastrand::f64() * limit)),
        other => {
            let limit = interp.to_int(other)?.unsigned_abs();
            Ok(Value::Int(fastrand::u64(..limit.max(1)) as i64))
        }
    }
}
