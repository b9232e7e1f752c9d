//! One entry of the option `urls`: a URL, or a hash of what makes a request.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};

use crate::event::{Object, Value};
use crate::http_client::{HttpClient, append_header};
use crate::plugin::{ConfigKind, ConfigValue, Password};

/// A request that is made again and again.
pub struct Polled {
    pub name: String,
    pub url: Url,
    /// In small letters, as events show it.
    pub verb: String,
    /// The request as events show it, without its secrets.
    pub shown: Object,
    method: Method,
    headers: HeaderMap,
    body: Option<String>,
    params: Vec<(String, String)>,
    query: Vec<(String, String)>,
    timeout: Option<Duration>,
}

type Parts = [(String, ConfigValue)];

/// What a hash may hold.
const KNOWN: [&str; 10] =
    ["url", "method", "headers", "body", "params", "query", "auth", "user", "password", "request_timeout"];

impl Polled {
    /// Reads an entry.
    ///
    /// # Errors
    /// What is wrong with it, without the values that may be secrets.
    pub fn new(name: &str, value: &ConfigValue) -> Result<Self, String> {
        let parts: &Parts = match &value.kind {
            ConfigKind::Hash(parts) => parts,
            _ => &[],
        };
        if let Some((unknown, _)) = parts.iter().find(|(key, _)| !KNOWN.contains(&key.as_str())) {
            return Err(format!("\"{unknown}\" is not known here; it may hold {}", KNOWN.join(", ")));
        }
        let url = match &value.kind {
            ConfigKind::Hash(_) => text(parts, "url")?.ok_or("it needs a url")?,
            _ => value.scalar_text().ok_or("expected a URL or a hash")?,
        };
        let verb = text(parts, "method")?.unwrap_or_else(|| "get".into()).to_lowercase();
        let method = match verb.as_str() {
            "get" | "put" | "post" | "patch" | "delete" | "head" | "options" => {
                Method::from_bytes(verb.to_uppercase().as_bytes()).map_err(|error| error.to_string())?
            }
            _ => return Err(format!("{verb:?} is no method")),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs(parts, "headers")? {
            append_header(&mut headers, &name, &value).map_err(|error| error.to_string())?;
        }
        if let Some(authorization) = authorization(parts)? {
            headers.insert(AUTHORIZATION, authorization);
        }
        let timeout = text(parts, "request_timeout")?.map(|text| {
            let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            seconds.ok_or("request_timeout is no number of seconds")
        });
        let shown = shown(parts, &verb, &url);
        Ok(Polled {
            name: name.to_owned(),
            url: Url::parse(&url).map_err(|_| "it has no valid URL")?,
            verb,
            shown,
            method,
            headers,
            body: text(parts, "body")?,
            params: pairs(parts, "params")?,
            query: pairs(parts, "query")?,
            timeout: timeout.transpose()?,
        })
    }

    /// Begins the request.
    pub fn begin(&self, client: &HttpClient) -> RequestBuilder {
        let mut request = client.request(self.method.clone(), self.url.as_str());
        if !self.query.is_empty() {
            request = request.query(&self.query);
        }
        if !self.params.is_empty() {
            request = request.form(&self.params);
        }
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        if let Some(timeout) = self.timeout {
            request = request.timeout(timeout);
        }
        // They take the place of those that stand there, the user's name and password among them.
        request.headers(self.headers.clone())
    }
}

fn find<'a>(parts: &'a Parts, name: &str) -> Option<&'a ConfigValue> {
    parts.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn text(parts: &Parts, name: &str) -> Result<Option<String>, String> {
    let Some(value) = find(parts, name) else { return Ok(None) };
    value.scalar_text().map(Some).ok_or_else(|| format!("{name} must be a text, not {}", value.describe()))
}

fn pairs(parts: &Parts, name: &str) -> Result<Vec<(String, String)>, String> {
    match find(parts, name).map(|value| &value.kind) {
        None => Ok(Vec::new()),
        Some(ConfigKind::Hash(inner)) => {
            let pair = |(key, _): &(String, ConfigValue)| {
                text(inner, key).map(|value| (key.clone(), value.unwrap_or_default()))
            };
            inner.iter().map(pair).collect()
        }
        Some(_) => Err(format!("{name} must be a hash")),
    }
}

/// The header for `user` and `password`, given as such or within `auth`.
fn authorization(parts: &Parts) -> Result<Option<HeaderValue>, String> {
    use base64::Engine;
    let inner = match find(parts, "auth").map(|value| &value.kind) {
        Some(ConfigKind::Hash(inner)) => inner.as_slice(),
        Some(_) => return Err("auth must be a hash of user and password".into()),
        None => &[],
    };
    let part = |name: &str| Ok::<_, String>(text(parts, name)?.or(text(inner, name)?));
    let (user, password) = match (part("user")?, part("password")?.map(Password::new)) {
        (None, None) => return Ok(None),
        (Some(user), Some(password)) => (user, password),
        _ => return Err("user and password must both be given".into()),
    };
    let pair = format!("{user}:{}", password.reveal());
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    let header = HeaderValue::try_from(format!("Basic {encoded}"));
    let mut header = header.map_err(|_| "user and password make no header")?;
    header.set_sensitive(true);
    Ok(Some(header))
}

/// The request for `metadata_target`. The password stays out of events.
fn shown(parts: &Parts, verb: &str, url: &str) -> Object {
    let mut shown = Object::new();
    for (key, value) in parts {
        if !matches!(key.as_str(), "url" | "method" | "auth" | "user" | "password") {
            shown.insert(key.as_str(), value.to_value());
        }
    }
    shown.insert("method", Value::from(verb));
    shown.insert("url", Value::from(url));
    shown
}
