//! From options to a [`Sender`]: what the two plugins check, and how they differ.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::ClientConfig;
use tokio::sync::{Semaphore, watch};

use super::cluster::{Cluster, Paths};
use super::data_stream::{self, DataStream};
use super::delivery::{Sender, Trouble, Verdicts};
use super::documents::{Destination, Documents, Join, Script, Update};
use super::hosts::{self, Common, Host, Login, path_of};
use super::http::{self, Http};
use super::options::{ElasticsearchOptions, OpensearchOptions, ScriptType, Shared, TemplateApi};
use super::order::Order;
use super::pool::Pool;
use super::setup::{Lifecycle, Setup, Templates};
use crate::event::text::ruby_to_s;
use crate::event::{FieldReference, Template};
use crate::plugin::{OptionReader, Pairs, Password};
use crate::tls::{ClientTls, Fingerprint, VerificationMode};

/// Statuses with which a document is given up.
const DEAD_STATUSES: [u16; 2] = [400, 404];
/// Most bytes of a request of the elasticsearch output (`TARGET_BULK_BYTES`).
const BULK_BYTES: usize = 20 << 20;
/// gzip's level where the config names none.
const DEFAULT_LEVEL: u32 = 1;
/// How many requests a worker may have on their way. Logstash's has one, and waits for it.
const REQUESTS_PER_WORKER: usize = 4;
/// What only asks for the meta-data of this batch and all that came before it is small.
const FILTER_PATH: &str = "filter_path=errors,items.*.error,items.*.status";

/// What the plugins work out each in its own way.
struct Parts {
    login: Option<Login>,
    api_key: Option<Password>,
    hosts: Vec<String>,
    encrypted: Option<bool>,
    tls: ClientTls,
    fingerprints: Vec<Fingerprint>,
    /// The names of `ClientTls` options in this plugin.
    tls_names: &'static [(&'static str, &'static str)],
    compression: u32,
    bulk_bytes: usize,
    default_major: Option<u32>,
    verdicts: Verdicts,
    refuse_placeholders: bool,
    /// Whether events choose what the config leaves open.
    control: bool,
    setup: Setup,
}

/// The sender of the elasticsearch output.
pub fn elasticsearch(reader: &mut OptionReader<'_>) -> Option<Sender> {
    let options = ElasticsearchOptions::read(reader)?;
    let shared = &options.shared;
    let streams = data_stream::decide(reader, options.data_stream);
    let hosts = match &options.cloud_id {
        Some(_) if reader.is_given("hosts") => {
            reader.error("cloud_id", "give either cloud_id or hosts, not both");
            None
        }
        Some(id) => {
            hosts::of_cloud(id).map(|host| vec![host]).map_err(|why| reader.error("cloud_id", why)).ok()
        }
        None => Some(shared.hosts.clone()),
    };
    let login = elasticsearch_login(&options, reader);
    let api_key = match &options.api_key {
        Some(key) => hosts::api_key(key).map(Some).map_err(|why| reader.error("api_key", why)).ok(),
        None => Some(None),
    };
    let compression = compression(&options, reader);
    check_custom_codes(&options.dlq_custom_codes, reader);
    let streams = streams?;
    let setup = Setup {
        destination: if streams {
            Destination::Stream(DataStream::new(&options))
        } else {
            index(shared, reader)
        },
        templates: templates(shared, reader, options.template_api, streams)?,
        lifecycle: (!streams).then(|| lifecycle(&options, reader)),
    };
    let mut dead_statuses = DEAD_STATUSES.to_vec();
    dead_statuses.extend(&options.dlq_custom_codes);
    let silent_types = options.silence_errors_in_log.iter().chain(&shared.failure_type_logging_whitelist);
    let parts = Parts {
        login: login?,
        api_key: api_key?,
        hosts: hosts?,
        encrypted: options.tls.ssl_enabled,
        fingerprints: options.ca_trusted_fingerprint,
        tls: options.tls,
        tls_names: &[],
        compression: compression?,
        bulk_bytes: BULK_BYTES,
        default_major: None,
        verdicts: Verdicts {
            dead_statuses,
            dead_types: options.drop_error_types,
            silent_types: silent_types.cloned().collect(),
        },
        refuse_placeholders: options.dlq_on_failed_indexname_interpolation,
        control: true,
        setup,
    };
    sender(options.shared, parts, reader)
}

