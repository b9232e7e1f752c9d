//! Sends the requests over HTTP, and says what an answer that is no success means for the next attempt.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Proxy, Response, StatusCode};

use super::backoff::Cause;
use super::oauth::Credentials;
use super::request::Request;
use crate::event::Value;
use crate::event::json::{self, Decimals};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// An answer to a small request that takes longer never comes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// So much of a refusal's text stands in the log.
const SHOWN_REASON: usize = 300;

/// How requests say who asks.
#[derive(Debug, Clone)]
pub enum Authorization {
    /// v1.1: each request is signed.
    Signed(Credentials),
    /// v2: an application's token. Kept out of `Debug`.
    Bearer(Token),
}

/// A bearer token that no log line shows.
#[derive(Clone)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token { .. }")
    }
}

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub cause: Cause,
    pub status: Option<u16>,
    pub message: String,
}

impl Failure {
    /// The network let us down.
    pub fn network(message: String) -> Self {
        Failure { cause: Cause::Network, status: None, message }
    }

    /// Whether the server's certificate is what is wrong.
    pub fn is_untrusted(&self) -> bool {
        // How rustls introduces such errors; reqwest hands its type on only inside an io::Error.
        self.message.contains("invalid peer certificate")
    }

    /// The server answered, but not what was asked for.
    pub fn unexpected(message: String) -> Self {
        Failure { cause: Cause::Server, status: None, message }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        // The top of reqwest's error chain says what it did; what went wrong is further down.
        let mut message = String::new();
        let mut at: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = at {
            if !message.is_empty() {
                message.push_str(": ");
            }
            message.push_str(&error.to_string());
            at = error.source();
        }
        Failure::network(message)
    }
}

/// The HTTP side of one input.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    authorization: Authorization,
}

