//! Servers that go away, pipelines that do not take any more, lists that are too long: nothing is lost.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;

use crate::kafka::program::Rstash;

use super::server::Redis;

/// So many events that they fit neither into the buffers of sockets nor into what the workers have in flight.
fn count() -> usize {
    6000 + 2000 * std::thread::available_parallelism().map_or(1, usize::from)
}

/// Events of 4 kB.
fn large() -> Vec<String> {
    let padding = "x".repeat(4000);
    (0..count()).map(|number| format!(r#"{{"n":{number},"padding":"{padding}"}}"#)).collect()
}

/// A reader who has not begun to read: what is sent to it piles up.
struct Blocked(TcpListener);

impl Blocked {
    fn new() -> Self {
        Blocked(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    fn port(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }

    /// Reads the numbers of all events until so many have come, or until the connection ends.
    fn numbers(&self, count: usize) -> Vec<u64> {
        let (stream, _) = self.0.accept().expect("a connection");
        let lines = BufReader::new(stream).lines().map_while(Result::ok).take(count);
        let number = |line: String| {
            let event: serde_json::Value = serde_json::from_str(&line).expect("a document");
            event["n"].as_u64().expect("a number")
        };
        lines.map(number).collect()
    }
}

/// Starts taking a list towards a reader that does not read, and waits until nothing moves any more.
fn start_blocked(redis: &Redis, reader: &Blocked) -> Rstash {
    let rstash = Rstash::start(&format!(
        r#"input {{ redis {{ port => {} key => "k" data_type => "list" }} }}
           output {{ tcp {{ host => "127.0.0.1" port => {} codec => json_lines }} }}"#,
        redis.port,
        reader.port()
    ));
    redis.wait_for("nothing is taken", || redis.length("k") < count());
    let mut before = 0;
    redis.wait_for("it does not come to rest", || {
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let length = redis.length("k");
        std::mem::replace(&mut before, length) == length
    });
    assert!(before > 0, "everything was taken although nobody reads");
    rstash
}

#[test]
fn a_blocked_pipeline_takes_no_more_and_the_server_may_restart() {
    let Some(redis) = Redis::start(&[]) else { return };
    redis.push("k", &large());
    let reader = Blocked::new();
    let rstash = start_blocked(&redis, &reader);
    let left = redis.length("k");
    redis.shut_down();
    redis.run();
    assert_eq!(redis.length("k"), left);
    let numbers = reader.numbers(count());
    assert_eq!(numbers.len(), count());
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), count());
    assert!(rstash.stop().success());
}

#[test]
fn what_was_taken_before_a_stop_is_delivered() {
    let Some(redis) = Redis::start(&[]) else { return };
    redis.push("k", &large());
    let reader = Blocked::new();
    let rstash = start_blocked(&redis, &reader);
    let numbers = std::thread::scope(|scope| {
        let stopping = scope.spawn(|| rstash.stop());
        rstash.wait_for_log("shutting down");
        let numbers = reader.numbers(usize::MAX);
        assert!(stopping.join().expect("no panic").success(), "{}", rstash.log());
        numbers
    });
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
    assert_eq!(numbers.len() + redis.length("k"), count());
}

/// The server is killed while it is written to. Whatever was answered is in its file, the rest is sent again.
#[test]
fn a_killed_server_gets_everything_in_the_end() {
    const COUNT: usize = 20_000;
    let Some(redis) = Redis::start(&[]) else { return };
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => {COUNT} }} }}
           output {{ redis {{ port => {} key => "k" data_type => "list" reconnect_interval => 0.1 codec => line {{ format => "%{{[event][sequence]}}" }} }} }}"#,
        redis.port
    ));
    for round in 1..4 {
        redis.wait_for("nothing comes", || redis.length("k") > round * 1000);
        redis.kill();
        redis.run();
    }
    assert!(rstash.wait().success(), "{}", rstash.log());
    let list = redis.cli(&["lrange", "k", "0", "-1"]);
    let numbers: BTreeSet<usize> = list.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let lost: Vec<_> = (0..COUNT).filter(|number| !numbers.contains(number)).collect();
    assert!(lost.is_empty(), "{} are lost, e.g. {:?}", lost.len(), lost.first());
}

#[test]
fn a_congested_list_gets_no_more() {
    const THRESHOLD: usize = 10;
    let Some(redis) = Redis::start(&[]) else { return };
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => 60 }} }}
           output {{ redis {{ port => {} key => "k" data_type => "list" congestion_threshold => {THRESHOLD} congestion_interval => 0 }} }}"#,
        redis.port
    ));
    rstash.wait_for_log("congested");
    let mut taken = 0;
    redis.wait_for("not all events come", || {
        let length = redis.length("k");
        assert!(length <= THRESHOLD + 1, "{length}");
        taken += redis.cli(&["lpop", "k", "5"]).lines().count();
        taken >= 60
    });
    assert!(rstash.wait().success(), "{}", rstash.log());
    assert_eq!((taken, redis.length("k")), (60, 0));
}