/// The sender of the opensearch output.
pub fn opensearch(reader: &mut OptionReader<'_>) -> Option<Sender> {
    let options = OpensearchOptions::read(reader)?;
    let shared = &options.shared;
    let login = opensearch_login(&options, reader)?;
    let api = if options.legacy_template { TemplateApi::Legacy } else { TemplateApi::Composable };
    let templates =
        templates(shared, reader, api, false)?.map(|templates| Templates { may_fail: true, ..templates });
    let setup = Setup { destination: index(shared, reader), templates, lifecycle: None };
    let verification =
        if options.ssl_certificate_verification { VerificationMode::Full } else { VerificationMode::None };
    let tls = ClientTls {
        ssl_enabled: options.ssl,
        ssl_certificate_authorities: options.cacert.into_iter().collect(),
        ssl_certificate: options.tls_certificate,
        ssl_key: options.tls_key,
        ssl_keystore_path: options.keystore,
        ssl_keystore_password: options.keystore_password,
        ssl_truststore_path: options.truststore,
        ssl_truststore_password: options.truststore_password,
        ssl_verification_mode: verification,
        ..ClientTls::default()
    };
    let parts = Parts {
        login,
        api_key: None,
        hosts: shared.hosts.clone(),
        encrypted: options.ssl,
        tls,
        fingerprints: Vec::new(),
        tls_names: &[
            ("ssl_certificate_authorities", "cacert"),
            ("ssl_certificate", "tls_certificate"),
            ("ssl_key", "tls_key"),
            ("ssl_keystore_path", "keystore"),
            ("ssl_keystore_password", "keystore_password"),
            ("ssl_truststore_path", "truststore"),
            ("ssl_truststore_password", "truststore_password"),
        ],
        compression: if options.http_compression { DEFAULT_LEVEL } else { 0 },
        bulk_bytes: options.target_bulk_bytes,
        default_major: options.default_server_major_version,
        verdicts: Verdicts {
            dead_statuses: DEAD_STATUSES.to_vec(),
            dead_types: Vec::new(),
            silent_types: shared.failure_type_logging_whitelist.clone(),
        },
        refuse_placeholders: false,
        control: false,
        setup,
    };
    sender(options.shared, parts, reader)
}

fn sender(shared: Shared, parts: Parts, reader: &mut OptionReader<'_>) -> Option<Sender> {
    let documents = documents(&shared, &parts, reader);
    let cluster = cluster(&shared, &parts, reader);
    let at_once = reader.context.workers.saturating_mul(REQUESTS_PER_WORKER);
    let (documents, cluster) = (documents?, cluster?);
    let most = shared.pool_max.min(shared.pool_max_per_route.saturating_mul(cluster.pool.missing().len()));
    let retry_first = seconds(shared.retry_initial_interval);
    Some(Sender {
        cluster,
        documents,
        verdicts: parts.verdicts,
        setup: parts.setup,
        order: Arc::new(Order::default()),
        permits: Semaphore::new(at_once.min(most).clamp(1, Semaphore::MAX_PERMITS)),
        limit: AtomicUsize::new(parts.bulk_bytes.max(1)),
        retry_first,
        retry_last: seconds(shared.retry_max_interval).max(retry_first),
        destination: OnceLock::new(),
        ready: watch::Sender::new(false),
        trouble: Trouble::default(),
    })
}

