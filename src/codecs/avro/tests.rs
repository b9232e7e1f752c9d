//! `avro` against the binary encoding's specification, and against the crate apache-avro as a peer.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use apache_avro::Schema as PeerSchema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value as Peer;
use apache_avro::writer::datum::GenericDatumWriter;
use serde_json::json;

use crate::codecs::testkit::{codec, data, decode, event, fails, show, tags};
use crate::event::Event;
use crate::plugin::{Codec, EcsMode};

const TEST: &str = r#"{"type": "record", "name": "Test",
    "fields": [{"name": "foo", "type": ["null", "string"]}, {"name": "bar", "type": "int"}]}"#;

fn with_schema(schema: &str, options: &str) -> (tempfile::TempDir, Box<dyn Codec>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schema.avsc");
    std::fs::write(&file, schema).unwrap();
    let text = format!("avro {{ schema_uri => '{}' {options} }}", file.display());
    (folder, codec(&text, EcsMode::V8).unwrap())
}

fn written(codec: &dyn Codec, event: &Event) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    codec.encode(event, &mut out).map(|()| out).map_err(|error| error.0)
}

#[test]
fn the_example_of_the_plugin() {
    let (_folder, mut codec) = with_schema(TEST, "");
    // Branch 1, five bytes; 10 in zig-zag.
    let datum = b"\x02\x0ahello\x14";
    let encoded = "AgpoZWxsbxQ=";
    assert_eq!(written(&*codec, &event(r#"{"foo":"hello","bar":10}"#)).unwrap(), encoded.as_bytes());
    for bytes in [encoded.as_bytes(), datum] {
        let events = decode(&mut *codec, &[bytes]);
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(data(&events[0]), json!({"foo": "hello", "bar": 10, "event": {"original": text}}));
    }
    let (_folder, mut binary) = with_schema(TEST, "encoding => binary target => '[a]'");
    assert_eq!(written(&*binary, &event(r#"{"foo":null,"bar":-1}"#)).unwrap(), b"\x00\x01");
    assert_eq!(data(&decode(&mut *binary, &[datum])[0])["a"], json!({"foo": "hello", "bar": 10}));
}

const EVERYTHING: &str = r#"{"type":"record","name":"All","namespace":"x.y","fields":[
    {"name":"b","type":"boolean"},{"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},
    {"name":"by","type":"bytes"},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
    {"name":"fx","type":{"type":"fixed","name":"F","size":3}},{"name":"a","type":{"type":"array","items":"int"}},
    {"name":"m","type":{"type":"map","values":["null","E"]}},{"name":"u","type":["null","int","double","string"]},
    {"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"day","type":{"type":"int","logicalType":"date"}},
    {"name":"next","type":["null","All"],"default":null},{"name":"x","type":"string","default":"dflt"}]}"#;

#[test]
fn a_peer_reads_what_is_written_and_writes_what_is_read() {
    let (_folder, mut codec) = with_schema(EVERYTHING, "encoding => binary");
    let json = r#"{"b":true,"l":-9007199254740993,"f":1.5,"d":0.1,"by":"xyz","e":"B","fx":"abc","a":[1,-2,3],
        "m":{"k":"A","n":null},"u":2.5,"t":1714979289123,"day":19849}"#;
    let bytes = written(&*codec, &event(json)).unwrap();
    let schema = PeerSchema::parse_str(EVERYTHING).unwrap();
    let peer = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut &bytes[..]).unwrap();
    let Peer::Record(fields) = &peer else { panic!("{peer:?}") };
    assert_eq!(fields[1].1, Peer::Long(-9_007_199_254_740_993));
    assert_eq!(fields[13].1, Peer::String("dflt".into()));
    let bytes = GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(peer).unwrap();
    let read = decode(&mut *codec, &[&bytes]).remove(0);
    assert_eq!(
        (show(&read, "t"), show(&read, "day")),
        ("2024-05-06T07:08:09.123Z".into(), "2024-05-06T00:00:00.000Z".into())
    );
    let mut fields = data(&read);
    for name in ["t", "day", "event"] {
        fields.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(
        fields,
        json!({"b": true, "l": -9_007_199_254_740_993_i64, "f": 1.5, "d": 0.1, "by": "xyz", "e": "B", "fx": "abc",
            "a": [1, -2, 3], "m": {"k": "A", "n": null}, "u": 2.5, "next": null, "x": "dflt"})
    );
}

#[test]
fn events_that_do_not_fit_are_not_written() {
    let (_folder, codec) = with_schema(TEST, "");
    for (text, part) in [
        (r#"{"foo":1,"bar":1}"#, "foo"),
        (r#"{"foo":"x"}"#, "bar"),
        (r#"{"bar":2147483648}"#, "bar"),
        (r#"{"bar":1.5}"#, "bar"),
    ] {
        let error = written(&*codec, &event(text)).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn what_does_not_fit_is_tagged() {
    for options in ["tag_on_failure => true", ""] {
        let (_folder, mut codec) = with_schema(TEST, options);
        for bytes in [
            &b"not avro"[..],
            b"",
            b"\x02\x0ahel",
            b"\x02\x01",
            b"\x06",
            b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            assert_eq!(tags(&decode(&mut *codec, &[bytes])[0]), ["_avroparsefailure"], "{bytes:?}");
        }
    }
}

#[test]
fn hostile_data_is_refused() {
    let list = r#"{"type":"record","name":"L","fields":[{"name":"n","type":["null","L"]}]}"#;
    let (_folder, mut codec) = with_schema(list, "encoding => binary");
    assert_eq!(data(&decode(&mut *codec, &[b"\x02\x02\x00"])[0])["n"], json!({"n": {"n": null}}));
    let deep = vec![2; 1_000_000];
    assert_eq!(tags(&decode(&mut *codec, &[&deep])[0]), ["_avroparsefailure"]);
    let nulls =
        r#"{"type":"record","name":"N","fields":[{"name":"n","type":{"type":"array","items":"null"}}]}"#;
    let (_folder, mut codec) = with_schema(nulls, "encoding => binary");
    let many = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert_eq!(tags(&decode(&mut *codec, &[many])[0]), ["_avroparsefailure"]);
}

/// Answers one request with a body, and gives what was asked.
fn serve(status: &'static str, body: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/schemas/ids/1", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut asked, mut buffer) = (String::new(), [0; 1024]);
        while !asked.contains("\r\n\r\n") {
            let read = stream.read(&mut buffer).unwrap();
            asked.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        let length = body.len();
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .unwrap();
        asked
    });
    (uri, serving)
}

#[tokio::test]
async fn a_registry_is_asked_once() {
    let answer =
        r#"{"schema":"{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"}"#;
    let (uri, serving) = serve("200 OK", answer);
    let mut codec = codec(
        &format!("avro {{ schema_uri => '{uri}' username => 'u' password => 'p' }}"),
        EcsMode::Disabled,
    )
    .unwrap();
    for _ in 0..2 {
        assert_eq!(data(&decode(&mut *codec, &[b"\x02"])[0]), json!({"a": 1}));
    }
    let asked = serving.join().unwrap().to_ascii_lowercase();
    assert!(
        asked.starts_with("get /schemas/ids/1") && asked.contains("authorization: basic dtpw"),
        "{asked}"
    );
    let (uri, serving) = serve("404 Not Found", "");
    let mut missing =
        super::super::testkit::codec(&format!("avro {{ schema_uri => '{uri}' }}"), EcsMode::V8).unwrap();
    assert_eq!(tags(&decode(&mut *missing, &[b"\x02"])[0]), ["_avroparsefailure"]);
    serving.join().unwrap();
}

#[test]
fn options_are_checked() {
    fails("avro { }", "schema_uri");
    fails("avro { schema_uri => '/nosuch.avsc' }", "nosuch");
    for (options, part) in [
        ("schema_uri => 'http://x' ssl_key => '/k'", "ssl_key"),
        ("schema_uri => 'http://x' username => 'u'", "username"),
        ("schema_uri => 'http://x' password => 'p'", "password"),
        ("schema_uri => 'http://x' username => '' password => 'p'", "username"),
        ("schema_uri => 'https://x' ssl_enabled => false", "ssl_enabled"),
        ("schema_uri => 'https://x' ssl_certificate => '/c'", "ssl_key"),
        ("schema_uri => 'https://x' ssl_keystore_password => 'p'", "ssl_keystore_path"),
        ("schema_uri => 'https://x' ssl_verification_mode => none ssl_truststore_path => '/t'", "full"),
        ("schema_uri => 'https://x' ssl_certificate_authorities => ['/a', '/b']", "one file"),
        ("schema_uri => 'https://x' ssl_supported_protocols => ['TLSv1.1']", "TLSv1.1"),
        ("schema_uri => 'https://x' ssl_cipher_suites => ['x']", "ssl_cipher_suites"),
        ("schema_uri => 'https://x' ssl_keystore_path => '/nosuch.jks'", "nosuch"),
    ] {
        fails(&format!("avro {{ {options} }}"), part);
    }
    assert!(
        codec("avro { schema_uri => 'https://x' ssl_supported_protocols => ['TLSv1.3'] }", EcsMode::V8)
            .is_ok()
    );
}
