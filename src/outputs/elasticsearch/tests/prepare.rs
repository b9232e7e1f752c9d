//! Templates, policies and aliases.

use super::*;

async fn calls(server: &StandIn, options: &str, context: &Context) -> (Vec<(String, Value)>, Value) {
    let output =
        open_with("elasticsearch", &format!("hosts => '{}' {options}", server.address), context).await;
    assert_eq!(dead(&deliver(&output, &events(&[r#"{"n":1}"#])).await), []);
    (server.calls(), server.lines()[0].clone())
}

fn names(calls: &[(String, Value)]) -> Vec<&str> {
    calls.iter().map(|(call, _)| call.as_str()).collect()
}

#[test]
fn the_template_is_made_for_the_servers_version() {
    run(async {
        for (root, endpoint, settings) in [
            (r#"{"version":{"number":"7.17.0"}}"#, "_template", "/settings"),
            (r#"{"version":{"number":"9.0.1"}}"#, "_index_template", "/template/settings"),
            (
                r#"{"version":{"number":"1.3.0","distribution":"opensearch"}}"#,
                "_index_template",
                "/template/settings",
            ),
        ] {
            let server = StandIn::start().await;
            server.is(root);
            let (calls, _) = calls(&server, "index => 'x'", &testkit::context()).await;
            assert_eq!(
                names(&calls),
                [format!("HEAD /{endpoint}/ecs-logstash"), format!("PUT /{endpoint}/ecs-logstash")]
            );
            assert_eq!(calls[1].1["index_patterns"], json(r#"["ecs-logstash-*"]"#));
            assert!(calls[1].1.pointer(settings).is_some(), "{root}");
        }
    });
}

#[test]
fn a_template_that_is_there_stays_unless_it_is_to_be_overwritten() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.json");
        std::fs::write(&file, r#"{"index_patterns":["mine-*"],"template":{}}"#).unwrap();
        let options = format!("index => 'x' template => '{}' template_name => mine", file.display());
        let server = StandIn::start().await;
        server.has("/_index_template/mine");
        let (found, _) = calls(&server, &options, &testkit::context()).await;
        assert_eq!(names(&found), ["HEAD /_index_template/mine"]);
        let server = StandIn::start().await;
        server.has("/_index_template/mine");
        let (found, _) =
            calls(&server, &format!("{options} template_overwrite => true"), &testkit::context()).await;
        assert_eq!(names(&found), ["PUT /_index_template/mine"]);
        assert_eq!(found[0].1, json(r#"{"index_patterns":["mine-*"],"template":{}}"#));
    });
}

#[test]
fn data_streams_need_no_template() {
    run(async {
        let server = StandIn::start().await;
        let (found, line) = calls(&server, "", &testkit::context()).await;
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(line, json(r#"{"create":{"_index":"logs-generic-default"}}"#));
    });
}

#[test]
fn indices_are_rolled_over_by_a_policy() {
    run(async {
        let server = StandIn::start().await;
        let (found, line) = calls(&server, "", &testkit::legacy_context()).await;
        assert_eq!(
            names(&found),
            [
                "HEAD /_index_template/logstash",
                "PUT /_index_template/logstash",
                "HEAD /logstash",
                "PUT /%3Clogstash-%7Bnow%2Fd%7D-000001%3E",
                "GET /_ilm/policy/logstash-policy",
                "PUT /_ilm/policy/logstash-policy",
            ]
        );
        let settings = &found[1].1["template"]["settings"];
        assert_eq!(settings["index.lifecycle.name"], "logstash-policy");
        assert_eq!(settings["index.lifecycle.rollover_alias"], "logstash");
        assert_eq!(found[1].1["index_patterns"], json(r#"["logstash-*"]"#));
        assert_eq!(found[3].1, json(r#"{"aliases":{"logstash":{"is_write_index":true}}}"#));
        let rollover = &found[5].1["policy"]["phases"]["hot"]["actions"]["rollover"];
        assert_eq!(*rollover, json(r#"{"max_size":"50gb","max_age":"30d"}"#));
        assert_eq!(line, json(r#"{"index":{"_index":"logstash"}}"#));
    });
}

#[test]
fn an_alias_of_its_own_takes_the_place_of_the_index() {
    run(async {
        let server = StandIn::start().await;
        server.has("/app").has("/_ilm/policy/mine");
        let options = "index => ignored ilm_rollover_alias => app ilm_policy => mine ilm_pattern => '000001'";
        let (found, line) = calls(&server, options, &testkit::context()).await;
        assert_eq!(
            names(&found),
            ["HEAD /_index_template/app", "PUT /_index_template/app", "HEAD /app", "GET /_ilm/policy/mine"]
        );
        assert_eq!(line, json(r#"{"index":{"_index":"app"}}"#));
    });
}

/// `ilm_in_use?` of `ilm.rb`: an index of its own with the usual alias means no lifecycle, whatever the switch says.
#[test]
fn the_switch_alone_rolls_nothing_over() {
    run(async {
        let managed = |call: &str| call.contains("_ilm") || call == "HEAD /logstash";
        for (options, is_managed) in [
            ("index => 'x' ilm_enabled => true", false),
            ("ilm_enabled => false", false),
            ("ilm_enabled => true", true),
            ("index => 'logstash-%{+yyyy.MM.dd}'", true),
        ] {
            let server = StandIn::start().await;
            let (found, _) = calls(&server, options, &testkit::legacy_context()).await;
            assert_eq!(names(&found).into_iter().any(managed), is_managed, "{options}: {found:?}");
        }
    });
}

#[test]
fn servers_without_policies_get_none() {
    run(async {
        for root in [
            r#"{"version":{"number":"2.19.1","distribution":"opensearch"}}"#,
            r#"{"version":{"number":"7.10.2","build_flavor":"oss"}}"#,
            r#"{"version":{"number":"9.0.0","build_flavor":"serverless"}}"#,
        ] {
            let server = StandIn::start().await;
            server.is(root);
            let (found, line) = calls(&server, "", &testkit::legacy_context()).await;
            assert_eq!(found.len(), 2, "{found:?}");
            assert_eq!(line, json(r#"{"index":{"_index":"logstash-2024.05.06"}}"#));
            let serverless = root.contains("serverless");
            let header = server.bulks()[0].headers.contains_key("elastic-api-version");
            assert_eq!(header, serverless);
            assert_eq!(found[1].1.to_string().contains("number_of_shards"), !serverless);
        }
    });
}

/// Nothing is delivered while the cluster cannot be prepared.
#[test]
fn events_wait_for_what_is_missing() {
    run(async {
        for (root, options) in [
            (r#"{"version":{"number":"8.0.0"}}"#, "ilm_rollover_alias => 'a' ilm_policy => missing"),
            (
                r#"{"version":{"number":"2.0.0","distribution":"opensearch"}}"#,
                "ilm_enabled => true manage_template => false",
            ),
            (r#"{"version":{"number":"7.8.0"}}"#, "data_stream => true"),
        ] {
            let server = StandIn::start().await;
            server.is(root);
            let output = open(&server, options).await;
            let waiting = deliver(&output, &events(&[r#"{"n":1}"#])).await_for_a_while().await;
            assert!(waiting, "{options}");
            assert_eq!(server.bulks().len(), 0, "{options}");
        }
        let server = StandIn::start().await;
        server.refuses("/_index_template", 500);
        let output = open(&server, "index => 'x'").await;
        assert!(deliver(&output, &events(&[r#"{"n":1}"#])).await_for_a_while().await);
    });
}

#[test]
fn the_opensearch_output_delivers_without_its_template() {
    run(async {
        let server = StandIn::start().await;
        server
            .refuses("/_template", 403)
            .is(r#"{"version":{"number":"2.19.1","distribution":"opensearch"}}"#);
        let options = format!("hosts => '{}'", server.address);
        let output = open_with("opensearch", &options, &testkit::legacy_context()).await;
        let control = r#"{"n":1,"@metadata":{"_ingest_document":{"index":"elsewhere"}}}"#;
        assert_eq!(dead(&deliver(&output, &events(&[control])).await), []);
        assert_eq!(server.lines()[0], json(r#"{"index":{"_index":"logstash-2024.05.06"}}"#));
        assert_eq!(names(&server.calls()), ["HEAD /_template/logstash"]);

        let server = StandIn::start().await;
        let options = format!("hosts => '{}' legacy_template => false", server.address);
        let output = open_with("opensearch", &options, &testkit::context()).await;
        assert_eq!(dead(&deliver(&output, &events(&[r#"{"n":1}"#])).await), []);
        assert_eq!(server.lines()[0], json(r#"{"index":{"_index":"ecs-logstash-2024.05.06"}}"#));
        assert_eq!(names(&server.calls())[1], "PUT /_index_template/ecs-logstash");
    });
}

trait AwaitForAWhile {
    /// Whether it is not done after a while.
    async fn await_for_a_while(self) -> bool;
}

impl<F: Future> AwaitForAWhile for F {
    async fn await_for_a_while(self) -> bool {
        tokio::time::timeout(std::time::Duration::from_millis(400), self).await.is_err()
    }
}
