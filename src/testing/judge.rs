//! Judging what came out of a case against what was expected.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use similar::TextDiff;

use super::inject::sorted_for_rubydebug;
use super::raw::Raw;
use crate::event::{Event, METADATA, Object, Value, json};
use crate::language::Span;
use crate::plugin::{Block, CodecFactory, Context, Kind};

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Passed,
    Failed,
    /// The case itself could not be read.
    Error,
}

/// What a config did with a case's events.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Why the config did not run.
    pub error: Option<String>,
    /// The reason is a plugin that this build has not: no answer to the question that the case asks.
    pub unavailable: bool,
    pub events: Vec<Raw>,
    json: Vec<String>,
    rubydebug: Vec<String>,
    stdout: String,
}

impl Outcome {
    /// What came out, by the names that an expectation has for it.
    pub fn parts(&self) -> BTreeMap<String, Raw> {
        let texts = |texts: &[String]| Raw::List(texts.iter().cloned().map(Raw::Text).collect());
        let parts = [
            ("events", Raw::List(self.events.clone())),
            ("json", texts(&self.json)),
            ("rubydebug", texts(&self.rubydebug)),
            ("stdout", Raw::Text(self.stdout.clone())),
        ];
        parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect()
    }

    /// Events alone, for expectations that ask for nothing else.
    pub fn of_events(events: Vec<Raw>) -> Self {
        Outcome { events, ..Outcome::default() }
    }

    /// The outcome of a config that did not run.
    pub fn failed(error: impl Into<String>) -> Self {
        Outcome { error: Some(error.into()), ..Outcome::default() }
    }

    /// [`failed`](Self::failed) as the error of a function.
    pub fn failure(error: impl Into<String>) -> Box<Self> {
        Box::new(Self::failed(error))
    }

    /// What came out of a config that ran.
    pub fn of(events: &[Event], context: &Context, stdout: String) -> Self {
        let rubydebug =
            CodecFactory::new(&Block::bare(Kind::Codec, "rubydebug", Span::default()), context).ok();
        let in_rubydebug = |event: &Event| {
            let mut out = Vec::new();
            let mut event = event.clone();
            *event.data_mut() = sorted_for_rubydebug(event.data());
            let encoded =
                rubydebug.as_ref().is_some_and(|codec| codec.encoder().encode(&event, &mut out).is_ok());
            encoded.then(|| String::from_utf8_lossy(&out).into_owned())
        };
        Outcome {
            error: None,
            unavailable: false,
            events: events.iter().filter_map(raw_event).collect(),
            json: events.iter().map(|event| text_of(event.data())).collect(),
            rubydebug: events.iter().filter_map(in_rubydebug).collect(),
            stdout,
        }
    }
}

fn text_of(object: &Object) -> String {
    let mut out = String::new();
    json::push_object(&mut out, object);
    out
}

/// An event as it is compared: with its `@metadata`, unless that is empty.
pub fn raw_event(event: &Event) -> Option<Raw> {
    let mut data = event.data().clone();
    if !event.metadata().is_empty() {
        data.insert(METADATA, Value::from(event.metadata().clone()));
    }
    Raw::parse(&text_of(&data)).ok()
}

/// What a case expects.
pub struct Expected<'c> {
    expect: &'c Raw,
    volatile: &'c BTreeSet<String>,
}

impl<'c> Expected<'c> {
    pub fn new(expect: &'c Raw, volatile: &'c BTreeSet<String>) -> Self {
        Expected { expect, volatile }
    }

    pub fn judge(&self, name: String, outcome: Outcome) -> Verdict {
        let mut reasons = Vec::new();
        let wants_failure = self.expect.get("ok") == Some(&Raw::Bool(false));
        match (&outcome.error, wants_failure) {
            (Some(error), true) if outcome.unavailable => reasons.push(format!("cannot tell:\n{error}")),
            (Some(_), true) => {}
            (None, true) if self.text("stage") == "run" && outcome.events.iter().any(failed_a_plugin) => {}
            (None, true) => reasons.push(format!("expected an error: {}", self.text("error"))),
            (Some(error), false) => reasons.push(format!("did not run:\n{error}")),
            (None, false) => self.compare(&outcome, &mut reasons),
        }
        Verdict::new(name, outcome, reasons)
    }

