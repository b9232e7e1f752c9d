//! `String`: sets of characters as `tr`, `delete`, `squeeze` and `count` take them.

use super::super::MethodDef;
use super::{check_text, from_buffer, own, put_changed};
use crate::ruby::args::{Args, at_least, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, StrBuf, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("tr", exactly(2), |interp, this, args| Ok(from_buffer(translated(interp, this, args, false)?))),
    MethodDef("tr_s", exactly(2), |interp, this, args| {
        Ok(from_buffer(translated(interp, this, args, true)?))
    }),
    MethodDef("tr!", exactly(2), |interp, this, args| {
        interp.check_frozen(this)?;
        let changed = translated(interp, this, args, false)?;
        put_changed(interp, this, changed)
    }),
    MethodDef("tr_s!", exactly(2), |interp, this, args| {
        interp.check_frozen(this)?;
        let changed = translated(interp, this, args, true)?;
        put_changed(interp, this, changed)
    }),
    MethodDef("delete", at_least(1), |interp, this, args| Ok(from_buffer(deleted(interp, this, args)?))),
    MethodDef("delete!", at_least(1), |interp, this, args| {
        interp.check_frozen(this)?;
        let changed = deleted(interp, this, args)?;
        put_changed(interp, this, changed)
    }),
    MethodDef("squeeze", at_least(0), |interp, this, args| Ok(from_buffer(squeezed(interp, this, args)?))),
    MethodDef("squeeze!", at_least(0), |interp, this, args| {
        interp.check_frozen(this)?;
        let changed = squeezed(interp, this, args)?;
        put_changed(interp, this, changed)
    }),
    MethodDef("count", at_least(1), |interp, this, args| {
        check_text(interp, this)?;
        let sets = sets(interp, args)?;
        let text = text_of(&own(interp, this)?.borrow());
        Ok(Value::from(text.chars().filter(|character| in_all(&sets, *character)).count()))
    }),
];

/// The content as text. Bytes of binary strings stand for the characters of their numbers.
fn text_of(buffer: &StrBuf) -> String {
    match (buffer.as_str(), buffer.encoding()) {
        (Some(text), _) => text.to_owned(),
        (None, Encoding::Binary | Encoding::UsAscii) => {
            buffer.bytes().iter().map(|byte| char::from(*byte)).collect()
        }
        (None, _) => buffer.to_text().into_owned(),
    }
}

fn buffer_of(like: &StrBuf, text: String) -> StrBuf {
    match like.encoding() {
        Encoding::Binary | Encoding::UsAscii if !like.is_ascii_only() => {
            let bytes = text.chars().map(|character| u8::try_from(u32::from(character)).unwrap_or(b'?'));
            StrBuf::new(bytes.collect(), like.encoding())
        }
        Encoding::Other(_) | Encoding::Utf32 { .. } => StrBuf::from(text),
        encoding if text.is_ascii() => StrBuf::new(text.into_bytes(), encoding),
        _ => StrBuf::from(text),
    }
}

/// A set like `^a-z_`.
struct CharSet {
    negated: bool,
    /// Characters in the order they were written, as ranges.
    ranges: Vec<(char, char)>,
}

impl CharSet {
    fn contains(&self, character: char) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&character)) != self.negated
    }

    /// The place of a character in the written order.
    fn place(&self, character: char) -> Option<usize> {
        let mut before = 0;
        let mut found = None;
        for (first, last) in &self.ranges {
            if (*first..=*last).contains(&character) {
                found = Some(before + (u32::from(character) - u32::from(*first)) as usize);
            }
            before += (u32::from(*last) - u32::from(*first)) as usize + 1;
        }
        found
    }

    fn at(&self, mut place: usize) -> Option<char> {
        for (first, last) in &self.ranges {
            let count = (u32::from(*last) - u32::from(*first)) as usize + 1;
            if place < count {
                return char::from_u32(u32::from(*first) + place as u32);
            }
            place -= count;
        }
        self.ranges.last().map(|(_, last)| *last)
    }
}

fn parse_set(interp: &mut Interp, text: &str) -> Outcome<CharSet> {
    let characters: Vec<char> = text.chars().collect();
    let negated = characters.len() > 1 && characters.first() == Some(&'^');
    let mut rest = characters.into_iter().skip(usize::from(negated)).peekable();
    let mut ranges: Vec<(char, char)> = Vec::new();
    while let Some(character) = rest.next() {
        let first = if character == '\\' { rest.next().unwrap_or('\\') } else { character };
        let mut ahead = rest.clone();
        if ahead.next() == Some('-')
            && let Some(last) = ahead.next()
        {
            let last = if last == '\\' { ahead.next().unwrap_or('\\') } else { last };
            if first > last {
                return Err(interp
                    .argument_error(format!("invalid range \"{first}-{last}\" in string transliteration")));
            }
            ranges.push((first, last));
            rest = ahead;
        } else {
            ranges.push((first, first));
        }
    }
    Ok(CharSet { negated, ranges })
}

fn sets(interp: &mut Interp, args: Args<'_>) -> Outcome<Vec<CharSet>> {
    let mut sets = Vec::with_capacity(args.len());
    for place in 0..args.len() {
        let text = text_of(&args.string(interp, place)?.borrow());
        sets.push(parse_set(interp, &text)?);
    }
    Ok(sets)
}

fn in_all(sets: &[CharSet], character: char) -> bool {
    sets.iter().all(|set| set.contains(character))
}

fn translated(interp: &mut Interp, this: &Value, args: Args<'_>, squeeze: bool) -> Outcome<StrBuf> {
    check_text(interp, this)?;
    let from = text_of(&args.string(interp, 0)?.borrow());
    let to = text_of(&args.string(interp, 1)?.borrow());
    let from = parse_set(interp, &from)?;
    let to_is_empty = to.is_empty();
    // Only the first set can be negated; there a leading `^` stands for itself.
    let mut to = parse_set(interp, &to)?;
    if to.negated {
        to.ranges.insert(0, ('^', '^'));
        to.negated = false;
    }
    let buffer = own(interp, this)?.borrow();
    let text = text_of(&buffer);
    let mut out = String::with_capacity(text.len());
    let mut last = None;
    for character in text.chars() {
        if !from.contains(character) {
            out.push(character);
            last = None;
            continue;
        }
        if to_is_empty {
            continue;
        }
        let target = match from.negated {
            true => to.ranges.last().map(|(_, last)| *last),
            false => to.at(from.place(character).unwrap_or(usize::MAX)),
        };
        if !squeeze || last != target {
            out.extend(target);
        }
        last = target;
    }
    Ok(buffer_of(&buffer, out))
}

fn deleted(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<StrBuf> {
    check_text(interp, this)?;
    let sets = sets(interp, args)?;
    let buffer = own(interp, this)?.borrow();
    let kept = text_of(&buffer).chars().filter(|character| !in_all(&sets, *character)).collect();
    Ok(buffer_of(&buffer, kept))
}

fn squeezed(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<StrBuf> {
    check_text(interp, this)?;
    let sets = sets(interp, args)?;
    let buffer = own(interp, this)?.borrow();
    let mut out = String::new();
    let mut last = None;
    for character in text_of(&buffer).chars() {
        if last != Some(character) || !in_all(&sets, character) {
            out.push(character);
        }
        last = Some(character);
    }
    Ok(buffer_of(&buffer, out))
}
