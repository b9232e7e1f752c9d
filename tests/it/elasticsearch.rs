//! The outputs elasticsearch and opensearch against a real node. `.ci/search.sh up` brings the node up, and
//! `eval "$(.ci/search.sh env)"` sets what these tests read.

mod input;
mod node;
mod outage;

use serde_json::{Value, json};

use self::node::Node;
use crate::kafka::program::Rstash;
use crate::tls::{Authority, Terminator};

/// Runs a pipeline over these events, each JSON, to its end, and returns its log.
fn write(node: &Node, plugin: &str, options: &str, events: &[Value]) -> String {
    let lines: Vec<String> = events.iter().map(|event| format!("'{event}'")).collect();
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => 1 lines => [{}] codec => json }} }}
           output {{ {plugin} {{ hosts => "{}" {options} }} }}"#,
        lines.join(", "),
        node.address
    ));
    let (status, log) = (rstash.wait(), rstash.log());
    // What the node refuses for good makes the run a failure.
    assert_eq!(status.success(), !log.contains("event could not be delivered"), "{log}");
    log
}

#[test]
fn a_mapping_conflict_costs_one_event_and_no_other() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("conflict");
    node.put(&format!("/{index}"), &json!({ "mappings": { "properties": { "n": { "type": "long" } } } }));
    let options = format!(r#"index => "{index}" document_id => "%{{id}}" manage_template => false"#);
    let events =
        [json!({ "id": "a", "n": 1 }), json!({ "id": "b", "n": "one" }), json!({ "id": "c", "n": 3 })];
    let log = write(&node, "elasticsearch", &options, &events);
    assert_eq!(node.ids(&index), ["a", "c"]);
    let told = log.replace('\\', "");
    assert!(
        told.contains(&format!(r#"in index "{index}" with id "b": 400 mapper_parsing_exception"#)),
        "{log}"
    );
}

#[test]
fn fields_choose_the_index_and_the_pipeline() {
    let Some(node) = Node::from_environment() else { return };
    let mark = node.name("choice");
    let set = json!({ "processors": [{ "set": { "field": "seen", "value": true } }] });
    node.put(&format!("/_ingest/pipeline/{mark}"), &set);
    let options = format!(r#"index => "{mark}-%{{app}}" pipeline => "%{{pipe}}" manage_template => false"#);
    let events = [
        json!({ "app": "web", "pipe": mark }),
        json!({ "app": "db", "pipe": mark }),
        json!({ "app": "web", "pipe": "" }),
        json!({ "app": "Not Possible", "pipe": "" }),
    ];
    let log = write(&node, "opensearch", &options, &events);
    assert_eq!((node.count(&format!("{mark}-web")), node.count(&format!("{mark}-db"))), (2, 1));
    assert!(log.contains("invalid_index_name_exception"), "{log}");
    let seen =
        node.documents(&format!("{mark}-*")).iter().filter(|found| found["_source"]["seen"] == true).count();
    assert_eq!(seen, 2);
}

#[test]
fn changes_of_a_document_arrive_in_their_order() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("changes");
    let options = format!(
        r#"index => "{index}" document_id => "%{{id}}" action => "%{{do}}" upsert => '{{"made":"%{{id}}"}}' manage_template => false"#
    );
    let events = [
        json!({ "do": "index", "id": "a", "v": 1 }),
        json!({ "do": "update", "id": "a", "w": 2 }),
        json!({ "do": "index", "id": "b" }),
        json!({ "do": "delete", "id": "b" }),
        json!({ "do": "delete", "id": "nobody" }),
        json!({ "do": "update", "id": "new" }),
        json!({ "do": "create", "id": "a", "v": "never" }),
    ];
    write(&node, "elasticsearch", &options, &events);
    assert_eq!(node.ids(&index), ["a", "new"]);
    let a = node.document(&index, "a");
    assert_eq!((&a["v"], &a["w"]), (&json!(1), &json!(2)));
    assert_eq!(node.document(&index, "new"), json!({ "made": "new" }));
}

#[test]
fn scripts_and_versions() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("scripts");
    let script = format!(
        r#"index => "{index}" document_id => sum action => update scripted_upsert => true manage_template => false
           script => "ctx._source.sum = (ctx._source.sum == null ? 0 : ctx._source.sum) + params.event.get('n')""#
    );
    write(&node, "elasticsearch", &script, &[json!({ "n": 2 }), json!({ "n": 40 })]);
    assert_eq!(node.document(&index, "sum"), json!({ "sum": 42 }));
    let body = json!({ "script": { "lang": "painless", "source": "ctx._source.stored = params.event.n" } });
    node.put(&format!("/_scripts/{index}"), &body);
    let stored = format!(
        r#"index => "{index}" document_id => sum action => update script_type => indexed script => "{index}" manage_template => false"#
    );
    write(&node, "opensearch", &stored, &[json!({ "n": 7 })]);
    assert_eq!(node.document(&index, "sum")["stored"], 7);

    let versions = format!(
        r#"index => "{index}" document_id => v version => "%{{n}}" version_type => external manage_template => false"#
    );
    let versions = versions.replace("document_id => v ", "document_id => 'v' ");
    let log = write(
        &node,
        "elasticsearch",
        &versions,
        &[json!({ "n": 5 }), json!({ "n": 3 }), json!({ "n": "x" }), json!({ "n": 8 })],
    );
    assert_eq!(node.document(&index, "v")["n"], 8);
    assert!(log.contains("version_conflict_engine_exception"), "{log}");
    assert!(log.contains("For input string"), "{log}");
}

#[test]
fn children_are_joined_to_their_parents() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("join");
    let join = json!({ "type": "join", "relations": { "order": "item" } });
    node.put(&format!("/{index}"), &json!({ "mappings": { "properties": { "rel": join } } }));
    node.put(&format!("/{index}/_doc/9"), &json!({ "rel": "order" }));
    let options = format!(
        r#"index => "{index}" document_id => "%{{id}}" parent => "%{{order}}" join_field => rel manage_template => false"#
    );
    write(&node, "elasticsearch", &options, &[json!({ "id": "child", "rel": "item", "order": 9 })]);
    node.refresh(&index);
    let query =
        json!({ "query": { "has_parent": { "parent_type": "order", "query": { "match_all": {} } } } });
    let found = node.post(&format!("/{index}/_search"), &query);
    assert_eq!(found["hits"]["hits"][0]["_id"], "child");
    assert_eq!(found["hits"]["hits"][0]["_routing"], "9");
}

