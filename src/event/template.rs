//! `Template`: text with `%{field}` and `%{+date}` references, Logstash's sprintf (`StringInterpolation.java`).

use std::fmt::Write as _;

use super::time_format::{JavaTimeFormat, JodaFormat};
use super::{Event, FieldReference, Timestamp, Value, text};

/// A sprintf text, parsed once when the plugin is built.
#[derive(Debug, Clone)]
pub struct Template {
    source: Box<str>,
    parts: Box<[Part]>,
}

#[derive(Debug, Clone)]
enum Part {
    Literal(Box<str>),
    /// The field, and the reference as it was written, which is printed when the field is missing.
    Field(FieldReference, Box<str>),
    Epoch,
    Joda(JodaFormat),
    JavaTime(JavaTimeFormat),
    Now,
    /// A reference or pattern that makes every event fail, as it does in Logstash.
    Broken(Box<str>),
}

/// A template whose reference or date pattern is illegal. Logstash finds that out with the first event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SprintfError(pub Box<str>);

impl Template {
    /// Never fails: what is no reference is literal text; what is an illegal one fails in [`render`](Self::render).
    pub fn parse(source: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((before, reference, after)) = next_reference(rest) {
            push_literal(&mut parts, before);
            parts.push(parse_reference(reference));
            rest = after;
        }
        push_literal(&mut parts, rest);
        Template { source: source.into(), parts: parts.into() }
    }

    /// The text as it stands in the config.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text when nothing in it depends on an event.
    pub fn as_literal(&self) -> Option<&str> {
        self.parts.iter().all(|part| matches!(part, Part::Literal(_))).then_some(&*self.source)
    }

    /// Why every event would fail on this template, if so.
    pub fn error(&self) -> Option<SprintfError> {
        self.parts.iter().find_map(|part| match part {
            Part::Broken(message) => Some(SprintfError(message.clone())),
            _ => None,
        })
    }

    pub fn render(&self, event: &Event) -> Result<String, SprintfError> {
        let mut out = String::with_capacity(self.source.len());
        self.render_into(event, &mut out)?;
        Ok(out)
    }

    /// [`render_into`](Self::render_into) for a buffer of bytes. Text, which nearly all of it is, is copied once.
    pub fn render_bytes(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), SprintfError> {
        for part in &self.parts {
            match part {
                Part::Literal(literal) => out.extend_from_slice(literal.as_bytes()),
                Part::Field(field, _) if let Some(Value::Str(text)) = event.get(field) => {
                    out.extend_from_slice(text.as_bytes());
                }
                part => {
                    let mut text = String::new();
                    part.render(event, &mut text)?;
                    out.extend_from_slice(text.as_bytes());
                }
            }
        }
        Ok(())
    }

    /// Appends the text for an event. A missing or null field stays as its reference.
    pub fn render_into(&self, event: &Event, out: &mut String) -> Result<(), SprintfError> {
        self.parts.iter().try_for_each(|part| part.render(event, out))
    }
}

impl Part {
    fn render(&self, event: &Event, out: &mut String) -> Result<(), SprintfError> {
        match self {
            Part::Literal(literal) => out.push_str(literal),
            Part::Field(field, written) => match event.get(field) {
                None | Some(Value::Null) => out.extend(["%{", written, "}"]),
                Some(value) => text::push_sprintf(out, value),
            },
            Part::Epoch => {
                if let Some(time) = event.timestamp() {
                    _ = write!(out, "{}", time.epoch_seconds());
                }
            }
            Part::Joda(format) => {
                if let Some(time) = event.timestamp() {
                    format.format(time, out);
                }
            }
            Part::JavaTime(format) => {
                if let Some(time) = event.timestamp() {
                    format.format(time, out);
                }
            }
            Part::Now => _ = write!(out, "{}", Timestamp::now()),
            Part::Broken(message) => return Err(SprintfError(message.clone())),
        }
        Ok(())
    }
}

fn push_literal(parts: &mut Vec<Part>, literal: &str) {
    if !literal.is_empty() {
        parts.push(Part::Literal(literal.into()));
    }
}

/// Splits at the first `%{...}`; a `%{{...}}` takes its second closing brace along.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let (before, opened) = text.split_once("%{")?;
    let close = opened.find('}')?;
    let after = opened.get(close + 1..)?;
    if opened.starts_with('{') && after.starts_with('}') {
        return Some((before, opened.get(..=close)?, after.get(1..)?));
    }
    Some((before, opened.get(..close)?, after))
}

fn parse_reference(reference: &str) -> Part {
    // `%{}` and `%{+}` are epoch seconds as well: Logstash compares only as many characters as there are.
    if "+%s".starts_with(reference) {
        return Part::Epoch;
    }
    if let Some(pattern) = reference.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        if pattern == "TIME_NOW" {
            return Part::Now;
        }
        return match JavaTimeFormat::compile(pattern) {
            Ok(format) => Part::JavaTime(format),
            Err(error) => Part::Broken(error.to_string().into()),
        };
    }
    if let Some(pattern) = reference.strip_prefix('+') {
        return match JodaFormat::compile(pattern) {
            Ok(format) => Part::Joda(format),
            Err(error) => Part::Broken(error.to_string().into()),
        };
    }
    match FieldReference::parse(reference) {
        Ok(field) => Part::Field(field, reference.into()),
        Err(error) => Part::Broken(error.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::json::{Decimals, parse};

    fn render(template: &str, json: &str) -> String {
        let Value::Object(object) = parse(json, Decimals::Double).unwrap() else { panic!("{json}") };
        Template::parse(template).render(&Event::from_object(*object).unwrap()).unwrap()
    }

    #[test]
    fn fields() {
        let json = r#"{"a":1,"f":1e20,"n":null,"l":[1,[2,null],{"k":"v"}],"o":{"k":[1]},"@timestamp":"2024-05-06T07:08:09Z"}"#;
        assert_eq!(render("x%{a}-%{f}-%{n}-%{missing}", json), "x1-1.0E20-%{n}-%{missing}");
        assert_eq!(render("%{l}|%{o}", json), r#"1,2,,{k=v}|{"k":[1]}"#);
        assert_eq!(render("%{}%{+}%{+%s}", json), "171497928917149792891714979289");
        assert_eq!(render("%{open", json), "%{open");
        assert_eq!(render("%{{yyyy}y", json), "%{{yyyy}y");
    }

    #[test]
    fn dates() {
        let json = r#"{"@timestamp":"2024-05-06T07:08:09Z"}"#;
        assert_eq!(render("logs-%{+YYYY.MM.dd}", json), "logs-2024.05.06");
        assert_eq!(render("logs-%{{yyyy-MM-dd}}!", json), "logs-2024-05-06!");
    }

    #[test]
    fn literal_and_broken() {
        assert_eq!(Template::parse("plain").as_literal(), Some("plain"));
        assert_eq!(Template::parse("%{a}").as_literal(), None);
        assert!(Template::parse("%{[a}").error().is_some());
    }
}
