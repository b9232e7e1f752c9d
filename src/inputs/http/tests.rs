//! The input over loopback, with curl at the other end where the form of a request matters.

use std::io::Write;
use std::net::TcpListener as Probe;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::*;
use crate::event::{Event, FieldReference, text};
use crate::plugin::{Context, testkit};
use crate::queue::{Receiver, Taken};

/// A running input whose events are read by the test.
struct Running {
    port: u16,
    receiver: Receiver,
    stop: tokio::sync::watch::Sender<bool>,
    runtime: tokio::runtime::Runtime,
    task: tokio::task::JoinHandle<Result<(), RunError>>,
}

impl Running {
    fn start(options: &str, context: &Context, capacity: usize) -> Self {
        let port = Probe::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!("input {{ http {{ host => '127.0.0.1' port => {port} {options} }} }}");
        let (input, decoration) = testkit::input(&config, context).unwrap();
        let (sink, receiver) = testkit::sink(decoration, capacity);
        let (stop, shutdown) = Shutdown::channel();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let task = runtime.spawn(input.run(sink, shutdown));
        Running { port, receiver, stop, runtime, task }
    }

    fn curl(&self, arguments: &[&str]) -> Command {
        let mut curl = Command::new("curl");
        let address = format!("http://127.0.0.1:{}/path?q=1", self.port);
        curl.args(["--silent", "--show-error", "--include", "--max-time", "20", "--retry", "20"])
            .args(["--retry-connrefused", "--retry-delay", "1", "--user-agent", "tester"])
            .args(arguments)
            .arg(address);
        curl
    }

    /// What curl was answered, and the events that came of it.
    fn exchange(self, arguments: &[&str]) -> (String, Vec<Event>) {
        let (output, found) = self.answered(self.curl(arguments));
        self.stop();
        (said(output), found)
    }

    /// Runs a program while events are taken.
    fn answered(&self, mut program: Command) -> (Output, Vec<Event>) {
        let asking = std::thread::spawn(move || program.output().unwrap());
        let mut found = Vec::new();
        while !asking.is_finished() {
            if let Taken::Batch { events, .. } =
                self.receiver.take(100, Duration::ZERO, Duration::from_millis(20))
            {
                found.extend(events);
            }
        }
        (asking.join().unwrap(), found)
    }

    fn stop(self) {
        self.stop.send(true).unwrap();
        self.runtime.block_on(self.task).unwrap().unwrap();
    }
}

fn said(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).to_ascii_lowercase()
}

fn field(event: &Event, name: &str) -> String {
    event.get(&FieldReference::parse(name).unwrap()).map(text::ruby_to_s).unwrap_or_default()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[test]
fn a_request_is_an_event() {
    let input = Running::start("tags => ['x']", &testkit::context(), 10);
    let port = input.port.to_string();
    let (answer, events) = input.exchange(&["--data", "hello", "--header", "Content-Type: text/plain"]);
    assert_eq!(status(&answer), "200");
    assert!(answer.contains("content-type: text/plain") && answer.ends_with("\r\n\r\nok"), "{answer}");
    let [event] = &events[..] else { panic!("{events:?}") };
    for (name, expected) in [
        ("message", "hello"),
        ("[host][ip]", "127.0.0.1"),
        ("[http][version]", "HTTP/1.1"),
        ("[http][method]", "POST"),
        ("[http][request][body][bytes]", "5"),
        ("[http][request][mime_type]", "text/plain"),
        ("[url][path]", "/path?q=1"),
        ("[url][domain]", "127.0.0.1"),
        ("[url][port]", &port),
        ("[user_agent][original]", "tester"),
        ("[@metadata][input][http][request][headers][request_method]", "POST"),
        ("[@metadata][input][http][request][headers][http_accept]", "*/*"),
        ("[tags][0]", "x"),
    ] {
        assert_eq!(field(event, name), expected, "{name}");
    }
}

#[test]
fn the_content_type_chooses_the_codec() {
    let input = Running::start(
        "response_code => 201 response_headers => { 'X-By' => 'me' }",
        &testkit::legacy_context(),
        10,
    );
    let json =
        ["--data", r#"[{"n":1},{"n":2}]"#, "--header", "Content-Type: application/json; charset=utf-8"];
    let (answer, events) = input.exchange(&json);
    assert_eq!(status(&answer), "201");
    assert!(answer.contains("x-by: me"), "{answer}");
    let seen: Vec<_> = events.iter().map(|event| (field(event, "n"), field(event, "host"))).collect();
    assert_eq!(seen, [("1".into(), "127.0.0.1".into()), ("2".into(), "127.0.0.1".into())]);
    assert_eq!(field(&events[0], "[headers][content_type]"), "application/json; charset=utf-8");
    assert_eq!(field(&events[0], "[headers][http_host]").split(':').next(), Some("127.0.0.1"));
}

#[test]
fn basic_authentication() {
    let start = || Running::start("user => 'u' password => 'p'", &testkit::legacy_context(), 10);
    let (answer, events) = start().exchange(&["--data", "x"]);
    assert_eq!((status(&answer), events.len()), ("401", 0));
    assert!(answer.contains("www-authenticate: basic realm="), "{answer}");
    let (answer, events) = start().exchange(&["--data", "x", "--user", "u:wrong"]);
    assert_eq!((status(&answer), events.len()), ("401", 0));
    assert!(!answer.contains("www-authenticate"), "{answer}");
    let (answer, events) = start().exchange(&["--data", "x", "--user", "u:p"]);
    assert_eq!((status(&answer), events.len()), ("200", 1));
    assert_eq!(field(&events[0], "[headers][authorization]"), "");
}

#[test]
fn bodies_are_unpacked_within_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        format!("@{}", folder.path().join(name).display())
    };
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(b"hello").unwrap();
    let mut deflate = ZlibEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(&[b'a'; 5000]).unwrap();
    let (gzip, bomb) = (file("gzip", &gzip.finish().unwrap()), file("deflate", &deflate.finish().unwrap()));
    let start = || Running::start("max_content_length => 1000", &testkit::legacy_context(), 10);
    let (answer, events) = start().exchange(&["--data-binary", &gzip, "--header", "Content-Encoding: gzip"]);
    assert_eq!((status(&answer), field(&events[0], "message").as_str()), ("200", "hello"));
    assert_eq!(field(&events[0], "[headers][content_length]"), "5");
    for (arguments, code) in [
        (["--data-binary", bomb.as_str(), "--header", "Content-Encoding: deflate"], "413"),
        (["--data-binary", "hello", "--header", "Content-Encoding: deflate"], "400"),
        (["--data-binary", "hello", "--header", "Content-Encoding: gzip"], "400"),
        (["--data-binary", &"a".repeat(1001), "--header", "Expect:"], "413"),
    ] {
        let (answer, events) = start().exchange(&arguments);
        assert_eq!((status(&answer), events.len()), (code, 0), "{arguments:?}");
    }
}

