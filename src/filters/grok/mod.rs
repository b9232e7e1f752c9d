//! Filter `grok`: takes text apart into fields by patterns (logstash-filter-grok).
//!
//! What the patterns are is the business of [`crate::grok`]; here are the options, and how captures become fields.

mod build;
mod fields;
mod prefilter;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crate::event::{Event, FieldReference, InvalidReference, Value, text::ruby_to_s};
use crate::grok::Expression;
use crate::plugin::{Build, Emit, Example, Filter, Kind, Outcome, Pairs, Spec, choices, options};
use crate::regex::{Locations, SearchError};

use fields::{Destination, Failure};
use prefilter::{Possible, Prefilter};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "grok",
    summary: "Takes text apart into fields by patterns.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  grok {
    match => { "message" => ["%{IP:[client][ip]} %{WORD:verb} %{INT:bytes:int}$", "%{ORDER:order}"] }
    pattern_definitions => { "ORDER" => "[A-Z]{2}-\d+" }
  }
}"#,
        input: &[
            r#"{"message":"192.0.2.7 GET 512"}"#,
            r#"{"message":"see AB-17"}"#,
            r#"{"message":"something else"}"#,
        ],
        output: &[
            r#"{"message":"192.0.2.7 GET 512","client":{"ip":"192.0.2.7"},"verb":"GET","bytes":512}"#,
            r#"{"message":"see AB-17","order":"AB-17"}"#,
            r#"{"message":"something else","tags":["_grokparsefailure"]}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Grok::build(reader)?))),
};

choices! {
    /// What the time limit is for.
    pub enum TimeoutScope {
        /// Every pattern that is tried.
        Pattern = "pattern",
        /// All patterns that are tried on a field of an event.
        Event = "event",
    }
}

options! {
    #[derive(Debug)]
    struct Options {
        /// Fields, each with its pattern or an array of patterns, of which the first that matches counts.
        r#match: Pairs = {},
        /// Folders with pattern files: a line is a name, white space and an expression.
        patterns_dir: Vec<String> = [],
        /// Which files of the folders are read.
        patterns_files_glob: String = "*",
        /// Patterns for this filter alone: name and expression.
        pattern_definitions: Pairs = {},
        /// Fields that captures replace instead of being added to what is there.
        overwrite: Vec<String> = [],
        /// Whether the first match ends the work; otherwise every pattern of every field is tried.
        break_on_match: bool = true,
        /// Whether only named captures become fields: `%{WORD:w}` does, `%{WORD}` does not.
        named_captures_only: bool = true,
        /// Whether captures become fields that are empty or had no part in the match.
        keep_empty_captures: bool = false,
        /// Field below which captures are stored. Without it they become fields of the event.
        target: Option<String>,
        /// Tags added to an event that no pattern matches.
        tag_on_failure: Vec<String> = ["_grokparsefailure"],
        /// Tag added to an event at which a pattern ran out of time.
        tag_on_timeout: String = "_groktimeout",
        /// Milliseconds after which a pattern is given up; 0 stands for no limit.
        timeout_millis: f64 = 30000,
        /// Whether the time is for every pattern or for all that are tried on a field.
        timeout_scope: TimeoutScope = "pattern",
    }
}

/// The patterns of one field.
#[derive(Debug)]
struct FieldMatch {
    field: Result<FieldReference, InvalidReference>,
    patterns: Vec<Pattern>,
    /// For long lists: tells by one look at a text which of the patterns can match.
    prefilter: Option<Prefilter>,
}

/// A pattern and where its captures go.
#[derive(Debug)]
struct Pattern {
    expression: Expression,
    /// By position in the expression's captures.
    destinations: Vec<Destination>,
}

#[derive(Debug)]
struct Grok {
    fields: Vec<FieldMatch>,
    break_on_match: bool,
    keep_empty_captures: bool,
    tag_on_failure: Vec<String>,
    tag_on_timeout: String,
    timeout: Option<Duration>,
    timeout_scope: TimeoutScope,
}

