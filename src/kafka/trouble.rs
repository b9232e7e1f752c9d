//! What goes wrong at a broker, said once and with the option that mends it, instead of librdkafka's line per attempt.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// A kind of trouble: what is told once, however often it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Trouble {
    Credentials,
    Token,
    BrokerCertificate,
    ClientCertificate,
    NotTls,
    Tls,
    Resolve,
    Unreachable,
    NoOffset,
    NotAllowed,
    NoTopic,
    /// Any other error, by librdkafka's code.
    Code(i32),
    /// A log line of librdkafka, by its facility.
    Log(u64),
}

impl Trouble {
    /// The option to look at and what it means, as the start of the line.
    fn advice(self) -> &'static str {
        match self {
            Trouble::Credentials => "the broker refuses the login of sasl_jaas_config (and sasl_mechanism)",
            Trouble::Token => {
                "no bearer token to log in with (see sasl_oauthbearer_token_endpoint_url, and clientId, clientSecret and \
                 scope in sasl_jaas_config), trying on"
            }
            // OpenSSL's error does not say which of the two it was.
            Trouble::BrokerCertificate => {
                "the broker's certificate is not trusted: no certificate of ssl_truststore_location signs it, or it is \
                 for another name than bootstrap_servers has (ssl_endpoint_identification_algorithm)"
            }
            Trouble::ClientCertificate => {
                "the broker does not accept the client certificate of ssl_keystore_location"
            }
            Trouble::NotTls => {
                "security_protocol seems not to be the one that the broker speaks on this port"
            }
            Trouble::Tls => "TLS with the broker fails (see security_protocol and the ssl_ options)",
            Trouble::Resolve => "the name of a broker cannot be resolved (see bootstrap_servers)",
            Trouble::Unreachable => "no connection to the broker (see bootstrap_servers), trying on",
            Trouble::NoOffset => {
                "the group has no offset for a partition, and auto_offset_reset => \"none\" forbids to choose one"
            }
            Trouble::NotAllowed => {
                "the broker denies access to the topic or group (see group_id, topics, topic_id)"
            }
            Trouble::NoTopic => "the broker does not know the topic (see topics, topic_id), trying on",
            Trouble::Code(_) | Trouble::Log(_) => "the Kafka client reports",
        }
    }
}

/// Which trouble an error is, by librdkafka's code and the reason it gives.
fn diagnose(code: Option<RDKafkaErrorCode>, reason: &str) -> Option<Trouble> {
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    Some(match code? {
        // The account of several brokers that follows each one's own.
        RDKafkaErrorCode::AllBrokersDown => return None,
        RDKafkaErrorCode::Authentication if says(&[NO_TOKEN]) => Trouble::Token,
        RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => Trouble::Credentials,
        RDKafkaErrorCode::UnsupportedSASLMechanism => Trouble::Credentials,
        RDKafkaErrorCode::Resolve => Trouble::Resolve,
        RDKafkaErrorCode::SSL | RDKafkaErrorCode::BrokerTransportFailure
            if says(&["certificate verify failed", "certificate could not be verified"]) =>
        {
            Trouble::BrokerCertificate
        }
        RDKafkaErrorCode::SSL | RDKafkaErrorCode::BrokerTransportFailure
            if says(&["alert", "certificate required", "authentication required"]) =>
        {
            Trouble::ClientCertificate
        }
        RDKafkaErrorCode::SSL | RDKafkaErrorCode::BrokerTransportFailure
            if says(&["wrong version number", "packet length too long", "PLAINTEXT broker listener"]) =>
        {
            Trouble::NotTls
        }
        RDKafkaErrorCode::SSL => Trouble::Tls,
        RDKafkaErrorCode::BrokerTransportFailure
        | RDKafkaErrorCode::OperationTimedOut
        | RDKafkaErrorCode::RequestTimedOut
        | RDKafkaErrorCode::NodeUpdate => Trouble::Unreachable,
        RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::NoOffset => Trouble::NoOffset,
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::GroupAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => Trouble::NotAllowed,
        RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition => Trouble::NoTopic,
        code => Trouble::Code(code as i32),
    })
}

/// How librdkafka introduces what a source of bearer tokens said.
const NO_TOKEN: &str = "Failed to acquire SASL OAUTHBEARER token: ";

/// What librdkafka logs when an address of `bootstrap_servers` hangs up at the first request, as a TLS port does without
/// TLS. A broker that is going down resets the connection instead.
const HANGS_UP: [&str; 3] =
    ["/bootstrap: Disconnected", "connection closed by peer", "in state APIVERSION_QUERY"];

/// How long the same trouble stays untold after it was told.
const SILENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Told {
    at: Option<Instant>,
    silenced: u64,
}

/// Tells a client's troubles in the log, each kind at most once a minute with the number of those left out.
pub struct Reporter {
    plugin: String,
    told: Mutex<HashMap<Trouble, Told>>,
}

impl Reporter {
    /// A reporter for the plugin with this id.
    pub fn new(plugin: impl Into<String>) -> Self {
        Reporter { plugin: plugin.into(), told: Mutex::default() }
    }

    /// An error of the client, with the reason where librdkafka gives one.
    pub fn error(&self, error: &KafkaError, reason: &str) {
        let reason = if reason.is_empty() { error.to_string() } else { reason.to_owned() };
        let Some(trouble) = diagnose(error.rdkafka_error_code(), &reason) else { return };
        self.tell(trouble, &reason);
    }

