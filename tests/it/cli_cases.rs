//! `rstash test` from outside: forms of cases, reports, recording, coverage, watching.
use crate::cli::{directory, output, refused, rstash, stderr, stdout};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

const CONFIG: &str = "input { beats { port => 5044 } }
filter {
  if [type] == \"a\" {
    mutate { add_field => { \"seen\" => \"yes\" } }
  } else if [type] == \"b\" {
    mutate { add_tag => [\"bee\"] }
  } else {
    drop { }
  }
}
output { elasticsearch { } }
";

const SUITE: &str = "ignore: ['@timestamp', event]
fields: { type: a }
testcases:
  - input: [one]
    expected:
      - { message: one, type: a, seen: 'yes' }
";

fn path(directory: &Path, name: &str) -> String {
    directory.join(name).display().to_string()
}

#[test]
fn a_directory_of_verifier_files_runs_on_a_config() {
    let place = directory(&[
        ("x.conf", CONFIG),
        ("a.yml", SUITE),
        ("b.json", r#"{"ignore":["@timestamp","event"],"testcases":[{"input":["x"],"expected":[]}]}"#),
        ("c.jsonl", r#"{"name":"own","config":"filter { }","input":["x"]}"#),
        ("notes.txt", "not a case"),
    ]);
    let (config, cases) = (path(place.path(), "x.conf"), place.path().display().to_string());
    let all = output(&["test", "-f", &config, &cases]);
    assert_eq!(stdout(&all), "3 passed, 0 failed\n", "{}", stderr(&all));
    assert_eq!(all.status.code(), Some(0));
    // Without a config, the files that bring none fail and say why.
    let none = output(&["test", &cases]);
    assert_eq!(none.status.code(), Some(1));
    assert!(stdout(&none).contains("name one with -f"), "{}", stdout(&none));
    assert!(stdout(&none).ends_with("1 passed, 2 failed\n"), "{}", stdout(&none));
}

#[test]
fn mistakes_in_files_and_arguments_are_named() {
    let place = directory(&[("x.conf", "filter { mutate { add_filed => { } } }"), ("a.yml", "testcase: []")]);
    let (config, cases) = (path(place.path(), "x.conf"), path(place.path(), "a.yml"));
    refused(&["test", "-f", &config, &cases], "did you mean \"add_field\"?");
    refused(&["test", "-f", "/no/such.conf", &cases], "/no/such.conf");
    refused(&["test", "/no/such.jsonl"], "/no/such.jsonl");
    refused(&["test", "-S", "queue.type=x", &cases], "pipeline.ecs_compatibility");
    refused(&["test", "--record", "--watch", &cases], "--watch");
    let empty = directory(&[]);
    refused(&["test", &empty.path().display().to_string()], "no files of test cases");
    let broken = output(&["test", &cases]);
    assert!(stdout(&broken).contains("did you mean \"testcases\"?"), "{}", stdout(&broken));
    assert_eq!(broken.status.code(), Some(1));
}

#[test]
fn mocks_and_settings_change_the_config_of_a_run() {
    let place = directory(&[
        ("x.conf", "filter { drop { id => \"d\" } mutate { add_tag => [\"x\"] } }"),
        ("mocks.yml", "- id: d\n"),
        (
            "a.yml",
            "ignore: ['@timestamp']\ntestcases: [{ input: [m], expected: [{ message: m, tags: [x] }] }]",
        ),
    ]);
    let at = |name| path(place.path(), name);
    let arguments = ["test", "-f", &at("x.conf"), "--plugin-mock", &at("mocks.yml"), &at("a.yml")];
    // Only without ECS there is no [event][original].
    assert_eq!(output(&arguments).status.code(), Some(1));
    let legacy = output(&[&arguments[..], &["-S", "pipeline.ecs_compatibility=disabled"]].concat());
    assert_eq!(stdout(&legacy), "1 passed, 0 failed\n", "{}", stderr(&legacy));
}

#[test]
fn junit_reports_have_a_suite_for_each_file() {
    let place = directory(&[
        ("a.jsonl", "{\"name\":\"good\",\"config\":\"\"}\n{\"name\":\"<bad>\",\"config\":\"filter {\"}\n"),
        ("b.jsonl", "[]"),
    ]);
    let report = output(&["test", "--format", "junit", &place.path().display().to_string()]);
    assert_eq!(report.status.code(), Some(1));
    let xml = stdout(&report);
    for part in [
        "<testsuites name=\"rstash test\" tests=\"3\" skipped=\"0\" failures=\"1\" errors=\"1\"",
        "a.jsonl\" tests=\"2\"",
        "<testcase name=\"good\"",
        "<testcase name=\"&lt;bad&gt;\"",
        "<failure message=\"",
        "<error message=\"a case is a JSON object\"",
    ] {
        assert!(xml.contains(part), "{part} is missing in:\n{xml}");
    }
}

#[test]
fn coverage_lists_what_no_case_has_reached() {
    let place = directory(&[("x.conf", CONFIG), ("a.yml", SUITE)]);
    let (config, cases) = (path(place.path(), "x.conf"), path(place.path(), "a.yml"));
    let run = output(&["test", "--coverage", "-f", &config, &cases]);
    assert_eq!(
        stdout(&run),
        format!(
            "1 passed, 0 failed\ncoverage: 1 of 3 filters, 1 of 3 branches (33 %)\n\
             not reached: {config}:5: else if\nnot reached: {config}:6: filter mutate\n\
             not reached: {config}:7: else\nnot reached: {config}:8: filter drop\n"
        ),
        "{}",
        stderr(&run)
    );
    let own = directory(&[(
        "c.jsonl",
        "{\"name\":\"1\",\"config\":\"filter { if [m] { drop { } } }\",\"input\":[{\"m\":1}]}\n\
         {\"name\":\"2\",\"config\":\"filter {\\n drop { } }\"}\n",
    )]);
    let run = output(&["test", "--coverage", "--format", "json", &own.path().display().to_string()]);
    let last = stdout(&run).lines().last().map(str::to_owned).unwrap_or_default();
    let coverage: serde_json::Value = serde_json::from_str(&last).expect("a line of JSON");
    let missed = &coverage["coverage"]["not_reached"];
    assert_eq!(coverage["coverage"]["filters"], serde_json::json!([1, 2]), "{coverage}");
    assert_eq!((&missed[0]["line"], &missed[0]["what"]), (&2.into(), &"filter drop".into()), "{coverage}");
    assert!(missed[0]["file"].as_str().is_some_and(|file| file.ends_with("c.jsonl:2: config")), "{coverage}");
}

#[test]
fn recording_fills_in_what_came_out_and_passes_then() {
    let yaml = "# kept\nignore: ['@timestamp', event] # this too\nfields: {type: a}\ntestcases:\n  - input: [one]\n  - input: [two]\n    expected:\n      - {message: two, type: a, seen: 'yes'}\n";
    let json = "{\n  \"ignore\": [\"event\"],\n  \"testcases\": [\n    {\"input\": [\"x\"], \"fields\": {\"type\": \"b\"}}\n  ]\n}\n";
    let lines = "{\"name\": \"n\",  \"config\": \"filter { mutate { add_field => { 'a' => 'b' } } }\", \"input\": [\"x\"], \"expect\": {\"ok\": false}}\n\n{\"name\":\"e\",\"config\":\"filter {\"}\n";
    let place = directory(&[("x.conf", CONFIG), ("a.yml", yaml), ("b.json", json), ("c.jsonl", lines)]);
    let (config, cases) = (path(place.path(), "x.conf"), place.path().display().to_string());
    let recorded = output(&["test", "--record", "-f", &config, &cases]);
    assert_eq!(recorded.status.code(), Some(0), "{}{}", stdout(&recorded), stderr(&recorded));
    assert!(stdout(&recorded).contains("@timestamp changes from run to run"), "{}", stdout(&recorded));
    let read = |name: &str| fs::read_to_string(place.path().join(name)).expect("the file is there");
    let first =
        "  - input: [one]\n    expected:\n      - message: one\n        seen: \"yes\"\n        type: a\n";
    assert_eq!(read("a.yml"), yaml.replace("  - input: [one]\n", first));
    assert!(
        read("b.json").contains("\"bee\"") && read("b.json").starts_with("{\n  \"ignore\": [\"event\"],\n")
    );
    assert!(read("c.jsonl").starts_with("{\"name\": \"n\",  \"config\":"), "{}", read("c.jsonl"));
    fs::write(
        place.path().join("b.json"),
        read("b.json").replace("[\"event\"]", "[\"event\", \"@timestamp\"]"),
    )
    .expect("the file can be written");
    // The recorded @timestamp is in the expectation, and ignored there as well.
    let again = output(&["test", "-f", &config, &cases]);
    assert_eq!(stdout(&again), "5 passed, 0 failed\n");
}

#[test]
fn watching_runs_again_on_a_change() {
    let place = directory(&[("x.conf", "filter { }"), ("a.yml", SUITE)]);
    let (config, cases) = (path(place.path(), "x.conf"), path(place.path(), "a.yml"));
    let mut watching = rstash(&["test", "--watch", "-f", &config, &cases])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let lines = BufReader::new(watching.stdout.take().expect("it is a pipe")).lines();
    let (sender, results) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok).filter(|line| line.contains(" passed, ")) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let first = results.recv_timeout(LONG);
    // Written until it is seen: the first time may be before the files are watched.
    let mut second = None;
    for _ in 0..LONG.as_secs() {
        fs::write(&config, CONFIG).expect("the file can be written");
        second = results.recv_timeout(Duration::from_secs(1)).ok();
        if second.is_some() {
            break;
        }
    }
    watching.kill().expect("the program runs");
    watching.wait().expect("the program ends");
    assert_eq!(first.as_deref(), Ok("0 passed, 1 failed"));
    assert_eq!(second.as_deref(), Some("1 passed, 0 failed"));
}
