//! The input `elasticsearch` against a stand-in on the loopback interface that speaks as Elasticsearch 9 does. The
//! answers are shaped like those in the specs of logstash-input-elasticsearch.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::event::Event;
use crate::plugin::testkit::{self, fields};
use crate::plugin::{Context, Problem, RunError, Shutdown};

const VERSION_9: &str = r#"{"version":{"number":"9.1.0","build_flavor":"default"}}"#;
const VERSION_7: &str = r#"{"version":{"number":"7.17.0","build_flavor":"default"}}"#;

/// What came, one line for each request, and the answers still to be given.
#[derive(Clone, Default)]
struct Standin {
    info: &'static str,
    came: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<(u16, String)>>>,
}

async fn answer(State(standin): State<Standin>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let json = [(CONTENT_TYPE, "application/json")];
    if head.uri.path() == "/" {
        return (json, standin.info).into_response();
    }
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let line = format!("{} {} {}", head.method, head.uri, String::from_utf8_lossy(&body));
    standin.came.lock().unwrap().push(line.trim_end().to_owned());
    let mut answers = standin.answers.lock().unwrap();
    let (status, text) = if answers.is_empty() { (500, String::new()) } else { answers.remove(0) };
    (StatusCode::from_u16(status).unwrap(), json, text).into_response()
}

async fn serve(info: &'static str, answers: &[(u16, &str)]) -> (String, Standin) {
    let answers = answers.iter().map(|(status, text)| (*status, text.to_string())).collect();
    let standin = Standin { info, answers: Arc::new(Mutex::new(answers)), ..Standin::default() };
    let app = Router::new().fallback(answer).with_state(standin.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address.to_string(), standin)
}

/// Runs an input to its end.
async fn read(host: &str, options: &str, context: &Context) -> (Vec<Event>, Result<(), RunError>) {
    let config = format!("input {{ elasticsearch {{ hosts => ['{host}'] {options} }} }}");
    let (input, decoration) = testkit::input(&config, context).unwrap_or_else(|found| panic!("{found:?}"));
    let (sink, receiver) = testkit::sink(decoration, 1000);
    let (_stop, shutdown) = Shutdown::channel();
    let events = tokio::task::spawn_blocking(move || testkit::drain(&receiver));
    let ended = input.run(sink, shutdown).await;
    (events.await.unwrap(), ended)
}

fn metadata(event: &Event) -> String {
    let mut out = Vec::new();
    crate::event::json::write_object(&mut out, event.metadata());
    String::from_utf8(out).unwrap()
}

fn problems(options: &str) -> Vec<Problem> {
    let config = format!("input {{ elasticsearch {{ {options} }} }}");
    testkit::input(&config, &testkit::context()).err().unwrap_or_else(|| panic!("{options}: no error"))
}

const POINT: &str = r#"{"id":"p1"}"#;
const CLOSED: &str = r#"{"succeeded":true,"num_freed":1}"#;
const FIRST: &str = r#"{"pit_id":"p2","_shards":{"failed":0},"hits":{"total":{"value":3},"hits":[
    {"_index":"logs","_id":"a","_source":{"n":1},"sort":[1,7]},
    {"_index":"logs","_id":"b","_source":{"n":2,"@timestamp":"2024-05-06T07:08:09.000Z"},"sort":[2,8]}]}}"#;
