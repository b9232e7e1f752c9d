//! `String`: parts by position, range, text or pattern.

use std::rc::Rc;

use super::super::MethodDef;
use super::super::range;
use super::super::regexp;
use super::chars::{byte_of, char_count, index_of, range_of};
use super::{append_checked, like, own, own_mut};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{RString, StrBuf, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("[]", between(1, 2), slice),
    MethodDef("slice", between(1, 2), slice),
    MethodDef("slice!", between(1, 2), |interp, this, args| {
        let string = own_mut(interp, this)?;
        let Some((start, end)) = place(interp, this, args)? else { return Ok(Value::Nil) };
        let cut = like(&string.borrow(), string.borrow().bytes().get(start..end).unwrap_or_default());
        string.borrow_mut().bytes_mut().drain(start..end);
        Ok(cut)
    }),
    MethodDef("[]=", between(2, 3), assign),
    MethodDef("byteslice", between(1, 2), byteslice),
    MethodDef("getbyte", exactly(1), |interp, this, args| {
        let index = args.int(interp, 0)?;
        let buffer = own(interp, this)?.borrow();
        let at = if index < 0 { index + buffer.len() as i64 } else { index };
        let byte = usize::try_from(at).ok().and_then(|at| buffer.bytes().get(at).copied());
        Ok(byte.map_or(Value::Nil, |byte| Value::Int(byte.into())))
    }),
    MethodDef("setbyte", exactly(2), |interp, this, args| {
        let (index, byte) = (args.int(interp, 0)?, args.int(interp, 1)?);
        let string = own_mut(interp, this)?;
        let len = string.borrow().len();
        let at = if index < 0 { index + len as i64 } else { index };
        match usize::try_from(at).ok().filter(|at| *at < len) {
            Some(at) => {
                if let Some(slot) = string.borrow_mut().bytes_mut().get_mut(at) {
                    *slot = byte as u8;
                }
                Ok(args.at(1).clone())
            }
            None => Err(interp.error("IndexError", format!("index {index} out of string"))),
        }
    }),
    MethodDef("index", between(1, 2), index),
    MethodDef("byteindex", between(1, 2), |interp, this, args| {
        let found = index(interp, this, args)?;
        Ok(match found {
            Value::Int(at) => {
                let buffer = own(interp, this)?.borrow();
                Value::from(usize::try_from(at).ok().and_then(|at| byte_of(&buffer, at)))
            }
            other => other,
        })
    }),
    MethodDef("rindex", between(1, 2), rindex),
    MethodDef("partition", exactly(1), |interp, this, args| {
        let found = find_from(interp, this, args.at(0), 0)?;
        let buffer = own(interp, this)?.borrow();
        Ok(parts(&buffer, found, false))
    }),
    MethodDef("rpartition", exactly(1), |interp, this, args| {
        let found = find_last(interp, this, args.at(0), usize::MAX)?;
        let buffer = own(interp, this)?.borrow();
        Ok(parts(&buffer, found, true))
    }),
];

fn parts(buffer: &StrBuf, found: Option<(usize, usize)>, from_end: bool) -> Value {
    let part = |start: usize, end: usize| like(buffer, buffer.bytes().get(start..end).unwrap_or_default());
    Value::array(match found {
        Some((start, end)) => vec![part(0, start), part(start, end), part(end, buffer.len())],
        None if from_end => vec![part(0, 0), part(0, 0), part(0, buffer.len())],
        None => vec![part(0, buffer.len()), part(0, 0), part(0, 0)],
    })
}

