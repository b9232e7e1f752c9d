//! `Regexp` and `MatchData`, and searches on behalf of strings.

use std::rc::Rc;

use super::{ClassDef, MethodDef};
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::compiler::tree::RegexpOptions;
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::{Interp, regexp_to_s};
use crate::ruby::value::{Encoding, HashMap, Native, RRegexp, RString, StringRange, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        methods: &[METHODS],
        singleton_methods: &[SINGLETON],
        setup: Some(|interp, class| {
            for (name, value) in [
                ("IGNORECASE", 1),
                ("EXTENDED", 2),
                ("MULTILINE", 4),
                ("FIXEDENCODING", 16),
                ("NOENCODING", 32),
            ] {
                interp.define_constant(class, name, Value::Int(value));
            }
        }),
        ..ClassDef::class("Regexp")
    },
    ClassDef { superclass: Some("RegexpError"), ..ClassDef::class("Regexp::TimeoutError") },
    ClassDef { methods: &[MATCH], ..ClassDef::class("MatchData") },
];

/// Start and end of every group, group 0 first.
pub(super) type Spans = Vec<Option<(usize, usize)>>;

/// The text of a string that is searched. Bytes of a binary string stand for the characters of their numbers.
#[derive(Clone)]
pub(super) struct Subject {
    pub text: Rc<str>,
    pub encoding: Encoding,
    is_bytes: bool,
}

impl Subject {
    /// The text of a string, symbol or anything with `to_str`. Fails on what is not valid in its encoding.
    pub(super) fn of(interp: &mut Interp, value: &Value) -> Outcome<Subject> {
        if let Value::Sym(name) = value {
            return Ok(Subject { text: name.as_str().into(), encoding: Encoding::Utf8, is_bytes: false });
        }
        let string = interp.to_str(value)?;
        Subject::of_string(interp, &string)
    }

    fn of_string(interp: &mut Interp, string: &RString) -> Outcome<Subject> {
        let buffer = string.borrow();
        let encoding = buffer.encoding();
        if let Some(text) = buffer.as_str() {
            return Ok(Subject { text: text.into(), encoding, is_bytes: false });
        }
        match encoding {
            Encoding::Binary => {
                let text: String = buffer.bytes().iter().map(|byte| char::from(*byte)).collect();
                Ok(Subject { text: text.into(), encoding, is_bytes: true })
            }
            Encoding::Other(_) | Encoding::Utf32 { .. } if buffer.range() != StringRange::Broken => {
                Ok(Subject { text: buffer.to_text().into(), encoding: Encoding::Utf8, is_bytes: false })
            }
            other => {
                drop(buffer);
                Err(interp.argument_error(format!("invalid byte sequence in {}", other.name())))
            }
        }
    }

    /// The text from a place on, as a text of its own.
    pub(super) fn rest(&self, start: usize) -> Subject {
        Subject { text: self.text.get(start..).unwrap_or_default().into(), ..*self }
    }

    /// A part of the text as a string.
    pub(super) fn value(&self, start: usize, end: usize) -> Value {
        let part = self.text.get(start..end).unwrap_or_default();
        if self.is_bytes {
            let bytes: Vec<u8> = part.chars().map(|character| u32::from(character) as u8).collect();
            return Value::bytes(bytes, self.encoding);
        }
        Value::bytes(part, self.encoding)
    }

    /// Appends a part to other bytes.
    pub(super) fn push(&self, into: &mut Vec<u8>, start: usize, end: usize) {
        let part = self.text.get(start..end).unwrap_or_default();
        if self.is_bytes {
            into.extend(part.chars().map(|character| u32::from(character) as u8));
        } else {
            into.extend_from_slice(part.as_bytes());
        }
    }

    /// The byte of the string at a place in the text.
    fn byte(&self, at: usize) -> usize {
        if self.is_bytes { self.chars_before(at) } else { at }
    }

    /// The place in the text of a byte of the string.
    fn place(&self, byte: usize) -> usize {
        if !self.is_bytes {
            return byte;
        }
        self.text.char_indices().nth(byte).map_or(self.text.len(), |(at, _)| at)
    }

