//! The kafka plugins against a real broker, with kcat as the other side. `.ci/kafka.sh up` brings the broker up, and
//! `eval "$(.ci/kafka.sh env)"` sets what these tests read.

mod broker;
mod load;
mod oauth;
pub mod program;
mod reading;
mod security;

use std::collections::BTreeSet;
use std::time::Duration;

use self::broker::{Broker, OwnBroker, kcat};
use self::program::Rstash;

#[test]
fn what_kcat_writes_is_read_with_key_headers_and_origin() {
    let Some(broker) = Broker::from_environment() else { return };
    let topic = broker.topic("read", 8);
    let messages: Vec<_> = (0..1000).map(|number| format!("key{number}:value {number} ü")).collect();
    broker.produce(&topic, &messages, &["-K", ":", "-H", "colour=blue", "-H", "empty"]);
    let config = format!(
        r#"input {{ kafka {{ bootstrap_servers => "{0}" topics => ["{topic}"] group_id => "{topic}-group" auto_offset_reset => "earliest"
           consumer_threads => 2 decorate_events => "extended" }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{[@metadata][kafka][key]}}:%{{message}} %{{[@metadata][kafka][headers]}} %{{[@metadata][kafka][topic]}} %{{[@metadata][kafka][consumer_group]}} %{{[@metadata][kafka][partition]}}/%{{[@metadata][kafka][offset]}}" }} }} }}"#,
        broker.address
    );
    let rstash = Rstash::start(&config);
    let read = rstash.wait_for_lines(1000);
    // kcat reads the same messages with the partition and offset of each.
    let format = format!("%k:%s {{\"colour\":\"blue\",\"empty\":\"\"}} {topic} {topic}-group %p/%o\n");
    let expected = broker.consume(&topic, &format);
    // A header without a value has none in the event.
    let expected: BTreeSet<_> =
        expected.into_iter().map(|line| line.replace(",\"empty\":\"\"", "")).collect();
    assert_eq!(read.into_iter().collect::<BTreeSet<_>>(), expected);
    assert!(rstash.stop().success());

    // The group's offsets were committed at the end: nothing is read a second time.
    broker.produce(&topic, &["late:message".to_owned()], &["-K", ":"]);
    let rstash = Rstash::start(&config);
    let late = rstash.wait_for_lines(1);
    assert!(rstash.stop().success());
    assert_eq!(late.len(), 1);
    assert!(late[0].starts_with("late:message "), "{late:?}");
}

#[test]
fn what_rstash_writes_kcat_reads_with_key_and_headers() {
    let Some(broker) = Broker::from_environment() else { return };
    for compression in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = broker.topic(&format!("write-{compression}"), 4);
        let rstash = Rstash::start(&format!(
            r#"input {{ generator {{ count => 500 lines => ["one", "two"] }} }}
               output {{ kafka {{ bootstrap_servers => "{}" topic_id => "%{{[@metadata][absent]}}{topic}" message_key => "k-%{{message}}"
                 message_headers => {{ "origin" => "is %{{message}}" }} codec => plain {{ format => "<%{{message}}>" }}
                 compression_type => "{compression}" acks => "all" }} }}"#,
            broker.address
        ).replace("%{[@metadata][absent]}", ""));
        assert!(rstash.wait().success(), "a generator that ends, ends the pipeline");
        let read = broker.consume(&topic, "%k %s %h\n");
        assert_eq!(read.len(), 1000, "{compression}");
        let distinct: BTreeSet<_> = read.iter().map(String::as_str).collect();
        assert_eq!(distinct, BTreeSet::from(["k-one <one> origin=is one", "k-two <two> origin=is two"]));
        let partitions: BTreeSet<_> = broker.consume(&topic, "%k %p\n").into_iter().collect();
        assert_eq!(partitions.len(), 2, "a key has one partition");
    }
}

#[test]
fn what_cannot_be_written_is_dropped_with_its_reason() {
    let Some(broker) = Broker::from_environment() else { return };
    let topic = broker.topic("too-large", 1);
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => 1 lines => ["{}", "small"] }} }}
           output {{ kafka {{ bootstrap_servers => "{}" topic_id => "{topic}" max_request_size => 2000 codec => plain {{ format => "%{{message}}" }} }}
                     kafka {{ bootstrap_servers => "{1}" topic_id => "no topic" codec => plain {{ format => "%{{message}}" }} }} }}"#,
        "large".repeat(1000),
        broker.address
    ));
    let log = rstash.log_of_run();
    assert_eq!(broker.consume(&topic, "%s\n"), ["small"]);
    assert_eq!(log.matches("Message size too large").count(), 1, "{log}");
    assert_eq!(log.matches("Invalid topic").count(), 2, "{log}");
}

