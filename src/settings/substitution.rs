//! Puts environment variables into settings: `${NAME}` and `${NAME:default}`.
//!
//! Follows Logstash's `LogStash::Util::SubstitutionVariables`.
use super::value::Raw;
use crate::plugin::Environment;
use regex::{Captures, Regex};
use std::sync::LazyLock;

static PLACEHOLDER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\$\{([a-zA-Z_.][a-zA-Z0-9_.]*)(?::([^}]*))?\}").ok());

/// A placeholder without a value and without a default.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("environment variable `{0}` is not set and `${{{0}}}` gives no default")]
pub struct Undefined(pub String);

/// Replaces every placeholder of `raw`.
///
/// With `refine`, as in logstash.yml, a replaced text loses the quotes around it, and `[a, b]` becomes a list.
pub fn substitute(raw: Raw, refine: bool, environment: &Environment) -> Result<Raw, Undefined> {
    match raw {
        Raw::Text(text) => Ok(replace(&text, refine, environment)?.unwrap_or(Raw::Text(text))),
        Raw::Plain(text) => Ok(replace(&text, refine, environment)?.unwrap_or(Raw::Plain(text))),
        Raw::List(items) => {
            let mut replaced = Vec::with_capacity(items.len());
            for item in items {
                match replace(&item, refine, environment)? {
                    Some(Raw::List(inner)) => replaced.extend(inner),
                    Some(Raw::Text(text) | Raw::Plain(text)) => replaced.push(text),
                    Some(Raw::Null) | None => replaced.push(item),
                }
            }
            Ok(Raw::List(replaced))
        }
        Raw::Null => Ok(Raw::Null),
    }
}

/// `None` when the text holds no placeholder.
fn replace(text: &str, refine: bool, environment: &Environment) -> Result<Option<Raw>, Undefined> {
    let Some(pattern) = PLACEHOLDER.as_ref().filter(|pattern| text.contains("${") && pattern.is_match(text))
    else {
        return Ok(None);
    };
    let mut undefined = None;
    let replaced = pattern.replace_all(text, |captures: &Captures<'_>| {
        let name = captures.get(1).map_or("", |found| found.as_str());
        let default = captures.get(2).map(|found| found.as_str().to_owned());
        environment.get(name).or(default).unwrap_or_else(|| {
            undefined.get_or_insert_with(|| name.to_owned());
            String::new()
        })
    });
    match undefined {
        Some(name) => Err(Undefined(name)),
        None if refine => Ok(Some(refined(&replaced))),
        None => Ok(Some(Raw::Text(replaced.into_owned()))),
    }
}

fn refined(text: &str) -> Raw {
    let text = unquoted(text);
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some("") => Raw::List(Vec::new()),
        Some(items) => Raw::List(items.split(',').map(|item| unquoted(item.trim()).to_owned()).collect()),
        None => Raw::Text(text.to_owned()),
    }
}

/// Without one pair of single quotes around it, and then one pair of double quotes.
fn unquoted(text: &str) -> &str {
    without(without(text, '\''), '"')
}

fn without(text: &str, quote: char) -> &str {
    text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("db1".to_owned()),
            "QUOTED" => Some("\"a b\"".to_owned()),
            "LIST" => Some("['x', \"y\", z]".to_owned()),
            _ => None,
        }
    }

    fn text(input: &str) -> Result<Raw, Undefined> {
        substitute(Raw::Text(input.to_owned()), true, &Environment::new(lookup))
    }

    #[test]
    fn variables_and_defaults_are_put_in() {
        assert_eq!(text("http://${HOST}:${PORT:9200}/"), Ok(Raw::Text("http://db1:9200/".into())));
        assert_eq!(text("${NONE:}"), Ok(Raw::Text(String::new())));
        assert_eq!(text("${NONE}"), Err(Undefined("NONE".into())));
        assert_eq!(text("$HOST ${1X}"), Ok(Raw::Text("$HOST ${1X}".into())));
    }

    #[test]
    fn logstash_yml_loses_quotes_and_reads_lists() {
        assert_eq!(text("${QUOTED}"), Ok(Raw::Text("a b".into())));
        assert_eq!(text("${LIST}"), Ok(Raw::List(vec!["x".into(), "y".into(), "z".into()])));
        assert_eq!(text("\"kept\""), Ok(Raw::Text("\"kept\"".into())));
        let untouched = substitute(Raw::Text("${LIST}".into()), false, &Environment::new(lookup));
        assert_eq!(untouched, Ok(Raw::Text("['x', \"y\", z]".into())));
    }
}
