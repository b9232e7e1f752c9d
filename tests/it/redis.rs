//! The redis plugins against a real server, with redis-cli as the other side.

mod outage;
mod server;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

use crate::kafka::program::Rstash;
use crate::tls::Authority;

use self::server::Redis;

fn sorted(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort();
    lines
}

#[test]
fn what_redis_cli_puts_into_a_list_is_taken() {
    let Some(redis) = Redis::start(&[]) else { return };
    for (key, options) in
        [("one", "batch_count => 1"), ("many", "threads => 3"), ("third", "db => 3 batch_count => 7")]
    {
        let db = if key == "third" { "3" } else { "0" };
        let expected = sorted((0..1000).map(|number| format!("list {number} ü")));
        let documents: Vec<_> = expected.iter().map(|text| format!(r#"{{"text":"{text}"}}"#)).collect();
        for chunk in documents.chunks(100) {
            redis.cli(
                &[&["-n", db, "rpush", key], chunk.iter().map(String::as_str).collect::<Vec<_>>().as_slice()]
                    .concat(),
            );
        }
        let rstash = Rstash::start(&format!(
            r#"input {{ redis {{ port => {} key => "{key}" data_type => "list" {options} }} }}
               output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{text}}%{{[tags]}}" }} }} }}"#,
            redis.port
        ));
        let expected: Vec<_> = expected.iter().map(|text| format!("{text}%{{[tags]}}")).collect();
        assert_eq!(sorted(rstash.wait_for_lines(1000)), expected, "{options}");
        // What is no document is an event all the same.
        redis.cli(&["-n", db, "rpush", key, "no document"]);
        let last = rstash.wait_for_lines(1001).pop().expect("a line");
        assert_eq!(last, "%{text}_jsonparsefailure");
        assert!(rstash.stop().success());
        assert_eq!(redis.cli(&["-n", db, "llen", key]), "0");
    }
}

#[test]
fn a_unix_socket_and_renamed_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket").display().to_string();
    let renamed = ["--rename-command", "EVALSHA", "run-it", "--rename-command", "LTRIM", "cut-it"];
    let Some(redis) = Redis::start(&[&["--unixsocket", &socket], renamed.as_slice()].concat()) else {
        return;
    };
    redis.push("k", &(0..300).map(|number| number.to_string()).collect::<Vec<_>>());
    let rstash = Rstash::start(&format!(
        r#"input {{ redis {{ path => "{socket}" key => "k" data_type => "list" codec => plain
             command_map => {{ "evalsha" => "run-it" "ltrim" => "cut-it" }} }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{message}}" }} }} }}"#
    ));
    assert_eq!(sorted(rstash.wait_for_lines(300)), sorted((0..300).map(|number| number.to_string())));
    assert!(rstash.stop().success());
    assert_eq!(redis.length("k"), 0);
}

#[test]
fn what_redis_cli_publishes_is_heard() {
    let Some(redis) = Redis::start(&[]) else { return };
    let rstash = Rstash::start(&format!(
        r#"input {{ redis {{ port => {0} key => "exact" data_type => "channel" codec => plain }}
                    redis {{ port => {0} key => "some-*" data_type => "pattern_channel" codec => plain }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{[@metadata][redis_channel]}}: %{{message}}" }} }} }}"#,
        redis.port
    ));
    redis.wait_for("both subscriptions", || {
        redis.cli(&["pubsub", "numsub", "exact"]).ends_with('1') && redis.cli(&["pubsub", "numpat"]) == "1"
    });
    for number in 0..50 {
        redis.cli(&["publish", "exact", &format!("message {number}")]);
        redis.cli(&["publish", &format!("some-{number}"), "by pattern"]);
        redis.cli(&["publish", "exactly", "for nobody"]);
    }
    let expected = (0..50).map(|number| format!("exact: message {number}"));
    let expected = expected.chain((0..50).map(|number| format!("some-{number}: by pattern")));
    assert_eq!(sorted(rstash.wait_for_lines(100)), sorted(expected));
    assert!(rstash.stop().success());
    assert_eq!(redis.cli(&["pubsub", "numpat"]), "0");
}

