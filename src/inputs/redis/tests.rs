//! Tests of the redis input against a server that answers as they wish; those with a real one are in `tests/it`.

use std::sync::mpsc;
use std::time::Duration;

use crate::plugin::testkit::{self, fields};
use crate::plugin::{Problem, Shutdown};
use crate::queue::Taken;
use crate::redis::fake;

const HASH: &str = "$4\r\nhash\r\n";

fn config(port: u16, options: &str) -> String {
    format!("input {{ redis {{ port => {port} key => 'k' {options} }} }}")
}

/// What the server is asked to do with the script, and what else, without its arguments.
fn names(commands: &fake::Commands) -> Vec<String> {
    commands.lock().unwrap().iter().map(|command| command[0].to_ascii_lowercase()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_been_taken_comes_although_a_stop_is_requested() {
    let (asked, was_asked) = mpsc::channel();
    let (stopped, was_stopped) = mpsc::channel::<()>();
    let (port, commands) = fake::start(move |command| {
        Some(match command[0].as_str() {
            "script" => HASH.into(),
            _ => {
                asked.send(()).unwrap();
                // Its answer comes after the request to stop.
                was_stopped.recv().unwrap();
                std::thread::sleep(Duration::from_millis(100));
                fake::array(&[r#"{"n":1}"#, r#"{"n":2}"#])
            }
        })
    });
    let (input, decoration) =
        testkit::input(&config(port, "data_type => list"), &testkit::legacy_context()).unwrap();
    // A queue that is full with the first event.
    let (sink, receiver) = testkit::sink(decoration, 1);
    let (stop, shutdown) = Shutdown::channel();
    let running = tokio::spawn(input.run(sink, shutdown));
    let events = tokio::task::spawn_blocking(move || {
        was_asked.recv().unwrap();
        stop.send(true).unwrap();
        stopped.send(()).unwrap();
        testkit::drain(&receiver)
    });
    let events = events.await.unwrap();
    running.await.unwrap().unwrap();
    assert_eq!(events.iter().map(fields).collect::<Vec<_>>(), [r#"{"n":1}"#, r#"{"n":2}"#]);
    assert_eq!(names(&commands), ["script", "evalsha"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pipeline_does_not_take_goes_back() {
    let (port, commands) = fake::start(|command| {
        Some(match command[0].as_str() {
            "blpop" => fake::array(&["k", "one"]),
            _ => ":1\r\n".into(),
        })
    });
    let options = "data_type => list batch_count => 1 codec => plain";
    let (input, decoration) = testkit::input(&config(port, options), &testkit::context()).unwrap();
    let (sink, receiver) = testkit::sink(decoration, 1);
    drop(receiver);
    let (_stop, shutdown) = Shutdown::channel();
    tokio::time::timeout(testkit::LONG, input.run(sink, shutdown)).await.unwrap().unwrap();
    let commands = commands.lock().unwrap().clone();
    assert_eq!(commands, [vec!["blpop", "k", "1"], vec!["lpush", "k", "one"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_may_have_renamed_its_commands_and_forget_the_script() {
    let mut forgets = true;
    let (port, commands) = fake::start(move |command| {
        Some(match command[0].as_str() {
            "load-it" => HASH.into(),
            "run-it" if std::mem::take(&mut forgets) => "-NOSCRIPT No matching script.\r\n".into(),
            "run-it" => fake::array(&["x"]),
            _ => "+OK\r\n".into(),
        })
    });
    let options = "data_type => list codec => plain password => 'p' db => 3 batch_count => 7
        command_map => { 'script' => 'load-it' 'evalsha' => 'run-it' 'lrange' => 'some' 'AUTH' => 'let-me-in' }";
    let (input, decoration) = testkit::input(&config(port, options), &testkit::context()).unwrap();
    let (sink, receiver) = testkit::sink(decoration, 1);
    let (stop, shutdown) = Shutdown::channel();
    let running = tokio::spawn(input.run(sink, shutdown));
    let taking = tokio::task::spawn_blocking(move || {
        let first = receiver.take(1, Duration::ZERO, testkit::LONG);
        assert!(matches!(first, Taken::Batch { .. }), "nothing came");
        stop.send(true).unwrap();
        testkit::drain(&receiver)
    });
    taking.await.unwrap();
    running.await.unwrap().unwrap();
    let commands = commands.lock().unwrap().clone();
    assert_eq!(commands[..2], [vec!["let-me-in", "p"], vec!["select", "3"]]);
    assert_eq!(commands[2][..2], ["load-it", "LOAD"]);
    assert!(commands[2][2].contains("redis.call('some'") && commands[2][2].contains("redis.call('ltrim'"));
    assert_eq!(commands[3], ["run-it", "hash", "1", "k", "6"]);
    assert_eq!(commands[4][0], "load-it");
    assert_eq!(commands[5], commands[3]);
}

#[test]
fn options_are_checked() {
    for options in [
        "",
        "data_type => set",
        "data_type => list port => 70000",
        "data_type => list timeout => 0",
        "data_type => list ssl => true path => '/tmp/socket'",
        "data_type => list command_map => { 'script' => '' }",
        "data_type => list username => 'u'",
    ] {
        let config = format!("input {{ redis {{ key => 'k' {options} }} }}");
        let problems = testkit::input(&config, &testkit::context()).err().unwrap();
        assert!(problems.iter().any(Problem::is_error), "{options}");
    }
    let path = "input { redis { key => 'k' data_type => list path => '/tmp/socket' host => 'h' } }";
    assert!(testkit::input(path, &testkit::context()).is_ok());
}
