//! `String`: upper and lower case, padding and stripping.

use super::super::MethodDef;
use super::{char_count, check_text, copied, in_place, own};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{StrBuf, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("upcase", at_least(0), |interp, this, _| {
        check_cased(interp, this)?;
        copied(interp, this, |s| mapped(s, upper))
    }),
    MethodDef("upcase!", at_least(0), |interp, this, _| {
        check_cased(interp, this)?;
        in_place(interp, this, |s| mapped(s, upper))
    }),
    MethodDef("downcase", at_least(0), |interp, this, _| {
        check_cased(interp, this)?;
        copied(interp, this, |s| mapped(s, lower))
    }),
    MethodDef("downcase!", at_least(0), |interp, this, _| {
        check_cased(interp, this)?;
        in_place(interp, this, |s| mapped(s, lower))
    }),
    MethodDef("capitalize", at_least(0), |interp, this, _| {
        check_cased(interp, this)?;
        copied(interp, this, |s| mapped(s, capitalize))
    }),
    MethodDef("capitalize!", at_least(0), |interp, this, _| {
        check_cased(interp, this)?;
        in_place(interp, this, |s| mapped(s, capitalize))
    }),
    MethodDef("swapcase", at_least(0), |interp, this, _| {
        check_cased(interp, this)?;
        copied(interp, this, |s| mapped(s, swap))
    }),
    MethodDef("swapcase!", at_least(0), |interp, this, _| {
        check_cased(interp, this)?;
        in_place(interp, this, |s| mapped(s, swap))
    }),
    MethodDef("strip", exactly(0), |interp, this, _| {
        check_text(interp, this)?;
        copied(interp, this, |s| stripped(s, true, true))
    }),
    MethodDef("strip!", exactly(0), |interp, this, _| {
        check_text(interp, this)?;
        in_place(interp, this, |s| stripped(s, true, true))
    }),
    MethodDef("lstrip", exactly(0), |interp, this, _| {
        check_text(interp, this)?;
        copied(interp, this, |s| stripped(s, true, false))
    }),
    MethodDef("lstrip!", exactly(0), |interp, this, _| {
        check_text(interp, this)?;
        in_place(interp, this, |s| stripped(s, true, false))
    }),
    MethodDef("rstrip", exactly(0), |interp, this, _| copied(interp, this, |s| stripped(s, false, true))),
    MethodDef("rstrip!", exactly(0), |interp, this, _| in_place(interp, this, |s| stripped(s, false, true))),
    MethodDef("chomp", between(0, 1), |interp, this, args| {
        let end = ending(interp, args)?;
        copied(interp, this, |s| chomped(s, end.as_deref()))
    }),
    MethodDef("chomp!", between(0, 1), |interp, this, args| {
        let end = ending(interp, args)?;
        in_place(interp, this, |s| chomped(s, end.as_deref()))
    }),
    MethodDef("chop", exactly(0), |interp, this, _| copied(interp, this, chopped)),
    MethodDef("chop!", exactly(0), |interp, this, _| in_place(interp, this, chopped)),
    MethodDef("delete_prefix", exactly(1), |interp, this, args| {
        let prefix = args.string(interp, 0)?.borrow().clone();
        copied(interp, this, |s| without_prefix(s, &prefix))
    }),
    MethodDef("delete_prefix!", exactly(1), |interp, this, args| {
        let prefix = args.string(interp, 0)?.borrow().clone();
        in_place(interp, this, |s| without_prefix(s, &prefix))
    }),
    MethodDef("delete_suffix", exactly(1), |interp, this, args| {
        let suffix = args.string(interp, 0)?.borrow().clone();
        copied(interp, this, |s| without_suffix(s, &suffix))
    }),
    MethodDef("delete_suffix!", exactly(1), |interp, this, args| {
        let suffix = args.string(interp, 0)?.borrow().clone();
        in_place(interp, this, |s| without_suffix(s, &suffix))
    }),
    MethodDef("center", between(1, 2), |interp, this, args| {
        justify(interp, this, args, |space| (space / 2, space - space / 2))
    }),
    MethodDef("ljust", between(1, 2), |interp, this, args| justify(interp, this, args, |space| (0, space))),
    MethodDef("rjust", between(1, 2), |interp, this, args| justify(interp, this, args, |space| (space, 0))),
];

/// Bytes that are no text have no case.
fn check_cased(interp: &mut Interp, this: &Value) -> Outcome<()> {
    let broken = own(interp, this)?.borrow().is_broken_text();
    if broken { Err(interp.argument_error("input string invalid")) } else { Ok(()) }
}

