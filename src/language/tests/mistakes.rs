//! What mistakes are called, and that one does not hide the next.

use super::mistakes;
use crate::language::{ParseOptions, Sources, parse, render_all};

#[test]
fn all_mistakes_of_a_file_come_at_once() {
    let text = r#"input { stdin { codec = json } }
filter {
  if [a] = "x" {
    mutate { add_tag => [ "a" "b" ] }
  } elsif [b] {
    drop { }
  }
  mutate {
    host => 127.0.0.1
    add_field => { "a" => 1, "b" => 2 }
    number => 08
  }
}
output { stdout { } } }
"#;
    assert_eq!(
        mistakes(text),
        [
            "1:23: expected `=>` after `codec`",
            "3:10: `=` is not an operator",
            "4:31: a comma is missing between two elements of this array",
            "5:5: `elsif` is written `else if`",
            "9:13: the value `127.0.0.1` needs quotes",
            "10:28: the entries of a hash are not separated by commas",
            "11:15: invalid value for Integer(): \"08\"",
            "14:23: this `}` closes nothing",
        ]
    );
}

#[test]
fn the_block_that_lacks_its_brace_is_found_by_its_indentation() {
    let sources = Sources::single(
        "x.conf",
        "filter {\n  mutate {\n    add_tag => \"x\"\n}\noutput {\n  stdout { }\n}\n",
    );
    let shown = render_all(&parse(&sources, ParseOptions::default()).diagnostics, &sources, false);
    assert!(shown.contains("the `{` of `filter` is never closed"), "{shown}");
    assert!(shown.contains("2 |   mutate {\n  |   - a `}` is probably missing in this block"), "{shown}");
}

#[test]
fn one_mistake_has_one_name() {
    for (text, expected) in [
        ("{\"input\": {}}", "1:1: this looks like JSON, not like a pipeline"),
        ("- pipeline.id: main", "1:1: this looks like YAML, not like a pipeline"),
        ("\u{feff}input { }", "1:1: unexpected byte order mark (U+FEFF)"),
        ("filtre { }", "1:1: `filtre` is not a section"),
        ("input { stdin { }", "1:1: the `{` of `input` is never closed"),
        ("input { stdin }", "1:9: the plugin `stdin` has no `{`"),
        ("input { x { a => \"b } }", "1:18: this quote is never closed"),
        ("input { x { a => \"b\\\\\" } }", "1:18: this quote is never closed"),
        ("input { x { a => = > 1 } }", "1:18: unexpected `=` where the value of the option a starts"),
        ("input { x { a => ${B} } }", "1:18: the value `${B}` needs quotes"),
        ("input { x { a => <%= b %> } }", "1:18: this looks like a template that was not rendered"),
        ("filter { if [a] && [b] { } }", "1:17: `&&` is not an operator"),
        ("filter { if not [a] { } }", "1:13: `not` only stands before `in`"),
        ("filter { if ![a] == 1 { } }", "1:18: `!` before a field negates the field alone"),
        ("filter { if [a] == b { } }", "1:20: `b` needs quotes or brackets"),
        ("filter { if [a] =~ /x/i { } }", "1:23: unexpected `i` behind a regular expression"),
        ("filter { if ([a] == 1 { } }", "1:13: this `(` is never closed"),
        ("filter { else { drop { } } }", "1:10: this `else` belongs to no `if`"),
        (
            "filter { x { id => \"a\" } y { id => \"a\" } }",
            "1:36: the id \"a\" is used twice in this pipeline",
        ),
        ("input { x { codec => [\"json\"] } }", "1:13: `x` has more than one `codec`"),
        ("filter { x { a => { \"b\" => 1 \"b\" => 2 } } }", "1:30: the key \"b\" occurs twice in this hash"),
    ] {
        assert_eq!(mistakes(text), [expected], "{text}");
    }
}

#[test]
fn a_diagnostic_shows_the_line_and_a_caret_or_is_json() {
    let sources = Sources::single("x.conf", "filter {\n  mutate { add_tag = \"é\" }\n}");
    let diagnostics = parse(&sources, ParseOptions::default()).diagnostics;
    let expected = "\
error: expected `=>` after `add_tag`
 --> x.conf:2:20
  |
2 |   mutate { add_tag = \"é\" }
  |                    ^ `=` should be `=>`
  |
  = help: write `add_tag => ...`";
    assert_eq!(render_all(&diagnostics, &sources, false), expected);
    assert!(render_all(&diagnostics, &sources, true).contains("\u{1b}["));
    assert_eq!(
        diagnostics[0].to_json(&sources),
        serde_json::json!({
            "severity": "error", "message": "expected `=>` after `add_tag`", "file": "x.conf", "line": 2, "column": 20,
            "end_line": 2, "end_column": 21, "label": "`=` should be `=>`", "help": "write `add_tag => ...`",
        })
    );
}

#[test]
fn bytes_that_are_not_utf8_are_pointed_at() {
    let sources = Sources::single("x.conf", b"input { }\n# caf\xe9\n".to_vec());
    let diagnostics = parse(&sources, ParseOptions::default()).diagnostics;
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].one_line(&sources), "x.conf:2:6: x.conf is not UTF-8");
}
