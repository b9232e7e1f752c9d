//! `String#succ`: the next string, as in `"az".succ == "ba"`.

use std::rc::Rc;

use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{RString, StrBuf, Value};

/// The successor: the last letter or digit goes one further and carries to the left; without any, the last character.
pub(in crate::ruby::stdlib) fn successor(buffer: &StrBuf) -> StrBuf {
    let mut bytes = buffer.bytes().to_vec();
    if bytes.is_empty() {
        return buffer.clone();
    }
    let Some(last) = bytes.iter().rposition(u8::is_ascii_alphanumeric) else {
        return next_character(buffer);
    };
    let mut at = last;
    while let Some(byte) = bytes.get_mut(at) {
        let (wrapped, carry) = match *byte {
            b'z' => (b'a', Some(b'a')),
            b'Z' => (b'A', Some(b'A')),
            b'9' => (b'0', Some(b'1')),
            other => (other + 1, None),
        };
        *byte = wrapped;
        let Some(carry) = carry else { break };
        // The next letter or digit to the left takes the carry, unless something else of weight stands between.
        let left = bytes.get(..at).unwrap_or_default().iter().rposition(u8::is_ascii_alphanumeric);
        match left {
            Some(left) if left + 1 == at || !separates(&bytes, left, at) => at = left,
            _ => {
                bytes.insert(at, carry);
                break;
            }
        }
    }
    StrBuf::new(bytes, buffer.encoding())
}

/// Whether the characters between two places end the carry: `1.9.9` carries over points, `-9` stays.
fn separates(bytes: &[u8], left: usize, right: usize) -> bool {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
    (digit(right) && letter(left) || letter(right) && digit(left)) && left + 1 != right
}

fn next_character(buffer: &StrBuf) -> StrBuf {
    if let Some(text) = buffer.as_str() {
        let mut characters: Vec<char> = text.chars().collect();
        if let Some(last) = characters.last_mut() {
            *last = char::from_u32(u32::from(*last) + 1).unwrap_or('\u{E000}');
        }
        return StrBuf::new(characters.into_iter().collect::<String>().into_bytes(), buffer.encoding());
    }
    let mut bytes = buffer.bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last = last.wrapping_add(1);
    }
    StrBuf::new(bytes, buffer.encoding())
}

/// The strings from one to another, as ranges of strings walk: by number where both are numbers.
pub(in crate::ruby::stdlib) fn succession(
    interp: &mut Interp,
    start: &Rc<RString>,
    end: &Rc<RString>,
    exclusive: bool,
) -> Outcome<Vec<Value>> {
    let (first, last) = (start.borrow().clone(), end.borrow().clone());
    let mut found = Vec::new();
    let digits = |buffer: &StrBuf| !buffer.is_empty() && buffer.bytes().iter().all(u8::is_ascii_digit);
    if digits(&first) && digits(&last) {
        let number = |buffer: &StrBuf| buffer.to_text().parse::<u64>().unwrap_or(u64::MAX);
        let (from, to, width) = (number(&first), number(&last), first.len());
        let stop = if exclusive { to } else { to.saturating_add(1) };
        interp.check_size(
            usize::try_from(stop.saturating_sub(from)).unwrap_or(usize::MAX).saturating_mul(32),
        )?;
        return Ok((from..stop).map(|number| Value::str(format!("{number:0width$}"))).collect());
    }
    let one_char = first.len() == 1 && last.len() == 1 && first.is_ascii_only() && last.is_ascii_only();
    if one_char {
        let (from, to) = (first.bytes().first().copied(), last.bytes().first().copied());
        let (from, to) = (from.unwrap_or(1), to.unwrap_or(0));
        let all = (from..=to).filter(|byte| !exclusive || *byte != to);
        return Ok(all.map(|byte| Value::str(char::from(byte).to_string())).collect());
    }
    if first.len() > last.len() || (first.len() == last.len() && first.bytes() > last.bytes()) {
        return Ok(found);
    }
    let mut at = first;
    while at.len() <= last.len() {
        let reached = at.bytes() == last.bytes();
        if reached && exclusive {
            break;
        }
        interp.check_size(found.len().saturating_mul(64))?;
        found.push(super::from_buffer(at.clone()));
        if reached {
            break;
        }
        at = successor(&at);
    }
    Ok(found)
}
