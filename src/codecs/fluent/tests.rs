//! `fluent` against the forward protocol's specification (v1) and, for what is written, MessagePack's.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::codecs::testkit::{codec, data, decode, decode_one, event, show, tags};
use crate::plugin::EcsMode;

/// Entries of 2024-05-06T07:08:09Z: one with seconds, one with an EventTime of 123456789 nanoseconds.
const SECONDS: &[u8] = b"\x92\xce\x66\x38\x81\xd9\x81\xa1a\x01";
const NANOS: &[u8] = b"\x92\xd7\x00\x66\x38\x81\xd9\x07\x5b\xcd\x15\x81\xa1a\x02";

fn shown(bytes: &[u8]) -> Vec<(String, serde_json::Value)> {
    let events = decode_one("fluent", EcsMode::V8, bytes);
    events.iter().map(|event| (show(event, "@timestamp"), data(event))).collect()
}

fn expected() -> Vec<(String, serde_json::Value)> {
    vec![
        ("2024-05-06T07:08:09.000Z".into(), json!({"a": 1, "tags": ["t.x"]})),
        ("2024-05-06T07:08:09.123456789Z".into(), json!({"a": 2, "tags": ["t.x"]})),
    ]
}

/// A message of a tag, a head and entries.
fn message(head: &[u8], entries: &[u8]) -> Vec<u8> {
    [b"\x93\xa3t.x", head, entries].concat()
}

#[test]
fn one_entry_in_a_message() {
    // The entry's own array head is left out in this mode.
    let both = [message(&[], &SECONDS[1..]), message(&[], &NANOS[1..])].concat();
    assert_eq!(shown(&both), expected());
    let with_option = [b"\x94\xa3t.x", &SECONDS[1..], b"\x81\xa5chunk\xa1c"].concat();
    assert_eq!(shown(&with_option), expected()[..1]);
}

#[test]
fn lists_of_entries_packed_or_not() {
    let entries = [SECONDS, NANOS].concat();
    let list = [b"\x92\xa3t.x\x92", &entries[..]].concat();
    assert_eq!(shown(&list), expected());
    let head = [0xc4, entries.len() as u8];
    let packed = [message(&head, &entries), b"\x81\xa4size\x02".to_vec()].concat();
    assert_eq!(shown(&packed), expected());
    let text = [b"\x92\xa3t.x\xd9", &head[1..], &entries].concat();
    assert_eq!(shown(&text), expected());
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&entries).unwrap();
    let compressed = encoder.finish().unwrap();
    let head = [0xc4, compressed.len() as u8];
    let option = b"\x81\xaacompressed\xa4gzip";
    assert_eq!(shown(&[message(&head, &compressed), option.to_vec()].concat()), expected());
}

#[test]
fn messages_may_be_cut_anywhere() {
    let both = [message(&[], &SECONDS[1..]), message(&[], &NANOS[1..])].concat();
    for cut in 0..both.len() {
        let (first, second) = both.split_at(cut);
        let mut fluent = codec("fluent", EcsMode::V8).unwrap();
        assert_eq!(decode(&mut *fluent, &[first, second]).len(), 2, "{cut}");
    }
    let mut fluent = codec("fluent", EcsMode::V8).unwrap();
    let pieces: Vec<_> = both.chunks(1).collect();
    assert_eq!(decode(&mut *fluent, &pieces).len(), 2);
}

#[test]
fn what_is_no_message_is_kept_and_the_next_one_is_read() {
    let good = message(&[], &SECONDS[1..]);
    for bad in [
        &b"\x01"[..],
        b"\x90",
        b"\x93\xa1t\xc3\x80",
        b"\x93\xa1t\x01\x01",
        b"\x92\xa1t\x91\x05",
        b"\x92\xa1t\xa1\x92",
    ] {
        let mut fluent = codec("fluent", EcsMode::V8).unwrap();
        let events = decode(&mut *fluent, &[bad, &good]);
        assert_eq!(tags(&events[0]), ["_fluentparsefailure"], "{bad:?}");
        assert_eq!(data(&events[1])["a"], 1, "{bad:?}");
    }
    assert_eq!(data(&decode_one("fluent", EcsMode::V8, b"\x92\xa1t\xc3")[0])["message"], json!(["t", true]));
}

#[test]
fn hostile_streams_end_in_a_failure() {
    let deep = vec![0x91; 1000];
    let cases: [&[u8]; 3] = [b"\xc1", &deep, b"\x92\xdb\xff\xff\xff\xff"];
    for bytes in cases {
        assert_eq!(tags(&decode_one("fluent", EcsMode::V8, bytes)[0]), ["_fluentparsefailure"], "{bytes:?}");
    }
    // Four billion values that never come cost nothing.
    assert!(decode_one("fluent", EcsMode::V8, b"\xdd\xff\xff\xff\xff\x01\x01").is_empty());
}

#[test]
fn the_record_may_go_to_a_field() {
    let events = decode_one("fluent { target => '[r]' }", EcsMode::V8, &message(&[], &SECONDS[1..]));
    assert_eq!(data(&events[0]), json!({"r": {"a": 1}, "tags": ["t.x"]}));
}

#[test]
fn events_are_written_as_single_entries() {
    let bytes = |options: &str, event| {
        let mut out = Vec::new();
        codec(options, EcsMode::V8).unwrap().encode(&event, &mut out).unwrap();
        out
    };
    let plain = event(r#"{"@timestamp":"2024-05-06T07:08:09.123456789Z"}"#);
    let record = b"\x82\xaa@timestamp\xbe2024-05-06T07:08:09.123456789Z\xa8@version\xa11";
    assert_eq!(bytes("fluent", plain.clone()), [b"\x93\xa3log\xce\x66\x38\x81\xd9", &record[..]].concat());
    assert_eq!(
        bytes("fluent { nanosecond_precision => true }", plain),
        // Microseconds, as Logstash writes them: 123456000.
        [b"\x93\xa3log\xd7\x00\x66\x38\x81\xd9\x07\x5b\xca\x00", &record[..]].concat()
    );
    let tagged = bytes("fluent", event(r#"{"tags":["a","b"]}"#));
    assert!(tagged.starts_with(b"\x93\xa3a.b"), "{tagged:?}");
}
