//! The settings of Logstash itself, each with what this program makes of it.
//!
//! Names, types and defaults follow Logstash's environment.rb and runner.rb.
use super::table::Group::{Configuration, Logging, Other, Paths, Pipeline, Testing};
use super::table::Kind::{
    Bool, Bytes, Choice, List, Number, Password, Path, PortRange, PositiveInteger, Text, Time,
};
use super::table::Preset::{self, Computed, Unset};
use super::table::Setting;

const OFF: Preset = Preset::Text("false");
const ON: Preset = Preset::Text("true");
const RELOAD: &str = "config.reload.automatic";
const API: &str = "api.enabled";
const DEAD_LETTERS: &str = "dead_letter_queue.enable";
const OTEL: &str = "otel.metrics.enabled";
const NO_METRICS: &str = "there is no API that would show metrics";

const fn text(value: &'static str) -> Preset {
    Preset::Text(value)
}

/// Part of the persisted queue, which does not exist yet.
const fn queue(name: &'static str, kind: super::table::Kind, default: Preset) -> Setting {
    Setting::only_with(name, kind, default, "queue.type", "persisted").per_pipeline()
}

pub(super) static SETTINGS: &[Setting] = &[
    // Where the pipeline's configuration comes from.
    Setting::honoured(
        "path.config",
        Text,
        Unset,
        Configuration,
        "Config file, directory or glob; files are read in alphabetical order",
    )
    .flag("path.config", "CONFIG_PATH")
    .short('f')
    .per_pipeline(),
    Setting::honoured(
        "config.string",
        Text,
        Unset,
        Configuration,
        "Config text; stdin and stdout stand in for missing sections",
    )
    .flag("config.string", "CONFIG_STRING")
    .short('e')
    .per_pipeline(),
    Setting::honoured(
        "config.support_escapes",
        Bool,
        OFF,
        Configuration,
        "Read \\n, \\t, \\\" and the like in quoted strings",
    )
    .per_pipeline(),
    Setting::not_yet(
        "config.field_reference.escape_style",
        Choice(&["none", "percent", "ampersand"]),
        text("none"),
        &["none"],
        "escapes in field references are not available yet",
    )
    .flag("field-reference-escape-style", "STYLE"),
    Setting::not_yet(RELOAD, Bool, OFF, &["false"], "automatic reloading is not available yet")
        .toggle(RELOAD)
        .short('r')
        // Every other logstash.yml asks for it; without it, a changed config waits for a restart.
        .tolerated("config.reload.* has no effect yet: a changed config is read at the next start"),
    Setting::only_with("config.reload.interval", Time, text("3s"), RELOAD, "true")
        .flag("config.reload.interval", "RELOAD_INTERVAL"),
    Setting::not_yet(
        "ssl.reload.automatic",
        Bool,
        OFF,
        &["false"],
        "automatic reloading is not available yet",
    ),
    Setting::honoured("config.test_and_exit", Bool, OFF, Testing, "Check the configuration, then exit")
        .toggle("config.test_and_exit")
        .short('t')
        .aliases(&["config-test", "configtest"]),
    Setting::no_meaning(
        "config.debug",
        Bool,
        OFF,
        "configs are not written to the log, since they may hold passwords",
    )
    .toggle("config.debug")
    .per_pipeline(),
    // The pipeline.
    Setting::honoured("pipeline.id", Text, text("main"), Pipeline, "Name of the pipeline in logs")
        .flag("pipeline.id", "ID")
        .per_pipeline(),
    Setting::honoured(
        "pipeline.workers",
        PositiveInteger,
        Computed("number of CPU cores"),
        Pipeline,
        "Threads that run filters and outputs",
    )
    .flag("pipeline.workers", "COUNT")
    .short('w')
    .per_pipeline(),
    Setting::honoured(
        "pipeline.batch.size",
        PositiveInteger,
        text("125"),
        Pipeline,
        "Most events a worker takes at once",
    )
    .flag("pipeline.batch.size", "SIZE")
    .short('b')
    .per_pipeline(),
    Setting::honoured(
        "pipeline.batch.delay",
        Number,
        text("50"),
        Pipeline,
        "Milliseconds a worker waits for a batch to fill",
    )
    .flag("pipeline.batch.delay", "DELAY_IN_MS")
    .short('u')
    .per_pipeline(),
    Setting::honoured(
        "pipeline.ordered",
        Choice(&["auto", "true", "false"]),
        text("auto"),
        Pipeline,
        "Keep the order of events; auto does with one worker",
    )
    .flag("pipeline.ordered", "ORDERED")
    .per_pipeline(),
    Setting::honoured(
        "pipeline.ecs_compatibility",
        Choice(&["disabled", "v1", "v8"]),
        text("v8"),
        Pipeline,
        "Field names that plugins use: disabled, v1 or v8",
    )
    .flag("pipeline.ecs_compatibility", "STRING")
    .per_pipeline(),
    Setting::honoured(
        "pipeline.unsafe_shutdown",
        Bool,
        OFF,
        Pipeline,
        "Exit on request even while events are in flight",
    )
    .toggle("pipeline.unsafe_shutdown"),
    Setting::not_yet(
        "pipeline.batch.output_chunking.growth_threshold_factor",
        PositiveInteger,
        text("1000"),
        &["1000"],
        "splitting grown batches before the outputs is not available yet",
    )
    .flag("pipeline.batch.output_chunking.growth_threshold_factor", "FACTOR")
    .per_pipeline(),
    Setting::no_meaning(
        "pipeline.batch.metrics.sampling_mode",
        Choice(&["disabled", "minimal", "full"]),
        text("minimal"),
        NO_METRICS,
    )
    .per_pipeline(),
    Setting::no_meaning("metric.collect", Bool, ON, NO_METRICS).per_pipeline(),
    Setting::no_meaning(
        "pipeline.buffer.type",
        Choice(&["direct", "heap"]),
        text("heap"),
        "there is no Java heap",
    ),
    Setting::no_meaning("pipeline.plugin_classloaders", Bool, OFF, "there are no Java plugins")
        .toggle("plugin-classloaders")
        .per_pipeline(),
    Setting::not_yet(
        "pipeline.recoverable",
        Choice(&["auto", "true", "false"]),
        text("false"),
        &["false"],
        "restarting a crashed pipeline is not available yet",
    )
    .per_pipeline(),
    Setting::only_with("pipeline.reloadable", Bool, ON, RELOAD, "true").per_pipeline(),
    Setting::not_yet(
        "pipeline.separate_logs",
        Bool,
        OFF,
        &["false"],
        "one log per pipeline is not available yet",
    ),
    Setting::not_yet(
        "pipeline.system",
        Bool,
        OFF,
        &["false"],
        "it marks pipelines that Logstash starts itself",
    )
    .per_pipeline(),
    // Paths.
    Setting::honoured(
        "path.settings",
        Path,
        Computed("$LS_SETTINGS_DIR, or $LOGSTASH_HOME/config"),
        Paths,
        "Directory of logstash.yml and pipelines.yml; also $LS_SETTINGS_DIR",
    )
    .flag("path.settings", "SETTINGS_DIR"),
    Setting::honoured(
        "path.data",
        Path,
        Computed("$LOGSTASH_HOME/data, or rstash in the user's data directory"),
        Paths,
        "Directory where plugins keep what must survive a restart; locked if given",
    )
    .flag("path.data", "PATH"),
    Setting::honoured("path.logs", Path, Unset, Paths, "Directory of a log file besides standard error")
        .flag("path.logs", "PATH")
        .short('l'),
    Setting::not_yet("path.plugins", List, text("[]"), &[], "plugins written in Ruby cannot be loaded")
        .flag("path.plugins", "PATH")
        .short('p'),
    queue("path.queue", Path, Computed("queue in path.data")),
    Setting::only_with(
        "path.dead_letter_queue",
        Path,
        Computed("dead_letter_queue in path.data"),
        DEAD_LETTERS,
        "true",
    )
    .per_pipeline(),
    // Logging.
    Setting::honoured(
        "log.level",
        Choice(&["fatal", "error", "warn", "info", "debug", "trace"]),
        text("info"),
        Logging,
        "fatal, error, warn, info, debug or trace",
    )
    .flag("log.level", "LEVEL"),
    Setting::honoured("log.format", Choice(&["json", "plain"]), text("plain"), Logging, "plain or json")
        .flag("log.format", "FORMAT"),
    Setting::no_meaning(
        "log.format.json.fix_duplicate_message_fields",
        Bool,
        ON,
        "the JSON log never repeats a field",
    )
    .flag("log.format.json.fix_duplicate_message_fields", "FORMAT_JSON_STRICT"),
    Setting::not_yet(
        "slowlog.threshold.warn",
        Time,
        text("-1"),
        &["-1"],
        "the slow log is not available yet",
    ),
    Setting::not_yet(
        "slowlog.threshold.info",
        Time,
        text("-1"),
        &["-1"],
        "the slow log is not available yet",
    ),
    Setting::not_yet(
        "slowlog.threshold.debug",
        Time,
        text("-1"),
        &["-1"],
        "the slow log is not available yet",
    ),
    Setting::not_yet(
        "slowlog.threshold.trace",
        Time,
        text("-1"),
        &["-1"],
        "the slow log is not available yet",
    ),
    // The process.
    Setting::honoured("node.name", Text, Computed("host name"), Other, "Name of this instance")
        .flag("node.name", "NAME")
        .short('n'),
    Setting::honoured("version", Bool, OFF, Other, "Print the version, then exit")
        .toggle("version")
        .short('V'),
    Setting::no_meaning("help", Bool, OFF, "use --help"),
    Setting::honoured("allow_superuser", Bool, ON, Other, "Whether root may run this program"),
    Setting::not_yet("interactive", Text, Unset, &[], "there is no Ruby shell to drop into")
        .flag("interactive", "SHELL")
        .short('i'),
    Setting::no_meaning("enable-local-plugin-development", Bool, OFF, "there is no Gemfile")
        .toggle("enable-local-plugin-development"),
    Setting::not_yet(
        "keystore.file",
        Path,
        Computed("logstash.keystore in path.settings"),
        &[],
        "the keystore is not available yet, use environment variables",
    ),
    Setting::no_meaning(
        "keystore.classname",
        Text,
        text("org.logstash.secret.store.backend.JavaKeyStore"),
        "there are no Java classes",
    ),
    Setting::no_meaning("node.uuid", Text, text(""), "the instance has no identity of its own"),
    // The persisted queue.
    Setting::not_yet(
        "queue.type",
        Choice(&["persisted", "memory"]),
        text("memory"),
        &["memory"],
        "the persisted queue is not available yet",
    )
    .per_pipeline(),
    queue("queue.drain", Bool, OFF),
    queue("queue.page_capacity", Bytes, text("64mb")),
    queue("queue.max_bytes", Bytes, text("1024mb")),
    queue("queue.max_events", Number, text("0")),
    queue("queue.checkpoint.acks", Number, text("1024")),
    queue("queue.checkpoint.writes", Number, text("1024")),
    queue("queue.checkpoint.interval", Number, text("1000")),
    queue("queue.checkpoint.retry", Bool, ON),
    queue("queue.compression", Choice(&["none", "speed", "balanced", "size", "disabled"]), text("none")),
    // The dead letter queue.
    Setting::not_yet(DEAD_LETTERS, Bool, OFF, &["false"], "the dead letter queue is not available yet")
        .per_pipeline(),
    Setting::only_with("dead_letter_queue.max_bytes", Bytes, text("1024mb"), DEAD_LETTERS, "true")
        .per_pipeline(),
    Setting::only_with("dead_letter_queue.flush_interval", Number, text("5000"), DEAD_LETTERS, "true")
        .per_pipeline(),
    Setting::only_with("dead_letter_queue.flush_check_interval", Number, text("1000"), DEAD_LETTERS, "true")
        .per_pipeline(),
    Setting::only_with(
        "dead_letter_queue.storage_policy",
        Choice(&["drop_newer", "drop_older"]),
        text("drop_newer"),
        DEAD_LETTERS,
        "true",
    )
    .per_pipeline(),
    Setting::only_with("dead_letter_queue.retain.age", Text, Unset, DEAD_LETTERS, "true").per_pipeline(),
    // The HTTP API.
    Setting::not_yet(
        API,
        Bool,
        ON,
        &["false"],
        "the HTTP API is not available yet, set api.enabled to false",
    )
    .flag(API, "ENABLED")
    // The logstash.yml of the Docker image sets api.http.host.
    .tolerated("api.* has no effect yet: rstash has no HTTP API"),
    Setting::only_with("api.http.host", Text, text("127.0.0.1"), API, "true")
        .flag("api.http.host", "HTTP_HOST"),
    Setting::only_with("api.http.port", PortRange, text("9600-9700"), API, "true")
        .flag("api.http.port", "HTTP_PORT"),
    Setting::only_with("api.environment", Text, text("production"), API, "true"),
    Setting::only_with("api.auth.type", Choice(&["none", "basic"]), text("none"), API, "true"),
    Setting::only_with("api.auth.basic.username", Text, Unset, API, "true"),
    Setting::only_with("api.auth.basic.password", Password, Unset, API, "true"),
    Setting::only_with(
        "api.auth.basic.password_policy.mode",
        Choice(&["WARN", "ERROR"]),
        text("WARN"),
        API,
        "true",
    ),
    Setting::only_with("api.auth.basic.password_policy.length.minimum", Number, text("8"), API, "true"),
    Setting::only_with(
        "api.auth.basic.password_policy.include.upper",
        Choice(RULE),
        text("REQUIRED"),
        API,
        "true",
    ),
    Setting::only_with(
        "api.auth.basic.password_policy.include.lower",
        Choice(RULE),
        text("REQUIRED"),
        API,
        "true",
    ),
    Setting::only_with(
        "api.auth.basic.password_policy.include.digit",
        Choice(RULE),
        text("REQUIRED"),
        API,
        "true",
    ),
    Setting::only_with(
        "api.auth.basic.password_policy.include.symbol",
        Choice(RULE),
        text("OPTIONAL"),
        API,
        "true",
    ),
    Setting::only_with("api.ssl.enabled", Bool, OFF, API, "true"),
    Setting::only_with("api.ssl.keystore.path", Path, Unset, API, "true"),
    Setting::only_with("api.ssl.keystore.password", Password, Unset, API, "true"),
    Setting::only_with("api.ssl.supported_protocols", List, Unset, API, "true"),
    // OpenTelemetry.
    Setting::not_yet(OTEL, Bool, OFF, &["false"], "OpenTelemetry metrics are not available yet"),
    Setting::only_with("otel.exporter.otlp.endpoint", Text, text("http://localhost:4317"), OTEL, "true"),
    Setting::only_with("otel.metric.export.interval", Time, text("10s"), OTEL, "true"),
    Setting::only_with("otel.exporter.otlp.protocol", Choice(&["grpc", "http"]), text("grpc"), OTEL, "true"),
    Setting::only_with("otel.exporter.otlp.headers", Password, Unset, OTEL, "true"),
    Setting::only_with("otel.service.name", Text, Unset, OTEL, "true"),
    Setting::only_with("otel.resource.attributes", Text, Unset, OTEL, "true"),
    Setting::only_with("otel.exporter.otlp.certificate", Text, Unset, OTEL, "true"),
    Setting::only_with("otel.exporter.otlp.client.key", Text, Unset, OTEL, "true"),
    Setting::only_with("otel.exporter.otlp.client.certificate", Text, Unset, OTEL, "true"),
];

const RULE: &[&str] = &["REQUIRED", "OPTIONAL"];
