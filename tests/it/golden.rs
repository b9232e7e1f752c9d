//! Recorded cases: what a real Logstash made of a config and its input, and whether rstash makes the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rstash::testing::{Case, Status};

use crate::shared::recordings;

/// The areas of recorded cases, as files are named after them.
const AREAS: [&str; 10] = [
    "grammar",
    "conditionals",
    "event",
    "sprintf",
    "common",
    "rubydebug",
    "codec",
    "mutate",
    "date",
    "filters",
];

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

fn cases(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| Case::parse(line).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    files
}

#[test]
fn the_projects_own_cases_pass() {
    let runtime = runtime();
    let mut failures = Vec::new();
    let mut count = 0;
    for path in files(&fixtures("golden")) {
        for case in cases(&path) {
            count += 1;
            let verdict = case.run(&runtime);
            if verdict.status != Status::Passed {
                failures.push(format!("{}: {}", verdict.name, verdict.reasons().join("\n")));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn known_differences_still_differ() {
    let runtime = runtime();
    for path in files(&fixtures("fixme")) {
        for case in cases(&path) {
            let verdict = case.run(&runtime);
            assert_ne!(
                verdict.status,
                Status::Passed,
                "{} passes now: move it to fixtures/golden and take it out of docs/compatibility.md",
                verdict.name
            );
        }
    }
}

/// Every recorded case of the areas, where they are at hand. Cases of plugins that do not exist yet are counted.
#[test]
fn all_recorded_cases_pass() {
    let Some(shared) = recordings() else { return };
    let known: BTreeSet<String> =
        files(&fixtures("fixme")).iter().flat_map(|path| cases(path)).map(|case| case.name).collect();
    let runtime = runtime();
    let mut failures = Vec::new();
    let (mut passed, mut unavailable) = (0, 0);
    for area in AREAS {
        for case in cases(&shared.join("golden").join(format!("{area}.jsonl"))) {
            if known.contains(&case.name) {
                continue;
            }
            let verdict = case.run(&runtime);
            let reasons = verdict.reasons().join("\n");
            match verdict.status {
                Status::Passed => passed += 1,
                _ if reasons.contains("is not available yet") => unavailable += 1,
                _ => failures.push(format!("{}: {reasons}", verdict.name)),
            }
        }
    }
    println!(
        "{passed} passed, {unavailable} need plugins that are not available yet, {} known differences",
        known.len()
    );
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}
