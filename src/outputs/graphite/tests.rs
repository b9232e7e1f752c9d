//! The cases of the plugin's own suite, and a server that goes and comes back.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;

use super::*;
use crate::plugin::testkit;

/// The lines of an event, without their time where it is that of the event.
fn lines(config: &str, document: &str) -> Vec<String> {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let config = format!("output {{ graphite {{ host => '127.0.0.1' port => {port} {config} }} }}");
    let output = testkit::output(&config, &testkit::context()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut event = testkit::event(document);
    event.set_timestamp(crate::event::Timestamp::parse("2024-02-29T12:00:00Z").unwrap());
    assert_eq!(runtime.block_on(output.deliver(&[&event])), Delivery::done());
    server.set_nonblocking(true).unwrap();
    let Ok((stream, _)) = server.accept() else { return Vec::new() };
    stream.set_nonblocking(false).unwrap();
    runtime.block_on(output.close());
    let lines = BufReader::new(stream).lines().map(|line| line.unwrap());
    lines.map(|line| line.strip_suffix(" 1709208000").map(str::to_owned).unwrap_or(line)).collect()
}

#[test]
fn metrics_by_name() {
    let document = r#"{"foo":"fancy","bar":42}"#;
    assert_eq!(lines("metrics => ['hurray.%{foo}', '%{bar}']", document), ["hurray.fancy 42.0"]);
    let config = "include_metrics => ['foo'] metrics => ['custom.foo', '%{foo}', 'other', '1']";
    assert_eq!(lines(config, r#"{"foo":"123"}"#), ["custom.foo 123.0"]);
    let nested = lines("metrics => ['custom.foo', '1']", r#"{"custom.foo":{"a":3,"c":{"d":2}}}"#);
    assert_eq!(nested, ["custom.foo.a 3", "custom.foo.c.d 2"]);
    // A name whose reference was not resolved is excluded by default.
    assert_eq!(lines("metrics => ['a.%{none}', '1']", "{}"), Vec::<String>::new());
}

#[test]
fn fields_as_metrics() {
    let config =
        "fields_are_metrics => true include_metrics => ['foo'] metrics_format => 'foo.%{@host}.sys.data.*'";
    assert_eq!(lines(config, r#"{"foo":"123","@host":"testhost"}"#), ["foo.testhost.sys.data.foo 123.0"]);
    let nested = lines(config, r#"{"foo":{"a":3,"c":{"d":2},"e":[1]},"@host":"myhost"}"#);
    assert_eq!(nested, ["foo.myhost.sys.data.foo.a 3", "foo.myhost.sys.data.foo.c.d 2"]);
    let all = lines("fields_are_metrics => true metrics_format => 'x.*'", r#"{"foo":"123","bar":true}"#);
    assert_eq!(all, ["x.foo 123.0", "x.bar 0.0"]);
    let none = "fields_are_metrics => true include_metrics => ['notmatchinganything']";
    assert_eq!(lines(none, r#"{"foo":"123"}"#), Vec::<String>::new());
    let without_place = "fields_are_metrics => true metrics_format => 'invalidformat'";
    assert_eq!(lines(without_place, r#"{"foo":"123"}"#), ["foo 123.0"]);
    let separated = "fields_are_metrics => true nested_object_separator => '_'";
    assert_eq!(lines(separated, r#"{"foo":{"a":1.5}}"#), ["foo_a 1.5"]);
}

#[test]
fn the_time_of_another_field() {
    let config = "timestamp_field => 'when' metrics => ['foo', '1']";
    assert_eq!(lines(config, r#"{"when":1234567890}"#), ["foo 1.0 1234567890"]);
    assert_eq!(lines(config, r#"{"when":"12 s"}"#), ["foo 1.0 12"]);
    assert_eq!(lines(config, "{}"), ["foo 1.0 0"]);
}

#[test]
fn a_server_that_is_away_is_waited_for() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let config = format!(
        "output {{ graphite {{ host => '127.0.0.1' port => {port} reconnect_interval => 0.05 metrics => ['a', '%{{n}}'] }} }}"
    );
    let output = testkit::output(&config, &testkit::context()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let send = |n: i64| {
        let event = testkit::event(&format!("{{\"n\":{n}}}"));
        assert_eq!(runtime.block_on(output.deliver(&[&event])), Delivery::done());
    };
    let first_line = |server: &TcpListener| {
        let (stream, _) = server.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    };
    send(1);
    assert!(first_line(&server).starts_with("a 1.0 "));
    drop(server);
    let back = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        let server = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let (stream, _) = server.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    });
    send(2);
    assert!(back.join().unwrap().starts_with("a 2.0 "));
}

#[test]
fn a_broken_expression_is_an_error() {
    let refused = testkit::output("output { graphite { include_metrics => ['('] } }", &testkit::context());
    let problems = refused.err().unwrap();
    assert!(problems.iter().any(|problem| problem.message.contains("include_metrics")), "{problems:?}");
}
