//! The settings of Logstash's x-pack (monitoring, central management, geoip downloads), and those that Logstash 9 removed.
//!
//! Names, types and defaults follow monitoring.rb and the two extension.rb files of Logstash's x-pack.
use super::table::Kind::{Bool, Choice, List, Password, PositiveInteger, Text, Time};
use super::table::Preset::{self, Unset};
use super::table::Setting;

const OFF: Preset = Preset::Text("false");
const ON: Preset = Preset::Text("true");

/// The connection settings that each x-pack feature repeats under a prefix of its own.
macro_rules! elasticsearch {
    ($feature:literal, $switch:literal, $hosts:literal) => {
        [
            elasticsearch!(@ $feature, $switch, "hosts", List, Preset::Text($hosts)),
            elasticsearch!(@ $feature, $switch, "username", Text, Preset::Text("logstash_system")),
            elasticsearch!(@ $feature, $switch, "password", Password, Unset),
            elasticsearch!(@ $feature, $switch, "proxy", Text, Unset),
            elasticsearch!(@ $feature, $switch, "cloud_id", Text, Unset),
            elasticsearch!(@ $feature, $switch, "cloud_auth", Password, Unset),
            elasticsearch!(@ $feature, $switch, "api_key", Password, Unset),
            elasticsearch!(@ $feature, $switch, "ssl.certificate_authority", Text, Unset),
            elasticsearch!(@ $feature, $switch, "ssl.ca_trusted_fingerprint", Text, Unset),
            elasticsearch!(@ $feature, $switch, "ssl.truststore.path", Text, Unset),
            elasticsearch!(@ $feature, $switch, "ssl.truststore.password", Password, Unset),
            elasticsearch!(@ $feature, $switch, "ssl.keystore.path", Text, Unset),
            elasticsearch!(@ $feature, $switch, "ssl.keystore.password", Password, Unset),
            elasticsearch!(@ $feature, $switch, "ssl.verification_mode", Choice(VERIFICATION), Preset::Text("full")),
            elasticsearch!(@ $feature, $switch, "ssl.certificate", Text, Unset),
            elasticsearch!(@ $feature, $switch, "ssl.key", Text, Unset),
            elasticsearch!(@ $feature, $switch, "ssl.cipher_suites", List, Preset::Text("[]")),
            elasticsearch!(@ $feature, $switch, "sniffing", Bool, OFF),
        ]
    };
    (@ $feature:literal, $switch:literal, $name:literal, $kind:expr, $default:expr) => {
        Setting::only_with(concat!($feature, ".elasticsearch.", $name), $kind, $default, $switch, "true")
    };
}

/// What the two names of monitoring share.
macro_rules! monitoring {
    ($feature:literal, $switch:literal) => {
        [
            Setting::not_yet(
                $switch,
                Bool,
                OFF,
                &["false"],
                "shipping metrics to Elasticsearch is not available yet",
            )
            // Many a logstash.yml turns it on; no event depends on it.
            .tolerated(concat!(
                $feature,
                ".* has no effect yet: rstash does not ship metrics to Elasticsearch"
            )),
            Setting::only_with(
                concat!($feature, ".collection.interval"),
                Time,
                Preset::Text("10s"),
                $switch,
                "true",
            ),
            Setting::only_with(
                concat!($feature, ".collection.timeout_interval"),
                Time,
                Preset::Text("10m"),
                $switch,
                "true",
            ),
            Setting::only_with(
                concat!($feature, ".collection.pipeline.details.enabled"),
                Bool,
                ON,
                $switch,
                "true",
            ),
            Setting::only_with(concat!($feature, ".collection.config.enabled"), Bool, ON, $switch, "true"),
        ]
    };
}

const VERIFICATION: &[&str] = &["none", "certificate", "full"];
const DOWNLOADER: &str = "xpack.geoip.downloader.enabled";
const CENTRAL: &str = "xpack.management.enabled";

static XPACK_MONITORING: [Setting; 5] = monitoring!("xpack.monitoring", "xpack.monitoring.enabled");
static XPACK_MONITORING_HOSTS: [Setting; 18] =
    elasticsearch!("xpack.monitoring", "xpack.monitoring.enabled", "http://localhost:9200");
