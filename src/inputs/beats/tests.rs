//! Frames made by hand after the protocol's document, and the input over loopback.

use std::io::{Read, Write};
use std::net::{TcpListener as Probe, TcpStream as Client};
use std::sync::Mutex;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::*;
use crate::event::{Event, FieldReference, Value, text};
use crate::lumberjack::frame::{self, Frame, Step};
use crate::lumberjack::packed::Packed;
use crate::lumberjack::window::{MAX_EVENTS, Window, Windows};
use crate::lumberjack::{Malformed, Version};
use crate::plugin::{Context, Problem, testkit};
use crate::queue::{Ack, Receiver, Taken};

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], bytes].concat()
}

fn window(version: u8, size: u32) -> Vec<u8> {
    [&[version, b'W'], &size.to_be_bytes()[..]].concat()
}

fn json_frame(sequence: u32, document: &str) -> Vec<u8> {
    [b"2J", &sequence.to_be_bytes()[..], &sized(document.as_bytes())].concat()
}

fn data_frame(sequence: u32, pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut frame = [b"1D", &sequence.to_be_bytes()[..]].concat();
    frame.extend(u32::try_from(pairs.len()).unwrap().to_be_bytes());
    for (key, value) in pairs {
        frame.extend([sized(key.as_bytes()), sized(value.as_bytes())].concat());
    }
    frame
}

fn packed(frames: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(frames).unwrap();
    [b"2C".to_vec(), sized(&encoder.finish().unwrap())].concat()
}

fn all(windows: &mut Windows, bytes: &[u8]) -> Result<Vec<Window>, Malformed> {
    windows.buffer().extend_from_slice(bytes);
    let mut found = Vec::new();
    while let Some(window) = windows.next_window()? {
        found.push(window);
    }
    Ok(found)
}

fn refused(bytes: &[u8]) -> Malformed {
    all(&mut Windows::default(), bytes).unwrap_err()
}

#[test]
fn windows_are_the_same_however_the_bytes_arrive() {
    let one = r#"{"message":"one"}"#;
    let two = r#"{"message":"two"}"#;
    let stream = [
        window(b'2', 2),
        json_frame(1, one),
        packed(&json_frame(2, two)),
        window(b'1', 1),
        data_frame(7, &[("line", "three"), ("file", "/var/log/ä")]),
        window(b'2', 0),
        // Several windows in one compressed frame.
        packed(&[window(b'2', 1), json_frame(1, one), window(b'2', 1), json_frame(1, two)].concat()),
    ]
    .concat();
    let at_once = all(&mut Windows::default(), &stream).unwrap();
    let seen: Vec<_> =
        at_once.iter().map(|window| (window.version, window.sequence, window.events.len())).collect();
    let expected = [
        (Version::V2, 2, 2),
        (Version::V1, 7, 1),
        (Version::V2, 0, 0),
        (Version::V2, 1, 1),
        (Version::V2, 1, 1),
    ];
    assert_eq!(seen, expected);
    assert_eq!(at_once[1].events[0].get("file"), Some(&Value::from("/var/log/ä")));
    let mut windows = Windows::default();
    let piecemeal: Vec<_> = stream.iter().flat_map(|byte| all(&mut windows, &[*byte]).unwrap()).collect();
    assert_eq!(piecemeal, at_once);
}

#[test]
fn a_new_window_ends_one_that_is_not_complete() {
    let stream =
        [window(b'2', 3), json_frame(1, "{}"), json_frame(2, "{}"), window(b'2', 1), json_frame(1, "{}")];
    let found = all(&mut Windows::default(), &stream.concat()).unwrap();
    let seen: Vec<_> = found.iter().map(|window| (window.sequence, window.events.len())).collect();
    assert_eq!(seen, [(2, 2), (1, 1)]);
}

#[test]
fn what_no_client_sends_is_refused() {
    assert_eq!(refused(b"GET / HTTP/1.1\r\n"), Malformed::Version(b'G'));
    assert_eq!(refused(b"2X"), Malformed::Type(b'X'));
    assert_eq!(refused(&window(b'2', MAX_EVENTS + 1)), Malformed::WindowSize(MAX_EVENTS + 1));
    assert!(matches!(refused(b"2J\0\0\0\x01\xff\xff\xff\xff"), Malformed::TooLong(_)));
    assert!(matches!(refused(b"2C\x7f\xff\xff\xff"), Malformed::TooLong(_)));
    assert_eq!(refused(b"1D\0\0\0\x01\0\0\0\0"), Malformed::Pairs(0));
    assert_eq!(refused(b"1D\0\0\0\x01\xff\xff\xff\xff"), Malformed::Pairs(u32::MAX));
    for document in ["", "[]", "null", "{", "{} {}", "{\"a\":\"\u{1}\"}"] {
        assert!(matches!(refused(&json_frame(1, document)), Malformed::Document(_)), "{document}");
    }
    assert!(matches!(refused(b"2J\0\0\0\x01\0\0\0\x07{\"\xff\":1}"), Malformed::Document(_)));
    assert_eq!(refused(&packed(&packed(b"2W\0\0\0\x01"))), Malformed::Nested);
    assert_eq!(refused(&packed(b"2W\0\0")), Malformed::Partial);
    assert!(matches!(refused(&[b"2C".to_vec(), sized(b"no zlib")].concat()), Malformed::Packed(_)));
}

