//! Filter `bytes`: sizes such as `1.5 MB` as numbers of bytes (logstash-filter-bytes).

use std::sync::LazyLock;

use regex::Regex;

use crate::event::numbers::float_to_integer;
use crate::event::{Event, FieldReference, Value};
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Spec, choices, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "bytes",
    summary: "Reads sizes such as \"1.5 MB\" as numbers of bytes.",
    options: Bytes::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { bytes { source => "size" target => "[file][size]" } }"#,
        input: &[r#"{"size":"1.5 MB"}"#, r#"{"size":"large"}"#],
        output: &[
            r#"{"size":"1.5 MB","file":{"size":1572864}}"#,
            r#"{"size":"large","tags":["_bytesparsefailure"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Bytes::read(reader)?))),
};

choices! {
    /// What the prefixes of units stand for.
    pub enum Conversion {
        /// Powers of 1024.
        Binary = "binary",
        /// Powers of 1000.
        Metric = "metric",
    }
}

choices! {
    /// The character before the fraction; the other one groups digits.
    pub enum DecimalSeparator {
        Point = ".",
        Comma = ",",
    }
}

options! {
    #[derive(Debug)]
    pub struct Bytes {
        /// Field that holds the size.
        source: FieldReference = "message",
        /// Field that takes the number of bytes.
        target: FieldReference,
        /// Whether a kilobyte has 1024 bytes (binary) or 1000 (metric).
        conversion_method: Conversion = "binary",
        /// The decimal separator; any other of space, `_`, `,` and `.` groups digits.
        decimal_separator: DecimalSeparator = ".",
        /// Tags added when the field holds no size.
        tag_on_failure: Vec<String> = ["_bytesparsefailure"],
    }
}

/// A line that is a size: digits with separators, the unit's prefix, and `B`. `None` could only come from a mistake in
/// the pattern.
static SIZE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?m)^([0-9 _,.]*)[ \t\r\n\x0B\x0C]*([kKmMgGtTpPeE]?)[bB]?$").ok());

impl Filter for Bytes {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let number = match event.get_mut(&self.source) {
            Some(Value::Str(text)) => {
                // The source loses its outer white space, also in Logstash.
                let stripped = text.trim_matches(['\0', ' ', '\t', '\n', '\r', '\x0B', '\x0C']);
                if stripped.len() != text.len() {
                    *text = stripped.into();
                }
                self.read_size(text)
            }
            _ => None,
        };
        let Some(number) = number else { return self.failed(event) };
        match event.assign(&self.target, number) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                // Logstash stops the pipeline here.
                tracing::warn!(target_field = %self.target, %error, "could not set a number of bytes");
                event.tag("_byteserror");
                Outcome::Failed
            }
        }
    }
}

impl Bytes {
    fn failed(&self, event: &mut Event) -> Outcome {
        for tag in &self.tag_on_failure {
            event.tag(tag);
        }
        Outcome::Failed
    }

    /// The number of bytes that a text means, rounded.
    fn read_size(&self, text: &str) -> Option<Value> {
        let found = SIZE.as_ref()?.captures(text)?;
        let (_, [number, prefix]) = found.extract();
        let separator = match self.decimal_separator {
            DecimalSeparator::Point => '.',
            DecimalSeparator::Comma => ',',
        };
        if number.matches(separator).count() > 1 {
            return None;
        }
        let plain: String = number.chars().filter(|c| c.is_ascii_digit() || *c == separator).collect();
        if plain.is_empty() {
            return None;
        }
        // A separator alone is 0, as for Ruby's to_f.
        let number: f64 = plain.replace(separator, ".").parse().unwrap_or(0.0);
        let base: f64 = match self.conversion_method {
            Conversion::Binary => 1024.0,
            Conversion::Metric => 1000.0,
        };
        let power = "kmgtpe".find(&prefix.to_ascii_lowercase()).filter(|_| !prefix.is_empty());
        let factor = power.map_or(1.0, |power| base.powi(power as i32 + 1));
        float_to_integer((number * factor).round()).map(Value::from_big_integer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(conversion_method: Conversion, decimal_separator: DecimalSeparator) -> Bytes {
        Bytes {
            source: FieldReference::top_level("message"),
            target: FieldReference::top_level("bytes"),
            conversion_method,
            decimal_separator,
            tag_on_failure: vec!["_bytesparsefailure".into()],
        }
    }

    #[test]
    fn separators_and_units() {
        let point = bytes(Conversion::Binary, DecimalSeparator::Point);
        let comma = bytes(Conversion::Metric, DecimalSeparator::Comma);
        assert_eq!(point.read_size("."), Some(Value::Int(0)));
        assert_eq!(point.read_size("5\nk"), Some(Value::Int(5120)));
        assert_eq!(comma.read_size("1.000,5 kB"), Some(Value::Int(1_000_500)));
        assert_eq!(comma.read_size("1,0,0"), None);
        // 2 ^ 70, beyond 64 bits.
        assert_eq!(
            point.read_size("1024 E").map(|n| crate::event::text::ruby_to_s(&n)).as_deref(),
            Some("1180591620717411303424")
        );
        assert_eq!(point.read_size(&"9".repeat(400)), None);
    }
}
