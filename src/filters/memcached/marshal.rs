//! Values as Dalli stores them: in Ruby's Marshal format 4.8, and compressed when they are large (Ruby's `marshal.rdoc`,
//! `dalli/protocol/value_serializer.rb`, `value_compressor.rb`).

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use num_bigint::{BigInt, Sign};

use super::server::Stored;
use crate::event::numbers::leading_float;
use crate::event::text::ruby_to_s;
use crate::event::{Big, Key, Object, Value};

/// Dalli's flags.
const SERIALIZED: u32 = 1;
const COMPRESSED: u32 = 2;

const VERSION: &[u8] = b"\x04\x08";
/// Values from as many bytes on are compressed.
const COMPRESSED_FROM: usize = 4096;
/// A compressed value may not become larger: memcached itself holds a megabyte unless told otherwise.
const LARGEST: u64 = 64 << 20;
/// Arrays and hashes may not stand in each other more often.
const MAX_DEPTH: usize = 100;

/// A stored value that is none of a kind an event can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MarshalError {
    #[error("it is cut off or damaged")]
    Damaged,
    #[error("it cannot be uncompressed")]
    Compression,
    #[error("it is a Ruby object of kind {0:?}, which an event cannot hold")]
    Kind(char),
}

/// The stored form of a value.
pub(super) fn store(value: &Value) -> Stored {
    let mut writer = Writer { out: VERSION.to_vec(), knows_encoding: false };
    writer.value(value);
    let plain = Stored { bytes: writer.out, flags: SERIALIZED };
    if plain.bytes.len() < COMPRESSED_FROM {
        return plain;
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    match encoder.write_all(&plain.bytes).and_then(|()| encoder.finish()) {
        Ok(bytes) => Stored { bytes, flags: SERIALIZED | COMPRESSED },
        Err(_) => plain,
    }
}

/// The value of a stored form. What was stored by other programs is text.
pub(super) fn retrieve(stored: Stored) -> Result<Value, MarshalError> {
    let mut bytes = stored.bytes;
    if stored.flags & COMPRESSED != 0 {
        let mut plain = Vec::new();
        let read = ZlibDecoder::new(bytes.as_slice()).take(LARGEST).read_to_end(&mut plain);
        read.map_err(|_| MarshalError::Compression)?;
        bytes = plain;
    }
    if stored.flags & SERIALIZED == 0 {
        return Ok(Value::from(&*String::from_utf8_lossy(&bytes)));
    }
    let rest = bytes.strip_prefix(VERSION).ok_or(MarshalError::Damaged)?;
    Reader { rest, symbols: Vec::new(), objects: Vec::new(), depth: 0 }.value()
}

struct Writer {
    out: Vec<u8>,
    /// Whether the symbol `:E` was written, which is only referred to from then on.
    knows_encoding: bool,
}

impl Writer {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.out.push(b'0'),
            Value::Bool(true) => self.out.push(b'T'),
            Value::Bool(false) => self.out.push(b'F'),
            Value::Int(number) => match i32::try_from(*number) {
                Ok(small) if (-(1 << 30)..1 << 30).contains(&small) => {
                    self.out.push(b'i');
                    self.number(small);
                }
                _ => self.big(&BigInt::from(*number)),
            },
            Value::Float(number) => {
                let text = match number {
                    _ if number.is_nan() => "nan".to_owned(),
                    _ if number.is_infinite() => if *number > 0.0 { "inf" } else { "-inf" }.to_owned(),
                    _ => ruby_to_s(value).trim_end_matches(".0").to_owned(),
                };
                self.out.push(b'f');
                self.bytes(text.as_bytes());
            }
            Value::Big(big) => match &**big {
                Big::Integer(number) => self.big(number),
                Big::Decimal(number) => self.text(&number.to_string()),
            },
            Value::Str(text) => self.text(text),
            Value::Timestamp(time) => self.text(&time.to_string()),
            Value::Array(items) => {
                self.out.push(b'[');
                self.length(items.len());
                items.iter().for_each(|item| self.value(item));
            }
            Value::Object(object) => {
                self.out.push(b'{');
                self.length(object.len());
                for (key, value) in object.iter() {
                    self.text(key);
                    self.value(value);
                }
            }
        }
    }

    /// A string with the instance variable that says it is UTF-8.
    fn text(&mut self, text: &str) {
        self.out.extend(b"I\"");
        self.bytes(text.as_bytes());
        self.number(1);
        if std::mem::replace(&mut self.knows_encoding, true) {
            self.out.extend(b";\x00");
        } else {
            self.out.extend(b":\x06E");
        }
        self.out.push(b'T');
    }

    fn big(&mut self, number: &BigInt) {
        let (sign, mut bytes) = number.to_bytes_le();
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        self.out.extend([b'l', if sign == Sign::Minus { b'-' } else { b'+' }]);
        self.length(bytes.len() / 2);
        self.out.extend(bytes);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.out.extend(bytes);
    }

    fn length(&mut self, length: usize) {
        self.number(i32::try_from(length).unwrap_or(i32::MAX));
    }

    /// Marshal's numbers: one byte where that does, else a count of bytes and these, the lowest first.
    fn number(&mut self, number: i32) {
        match number {
            0 => self.out.push(0),
            1..=122 => self.out.push(number as u8 + 5),
            -123..=-1 => self.out.push((number - 5) as u8),
            _ => {
                let filler = if number < 0 { 0xFF } else { 0 };
                let bytes = number.to_le_bytes();
                let count = bytes.iter().rposition(|byte| *byte != filler).map_or(1, |last| last + 1);
                let count_byte = if number < 0 { (count as u8).wrapping_neg() } else { count as u8 };
                self.out.push(count_byte);
                self.out.extend(bytes.iter().take(count));
            }
        }
    }
}

