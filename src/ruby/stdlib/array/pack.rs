//! `Array#pack`, and the templates that `String#unpack` reads too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::ruby::args::Args;
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, Value};

/// One directive of a template: `n2`, `a*`.
pub(in crate::ruby::stdlib) struct PackDirective {
    pub kind: char,
    /// `None` for `*`.
    pub count: Option<usize>,
    /// Whether a count was written at all.
    pub has_count: bool,
    pub big_endian: bool,
    pub native_size: bool,
}

impl PackDirective {
    /// Size in bytes and whether it is signed, of an integer directive.
    pub fn integer(&self) -> Option<(usize, bool, bool)> {
        Some(match self.kind {
            'C' => (1, false, false),
            'c' => (1, true, false),
            'S' => (2, false, self.big_endian),
            's' => (2, true, self.big_endian),
            'I' => (4, false, self.big_endian),
            'i' => (4, true, self.big_endian),
            'L' => (if self.native_size { 8 } else { 4 }, false, self.big_endian),
            'l' => (if self.native_size { 8 } else { 4 }, true, self.big_endian),
            'Q' | 'J' => (8, false, self.big_endian),
            'q' | 'j' => (8, true, self.big_endian),
            'n' => (2, false, true),
            'N' => (4, false, true),
            'v' => (2, false, false),
            'V' => (4, false, false),
            _ => return None,
        })
    }

    /// Size in bytes and byte order of a float directive.
    pub fn float(&self) -> Option<(usize, bool)> {
        Some(match self.kind {
            'd' | 'D' | 'E' => (8, false),
            'G' => (8, true),
            'f' | 'F' | 'e' => (4, false),
            'g' => (4, true),
            _ => return None,
        })
    }
}

/// Reads a template.
pub(in crate::ruby::stdlib) fn parse_template(
    interp: &mut Interp,
    template: &str,
) -> Outcome<Vec<PackDirective>> {
    let mut directives = Vec::new();
    let mut rest = template.chars().peekable();
    while let Some(kind) = rest.next() {
        if kind.is_whitespace() {
            continue;
        }
        if kind == '#' {
            rest.by_ref().find(|character| *character == '\n');
            continue;
        }
        if !"aAZBbHhmMuUwCcSsIiLlQqJjnNvVdDfFeEgGxX@".contains(kind) {
            return Err(interp.argument_error(format!("unknown pack directive '{kind}' in '{template}'")));
        }
        let mut directive =
            PackDirective { kind, count: Some(1), has_count: false, big_endian: false, native_size: false };
        while let Some(modifier) = rest.next_if(|character| matches!(character, '_' | '!' | '<' | '>')) {
            match modifier {
                '>' => directive.big_endian = true,
                '<' => directive.big_endian = false,
                _ => directive.native_size = true,
            }
        }
        if rest.next_if_eq(&'*').is_some() {
            directive.count = None;
            directive.has_count = true;
        } else {
            let mut digits = String::new();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            if !digits.is_empty() {
                let Ok(count) = digits.parse::<usize>() else {
                    return Err(interp.error("RangeError", "pack length too big"));
                };
                interp.check_size(count)?;
                directive.count = Some(count);
                directive.has_count = true;
            }
        }
        directives.push(directive);
    }
    Ok(directives)
}

pub(super) fn pack(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let template = args.text(interp, 0)?;
    let directives = parse_template(interp, &template)?;
    let items = super::own(interp, this)?.to_vec();
    let mut rest = items.into_iter();
    let mut out = Vec::new();
    let utf8 = directives.first().is_some_and(|directive| directive.kind == 'U');
    let ascii = directives.iter().all(|directive| matches!(directive.kind, 'm' | 'M' | 'u'));
    for directive in &directives {
        pack_one(interp, directive, &mut rest, &mut out)?;
        interp.check_size(out.len())?;
    }
    let encoding = match (utf8, ascii && !directives.is_empty()) {
        (true, _) => Encoding::Utf8,
        (_, true) => Encoding::UsAscii,
        _ => Encoding::Binary,
    };
    Ok(Value::bytes(out, encoding))
}

type Items = std::vec::IntoIter<Value>;

fn next(interp: &mut Interp, rest: &mut Items) -> Outcome {
    match rest.next() {
        Some(value) => Ok(value),
        None => Err(interp.argument_error("too few arguments")),
    }
}

