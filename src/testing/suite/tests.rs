//! Tests of files of logstash-filter-verifier: what its reference and its own test data say of them.

use super::super::execute::{Bench, Settings};
use super::super::judge::{Status, Verdict};
use super::super::raw::Raw;
use super::super::shared::{Mock, SharedConfig};
use super::super::yaml::Node;
use super::{Document, Suite};
use crate::language::{ParseOptions, Sources};

fn suite(yaml: &str) -> Result<Suite, String> {
    let node = Node::parse(yaml).expect("YAML");
    Suite::read(&Document { values: node.value(), texts: node.texts() })
}

fn run_with(config: &str, mocks: &str, yaml: &str) -> Vec<Verdict> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mocks = Mock::read(mocks).expect("mocks");
    let shared = SharedConfig::new(Sources::single("x.conf", config), ParseOptions::default(), &mocks);
    let mut bench = Bench::new(runtime.handle().clone());
    bench.config = Some(shared.expect("the config is good"));
    bench.settings = Settings::from([("pipeline.ecs_compatibility".into(), Raw::Text("v8".into()))]);
    suite(yaml).expect("the suite is good").run(&bench, "file")
}

fn assert_passes(config: &str, yaml: &str) {
    assert_all_pass(&run_with(config, "[]", yaml));
}

fn assert_all_pass(verdicts: &[Verdict]) {
    assert!(!verdicts.is_empty());
    for verdict in verdicts {
        assert_eq!(verdict.status, Status::Passed, "{}: {}", verdict.name, verdict.reasons().join("\n"));
    }
}

const STDIN: &str = "input { stdin { id => stdin } } output { stdout { id => stdout } } ";
const IGNORE: &str = "ignore: ['@timestamp', event]\n";

#[test]
fn standalone_lines_get_the_fields_of_the_file_as_add_field_gives_them() {
    let yaml = "
fields: { type: syslog, '[a][b]': 5, list: [x, 1] }
testcases:
  - input: [one, two]
    expected:
      - { message: one, type: syslog, a: { b: '5' }, list: [x, '1'], tags: [t] }
      - { message: two, type: syslog, '[a][b]': '5', list: [x, '1'], tags: [t] }
";
    // Inputs and outputs that this build lacks, or that would do something, are replaced.
    let config = "input { nosuchinput { } } filter { if [type] == 'syslog' { mutate { add_tag => 't' } } }
        output { nosuchoutput { } }";
    assert_passes(config, &(IGNORE.to_owned() + yaml));
}

#[test]
fn json_lines_may_name_fields_by_reference() {
    let yaml = r#"
codec: json_lines
testcases:
  - input:
      - >
        { "message": "m", "[log][path]": "/x", "n": 1.50 }
    expected:
      - { message: m, log: { path: /x }, n: 1.5 }
"#;
    assert_passes("filter { }", &(IGNORE.to_owned() + yaml));
}

#[test]
fn ignored_fields_are_left_out_with_objects_that_are_empty_then() {
    let yaml = "
ignore: ['@timestamp', '[event][original]', '[a][b]', nosuch]
testcases:
  - { input: [x], expected: [{ message: x, a: { c: '1' } }] }
";
    assert_passes("filter { mutate { add_field => { '[a][b]' => '2' '[a][c]' => '1' } } }", yaml);
    let verdicts = run_with("filter { }", "[]", "testcases: [{ input: [x], expected: [{ message: x }] }]");
    let reason = verdicts.first().map(|verdict| verdict.reasons().join("\n")).unwrap_or_default();
    assert!(reason.contains("@timestamp") && !reason.contains("@version"), "{reason}");
}

#[test]
fn a_named_input_gives_its_codec_and_common_options() {
    let config =
        "input { stdin { id => lines codec => line tags => ['in'] type => 't' add_field => { 'f' => 'v' } }
        stdin { id => json codec => json } } output { stdout { } }";
    let yaml = "
input_plugin: lines
testcases:
  - input: [\"a\\nb\\n\", \"c\"]
    expected:
      - { message: a, tags: [in], type: t, f: v }
      - { message: b, tags: [in], type: t, f: v }
      - { message: c, tags: [in], type: t, f: v }
";
    assert_passes(config, &(IGNORE.to_owned() + yaml));
    let yaml = r#"
input_plugin: json
testcases:
  - { input: ['{"message":"m1"}'], fields: { host: h1 }, expected: [{ message: m1, host: h1 }] }
  - { input: ['{"message":"m2"}'], fields: { host: h2 }, expected: [{ message: m2, host: h2 }] }
"#;
    assert_passes(config, &(IGNORE.to_owned() + yaml));
}