impl Client {
    /// `proxy` is the `host:port` of an HTTP proxy. Without one there is none: like Logstash's plugin, this one does
    /// not look at `http_proxy` and its kin.
    pub fn new(authorization: Authorization, proxy: Option<&str>) -> Result<Self, reqwest::Error> {
        // Fails when another part of the process has installed one, which then serves as well.
        _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("rstash/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(Duration::from_secs(30))
            .no_proxy();
        let builder = match proxy {
            Some(address) => builder.proxy(Proxy::all(format!("http://{address}"))?),
            None => builder,
        };
        Ok(Client { http: builder.build()?, authorization })
    }

    /// Opens a stream; its body is the caller's to read.
    pub async fn open(&self, request: &Request, answer_timeout: Duration) -> Result<Response, Failure> {
        let query = request.query();
        let form = request.has_form();
        let url =
            if query.is_empty() || form { request.url.clone() } else { format!("{}?{query}", request.url) };
        let mut builder = self.http.request(request.method.clone(), url);
        builder = builder.header(AUTHORIZATION, self.authorization(request));
        if form {
            builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(query);
        } else if let Some(body) = &request.json {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = tokio::time::timeout(answer_timeout, builder.send())
            .await
            .map_err(|_| Failure::network(format!("no answer within {} s", answer_timeout.as_secs())))??;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }

    /// Sends a request whose answer is one JSON document.
    pub async fn fetch(&self, request: &Request) -> Result<Value, Failure> {
        let response = self.open(request, ANSWER_TIMEOUT).await?;
        let text = tokio::time::timeout(ANSWER_TIMEOUT, response.text())
            .await
            .map_err(|_| Failure::network("the answer broke off".to_owned()))??;
        json::parse(&text, Decimals::Lossless)
            .map_err(|error| Failure::unexpected(format!("the answer is not JSON: {error}")))
    }

    fn authorization(&self, request: &Request) -> String {
        match &self.authorization {
            Authorization::Bearer(Token(token)) => format!("Bearer {token}"),
            Authorization::Signed(credentials) => {
                let parameters: Vec<(&str, &str)> =
                    request.parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
                // Signed are the scheme, host and path without a default port (RFC 5849, 3.4.1.2).
                let url =
                    reqwest::Url::parse(&request.url).map_or_else(|_| request.url.clone(), String::from);
                credentials.authorization(request.method.as_str(), &url, &parameters)
            }
        }
    }
}

/// Reads why the server refused.
async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let cause = cause_of(status, response.headers(), SystemTime::now());
    let body = tokio::time::timeout(ANSWER_TIMEOUT, response.text()).await;
    let reason = body.ok().and_then(Result::ok).map(|text| shown_reason(&text)).unwrap_or_default();
    let name = match status.as_u16() {
        420 => "Enhance Your Calm",
        _ => status.canonical_reason().unwrap_or_default(),
    };
    let mut message = format!("{} {name}", status.as_u16()).trim_end().to_owned();
    if !reason.is_empty() {
        message.push_str(": ");
        message.push_str(&reason);
    }
    Failure { cause, status: Some(status.as_u16()), message }
}

fn cause_of(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Cause {
    match status.as_u16() {
        401 | 403 => Cause::Refused,
        420 | 429 => Cause::RateLimited { reset_in: reset_in(headers, now) },
        _ => Cause::Server,
    }
}

/// `x-rate-limit-reset` is a time in seconds since 1970 (the gem's `RateLimit#reset_in`), `retry-after` a duration.
fn reset_in(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let seconds = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    if let Some(at) = seconds("x-rate-limit-reset") {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        return Some(Duration::from_secs(at).saturating_sub(now));
    }
    seconds(RETRY_AFTER.as_str()).map(Duration::from_secs)
}

/// The text of an error answer, in one line: its first message where it is JSON as the API writes it.
fn shown_reason(body: &str) -> String {
    let parsed = json::parse(body, Decimals::Double).ok();
    let fields = parsed.as_ref().and_then(Value::as_object);
    let listed = fields.and_then(|fields| fields.get("errors")?.as_array()).map(super::v2::post::reason);
    let named =
        || ["detail", "error"].into_iter().find_map(|name| fields?.get(name)?.as_str().map(str::to_owned));
    let text = listed.or_else(named).unwrap_or_else(|| body.to_owned());
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").chars().filter(|c| !c.is_control()).take(SHOWN_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(status: u16, header: Option<(&'static str, &str)>) -> Cause {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().unwrap());
        }
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        cause_of(StatusCode::from_u16(status).unwrap(), &headers, now)
    }

    #[test]
    fn a_status_tells_how_to_go_on() {
        let limited = |seconds| Cause::RateLimited { reset_in: Some(Duration::from_secs(seconds)) };
        assert_eq!(cause(401, None), Cause::Refused);
        assert_eq!(cause(403, None), Cause::Refused);
        assert_eq!(cause(503, None), Cause::Server);
        assert_eq!(cause(406, None), Cause::Server);
        assert_eq!(cause(420, None), Cause::RateLimited { reset_in: None });
        assert_eq!(cause(429, Some(("x-rate-limit-reset", "1010"))), limited(10));
        assert_eq!(cause(429, Some(("x-rate-limit-reset", "990"))), limited(0));
        assert_eq!(cause(420, Some(("retry-after", "5"))), limited(5));
        assert_eq!(cause(420, Some(("retry-after", "soon"))), Cause::RateLimited { reset_in: None });
    }

    #[test]
    fn reasons_are_one_line() {
        assert_eq!(
            shown_reason(r#"{"errors":[{"code":32,"message":"Could not\nauthenticate you."}]}"#),
            "Could not authenticate you."
        );
        assert_eq!(shown_reason(r#"{"title":"Unauthorized","detail":"Wrong token"}"#), "Wrong token");
        assert_eq!(
            shown_reason("Exceeded connection limit\r\n for user\r\n"),
            "Exceeded connection limit for user"
        );
        assert_eq!(shown_reason(&"x".repeat(5000)).len(), SHOWN_REASON);
    }
}