fn pack_one(
    interp: &mut Interp,
    directive: &PackDirective,
    rest: &mut Items,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let count = directive.count.unwrap_or_else(|| rest.len());
    if let Some((size, _, big_endian)) = directive.integer() {
        for _ in 0..count {
            let value = next(interp, rest)?;
            push_integer(interp, &value, size, big_endian, out)?;
        }
        return Ok(());
    }
    if let Some((size, big_endian)) = directive.float() {
        for _ in 0..count {
            let value = next(interp, rest)?;
            let number = interp.to_float(&value)?;
            match (size, big_endian) {
                (4, true) => out.extend((number as f32).to_be_bytes()),
                (4, false) => out.extend((number as f32).to_le_bytes()),
                (_, true) => out.extend(number.to_be_bytes()),
                (_, false) => out.extend(number.to_le_bytes()),
            }
        }
        return Ok(());
    }
    match directive.kind {
        'U' => {
            for _ in 0..count {
                let value = next(interp, rest)?;
                let number = interp.to_int(&value)?;
                match u32::try_from(number).ok().and_then(char::from_u32) {
                    Some(character) => out.extend(character.to_string().into_bytes()),
                    None => return Err(interp.error("RangeError", "pack(U): value out of range")),
                }
            }
        }
        'w' => {
            for _ in 0..count {
                let value = next(interp, rest)?;
                let Ok(mut number) = u64::try_from(interp.to_int(&value)?) else {
                    return Err(interp.argument_error("can't compress negative numbers"));
                };
                let mut groups = vec![(number & 0x7F) as u8];
                while number > 0x7F {
                    number >>= 7;
                    groups.push((number & 0x7F) as u8 | 0x80);
                }
                out.extend(groups.iter().rev());
            }
        }
        'x' => out.resize(out.len() + directive.count.unwrap_or(0), 0),
        'X' => out.truncate(out.len().saturating_sub(directive.count.unwrap_or(0))),
        '@' => out.resize(directive.count.unwrap_or(0), 0),
        _ => pack_text(interp, directive, rest, out)?,
    }
    Ok(())
}

fn push_integer(
    interp: &mut Interp,
    value: &Value,
    size: usize,
    big_endian: bool,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let bits = match value {
        Value::Big(number) => {
            let mut bytes = number.to_signed_bytes_le();
            let filler = if number.sign() == num_bigint::Sign::Minus { 0xFF } else { 0 };
            bytes.resize(8, filler);
            bytes.try_into().map_or(0, u64::from_le_bytes)
        }
        other => interp.to_int(other)? as u64,
    };
    let bytes = bits.to_le_bytes().into_iter().take(size);
    if big_endian {
        out.extend(bytes.rev())
    } else {
        out.extend(bytes)
    }
    Ok(())
}

fn pack_text(
    interp: &mut Interp,
    directive: &PackDirective,
    rest: &mut Items,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let value = next(interp, rest)?;
    let bytes = match &value {
        Value::Nil => Vec::new(),
        other => interp.to_str(other)?.borrow().bytes().to_vec(),
    };
    let digits = |per_byte: usize| directive.count.unwrap_or(bytes.len()).min(bytes.len()).div_ceil(per_byte);
    match directive.kind {
        'a' | 'A' | 'Z' => {
            let filler = if directive.kind == 'A' { b' ' } else { 0 };
            let count = match directive.count {
                Some(count) => count,
                None => bytes.len() + usize::from(directive.kind == 'Z'),
            };
            out.extend(bytes.iter().copied().chain(std::iter::repeat(filler)).take(count));
        }
        'H' | 'h' => {
            for pair in bytes.chunks(2).take(digits(2)) {
                let nibble = |place: usize| {
                    let byte = pair.get(place).copied().unwrap_or(b'0');
                    if byte.is_ascii_alphabetic() { (byte & 7) + 9 } else { byte & 15 }
                };
                let (first, second) = (nibble(0), nibble(1));
                out.push(if directive.kind == 'H' { first << 4 | second } else { second << 4 | first });
            }
        }
        'B' | 'b' => {
            for octet in bytes.chunks(8).take(digits(8)) {
                let mut byte = 0u8;
                for (at, bit) in octet.iter().enumerate() {
                    let place = if directive.kind == 'B' { 7 - at } else { at };
                    byte |= (bit & 1) << place;
                }
                out.push(byte);
            }
        }
        'm' => {
            let line = match directive.count {
                Some(0) => usize::MAX,
                Some(count) if directive.has_count && count >= 3 => count / 3 * 3,
                _ => 45,
            };
            if line == usize::MAX {
                out.extend(STANDARD.encode(&bytes).into_bytes());
            } else {
                for chunk in bytes.chunks(line) {
                    out.extend(STANDARD.encode(chunk).into_bytes());
                    out.push(b'\n');
                }
            }
        }
        'M' => {
            let text = interp.to_s_string(&value)?.borrow().bytes().to_vec();
            quoted_printable(&text, out);
        }
        'u' => {
            for chunk in bytes.chunks(45) {
                out.push(32 + chunk.len() as u8);
                for three in chunk.chunks(3) {
                    let byte = |place: usize| three.get(place).copied().unwrap_or(0);
                    let (a, b, c) = (byte(0), byte(1), byte(2));
                    for six in [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63] {
                        out.push(if six == 0 { b'`' } else { 32 + six });
                    }
                }
                out.push(b'\n');
            }
        }
        _ => {}
    }
    Ok(())
}

fn quoted_printable(bytes: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1);
        match byte {
            b'\n' => {
                out.push(b'\n');
                column = 0;
                continue;
            }
            b' ' | b'\t' if next == Some(&b'\n') => {
                out.push(*byte);
                out.extend(b"=\n");
                column = 0;
                continue;
            }
            b'=' => out.extend(b"=3D"),
            b'\t' | b' '..=b'~' => out.push(*byte),
            other => out.extend(format!("={other:02X}").into_bytes()),
        }
        column += if *byte == b'=' || !matches!(byte, b'\t' | b' '..=b'~') { 3 } else { 1 };
        if column > 72 {
            out.extend(b"=\n");
            column = 0;
        }
    }
    if column > 0 {
        out.extend(b"=\n");
    }
}