/// The servers and the way to them.
fn cluster(shared: &Shared, parts: &Parts, reader: &mut OptionReader<'_>) -> Option<Cluster> {
    let common =
        Common { encrypted: parts.encrypted, login: parts.login.as_ref(), sniffing: shared.sniffing };
    let blamed = if reader.is_given("cloud_id") { "cloud_id" } else { "hosts" };
    let hosts = hosts::resolve(&parts.hosts, &common).map_err(|why| reader.error(blamed, why)).ok()?;
    let (hosts, prefix) = prefixed(hosts, shared, reader)?;
    let encrypted = hosts.first().is_some_and(|host| host.origin.starts_with("https:"));
    if parts.api_key.is_some() && !encrypted {
        reader.error("api_key", "it is only sent over TLS: use https:// in hosts, or ssl_enabled => true");
        return None;
    }
    let settings = http::Settings {
        tls: if encrypted { Some(tls(parts, reader)?) } else { None },
        proxy: shared.proxy.clone().filter(|proxy| !proxy.is_empty()),
        timeout: seconds(shared.timeout).max(Duration::from_millis(1)),
        idle: u64::try_from(shared.validate_after_inactivity)
            .ok()
            .filter(|idle| *idle > 0)
            .map(Duration::from_millis),
        idle_connections: shared.pool_max_per_route,
        query: query(&shared.parameters),
        headers: headers(&shared.custom_headers, reader)?,
        api_key: parts.api_key.clone(),
        compression: parts.compression,
    };
    let http = Http::new(settings).map_err(|(option, why)| reader.error(option, why)).ok()?;
    Some(Cluster {
        http,
        paths: paths(shared, prefix),
        pool: Pool::new(hosts),
        resurrect_delay: seconds(shared.resurrect_delay).max(Duration::from_millis(10)),
        sniffing_delay: shared
            .sniffing
            .then(|| seconds(shared.sniffing_delay).max(Duration::from_millis(10))),
        default_major: parts.default_major,
        server: Mutex::new(None),
    })
}

/// `path` stands in place of the path in hosts' URLs; both at once must be the same.
fn prefixed(
    mut hosts: Vec<Host>,
    shared: &Shared,
    reader: &mut OptionReader<'_>,
) -> Option<(Vec<Host>, String)> {
    let Some(path) = &shared.path else { return Some((hosts, String::new())) };
    let path = path_of(path);
    if hosts.iter().any(|host| !host.path.is_empty() && path_of(&host.path) != path) {
        reader.error("path", "a host's URL has another path");
        return None;
    }
    hosts.iter_mut().for_each(|host| host.path.clear());
    Some((hosts, path))
}

fn paths(shared: &Shared, prefix: String) -> Paths {
    let own = |given: &Option<String>, default: &str| match given {
        Some(given) => path_of(given),
        None => format!("{prefix}{default}"),
    };
    let mut bulk = own(&shared.bulk_path, "/_bulk");
    let has_filter = |separator: char| bulk.contains(&format!("{separator}filter_path="));
    if !has_filter('?') && !has_filter('&') {
        bulk.push(if bulk.contains('?') { '&' } else { '?' });
        bulk.push_str(FILTER_PATH);
    }
    Paths {
        bulk,
        health: own(&shared.healthcheck_path, "/"),
        sniffing: own(&shared.sniffing_path, "/_nodes/http"),
        prefix,
    }
}

fn tls(parts: &Parts, reader: &mut OptionReader<'_>) -> Option<ClientConfig> {
    let both = [
        (!parts.tls.ssl_certificate_authorities.is_empty(), "ssl_certificate_authorities"),
        (parts.tls.ssl_truststore_path.is_some(), "ssl_truststore_path"),
    ];
    let named = |option: &'static str| {
        parts.tls_names.iter().find(|(name, _)| *name == option).map_or(option, |(_, own)| *own)
    };
    if let [(true, first), (true, second)] = both {
        reader.error(named(second), format!("give either {} or this one, not both", named(first)));
        return None;
    }
    let config = parts.tls.config_trusting(&parts.fingerprints);
    config.map_err(|refusal| reader.error(named(refusal.option), refusal.reason)).ok()
}

/// `parameters`, as a URL's query; a list of values repeats the name.
fn query(parameters: &Pairs) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut parts = Vec::new();
    for (name, values) in parameters.iter() {
        for value in values.as_list() {
            parts.push(format!("{}={}", encode(name), encode(&ruby_to_s(&value.to_value()))));
        }
    }
    parts.join("&")
}

fn headers(custom: &Pairs, reader: &mut OptionReader<'_>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in custom.iter() {
        let value = HeaderValue::from_str(&ruby_to_s(&value.to_value()));
        match (HeaderName::from_bytes(name.as_bytes()), value) {
            (Ok(name), Ok(value)) => _ = headers.insert(name, value),
            _ => {
                reader.error("custom_headers", format!("\"{name}\" or its value cannot be sent as a header"));
                return None;
            }
        }
    }
    Some(headers)
}

fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}