#[test]
fn a_small_frame_cannot_unpack_to_much() {
    let bomb = packed(&[0; 100_000]);
    assert!(bomb.len() < 500);
    let unpacked = |limit: usize| {
        let (mut packed, mut bytes) = (Packed::new(bomb[6..].to_vec(), limit), Vec::new());
        while packed.unpack(&mut bytes)? {}
        Ok(bytes.len())
    };
    assert_eq!(unpacked(99_999), Err(Malformed::WindowBytes));
    assert_eq!(unpacked(100_000), Ok(100_000));
    // Its first byte is no frame: nothing more of it is looked at.
    assert_eq!(refused(&bomb), Malformed::Version(0));
    // Nor does a length make room before the bytes are there.
    assert_eq!(frame::read(b"2C\x03\xff\xff\x00"), Ok(Step::Needs(0x03ff_ff00 + 6)));
    let Ok(Step::Frame { frame: Frame::Window(4), length: 6, .. }) = frame::read(b"2W\0\0\0\x04rest") else {
        panic!("no window")
    };
}

/// A running input.
struct Running {
    port: u16,
    receiver: Receiver,
    stop: tokio::sync::watch::Sender<bool>,
    runtime: tokio::runtime::Runtime,
    task: Mutex<Option<tokio::task::JoinHandle<Result<(), RunError>>>>,
}

