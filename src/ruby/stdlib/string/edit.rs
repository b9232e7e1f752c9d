//! `String`: appending, inserting, replacing as a whole.

use super::super::MethodDef;
use super::chars::{byte_of, char_count, spans};
use super::index::replace_bytes;
use super::{append_checked, copied, in_place, own, own_mut};
use crate::ruby::args::{Args, at_least, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, StrBuf, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("<<", exactly(1), append),
    MethodDef("concat", at_least(0), append),
    MethodDef("append_as_bytes", at_least(0), |interp, this, args| {
        for place in 0..args.len() {
            let part = args.string(interp, place)?.borrow().bytes().to_vec();
            own_mut(interp, this)?.borrow_mut().bytes_mut().extend(part);
        }
        Ok(this.clone())
    }),
    MethodDef("prepend", at_least(0), |interp, this, args| {
        let mut all = StrBuf::from("");
        for place in 0..args.len() {
            let part = args.string(interp, place)?;
            append_checked(interp, &mut all, &part.borrow())?;
        }
        let string = own_mut(interp, this)?;
        replace_bytes(interp, string, 0, 0, &all)?;
        Ok(this.clone())
    }),
    MethodDef("insert", exactly(2), |interp, this, args| {
        let string = own_mut(interp, this)?;
        let index = args.int(interp, 0)?;
        let part = args.string(interp, 1)?.borrow().clone();
        let len = char_count(&string.borrow()) as i64;
        let at = if index < 0 { index.saturating_add(len + 1) } else { index };
        let at = usize::try_from(at).ok().and_then(|at| byte_of(&string.borrow(), at));
        let Some(at) = at else {
            return Err(interp.error("IndexError", format!("index {index} out of string")));
        };
        replace_bytes(interp, string, at, at, &part)?;
        Ok(this.clone())
    }),
    MethodDef("replace", exactly(1), replace),
    MethodDef("initialize_copy", exactly(1), replace),
    MethodDef("clear", exactly(0), |interp, this, _| {
        let string = own_mut(interp, this)?;
        string.borrow_mut().bytes_mut().clear();
        Ok(this.clone())
    }),
    MethodDef("reverse", exactly(0), |interp, this, _| copied(interp, this, reversed)),
    MethodDef("reverse!", exactly(0), |interp, this, _| {
        in_place(interp, this, reversed)?;
        Ok(this.clone())
    }),
    MethodDef("succ", exactly(0), |interp, this, _| copied(interp, this, super::successor)),
    MethodDef("next", exactly(0), |interp, this, _| copied(interp, this, super::successor)),
    MethodDef("succ!", exactly(0), |interp, this, _| {
        in_place(interp, this, super::successor)?;
        Ok(this.clone())
    }),
    MethodDef("next!", exactly(0), |interp, this, _| {
        in_place(interp, this, super::successor)?;
        Ok(this.clone())
    }),
    MethodDef("upto", crate::ruby::args::between(1, 2), |interp, this, args| {
        let block = super::super::enumerable::block_or_enumerator!(interp, this, "upto", args);
        let (start, end) = (own(interp, this)?.clone(), args.string(interp, 0)?);
        for string in super::succession(interp, &start, &end, args.at(1).truthy())? {
            interp.yield_one(block, string)?;
        }
        Ok(this.clone())
    }),
];

fn append(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let string = own_mut(interp, this)?;
    let mut added = Vec::with_capacity(args.len());
    for value in args.values {
        added.push(match value {
            Value::Int(code) => character(interp, *code, string.borrow().encoding())?,
            other => interp.to_str(other)?.borrow().clone(),
        });
    }
    for part in &added {
        if !string.borrow().fits(part) {
            return Err(interp.incompatible("incompatible encodings", &string.borrow(), part));
        }
        append_checked(interp, &mut string.borrow_mut(), part)?;
    }
    Ok(this.clone())
}

/// The character of a code, in an encoding.
fn character(interp: &mut Interp, code: i64, encoding: Encoding) -> Outcome<StrBuf> {
    if matches!(encoding, Encoding::Binary | Encoding::UsAscii) {
        if let Ok(byte) = u8::try_from(code) {
            return Ok(StrBuf::new(vec![byte], encoding));
        }
    } else if let Some(character) = u32::try_from(code).ok().and_then(char::from_u32) {
        return Ok(StrBuf::from(character.to_string()));
    }
    Err(interp.error("RangeError", format!("{code} out of char range")))
}

fn replace(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let other = args.string(interp, 0)?.borrow().clone();
    *own_mut(interp, this)?.borrow_mut() = other;
    Ok(this.clone())
}

fn reversed(buffer: &StrBuf) -> StrBuf {
    let mut out = Vec::with_capacity(buffer.len());
    for (start, end) in spans(buffer).into_iter().rev() {
        out.extend_from_slice(buffer.bytes().get(start..end).unwrap_or_default());
    }
    StrBuf::new(out, buffer.encoding())
}