#[test]
fn fields_of_a_test_overwrite_those_of_the_file_and_keep_their_types() {
    let yaml = "
input_plugin: stdin
export_metadata: true
fields: { kept: 1, replaced: file, '[@metadata][m]': x }
testcases:
  - fields: { replaced: test, flag: true, parent: { child: 2 } }
    expected:
      - { kept: 1, replaced: test, flag: true, parent: { child: 2 }, '@metadata': { m: x, n: '1' } }
";
    let config = STDIN.to_owned()
        + "filter { mutate { add_field => { '[@metadata][n]' => '1' '[@metadata][__tmp_x]' => 'x' } } }";
    assert_passes(&config, &(IGNORE.to_owned() + yaml));
}

#[test]
fn an_event_is_expected_once_for_every_output_it_reaches() {
    let config = "input { stdin { id => stdin } } output { file { id => 'b-file' path => '/x' }
        if [message] == 'both' { elasticsearch { id => a_es } } }";
    let yaml = "
input_plugin: stdin
export_outputs: true
testcases:
  - { input: [one], expected: [{ message: one, __lfv_out_passed: b_file }] }
  - input: [both]
    expected:
      - { message: both, __lfv_out_passed: a_es }
      - { message: both, __lfv_out_passed: b_file }
";
    assert_passes(config, &(IGNORE.to_owned() + yaml));
}

#[test]
fn clones_stand_behind_their_original_and_drops_leave_nothing() {
    let config = STDIN.to_owned()
        + "filter { if [message] =~ /drop/ { drop { } } clone { clones => [c1, c2] ecs_compatibility => disabled } }";
    let yaml = "
input_plugin: stdin
ignore: ['@timestamp', event, message]
testcases:
  - { input: [x], expected: [{ }, { type: c1 }, { type: c2 }] }
  - { input: [drop this], expected: [] }
";
    assert_passes(&config, yaml);
}

#[test]
fn mocks_replace_filters_by_their_ids() {
    let config = STDIN.to_owned()
        + "filter { mutate { id => removeme add_field => { 'r' => 'r' } } if [message] { mutate { id => mockme add_field => { 'm' => 'm' } } } }";
    let mocks = "- id: removeme\n- id: mockme\n  mock: |\n    mutate { replace => { message => mocked } }\n- id: elsewhere\n";
    let yaml = IGNORE.to_owned()
        + "input_plugin: stdin\ntestcases: [{ input: [x], expected: [{ message: mocked }] }]";
    assert_all_pass(&run_with(&config, mocks, &yaml));
    assert!(Mock::read("- mock: x").is_err_and(|error| error.contains("id")));
    assert!(Mock::read("- id: a\n  moc: x").is_err_and(|error| error.contains("moc")));
}

#[test]
fn each_test_has_its_own_verdict() {
    let yaml = "
testcases:
  - { description: good, input: [a], expected: [{ message: a }] }
  - { description: bad, input: [b, c], expected: [{ message: b }] }
  - { input: [d], expected: [{ message: d }] }
";
    let verdicts = run_with("filter { }", "[]", &(IGNORE.to_owned() + yaml));
    let shown: Vec<_> = verdicts.iter().map(|verdict| (verdict.name.as_str(), verdict.status)).collect();
    assert_eq!(
        shown,
        [
            ("file: test 1 (good)", Status::Passed),
            ("file: test 2 (bad)", Status::Failed),
            ("file: test 3", Status::Passed)
        ]
    );
}

#[test]
fn the_old_form_has_input_and_expectation_at_the_top() {
    assert_passes(
        "filter { }",
        &(IGNORE.to_owned() + "input: [a]\nexpected: [{ message: a }]\nfields: {}\n"),
    );
}

#[test]
fn what_cannot_be_honoured_is_named() {
    for (yaml, part) in [
        ("testcase: []", "did you mean \"testcases\"?"),
        ("testcases: [{ inputs: [] }]", "test 1: a test case cannot have the key \"inputs\""),
        ("testcases: [{ input: x }]", "\"input\" must be a list of strings"),
        ("testcases: [{ expected: [x] }]", "\"expected\" must be a list of events"),
        ("export_outputs: 1\ntestcases: []", "\"export_outputs\" must be true or false"),
        ("input: [a]\ntestcases: [{ input: [b] }]", "either at the top or in"),
        ("[]", "testcases"),
    ] {
        let error = suite(yaml).expect_err(yaml);
        assert!(error.contains(part), "{yaml}: {error}");
    }
    for (yaml, part) in [
        ("input_plugin: x\ntestcases: [{ input: [a] }]", "the inputs of the config are: stdin"),
        ("fields: { a: [{ b: 1 }] }\ntestcases: [{ input: [a] }]", "a cannot be an object inside a list"),
        ("codec: nosuch\ntestcases: [{ input: [a] }]", "nosuch"),
    ] {
        let verdicts = run_with(STDIN, "[]", yaml);
        let reasons: Vec<_> = verdicts.iter().flat_map(|verdict| verdict.reasons()).cloned().collect();
        assert!(reasons.join("\n").contains(part), "{yaml}: {reasons:?}");
    }
}