/// `user` and `password`, or `cloud_auth`; not both, and not together with `api_key`.
fn elasticsearch_login(
    options: &ElasticsearchOptions,
    reader: &mut OptionReader<'_>,
) -> Option<Option<Login>> {
    let ways = [
        options.cloud_auth.is_some(),
        options.api_key.is_some(),
        options.shared.user.is_some() || options.shared.password.is_some(),
    ];
    if ways.into_iter().filter(|given| *given).count() > 1 {
        let option = if options.api_key.is_some() { "api_key" } else { "cloud_auth" };
        reader.error(option, "give only one of user and password, cloud_auth, and api_key");
        return None;
    }
    match &options.cloud_auth {
        Some(auth) => hosts::cloud_login(auth).map(Some).map_err(|why| reader.error("cloud_auth", why)).ok(),
        None => Some(login(&options.shared)),
    }
}

fn login(shared: &Shared) -> Option<Login> {
    Some(Login { user: shared.user.clone()?, password: shared.password.clone()? })
}

/// `user` and `password`, on their own or in `auth_type`.
fn opensearch_login(options: &OpensearchOptions, reader: &mut OptionReader<'_>) -> Option<Option<Login>> {
    let Some(auth) = &options.auth_type else { return Some(login(&options.shared)) };
    let member =
        |name: &str| auth.iter().find(|(key, _)| *key == name).and_then(|(_, value)| value.scalar_text());
    match member("type").as_deref() {
        Some("basic") => match (member("user"), member("password")) {
            (Some(user), Some(password)) => Some(Some(Login { user, password: Password::new(password) })),
            _ => {
                reader.error("auth_type", "type basic needs user and password");
                None
            }
        },
        Some("aws_iam") => {
            let advice = "signing with AWS keys is not available; let a proxy sign, such as aws-sigv4-proxy, or use basic";
            reader.error("auth_type", advice);
            None
        }
        _ => {
            reader.error("auth_type", "type => basic is expected in it");
            None
        }
    }
}

/// The level of gzip; `http_compression` is the old way to say 0 or not.
fn compression(options: &ElasticsearchOptions, reader: &mut OptionReader<'_>) -> Option<u32> {
    match (options.compression_level, options.http_compression) {
        (Some(_), Some(_)) => {
            reader.error("http_compression", "give compression_level alone, this is its old name");
            None
        }
        (Some(level), None) if level > 9 => {
            reader.error("compression_level", format!("{level} is not one of 0 to 9"));
            None
        }
        (Some(level), None) => Some(level),
        (None, Some(false)) => Some(0),
        (None, Some(true) | None) => Some(DEFAULT_LEVEL),
    }
}

/// Codes that mean something else cannot be codes of failure (`check_dlq_custom_codes`).
fn check_custom_codes(codes: &[u16], reader: &mut OptionReader<'_>) {
    for code in codes {
        let why = match code {
            400 | 404 => "documents with this status are given up anyway",
            200 | 201 => "this status means success",
            409 => "this status means a conflict, with which documents are never sent again",
            _ => continue,
        };
        reader.error("dlq_custom_codes", format!("{code}: {why}"));
    }
}

fn index(shared: &Shared, reader: &OptionReader<'_>) -> Destination {
    let default = reader.ecs().select("logstash-%{+yyyy.MM.dd}", "ecs-logstash-%{+yyyy.MM.dd}");
    let name = shared.index.as_deref().unwrap_or(default);
    Destination::Index { name: Template::parse(name), open: name == default }
}

/// What is to be known of templates; `Some(None)` when none is installed.
fn templates(
    shared: &Shared,
    reader: &mut OptionReader<'_>,
    api: TemplateApi,
    streams: bool,
) -> Option<Option<Templates>> {
    let manage = shared.manage_template && !(streams && !reader.is_given("manage_template"));
    if !manage {
        return Some(None);
    }
    let body = match &shared.template {
        None => None,
        Some(path) => {
            let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
            let parsed = read.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
            match parsed {
                Ok(body) => Some(body),
                Err(why) => {
                    reader.error("template", format!("cannot read {}: {why}", path.display()));
                    return None;
                }
            }
        }
    };
    let default = reader.ecs().select("logstash", "ecs-logstash");
    Some(Some(Templates {
        api,
        name: shared.template_name.clone().unwrap_or_else(|| default.into()),
        name_is_given: shared.template_name.is_some(),
        body,
        ecs: reader.ecs().is_enabled(),
        overwrite: shared.template_overwrite,
        may_fail: false,
    }))
}

