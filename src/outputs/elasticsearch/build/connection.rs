//! The servers and the way to them: addresses, logins, TLS, what every request carries.

use std::sync::Mutex;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::ClientConfig;

use super::super::cluster::{Cluster, Paths};
use super::super::hosts::{self, Common, Host, Login, path_of};
use super::super::http::{self, Http};
use super::super::options::{ElasticsearchOptions, OpensearchOptions, Shared};
use super::super::pool::Pool;
use crate::elasticsearch::{api_key, cloud};
use crate::event::text::ruby_to_s;
use crate::plugin::{OptionReader, Pairs, Password};
use crate::tls::{ClientTls, Fingerprint, VerificationMode, check_stores};

/// gzip's level where the config names none.
const DEFAULT_LEVEL: u32 = 1;
/// Leaves of an answer what tells the fate of each document, which keeps it small.
const FILTER_PATH: &str = "filter_path=errors,items.*.error,items.*.status";
/// No delay is shorter, whatever the config says: nothing is asked in a tight loop.
const SHORTEST_DELAY: Duration = Duration::from_millis(10);

/// What the two plugins' options say of the servers, each with names of its own.
pub struct Access {
    pub login: Option<Login>,
    pub api_key: Option<Password>,
    pub hosts: Vec<String>,
    pub tls: ClientTls,
    pub fingerprints: Vec<Fingerprint>,
    /// What the options of [`ClientTls`] are called in this plugin, where not the same.
    pub tls_names: &'static [(&'static str, &'static str)],
    pub compression: u32,
    /// The major version of servers that do not tell theirs.
    pub default_major: Option<u32>,
}

impl Access {
    /// What an option of [`ClientTls`] is called in this plugin.
    fn named(&self, option: &'static str) -> &'static str {
        self.tls_names.iter().find(|(name, _)| *name == option).map_or(option, |(_, own)| *own)
    }
}

/// What the options of the elasticsearch output say.
pub fn elasticsearch(options: &ElasticsearchOptions, reader: &mut OptionReader<'_>) -> Option<Access> {
    let hosts = match &options.cloud_id {
        Some(_) if reader.is_given("hosts") => {
            reader.error("cloud_id", "give either cloud_id or hosts, not both");
            None
        }
        Some(id) => cloud::host(id).map(|host| vec![host]).map_err(|why| reader.error("cloud_id", why)).ok(),
        None => Some(options.shared.hosts.clone()),
    };
    let login = elasticsearch_login(options, reader);
    let api_key = match &options.api_key {
        Some(key) => api_key(key).map(Some).map_err(|why| reader.error("api_key", why)).ok(),
        None => Some(None),
    };
    let compression = compression(options, reader);
    Some(Access {
        login: login?,
        api_key: api_key?,
        hosts: hosts?,
        tls: options.tls.clone(),
        fingerprints: options.ca_trusted_fingerprint.clone(),
        tls_names: &[],
        compression: compression?,
        default_major: None,
    })
}

/// What the options of the opensearch output say.
pub fn opensearch(options: &OpensearchOptions, reader: &mut OptionReader<'_>) -> Option<Access> {
    let verification =
        if options.ssl_certificate_verification { VerificationMode::Full } else { VerificationMode::None };
    let tls = ClientTls {
        ssl_enabled: options.ssl,
        ssl_certificate_authorities: options.cacert.iter().cloned().collect(),
        ssl_certificate: options.tls_certificate.clone(),
        ssl_key: options.tls_key.clone(),
        ssl_keystore_path: options.keystore.clone(),
        ssl_keystore_password: options.keystore_password.clone(),
        ssl_truststore_path: options.truststore.clone(),
        ssl_truststore_password: options.truststore_password.clone(),
        ssl_verification_mode: verification,
        ..ClientTls::default()
    };
    Some(Access {
        login: opensearch_login(options, reader)?,
        api_key: None,
        hosts: options.shared.hosts.clone(),
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
        default_major: options.default_server_major_version,
    })
}

/// The servers and the way to them.
pub fn cluster(shared: &Shared, access: &Access, reader: &mut OptionReader<'_>) -> Option<Cluster> {
    let common =
        Common { encrypted: access.tls.ssl_enabled, login: access.login.as_ref(), sniffing: shared.sniffing };
    let blamed = if reader.is_given("cloud_id") { "cloud_id" } else { "hosts" };
    let hosts = hosts::resolve(&access.hosts, &common).map_err(|why| reader.error(blamed, why)).ok()?;
    let (hosts, prefix) = prefixed(hosts, shared, reader)?;
    let encrypted = hosts.first().is_some_and(|host| host.origin.starts_with("https:"));
    if access.api_key.is_some() && !encrypted {
        reader.error("api_key", "it is only sent over TLS: use https:// in hosts, or ssl_enabled => true");
        return None;
    }
    if !encrypted {
        for option in ClientTls::OPTIONS.iter().filter(|option| option.name != "ssl_enabled") {
            reader.no_effect(
                access.named(option.name),
                "connections are not encrypted: hosts are no https:// URLs",
            );
        }
    }
    let settings = http::Settings {
        tls: if encrypted { Some(tls(access, reader)?) } else { None },
        proxy: shared.proxy.clone().filter(|proxy| !proxy.is_empty()),
        timeout: super::seconds(shared.timeout).max(Duration::from_millis(1)),
        idle: u64::try_from(shared.validate_after_inactivity)
            .ok()
            .filter(|idle| *idle > 0)
            .map(Duration::from_millis),
        idle_connections: shared.pool_max_per_route,
        query: query(&shared.parameters),
        headers: headers(&shared.custom_headers, reader)?,
        api_key: access.api_key.clone(),
        compression: access.compression,
    };
    let http = Http::new(settings).map_err(|(option, why)| reader.error(option, why)).ok()?;
    Some(Cluster {
        http,
        paths: paths(shared, prefix),
        pool: Pool::new(hosts),
        resurrect_delay: super::seconds(shared.resurrect_delay).max(SHORTEST_DELAY),
        sniffing_delay: shared.sniffing.then(|| super::seconds(shared.sniffing_delay).max(SHORTEST_DELAY)),
        default_major: access.default_major,
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

fn tls(access: &Access, reader: &mut OptionReader<'_>) -> Option<ClientConfig> {
    let both = [
        (!access.tls.ssl_certificate_authorities.is_empty(), "ssl_certificate_authorities"),
        (access.tls.ssl_truststore_path.is_some(), "ssl_truststore_path"),
    ];
    let named = |option| access.named(option);
    if access.tls_names.is_empty() {
        check_stores(reader, false);
    }
    if let [(true, first), (true, second)] = both {
        reader.error(named(second), format!("give either {} or this one, not both", named(first)));
        return None;
    }
    let config = access.tls.config_trusting(&access.fingerprints);
    config.map_err(|refusal| reader.error(named(refusal.option), refusal.reason)).ok()
}

/// `parameters`, as a URL's query; a list of values repeats the name.
fn query(parameters: &Pairs) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut pairs = Vec::new();
    for (name, values) in parameters.iter() {
        for value in values.as_list() {
            pairs.push(format!("{}={}", encode(name), encode(&ruby_to_s(&value.to_value()))));
        }
    }
    pairs.join("&")
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
