//! OAUTHBEARER: tokens that rstash makes, and tokens that it fetches from a stand-in for a login server.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::broker::Broker;
use super::program::Rstash;
use crate::tls::{Authority, Terminator};

const SASL_PLAINTEXT: u16 = 2;
const CLASSES: &str = "org.apache.kafka.common.security.oauthbearer.";

/// A stand-in for a login server. It ends with its runtime.
struct LoginServer {
    runtime: tokio::runtime::Runtime,
    port: u16,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl LoginServer {
    /// Gives the client `reader` tokens of five seconds; the first request finds it busy.
    fn start() -> Self {
        let answers: Arc<Mutex<Vec<u16>>> = Arc::default();
        let seen = Arc::clone(&answers);
        let token = move |headers: HeaderMap, body: String| async move {
            let mut seen = seen.lock().expect("no panic");
            let (status, answer) = if seen.is_empty() { (503, json!({})) } else { answer(&headers, &body) };
            seen.push(status);
            (StatusCode::from_u16(status).expect("a status"), answer.to_string())
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let app = axum::Router::new().route("/oauth/token", post(token));
        runtime.spawn(async move { axum::serve(listener, app).await });
        LoginServer { runtime, port, answers }
    }

    fn given(&self, status: u16) -> usize {
        self.answers.lock().expect("no panic").iter().filter(|given| **given == status).count()
    }
}

fn answer(headers: &HeaderMap, body: &str) -> (u16, serde_json::Value) {
    // printf reader:reader-secret | base64
    let known =
        headers.get("authorization").is_some_and(|value| value == "Basic cmVhZGVyOnJlYWRlci1zZWNyZXQ=");
    if !known || body != "grant_type=client_credentials&scope=kafka" {
        return (401, json!({"error": "invalid_client", "error_description": "no such client"}));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let claims = json!({"sub": "reader", "scope": "kafka", "iat": now, "exp": now + 5}).to_string();
    let token =
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims));
    (200, json!({"access_token": token, "token_type": "Bearer", "expires_in": 5}))
}

fn options(entries: &str, rest: &str) -> String {
    format!(
        r#"security_protocol => "SASL_PLAINTEXT" sasl_mechanism => "OAUTHBEARER" {rest}
           sasl_jaas_config => "{CLASSES}OAuthBearerLoginModule required {entries};""#
    )
}

/// Writes a message and reads it, both with these options, and calls `meanwhile` before the reader stops.
fn there_and_back(broker: &Broker, options: &str, meanwhile: impl Fn(&Rstash)) {
    let address = broker.listener(SASL_PLAINTEXT);
    let topic = broker.topic("bearer", 1);
    let writer = Rstash::start(&format!(
        r#"input {{ generator {{ count => 1 lines => ["hello"] }} }}
           output {{ kafka {{ bootstrap_servers => "{address}" topic_id => "{topic}" codec => plain {{ format => "%{{message}}" }} {options} }} }}"#
    ));
    assert!(writer.wait().success(), "{options}\n{}", writer.log());
    let reader = reader(&address, &format!("topics_pattern => \"{topic}\""), &topic, options);
    assert_eq!(reader.wait_for_lines(1), ["hello"], "{options}");
    meanwhile(&reader);
    assert!(reader.stop().success(), "{options}");
}

fn reader(address: &str, topics: &str, group: &str, options: &str) -> Rstash {
    Rstash::start(&format!(
        r#"input {{ kafka {{ bootstrap_servers => "{address}" {topics} group_id => "{group}" auto_offset_reset => "earliest" {options} }} }}
           output {{ file {{ path => "{{out}}" codec => line {{ format => "%{{message}}" }} }} }}"#
    ))
}

#[test]
fn tokens_that_nobody_signed_log_in() {
    let Some(broker) = Broker::from_environment() else { return };
    let entries = "unsecuredLoginStringClaim_sub='alice' unsecuredLoginListClaim_scope='|kafka|other'";
    there_and_back(&broker, &options(entries, ""), |_| {});
}

#[test]
fn tokens_are_fetched_and_fetched_anew_before_they_end() {
    let Some(broker) = Broker::from_environment() else { return };
    let server = LoginServer::start();
    let rest = format!(
        r#"sasl_oauthbearer_token_endpoint_url => "http://127.0.0.1:{}/oauth/token"
           sasl_login_callback_handler_class => "{CLASSES}OAuthBearerLoginCallbackHandler""#,
        server.port
    );
    let options = options("clientId='reader' clientSecret='reader-secret' scope='kafka'", &rest);
    there_and_back(&broker, &options, |reader| {
        let before = server.given(200);
        reader.wait_for("further tokens", before + 2, || server.given(200));
    });
    assert_eq!((server.given(503), server.given(401)), (1, 0), "the busy server is asked again");
}

#[test]
fn a_login_server_is_trusted_by_the_login_modules_store() {
    let Some(broker) = Broker::from_environment() else { return };
    let server = LoginServer::start();
    let (authority, other) = (Authority::new(), Authority::new());
    let tls = Terminator::start(&server.runtime, &authority, server.port);
    let options = |store: &str| {
        let entries = format!(
            "clientId='reader' clientSecret='reader-secret' scope='kafka' ssl.truststore.type='PEM' ssl.truststore.location='{store}'"
        );
        let url = format!(
            r#"sasl_oauthbearer_token_endpoint_url => "https://localhost:{}/oauth/token""#,
            tls.port()
        );
        options(&entries, &url)
    };
    there_and_back(&broker, &options(&authority.path()), |_| {});

    let reader =
        reader(&broker.listener(SASL_PLAINTEXT), "topics => [\"any\"]", "any", &options(&other.path()));
    reader.wait_for_log("invalid peer certificate");
    assert!(reader.stop().success());
}

#[test]
fn a_login_that_is_refused_is_one_line_that_names_the_option_and_no_secret() {
    let Some(broker) = Broker::from_environment() else { return };
    let server = LoginServer::start();
    let url =
        format!(r#"sasl_oauthbearer_token_endpoint_url => "http://127.0.0.1:{}/oauth/token""#, server.port);
    let cases = [
        // The server gives no token; the broker takes none without the scope.
        (
            options("clientId='reader' clientSecret='wr0ng'", &url),
            "sasl_oauthbearer_token_endpoint_url",
            "invalid_client",
        ),
        (options("unsecuredLoginStringClaim_sub='alice'", ""), "sasl_jaas_config", "insufficient_scope"),
    ];
    for (options, option, reason) in cases {
        let reader = reader(&broker.listener(SASL_PLAINTEXT), "topics => [\"any\"]", "any", &options);
        reader.wait_for_log(reason);
        // Attempts go on in the background; the log does not grow with them.
        std::thread::sleep(Duration::from_secs(3));
        let log = reader.log();
        assert_eq!(log.matches(option).count(), 1, "{log}");
        assert!(!log.contains("wr0ng"), "{log}");
        assert!(reader.is_running(), "it tries on: {log}");
        assert!(reader.stop().success(), "{log}");
    }
}
