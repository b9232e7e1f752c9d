//! Fetches tokens from an OAuth 2 server with a client's id and secret (Java: `HttpAccessTokenRetriever`; RFC 6749, 4.4).

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CACHE_CONTROL};
use reqwest::{Certificate, Client, ClientBuilder, Identity, StatusCode, Url, redirect};
use serde_json::Value;

use crate::kafka::jaas::LoginModule;
use crate::kafka::{Given, Refusal};
use crate::tls::stores::{self, Store};

const ID: &str = "clientId";
const SECRET: &str = "clientSecret";
const SCOPE: &str = "scope";
/// Entries for TLS with the server, named after the Java client's properties.
const TLS: [&str; 8] = [
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
];

/// Java waits for ever where nothing is given.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long whoever waits for a token does not look whether it is still wanted.
const GLANCE: Duration = Duration::from_millis(100);
/// So much of a server's words stands in the log.
const SHOWN: usize = 300;

/// Answers that no second attempt mends.
const FINAL: [u16; 17] =
    [400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 501, 505];

/// Whether an entry of the login module means something.
pub fn is_known(name: &str) -> bool {
    [ID, SECRET, SCOPE].contains(&name) || TLS.contains(&name)
}

/// A server and what to ask it. It holds a secret and therefore has no `Debug`.
pub struct Endpoint {
    url: Url,
    id: String,
    secret: String,
    scope: Option<String>,
    http: Client,
    /// First wait before another attempt; it doubles.
    backoff: Duration,
    /// No attempt begins later than so long after the first.
    patience: Duration,
}

/// An attempt that brought no token.
struct Failure {
    why: String,
    is_final: bool,
}

impl Failure {
    fn passing(why: impl Into<String>) -> Self {
        Failure { why: why.into(), is_final: false }
    }
}

impl Endpoint {
    /// Reads what the login module and the options say; `option` is the one that holds the module.
    ///
    /// # Errors
    /// The option to blame and why.
    pub fn read(
        url: Url,
        given: &Given,
        (option, module): (&'static str, &LoginModule),
    ) -> Result<Self, Refusal> {
        let entry = |name: &str| module.option(name).map(str::trim).filter(|value| !value.is_empty());
        let needed = |name: &str| {
            entry(name).map(str::to_owned).ok_or_else(|| {
                Refusal::new(
                    option,
                    format!("the login module has no {name}, which the token endpoint asks for"),
                )
            })
        };
        let backoff = milliseconds(given, "sasl_login_retry_backoff_ms", Duration::from_millis(100))?;
        let longest = "sasl_login_retry_backoff_max_ms";
        let patience = milliseconds(given, longest, Duration::from_secs(10))?;
        if patience < backoff {
            let why = format!("it is below sasl_login_retry_backoff_ms, which is {}", backoff.as_millis());
            return Err(Refusal::new(longest, why));
        }
        // Fails when another part of the process has installed one, which then serves as well.
        _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(concat!("rstash/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(milliseconds(given, "sasl_login_connect_timeout_ms", TIMEOUT)?)
            .read_timeout(milliseconds(given, "sasl_login_read_timeout_ms", TIMEOUT)?)
            .redirect(redirect::Policy::none())
            // Like Java's client, this one looks at no http_proxy.
            .no_proxy()
            // Each fetch has a runtime of its own, and a connection belongs to the one it was made in.
            .pool_max_idle_per_host(0);
        let builder = if url.scheme() == "https" { tls(builder, option, module)? } else { builder };
        let http = builder.build().map_err(|error| {
            Refusal::new(option, format!("TLS with the token endpoint: {}", chain(&error)))
        })?;
        let scope = entry(SCOPE).map(str::to_owned);
        Ok(Endpoint { url, id: needed(ID)?, secret: needed(SECRET)?, scope, http, backoff, patience })
    }

    /// Asks for a token, several times if need be, but waits no longer once `stopped` says so.
    ///
    /// It runs on a thread of its own, because librdkafka's callbacks may come from any, a runtime's among them.
    ///
    /// # Errors
    /// Why there is none, in one line without secrets.
    pub fn fetch(self: &Arc<Self>, stopped: &dyn Fn() -> bool) -> Result<String, String> {
        let (answer, answered) = channel();
        let endpoint = Arc::clone(self);
        std::thread::Builder::new()
            .name("kafka-login".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let token = match runtime {
                    Ok(runtime) => runtime.block_on(endpoint.attempts()),
                    Err(error) => Err(error.to_string()),
                };
                // Nobody may be waiting any more.
                _ = answer.send(token);
            })
            .map_err(|error| format!("cannot start a thread: {error}"))?;
        loop {
            match answered.recv_timeout(GLANCE) {
                Ok(token) => return token.map_err(|why| format!("{}: {why}", self.url)),
                Err(RecvTimeoutError::Timeout) if !stopped() => {}
                Err(RecvTimeoutError::Timeout) => return Err("not waited for at shutdown".to_owned()),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("the thread that fetches it panicked".to_owned());
                }
            }
        }
    }

    /// Attempts in the rhythm of Java's `Retry`.
    async fn attempts(&self) -> Result<String, String> {
        let begun = Instant::now();
        let mut wait = self.backoff;
        loop {
            let failure = match self.attempt().await {
                Ok(token) => return Ok(token),
                Err(failure) => failure,
            };
            let left = self.patience.saturating_sub(begun.elapsed());
            if failure.is_final || left.is_zero() {
                return Err(failure.why);
            }
            tokio::time::sleep(wait.min(left)).await;
            wait = wait.saturating_mul(2);
        }
    }

    async fn attempt(&self) -> Result<String, Failure> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let request = self.http.post(self.url.clone()).basic_auth(&self.id, Some(&self.secret));
        let request =
            request.header(ACCEPT, "application/json").header(CACHE_CONTROL, "no-cache").form(&form);
        // The URL stands before the message already.
        let broken = |error: reqwest::Error| Failure::passing(chain(&error.without_url()));
        let response = request.send().await.map_err(broken)?;
        let status = response.status();
        let body = response.text().await.map_err(broken)?;
        if ![StatusCode::OK, StatusCode::CREATED].contains(&status) {
            let why = format!("{status} {}", reason(&body)).trim_end().to_owned();
            return Err(Failure { why, is_final: FINAL.contains(&status.as_u16()) });
        }
        // A body that is a success may hold the token: it is not shown.
        let answer: Value =
            serde_json::from_str(&body).map_err(|_| Failure::passing("the answer is not JSON"))?;
        let token = answer
            .get("access_token")
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|token| !token.is_empty());
        token.map(str::to_owned).ok_or_else(|| Failure::passing("the answer has no access_token"))
    }
}

