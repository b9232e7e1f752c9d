//! `String#sub` and `String#gsub`.

use super::super::MethodDef;
use super::super::regexp::{self, Found, Spans};
use super::{append_checked, from_buffer, own, put_changed};
use crate::ruby::args::{Args, between};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{StrBuf, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("sub", between(1, 2), |interp, this, args| copy(interp, this, args, false)),
    MethodDef("gsub", between(1, 2), |interp, this, args| copy(interp, this, args, true)),
    MethodDef("sub!", between(1, 2), |interp, this, args| change(interp, this, args, false)),
    MethodDef("gsub!", between(1, 2), |interp, this, args| change(interp, this, args, true)),
];

fn copy(interp: &mut Interp, this: &Value, args: Args<'_>, all: bool) -> Outcome {
    if args.len() < 2 && args.block.is_none() {
        if !all {
            return Err(interp.wrong_count(1, "2"));
        }
        return super::super::enumerator::for_method(interp, this, "gsub", args.values);
    }
    match substituted(interp, this, args, all)? {
        Some(buffer) => Ok(from_buffer(buffer)),
        None => {
            let unchanged = own(interp, this)?.borrow().clone();
            Ok(from_buffer(unchanged))
        }
    }
}

fn change(interp: &mut Interp, this: &Value, args: Args<'_>, all: bool) -> Outcome {
    interp.check_frozen(this)?;
    if args.len() < 2 && args.block.is_none() {
        return Err(interp.wrong_count(1, "2"));
    }
    match substituted(interp, this, args, all)? {
        Some(buffer) => {
            put_changed(interp, this, buffer)?;
            Ok(this.clone())
        }
        None => Ok(Value::Nil),
    }
}

/// The string with its matches replaced; `None` where there was no match.
fn substituted(interp: &mut Interp, this: &Value, args: Args<'_>, all: bool) -> Outcome<Option<StrBuf>> {
    let found = match all {
        true => regexp::all_matches(interp, args.at(0), this)?,
        false => regexp::first_match(interp, args.at(0), this)?,
    };
    if found.matches.is_empty() {
        found.remember_last(interp);
        return Ok(None);
    }
    let replacement = match args.get(1) {
        None => None,
        Some(Value::Hash(_)) => Some(Replacement::Lookup),
        Some(other) => Some(Replacement::Text(interp.to_str(other)?.borrow().clone())),
    };
    let encoding = own(interp, this)?.borrow().encoding();
    let subject = &found.subject;
    let mut out = StrBuf::new(Vec::with_capacity(subject.text.len()), encoding);
    let mut from = 0;
    for spans in &found.matches {
        let Some(Some((start, end))) = spans.first().copied() else { continue };
        subject.push(out.bytes_mut(), from, start);
        match (&replacement, args.block) {
            (Some(Replacement::Text(text)), _) => expand(interp, text, &found, spans, &mut out)?,
            (Some(Replacement::Lookup), _) => {
                let value = interp.call(args.at(1), "[]", &[subject.value(start, end)])?;
                append(interp, &value, &mut out)?;
            }
            (None, Some(block)) => {
                found.remember(interp, spans);
                let value = interp.yield_one(block, subject.value(start, end))?;
                append(interp, &value, &mut out)?;
            }
            (None, None) => {}
        }
        interp.check_size(out.len())?;
        from = end;
    }
    subject.push(out.bytes_mut(), from, subject.text.len());
    found.remember_last(interp);
    Ok(Some(out))
}

enum Replacement {
    Text(StrBuf),
    Lookup,
}

fn append(interp: &mut Interp, value: &Value, out: &mut StrBuf) -> Outcome<()> {
    let text = interp.to_s_string(value)?;
    let buffer = text.borrow();
    append_checked(interp, out, &buffer)
}

/// Appends a replacement with its references (`\1`, `\k<name>`, `\0`) filled in.
fn expand(
    interp: &mut Interp,
    replacement: &StrBuf,
    found: &Found,
    spans: &Spans,
    out: &mut StrBuf,
) -> Outcome<()> {
    if memchr::memchr(b'\\', replacement.bytes()).is_none() {
        return append_checked(interp, out, replacement);
    }
    let mut filled = Vec::new();
    let text = replacement.bytes();
    let mut at = 0;
    let span = |group: usize| spans.get(group).copied().flatten();
    let whole = span(0).unwrap_or((0, 0));
    while let Some(byte) = text.get(at).copied() {
        at += 1;
        if byte != b'\\' {
            filled.push(byte);
            continue;
        }
        let Some(next) = text.get(at).copied() else {
            filled.push(b'\\');
            break;
        };
        at += 1;
        let part = match next {
            b'0'..=b'9' => span(usize::from(next - b'0')),
            b'&' => Some(whole),
            b'`' => Some((0, whole.0)),
            b'\'' => Some((whole.1, found.subject.text.len())),
            b'\\' => {
                filled.push(b'\\');
                None
            }
            b'k' if text.get(at) == Some(&b'<') => {
                let rest = text.get(at + 1..).unwrap_or_default();
                let Some(end) = rest.iter().position(|byte| *byte == b'>') else {
                    filled.extend(b"\\k");
                    continue;
                };
                let name = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
                at += end + 2;
                match name.parse::<usize>() {
                    Ok(group) => span(group),
                    Err(_) => {
                        let groups = found.groups_of(&name);
                        if groups.is_empty() {
                            let message = format!("undefined group name reference: {name}");
                            return Err(interp.error("IndexError", message));
                        }
                        groups.iter().rev().find_map(|group| span(*group))
                    }
                }
            }
            other => {
                filled.extend([b'\\', other]);
                None
            }
        };
        if let Some((start, end)) = part {
            found.subject.push(&mut filled, start, end);
        }
    }
    let encoding = if filled.is_ascii() { out.encoding() } else { replacement.encoding() };
    let encoding = if replacement.is_ascii_only() { out.encoding() } else { encoding };
    append_checked(interp, out, &StrBuf::new(filled, encoding))
}
