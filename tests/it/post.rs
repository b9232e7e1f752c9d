//! The whole way: tweets from an endpoint through `producer.conf` into a real Kafka, and through `consumer.conf` onto the
//! screen, with both configs byte for byte as they were published.
//!
//! Both name 172.31.15.105:9092, so the test runs inside a network namespace that owns this address and has a broker
//! there; `.ci/run` makes it and sets RSTASH_POST.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rstash::demo::twitter_endpoint::{Endpoint, Options};
use serde_json::Value;

use crate::shared::missing;

const BROKER: &str = "172.31.15.105:9092";
const TWEETS: u64 = 300;
const TIME_LIMIT: Duration = Duration::from_secs(90);

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn rstash(config: &str, base_url: &str) -> Running {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/post").join(config);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rstash"));
    command.arg("-f").arg(config).env("RSTASH_TWITTER_BASE_URL", base_url).stdout(Stdio::piped());
    Running(command.spawn().expect("rstash starts"))
}

/// The lines a program prints, as they come.
fn lines(running: &mut Running) -> Receiver<String> {
    let (sender, receiver) = channel();
    let stdout = running.0.stdout.take().expect("standard output is a pipe");
    std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

/// Everything that is in the topic, one message a line.
fn topic() -> Vec<String> {
    let kcat = Command::new("kcat")
        .args(["-C", "-e", "-q", "-b", BROKER, "-t", "twitter", "-o", "beginning"])
        .output();
    let output = kcat.expect("kcat is installed").stdout;
    String::from_utf8(output).expect("JSON is UTF-8").lines().map(str::to_owned).collect()
}

fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(started.elapsed() < TIME_LIMIT, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The events that rubydebug printed, each as the set of its top-level entries; `@timestamp` is the time of reading.
fn printed_events(receiver: &Receiver<String>, count: usize) -> Vec<BTreeSet<String>> {
    let mut events: Vec<BTreeSet<String>> = Vec::new();
    let mut entry = String::new();
    let mut entries = BTreeSet::new();
    while events.len() < count {
        let line = receiver.recv_timeout(TIME_LIMIT).expect("rubydebug goes on");
        match line.as_str() {
            "{" => entries = BTreeSet::new(),
            "}" => events.push(std::mem::take(&mut entries)),
            // Deeper lines and closing brackets belong to the entry before.
            _ if !line.starts_with("    }") && !line.starts_with("        \"original\"") => {
                entry = line.trim_end_matches(',').to_owned();
                if !entry.ends_with('{') && !entry.trim_start().starts_with("\"@timestamp\"") {
                    entries.insert(entry.clone());
                }
            }
            _ => {
                entry = format!("{entry}\n{}", line.trim_end_matches(','));
                if line.starts_with("    }") {
                    entries.insert(entry.clone());
                }
            }
        }
    }
    events
}

/// `String#inspect` of JSON text: it holds no control characters, so that quotes and backslashes are all there is.
fn inspect(text: &str) -> String {
    let mut escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    for opener in ["#{", "#$", "#@"] {
        escaped = escaped.replace(opener, &format!("\\{opener}"));
    }
    format!("\"{escaped}\"")
}

/// What Logstash prints for one message of the topic, by the columns of its keys: plain codec, ECS field names.
fn expected_event(message: &str) -> BTreeSet<String> {
    BTreeSet::from([
        "      \"@version\" => \"1\"".to_owned(),
        format!("       \"message\" => {}", inspect(message)),
        format!("         \"event\" => {{\n        \"original\" => {}\n    }}", inspect(message)),
    ])
}

#[test]
fn the_published_configs_run_unchanged() {
    if std::env::var_os("RSTASH_POST").is_none() {
        return missing(
            "needs a network namespace with a broker at 172.31.15.105:9092 (set RSTASH_POST in it)",
        );
    }
    let options = Options { count: Some(TWEETS), rate: Some(50.0), record: true, ..Options::default() };
    let endpoint = Endpoint::start(options).expect("the endpoint starts");
    let mut consumer = rstash("consumer.conf", &endpoint.base_url());
    let screen = lines(&mut consumer);
    // The consumer reads from the latest offset on: what it sees is the end of what was sent, from its joining on.
    std::thread::sleep(Duration::from_secs(12));
    let _producer = rstash("producer.conf", &endpoint.base_url());

    let messages = until("all tweets to reach the topic", || {
        let messages = topic();
        (messages.len() as u64 >= TWEETS).then_some(messages)
    });
    // Several workers: batches may overtake each other, as in Logstash.
    let sent: BTreeMap<String, Value> = endpoint.sent().iter().map(|tweet| tweet_by_id(tweet)).collect();
    assert_eq!(messages.len(), sent.len(), "every tweet is there once");
    for message in &messages {
        let (id, mut got) = tweet_by_id(message);
        let fields = got.as_object_mut().expect("a message is an object");
        assert_eq!(fields.remove("@version"), Some(Value::from("1")));
        let time = fields.remove("@timestamp");
        assert!(time.is_some_and(|time| time.as_str().is_some_and(|time| time.ends_with('Z'))));
        assert_eq!(Some(&got), sent.get(&id), "a tweet that was sent");
    }

    let mut expected: BTreeSet<_> = messages.iter().map(|message| expected_event(message)).collect();
    for event in printed_events(&screen, messages.len().div_ceil(2)) {
        assert!(expected.remove(&event), "printed otherwise, or twice: {event:#?}");
    }
}

/// A tweet and the id it is known by.
fn tweet_by_id(json: &str) -> (String, Value) {
    let tweet: Value = serde_json::from_str(json).expect("a tweet is JSON");
    let id = tweet.get("id_str").and_then(Value::as_str).expect("a tweet has an id").to_owned();
    (id, tweet)
}
