//! The options of `HttpClient`.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Proxy};
use tokio::sync::Semaphore;

use super::{HttpClient, HttpError};
use crate::plugin::{ConfigKind, ConfigValue, OptionReader, Password, options};
use crate::tls::ClientTls;

options! {
    /// The options of plugins that ask HTTP servers.
    #[derive(Debug)]
    pub struct HttpOptions {
        /// Seconds that a whole request may take. 0: as long as it likes.
        request_timeout: f64 = 60,
        /// Seconds to wait for the next data of an answer. 0: as long as it takes.
        socket_timeout: f64 = 10,
        /// Seconds to wait for a connection. 0: as long as it takes.
        connect_timeout: f64 = 10,
        /// Go where an answer redirects to.
        follow_redirects: bool = true,
        /// The most requests at a time.
        pool_max: usize = 50,
        /// The most idle connections to keep to each host.
        pool_max_per_route: usize = 25,
        /// Use connections for more than one request.
        keepalive: bool = true,
        /// How often to repeat a request whose connection broke.
        automatic_retries: u32 = 1,
        /// Repeat POST and PATCH as well.
        retry_non_idempotent: bool = false,
        /// Has no effect: connections that were closed meanwhile are noticed without asking.
        validate_after_inactivity: f64 = 200,
        /// Keep the cookies that servers set, and send them again.
        cookies: bool = true,
        /// An HTTP proxy: its URL, or a hash of `host`, `port`, `scheme`, `user` and `password`.
        proxy: Option<ConfigValue>,
        /// Name for basic authentication.
        user: Option<String>,
        /// Password for basic authentication.
        password: Option<Password>,
        ..tls: ClientTls,
    }
}

/// Apache's client, which Logstash uses, gives up after as many redirects.
const MAX_REDIRECTS: usize = 50;

impl HttpOptions {
    /// Makes the client. `plain` says that all URLs are `http:`, so that no authorities are needed. Reports what is
    /// wrong to the reader and is `None` then.
    pub fn client(&self, plain: bool, reader: &mut OptionReader<'_>) -> Option<HttpClient> {
        reader.no_effect("validate_after_inactivity", "closed connections are noticed without asking");
        let authorization = match (&self.user, &self.password) {
            (Some(user), Some(password)) => Some((user.clone(), password.clone())),
            (Some(_), None) => {
                reader.error("user", "it needs a password");
                return None;
            }
            (None, _) => None,
        };
        let builder = self.encrypted(self.pooled(), plain, reader)?;
        let builder = match &self.proxy {
            None => builder.no_proxy(),
            Some(value) => match proxy(value) {
                Ok(Some(proxy)) => builder.proxy(proxy),
                Ok(None) => builder.no_proxy(),
                Err(reason) => {
                    reader.error("proxy", reason);
                    return None;
                }
            },
        };
        match builder.build() {
            Ok(http) => Some(HttpClient {
                http,
                slots: Semaphore::new(self.pool_max.clamp(1, Semaphore::MAX_PERMITS)),
                retries: self.automatic_retries,
                retry_non_idempotent: self.retry_non_idempotent,
                authorization,
            }),
            Err(error) => {
                reader.error("ssl_enabled", format!("no client can be made: {}", HttpError::from(error)));
                None
            }
        }
    }

    fn pooled(&self) -> ClientBuilder {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("rstash/", env!("CARGO_PKG_VERSION")))
            .cookie_store(self.cookies)
            .pool_max_idle_per_host(if self.keepalive { self.pool_max_per_route } else { 0 })
            .redirect(if self.follow_redirects { Policy::limited(MAX_REDIRECTS) } else { Policy::none() });
        let builder = match seconds(self.request_timeout) {
            Some(timeout) => builder.timeout(timeout),
            None => builder,
        };
        let builder = match seconds(self.socket_timeout) {
            Some(timeout) => builder.read_timeout(timeout),
            None => builder,
        };
        match seconds(self.connect_timeout) {
            Some(timeout) => builder.connect_timeout(timeout),
            None => builder,
        }
    }

    /// Adds TLS as the `ssl_*` options want it.
    fn encrypted(
        &self,
        builder: ClientBuilder,
        plain: bool,
        reader: &mut OptionReader<'_>,
    ) -> Option<ClientBuilder> {
        let given: Vec<&str> = ClientTls::OPTIONS
            .iter()
            .map(|option| option.name)
            .filter(|name| *name != "ssl_enabled" && reader.is_given(name))
            .collect();
        // Fails when another part of the process has installed one, which then serves as well.
        _ = rustls::crypto::ring::default_provider().install_default();
        if self.tls.ssl_enabled == Some(false) {
            for name in given {
                reader.no_effect(name, "ssl_enabled is false");
            }
            return Some(builder);
        }
        if !crate::tls::check_stores(reader, true) {
            return None;
        }
        if plain && given.is_empty() {
            return Some(builder);
        }
        Some(builder.tls_backend_preconfigured(self.tls.checked(reader)?))
    }
}

/// A time-out; 0 and what is no time is none.
fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok().filter(|timeout| !timeout.is_zero())
}

/// Reads the option `proxy`; an empty text is no proxy.
fn proxy(value: &ConfigValue) -> Result<Option<Proxy>, String> {
    let ConfigKind::Hash(parts) = &value.kind else {
        let url = value.as_single().and_then(ConfigValue::scalar_text);
        let url = url.ok_or("expected a URL or a hash of host and port")?;
        if url.is_empty() {
            return Ok(None);
        }
        return Proxy::all(&url).map(Some).map_err(|_| "it is no URL of a proxy".into());
    };
    let part = |name: &str| {
        let found = parts.iter().find(|(key, _)| key == name);
        found.and_then(|(_, value)| value.scalar_text())
    };
    let known = ["host", "port", "scheme", "user", "password"];
    if let Some((unknown, _)) = parts.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        return Err(format!("\"{unknown}\" is none of {}", known.join(", ")));
    }
    let host = part("host").ok_or("the hash needs a host")?;
    let scheme = part("scheme").unwrap_or_else(|| "http".into());
    let port = part("port").map(|port| format!(":{port}")).unwrap_or_default();
    let proxy = Proxy::all(format!("{scheme}://{host}{port}")).map_err(|_| "host and port make no URL")?;
    Ok(Some(match (part("user"), part("password")) {
        (Some(user), password) => proxy.basic_auth(&user, &password.unwrap_or_default()),
        (None, _) => proxy,
    }))
}
