//! The methods of hashing one value.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Method, Options};
use crate::event::{Value, text};
use crate::filters::digest::{Algorithm, Digester, Hashed, TooLarge, hex};
use crate::filters::ip_range::{InvalidRange, IpRange};

/// What makes a fingerprint of a value.
#[derive(Debug)]
pub struct Hash {
    kind: HashKind,
    base64: bool,
}

#[derive(Debug)]
enum HashKind {
    Digest(Box<Digester>),
    Murmur3,
    Murmur3Wide,
    /// The length of the prefix.
    Network(u8),
}

/// A value that the method does not take.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    #[error(transparent)]
    Range(#[from] InvalidRange),
    #[error("a prefix of {0} bits is too long for the address")]
    Prefix(u8),
}

impl Hash {
    /// Fails with what is wrong with the key. Methods that hash nothing get any hash.
    pub fn new(options: &Options) -> Result<Self, &'static str> {
        let key = options.key.as_ref().map(|key| key.reveal());
        let digest = |algorithm| HashKind::Digest(Box::new(Digester::new(algorithm, key)));
        let kind = match options.method {
            Method::Sha1 => digest(Algorithm::Sha1),
            Method::Sha256 => digest(Algorithm::Sha256),
            Method::Sha384 => digest(Algorithm::Sha384),
            Method::Sha512 => digest(Algorithm::Sha512),
            Method::Md5 => digest(Algorithm::Md5),
            Method::Murmur3Wide => HashKind::Murmur3Wide,
            Method::Murmur3 | Method::Uuid | Method::Punctuation => HashKind::Murmur3,
            Method::Ipv4Network => {
                let length = key.and_then(|key| key.trim().parse().ok()).filter(|length| *length <= 128);
                let wanted = "with IPV4_NETWORK it is the length of a prefix, 0 to 32 (128 for IPv6)";
                HashKind::Network(length.ok_or(wanted)?)
            }
        };
        Ok(Hash { kind, base64: options.base64encode })
    }

    /// The fingerprint of a value that is neither an array nor a hash.
    pub fn of(&self, value: &Value) -> Result<Value, HashError> {
        match &self.kind {
            HashKind::Digest(digester) => {
                let text = match value {
                    Value::Str(text) => Cow::Borrowed(&**text),
                    other => Cow::Owned(text::ruby_to_s(other)),
                };
                Ok(self.encoded(&digester.hash(&text)))
            }
            HashKind::Murmur3 => Ok(Value::Int(Hashed::of(value)?.murmur3().into())),
            HashKind::Murmur3Wide => Ok(self.encoded(&Hashed::of(value)?.murmur3_128())),
            HashKind::Network(length) => {
                let range = IpRange::parse(&text::ruby_to_s(value))?;
                let network = range.masked(*length).ok_or(HashError::Prefix(*length))?;
                Ok(Value::from(network.to_string()))
            }
        }
    }

    fn encoded(&self, bytes: &[u8]) -> Value {
        Value::from(if self.base64 { STANDARD.encode(bytes) } else { hex(bytes) })
    }
}

/// Whether a character is of Unicode's categories P or S.
pub fn is_punctuation(character: char) -> bool {
    static PUNCTUATION: LazyLock<Option<regex::Regex>> =
        LazyLock::new(|| regex::Regex::new(r"^[\p{P}\p{S}]").ok());
    if character.is_ascii() {
        return character.is_ascii_punctuation();
    }
    let mut bytes = [0; 4];
    let text: &str = character.encode_utf8(&mut bytes);
    PUNCTUATION.as_ref().is_some_and(|punctuation| punctuation.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_punctuation_is_that_of_unicode() {
        let regex = regex::Regex::new(r"^[\p{P}\p{S}]").unwrap();
        for byte in 0..=0x7f_u8 {
            let character = char::from(byte);
            assert_eq!(is_punctuation(character), regex.is_match(&character.to_string()), "{character:?}");
        }
    }
}
