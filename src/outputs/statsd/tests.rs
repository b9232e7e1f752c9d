//! Metrics as the plugin and the gem of Logstash write them, and both ways to a server.

use std::io::Read;

use super::*;
use crate::plugin::testkit;

fn metrics(config: &str, document: &str) -> Vec<String> {
    let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(testkit::LONG)).unwrap();
    let port = peer.local_addr().unwrap().port();
    let config = format!(
        "output {{ statsd {{ host => '127.0.0.1' port => {port} {config} gauge => {{ 'last' => 1 }} }} }}"
    );
    let output = testkit::output(&config, &testkit::context()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(output.deliver(&[&testkit::event(document)])), Delivery::done());
    let mut seen = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        let (length, _) = peer.recv_from(&mut buffer).unwrap();
        let metric = String::from_utf8(buffer[..length].to_vec()).unwrap();
        if metric.contains("last:1|g") {
            return seen;
        }
        seen.push(metric);
    }
}

#[test]
fn every_kind_of_metric() {
    let config = "sender => '%{server}' increment => ['hits.%{status}', 'all'] decrement => 'left'
        count => { 'bytes' => '%{bytes}' } timing => { 'took' => '%{took}' } set => ['users', '%{user}']";
    let document = r#"{"server":"web.example.org","status":200,"bytes":0.1,"took":12,"user":"ann"}"#;
    let expected = [
        "logstash.web_example_org.hits.200:1|c",
        "logstash.web_example_org.all:1|c",
        "logstash.web_example_org.left:-1|c",
        "logstash.web_example_org.bytes:0.1|c",
        "logstash.web_example_org.took:12|ms",
        "logstash.web_example_org.users:ann|s",
    ];
    assert_eq!(metrics(config, document), expected);
}

#[test]
fn names_lose_what_the_protocol_means_by_itself() {
    let config = "namespace => 'n:s' sender => '%{host}' increment => '%{name}'";
    let document = r#"{"host":"a::b:c|d@e.f","name":"x::y:z|1@2.q"}"#;
    assert_eq!(metrics(config, document), ["n:s.a_b_c_d_e_f.x.y_z_1_2.q:1|c"]);
    let config = "namespace => '' sender => 's' increment => 'a'";
    assert_eq!(metrics(config, "{}"), ["s.a:1|c"]);
}

#[test]
fn a_part_of_the_metrics_with_a_sample_rate() {
    let options = "sample_rate => 0.5 sender => 's' increment => 'a'";
    let config = format!("output {{ statsd {{ {options} }} }}");
    let parsed = testkit::output(&config, &testkit::context());
    assert!(parsed.is_ok());
    let metrics = Metrics {
        namespace: Template::parse("logstash"),
        sender: Template::parse("s"),
        metrics: vec![Metric { name: Template::parse("a"), value: Template::parse("1"), kind: "c" }],
        sample_rate: 0.5,
    };
    let made: Vec<_> = (0..1000).flat_map(|_| metrics.of(&testkit::event("{}")).unwrap()).collect();
    assert!((300..700).contains(&made.len()), "{}", made.len());
    assert!(made.iter().all(|metric| metric == "logstash.s.a:1|c|@0.5"));
}

#[test]
fn lines_by_tcp_wait_for_a_server_that_is_away() {
    let peer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = peer.local_addr().unwrap().port();
    drop(peer);
    let config = format!(
        "output {{ statsd {{ host => '127.0.0.1' port => {port} protocol => tcp sender => 's' increment => ['a', 'b'] }} }}"
    );
    let output = testkit::output(&config, &testkit::context()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let event = testkit::event("{}");
    let refused = runtime.block_on(output.deliver(&[&event]));
    assert_eq!((refused.retry.len(), refused.dead.len()), (1, 0));
    let peer = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert_eq!(runtime.block_on(output.deliver(&[&event])), Delivery::done());
    runtime.block_on(output.close());
    let mut lines = String::new();
    peer.accept().unwrap().0.read_to_string(&mut lines).unwrap();
    assert_eq!(lines, "logstash.s.a:1|c\nlogstash.s.b:1|c\n");
}
