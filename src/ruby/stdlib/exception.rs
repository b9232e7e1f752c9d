//! `Exception` and its builtin subclasses.

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::{Exception, Value};

const fn error(name: &'static str, superclass: &'static str) -> ClassDef {
    ClassDef { superclass: Some(superclass), ..ClassDef::class(name) }
}

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef { methods: &[METHODS], singleton_methods: &[SINGLETON], ..ClassDef::class("Exception") },
    error("ScriptError", "Exception"),
    error("LoadError", "ScriptError"),
    error("NotImplementedError", "ScriptError"),
    error("SyntaxError", "ScriptError"),
    error("NoMemoryError", "Exception"),
    error("SecurityError", "Exception"),
    error("SignalException", "Exception"),
    error("Interrupt", "SignalException"),
    ClassDef { superclass: Some("Exception"), methods: &[EXIT], ..ClassDef::class("SystemExit") },
    error("SystemStackError", "Exception"),
    error("StandardError", "Exception"),
    error("ArgumentError", "StandardError"),
    error("UncaughtThrowError", "ArgumentError"),
    error("EncodingError", "StandardError"),
    ClassDef::class("Encoding"),
    error("Encoding::CompatibilityError", "EncodingError"),
    error("Encoding::UndefinedConversionError", "EncodingError"),
    error("Encoding::InvalidByteSequenceError", "EncodingError"),
    error("Encoding::ConverterNotFoundError", "EncodingError"),
    error("FiberError", "StandardError"),
    error("IOError", "StandardError"),
    error("EOFError", "IOError"),
    error("IndexError", "StandardError"),
    error("KeyError", "IndexError"),
    error("StopIteration", "IndexError"),
    error("ClosedQueueError", "StopIteration"),
    error("LocalJumpError", "StandardError"),
    error("NameError", "StandardError"),
    error("NoMethodError", "NameError"),
    error("RangeError", "StandardError"),
    error("FloatDomainError", "RangeError"),
    error("RegexpError", "StandardError"),
    error("RuntimeError", "StandardError"),
    error("FrozenError", "RuntimeError"),
    error("SystemCallError", "StandardError"),
    ClassDef::module("Errno"),
    error("Errno::ENOENT", "SystemCallError"),
    error("Errno::EACCES", "SystemCallError"),
    error("Errno::ECONNREFUSED", "SystemCallError"),
    error("Errno::EEXIST", "SystemCallError"),
    error("Errno::ECONNRESET", "SystemCallError"),
    error("Errno::EPIPE", "SystemCallError"),
    error("Errno::ETIMEDOUT", "SystemCallError"),
    error("Errno::EHOSTUNREACH", "SystemCallError"),
    error("Errno::EINVAL", "SystemCallError"),
    error("Errno::EISDIR", "SystemCallError"),
    error("Errno::ENOTDIR", "SystemCallError"),
    error("ThreadError", "StandardError"),
    error("TypeError", "StandardError"),
    error("ZeroDivisionError", "StandardError"),
    error("NoMatchingPatternError", "StandardError"),
    error("NoMatchingPatternKeyError", "NoMatchingPatternError"),
    ClassDef::module("Timeout"),
    error("Timeout::Error", "RuntimeError"),
];

const SINGLETON: &[MethodDef] =
    &[MethodDef("exception", at_least(0), |interp, this, args| interp.call_with(this, sym!("new"), args))];

const METHODS: &[MethodDef] = &[
    MethodDef("initialize", at_least(0), initialize),
    MethodDef("message", exactly(0), |interp, this, _| interp.call(this, "to_s", &[])),
    MethodDef("to_s", exactly(0), to_s),
    MethodDef("full_message", between(0, 1), full_message),
    MethodDef("detailed_message", between(0, 1), detailed_message),
    MethodDef("inspect", exactly(0), inspect),
    MethodDef("backtrace", exactly(0), backtrace),
    MethodDef("backtrace_locations", exactly(0), backtrace),
    MethodDef("set_backtrace", exactly(1), set_backtrace),
    MethodDef("cause", exactly(0), |_, this, _| {
        Ok(this.as_native::<Exception>().map(|data| data.cause.borrow().clone()).unwrap_or_default())
    }),
    MethodDef("exception", between(0, 1), exception),
    MethodDef("==", exactly(1), equal),
    MethodDef("name", exactly(0), |interp, this, _| {
        let name = interp.get_ivar(this, sym!("name"));
        Ok(name)
    }),
    MethodDef("key", exactly(0), |interp, this, _| Ok(interp.get_ivar(this, sym!("key")))),
    MethodDef("receiver", exactly(0), |interp, this, _| Ok(interp.get_ivar(this, sym!("receiver")))),
];

