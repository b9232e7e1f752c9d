//! The beats input and Elastic's own client, go-lumber: what a client was told to be safe has been written.

use std::io::BufRead;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::kafka::program::Rstash;
use crate::peer::{free_port, go_lumber};
use crate::shared::is_soak;

fn client(program: &PathBuf, port: u16, options: &str) -> Child {
    Command::new(program)
        .arg(format!("-address=127.0.0.1:{port}"))
        .args(options.split_whitespace())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client starts")
}

/// Waits for a client that must reach its end.
fn finish(client: Child) {
    let output = client.wait_with_output().expect("the client's output");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.ends_with("done\n"), "{said}");
}

/// `{in}` in this config is the input.
fn config(input: &str) -> String {
    format!(
        "input {{ {input} }} output {{ file {{ path => '{{out}}' codec => line {{ format => '%{{number}} %{{message}} %{{+YYYY}} %{{[@metadata][beat]}}' }} }} }}"
    )
}

/// How often each number stands in these lines, from 1 on.
fn counts(lines: &[String], count: usize) -> Vec<usize> {
    let mut counts = vec![0; count];
    for line in lines {
        let number: usize = line.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
        assert_eq!(*line, format!("{number} event {number} 2024 filebeat"));
        counts[number - 1] += 1;
    }
    counts
}

#[test]
fn every_event_of_every_kind_of_client_arrives_once() {
    let Some(program) = go_lumber() else { return };
    for (input, options) in [
        ("beats", "-count=3000 -window=100"),
        ("elastic_agent", "-count=3000 -window=77 -compress=3"),
        ("beats", "-count=10000 -window=2048 -async=4 -compress=6"),
    ] {
        let port = free_port();
        let rstash = Rstash::start(&config(&format!("{input} {{ host => '127.0.0.1' port => {port} }}")));
        finish(client(&program, port, options));
        let count = options.split(['=', ' ']).nth(1).and_then(|count| count.parse().ok()).expect("a count");
        // The last acknowledgement came after the last line: nothing is waited for.
        assert_eq!(counts(&rstash.lines(), count), vec![1; count], "{options}");
    }
}

#[test]
fn encrypted_with_certificates_on_both_sides() {
    let Some(program) = go_lumber() else { return };
    let port = free_port();
    let fixture = |name: &str| format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR"));
    let (chain, key, ca) = (fixture("client.chain"), fixture("client.key"), fixture("ca.pem"));
    // By the names of today and by those of Logstash 8.
    for names in [
        "ssl_enabled => true ssl_client_authentication => required enrich => all",
        "ssl => true ssl_verify_mode => force_peer ssl_peer_metadata => true tls_min_version => 1.2",
    ] {
        let input = format!(
            "beats {{ host => '127.0.0.1' port => {port} {names} ssl_certificate => '{chain}' ssl_key => '{key}'
              ssl_certificate_authorities => ['{ca}'] add_field => {{ 'status' => '%{{[@metadata][tls_peer][status]}}' }} }}"
        );
        let verified = "} filter { if [status] != 'verified' { drop { } } } output";
        let rstash = Rstash::start(&config(&input).replace("} output", verified));
        let options = format!("-count=2000 -async=2 -authority={ca} -certificate={chain} -key={key}");
        finish(client(&program, port, &options));
        assert_eq!(counts(&rstash.lines(), 2000), vec![1; 2000], "{names}");
    }
}

#[test]
fn nothing_is_lost_when_the_process_dies() {
    let Some(program) = go_lumber() else { return };
    let port = free_port();
    // Slow enough that it dies in the middle.
    let slow = config(&format!("beats {{ host => '127.0.0.1' port => {port} }}"))
        .replace("} output", "} filter { sleep { time => '0.001' } } output");
    for options in
        ["-count=3000 -window=50 -wait=60s", "-count=3000 -window=50 -async=3 -compress=1 -wait=60s"]
    {
        let first = Rstash::start(&slow);
        let mut client = client(&program, port, options);
        first.wait_for_lines(400);
        let mut lines = first.kill();
        assert!(client.try_wait().expect("a process").is_none(), "the client has ended already");
        std::thread::sleep(Duration::from_millis(200));
        let second = Rstash::start(&slow);
        finish(client);
        lines.extend(second.lines());
        // What was under way may come twice, but everything has come.
        let missing: Vec<_> =
            counts(&lines, 3000).iter().enumerate().filter(|(_, n)| **n == 0).map(|(at, _)| at + 1).collect();
        assert_eq!(missing, Vec::<usize>::new(), "{options}");
        assert!(second.lines().len() > 1000, "{options}: the second process had little to do");
    }
}

/// Killed again and again at any moment: whatever the client was told to be safe is in the output.
#[test]
fn kills_at_any_moment_lose_nothing_that_was_acknowledged() {
    const KILLS: usize = 8;
    let count = if is_soak() { 1_000_000 } else { 100_000 };
    let Some(program) = go_lumber() else { return };
    let port = free_port();
    let config = config(&format!("beats {{ host => '127.0.0.1' port => {port} }}"));
    let options = format!("-count={count} -window=200 -async=4 -compress=1 -wait=60s -patience=300s");
    let mut client = client(&program, port, &options);
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let stdout = client.stdout.take().expect("it is piped");
    let told = Arc::clone(&acknowledged);
    let reader = std::thread::spawn(move || {
        let lines = std::io::BufReader::new(stdout).lines().map_while(Result::ok);
        lines.fold(String::new(), |_, line| {
            if let Ok(number) = line.parse() {
                told.store(number, Ordering::Release);
            }
            line
        })
    });
    let mut seen = vec![false; count];
    let mut note = |lines: Vec<String>| {
        for (index, times) in counts(&lines, count).into_iter().enumerate() {
            seen[index] |= times > 0;
        }
        seen.iter().position(|seen| !seen).unwrap_or(count)
    };
    for _ in 0..KILLS {
        let rstash = Rstash::start(&config);
        let more = acknowledged.load(Ordering::Acquire) + fastrand::usize(1..count / KILLS);
        rstash.wait_for("acknowledgements", more.min(count), || acknowledged.load(Ordering::Acquire));
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..100)));
        let safe = acknowledged.load(Ordering::Acquire);
        let first_missing = note(rstash.kill());
        assert!(first_missing >= safe, "event {first_missing} of {safe} that were acknowledged is missing");
    }
    let last = Rstash::start(&config);
    assert!(client.wait().expect("the client ends").success());
    assert_eq!(reader.join().expect("its lines can be read"), "done");
    assert_eq!(note(last.lines()), count);
}
