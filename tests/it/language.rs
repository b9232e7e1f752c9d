//! The config language against recorded verdicts of Logstash's own parser and compile step.

use std::path::{Path, PathBuf};

use rstash::language::{ParseOptions, Sources, parse, render_all};
use serde_json::Value;

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

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// Reads every case and collects where our verdict differs.
fn assert_agreement(cases: &[Case]) {
    assert!(!cases.is_empty(), "no cases");
    let mut differences = Vec::new();
    for case in cases {
        let sources = Sources::single(case.name.clone(), case.config.clone());
        let parsed = parse(&sources, ParseOptions { support_escapes: case.support_escapes });
        let verdict = if parsed.is_ok() { Verdict::Accepted } else { Verdict::Refused };
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
    let cases: Vec<Case> = lines(&path)
        .iter()
        .map(|it| Case {
            name: text(it, "name"),
            config: text(it, "config"),
            support_escapes: it["support_escapes"] == true,
            verdict: if it["verdict"] == "accepted" { Verdict::Accepted } else { Verdict::Refused },
        })
        .collect();
    assert_agreement(&cases);
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
    let verdicts = lines(&directory.join("corpus/verdicts.jsonl"));
    let configs = lines(&directory.join("corpus/configs.jsonl"));
    let texts: std::collections::HashMap<String, String> =
        configs.iter().map(|it| (text(it, "sha256"), text(it, "text"))).collect();
    let cases: Vec<Case> = verdicts
        .iter()
        .map(|it| Case {
            name: format!("{}/{}", text(it, "repo"), text(it, "path")),
            config: texts.get(&text(it, "sha256")).cloned().expect("the text of a verdict"),
            support_escapes: false,
            verdict: if it["ok"] == true { Verdict::Accepted } else { Verdict::Refused },
        })
        .collect();
    assert_agreement(&cases);
}

#[test]
fn configs_of_other_parsers_suites_are_judged_as_logstash_judges_them() {
    let Some(directory) = recordings() else { return };
    let cases: Vec<Case> = lines(&directory.join("corpus/peer-grammar.jsonl"))
        .iter()
        .map(|it| Case {
            name: text(it, "name"),
            config: text(it, "config"),
            support_escapes: false,
            verdict: if it["ok"] == true { Verdict::Accepted } else { Verdict::Refused },
        })
        .collect();
    assert_agreement(&cases);
}

#[test]
fn configs_of_recorded_runs_are_judged_as_logstash_judges_them() {
    let Some(directory) = recordings() else { return };
    let mut cases = Vec::new();
    for file in std::fs::read_dir(directory.join("golden")).expect("a directory").flatten() {
        if file.path().extension().is_none_or(|it| it != "jsonl") {
            continue;
        }
        cases.extend(lines(&file.path()).iter().map(|it| {
            let error = it["expect"]["error"].as_str().unwrap_or_default();
            let refused =
                it["expect"]["stage"] == "parse" || COMPILE_STEP.iter().any(|part| error.contains(part));
            Case {
                name: text(it, "name"),
                config: text(it, "config"),
                support_escapes: it["settings"]["config.support_escapes"] == true,
                verdict: if refused { Verdict::Refused } else { Verdict::Accepted },
            }
        }));
    }
    assert_agreement(&cases);
}
