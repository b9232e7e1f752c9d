//! `rstash test --record`: writes what came out into the files of cases, as their expectation.
//!
//! Cases that pass keep what they have. Everything runs twice, so that what changes from run to run is known.

mod json_text;
mod yaml_text;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

use super::case::Case;
use super::execute::Bench;
use super::files::{CaseFile, Form, Job, Work};
use super::judge::{Outcome, Status};
use super::raw::Raw;
use super::schedule;
use super::suite::Suite;
use json_text::Step;

/// Between the two runs, so that times of now are not the same in both.
const PAUSE: Duration = Duration::from_millis(5);

/// Something to write into a file of cases.
struct Edit {
    place: Place,
    key: &'static str,
    value: Raw,
}

/// The object that gets a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The object on that line, from 0 on.
    Line(usize),
    /// That element of `testcases`.
    Test(usize),
    /// The document itself.
    Top,
}

/// What became of one job.
#[derive(Default)]
struct Recorded {
    edits: Vec<Edit>,
    /// What the user should know.
    notes: Vec<String>,
    /// What could not be recorded.
    errors: Vec<String>,
}

/// Records the expectations of all cases that do not pass, and says what was done. Returns whether all could be.
///
/// # Errors
/// A file that cannot be written, or a standard output that is closed.
pub fn record(files: &[CaseFile], bench: &Bench, out: &mut dyn Write) -> io::Result<bool> {
    let mut complete = true;
    for file in files {
        let mut edits = Vec::new();
        let done = |_: &Job, recorded: Recorded| {
            edits.extend(recorded.edits);
            recorded.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
            complete &= recorded.errors.is_empty();
            recorded.errors.iter().try_for_each(|error| writeln!(out, "NOT RECORDED {error}"))
        };
        schedule::run_in_order(&file.jobs, Job::pauses, |job| record_job(job, bench), done)?;
        if edits.is_empty() {
            continue;
        }
        let cases = edits.iter().filter(|edit| edit.key != "volatile").count();
        match edited(file, &edits) {
            Ok(text) => {
                std::fs::write(&file.path, text)?;
                writeln!(out, "{}: {cases} recorded", file.path.display())?;
            }
            Err(error) => {
                complete = false;
                writeln!(out, "NOT RECORDED {}: {error}", file.path.display())?;
            }
        }
    }
    Ok(complete)
}

fn record_job(job: &Job, bench: &Bench) -> Recorded {
    match &job.work {
        Work::Case { case, .. } => record_case(case, job, bench),
        Work::Suite(suite) => record_suite(suite, job, bench),
        Work::Broken(error) => {
            Recorded { errors: vec![format!("{}: {error}", job.place)], ..Recorded::default() }
        }
    }
}

fn record_case(case: &Case, job: &Job, bench: &Bench) -> Recorded {
    let mut recorded = Recorded::default();
    let (expect, volatile) = case.expectation();
    if expect.is_some() && case.run_on(bench, None).status == Status::Passed {
        return recorded;
    }
    let first = case.outcome(bench, None);
    std::thread::sleep(PAUSE);
    let second = case.outcome(bench, None);
    if first.unavailable {
        let error = first.error.unwrap_or_default();
        recorded.errors.push(format!("{} ({}):\n{error}", job.place, case.name));
        return recorded;
    }
    let wanted = |part: &str| part == "events" || expect.is_some_and(|expect| expect.get(part).is_some());
    let (first, second) = (expectation(first, wanted), expectation(second, wanted));
    let mut changing = BTreeSet::new();
    differences(&first, &second, "", &mut changing);
    let place = Place::Line(job.line);
    recorded.edits.push(Edit { place, key: "expect", value: first });
    if !changing.is_subset(volatile) {
        let all = volatile.union(&changing).cloned().map(Raw::Text).collect();
        recorded.edits.push(Edit { place, key: "volatile", value: Raw::List(all) });
    }
    recorded
}

/// What came out, as a case expects it.
fn expectation(outcome: Outcome, wanted: impl Fn(&str) -> bool) -> Raw {
    let mut expect = BTreeMap::new();
    expect.insert("ok".to_owned(), Raw::Bool(outcome.error.is_none()));
    match &outcome.error {
        Some(error) => _ = expect.insert("error".to_owned(), Raw::Text(error.clone())),
        None => expect.extend(outcome.parts().into_iter().filter(|(part, _)| wanted(part))),
    }
    Raw::Map(expect)
}

