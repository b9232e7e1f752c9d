//! The input elasticsearch and the filter's and the outputs' node as the other side.

use serde_json::json;

use super::node::Node;
use crate::kafka::program::Rstash;
use crate::tls::{Authority, Terminator};

/// Makes an index with as many documents, `n` and `t` counted from 1, over two shards.
fn fill(node: &Node, index: &str, count: usize) {
    node.put(&format!("/{index}"), &json!({ "settings": { "number_of_shards": 2 } }));
    add(node, index, 1..=count);
}

fn add(node: &Node, index: &str, numbers: std::ops::RangeInclusive<usize>) {
    for n in numbers {
        node.put(&format!("/{index}/_doc/d{n}"), &json!({ "n": n, "t": format!("{n:06}"), "kind": n % 3 }));
    }
    node.refresh(index);
}

/// Runs an input to its end and returns its events, as `output` shows them, sorted.
fn read(options: &str, output: &str) -> Vec<String> {
    let rstash = Rstash::start(&config(options, output));
    assert!(rstash.wait().success(), "{}", rstash.log());
    let mut lines = rstash.lines();
    lines.sort();
    lines
}

fn config(options: &str, output: &str) -> String {
    format!(
        "input {{ elasticsearch {{ {options} }} }}
         output {{ file {{ path => '{{out}}' codec => line {{ format => '{output}' }} }} }}"
    )
}

fn numbered(numbers: std::ops::RangeInclusive<usize>) -> Vec<String> {
    numbers.map(|n| format!("{n:06}")).collect()
}

#[test]
fn every_document_comes_once_however_pages_are_asked_for() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("input");
    fill(&node, &index, 57);
    for more in [
        "",
        "slices => 3",
        "search_api => search_after",
        "search_api => search_after slices => 2",
        r#"search_api => search_after query => '{"query":{"match_all":{}},"sort":[{"n":"desc"}]}'"#,
        r#"search_api => scroll query => '{"query":{"match_all":{}}}'"#,
    ] {
        let options = format!("hosts => '{}' index => '{index}' size => 10 {more}", node.address);
        assert_eq!(read(&options, "%{t}"), numbered(1..=57), "{more}");
    }
}

#[test]
fn documents_tell_where_they_came_from() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("docinfo");
    fill(&node, &index, 1);
    let options = format!("hosts => '{}' index => '{index}' docinfo => true", node.address);
    let field = "[@metadata][input][elasticsearch]";
    let told = read(&options, &format!("%{{{field}[_index]}} %{{{field}[_id]}} %{{t}}"));
    assert_eq!(told, [format!("{index} d1 000001")]);
    let options = format!("{options} ecs_compatibility => disabled target => '[doc][source]'");
    let told = read(&options, "%{[@metadata][_index]} %{[@metadata][_id]} %{[doc][source][t]}");
    assert_eq!(told, [format!("{index} d1 000001")]);
}

#[test]
fn aggregations_are_one_event() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("aggregations");
    fill(&node, &index, 7);
    let query = json!({ "aggs": { "kinds": { "terms": { "field": "kind" } } } });
    let options = format!(
        "hosts => '{}' index => '{index}' response_type => aggregations query => '{query}'",
        node.address
    );
    let count = |at: usize| format!("%{{[kinds][buckets][{at}][doc_count]}}");
    let found = read(&options, &format!("{} {} {}", count(0), count(1), count(2)));
    assert_eq!(found, ["3 2 2"]);
}

/// Scheduled runs read what is new since the last one, and the value outlives the process.
#[test]
fn a_tracked_field_goes_on_where_it_was() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("tracking");
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("value");
    fill(&node, &index, 5);
    let query = r#"{"query":{"range":{"t":{"gt":":last_value"}}},"sort":[{"t.keyword":"asc"}]}"#;
    let options = format!(
        "hosts => '{}' index => '{index}' size => 2 query => '{query}' tracking_field => 't'
         tracking_field_seed => '000000' last_run_metadata_path => '{}'",
        node.address,
        kept.display()
    );
    assert_eq!(read(&options, "%{t}"), numbered(1..=5));
    assert_eq!(std::fs::read_to_string(&kept).expect("it is kept"), "000005");
    add(&node, &index, 6..=8);
    let rstash = Rstash::start(&config(&format!("{options} schedule => '* * * * * *'"), "%{t}"));
    rstash.wait_for_lines(3);
    add(&node, &index, 9..=9);
    rstash.wait_for_lines(4);
    rstash.wait_for("the value", 9, || {
        std::fs::read_to_string(&kept).ok().and_then(|value| value.parse().ok()).unwrap_or_default()
    });
    rstash.stop();
    assert_eq!(rstash.lines(), numbered(6..=9));
}

#[test]
fn a_cluster_behind_tls_is_read_and_copied() {
    let Some(node) = Node::from_environment() else { return };
    let (index, copy, authority) = (node.name("source"), node.name("copy"), Authority::new());
    fill(&node, &index, 12);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (_, port) = node.address.rsplit_once(':').expect("host:port");
    let front = Terminator::start(&runtime, &authority, port.parse().expect("a port"));
    let rstash = Rstash::start(&format!(
        r#"input {{ elasticsearch {{ hosts => "localhost:{}" ssl_enabled => true ssl_certificate_authorities => "{}"
             index => "{index}" docinfo => true docinfo_target => "[@metadata][doc]" size => 5 }} }}
           output {{ opensearch {{ hosts => "{}" index => "{copy}" document_id => "%{{[@metadata][doc][_id]}}" manage_template => false }} }}"#,
        front.port(),
        authority.path(),
        node.address
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    assert_eq!(node.ids(&copy), node.ids(&index));
    assert_eq!(node.document(&copy, "d12")["t"], "000012");
}

#[test]
fn a_search_that_is_refused_makes_the_run_a_failure() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("nowhere");
    let options = format!("hosts => '{}' index => '{index}' retries => 1", node.address);
    let rstash = Rstash::start(&config(&options, "%{t}"));
    assert!(!rstash.wait().success());
    assert!(rstash.log().contains("no such index"), "{}", rstash.log());
}
