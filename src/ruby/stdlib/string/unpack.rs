//! `String#unpack` and `String#unpack1`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose::STANDARD};
use num_bigint::BigInt;

use super::super::MethodDef;
use super::super::array::{PackDirective, parse_template};
use super::own;
use crate::ruby::args::{Args, between};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Encoding, Value};

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("unpack", between(1, 2), |interp, this, args| Ok(Value::array(unpack(interp, this, args)?))),
    MethodDef("unpack1", between(1, 2), |interp, this, args| {
        Ok(unpack(interp, this, args)?.into_iter().next().unwrap_or_default())
    }),
];

/// Base64 as other programs write it: with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 with whatever does not belong to it left out.
pub(in crate::ruby::stdlib) fn decode_base64(bytes: &[u8]) -> Vec<u8> {
    let mut kept: Vec<u8> = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'=' => break,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => kept.push(*byte),
            _ => {}
        }
    }
    if kept.len() % 4 == 1 {
        kept.pop();
    }
    LENIENT.decode(&kept).unwrap_or_default()
}

fn unpack(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome<Vec<Value>> {
    let offset = match args.keyword("offset") {
        Some(offset) => usize::try_from(interp.to_int(&offset)?).unwrap_or(usize::MAX),
        None => 0,
    };
    let template = args.text(interp, 0)?;
    let directives = parse_template(interp, &template)?;
    let bytes = own(interp, this)?.borrow().bytes().to_vec();
    if offset > bytes.len() {
        return Err(interp.argument_error("offset outside of string"));
    }
    let mut reader = Reader { bytes: &bytes, at: offset };
    let mut out = Vec::new();
    for directive in &directives {
        unpack_one(interp, directive, &mut reader, &mut out)?;
    }
    Ok(out)
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, count: usize) -> &'b [u8] {
        let rest = self.rest();
        let taken = rest.get(..count.min(rest.len())).unwrap_or_default();
        self.at += taken.len();
        taken
    }
}

fn unpack_one(
    interp: &mut Interp,
    directive: &PackDirective,
    reader: &mut Reader<'_>,
    out: &mut Vec<Value>,
) -> Outcome<()> {
    let size = directive.integer().map(|(size, ..)| size).or(directive.float().map(|(size, _)| size));
    if let Some(size) = size {
        let count = directive.count.unwrap_or(reader.rest().len() / size);
        for _ in 0..count {
            if reader.rest().len() < size {
                // Missing numbers are nil, unless as many as there are were asked for.
                if directive.count.is_some() {
                    out.push(Value::Nil);
                }
                continue;
            }
            out.push(number(directive, reader.take(size)));
        }
        return Ok(());
    }
    let count = directive.count.unwrap_or(reader.rest().len());
    match directive.kind {
        'a' | 'A' | 'Z' => out.push(text(directive, reader, count)),
        'H' | 'h' | 'B' | 'b' => out.push(digits(directive, reader)),
        'U' => {
            let mut left = directive.count.unwrap_or(usize::MAX);
            while left > 0 && !reader.rest().is_empty() {
                let rest = reader.rest();
                let valid = rest.utf8_chunks().next().map_or("", |chunk| chunk.valid());
                let Some(character) = valid.chars().next() else {
                    return Err(interp.argument_error("malformed UTF-8 character"));
                };
                reader.take(character.len_utf8());
                out.push(Value::Int(u32::from(character).into()));
                left -= 1;
            }
        }
        'w' => {
            let mut left = directive.count.unwrap_or(usize::MAX);
            while left > 0 && !reader.rest().is_empty() {
                let mut total = BigInt::default();
                while let [byte] = reader.take(1) {
                    total = (total << 7) + (byte & 0x7F);
                    if byte & 0x80 == 0 {
                        break;
                    }
                }
                out.push(Value::big(total));
                left -= 1;
            }
        }
        'm' => {
            let rest = reader.take(usize::MAX);
            let decoded = if directive.count == Some(0) {
                match STANDARD.decode(rest) {
                    Ok(decoded) => decoded,
                    Err(_) => return Err(interp.argument_error("invalid base64")),
                }
            } else {
                decode_base64(rest)
            };
            out.push(Value::bytes(decoded, Encoding::Binary));
        }
        'M' => out.push(Value::bytes(from_quoted_printable(reader.take(usize::MAX)), Encoding::Binary)),
        'u' => out.push(Value::bytes(from_uuencoded(reader.take(usize::MAX)), Encoding::Binary)),
        'x' => {
            if count > reader.rest().len() {
                return Err(interp.argument_error("x outside of string"));
            }
            reader.take(count);
        }
        'X' => reader.at = reader.at.saturating_sub(directive.count.unwrap_or(0)),
        '@' => reader.at = directive.count.unwrap_or(0).min(reader.bytes.len()),
        _ => {}
    }
    Ok(())
}

