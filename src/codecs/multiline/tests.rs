//! `multiline` where no recorded case shows it: limits, streams, and times.

use std::time::Duration;

use crate::codecs::testkit::{codec, decode, fails, tags, texts};
use crate::plugin::EcsMode;

fn joined(options: &str, pieces: &[&[u8]]) -> Vec<(String, Vec<String>)> {
    let mut codec = codec(&format!("multiline {{ {options} }}"), EcsMode::Disabled).unwrap();
    let events = decode(&mut *codec, pieces);
    texts(&events, "message").into_iter().zip(events.iter().map(tags)).collect()
}

fn plain(options: &str, pieces: &[&[u8]]) -> Vec<String> {
    joined(options, pieces).into_iter().map(|(text, _)| text).collect()
}

#[test]
fn more_lines_than_max_lines_end_an_event() {
    // `over_maximum_lines?` is "more than", asked before a line is added for `previous` and after it for `next`.
    let lines: &[&[u8]] = &[b"a\n b\n c\n d\n e"];
    let previous = joined(r#"pattern => "^\s" what => "previous" max_lines => 2"#, lines);
    assert_eq!(previous[0].0, "a\n b\n c");
    assert_eq!(previous[0].1, ["multiline", "multiline_codec_max_lines_reached"]);
    assert_eq!(previous[1], (" d\n e".into(), vec!["multiline".into()]));
    let next = joined(r#"pattern => "^" what => "next" max_lines => 1"#, lines);
    assert_eq!(next[0].0, "a\n b");
    assert_eq!(next.len(), 3);
}

#[test]
fn empty_lines_count_inside_a_read_only() {
    let options = r#"pattern => "^(\s|$)" what => "previous""#;
    assert_eq!(plain(options, &[b"a\n\n b\n\n", b"\n", b"c"]), ["a\n\n b", "c"]);
    assert_eq!(plain(options, &[b"", b"\n\n"]), [""; 0]);
}

#[test]
fn an_empty_tag_is_none() {
    let events = joined(r#"pattern => "^\s" what => "previous" multiline_tag => """#, &[b"a\n b"]);
    assert_eq!(events, [("a\n b".into(), vec![])]);
}

#[test]
fn the_original_is_the_whole_text_with_ecs() {
    let mut codec = codec(r#"multiline { pattern => "^\s" what => "previous" }"#, EcsMode::V8).unwrap();
    let events = decode(&mut *codec, &[b"a\n b"]);
    assert_eq!(texts(&events, "[event][original]"), ["a\n b"]);
}

#[test]
fn bytes_of_another_encoding_become_text() {
    let options = r#"pattern => "^é" what => "previous" charset => "ISO-8859-1""#;
    assert_eq!(plain(options, &[b"a\n\xe9t\xe9"]), ["a\nété"]);
}

#[test]
fn a_dot_matches_as_in_grok_and_a_dollar_ends_a_line() {
    assert_eq!(plain(r#"pattern => "\r$" what => "next""#, &[b"a\r\nb\n"]), ["a\r\nb"]);
}

#[test]
fn the_interval_is_what_inputs_wait() {
    let wait = |options: &str| {
        let text = format!(r#"multiline {{ pattern => "x" what => "next" {options} }}"#);
        codec(&text, EcsMode::V8).unwrap().flush_after()
    };
    assert_eq!(wait(""), None);
    assert_eq!(wait("auto_flush_interval => 3"), Some(Duration::from_secs(3)));
    assert_eq!(wait("auto_flush_interval => 0"), Some(Duration::from_millis(250)));
    fails(r#"multiline { pattern => "x" what => "next" auto_flush_interval => -1 }"#, "negative");
}

#[test]
fn a_fresh_codec_holds_no_lines() {
    let mut codec = codec(r#"multiline { pattern => "^\s" what => "previous" }"#, EcsMode::V8).unwrap();
    codec.decode(b"a", &mut |_| panic!("nothing is complete"));
    assert!(decode(&mut *codec.fresh(), &[]).is_empty());
    assert_eq!(decode(&mut *codec, &[]).len(), 1);
}

#[test]
fn patterns_are_checked_at_the_start() {
    fails(r#"multiline { pattern => "(" what => "next" }"#, "pattern");
    fails(r#"multiline { pattern => "%{NOSUCH}" what => "next" }"#, "NOSUCH");
    fails(r#"multiline { pattern => "x" }"#, "what");
    fails(r#"multiline { pattern => "x" what => "both" }"#, "both");
}
