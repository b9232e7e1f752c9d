//! `Http`: requests to one server, with what the options add to each (`manticore_adapter.rb`).

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Proxy, Url, redirect};
use rustls::ClientConfig;

use super::hosts::Host;
use crate::plugin::Password;

/// A serverless cluster wants to know which version of its API is meant.
const API_VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("elastic-api-version"), HeaderValue::from_static("2023-10-31"));
/// What Logstash's bulk requests tell of themselves (`http_client.rb`), for proxies that look at it.
const EVENT_COUNT: HeaderName = HeaderName::from_static("x-elastic-event-count");
const UNCOMPRESSED_LENGTH: HeaderName = HeaderName::from_static("x-elastic-uncompressed-request-length");
/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bodies from this size on are compressed on a thread of their own: gzip takes about 10 ms for it.
const LARGE: usize = 1 << 20;

/// What the options say of requests.
pub struct Settings {
    pub tls: Option<ClientConfig>,
    pub proxy: Option<String>,
    pub timeout: Duration,
    /// How long an unused connection is trusted; `None` for ever.
    pub idle: Option<Duration>,
    pub idle_connections: usize,
    /// `name=value&...`
    pub query: String,
    pub headers: HeaderMap,
    pub api_key: Option<Password>,
    pub compression: u32,
}

/// Sends requests.
#[derive(Debug)]
pub struct Http {
    client: Client,
    query: String,
    compression: u32,
    serverless: AtomicBool,
}

/// The body of a request.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'b> {
    pub bytes: &'b [u8],
    /// How many documents a bulk request brings.
    pub documents: Option<usize>,
}

impl<'b> From<&'b [u8]> for Payload<'b> {
    fn from(bytes: &'b [u8]) -> Self {
        Payload { bytes, documents: None }
    }
}

/// A server's answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Http {
    /// A client for all servers.
    ///
    /// # Errors
    /// The option to blame and why.
    pub fn new(settings: Settings) -> Result<Self, (&'static str, String)> {
        // Fails when another part of the process has installed one, which then serves as well.
        _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(settings.headers);
        if let Some(key) = &settings.api_key {
            let mut value = HeaderValue::from_str(&format!("ApiKey {}", key.reveal()))
                .map_err(|_| ("api_key", "it holds characters that no header can".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut builder = Client::builder()
            .user_agent(concat!("rstash/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT.min(settings.timeout))
            .timeout(settings.timeout)
            .pool_idle_timeout(settings.idle)
            .pool_max_idle_per_host(settings.idle_connections)
            .tcp_keepalive(Duration::from_secs(30))
            .redirect(redirect::Policy::none())
            .no_gzip()
            // Like Logstash's plugin, this one does not look at http_proxy and its kin.
            .no_proxy();
        if let Some(proxy) = &settings.proxy {
            let proxy = Proxy::all(proxy).map_err(|error| ("proxy", chain(error)))?;
            builder = builder.proxy(proxy);
        }
        if let Some(tls) = settings.tls {
            builder = builder.tls_backend_preconfigured(tls);
        }
        let client = builder.build().map_err(|error| ("hosts", chain(error)))?;
        Ok(Http {
            client,
            query: settings.query,
            compression: settings.compression,
            serverless: AtomicBool::new(false),
        })
    }

    /// From now on requests carry what a serverless cluster needs.
    pub fn speak_serverless(&self) {
        self.serverless.store(true, Ordering::Relaxed);
    }

    /// Sends a request. `path` begins with a slash and may hold a query.
    ///
    /// # Errors
    /// Why the server cannot be reached, in one line without secrets.
    pub async fn send(
        &self,
        host: &Host,
        method: Method,
        path: &str,
        body: Option<Payload<'_>>,
    ) -> Result<Answer, String> {
        let mut request = self.client.request(method, self.url(host, path)?);
        if let Some(login) = &host.login {
            request = request.basic_auth(&login.user, Some(login.password.reveal()));
        }
        if self.serverless.load(Ordering::Relaxed) {
            request = request.header(API_VERSION.0, API_VERSION.1);
        }
        if let Some(Payload { bytes, documents: Some(documents) }) = body {
            request = request.header(EVENT_COUNT, documents).header(UNCOMPRESSED_LENGTH, bytes.len());
        }
        request = match body.map(|payload| payload.bytes) {
            None => request,
            Some(body) if self.compression == 0 => request.body(body.to_vec()),
            Some(body) => request.header(CONTENT_ENCODING, "gzip").body(self.compress(body).await?),
        };
        let response = request.send().await.map_err(chain)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(chain)?.to_vec();
        Ok(Answer { status, body })
    }

    fn url(&self, host: &Host, path: &str) -> Result<Url, String> {
        let (path, own) = path.split_once('?').unwrap_or((path, ""));
        let mut text = format!("{}{}{path}", host.origin, host.path);
        let parts = [host.query.as_str(), self.query.as_str(), own];
        for (at, part) in parts.into_iter().filter(|part| !part.is_empty()).enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.push_str(part);
        }
        Url::parse(&text).map_err(|error| format!("{host}{path} is no URL: {error}"))
    }

    async fn compress(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        let level = Compression::new(self.compression);
        if body.len() < LARGE {
            return Ok(gzip(body, level));
        }
        let body = body.to_vec();
        tokio::task::spawn_blocking(move || gzip(&body, level)).await.map_err(|error| error.to_string())
    }
}

fn gzip(body: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), level);
    // Writing to memory does not fail.
    _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// An error with its causes in one line: what went wrong is further down in reqwest's chain. The URL may hold secrets.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut message = error.to_string();
    let mut at = std::error::Error::source(&error);
    while let Some(cause) = at {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        at = cause.source();
    }
    message
}
