//! Tests of the filter `xml`. Expectations come from the specs of logstash-filter-xml, from the documentation of
//! XmlSimple, and from the XPath 1.0 recommendation.

use super::*;
use crate::plugin::testkit;

/// The fields of an event with this document after the filter, without the document.
fn run(options: &str, document: &str) -> String {
    let config = format!("filter {{ xml {{ source => \"raw\" {options} }} }}");
    let filter = testkit::filter(&config, &testkit::context()).unwrap();
    let mut event = Event::new();
    event.data_mut().insert("raw", Value::from(document));
    filter.filter(&mut event, &mut Emit::default());
    event.data_mut().remove("raw");
    testkit::fields(&event)
}

fn structure(options: &str, document: &str) -> String {
    let fields = run(&format!("target => \"d\" {options}"), document);
    fields.strip_prefix("{\"d\":").and_then(|rest| rest.strip_suffix('}')).unwrap_or(&fields).to_owned()
}

/// What an expression finds, with namespaces given by `options`.
fn find(expression: &str, options: &str, document: &str) -> String {
    let fields = run(&format!("store_xml => false xpath => ['{expression}', \"x\"] {options}"), document);
    fields.strip_prefix("{\"x\":").and_then(|rest| rest.strip_suffix('}')).unwrap_or(&fields).to_owned()
}

