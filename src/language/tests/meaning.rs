//! What the parts of a config become.

use super::{config, plugin};
use crate::language::ast::*;
use crate::language::{ParseOptions, Sources, merged_attributes, parse, refused_at_start};

/// A value in short: text in quotes, numbers as written, hashes with their keys.
fn shown(value: &Value) -> String {
    match &value.kind {
        ValueKind::String(text) | ValueKind::Bareword(text) => format!("{text:?}"),
        ValueKind::Number(number) => number.text.to_string(),
        ValueKind::Array(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(" ")),
        ValueKind::Hash(entries) => {
            let entry = |it: &HashEntry| format!("{}={}", it.key.text, shown(&it.value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
        ValueKind::Plugin(plugin) => format!("{} with {} options", plugin.name.text, plugin.attributes.len()),
    }
}

fn value(text: &str) -> String {
    shown(&plugin(&format!("option => {text}")).attributes[0].value)
}

fn merged(options: &str) -> Result<String, String> {
    match merged_attributes(&plugin(options)) {
        Ok(attributes) => Ok(attributes
            .iter()
            .map(|it| format!("{} => {}", it.name.text, shown(&it.value)))
            .collect::<Vec<_>>()
            .join(", ")),
        Err(diagnostic) => Err(diagnostic.message),
    }
}

#[test]
fn values_keep_what_was_written() {
    assert_eq!(value(r#""a \"b\" \n""#), r#""a \\\"b\\\" \\n""#);
    assert_eq!(value("[ true, 'x', 1.50, { \"a\" => [] bc => 2 } ]"), r#"["true" "x" 1.50 {a=[] bc=2}]"#);
    assert_eq!(value("json { charset => \"UTF-8\" }"), "json with 1 options");
}

#[test]
fn escapes_are_processed_on_demand_and_not_in_regular_expressions() {
    let sources = Sources::single(
        "test.conf",
        r#"filter { if [a] =~ /\n/ { x { "a\n" => "b\n" h => { "c\n" => 1 } } } }"#,
    );
    let config = parse(&sources, ParseOptions { support_escapes: true }).into_result().expect("accepted");
    let Item::Branch(branch) = &config.sections[0].items[0] else { panic!("a plugin") };
    let ExpressionKind::Match { pattern, .. } = &branch.arms[0].condition.kind else {
        panic!("another condition")
    };
    assert_eq!(&*pattern.text, r"\n");
    let Item::Plugin(plugin) = &branch.arms[0].body[0] else { panic!("a branch") };
    assert_eq!(&*plugin.attributes[0].name.text, r"a\n");
    assert_eq!(shown(&plugin.attributes[0].value), r#""b\n""#);
    assert_eq!(shown(&plugin.attributes[1].value), "{c\n=1}");
}

#[test]
fn of_equal_keys_in_different_quotes_the_last_value_wins_at_the_first_place() {
    assert_eq!(value(r#"{ "a" => 1 "b" => 2 'a' => 3 }"#), "{a=3 b=2}");
}

#[test]
fn a_plugin_in_an_array_leaves_its_values() {
    assert_eq!(value(r#"[ foo { bar => 1 "q" => { "x" => 2 } }, 3 ]"#), r#"[1 "q" {x=2} 3]"#);
}

#[test]
fn repeated_options_are_merged() {
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(merged("a => { \"x\" => 1 } b => 2 a => { \"y\" => 3 }"), ok("a => {x=1 y=3}, b => 2"));
    assert_eq!(merged("a => { \"x\" => 1 } a => { \"x\" => 2 }"), ok("a => {x=[1 2]}"));
    assert_eq!(merged("a => { \"x\" => [1] } a => { \"x\" => [1] }"), ok("a => {x=[1 1]}"));
    assert_eq!(
        merged("a => { \"x\" => { \"y\" => [1] } } a => { \"x\" => { \"y\" => [1, 2] } }"),
        ok("a => {x={y=[1 2]}}")
    );
    assert_eq!(merged("a => [1] a => [2, 3] a => 4"), ok("a => [1 2 3 4]"));
    assert_eq!(merged("a => \"x\" a => xx a => yy"), ok(r#"a => ["x" "xx" "yy"]"#));
    assert_eq!(merged("a => \"xx\" a => xx"), ok(r#"a => "xx""#));
    assert_eq!(merged("a => \"xx\" a => [1]"), ok(r#"a => ["xx" [1]]"#));
}

#[test]
fn else_and_if_can_be_names_of_plugins() {
    let config = config("filter { if [a] { } else { b => 1 } else { } if { } if5 { c => 1 } if5 { d { } } }");
    let kinds: Vec<String> = config.sections[0]
        .items
        .iter()
        .map(|item| match item {
            Item::Plugin(plugin) => format!("plugin {}", plugin.name.text),
            Item::Branch(branch) => {
                format!("branch of {}, else: {}", branch.arms.len(), branch.otherwise.is_some())
            }
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "branch of 1, else: false",
            "plugin else",
            "plugin else",
            "plugin if",
            "plugin if5",
            "branch of 1, else: false"
        ]
    );
}

#[test]
fn places_name_the_file_and_the_line() {
    let mut sources = Sources::new();
    sources.add("a.conf", "input { stdin { } } # no line break at the end");
    sources.add("b.conf", "\nfilter {\n  drop { }\n}");
    let config = parse(&sources, ParseOptions::default()).into_result().expect("accepted");
    let Item::Plugin(drop) = &config.sections[1].items[0] else { panic!("a branch") };
    let at = sources.locate(drop.span).expect("a place");
    assert_eq!((at.file, at.line, at.column, at.text), ("b.conf", 3, 3, "  drop { }"));
    assert_eq!(sources.text(drop.span), "drop { }");
}

#[test]
fn every_file_stands_for_itself() {
    let mut sources = Sources::new();
    sources.add("a.conf", "filter {");
    sources.add("b.conf", "}");
    assert_eq!(parse(&sources, ParseOptions::default()).diagnostics.len(), 2);
}

#[test]
fn names_in_quotes_and_numeric_keys_parse_but_do_not_start() {
    let config = config("filter { \"mutate\" { h => { 12 => 1 } } }");
    let messages: Vec<String> = refused_at_start(&config).into_iter().map(|it| it.message).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
}