fn number(directive: &PackDirective, bytes: &[u8]) -> Value {
    if let Some((size, signed, big_endian)) = directive.integer() {
        let mut bits = 0u64;
        let mut push = |byte: &u8| bits = bits << 8 | u64::from(*byte);
        if big_endian {
            bytes.iter().for_each(&mut push)
        } else {
            bytes.iter().rev().for_each(&mut push)
        }
        if signed {
            let unused = 64 - 8 * size as u32;
            return Value::Int(((bits << unused) as i64) >> unused);
        }
        return Value::big(bits.into());
    }
    let big_endian = directive.float().is_some_and(|(_, big_endian)| big_endian);
    let mut ordered = bytes.to_vec();
    if !big_endian {
        ordered.reverse();
    }
    if let Ok(four) = <[u8; 4]>::try_from(ordered.as_slice()) {
        return Value::Float(f32::from_be_bytes(four).into());
    }
    Value::Float(<[u8; 8]>::try_from(ordered.as_slice()).map_or(0.0, f64::from_be_bytes))
}

fn text(directive: &PackDirective, reader: &mut Reader<'_>, count: usize) -> Value {
    let start = reader.at;
    let taken = reader.take(count);
    let kept = match directive.kind {
        'A' => {
            let end = taken.iter().rposition(|byte| !matches!(byte, b' ' | 0)).map_or(0, |at| at + 1);
            taken.get(..end).unwrap_or_default()
        }
        'Z' => match taken.iter().position(|byte| *byte == 0) {
            Some(end) => {
                if directive.count.is_none() {
                    reader.at = start + end + 1;
                }
                taken.get(..end).unwrap_or_default()
            }
            None => taken,
        },
        _ => taken,
    };
    Value::bytes(kept, Encoding::Binary)
}

fn digits(directive: &PackDirective, reader: &mut Reader<'_>) -> Value {
    let per_byte = if matches!(directive.kind, 'H' | 'h') { 2 } else { 8 };
    let most = reader.rest().len().saturating_mul(per_byte);
    let count = directive.count.unwrap_or(most).min(most);
    let bytes = reader.take(count.div_ceil(per_byte));
    let mut shown = String::with_capacity(count);
    for byte in bytes {
        match directive.kind {
            'H' => shown.push_str(&format!("{byte:02x}")),
            'h' => shown.push_str(&format!("{:02x}", byte.rotate_left(4))),
            'B' => shown.push_str(&format!("{byte:08b}")),
            _ => shown.push_str(&format!("{:08b}", byte.reverse_bits())),
        }
    }
    shown.truncate(count);
    Value::bytes(shown, Encoding::UsAscii)
}

fn from_quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let mut ahead = rest.clone();
        match (ahead.next(), ahead.next()) {
            (Some(b'\n'), _) => _ = rest.next(),
            (Some(b'\r'), Some(b'\n')) => rest = ahead,
            (Some(high), Some(low)) => {
                let hex = |digit: u8| char::from(digit).to_digit(16);
                match (hex(high), hex(low)) {
                    (Some(high), Some(low)) => {
                        out.push((high * 16 + low) as u8);
                        rest = ahead;
                    }
                    _ => out.push(byte),
                }
            }
            _ => out.push(byte),
        }
    }
    out
}

fn from_uuencoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some((length, data)) = line.split_first() else { continue };
        let length = usize::from(length.wrapping_sub(32) & 63);
        let mut decoded = Vec::new();
        for four in data.chunks(4) {
            let six =
                |place: usize| u32::from(four.get(place).copied().unwrap_or(b' ').wrapping_sub(32) & 63);
            let bits = six(0) << 18 | six(1) << 12 | six(2) << 6 | six(3);
            decoded.extend(bits.to_be_bytes().into_iter().skip(1));
        }
        decoded.truncate(length);
        out.extend(decoded);
    }
    out
}