#[test]
fn structures_as_xml_simple_makes_them() {
    for (options, document, expected) in [
        ("", r#"<foo key="value"/>"#, r#"{"key":"value"}"#),
        ("", "<foo><key>value1</key><key>value2</key></foo>", r#"{"key":["value1","value2"]}"#),
        ("", "<foo><key1><key2>value</key2></key1></foo>", r#"{"key1":[{"key2":["value"]}]}"#),
        ("force_array => false", "<foo><bar>Content</bar></foo>", r#"{"bar":"Content"}"#),
        ("suppress_empty => false", "<foo><key>value1</key><key></key></foo>", r#"{"key":["value1",{}]}"#),
        ("", "<foo><key>value1</key><key></key></foo>", r#"{"key":["value1"]}"#),
        // An element with attributes keeps its empty children.
        ("", r#"<foo a="1"><key/></foo>"#, r#"{"a":"1","key":[null]}"#),
        ("", "<foo>text</foo>", r#""text""#),
        ("", "<foo/>", "null"),
        ("", "<foo> \n </foo>", "{}"),
        ("", r#"<foo a="1">text</foo>"#, r#"{"a":"1","content":"text"}"#),
        ("", "<p>one<b>two</b>three &amp; four</p>", r#"{"b":["two"],"content":["one","three &amp; four"]}"#),
        ("", "<p><b>two</b>three</p>", r#"{"b":["two"],"content":"three"}"#),
        ("", "<p><![CDATA[a < b]]></p>", r#""a < b""#),
        ("", "<r><row><anon>1</anon><anon>2</anon></row></r>", r#"{"row":[["1","2"]]}"#),
        ("", r#"<n:a xmlns:n="u" n:k="v"><n:b>1</n:b></n:a>"#, r#"{"xmlns:n":"u","n:k":"v","b":["1"]}"#),
        ("", "<a>x&nbsp;y</a>", r#""x&nbsp;y""#),
        ("", r#"<a k="x&nbsp;y&#65;"/>"#, r#"{"k":"x&nbsp;yA"}"#),
        ("", "<a>&x;<!-- &y; --><![CDATA[&z;]]>&amp;</a>", r#""&x;&z;&""#),
        ("", "<!DOCTYPE a [<!ENTITY e \"v\">]><a>x&e;y</a>", r#""xvy""#),
    ] {
        assert_eq!(structure(options, document), expected, "{options} {document}");
    }
}

#[test]
fn content_can_be_forced() {
    let document = r#"<opt><x>text1</x><y a="2">text2</y></opt>"#;
    assert_eq!(
        structure("force_array => false", document),
        r#"{"x":"text1","y":{"a":"2","content":"text2"}}"#
    );
    assert_eq!(
        structure("force_array => false force_content => true", document),
        r#"{"x":{"content":"text1"},"y":{"a":"2","content":"text2"}}"#
    );
}

#[test]
fn what_is_not_well_formed_fails() {
    for document in
        ["<foo /", "<foo>", "plain text", "<a/><b/>", "<a>&</a>", "<a k=1/>", "<a><b></a></b>", "<x:a/>", "-"]
    {
        assert_eq!(structure("", document), r#"{"tags":["_xmlparsefailure"]}"#, "{document}");
    }
}

#[test]
fn sources_that_are_no_single_text() {
    let filter =
        testkit::filter("filter { xml { source => \"raw\" target => \"d\" } }", &testkit::context()).unwrap();
    for (event, outcome) in [
        (r#"{"raw":["<a>1</a>"]}"#, Outcome::Matched),
        (r#"{"raw":["<a/>","x"]}"#, Outcome::Failed),
        (r#"{"raw":[]}"#, Outcome::Failed),
        (r#"{"raw":{"a":1}}"#, Outcome::Failed),
        (r#"{"raw":5}"#, Outcome::Failed),
        (r#"{"raw":"  "}"#, Outcome::Unmatched),
        (r#"{"raw":null}"#, Outcome::Unmatched),
    ] {
        assert_eq!(filter.filter(&mut testkit::event(event), &mut Emit::default()), outcome, "{event}");
    }
}

#[test]
fn xpath_results_are_texts() {
    let document =
        r#"<r b="2" a="1"><k>x &amp; y</k><k><!--c--><e z="&quot;" y=">"/></k><t>p<![CDATA[q]]></t></r>"#;
    for (expression, expected) in [
        ("/r/k/text()", r#"["x &amp; y"]"#),
        ("/r/k[2]", r#"["<k><!--c--><e y=\"&gt;\" z=\"&quot;\"/></k>"]"#),
        ("/r/@*", r#"["1","2"]"#),
        ("count(/r/k)", r#"["2.0"]"#),
        ("string(/r/k)", r#"["x & y"]"#),
        ("/r/k = \"x & y\"", r#"["true"]"#),
        ("/r/k = \"z\"", "{}"),
        ("/r/none", "{}"),
        ("//comment()", r#"["<!--c-->"]"#),
        // Text and CDATA side by side are one node for XPath, and its first part is written.
        ("/r/t/text()", r#"["p"]"#),
        ("string(/r/t)", r#"["pq"]"#),
        ("concat(/r/@a, \"-\", /r/@b)", r#"["1-2"]"#),
    ] {
        assert_eq!(find(expression, "", document), expected, "{expression}");
    }
    assert_eq!(find("/r/@a", "force_array => false", document), r#""1""#);
}

#[test]
fn positions_count_within_each_parent() {
    let document = "<r><a><b>1</b><b>2</b></a><b>3</b><a><b>4</b></a></r>";
    assert_eq!(find("//b[1]/text()", "", document), r#"["1","3","4"]"#);
    assert_eq!(find("(//b)[1]/text()", "", document), r#"["1"]"#);
    assert_eq!(find("//b[last()]/text()", "", document), r#"["2","3","4"]"#);
    assert_eq!(find("/r/a[2]/preceding-sibling::*[1]/text()", "", document), r#"["3"]"#);
}

#[test]
fn namespaces_as_in_the_plugins_specs() {
    let root = r#"<foo xmlns:h="http://www.w3.org/TR/html4/"><h:div>Content</h:div></foo>"#;
    let child = r#"<foo><h:div xmlns:h="http://www.w3.org/TR/html4/">Content</h:div></foo>"#;
    let given = r#"namespaces => { "h" => "http://www.w3.org/TR/html4/" }"#;
    assert_eq!(find("/foo/h:div", "", root), r#"["<h:div>Content</h:div>"]"#);
    assert_eq!(find("/foo/h:div", given, root), r#"["<h:div>Content</h:div>"]"#);
    assert_eq!(
        find("/foo/h:div", given, child),
        r#"["<h:div xmlns:h=\"http://www.w3.org/TR/html4/\">Content</h:div>"]"#
    );
    assert_eq!(find("/foo/div", "remove_namespaces => true", root), r#"["<div>Content</div>"]"#);
    assert_eq!(find("/foo/div", "", root), "{}");
    assert_eq!(find("/foo/h:div", "", child), r#"{"tags":["_xmlparsefailure"]}"#);
}

#[test]
fn the_default_namespace_has_no_short_name() {
    let document = r#"<feed xmlns="urn:x"><id k="v">1</id></feed>"#;
    assert_eq!(find("/feed/id/text()", "", document), "{}");
    assert_eq!(find("/xmlns:feed/xmlns:id/text()", "", document), r#"["1"]"#);
    assert_eq!(find("//xmlns:id/@k", "", document), r#"["v"]"#);
    assert_eq!(find("/*/*[local-name()=\"id\"]/text()", "", document), r#"["1"]"#);
    assert_eq!(find("/feed/id", "remove_namespaces => true", document), r#"["<id k=\"v\">1</id>"]"#);
}

#[test]
fn broken_documents_give_what_can_be_read() {
    let document = "<element><field1>bbb</field1><field2>789</field2><field3>e3f<field3></element>";
    assert_eq!(find("/element/field1/text()", "", document), r#"["bbb"]"#);
    assert_eq!(find("/a/b/text()", "", "<a><b>1</b><b>2"), r#"["1","2"]"#);
    assert_eq!(
        find("/a/b/text()", "parse_options => \"strict\"", "<a><b>1</b>"),
        r#"{"tags":["_xmlparsefailure"]}"#
    );
    assert_eq!(find("/a", "", "no xml at all"), "{}");
    let twice = "<xml> <sample attr='foo' attr=\"bar\"> <invalid> </sample> </xml>";
    assert_eq!(run("store_xml => false", twice), "{}");
    assert_eq!(
        run("store_xml => false parse_options => \"strict\"", twice),
        r#"{"tags":["_xmlparsefailure"]}"#
    );
}

#[test]
fn a_wrong_expression_tags_every_event() {
    assert_eq!(find("/a[", "", "<a/>"), r#"{"tags":["_xmlparsefailure"]}"#);
    assert_eq!(find("nothing(/a)", "", "<a/>"), r#"{"tags":["_xmlparsefailure"]}"#);
}

#[test]
fn a_structure_needs_a_target() {
    for (options, fine) in [("", false), ("store_xml => false", true), ("target => \"t\"", true)] {
        let config = format!("filter {{ xml {{ source => \"raw\" {options} }} }}");
        assert_eq!(testkit::filter(&config, &testkit::context()).is_ok(), fine, "{options}");
    }
}
