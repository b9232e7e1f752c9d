use lapin::BasicProperties;
use lapin::message::Delivery;

use super::*;
use crate::event::Event;
use crate::plugin::testkit;

fn problems(options: &str) -> Vec<String> {
    let config = format!("input {{ rabbitmq {{ {options} }} }}");
    let problems = testkit::input(&config, &testkit::context()).err();
    let problems = problems.unwrap_or_else(|| panic!("{options}: no error"));
    problems.into_iter().map(|problem| problem.message).collect()
}

#[test]
fn options_are_checked() {
    assert!(
        testkit::input(
            r#"input { rabbitmq { host => ["a", "b:5673"] queue => "q" arguments => { "x-max-priority" => 10 } } }"#,
            &testkit::context()
        )
        .is_ok()
    );
    let long = "x".repeat(256);
    for (options, said) in [
        (String::new(), "missing required option \"host\""),
        ("host => []".into(), "cannot be empty"),
        ("host => 'a:b'".into(), "neither host nor host:port"),
        ("host => 'a' prefetch_count => 0".into(), "at least 1"),
        ("host => 'a' threads => 0".into(), "at least 1"),
        ("host => 'a' automatic_recovery => false".into(), "cannot be false"),
        (format!("host => 'a' queue => '{long}'"), "longer than 255 bytes"),
        ("host => 'a' metadata_enabled => all".into(), "expected one of"),
        ("host => 'a' ssl => true ssl_certificate_path => '/x'".into(), "needs ssl_certificate_password"),
        ("host => 'a' ssl => true ssl_version => 'SSLv3'".into(), "TLSv1.2"),
        (
            "host => 'a' ssl => true ssl_certificate_path => '/no/such' ssl_certificate_password => 'x'"
                .into(),
            "/no/such",
        ),
    ] {
        let found = problems(&options);
        assert!(found.iter().any(|message| message.contains(said)), "{options}: {found:?}");
    }
}

#[test]
fn events_tell_of_their_messages() {
    let properties = BasicProperties::default()
        .with_content_type("text/plain".into())
        .with_delivery_mode(2)
        .with_timestamp(1_700_000_000)
        .with_headers(table(&headers()).unwrap());
    let mut delivery = Delivery::mock(1, "logs".into(), "key".into(), false, b"m".to_vec());
    delivery.properties = properties;
    let shown = |level| {
        let metadata = Metadata::new(level).unwrap();
        let mut event = Event::new();
        if let Some(told) = metadata.of(&delivery, "tag") {
            metadata.tell(&mut event, &told);
        }
        let mut out = Vec::new();
        crate::event::json::write_object(&mut out, event.metadata());
        let shown: serde_json::Value = serde_json::from_slice(&out).unwrap();
        shown
    };
    assert_eq!(shown(MetadataLevel::None), serde_json::json!({}));
    let basic = serde_json::json!({
        "rabbitmq_headers": { "h": "x" },
        "rabbitmq_properties": {
            "consumer-tag": "tag", "content-type": "text/plain", "delivery-mode": 2, "exchange": "logs",
            "routing-key": "key", "timestamp": 1_700_000_000,
        },
    });
    assert_eq!(shown(MetadataLevel::True), basic);
    assert_eq!(shown(MetadataLevel::Extended)["rabbitmq_payload"], "m");
}

/// A hash with one entry.
fn headers() -> crate::plugin::Pairs {
    let value = crate::language::parse_value(r#"{ "h" => "x" }"#).unwrap();
    let context = testkit::context();
    let value = crate::plugin::ConfigValue::new(&value, &context.environment, &mut Vec::new());
    crate::plugin::FromOption::from_option(&value, &context).unwrap()
}
