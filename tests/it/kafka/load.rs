//! More events than the broker takes: what waits is bounded, and arrives.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};

use super::broker::OwnBroker;
use super::program::Rstash;

/// Messages of a kilobyte: together more than the bound.
const MESSAGES: usize = 250_000;
const SIZE: usize = 1_000;
/// The output's buffer of 32 MiB, the batches of the workers, and the program itself; 60 MiB were seen.
const BOUND_KIB: u64 = 200 << 10;

#[test]
fn memory_is_bounded_while_the_broker_is_away_and_nothing_is_lost() {
    let Some(broker) = OwnBroker::start() else { return };
    let topic = broker.topic("load", 4);
    let (rstash, mut input) = Rstash::start_fed(&format!(
        r#"input {{ stdin {{ codec => json_lines }} }}
           output {{ kafka {{ bootstrap_servers => "{}" topic_id => "{topic}" acks => "all"
             message_key => "%{{number}}" codec => plain {{ format => "%{{message}}" }} }} }}"#,
        broker.address
    ));
    let text = "x".repeat(SIZE);
    let mut send = move |number| writeln!(input, r#"{{"number":{number},"message":"{text}"}}"#);
    send(0).expect("the input reads");
    let arrived = || broker.consume(&topic, "%k\n").into_iter().collect::<BTreeSet<_>>().len();
    rstash.wait_for("messages", 1, arrived);
    broker.control("kill");
    // Blocks as soon as all between the input and the broker is full, and closes the input after the last.
    let sender = std::thread::spawn(move || (1..MESSAGES).try_for_each(send));
    // The inputs run on until everything between them and the broker is full.
    let begun = Instant::now();
    let mut most = 0;
    while begun.elapsed() < Duration::from_secs(10) {
        assert!(rstash.is_running(), "it ended before the outage did: {}", rstash.log());
        most = most.max(rstash.resident_kib());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(most < BOUND_KIB, "{most} KiB while the broker is away");
    broker.control("start");
    assert!(sender.join().is_ok_and(|sent| sent.is_ok()), "{}", rstash.log());
    assert!(rstash.wait().success(), "{}", rstash.log());
    assert_eq!(arrived(), MESSAGES);
}