/// What the system's errors say, in front of what they are given.
const SYSTEM_ERRORS: &[(&str, &str)] = &[
    ("Errno::ENOENT", "No such file or directory"),
    ("Errno::EACCES", "Permission denied"),
    ("Errno::ECONNREFUSED", "Connection refused"),
    ("Errno::ECONNRESET", "Connection reset by peer"),
    ("Errno::EEXIST", "File exists"),
    ("Errno::EPIPE", "Broken pipe"),
    ("Errno::ETIMEDOUT", "Connection timed out"),
    ("Errno::EHOSTUNREACH", "No route to host"),
    ("Errno::EINVAL", "Invalid argument"),
    ("Errno::EISDIR", "Is a directory"),
    ("Errno::ENOTDIR", "Not a directory"),
];

/// The details that some exceptions carry stand in variables without an at sign, which scripts cannot name.
fn take_details<'a>(interp: &mut Interp, this: &Value, args: Args<'a>) -> Outcome<Args<'a>> {
    let is =
        |interp: &Interp, name: &str| interp.class_named(name).is_some_and(|class| interp.is_a(this, &class));
    let (rest, given) = args.split_keywords();
    if let Some(given) =
        given.filter(|_| is(interp, "KeyError") || is(interp, "NameError") || is(interp, "FrozenError"))
    {
        for name in [sym!("receiver"), sym!("key")] {
            if let Some(value) = given.get(&Value::Sym(name)) {
                interp.set_ivar(this, name, value)?;
            }
        }
        return named(interp, this, rest);
    }
    if is(interp, "NameError") { named(interp, this, args) } else { Ok(args) }
}

/// The name of a NameError is its second argument.
fn named<'a>(interp: &mut Interp, this: &Value, args: Args<'a>) -> Outcome<Args<'a>> {
    if let Some(name) = args.get(1) {
        interp.set_ivar(this, sym!("name"), name.clone())?;
    }
    Ok(args)
}

fn initialize(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let args = take_details(interp, this, args)?;
    let class = interp.class_name(&interp.real_class(this));
    if let Some((_, text)) = SYSTEM_ERRORS.iter().find(|(name, _)| *name == class) {
        let text = match args.get(0) {
            Some(detail) => format!("{text} - {}", interp.to_s(detail)?),
            None => (*text).to_owned(),
        };
        if let Some(data) = this.as_native::<Exception>() {
            *data.message.borrow_mut() = Value::str(text);
        }
        return Ok(Value::Nil);
    }
    if let (Some(data), Some(message)) = (this.as_native::<Exception>(), args.get(0)) {
        *data.message.borrow_mut() = message.clone();
    }
    Ok(Value::Nil)
}

fn to_s(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let message = this.as_native::<Exception>().map(|data| data.message.borrow().clone());
    match message.unwrap_or_default() {
        Value::Nil => Ok(Value::str(interp.class_name(&interp.real_class(this)))),
        message => Ok(Value::Str(interp.to_s_string(&message)?)),
    }
}

fn detailed_message(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let message = interp.exception_message(this);
    let class = interp.class_name(&interp.real_class(this));
    Ok(Value::str(format!("{message} ({class})")))
}

fn full_message(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let place = this.as_native::<Exception>().and_then(|data| data.backtrace.borrow().first().cloned());
    let detail = detailed_message(interp, this, args)?;
    let detail = interp.to_s(&detail)?;
    Ok(Value::str(format!("{}: {detail}", place.unwrap_or_default())))
}

