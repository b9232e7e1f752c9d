//! The ends of a pipeline that a process has by itself: standard input, standard output, files.
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the program may take for what it has to do.
const LONG: Duration = Duration::from_secs(60);

/// A run of the program, stopped at the latest when the test is over.
struct Run(Child);

impl Run {
    fn start(config: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_rstash"))
            .args(["-e", config, "--log.level", "warn"])
            .env_remove("LS_SETTINGS_DIR")
            .env_remove("LOGSTASH_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Run(child.expect("the program starts"))
    }

    fn stdin(&mut self) -> ChildStdin {
        self.0.stdin.take().expect("standard input is piped")
    }

    fn first_line(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.0.stdout.as_mut().expect("standard output is piped");
        BufReader::with_capacity(1, stdout).read_line(&mut line).expect("there is a line");
        line
    }

    /// Waits for the end, which must be a good one, and returns what else was printed.
    fn end(mut self) -> String {
        let mut rest = String::new();
        if let Some(mut stdout) = self.0.stdout.take() {
            stdout.read_to_string(&mut rest).expect("text is printed");
        }
        let started = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("the program can be waited for") {
                let mut log = String::new();
                let stderr = self.0.stderr.as_mut().expect("standard error is piped");
                stderr.read_to_string(&mut log).expect("the log is text");
                assert_eq!(status.code(), Some(0), "{log}");
                return rest;
            }
            assert!(started.elapsed() < LONG, "the program does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn field(line: &str, pointer: &str) -> serde_json::Value {
    let event: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    event.pointer(pointer).cloned().unwrap_or_default()
}

#[test]
fn lines_come_through_at_once_and_the_end_of_input_is_the_end() {
    let mut run = Run::start("input { stdin { } } output { stdout { codec => json_lines } }");
    let mut stdin = run.stdin();
    stdin.write_all(b"one\ntw").unwrap();
    assert_eq!(field(&run.first_line(), "/message"), "one");
    stdin.write_all(b"o").unwrap();
    drop(stdin);
    assert_eq!(field(run.end().trim_end(), "/message"), "two");
}

#[test]
fn a_closed_pipe_ends_the_pipeline_without_an_error() {
    let mut run = Run::start("input { generator { } } output { stdout { codec => json_lines } }");
    // Which one is first is open: batches of several workers may overtake each other.
    assert!(field(&run.first_line(), "/event/sequence").is_number());
    drop(run.0.stdout.take());
    run.end();
}

#[test]
fn a_closed_pipe_ends_even_an_input_that_waits() {
    let mut run = Run::start("input { stdin { codec => json } } output { stdout { codec => json_lines } }");
    let mut stdin = run.stdin();
    stdin.write_all(b"{\"a\":1}\n").unwrap();
    assert_eq!(field(&run.first_line(), "/a"), 1);
    drop(run.0.stdout.take());
    stdin.write_all(b"{\"a\":2}\n").unwrap();
    run.end();
    drop(stdin);
}

#[test]
fn a_generator_repeats_the_line_it_reads() {
    let config =
        r#"input { generator { message => "stdin" count => 2 } } output { stdout { codec => json_lines } }"#;
    let mut run = Run::start(config);
    let mut stdin = run.stdin();
    stdin.write_all(b"bar\nnot this\n").unwrap();
    let printed = run.end();
    let messages: Vec<_> = printed.lines().map(|line| field(line, "/message")).collect();
    assert_eq!(messages, ["bar\n", "bar\n"]);
}

#[test]
fn every_event_is_in_its_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        r#"input {{ generator {{ count => 10250 }} }}
        output {{ file {{ path => "{0}/plain.log" }} file {{ path => "{0}/%{{message}}.gz" gzip => true }} }}"#,
        folder.path().display()
    );
    Run::start(&config).end();
    let plain = std::fs::read_to_string(folder.path().join("plain.log")).unwrap();
    let mut unpacked = String::new();
    let gzip = std::fs::File::open(folder.path().join("Hello world!.gz")).unwrap();
    flate2::read::MultiGzDecoder::new(gzip).read_to_string(&mut unpacked).unwrap();
    for text in [plain, unpacked] {
        let mut numbers: Vec<_> =
            text.lines().map(|line| field(line, "/event/sequence").as_u64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..10250).collect::<Vec<_>>());
    }
}

/// Starts a pipeline that never ends by itself, asks it to stop once it is at work (its log says so), and asks again.
fn end_by_a_second_signal(config: &str, at_work: &str) {
    let mut run = Run::start(config);
    let pid = run.0.id().to_string();
    let terminate = || assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let mut log = BufReader::new(run.0.stderr.take().expect("standard error is piped")).lines();
    let mut wait_for = |text: &str| {
        let started = Instant::now();
        let found = log.by_ref().map_while(Result::ok).any(|line| line.contains(text));
        assert!(found && started.elapsed() < LONG, "the log does not say {text:?}");
    };
    wait_for(at_work);
    terminate();
    wait_for("SIGTERM received, shutting down");
    terminate();
    wait_for("SIGTERM received again, terminating immediately");
    assert_eq!(run.0.wait().unwrap().code(), Some(1));
}

/// An output that can never deliver holds a shutdown up; a second request ends it all the same.
#[test]
fn a_second_signal_ends_the_program_at_once() {
    // A port that nobody listens on: bound, and then left.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        r#"input {{ generator {{ lines => ["x"] }} }}
           output {{ kafka {{ bootstrap_servers => "127.0.0.1:{port}" topic_id => "t" }} }}"#
    );
    // The first line about the broker.
    end_by_a_second_signal(&config, "127.0.0.1");
}

/// Nothing interrupts a script, here as in Logstash.
#[test]
fn a_second_signal_ends_a_script_that_never_does() {
    let config = r#"input { generator { count => 1 } }
        filter { ruby { code => "logger.warn('at work'); while true; end" } }
        output { null { } }"#;
    end_by_a_second_signal(config, "at work");
}
