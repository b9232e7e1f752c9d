//! Characters within byte strings: where they begin and end, in any encoding.

use crate::ruby::value::{Encoding, StrBuf};

/// How many bytes every character has, where all have the same number.
fn fixed_width(buffer: &StrBuf) -> Option<usize> {
    if buffer.is_single_byte() {
        return Some(1);
    }
    match buffer.encoding() {
        Encoding::Utf32 { .. } => Some(4),
        Encoding::Other(encoding) if !encoding.is_ascii_compatible() => Some(2),
        Encoding::Other(_) => Some(1),
        _ => None,
    }
}

/// Number of characters.
pub(in crate::ruby::stdlib) fn char_count(buffer: &StrBuf) -> usize {
    match (fixed_width(buffer), buffer.as_str()) {
        (Some(width), _) => buffer.len().div_ceil(width),
        (None, Some(text)) => text.chars().count(),
        (None, None) => spans(buffer).len(),
    }
}

/// Start and end of every character.
pub(super) fn spans(buffer: &StrBuf) -> Vec<(usize, usize)> {
    let len = buffer.len();
    if let Some(width) = fixed_width(buffer) {
        return (0..len).step_by(width).map(|start| (start, (start + width).min(len))).collect();
    }
    let mut found = Vec::with_capacity(len);
    let mut at = 0;
    for chunk in buffer.bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
            found.push((at, at + character.len_utf8()));
            at += character.len_utf8();
        }
        if !chunk.invalid().is_empty() {
            found.push((at, at + chunk.invalid().len()));
            at += chunk.invalid().len();
        }
    }
    found
}

/// The byte at which a character begins; the length is the place behind the last one.
pub(super) fn byte_of(buffer: &StrBuf, index: usize) -> Option<usize> {
    if let Some(width) = fixed_width(buffer) {
        let at = index.checked_mul(width)?;
        return (at <= buffer.len()).then_some(at);
    }
    match buffer.as_str() {
        Some(text) => match text.char_indices().nth(index) {
            Some((at, _)) => Some(at),
            None => (text.chars().count() == index).then_some(text.len()),
        },
        None => {
            let spans = spans(buffer);
            match spans.get(index) {
                Some((start, _)) => Some(*start),
                None => (spans.len() == index).then_some(buffer.len()),
            }
        }
    }
}

/// The number of characters before a byte.
pub(super) fn index_of(buffer: &StrBuf, byte: usize) -> usize {
    if let Some(width) = fixed_width(buffer) {
        return byte / width;
    }
    match buffer.as_str().and_then(|text| text.get(..byte)) {
        Some(before) => before.chars().count(),
        None => spans(buffer).iter().take_while(|(start, _)| *start < byte).count(),
    }
}

/// The bytes of some characters: start and end. `None` where the start lies outside.
pub(super) fn range_of(buffer: &StrBuf, start: i64, count: i64) -> Option<(usize, usize)> {
    let count = usize::try_from(count).ok()?;
    let start = match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => usize::try_from(start.checked_add(i64::try_from(char_count(buffer)).ok()?)?).ok()?,
    };
    let from = byte_of(buffer, start)?;
    if let Some(width) = fixed_width(buffer) {
        return Some((from, from.saturating_add(count.saturating_mul(width)).min(buffer.len())));
    }
    let to = match buffer.as_str().and_then(|text| text.get(from..)) {
        Some(rest) => rest.char_indices().nth(count).map_or(buffer.len(), |(at, _)| from + at),
        None => byte_of(buffer, start.saturating_add(count)).unwrap_or(buffer.len()),
    };
    Some((from, to))
}

/// The length in bytes of the character at a byte.
pub(in crate::ruby::stdlib) fn char_len_at(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}
