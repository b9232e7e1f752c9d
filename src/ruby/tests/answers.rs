//! What JRuby answers to small scripts (`fixtures/ruby`), and what ours do.

use std::path::{Path, PathBuf};

use super::run;

#[derive(serde::Deserialize)]
struct Case {
    code: String,
    result: String,
}

fn cases(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// The answers that differ, beside what was expected.
fn differing(cases: Vec<Case>) -> Vec<String> {
    let differs = |case: Case| {
        let got = run(&case.code);
        (got != case.result).then(|| format!("{}\n   JRuby {}\n   here  {got}", case.code, case.result))
    };
    cases.into_iter().filter_map(differs).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/ruby")
}

#[test]
fn scripts_give_what_jruby_gives() {
    let entries = std::fs::read_dir(folder()).expect("fixtures/ruby");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let files = paths.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    let threads: Vec<_> = files.map(|path| std::thread::spawn(move || differing(cases(&path)))).collect();
    assert!(threads.len() > 5, "no cases");
    let wrong: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Known differences: whoever removes one moves its line to the others.
#[test]
fn known_differences_still_differ() {
    let known = cases(&folder().join("differences/known.jsonl"));
    let count = known.len();
    let differ = differing(known).len();
    println!("{differ} known differences from JRuby");
    assert_eq!(differ, count, "some answers of fixtures/ruby/differences are JRuby's now");
}
