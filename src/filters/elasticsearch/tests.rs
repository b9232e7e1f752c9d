//! Tests of the filter `elasticsearch` against a stand-in for a cluster on the loopback interface. The answers are
//! those of the fixtures in the specs of logstash-filter-elasticsearch, shortened.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::*;
use crate::event::Value;
use crate::plugin::{blocking, testkit};

/// What came, one line for each request, and the answers still to be given.
#[derive(Clone, Default)]
struct Standin {
    came: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<(u16, String)>>>,
}

async fn answer(State(standin): State<Standin>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if head.uri.path() == "/" {
        let info = r#"{"version":{"number":"9.0.0","build_flavor":"serverless"}}"#;
        return ([(CONTENT_TYPE, "application/json")], info).into_response();
    }
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-");
    let line = format!(
        "{} {} version={} auth={} x={} {}",
        head.method,
        head.uri,
        header("elastic-api-version"),
        header("authorization"),
        header("x-mine"),
        String::from_utf8_lossy(&body)
    );
    standin.came.lock().unwrap().push(line);
    let mut answers = standin.answers.lock().unwrap();
    let (status, text) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
    (StatusCode::from_u16(status).unwrap(), [(CONTENT_TYPE, "application/json")], text).into_response()
}

fn serve(answers: &[(u16, &str)]) -> (String, Standin) {
    let answers = answers.iter().map(|(status, text)| (*status, text.to_string())).collect();
    let standin = Standin { answers: Arc::new(Mutex::new(answers)), ..Standin::default() };
    let app = Router::new().fallback(answer).with_state(standin.clone());
    let address = blocking::block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    });
    (format!("http://{}", address.unwrap()), standin)
}

fn lookup(host: &str, options: &str) -> Box<dyn Filter> {
    let config = format!("filter {{ elasticsearch {{ hosts => [\"{host}\"] {options} }} }}");
    testkit::filter(&config, &testkit::context()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn run(filter: &dyn Filter, event: &str) -> (Event, Outcome) {
    let mut event = testkit::event(event);
    let outcome = filter.filter(&mut event, &mut Emit::default());
    (event, outcome)
}

const ONE: &str = r#"{"_shards":{"total":5},"hits":{"total":{"value":13476,"relation":"eq"},"hits":[
    {"_index":"logs","_id":"a1","_source":{"response":404,"user":{"name":"kim"},"f":1.5}}]}}"#;
const TWO: &str = r#"{"_shards":{"total":5},"hits":{"total":2,"hits":[
    {"_id":"a","_source":{"r":1}},{"_id":"b","_source":{}}]},"aggregations":{"avg":{"value":2.5}}}"#;
const NONE: &str = r#"{"_shards":{"total":5},"hits":{"total":0,"hits":[]}}"#;

