//! `cef` against the facts of the specification and of the codec's documentation.

use serde_json::json;

use crate::codecs::testkit::{codec, data, decode, decode_one, encode, event, fails, show, tags, texts};
use crate::plugin::EcsMode;

const HEADER: &str = "CEF:0|security|threatmanager|1.0|100|trojan successfully stopped|10|";

fn one(options: &str, ecs: EcsMode, text: &str) -> serde_json::Value {
    let events = decode_one(&format!("cef {{ {options} }}"), ecs, text.as_bytes());
    assert_eq!(events.len(), 1);
    data(&events[0])
}

/// The extension of a message without ECS, without the header's fields.
fn extension(text: &str) -> serde_json::Value {
    let mut fields = one("", EcsMode::Disabled, &format!("{HEADER}{text}"));
    for name in [
        "cefVersion",
        "deviceVendor",
        "deviceProduct",
        "deviceVersion",
        "deviceEventClassId",
        "name",
        "severity",
    ] {
        assert!(fields.as_object_mut().unwrap().remove(name).is_some(), "{name}: {fields}");
    }
    fields
}

#[test]
fn headers_and_extensions_in_both_modes() {
    let text = format!("<13>Jan 1 host {HEADER}src=10.0.0.192 dst=12.121.122.82 spt=1232 cs1=x cs1Label=y");
    assert_eq!(
        one("", EcsMode::Disabled, &text),
        json!({"syslog": "<13>Jan 1 host", "cefVersion": "0", "deviceVendor": "security",
            "deviceProduct": "threatmanager", "deviceVersion": "1.0", "deviceEventClassId": "100",
            "name": "trojan successfully stopped", "severity": "10", "sourceAddress": "10.0.0.192",
            "destinationAddress": "12.121.122.82", "sourcePort": "1232", "deviceCustomString1": "x",
            "deviceCustomString1Label": "y"})
    );
    assert_eq!(
        one("", EcsMode::V8, &text),
        json!({"log": {"syslog": {"header": "<13>Jan 1 host"}},
            "cef": {"version": "0", "name": "trojan successfully stopped",
                "device_custom_string_1": {"value": "x", "label": "y"}},
            "observer": {"vendor": "security", "product": "threatmanager", "version": "1.0"},
            "event": {"code": "100", "severity": "10"}, "source": {"ip": "10.0.0.192", "port": "1232"},
            "destination": {"ip": "12.121.122.82"}})
    );
}

#[test]
fn values_may_hold_spaces_and_equals_signs() {
    for (text, expected) in [
        ("msg=a b=c", json!({"message": "a", "b": "c"})),
        ("msg=this is  long  act=x", json!({"message": "this is  long", "deviceAction": "x"})),
        (r"msg=a\=b c\\d\nl\r\x moo=1", json!({"message": "a=b c\\d\nl\r\\x", "moo": "1"})),
        ("request=http://x/?a=b&c=d msg=z", json!({"requestUrl": "http://x/?a=b&c=d", "message": "z"})),
        ("cs1= cs2=x", json!({"deviceCustomString1": "", "deviceCustomString2": "x"})),
        (
            "ad.name=1 ad.a-b.c=2 list[0]=x list[1]=y",
            json!({"ad.name": "1", "ad.a-b.c": "2", "list": {"0": "x", "1": "y"}}),
        ),
        ("  a=1   b=2  ", json!({"a": "1", "b": "2"})),
        ("a=1 a=2", json!({"a": "2"})),
        ("msg=pipe | is fine | here", json!({"message": "pipe | is fine | here"})),
        ("msg=한국어 act=é", json!({"message": "한국어", "deviceAction": "é"})),
        (
            "destinationLatitude=1 dlong=2",
            json!({"destinationLatitude": "1", "destinationGeoLongitude": "2"}),
        ),
    ] {
        assert_eq!(extension(text), expected, "{text}");
    }
}

#[test]
fn escapes_in_headers() {
    let text = r"CEF:0|a\|b|c\\|1\.0|x\\\|y||3|";
    let fields = one("", EcsMode::Disabled, text);
    assert_eq!(fields["deviceVendor"], "a|b");
    assert_eq!(fields["deviceProduct"], "c\\");
    assert_eq!(fields["deviceVersion"], r"1\.0");
    assert_eq!(fields["deviceEventClassId"], r"x\|y");
    assert_eq!(fields["name"], "");
}

#[test]
fn what_is_not_cef_is_the_message_of_a_tagged_event() {
    let newline = format!("{HEADER}msg=a\nb");
    let keyless = format!("{HEADER}no key here");
    let reference = format!("{HEADER}a=1 a[0]=2");
    for text in ["", "not cef", "CEF:0|a|b|c", "CEF:0", &newline, &keyless, &reference] {
        let events = decode_one("cef", EcsMode::Disabled, text.as_bytes());
        assert_eq!(
            (show(&events[0], "message").as_str(), tags(&events[0])),
            (text, vec!["_cefparsefailure".into()])
        );
        assert_eq!(events[0].data().len(), 4, "{text}");
    }
    let events = decode_one("cef", EcsMode::V8, b"CEF:0|\xff|b|c|d|e|f|");
    assert_eq!(show(&events[0], "message"), "CEF:0|\u{fffd}|b|c|d|e|f|");
}

