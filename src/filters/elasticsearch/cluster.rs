//! The nodes of a cluster: which is asked next, how requests look, and when they are repeated
//! (`elasticsearch/client.rb` of the plugin, elastic-transport).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Proxy, Response, Url};

use super::{Failure, Options, cloud};
use crate::event::json::{self, Decimals};
use crate::event::{Object, Value};
use crate::http_client::HttpError;
use crate::plugin::{OptionReader, blocking};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// A node that could not be reached is passed over for as long, while there are others.
const DEAD_FOR: Duration = Duration::from_secs(60);
const DEFAULT_PORT: u16 = 9200;
/// What of an error's text stands in the log.
const SHOWN_REASON: usize = 300;

pub(super) struct Cluster {
    http: Client,
    nodes: Vec<Url>,
    next: AtomicUsize,
    /// For each node until when it is passed over.
    dead_until: Mutex<Vec<Option<Instant>>>,
    headers: HeaderMap,
    /// Whether the cluster is a serverless one, which wants the version of its API named. Asked once.
    serverless: OnceLock<bool>,
    retries: u32,
    retry_on_status: Vec<u16>,
}

/// A request to any node.
pub(super) struct Ask<'a> {
    /// Steps of the path below the node's.
    pub path: Vec<&'a str>,
    pub query: Vec<(&'a str, String)>,
    /// JSON; a request with it is a POST, one without a GET.
    pub body: Option<Vec<u8>>,
}

impl Cluster {
    pub fn build(options: &Options, reader: &mut OptionReader<'_>) -> Option<Self> {
        let hosts = match &options.cloud_id {
            None => options.hosts.clone(),
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
        let headers = headers(options, encrypted, reader)?;
        let http = client(options, encrypted, reader)?;
        Some(Cluster {
            http,
            dead_until: Mutex::new(vec![None; nodes.len()]),
            nodes,
            next: AtomicUsize::new(0),
            headers,
            serverless: OnceLock::new(),
            retries: options.retry_on_failure,
            retry_on_status: options.retry_on_status.clone(),
        })
    }

    /// Asks one node after the other, as often as `retry_on_failure` allows, and reads the JSON of the answer.
    pub fn ask(&self, ask: &Ask<'_>) -> Result<(Value, HeaderMap), Failure> {
        blocking::block_on(async {
            if self.serverless.get().is_none() {
                self.find_out_flavour().await;
            }
            let mut retries = self.retries;
            loop {
                let failure = match self.ask_node(ask).await {
                    Ok(answer) => return Ok(answer),
                    Err(failure) => failure,
                };
                let again = match &failure {
                    Failure::Http(_) => true,
                    Failure::Status(status, _) => self.retry_on_status.contains(status),
                    _ => false,
                };
                if !again || retries == 0 {
                    return Err(failure);
                }
                retries -= 1;
                tracing::debug!(error = %failure, "a search is repeated");
            }
        })?
    }

    async fn ask_node(&self, ask: &Ask<'_>) -> Result<(Value, HeaderMap), Failure> {
        let response = self.send(ask).await?;
        let status = response.status();
        let headers = response.headers().clone();
        let text = response.text().await.map_err(HttpError::from)?;
        if !status.is_success() {
            return Err(Failure::Status(status.as_u16(), reason(&text)));
        }
        let answer = json::parse(&text, Decimals::Double);
        answer.map(|answer| (answer, headers)).map_err(|error| Failure::Answer(error.to_string()))
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
        let method = if ask.body.is_some() { Method::POST } else { Method::GET };
        let mut request = self.http.request(method, url).headers(self.headers.clone());
        if self.serverless.get() == Some(&true) {
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

    /// Asks what kind of cluster this is. Any answer is final; without one the question is put again.
    async fn find_out_flavour(&self) {
        let answer = self.ask_node(&Ask { path: Vec::new(), query: Vec::new(), body: None }).await;
        let serverless = match &answer {
            Ok((Value::Object(info), _)) => {
                let version = info.get("version").and_then(Value::as_object);
                let flavour = version.and_then(|version| version.get("build_flavor")).and_then(Value::as_str);
                flavour == Some("serverless")
            }
            Err(Failure::Http(_)) => return,
            _ => false,
        };
        _ = self.serverless.set(serverless);
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

fn client(options: &Options, encrypted: bool, reader: &mut OptionReader<'_>) -> Option<Client> {
    // Fails when another part of the process has installed one, which then serves as well.
    _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("rstash/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT);
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
        true => builder.tls_backend_preconfigured(options.tls.checked(reader)?),
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
fn headers(options: &Options, encrypted: bool, reader: &mut OptionReader<'_>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert("x-elastic-product-origin", HeaderValue::from_static("logstash-filter-elasticsearch"));
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
    options: &Options,
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
        let key = key.reveal();
        let is_encoded = STANDARD.decode(key).is_ok();
        return Some(Some(format!(
            "ApiKey {}",
            if is_encoded { key.to_owned() } else { STANDARD.encode(key) }
        )));
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
