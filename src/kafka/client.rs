//! From a block's options to librdkafka's configuration, by the table in [`options`](super::options).

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use super::oauth::Tokens;
use super::options::{Conversion, OPTIONS, Plugin, Row};
use super::{Given, Refusal, Warning, security};

/// A configuration and what a person should know about it.
///
/// The configuration holds passwords, so there is no `Debug`.
pub struct Client {
    /// Ready to create a consumer or producer of.
    pub config: ClientConfig,
    /// Where bearer tokens come from, with sasl_mechanism => "OAUTHBEARER".
    pub tokens: Option<Tokens>,
    /// What was accepted and works otherwise than written, or not at all.
    pub warnings: Vec<Warning>,
}

/// Translates all options of one plugin block.
///
/// # Errors
/// Every option that cannot be honoured, in the order of the table.
pub fn configure(plugin: Plugin, given: &Given) -> Result<Client, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut client = Client { config: ClientConfig::new(), tokens: None, warnings: Vec::new() };
    client.config.set_log_level(RDKafkaLogLevel::Info);
    for row in OPTIONS.iter().filter(|row| row.belongs_to(plugin)) {
        if let Some(value) = given.get(row.option)
            && let Err(reason) = translate(row, value, &mut client)
        {
            refusals.push(Refusal::new(row.option, reason));
        }
    }
    match plugin {
        Plugin::Output => producer(given, &mut client),
        _ => consumer(given, &mut client, &mut refusals),
    }
    raise(&mut client.config, "reconnect.backoff.max.ms", "reconnect.backoff.ms", 1000);
    raise(&mut client.config, "retry.backoff.max.ms", "retry.backoff.ms", 1000);
    // Brokers may ask clients to push their metrics to them; rstash has metrics of its own.
    client.config.set("enable.metrics.push", "false");
    refusals.extend(security::apply(given, &mut client));
    if refusals.is_empty() { Ok(client) } else { Err(refusals) }
}

/// The option behind librdkafka's complaint about a property, as `rd_kafka_new` words it.
pub fn explain(plugin: Plugin, error: &str) -> String {
    let mut named: Vec<_> = OPTIONS
        .iter()
        .filter(|row| row.belongs_to(plugin) && !row.librdkafka.is_empty() && error.contains(row.librdkafka))
        .map(|row| row.option)
        .collect();
    named.dedup();
    match named.is_empty() {
        true => error.to_owned(),
        false => format!("{} (see {})", error, named.join(", ")),
    }
}

fn translate(row: &Row, value: &str, client: &mut Client) -> Result<(), String> {
    let text = match row.conversion {
        Conversion::Same => value.to_owned(),
        Conversion::Whole(least, most) => {
            let number = whole(value)?;
            let kept = number.clamp(least, most);
            if kept != number {
                let how = format!("{number} is beyond what the client takes, using {kept}");
                client.warnings.push(Warning::Otherwise(row.option, how));
            }
            kept.to_string()
        }
        Conversion::Kilobytes => (whole(value)? / 1024).max(1).to_string(),
        Conversion::System => match whole(value)? {
            -1 => return Ok(()),
            _ if value == row.default => return Ok(()),
            number => number.to_string(),
        },
        Conversion::Words(words) => match words.iter().find(|(java, _)| *java == value) {
            Some((java, ours)) => {
                if java.ends_with("sticky") && !java.contains("cooperative")
                    || java.ends_with(".StickyAssignor")
                {
                    let why = "members using the Java client's sticky assignor cannot be in the same group";
                    let how = format!("sticky works as cooperative_sticky here; {why}");
                    client.warnings.push(Warning::Otherwise(row.option, how));
                }
                (*ours).to_owned()
            }
            None => return Err(unknown_word(row, value, words)),
        },
        Conversion::Refused(why) if value != row.default => return Err(why.to_owned()),
        Conversion::Refused(_) | Conversion::Security | Conversion::Here(_) => return Ok(()),
    };
    client.config.set(row.librdkafka, text);
    Ok(())
}

fn unknown_word(row: &Row, value: &str, words: &[(&str, &str)]) -> String {
    if row.option == "auto_offset_reset" && value.starts_with("by_duration:") {
        return "by_duration is a feature of the Java client alone; use earliest, latest or none".into();
    }
    let known: Vec<_> = words.iter().map(|(java, _)| *java).filter(|java| !java.contains('.')).collect();
    format!("{value:?} is not supported; use one of {}", known.join(", "))
}

