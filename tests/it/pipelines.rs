//! Several pipelines in one process, and the addresses between them.
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A settings directory whose pipelines.yml names one file for each pipeline.
fn set_up(pipelines: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let at = directory.path();
    let mut yml = String::new();
    for (id, config) in pipelines {
        let path = at.join(format!("{id}.conf"));
        fs::write(&path, config.replace("DIR", &at.display().to_string())).expect("a file can be written");
        yml.push_str(&format!("- pipeline.id: {id}\n  path.config: {}\n", path.display()));
    }
    fs::write(at.join("pipelines.yml"), yml).expect("a file can be written");
    fs::write(at.join("logstash.yml"), "").expect("a file can be written");
    directory
}

fn rstash(settings: &Path, flags: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rstash"))
        .arg("--path.settings")
        .arg(settings)
        .args(flags)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let started = Instant::now();
    while child.try_wait().expect("a child can be asked").is_none() {
        if started.elapsed() > TIME_LIMIT {
            child.kill().expect("a child can be killed");
            panic!("it does not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().expect("its output can be read")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The numbers that reached a file, in order of size; each line must be one.
fn numbers(directory: &TempDir, file: &str) -> Vec<u64> {
    let text = fs::read_to_string(directory.path().join(file)).expect("the file was written");
    let mut numbers: Vec<u64> = text.lines().map(|line| line.parse().expect("a number")).collect();
    numbers.sort_unstable();
    numbers
}

const SOURCE: &str = "input { generator { count => 3000 } } filter { mutate { convert => { \"[event][sequence]\" => \"integer\" } } }";

#[test]
fn events_reach_the_pipelines_they_are_sent_to_and_the_process_ends() {
    let sink = |address: &str| {
        format!(
            "input {{ pipeline {{ address => {address} }} }} output {{ file {{ path => \"DIR/{address}.txt\" codec => line {{ format => \"%{{[event][sequence]}}\" }} }} }}"
        )
    };
    let distributor = format!(
        "{SOURCE} output {{ if [event][sequence] < 1000 {{ pipeline {{ send_to => [low, all] }} }} else {{ pipeline {{ send_to => [\"high\", \"all\"] }} }} }}"
    );
    let directory = set_up(&[
        ("source", &distributor),
        ("low", &sink("low")),
        ("high", &sink("high")),
        ("all", &sink("all")),
    ]);
    let output = rstash(directory.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(numbers(&directory, "low.txt"), (0..1000).collect::<Vec<_>>());
    assert_eq!(numbers(&directory, "high.txt"), (1000..3000).collect::<Vec<_>>());
    assert_eq!(numbers(&directory, "all.txt"), (0..3000).collect::<Vec<_>>());
}

#[test]
fn many_pipelines_collect_into_one_through_a_chain() {
    let sender = format!("{SOURCE} output {{ pipeline {{ send_to => middle }} }}");
    let directory = set_up(&[
        ("one", &sender),
        ("two", &sender),
        ("middle", "input { pipeline { address => middle } } output { pipeline { send_to => last } }"),
        (
            "last",
            "input { pipeline { address => last add_field => { \"hop\" => \"last\" } } } output { file { path => \"DIR/last.txt\" codec => line { format => \"%{hop} %{[event][sequence]}\" } } }",
        ),
    ]);
    let output = rstash(directory.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = fs::read_to_string(directory.path().join("last.txt")).expect("the file was written");
    assert_eq!(text.lines().count(), 6000);
    let distinct: BTreeSet<_> = text.lines().collect();
    assert_eq!(distinct.len(), 3000);
    assert!(distinct.iter().all(|line| line.starts_with("last ")));
}

#[test]
fn mistakes_between_pipelines_are_found_before_anything_runs() {
    let directory = set_up(&[
        ("a", "input { pipeline { address => aa } } output { pipeline { send_to => bb } }"),
        ("b", "input { pipeline { address => bb } } output { pipeline { send_to => [aa, there] } }"),
        ("c", "input { pipeline { address => bb } } output { null { } }"),
        ("d", "input { pipeline { address => \"theer\" } } output { null { } }"),
    ]);
    let output = rstash(directory.path(), &["-t"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for part in [
        "closes a cycle of pipelines",
        "no pipeline listens at the address \"there\"",
        "did you mean \"theer\"?",
        "pipeline b listens at \"bb\" already",
    ] {
        assert!(told.contains(part), "{part:?} is missing in: {told}");
    }
}

#[test]
fn an_invalid_pipeline_does_not_stop_the_others() {
    let directory = set_up(&[
        ("bad", "input { generator { cuont => 1 } } output { null { } }"),
        (
            "good",
            &format!(
                "{SOURCE} output {{ file {{ path => \"DIR/good.txt\" codec => line {{ format => \"%{{[event][sequence]}}\" }} }} }}"
            ),
        ),
    ]);
    let output = rstash(directory.path(), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("cuont"), "{}", stderr(&output));
    assert_eq!(numbers(&directory, "good.txt").len(), 3000);
}
