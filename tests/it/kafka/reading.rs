//! What a consumer sees of transactions, and what a group sees of a member that comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::broker::Broker;
use super::program::Rstash;

const LONG: Duration = Duration::from_secs(30);

fn reader(broker: &Broker, topic: &str, group: &str, options: &str) -> Rstash {
    Rstash::start(&format!(
        r#"input {{ kafka {{ bootstrap_servers => "{}" topics => ["{topic}"] group_id => "{group}" auto_offset_reset => "earliest" {options} }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{message}}" }} }} }}"#,
        broker.address
    ))
}

/// Writes one message within a transaction that is committed or aborted.
fn transaction(producer: &BaseProducer, topic: &str, message: &str, commit: bool) {
    producer.begin_transaction().expect("a transaction");
    producer
        .send(BaseRecord::<(), str>::to(topic).payload(message))
        .map_err(|(error, _)| error)
        .expect("room");
    // The broker has the message before its fate is known.
    producer.flush(LONG).expect("written");
    match commit {
        true => producer.commit_transaction(LONG),
        false => producer.abort_transaction(LONG),
    }
    .expect("an end");
}

#[test]
fn aborted_transactions_are_skipped_where_that_is_asked_for() {
    let Some(broker) = Broker::from_environment() else { return };
    let topic = broker.topic("transactions", 1);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &broker.address)
        .set("transactional.id", &topic)
        .create()
        .expect("a producer");
    producer.init_transactions(LONG).expect("transactions");
    for (message, commit) in [("first", true), ("aborted", false), ("second", true)] {
        transaction(&producer, &topic, message, commit);
    }
    broker.produce(&topic, &["outside".to_owned()], &[]);
    for (options, expected) in [
        (r#"isolation_level => "read_committed""#, vec!["first", "second", "outside"]),
        (r#"isolation_level => "read_uncommitted""#, vec!["first", "aborted", "second", "outside"]),
        ("", vec!["first", "aborted", "second", "outside"]),
    ] {
        let rstash = reader(&broker, &topic, &format!("{topic}-{}", fastrand::u32(..)), options);
        // One partition is read in order: with the last message all before it are there.
        rstash.wait_for("the last message", 1, || {
            rstash.lines().iter().filter(|line| *line == "outside").count()
        });
        assert_eq!(rstash.lines(), expected, "{options}");
        assert!(rstash.stop().success(), "{options}");
    }
}

/// Counts how often partitions are handed out anew.
struct Watching(Arc<AtomicUsize>);

impl ClientContext for Watching {}

impl ConsumerContext for Watching {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Assign(_)) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A member of a group that only watches.
struct Watcher {
    assignments: Arc<AtomicUsize>,
    partitions: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    fn start(broker: &Broker, topic: &str, group: &str) -> Self {
        let (assignments, partitions, stop) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let consumer: BaseConsumer<Watching> = ClientConfig::new()
            .set("bootstrap.servers", &broker.address)
            .set("group.id", group)
            .set("session.timeout.ms", "30000")
            .create_with_context(Watching(Arc::clone(&assignments)))
            .expect("a consumer");
        consumer.subscribe(&[topic]).expect("subscribed");
        let (held, until) = (Arc::clone(&partitions), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                _ = consumer.poll(Duration::from_millis(50));
                held.store(consumer.assignment().map_or(0, |assigned| assigned.count()), Ordering::Relaxed);
            }
        });
        Watcher { assignments, partitions, stop, thread: Some(thread) }
    }

    fn assignments(&self) -> usize {
        self.assignments.load(Ordering::Relaxed)
    }

    fn holds(&self, partitions: usize) -> usize {
        usize::from(self.partitions.load(Ordering::Relaxed) == partitions)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

/// How often the group hands out its partitions anew while a member of it restarts.
fn rebalances_of_a_restart(broker: &Broker, options: &str) -> usize {
    let topic = broker.topic("static", 2);
    let group = format!("{topic}-group");
    let watcher = Watcher::start(broker, &topic, &group);
    let options = format!("session_timeout_ms => 30000 {options}");
    let begin = || {
        let member = reader(broker, &topic, &group, &options);
        member.wait_for("partition for the watcher", 1, || watcher.holds(1));
        // The other partition is the member's: it reads what comes there.
        let both = |n: &str| broker.produce(&topic, &[n.to_owned()], &["-p", n]);
        member.wait_for("messages", 1, || {
            both("0");
            both("1");
            member.lines().len()
        });
        member
    };
    let member = begin();
    let before = watcher.assignments();
    assert!(member.stop().success(), "{}", member.log());
    let member = begin();
    let after = watcher.assignments();
    assert!(member.stop().success(), "{}", member.log());
    after - before
}

#[test]
fn a_member_with_a_name_of_its_own_comes_back_unnoticed() {
    let Some(broker) = Broker::from_environment() else { return };
    assert_eq!(rebalances_of_a_restart(&broker, r#"group_instance_id => "one""#), 0);
    assert_ne!(rebalances_of_a_restart(&broker, ""), 0, "without a name everyone notices");
}
