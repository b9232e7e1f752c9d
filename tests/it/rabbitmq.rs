//! The rabbitmq plugins and a real broker, whose HTTP API is the other side. `.ci/rabbit.sh up` brings the broker up,
//! and `eval "$(.ci/rabbit.sh env)"` sets what these tests read.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::kafka::program::Rstash;
use crate::shared::missing;

const LONG: Duration = Duration::from_secs(120);

struct Broker {
    port: u16,
}

impl Broker {
    /// The broker of RSTASH_RABBITMQ, or nothing with a line that says so.
    fn from_environment() -> Option<Self> {
        let port = std::env::var("RSTASH_RABBITMQ").ok().and_then(|port| port.parse().ok());
        if port.is_none() {
            missing("no RabbitMQ (run .ci/rabbit.sh up and set RSTASH_RABBITMQ to its port)");
        }
        Some(Broker { port: port? })
    }

    /// A name that no other test uses.
    fn name(&self, purpose: &str) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        format!("{purpose}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
    }

    fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        // Fails when another test has installed one, which then serves as well.
        _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let client = Client::builder().no_proxy().build().expect("a client");
            let url = format!("http://127.0.0.1:{}/api/{path}", self.port + 2);
            let request = client.request(method, url).basic_auth("guest", Some("guest"));
            let request = request.header("content-type", "application/json").body(body.to_string());
            let response = request.send().await.expect("the broker answers");
            let status = response.status().as_u16();
            let text = response.text().await.expect("a whole answer");
            (status, serde_json::from_str(&text).unwrap_or_default())
        })
    }

    fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call(method.clone(), path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    fn queue(&self, queue: &str, body: &Value) {
        self.ask(Method::PUT, &format!("queues/%2F/{queue}"), body);
    }

    fn bind(&self, exchange: &str, queue: &str, key: &str) {
        let path = format!("bindings/%2F/e/{exchange}/q/{queue}");
        self.ask(Method::POST, &path, &json!({ "routing_key": key, "arguments": {} }));
    }

    fn publish(&self, exchange: &str, key: &str, payload: &str, properties: &Value) {
        let message = json!({ "routing_key": key, "payload": payload, "payload_encoding": "string", "properties": properties });
        let answer = self.ask(Method::POST, &format!("exchanges/%2F/{exchange}/publish"), &message);
        assert_eq!(answer["routed"], true);
    }

    /// Takes all messages out of a queue.
    fn take(&self, queue: &str) -> Vec<Value> {
        let how = json!({ "count": 100_000, "ackmode": "ack_requeue_false", "encoding": "auto" });
        let taken = self.ask(Method::POST, &format!("queues/%2F/{queue}/get"), &how);
        taken.as_array().cloned().unwrap_or_default()
    }

    /// Waits until a queue has these many consumers.
    fn wait_for_consumers(&self, queue: &str, count: u64) {
        self.wait(|| {
            self.call(Method::GET, &format!("queues/%2F/{queue}"), &json!({})).1["consumers"] == count
        });
    }

    /// Waits until nothing is left in a queue, nor given out without an acknowledgement.
    fn wait_for_empty(&self, queue: &str) {
        self.wait(|| self.call(Method::GET, &format!("queues/%2F/{queue}"), &json!({})).1["messages"] == 0);
    }

    fn wait(&self, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + LONG;
        while !done() {
            assert!(Instant::now() < end, "it does not come");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// A broker of a test's own, for tests that kill it.
struct OwnBroker {
    broker: Broker,
    folder: tempfile::TempDir,
}

impl OwnBroker {
    fn start() -> Option<Self> {
        Broker::from_environment()?;
        let folder = tempfile::tempdir().expect("a folder");
        let own = OwnBroker { broker: Broker { port: five_free_ports() }, folder };
        own.control("up");
        Some(own)
    }

    fn control(&self, action: &str) {
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/rabbit.sh");
        let mut command = Command::new(script);
        command.arg(action).env("RABBIT_DIR", self.folder.path()).stdout(Stdio::null());
        command.env("RABBIT_PORT", self.broker.port.to_string());
        assert!(command.status().is_ok_and(|status| status.success()), "rabbit.sh {action}");
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        self.control("kill");
        self.control("down");
    }
}

/// A port that is free together with the four above it.
fn five_free_ports() -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..200 {
        let first = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = first.local_addr().expect("an address").port();
        if port < u16::MAX - 4 && (1..5).all(|more| is_free(port + more)) {
            return port;
        }
    }
    panic!("no five free ports");
}

fn sender(count: usize, broker: &str, more: &str) -> String {
    format!(
        "input {{ generator {{ count => {count} }} }}
         output {{ rabbitmq {{ host => {broker} codec => plain {{ format => '%{{[event][sequence]}}' }} {more} }} }}"
    )
}

fn receiver(broker: &str, more: &str, format: &str) -> String {
    format!(
        "input {{ rabbitmq {{ host => {broker} {more} }} }}
         output {{ file {{ path => '{{out}}' codec => line {{ format => '{format}' }} }} }}"
    )
}

fn sorted(mut numbers: Vec<usize>) -> Vec<usize> {
    numbers.sort_unstable();
    numbers
}

fn numbers(lines: &[String]) -> Vec<usize> {
    lines.iter().map(|line| line.trim().parse().expect("a number")).collect()
}

#[test]
fn events_are_published_with_key_and_properties() {
    let Some(broker) = Broker::from_environment() else { return };
    let (exchange, queue) = (broker.name("out"), broker.name("out"));
    let declare = json!({ "type": "topic", "durable": true });
    broker.ask(Method::PUT, &format!("exchanges/%2F/{exchange}"), &declare);
    broker.queue(&queue, &json!({}));
    broker.bind(&exchange, &queue, "seen.*");
    let rstash = Rstash::start(&format!(
        "input {{ generator {{ lines => ['{{\"n\":1,\"k\":\"seen.a\"}}', '{{\"n\":2,\"k\":\"unseen\"}}', '{{\"n\":3,\"k\":\"seen.b\"}}'] count => 1 codec => json }} }}
         filter {{ mutate {{ remove_field => ['event', '@timestamp', '@version', 'host'] }} }}
         output {{ rabbitmq {{ host => ['127.0.0.1:{}'] exchange => '{exchange}' exchange_type => topic key => '%{{k}}'
           message_properties => {{ 'content_type' => 'application/json' 'priority' => '%{{n}}' 'headers' => {{ 'origin' => 'test' }} }} }} }}",
        broker.port
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    let mut taken = broker.take(&queue);
    taken.sort_by_key(|message| message["properties"]["priority"].as_u64());
    assert_eq!(taken.len(), 2);
    for (message, (n, key)) in taken.iter().zip([(1, "seen.a"), (3, "seen.b")]) {
        let payload: Value = serde_json::from_str(message["payload"].as_str().expect("text")).expect("JSON");
        assert_eq!(payload, json!({ "n": n, "k": key }));
        assert_eq!(message["routing_key"], key);
        let properties = json!({
            "content_type": "application/json", "delivery_mode": 2, "priority": n, "headers": { "origin": "test" },
        });
        assert_eq!(message["properties"], properties);
    }
}

#[test]
fn messages_become_events_that_tell_of_them() {
    let Some(broker) = Broker::from_environment() else { return };
    let queue = broker.name("in");
    let format = "%{a} %{[@metadata][rabbitmq_headers][h]} %{[@metadata][rabbitmq_properties][routing-key]} %{[@metadata][rabbitmq_properties][content-type]} %{[@metadata][rabbitmq_payload]}";
    let options = format!(
        "queue => '{queue}' exchange => 'amq.direct' key => 'k{queue}' auto_delete => true metadata_enabled => extended
         arguments => {{ 'x-max-priority' => 5 }}"
    );
    let rstash =
        Rstash::start(&receiver("'127.0.0.1'", &format!("port => {} {options}", broker.port), format));
    broker.wait_for_consumers(&queue, 1);
    let properties = json!({ "content_type": "text/x", "headers": { "h": 7 } });
    broker.publish("amq.direct", &format!("k{queue}"), r#"{"a":"one"}"#, &properties);
    rstash.wait_for_lines(1);
    broker.wait_for_empty(&queue);
    assert!(rstash.stop().success());
    assert_eq!(rstash.lines(), [format!("one 7 k{queue} text/x {{\"a\":\"one\"}}")]);
}

/// Through the broker and back, over TLS, with several consumers.
#[test]
fn what_is_published_is_consumed_once() {
    let Some(broker) = Broker::from_environment() else { return };
    let queue = broker.name("through");
    broker.queue(&queue, &json!({ "durable": true }));
    broker.bind("amq.direct", &queue, &queue);
    let tls = format!("['localhost:{}'] ssl => true ssl_version => 'TLSv1.3'", broker.port + 1);
    let options = format!("exchange => 'amq.direct' exchange_type => direct key => '{queue}'");
    let sending = Rstash::start(&sender(5000, &tls, &options));
    assert!(sending.wait().success(), "{}", sending.log());
    let options =
        format!("queue => '{queue}' passive => true threads => 3 prefetch_count => 50 codec => plain");
    let receiving = Rstash::start(&receiver(&tls, &options, "%{message}"));
    receiving.wait_for_lines(5000);
    broker.wait_for_empty(&queue);
    assert!(receiving.stop().success());
    assert_eq!(sorted(numbers(&receiving.lines())), (0..5000).collect::<Vec<_>>());
}

/// A process that dies has acknowledged nothing that is not written: another one gets it.
#[test]
fn nothing_is_lost_when_the_process_dies() {
    let Some(broker) = Broker::from_environment() else { return };
    let queue = broker.name("crash");
    broker.queue(&queue, &json!({ "durable": true }));
    broker.bind("amq.direct", &queue, &queue);
    let here = format!("'127.0.0.1' port => {}", broker.port);
    let options = format!("exchange => 'amq.direct' exchange_type => direct key => '{queue}'");
    assert!(Rstash::start(&sender(3000, &here, &options)).wait().success());
    // Slow enough that it dies in the middle.
    let options = format!("queue => '{queue}' durable => true codec => plain");
    let slow = receiver(&here, &options, "%{message}")
        .replace("}\n         output", "} filter { sleep { time => '0.001' } } output");
    let first = Rstash::start(&slow);
    first.wait_for_lines(300);
    let mut lines = first.kill();
    let second = Rstash::start(&slow);
    broker.wait_for_empty(&queue);
    assert!(second.stop().success());
    lines.extend(second.lines());
    let mut seen = sorted(numbers(&lines));
    seen.dedup();
    assert_eq!(seen, (0..3000).collect::<Vec<_>>());
    assert!(second.lines().len() > 500, "the second process had little to do");
}

/// The broker is killed under both plugins, and comes back with its data.
#[test]
fn a_broker_that_dies_costs_nothing() {
    let Some(own) = OwnBroker::start() else { return };
    let broker = &own.broker;
    broker.queue("q", &json!({ "durable": true }));
    broker.bind("amq.direct", "q", "k");
    let here = format!("'127.0.0.1' port => {} connect_retry_interval => 0.5", broker.port);
    let options = "queue => 'q' durable => true codec => plain";
    let receiving = Rstash::start(&receiver(&here, options, "%{message}"));
    receiving.wait_for_log("connected to RabbitMQ");
    let slow = sender(4000, &here, "exchange => 'amq.direct' exchange_type => direct key => 'k'")
        .replace("}\n         output", "} filter { sleep { time => '0.002' } } output");
    let sending = Rstash::start(&slow);
    receiving.wait_for_lines(500);
    own.control("kill");
    std::thread::sleep(Duration::from_secs(2));
    own.control("start");
    assert!(sending.wait().success(), "{}", sending.log());
    broker.wait_for_empty("q");
    assert!(receiving.stop().success());
    let mut seen = sorted(numbers(&receiving.lines()));
    // What was not confirmed or acknowledged may come twice.
    seen.dedup();
    assert_eq!(seen, (0..4000).collect::<Vec<_>>());
}
