//! `Regexp` and `MatchData`, and searches on behalf of strings.

mod matched;
mod pattern;

use std::rc::Rc;

use super::ClassDef;
use crate::ruby::compiler::tree::RegexpOptions;
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::{Interp, regexp_to_s};
use crate::ruby::value::{Encoding, Native, RRegexp, RString, StringRange, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        methods: &[pattern::METHODS],
        singleton_methods: &[pattern::SINGLETON],
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
    ClassDef { methods: &[matched::METHODS], ..ClassDef::class("MatchData") },
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