    fn chars_before(&self, at: usize) -> usize {
        self.text.get(..at).map_or(0, |before| if before.is_ascii() { at } else { before.chars().count() })
    }
}

/// What a match left: `$~`.
pub(super) struct MatchData {
    subject: Subject,
    spans: Spans,
    /// `nil` where a text was looked for.
    pattern: Value,
}

impl Native for MatchData {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) -> bool {
        visit(&self.pattern);
        true
    }
}

impl MatchData {
    fn group(&self, group: usize) -> Value {
        self.spans
            .get(group)
            .copied()
            .flatten()
            .map_or(Value::Nil, |(start, end)| self.subject.value(start, end))
    }

    fn names(&self) -> Vec<(&str, &[usize])> {
        match &self.pattern {
            Value::Regexp(pattern) => pattern.regex.names().collect(),
            _ => Vec::new(),
        }
    }

    /// The group that a number, name or symbol means.
    fn find(&self, interp: &mut Interp, key: &Value) -> Outcome<Option<usize>> {
        match key {
            Value::Str(_) | Value::Sym(_) => {
                let name = interp.to_name(key)?;
                let groups = match &self.pattern {
                    Value::Regexp(pattern) => pattern.regex.groups_of(name.as_str()).to_vec(),
                    _ => Vec::new(),
                };
                let Some(last) = groups.last().copied() else {
                    return Err(interp.error("IndexError", format!("undefined group name reference: {name}")));
                };
                let took_part =
                    groups.iter().rev().find(|group| self.spans.get(**group).copied().flatten().is_some());
                Ok(Some(took_part.copied().unwrap_or(last)))
            }
            other => {
                let index = interp.to_int(other)?;
                let index = if index < 0 { index.saturating_add(self.spans.len() as i64) } else { index };
                Ok(usize::try_from(index).ok())
            }
        }
    }
}

fn to_match(interp: &Interp, pattern: &Value, subject: &Subject, spans: Spans) -> Value {
    let data = MatchData { subject: subject.clone(), spans, pattern: pattern.clone() };
    Value::native(&interp.classes.match_data, data)
}

/// The groups of the first match at or behind a place.
pub(super) fn search(
    interp: &mut Interp,
    pattern: &RRegexp,
    subject: &Subject,
    from: usize,
) -> Outcome<Option<Spans>> {
    match pattern.regex.try_captures_at(&subject.text, from) {
        Ok(found) => Ok(found.map(|captures| {
            (0..captures.len())
                .map(|group| captures.get(group).map(|found| (found.start(), found.end())))
                .collect()
        })),
        Err(_) => Err(interp.error("Regexp::TimeoutError", "regexp match timeout")),
    }
}

/// A match with `$~` set, or `nil`.
fn match_from(interp: &mut Interp, pattern: &Rc<RRegexp>, value: &Value, from: usize) -> Outcome {
    if value.is_nil() {
        interp.last_match = Value::Nil;
        return Ok(Value::Nil);
    }
    let subject = Subject::of(interp, value)?;
    let from = subject.place(from);
    interp.last_match = match search(interp, pattern, &subject, from)? {
        Some(spans) => to_match(interp, &Value::Regexp(pattern.clone()), &subject, spans),
        None => Value::Nil,
    };
    Ok(interp.last_match.clone())
}

/// `string =~ /pattern/`: where the match begins, in characters.
pub(super) fn match_index(interp: &mut Interp, pattern: &Rc<RRegexp>, value: &Value) -> Outcome {
    let found = match_from(interp, pattern, value, 0)?;
    Ok(found.as_native::<MatchData>().map_or(Value::Nil, |data| match data.spans.first() {
        Some(Some((start, _))) => Value::from(data.subject.chars_before(*start)),
        _ => Value::Nil,
    }))
}

fn whole_bytes(found: &Value, group: Option<usize>) -> Option<(usize, usize)> {
    let data = found.as_native::<MatchData>()?;
    let (start, end) = data.spans.get(group?).copied().flatten()?;
    Some((data.subject.byte(start), data.subject.byte(end)))
}

