//! The options of the outputs `elasticsearch` and `opensearch`, as their documentation names them.

use std::path::PathBuf;

use super::identifier::Identifier;
use crate::event::{FieldReference, Template};
use crate::plugin::{Pairs, Password, choices, options};
use crate::tls::{ClientTls, Fingerprint};

choices! {
    /// `version_type`: how the server compares the version of a document with the one it has.
    pub enum VersionType {
        Internal = "internal",
        External = "external",
        ExternalGt = "external_gt",
        ExternalGte = "external_gte",
        Force = "force",
    }
}

choices! {
    /// `script_type`: where the script of an update is.
    pub enum ScriptType {
        /// In the option `script` itself.
        Inline = "inline",
        /// Stored in the cluster; `script` is its id.
        Indexed = "indexed",
        /// In a file of the server, which no server has known since Elasticsearch 6.
        File = "file",
    }
}

choices! {
    /// `template_api`: which of the two APIs the index template is made for.
    pub enum TemplateApi { Auto = "auto", Legacy = "legacy", Composable = "composable" }
}

choices! {
    /// What is decided by hand or by circumstances: `data_stream`, `ilm_enabled`.
    pub enum Automatic { True = "true", False = "false", Auto = "auto" }
}

choices! {
    /// `data_stream_type`
    pub enum StreamType { Logs = "logs", Metrics = "metrics", Synthetics = "synthetics", Traces = "traces" }
}

options! {
    /// The options that both outputs have.
    pub struct Shared {
        /// What to do with an event's document: index, create, update or delete. May hold `%{field}`. Default: index, and
        /// create for data streams.
        action: Option<Template>,
        /// The index, which may hold `%{field}`. Default: `ecs-logstash-%{+yyyy.MM.dd}`, without ECS
        /// `logstash-%{+yyyy.MM.dd}`.
        index: Option<String>,
        /// The document's mapping type, which servers up to version 7 know.
        document_type: Option<Template>,
        /// The document's id, which may hold `%{field}`. Default: the server makes one.
        document_id: Option<Template>,
        /// The document's routing, which may hold `%{field}`.
        routing: Option<Template>,
        /// The id of the parent, which may hold `%{field}`; needs `join_field`.
        parent: Option<Template>,
        /// The field with the name of the join relation.
        join_field: Option<FieldReference>,
        /// The ingest pipeline of the cluster, which may hold `%{field}`.
        pipeline: Option<Template>,
        /// The document's version, which may hold `%{field}`.
        version: Option<Template>,
        /// How versions are compared.
        version_type: Option<VersionType>,
        /// JSON of the document that an update makes where there is none; may hold `%{field}`.
        upsert: String = "",
        /// An update makes the event's document where there is none.
        doc_as_upsert: bool = false,
        /// The script of an update; may hold `%{field}`.
        script: String = "",
        /// Where the script is: inline in `script`, or indexed under that id.
        script_type: ScriptType = "inline",
        /// The script's language.
        script_lang: String = "painless",
        /// What the script calls the event: `params.event`.
        script_var_name: String = "event",
        /// The script makes the document too, where there is none.
        scripted_upsert: bool = false,
        /// How often the server repeats an update that met another one of the same document.
        retry_on_conflict: u32 = 1,
        /// Whether the index template is installed. Default for data streams: false.
        manage_template: bool = true,
        /// The template's name. Default: ecs-logstash, without ECS logstash; with a rollover alias that.
        template_name: Option<String>,
        /// File with the template to install in place of the built-in one.
        template: Option<PathBuf>,
        /// Whether a template of that name is overwritten.
        template_overwrite: bool = false,
        /// URLs or `host:port` of the servers. Default port: 9200.
        hosts: Vec<String> = ["//127.0.0.1"],
        /// Path below which the servers answer, behind a proxy.
        path: Option<String>,
        /// Path of the bulk API. Default: `_bulk` below `path`.
        bulk_path: Option<String>,
        /// Path that tells whether a server is alive. Default: `path`.
        healthcheck_path: Option<String>,
        /// Query parameters of every request.
        parameters: Pairs = {},
        /// Headers of every request.
        custom_headers: Pairs = {},
        /// Basic authentication, with `password`.
        user: Option<String>,
        /// Basic authentication, with `user`.
        password: Option<Password>,
        /// URL of an HTTP proxy. An empty text means none.
        proxy: Option<String>,
        /// Whether the list of servers is kept up to date from the cluster's own.
        sniffing: bool = false,
        /// Seconds between two looks at the cluster's list.
        sniffing_delay: f64 = 5,
        /// Path of the cluster's list. Default: `_nodes/http` below `path`.
        sniffing_path: Option<String>,
        /// Seconds after which an unanswered request counts as failed.
        timeout: f64 = 60,
        /// Most bulk requests at once, over all servers.
        pool_max: usize = 1000,
        /// Most bulk requests at once to one server.
        pool_max_per_route: usize = 100,
        /// Seconds between two tries to reach a server that is away.
        resurrect_delay: f64 = 5,
        /// Milliseconds after which an idle connection is not used again; 0 trusts every connection.
        validate_after_inactivity: i64 = 10000,
        /// Seconds before the first repetition of a bulk request, doubled with each one.
        retry_initial_interval: f64 = 2,
        /// Most seconds between two repetitions.
        retry_max_interval: f64 = 64,
        /// Types of errors that are not logged.
        failure_type_logging_whitelist: Vec<String> = [],
    }
}