fn inspect(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let class = interp.class_name(&interp.real_class(this));
    let message = interp.call(this, "to_s", &[])?;
    let message = interp.to_s(&message)?;
    Ok(Value::str(match message.is_empty() {
        true => class,
        false if message.contains('\n') => {
            let shown = interp.inspect(&Value::str(message))?;
            format!("#<{class}:{shown}>")
        }
        false => format!("#<{class}: {message}>"),
    }))
}

fn backtrace(_: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let Some(data) = this.as_native::<Exception>() else { return Ok(Value::Nil) };
    let lines = data.backtrace.borrow();
    if lines.is_empty() {
        return Ok(Value::Nil);
    }
    Ok(Value::array(lines.iter().map(|line| Value::str(line.as_str())).collect()))
}

fn set_backtrace(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let mut lines = Vec::new();
    for line in interp.splat(args.at(0))? {
        lines.push(interp.to_s(&line)?);
    }
    if let Some(data) = this.as_native::<Exception>() {
        *data.backtrace.borrow_mut() = lines;
    }
    Ok(args.at(0).clone())
}

fn exception(_: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let (Some(message), Value::Object(object)) = (args.get(0), this) else { return Ok(this.clone()) };
    let copy = Value::Object(std::rc::Rc::new(object.duplicate()));
    if let Some(data) = copy.as_native::<Exception>() {
        *data.message.borrow_mut() = message.clone();
    }
    Ok(copy)
}

const EXIT: &[MethodDef] = &[
    MethodDef("status", exactly(0), |interp, this, _| Ok(interp.get_ivar(this, sym!("status")))),
    MethodDef("success?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(matches!(interp.get_ivar(this, sym!("status")), Value::Int(0))))
    }),
];

fn equal(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let other = args.at(0);
    let same_class = std::rc::Rc::ptr_eq(&interp.class_of(this), &interp.class_of(other));
    let equal = this.is_same(other)
        || (same_class && interp.exception_message(this) == interp.exception_message(other));
    Ok(Value::Bool(equal))
}

/// `raise`, `raise "text"`, `raise Class, "text"`, `raise exception`.
pub(super) fn raise(interp: &mut Interp, args: Args<'_>) -> Control {
    match raised(interp, args) {
        Ok(exception) => {
            if let Some(data) = exception.as_native::<Exception>() {
                if data.backtrace.borrow().is_empty() {
                    *data.backtrace.borrow_mut() = interp.backtrace();
                }
                if data.cause.borrow().is_nil() && !interp.last_error.is_same(&exception) {
                    *data.cause.borrow_mut() = interp.last_error.clone();
                }
            }
            Control::raise(exception)
        }
        Err(control) => control,
    }
}

fn raised(interp: &mut Interp, args: Args<'_>) -> Outcome {
    let cause = args.keyword("cause");
    let args = if cause.is_some() { args.split_keywords().0 } else { args };
    let exception = match args.values {
        [] if interp.last_error.is_nil() => {
            let class = interp.class_named("RuntimeError").unwrap_or_else(|| interp.classes.object.clone());
            return exception_of(interp.error_of(&class, Value::str("unhandled exception")));
        }
        [] => interp.last_error.clone(),
        [Value::Str(message)] => {
            return exception_of(interp.error("RuntimeError", message.to_text()));
        }
        [source, rest @ ..] => {
            if !interp.responds_to(source, sym!("exception")) {
                return Err(interp.type_error("exception class/object expected"));
            }
            interp.call_with(
                source,
                sym!("exception"),
                Args { values: rest.get(..1.min(rest.len())).unwrap_or_default(), ..args },
            )?
        }
    };
    if exception.as_native::<Exception>().is_none() {
        return Err(interp.type_error("exception class/object expected"));
    }
    if let (Some(cause), Some(data)) = (cause, exception.as_native::<Exception>()) {
        *data.cause.borrow_mut() = cause;
    }
    Ok(exception)
}

fn exception_of(control: Control) -> Outcome {
    match control.exception() {
        Some(exception) => Ok(exception.clone()),
        None => Err(control),
    }
}
