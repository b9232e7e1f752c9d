//! Runs that end by themselves: when every input has come to its end, everything is delivered, and the exit status tells
//! whether an output gave up on something.

use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::cli::{directory, rstash, stderr};

const TIME_LIMIT: Duration = Duration::from_secs(120);
/// Enough for several batches.
const EVENTS: usize = 3000;
/// More than fits into a datagram: the output udp gives up on it.
const TOO_MUCH: usize = 70_000;

/// An input, with what it reads; `DIR` is the directory of the test.
struct Source {
    config: &'static str,
    stdin: String,
}

impl Source {
    fn new(config: &'static str) -> Self {
        Source { config, stdin: String::new() }
    }
}

/// The inputs that end, each with one long event among `EVENTS`.
fn sources(place: &TempDir) -> Vec<(&'static str, Source)> {
    let long = "x".repeat(TOO_MUCH);
    let lines: String =
        (1..EVENTS).map(|number| format!("{number}\n")).chain([format!("{long}\n")]).collect();
    fs::write(place.path().join("a.log"), &lines).expect("it can be written");
    let mut archive = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    archive.write_all(lines.as_bytes()).expect("it can be packed");
    fs::write(place.path().join("b.log.gz"), archive.finish().expect("it can be packed"))
        .expect("it can be written");
    vec![
        (
            "file",
            Source::new("file { path => 'DIR/a.log' mode => read exit_after_read => true file_completed_action => log file_completed_log_path => 'DIR/done' sincedb_path => '/dev/null' }"),
        ),
        (
            "gzip",
            Source::new("file { path => 'DIR/b.log.gz' mode => read exit_after_read => true file_completed_action => log file_completed_log_path => 'DIR/done' sincedb_path => '/dev/null' }"),
        ),
        ("stdin", Source { stdin: lines, ..Source::new("stdin { }") }),
        ("generator", Source::new("generator { lines => ['LONG', '2', '3'] count => 1000 }")),
        (
            "jdbc",
            Source::new(
                "jdbc { jdbc_connection_string => 'jdbc:sqlite:DIR/none.db' last_run_metadata_path => 'DIR/run'
                   statement => \"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
                                  SELECT CASE i WHEN 1500 THEN hex(zeroblob(40000)) ELSE 'row ' || i END AS message FROM n\" }",
            ),
        ),
    ]
}

fn run(place: &TempDir, source: &Source, output: &str) -> Output {
    let at = place.path().display().to_string();
    let config = format!(
        "input {{ {} }} filter {{ sleep {{ time => '0.0001' }} }} output {{ {output} }}",
        source.config
    );
    let config = config.replace("DIR", &at).replace("LONG", &"x".repeat(TOO_MUCH));
    let path = place.path().join("config");
    fs::write(&path, config).expect("it can be written");
    let mut child = rstash(&[
        "-f",
        &path.display().to_string(),
        "--log.level",
        "warn",
        "--path.data",
        &format!("{at}/data"),
    ])
    .stdin(Stdio::piped())
    .stdout(Stdio::null())
    .stderr(fs::File::create(place.path().join("log")).expect("a log file"))
    .spawn()
    .expect("the program starts");
    // One that has ended already is told from its status.
    _ = child.stdin.take().expect("it is piped").write_all(source.stdin.as_bytes());
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            break status;
        }
        if begun.elapsed() > TIME_LIMIT {
            child.kill().expect("it can be killed");
            panic!("it does not end: {}", fs::read_to_string(place.path().join("log")).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let log = fs::read(place.path().join("log")).unwrap_or_default();
    Output { status, stdout: Vec::new(), stderr: log }
}

#[test]
fn the_end_of_all_inputs_is_a_success_when_everything_is_delivered() {
    let place = directory(&[]);
    for (name, source) in sources(&place) {
        let out = place.path().join(name);
        let written = run(
            &place,
            &source,
            &format!("file {{ path => '{}' codec => line {{ format => '%{{message}}' }} }}", out.display()),
        );
        assert_eq!(written.status.code(), Some(0), "{name}: {}", stderr(&written));
        let text = fs::read_to_string(&out).expect("it was written");
        assert_eq!(text.lines().count(), EVENTS, "{name}");
        let long = text.lines().filter(|line| line.len() >= TOO_MUCH).count();
        assert_eq!(long, if name == "generator" { 1000 } else { 1 }, "{name}");
    }
}

#[test]
fn an_output_that_gave_up_on_events_makes_it_a_failure() {
    let place = directory(&[]);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    let output =
        format!("udp {{ host => '127.0.0.1' port => {port} codec => line {{ format => '%{{message}}' }} }}");
    for (name, source) in sources(&place) {
        let given_up = run(&place, &source, &output);
        let log = stderr(&given_up);
        assert_eq!(given_up.status.code(), Some(1), "{name}: {log}");
        assert!(log.contains("event could not be delivered"), "{name}: {log}");
        let dead = if name == "generator" { 1000 } else { 1 };
        let told =
            format!("all inputs have ended, but outputs gave up on some events events={EVENTS} dead={dead}");
        assert!(
            log.contains(&told),
            "{name}: {told} is not in: {}",
            log.chars().rev().take(2000).collect::<String>().chars().rev().collect::<String>()
        );
    }
}

#[test]
fn an_input_that_fails_makes_it_a_failure() {
    let place = directory(&[]);
    let source = Source::new(
        "jdbc { jdbc_connection_string => 'jdbc:sqlite:DIR/none.db' last_run_metadata_path => 'DIR/run' statement => 'SELECT x FROM nowhere' }",
    );
    let failed = run(&place, &source, "null { }");
    assert_eq!(failed.status.code(), Some(1), "{}", stderr(&failed));
    assert!(stderr(&failed).contains("nowhere"), "{}", stderr(&failed));
}
