//! The nodes of a cluster: which is asked next, how requests look, and what their answers are
//! (`elasticsearch/client.rb` of logstash-filter-elasticsearch, `new_client` of logstash-input-elasticsearch,
//! elastic-transport).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Proxy, Response, Url};

use super::{AskError, ClusterOptions, api_key, cloud};
use crate::event::json::{self, Decimals};
use crate::event::{Object, Value};
use crate::http_client::HttpError;
use crate::plugin::OptionReader;

/// A node that could not be reached is passed over for as long, while there are others.
const DEAD_FOR: Duration = Duration::from_secs(60);
const DEFAULT_PORT: u16 = 9200;
/// What of an error's text stands in the log.
const SHOWN_REASON: usize = 300;

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For a whole answer.
    pub request: Duration,
    /// For the next bytes of it.
    pub socket: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { connect: Duration::from_secs(10), request: Duration::from_secs(60), socket: None }
    }
}

/// What a client is made of.
pub struct Settings<'o> {
    /// The option `hosts`, which has no default in some plugins.
    pub hosts: &'o [String],
    pub options: &'o ClusterOptions,
    pub timeouts: Timeouts,
    /// The plugin's name, as requests tell it.
    pub origin: &'static str,
}

/// What a node says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// `9.0.1`; empty where it does not say.
    pub version: String,
    /// Whether it is one of OpenSearch, whose API for points in time is another one.
    pub is_opensearch: bool,
    /// Whether the cluster is a serverless one, which wants the version of its API named.
    pub is_serverless: bool,
}

impl Info {
    fn read(answer: &Value) -> Self {
        let version = answer.as_object().and_then(|info| info.get("version")).and_then(Value::as_object);
        let text = |name: &str| version.and_then(|version| version.get(name)).and_then(Value::as_str);
        Info {
            version: text("number").unwrap_or_default().to_owned(),
            is_opensearch: text("distribution") == Some("opensearch"),
            is_serverless: text("build_flavor") == Some("serverless"),
        }
    }

    /// The parts of the version: `[9, 0, 1]`.
    pub fn numbers(&self) -> Vec<u32> {
        let parts = self.version.split(['.', '-']);
        parts.map_while(|part| part.parse().ok()).collect()
    }
}

/// A client of a cluster.
pub struct Cluster {
    http: Client,
    nodes: Vec<Url>,
    next: AtomicUsize,
    /// For each node until when it is passed over.
    dead_until: Mutex<Vec<Option<Instant>>>,
    headers: HeaderMap,
    /// Asked once.
    info: OnceLock<Info>,
}

/// A request to any node.
pub struct Ask<'a> {
    pub method: Method,
    /// Steps of the path below the node's.
    pub path: Vec<&'a str>,
    pub query: Vec<(&'a str, String)>,
    /// JSON.
    pub body: Option<Vec<u8>>,
}