    fn text(&self, name: &str) -> &str {
        self.expect.get(name).and_then(Raw::text).unwrap_or_default()
    }

    fn compare(&self, outcome: &Outcome, reasons: &mut Vec<String>) {
        for (name, part) in outcome.parts() {
            self.compare_part(&name, part, reasons);
        }
    }

    fn compare_part(&self, part: &str, mut got: Raw, reasons: &mut Vec<String>) {
        let Some(expected) = self.expect.get(part) else { return };
        let pointer = format!("/{part}");
        let mut expected = expected.clone();
        expected.blank(&pointer, self.volatile);
        got.blank(&pointer, self.volatile);
        blank_where_null(&expected, &mut got, part);
        if expected != got {
            reasons.push(differ(part, &expected, &got));
        }
    }
}

/// Whether an event carries the tag of a plugin that raised on it, at which Logstash stops and this pipeline goes on:
/// `_NAMEerror` of a filter, `_NAMEdecodefailure` of a codec.
fn failed_a_plugin(event: &Raw) -> bool {
    let registry = crate::registry();
    let is_plugin = |kind, name: Option<&str>| name.is_some_and(|name| registry.get(kind, name).is_some());
    let marks = |tag: &Raw| {
        let Some(tag) = tag.text().and_then(|tag| tag.strip_prefix('_')) else { return false };
        is_plugin(Kind::Filter, tag.strip_suffix("error"))
            || is_plugin(Kind::Codec, tag.strip_suffix("decodefailure"))
    };
    match event.get("tags") {
        Some(Raw::List(tags)) => tags.iter().any(marks),
        _ => false,
    }
}

/// A text of null in a list of texts stands for one that changes from run to run.
fn blank_where_null(expected: &Raw, got: &mut Raw, part: &str) {
    if part == "events" {
        return;
    }
    if let (Raw::List(expected), Raw::List(got)) = (expected, got) {
        for (expected, got) in expected.iter().zip(got) {
            if *expected == Raw::Null {
                *got = Raw::Null;
            }
        }
    }
}

/// Says that a part of what came out is not what was expected, line by line.
pub fn differ(part: &str, expected: &Raw, got: &Raw) -> String {
    format!("{part} differ (- expected, + got):\n{}", diff(expected, got))
}

fn diff(expected: &Raw, got: &Raw) -> String {
    let shown = |raw: &Raw| match raw {
        Raw::List(items) => items.iter().map(|item| shown_item(item) + "\n").collect::<String>(),
        other => shown_item(other),
    };
    let (expected, got) = (shown(expected), shown(got));
    TextDiff::from_lines(&expected, &got).unified_diff().context_radius(3).to_string()
}

fn shown_item(raw: &Raw) -> String {
    match raw {
        Raw::Text(text) => text.clone(),
        other => other.to_pretty(),
    }
}

/// The result of one case.
#[derive(Debug)]
pub struct Verdict {
    pub name: String,
    pub status: Status,
    /// How long it took.
    pub time: Duration,
    pub(super) outcome: Outcome,
    reasons: Vec<String>,
}

impl Verdict {
    pub(super) fn new(name: String, outcome: Outcome, reasons: Vec<String>) -> Self {
        let status = if reasons.is_empty() { Status::Passed } else { Status::Failed };
        Verdict { name, status, time: Duration::ZERO, outcome, reasons }
    }

    /// A case that could not be read.
    pub(super) fn error(name: String, error: String) -> Self {
        let reasons = vec![error.clone()];
        Verdict { status: Status::Error, ..Verdict::new(name, Outcome::failed(error), reasons) }
    }

    /// A case that expects nothing: it passes if the config runs.
    pub(super) fn unjudged(name: String, outcome: Outcome) -> Self {
        let reasons = outcome.error.iter().cloned().collect();
        Verdict::new(name, outcome, reasons)
    }

    /// Why the case did not pass.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// The verdict as a JSON object: `name`, `status`, what came out, `error`.
    pub(super) fn to_json(&self) -> String {
        let status = match self.status {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::Error => "error",
        };
        let mut fields = self.outcome.parts();
        fields.insert("name".into(), Raw::Text(self.name.clone()));
        fields.insert("status".into(), Raw::Text(status.into()));
        fields.insert("error".into(), self.outcome.error.clone().map_or(Raw::Null, Raw::Text));
        Raw::Map(fields).to_json()
    }
}
