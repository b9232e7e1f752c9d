//! Filter `fingerprint`: hashes fields, for deduplication or to hide what they hold (logstash-filter-fingerprint).

mod canonical;
mod method;

use std::borrow::Cow;

use crate::event::{Event, FieldReference, SetError, Value};
use crate::plugin::{
    Build, Emit, Example, Filter, Kind, OptionReader, Outcome, Password, Problem, Spec, choices, options,
};

use canonical::canonical;
use method::{Hash, HashError};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "fingerprint",
    summary: "Hashes fields, for deduplication or to hide what they hold.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { fingerprint { source => ["host", "message"] concatenate_sources => true method => "MD5" } }"#,
        input: &[r#"{"host":"h","message":"m"}"#],
        // md5sum of "|host|h|message|m|"
        output: &[r#"{"host":"h","message":"m","event":{"hash":"dbeb19b9538678f8b84c00b9848e339c"}}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Fingerprint::build(reader)?))),
};

choices! {
    pub enum Method {
        Sha1 = "SHA1",
        Sha256 = "SHA256",
        Sha384 = "SHA384",
        Sha512 = "SHA512",
        Md5 = "MD5",
        Murmur3 = "MURMUR3",
        Murmur3Wide = "MURMUR3_128",
        Ipv4Network = "IPV4_NETWORK",
        Uuid = "UUID",
        Punctuation = "PUNCTUATION",
    }
}

options! {
    #[derive(Debug)]
    struct Options {
        /// Fields to hash. Of several, the last one's hash stays unless they are concatenated; of an array each
        /// element is hashed.
        source: Vec<String> = "message",
        /// Field that gets the hash: `[event][hash]`, or `fingerprint` without ECS.
        target: Option<FieldReference>,
        /// Key of an HMAC; with `IPV4_NETWORK` the length of the prefix to keep.
        key: Option<Password>,
        /// Write hashes in base64 instead of hexadecimal.
        base64encode: bool = false,
        /// How to hash. `MURMUR3` gives a number, `IPV4_NETWORK` the network of an address, `UUID` a random UUID
        /// without looking at any field, and `PUNCTUATION` what is left of a text without letters, digits and
        /// white space.
        method: Method = "SHA1",
        /// Hash names and values of all sources as one text.
        concatenate_sources: bool = false,
        /// Hash names and values of all fields of the event as one text.
        concatenate_all_fields: bool = false,
    }
}

/// The filter, with its key worked in.
#[derive(Debug)]
struct Fingerprint {
    target: FieldReference,
    work: Work,
}

/// What is done with an event.
#[derive(Debug)]
enum Work {
    Uuid,
    /// The sources sorted by name.
    Punctuation(Vec<FieldReference>),
    /// Each source by itself.
    Each(Vec<FieldReference>, Hash),
    /// All sources at once, sorted by name; the names are those of the config.
    Concatenated(Vec<(String, FieldReference)>, Hash),
    /// The whole event.
    AllFields(Hash),
}

/// An event that has no fingerprint.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("a {0} has no punctuation")]
    NoText(&'static str),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl Fingerprint {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let sources = sources(&options.source, reader);
        let default = reader.ecs().select("fingerprint", "[event][hash]");
        let target = options.target.clone().or_else(|| FieldReference::parse(default).ok());
        warn_of_unused_key(&options, reader);
        let work = match (options.method, Hash::new(&options)) {
            (Method::Uuid, _) => Some(Work::Uuid),
            (Method::Punctuation, _) => sources.map(|sources| Work::Punctuation(references(sorted(sources)))),
            (_, Ok(hash)) if options.concatenate_all_fields => Some(Work::AllFields(hash)),
            (_, Ok(hash)) if options.concatenate_sources => {
                sources.map(|sources| Work::Concatenated(sorted(sources), hash))
            }
            (_, Ok(hash)) => sources.map(|sources| Work::Each(references(sources), hash)),
            (_, Err(error)) => {
                reader.error("key", error);
                None
            }
        };
        Some(Fingerprint { target: target?, work: work? })
    }

    fn run(&self, event: &mut Event) -> Result<(), Failure> {
        let hash = match &self.work {
            Work::Uuid => Some(Value::from(uuid::Uuid::new_v4().to_string())),
            Work::Punctuation(sources) => self.last(event, sources, |value| match value {
                Value::Str(text) => Ok(Value::from(punctuation(text))),
                other => Err(Failure::NoText(other.kind())),
            })?,
            Work::Each(sources, hash) => self.last(event, sources, |value| match value {
                Value::Array(items) => {
                    let hashes = items.iter().map(|item| hash.of(&canonical_value(item)));
                    Ok(Value::Array(hashes.collect::<Result<_, _>>()?))
                }
                value => Ok(hash.of(&canonical_value(value))?),
            })?,
            Work::Concatenated(sources, hash) => {
                let fields = sources.iter().map(|(name, field)| (name.as_str(), event.get(field)));
                Some(hash.of(&Value::from(concatenated(fields)))?)
            }
            Work::AllFields(hash) => {
                let mut fields: Vec<_> = event.data().iter().collect();
                fields.sort_unstable_by_key(|(name, _)| *name);
                let fields = fields.into_iter().map(|(name, value)| (name, Some(value)));
                Some(hash.of(&Value::from(concatenated(fields)))?)
            }
        };
        match hash {
            Some(hash) => Ok(event.assign(&self.target, hash)?),
            None => Ok(()),
        }
    }

    /// The fingerprint of the last source that the event has. All are worked out, for one that cannot be is a
    /// failure, and one source may be the target of those before it.
    fn last(
        &self,
        event: &mut Event,
        sources: &[FieldReference],
        fingerprint: impl Fn(&Value) -> Result<Value, Failure>,
    ) -> Result<Option<Value>, Failure> {
        let mut last = None;
        for source in sources {
            if let Some(hash) = last.take_if(|_| *source == self.target) {
                event.assign(&self.target, hash)?;
            }
            if let Some(value) = event.get(source) {
                last = Some(fingerprint(value)?);
            }
        }
        Ok(last)
    }
}

