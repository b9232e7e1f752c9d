//! Every option of the kafka input and output in one table: the Java client's property it stands for, what librdkafka
//! calls that, Logstash's default, and how the value gets from one to the other.
//!
//! Java's names and meanings are those of Logstash's `logstash-integration-kafka` 12.1 (`docs/input-kafka.asciidoc`,
//! `docs/output-kafka.asciidoc`); librdkafka's are those of its `CONFIGURATION.md`.

use self::Conversion::{Here, Kilobytes, Refused, Same, Security, System, Whole, Words};
use self::Plugin::{Both, Input, Output};

/// Which of the two plugins has an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// Only the kafka input.
    Input,
    /// Only the kafka output.
    Output,
    /// Both.
    Both,
}

/// How an option's value becomes librdkafka's.
#[derive(Debug, Clone, Copy)]
pub enum Conversion {
    /// The text as it is.
    Same,
    /// A whole number, brought into librdkafka's range (both ends included) with a warning.
    Whole(i64, i64),
    /// Bytes to kilobytes, at least one.
    Kilobytes,
    /// A size that only tunes: Logstash's default leaves it to librdkafka and the system, which choose better ones (16 kB
    /// batches and fixed 32 kB socket buffers cost most of the throughput); any other value is taken. -1 is the system's.
    System,
    /// One of these words, first Java's and then librdkafka's; any other is refused.
    Words(&'static [(&'static str, &'static str)]),
    /// Set by [`super::security`], which may need several options for one property.
    Security,
    /// The plugin itself does it; the text says how.
    Here(&'static str),
    /// Refused by name: why, and what to do.
    Refused(&'static str),
}

/// One option.
#[derive(Debug)]
pub struct Row {
    /// The plugin that has it.
    pub plugin: Plugin,
    /// Its name in a config.
    pub option: &'static str,
    /// Logstash's default; `""` is none.
    pub default: &'static str,
    /// The Java client's property, `""` where Logstash sets none.
    pub java: &'static str,
    /// librdkafka's property, `""` where it has none or the plugin does the work.
    pub librdkafka: &'static str,
    /// The way from Java's value to librdkafka's.
    pub conversion: Conversion,
}

impl Row {
    /// Whether a plugin has this option.
    pub fn belongs_to(&self, plugin: Plugin) -> bool {
        self.plugin == Both || plugin == self.plugin
    }
}

const fn row(
    plugin: Plugin,
    option: &'static str,
    default: &'static str,
    java: &'static str,
    librdkafka: &'static str,
    conversion: Conversion,
) -> Row {
    Row { plugin, option, default, java, librdkafka, conversion }
}

const MAX: i64 = i32::MAX as i64;

const NO_REGISTRY: &str = "reading Avro through a schema registry is not available; remove the schema_registry_* options and \
                           have the producer write JSON";
const NO_CLASSES: &str = "Java classes cannot be loaded; of the SASL mechanisms PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER \
                          and (in a build with the gssapi feature) GSSAPI work without any";
const NO_KERBEROS: &str = if cfg!(feature = "gssapi") {
    "the Kerberos library reads the path of its configuration from the environment: start rstash with KRB5_CONFIG set to it"
} else {
    "this build has no Kerberos; build with the gssapi feature"
};

const RESET: &[(&str, &str)] = &[("earliest", "earliest"), ("latest", "latest"), ("none", "error")];
const ASSIGNORS: &[(&str, &str)] = &[
    ("range", "range"),
    ("round_robin", "roundrobin"),
    // librdkafka has the sticky assignment only in its cooperative form.
    ("sticky", "cooperative-sticky"),
    ("cooperative_sticky", "cooperative-sticky"),
    ("org.apache.kafka.clients.consumer.RangeAssignor", "range"),
    ("org.apache.kafka.clients.consumer.RoundRobinAssignor", "roundrobin"),
    ("org.apache.kafka.clients.consumer.StickyAssignor", "cooperative-sticky"),
    ("org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "cooperative-sticky"),
];
const DNS: &[(&str, &str)] = &[
    ("default", "use_all_dns_ips"),
    ("use_all_dns_ips", "use_all_dns_ips"),
    ("resolve_canonical_bootstrap_servers_only", "resolve_canonical_bootstrap_servers_only"),
];
const STRING_READER: &str = "org.apache.kafka.common.serialization.StringDeserializer";
const STRING_WRITER: &str = "org.apache.kafka.common.serialization.StringSerializer";

/// All options of both plugins, but for those that every input or output has.
#[rustfmt::skip]
pub const OPTIONS: &[Row] = &[
    // plugin, option, Logstash's default, Java's property, librdkafka's property, conversion
    row(Both, "bootstrap_servers", "localhost:9092", "bootstrap.servers", "bootstrap.servers", Same),
    row(Both, "client_dns_lookup", "use_all_dns_ips", "client.dns.lookup", "client.dns.lookup", Words(DNS)),
    row(Both, "client_id", "logstash", "client.id", "client.id", Same),
    row(Both, "connections_max_idle_ms", "540000", "connections.max.idle.ms", "connections.max.idle.ms", Whole(0, MAX)),
    row(Both, "metadata_max_age_ms", "300000", "metadata.max.age.ms", "topic.metadata.refresh.interval.ms", Whole(1, 3_600_000)),
    row(Both, "receive_buffer_bytes", "32768", "receive.buffer.bytes", "socket.receive.buffer.bytes", System),
    row(Both, "reconnect_backoff_ms", "50", "reconnect.backoff.ms", "reconnect.backoff.ms", Whole(0, 3_600_000)),
    row(Both, "reconnect_backoff_max_ms", "1000", "reconnect.backoff.max.ms", "reconnect.backoff.max.ms", Whole(0, 3_600_000)),
    row(Both, "request_timeout_ms", "40000", "request.timeout.ms", "socket.timeout.ms", Whole(10, 300_000)),
    row(Both, "retry_backoff_ms", "100", "retry.backoff.ms", "retry.backoff.ms", Whole(1, 300_000)),
    row(Both, "send_buffer_bytes", "131072", "send.buffer.bytes", "socket.send.buffer.bytes", System),

    // the consumer
    row(Input, "auto_commit_interval_ms", "5000", "auto.commit.interval.ms", "auto.commit.interval.ms", Whole(1, 86_400_000)),
    row(Input, "auto_create_topics", "true", "allow.auto.create.topics", "allow.auto.create.topics", Same),
    row(Input, "auto_offset_reset", "", "auto.offset.reset", "auto.offset.reset", Words(RESET)),
    row(Input, "check_crcs", "true", "check.crcs", "check.crcs", Same),
    row(Input, "client_rack", "", "client.rack", "client.rack", Same),
    row(Input, "codec", "plain", "", "", Here("decodes each message's value")),
    row(Input, "consumer_threads", "1", "", "", Here("so many members of the group")),
    row(Input, "decorate_events", "none", "", "", Here("fields under [@metadata][kafka]")),
    row(Input, "enable_auto_commit", "true", "enable.auto.commit", "enable.auto.commit", Here("false commits as soon as a batch is acknowledged, true every auto_commit_interval_ms; either way only what the outputs acknowledged")),
    row(Input, "exclude_internal_topics", "", "exclude.internal.topics", "", Here("whether topics_pattern skips Kafka's own topics; unset is true, as in the Java client")),
    row(Input, "fetch_max_bytes", "52428800", "fetch.max.bytes", "fetch.max.bytes", Whole(0, 2_147_483_135)),
    row(Input, "fetch_max_wait_ms", "500", "fetch.max.wait.ms", "fetch.wait.max.ms", Whole(0, 300_000)),
    row(Input, "fetch_min_bytes", "", "fetch.min.bytes", "fetch.min.bytes", Whole(1, 100_000_000)),
    row(Input, "group_id", "logstash", "group.id", "group.id", Same),
    row(Input, "group_instance_id", "", "group.instance.id", "group.instance.id", Same),
    row(Input, "group_protocol", "classic", "group.protocol", "group.protocol", Same),
    row(Input, "heartbeat_interval_ms", "3000", "heartbeat.interval.ms", "heartbeat.interval.ms", Whole(1, 3_600_000)),
    row(Input, "isolation_level", "read_uncommitted", "isolation.level", "isolation.level", Same),
    row(Input, "key_deserializer_class", STRING_READER, "key.deserializer", "", Here("StringDeserializer and ByteArrayDeserializer")),
    row(Input, "max_partition_fetch_bytes", "1048576", "max.partition.fetch.bytes", "max.partition.fetch.bytes", Whole(1, 1_000_000_000)),
    row(Input, "max_poll_interval_ms", "300000", "max.poll.interval.ms", "max.poll.interval.ms", Whole(1, 86_400_000)),
    row(Input, "max_poll_records", "500", "max.poll.records", "", Here("largest batch that is read at once")),
    row(Input, "partition_assignment_strategy", "", "partition.assignment.strategy", "partition.assignment.strategy", Words(ASSIGNORS)),
    row(Input, "poll_timeout_ms", "100", "", "", Here("longest wait for a batch's first message")),
    row(Input, "session_timeout_ms", "10000", "session.timeout.ms", "session.timeout.ms", Whole(1, 3_600_000)),
    row(Input, "topics", "logstash", "", "", Here("the subscription")),
    row(Input, "topics_pattern", "", "", "", Here("matched against the cluster's topics every metadata_max_age_ms, as the Java client does")),
    row(Input, "value_deserializer_class", STRING_READER, "value.deserializer", "", Here("StringDeserializer and ByteArrayDeserializer")),

    // the producer
    row(Output, "acks", "1", "acks", "acks", Same),
    row(Output, "batch_size", "16384", "batch.size", "batch.size", System),
    row(Output, "buffer_memory", "33554432", "buffer.memory", "queue.buffering.max.kbytes", Kilobytes),
    row(Output, "codec", "plain", "", "", Here("encodes the value")),
    row(Output, "compression_type", "none", "compression.type", "compression.type", Same),
    row(Output, "key_serializer", STRING_WRITER, "key.serializer", "", Here("StringSerializer")),
    row(Output, "linger_ms", "5", "linger.ms", "linger.ms", Whole(0, 900_000)),
    row(Output, "max_request_size", "1048576", "max.request.size", "message.max.bytes", Whole(1000, 1_000_000_000)),
    row(Output, "message_headers", "", "", "", Here("a header per entry")),
    row(Output, "message_key", "", "", "", Here("the message's key")),
    row(Output, "metadata_fetch_timeout_ms", "60000", "", "topic.metadata.propagation.max.ms", Whole(0, 3_600_000)),
    row(Output, "partitioner", "", "partitioner.class", "", Here("the Java client's: murmur2 of the key, without a key one partition for a while; or round_robin, or uniform_sticky")),
    row(Output, "retries", "", "retries", "", Here("unset retries until shutdown")),
    row(Output, "topic_id", "", "", "", Here("the topic")),
    row(Output, "value_serializer", STRING_WRITER, "value.serializer", "", Here("StringSerializer and ByteArraySerializer write the same bytes")),

    // TLS
    row(Both, "security_protocol", "PLAINTEXT", "security.protocol", "security.protocol", Security),
    row(Both, "ssl_endpoint_identification_algorithm", "https", "ssl.endpoint.identification.algorithm", "ssl.endpoint.identification.algorithm", Security),
    row(Both, "ssl_key_password", "", "ssl.key.password", "ssl.key.pem", Security),
    row(Both, "ssl_keystore_location", "", "ssl.keystore.location", "ssl.certificate.pem", Security),
    row(Both, "ssl_keystore_password", "", "ssl.keystore.password", "", Security),
    row(Both, "ssl_keystore_type", "", "ssl.keystore.type", "", Security),
    row(Both, "ssl_truststore_location", "", "ssl.truststore.location", "ssl.ca.pem", Security),
    row(Both, "ssl_truststore_password", "", "ssl.truststore.password", "ssl.ca.pem", Security),
    row(Both, "ssl_truststore_type", "", "ssl.truststore.type", "", Security),

    // SASL
    row(Both, "jaas_path", "", "java.security.auth.login.config", "sasl.username", Security),
    row(Both, "kerberos_config", "", "java.security.krb5.conf", "", Refused(NO_KERBEROS)),
    row(Both, "sasl_client_callback_handler_class", "", "sasl.client.callback.handler.class", "", Refused(NO_CLASSES)),
    row(Both, "sasl_iam_jar_paths", "", "", "", Refused(NO_CLASSES)),
    row(Both, "sasl_jaas_config", "", "sasl.jaas.config", "sasl.username", Security),
    row(Both, "sasl_kerberos_service_name", "", "sasl.kerberos.service.name", "sasl.kerberos.service.name", Security),
    row(Both, "sasl_login_callback_handler_class", "", "sasl.login.callback.handler.class", "", Security),
    row(Both, "sasl_login_connect_timeout_ms", "", "sasl.login.connect.timeout.ms", "", Security),
    row(Both, "sasl_login_read_timeout_ms", "", "sasl.login.read.timeout.ms", "", Security),
    row(Both, "sasl_login_retry_backoff_ms", "100", "sasl.login.retry.backoff.ms", "", Security),
    row(Both, "sasl_login_retry_backoff_max_ms", "10000", "sasl.login.retry.backoff.max.ms", "", Security),
    row(Both, "sasl_mechanism", "GSSAPI", "sasl.mechanism", "sasl.mechanism", Security),
    row(Both, "sasl_oauthbearer_scope_claim_name", "scope", "sasl.oauthbearer.scope.claim.name", "", Security),
    row(Both, "sasl_oauthbearer_token_endpoint_url", "", "sasl.oauthbearer.token.endpoint.url", "", Security),

    // the schema registry
    row(Input, "schema_registry_key", "", "basic.auth.user.info", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_proxy", "", "proxy.host", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_secret", "", "basic.auth.user.info", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_ssl_keystore_location", "", "schema.registry.ssl.keystore.location", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_ssl_keystore_password", "", "schema.registry.ssl.keystore.password", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_ssl_keystore_type", "jks", "schema.registry.ssl.keystore.type", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_ssl_truststore_location", "", "schema.registry.ssl.truststore.location", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_ssl_truststore_password", "", "schema.registry.ssl.truststore.password", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_ssl_truststore_type", "jks", "schema.registry.ssl.truststore.type", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_url", "", "schema.registry.url", "", Refused(NO_REGISTRY)),
    row(Input, "schema_registry_validation", "auto", "", "", Refused(NO_REGISTRY)),
];

/// The row of an option of a plugin.
pub fn find(plugin: Plugin, option: &str) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.option == option && row.belongs_to(plugin))
}

/// How many options of a plugin are [`Refused`].
pub const fn refused_count(plugin: Plugin) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < OPTIONS.len() {
        if refusal(&OPTIONS[at], plugin).is_some() {
            count += 1;
        }
        at += 1;
    }
    count
}

/// The options of a plugin that are [`Refused`], with the reasons, for its specification.
pub const fn refused<const COUNT: usize>(plugin: Plugin) -> [(&'static str, &'static str); COUNT] {
    let mut found = [("", ""); COUNT];
    let (mut at, mut count) = (0, 0);
    while at < OPTIONS.len() {
        if let Some(why) = refusal(&OPTIONS[at], plugin) {
            found[count] = (OPTIONS[at].option, why);
            count += 1;
        }
        at += 1;
    }
    found
}

const fn refusal(row: &Row, plugin: Plugin) -> Option<&'static str> {
    match (row.conversion, row.plugin, plugin) {
        (Refused(why), Both, _) | (Refused(why), Input, Input) | (Refused(why), Output, Output) => Some(why),
        _ => None,
    }
}
