//! `edn` and `edn_lines` in both directions.

use serde_json::json;

use crate::codecs::testkit::{codec, data, decode, decode_one, encode, event, show};
use crate::plugin::EcsMode;

#[test]
fn maps_become_events() {
    let text = r#"{:a 1, :b/c "x\n\"", "s" [1.5 nil true \a \newline (2N 3M 1.5M) #uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"],
        sym :kw 5 {} #_ skipped :n -7} trailing"#;
    assert_eq!(
        data(&decode_one("edn", EcsMode::V8, text.as_bytes())[0]),
        json!({"a": 1, "b/c": "x\n\"", "s": [1.5, null, true, "a", "\n", [2, 3, 1.5],
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"], "sym": "kw", "5": {}, "n": -7})
    );
    let targeted = decode_one("edn { target => '[doc]' }", EcsMode::V8, b"[1 2]");
    assert_eq!(data(&targeted[0]), json!({"doc": [1, 2]}));
    let timed = decode_one("edn", EcsMode::V8, br#"{"@timestamp" "2024-05-06T07:08:09Z"}"#);
    assert_eq!(show(&timed[0], "@timestamp"), "2024-05-06T07:08:09.000Z");
}

#[test]
fn what_cannot_be_read_is_the_message_without_a_tag() {
    let deep = "[".repeat(100_000);
    let tagged = "#a ".repeat(100_000);
    let sets = "#{".repeat(100_000);
    for text in [
        "",
        "{:a",
        "[1]",
        "sym",
        r#"{:a #inst "2024-05-06T07:08:09Z"}"#,
        "{:a #{1}}",
        "{:a b}",
        "{:a \\u한한한한}",
        &deep,
        &tagged,
        &sets,
    ] {
        assert_eq!(data(&decode_one("edn", EcsMode::V8, text.as_bytes())[0]), json!({"message": text}));
    }
}

#[test]
fn many_small_forms_are_not_deep() {
    let text = format!(
        "{{:a [{}]}}",
        "#_x #{1} \"[[[\" ; [[[\n [1] #uuid \"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\" ".repeat(1000)
    );
    let failed = decode_one("edn", EcsMode::V8, text.replace("#{1}", "").as_bytes());
    assert_eq!(data(&failed[0])["a"].as_array().unwrap().len(), 3000);
}

#[test]
fn events_are_written_as_the_gem_does() {
    let event = event(
        r#"{"@timestamp":"2024-05-06T07:08:09.123Z","a":1,"f":1e20,"s":"x\"y\\z\n","l":[null,true,{}]}"#,
    );
    let expected = concat!(
        r#"{"@timestamp" "2024-05-06T07:08:09.123Z", "a" 1M, "f" 1.0e+20, "s" "x\"y\\z"#,
        "\n",
        r#"", "l" [nil true {}], "@version" "1"}"#
    );
    assert_eq!(encode(&*codec("edn", EcsMode::V8).unwrap(), &event), expected);
    assert_eq!(encode(&*codec("edn_lines", EcsMode::V8).unwrap(), &event), format!("{expected}\n"));
}

#[test]
fn lines_hold_a_map_each() {
    let mut lines = codec("edn_lines", EcsMode::V8).unwrap();
    let events = decode(&mut *lines, &[b"{:a 1}\n{:a", b" 2}\nx\n{:a 3}"]);
    let data: Vec<_> = events.iter().map(data).collect();
    assert_eq!(data, [json!({"a": 1}), json!({"a": 2}), json!({"message": "x"}), json!({"a": 3})]);
}
