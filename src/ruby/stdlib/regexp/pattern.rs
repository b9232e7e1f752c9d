//! `Regexp`: making regular expressions and asking them.

use std::rc::Rc;

use super::super::MethodDef;
use super::{Subject, match_from, match_index, search};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::compiler::tree::RegexpOptions;
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::{Interp, regexp_to_s};
use crate::ruby::value::{RRegexp, Value};

/// The escaped form of a text, `Regexp.escape`.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{0C}' => out.push_str("\\f"),
            '\u{0B}' => out.push_str("\\v"),
            ' ' | '[' | ']' | '{' | '}' | '(' | ')' | '|' | '-' | '*' | '.' | '\\' | '?' | '+' | '^'
            | '$' | '#' => {
                out.push('\\');
                out.push(character);
            }
            other => out.push(other),
        }
    }
    out
}

pub(super) const SINGLETON: &[MethodDef] = &[
    MethodDef("new", between(1, 3), new),
    MethodDef("compile", between(1, 3), new),
    MethodDef("escape", exactly(1), |interp, _, args| escape(interp, args)),
    MethodDef("quote", exactly(1), |interp, _, args| escape(interp, args)),
    MethodDef("union", at_least(0), union),
    MethodDef("last_match", between(0, 1), |interp, _, args| {
        let found = interp.last_match.clone();
        match args.get(0) {
            Some(_) if !found.is_nil() => interp.call(&found, "[]", args.values),
            _ => Ok(found),
        }
    }),
    MethodDef("try_convert", exactly(1), |_, _, args| {
        Ok(if let Value::Regexp(_) = args.at(0) { args.at(0).clone() } else { Value::Nil })
    }),
    MethodDef("linear_time?", at_least(1), |_, _, _| Ok(Value::Bool(true))),
    MethodDef("timeout", exactly(0), |_, _, _| Ok(Value::Nil)),
    MethodDef("timeout=", exactly(1), |_, _, args| Ok(args.at(0).clone())),
];

fn escape(interp: &mut Interp, args: Args<'_>) -> Outcome {
    let text = match args.at(0) {
        Value::Sym(name) => name.as_str().to_owned(),
        _ => args.text(interp, 0)?,
    };
    Ok(Value::str(escaped(&text)))
}

fn new(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let (args, _) = args.split_keywords();
    if let Value::Regexp(_) = args.at(0) {
        return Ok(args.at(0).clone());
    }
    let source = args.text(interp, 0)?;
    let options = match args.at(1) {
        Value::Nil | Value::Bool(false) => RegexpOptions::default(),
        Value::Int(bits) => RegexpOptions {
            ignore_case: bits & 1 != 0,
            extended: bits & 2 != 0,
            multiline: bits & 4 != 0,
            once: false,
        },
        Value::Str(letters) => {
            let letters = letters.to_text();
            if let Some(other) = letters.chars().find(|letter| !"imx".contains(*letter)) {
                _ = other;
                return Err(interp.argument_error(format!("unknown regexp option: {letters}")));
            }
            RegexpOptions {
                ignore_case: letters.contains('i'),
                extended: letters.contains('x'),
                multiline: letters.contains('m'),
                once: false,
            }
        }
        _ => RegexpOptions { ignore_case: true, ..RegexpOptions::default() },
    };
    interp.new_regexp(&source, options)
}

fn union(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let patterns = match args.values {
        [Value::Array(array)] => array.to_vec(),
        several => several.to_vec(),
    };
    if let [Value::Regexp(_)] = patterns.as_slice() {
        return Ok(patterns.into_iter().next().unwrap_or_default());
    }
    if patterns.is_empty() {
        return interp.new_regexp("(?!)", RegexpOptions::default());
    }
    let mut parts = Vec::with_capacity(patterns.len());
    for pattern in &patterns {
        parts.push(match pattern {
            Value::Regexp(regexp) => regexp_to_s(regexp),
            Value::Sym(name) => escaped(name.as_str()),
            other => escaped(&interp.to_str(other)?.to_text()),
        });
    }
    interp.new_regexp(&parts.join("|"), RegexpOptions::default())
}

