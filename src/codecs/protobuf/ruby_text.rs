//! What Ruby files of both kinds share: literals, required files, and descriptors that are written as one string.

use std::sync::LazyLock;

use regex::Regex;

/// The files that a Ruby file requires.
pub fn requires(text: &str) -> Vec<String> {
    static REQUIRE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?m)^\s*(?:begin;\s*)?require\s+['"]([^'"]+)['"]"#).ok());
    let found = REQUIRE.as_ref().map(|pattern| pattern.captures_iter(text));
    found.into_iter().flatten().filter_map(|found| Some(found.get(1)?.as_str().to_owned())).collect()
}

/// The bytes of `descriptor_data = "..."`, which newer versions of protoc write; nothing where there is none. Fails where
/// the string has no end.
pub fn descriptor_data(text: &str) -> Result<Option<Vec<u8>>, &'static str> {
    match text.split_once("descriptor_data = \"") {
        Some((_, rest)) => double_quoted(rest).map(Some),
        None => Ok(None),
    }
}

/// The bytes of a Ruby string up to the quote that ends it.
fn double_quoted(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::new();
    let mut characters = text.chars();
    loop {
        match characters.next().ok_or("a string of it does not end")? {
            '"' => return Ok(out),
            '\\' => escape(&mut characters, &mut out)?,
            other => push(&mut out, other),
        }
    }
}

fn push(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// What stands behind a backslash.
fn escape(characters: &mut std::str::Chars<'_>, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let escaped = characters.next().ok_or("a string of it does not end")?;
    let byte = match escaped {
        'n' => b'\n',
        't' => b'\t',
        'r' => b'\r',
        'e' => 0x1B,
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0C,
        'v' => 0x0B,
        's' => b' ',
        'x' => digits(characters, 16, 2).ok_or("a string of it has an unknown escape")? as u8,
        '0'..='7' => {
            let first = escaped.to_digit(8).unwrap_or(0);
            let mut number = first;
            for _ in 0..2 {
                if let Some(digit) = characters.clone().next().and_then(|next| next.to_digit(8)) {
                    number = number * 8 + digit;
                    characters.next();
                }
            }
            (number & 0xFF) as u8
        }
        'u' => {
            let character = unicode(characters).ok_or("a string of it has an unknown escape")?;
            push(out, character);
            return Ok(());
        }
        other => {
            push(out, other);
            return Ok(());
        }
    };
    out.push(byte);
    Ok(())
}

/// The number of at most so many digits.
fn digits(characters: &mut std::str::Chars<'_>, radix: u32, most: usize) -> Option<u32> {
    let mut number = None;
    for _ in 0..most {
        let Some(digit) = characters.clone().next().and_then(|next| next.to_digit(radix)) else { break };
        number = Some(number.unwrap_or(0) * radix + digit);
        characters.next();
    }
    number
}

/// `HHHH` or `{H...}`.
fn unicode(characters: &mut std::str::Chars<'_>) -> Option<char> {
    if characters.clone().next() != Some('{') {
        return digits(characters, 16, 4).and_then(char::from_u32);
    }
    characters.next();
    let number = digits(characters, 16, 6)?;
    (characters.next() == Some('}')).then(|| char::from_u32(number)).flatten()
}
