//! `String#split` and `String#scan`.

use std::rc::Rc;

use super::super::MethodDef;
use super::super::regexp::{self, Subject};
use super::{check_text, like, own};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{RRegexp, StrBuf, Value};

pub(super) const METHODS: &[MethodDef] =
    &[MethodDef("split", between(0, 2), split), MethodDef("scan", exactly(1), scan)];

fn split(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let limit = if args.len() > 1 { args.int(interp, 1)? } else { 0 };
    let string = own(interp, this)?;
    if string.borrow().is_empty() {
        return Ok(Value::array(Vec::new()));
    }
    if limit == 1 {
        return Ok(Value::array(vec![like(&string.borrow(), string.borrow().bytes())]));
    }
    let most = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    if !matches!(args.at(0), Value::Regexp(_)) {
        check_text(interp, this)?;
    }
    let mut parts = match args.at(0) {
        Value::Nil => by_space(&string.borrow(), most),
        Value::Regexp(pattern) => by_pattern(interp, this, pattern, most)?,
        other => {
            let separator = interp.to_str(other)?;
            let (buffer, separator) = (string.borrow(), separator.borrow());
            if separator.bytes() == b" " {
                by_space(&buffer, most)
            } else {
                by_text(&buffer, separator.bytes(), most)
            }
        }
    };
    if limit == 0 {
        while matches!(parts.last(), Some(Value::Str(last)) if last.borrow().is_empty()) {
            parts.pop();
        }
    }
    match args.block {
        Some(block) => {
            for part in parts {
                interp.yield_one(block, part)?;
            }
            Ok(this.clone())
        }
        None => Ok(Value::array(parts)),
    }
}

/// Words between whitespace, as awk splits.
fn by_space(buffer: &StrBuf, most: usize) -> Vec<Value> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r' | 0);
    let mut parts = Vec::new();
    let mut rest = buffer.bytes();
    loop {
        let start = rest.iter().position(|byte| !is_space(byte)).unwrap_or(rest.len());
        rest = rest.get(start..).unwrap_or_default();
        if parts.len() + 1 >= most {
            parts.push(like(buffer, rest));
            return parts;
        }
        let Some(end) = rest.iter().position(is_space) else { break };
        let (part, behind) = rest.split_at(end);
        parts.push(like(buffer, part));
        rest = behind;
    }
    parts.push(like(buffer, rest));
    parts
}

fn by_text(buffer: &StrBuf, separator: &[u8], most: usize) -> Vec<Value> {
    let mut parts = Vec::new();
    let bytes = buffer.bytes();
    if separator.is_empty() {
        for (start, end) in super::chars::spans(buffer) {
            if parts.len() + 1 >= most {
                parts.push(like(buffer, bytes.get(start..).unwrap_or_default()));
                return parts;
            }
            parts.push(like(buffer, bytes.get(start..end).unwrap_or_default()));
        }
        if most != usize::MAX {
            parts.push(like(buffer, b""));
        }
        return parts;
    }
    let finder = memchr::memmem::Finder::new(separator);
    let mut from = 0;
    while parts.len() + 1 < most
        && let Some(at) = finder.find(bytes.get(from..).unwrap_or_default())
    {
        parts.push(like(buffer, bytes.get(from..from + at).unwrap_or_default()));
        from += at + separator.len();
    }
    parts.push(like(buffer, bytes.get(from..).unwrap_or_default()));
    parts
}

/// Split at every match; an empty match splits between two characters.
fn by_pattern(interp: &mut Interp, this: &Value, pattern: &Rc<RRegexp>, most: usize) -> Outcome<Vec<Value>> {
    let subject = Subject::of(interp, this)?;
    let len = subject.text.len();
    let mut parts = Vec::new();
    let (mut from, mut start, mut stepped) = (0, 0, false);
    let mut pieces = 1;
    while let Some(spans) = regexp::search(interp, pattern, &subject, start)? {
        let Some(Some((at, end))) = spans.first().copied() else { break };
        if at == start && at == end {
            if !stepped {
                start += super::char_len_at(&subject.text, start);
                stepped = true;
                if start > len {
                    break;
                }
                continue;
            }
            parts.push(subject.value(from, from + super::char_len_at(&subject.text, from)));
            from = start;
        } else {
            parts.push(subject.value(from, at));
            from = end;
            start = end;
        }
        stepped = false;
        for (start, end) in spans.iter().skip(1).flatten() {
            parts.push(subject.value(*start, *end));
        }
        pieces += 1;
        if pieces >= most {
            break;
        }
    }
    if most != usize::MAX || len > from {
        parts.push(subject.value(from, len));
    } else if len == from {
        parts.push(subject.value(len, len));
    }
    Ok(parts)
}

fn scan(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    check_text(interp, this)?;
    let found = regexp::all_matches(interp, args.at(0), this)?;
    let item = |spans: &[Option<(usize, usize)>]| {
        let part = |span: &Option<(usize, usize)>| {
            span.map_or(Value::Nil, |(start, end)| found.subject.value(start, end))
        };
        match spans {
            [whole] => part(whole),
            [_, groups @ ..] => Value::array(groups.iter().map(part).collect()),
            [] => Value::Nil,
        }
    };
    let Some(block) = args.block else {
        found.remember_last(interp);
        return Ok(Value::array(found.matches.iter().map(|spans| item(spans)).collect()));
    };
    for spans in &found.matches {
        found.remember(interp, spans);
        interp.yield_one(block, item(spans))?;
    }
    found.remember_last(interp);
    Ok(this.clone())
}