struct Reader<'b> {
    rest: &'b [u8],
    symbols: Vec<String>,
    /// What links may refer to, in the order it began.
    objects: Vec<Value>,
    depth: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value, MarshalError> {
        let kind = self.byte()?;
        match kind {
            b'0' => Ok(Value::Null),
            b'T' => Ok(Value::Bool(true)),
            b'F' => Ok(Value::Bool(false)),
            b'i' => self.number().map(|number| Value::Int(number.into())),
            b'l' => self.big().map(|value| self.remember(value)),
            b'f' => self.float().map(|value| self.remember(value)),
            b'"' => self.text().map(|value| self.remember(value)),
            b'I' => self.with_variables(),
            b':' | b';' => self.symbol(kind).map(Value::from),
            b'@' => {
                let at = usize::try_from(self.number()?).map_err(|_| MarshalError::Damaged)?;
                self.objects.get(at).cloned().ok_or(MarshalError::Damaged)
            }
            b'[' | b'{' | b'}' => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(MarshalError::Damaged);
                }
                let container = self.container(kind);
                self.depth -= 1;
                container
            }
            other => Err(MarshalError::Kind(other.into())),
        }
    }

    fn remember(&mut self, value: Value) -> Value {
        self.objects.push(value.clone());
        value
    }

    fn container(&mut self, kind: u8) -> Result<Value, MarshalError> {
        let at = self.objects.len();
        self.objects.push(Value::Null);
        let length = self.length()?;
        let value = if kind == b'[' {
            let mut items = Vec::new();
            for _ in 0..length {
                items.push(self.value()?);
            }
            Value::Array(items)
        } else {
            let mut object = Object::new();
            for _ in 0..length {
                let key = ruby_to_s(&self.value()?);
                object.insert(Key::from(key), self.value()?);
            }
            if kind == b'}' {
                // The value for missing keys.
                self.value()?;
            }
            Value::from(object)
        };
        if let Some(place) = self.objects.get_mut(at) {
            *place = value.clone();
        }
        Ok(value)
    }

    /// A string and what is said of its encoding, which is taken for UTF-8 whatever it says.
    fn with_variables(&mut self) -> Result<Value, MarshalError> {
        let value = self.value()?;
        for _ in 0..self.length()? {
            let kind = self.byte()?;
            self.symbol(kind)?;
            self.value()?;
        }
        Ok(value)
    }

    fn symbol(&mut self, kind: u8) -> Result<String, MarshalError> {
        match kind {
            b':' => {
                let length = self.length()?;
                let name = String::from_utf8_lossy(self.take(length)?).into_owned();
                self.symbols.push(name.clone());
                Ok(name)
            }
            b';' => {
                let at = self.length()?;
                self.symbols.get(at).cloned().ok_or(MarshalError::Damaged)
            }
            _ => Err(MarshalError::Damaged),
        }
    }

    fn text(&mut self) -> Result<Value, MarshalError> {
        let length = self.length()?;
        Ok(Value::from(&*String::from_utf8_lossy(self.take(length)?)))
    }

    fn float(&mut self) -> Result<Value, MarshalError> {
        let length = self.length()?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        Ok(Value::Float(match text.as_str() {
            "nan" => f64::NAN,
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            number => leading_float(number),
        }))
    }

    fn big(&mut self) -> Result<Value, MarshalError> {
        let sign = if self.byte()? == b'-' { Sign::Minus } else { Sign::Plus };
        let length = self.length()?.checked_mul(2).ok_or(MarshalError::Damaged)?;
        Ok(Value::from_big_integer(BigInt::from_bytes_le(sign, self.take(length)?)))
    }

    fn length(&mut self) -> Result<usize, MarshalError> {
        usize::try_from(self.number()?).map_err(|_| MarshalError::Damaged)
    }

    fn number(&mut self) -> Result<i32, MarshalError> {
        let first = self.byte()? as i8;
        match first {
            0 => Ok(0),
            5..=127 => Ok(i32::from(first) - 5),
            -128..=-5 => Ok(i32::from(first) + 5),
            _ => {
                let filler = if first < 0 { 0xFF } else { 0 };
                let mut bytes = [filler; 4];
                let given = self.take(usize::from(first.unsigned_abs()))?;
                for (place, byte) in bytes.iter_mut().zip(given) {
                    *place = *byte;
                }
                Ok(i32::from_le_bytes(bytes))
            }
        }
    }

    fn byte(&mut self) -> Result<u8, MarshalError> {
        let (first, rest) = self.rest.split_first().ok_or(MarshalError::Damaged)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> Result<&[u8], MarshalError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(MarshalError::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(value: &Value) -> Vec<u8> {
        let stored = store(value);
        assert_eq!(stored.flags, SERIALIZED);
        stored.bytes.strip_prefix(VERSION).unwrap().to_vec()
    }

    fn load(bytes: &[u8]) -> Result<Value, MarshalError> {
        retrieve(Stored { bytes: [VERSION, bytes].concat(), flags: SERIALIZED })
    }

    /// Numbers as the table in Ruby's marshal.rdoc has them, and as `Marshal.dump` of Ruby 3 writes the others.
    #[test]
    fn dumps_of_ruby() {
        let text = |text: &str| Value::from(text);
        for (value, bytes) in [
            (Value::Null, b"0".as_slice()),
            (Value::Bool(true), b"T"),
            (Value::Int(0), b"i\x00"),
            (Value::Int(1), b"i\x06"),
            (Value::Int(122), b"i\x7f"),
            (Value::Int(123), b"i\x01{"),
            (Value::Int(256), b"i\x02\x00\x01"),
            (Value::Int(-1), b"i\xfa"),
            (Value::Int(-123), b"i\x80"),
            (Value::Int(-124), b"i\xff\x84"),
            (Value::Int(-129), b"i\xff\x7f"),
            (Value::Int(-257), b"i\xfe\xff\xfe"),
            (Value::Int(1 << 30), b"l+\x07\x00\x00\x00@"),
            (Value::Float(1.5), b"f\x081.5"),
            (Value::Float(1.0), b"f\x061"),
            (text("hello"), b"I\"\nhello\x06:\x06ET"),
            (Value::Array(vec![text("a"), text("b")]), b"[\x07I\"\x06a\x06:\x06ETI\"\x06b\x06;\x00T"),
            (
                Value::from([("k", Value::Int(7))].into_iter().collect::<Object>()),
                b"{\x06I\"\x06k\x06:\x06ETi\x0c",
            ),
        ] {
            assert_eq!(dump(&value), bytes, "{value:?}");
            assert_eq!(load(bytes), Ok(value));
        }
    }

    #[test]
    fn links_symbols_and_plain_strings_are_read() {
        // [s, s] with the same string twice; { a: "x" }; a string of bytes.
        assert_eq!(load(b"[\x07I\"\x06a\x06:\x06ET@\x06"), Ok(Value::Array(vec!["a".into(), "a".into()])));
        let symbol = load(b"{\x06:\x06aI\"\x06x\x06:\x06ET").unwrap();
        assert_eq!(symbol, Value::from([("a", Value::from("x"))].into_iter().collect::<Object>()));
        assert_eq!(load(b"\"\x07ab"), Ok("ab".into()));
        let raw = Stored { bytes: b"as it is".to_vec(), flags: 0 };
        assert_eq!(retrieve(raw), Ok("as it is".into()));
    }

    #[test]
    fn large_values_are_compressed() {
        let value = Value::from("x".repeat(10_000));
        let stored = store(&value);
        assert_eq!(stored.flags, SERIALIZED | COMPRESSED);
        assert!(stored.bytes.len() < 1000);
        assert_eq!(retrieve(stored), Ok(value));
        let big = Value::Int(i64::MIN);
        assert_eq!(retrieve(store(&big)), Ok(big));
    }

    #[test]
    fn other_bytes_are_errors() {
        assert_eq!(load(b"o:\x08Foo\x00"), Err(MarshalError::Kind('o')));
        for damaged in
            [b"".as_slice(), b"[\x06", b"\"\x0aab", b"@\x06", b"I\"\x06a\x06;\x06T", b"{\x04\xff\xff\xff\x7f"]
        {
            assert_eq!(load(damaged), Err(MarshalError::Damaged), "{damaged:?}");
        }
        assert_eq!(load(&b"[\x06".repeat(500)), Err(MarshalError::Damaged));
        let wrong = Stored { bytes: b"no zlib".to_vec(), flags: COMPRESSED };
        assert_eq!(retrieve(wrong), Err(MarshalError::Compression));
    }
}