/// The bytes of the first match at or behind a byte; sets `$~`.
pub(super) fn find_span(
    interp: &mut Interp,
    pattern: &Rc<RRegexp>,
    value: &Value,
    from: usize,
) -> Outcome<Option<(usize, usize)>> {
    let found = match_from(interp, pattern, value, from)?;
    Ok(whole_bytes(&found, Some(0)))
}

/// The bytes of the last match that begins at or before a byte; sets `$~`.
pub(super) fn find_last_span(
    interp: &mut Interp,
    pattern: &Rc<RRegexp>,
    value: &Value,
    upto: usize,
) -> Outcome<Option<(usize, usize)>> {
    let subject = Subject::of(interp, value)?;
    let upto = if upto >= subject.text.len() { subject.text.len() } else { subject.place(upto) };
    let starts = subject.text.char_indices().map(|(at, _)| at).chain([subject.text.len()]);
    let starts: Vec<usize> = starts.take_while(|at| *at <= upto).collect();
    for start in starts.into_iter().rev() {
        if let Some(spans) = search(interp, pattern, &subject, start)?
            && let Some(Some((at, _))) = spans.first()
            && *at == start
        {
            interp.last_match = to_match(interp, &Value::Regexp(pattern.clone()), &subject, spans);
            return Ok(whole_bytes(&interp.last_match, Some(0)));
        }
    }
    interp.last_match = Value::Nil;
    Ok(None)
}

/// The bytes of a group of the first match; sets `$~`.
pub(super) fn group_span(
    interp: &mut Interp,
    pattern: &Rc<RRegexp>,
    value: &Value,
    group: &Value,
) -> Outcome<Option<(usize, usize)>> {
    let found = match_from(interp, pattern, value, 0)?;
    let Some(data) = found.as_native::<MatchData>() else { return Ok(None) };
    let group = data.find(interp, group)?;
    Ok(whole_bytes(&found, group))
}

/// `start_with?(/pattern/)`; sets `$~`.
pub(super) fn match_at_start(interp: &mut Interp, pattern: &Rc<RRegexp>, value: &Value) -> Outcome<bool> {
    let anchored = format!("\\A(?:{})", regexp_to_s(pattern));
    let anchored = interp.new_regexp(&anchored, RegexpOptions::default())?;
    let Value::Regexp(anchored) = anchored else { return Ok(false) };
    Ok(!match_from(interp, &anchored, value, 0)?.is_nil())
}

/// A pattern given as a regular expression or as its source.
pub(super) fn to_regexp(interp: &mut Interp, value: &Value) -> Outcome {
    match value {
        Value::Regexp(_) => Ok(value.clone()),
        Value::Str(source) => {
            let source = source.to_text();
            interp.new_regexp(&source, RegexpOptions::default())
        }
        other => {
            let class = interp.describe_for_conversion(other);
            Err(interp.type_error(format!("wrong argument type {class} (expected Regexp)")))
        }
    }
}

/// All matches of a text or regular expression, as `gsub` and `scan` find them.
pub(super) struct Found {
    pub subject: Subject,
    pub matches: Vec<Spans>,
    pattern: Value,
}

impl Found {
    /// Sets `$~` to one match.
    pub(super) fn remember(&self, interp: &mut Interp, spans: &Spans) {
        interp.last_match = to_match(interp, &self.pattern, &self.subject, spans.clone());
    }

    /// Sets `$~` to the last match, or to `nil`.
    pub(super) fn remember_last(&self, interp: &mut Interp) {
        match self.matches.last() {
            Some(spans) => self.remember(interp, spans),
            None => interp.last_match = Value::Nil,
        }
    }

    /// The groups that a name stands for.
    pub(super) fn groups_of(&self, name: &str) -> &[usize] {
        match &self.pattern {
            Value::Regexp(pattern) => pattern.regex.groups_of(name),
            _ => &[],
        }
    }
}

/// The first match of a text or regular expression.
pub(super) fn first_match(interp: &mut Interp, pattern: &Value, value: &Value) -> Outcome<Found> {
    matches(interp, pattern, value, 1)
}

