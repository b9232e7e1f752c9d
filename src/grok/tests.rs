//! What expressions capture, and what is said of those that are wrong.
use std::time::Duration;

use super::{Coercion, Dictionary, Expression, Library};
use crate::regex::{Locations, SearchError};

fn compiled(source: &str) -> Expression {
    let dictionary = Dictionary::new(Library::Legacy);
    Expression::compile(source, &dictionary, true).unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn captured(source: &str, text: &str) -> Vec<(String, Option<String>)> {
    let expression = compiled(source);
    let mut locations = Locations::default();
    assert_eq!(expression.matches(text, None, &mut locations), Ok(true), "{source} on {text}");
    let value = |capture: &super::Capture| capture.text(text, &locations).map(str::to_owned);
    expression.captures().iter().map(|capture| (capture.field.clone(), value(capture))).collect()
}

#[test]
fn groups_are_named_by_field_and_type() {
    let expression =
        compiled("%{INT:n:int} %{WORD:[a][b]} (?<inline>x) (?<y:int>1) %{INT:n:int} %{INT:m:long}");
    let captures: Vec<_> =
        expression.captures().iter().map(|capture| (capture.field.as_str(), capture.coercion)).collect();
    assert_eq!(
        captures,
        [
            ("n", Coercion::Integer),
            ("n", Coercion::Text),
            ("[a][b]", Coercion::Text),
            ("inline", Coercion::Text),
            ("int", Coercion::Text),
            ("m", Coercion::Text),
        ]
    );
}

#[test]
fn a_group_without_part_has_no_text() {
    let found = captured("(?:%{INT:a}|%{WORD:b})", "x");
    assert_eq!(found, [("a".to_owned(), None), ("b".to_owned(), Some("x".to_owned()))]);
}

#[test]
fn definitions_on_the_spot_hold_from_there_on() {
    let found = captured("%{TWO:t=[0-9]{2}}-%{TWO:u}", "12-34");
    assert_eq!(found, [("t".to_owned(), Some("12".to_owned())), ("u".to_owned(), Some("34".to_owned()))]);
}

#[test]
fn pattern_files_are_read_by_line() {
    let mut dictionary = Dictionary::new(Library::Legacy);
    dictionary.define_lines("# no pattern\n\n  A  x y \r\nEMPTY\nB %{A}z");
    assert_eq!(dictionary.get("A"), Some("x y "));
    assert_eq!(dictionary.get("EMPTY"), Some(""));
    assert!(Expression::compile("^%{B:b}$", &dictionary, true).is_ok_and(|b| b.regex().is_match("x y z")));
}

#[test]
fn mistakes_are_found_where_they_are() {
    let mut dictionary = Dictionary::new(Library::Legacy);
    dictionary.define("OUTER", "a%{INNR}");
    dictionary.define("BROKEN", "(x");
    dictionary.define("LOOP", "a%{LOOP}");
    for (source, message, place, help) in [
        ("x %{IPP:ip}", "pattern %{IPP:ip} is not defined", Some(2..11), "did you mean %{IP}?"),
        ("%{word:w}", "pattern %{word:w} is not defined", Some(0..9), "did you mean %{WORD}?"),
        (
            "-%{OUTER}",
            "pattern %{INNR}, to which %{OUTER} refers, is not defined",
            Some(1..9),
            "define it in pattern_definitions, or in a file below patterns_dir",
        ),
        ("%{IP} (a", "end pattern with unmatched parenthesis", Some(6..6), ""),
        ("a+ %{INT}é[z-a]", "empty range in char class", Some(14..14), ""),
        (
            "a%{BROKEN}",
            "end pattern with unmatched parenthesis",
            Some(1..10),
            "the mistake is in what %{BROKEN} stands for: /a(?:(x)/",
        ),
        ("%{LOOP}", "pattern %{LOOP} refers to itself, so %{LOOP} has no end", Some(0..7), ""),
    ] {
        let error = Expression::compile(source, &dictionary, true).expect_err(source);
        assert_eq!(
            (error.message(), error.place(), error.help().unwrap_or_default()),
            (message, place, help),
            "{source}"
        );
    }
}

#[test]
fn every_pattern_of_the_library_compiles() {
    for library in [Library::Legacy, Library::EcsV1] {
        let dictionary = Dictionary::new(library);
        let mut names: Vec<_> = library.names().collect();
        names.sort_unstable();
        for name in names {
            let compiled = Expression::compile(&format!("%{{{name}}}"), &dictionary, false);
            assert!(compiled.is_ok(), "{library:?} {name}: {:?}", compiled.err());
        }
    }
}

#[test]
fn a_catastrophe_ends_in_time() {
    let expression = compiled("^(([a-z0-9])+.)+[A-Z]([a-z0-9])+$");
    let result =
        expression.matches(&"a".repeat(80), Some(Duration::from_millis(50)), &mut Locations::default());
    assert!(matches!(result, Err(SearchError::Timeout) | Ok(false)), "{result:?}");
}
