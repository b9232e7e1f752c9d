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
        "error: no pipeline listens at the address \"there\"",
        "did you mean \"theer\"?",
        "pipeline b listens at \"bb\" already",
    ] {
        assert!(told.contains(part), "{part:?} is missing in: {told}");
    }
}

#[test]
fn events_for_an_address_that_is_not_there_are_dropped_where_that_is_wished() {
    let directory = set_up(&[
        (
            "source",
            &format!(
                "{SOURCE} output {{ pipeline {{ send_to => [there, nowhere] ensure_delivery => false }} }}"
            ),
        ),
        (
            "there",
            "input { pipeline { address => there } } output { file { path => \"DIR/there.txt\" codec => line { format => \"%{[event][sequence]}\" } } }",
        ),
    ]);
    let output = rstash(directory.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("no pipeline listens at the address \"nowhere\""),
        "{}",
        stderr(&output)
    );
    assert_eq!(numbers(&directory, "there.txt"), (0..3000).collect::<Vec<_>>());
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

/// Two sources, a distributor, two stages of eight branches, and a collector: twenty pipelines.
fn network(count: u64) -> TempDir {
    let source = |name: &str| {
        format!(
            "input {{ generator {{ count => {count} }} }}
             filter {{ mutate {{ add_field => {{ \"source\" => \"{name}\" \"digit\" => \"%{{[event][sequence]}}\" }} }} mutate {{ gsub => [\"digit\", \"^.*(.)$\", \"\\1\"] }} }}
             output {{ pipeline {{ send_to => distributor }} }}"
        )
    };
    let arms: String = (0..7)
        .map(|digit| {
            let word = if digit == 0 { "if" } else { "else if" };
            format!("{word} [digit] == \"{digit}\" {{ pipeline {{ send_to => branch{digit} }} }} ")
        })
        .collect();
    let mut pipelines = vec![
        ("source1".to_owned(), source("one")),
        ("source2".to_owned(), source("two")),
        (
            "distributor".to_owned(),
            format!(
                "input {{ pipeline {{ address => distributor }} }} output {{ {arms} else {{ pipeline {{ send_to => branch7 }} }} }}"
            ),
        ),
    ];
    for branch in 0..8 {
        let stage = |from: &str, to: &str| {
            format!(
                "input {{ pipeline {{ address => {from} }} }} filter {{ mutate {{ add_tag => [\"{from}\"] }} }} output {{ pipeline {{ send_to => {to} }} }}"
            )
        };
        let (first, second) = (format!("branch{branch}"), format!("after{branch}"));
        pipelines.push((first.clone(), stage(&first, &second)));
        pipelines.push((second.clone(), stage(&second, "collector")));
    }
    pipelines.push((
        "collector".to_owned(),
        "input { pipeline { address => collector } } output { file { path => \"DIR/all.txt\" codec => line { format => \"%{source} %{[event][sequence]} %{tags}\" } } }".to_owned(),
    ));
    let pipelines: Vec<_> = pipelines.iter().map(|(id, config)| (id.as_str(), config.as_str())).collect();
    assert_eq!(pipelines.len(), 20);
    set_up(&pipelines)
}

/// The most memory that a process holds until it ends, in KiB.
fn peak_until_end(child: &mut std::process::Child) -> u64 {
    let (started, mut peak) = (Instant::now(), 0);
    while child.try_wait().expect("a child can be asked").is_none() {
        if started.elapsed() > TIME_LIMIT * 5 {
            child.kill().expect("a child can be killed");
            panic!("it does not end");
        }
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        peak = peak.max(line.trim().trim_end_matches(" kB").parse().unwrap_or(0));
        std::thread::sleep(Duration::from_millis(50));
    }
    peak
}

#[test]
fn a_network_of_twenty_pipelines_loses_nothing_and_stays_small() {
    let count: u64 = 500_000;
    let directory = network(count);
    let log = fs::File::create(directory.path().join("log")).expect("a log file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_rstash"))
        .arg("--path.settings")
        .arg(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let peak = peak_until_end(&mut child);
    let log = fs::read_to_string(directory.path().join("log")).unwrap_or_default();
    assert!(child.wait().is_ok_and(|status| status.success()), "{log}");
    let text = fs::read_to_string(directory.path().join("all.txt")).expect("the file was written");
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let [source, number, tags] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let number: u64 = number.parse().expect("a number");
        let branch = (number % 10).min(7);
        assert_eq!(tags, format!("branch{branch},after{branch}"), "{line}");
        assert!(seen.insert((source == "two", number)), "twice: {line}");
    }
    assert_eq!(seen.len() as u64, count * 2);
    assert!(seen.iter().all(|(_, number)| *number < count));
    println!("{} events through twenty pipelines, {} MiB at most", count * 2, peak / 1024);
    assert!(peak < 600 * 1024, "{} MiB", peak / 1024);
}
