//! The lumberjack plugins and Elastic's own client and server, go-lumber; and both plugins with each other.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::kafka::program::Rstash;
use crate::peer::{free_port, go_lumber};
use crate::tls::Authority;

const LONG: Duration = Duration::from_secs(120);

/// The server of go-lumber, and what it has received.
struct Server {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(program: &Path, port: u16, (key, certificate): &(String, String), hang: usize) -> Self {
        let mut child = Command::new(program)
            .arg(format!("-listen=127.0.0.1:{port}"))
            .args([format!("-certificate={certificate}"), format!("-key={key}"), format!("-hang={hang}")])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        output.next().expect("an address").expect("a line");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        std::thread::spawn(move || {
            output.map_while(Result::ok).for_each(|line| kept.lock().expect("no panic").push(line));
        });
        Server { child, lines }
    }

    /// The lines of the events, in their order.
    fn received(&self) -> Vec<String> {
        let lines = self.lines.lock().expect("no panic");
        let text = |line: &String| {
            let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
            event["line"].as_str().expect("a line").to_owned()
        };
        lines.iter().map(text).collect()
    }

    fn wait_for_end(&mut self) {
        let end = Instant::now() + LONG;
        while self.child.try_wait().expect("a process").is_none() {
            assert!(Instant::now() < end, "the server has not ended");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn sender(count: usize, port: u16, authority: &str, more: &str) -> String {
    format!(
        "input {{ generator {{ count => {count} }} }}
         output {{ lumberjack {{ hosts => ['127.0.0.1'] port => {port} ssl_certificate => '{authority}'
           codec => line {{ format => '%{{[event][sequence]}}' }} {more} }} }}"
    )
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number}\n")).collect()
}

#[test]
fn elastics_server_receives_everything_in_order() {
    let Some(program) = go_lumber() else { return };
    let authority = Authority::new();
    let port = free_port();
    let server = Server::start(&program, port, &authority.issue("somewhere.else"), 0);
    let rstash = Rstash::start(&sender(3000, port, &authority.path(), "flush_size => 100"));
    assert!(rstash.wait().success(), "{}", rstash.log());
    let mut received = server.received();
    received.sort_by_key(|line| line.trim().parse::<usize>().ok());
    assert_eq!(received, numbers(3000));
}

/// A server that ends in the middle of a window, and comes back: what it had not acknowledged is sent again.
#[test]
fn a_server_that_goes_away_costs_nothing() {
    let Some(program) = go_lumber() else { return };
    let authority = Authority::new();
    let (port, identity) = (free_port(), authority.issue("localhost"));
    let mut first = Server::start(&program, port, &identity, 700);
    let rstash = Rstash::start(&sender(2000, port, &authority.path(), "flush_size => 64"));
    first.wait_for_end();
    let second = Server::start(&program, port, &identity, 0);
    assert!(rstash.wait().success(), "{}", rstash.log());
    let mut all = first.received();
    all.extend(second.received());
    all.sort_by_key(|line| line.trim().parse::<usize>().ok());
    all.dedup();
    assert_eq!(all, numbers(2000));
    assert!(second.received().len() < 2000, "what was acknowledged is not sent again");
}

#[test]
fn a_server_of_another_authority_gets_nothing() {
    let Some(program) = go_lumber() else { return };
    let (authority, other) = (Authority::new(), Authority::new());
    let port = free_port();
    let server = Server::start(&program, port, &other.issue("localhost"), 0);
    let rstash = Rstash::start(&sender(1, port, &authority.path(), ""));
    rstash.wait_for_log("invalid peer certificate");
    assert!(server.received().is_empty());
}

fn receiver(port: u16, (key, certificate): &(String, String), more: &str, format: &str) -> String {
    format!(
        "input {{ lumberjack {{ host => '127.0.0.1' port => {port} ssl_certificate => '{certificate}' ssl_key => '{key}' {more} }} }}
         output {{ file {{ path => '{{out}}' codec => line {{ format => '{format}' }} }} }}"
    )
}

#[test]
fn elastics_client_is_told_when_everything_is_written() {
    let Some(program) = go_lumber() else { return };
    let authority = Authority::new();
    let (port, identity) = (free_port(), authority.issue("localhost"));
    let format = "%{number} %{message} %{+YYYY} %{[event][dataset]}";
    let rstash = Rstash::start(&receiver(port, &identity, "", format));
    for options in ["-count=2000 -window=100 -compress=3", "-count=1000 -window=50 -async=3"] {
        let before = rstash.lines().len();
        let output = Command::new(&program)
            .args(options.split(' '))
            .args([
                &format!("-address=127.0.0.1:{port}"),
                &format!("-authority={}", authority.path()),
                "-line=line",
            ])
            .output()
            .expect("the client runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.ends_with("done\n"), "{said}{}", rstash.log());
        // The last acknowledgement came after the last line: nothing is waited for.
        let mut lines = rstash.lines().split_off(before);
        lines.sort_by_key(|line| line.split(' ').next().and_then(|number| number.parse::<usize>().ok()));
        let expected: Vec<_> = (1..=lines.len()).map(|n| format!("{n} event {n} 2024 test")).collect();
        assert_eq!(lines, expected);
        assert_eq!(lines.len(), if before == 0 { 2000 } else { 1000 });
    }
}

#[test]
fn one_rstash_sends_to_another() {
    let authority = Authority::new();
    let (port, identity) = (free_port(), authority.issue("localhost"));
    let receiving = Rstash::start(&receiver(port, &identity, "codec => json type => 'got'", "%{n} %{type}"));
    let sending = Rstash::start(&format!(
        "input {{ generator {{ lines => ['{{\"n\":1}}', '{{\"n\":2}}'] count => 500 codec => json }} }}
         output {{ lumberjack {{ hosts => 'localhost' port => {port} ssl_certificate => '{}' codec => json }} }}",
        authority.path()
    ));
    assert!(sending.wait().success(), "{}", sending.log());
    let mut lines = receiving.lines();
    lines.sort();
    let expected: Vec<_> = ["1 got", "2 got"].iter().flat_map(|line| vec![(*line).to_owned(); 500]).collect();
    assert_eq!(lines, expected);
}
