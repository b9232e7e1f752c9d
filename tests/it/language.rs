//! The config language against recorded verdicts of Logstash's own parser and compile step.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rstash::language::{ParseOptions, Sources, parse, render_all};

/// What Logstash says of a config before any plugin is looked up.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Verdict {
    Accepted,
    Refused,
}

struct Case {
    name: String,
    config: String,
    support_escapes: bool,
    verdict: Verdict,
}

/// What Logstash's errors of the compile step look like, which records of whole runs only call a failure to configure.
const COMPILE_STEP: [&str; 7] = [
    "invalid value for",
    "Duplicate keys",
    "duplicate Ids",
    "cannot be cast to class java.lang.String",
    "multiple `codec`",
    "Invalid eValue",
    "Failed to parse",
];

/// One line of a recording; what a file does not have is empty.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Record {
    name: String,
    sha256: String,
    repo: String,
    path: String,
    config: String,
    text: String,
    verdict: String,
    support_escapes: bool,
    ok: bool,
    expect: Expect,
    settings: serde_json::Map<String, serde_json::Value>,
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Expect {
    stage: String,
    error: String,
}

fn records(path: &Path) -> Vec<Record> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn verdict(accepted: bool) -> Verdict {
    if accepted { Verdict::Accepted } else { Verdict::Refused }
}

/// Reads every case and collects where our verdict differs.
fn assert_agreement(cases: &[Case]) {
    assert!(!cases.is_empty(), "no cases");
    let mut differences = Vec::new();
    for case in cases {
        let sources = Sources::single(case.name.clone(), case.config.clone());
        let parsed = parse(&sources, ParseOptions { support_escapes: case.support_escapes });
        let verdict = verdict(parsed.is_ok());
        if verdict != case.verdict {
            let shown = render_all(&parsed.diagnostics, &sources, false);
            differences.push(format!("{}: expected {:?}\n{shown}", case.name, case.verdict));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        cases.len(),
        differences.join("\n\n")
    );
}

#[test]
fn recorded_verdicts_are_met() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/grammar/verdicts.jsonl");
    let case = |it: Record| Case {
        name: it.name,
        config: it.config,
        support_escapes: it.support_escapes,
        verdict: verdict(it.verdict == "accepted"),
    };
    assert_agreement(&records(&path).into_iter().map(case).collect::<Vec<_>>());
}

/// The directory with the recordings that are too large or not free to be part of the project, if it is there.
fn recordings() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let directory = std::env::var_os("RSTASH_SHARED").map_or_else(beside, PathBuf::from);
    if directory.is_dir() {
        return Some(directory);
    }
    let message = format!("not run: the recordings are missing ({}; set RSTASH_SHARED)", directory.display());
    assert!(std::env::var_os("RSTASH_REQUIRE_ALL").is_none_or(|it| it != "1"), "{message}");
    println!("{message}");
    None
}

#[test]
fn real_world_configs_are_judged_as_logstash_judges_them() {
    let Some(directory) = recordings() else { return };
    let configs = records(&directory.join("corpus/configs.jsonl")).into_iter();
    let texts: HashMap<String, String> = configs.map(|it| (it.sha256, it.text)).collect();
    let case = |it: Record| Case {
        name: format!("{}/{}", it.repo, it.path),
        config: texts.get(&it.sha256).cloned().expect("the text of a verdict"),
        support_escapes: false,
        verdict: verdict(it.ok),
    };
    let verdicts = records(&directory.join("corpus/verdicts.jsonl"));
    assert_agreement(&verdicts.into_iter().map(case).collect::<Vec<_>>());
}

#[test]
fn configs_of_other_parsers_suites_are_judged_as_logstash_judges_them() {
    let Some(directory) = recordings() else { return };
    let case = |it: Record| Case {
        name: it.name,
        config: it.config,
        support_escapes: false,
        verdict: verdict(it.ok),
    };
    let cases = records(&directory.join("corpus/peer-grammar.jsonl"));
    assert_agreement(&cases.into_iter().map(case).collect::<Vec<_>>());
}

#[test]
fn configs_of_recorded_runs_are_judged_as_logstash_judges_them() {
    let Some(directory) = recordings() else { return };
    let case = |it: Record| {
        let compile_step = COMPILE_STEP.iter().any(|part| it.expect.error.contains(part));
        Case {
            name: it.name,
            config: it.config,
            support_escapes: it.settings.get("config.support_escapes").is_some_and(|it| it == true),
            verdict: verdict(it.expect.stage != "parse" && !compile_step),
        }
    };
    for file in std::fs::read_dir(directory.join("golden")).expect("a directory").flatten() {
        if file.path().extension().is_some_and(|it| it == "jsonl") {
            assert_agreement(&records(&file.path()).into_iter().map(case).collect::<Vec<_>>());
        }
    }
}