#[test]
fn data_streams_take_events() {
    let Some(node) = Node::from_environment() else { return };
    let set = node.name("stream");
    // Patterns of two runs must not overlap, as they would with a star at both ends.
    let patterns = [format!("logs-{set}-*"), format!("metrics-{set}-*")];
    let template = json!({ "index_patterns": patterns, "data_stream": {}, "priority": 500 });
    node.put(&format!("/_index_template/{set}"), &template);
    let options = format!(r#"data_stream => true data_stream_dataset => "{set}""#);
    let events = [json!({ "n": 1 }), json!({ "n": 2, "data_stream": { "type": "metrics" } })];
    write(&node, "elasticsearch", &options, &events);
    for (kind, n) in [("logs", 1), ("metrics", 2)] {
        let stream = format!("{kind}-{set}-default");
        assert_eq!(node.get(&format!("/_data_stream/{stream}"))["data_streams"][0]["name"], stream.as_str());
        let found = node.documents(&stream);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["_source"]["n"], n);
        let fields = json!({ "type": kind, "dataset": set, "namespace": "default" });
        let mut own = found[0]["_source"]["data_stream"].clone();
        own.sort_all_objects();
        let mut fields = fields;
        fields.sort_all_objects();
        assert_eq!(own, fields);
    }
}

/// The built-in templates, in both forms, for both modes of names: the node takes them, and they work.
#[test]
fn templates_are_installed() {
    let Some(node) = Node::from_environment() else { return };
    for (plugin, more, api) in [
        ("elasticsearch", "", "_index_template"),
        ("elasticsearch", "template_api => legacy", "_template"),
        ("opensearch", "", "_template"),
        ("opensearch", "legacy_template => false", "_index_template"),
    ] {
        for (mode, name) in [("v8", "ecs-logstash"), ("disabled", "logstash")] {
            for other in ["_index_template", "_template"] {
                node.delete(&format!("/{other}/{name}"));
            }
            let index = format!("{name}-{}", node.name("template"));
            let options = format!(r#"index => "{index}" ecs_compatibility => {mode} {more}"#);
            let event = json!({ "client": { "ip": "10.0.0.1" }, "word": "w", "geoip": { "ip": "10.0.0.1" } });
            let log = write(&node, plugin, &options, &[event]);
            assert!(!node.get(&format!("/{api}/{name}")).is_null(), "{plugin} {more}: {log}");
            assert_eq!(node.count(&index), 1, "{log}");
            let fields = node.get(&format!("/{index}/_mapping"))[&index]["mappings"]["properties"].clone();
            let kind = |pointer: &str| fields.pointer(pointer).cloned().unwrap_or_default();
            assert_eq!(kind("/@timestamp/type"), "date");
            if mode == "v8" {
                assert_eq!(kind("/client/properties/ip/type"), "ip");
                assert_eq!(kind("/word/type"), "keyword");
            } else {
                assert_eq!(kind("/geoip/properties/ip/type"), "ip");
                assert_eq!(kind("/word/fields/keyword/type"), "keyword");
            }
            node.delete(&format!("/{api}/{name}"));
        }
    }
}

#[test]
fn a_large_batch_goes_in_several_requests() {
    let Some(node) = Node::from_environment() else { return };
    let index = node.name("large");
    let rstash = Rstash::start(&format!(
        r#"input {{ generator {{ count => 60 lines => ["{}"] }} }}
           output {{ opensearch {{ hosts => "{}" index => "{index}" target_bulk_bytes => 1000000 http_compression => true manage_template => false }} }}"#,
        "x".repeat(100_000),
        node.address
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    assert_eq!(node.count(&index), 60);
}

#[test]
fn a_node_behind_tls_has_to_be_trusted() {
    let Some(node) = Node::from_environment() else { return };
    let (index, authority) = (node.name("tls"), Authority::new());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (_, port) = node.address.rsplit_once(':').expect("host:port");
    let front = Terminator::start(&runtime, &authority, port.parse().expect("a port"));
    let config = |trust: &str| {
        format!(
            r#"input {{ generator {{ count => 1 }} }}
               output {{ elasticsearch {{ hosts => "https://localhost:{}" index => "{index}" manage_template => false resurrect_delay => 0.2 {trust} }} }}"#,
            front.port()
        )
    };
    let trusting = Rstash::start(&config(&format!(r#"cacert => "{}""#, authority.path())));
    assert!(trusting.wait().success(), "{}", trusting.log());
    assert_eq!(node.count(&index), 1);
    let suspicious = Rstash::start(&config(""));
    suspicious.wait_for_log("invalid peer certificate");
    let careless = Rstash::start(&config("ssl_verification_mode => none"));
    assert!(careless.wait().success(), "{}", careless.log());
    assert_eq!(node.count(&index), 2);
}