pub(super) fn all_matches(interp: &mut Interp, pattern: &Value, value: &Value) -> Outcome<Found> {
    matches(interp, pattern, value, usize::MAX)
}

fn matches(interp: &mut Interp, pattern: &Value, value: &Value, most: usize) -> Outcome<Found> {
    if let Value::Regexp(regexp) = pattern {
        let subject = Subject::of(interp, value)?;
        let matches = pattern_matches(interp, regexp, &subject, most)?;
        return Ok(Found { subject, matches, pattern: pattern.clone() });
    }
    let Ok(part) = interp.to_str(pattern) else {
        let class = interp.describe_for_conversion(pattern);
        return Err(interp.type_error(format!("wrong argument type {class} (expected Regexp)")));
    };
    let string = interp.to_str(value)?;
    let subject = if string.borrow().is_valid() {
        Subject::of_string(interp, &string)?
    } else {
        // Texts are looked for among any bytes.
        let bytes = string.borrow();
        let text: String = bytes.bytes().iter().map(|byte| char::from(*byte)).collect();
        Subject { text: text.into(), encoding: bytes.encoding(), is_bytes: true }
    };
    let part: String = match subject.is_bytes {
        true => part.borrow().bytes().iter().map(|byte| char::from(*byte)).collect(),
        false => part.to_text(),
    };
    let matches = subject.text.match_indices(&*part).take(most);
    let matches = matches.map(|(start, found)| vec![Some((start, start + found.len()))]).collect();
    Ok(Found { subject, matches, pattern: Value::Nil })
}

fn pattern_matches(
    interp: &mut Interp,
    pattern: &RRegexp,
    subject: &Subject,
    most: usize,
) -> Outcome<Vec<Spans>> {
    let mut found = Vec::new();
    let mut locations = pattern.regex.locations();
    let groups = pattern.regex.captures_len();
    let mut from = 0;
    while found.len() < most && from <= subject.text.len() {
        match pattern.regex.try_locate(&subject.text, from, &mut locations) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => return Err(interp.error("Regexp::TimeoutError", "regexp match timeout")),
        }
        let Some((start, end)) = locations.get(0) else { break };
        found.push((0..groups.max(1)).map(|group| locations.get(group)).collect());
        from = if end > start { end } else { end + super::string::char_len_at(&subject.text, end) };
    }
    Ok(found)
}

