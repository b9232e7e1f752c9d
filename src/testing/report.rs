//! Verdicts of cases: judging what came out, and printing it for people or programs.

use std::collections::BTreeSet;
use std::io::{self, Write};

use similar::TextDiff;

use super::inject::sorted_for_rubydebug;
use super::raw::Raw;
use crate::event::{Event, METADATA, Object, Value, json};
use crate::language::Span;
use crate::plugin::{Block, CodecFactory, Context, Kind};

/// How verdicts are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A diff for each failed case and a closing line `N passed, N failed`.
    Human,
    /// One JSON object a case.
    Json,
}

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
    error: Option<String>,
    /// The reason is a plugin that this build has not: no answer to the question that the case asks.
    pub unavailable: bool,
    events: Vec<Raw>,
    json: Vec<String>,
    rubydebug: Vec<String>,
    stdout: String,
}

impl Outcome {
    pub fn failed(error: impl Into<String>) -> Self {
        Outcome { error: Some(error.into()), ..Outcome::default() }
    }

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
            events: events.iter().filter_map(|event| Raw::parse(&with_metadata(event)).ok()).collect(),
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

fn with_metadata(event: &Event) -> String {
    let mut data = event.data().clone();
    if !event.metadata().is_empty() {
        data.insert(METADATA, Value::from(event.metadata().clone()));
    }
    text_of(&data)
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
            (None, true) => reasons.push(format!("expected an error: {}", self.text("error"))),
            (Some(error), false) => reasons.push(format!("did not run:\n{error}")),
            (None, false) => self.compare(&outcome, &mut reasons),
        }
        let status = if reasons.is_empty() { Status::Passed } else { Status::Failed };
        Verdict { name, status, outcome, reasons }
    }

    fn text(&self, name: &str) -> &str {
        self.expect.get(name).and_then(Raw::text).unwrap_or_default()
    }

    fn compare(&self, outcome: &Outcome, reasons: &mut Vec<String>) {
        let texts = |texts: &[String]| Raw::List(texts.iter().cloned().map(Raw::Text).collect());
        self.compare_part("events", Raw::List(outcome.events.clone()), reasons);
        self.compare_part("json", texts(&outcome.json), reasons);
        self.compare_part("rubydebug", texts(&outcome.rubydebug), reasons);
        self.compare_part("stdout", Raw::Text(outcome.stdout.clone()), reasons);
    }

    fn compare_part(&self, part: &str, mut got: Raw, reasons: &mut Vec<String>) {
        let Some(expected) = self.expect.get(part) else { return };
        let pointer = format!("/{part}");
        let mut expected = expected.clone();
        expected.blank(&pointer, self.volatile);
        got.blank(&pointer, self.volatile);
        blank_where_null(&expected, &mut got, part);
        if expected != got {
            reasons.push(format!("{part} differ (- expected, + got):\n{}", diff(&expected, &got)));
        }
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
    outcome: Outcome,
    reasons: Vec<String>,
}

impl Verdict {
    /// A case that could not be read.
    pub fn error(name: String, error: String) -> Self {
        Verdict { name, status: Status::Error, reasons: vec![error.clone()], outcome: Outcome::failed(error) }
    }

    /// A case that expects nothing: it passes if the config runs.
    pub fn unjudged(name: String, outcome: Outcome) -> Self {
        let reasons: Vec<_> = outcome.error.iter().cloned().collect();
        let status = if reasons.is_empty() { Status::Passed } else { Status::Failed };
        Verdict { name, status, outcome, reasons }
    }

    /// Why the case did not pass.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    fn to_json(&self) -> String {
        let texts = |texts: &[String]| Raw::List(texts.iter().cloned().map(Raw::Text).collect());
        let status = match self.status {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::Error => "error",
        };
        let fields = [
            ("name", Raw::Text(self.name.clone())),
            ("status", Raw::Text(status.into())),
            ("events", Raw::List(self.outcome.events.clone())),
            ("json", texts(&self.outcome.json)),
            ("rubydebug", texts(&self.outcome.rubydebug)),
            ("stdout", Raw::Text(self.outcome.stdout.clone())),
            ("error", self.outcome.error.clone().map_or(Raw::Null, Raw::Text)),
        ];
        Raw::Map(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()).to_json()
    }
}

/// Prints verdicts as they come.
pub struct Report<'o> {
    format: Format,
    out: &'o mut dyn Write,
    passed: usize,
    failed: usize,
}

impl<'o> Report<'o> {
    pub fn new(format: Format, out: &'o mut dyn Write) -> Self {
        Report { format, out, passed: 0, failed: 0 }
    }

    pub fn add(&mut self, verdict: &Verdict) -> io::Result<()> {
        match verdict.status {
            Status::Passed => self.passed += 1,
            Status::Failed | Status::Error => self.failed += 1,
        }
        match self.format {
            Format::Json => writeln!(self.out, "{}", verdict.to_json()),
            Format::Human if verdict.status == Status::Passed => Ok(()),
            Format::Human => {
                writeln!(self.out, "FAILED {}", verdict.name)?;
                for line in verdict.reasons.iter().flat_map(|reason| reason.lines()) {
                    writeln!(self.out, "    {line}")?;
                }
                writeln!(self.out)
            }
        }
    }

    /// Prints the closing line; returns whether every case passed.
    pub fn finish(self) -> io::Result<bool> {
        if self.format == Format::Human {
            writeln!(self.out, "{} passed, {} failed", self.passed, self.failed)?;
        }
        self.out.flush()?;
        Ok(self.failed == 0)
    }
}
