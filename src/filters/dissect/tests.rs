//! Tests of dissect that the recorded cases do not cover.

use crate::testing::{Case, Status};

const T: &str = r#""@timestamp":"2024-05-06T07:08:09.123Z","@version":"1""#;

/// Runs a filter over one event, whose fields and those expected are JSON without the braces.
fn assert_becomes(options: &str, input: &str, expected: &str) {
    let config = serde_json::Value::from(format!("filter {{ dissect {{ {options} }} }}"));
    let line = format!(
        r#"{{"name":"dissect","config":{config},"input":[{{{T},{input}}}],"expect":{{"ok":true,"events":[{{{T},{expected}}}]}}}}"#
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let verdict = Case::parse(&line).unwrap().run(&runtime);
    assert_eq!(verdict.status, Status::Passed, "{options}: {}", verdict.reasons().join("\n"));
}

#[test]
fn common_options_follow_each_mapping_that_fits() {
    // Java calls filter_matched behind every mapping, before the next one and before conversions.
    assert_becomes(
        r#"mapping => ["m", "%{a} %{r}", "r", "%{b} %{c}"] convert_datatype => { "c" => "float" }
           add_field => { "seen" => "%{c}" } add_tag => ["t"]"#,
        r#""m":"1 2 3e1""#,
        r#""m":"1 2 3e1","a":"1","r":"2 3e1","b":"2","c":3E+1,"seen":["%{c}","3e1"],"tags":["t","t"]"#,
    );
}

#[test]
fn a_delimiter_at_the_very_start_is_not_passed() {
    assert_becomes(
        r#"mapping => { "m" => "%{a}|%{b}|%{c}" }"#,
        r#""m":"||""#,
        r#""m":"||","a":"","b":"","c":"||""#,
    );
}

#[test]
fn names_that_are_no_references_fail_when_they_are_stored() {
    assert_becomes(
        r#"mapping => { "m" => "%{x} %{[a} %{y}" } convert_datatype => { "x" => "int" }"#,
        r#""m":"1 2 3""#,
        r#""m":"1 2 3","x":"1","tags":["_dissectfailure"]"#,
    );
}

#[test]
fn indirect_names_come_from_the_event_first() {
    assert_becomes(
        r#"mapping => { "m" => "%{?k}=%{&k}" }"#,
        r#""m":"a=1","k":"there""#,
        r#""m":"a=1","k":"there","there":"1""#,
    );
    assert_becomes(r#"mapping => { "m" => "%{?k}=%{&k}" }"#, r#""m":"=1""#, r#""m":"=1""#);
}

#[test]
fn only_braces_have_no_fields_and_never_fit() {
    assert_becomes(r#"mapping => { "m" => "}" }"#, r#""m":"}""#, r#""m":"}","tags":["_dissectfailure"]"#);
}
