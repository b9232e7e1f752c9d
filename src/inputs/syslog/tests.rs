//! Tests of the input `syslog`; the messages and what becomes of them are those of the plugin's syslog_spec.rb.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use crate::event::{Event, FieldReference, Timestamp, text::ruby_to_s};
use crate::plugin::testkit::{self, LONG};
use crate::plugin::{Context, Shutdown};
use crate::queue::Taken;

const LINE: &str = "<164>Oct 26 15:19:25 1.2.3.4 %ASA-4-106023: Deny udp src DRAC:10.1.2.3/43434";

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The events of an input to which `send` has sent something.
fn received(options: &str, context: &Context, count: usize, send: impl FnOnce(u16)) -> Vec<Event> {
    let port = free_port();
    let config = format!("input {{ syslog {{ host => '127.0.0.1' port => {port} {options} }} }}");
    let (input, decoration) = testkit::input(&config, context).unwrap();
    let (sink, receiver) = testkit::sink(decoration, 1000);
    let (stop, shutdown) = Shutdown::channel();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let running = runtime.spawn(input.run(sink, shutdown));
    let started = Instant::now();
    // TCP is bound after UDP: when it listens, both do.
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < LONG && !running.is_finished(), "the input does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    send(port);
    let mut events = Vec::new();
    while events.len() < count {
        let Taken::Batch { events: more, .. } = receiver.take(count, Duration::ZERO, LONG) else {
            panic!("only {} events came", events.len())
        };
        events.extend(more);
    }
    stop.send(true).unwrap();
    runtime.block_on(running).unwrap().unwrap();
    events
}

fn by_tcp(text: &str) -> impl FnOnce(u16) {
    let text = text.to_owned();
    move |port| TcpStream::connect(("127.0.0.1", port)).unwrap().write_all(text.as_bytes()).unwrap()
}

fn text(event: &Event, name: &str) -> String {
    event.get(&FieldReference::parse(name).unwrap()).map_or("MISSING".into(), ruby_to_s)
}

#[test]
fn messages_are_taken_apart_with_and_without_ecs() {
    let events =
        received("timezone => '-05:00'", &testkit::legacy_context(), 1, by_tcp(&format!("{LINE}\n")));
    let time: Timestamp = events[0].timestamp().unwrap();
    assert!(time.to_string().ends_with("-10-26T20:19:25.000Z"), "{time}");
    for (field, expected) in [
        ("priority", "164"),
        ("severity", "4"),
        ("facility", "20"),
        ("severity_label", "Warning"),
        ("facility_label", "local4"),
        ("host", "127.0.0.1"),
        ("logsource", "1.2.3.4"),
        ("timestamp", "Oct 26 15:19:25"),
    ] {
        assert_eq!(text(&events[0], field), expected, "{field}");
    }
    let line = "<164>Oct 26 15:19:25 1.2.3.4 a sample message";
    let send = |port| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(line.as_bytes(), ("127.0.0.1", port)).unwrap();
    };
    let events = received("", &testkit::context(), 1, send);
    for (field, expected) in [
        ("[log][syslog][priority]", "164"),
        ("[log][syslog][severity][code]", "4"),
        ("[log][syslog][facility][code]", "20"),
        ("[log][syslog][severity][name]", "Warning"),
        ("[log][syslog][facility][name]", "local4"),
        ("[host][ip]", "127.0.0.1"),
        ("[host][hostname]", "1.2.3.4"),
        ("[event][original]", line),
        ("[service][type]", "system"),
        ("message", "a sample message"),
        ("timestamp", "MISSING"),
        ("tags", "MISSING"),
    ] {
        assert_eq!(text(&events[0], field), expected, "{field}");
    }
}

#[test]
fn what_is_no_syslog_is_kept() {
    let events = received("", &testkit::context(), 2, by_tcp("hello, this is not syslog\nnor this"));
    assert_eq!(text(&events[0], "tags"), r#"["_grokparsefailure_sysloginput"]"#);
    assert_eq!(text(&events[0], "message"), "hello, this is not syslog\n");
    assert_eq!(text(&events[0], "[log][syslog][priority]"), "13");
    assert_eq!(text(&events[0], "[log][syslog][facility][name]"), "user-level");
    assert_eq!(text(&events[1], "message"), "nor this");
}

#[test]
fn the_proxy_protocol_names_the_sender() {
    let lines = format!("PROXY TCP4 1.2.3.4 5.6.7.8 1234 5678\r\n{LINE}\n{LINE}\n");
    let events = received("proxy_protocol => true", &testkit::legacy_context(), 2, by_tcp(&lines));
    assert_eq!(text(&events[1], "host"), "1.2.3.4");
}

#[test]
fn other_patterns_may_be_given() {
    let options =
        "grok_pattern => '<%{POSINT:priority}>%{SYSLOGTIMESTAMP:timestamp} atypical %{GREEDYDATA:message}'
        use_labels => false";
    let send = by_tcp("<164>Oct 26 15:19:25 atypical This part constitutes the message field\n");
    let events = received(options, &testkit::legacy_context(), 1, send);
    assert_eq!(text(&events[0], "message"), "This part constitutes the message field\n");
    assert_eq!(
        (text(&events[0], "facility"), text(&events[0], "facility_label")),
        ("20".into(), "MISSING".into())
    );
}

#[test]
fn messages_of_logger_are_understood() {
    if !std::fs::exists("/usr/bin/logger").unwrap_or(false) {
        eprintln!("skipped: logger is not installed (apt-get install bsdutils)");
        return;
    }
    let send = |port: u16| {
        let port = port.to_string();
        let arguments = [
            "--rfc3164",
            "-d",
            "-n",
            "127.0.0.1",
            "-P",
            port.as_str(),
            "-p",
            "local3.err",
            "-t",
            "me",
            "hello",
        ];
        assert!(std::process::Command::new("/usr/bin/logger").args(arguments).status().unwrap().success());
    };
    let events = received("", &testkit::context(), 1, send);
    assert_eq!(text(&events[0], "message"), "hello");
    assert_eq!(text(&events[0], "[process][name]"), "me");
    assert_eq!(text(&events[0], "[log][syslog][facility][name]"), "local3");
    assert_eq!(text(&events[0], "[log][syslog][severity][name]"), "Error");
    assert_eq!(text(&events[0], "tags"), "MISSING");
}
