//! Tests of the pipe output with real programs.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::event::{Event, FieldReference};
use crate::plugin::{Delivery, Output, Problem, testkit};

fn output(options: &str) -> Result<Box<dyn Output>, Vec<Problem>> {
    testkit::output(&format!("output {{ pipe {{ {options} }} }}"), &testkit::context())
}

fn event(field: &str, value: &str) -> Event {
    let mut event = Event::new();
    event.set(&FieldReference::top_level(field), value).unwrap();
    event
}

async fn deliver(output: &dyn Output, events: &[Event]) -> Delivery {
    output.deliver(&events.iter().collect::<Vec<_>>()).await
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Waits for a text in a file.
fn wait_for(path: &Path, count: usize) -> Vec<String> {
    let started = Instant::now();
    while lines(path).len() < count {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", lines(path));
        std::thread::sleep(Duration::from_millis(10));
    }
    lines(path)
}

/// Waits until a process has ended, whether or not somebody has asked how.
fn wait_for_end(pid: &str) {
    let started = Instant::now();
    while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(started.elapsed() < Duration::from_secs(60), "{pid} runs on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_to_programs_of_their_own_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let output = output(&format!("command => ['tee', '-a', '{}/%{{to}}']", folder.path().display())).unwrap();
    let events = ["a", "b", "a"].map(|to| event("to", to));
    assert_eq!(deliver(&*output, &events).await, Delivery::done());
    assert_eq!(deliver(&*output, &events[..1]).await, Delivery::done());
    output.close().await;
    for (to, count) in [("a", 3), ("b", 1)] {
        let written = lines(&folder.path().join(to));
        assert_eq!(written.len(), count, "{written:?}");
        for line in written {
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!((line["to"].as_str(), line["@version"].as_str()), (Some(to), Some("1")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let script = format!("head -n 1 >> {0}; echo $$ >> {0}", path.display());
    let output = output(&format!("command => ['sh', '-c', '{script}'] message_format => '%{{n}}'")).unwrap();
    for (number, count) in [("1", 2), ("2", 4)] {
        let mut delivery = deliver(&*output, &[event("n", number)]).await;
        while !delivery.retry.is_empty() {
            delivery = deliver(&*output, &[event("n", number)]).await;
        }
        let written = wait_for(&path, count);
        assert_eq!(written[count - 2], number);
        // What is written before the process has ended goes into its pipe and is lost with it, as in Logstash.
        wait_for_end(&written[count - 1]);
    }
    output.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_get_nothing_are_ended() {
    let folder = tempfile::tempdir().unwrap();
    let script = "cat > /dev/null; echo ended > $0";
    let output = output(&format!(
        "command => ['sh', '-c', '{script}', '{}/%{{to}}'] ttl => 0.05",
        folder.path().display()
    ))
    .unwrap();
    deliver(&*output, &[event("to", "a")]).await;
    let started = Instant::now();
    while !folder.path().join("a").exists() {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(60));
        deliver(&*output, &[event("to", "b")]).await;
    }
    assert!(!folder.path().join("b").exists());
    output.close().await;
    assert!(folder.path().join("b").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_are_not_there() {
    let fixed = output("command => ['/no/such/program']").unwrap();
    let delivery = deliver(&*fixed, &[event("n", "1"), event("n", "2")]).await;
    assert_eq!((delivery.retry.len(), delivery.dead.len()), (2, 0), "{delivery:?}");
    // Of an event's own making: waiting would hold up all others.
    let named = output("command => '%{program}'").unwrap();
    let events = [event("program", "/no/such/program"), event("program", "cat")];
    let delivery = deliver(&*named, &events).await;
    assert_eq!((delivery.retry.len(), delivery.dead.len()), (0, 1), "{delivery:?}");
    assert!(delivery.dead[0].reason.contains("/no/such/program"), "{delivery:?}");
    named.close().await;
}

#[test]
fn commands_for_a_shell_are_refused() {
    for options in ["command => 'cat > /tmp/x'", "command => []", "ttl => 1"] {
        let problems = output(options).err().unwrap();
        assert!(problems[0].message.contains("\"command\""), "{options}: {problems:?}");
    }
}
