//! A Redis server of a test's own, and redis-cli to speak with it.

use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::peer::free_port;
use crate::shared::missing;
use crate::tls::Authority;

const LONG: Duration = Duration::from_secs(90);

/// A program that ends with the test.
pub struct Running(Child);

impl Running {
    /// What it prints.
    pub fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().expect("standard output is piped")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// A server that keeps everything it has answered, even when it is killed.
pub struct Redis {
    pub port: u16,
    process: Mutex<Option<Running>>,
    folder: TempDir,
    options: Vec<String>,
    /// What redis-cli needs to be let in.
    access: Vec<String>,
}

impl Redis {
    /// `None` where the program is not installed.
    pub fn start(options: &[&str]) -> Option<Self> {
        let port = free_port();
        let mut options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        options.extend(["--port".into(), port.to_string()]);
        Self::start_at(port, tempfile::tempdir().expect("a folder"), options, Vec::new())
    }

    /// One that speaks TLS alone, as localhost, and wants a password.
    pub fn start_tls(authority: &Authority, password: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, certificate) = authority.certify("localhost");
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("key.pem"), key).expect("written");
        std::fs::write(path("certificate.pem"), certificate).expect("written");
        let port = free_port();
        let options = [
            ("--port", "0".to_owned()),
            ("--tls-port", port.to_string()),
            ("--tls-cert-file", path("certificate.pem")),
            ("--tls-key-file", path("key.pem")),
            ("--tls-ca-cert-file", authority.path()),
            ("--tls-auth-clients", "no".to_owned()),
            ("--requirepass", password.to_owned()),
        ];
        let options = options.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        let access = [
            "--tls",
            "--cacert",
            &authority.path(),
            "--sni",
            "localhost",
            "-a",
            password,
            "--no-auth-warning",
        ];
        Self::start_at(port, folder, options, access.map(str::to_owned).to_vec())
    }

    fn start_at(port: u16, folder: TempDir, options: Vec<String>, access: Vec<String>) -> Option<Self> {
        let is_there = |program| Command::new(program).arg("--version").output().is_ok();
        if !is_there("redis-server") || !is_there("redis-cli") {
            missing("redis-server or redis-cli is not installed (apt-get install redis-server)");
            return None;
        }
        let redis = Redis { port, process: Mutex::new(None), folder, options, access };
        redis.run();
        Some(redis)
    }

    /// Starts the server, again if it has been stopped, and waits until it serves.
    pub fn run(&self) {
        let log = std::fs::File::create(self.folder.path().join("server.log")).expect("a log file");
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always", "--save", ""])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(log)
            .spawn();
        *self.process.lock().expect("no panic") = Some(Running(child.expect("redis-server starts")));
        self.wait_for("the server", || self.cli(&["ping"]) == "PONG");
    }

    /// Ends it without asking.
    pub fn kill(&self) {
        self.process.lock().expect("no panic").take();
    }

    /// Asks it to end.
    pub fn shut_down(&self) {
        self.cli(&["shutdown"]);
        self.kill();
    }

    fn redis_cli(&self) -> Command {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).args(&self.access);
        command
    }

    /// What redis-cli prints for a command.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = self.redis_cli().args(arguments).output().expect("redis-cli runs");
        String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
    }

    /// How long a list is.
    pub fn length(&self, key: &str) -> usize {
        self.cli(&["llen", key]).parse().expect("a number")
    }

    /// Puts texts into a list.
    pub fn push(&self, key: &str, texts: &[String]) {
        for chunk in texts.chunks(50) {
            let arguments = ["rpush", key].into_iter().chain(chunk.iter().map(String::as_str));
            self.cli(&arguments.collect::<Vec<_>>());
        }
    }

    /// redis-cli at a channel.
    pub fn subscribe(&self, channel: &str) -> Running {
        let child = self.redis_cli().args(["subscribe", channel]).stdout(Stdio::piped()).spawn();
        Running(child.expect("redis-cli starts"))
    }

    pub fn wait_for(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < LONG, "{what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}
