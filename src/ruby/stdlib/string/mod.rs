//! `String`.

mod case;
mod chars;
mod compare;
mod convert;
mod edit;
mod encode;
mod format;
mod index;
mod lines;
mod numbers;
mod sets;
mod split;
mod substitute;
mod successor;
mod unpack;

use std::rc::Rc;

pub(super) use chars::{char_count, char_len_at};
pub(super) use format::format;
pub(super) use numbers::parse_float;
pub(super) use successor::{succession, successor};
pub(super) use unpack::decode_base64;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{RString, StrBuf, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        includes: &["Comparable"],
        methods: &[
            BASICS,
            case::METHODS,
            compare::METHODS,
            convert::METHODS,
            edit::METHODS,
            encode::METHODS,
            index::METHODS,
            lines::METHODS,
            sets::METHODS,
            split::METHODS,
            substitute::METHODS,
            unpack::METHODS,
        ],
        singleton_methods: &[NEW],
        ..ClassDef::class("String")
    },
    ClassDef {
        methods: &[encode::ENCODING],
        singleton_methods: &[encode::ENCODING_CLASS],
        setup: Some(encode::set_up),
        ..ClassDef::class("Encoding")
    },
    ClassDef { functions: &[format::FUNCTIONS, numbers::FUNCTIONS], ..ClassDef::module("Kernel") },
];

const NEW: &[MethodDef] = &[
    MethodDef("new", between(0, 2), |interp, this, args| {
        let (args, _) = args.split_keywords();
        let buffer = match args.get(0) {
            Some(_) => args.string(interp, 0)?.borrow().clone(),
            None => StrBuf::from(""),
        };
        let string = RString::new(buffer);
        if let Value::Class(class) = this
            && !Rc::ptr_eq(class, &interp.classes.string)
        {
            string.extra.set_class(class.clone());
        }
        Ok(Value::Str(Rc::new(string)))
    }),
    MethodDef("try_convert", exactly(1), |_, _, args| {
        Ok(if args.at(0).as_string().is_some() { args.at(0).clone() } else { Value::Nil })
    }),
];

/// The receiver as a string.
fn own<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Rc<RString>> {
    match this {
        Value::Str(string) => Ok(string),
        _ => Err(interp.type_error("not a string")),
    }
}

/// The receiver as a string that may be changed.
fn own_mut<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Rc<RString>> {
    interp.check_frozen(this)?;
    own(interp, this)
}

/// A string of some bytes in the encoding of another.
fn like(buffer: &StrBuf, bytes: &[u8]) -> Value {
    Value::bytes(bytes, buffer.encoding())
}

/// A string around a buffer.
fn from_buffer(buffer: StrBuf) -> Value {
    Value::Str(Rc::new(RString::new(buffer)))
}

/// Puts other content into a string; `nil` where it is the same as before, as the methods with `!` answer.
fn put_changed(interp: &mut Interp, this: &Value, buffer: StrBuf) -> Outcome {
    let string = own_mut(interp, this)?;
    if string.borrow().bytes() == buffer.bytes() {
        return Ok(Value::Nil);
    }
    *string.borrow_mut() = buffer;
    Ok(this.clone())
}

/// A method that gives a changed copy, from a function on the content.
fn copied(interp: &mut Interp, this: &Value, change: impl FnOnce(&StrBuf) -> StrBuf) -> Outcome {
    let string = own(interp, this)?;
    let changed = change(&string.borrow());
    Ok(from_buffer(changed))
}

/// The same in place, with a `!`.
fn in_place(interp: &mut Interp, this: &Value, change: impl FnOnce(&StrBuf) -> StrBuf) -> Outcome {
    let string = own_mut(interp, this)?;
    let changed = change(&string.borrow());
    put_changed(interp, this, changed)
}

const BASICS: &[MethodDef] = &[
    MethodDef("length", exactly(0), length),
    MethodDef("size", exactly(0), length),
    MethodDef("bytesize", exactly(0), |interp, this, _| Ok(Value::from(own(interp, this)?.borrow().len()))),
    MethodDef("empty?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(own(interp, this)?.borrow().is_empty()))
    }),
    MethodDef("to_s", exactly(0), to_s),
    MethodDef("to_str", exactly(0), to_s),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let string = own(interp, this)?;
        let shown = crate::ruby::interpreter::inspect_string(&string.borrow());
        Ok(Value::str(shown))
    }),
    MethodDef("dump", exactly(0), |interp, this, _| {
        let shown = crate::ruby::interpreter::inspect_string(&own(interp, this)?.borrow());
        let mut out = String::new();
        for character in shown.chars() {
            match character {
                ascii if ascii.is_ascii() => out.push(ascii),
                other if u32::from(other) < 0x1_0000 => out.push_str(&format!("\\u{:04X}", u32::from(other))),
                other => out.push_str(&format!("\\u{{{:X}}}", u32::from(other))),
            }
        }
        Ok(Value::str(out))
    }),
    MethodDef("+@", exactly(0), |interp, this, _| {
        if interp.is_frozen(this) {
            return copied(interp, this, StrBuf::clone);
        }
        Ok(this.clone())
    }),
    MethodDef("-@", exactly(0), frozen),
    MethodDef("dedup", exactly(0), frozen),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
    MethodDef("%", exactly(1), |interp, this, args| {
        let template = own(interp, this)?.borrow().clone();
        let values = match args.at(0) {
            Value::Array(array) => array.to_vec(),
            other => vec![other.clone()],
        };
        Ok(from_buffer(format(interp, &template, &values)?))
    }),
    MethodDef("*", exactly(1), |interp, this, args| {
        let times = args.int(interp, 0)?;
        let Ok(times) = usize::try_from(times) else {
            return Err(interp.argument_error("negative argument"));
        };
        let string = own(interp, this)?;
        interp.check_size(string.borrow().len().saturating_mul(times))?;
        let buffer = string.borrow();
        Ok(like(&buffer, &buffer.bytes().repeat(times)))
    }),
    MethodDef("+", exactly(1), |interp, this, args| {
        let other = args.string(interp, 0)?;
        let mut sum = own(interp, this)?.borrow().clone();
        append_checked(interp, &mut sum, &other.borrow())?;
        Ok(from_buffer(sum))
    }),
];

/// Most methods refuse bytes that are no text in the string's encoding.
fn check_text(interp: &mut Interp, this: &Value) -> Outcome<()> {
    let broken = own(interp, this)?.borrow().is_broken_text();
    if broken { Err(interp.argument_error("invalid byte sequence in UTF-8")) } else { Ok(()) }
}

/// Appends what fits together by its encoding; else an Encoding::CompatibilityError.
fn append_checked(interp: &mut Interp, to: &mut StrBuf, other: &StrBuf) -> Outcome<()> {
    if !to.fits(other) {
        return Err(interp.incompatible("incompatible character encodings", to, other));
    }
    interp.check_size(to.len().saturating_add(other.len()))?;
    to.append(other);
    Ok(())
}

fn length(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    Ok(Value::from(char_count(&own(interp, this)?.borrow())))
}

fn to_s(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let string = own(interp, this)?;
    if string.extra.class().is_some_and(|class| !class.is_singleton()) {
        return copied(interp, this, StrBuf::clone);
    }
    Ok(this.clone())
}

fn frozen(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    if interp.is_frozen(this) {
        return Ok(this.clone());
    }
    Ok(Value::Str(Rc::new(own(interp, this)?.frozen_copy())))
}