fn lifecycle(options: &ElasticsearchOptions, reader: &OptionReader<'_>) -> Lifecycle {
    let default = reader.ecs().select("logstash", "ecs-logstash");
    let alias = options.ilm_rollover_alias.clone().unwrap_or_else(|| default.into());
    let open = matches!(index(&options.shared, reader), Destination::Index { open: true, .. });
    Lifecycle {
        enabled: options.ilm_enabled,
        is_asked_for: open || alias != default,
        alias,
        pattern: options.ilm_pattern.clone(),
        policy: options.ilm_policy.clone(),
    }
}

/// How events become documents. The checks are those of `http_client_builder.rb`.
fn documents(shared: &Shared, parts: &Parts, reader: &mut OptionReader<'_>) -> Option<Documents> {
    let fine = check_action(shared, reader) & check_versions(shared, reader) & check_updates(shared, reader);
    let join = match (&shared.parent, &shared.join_field) {
        (Some(parent), Some(field)) => Some(Join { parent: parent.clone(), field: field.clone() }),
        (Some(_), None) => {
            reader.error(
                "parent",
                "servers since version 6 know parents by a join field only: give join_field",
            );
            return None;
        }
        (None, Some(_)) => {
            reader.no_effect("join_field", "it needs parent");
            None
        }
        (None, None) => None,
    };
    let script = (!shared.script.is_empty()).then(|| Script {
        text: Template::parse(&shared.script),
        kind: shared.script_type,
        language: shared.script_lang.clone(),
        variable: shared.script_var_name.clone(),
    });
    let metadata = |name: &str| FieldReference::parse(&format!("[@metadata][{name}]")).ok();
    fine.then(|| Documents {
        action: shared.action.clone(),
        document_type: shared.document_type.clone(),
        id: shared.document_id.clone(),
        routing: shared.routing.clone(),
        join,
        pipeline: shared.pipeline.clone(),
        version: shared.version.clone(),
        version_type: shared.version_type.map(super::options::VersionType::word),
        update: Update {
            script,
            upsert: (!shared.upsert.is_empty()).then(|| Template::parse(&shared.upsert)),
            doc_as_upsert: shared.doc_as_upsert,
            scripted_upsert: shared.scripted_upsert,
            retry_on_conflict: shared.retry_on_conflict,
        },
        refuse_placeholders: parts.refuse_placeholders,
        control: metadata("_ingest_document").filter(|_| parts.control),
        target_pipeline: metadata("target_ingest_pipeline").filter(|_| parts.control),
    })
}

fn check_action(shared: &Shared, reader: &mut OptionReader<'_>) -> bool {
    let Some(action) = shared.action.as_ref().and_then(Template::as_literal) else { return true };
    if matches!(action, "index" | "create" | "update" | "delete") {
        return true;
    }
    reader.error("action", format!("\"{action}\" is not one of index, create, update, delete"));
    false
}

fn check_versions(shared: &Shared, reader: &mut OptionReader<'_>) -> bool {
    if !shared.version_type.is_some_and(super::options::VersionType::is_external) {
        return true;
    }
    let why = match shared.action.as_ref().map(Template::source) {
        _ if shared.version.is_none() => "an external version needs the option version",
        Some("create") => "the action create takes no external versions",
        Some("update") => "the action update takes no external versions",
        _ => return true,
    };
    reader.error("version_type", why);
    false
}

fn check_updates(shared: &Shared, reader: &mut OptionReader<'_>) -> bool {
    let mut fine = true;
    if shared.doc_as_upsert && shared.scripted_upsert {
        reader.error("scripted_upsert", "it excludes doc_as_upsert");
        fine = false;
    }
    let is_update = shared.action.as_ref().is_some_and(|action| action.source() == "update");
    if is_update && shared.document_id.as_ref().is_none_or(|id| id.source().is_empty()) {
        reader.error("action", "update needs a document_id");
        fine = false;
    }
    if shared.script_type == ScriptType::File && !shared.script.is_empty() {
        let why = "servers since version 6 have no scripts in files: store it in the cluster and use indexed";
        reader.error("script_type", why);
        fine = false;
    }
    fine
}