/// Buffers of a worker, kept because they allocate.
#[derive(Default)]
struct Scratch {
    text: String,
    locations: Locations,
    possible: Possible,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Filter for Grok {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        SCRATCH.with_borrow_mut(|scratch| match self.run(event, scratch) {
            Ok(true) => Outcome::Matched,
            Ok(false) => {
                self.tag_on_failure.iter().for_each(|tag| event.tag(tag));
                Outcome::Failed
            }
            Err(error) => {
                let value = scratch.text.get(..scratch.text.floor_char_boundary(255)).unwrap_or_default();
                tracing::warn!(%error, value, bytes = scratch.text.len(), "timeout executing grok");
                event.tag(&self.tag_on_timeout);
                Outcome::Failed
            }
        })
    }
}

impl Grok {
    /// Goes through the fields; whether one of them matched.
    fn run(&self, event: &mut Event, scratch: &mut Scratch) -> Result<bool, SearchError> {
        let mut matched = false;
        for field in &self.fields {
            match self.match_field(field, event, scratch) {
                Ok(true) => matched = true,
                Ok(false) => continue,
                Err(Failure::Search(error)) => return Err(error),
                Err(failure) => {
                    tracing::warn!(error = %failure, "grok could not set a field");
                    continue;
                }
            }
            if self.break_on_match {
                break;
            }
        }
        Ok(matched)
    }

    fn match_field(
        &self,
        field: &FieldMatch,
        event: &mut Event,
        scratch: &mut Scratch,
    ) -> Result<bool, Failure> {
        let source = field.field.as_ref().map_err(|invalid| Failure::Reference(invalid.clone()))?;
        let items = match event.get(source) {
            // Captures may change the array itself: it is looked at as it was.
            Some(Value::Array(items)) => items.clone(),
            value => {
                copy_text(value, &mut scratch.text);
                return self.match_text(field, event, scratch);
            }
        };
        let mut matched = false;
        for item in &items {
            copy_text(Some(item), &mut scratch.text);
            matched |= self.match_text(field, event, scratch)?;
        }
        Ok(matched)
    }

    /// Tries the patterns on the text in `scratch`. Where all are tried, the last one decides.
    fn match_text(
        &self,
        field: &FieldMatch,
        event: &mut Event,
        scratch: &mut Scratch,
    ) -> Result<bool, Failure> {
        let deadline = match self.timeout_scope {
            TimeoutScope::Event => self.timeout.map(|timeout| (Instant::now(), timeout)),
            TimeoutScope::Pattern => None,
        };
        if let Some(prefilter) = &field.prefilter {
            prefilter.look(&scratch.text, &mut scratch.possible);
        }
        let mut matched = false;
        for (number, pattern) in field.patterns.iter().enumerate() {
            if field.prefilter.is_some() && !scratch.possible.contains(number) {
                matched = false;
                continue;
            }
            let timeout = match deadline {
                None => self.timeout,
                Some((began, timeout)) => {
                    let left = timeout.checked_sub(began.elapsed());
                    Some(left.ok_or(Failure::Search(SearchError::Timeout))?)
                }
            };
            let Scratch { text, locations, .. } = scratch;
            matched = pattern.expression.matches(text, timeout, locations).map_err(Failure::Search)?;
            if matched {
                self.store(pattern, event, text, locations)?;
                if self.break_on_match {
                    break;
                }
            }
        }
        Ok(matched)
    }

    fn store(
        &self,
        pattern: &Pattern,
        event: &mut Event,
        text: &str,
        locations: &Locations,
    ) -> Result<(), Failure> {
        for (capture, destination) in pattern.expression.captures().iter().zip(&pattern.destinations) {
            let value = match capture.text(text, locations) {
                None if !self.keep_empty_captures => continue,
                None => Value::Null,
                Some(captured) => capture.coercion.apply(captured),
            };
            if !self.keep_empty_captures && value.as_str() == Some("") {
                continue;
            }
            destination.store(event, value)?;
        }
        Ok(())
    }
}

/// The text of a value, as Ruby's `to_s` gives it.
fn copy_text(value: Option<&Value>, text: &mut String) {
    text.clear();
    match value {
        None => {}
        Some(Value::Str(source)) => text.push_str(source),
        Some(other) => text.push_str(&ruby_to_s(other)),
    }
}

#[cfg(test)]
mod tests;