fn milliseconds(given: &Given, option: &'static str, default: Duration) -> Result<Duration, Refusal> {
    let Some(text) = given.get(option) else { return Ok(default) };
    let number = text
        .parse::<u32>()
        .map_err(|_| Refusal::new(option, format!("{text} is not a number of milliseconds")))?;
    Ok(Duration::from_millis(number.into()))
}

/// The stores that the login module names for TLS with the server.
fn tls(builder: ClientBuilder, option: &'static str, module: &LoginModule) -> Result<ClientBuilder, Refusal> {
    let refuse = |why: String| Refusal::new(option, why);
    let entry = |part: &str, what: &str| module.option(&format!("ssl.{part}.{what}"));
    let store = |part: &str| {
        let location = (option, entry(part, "location")?);
        let (kind, password) = ((option, entry(part, "type")), (option, entry(part, "password")));
        Some(Store { location, kind, password })
    };
    let mut builder = builder;
    if let Some(store) = store("truststore") {
        let pem = stores::trusted(&store)?;
        let certificates = Certificate::from_pem_bundle(pem.as_bytes());
        let certificates =
            certificates.map_err(|error| refuse(format!("{}: {}", store.location.1, chain(&error))))?;
        builder = builder.tls_certs_only(certificates);
    }
    if let Some(store) = store("keystore") {
        let identity = stores::identity(&store, (option, module.option("ssl.key.password")))?;
        if identity.key.contains("ENCRYPTED") {
            let why =
                format!("{}: an encrypted PEM key cannot be used for the token endpoint", store.location.1);
            return Err(refuse(why));
        }
        let identity = Identity::from_pem(format!("{}{}", identity.key, identity.chain).as_bytes());
        let identity =
            identity.map_err(|error| refuse(format!("{}: {}", store.location.1, chain(&error))))?;
        builder = builder.identity(identity);
    }
    match module.option("ssl.endpoint.identification.algorithm") {
        None => Ok(builder),
        Some(text) if text.eq_ignore_ascii_case("https") => Ok(builder),
        Some("") => Ok(builder.tls_danger_accept_invalid_hostnames(true)),
        Some(other) => Err(refuse(format!("ssl.endpoint.identification.algorithm {other:?} is not known"))),
    }
}

