//! Recorded cases: what a real Logstash made of a config and its input, and whether rstash makes the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rstash::testing::{Case, Status, Verdict, run_cases};

use crate::shared::recordings;

/// Cases derived from the plugins' own suites that come out otherwise, and why.
const OF_PLUGINS: &[(&str, &str)] = &[
    ("spec-age-a6274d9eac81", "the age at the moment of the recording"),
    ("spec-age-ed6248901c2a", "the age at the moment of the recording"),
    ("spec-anonymize-769ab409f0d1", "MURMUR3 stops Logstash's pipeline, here it works"),
    ("spec-ruby-e9ba55911095", "a text with the keys of a hash, whose order is arbitrary in Logstash"),
    ("spec-ruby-52bf8edeaabe", "a text with the keys of a hash, whose order is arbitrary in Logstash"),
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

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    files
}

/// The verdicts on all cases of some files.
fn verdicts(paths: &[PathBuf]) -> Vec<Verdict> {
    run_cases(paths.iter().flat_map(|path| cases(path)).collect()).expect("threads can be started")
}

#[test]
fn the_projects_own_cases_pass() {
    let verdicts = verdicts(&files(&fixtures("golden")));
    let failures: Vec<_> = verdicts
        .iter()
        .filter(|verdict| verdict.status != Status::Passed)
        .map(|verdict| format!("{}: {}", verdict.name, verdict.reasons().join("\n")))
        .collect();
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), verdicts.len(), failures.join("\n"));
}

#[test]
fn known_differences_still_differ() {
    for verdict in verdicts(&files(&fixtures("fixme"))) {
        assert_ne!(
            verdict.status,
            Status::Passed,
            "{} passes now: move it to fixtures/golden and take it out of docs/compatibility.md",
            verdict.name
        );
    }
}

/// Every recorded case, where the recordings are at hand.
#[test]
fn all_recorded_cases_pass() {
    let Some(shared) = recordings() else { return };
    let known: BTreeSet<String> =
        files(&fixtures("fixme")).iter().flat_map(|path| cases(path)).map(|case| case.name).collect();
    let mut failures = Vec::new();
    let mut differences = Vec::new();
    let mut passed = 0;
    for path in files(&shared.join("golden")) {
        let of_plugins = path.ends_with("plugin-specs.jsonl");
        for verdict in verdicts(&[path]) {
            let name = &verdict.name;
            let expected = known.contains(name)
                || (of_plugins && OF_PLUGINS.iter().any(|(prefix, _)| name.starts_with(prefix)));
            match (verdict.status == Status::Passed, expected) {
                (true, false) => passed += 1,
                (true, true) => failures.push(format!("{name} passes now: take it out of the list")),
                (false, true) => differences.push(name.clone()),
                (false, false) => failures.push(format!("{name}: {}", verdict.reasons().join("\n"))),
            }
        }
    }
    println!("{passed} passed, {} known differences: {}", differences.len(), differences.join(", "));
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}