options! {
    /// The options of the elasticsearch output.
    pub struct ElasticsearchOptions {
        /// API key: `id:key`, that pair in base64, or a key of a cloud (`essu_...`). Needs TLS.
        api_key: Option<Password>,
        /// `user:password` of a cloud.
        cloud_auth: Option<Password>,
        /// The cloud's id, in place of `hosts`.
        cloud_id: Option<String>,
        /// SHA-256 of an authority's certificate, in hex: servers that show it are trusted.
        ca_trusted_fingerprint: Vec<Fingerprint> = [],
        /// gzip level of requests; 0 sends them as they are.
        compression_level: Option<u32>,
        /// false means `compression_level => 0`.
        http_compression: Option<bool>,
        /// Types of errors that are not logged.
        silence_errors_in_log: Vec<String> = [],
        /// Statuses of documents that are given up, besides 400 and 404.
        dlq_custom_codes: Vec<u16> = [],
        /// Whether an event whose index still holds `%{...}` is given up.
        dlq_on_failed_indexname_interpolation: bool = true,
        /// Types of errors with which documents are given up.
        drop_error_types: Vec<String> = [],
        /// Which API the template is made for. auto: composable where the server has that API.
        template_api: TemplateApi = "auto",
        /// Whether indices are rolled over by a policy. auto: where the server can, and `index` is not set or
        /// `ilm_rollover_alias` is.
        ilm_enabled: Automatic = "auto",
        /// The alias that is written to. Default: ecs-logstash, without ECS logstash.
        ilm_rollover_alias: Option<String>,
        /// What follows the alias in the name of the first index.
        ilm_pattern: String = "{now/d}-000001",
        /// The policy; the default one is made where it does not exist.
        ilm_policy: String = "logstash-policy",
        /// Whether events go to data streams. auto: with ECS, and no option that does not fit.
        data_stream: Option<Automatic>,
        /// First part of the data stream's name.
        data_stream_type: StreamType = "logs",
        /// Second part of the data stream's name.
        data_stream_dataset: Identifier = "generic",
        /// Third part of the data stream's name.
        data_stream_namespace: Identifier = "default",
        /// Whether the event's fields `data_stream.*` are filled in.
        data_stream_sync_fields: bool = true,
        /// Whether the event's fields `data_stream.*` choose the data stream.
        data_stream_auto_routing: bool = true,
        ..shared: Shared,
        ..tls: ClientTls,
    }
}

options! {
    /// The options of the opensearch output.
    pub struct OpensearchOptions {
        /// `{ type => basic user => ... password => ... }`. Signing with AWS keys (aws_iam) is not available.
        auth_type: Option<Pairs>,
        /// Most bytes of a bulk request before compression; a larger document goes alone.
        target_bulk_bytes: usize = 9437184,
        /// Whether requests are compressed.
        http_compression: bool = false,
        /// true installs the template with the legacy API, false a composable one.
        legacy_template: bool = true,
        /// The server's major version where it does not tell.
        default_server_major_version: Option<u32>,
        /// Whether the connection is encrypted. Default: as the URL says.
        ssl: Option<bool>,
        /// Whether the server's certificate and name are checked.
        ssl_certificate_verification: bool = true,
        /// PEM file with the authorities that the server's certificate must come from. Default: those of the system.
        cacert: Option<PathBuf>,
        /// A trust store with the authorities, instead of `cacert`.
        truststore: Option<PathBuf>,
        /// What the trust store is encrypted with.
        truststore_password: Option<Password>,
        /// A key store with certificate and key, instead of `tls_certificate` and `tls_key`.
        keystore: Option<PathBuf>,
        /// What the key store is encrypted with.
        keystore_password: Option<Password>,
        /// PEM file with the certificate to show to the server.
        tls_certificate: Option<PathBuf>,
        /// PEM file with that certificate's private key.
        tls_key: Option<PathBuf>,
        ..shared: Shared,
    }
}

impl StreamType {
    /// The word in data streams' names.
    pub fn word(self) -> &'static str {
        match self {
            StreamType::Logs => "logs",
            StreamType::Metrics => "metrics",
            StreamType::Synthetics => "synthetics",
            StreamType::Traces => "traces",
        }
    }
}

impl VersionType {
    /// The word that the bulk API takes.
    pub fn word(self) -> &'static str {
        match self {
            VersionType::Internal => "internal",
            VersionType::External => "external",
            VersionType::ExternalGt => "external_gt",
            VersionType::ExternalGte => "external_gte",
            VersionType::Force => "force",
        }
    }

    /// Whether the version is kept outside of the cluster, so that every document must bring one.
    pub fn is_external(self) -> bool {
        matches!(self, VersionType::External | VersionType::ExternalGt | VersionType::ExternalGte)
    }
}