/// An error with its causes: the top says what was done, what went wrong is further down.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The text of a refusal in one line: `error` and `error_description` of RFC 6749, or their kin, or the body.
fn reason(body: &str) -> String {
    let parsed = serde_json::from_str::<Value>(body).ok();
    let named = |code: &str, text: &str| {
        let code = parsed.as_ref()?.get(code)?.as_str()?;
        let text = parsed.as_ref()?.get(text).and_then(Value::as_str);
        Some(text.map_or_else(|| code.to_owned(), |text| format!("{code}: {text}")))
    };
    let text = named("error", "error_description").or_else(|| named("errorCode", "errorSummary"));
    let text = text.unwrap_or_else(|| body.to_owned());
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::jaas::parse_inline;
    use axum::http::HeaderMap;
    use axum::routing::post;
    use std::sync::Mutex;

    /// What a server was asked: the Authorization header and the body.
    type Asked = Arc<Mutex<Vec<(String, String)>>>;

    /// A server that gives these answers in turn, the last one for ever; it lives as long as its runtime.
    fn server(answers: &'static [(u16, &'static str)]) -> (tokio::runtime::Runtime, Url, Asked) {
        let asked = Asked::default();
        let seen = Arc::clone(&asked);
        let answer = move |headers: HeaderMap, body: String| async move {
            let authorization =
                headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let mut seen = seen.lock().expect("no panic");
            seen.push((authorization.to_owned(), body));
            let (status, text) = answers[(seen.len() - 1).min(answers.len() - 1)];
            (StatusCode::from_u16(status).expect("a status"), text)
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url =
            format!("http://{}/token", listener.local_addr().expect("an address")).parse().expect("a URL");
        let app = axum::Router::new().route("/token", post(answer));
        runtime.spawn(async move { axum::serve(listener, app).await });
        (runtime, url, asked)
    }

    fn endpoint(url: Url) -> Arc<Endpoint> {
        let module = "a.OAuthBearerLoginModule required clientId='my id' clientSecret='p+/:' scope='a b';";
        let module = parse_inline(module).expect("a module");
        let mut given = Given::default();
        given.set("sasl_login_retry_backoff_ms", "10".to_owned());
        Arc::new(Endpoint::read(url, &given, ("sasl_jaas_config", &module)).unwrap_or_else(|e| panic!("{e}")))
    }

    #[test]
    fn id_and_secret_are_sent_as_java_sends_them() {
        let (_server, url, asked) = server(&[(200, r#"{"access_token":" t1 ","token_type":"Bearer"}"#)]);
        assert_eq!(endpoint(url).fetch(&|| false).as_deref(), Ok("t1"));
        // Java encodes neither in the header (sasl.oauthbearer.header.urlencode is false): printf 'my id:p+/:' | base64
        let expected =
            ("Basic bXkgaWQ6cCsvOg==".to_owned(), "grant_type=client_credentials&scope=a+b".to_owned());
        assert_eq!(*asked.lock().expect("no panic"), [expected]);
    }

    #[test]
    fn a_server_in_trouble_is_asked_again_and_one_that_refuses_is_not() {
        let (_server, url, asked) = server(&[(503, ""), (500, "x"), (200, r#"{"access_token":"t2"}"#)]);
        assert_eq!(endpoint(url).fetch(&|| false).as_deref(), Ok("t2"));
        assert_eq!(asked.lock().expect("no panic").len(), 3);

        let (_server, url, asked) =
            server(&[(401, r#"{"error":"invalid_client"}"#), (200, r#"{"access_token":"t3"}"#)]);
        let why = endpoint(url.clone()).fetch(&|| false).expect_err("refused");
        assert_eq!(why, format!("{url}: 401 Unauthorized invalid_client"));
        assert_eq!(asked.lock().expect("no panic").len(), 1);
    }

    #[test]
    fn nobody_waits_after_a_request_to_stop() {
        let (_server, url, _) = server(&[(503, "")]);
        let why = endpoint(url).fetch(&|| true).expect_err("no token");
        assert_eq!(why, "not waited for at shutdown");
    }

    #[test]
    fn reasons_are_one_line() {
        assert_eq!(
            reason(r#"{"error":"invalid_client","error_description":"Client secret\nis wrong"}"#),
            "invalid_client: Client secret is wrong"
        );
        assert_eq!(reason(r#"{"error":"invalid_scope"}"#), "invalid_scope");
        assert_eq!(reason(r#"{"errorCode":"E1","errorSummary":"no"}"#), "E1: no");
        assert_eq!(reason("<html>\n bad</html>"), "<html> bad</html>");
        assert_eq!(reason(&"x".repeat(5000)).len(), SHOWN);
    }
}