#[test]
fn quotes_and_a_line_break_around_a_message_are_no_part_of_it() {
    assert_eq!(extension("msg=x\r\n"), json!({"message": "x"}));
    let quoted = one("raw_data_field => 'raw'", EcsMode::Disabled, &format!("\"{HEADER}msg=x\""));
    assert_eq!(quoted["message"], "x");
    assert_eq!(quoted["raw"], format!("\"{HEADER}msg=x\""));
}

#[test]
fn times_of_a_device_are_read_with_ecs() {
    let text = format!("{HEADER}rt=Jun 17 2027 17:57:06.456 dtz=America/New_York start= end=1616623591694");
    let event = decode_one("cef", EcsMode::V8, text.as_bytes()).remove(0);
    assert_eq!(show(&event, "@timestamp"), "2027-06-17T21:57:06.456Z");
    assert_eq!(data(&event)["event"]["start"], json!(null));
    assert_eq!(show(&event, "[event][end]"), "2021-03-24T22:06:31.694Z");
    assert_eq!(show(&event, "[event][timezone]"), "America/New_York");
    let failed = decode_one("cef", EcsMode::V8, format!("{HEADER}rt=yesterday").as_bytes());
    assert_eq!(tags(&failed[0]), ["_cefparsefailure"]);
    assert_eq!(extension("rt=yesterday"), json!({"deviceReceiptTime": "yesterday"}));
}

#[test]
fn the_device_may_be_the_host() {
    let text = format!("{HEADER}dvc=1.2.3.4 dvchost=h deviceExternalId=i");
    assert_eq!(
        one("device => host", EcsMode::V8, &text)["host"],
        json!({"ip": "1.2.3.4", "name": "h", "id": "i"})
    );
    let observer = one("", EcsMode::V8, &text)["observer"].clone();
    assert_eq!((&observer["hostname"], &observer["name"]), (&json!("h"), &json!("i")));
}

#[test]
fn a_delimiter_cuts_a_stream() {
    let mut codec = codec(r#"cef { delimiter => "\r\n" }"#, EcsMode::Disabled).unwrap();
    let whole = format!("{HEADER}msg=a\r\n{HEADER}msg=b\r\n{HEADER}msg=c");
    let pieces: Vec<_> = whole.as_bytes().chunks(7).collect();
    assert_eq!(texts(&decode(&mut *codec, &pieces), "message"), ["a", "b", "c"]);
    fails("cef { delimiter => '' }", "delimiter");
    fails("cef { default_timezone => 'Nowhere' }", "default_timezone");
}

#[test]
fn events_are_written_with_full_names_or_short_keys() {
    let legacy = event(
        r#"{"sourceAddress":"1.2.3.4","message":"a=b\\c\r\nd\n","n":1.5,"o":{"k":["=",true]},"gone":null,
        "my-key":"z","destinationLatitude":"1","time":"x"}"#,
    );
    let fields = r#"fields => ["sourceAddress", "message", "n", "o", "gone", "nothing", "my-key", "destinationLatitude"]"#;
    let text =
        |options: &str, ecs| encode(&*codec(&format!("cef {{ {fields} {options} }}"), ecs).unwrap(), &legacy);
    assert_eq!(
        text("", EcsMode::Disabled),
        r#"CEF:0|Elasticsearch|Logstash|1.0|Logstash|Logstash|6|sourceAddress=1.2.3.4 message=a\=b\\c\nd\n n=1.5 o={"k":["\=",true]} mykey=z destinationLatitude=1"#
    );
    let short = text("reverse_mapping => true delimiter => '\\n'", EcsMode::Disabled);
    assert!(short.contains("|src=1.2.3.4 msg=") && short.ends_with(" dlat=1\n"), "{short}");
    let ecs = event(
        r#"{"source":{"ip":"1.2.3.4","registered_domain":"d"},"@timestamp":"2024-05-06T07:08:09.000Z"}"#,
    );
    let codec = codec(
        r#"cef { fields => ["[source][ip]","[source][registered_domain]","@timestamp"] }"#,
        EcsMode::V8,
    );
    assert!(
        encode(&*codec.unwrap(), &ecs)
            .ends_with("|sourceAddress=1.2.3.4 sourceDnsDomain=d deviceReceiptTime=2024-05-06T07:08:09.000Z")
    );
}

#[test]
fn headers_are_templates_and_severities_whole_numbers() {
    let header = |options: &str| {
        let event = event(r#"{"v":"a|b\\c\r\nd","s":"7.0","h":"11"}"#);
        encode(&*codec(&format!("cef {{ {options} }}"), EcsMode::Disabled).unwrap(), &event)
    };
    assert_eq!(
        header(r#"vendor => "%{v}" product => "" name => "%{none}""#),
        r"CEF:0|a\|b\\c d|Logstash|1.0|Logstash|%{none}|6|"
    );
    for (severity, expected) in [
        ("%{s}", "7"),
        ("%{h}", "6"),
        ("", "6"),
        ("abc", "6"),
        ("5.4", "6"),
        ("-1", "6"),
        ("0", "0"),
        (" 10 ", "10"),
        ("inf", "6"),
    ] {
        let text = header(&format!("severity => \"{severity}\""));
        assert!(text.ends_with(&format!("|{expected}|")), "{severity}: {text}");
    }
}