#[test]
fn topics_are_found_by_pattern() {
    let Some(broker) = Broker::from_environment() else { return };
    let mark = broker.topic("pattern", 1);
    let (web, db, other) = (format!("{mark}.web"), format!("{mark}.db"), format!("x-{mark}.web"));
    for topic in [&web, &db, &other] {
        broker.create(topic, 1);
        broker.produce(topic, &[format!("from {topic}")], &[]);
    }
    let rstash = Rstash::start(&format!(
        r#"input {{ kafka {{ bootstrap_servers => "{}" topics_pattern => "{mark}\.(web|db)" group_id => "{mark}" auto_offset_reset => "earliest" }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{message}}" }} }} }}"#,
        broker.address
    ));
    let mut read = rstash.wait_for_lines(2);
    assert!(rstash.stop().success());
    read.sort();
    assert_eq!(read, [format!("from {db}"), format!("from {web}")]);
}

#[test]
fn a_killed_member_of_a_group_loses_nothing() {
    let Some(broker) = Broker::from_environment() else { return };
    let topic = broker.topic("group", 8);
    let config = format!(
        r#"input {{ kafka {{ bootstrap_servers => "{}" topics => ["{topic}"] group_id => "{topic}" auto_offset_reset => "earliest"
             session_timeout_ms => 6000 consumer_threads => 2 }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{message}}" }} }} }}"#,
        broker.address
    );
    let (first, second) = (Rstash::start(&config), Rstash::start(&config));
    let mut written = 0;
    let mut write = || {
        let messages: Vec<_> = (written..written + 500).map(|number| number.to_string()).collect();
        broker.produce(&topic, &messages, &[]);
        written += 500;
        written
    };
    // Both are at work before one is killed.
    first.wait_for("members at work", 2, || {
        write();
        [&first, &second].iter().filter(|member| !member.lines().is_empty()).count()
    });
    for _ in 0..10 {
        write();
    }
    let before = first.kill();
    for _ in 0..9 {
        write();
    }
    let all = write();
    let read = || before.iter().cloned().chain(second.lines()).collect::<BTreeSet<_>>().len();
    second.wait_for("messages are in a file", all, read);
    assert!(second.stop().success());
}

#[test]
fn a_broker_that_goes_away_and_comes_back_loses_nothing() {
    let Some(broker) = OwnBroker::start() else { return };
    let (source, target) = (broker.topic("source", 4), broker.topic("target", 4));
    let rstash = Rstash::start(&format!(
        r#"input {{ kafka {{ bootstrap_servers => "{0}" topics => ["{source}"] group_id => "through" auto_offset_reset => "earliest" consumer_threads => 2 }} }}
           output {{ kafka {{ bootstrap_servers => "{0}" topic_id => "{target}" acks => "all" codec => plain {{ format => "%{{message}}" }} }} }}"#,
        broker.address
    ));
    let feed = |from: usize| {
        let messages: Vec<_> = (from..from + 20_000).map(|number| number.to_string()).collect();
        broker.produce(&source, &messages, &["-X", "acks=all"]);
    };
    let arrived = || broker.consume(&target, "%s\n").into_iter().collect::<BTreeSet<_>>().len();
    feed(0);
    rstash.wait_for("messages are through", 1, arrived);
    for (round, how) in ["stop", "kill"].into_iter().enumerate() {
        feed((round + 1) * 20_000);
        broker.control(how);
        std::thread::sleep(Duration::from_secs(3));
        assert!(rstash.is_running(), "an outage ends nothing");
        broker.control("start");
    }
    rstash.wait_for("messages are through", 60_000, arrived);
    assert!(rstash.stop().success());
}

#[test]
fn a_request_to_stop_is_heard_while_the_broker_is_away() {
    let Some(broker) = OwnBroker::start() else { return };
    let topic = broker.topic("away", 1);
    broker.produce(&topic, &["one".to_owned()], &[]);
    let rstash = Rstash::start(&format!(
        r#"input {{ kafka {{ bootstrap_servers => "{}" topics => ["{topic}"] auto_offset_reset => "earliest" }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{message}}" }} }} }}"#,
        broker.address
    ));
    rstash.wait_for_lines(1);
    broker.control("kill");
    assert!(rstash.stop().success());
}

/// kcat's own check that it is there, so that its absence is told apart from failures.
#[test]
fn kcat_is_there() {
    if Broker::from_environment().is_some() {
        assert!(kcat().arg("-V").output().is_ok_and(|output| output.status.success()));
    }
}
