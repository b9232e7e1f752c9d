//! The outputs statsd and graphite with the daemons they are made for: what those say they have counted.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::kafka::program::Rstash;
use crate::peer::{Peer, find, free_port, wait_for_port, wait_until};
use crate::shared::missing;

/// Etsy's daemon, of the npm package `statsd`.
struct Statsd {
    port: u16,
    admin: u16,
    _peer: Peer,
    _folder: TempDir,
}

impl Statsd {
    fn start() -> Option<Self> {
        let node = find("node")?;
        let Some(program) = std::env::var_os("RSTASH_STATSD").map(PathBuf::from) else {
            missing("no statsd (npm install statsd, and set RSTASH_STATSD to its stats.js)");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let (port, admin) = (free_port(), free_port());
        // No flush comes while the test lasts.
        let config = format!(
            "{{ address: '127.0.0.1', mgmt_address: '127.0.0.1', mgmt_port: {admin}, flushInterval: 3600000, backends: [],
               servers: [{{ server: './servers/udp', address: '127.0.0.1', port: {port} }},
                         {{ server: './servers/tcp', address: '127.0.0.1', port: {port} }}] }}"
        );
        let path = folder.path().join("config.js");
        std::fs::write(&path, config).expect("written");
        let mut peer = Peer::start(&node, [&program, &path], folder.path());
        peer.wait_for_port(port);
        peer.wait_for_port(admin);
        Some(Statsd { port, admin, _peer: peer, _folder: folder })
    }

    /// What it holds of one kind: counters, timers or gauges, as JSON.
    fn held(&self, kind: &str) -> Value {
        let mut admin = TcpStream::connect(("127.0.0.1", self.admin)).expect("its admin port");
        admin.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
        admin.write_all(format!("{kind}\n").as_bytes()).expect("asked");
        let (mut text, mut block) = (String::new(), [0; 4096]);
        while !text.contains("END") {
            let length = admin.read(&mut block).expect("an answer");
            assert!(length > 0, "{text}");
            text.push_str(&String::from_utf8_lossy(&block[..length]));
        }
        // It prints JavaScript, in which names may stand without quotes.
        let node = find("node").expect("it runs");
        let script = format!("console.log(JSON.stringify({}))", text.split("END").next().unwrap_or_default());
        let output = Command::new(node).args(["-e", &script]).output().expect("node runs");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

#[test]
fn statsd_counts_what_it_is_sent() {
    let Some(statsd) = Statsd::start() else { return };
    for (protocol, sender) in [("udp", "by.udp"), ("tcp", "by.tcp")] {
        let rstash = Rstash::start(&format!(
            "input {{ generator {{ count => 10 codec => json ecs_compatibility => disabled
                 lines => ['{{\"status\":200,\"bytes\":10.5,\"took\":12,\"user\":\"ann\",\"load\":0.25}}'] }} }}
             output {{ statsd {{ host => '127.0.0.1' port => {} protocol => {protocol} sender => '{sender}'
               increment => ['hits.%{{status}}', 'x::y:z'] decrement => 'left' count => {{ 'bytes' => '%{{bytes}}' }}
               timing => {{ 'took' => '%{{took}}' }} set => {{ 'users' => '%{{user}}' }} gauge => {{ 'load' => '%{{load}}' }} }} }}",
            statsd.port
        ));
        assert!(rstash.wait().success(), "{}", rstash.log());
        let name = |metric: &str| format!("logstash.{}.{metric}", sender.replace('.', "_"));
        wait_until("all gauges and counters are there", || {
            statsd.held("gauges")[name("load")] == 0.25 && statsd.held("counters")[name("bytes")] == 105.0
        });
        let counters = statsd.held("counters");
        for (metric, expected) in [("hits.200", 10.0), ("x.y_z", 10.0), ("left", -10.0), ("bytes", 105.0)] {
            assert_eq!(counters[name(metric)], expected, "{metric} in {counters}");
        }
        assert_eq!(statsd.held("timers")[name("took")], serde_json::json!(vec![12; 10]));
    }
    assert_eq!(statsd.held("counters")["statsd.bad_lines_seen"], 0);
}

#[test]
fn statsd_counts_in_what_a_sample_rate_left_out() {
    let Some(statsd) = Statsd::start() else { return };
    let rstash = Rstash::start(&format!(
        "input {{ generator {{ count => 20000 }} }}
         output {{ statsd {{ host => '127.0.0.1' port => {} protocol => tcp sender => 'sampled' sample_rate => 0.5 increment => 'n' }} }}",
        statsd.port
    ));
    assert!(rstash.wait().success(), "{}", rstash.log());
    // Six standard deviations around 20,000.
    let counted = || statsd.held("counters")["logstash.sampled.n"].as_f64().unwrap_or_default();
    wait_until("the counter is about right", || (19_150.0..20_850.0).contains(&counted()));
}

