//! The hashes that the filters fingerprint and anonymize share.

use std::borrow::Cow;

use hmac::{Hmac, Mac};
use md5::Md5;
use num_bigint::BigInt;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};

use crate::event::{Big, Value, text};

/// A cryptographic hash, or the HMAC of one with its key already worked in.
#[derive(Debug, Clone)]
pub enum Digester {
    Sha1(Option<Hmac<Sha1>>),
    Sha256(Option<Hmac<Sha256>>),
    Sha384(Option<Hmac<Sha384>>),
    Sha512(Option<Hmac<Sha512>>),
    Md5(Option<Hmac<Md5>>),
}

/// The hashes by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    Md5,
}

impl Digester {
    /// A plain hash without a key, an HMAC with one, be it empty.
    pub fn new(algorithm: Algorithm, key: Option<&str>) -> Self {
        // HMAC takes keys of any length: the `None` of `keyed` never comes about.
        fn keyed<M: Mac + hmac::digest::KeyInit>(key: Option<&str>) -> Option<M> {
            key.and_then(|key| <M as Mac>::new_from_slice(key.as_bytes()).ok())
        }
        match algorithm {
            Algorithm::Sha1 => Digester::Sha1(keyed(key)),
            Algorithm::Sha256 => Digester::Sha256(keyed(key)),
            Algorithm::Sha384 => Digester::Sha384(keyed(key)),
            Algorithm::Sha512 => Digester::Sha512(keyed(key)),
            Algorithm::Md5 => Digester::Md5(keyed(key)),
        }
    }

    /// The hash of `data`, 16 to 64 bytes.
    pub fn hash(&self, data: &str) -> Vec<u8> {
        fn run<D: Digest, M: Mac + Clone>(hmac: Option<&M>, data: &[u8]) -> Vec<u8> {
            match hmac {
                Some(hmac) => hmac.clone().chain_update(data).finalize().into_bytes().to_vec(),
                None => D::digest(data).to_vec(),
            }
        }
        let data = data.as_bytes();
        match self {
            Digester::Sha1(hmac) => run::<Sha1, _>(hmac.as_ref(), data),
            Digester::Sha256(hmac) => run::<Sha256, _>(hmac.as_ref(), data),
            Digester::Sha384(hmac) => run::<Sha384, _>(hmac.as_ref(), data),
            Digester::Sha512(hmac) => run::<Sha512, _>(hmac.as_ref(), data),
            Digester::Md5(hmac) => run::<Md5, _>(hmac.as_ref(), data),
        }
    }
}

/// Bytes as hexadecimal digits in lower case.
pub fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

/// What MurmurHash3 hashes: text by its bytes, integers by theirs, least significant first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hashed<'v> {
    Text(Cow<'v, str>),
    Integer(u64),
}

/// An integer beyond 64 bits, which Logstash's MurmurHash3 refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("integer {0} is too large for MurmurHash3")]
pub struct TooLarge(BigInt);

impl<'v> Hashed<'v> {
    /// Of anything but an integer Ruby's `to_s` is hashed.
    pub fn of(value: &'v Value) -> Result<Self, TooLarge> {
        match value {
            Value::Str(text) => Ok(Hashed::Text(Cow::Borrowed(text))),
            Value::Int(number) => Ok(Hashed::Integer(number.cast_unsigned())),
            Value::Big(big) => match &**big {
                Big::Integer(number) => {
                    u64::try_from(number).map(Hashed::Integer).map_err(|_| TooLarge(number.clone()))
                }
                Big::Decimal(_) => Ok(Hashed::Text(Cow::Owned(text::ruby_to_s(value)))),
            },
            other => Ok(Hashed::Text(Cow::Owned(text::ruby_to_s(other)))),
        }
    }

    /// MurmurHash3 of 32 bits; integers as 8 bytes.
    pub fn murmur3(&self) -> u32 {
        let hash = |mut bytes: &[u8]| murmur3::murmur3_32(&mut bytes, 0);
        let hashed = match self {
            Hashed::Text(text) => hash(text.as_bytes()),
            Hashed::Integer(number) => hash(&number.to_le_bytes()),
        };
        // Reading from memory cannot fail.
        hashed.unwrap_or_default()
    }

    /// MurmurHash3 of 128 bits for machines of 64; integers of 32 bits as 4 bytes, others as 8.
    pub fn murmur3_128(&self) -> [u8; 16] {
        /// The seed that logstash-filter-fingerprint takes.
        const SEED: u32 = 2;
        let hash = |mut bytes: &[u8]| murmur3::murmur3_x64_128(&mut bytes, SEED);
        let hashed = match self {
            Hashed::Text(text) => hash(text.as_bytes()),
            Hashed::Integer(number) => match i32::try_from(number.cast_signed()) {
                Ok(small) => hash(&small.to_le_bytes()),
                Err(_) => hash(&number.to_le_bytes()),
            },
        };
        // Reading from memory cannot fail.
        hashed.unwrap_or_default().to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_the_standards() {
        // FIPS 180, RFC 1321 and, for the HMACs, test case 2 of RFC 2202 and RFC 4231.
        for (algorithm, key, data, expected) in [
            (Algorithm::Sha1, None, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Md5, None, "abc", "900150983cd24fb0d6963f7d28e17f72"),
            (
                Algorithm::Md5,
                Some("Jefe"),
                "what do ya want for nothing?",
                "750c783e6ab0b503eaa86e310a5db738",
            ),
            (
                Algorithm::Sha256,
                Some("Jefe"),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ] {
            assert_eq!(hex(&Digester::new(algorithm, key).hash(data)), expected, "{algorithm:?} {key:?}");
        }
    }

    #[test]
    fn integers_beyond_64_bits() {
        let big = |text: &str| Value::from_big_integer(text.parse().unwrap());
        let largest = big("18446744073709551615");
        assert_eq!(Hashed::of(&largest), Ok(Hashed::Integer(u64::MAX)));
        assert!(Hashed::of(&big("18446744073709551616")).is_err());
        // -1 fits 32 bits, the largest unsigned number has the same 64.
        assert_eq!(Hashed::Integer(u64::MAX).murmur3(), Hashed::of(&Value::Int(-1)).unwrap().murmur3());
    }
}