fn whole(value: &str) -> Result<i64, String> {
    value.parse().map_err(|_| format!("{value:?} is not a whole number"))
}

/// librdkafka refuses a greatest back-off below the smallest; Java takes the smallest for both then.
fn raise(config: &mut ClientConfig, greatest: &str, smallest: &str, default: i64) {
    let number = |property: &str| config.get(property).and_then(|text| text.parse::<i64>().ok());
    let least = number(smallest).unwrap_or(0);
    let most = number(greatest).unwrap_or(default).max(least);
    config.set(greatest, most.to_string());
}

fn consumer(given: &Given, client: &mut Client, refusals: &mut Vec<Refusal>) {
    let config = &mut client.config;
    // Offsets are stored by the input when the outputs have acknowledged; librdkafka commits what is stored: at intervals,
    // before a partition is given away, and when the consumer closes.
    config.set("enable.auto.commit", "true").set("enable.auto.offset.store", "false");
    // What is fetched ahead is bounded by what one fetch may bring. The default pause of a second after reaching that
    // bound would leave a fast pipeline idle.
    let kilobytes =
        given.get("fetch_max_bytes").and_then(|text| text.parse::<i64>().ok()).unwrap_or(52_428_800) / 1024;
    config.set("queued.max.messages.kbytes", kilobytes.clamp(1, 2_097_151).to_string());
    config.set("fetch.queue.backoff.ms", "50");
    if given.get("group_protocol") == Some("consumer") {
        for option in ["heartbeat_interval_ms", "session_timeout_ms", "partition_assignment_strategy"] {
            let default = super::options::find(Plugin::Input, option).map_or("", |row| row.default);
            if given.get(option).unwrap_or("") != default {
                refusals.push(Refusal::new(
                    option,
                    "the broker decides this with group_protocol => \"consumer\"; remove it",
                ));
            }
        }
        config
            .remove("heartbeat.interval.ms")
            .remove("session.timeout.ms")
            .remove("partition.assignment.strategy");
    }
}

/// The Java client's `delivery.timeout.ms`, which Logstash leaves at its default: how long one attempt to deliver may
/// take before the output hears of it and tries again.
const DELIVERY_TIMEOUT_MS: i64 = 120_000;