/// Maps text; of what is no text, its ASCII letters alone.
fn mapped(buffer: &StrBuf, map: fn(&str) -> String) -> StrBuf {
    match buffer.as_str() {
        Some(text) if buffer.encoding() == crate::ruby::value::Encoding::Utf8 => StrBuf::from(map(text)),
        Some(text) => StrBuf::new(map(text).into_bytes(), buffer.encoding()),
        None => {
            let mut out = Vec::with_capacity(buffer.len());
            for chunk in buffer.bytes().chunk_by(|a, b| a.is_ascii() == b.is_ascii()) {
                match std::str::from_utf8(chunk) {
                    Ok(text) if text.is_ascii() => out.extend(map(text).into_bytes()),
                    _ => out.extend_from_slice(chunk),
                }
            }
            StrBuf::new(out, buffer.encoding())
        }
    }
}

fn upper(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_uppercase() } else { text.to_uppercase() }
}

fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Character by character: Ruby knows no final sigma.
    text.chars().flat_map(char::to_lowercase).collect()
}

fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let mut out: String = match characters.next() {
        Some('ß') => "Ss".into(),
        first => first.into_iter().flat_map(char::to_uppercase).collect(),
    };
    out.push_str(&lower(characters.as_str()));
    out
}

fn swap(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_uppercase() {
            out.extend(character.to_lowercase());
        } else {
            out.extend(character.to_uppercase());
        }
    }
    out
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0)
}

fn stripped(buffer: &StrBuf, left: bool, right: bool) -> StrBuf {
    let mut bytes = buffer.bytes();
    while left
        && let [first, rest @ ..] = bytes
        && is_space(*first)
    {
        bytes = rest;
    }
    while right
        && let [rest @ .., last] = bytes
        && is_space(*last)
    {
        bytes = rest;
    }
    StrBuf::new(bytes.to_vec(), buffer.encoding())
}

/// What `chomp` is to take off; `None` leaves everything.
fn ending(interp: &mut Interp, args: Args<'_>) -> Outcome<Option<Vec<u8>>> {
    match args.get(0) {
        None => Ok(Some(b"\n".to_vec())),
        Some(Value::Nil) => Ok(None),
        Some(_) => Ok(Some(args.string(interp, 0)?.borrow().bytes().to_vec())),
    }
}

fn chomped(buffer: &StrBuf, end: Option<&[u8]>) -> StrBuf {
    let bytes = buffer.bytes();
    let kept = match end {
        None => bytes,
        Some(b"\n") => bytes
            .strip_suffix(b"\r\n")
            .or(bytes.strip_suffix(b"\n"))
            .or(bytes.strip_suffix(b"\r"))
            .unwrap_or(bytes),
        Some(b"") => {
            let mut bytes = bytes;
            while let Some(rest) = bytes.strip_suffix(b"\r\n").or(bytes.strip_suffix(b"\n")) {
                bytes = rest;
            }
            bytes
        }
        Some(end) => bytes.strip_suffix(end).unwrap_or(bytes),
    };
    StrBuf::new(kept.to_vec(), buffer.encoding())
}

fn chopped(buffer: &StrBuf) -> StrBuf {
    let bytes = buffer.bytes();
    let kept = match bytes.strip_suffix(b"\r\n") {
        Some(kept) => kept,
        None => {
            let start = super::chars::spans(buffer).last().map_or(0, |(start, _)| *start);
            bytes.get(..start).unwrap_or_default()
        }
    };
    StrBuf::new(kept.to_vec(), buffer.encoding())
}

fn without_prefix(buffer: &StrBuf, prefix: &StrBuf) -> StrBuf {
    let kept = buffer.bytes().strip_prefix(prefix.bytes()).unwrap_or(buffer.bytes());
    StrBuf::new(kept.to_vec(), buffer.encoding())
}

fn without_suffix(buffer: &StrBuf, suffix: &StrBuf) -> StrBuf {
    let kept = buffer.bytes().strip_suffix(suffix.bytes()).unwrap_or(buffer.bytes());
    StrBuf::new(kept.to_vec(), buffer.encoding())
}

fn justify(interp: &mut Interp, this: &Value, args: Args<'_>, share: fn(usize) -> (usize, usize)) -> Outcome {
    let width = usize::try_from(args.int(interp, 0)?).unwrap_or(0);
    let pad = match args.get(1) {
        Some(_) => args.string(interp, 1)?.borrow().clone(),
        None => StrBuf::from(" "),
    };
    if pad.is_empty() {
        return Err(interp.argument_error("zero width padding"));
    }
    let string = own(interp, this)?;
    let space = width.saturating_sub(char_count(&string.borrow()));
    interp.check_size(space.saturating_mul(pad.len()))?;
    let (left, right) = share(space);
    let spans = super::chars::spans(&pad);
    let fill = |count: usize| -> StrBuf {
        let mut out = Vec::new();
        for (start, end) in spans.iter().cycle().take(count) {
            out.extend_from_slice(pad.bytes().get(*start..*end).unwrap_or_default());
        }
        StrBuf::new(out, pad.encoding())
    };
    let mut out = fill(left);
    out.append(&string.borrow());
    out.append(&fill(right));
    Ok(super::from_buffer(out))
}
