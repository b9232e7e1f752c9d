//! Sorting what came out of a `Suite` by test, and judging it as logstash-filter-verifier does.

use std::sync::Arc;

use super::super::inject::Collect;
use super::super::judge::{Outcome, Verdict, differ, raw_event};
use super::super::raw::Raw;
use super::{Suite, Test};
use crate::event::{Event, METADATA, Value};

/// What the verifier itself keeps in `@metadata`, and never shows.
const OWN_METADATA: [&str; 2] = ["__lfv_", "__tmp_"];
/// The id of the output that an event has reached.
const OUTPUT: &str = "__lfv_out_passed";

/// An event as it came out.
struct Passed {
    /// The number of the event that it stems from.
    number: Option<usize>,
    output: Arc<str>,
    event: Event,
}

impl Suite {
    /// Sorts what came out by test, and cleans it as the verifier does before it compares.
    pub fn by_test(&self, collect: Collect) -> Vec<Vec<Raw>> {
        let mut passed: Vec<Passed> = collect.take().into_iter().map(Passed::new).collect();
        if self.input_plugin.is_some() {
            passed.sort_by(|left, right| (left.number, &left.output).cmp(&(right.number, &right.output)));
        }
        let test_of_line: Vec<usize> =
            (0..).zip(&self.tests).flat_map(|(number, test)| vec![number; test.lines.len().max(1)]).collect();
        let mut by_test = vec![Vec::new(); self.tests.len()];
        let mut last = 0;
        for passed in passed {
            // What a filter made of nothing belongs to what came before it.
            if let Some(number) = passed.number {
                last = test_of_line.get(number).or(test_of_line.last()).copied().unwrap_or(0);
            }
            if let Some(events) = by_test.get_mut(last) {
                events.extend(self.cleaned(&passed));
            }
        }
        by_test
    }

    fn cleaned(&self, passed: &Passed) -> Option<Raw> {
        let mut raw = raw_event(&passed.event)?;
        if let Raw::Map(map) = &mut raw {
            let metadata = map.remove(METADATA);
            if let Some(Raw::Map(mut metadata)) = metadata.filter(|_| self.export_metadata) {
                metadata.retain(|key, _| !OWN_METADATA.iter().any(|own| key.starts_with(own)));
                if !metadata.is_empty() {
                    map.insert(METADATA.to_owned(), Raw::Map(metadata));
                }
            }
            if self.export_outputs {
                map.insert(OUTPUT.to_owned(), Raw::Text(safe_id(&passed.output)));
            }
            if self.input_plugin.is_some() && map.get("tags").is_some_and(|tags| tags.list().is_empty()) {
                map.remove("tags");
            }
        }
        self.without_ignored(&mut raw);
        Some(raw)
    }

    fn without_ignored(&self, raw: &mut Raw) {
        self.ignore.iter().for_each(|path| path.remove_from(raw));
    }

    /// Judges each test; all have passed if all events together are those expected together, as the verifier sees it.
    pub fn judge(&self, file: &str, got: Vec<Vec<Raw>>) -> Vec<Verdict> {
        let comparable = |events: &[Raw]| -> Vec<Raw> {
            let mut events = events.to_vec();
            for event in &mut events {
                self.without_ignored(event);
                *event = with_plain_numbers(std::mem::replace(event, Raw::Null));
            }
            events
        };
        let expected: Vec<_> = self.tests.iter().map(|test| comparable(&test.expected)).collect();
        let compared: Vec<_> = got.iter().map(|events| comparable(events)).collect();
        let all_pass = expected.concat() == compared.concat();
        let mut verdicts = Vec::with_capacity(got.len());
        for (number, events) in got.into_iter().enumerate() {
            let (Some(test), Some(expected), Some(got)) =
                (self.tests.get(number), expected.get(number), compared.get(number))
            else {
                continue;
            };
            let mut reasons = Vec::new();
            if !all_pass && expected != got {
                reasons.push(differ("events", &Raw::List(expected.clone()), &Raw::List(got.clone())));
            }
            let name = test.name(file, number);
            verdicts.push(Verdict::new(name, Outcome::of_events(events), reasons));
        }
        verdicts
    }
}

impl Test {
    fn name(&self, file: &str, number: usize) -> String {
        match &self.description {
            Some(description) => format!("{file}: test {} ({description})", number + 1),
            None => format!("{file}: test {}", number + 1),
        }
    }
}

impl Passed {
    fn new((output, event): (Arc<str>, Event)) -> Self {
        let number = match event.metadata().get("__lfv_id") {
            Some(Value::Int(number)) => usize::try_from(*number).ok(),
            _ => None,
        };
        Passed { number, output, event }
    }
}

/// Numbers as JavaScript and Go print them: 1.0 is 1 in these files.
fn with_plain_numbers(raw: Raw) -> Raw {
    match raw {
        Raw::Number(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Raw::Number(number.to_string()),
            _ => Raw::Number(text),
        },
        Raw::List(items) => Raw::List(items.into_iter().map(with_plain_numbers).collect()),
        Raw::Map(map) => {
            Raw::Map(map.into_iter().map(|(key, value)| (key, with_plain_numbers(value))).collect())
        }
        other => other,
    }
}

/// An id of letters, digits and `_` alone (`pluginIDSave`).
fn safe_id(id: &str) -> String {
    id.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}
