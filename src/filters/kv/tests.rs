//! Tests of kv that the recorded cases do not cover: the scanner against the expression, hostile texts, limits.

use super::*;
use crate::plugin::testkit;
use crate::plugin::{Block, Environment};

/// A filter of these options.
fn kv(options: &str) -> Kv {
    let config = format!("filter {{ kv {{ {options} }} }}");
    let sources = crate::language::Sources::single("test", config.as_str());
    let parsed = crate::language::parse(&sources, crate::language::ParseOptions::default());
    let section = parsed.config.sections.first().unwrap();
    let Some(crate::language::ast::Item::Plugin(plugin)) = section.items.first() else { panic!("{config}") };
    let block = Block::new(Kind::Filter, plugin, &Environment::new(|_| None), &mut Vec::new());
    let context = testkit::context();
    let mut reader = OptionReader::new(&block, &context, "kv".into());
    let built = Kv::build(&mut reader);
    let problems = reader.finish(&SPEC);
    built.unwrap_or_else(|| panic!("{options}: {problems:?}"))
}

fn pairs(pairing: &Pairing, text: &str) -> Vec<(String, String)> {
    let mut search = pairing.search(text);
    let mut found = Vec::new();
    while let Some((key, value)) = search.next_pair().unwrap() {
        found.push((key.to_owned(), value.to_owned()));
    }
    found
}

/// Texts of up to `length` characters that mean something to kv, drawn from a fixed sequence.
fn texts(length: usize, count: usize) -> impl Iterator<Item = String> {
    let mut random = fastrand::Rng::with_seed(7);
    let alphabet: Vec<char> = "ab=: ,&\\\"'()[]<>\n\té".chars().collect();
    (0..count).map(move |_| {
        let length = random.usize(1..=length);
        (0..length).map(|_| *random.choice(&alphabet).unwrap_or(&'a')).collect()
    })
}

#[test]
fn the_scanner_finds_what_the_expression_finds() {
    for options in [
        "",
        "whitespace => strict",
        "include_brackets => false",
        "field_split => ',&' value_split => '=:'",
        "field_split => ',&' whitespace => strict",
        "value_split => ' '",
        "value_split => ' =' field_split => ','",
        "field_split => '\\n\\t'",
        "value_split => ':' field_split => ':'",
    ] {
        let fast = kv(options).pairing;
        assert!(fast.has_scanner(), "{options}");
        let exact = kv(options).pairing.without_scanner();
        for text in texts(14, 3000) {
            assert_eq!(pairs(&fast, &text), pairs(&exact, &text), "{options}: {text:?}");
            assert_eq!(fast.has_separator(&text).unwrap(), exact.has_separator(&text).unwrap(), "{text:?}");
        }
    }
}

fn run(options: &str, text: &str) -> (Outcome, String) {
    let mut event = Event::from_message(text);
    let outcome = kv(options).filter(&mut event, &mut Emit::default());
    event.data_mut().remove("message");
    (outcome, testkit::fields(&event))
}

#[test]
fn recursion_has_an_end() {
    let (outcome, fields) = run("recursive => true", &"a=".repeat(50_000));
    assert_eq!((outcome, fields.as_str()), (Outcome::Failed, r#"{"tags":["_kv_filter_error"]}"#));
    let (outcome, fields) = run("recursive => true", "a=b=c=d");
    assert_eq!((outcome, fields.as_str()), (Outcome::Matched, r#"{"a":{"b":{"c":"d"}}}"#));
}

#[test]
fn quotes_that_are_never_closed_are_searched_once() {
    // 2 MB; searching each to the end would take minutes.
    for quote in ["(", "[", "<"] {
        let text = format!("a={quote}x ").repeat(400_000) + ")x]x>x";
        let (outcome, _) = run("target => out", &text);
        assert_eq!(outcome, Outcome::Matched);
    }
}

#[test]
fn the_time_limit_interrupts_a_search() {
    let text = format!("a=1{}", "x".repeat(60));
    let (outcome, fields) = run(r#"field_split_pattern => "((x+x+)+y)" timeout_millis => 20"#, &text);
    assert_eq!((outcome, fields.as_str()), (Outcome::Failed, r#"{"tags":["_kv_filter_timeout"]}"#));
}

#[test]
fn groups_of_the_patterns_take_part() {
    // In Ruby, the groups of a pattern count like those of the key and the values: the first one with text wins.
    let (_, fields) = run(r#"value_split_pattern => "(:)""#, "a:1 b:2");
    assert_eq!(fields, r#"{"a":":","b":":"}"#);
}