fn own<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v Rc<RRegexp>> {
    match this {
        Value::Regexp(regexp) => Ok(regexp),
        _ => Err(interp.type_error("uninitialized Regexp")),
    }
}

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("=~", exactly(1), |interp, this, args| {
        let pattern = own(interp, this)?;
        match_index(interp, pattern, args.at(0))
    }),
    MethodDef("===", exactly(1), |interp, this, args| {
        let pattern = own(interp, this)?;
        match args.at(0) {
            Value::Str(_) | Value::Sym(_) => {
                Ok(Value::Bool(!match_from(interp, pattern, args.at(0), 0)?.is_nil()))
            }
            _ => Ok(Value::Bool(false)),
        }
    }),
    MethodDef("match", between(1, 2), |interp, this, args| {
        let pattern = own(interp, this)?;
        let from = start_of(interp, args)?;
        let Some(from) = from else {
            interp.last_match = Value::Nil;
            return Ok(Value::Nil);
        };
        let found = match_from(interp, pattern, args.at(0), from)?;
        match args.block {
            Some(block) if !found.is_nil() => interp.yield_one(block, found),
            _ => Ok(found),
        }
    }),
    MethodDef("match?", between(1, 2), |interp, this, args| {
        let pattern = own(interp, this)?;
        if let (Value::Str(string), 1) = (args.at(0), args.len())
            && let Some(text) = string.borrow().as_str()
            && let Ok(found) = pattern.regex.try_is_match(text)
        {
            return Ok(Value::Bool(found));
        }
        let Some(from) = start_of(interp, args)? else { return Ok(Value::Bool(false)) };
        if args.at(0).is_nil() {
            return Ok(Value::Bool(false));
        }
        let subject = Subject::of(interp, args.at(0))?;
        let from = subject.place(from);
        Ok(Value::Bool(search(interp, pattern, &subject, from)?.is_some()))
    }),
    MethodDef("source", exactly(0), |interp, this, _| Ok(Value::str(&*own(interp, this)?.source))),
    MethodDef("to_s", exactly(0), |interp, this, _| Ok(Value::str(regexp_to_s(own(interp, this)?)))),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let pattern = own(interp, this)?;
        let mut out = String::from("/");
        let mut escape = false;
        for character in pattern.source.chars() {
            match character {
                '/' if !escape => out.push_str("\\/"),
                '\n' => out.push_str("\\n"),
                other => out.push(other),
            }
            escape = character == '\\' && !escape;
        }
        out.push('/');
        for (set, letter) in [(pattern.multiline, 'm'), (pattern.ignore_case, 'i'), (pattern.extended, 'x')] {
            if set {
                out.push(letter);
            }
        }
        Ok(Value::str(out))
    }),
    MethodDef("options", exactly(0), |interp, this, _| {
        let pattern = own(interp, this)?;
        let bits = i64::from(pattern.ignore_case)
            | i64::from(pattern.extended) << 1
            | i64::from(pattern.multiline) << 2;
        Ok(Value::Int(bits))
    }),
    MethodDef("casefold?", exactly(0), |interp, this, _| Ok(Value::Bool(own(interp, this)?.ignore_case))),
    MethodDef("names", exactly(0), |interp, this, _| {
        let names = own(interp, this)?.regex.names().map(|(name, _)| Value::str(name));
        Ok(Value::array(names.collect()))
    }),
    MethodDef("named_captures", exactly(0), |interp, this, _| {
        let names = own(interp, this)?.regex.names().map(|(name, groups)| {
            (Value::str(name), Value::array(groups.iter().map(|group| Value::from(*group)).collect()))
        });
        Ok(Value::hash(names.collect()))
    }),
    MethodDef("==", exactly(1), |interp, this, args| Ok(Value::Bool(interp.equal(this, args.at(0))?))),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
    MethodDef("freeze", exactly(0), |_, this, _| Ok(this.clone())),
];

/// The byte at which `match(text, position)` starts; `None` where the text has no such position.
fn start_of(interp: &mut Interp, args: Args<'_>) -> Outcome<Option<usize>> {
    if args.len() < 2 || args.at(0).is_nil() {
        return Ok(Some(0));
    }
    let position = args.int(interp, 1)?;
    let text = Subject::of(interp, args.at(0))?;
    let count = text.text.chars().count();
    let position = if position < 0 { position.saturating_add(count as i64) } else { position };
    let Some(position) = usize::try_from(position).ok().filter(|position| *position <= count) else {
        return Ok(None);
    };
    let place = text.text.char_indices().nth(position).map_or(text.text.len(), |(at, _)| at);
    Ok(Some(text.byte(place)))
}
