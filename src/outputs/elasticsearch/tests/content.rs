//! What the server is told of an event.

use super::*;

/// The lines that events become with these options.
fn lines(options: &str, documents: &[&str]) -> Vec<Value> {
    run(async {
        let server = StandIn::start().await;
        let output = open(&server, &format!("manage_template => false {options}")).await;
        assert_eq!(dead(&deliver(&output, &events(documents)).await), []);
        server.lines()
    })
}

#[test]
fn an_index_by_date_and_field() {
    let found = lines(
        "index => '%{app}-%{+yyyy.MM.dd}' document_id => '%{[a][id]}' routing => 'r%{[a][id]}' pipeline => '%{missing}' version => 7 version_type => external",
        &[r#"{"app":"web","a":{"id":1,"text":"two\nlines"}}"#],
    );
    let action = r#"{"index":{"_id":"1","_index":"web-2024.05.06","routing":"r1","pipeline":"%{missing}","version":"7","version_type":"external"}}"#;
    let document = r#"{"@timestamp":"2024-05-06T07:08:09.123Z","app":"web","a":{"id":1,"text":"two\nlines"},"@version":"1"}"#;
    assert_eq!(found, [json(action), json(document)]);
}

#[test]
fn events_choose_what_the_config_leaves_open() {
    let control = r#"{"a":1,"@metadata":{"_ingest_document":{"id":"own","index":"elsewhere","routing":"r","pipeline":"p","version":3,"version_type":"external"},"target_ingest_pipeline":"t-%{a}"}}"#;
    let found = lines("data_stream => auto ilm_enabled => false", &[control]);
    let chosen = r#"{"index":{"_id":"own","_index":"elsewhere","routing":"r","pipeline":"p","version":3,"version_type":"external"}}"#;
    assert_eq!(found[0], json(chosen));
    let found = lines("index => fixed document_id => mine routing => here pipeline => 'x'", &[control]);
    let fixed = r#"{"index":{"_id":"mine","_index":"fixed","routing":"here","pipeline":"x","version":3,"version_type":"external"}}"#;
    assert_eq!(found[0], json(fixed));
    let found = lines("index => 'x'", &[r#"{"a":1,"@metadata":{"target_ingest_pipeline":"t-%{a}"}}"#]);
    assert_eq!(found[0], json(r#"{"index":{"_index":"x","pipeline":"t-1"}}"#));
    let found = lines("index => 'x'", &[r#"{"a":1,"@metadata":{"_ingest_document":"no object"}}"#]);
    assert_eq!(found[0], json(r#"{"index":{"_index":"x"}}"#));
}

#[test]
fn deletes_have_no_document() {
    let found = lines(
        "index => 'x' action => '%{[@metadata][action]}' document_id => '%{id}'",
        &[r#"{"id":"1","@metadata":{"action":"delete"}}"#, r#"{"id":"2","@metadata":{"action":"create"}}"#],
    );
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], json(r#"{"delete":{"_id":"1","_index":"x"}}"#));
    assert_eq!(found[1], json(r#"{"create":{"_id":"2","_index":"x"}}"#));
}

#[test]
fn updates() {
    let update = |options: &str| {
        let options =
            format!("index => 'x' action => update document_id => 1 retry_on_conflict => 3 {options}");
        let mut found = lines(&options, &[r#"{"n":2}"#]);
        assert_eq!(found[0], json(r#"{"update":{"_id":"1","_index":"x","retry_on_conflict":3}}"#));
        let mut body = found.remove(1);
        // The event itself stands in one or two places.
        let event = json(r#"{"@timestamp":"2024-05-06T07:08:09.123Z","n":2,"@version":"1"}"#);
        for pointer in ["/doc", "/upsert", "/script/params/event", "/script/params/it"] {
            if let Some(place) = body.pointer_mut(pointer).filter(|place| **place == event) {
                *place = "EVENT".into();
            }
        }
        body
    };
    assert_eq!(update(""), json(r#"{"doc":"EVENT"}"#));
    assert_eq!(update("doc_as_upsert => true"), json(r#"{"doc":"EVENT","doc_as_upsert":true}"#));
    assert_eq!(
        update(
            r#"upsert => '{"a":%{n},
            "b":[1]}'"#
        ),
        json(r#"{"doc":"EVENT","upsert":{"a":2,"b":[1]}}"#)
    );
    assert_eq!(
        update("script => 'ctx._source.n = %{n}' script_var_name => it scripted_upsert => true"),
        json(
            r#"{"script":{"params":{"it":"EVENT"},"source":"ctx._source.n = 2","lang":"painless"},"scripted_upsert":true,"upsert":{}}"#
        )
    );
    assert_eq!(
        update("script => stored script_type => indexed doc_as_upsert => true"),
        json(r#"{"script":{"params":{"event":"EVENT"},"id":"stored"},"upsert":"EVENT"}"#)
    );
}

#[test]
fn children_know_their_parents() {
    let found = lines(
        "index => 'x' parent => '%{[order][id]}' join_field => '[rel]'",
        &[r#"{"rel":"item","order":{"id":9}}"#],
    );
    assert_eq!(found[0], json(r#"{"index":{"_index":"x","routing":"9"}}"#));
    assert_eq!(found[1]["rel"], json(r#"{"name":"item","parent":"9"}"#));
}

#[test]
fn data_streams_and_their_fields() {
    let found = lines(
        "data_stream => true data_stream_dataset => app",
        &[
            r#"{"n":1}"#,
            r#"{"data_stream":{"type":"metrics","dataset":null,"extra":1}}"#,
            r#"{"data_stream":"nonsense"}"#,
        ],
    );
    let fields = |name: &str, more: &str| {
        json(&format!(r#"{{{more}"type":"{name}","dataset":"app","namespace":"default"}}"#))
    };
    assert_eq!(found[0], json(r#"{"create":{"_index":"logs-app-default"}}"#));
    assert_eq!(found[1]["data_stream"], fields("logs", ""));
    assert_eq!(found[1]["n"], 1);
    assert_eq!(found[2], json(r#"{"create":{"_index":"metrics-app-default"}}"#));
    assert_eq!(found[3]["data_stream"], fields("metrics", r#""extra":1,"#));
    assert_eq!(found[5]["data_stream"], fields("logs", ""));

    let found = lines("data_stream_auto_routing => false", &[r#"{"data_stream":{"dataset":"other"}}"#]);
    assert_eq!(found[0], json(r#"{"create":{"_index":"logs-generic-default"}}"#));
    assert_eq!(found[1]["data_stream"]["dataset"], "generic");

    let found = lines("data_stream_sync_fields => false", &[r#"{"data_stream":{"dataset":"other"}}"#]);
    assert_eq!(found[0], json(r#"{"create":{"_index":"logs-other-default"}}"#));
    assert_eq!(found[1]["data_stream"], json(r#"{"dataset":"other"}"#));
}

#[test]
fn what_no_action_can_be_made_of_is_given_up_alone() {
    run(async {
        let server = StandIn::start().await;
        let options =
            "index => '%{app}' action => '%{do}' manage_template => false upsert => '%{up}' document_id => 1";
        let output = open(&server, options).await;
        let delivery = deliver(
            &output,
            &events(&[
                r#"{"do":"index"}"#,
                r#"{"app":"x","do":"index"}"#,
                r#"{"app":"x","do":"drop"}"#,
                r#"{"app":"x","do":"update","up":"{"}"#,
            ]),
        )
        .await;
        let dead = dead(&delivery);
        assert_eq!(dead.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 2, 3]);
        assert!(dead[0].1.contains("%{app}") && dead[1].1.contains("drop") && dead[2].1.contains("upsert"));
        assert_eq!(server.lines().len(), 2);
    });
    // Where that is wished, the name is taken as it is.
    let found = lines("index => '%{app}' dlq_on_failed_indexname_interpolation => false", &[r#"{"a":1}"#]);
    assert_eq!(found[0], json(r#"{"index":{"_index":"%{app}"}}"#));
}

#[test]
fn types_go_to_servers_that_know_them() {
    run(async {
        for (root, expected) in [
            (r#"{"version":{"number":"7.17.0"}}"#, r#"{"index":{"_index":"x","_type":"doc"}}"#),
            (r#"{"version":{"number":"8.1.0"}}"#, r#"{"index":{"_index":"x"}}"#),
        ] {
            let server = StandIn::start().await;
            server.is(root);
            let output = open(&server, "index => 'x' document_type => doc manage_template => false").await;
            deliver(&output, &events(&[r#"{"n":1}"#])).await;
            assert_eq!(server.lines()[0], json(expected));
        }
    });
}
