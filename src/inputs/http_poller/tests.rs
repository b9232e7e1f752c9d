//! Tests of the input `http_poller` against a server on the loopback interface.

use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::any;

use crate::event::{Event, FieldReference, Value, text::ruby_to_s};
use crate::plugin::testkit::{self, LONG};
use crate::plugin::{Context, Shutdown};

/// A server that answers with what came, and where it listens.
async fn server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = |method: Method, headers: HeaderMap, body: String| async move {
        let own = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let answer = serde_json::json!({"method": method.as_str(), "x": own("x-own"), "auth": own("authorization"), "body": body});
        (StatusCode::ACCEPTED, [("x-answer", "yes")], answer.to_string())
    };
    let empty = || async { (StatusCode::NOT_FOUND, "") };
    let router = Router::new().route("/echo", any(echo)).route("/empty", any(empty));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address.to_string()
}

/// The first event of a poller.
async fn first(options: &str, context: &Context) -> Event {
    let config = format!("input {{ http_poller {{ {options} type => 'mine' }} }}");
    let (input, decoration) = testkit::input(&config, context).unwrap();
    let (sink, receiver) = testkit::sink(decoration, 1000);
    let (stop, shutdown) = Shutdown::channel();
    let running = tokio::spawn(input.run(sink, shutdown));
    let taken = tokio::task::spawn_blocking(move || {
        let taken = receiver.take(1, std::time::Duration::ZERO, LONG);
        (taken, receiver)
    });
    let (taken, _receiver) = taken.await.unwrap();
    stop.send(true).unwrap();
    tokio::time::timeout(LONG, running).await.unwrap().unwrap().unwrap();
    let crate::queue::Taken::Batch { mut events, .. } = taken else { panic!("nothing came") };
    events.remove(0)
}

fn text(event: &Event, name: &str) -> String {
    event.get(&FieldReference::parse(name).unwrap()).map_or("MISSING".into(), ruby_to_s)
}

#[tokio::test]
async fn answers_become_events_with_what_is_to_say_of_them() {
    let server = server().await;
    let options = format!(
        r#"urls => {{ "one" => {{ "url" => "http://{server}/echo" "method" => "post" "user" => "u" "password" => "geheim"
            "headers" => {{ "X-Own" => "v" }} "body" => "text" }} }} schedule => {{ "in" => "0s" }}"#
    );
    let event = first(&options, &testkit::context()).await;
    // "u:geheim" in base64.
    for (field, expected) in [
        ("method", "POST"),
        ("x", "v"),
        ("auth", "Basic dTpnZWhlaW0="),
        ("body", "text"),
        ("type", "mine"),
        ("[@metadata][input][http_poller][request][name]", "one"),
        ("[@metadata][input][http_poller][request][retry_count]", "0"),
        ("[@metadata][input][http_poller][request][original][method]", "post"),
        ("[@metadata][input][http_poller][request][original][password]", "MISSING"),
        ("[@metadata][input][http_poller][response][status_code]", "202"),
        ("[@metadata][input][http_poller][response][status_message]", "Accepted"),
        ("[@metadata][input][http_poller][response][headers][x-answer]", "yes"),
    ] {
        assert_eq!(text(&event, field), expected, "{field}");
    }
}

#[tokio::test]
async fn targets_and_names_without_ecs() {
    let server = server().await;
    let options = format!(
        r#"urls => {{ "one" => "http://{server}/echo" }} schedule => {{ "every" => "1h" }} target => "data" metadata_target => "meta""#
    );
    let event = first(&options, &testkit::legacy_context()).await;
    assert_eq!((text(&event, "[data][method]"), text(&event, "[meta][code]")), ("GET".into(), "202".into()));
    assert_eq!(text(&event, "[meta][request][url]"), format!("http://{server}/echo"));
    let took = event.get(&FieldReference::parse("[meta][runtime_seconds]").unwrap());
    assert!(matches!(took, Some(Value::Float(_))), "{took:?}");

    let options =
        format!(r#"urls => {{ "none" => "http://{server}/empty" }} schedule => {{ "every" => "1h" }}"#);
    let event = first(&options, &testkit::legacy_context()).await;
    assert_eq!(
        (text(&event, "message"), text(&event, "[@metadata][code]")),
        ("MISSING".into(), "404".into())
    );
}

#[tokio::test]
async fn failures_are_events_too() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options =
        format!(r#"urls => {{ "away" => "http://127.0.0.1:{port}/" }} schedule => {{ "every" => "1h" }}"#);
    let event = first(&options, &testkit::context()).await;
    assert_eq!(text(&event, "tags"), r#"["_http_request_failure"]"#);
    assert_eq!(text(&event, "[url][full]"), format!("http://127.0.0.1:{port}/"));
    assert_eq!(
        (text(&event, "[http][request][method]"), text(&event, "type")),
        ("get".into(), "MISSING".into())
    );
    assert!(text(&event, "[error][message]").to_lowercase().contains("refused"), "{event:?}");
    let event = first(&options, &testkit::legacy_context()).await;
    assert_eq!(text(&event, "[http_request_failure][name]"), "away");
}

#[test]
fn mistakes_are_found_at_the_start() {
    for (options, part) in [
        (r#"urls => { "a" => "http://x/" } schedule => { "every" => "1s" "in" => "1s" }"#, "exactly one of"),
        (r#"urls => { "a" => "http://x/" } schedule => { "cron" => "often" }"#, "no cron line"),
        (r#"urls => { "a" => { "method" => "get" } } schedule => { "every" => "1s" }"#, "needs a url"),
        (
            r#"urls => { "a" => { "url" => "http://x/" "user" => "u" } } schedule => { "every" => "1s" }"#,
            "both",
        ),
        (
            r#"urls => { "a" => { "url" => "http://x/" "nosuch" => "u" } } schedule => { "every" => "1s" }"#,
            "nosuch",
        ),
    ] {
        let config = format!("input {{ http_poller {{ {options} }} }}");
        let problems = testkit::input(&config, &testkit::context()).err().unwrap();
        assert!(problems.iter().any(|problem| problem.message.contains(part)), "{part}: {problems:?}");
    }
}