    fn tell(&self, trouble: Trouble, reason: &str) {
        if let Some((line, reason)) = self.line(trouble, reason, Instant::now()) {
            match trouble {
                Trouble::Unreachable | Trouble::NoTopic | Trouble::Code(_) => {
                    tracing::warn!(plugin = self.plugin, reason, "{line}")
                }
                _ => tracing::error!(plugin = self.plugin, reason, "{line}"),
            }
        }
    }

    /// A line of librdkafka's own log. What it logs of broker failures also comes as an error.
    pub fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "FAIL" && HANGS_UP.iter().all(|part| message.contains(part)) {
            // The only failure that comes as a line of the log alone.
            return self.tell(Trouble::NotTls, message);
        }
        let told_as_error =
            matches!(facility, "FAIL" | "ERROR" | "CONFWARN" | "SSL" | "SASL" | "METADATAUPDATE");
        if told_as_error || level as i32 > RDKafkaLogLevel::Warning as i32 {
            tracing::debug!(plugin = self.plugin, facility, "{message}");
            return;
        }
        let kind = Trouble::Log(
            facility.bytes().fold(0, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(byte.into())),
        );
        if let Some((line, reason)) = self.line(kind, message, Instant::now()) {
            tracing::warn!(plugin = self.plugin, facility, reason, "{line}");
        }
    }

    /// All is well again: the next trouble is told at once.
    pub fn recovered(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.is_empty() {
            let lost = told.contains_key(&Trouble::Unreachable);
            told.clear();
            if lost {
                tracing::info!(plugin = self.plugin, "connected to the broker again");
            }
        }
    }

    /// The line to log and its reason, unless the same trouble was told a moment ago.
    fn line(&self, trouble: Trouble, reason: &str, now: Instant) -> Option<(String, String)> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told = told.entry(trouble).or_default();
        if told.at.is_some_and(|at| now.duration_since(at) < SILENCE) {
            told.silenced += 1;
            return None;
        }
        told.at = Some(now);
        let again = match std::mem::take(&mut told.silenced) {
            0 => String::new(),
            times => format!(" ({times} more times since the last such line)"),
        };
        Some((format!("{}{again}", trouble.advice()), plain(reason).to_owned()))
    }
}

/// Cuts librdkafka's `[thrd:...]: ` from a message, and advice that names librdkafka's own properties.
fn plain(message: &str) -> &str {
    let message = match message.strip_prefix("[thrd:").and_then(|rest| rest.split_once("]: ")) {
        Some((_, rest)) => rest,
        None => message,
    };
    let message = message.strip_prefix(NO_TOKEN).unwrap_or(message);
    let advice = [
        ": broker certificate could not be verified, verify that ssl.ca",
        ": client SSL authentication might be",
    ];
    advice
        .iter()
        .filter_map(|advice| message.find(advice))
        .min()
        .and_then(|at| message.get(..at))
        .unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_option_to_look_at() {
        let cases = [
            (
                RDKafkaErrorCode::Authentication,
                "SASL authentication error: Authentication failed",
                "sasl_jaas_config",
            ),
            (
                RDKafkaErrorCode::Authentication,
                "Failed to acquire SASL OAUTHBEARER token: http://login/token: 401 Unauthorized",
                "sasl_oauthbearer_token_endpoint_url",
            ),
            (
                RDKafkaErrorCode::SSL,
                "SSL handshake failed: certificate verify failed: broker certificate",
                "ssl_truststore_location",
            ),
            (
                RDKafkaErrorCode::SSL,
                "SSL handshake failed: ssl/tls alert certificate required",
                "ssl_keystore_location",
            ),
            (RDKafkaErrorCode::SSL, "SSL handshake failed: wrong version number", "security_protocol"),
            (
                RDKafkaErrorCode::BrokerTransportFailure,
                "Disconnected: connecting to a PLAINTEXT broker listener?",
                "security_protocol",
            ),
            (
                RDKafkaErrorCode::BrokerTransportFailure,
                "Connect to ipv4#127.0.0.1:9 failed: Connection refused",
                "bootstrap_servers",
            ),
            (
                RDKafkaErrorCode::SSL,
                "Disconnected: connecting to a PLAINTEXT broker listener?",
                "security_protocol",
            ),
            (RDKafkaErrorCode::Resolve, "Failed to resolve 'nowhere:9092'", "bootstrap_servers"),
            (
                RDKafkaErrorCode::AutoOffsetReset,
                "no previously committed offset available",
                "auto_offset_reset",
            ),
        ];
        for (code, reason, option) in cases {
            let advice = diagnose(Some(code), reason).expect("a trouble").advice();
            assert!(advice.contains(option), "{reason}: {advice}");
        }
    }

    #[test]
    fn the_same_trouble_is_told_once_a_minute() {
        let reporter = Reporter::new("k");
        let start = Instant::now();
        let line = |trouble, after| {
            reporter.line(trouble, "[thrd:a:9092/1]: why", start + Duration::from_secs(after))
        };
        assert_eq!(line(Trouble::Credentials, 0).map(|(_, reason)| reason).as_deref(), Some("why"));
        assert_eq!(line(Trouble::Credentials, 1), None);
        assert!(line(Trouble::Resolve, 1).is_some(), "another trouble is told");
        let (again, _) = line(Trouble::Credentials, 61).expect("told again");
        assert!(again.contains("1 more times"), "{again}");
    }
}
