//! TLS and SASL: every way in that the broker offers, and what is said when it is refused.

use std::path::Path;
use std::time::Duration;

use super::broker::Broker;
use super::program::Rstash;

fn login(module: &str, password: &str) -> String {
    format!(
        r#"sasl_jaas_config => 'org.apache.kafka.common.security.{module}LoginModule required username="alice" password="{password}";'"#
    )
}

fn trust(stores: &Path, name: &str) -> String {
    let kind = if name.ends_with(".pem") {
        r#"ssl_truststore_type => "PEM""#
    } else {
        r#"ssl_truststore_password => "store-secret""#
    };
    format!(
        r#"security_protocol => "SSL" ssl_truststore_location => "{}" {kind}"#,
        stores.join(name).display()
    )
}

fn key(stores: &Path, name: &str, rest: &str) -> String {
    format!(r#"ssl_keystore_location => "{}" {rest}"#, stores.join(name).display())
}

fn reader(address: &str, topic: &str, options: &str) -> Rstash {
    Rstash::start(&format!(
        r#"input {{ kafka {{ bootstrap_servers => "{address}" topics => ["{topic}"] group_id => "{topic}-{}" auto_offset_reset => "earliest" {options} }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{message}}" }} }} }}"#,
        fastrand::u32(..)
    ))
}

/// Listeners by their distance from the plaintext port, as `.ci/kafka.sh` says.
const SASL_PLAINTEXT: u16 = 2;
const SSL: u16 = 3;
const SASL_SSL: u16 = 4;
const MUTUAL: u16 = 5;
/// Its certificate is for another host.
const ELSEWHERE: u16 = 6;

#[test]
fn every_way_in_works_for_input_and_output() {
    let Some(broker) = Broker::from_environment() else { return };
    let Some(stores) = broker.stores() else { return };
    let sasl = |mechanism: &str, module: &str| {
        format!(
            r#"security_protocol => "SASL_PLAINTEXT" sasl_mechanism => "{mechanism}" {}"#,
            login(module, "alice-secret")
        )
    };
    let over_tls = |options: String, store: &str| {
        let trust = trust(&stores, store);
        format!("{options} {trust}")
            .replace(r#"security_protocol => "SASL_PLAINTEXT""#, "")
            .replace(r#""SSL""#, r#""SASL_SSL""#)
    };
    let store = r#"ssl_keystore_password => "store-secret""#;
    let jks_key = format!(r#"{store} ssl_key_password => "key-secret""#);
    let pem_key = r#"ssl_keystore_type => "PEM" ssl_key_password => "key-secret""#;
    let ways = [
        (SASL_PLAINTEXT, sasl("PLAIN", "plain.Plain")),
        (SASL_PLAINTEXT, sasl("SCRAM-SHA-256", "scram.Scram")),
        (SASL_PLAINTEXT, sasl("SCRAM-SHA-512", "scram.Scram")),
        (SSL, trust(&stores, "trust.jks")),
        (SSL, trust(&stores, "trust.p12")),
        (SSL, trust(&stores, "trust-legacy.p12")),
        (SSL, trust(&stores, "ca.pem")),
        (SASL_SSL, over_tls(sasl("PLAIN", "plain.Plain"), "trust.jks")),
        (SASL_SSL, over_tls(sasl("SCRAM-SHA-512", "scram.Scram"), "trust.p12")),
        (
            ELSEWHERE,
            format!("{} {}", trust(&stores, "trust.jks"), r#"ssl_endpoint_identification_algorithm => """#),
        ),
        (MUTUAL, format!("{} {}", trust(&stores, "trust.jks"), key(&stores, "client.jks", &jks_key))),
        (MUTUAL, format!("{} {}", trust(&stores, "trust.p12"), key(&stores, "client.p12", store))),
        (MUTUAL, format!("{} {}", trust(&stores, "trust.p12"), key(&stores, "client-legacy.p12", store))),
        (MUTUAL, format!("{} {}", trust(&stores, "ca.pem"), key(&stores, "client.pem", pem_key))),
    ];
    for (distance, options) in ways {
        let address = broker.listener(distance);
        let topic = broker.topic("secure", 1);
        let writer = Rstash::start(&format!(
            r#"input {{ generator {{ count => 1 lines => ["hello"] }} }}
               output {{ kafka {{ bootstrap_servers => "{address}" topic_id => "{topic}" codec => plain {{ format => "%{{message}}" }} {options} }} }}"#
        ));
        assert!(writer.wait().success(), "{options}\n{}", writer.log());
        let reader = reader(&address, &topic, &options);
        assert_eq!(reader.wait_for_lines(1), ["hello"], "{options}");
        assert!(reader.stop().success(), "{options}");
    }
}

#[test]
fn a_refusal_is_one_line_that_names_the_option_and_no_secret() {
    let Some(broker) = Broker::from_environment() else { return };
    let Some(stores) = broker.stores() else { return };
    let sasl = |mechanism: &str, module: &str| {
        format!(
            r#"security_protocol => "SASL_PLAINTEXT" sasl_mechanism => "{mechanism}" {}"#,
            login(module, "wr0ng")
        )
    };
    let cases = [
        (SASL_PLAINTEXT, sasl("PLAIN", "plain.Plain"), "sasl_jaas_config"),
        (SASL_PLAINTEXT, sasl("SCRAM-SHA-256", "scram.Scram"), "sasl_jaas_config"),
        (SSL, trust(&stores, "other-trust.jks"), "ssl_truststore_location"),
        (MUTUAL, trust(&stores, "trust.jks"), "ssl_keystore_location"),
        (ELSEWHERE, trust(&stores, "trust.jks"), "ssl_endpoint_identification_algorithm"),
        (SSL, String::new(), "security_protocol"),
        (0, trust(&stores, "trust.jks"), "security_protocol"),
    ];
    let topic = broker.topic("refused", 1);
    for (distance, options, option) in cases {
        let reader = reader(&broker.listener(distance), &topic, &options);
        reader.wait_for_log(option);
        // Attempts go on in the background; the log does not grow with them.
        std::thread::sleep(Duration::from_secs(3));
        let log = reader.log();
        assert_eq!(log.matches(option).count(), 1, "{log}");
        assert!(!log.contains("wr0ng"), "{log}");
        assert!(reader.is_running(), "it tries on: {log}");
        assert!(reader.stop().success(), "{options}");
    }
}

#[test]
fn a_wrong_store_password_or_path_fails_at_the_start() {
    let Some(broker) = Broker::from_environment() else { return };
    let Some(stores) = broker.stores() else { return };
    let jks = trust(&stores, "trust.jks");
    let cases = [
        (jks.replace("store-secret", "wr0ng"), "ssl_truststore_password"),
        (jks.replace("trust.jks", "nothing.jks"), "ssl_truststore_location"),
        (
            format!("{jks} {}", key(&stores, "client.jks", r#"ssl_keystore_password => "wr0ng""#)),
            "ssl_keystore_password",
        ),
        (
            format!(
                "{jks} {}",
                key(
                    &stores,
                    "client.jks",
                    r#"ssl_keystore_password => "store-secret" ssl_key_password => "wr0ng""#
                )
            ),
            "ssl_key_password",
        ),
        (
            format!(
                "{jks} {}",
                key(&stores, "client.pem", r#"ssl_keystore_type => "PEM" ssl_key_password => "wr0ng""#)
            ),
            "ssl_key_password",
        ),
    ];
    for (options, option) in cases {
        let reader = reader(&broker.listener(SSL), "any", &options);
        assert!(!reader.wait().success(), "{options}");
        let log = reader.log();
        assert!(log.contains(option), "{option} is not named: {log}");
    }
}