impl<'a> Ask<'a> {
    pub fn get(path: &[&'a str]) -> Self {
        Ask { method: Method::GET, path: path.to_vec(), query: Vec::new(), body: None }
    }

    pub fn post(path: &[&'a str], body: Vec<u8>) -> Self {
        Ask { method: Method::POST, path: path.to_vec(), query: Vec::new(), body: Some(body) }
    }

    pub fn delete(path: &[&'a str], body: Vec<u8>) -> Self {
        Ask { method: Method::DELETE, path: path.to_vec(), query: Vec::new(), body: Some(body) }
    }

    pub fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

impl Cluster {
    /// Makes a client, without a connection yet. Reports what is wrong to the reader and is `None` then.
    pub fn build(settings: &Settings<'_>, reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = settings.options;
        let hosts = match &options.cloud_id {
            None => settings.hosts.to_vec(),
            Some(_) if reader.is_given("hosts") => {
                reader.error("cloud_id", "use either cloud_id or hosts");
                return None;
            }
            Some(id) => match cloud::host(id) {
                Ok(host) => vec![host],
                Err(reason) => {
                    reader.error("cloud_id", reason);
                    return None;
                }
            },
        };
        let all_https = !hosts.is_empty() && hosts.iter().all(|host| host.starts_with("https"));
        let encrypted = options.tls.ssl_enabled.unwrap_or(all_https);
        let mut nodes = Vec::new();
        for host in &hosts {
            match node(host, encrypted) {
                Some(node) => nodes.push(node),
                None => reader.error("hosts", "each is host:port or a URL such as https://es:9200"),
            }
        }
        if nodes.is_empty() {
            reader.error("hosts", "it cannot be empty");
            return None;
        }
        let headers = headers(settings, encrypted, reader)?;
        let http = client(settings, encrypted, reader)?;
        Some(Cluster {
            http,
            dead_until: Mutex::new(vec![None; nodes.len()]),
            nodes,
            next: AtomicUsize::new(0),
            headers,
            info: OnceLock::new(),
        })
    }

    /// Asks the next node, and reads the JSON of the answer.
    ///
    /// # Errors
    /// There is no answer, or none of success.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<(Value, HeaderMap), AskError> {
        // A node that does not tell what it is may search all the same; one that does not answer is asked again.
        if let Err(AskError::Status(..) | AskError::Answer(_)) = self.info().await {
            _ = self.info.set(Info::default());
        }
        self.ask_node(ask).await
    }

    /// What kind of cluster this is.
    ///
    /// # Errors
    /// It does not say.
    pub async fn info(&self) -> Result<&Info, AskError> {
        if let Some(info) = self.info.get() {
            return Ok(info);
        }
        let (answer, _) = self.ask_node(&Ask::get(&[])).await?;
        Ok(self.info.get_or_init(|| Info::read(&answer)))
    }

    async fn ask_node(&self, ask: &Ask<'_>) -> Result<(Value, HeaderMap), AskError> {
        let response = self.send(ask).await?;
        let status = response.status();
        let headers = response.headers().clone();
        let text = response.text().await.map_err(HttpError::from)?;
        if !status.is_success() {
            return Err(AskError::Status(status.as_u16(), reason(&text)));
        }
        let answer = json::parse(&text, Decimals::Double);
        answer.map(|answer| (answer, headers)).map_err(|error| AskError::Answer(error.to_string()))
    }

    async fn send(&self, ask: &Ask<'_>) -> Result<Response, HttpError> {
        let at = self.pick();
        let Some(node) = self.nodes.get(at) else {
            return Err(HttpError { message: "there are no hosts".into(), is_connect: true });
        };
        let mut url = node.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(&ask.path);
        }
        let mut request = self.http.request(ask.method.clone(), url).headers(self.headers.clone());
        if self.info.get().is_some_and(|info| info.is_serverless) {
            request = request.header("elastic-api-version", "2023-10-31");
        }
        if !ask.query.is_empty() {
            request = request.query(&ask.query);
        }
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let sent = request.send().await;
        let dead = sent.as_ref().is_err_and(|error| error.is_connect() || error.is_timeout());
        self.mark(at, dead.then(|| Instant::now() + DEAD_FOR));
        sent.map_err(HttpError::from)
    }

    /// The next node that is not passed over, or the next one if all are.
    fn pick(&self) -> usize {
        let dead = self.dead_until.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..self.nodes.len()).map(|step| first.wrapping_add(step) % self.nodes.len().max(1));
        let alive = |at: &usize| dead.get(*at).copied().flatten().is_none_or(|until| until < now);
        in_turn.clone().find(alive).or_else(|| in_turn.clone().next()).unwrap_or(0)
    }

    fn mark(&self, node: usize, until: Option<Instant>) {
        let mut dead = self.dead_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = dead.get_mut(node) {
            *place = until;
        }
    }
}

/// The URL of a host; one without a scheme gets that of the other options.
fn node(host: &str, encrypted: bool) -> Option<Url> {
    let has_scheme = host.starts_with("http://") || host.starts_with("https://");
    let scheme = if encrypted { "https://" } else { "http://" };
    let text = if has_scheme { host.to_owned() } else { format!("{scheme}{host}") };
    let mut url = Url::parse(&text).ok().filter(|url| url.has_host())?;
    let authority = text.split("://").nth(1).unwrap_or_default().split(['/', '?']).next().unwrap_or_default();
    let names_port = authority.rsplit('@').next().unwrap_or_default().rsplit(']').next()?.contains(':');
    let by_scheme = has_scheme && url.scheme() == "https";
    if !names_port && !by_scheme {
        url.set_port(Some(DEFAULT_PORT)).ok()?;
    }
    Some(url)
}

fn client(settings: &Settings<'_>, encrypted: bool, reader: &mut OptionReader<'_>) -> Option<Client> {
    let (options, timeouts) = (settings.options, settings.timeouts);
    // Fails when another part of the process has installed one, which then serves as well.
    _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("rstash/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.request);
    if let Some(socket) = timeouts.socket {
        builder = builder.read_timeout(socket);
    }
    let builder = match options.proxy.as_deref() {
        None | Some("") => builder.no_proxy(),
        Some(proxy) => match Proxy::all(proxy) {
            Ok(proxy) => builder.proxy(proxy),
            Err(_) => {
                reader.error("proxy", "it is no URL of a proxy");
                return None;
            }
        },
    };
    let builder = match encrypted {
        true => {
            let tls = options.tls.config_trusting(&options.ca_trusted_fingerprint);
            let tls = tls.map_err(|refusal| reader.error(refusal.option, refusal.reason)).ok()?;
            builder.tls_backend_preconfigured(tls)
        }
        false => builder,
    };
    match builder.build() {
        Ok(client) => Some(client),
        Err(error) => {
            reader.error("hosts", format!("no client can be made: {}", HttpError::from(error)));
            None
        }
    }
}

/// The headers of every request. Those of `custom_headers` come last, and win.
fn headers(settings: &Settings<'_>, encrypted: bool, reader: &mut OptionReader<'_>) -> Option<HeaderMap> {
    let options = settings.options;
    let mut headers = HeaderMap::new();
    headers.insert("x-elastic-product-origin", HeaderValue::from_static(settings.origin));
    if let Some(authorization) = authorization(options, encrypted, reader)? {
        let mut value = HeaderValue::try_from(authorization).ok()?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    for (name, value) in options.custom_headers.iter() {
        let value = value.scalar_text().and_then(|value| HeaderValue::try_from(value).ok());
        match (HeaderName::try_from(name), value) {
            (Ok(name), Some(value)) => _ = headers.insert(name, value),
            _ => reader.error("custom_headers", format!("\"{name}\" makes no header")),
        }
    }
    Some(headers)
}

/// The value of the header `Authorization`, of the one way of authentication that may be given.
fn authorization(
    options: &ClusterOptions,
    encrypted: bool,
    reader: &mut OptionReader<'_>,
) -> Option<Option<String>> {
    let by_user = options.user.is_some() || options.password.is_some();
    let ways = [by_user, options.cloud_auth.is_some(), options.api_key.is_some()];
    if ways.into_iter().filter(|given| *given).count() > 1 {
        let message = "only one of user/password, cloud_auth and api_key can be used";
        reader.error(if options.api_key.is_some() { "api_key" } else { "cloud_auth" }, message);
        return None;
    }
    let basic =
        |user: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    if let Some(key) = &options.api_key {
        if !encrypted {
            reader.error("api_key", "it needs an encrypted connection: set ssl_enabled => true");
            return None;
        }
        return match api_key(key) {
            Ok(key) => Some(Some(format!("ApiKey {}", key.reveal()))),
            Err(reason) => {
                reader.error("api_key", reason);
                None
            }
        };
    }
    if let Some(auth) = &options.cloud_auth {
        return match cloud::credentials(auth.reveal()) {
            Some((user, password)) => Some(Some(basic(user, password))),
            None => {
                reader.error("cloud_auth", "it must be name:password");
                None
            }
        };
    }
    match (&options.user, &options.password) {
        (Some(user), Some(password)) => Some(Some(basic(user, password.reveal()))),
        _ => Some(None),
    }
}

/// Why Elasticsearch refused, in one line.
fn reason(text: &str) -> String {
    let parsed = json::parse(text, Decimals::Double).ok();
    let error = parsed.as_ref().and_then(Value::as_object).and_then(|answer| answer.get("error"));
    let of = |error: &Object| error.get("reason").and_then(Value::as_str).map(str::to_owned);
    let reason = match error {
        Some(Value::Object(error)) => of(error),
        Some(Value::Str(error)) => Some(error.to_string()),
        _ => None,
    };
    let line = reason.unwrap_or_else(|| text.to_owned());
    let line: Vec<&str> = line.split_whitespace().collect();
    match line.join(" ").chars().take(SHOWN_REASON).collect::<String>() {
        empty if empty.is_empty() => "no reason given".into(),
        reason => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_become_urls() {
        for (host, encrypted, url) in [
            ("es", false, "http://es:9200/"),
            ("es:9201", true, "https://es:9201/"),
            ("http://es", false, "http://es:9200/"),
            ("http://es:80", false, "http://es/"),
            ("https://es", true, "https://es/"),
            ("https://u:p@es:9200/path", true, "https://u:p@es:9200/path"),
            ("[::1]", false, "http://[::1]:9200/"),
        ] {
            assert_eq!(node(host, encrypted).map(String::from).as_deref(), Some(url), "{host}");
        }
        assert!(node("", false).is_none());
    }

    #[test]
    fn reasons_are_one_line() {
        assert_eq!(
            reason(r#"{"error":{"reason":"no such index [x]","type":"t"},"status":404}"#),
            "no such index [x]"
        );
        assert_eq!(reason(r#"{"error":"Incorrect HTTP method"}"#), "Incorrect HTTP method");
        assert_eq!(reason("<html>\n no </html>"), "<html> no </html>");
    }
}