#[test]
fn the_charset_of_the_type_counts() {
    let input = Running::start("", &testkit::legacy_context(), 10);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("latin"), b"caf\xe9").unwrap();
    let data = format!("@{}", folder.path().join("latin").display());
    let arguments = ["--data-binary", &data, "--header", "Content-Type: text/plain; charset=ISO-8859-1"];
    let (_, events) = input.exchange(&arguments);
    assert_eq!(field(&events[0], "message"), "café");
}

#[test]
fn a_field_in_the_way_is_an_error() {
    let input = Running::start("codec => json", &testkit::context(), 10);
    let (answer, events) = input.exchange(&["--data", r#"{"host":"text"}"#]);
    assert_eq!((status(&answer), events.len()), ("500", 0));
}

#[test]
fn the_answer_waits_and_too_many_are_turned_away() {
    // One event fits into the queue, and two requests may wait for room.
    let input = Running::start("threads => 1 max_pending_requests => 1", &testkit::context(), 1);
    let mut asking: Vec<_> = Vec::new();
    let answers = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    for _ in 0..4 {
        let mut curl = input.curl(&["--data", "x", "--retry", "0"]);
        let answers = std::sync::Arc::clone(&answers);
        asking.push(std::thread::spawn(move || {
            let answer = said(curl.output().unwrap());
            answers.lock().unwrap().push(status(&answer).to_owned());
        }));
        // The first one waits for the input to listen.
        std::thread::sleep(Duration::from_millis(1500));
    }
    assert_eq!(*answers.lock().unwrap(), ["429"]);
    let mut taken = 0;
    while taken < 3 {
        match input.receiver.take(1, Duration::ZERO, testkit::LONG) {
            Taken::Batch { events, .. } => taken += events.len(),
            other => panic!("{other:?}"),
        }
    }
    asking.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*answers.lock().unwrap(), ["429", "200", "200", "200"]);
    input.stop();
}

#[test]
fn clients_are_known_by_a_trust_store() {
    let fixture = |name: &str| format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR"));
    // The second spelling is that of Logstash 8.
    for names in
        ["ssl_enabled => true ssl_client_authentication => required", "ssl => true verify_mode => force_peer"]
    {
        let options = format!(
            "{names} ssl_certificate => '{}' ssl_key => '{}' ssl_truststore_path => '{}' ssl_truststore_password => 'store-secret'",
            fixture("client.chain"),
            fixture("client.key"),
            fixture("trust.jks")
        );
        let input = Running::start(&options, &testkit::context(), 100);
        let address = format!("https://localhost:{}/", input.port);
        let ask = |more: &[String]| {
            let here = format!("localhost:{}:127.0.0.1", input.port);
            let ca = fixture("ca.pem");
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--max-time", "60", "--retry", "20", "--retry-connrefused"])
                .args(["--retry-delay", "1", "--data", "x", "--resolve", &here, "--cacert", &ca])
                .args(more)
                .arg(&address);
            input.answered(curl).0
        };
        let known = ask(&["--cert".into(), fixture("client.chain"), "--key".into(), fixture("client.key")]);
        assert_eq!(said(known), "ok", "{names}");
        assert!(!ask(&[]).status.success(), "{names}: someone without a certificate is answered");
        input.stop();
    }
}

#[test]
fn wrong_options_are_named() {
    for (options, word) in [
        ("response_code => 203", "response_code"),
        ("additional_codecs => { 'application/x' => 'nothing' }", "nothing"),
        ("response_headers => { 'a b' => 'c' }", "response_headers"),
        ("ssl_enabled => true ssl_truststore_path => '/x'", "ssl_client_authentication"),
        ("ssl_enabled => true", "ssl_certificate"),
    ] {
        let problems = testkit::input(&format!("input {{ http {{ {options} }} }}"), &testkit::context());
        let problems = problems.err().unwrap_or_else(|| panic!("{options}: nothing is wrong"));
        let text: String = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(text.contains(word), "{options}: {text}");
    }
}