static MONITORING: [Setting; 5] = monitoring!("monitoring", "monitoring.enabled");
static MONITORING_HOSTS: [Setting; 18] =
    elasticsearch!("monitoring", "monitoring.enabled", "http://localhost:9200");
static MANAGEMENT_HOSTS: [Setting; 18] =
    elasticsearch!("xpack.management", "xpack.management.enabled", "https://localhost:9200");

static OTHERS: &[Setting] = &[
    Setting::only_with("monitoring.cluster_uuid", Text, Unset, "monitoring.enabled", "true"),
    Setting::only_with(
        "xpack.monitoring.allow_legacy_collection",
        Bool,
        OFF,
        "xpack.monitoring.enabled",
        "true",
    ),
    Setting::not_yet(CENTRAL, Bool, OFF, &["false"], "central pipeline management is not available yet"),
    Setting::only_with("xpack.management.logstash.poll_interval", Time, Preset::Text("5s"), CENTRAL, "true"),
    Setting::only_with("xpack.management.pipeline.id", List, Preset::Text("main"), CENTRAL, "true"),
    Setting::not_yet(DOWNLOADER, Bool, ON, &["false"], "geoip databases are not downloaded yet"),
    Setting::only_with(
        "xpack.geoip.downloader.endpoint",
        Text,
        Preset::Text("https://geoip.elastic.co/v1/database"),
        DOWNLOADER,
        "true",
    ),
    Setting::only_with("xpack.geoip.download.endpoint", Text, Unset, DOWNLOADER, "true"),
    Setting::only_with("xpack.geoip.downloader.poll.interval", Time, Preset::Text("24h"), DOWNLOADER, "true"),
];

const MODULES: &str = "modules were removed in Logstash 9, write the pipeline as a config file";
const CLOUD: &str = "it belonged to modules, which were removed in Logstash 9";

/// Accepted by older versions of Logstash, and refused by Logstash 9.
static REMOVED: &[Setting] = &[
    Setting::removed("modules", MODULES).flag("modules", "MODULES"),
    Setting::removed("modules_variable_list", MODULES)
        .flag("modules.variable", "MODULES_VARIABLE")
        .short('M'),
    Setting::removed("modules_setup", MODULES).toggle("setup"),
    Setting::removed("cloud.id", CLOUD).flag("cloud.id", "CLOUD_ID"),
    Setting::removed("cloud.auth", CLOUD).flag("cloud.auth", "CLOUD_AUTH"),
    Setting::removed("modules_list", MODULES),
    Setting::removed("modules.cli", MODULES),
    Setting::renamed("http.enabled", "api.enabled").toggle("http.enabled"),
    Setting::renamed("http.host", "api.http.host").flag("http.host", "HTTP_HOST"),
    Setting::renamed("http.port", "api.http.port").flag("http.port", "HTTP_PORT"),
    Setting::renamed("http.environment", "api.environment"),
    // Of Logstash 6.
    Setting::renamed("xpack.monitoring.elasticsearch.url", "xpack.monitoring.elasticsearch.hosts"),
    Setting::renamed("xpack.management.elasticsearch.url", "xpack.management.elasticsearch.hosts"),
    Setting::renamed(
        "xpack.monitoring.elasticsearch.ssl.ca",
        "xpack.monitoring.elasticsearch.ssl.certificate_authority",
    ),
    Setting::renamed(
        "xpack.management.elasticsearch.ssl.ca",
        "xpack.management.elasticsearch.ssl.certificate_authority",
    ),
    // Of Logstash 5; the start script of the Docker image still knows it.
    Setting::no_meaning(
        "pipeline.output.workers",
        PositiveInteger,
        Preset::Text("1"),
        "batches are delivered concurrently anyway",
    ),
    Setting::removed(
        "event_api.tags.illegal",
        "it was removed in Logstash 9, which always renames illegal tags",
    )
    .flag("event_api.tags.illegal", "STRING"),
];

pub(super) fn tables() -> [&'static [Setting]; 7] {
    [
        &XPACK_MONITORING,
        &XPACK_MONITORING_HOSTS,
        &MONITORING,
        &MONITORING_HOSTS,
        &MANAGEMENT_HOSTS,
        OTHERS,
        REMOVED,
    ]
}
