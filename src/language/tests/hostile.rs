//! Texts that no person writes: they get an answer, without overflowing a stack of 2 MiB and in time that grows with
//! their length.

use super::{config, mistakes};
use crate::language::{ParseOptions, Sources, parse, render_all};

const DEEP: usize = 100_000;

fn assert_too_deep(text: &str) {
    let found = mistakes(text);
    assert!(found.first().is_some_and(|it| it.ends_with("this is nested too deeply")), "{found:?}");
}

#[test]
fn deep_nesting_is_refused() {
    assert_too_deep(&format!("filter {{ x {{ y => {}", "{ \"a\" => ".repeat(DEEP)));
    assert_too_deep(&format!("filter {{ x {{ y => {}", "[".repeat(DEEP)));
    assert_too_deep(&format!("filter {{ x {{ y => {}", "z { a => ".repeat(DEEP)));
    assert_too_deep(&format!("filter {{ if {}", "(".repeat(DEEP)));
    assert_too_deep(&format!("filter {{ if {}", "!(".repeat(DEEP)));
    assert_too_deep(&format!("filter {{ if {}", "foo(".repeat(DEEP)));
    assert_too_deep(&format!("filter {{ {}", "if [a] { ".repeat(DEEP)));
    assert_too_deep(&format!("filter {{ if {}[a]{} {{ }} }}", "(".repeat(300), ")".repeat(300)));
    assert_too_deep(&format!("filter {{ if [a] {} {{ }} }}", "and [b] and [c] or [d] ".repeat(1000)));
}

#[test]
fn what_a_generator_may_nest_is_accepted() {
    config(&format!("filter {{ x {{ y => {} 1 {} }} }}", "{ \"a\" => ".repeat(150), "}".repeat(150)));
    config(&format!("filter {{ x {{ y => {} {} }} }}", "[".repeat(150), "]".repeat(150)));
    config(&format!("filter {{ if {}[a]{} {{ }} }}", "!(".repeat(150), ")".repeat(150)));
    config(&format!("filter {{ {} {} }}", "if [a] { ".repeat(150), "}".repeat(150)));
    config(&format!("filter {{ if [a] {} {{ }} }}", "and [b] ".repeat(5000)));
    config(&format!("filter {{ if [a] {} {{ }} }}", "and [b] or [c] ".repeat(2000)));
    config(&format!("filter {{ if [a] {{ }} {} }}", "else if [a] { } ".repeat(5000)));
}

#[test]
fn megabytes_are_read() {
    let option = format!("message => \"{}\"\n", "x".repeat(1000));
    let text = format!("filter {{ x {{ {} }} }}", option.repeat(5000));
    assert_eq!(config(&text).sections.len(), 1);
}

#[test]
fn ten_thousand_mistakes_are_cut_short() {
    let found = mistakes(&format!("filter {{ x {{ {} }} }}", "a => 08\n".repeat(10_000)));
    assert_eq!(found.len(), 100);
    let found = mistakes(&format!("filter {{ {} }}", "x { a = 1 }\n".repeat(10_000)));
    assert_eq!(found.len(), 20);
}

/// Every text that comes of cutting or damaging a valid one gets an answer that can be shown.
#[test]
fn damaged_texts_are_survived() {
    let text = "input { stdin { codec => json { a => 'é' } } }\nfilter {\n  if [a] in [1, \"b\"] and !([c] =~ /d\\/e/) or foo([x]) {\n    \
                mutate { h => { \"k\" => [1.5, w2] } } # c\n  } else if [b] not in [c] { } else { drop { } }\n}\n";
    let mut bytes = text.as_bytes().to_vec();
    let damage = *b"{}[]()\"'/\\=>!#,\n\r \xff\xc3a5-.%$<";
    for at in 0..bytes.len() {
        assert_answer(&bytes[..at]);
        assert_answer(&bytes[at..]);
        for wrong in damage {
            let original = std::mem::replace(&mut bytes[at], wrong);
            assert_answer(&bytes);
            bytes[at] = original;
        }
    }
}

fn assert_answer(bytes: &[u8]) {
    let sources = Sources::single("damaged.conf", bytes);
    let parsed = parse(&sources, ParseOptions::default());
    let shown = render_all(&parsed.diagnostics, &sources, false);
    assert_eq!(parsed.is_ok(), shown.is_empty(), "{shown}");
}
