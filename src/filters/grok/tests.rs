//! What the plugin's source says and its recorded runs do not show.

use super::*;
use crate::event::json::{self, Decimals};
use crate::language::{ParseOptions, Sources};
use crate::plugin::testkit::{context, legacy_context};
use crate::plugin::{Block, Context, Environment, OptionReader, Problem};

/// Builds the filter of a config, or says what is wrong with it.
fn built(config: &str, context: &Context) -> Result<Grok, Vec<Problem>> {
    let text = format!("filter {{ grok {{ {config} }} }}");
    let parsed = crate::language::parse(&Sources::single("test", text.as_str()), ParseOptions::default());
    let crate::language::ast::Item::Plugin(plugin) = &parsed.config.sections[0].items[0] else {
        panic!("{config}")
    };
    let mut problems = Vec::new();
    let block = Block::new(Kind::Filter, plugin, &Environment::new(|_| None), &mut problems);
    let mut reader = OptionReader::new(&block, context, "grok".to_owned());
    let grok = Grok::build(&mut reader);
    problems.extend(reader.finish(&SPEC).into_iter().filter(|problem| !problem.message.contains("unknown")));
    grok.ok_or(problems)
}

fn event(text: &str) -> Event {
    match json::parse(text, Decimals::Lossless) {
        Ok(Value::Object(object)) => Event::from_object(*object).unwrap(),
        other => panic!("{text}: {other:?}"),
    }
}

/// The event that comes out, without `@timestamp` and `@version`.
fn run(config: &str, input: &str) -> (Outcome, Value) {
    let grok = built(config, &legacy_context()).unwrap();
    let mut event = event(input);
    let outcome = grok.filter(&mut event, &mut Emit::default());
    let mut data = event.data().clone();
    data.remove("@timestamp");
    data.remove("@version");
    (outcome, Value::from(data))
}

fn object(text: &str) -> Value {
    json::parse(text, Decimals::Lossless).unwrap()
}

#[test]
fn a_capture_that_is_no_tag_fails_and_earlier_ones_stay() {
    let (outcome, event) =
        run(r#"match => { "m" => "%{WORD:a} %{INT:tags:int} %{WORD:b}" }"#, r#"{"m":"x 5 y"}"#);
    assert_eq!(outcome, Outcome::Failed);
    assert_eq!(event, object(r#"{"m":"x 5 y","a":"x","tags":["_grokparsefailure"]}"#));
}

#[test]
fn tags_take_text() {
    let (_, event) = run(r#"match => { "m" => "%{WORD:tags}" }"#, r#"{"m":"x","tags":["a"]}"#);
    assert_eq!(event, object(r#"{"m":"x","tags":["a","x"]}"#));
}

#[test]
fn every_element_of_an_array_is_tried_as_the_array_was() {
    let (outcome, event) = run(r#"match => { "m" => "^a%{NOTSPACE:m}" }"#, r#"{"m":["ab","c","aab"]}"#);
    assert_eq!(outcome, Outcome::Matched);
    assert_eq!(event, object(r#"{"m":["ab","c","aab","b","ab"]}"#));
}

#[test]
fn a_target_takes_nested_names_along() {
    let (_, event) = run(r#"match => { "m" => "%{WORD:[a][b]}" } target => " t ""#, r#"{"m":"x"}"#);
    assert_eq!(event, object(r#"{"m":"x","t":{"a":{"b":"x"}}}"#));
    let (_, event) = run(r#"match => { "m" => "%{WORD:w}" } target => "[t][u]""#, r#"{"m":"x"}"#);
    assert_eq!(event, object(r#"{"m":"x","t":{"u":{"w":"x"}}}"#));
}

#[test]
fn an_impossible_field_never_matches() {
    let (outcome, _) = run(r#"match => { "[m" => "x" }"#, r#"{"m":"x"}"#);
    assert_eq!(outcome, Outcome::Failed);
    let (outcome, event) = run(r#"match => { "m" => "(?<a>.)(?<[b>.)" }"#, r#"{"m":"xy"}"#);
    assert_eq!(
        (outcome, event),
        (Outcome::Failed, object(r#"{"m":"xy","a":"x","tags":["_grokparsefailure"]}"#))
    );
}

#[test]
fn running_out_of_time_tags_nothing_else() {
    // Beyond what any linear engine takes over: a reference back.
    let config = r#"match => { "m" => ["^(?<a>(x|x)+)\k<a>$", "%{WORD:w}"] } timeout_millis => 30"#;
    for scope in ["pattern", "event"] {
        let config = format!("{config} timeout_scope => \"{scope}\"");
        let (outcome, event) = run(&config, &format!(r#"{{"m":"{}y"}}"#, "x".repeat(60)));
        assert_eq!(outcome, Outcome::Failed);
        let Value::Object(event) = event else { panic!("no object") };
        assert_eq!(event.get("tags"), Some(&object(r#"["_groktimeout"]"#)));
        assert!(!event.contains_key("w"));
    }
}

#[test]
fn patterns_come_from_files_and_from_the_config() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.grok"), "# mine\nCODE [A-Z]\\d\nPAIR %{CODE:x}-%{OTHER:y}\n")
        .unwrap();
    std::fs::write(folder.path().join("other.txt"), "CODE never").unwrap();
    let config = format!(
        r#"match => {{ "m" => "%{{PAIR}}" }} patterns_dir => ["{}"] patterns_files_glob => "*.grok"
           pattern_definitions => {{ "OTHER" => "[a-z]+" }}"#,
        folder.path().display()
    );
    let (_, event) = run(&config, r#"{"m":"A1-b"}"#);
    assert_eq!(event, object(r#"{"m":"A1-b","x":"A1","y":"b"}"#));
}

#[test]
fn every_wrong_pattern_is_shown_with_its_place() {
    let config = r#"match => { "m" => ["%{WORD:w}", "ab %{WROD:w}", "(x"] "n" => 5 }"#;
    let text = format!("filter {{ grok {{ {config} }} }}");
    let problems = built(config, &context()).unwrap_err();
    let shown: Vec<_> = problems
        .iter()
        .map(|problem| (&text[problem.span.unwrap().range()], problem.help.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(shown, [("%{WROD:w}", "did you mean %{WORD}?"), ("(", ""), ("5", "")]);
}
