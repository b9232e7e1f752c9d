//! `graphite` in both directions.

use serde_json::json;

use crate::codecs::testkit::{codec, data, decode_one, encode, event, fails, show};
use crate::plugin::EcsMode;

fn written(options: &str) -> String {
    let event = event(
        r#"{"@timestamp":"2024-05-06T07:08:09.123Z","host":"h1","load":1.5,"text":"2.25 apples","n":7,"deep":{"a":1}}"#,
    );
    encode(&*codec(&format!("graphite {{ {options} }}"), EcsMode::V8).unwrap(), &event)
}

#[test]
fn a_line_is_one_metric() {
    let text = "a.b 12.5 1714979289\nc 3\n@metadata 1 2\nlast 1e2 5";
    let events = decode_one("graphite", EcsMode::V8, text.as_bytes());
    assert_eq!(
        events.iter().map(data).collect::<Vec<_>>(),
        [
            json!({"a.b": 12.5}),
            json!({"c": 3.0}),
            json!({"message": "@metadata 1 2"}),
            json!({"last": 100.0})
        ]
    );
    let times: Vec<_> = [0, 1, 3].map(|at: usize| show(&events[at], "@timestamp")).into();
    assert_eq!(times, ["2024-05-06T07:08:09.000Z", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:05.000Z"]);
}

#[test]
fn metrics_are_templates() {
    assert_eq!(
        written(r#"metrics => ["%{host}.load", "%{load}", "text", "%{text}", "five", 5]"#),
        "h1.load 1.5 1714979289\ntext 2.25 1714979289\nfive 5.0 1714979289\n"
    );
    // A name whose field is missing is left out; a value whose field is missing is 0.
    assert_eq!(written(r#"metrics => ["%{none}", "1", "x", "%{none}"]"#), "x 0.0 1714979289\n");
    assert_eq!(written(""), "");
    let format = r#"metrics_format => "%{host}.*.count" metrics => ["a", "1"]"#;
    assert_eq!(written(format), "h1.a.count 1.0 1714979289\n");
    assert_eq!(written(r#"metrics => ["a", "1"] include_metrics => []"#), "");
}

#[test]
fn fields_may_be_the_metrics() {
    assert_eq!(
        written(
            r#"fields_are_metrics => true include_metrics => ["^(load|n|text)$"] exclude_metrics => ["x"]"#
        ),
        "load 1.5 1714979289\nn 7.0 1714979289\n"
    );
    assert_eq!(written("fields_are_metrics => true include_metrics => []").lines().count(), 5);
    fails(r#"graphite { include_metrics => ["("] }"#, "include_metrics");
}