/// The sources with their names as written.
fn sources(names: &[String], reader: &mut OptionReader<'_>) -> Option<Vec<(String, FieldReference)>> {
    let mut sources = Vec::with_capacity(names.len());
    for name in names {
        match FieldReference::parse(name) {
            Ok(field) => sources.push((name.clone(), field)),
            Err(_) => reader.error("source", format!("\"{name}\" is not a field reference")),
        }
    }
    (sources.len() == names.len()).then_some(sources)
}

fn sorted(mut sources: Vec<(String, FieldReference)>) -> Vec<(String, FieldReference)> {
    sources.sort_by(|(one, _), (other, _)| one.cmp(other));
    sources
}

fn references(sources: Vec<(String, FieldReference)>) -> Vec<FieldReference> {
    sources.into_iter().map(|(_, field)| field).collect()
}

fn warn_of_unused_key(options: &Options, reader: &mut OptionReader<'_>) {
    let method = match options.method {
        Method::Murmur3 => "MURMUR3",
        Method::Murmur3Wide => "MURMUR3_128",
        Method::Uuid => "UUID",
        Method::Punctuation => "PUNCTUATION",
        _ => return,
    };
    if options.key.is_some() {
        let message = format!("option \"key\" of the fingerprint filter has no effect: {method} uses none");
        reader.report(Problem::warning(reader.span("key"), message).label("remove this"));
    }
}

/// Numbers as they are, for MurmurHash3 hashes them by their bytes; arrays and hashes as one text.
fn canonical_value(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::Array(_) | Value::Object(_) => Cow::Owned(Value::from(canonical(value).into_owned())),
        scalar => Cow::Borrowed(scalar),
    }
}

/// `|name|value|name|value|`
fn concatenated<'v>(fields: impl Iterator<Item = (&'v str, Option<&'v Value>)>) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        text.extend(["|", name, "|"]);
        if let Some(value) = value {
            text.push_str(&canonical(value));
        }
    }
    text.push('|');
    text
}

/// The characters that are punctuation or symbols.
fn punctuation(text: &str) -> String {
    text.chars().filter(|character| method::is_punctuation(*character)).collect()
}

impl Filter for Fingerprint {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.run(event) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                // Logstash stops the pipeline here.
                tracing::warn!(%error, "could not work out a fingerprint");
                event.tag("_fingerprinterror");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(work: Work) -> Fingerprint {
        Fingerprint { target: FieldReference::top_level("fp"), work }
    }

    fn event(fields: &[(&str, Value)]) -> Event {
        let mut event = Event::new();
        for (name, value) in fields {
            event.data_mut().insert(*name, value.clone());
        }
        event
    }

    #[test]
    fn a_source_may_be_the_target_of_those_before_it() {
        let sources = ["a", "fp"].map(FieldReference::top_level).to_vec();
        let filter = filter(Work::Punctuation(sources));
        let mut event = event(&[("a", "x!y?".into())]);
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Matched);
        assert_eq!(event.data().get("fp"), Some(&Value::from("!?")));
    }

    #[test]
    fn what_has_no_fingerprint_is_tagged() {
        let filter = filter(Work::Punctuation(vec![FieldReference::top_level("a")]));
        for value in [Value::Null, Value::Int(5), Value::Array(vec!["!".into()])] {
            let mut event = event(&[("a", value)]);
            assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Failed);
            assert_eq!(event.data().get("tags"), Some(&Value::Array(vec!["_fingerprinterror".into()])));
        }
        // Without the field there is nothing to do.
        let mut event = event(&[("b", Value::Null)]);
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Matched);
        assert!(!event.data().contains_key("fp"));
    }

    #[test]
    fn punctuation_and_symbols_of_all_scripts() {
        // Categories Pd, Po, Sm, Sc, Po; a letter, a digit and white space are left out.
        assert_eq!(punctuation("a—b。5 +\t€¿"), "—。+€¿");
    }
}