#[test]
fn a_query_string_finds_a_document() {
    let (host, standin) = serve(&[(200, ONE)]);
    let filter = lookup(
        &host,
        r#"index => "logs-%{app}" query => "id:%{id}" user => "u" password => "p" custom_headers => { "X-Mine" => "1" }
           fields => { "response" => "code" "[user][name]" => "[who][name]" "none" => "none" } docinfo_fields => { "_id" => "[doc][id]" }"#,
    );
    let (event, outcome) = run(&*filter, r#"{"id":7,"app":"a b"}"#);
    assert_eq!(outcome, Outcome::Matched);
    let expected = r#"{"app":"a b","code":404,"doc":{"id":"a1"},"id":7,"none":null,"who":{"name":"kim"}}"#;
    assert_eq!(testkit::fields(&event), expected);
    assert_eq!(event.metadata().get("total_hits"), Some(&Value::Int(13476)));
    // "u:p" in base64.
    let request = "GET /logs-a%20b/_search?q=id%3A7&size=1&sort=%40timestamp%3Adesc version=2023-10-31 auth=Basic dTpw x=1 ";
    assert_eq!(*standin.came.lock().unwrap(), [request]);
}

#[test]
fn several_documents_and_aggregations() {
    let (host, standin) = serve(&[(200, TWO)]);
    let filter = lookup(
        &host,
        r#"query => "*" result_size => 2 enable_sort => false target => "es" fields => { "r" => "r" } aggregation_fields => { "avg" => "[a][avg]" }"#,
    );
    let (event, outcome) = run(&*filter, "{}");
    assert_eq!(outcome, Outcome::Matched);
    assert_eq!(testkit::fields(&event), r#"{"es":{"r":[1,null],"a":{"avg":{"value":2.5}}}}"#);
    assert!(standin.came.lock().unwrap()[0].starts_with("GET /_search?q=*&size=2 "));
}

#[test]
fn a_template_is_the_body() {
    let (host, standin) = serve(&[(200, NONE)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.json");
    std::fs::write(&path, r#"{ "query": { "term": { "id": "%{id}" } } }"#).unwrap();
    let filter =
        lookup(&host, &format!("query_template => \"{}\" fields => {{ \"a\" => \"b\" }}", path.display()));
    let (event, outcome) = run(&*filter, r#"{"id":7}"#);
    assert_eq!((outcome, testkit::fields(&event).as_str()), (Outcome::Unmatched, r#"{"id":7}"#));
    let came = standin.came.lock().unwrap()[0].clone();
    assert!(
        came.starts_with("POST /_search ") && came.ends_with(r#" {"query":{"term":{"id":"7"}}}"#),
        "{came}"
    );
    // A value that breaks the JSON fails.
    assert_eq!(run(&*filter, r#"{"id":"\""}"#).1, Outcome::Failed);
}

#[test]
fn failures_are_tagged() {
    let failed_shards = r#"{"_shards":{"total":5,"failures":[{"reason":"x"}]},"hits":{"total":1,"hits":[]}}"#;
    for answer in
        [(404, r#"{"error":{"reason":"no such index"}}"#), (200, failed_shards), (200, "{}"), (200, "no")]
    {
        let (host, _) = serve(&[answer]);
        let (event, outcome) = run(&*lookup(&host, r#"query => "*" tag_on_failure => ["a", "b"]"#), "{}");
        assert_eq!((outcome, testkit::fields(&event).as_str()), (Outcome::Failed, r#"{"tags":["a","b"]}"#));
    }
}

#[test]
fn statuses_and_dead_nodes_are_tried_again() {
    let (host, standin) = serve(&[(503, "{}"), (200, ONE)]);
    assert_eq!(run(&*lookup(&host, r#"query => "*" retry_on_failure => 1"#), "{}").1, Outcome::Matched);
    assert_eq!(standin.came.lock().unwrap().len(), 2);

    let (host, _) = serve(&[(503, "{}"), (200, ONE)]);
    assert_eq!(run(&*lookup(&host, r#"query => "*""#), "{}").1, Outcome::Failed);

    let (host, _) = serve(&[(200, ONE)]);
    let config = format!(
        r#"filter {{ elasticsearch {{ hosts => ["127.0.0.1:1", "{host}"] query => "*" retry_on_failure => 2 }} }}"#
    );
    let filter = testkit::filter(&config, &testkit::context()).unwrap();
    for _ in 0..3 {
        assert_eq!(run(&*filter, "{}").1, Outcome::Matched);
    }
}

#[test]
fn esql_rows_become_fields() {
    let table = r#"{"columns":[{"name":"at","type":"date"},{"name":"status.code","type":"long"},{"name":"time","type":"long"},
        {"name":"time.min","type":"long"}],"values":[["2025-04-10T12:00:00.000Z",200,5,1],[null,403,6,2]]}"#;
    let (host, standin) = serve(&[(200, table)]);
    let options = r#"query_type => "esql" query => "FROM x | WHERE id == ?id AND n == ?n" query_params => { "n" => 5 "id" => "[user][id]" }"#;
    let (event, outcome) = run(&*lookup(&host, options), r#"{"user":{"id":"u7"}}"#);
    assert_eq!(outcome, Outcome::Matched);
    assert!(matches!(event.data().get("at"), Some(Value::Timestamp(_))));
    let fields = testkit::fields(&event);
    assert!(fields.contains(r#""status":{"code":200},"time":5"#), "{fields}");
    assert_eq!(event.metadata().get("total_values"), Some(&Value::Int(2)));
    let came = standin.came.lock().unwrap()[0].clone();
    assert!(came.starts_with("POST /_query?format=json&drop_null_columns=true "), "{came}");
    assert!(came.ends_with(r#""params":[{"id":"u7"},{"n":5}]}"#), "{came}");

    let (event, _) =
        run(&*lookup(&host, &format!("{options} target => \"rows\"")), r#"{"user":{"id":"u7"}}"#);
    let rows = r#""rows":[{"at":"2025-04-10T12:00:00.000Z","status":{"code":200},"time":5},{"status":{"code":403},"time":6}]"#;
    assert!(testkit::fields(&event).contains(rows), "{}", testkit::fields(&event));
}

#[test]
fn what_cannot_work_is_refused() {
    for options in [
        "",
        r#"query => "*" query_template => "/x""#,
        r#"query_template => "/nowhere/q.json""#,
        r#"query => "*" query_params => { "a" => 1 }"#,
        r#"query => "*" api_key => "id:key""#,
        r#"query => "*" user => "u" password => "p" cloud_auth => "a:b""#,
        r#"query => "*" cloud_id => "x:!!""#,
        r#"query => "*" hosts => ["a"] cloud_id => "foobar:dXMtZWFzdC0xLmF3cy5mb3VuZC5pbyRub3RhcmVhbCRpZGVudGlmaWVy""#,
        r#"query => "*" fields => { "a" => "[b" }"#,
        r#"query => "*" ca_trusted_fingerprint => "ab""#,
        r#"query_type => "esql" query => "FROM a | WHERE b == ?c""#,
        r#"query_type => "esql" query => "FROM a" index => "b""#,
        r#"query_type => "esql" query => "FROM a" query_params => { "A-b" => 1 }"#,
    ] {
        let config = format!("filter {{ elasticsearch {{ {options} }} }}");
        assert!(testkit::filter(&config, &testkit::context()).is_err(), "{options}");
    }
}
