//! The filter memcached against a real server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::shared::missing;

const LONG: Duration = Duration::from_secs(60);

/// A server of its own, stopped when the test is over.
struct Memcached {
    process: Child,
    port: u16,
}

impl Memcached {
    /// `None` where the program is not installed.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Debian's package puts it where only administrators look.
        let program = ["/usr/bin/memcached", "/usr/local/bin/memcached"]
            .into_iter()
            .find(|path| std::fs::exists(path).unwrap_or(false));
        let Some(program) = program else {
            missing("memcached is not installed (apt-get install memcached)");
            return None;
        };
        let port_text = port.to_string();
        let process = Command::new(program)
            .args(["-l", "127.0.0.1", "-p", port_text.as_str(), "-U", "0", "-u", "nobody"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("memcached starts");
        let server = Memcached { process, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < LONG, "memcached does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    /// Speaks memcached's text protocol, and returns the answer up to a line that ends it.
    fn command(&self, command: &str, end: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(command.as_bytes()).unwrap();
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(end.as_bytes()) && stream.read(&mut byte).unwrap() == 1 {
            answer.extend(byte);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Runs one event through a filter section and returns it.
fn run(event: &str, filters: &str) -> serde_json::Value {
    let config = format!(
        "input {{ generator {{ count => 1 message => '{event}' codec => json }} }}
         filter {{ {filters} mutate {{ remove_field => [\"event\", \"host\"] }} }} output {{ stdout {{ codec => json_lines }} }}"
    );
    let output = Command::new(env!("CARGO_BIN_EXE_rstash"))
        .args(["-e", &config, "--log.level", "error"])
        .env_remove("LS_SETTINGS_DIR")
        .env_remove("LOGSTASH_HOME")
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}

#[test]
fn values_are_shared_with_other_programs() {
    let Some(server) = Memcached::start() else { return };
    let hosts = format!("hosts => [\"127.0.0.1:{}\"]", server.port);
    assert_eq!(server.command("set app:greeting 0 0 5\r\nhello\r\n", "\r\n"), "STORED\r\n");
    let event = run(
        r#"{"id":7,"doc":{"a":[1,2.5,null,"ü"]}}"#,
        &format!(
            r#"memcached {{ {hosts} namespace => "app" ttl => 60
                 get => {{ "greeting" => "[out][greeting]" "none-%{{id}}" => "none" }} set => {{ "doc" => "doc-%{{id}}" }} add_tag => ["ok"] }}
               memcached {{ {hosts} get => {{ "app:doc-%{{id}}" => "copy" }} }}"#
        ),
    );
    assert_eq!(event["out"]["greeting"], "hello");
    assert_eq!(event["copy"], event["doc"]);
    assert_eq!(event["tags"], serde_json::json!(["ok"]));
    assert!(event.get("none").is_none());
    // The second word of the answer is the key, the third Dalli's flag for a value in Ruby's format.
    let stored = server.command("get app:doc-7\r\n", "END\r\n");
    assert!(stored.starts_with("VALUE app:doc-7 1 "), "{stored}");
    let ttl = server.command("mg app:doc-7 t\r\n", "\r\n");
    let seconds: u32 = ttl.trim().trim_start_matches("HD t").parse().unwrap_or_else(|_| panic!("{ttl}"));
    assert!((1..=60).contains(&seconds), "{ttl}");
}

#[test]
fn a_server_that_is_gone_is_no_end() {
    let Some(server) = Memcached::start() else { return };
    let filter =
        format!("memcached {{ hosts => [\"127.0.0.1:{}\"] get => {{ \"k\" => \"v\" }} }}", server.port);
    assert!(run(r#"{"id":1}"#, &filter).get("tags").is_none());
    drop(server);
    assert_eq!(run(r#"{"id":1}"#, &filter)["tags"], serde_json::json!(["_memcached_failure"]));
}
