//! Tests of the output `http` against a server on the loopback interface.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};

use crate::plugin::Delivery;
use crate::plugin::testkit::{context, event, output};

/// A request as the server saw it.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

#[derive(Clone, Default)]
struct Server {
    seen: Arc<Mutex<Vec<Seen>>>,
    /// What to answer, one after the other; then 200.
    answers: Arc<Mutex<VecDeque<u16>>>,
}

async fn answer(
    State(server): State<Server>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let seen = Seen { line: format!("{method} {uri}"), headers, body: body.to_vec() };
    server.seen.lock().unwrap().push(seen);
    let code = server.answers.lock().unwrap().pop_front().unwrap_or(200);
    (StatusCode::from_u16(code).unwrap(), "an answer")
}

/// Delivers events to a server that gives these answers; what it saw, and what became of the events.
async fn deliver(options: &str, answers: &[u16], events: &[&str]) -> (Vec<Seen>, Delivery) {
    let server = Server::default();
    server.answers.lock().unwrap().extend(answers);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(server.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let config = format!("output {{ http {{ {} }} }}", options.replace("SERVER", &address.to_string()));
    let output = output(&config, &context()).unwrap();
    let events: Vec<_> = events.iter().map(|document| event(document)).collect();
    let events: Vec<_> = events.iter().collect();
    let delivery = output.deliver(&events).await;
    serving.abort();
    let seen = server.seen.lock().unwrap().clone();
    (seen, delivery)
}

const EVENT: &str = r#"{"@timestamp":"2024-05-06T07:08:09Z","@version":"1","t":"a b","n":[1,{"k":"ü"}]}"#;

#[tokio::test]
async fn an_event_is_sent_as_json_with_its_headers() {
    let options =
        r#"url => "http://SERVER/x?q=%{[n][0]}" http_method => "put" headers => ["X-Own", "v-%{t}"]"#;
    let (seen, delivery) = deliver(options, &[], &[EVENT]).await;
    assert_eq!(delivery, Delivery::done());
    let [request] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(request.line, "PUT /x?q=1");
    assert_eq!(request.headers["x-own"], "v-a b");
    assert_eq!(request.headers["content-type"], "application/json");
    let sent: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        sent,
        serde_json::json!({"@timestamp": "2024-05-06T07:08:09.000Z", "@version": "1", "t": "a b", "n": [1, {"k": "ü"}]})
    );
}

#[tokio::test]
async fn mappings_forms_and_messages() {
    let options = r#"url => "http://SERVER/" http_method => "post" format => "form" mapping => { "a b" => "%{t}&*~ü" }"#;
    let (seen, _) = deliver(options, &[], &[EVENT]).await;
    assert_eq!(seen[0].headers["content-type"], "application/x-www-form-urlencoded");
    // CGI.escape("a b") + "=" + CGI.escape("a b&*~ü") of Ruby 3.
    assert_eq!(String::from_utf8_lossy(&seen[0].body), "a+b=a+b%26%2A~%C3%BC");

    let options =
        r#"url => "http://SERVER/" http_method => "post" mapping => { "a" => { "%{t}" => ["%{t}", 5] } }"#;
    let (seen, _) = deliver(options, &[], &[EVENT]).await;
    assert_eq!(String::from_utf8_lossy(&seen[0].body), r#"{"a":{"%{t}":["a b","5"]}}"#);

    let options = r#"url => "http://SERVER/" http_method => "post" format => "message" message => "<%{t}>" content_type => "text/x""#;
    let (seen, _) = deliver(options, &[], &[EVENT]).await;
    assert_eq!(
        (&*seen[0].body, &seen[0].headers["content-type"]),
        (&b"<a b>"[..], &"text/x".parse().unwrap())
    );
}

#[tokio::test]
async fn a_batch_is_one_compressed_request() {
    let options = r#"url => "http://SERVER/%{t}" http_method => "post" format => "json_batch" http_compression => true
        mapping => { "t" => "%{t}" }"#;
    let options = options.replace("%{t}\" http_method", "batch\" http_method");
    let (seen, delivery) = deliver(&options, &[503], &[r#"{"t":1}"#, r#"{"t":2}"#]).await;
    let [request] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(request.headers["content-encoding"], "gzip");
    let mut body = String::new();
    flate2::read::GzDecoder::new(&*request.body).read_to_string(&mut body).unwrap();
    assert_eq!(body, r#"[{"t":"1"},{"t":"2"}]"#);
    assert_eq!(delivery.retry.iter().map(|event| event.index).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn answers_decide_what_is_sent_again() {
    let url = r#"url => "http://SERVER/" http_method => "post" ignorable_codes => [409]"#;
    for (more, code, retry, dead) in [
        ("", 204, 0, 0),
        ("", 409, 0, 0),
        ("", 429, 1, 0),
        ("", 404, 0, 1),
        ("retry_failed => false", 429, 0, 1),
        ("retryable_codes => [404]", 404, 1, 0),
    ] {
        let (_, delivery) = deliver(&format!("{url} {more}"), &[code], &["{}"]).await;
        assert_eq!((delivery.retry.len(), delivery.dead.len()), (retry, dead), "{code} {more}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again_and_a_wrong_url_is_not() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let config = format!(
        r#"output {{ http {{ url => "%{{scheme}}://{address}/?key=geheim" http_method => "post" }} }}"#
    );
    let output = output(&config, &context()).unwrap();
    let (away, wrong) = (event(r#"{"scheme":"http"}"#), event("{}"));
    let delivery = output.deliver(&[&away, &wrong]).await;
    assert_eq!(delivery.retry.iter().map(|event| event.index).collect::<Vec<_>>(), [0]);
    assert_eq!(delivery.dead.iter().map(|event| event.index).collect::<Vec<_>>(), [1]);
}

#[test]
fn messages_need_their_text() {
    let config = r#"output { http { url => "http://x/" http_method => "post" format => "message" } }"#;
    let problems = output(config, &context()).err().unwrap();
    assert!(problems[0].message.contains("needs the option message"), "{problems:?}");
}