#[test]
fn what_rstash_puts_into_lists_redis_cli_reads() {
    let Some(redis) = Redis::start(&[]) else { return };
    for (batch, db) in [("", "0"), ("batch => true batch_events => 30", "2")] {
        let rstash = Rstash::start(&format!(
            r#"input {{ generator {{ count => 500 lines => ["a", "b"] }} }}
               output {{ redis {{ host => ["127.0.0.1:{}"] db => {db} key => "list-%{{message}}" data_type => "list" {batch} }} }}"#,
            redis.port
        ));
        assert!(rstash.wait().success(), "{}", rstash.log());
        for message in ["a", "b"] {
            let list = redis.cli(&["-n", db, "lrange", &format!("list-{message}"), "0", "-1"]);
            let mut numbers: Vec<_> = list
                .lines()
                .map(|line| {
                    let event: serde_json::Value = serde_json::from_str(line).expect("a document");
                    assert_eq!(event["message"], message);
                    event["event"]["sequence"].as_u64().expect("a number")
                })
                .collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..500).collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_rstash_publishes_redis_cli_hears() {
    let Some(redis) = Redis::start(&[]) else { return };
    let mut subscriber = redis.subscribe("news");
    let lines = BufReader::new(subscriber.stdout()).lines().map_while(Result::ok);
    redis.wait_for("a subscriber", || redis.cli(&["pubsub", "numsub", "news"]).ends_with('1'));
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => 100 message => "m" }} }}
           output {{ redis {{ port => {} key => "news" data_type => "channel" codec => plain {{ format => "%{{[event][sequence]}}" }} }} }}"#,
        redis.port
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    // Each message is three lines: its kind, the channel, and itself.
    let messages = lines.skip_while(|line| line != "message").skip(2).step_by(3).take(100);
    let numbers: BTreeSet<u32> = messages.filter_map(|message| message.parse().ok()).collect();
    assert_eq!(numbers, (0..100).collect());
}

/// A server that wants TLS and a password, and both plugins.
#[test]
fn tls_and_passwords() {
    let authority = Authority::new();
    let Some(redis) = Redis::start_tls(&authority, "geheim-genug") else { return };
    let (port, ca) = (redis.port, authority.path());
    let secure = format!(
        r#"host => "localhost" port => {port} ssl_enabled => true ssl_certificate_authorities => "{ca}" data_type => "list" key => "k""#
    );
    let writer = Rstash::start(&format!(
        r#"input {{ generator {{ count => 200 }} }} output {{ redis {{ {secure} password => "geheim-genug" }} }}"#
    ));
    assert!(writer.wait().success(), "{}", writer.log());
    assert_eq!(redis.cli(&["llen", "k"]), "200");
    let reading = format!(
        r#"input {{ redis {{ host => "localhost" port => {port} ssl => true data_type => "list" key => "k" password => "${{REDIS_PASSWORD}}" }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{[event][sequence]}}" }} }} }}"#
    );
    let start = |authorities: &str, password: &str| {
        Rstash::start_with(&reading, &[("SSL_CERT_FILE", authorities), ("REDIS_PASSWORD", password)])
    };
    let reader = start(&ca, "geheim-genug");
    assert_eq!(reader.wait_for_lines(200).into_iter().collect::<BTreeSet<_>>().len(), 200);
    assert!(reader.stop().success());

    // A wrong password: one line for each try, which says so and does not say it.
    let refused = start(&ca, "falsch-genug");
    refused.wait_for_log("WRONGPASS");
    assert!(refused.stop().success());
    assert!(!refused.log().contains("falsch-genug"), "{}", refused.log());
    let writer = Rstash::start(&format!(
        r#"input {{ heartbeat {{ }} }} output {{ redis {{ {secure} password => "falsch-genug" }} }}"#
    ));
    writer.wait_for_log("WRONGPASS");
    assert!(!writer.log().contains("falsch-genug"), "{}", writer.log());
    drop(writer);

    // Another authority.
    let stranger = Authority::new();
    let refused = start(&stranger.path(), "geheim-genug");
    refused.wait_for_log("certificate");
    assert!(refused.stop().success());
    assert_eq!(redis.cli(&["llen", "k"]), "0");
}