/// The escaped form of a text, `Regexp.escape`.
fn escaped(text: &str) -> String {
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

const SINGLETON: &[MethodDef] = &[
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

const METHODS: &[MethodDef] = &[
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

fn data<'v>(interp: &mut Interp, this: &'v Value) -> Outcome<&'v MatchData> {
    match this.as_native::<MatchData>() {
        Some(data) => Ok(data),
        None => Err(interp.type_error("uninitialized MatchData")),
    }
}

fn captures(data: &MatchData) -> Vec<Value> {
    (1..data.spans.len()).map(|group| data.group(group)).collect()
}

/// Where a group begins and ends, in characters.
fn offsets(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<[Value; 2]> {
    let data = data(interp, this)?;
    let group = data.find(interp, args.at(0))?;
    let Some(span) = group.and_then(|group| data.spans.get(group)) else {
        let shown = interp.inspect(args.at(0))?;
        return Err(interp.error("IndexError", format!("index {shown} out of matches")));
    };
    Ok(match span {
        Some((start, end)) => [*start, *end].map(|at| Value::from(data.subject.chars_before(at))),
        None => [Value::Nil, Value::Nil],
    })
}

const MATCH: &[MethodDef] = &[
    MethodDef("[]", between(1, 2), |interp, this, args| {
        let data = data(interp, this)?;
        if args.len() == 2 || matches!(args.at(0), Value::Range(_)) {
            let all = interp.call(this, "to_a", &[])?;
            return interp.call(&all, "[]", args.values);
        }
        let group = data.find(interp, args.at(0))?;
        Ok(group.map_or(Value::Nil, |group| data.group(group)))
    }),
    MethodDef("to_a", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        Ok(Value::array((0..data.spans.len()).map(|group| data.group(group)).collect()))
    }),
    MethodDef("captures", exactly(0), |interp, this, _| Ok(Value::array(captures(data(interp, this)?)))),
    MethodDef("deconstruct", exactly(0), |interp, this, _| Ok(Value::array(captures(data(interp, this)?)))),
    MethodDef("named_captures", between(0, 1), |interp, this, args| {
        let symbols = args.keyword("symbolize_names").is_some_and(|yes| yes.truthy());
        named(interp, this, symbols)
    }),
    MethodDef("deconstruct_keys", exactly(1), |interp, this, _| named(interp, this, true)),
    MethodDef("names", exactly(0), |interp, this, _| {
        let names = data(interp, this)?.names();
        Ok(Value::array(names.into_iter().map(|(name, _)| Value::str(name)).collect()))
    }),
    MethodDef("pre_match", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        let start = data.spans.first().copied().flatten().map_or(0, |(start, _)| start);
        Ok(data.subject.value(0, start))
    }),
    MethodDef("post_match", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        let end = data.spans.first().copied().flatten().map_or(0, |(_, end)| end);
        Ok(data.subject.value(end, data.subject.text.len()))
    }),
    MethodDef("begin", exactly(1), |interp, this, args| {
        let [start, _] = offsets(interp, this, args)?;
        Ok(start)
    }),
    MethodDef("end", exactly(1), |interp, this, args| {
        let [_, end] = offsets(interp, this, args)?;
        Ok(end)
    }),
    MethodDef("offset", exactly(1), |interp, this, args| {
        Ok(Value::array(offsets(interp, this, args)?.to_vec()))
    }),
    MethodDef("byteoffset", exactly(1), |interp, this, args| {
        let data = data(interp, this)?;
        let group = data.find(interp, args.at(0))?;
        let span = whole_bytes(this, group);
        Ok(Value::array(match span {
            Some((start, end)) => vec![Value::from(start), Value::from(end)],
            None => vec![Value::Nil, Value::Nil],
        }))
    }),
    MethodDef("values_at", at_least(0), |interp, this, args| {
        let mut values = Vec::new();
        for key in args.values {
            values.push(interp.call(this, "[]", std::slice::from_ref(key))?);
        }
        Ok(Value::array(values))
    }),
    MethodDef("size", exactly(0), |interp, this, _| Ok(Value::from(data(interp, this)?.spans.len()))),
    MethodDef("length", exactly(0), |interp, this, _| Ok(Value::from(data(interp, this)?.spans.len()))),
    MethodDef("string", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        let whole = data.subject.value(0, data.subject.text.len());
        if let Value::Str(string) = &whole {
            string.freeze();
        }
        Ok(whole)
    }),
    MethodDef("regexp", exactly(0), |interp, this, _| Ok(data(interp, this)?.pattern.clone())),
    MethodDef("to_s", exactly(0), |interp, this, _| Ok(data(interp, this)?.group(0))),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let data = data(interp, this)?;
        let mut out = format!("#<MatchData {}", interp.inspect(&data.group(0))?);
        let names = data.names();
        for group in 1..data.spans.len() {
            let name = names.iter().find(|(_, groups)| groups.contains(&group));
            let name = name.map_or_else(|| group.to_string(), |(name, _)| (*name).to_owned());
            let shown = interp.inspect(&data.group(group))?;
            out.push_str(&format!(" {name}:{shown}"));
        }
        out.push('>');
        Ok(Value::str(out))
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let a = data(interp, this)?;
        let Some(b) = args.at(0).as_native::<MatchData>() else { return Ok(Value::Bool(false)) };
        Ok(Value::Bool(a.spans == b.spans && a.subject.text == b.subject.text))
    }),
];

fn named(interp: &mut Interp, this: &Value, symbols: bool) -> Outcome {
    let data = data(interp, this)?;
    let mut map = HashMap::new();
    for (name, groups) in data.names() {
        let group = groups.iter().rev().find(|group| data.spans.get(**group).copied().flatten().is_some());
        let key = if symbols { Value::sym(name) } else { Value::str(name) };
        map.insert(key, group.map_or(Value::Nil, |group| data.group(*group)));
    }
    Ok(Value::hash(map))
}
