//! The broker that the tests use, and kcat as the other side.

use std::io::Write;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use tempfile::TempDir;

use crate::shared::missing;

/// kcat, under either of its names' first.
pub fn kcat() -> Command {
    Command::new("kcat")
}

/// A broker's plaintext listener.
pub struct Broker {
    /// `host:port`
    pub address: String,
}

impl Broker {
    /// The broker of RSTASH_KAFKA, or nothing with a line that says so.
    pub fn from_environment() -> Option<Self> {
        let Ok(address) = std::env::var("RSTASH_KAFKA") else {
            missing("no Kafka broker (run .ci/kafka.sh up and set RSTASH_KAFKA to its host:port)");
            return None;
        };
        if kcat().arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            missing("no kcat (Debian's package kcat)");
            return None;
        }
        Some(Broker { address })
    }

    /// Makes a topic that no other run has.
    pub fn topic(&self, purpose: &str, partitions: i32) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{purpose}-{}-{number}-{:06x}", std::process::id(), fastrand::u32(..1 << 24));
        self.create(&name, partitions);
        name
    }

    /// Makes a topic.
    pub fn create(&self, topic: &str, partitions: i32) {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.address).create().expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let topics = [NewTopic::new(topic, partitions, TopicReplication::Fixed(1))];
        let created = runtime.block_on(admin.create_topics(&topics, &AdminOptions::new()));
        assert!(created.is_ok_and(|topics| topics.iter().all(Result::is_ok)), "{topic} is created");
    }

    /// Writes messages with kcat, one a line.
    pub fn produce(&self, topic: &str, messages: &[String], options: &[&str]) {
        let mut child = kcat()
            .args(["-P", "-b", &self.address, "-t", topic])
            .args(options)
            .stdin(Stdio::piped())
            .spawn()
            .expect("kcat starts");
        let mut input = child.stdin.take().expect("a pipe");
        for message in messages {
            writeln!(input, "{message}").expect("kcat reads");
        }
        drop(input);
        assert!(child.wait().expect("kcat ends").success(), "kcat writes to {topic}");
    }

    /// Reads all messages of a topic with kcat, a line for each by its format.
    pub fn consume(&self, topic: &str, format: &str) -> Vec<String> {
        let output = kcat()
            .args(["-C", "-e", "-q", "-b", &self.address, "-t", topic, "-f", format])
            .stderr(Stdio::null())
            .output()
            .expect("kcat runs");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// The address of another listener, by its distance from the plaintext one's port.
    pub fn listener(&self, distance: u16) -> String {
        let (host, port) = self.address.rsplit_once(':').expect("host:port");
        format!("{host}:{}", port.parse::<u16>().expect("a port") + distance)
    }

    /// The folder with the stores, or nothing with a line that says so.
    pub fn stores(&self) -> Option<PathBuf> {
        let stores = PathBuf::from(std::env::var_os("RSTASH_KAFKA_DIR").unwrap_or_default()).join("stores");
        if !stores.is_dir() {
            missing("the broker's stores (set RSTASH_KAFKA_DIR to the KAFKA_DIR of .ci/kafka.sh)");
            return None;
        }
        Some(stores)
    }
}

/// A broker of a test's own, for tests that stop it.
pub struct OwnBroker {
    broker: Broker,
    folder: TempDir,
}

impl OwnBroker {
    /// Starts a broker with the jars of the shared one, or says what is missing.
    pub fn start() -> Option<Self> {
        Broker::from_environment()?;
        let Some(libs) = std::env::var_os("RSTASH_KAFKA_DIR").map(|dir| Path::new(&dir).join("libs")) else {
            missing("the broker's jars (set RSTASH_KAFKA_DIR to the KAFKA_DIR of .ci/kafka.sh)");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let port = two_free_ports();
        std::os::unix::fs::symlink(libs, folder.path().join("libs")).expect("a link");
        let own = OwnBroker { broker: Broker { address: format!("127.0.0.1:{port}") }, folder };
        own.control("up");
        Some(own)
    }

    /// `stop`, `kill` or `start`.
    pub fn control(&self, action: &str) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/kafka.sh");
        let (_, port) = self.broker.address.rsplit_once(':').expect("host:port");
        let status = Command::new(script)
            .arg(action)
            .env("KAFKA_DIR", self.folder.path())
            .env("KAFKA_PORT", port)
            .env("KAFKA_HOST", "127.0.0.1")
            .env("KAFKA_LISTENERS", "plain")
            .env_remove("KAFKA_LIBS")
            .stdout(Stdio::null())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "kafka.sh {action}");
    }
}

impl Deref for OwnBroker {
    type Target = Broker;

    fn deref(&self) -> &Broker {
        &self.broker
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.control("down");
        } else {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/kafka.sh");
            _ = Command::new(script).arg("kill").env("KAFKA_DIR", self.folder.path()).status();
        }
    }
}

/// A port that is free together with the one above it.
fn two_free_ports() -> u16 {
    for _ in 0..100 {
        let first = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = first.local_addr().expect("an address").port();
        if port < u16::MAX && std::net::TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
    panic!("no two free ports");
}
