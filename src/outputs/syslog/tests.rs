//! The cases of the plugin's own suite, and what is refused.

use std::io::{BufRead, BufReader};

use super::*;
use crate::plugin::testkit;

/// The datagram for an event of noon on 29 February 2024.
fn datagram(options: &str, document: &str) -> String {
    let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(testkit::LONG)).unwrap();
    let port = peer.local_addr().unwrap().port();
    let config = format!("output {{ syslog {{ host => '127.0.0.1' port => {port} {options} }} }}");
    let output = testkit::output(&config, &testkit::context()).unwrap();
    let mut event = testkit::event(document);
    event.set_timestamp(crate::event::Timestamp::parse("2024-02-29T12:00:00.5Z").unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(output.deliver(&[&event])), Delivery::done());
    let mut buffer = [0; 10_000];
    let (length, _) = peer.recv_from(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[test]
fn messages_of_both_specifications() {
    let plain = r#"{"message":"bar","host":"baz"}"#;
    let rich = r#"{"message":"bar","host":"baz","facility":"mail","severity":"critical","appname":"app","procid":"1000","msgid":"2000","pod":"p","syslog_pri":"18","priority":18}"#;
    let old = "Feb 29 12:00:00 baz";
    let new = "1 2024-02-29T12:00:00.500+00:00 baz";
    for (options, document, expected) in [
        ("facility => kernel severity => emergency", plain, format!("<0>{old} LOGSTASH[-]: bar\n")),
        ("", plain, format!("<13>{old} LOGSTASH[-]: bar\n")),
        ("facility => mail severity => critical", plain, format!("<18>{old} LOGSTASH[-]: bar\n")),
        ("facility => local0 severity => nonsense", plain, format!("<117>{old} LOGSTASH[-]: bar\n")),
        (
            "facility => '%{facility}' severity => '%{severity}' appname => '%{appname}' procid => '%{procid}'",
            rich,
            format!("<18>{old} app[1000]: bar\n"),
        ),
        ("rfc => rfc5424", plain, format!("<13>{new} LOGSTASH - - - bar\n")),
        (
            "rfc => rfc5424 facility => '%{facility}' severity => '%{severity}' appname => '%{appname}' procid => '%{procid}' msgid => '%{msgid}' structured_data => '[x@1 pod=\"%{pod}\"]'",
            rich,
            format!("<18>{new} app 1000 2000 [x@1 pod=\"p\"] bar\n"),
        ),
        ("use_labels => false", plain, format!("<13>{old} LOGSTASH[-]: bar\n")),
        ("use_labels => false", rich, format!("<18>{old} LOGSTASH[-]: bar\n")),
        ("use_labels => false priority => '%{priority}'", rich, format!("<18>{old} LOGSTASH[-]: bar\n")),
        ("use_labels => false priority => '192'", rich, format!("<13>{old} LOGSTASH[-]: bar\n")),
        (
            "codec => plain { format => '%{host} %{message}' }",
            plain,
            format!("<13>{old} LOGSTASH[-]: baz bar\n"),
        ),
        ("message => '%{message} twice'", plain, format!("<13>{old} LOGSTASH[-]: bar twice\n")),
        (
            "",
            r#"{"message":"foo\r\nbar\nbaz\r\n ","host":"baz"}"#,
            format!("<13>{old} LOGSTASH[-]: foo\\nbar\\nbaz\n"),
        ),
    ] {
        assert_eq!(datagram(options, document), expected, "{options}");
    }
}

#[test]
fn a_codec_makes_the_message() {
    let message = datagram("codec => json", r#"{"message":"bar","host":"baz"}"#);
    let (head, json) = message.split_once(": ").unwrap();
    assert_eq!(head, "<13>Feb 29 12:00:00 baz LOGSTASH[-]");
    let parsed: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!((&parsed["message"], &parsed["@version"]), (&"bar".into(), &"1".into()));
}

#[test]
fn what_cannot_be_is_said_at_start() {
    let ca = format!("{}/fixtures/kafka/ca.pem", env!("CARGO_MANIFEST_DIR"));
    for (options, expected) in [
        ("structured_data => '[a]'".to_owned(), "rfc5424"),
        ("protocol => 'ssl-tcp' ssl_crl_check => leaf".to_owned(), "it needs ssl_crl_path"),
        (format!("protocol => 'ssl-tcp' ssl_crl_path => '{ca}' ssl_crl_check => [leaf, chain]"), "not both"),
        (
            format!("protocol => 'ssl-tcp' ssl_verify => true ssl_crl_path => '{ca}'"),
            "no list of revoked certificates",
        ),
        ("protocol => 'ssl-tcp' ssl_certificate => '/none'".to_owned(), "ssl_key"),
        ("protocol => 'ssl-tcp' ssl_verify => true ssl_cacert => '/none'".to_owned(), "/none"),
        ("protocol => sctp".to_owned(), "expected one of"),
    ] {
        let config = format!("output {{ syslog {{ host => 'h' port => 1 {options} }} }}");
        let problems = testkit::output(&config, &testkit::context()).err().unwrap_or_default();
        let said: String = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(said.contains(expected), "{options}: {said}");
    }
    let unused = "output { syslog { host => 'h' port => 1 protocol => tcp ssl_cacert => '/none' } }";
    assert!(testkit::output(unused, &testkit::context()).is_ok());
}

#[test]
fn lines_by_tcp_are_sent_until_they_arrive() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    drop(server);
    let config = format!(
        "output {{ syslog {{ host => '127.0.0.1' port => {port} protocol => tcp reconnect_interval => 0.05 }} }}"
    );
    let output = testkit::output(&config, &testkit::context()).unwrap();
    let back = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        let server = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        let (stream, _) = server.accept().unwrap();
        BufReader::new(stream).lines().map(|line| line.unwrap()).collect::<Vec<_>>()
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let events =
        ["one", "two"].map(|text| testkit::event(&format!("{{\"message\":\"{text}\",\"host\":\"h\"}}")));
    assert_eq!(runtime.block_on(output.deliver(&events.each_ref())), Delivery::done());
    runtime.block_on(output.close());
    let lines = back.join().unwrap();
    assert!(
        lines[0].ends_with(" h LOGSTASH[-]: one") && lines[1].ends_with(" h LOGSTASH[-]: two"),
        "{lines:?}"
    );
}
