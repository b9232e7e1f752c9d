//! `rstash demo`: tweets go from the stand-in Twitter through the embedded Kafka to standard output.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rstash"));
    command.arg("demo").args(arguments).stdin(Stdio::null()).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// The texts of `"message" => "..."`, which rubydebug prints as Ruby string literals.
fn messages(shown: &str) -> Vec<serde_json::Value> {
    let literal = |line: &str| {
        line.trim().strip_prefix("\"message\" => ").map(|rest| rest.trim_end_matches(',').to_owned())
    };
    let read = |literal: String| {
        // Ruby escapes what JSON escapes, and `#` before `{`, `$` and `@`.
        let json = literal.replace("\\#", "#").replace("\\e", "\\u001b");
        let message: String = serde_json::from_str(&json).expect("a string literal");
        serde_json::from_str(&message).expect("a tweet as JSON")
    };
    shown.lines().filter_map(literal).map(read).collect()
}

#[test]
fn so_many_tweets_are_shown_and_then_it_ends() {
    let output = demo(&["--count", "20", "--rate", "1000"]);
    let (shown, notes) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{notes}");
    let tweets = messages(shown);
    assert_eq!(tweets.len(), 20, "{shown}");
    for tweet in &tweets {
        // The kafka output's json codec adds these two to the tweet.
        assert!(tweet["@timestamp"].is_string() && tweet["user"]["screen_name"].is_string(), "{tweet}");
    }
    let ids: std::collections::HashSet<_> =
        tweets.iter().map(|tweet| tweet["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), 20);
    for part in [
        "kafka     127.0.0.1:",
        "twitter   http://127.0.0.1:",
        "bootstrap_servers",
        "20 events went from twitter",
    ] {
        assert!(notes.contains(part), "{part:?} is missing in:\n{notes}");
    }
}

#[test]
fn it_ends_quietly_when_nobody_looks_any_more() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rstash"));
    command
        .args(["demo", "--rate", "200"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut program = command.spawn().expect("the program starts");
    let mut shown = BufReader::new(program.stdout.take().expect("a pipe"));
    let mut line = String::new();
    shown.read_line(&mut line).expect("a line");
    assert_eq!(line, "{\n");
    drop(shown);
    let output = program.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("ERROR"), "{}", text(&output.stderr));
}

#[test]
fn the_configs_can_be_had_byte_for_byte() {
    for which in ["producer", "consumer"] {
        let output = demo(&["--print", which]);
        let file = format!("{}/fixtures/post/{which}.conf", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(output.stdout, std::fs::read(file).unwrap());
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    for arguments in [["--count", "0"], ["--rate", "0"], ["--rate", "fast"], ["--print", "both"]] {
        let output = demo(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).contains(arguments[0]), "{}", text(&output.stderr));
    }
}