fn producer(given: &Given, client: &mut Client) {
    let config = &mut client.config;
    let request = given.get("request_timeout_ms").and_then(|text| text.parse::<i64>().ok()).unwrap_or(40_000);
    config.set("request.timeout.ms", request.clamp(1, 900_000).to_string());
    config.set("message.timeout.ms", DELIVERY_TIMEOUT_MS.max(request.saturating_mul(2)).to_string());
    // The Java client's: order within a partition is kept but for retries.
    config.set("max.in.flight.requests.per.connection", "5");
    // Memory is bounded by buffer_memory alone.
    config.set("queue.buffering.max.messages", "0");
    match given.get("partitioner") {
        // murmur2 of the key, and without a key a partition that sticks for a while: as the Java client partitions.
        None | Some("default" | "org.apache.kafka.clients.producer.internals.DefaultPartitioner") => {
            config.set("partitioner", "murmur2_random");
        }
        Some(_) => _ = config.set("sticky.partitioning.linger.ms", "0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::options::find;

    /// What a block without any option means: every default.
    fn defaults(plugin: Plugin) -> Given {
        let mut given = Given::default();
        for row in OPTIONS.iter().filter(|row| row.belongs_to(plugin) && !row.default.is_empty()) {
            if !matches!(row.conversion, Conversion::Refused(_)) {
                given.set(row.option, row.default.to_owned());
            }
        }
        given
    }

    fn with(plugin: Plugin, options: &[(&'static str, &str)]) -> Result<Client, Vec<Refusal>> {
        let mut given = defaults(plugin);
        for (option, value) in options {
            assert!(find(plugin, option).is_some(), "{option} is not in the table");
            given.set(option, (*value).to_owned());
        }
        configure(plugin, &given)
    }

    fn client(plugin: Plugin, options: &[(&'static str, &str)]) -> Client {
        with(plugin, options).unwrap_or_else(|refusals| panic!("{refusals:?}"))
    }

    fn refusals(plugin: Plugin, options: &[(&'static str, &str)]) -> Vec<Refusal> {
        with(plugin, options).err().expect("refused")
    }

    #[test]
    fn librdkafka_knows_every_property_and_accepts_every_default() {
        for plugin in [Plugin::Input, Plugin::Output] {
            let client = client(plugin, &[]);
            assert_eq!(client.warnings, []);
            client.config.create_native_config().expect("librdkafka takes the defaults");
        }
    }

    #[test]
    fn no_option_is_listed_twice() {
        for (at, row) in OPTIONS.iter().enumerate() {
            let twice = OPTIONS.iter().skip(at + 1).any(|other| {
                other.option == row.option && (other.belongs_to(row.plugin) || row.belongs_to(other.plugin))
            });
            assert!(!twice, "{} is listed twice", row.option);
        }
    }

    #[test]
    fn java_names_and_units_become_librdkafkas() {
        let options = [
            ("fetch_max_wait_ms", "250"),
            ("auto_offset_reset", "none"),
            ("partition_assignment_strategy", "org.apache.kafka.clients.consumer.RoundRobinAssignor"),
            ("receive_buffer_bytes", "65536"),
            ("fetch_max_bytes", "1048576"),
        ];
        let config = client(Plugin::Input, &options).config;
        assert_eq!(config.get("fetch.wait.max.ms"), Some("250"));
        assert_eq!(config.get("auto.offset.reset"), Some("error"));
        assert_eq!(config.get("partition.assignment.strategy"), Some("roundrobin"));
        assert_eq!(config.get("socket.receive.buffer.bytes"), Some("65536"));
        assert_eq!(config.get("queued.max.messages.kbytes"), Some("1024"));
        let config =
            client(Plugin::Output, &[("buffer_memory", "2097152"), ("max_request_size", "5000")]).config;
        assert_eq!(config.get("queue.buffering.max.kbytes"), Some("2048"));
        assert_eq!(config.get("message.max.bytes"), Some("5000"));
        assert_eq!(config.get("batch.size"), None, "the default leaves the size to librdkafka");
    }

    #[test]
    fn values_beyond_the_range_are_told() {
        let client = client(Plugin::Input, &[("request_timeout_ms", "999999")]);
        assert_eq!(client.config.get("socket.timeout.ms"), Some("300000"));
        assert_eq!(client.warnings.len(), 1);
        assert_eq!(client.warnings[0].option(), "request_timeout_ms");
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_name() {
        let cases: &[(&'static str, &str, &str)] = &[
            ("schema_registry_url", "http://localhost:8081", "schema registry"),
            ("auto_offset_reset", "by_duration:PT1H", "earliest"),
            ("partition_assignment_strategy", "com.example.Mine", "range"),
            ("sasl_login_callback_handler_class", "com.example.Login", "com.example.Login"),
            (
                "sasl_client_callback_handler_class",
                "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
                "Java classes",
            ),
            (
                "kerberos_config",
                "/etc/krb5.conf",
                if cfg!(feature = "gssapi") { "KRB5_CONFIG" } else { "gssapi" },
            ),
        ];
        for (option, value, reason) in cases {
            let refusals = refusals(Plugin::Input, &[(option, value)]);
            assert_eq!(refusals.iter().map(|refusal| refusal.option).collect::<Vec<_>>(), [*option]);
            assert!(refusals[0].reason.contains(reason), "{}", refusals[0]);
        }
    }

    #[test]
    fn consumer_protocol_leaves_timing_to_the_broker() {
        let config = client(Plugin::Input, &[("group_protocol", "consumer")]).config;
        assert_eq!(config.get("session.timeout.ms"), None);
        let refusals =
            refusals(Plugin::Input, &[("group_protocol", "consumer"), ("session_timeout_ms", "20000")]);
        assert_eq!(refusals.iter().map(|refusal| refusal.option).collect::<Vec<_>>(), ["session_timeout_ms"]);
    }

    #[test]
    fn backoffs_keep_their_order() {
        let config =
            client(Plugin::Output, &[("reconnect_backoff_ms", "2000"), ("retry_backoff_ms", "3000")]).config;
        assert_eq!(config.get("reconnect.backoff.max.ms"), Some("2000"));
        assert_eq!(config.get("retry.backoff.max.ms"), Some("3000"));
    }

    #[test]
    fn creation_errors_name_the_option() {
        let error = "`max.poll.interval.ms`must be >= `session.timeout.ms`";
        let line = explain(Plugin::Input, error);
        assert!(line.contains("max_poll_interval_ms") && line.contains("session_timeout_ms"), "{line}");
        let line = explain(Plugin::Output, "ssl.key.pem failed: not in PEM format?: maybe wrong password");
        assert!(line.contains("ssl_key_password"), "{line}");
    }
}