/// Carbon, which keeps what it is sent in memory and tells of it at another port.
struct Carbon {
    port: u16,
    query: u16,
    _peer: Peer,
    folder: TempDir,
}

impl Carbon {
    fn start() -> Option<Self> {
        let program = find("carbon-cache")?;
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().display();
        let (port, pickle, query) = (free_port(), free_port(), free_port());
        let config = format!(
            "[cache]
STORAGE_DIR = {place}
CONF_DIR = {place}
LOG_DIR = {place}
PID_DIR = {place}
LOCAL_DATA_DIR = {place}/whisper
USER =
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {port}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
MAX_CACHE_SIZE = inf
CACHE_WRITE_STRATEGY = timesorted
MIN_TIMESTAMP_LAG = 1000000000
ENABLE_LOGROTATION = False
CARBON_METRIC_INTERVAL = 0
"
        );
        let path = folder.path().join("carbon.conf");
        std::fs::write(&path, config).expect("written");
        let schemas = "[all]\npattern = .*\nretentions = 1s:1d\n";
        std::fs::write(folder.path().join("storage-schemas.conf"), schemas).expect("written");
        let pid = format!("--pidfile={place}/pid");
        let arguments = [format!("--config={}", path.display()), pid, "--nodaemon".into(), "start".into()];
        let mut peer = Peer::start(&program, arguments, folder.path());
        peer.wait_for_port(port);
        wait_for_port(query);
        Some(Carbon { port, query, _peer: peer, folder })
    }

    /// The points of a metric, asked for as Graphite's web server asks, with Python's pickle.
    fn points(&self, metric: &str) -> Vec<(f64, f64)> {
        const ASK: &str = "
import json, pickle, socket, struct, sys
with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as s:
    asked = pickle.dumps({'type': 'cache-query', 'metric': sys.argv[2]}, protocol=2)
    s.sendall(struct.pack('!L', len(asked)) + asked)
    f = s.makefile('rb')
    length, = struct.unpack('!L', f.read(4))
    print(json.dumps(pickle.loads(f.read(length))['datapoints']))
";
        let output = Command::new("/usr/bin/python3")
            .args(["-c", ASK, &self.query.to_string(), metric])
            .current_dir(self.folder.path())
            .output()
            .expect("python runs");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

#[test]
fn carbon_keeps_what_it_is_sent() {
    if !Path::new("/usr/bin/python3").is_file() {
        missing("no /usr/bin/python3");
        return;
    }
    let Some(carbon) = Carbon::start() else { return };
    let document = |n: usize| {
        format!(
            "'{{\"n\":{n},\"host\":\"web{n}\",\"when\":170920800{n},\"load\":{{\"1m\":0.{n},\"disk\":{{\"sda\":{n}}}}}}}'"
        )
    };
    let lines: Vec<_> = (1..=5).map(document).collect();
    let generator = format!(
        "input {{ generator {{ count => 1 codec => json ecs_compatibility => disabled lines => [{}] }} }}",
        lines.join(", ")
    );
    let named = "timestamp_field => when metrics => { '%{host}.n' => '%{n}' '%{none}.n' => 1 'load' => 1 } metrics_format => 'x.%{host}.*'";
    let fields = "timestamp_field => when fields_are_metrics => true exclude_metrics => ['^(host|when|sequence|event)$'] metrics_format => 'all.*'";
    for options in [named, fields] {
        let rstash = Rstash::start(&format!(
            "{generator} output {{ graphite {{ host => 'localhost' port => {} {options} }} }}",
            carbon.port
        ));
        assert!(rstash.wait().success(), "{}", rstash.log());
    }
    wait_until("the last metric is there", || carbon.points("all.load.disk.sda").len() == 5);
    for n in 1..=5_u8 {
        let (time, value) = (1_709_208_000.0 + f64::from(n), f64::from(n));
        assert_eq!(carbon.points(&format!("x.web{n}.web{n}.n")), [(time, value)]);
        assert_eq!(carbon.points(&format!("x.web{n}.load.1m")), [(time, value / 10.0)]);
        assert_eq!(carbon.points(&format!("x.web{n}.load.disk.sda")), [(time, value)]);
    }
    let all: Vec<_> = (1..=5_u8).map(|n| (1_709_208_000.0 + f64::from(n), f64::from(n))).collect();
    let sorted = |metric: &str| {
        let mut points = carbon.points(metric);
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        points
    };
    assert_eq!(sorted("all.n"), all);
    assert_eq!(sorted("all.load.disk.sda"), all);
    assert!(sorted("all.host").is_empty());
}
