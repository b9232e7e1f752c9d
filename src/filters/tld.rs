//! Filter `tld`: splits a domain name at its public suffix (logstash-filter-tld).
//!
//! The suffixes are those of the Public Suffix List, with the private ones, as in the library public_suffix that
//! Logstash's plugin uses.

use std::borrow::Cow;

use crate::event::{Event, FieldReference, Object, Value, text};
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Spec, options};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "tld",
    summary: "Splits a domain name into its public suffix and what stands before it.",
    options: Tld::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { tld { source => "host" } }"#,
        input: &[r#"{"host":"www.google.co.uk"}"#, r#"{"host":"localhost"}"#],
        output: &[
            r#"{"host":"www.google.co.uk","tld":{"tld":"co.uk","sld":"google","trd":"www","domain":"google.co.uk","subdomain":"www.google.co.uk","top_level_domain":"co.uk"}}"#,
            r#"{"host":"localhost"}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Tld::read(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct Tld {
        /// Field that holds the domain name.
        source: FieldReference = "message",
        /// Field that gets the parts: `tld` and `top_level_domain` (the suffix), `sld` (the name before it), `trd`
        /// (what stands before that), `domain` and `subdomain`.
        target: FieldReference = "tld",
    }
}

/// A name taken apart. None of the parts is empty.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'n> {
    tld: &'n str,
    sld: &'n str,
    trd: Option<&'n str>,
}

impl<'n> Parts<'n> {
    /// Nothing for what is a public suffix itself, or ends in none. `name` is in lower case, without a final point.
    fn of(name: &'n str) -> Option<Self> {
        if name.starts_with('.') || name.contains("://") {
            return None;
        }
        let suffix = psl::suffix(name.as_bytes()).filter(psl::Suffix::is_known)?;
        let split_at = name.len().checked_sub(suffix.as_bytes().len() + 1)?;
        let left = name.get(..split_at)?;
        let tld = name.get(split_at + 1..)?;
        let (trd, sld) = match left.rsplit_once('.') {
            Some((trd, sld)) => (Some(trd), sld),
            None => (None, left),
        };
        (!sld.is_empty() && !tld.is_empty()).then_some(Parts { tld, sld, trd })
    }

    fn to_object(&self) -> Object {
        let Parts { tld, sld, trd } = self;
        let subdomain = trd.map(|trd| format!("{trd}.{sld}.{tld}"));
        let fields = [
            ("tld", Value::from(*tld)),
            ("sld", Value::from(*sld)),
            ("trd", trd.map_or(Value::Null, Value::from)),
            ("domain", Value::from(format!("{sld}.{tld}"))),
            ("subdomain", subdomain.map_or(Value::Null, Value::from)),
            ("top_level_domain", Value::from(*tld)),
        ];
        fields.into_iter().collect()
    }
}

impl Filter for Tld {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let source = match event.get(&self.source) {
            None | Some(Value::Null) => return Outcome::Unmatched,
            Some(Value::Str(text)) => Cow::Borrowed(&**text),
            Some(other) => Cow::Owned(text::ruby_to_s(other)),
        };
        let name = source.trim();
        let name = name.strip_suffix('.').unwrap_or(name).to_lowercase();
        let Some(parts) = Parts::of(&name) else { return Outcome::Unmatched };
        if let Err(error) = event.assign(&self.target, parts.to_object()) {
            // Logstash stops the pipeline here.
            tracing::warn!(%error, "could not set the target of a tld filter");
            event.tag("_tlderror");
            return Outcome::Failed;
        }
        Outcome::Matched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> Option<(&str, &str, Option<&str>)> {
        Parts::of(name).map(|Parts { tld, sld, trd }| (tld, sld, trd))
    }

    #[test]
    fn names_as_the_public_suffix_list_tests_them() {
        // From the list's own test vectors, publicsuffix.org/list.
        for (name, expected) in [
            ("com", None),
            ("example.com", Some(("com", "example", None))),
            ("a.b.example.com", Some(("com", "example", Some("a.b")))),
            (".com", None),
            ("co.jp", None),
            ("test.kobe.jp", None),
            ("b.test.kobe.jp", Some(("test.kobe.jp", "b", None))),
            ("city.kobe.jp", Some(("kobe.jp", "city", None))),
            ("www.www.ck", Some(("ck", "www", Some("www")))),
            ("b.blogspot.com", Some(("blogspot.com", "b", None))),
            ("www.食狮.公司.cn", Some(("公司.cn", "食狮", Some("www")))),
            ("www.xn--85x722f.xn--55qx5d.cn", Some(("xn--55qx5d.cn", "xn--85x722f", Some("www")))),
            // The list knows no such suffix.
            ("example.invalid", None),
            ("localhost", None),
            ("http://example.com", None),
            ("", None),
        ] {
            assert_eq!(parts(name), expected, "{name}");
        }
    }

    #[test]
    fn case_white_space_and_the_final_point_do_not_matter() {
        let filter = Tld { source: FieldReference::top_level("s"), target: FieldReference::top_level("t") };
        let mut event = Event::new();
        event.data_mut().insert("s", Value::from(" Google.COM.\n"));
        assert_eq!(filter.filter(&mut event, &mut Emit::default()), Outcome::Matched);
        let domain = event.get(&FieldReference::parse("[t][domain]").unwrap());
        assert_eq!(domain, Some(&Value::from("google.com")));
        assert_eq!(event.get(&FieldReference::parse("[t][trd]").unwrap()), Some(&Value::Null));
    }
}
