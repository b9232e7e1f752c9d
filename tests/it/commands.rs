//! The exec and pipe plugins with the programs of every system.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::kafka::program::Rstash;

fn documents(lines: &[String]) -> Vec<serde_json::Value> {
    lines.iter().map(|line| serde_json::from_str(line).expect("a document")).collect()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(90), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn exec_reads_what_a_program_prints_again_and_again() {
    for (ecs, host, command, exit_code) in [
        ("disabled", "/host", "/command", "/@metadata/exit_status"),
        ("v8", "/host/name", "/process/command_line", "/process/exit_code"),
    ] {
        let rstash = Rstash::start(&format!(
            r#"input {{ exec {{ command => "uname -s; expr 6 \* 7; false" interval => 0.2 ecs_compatibility => {ecs} type => "x" }} }}
               filter {{ ruby {{ code => 'event.set("code", event.get("{field}"))' }} }}
               output {{ file {{ path => "{{out}}" codec => json_lines }} }}"#,
            field = exit_code.replacen('/', "[", 1).replace('/', "][") + "]",
        ));
        for event in documents(&rstash.wait_for_lines(3)) {
            assert_eq!(event["message"], "Linux\n42\n", "{event}");
            assert_eq!(event["code"], 1, "{event}");
            assert_eq!(event["type"], "x");
            assert!(event.pointer(host).is_some_and(serde_json::Value::is_string), "{event}");
            let run = event.pointer(command).and_then(serde_json::Value::as_str);
            assert_eq!(run, Some(r"uname -s; expr 6 \* 7; false"));
        }
        assert!(rstash.stop().success());
    }
}

#[test]
fn exec_runs_on_a_schedule_and_splits_by_codec() {
    let rstash = Rstash::start(
        r#"input { exec { command => "seq 3" schedule => "* * * * * *" codec => line } }
           output { file { path => "{out}" codec => line { format => "%{message}" } } }"#,
    );
    let mut lines = rstash.wait_for_lines(6);
    assert!(rstash.stop().success());
    lines.truncate(3);
    lines.sort();
    assert_eq!(lines, ["1", "2", "3"]);
}

#[test]
fn pipe_reads_a_program_to_its_end_and_starts_it_again() {
    const LINES: usize = 50_000;
    let rstash = Rstash::start(&format!(
        r#"input {{ pipe {{ command => "seq {LINES} | sed 's/$/ ü/'" }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{message}}" }} }} }}"#
    ));
    let mut first = rstash.wait_for_lines(LINES);
    first.truncate(LINES);
    let number = |line: &String| line.strip_suffix(" ü").and_then(|number| number.parse::<usize>().ok());
    let mut numbers: Vec<_> = first.iter().filter_map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=LINES).collect::<Vec<_>>());
    // The second round, after its pause.
    assert_eq!(rstash.wait_for_lines(2 * LINES).len() % LINES, 0);
    assert!(rstash.stop().success());
}

#[test]
fn a_program_does_not_outlive_the_pipe_input() {
    let rstash = Rstash::start(
        r#"input { pipe { command => "sleep 1000 & echo $!; echo $$; cat /dev/zero > /dev/null" } }
           output { file { path => "{out}" codec => line { format => "%{message}" } } }"#,
    );
    let processes = rstash.wait_for_lines(2);
    let lives = |pid: &String| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    assert!(processes.iter().all(lives), "{processes:?}");
    assert!(rstash.stop().success());
    wait_until("they run on", || !processes.iter().any(lives));
}

#[test]
fn pipe_writes_to_a_program_that_ends_with_the_pipeline() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sorted");
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => 20000 }} }}
           output {{ pipe {{ command => ["sort", "-n", "-o", "{}"] message_format => "%{{[event][sequence]}}" ttl => 0 }} }}"#,
        path.display()
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    let sorted = std::fs::read_to_string(path).expect("sort has written");
    let numbers: Vec<usize> = sorted.lines().map(|line| line.parse().expect("a number")).collect();
    assert_eq!(numbers, (0..20_000).collect::<Vec<_>>());
}

#[test]
fn exec_runs_a_program_for_each_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => 30 lines => ["a", "b"] }} }}
           output {{ exec {{ command => "echo seen %{{message}}; echo %{{[event][sequence]}} >> {}/%{{message}}" }} }}"#,
        folder.path().display()
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    for name in ["a", "b"] {
        let text = std::fs::read_to_string(Path::new(&at(name))).expect("it has run");
        let mut numbers: Vec<usize> = text.lines().map(|line| line.parse().expect("a number")).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..30).collect::<Vec<_>>());
        assert_eq!(rstash.log().matches(&format!("seen {name}")).count(), 30, "{}", rstash.log());
    }
}
