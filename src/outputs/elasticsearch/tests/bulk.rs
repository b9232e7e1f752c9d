//! Answers of the bulk API, and how deliveries take them.

use std::time::Duration;

use super::stand_in::Reply;
use super::*;

const OPTIONS: &str = "index => 'x' manage_template => false document_id => '%{id}'";

/// The ids of documents in the order in which the server was sent them, a list for each request.
fn ids(server: &StandIn) -> Vec<Vec<String>> {
    let ids = |body: &str| {
        let lines = body.lines().map(json);
        lines
            .filter_map(|line| Some(line.as_object()?.values().next()?["_id"].as_str()?.to_owned()))
            .collect()
    };
    server.bulks().iter().map(|seen| ids(&seen.body)).collect()
}

fn batch(ids: &[&str]) -> Vec<Event> {
    let documents: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    events(&documents.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn each_document_has_its_own_fate() {
    run(async {
        let server = StandIn::start().await;
        server.replies([
            Reply::Items(vec![
                (201, ""),
                (400, "mapper_parsing_exception"),
                (429, "es_rejected_execution_exception"),
                (404, "index_not_found_exception"),
                (503, "unavailable_shards_exception"),
                (409, "version_conflict_engine_exception"),
                (403, "cluster_block_exception"),
            ]),
            Reply::Items(vec![(201, ""), (429, "es_rejected_execution_exception"), (201, "")]),
        ]);
        let output = open(&server, OPTIONS).await;
        let delivery = deliver(&output, &batch(&["a", "b", "c", "d", "e", "f", "g"])).await;
        assert_eq!(
            dead(&delivery),
            [
                (1, "index in index \"x\" with id \"b\": 400 mapper_parsing_exception: as the test wants"),
                (3, "index in index \"x\" with id \"d\": 404 index_not_found_exception: as the test wants"),
                (
                    5,
                    "index in index \"x\" with id \"f\": 409 version_conflict_engine_exception: as the test wants"
                ),
            ]
        );
        assert_eq!(ids(&server), [vec!["a", "b", "c", "d", "e", "f", "g"], vec!["c", "e", "g"], vec!["e"]]);
    });
}

#[test]
fn a_document_that_is_there_already_is_created() {
    run(async {
        let server = StandIn::start().await;
        server.replies([Reply::Items(vec![(409, "version_conflict_engine_exception"), (201, "")])]);
        let output = open(&server, &format!("{OPTIONS} action => create")).await;
        assert_eq!(dead(&deliver(&output, &batch(&["a", "b"])).await), []);
        assert_eq!(ids(&server).len(), 1);
    });
}

#[test]
fn options_choose_what_is_given_up_and_what_is_said() {
    run(async {
        let server = StandIn::start().await;
        server.replies([Reply::Items(vec![
            (418, "teapot"),
            (500, "useless"),
            (409, "conflict"),
            (500, "hush"),
        ])]);
        let options = format!(
            "{OPTIONS} dlq_custom_codes => [418] drop_error_types => ['useless', 'hush'] silence_errors_in_log => ['conflict', 'hush']"
        );
        let output = open(&server, &options).await;
        let delivery = deliver(&output, &batch(&["a", "b", "c", "d"])).await;
        assert_eq!(dead(&delivery).iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(ids(&server).len(), 1);
    });
}

#[test]
fn a_refused_request_is_sent_again() {
    run(async {
        let server = StandIn::start().await;
        server.replies([
            Reply::Status(429, "{}"),
            Reply::Status(503, "<html>"),
            Reply::Status(500, ""),
            Reply::Status(401, r#"{"error":{"type":"security_exception","reason":"expired"}}"#),
            Reply::Status(400, r#"{"error":{"type":"illegal_argument_exception","reason":"request [/_bulk] contains unrecognized parameter: [foo]"}}"#),
            Reply::Status(200, "not the bulk API"),
            Reply::Status(200, r#"{"errors":true,"items":[]}"#),
        ]);
        let output = open(&server, OPTIONS).await;
        assert_eq!(dead(&deliver(&output, &batch(&["a", "b"])).await), []);
        assert_eq!(ids(&server), vec![vec!["a", "b"]; 8]);
    });
}

#[test]
fn a_connection_that_ends_in_the_middle_of_an_answer_loses_nothing() {
    run(async {
        let server = StandIn::start().await;
        server.replies([Reply::HangUp, Reply::HangUp]);
        let output = open(&server, OPTIONS).await;
        assert_eq!(dead(&deliver(&output, &batch(&["a"])).await), []);
        assert_eq!(ids(&server), vec![vec!["a"]; 3]);
    });
}

#[test]
fn a_request_that_is_too_large_is_divided() {
    run(async {
        let server = StandIn::start().await;
        server.replies([Reply::AtMost(400)]);
        let output = open(&server, OPTIONS).await;
        let mut batch = batch(&["a", "b", "c", "d", "e"]);
        let huge = crate::event::FieldReference::top_level("huge");
        batch[2].set(&huge, "x".repeat(1000)).unwrap();
        let delivery = deliver(&output, &batch).await;
        let dead = dead(&delivery);
        assert_eq!(dead.len(), 1);
        assert!(dead[0].0 == 2 && dead[0].1.starts_with("413 "), "{dead:?}");
        let taken: Vec<String> = server
            .bulks()
            .iter()
            .zip(ids(&server))
            .filter(|(seen, _)| seen.body.len() <= 400)
            .flat_map(|(_, ids)| ids)
            .collect();
        assert_eq!(taken, ["a", "b", "d", "e"]);
    });
}

#[test]
fn one_document_does_not_spoil_the_others() {
    run(async {
        let server = StandIn::start().await;
        server.replies([Reply::Spoilt("c")]);
        let output = open(&server, OPTIONS).await;
        let delivery = deliver(&output, &batch(&["a", "b", "c", "d"])).await;
        assert_eq!(dead(&delivery), [(2, "400 action_request_validation_exception: Validation Failed")]);
        assert!(ids(&server).contains(&vec!["a".to_owned(), "b".to_owned()]));
        assert!(ids(&server).contains(&vec!["d".to_owned()]));
    });
}

#[test]
fn a_batch_is_cut_at_the_targeted_size() {
    run(async {
        let server = StandIn::start().await;
        let options = format!("hosts => '{}' {OPTIONS} target_bulk_bytes => 250", server.address);
        let output = open_with("opensearch", &options, &testkit::context()).await;
        assert_eq!(dead(&deliver(&output, &batch(&["a", "b", "c", "d", "e"])).await), []);
        assert_eq!(ids(&server), [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
        assert!(server.bulks().iter().all(|seen| seen.headers.get("content-encoding").is_none()));
    });
}

#[test]
fn requests_are_compressed_unless_the_config_says_no() {
    run(async {
        for (option, encoding) in [
            ("", Some("gzip")),
            ("compression_level => 9", Some("gzip")),
            ("http_compression => false", None),
        ] {
            let server = StandIn::start().await;
            let output = open(&server, &format!("{OPTIONS} {option}")).await;
            assert_eq!(dead(&deliver(&output, &batch(&["a"])).await), []);
            let seen = &server.bulks()[0];
            let found = seen.headers.get("content-encoding").map(|value| value.to_str().unwrap());
            assert_eq!(found, encoding, "{option}");
            assert_eq!(ids(&server), [["a"]]);
        }
    });
}

#[test]
fn changes_of_one_document_keep_their_order() {
    run(async {
        let server = StandIn::start().await;
        server.replies([Reply::Status(503, ""), Reply::Status(503, "")]);
        let output = open(&server, OPTIONS).await;
        let (first, second) = (batch(&["a", "b"]), batch(&["b", "c"]));
        let (first, second) = (first.iter().collect::<Vec<_>>(), second.iter().collect::<Vec<_>>());
        let (left, right) = futures_util::future::join(output.deliver(&first), output.deliver(&second)).await;
        assert_eq!((dead(&left), dead(&right)), (vec![], vec![]));
        assert_eq!(ids(&server), [["a", "b"], ["a", "b"], ["a", "b"], ["b", "c"]]);
        // Others do not wait for it.
        server.replies([Reply::Status(503, "")]);
        let (first, second) = (batch(&["a"]), batch(&["d"]));
        let (first, second) = (first.iter().collect::<Vec<_>>(), second.iter().collect::<Vec<_>>());
        let slow = output.deliver(&first);
        tokio::pin!(slow);
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut slow).await.is_err());
        assert_eq!(dead(&output.deliver(&second).await), []);
        assert_eq!(dead(&slow.await), []);
    });
}
