//! `String`: to numbers, symbols and lists of its parts.

use super::super::MethodDef;
use super::numbers::{parse_float_prefix, parse_integer_prefix};
use super::{chars, like, own};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("to_i", between(0, 1), |interp, this, args| {
        let base = if args.is_empty() { 10 } else { args.int(interp, 0)? };
        if base < 0 || base == 1 || base > 36 {
            return Err(interp.argument_error(format!("illegal radix {base}")));
        }
        let buffer = own(interp, this)?.borrow();
        Ok(Value::big(parse_integer_prefix(&buffer.to_text(), base as u32)))
    }),
    MethodDef("to_f", exactly(0), |interp, this, _| {
        let buffer = own(interp, this)?.borrow();
        Ok(Value::Float(parse_float_prefix(&buffer.to_text())))
    }),
    MethodDef("to_r", exactly(0), |interp, this, _| {
        let text = own(interp, this)?.to_text();
        super::super::numeric::rational_from_text(interp, &text, false)
    }),
    MethodDef("to_c", exactly(0), |interp, this, _| {
        let buffer = own(interp, this)?.borrow();
        Ok(Value::Float(parse_float_prefix(&buffer.to_text())))
    }),
    MethodDef("to_d", exactly(0), |interp, this, _| {
        let text = own(interp, this)?.to_text();
        super::super::big_decimal::from_text(interp, &text, false)
    }),
    MethodDef("hex", exactly(0), |interp, this, _| {
        let buffer = own(interp, this)?.borrow();
        Ok(Value::big(parse_integer_prefix(&buffer.to_text(), 16)))
    }),
    MethodDef("oct", exactly(0), |interp, this, _| {
        let text = own(interp, this)?.to_text();
        let digits = text.trim_start().trim_start_matches(['+', '-']);
        let has_prefix = digits.starts_with('0')
            && digits.chars().nth(1).is_some_and(|letter| "xXbBoOdD".contains(letter));
        Ok(Value::big(parse_integer_prefix(&text, if has_prefix { 0 } else { 8 })))
    }),
    MethodDef("to_sym", exactly(0), to_sym),
    MethodDef("intern", exactly(0), to_sym),
    MethodDef("ord", exactly(0), |interp, this, _| {
        let string = own(interp, this)?;
        let first = string.borrow().as_str().and_then(|text| text.chars().next());
        match first {
            Some(character) => Ok(Value::Int(u32::from(character).into())),
            None if string.borrow().is_empty() => Err(interp.argument_error("empty string")),
            None if string.borrow().is_single_byte() => {
                Ok(Value::Int(string.borrow().bytes().first().copied().unwrap_or(0).into()))
            }
            None => Err(interp.argument_error("invalid byte sequence in UTF-8")),
        }
    }),
    MethodDef("chr", exactly(0), |interp, this, _| {
        let buffer = own(interp, this)?.borrow();
        let end = chars::byte_of(&buffer, 1).unwrap_or(buffer.len());
        Ok(like(&buffer, buffer.bytes().get(..end).unwrap_or_default()))
    }),
    MethodDef("sum", between(0, 1), |interp, this, _| {
        let total: u64 = own(interp, this)?.borrow().bytes().iter().map(|byte| u64::from(*byte)).sum();
        Ok(Value::Int((total & 0xFFFF) as i64))
    }),
    MethodDef("crypt", exactly(1), |interp, _, _| {
        Err(interp.error("NotImplementedError", "crypt() function is unimplemented on this machine"))
    }),
    MethodDef("chars", exactly(0), |interp, this, args| array_of(interp, this, args, characters)),
    MethodDef("each_char", exactly(0), |interp, this, args| {
        each_part(interp, this, args, "each_char", characters)
    }),
    MethodDef("grapheme_clusters", exactly(0), |interp, this, args| array_of(interp, this, args, graphemes)),
    MethodDef("each_grapheme_cluster", exactly(0), |interp, this, args| {
        each_part(interp, this, args, "each_grapheme_cluster", graphemes)
    }),
    MethodDef("bytes", exactly(0), |interp, this, args| array_of(interp, this, args, bytes)),
    MethodDef("each_byte", exactly(0), |interp, this, args| {
        each_part(interp, this, args, "each_byte", bytes)
    }),
    MethodDef("codepoints", exactly(0), |interp, this, args| array_of(interp, this, args, codepoints)),
    MethodDef("each_codepoint", exactly(0), |interp, this, args| {
        each_part(interp, this, args, "each_codepoint", codepoints)
    }),
];

type Parts = fn(&mut Interp, &Value) -> Outcome<Vec<Value>>;

fn array_of(interp: &mut Interp, this: &Value, args: Args<'_>, parts: Parts) -> Outcome {
    let parts = parts(interp, this)?;
    let Some(block) = args.block else { return Ok(Value::array(parts)) };
    for part in parts {
        interp.yield_one(block, part)?;
    }
    Ok(this.clone())
}

fn each_part(interp: &mut Interp, this: &Value, args: Args<'_>, name: &str, parts: Parts) -> Outcome {
    let Some(block) = args.block else {
        return super::super::enumerator::for_method(interp, this, name, args.values);
    };
    for part in parts(interp, this)? {
        interp.yield_one(block, part)?;
    }
    Ok(this.clone())
}

fn to_sym(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let buffer = own(interp, this)?.borrow();
    Ok(Value::sym(&buffer.to_text()))
}

fn characters(interp: &mut Interp, this: &Value) -> Outcome<Vec<Value>> {
    let buffer = own(interp, this)?.borrow();
    let part =
        |(start, end): (usize, usize)| like(&buffer, buffer.bytes().get(start..end).unwrap_or_default());
    Ok(chars::spans(&buffer).into_iter().map(part).collect())
}

/// Characters with the marks that combine with them, joiners and modifiers.
fn graphemes(interp: &mut Interp, this: &Value) -> Outcome<Vec<Value>> {
    let text = own(interp, this)?.to_text();
    let mut clusters: Vec<String> = Vec::new();
    let mut joined = false;
    for character in text.chars() {
        let code = u32::from(character);
        let extends = matches!(code, 0x300..=0x36F | 0x1AB0..=0x1AFF | 0x20D0..=0x20FF | 0xFE00..=0xFE0F
            | 0x1F3FB..=0x1F3FF | 0x200D | 0xFE20..=0xFE2F);
        let after_return = character == '\n' && clusters.last().is_some_and(|last| last == "\r");
        match clusters.last_mut() {
            Some(last) if extends || joined || after_return => last.push(character),
            _ => clusters.push(character.to_string()),
        }
        joined = code == 0x200D;
    }
    Ok(clusters.into_iter().map(Value::str).collect())
}

fn bytes(interp: &mut Interp, this: &Value) -> Outcome<Vec<Value>> {
    let buffer = own(interp, this)?.borrow();
    Ok(buffer.bytes().iter().map(|byte| Value::Int((*byte).into())).collect())
}

fn codepoints(interp: &mut Interp, this: &Value) -> Outcome<Vec<Value>> {
    let string = own(interp, this)?;
    let found: Option<Vec<Value>> = {
        let buffer = string.borrow();
        match buffer.as_str() {
            Some(text) => {
                Some(text.chars().map(|character| Value::Int(u32::from(character).into())).collect())
            }
            None if buffer.is_single_byte() => {
                Some(buffer.bytes().iter().map(|byte| Value::Int((*byte).into())).collect())
            }
            None => None,
        }
    };
    found.ok_or_else(|| interp.argument_error("invalid byte sequence in UTF-8"))
}