const SECOND: &str = r#"{"hits":{"hits":[{"_index":"logs","_id":"c","_source":{"n":3},"sort":[3,9]}]}}"#;
const NONE: &str = r#"{"hits":{"hits":[]}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn pages_come_in_a_point_in_time() {
    let answers = [(200, POINT), (200, FIRST), (503, ""), (200, SECOND), (200, NONE), (200, CLOSED)];
    let (host, standin) = serve(VERSION_9, &answers).await;
    let options = "index => 'a,b*' size => 2 retries => 1 docinfo => true scroll => '5m'";
    let (events, ended) = read(&host, options, &testkit::context()).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(events.iter().map(fields).collect::<Vec<_>>(), [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]);
    assert_eq!(events[1].timestamp().unwrap().to_string(), "2024-05-06T07:08:09.000Z");
    let told = r#"{"input":{"elasticsearch":{"_index":"logs","_type":null,"_id":"a"}}}"#;
    assert_eq!(metadata(&events[0]), told);
    let search = |id: &str, after: &str| {
        format!(r#"POST /_search?size=2 {{"sort":["_doc"],"pit":{{"id":"{id}","keep_alive":"5m"}}{after}}}"#)
    };
    let came = standin.came.lock().unwrap().clone();
    let second = search("p2", r#","search_after":[2,8]"#);
    let expected = [
        "POST /a,b*/_pit?keep_alive=5m".to_owned(),
        search("p1", ""),
        second.clone(),
        second,
        search("p2", r#","search_after":[3,9]"#),
        r#"DELETE /_pit {"id":"p1"}"#.to_owned(),
    ];
    assert_eq!(came, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_servers_are_scrolled_through() {
    let first = FIRST.replace(r#"{"pit_id":"p2","#, r#"{"_scroll_id":"s1","#);
    let none = NONE.replace(r#"{"hits":{"#, r#"{"_scroll_id":"s2","hits":{"#);
    let (host, standin) = serve(VERSION_7, &[(200, &first), (200, &none), (200, "{}")]).await;
    let options =
        r#"docinfo => true docinfo_fields => ["_id"] query => '{"query":{"match_all":{}}}' target => "doc""#;
    let (events, ended) = read(&host, options, &testkit::legacy_context()).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(fields(&events[0]), r#"{"doc":{"n":1}}"#);
    assert_eq!(metadata(&events[1]), r#"{"_id":"b"}"#);
    let expected = [
        r#"POST /logstash-*/_search?scroll=1m&size=1000 {"query":{"match_all":{}}}"#,
        r#"POST /_search/scroll?scroll=1m {"scroll_id":"s1"}"#,
        r#"DELETE /_search/scroll {"scroll_id":"s2"}"#,
    ];
    assert_eq!(*standin.came.lock().unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_are_parts_of_the_search() {
    let answers = [(200, NONE), (200, NONE)];
    let (host, standin) = serve(VERSION_7, &answers).await;
    let (events, ended) = read(&host, "slices => 2", &testkit::context()).await;
    assert_eq!((events.len(), ended), (0, Ok(())));
    let mut came = standin.came.lock().unwrap().clone();
    came.sort();
    let expected = |id| {
        format!(
            r#"POST /logstash-*/_search?scroll=1m&size=1000 {{"sort":["_doc"],"slice":{{"id":{id},"max":2}}}}"#
        )
    };
    assert_eq!(came, [expected(0), expected(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tracked_value_leads_to_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let context = Context { data_path: folder.path().to_owned(), ..testkit::context() };
    let options = r#"query => '{"query":{"range":{"n":{"gt":":last_value"}}},"sort":["n"]}'
                     tracking_field => "n" tracking_field_seed => "0""#;
    let run = async |answers: &[(u16, &str)]| {
        let (host, standin) = serve(VERSION_9, answers).await;
        let (events, ended) = read(&host, options, &context).await;
        let searched = standin.came.lock().unwrap()[1].clone();
        (events.len(), ended.is_ok(), searched.split('"').nth(9).unwrap().to_owned())
    };
    let kept = || {
        let path = folder.path().join("plugins/inputs/elasticsearch/main/last_run_value");
        std::fs::read_to_string(path).unwrap_or_default()
    };
    // A run that fails on its way keeps nothing.
    assert_eq!(run(&[(200, POINT), (200, FIRST)]).await, (2, false, "0".into()));
    assert_eq!(kept(), "");
    let all = [(200, POINT), (200, FIRST), (200, SECOND), (200, NONE)];
    assert_eq!(run(&all).await, (3, true, "0".into()));
    assert_eq!(kept(), "3");
    assert_eq!(run(&[(200, POINT), (200, NONE)]).await, (0, true, "3".into()));
    assert_eq!(kept(), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn aggregations_become_one_event() {
    let found = r#"{"hits":{"hits":[]},"aggregations":{"per_day":{"buckets":[{"key":1,"doc_count":2}]}}}"#;
    let (host, standin) = serve(VERSION_9, &[(200, found)]).await;
    let options = r#"index => "x" response_type => "aggregations" query => '{"aggs":{}}'"#;
    let (events, ended) = read(&host, options, &testkit::context()).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(fields(&events[0]), r#"{"per_day":{"buckets":[{"key":1,"doc_count":2}]}}"#);
    assert_eq!(*standin.came.lock().unwrap(), [r#"POST /x/_search?size=0 {"aggs":{}}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_esql_become_events() {
    let table = r#"{"columns":[{"name":"a.b","type":"keyword"},{"name":"a.b.c","type":"keyword"},
        {"name":"t","type":"date"},{"name":"x","type":"integer"}],
        "values":[["one","left out","2024-05-06T07:08:09.123Z",null],[null,null,"never",5]]}"#;
    let (host, standin) = serve(VERSION_9, &[(200, table)]).await;
    let options = r#"query_type => "esql" query => "FROM logs" target => "row""#;
    let (events, _) = read(&host, options, &testkit::context()).await;
    assert_eq!(fields(&events[0]), r#"{"row":{"a":{"b":"one"},"t":"2024-05-06T07:08:09.123Z"}}"#);
    assert!(fields(&events[1]).contains(r#""tags":["_elasticsearch_input_failure"]"#));
    assert!(fields(&events[1]).contains(r#""values":[[null,null,"never",5]]"#));
    let expected = [r#"POST /_query?format=json&drop_null_columns=true {"query":"FROM logs"}"#];
    assert_eq!(*standin.came.lock().unwrap(), expected);
    let (host, _) = serve(VERSION_7, &[]).await;
    let (_, ended) = read(&host, options, &testkit::context()).await;
    assert!(ended.unwrap_err().0.contains("7.17.0 has no ES|QL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_event_is_kept_as_text() {
    let odd = r#"{"hits":{"hits":[{"_id":"a","_source":{"m":"text"},"sort":[1]}]}}"#;
    let (host, _) = serve(VERSION_9, &[(200, POINT), (200, odd), (200, NONE)]).await;
    let options = r#"docinfo => true docinfo_target => "m""#;
    let (events, _) = read(&host, options, &testkit::context()).await;
    assert_eq!(
        fields(&events[0]),
        r#"{"event":{"original":"{\"_id\":\"a\",\"sort\":[1],\"_source\":{\"m\":\"text\"}}"},"tags":["_elasticsearch_input_failure"]}"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_search_ends_the_input() {
    let refusal = r#"{"error":{"reason":"no such index [x]"},"status":404}"#;
    let (host, standin) = serve(VERSION_9, &[(404, refusal), (404, refusal)]).await;
    let (events, ended) = read(&host, "index => 'x' retries => 1", &testkit::context()).await;
    assert!(events.is_empty());
    assert!(ended.unwrap_err().0.contains("404: no such index [x]"));
    assert_eq!(standin.came.lock().unwrap().len(), 2);
}

#[test]
fn options_are_checked() {
    let hosts = "hosts => ['es']";
    for (options, said) in [
        (String::new(), "it cannot be empty"),
        (format!("{hosts} query => '*'"), "it is no JSON"),
        (format!(r#"{hosts} query => '{{"slice":{{}}}}' slices => 2"#), "names a slice itself"),
        (format!("{hosts} slices => 0"), "at least 1"),
        (format!("{hosts} retries => 'often'"), "expected a number"),
        (format!("{hosts} schedule => 'often'"), "no cron line"),
        (format!("{hosts} tracking_field => 'x' search_api => scroll"), "search_api other than"),
        (format!("{hosts} tracking_field => 'x' response_type => aggregations"), "response_type => "),
        (format!("{hosts} query_type => esql query => 'SELECT 1'"), "begins with FROM"),
        (format!("{hosts} query_type => esql query => 'FROM x' size => 1 slices => 2"), "cannot be used"),
        (format!("{hosts} connect_timeout_seconds => 0"), "at least 1"),
        (format!("{hosts} api_key => 'a:b'"), "encrypted"),
        (format!("{hosts} cloud_id => 'x:Zm9vLmlvJGEkYg=='"), "either cloud_id or hosts"),
        (format!("{hosts} ca_trusted_fingerprint => 'abc'"), "64 hex digits"),
        (format!("{hosts} user => 'u' password => 'p' cloud_auth => 'a:b'"), "only one of"),
    ] {
        let found = problems(&options);
        assert!(found.iter().any(|problem| problem.message.contains(said)), "{options}: {found:?}");
    }
}