/// The bytes that `string[arguments]` means.
fn place(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<Option<(usize, usize)>> {
    let string = own(interp, this)?;
    match args.at(0) {
        Value::Regexp(pattern) => {
            let group = args.get(1).cloned().unwrap_or(Value::Int(0));
            regexp::group_span(interp, pattern, this, &group)
        }
        Value::Range(range) => {
            let len = char_count(&string.borrow());
            let Some((start, count)) = range::span(interp, range, len)? else { return Ok(None) };
            Ok(range_of(&string.borrow(), start as i64, count as i64))
        }
        Value::Str(part) => {
            let (buffer, part) = (string.borrow(), part.borrow());
            let found = memchr::memmem::find(buffer.bytes(), part.bytes());
            Ok(found.map(|start| (start, start + part.len())))
        }
        start => {
            let start = interp.to_int(start)?;
            if args.len() > 1 {
                let count = args.int(interp, 1)?;
                return Ok(range_of(&string.borrow(), start, count));
            }
            let buffer = string.borrow();
            Ok(range_of(&buffer, start, 1).filter(|(start, end)| start < end))
        }
    }
}

fn slice(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let found = place(interp, this, args)?;
    let buffer = own(interp, this)?.borrow();
    Ok(match found {
        Some((start, end)) => like(&buffer, buffer.bytes().get(start..end).unwrap_or_default()),
        None => Value::Nil,
    })
}

fn byteslice(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let string = own(interp, this)?;
    let len = string.borrow().len();
    let (start, count) = match args.at(0) {
        Value::Range(range) => match range::span(interp, range, len)? {
            Some(span) => span,
            None => return Ok(Value::Nil),
        },
        start => {
            let start = interp.to_int(start)?;
            let start = if start < 0 { start + len as i64 } else { start };
            let count = if args.len() > 1 { args.int(interp, 1)? } else { 1 };
            match (usize::try_from(start), usize::try_from(count)) {
                (Ok(start), Ok(count)) if start < len || (start == len && args.len() > 1) => (start, count),
                _ => return Ok(Value::Nil),
            }
        }
    };
    let buffer = string.borrow();
    let end = start.saturating_add(count).min(len);
    Ok(like(&buffer, buffer.bytes().get(start..end).unwrap_or_default()))
}

fn assign(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let string = own_mut(interp, this)?;
    let value = args.values.last().cloned().unwrap_or_default();
    let by = interp.to_str(&value)?.borrow().clone();
    let places = Args { values: args.values.get(..args.len() - 1).unwrap_or_default(), ..args };
    let found = match (places.at(0), places.get(1)) {
        // One behind the end is a place for a new part.
        (Value::Int(at), None) if *at >= 0 && *at as usize == char_count(&string.borrow()) && *at > 0 => None,
        _ => place(interp, this, places)?,
    };
    let Some((start, end)) = found else {
        let message = match places.at(0) {
            Value::Str(_) => "string not matched".to_owned(),
            Value::Regexp(_) => "regexp not matched".to_owned(),
            Value::Range(_) => {
                let shown = interp.inspect(places.at(0))?;
                return Err(interp.error("RangeError", format!("{shown} out of range")));
            }
            index => format!("index {} out of string", interp.inspect(index)?),
        };
        return Err(interp.error("IndexError", message));
    };
    replace_bytes(interp, string, start, end, &by)?;
    Ok(value)
}

/// Replaces some bytes of a string by another string.
pub(super) fn replace_bytes(
    interp: &mut Interp,
    string: &Rc<RString>,
    start: usize,
    end: usize,
    by: &StrBuf,
) -> Outcome<()> {
    let (mut out, tail) = {
        let buffer = string.borrow();
        let head = buffer.bytes().get(..start).unwrap_or_default().to_vec();
        let tail = buffer.bytes().get(end..).unwrap_or_default().to_vec();
        (StrBuf::new(head, buffer.encoding()), StrBuf::new(tail, buffer.encoding()))
    };
    append_checked(interp, &mut out, by)?;
    append_checked(interp, &mut out, &tail)?;
    *string.borrow_mut() = out;
    Ok(())
}

/// The first place of a text or pattern at or behind a byte.
fn find_from(
    interp: &mut Interp,
    this: &Value,
    wanted: &Value,
    from: usize,
) -> Outcome<Option<(usize, usize)>> {
    if let Value::Regexp(pattern) = wanted {
        return regexp::find_span(interp, pattern, this, from);
    }
    let part = interp.to_str(wanted)?;
    let (buffer, part) = (own(interp, this)?.borrow(), part.borrow());
    let rest = buffer.bytes().get(from..).unwrap_or_default();
    Ok(memchr::memmem::find(rest, part.bytes()).map(|at| (from + at, from + at + part.len())))
}

/// The last place of a text or pattern that begins at or before a byte.
fn find_last(
    interp: &mut Interp,
    this: &Value,
    wanted: &Value,
    upto: usize,
) -> Outcome<Option<(usize, usize)>> {
    if let Value::Regexp(pattern) = wanted {
        return regexp::find_last_span(interp, pattern, this, upto);
    }
    let part = interp.to_str(wanted)?;
    let (buffer, part) = (own(interp, this)?.borrow(), part.borrow());
    let end = upto.saturating_add(part.len()).min(buffer.len());
    let head = buffer.bytes().get(..end).unwrap_or_default();
    Ok(memchr::memmem::rfind(head, part.bytes()).map(|at| (at, at + part.len())))
}

fn index(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let from = if args.len() > 1 { args.int(interp, 1)? } else { 0 };
    let string = own(interp, this)?;
    let from = if from < 0 { from.saturating_add(char_count(&string.borrow()) as i64) } else { from };
    let start = usize::try_from(from).ok().and_then(|from| byte_of(&string.borrow(), from));
    let Some(start) = start else { return Ok(Value::Nil) };
    let found = find_from(interp, this, args.at(0), start)?;
    let buffer = string.borrow();
    Ok(found.map_or(Value::Nil, |(at, _)| Value::from(index_of(&buffer, at))))
}

fn rindex(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let string = own(interp, this)?;
    let upto = match args.get(1) {
        None => usize::MAX,
        Some(_) => {
            let from = args.int(interp, 1)?;
            let buffer = string.borrow();
            let from = if from < 0 { from.saturating_add(char_count(&buffer) as i64) } else { from };
            match usize::try_from(from) {
                Ok(from) => byte_of(&buffer, from).unwrap_or(usize::MAX),
                Err(_) => return Ok(Value::Nil),
            }
        }
    };
    let found = find_last(interp, this, args.at(0), upto)?;
    let buffer = string.borrow();
    Ok(found.map_or(Value::Nil, |(at, _)| Value::from(index_of(&buffer, at))))
}
