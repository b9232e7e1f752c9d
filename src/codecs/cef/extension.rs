//! The extension of a CEF message: `key=value` pairs, where values may hold spaces and equals signs.

use std::borrow::Cow;

/// The pairs of an extension, in order; an error where text stands without a key.
pub struct Pairs<'t> {
    rest: &'t str,
}

impl<'t> Pairs<'t> {
    pub fn new(text: &'t str) -> Self {
        Pairs { rest: text.trim_matches(|character| is_space(character) || character == '\0') }
    }
}

impl<'t> Iterator for Pairs<'t> {
    type Item = Result<(&'t str, &'t str), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.rest);
        let Some((key, after)) = key(rest) else {
            return Some(Err(format!("invalid extensions; keyless value present `{rest}`")));
        };
        let (value, after) = after.split_at(value_end(after));
        self.rest = after.trim_start_matches(is_space);
        Some(Ok((key, value)))
    }
}

/// White space as Ruby's `\s` has it.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0B' | '\x0C')
}

/// The key at the start of a text and what follows its equals sign. A key is a word, with sub-keys behind dots and an
/// index in brackets at the end: beyond the specification, but connectors write such.
fn key(text: &str) -> Option<(&str, &str)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = text.as_bytes();
    let run = |from: usize, is_in: &dyn Fn(&u8) -> bool| {
        from + bytes.get(from..).unwrap_or_default().iter().take_while(|byte| is_in(byte)).count()
    };
    let mut end = run(0, &is_word);
    if end == 0 {
        return None;
    }
    let is_of_sub_key = |byte: &u8| !is_space(char::from(*byte)) && !b".=|\\[]".contains(byte);
    while bytes.get(end) == Some(&b'.') {
        let after = run(end + 1, &is_of_sub_key);
        if after == end + 1 {
            break;
        }
        end = after;
    }
    if bytes.get(end) == Some(&b'[') {
        let digits = run(end + 1, &u8::is_ascii_digit);
        if digits > end + 1 && bytes.get(digits) == Some(&b']') {
            end = digits + 1;
        }
    }
    let (key, rest) = text.split_at_checked(end)?;
    rest.strip_prefix('=').map(|after| (key, after))
}

/// Where a value ends: before the white space that a key follows.
fn value_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(is_space)) {
        let space = at + found;
        let rest = text.get(space..).unwrap_or_default();
        let next = rest.trim_start_matches(is_space);
        if key(next).is_some() {
            return space;
        }
        at = space + (rest.len() - next.len());
    }
    text.len()
}

/// A key as a field reference: `a[0]` is `[a][0]`.
pub fn strict_key(key: &str) -> Cow<'_, str> {
    match key.split_once('[') {
        Some((name, index)) if key.ends_with(']') => Cow::Owned(format!("[{name}][{index}")),
        _ => Cow::Borrowed(key),
    }
}

/// Takes the escapes of a value away: `\\`, `\=`, `\n` and `\r`; others stay.
pub fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        let escaped = match characters.clone().next() {
            Some(next) if character == '\\' => match next {
                '\\' | '=' => Some(next),
                'n' => Some('\n'),
                'r' => Some('\r'),
                _ => None,
            },
            _ => None,
        };
        if escaped.is_some() {
            characters.next();
        }
        out.push(escaped.unwrap_or(character));
    }
    out
}