fn record_suite(suite: &Suite, job: &Job, bench: &Bench) -> Recorded {
    let mut recorded = Recorded::default();
    let verdicts = suite.run(bench, &job.place);
    std::thread::sleep(PAUSE);
    let again = match suite.outputs(bench) {
        Ok(again) => again,
        Err(failed) => {
            recorded.errors.push(format!("{}:\n{}", job.place, failed.error.unwrap_or_default()));
            return recorded;
        }
    };
    let mut changing = BTreeSet::new();
    for (number, (verdict, again)) in verdicts.into_iter().zip(again).enumerate() {
        if verdict.status == Status::Passed {
            continue;
        }
        let place = if suite.is_legacy() { Place::Top } else { Place::Test(number) };
        for (first, second) in verdict.outcome.events.iter().zip(&again) {
            differences(first, second, "", &mut changing);
        }
        recorded.edits.push(Edit { place, key: "expected", value: Raw::List(verdict.outcome.events) });
    }
    for field in changing.iter().filter_map(|pointer| pointer.strip_prefix('/')) {
        let note = format!("{}: {field} changes from run to run: add it to \"ignore\"", job.place);
        recorded.notes.push(note);
    }
    recorded
}

/// JSON pointers to everything that is not the same in both.
fn differences(first: &Raw, second: &Raw, at: &str, found: &mut BTreeSet<String>) {
    match (first, second) {
        (Raw::Map(first), Raw::Map(second)) if first.keys().eq(second.keys()) => {
            for ((key, first), second) in first.iter().zip(second.values()) {
                let key = key.replace('~', "~0").replace('/', "~1");
                differences(first, second, &format!("{at}/{key}"), found);
            }
        }
        (Raw::List(first), Raw::List(second)) if first.len() == second.len() => {
            for (index, (first, second)) in first.iter().zip(second).enumerate() {
                differences(first, second, &format!("{at}/{index}"), found);
            }
        }
        _ if first != second => _ = found.insert(at.to_owned()),
        _ => {}
    }
}

/// The text of the file with the edits made, and checked by reading it again.
fn edited(file: &CaseFile, edits: &[Edit]) -> Result<String, String> {
    match file.form() {
        Form::Lines => edited_lines(&file.text, edits),
        form => {
            let mut text = file.text.clone();
            for edit in edits {
                text = match form {
                    Form::Yaml => yaml_text::set_expected(&text, edit.place, &edit.value)?,
                    _ => json_text::set(&text, &path(edit.place), edit.key, &edit.value)?,
                };
            }
            Ok(text)
        }
    }
}

fn path(place: Place) -> Vec<Step> {
    match place {
        Place::Test(number) => vec![Step::Key("testcases"), Step::Index(number)],
        Place::Line(_) | Place::Top => Vec::new(),
    }
}

fn edited_lines(text: &str, edits: &[Edit]) -> Result<String, String> {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for edit in edits {
        let Place::Line(number) = edit.place else { continue };
        if let Some(line) = lines.get_mut(number) {
            let end = line.len() - line.trim_end_matches(['\n', '\r']).len();
            let (body, end) = line.split_at(line.len() - end);
            *line = json_text::set(body, &[], edit.key, &edit.value)? + end;
        }
    }
    Ok(lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_by_pointers() {
        let raw = |text: &str| Raw::parse(text).expect("JSON");
        let mut found = BTreeSet::new();
        let first = raw(r#"{"events":[{"a/b":1,"c":2}],"json":["x"]}"#);
        let second = raw(r#"{"events":[{"a/b":3,"c":2}],"json":["x","y"]}"#);
        differences(&first, &second, "", &mut found);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["/events/0/a~1b", "/json"]);
    }

    #[test]
    fn only_the_line_of_a_case_changes() {
        let text = "{\"name\":\"a\", \"x\": 1.10}\r\n\n{\"name\":\"b\",\"expect\":{\"ok\":false},\"z\":1}\n";
        let edits = [
            Edit { place: Place::Line(0), key: "expect", value: Raw::List(Vec::new()) },
            Edit { place: Place::Line(2), key: "expect", value: Raw::Bool(true) },
        ];
        assert_eq!(
            edited_lines(text, &edits).expect("it can be edited"),
            "{\"name\":\"a\", \"x\": 1.10,\"expect\":[]}\r\n\n{\"name\":\"b\",\"expect\":true,\"z\":1}\n"
        );
    }
}
