//! Tests of the filter `http` against a server on the loopback interface.

use axum::Router;
use axum::extract::Request;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use axum::routing::any;

use super::*;
use crate::plugin::testkit;

/// Starts a server that echoes requests, and returns its address.
fn server() -> String {
    let listening = blocking::block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let json = || async { ([(CONTENT_TYPE, "application/json; charset=utf-8")], r#"{"id":10,"n":1.5}"#) };
        let broken = || async { ([(CONTENT_TYPE, "application/json")], "{") };
        let twice = || async { (AppendHeaders([(SET_COOKIE, "a=1"), (SET_COOKIE, "b=2")]), "  text \n") };
        let app = Router::new()
            .route("/json", any(json))
            .route("/broken", any(broken))
            .route("/twice", any(twice))
            .route("/none", any(|| async { StatusCode::NO_CONTENT }))
            .route("/moved", any(|| async { Redirect::temporary("/json") }))
            .route("/refused", any(|| async { (StatusCode::FORBIDDEN, "no entry") }))
            .fallback(echo);
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    });
    format!("http://{}", listening.unwrap())
}

/// Says what came, in one line.
async fn echo(request: Request) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-");
    let said = format!(
        "{} {} type={} x={} cookie={} body={}",
        head.method,
        head.uri,
        header("content-type"),
        header("x-id"),
        header("cookie"),
        String::from_utf8_lossy(&body)
    );
    ([("x-said", said.clone())], said)
}

fn http(options: &str) -> Box<dyn Filter> {
    let config =
        format!("filter {{ http {{ target_body => \"out\" target_headers => \"head\" {options} }} }}");
    testkit::filter(&config, &testkit::context()).unwrap()
}

fn ask(filter: &dyn Filter, event: &str) -> (Event, Outcome) {
    let mut event = testkit::event(event);
    let outcome = filter.filter(&mut event, &mut Emit::default());
    (event, outcome)
}

fn text<'e>(event: &'e Event, field: &str) -> &'e str {
    event.data().get(field).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn requests_are_made_of_events() {
    let filter = http(&format!(
        r#"url => "{}/u/%{{id}}" verb => "POST" headers => {{ "X-Id" => "%{{id}}" }} query => {{ "q" => ["a b", "%{{id}}"] }}
           body => {{ "%{{id}}" => ["%{{id}}", 5] }} body_format => "json""#,
        server()
    ));
    let (event, outcome) = ask(&*filter, r#"{"id":7}"#);
    assert_eq!(outcome, Outcome::Matched);
    let expected = r#"POST /u/7?q=a+b&q=7 type=application/json x=7 cookie=- body={"7":["7",5]}"#;
    assert_eq!(text(&event, "out"), expected);
}

#[test]
fn json_answers_become_data() {
    let server = server();
    let (event, outcome) = ask(&*http(&format!("url => \"{server}/json\"")), "{}");
    assert_eq!(outcome, Outcome::Matched);
    assert!(testkit::fields(&event).contains(r#""out":{"id":10,"n":1.5}"#), "{}", testkit::fields(&event));
    let (event, outcome) = ask(&*http(&format!("url => \"{server}/broken\"")), "{}");
    // Logstash takes this for a match as well.
    assert_eq!(outcome, Outcome::Matched);
    assert!(testkit::fields(&event).contains(r#""tags":["_jsonparsefailure"]"#));
}

#[test]
fn headers_and_text_are_kept() {
    let filter = http(&format!("url => \"{}/twice\"", server()));
    let (event, _) = ask(&*filter, "{}");
    assert_eq!(text(&event, "out"), "text");
    let fields = testkit::fields(&event);
    assert!(fields.contains(r#""set-cookie":["a=1","b=2"]"#), "{fields}");
}

#[test]
fn answers_without_a_body_set_headers_only() {
    let server = server();
    for options in ["/none\"", "/json\" verb => \"HEAD\""] {
        let (event, outcome) = ask(&*http(&format!("url => \"{server}{options}")), "{}");
        assert_eq!(outcome, Outcome::Matched);
        assert!(event.data().contains_key("head") && !event.data().contains_key("out"), "{options}");
    }
}

#[test]
fn failures_are_tagged() {
    let server = server();
    for options in [
        format!("url => \"{server}/refused\""),
        "url => \"http://127.0.0.1:1/\" automatic_retries => 0".into(),
        "url => \"%{missing}\"".into(),
        format!("url => \"{server}/moved\" follow_redirects => false"),
        format!("url => \"{server}/x\" headers => {{ \"X-Id\" => \"%{{line}}\" }}"),
    ] {
        let (event, outcome) = ask(&*http(&options), r#"{"line":"a\nb"}"#);
        assert_eq!(outcome, Outcome::Failed, "{options}");
        assert_eq!(testkit::fields(&event), r#"{"line":"a\nb","tags":["_httprequestfailure"]}"#, "{options}");
    }
}

#[test]
fn redirects_and_cookies_are_followed() {
    let server = server();
    let (event, _) = ask(&*http(&format!("url => \"{server}/moved\"")), "{}");
    assert!(testkit::fields(&event).contains(r#""id":10"#));
    for (cookies, expected) in [("true", "a=1"), ("false", "cookie=-")] {
        let filter = http(&format!("url => \"{server}/%{{p}}\" cookies => {cookies}"));
        ask(&*filter, r#"{"p":"twice"}"#);
        let (event, _) = ask(&*filter, r#"{"p":"other"}"#);
        assert!(text(&event, "out").contains(expected), "{}", text(&event, "out"));
    }
}

#[test]
fn a_proxy_gets_the_whole_url() {
    let proxy = server();
    let filter = http(&format!("url => \"http://example.test/a\" proxy => \"{proxy}\""));
    let (event, _) = ask(&*filter, "{}");
    assert!(text(&event, "out").starts_with("GET http://example.test/a "), "{}", text(&event, "out"));
}

#[test]
fn targets_follow_the_ecs_mode() {
    let config = format!("filter {{ http {{ url => \"{}/json\" }} }}", server());
    assert!(testkit::filter(&config, &testkit::context()).is_err());
    let filter = testkit::filter(&config, &testkit::legacy_context()).unwrap();
    let (event, _) = ask(&*filter, "{}");
    assert!(event.data().contains_key("body") && event.data().contains_key("headers"));
}

#[test]
fn what_cannot_work_is_refused() {
    for options in [
        "user => \"u\"",
        "verb => \"FETCH\"",
        "body => { \"a\" => 1 }",
        "proxy => { port => 1 }",
        "ssl_certificate => \"/nowhere\"",
        "headers => { \"a\" => { \"b\" => 1 } }",
    ] {
        let config = format!("filter {{ http {{ url => \"http://h/\" target_body => \"b\" {options} }} }}");
        assert!(testkit::filter(&config, &testkit::context()).is_err(), "{options}");
    }
}
