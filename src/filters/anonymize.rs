//! Filter `anonymize`: replaces fields by hashes of them (logstash-filter-anonymize, which fingerprint has replaced).

use super::digest::{Algorithm, Digester, Hashed, TooLarge, hex};
use super::ip_range::{InvalidRange, IpRange};
use crate::event::{Event, FieldReference, SetError, Value, text};
use crate::plugin::{
    Build, Emit, Example, Filter, Kind, OptionReader, Outcome, SecretText, Spec, choices, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "anonymize",
    summary: "Replaces fields by hashes of their values. fingerprint does this better.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { anonymize { fields => ["ip"] algorithm => "IPV4_NETWORK" key => 24 } }"#,
        input: &[r#"{"ip":"192.168.13.77"}"#],
        output: &[r#"{"ip":"192.168.13.0"}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Anonymize::build(reader)?))),
};

choices! {
    pub enum Method {
        Sha1 = "SHA1",
        Sha256 = "SHA256",
        Sha384 = "SHA384",
        Sha512 = "SHA512",
        Md5 = "MD5",
        Murmur3 = "MURMUR3",
        Ipv4Network = "IPV4_NETWORK",
    }
}

options! {
    #[derive(Debug)]
    struct Options {
        /// Fields to hash. Of an array each element is hashed.
        fields: Vec<FieldReference>,
        /// Key of the HMAC; with `IPV4_NETWORK` the length of the prefix to keep. `MURMUR3` uses none.
        key: SecretText,
        /// `SHA1` to `MD5` give an HMAC in hexadecimal, `MURMUR3` a number, `IPV4_NETWORK` the network of an address.
        algorithm: Method = "SHA1",
    }
}

#[derive(Debug)]
struct Anonymize {
    fields: Vec<FieldReference>,
    hash: Hash,
}

#[derive(Debug)]
enum Hash {
    Hmac(Box<Digester>),
    Murmur3,
    Network(u8),
}

/// A value that cannot be hashed, or a field that cannot be set.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    #[error(transparent)]
    Range(#[from] InvalidRange),
    #[error("a prefix of {0} bits is too long for the address")]
    Prefix(u8),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Anonymize {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let key = options.key.reveal();
        let hmac = |algorithm| Hash::Hmac(Box::new(Digester::new(algorithm, Some(key))));
        let hash = match options.algorithm {
            Method::Sha1 => hmac(Algorithm::Sha1),
            Method::Sha256 => hmac(Algorithm::Sha256),
            Method::Sha384 => hmac(Algorithm::Sha384),
            Method::Sha512 => hmac(Algorithm::Sha512),
            Method::Md5 => hmac(Algorithm::Md5),
            Method::Murmur3 => Hash::Murmur3,
            Method::Ipv4Network => match key.trim().parse() {
                Ok(length) if length <= 128 => Hash::Network(length),
                _ => {
                    reader.error(
                        "key",
                        "with IPV4_NETWORK it is the length of a prefix, 0 to 32 (128 for IPv6)",
                    );
                    return None;
                }
            },
        };
        Some(Anonymize { fields: options.fields, hash })
    }

    fn run(&self, event: &mut Event) -> Result<(), Failure> {
        for field in &self.fields {
            let hashed = match event.get(field) {
                None => continue,
                Some(Value::Array(items)) => {
                    Value::Array(items.iter().map(|item| self.hash.of(item)).collect::<Result<_, _>>()?)
                }
                Some(value) => self.hash.of(value)?,
            };
            event.assign(field, hashed)?;
        }
        Ok(())
    }
}

impl Hash {
    fn of(&self, value: &Value) -> Result<Value, Failure> {
        match self {
            Hash::Hmac(digester) => Ok(Value::from(match value.as_str() {
                Some(text) => hex(&digester.hash(text)),
                None => hex(&digester.hash(&text::ruby_to_s(value))),
            })),
            Hash::Murmur3 => Ok(Value::Int(Hashed::of(value)?.murmur3().into())),
            Hash::Network(length) => {
                let range = IpRange::parse(&text::ruby_to_s(value))?;
                let network = range.masked(*length).ok_or(Failure::Prefix(*length))?;
                Ok(Value::from(network.to_string()))
            }
        }
    }
}

impl Filter for Anonymize {
    /// Never matches: Logstash's plugin does not apply the common options either.
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.run(event) {
            Ok(()) => Outcome::Unmatched,
            Err(error) => {
                // Logstash stops the pipeline here.
                tracing::warn!(%error, "could not anonymize a field");
                event.tag("_anonymizeerror");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(hash: Hash, value: Value) -> (Outcome, Event) {
        let filter = Anonymize { fields: vec![FieldReference::top_level("f")], hash };
        let mut event = Event::new();
        event.data_mut().insert("f", value);
        (filter.filter(&mut event, &mut Emit::default()), event)
    }

    #[test]
    fn what_is_no_address_is_tagged_and_kept() {
        for value in ["not an address", "::1"] {
            let (outcome, event) = outcome(Hash::Network(129), Value::from(value));
            assert_eq!(outcome, Outcome::Failed);
            assert_eq!(event.data().get("f"), Some(&Value::from(value)));
            assert_eq!(event.data().get("tags"), Some(&Value::Array(vec!["_anonymizeerror".into()])));
        }
    }

    #[test]
    fn each_element_is_hashed_and_nothing_is_decorated() {
        // Vectors of Austin Appleby's MurmurHash3_x86_32 with seed 0.
        let array = Value::Array(vec!["".into(), "test".into()]);
        let (outcome, event) = outcome(Hash::Murmur3, array);
        assert_eq!(outcome, Outcome::Unmatched);
        let hashes = Value::Array(vec![Value::Int(0), Value::Int(0xba6b_d213)]);
        assert_eq!(event.data().get("f"), Some(&hashes));
    }
}