impl Running {
    fn start(options: &str, context: &Context) -> Self {
        let port = Probe::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!("input {{ beats {{ host => '127.0.0.1' port => {port} {options} }} }}");
        let (input, decoration) = testkit::input(&config, context).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 1000);
        let (stop, shutdown) = Shutdown::channel();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let task = Mutex::new(Some(runtime.spawn(input.run(sink, shutdown))));
        Running { port, receiver, stop, runtime, task }
    }

    fn connect(&self) -> Client {
        let since = std::time::Instant::now();
        loop {
            if let Ok(client) = Client::connect(("127.0.0.1", self.port)) {
                client.set_read_timeout(Some(testkit::LONG)).unwrap();
                return client;
            }
            assert!(since.elapsed() < testkit::LONG, "nothing listens");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The events that come next, and the tokens that wait for them.
    fn take(&self) -> (Vec<Event>, Vec<Ack>) {
        match self.receiver.take(usize::MAX, Duration::ZERO, testkit::LONG) {
            Taken::Batch { events, acks } => (events, acks),
            other => panic!("{other:?}"),
        }
    }

    fn stop(self) {
        self.stop.send(true).unwrap();
        let task = self.task.lock().unwrap().take().unwrap();
        self.runtime.block_on(task).unwrap().unwrap();
    }
}

fn answer(client: &mut Client) -> [u8; 6] {
    let mut answer = [0; 6];
    client.read_exact(&mut answer).unwrap();
    answer
}

fn field(event: &Event, name: &str) -> String {
    let field = FieldReference::parse(name).unwrap();
    event.get(&field).map(text::ruby_to_s).unwrap_or_default()
}

#[test]
fn a_window_is_acknowledged_when_it_is_safe() {
    let input = Running::start("", &testkit::context());
    let mut client = input.connect();
    let stream = [window(b'2', 2), json_frame(1, r#"{"n":1}"#), json_frame(2, r#"{"n":2}"#)].concat();
    client.write_all(&[stream, window(b'1', 1), data_frame(9, &[("line", "x")])].concat()).unwrap();
    let (events, acks) = input.take();
    assert_eq!(events.len(), 2);
    // Nothing but the sign of life comes while the events are under way.
    assert_eq!(answer(&mut client), *b"2A\0\0\0\0");
    drop(acks);
    assert_eq!(answer(&mut client), *b"2A\0\0\0\x02");
    let (events, acks) = input.take();
    assert_eq!(field(&events[0], "message"), "x");
    drop(acks);
    assert_eq!(answer(&mut client), *b"1A\0\0\0\x09");
    client.write_all(&window(b'2', 0)).unwrap();
    assert_eq!(answer(&mut client), *b"2A\0\0\0\0");
    input.stop();
}

#[test]
fn a_lost_window_ends_the_connection_without_an_answer() {
    let input = Running::start("", &testkit::context());
    let mut client = input.connect();
    client.write_all(&[window(b'2', 1), json_frame(1, "{}")].concat()).unwrap();
    let (_, acks) = input.take();
    acks.iter().for_each(Ack::fail);
    drop(acks);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty(), "{rest:?}");
    // So does a client that breaks the protocol; others go on.
    let (mut wrong, mut right) = (input.connect(), input.connect());
    wrong.write_all(b"hello").unwrap();
    assert!(matches!(wrong.read(&mut [0; 1]), Ok(0) | Err(_)));
    right.write_all(&window(b'2', 0)).unwrap();
    assert_eq!(answer(&mut right), *b"2A\0\0\0\0");
    input.stop();
}

#[test]
fn a_quiet_connection_is_closed() {
    let input = Running::start("client_inactivity_timeout => 1", &testkit::context());
    assert_eq!(input.connect().read(&mut [0; 1]).unwrap(), 0);
    input.stop();
}

/// The events that one document gives.
fn becomes(options: &str, context: &Context, document: &str) -> Vec<Event> {
    let input = Running::start(options, context);
    let mut client = input.connect();
    client.write_all(&[window(b'2', 1), json_frame(1, document)].concat()).unwrap();
    let (events, acks) = input.take();
    drop(acks);
    assert_eq!(answer(&mut client), *b"2A\0\0\0\x01");
    input.stop();
    events
}

const BEAT: &str = r#"{"@timestamp":"2024-05-06T07:08:09.123Z","@metadata":{"beat":"filebeat"},"message":"the line",
    "event":{"dataset":"test"},"beat":{"hostname":"shipper"},"a":{"b":[1,2.5]},"a.b":1}"#;

#[test]
fn an_event_keeps_what_the_beat_said() {
    let [event] =
        &becomes("add_hostname => true type => 'kind' tags => ['x']", &testkit::context(), BEAT)[..]
    else {
        panic!("not one event")
    };
    assert_eq!(
        testkit::fields(event),
        r#"{"a":{"b":[1,2.5]},"a.b":1,"beat":{"hostname":"shipper"},"event":{"original":"the line","dataset":"test"},"message":"the line","tags":["x","beats_input_codec_plain_applied"],"type":"kind"}"#
    );
    assert_eq!(event.timestamp().unwrap().to_string(), "2024-05-06T07:08:09.123Z");
    let about = "[@metadata][input][beats][host]";
    assert_eq!(field(event, "[@metadata][beat]"), "filebeat");
    assert_eq!(field(event, &format!("{about}[ip]")), "127.0.0.1");
    assert_eq!(field(event, &format!("{about}[name]")), "shipper");
}

#[test]
fn legacy_names() {
    let [event] = &becomes("add_hostname => true", &testkit::legacy_context(), BEAT)[..] else {
        panic!("not one event")
    };
    assert_eq!(field(event, "[@metadata][ip_address]"), "127.0.0.1");
    assert_eq!(field(event, "host"), "shipper");
    assert_eq!(field(event, "[event][dataset]"), "test");
    assert_eq!(field(event, "[event][original]"), "");
}

#[test]
fn the_codec_reads_the_message() {
    let document = r#"{"@timestamp":"2024-05-06T07:08:09.123Z","message":"[{\"n\":1,\"o\":{\"p\":1}},{\"n\":2}]","o":{"q":2}}"#;
    let events = becomes("codec => json", &testkit::legacy_context(), document);
    let tags = r#""tags":["beats_input_codec_json_applied"]"#;
    let seen: Vec<_> = events.iter().map(testkit::fields).collect();
    assert_eq!(
        seen,
        [format!(r#"{{"n":1,"o":{{"p":1,"q":2}},{tags}}}"#), format!(r#"{{"n":2,"o":{{"q":2}},{tags}}}"#)]
    );
}

#[test]
fn an_event_without_a_line_goes_past_the_codec() {
    let [event] = &becomes("codec => json", &testkit::context(), r#"{"metric":1,"message":null}"#)[..] else {
        panic!("not one event")
    };
    assert_eq!(testkit::fields(event), r#"{"message":null,"metric":1,"tags":["beats_input_raw_event"]}"#);
}

#[test]
fn enrichment_can_be_left_out() {
    let [event] = &becomes("enrich => none", &testkit::context(), r#"{"message":5}"#)[..] else {
        panic!("not one event")
    };
    assert_eq!(testkit::fields(event), r#"{"message":"5"}"#);
    assert!(event.metadata().is_empty());
}

#[test]
fn wrong_options_are_named() {
    for (options, word) in [
        ("enrich => [all, source_metadata]", "stand alone"),
        ("enrich => all include_codec_tag => false", "enrich is given as well"),
        ("codec => multiline { pattern => 'x' what => 'next' }", "multiline does not work here"),
        ("congestion_threshold => 5", "congestion_threshold"),
        ("enrich => all ssl_peer_metadata => true", "enrich is given as well"),
        ("ssl_enabled => true", "ssl_certificate"),
    ] {
        let problems =
            testkit::input(&format!("input {{ beats {{ port => 1 {options} }} }}"), &testkit::context());
        let problems = problems.err().unwrap_or_else(|| panic!("{options}: nothing is wrong"));
        let text: String = problems
            .iter()
            .filter(|problem| problem.is_error())
            .map(|problem: &Problem| &*problem.message)
            .collect();
        assert!(text.contains(word), "{options}: {text}");
    }
}
