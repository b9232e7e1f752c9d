//! Codec `collectd`: the binary network protocol of collectd (logstash-codec-collectd).

mod packet;
mod security;
#[cfg(test)]
mod tests;
mod types;

use std::path::PathBuf;
use std::sync::Arc;

use crate::event::{Event, FieldReference, Value};
use crate::plugin::{Build, Codec, EncodeError, Example, Kind, OptionReader, Spec, choices, options};

use self::security::Keys;
use self::types::Types;
use super::text;

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "collectd",
    summary: "The binary protocol of collectd's network plugin.",
    options: CollectdOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: "input { stdin { codec => collectd { prune_intervals => true } } }",
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        let options = CollectdOptions::read(reader)?;
        Some(Box::new(Collectd(Arc::new(Rules::new(options, reader)?))))
    }),
};

choices! {
    /// What senders must do.
    enum SecurityLevel { None = "None", Sign = "Sign", Encrypt = "Encrypt" }
}

choices! {
    /// What becomes of values that are not numbers.
    enum NanHandling { ChangeValue = "change_value", Warn = "warn", Drop = "drop" }
}

options! {
    struct CollectdOptions {
        /// Files that name the values of types. Without it: collectd's own types.
        typesdb: Option<Vec<PathBuf>>,
        /// Whether intervals are left out; otherwise each one is an event of its own.
        prune_intervals: bool = true,
        /// `Sign` checks signatures, `Encrypt` takes encrypted packets alone.
        security_level: SecurityLevel = "None",
        /// What becomes of values that are not a number: replaced, replaced with a warning, or left out.
        nan_handling: NanHandling = "change_value",
        /// What such values are replaced with.
        nan_value: Value = 0,
        /// The tag of events with such values.
        nan_tag: String = "_collectdNaN",
        /// The file with the users' passwords, `user: password` a line.
        authfile: Option<PathBuf>,
        /// The field that gets the data. Without it: the event itself.
        target: Option<FieldReference>,
    }
}

#[derive(Debug, Clone)]
struct Collectd(Arc<Rules>);

/// The options, ready for use.
#[derive(Debug)]
struct Rules {
    types: Types,
    prune_intervals: bool,
    must_be_encrypted: bool,
    /// The users' keys, unless nothing is checked.
    keys: Option<Keys>,
    nan_handling: NanHandling,
    nan_value: Value,
    nan_tag: String,
    target: Option<FieldReference>,
}

impl Rules {
    fn new(options: CollectdOptions, reader: &mut OptionReader<'_>) -> Option<Self> {
        let types = Types::load(options.typesdb.as_deref());
        let types = types.map_err(|error| reader.error("typesdb", error)).ok()?;
        if !matches!(options.nan_value, Value::Int(_) | Value::Float(_)) {
            reader.error("nan_value", "expected a number");
            return None;
        }
        let keys = match (options.security_level, options.authfile) {
            (SecurityLevel::None, _) => None,
            (_, None) => {
                reader.error("security_level", "needs the users' passwords; add authfile => \"...\"");
                return None;
            }
            (_, Some(file)) => Some(Keys::load(file).map_err(|error| reader.error("authfile", error)).ok()?),
        };
        Some(Rules {
            types,
            prune_intervals: options.prune_intervals,
            must_be_encrypted: options.security_level == SecurityLevel::Encrypt,
            keys,
            nan_handling: options.nan_handling,
            nan_value: options.nan_value,
            nan_tag: options.nan_tag,
            target: options.target,
        })
    }
}

impl Codec for Collectd {
    /// Takes one datagram.
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        if let Err(error) = packet::decode(bytes, &self.0, emit) {
            tracing::debug!(error, "the rest of a packet of collectd cannot be read");
        }
    }

    fn encode(&self, _event: &Event, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Err(text::unencodable(SPEC.name))
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}
