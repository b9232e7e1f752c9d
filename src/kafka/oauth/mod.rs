//! SASL OAUTHBEARER: where a client's bearer tokens come from, by the options and the JAAS entries of the Java client's
//! two login callback handlers.
//!
//! `OAuthBearerUnsecuredLoginCallbackHandler`, Java's default, makes a token that nobody signed ([`unsecured`]);
//! `OAuthBearerLoginCallbackHandler` fetches one with a client's id and secret ([`endpoint`]) or reads it from a file.
//! librdkafka asks for a token when it starts, and again when four fifths of a token's time are over; its own ways to get
//! one need libcurl, or do not work beneath the Rust client's events.

mod endpoint;
mod jwt;
mod unsecured;

use std::path::PathBuf;
use std::sync::Arc;

use rdkafka::client::OAuthToken;
use reqwest::Url;

use self::endpoint::Endpoint;
use self::unsecured::Unsecured;
use super::jaas::LoginModule;
use super::{Given, Refusal, Warning};

const ENDPOINT: &str = "sasl_oauthbearer_token_endpoint_url";
const SCOPE_CLAIM: &str = "sasl_oauthbearer_scope_claim_name";
const HANDLER: &str = "sasl_login_callback_handler_class";

/// Options that concern fetched tokens alone.
pub const OPTIONS_OF_ENDPOINTS: [&str; 6] = [
    ENDPOINT,
    SCOPE_CLAIM,
    "sasl_login_connect_timeout_ms",
    "sasl_login_read_timeout_ms",
    "sasl_login_retry_backoff_ms",
    "sasl_login_retry_backoff_max_ms",
];

/// The Java class that a login is done by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// `OAuthBearerUnsecuredLoginCallbackHandler`
    Unsecured,
    /// `OAuthBearerLoginCallbackHandler`, under its present name or the one before Kafka 3.5.
    Fetching,
}

/// Reads `sasl_login_callback_handler_class`.
///
/// # Errors
/// Any class but the two that are known: there is no Java to load it.
pub fn handler(given: &Given) -> Result<Option<Handler>, Refusal> {
    let Some(class) = given.get(HANDLER) else { return Ok(None) };
    match class.strip_prefix("org.apache.kafka.common.security.oauthbearer.") {
        Some("OAuthBearerLoginCallbackHandler" | "secured.OAuthBearerLoginCallbackHandler") => {
            Ok(Some(Handler::Fetching))
        }
        Some("internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler") => Ok(Some(Handler::Unsecured)),
        _ => Err(Refusal::new(
            HANDLER,
            format!(
                "Java's class {class} cannot be loaded; known are \
                 org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler, which fetches tokens, and \
                 ...oauthbearer.internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler"
            ),
        )),
    }
}

/// A source of tokens. It holds secrets and therefore has no `Debug`.
pub struct Tokens {
    source: Source,
    scope_claim: String,
}

enum Source {
    Unsecured(Unsecured),
    File(PathBuf),
    Endpoint(Arc<Endpoint>),
}

impl Tokens {
    /// Reads what the login module and the options say; `option` is the one that holds the module. Entries of the module
    /// that mean nothing become warnings.
    ///
    /// # Errors
    /// The option to blame and why.
    pub fn read(
        given: &Given,
        (option, module): (&'static str, &LoginModule),
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, Refusal> {
        if module.name() != "OAuthBearerLoginModule" {
            let why =
                format!("login module {} is not for OAUTHBEARER, OAuthBearerLoginModule is", module.class());
            return Err(Refusal::new(option, why));
        }
        if let Some((name, _)) = module.options().find(|(name, _)| is_extension(name)) {
            let why = format!("{name}: the client library cannot send SASL extensions; remove it");
            return Err(Refusal::new(option, why));
        }
        let scope_claim = given.get(SCOPE_CLAIM).unwrap_or("scope").trim().to_owned();
        if scope_claim.is_empty() {
            return Err(Refusal::new(SCOPE_CLAIM, "it is empty; leave it out for \"scope\""));
        }
        let url = given.get(ENDPOINT).map(str::trim).filter(|url| !url.is_empty());
        // Java would not look at the URL without the handler's class; whoever gives it means it.
        let fetching = handler(given)?.map_or(url.is_some(), |handler| handler == Handler::Fetching);
        let (source, known): (_, fn(&str) -> bool) = match (fetching, url) {
            (false, _) => {
                let unsecured = Unsecured::read(module).map_err(|why| Refusal::new(option, why))?;
                (Source::Unsecured(unsecured), unsecured::is_known)
            }
            (true, None) => {
                return Err(Refusal::new(ENDPOINT, "it must be given with OAuthBearerLoginCallbackHandler"));
            }
            (true, Some(url)) => match parse_url(url)? {
                Place::File(path) => (Source::File(path), |_| false),
                Place::Web(url) => {
                    let endpoint = Endpoint::read(url, given, (option, module))?;
                    (Source::Endpoint(Arc::new(endpoint)), endpoint::is_known)
                }
            },
        };
        for (name, _) in module.options().filter(|(name, _)| !known(name)) {
            warnings
                .push(Warning::Otherwise(option, format!("{name} of the login module has no effect here")));
        }
        if let Source::Unsecured(_) = source {
            let idle = OPTIONS_OF_ENDPOINTS.iter();
            warnings.extend(
                super::security::changed(given, idle.copied())
                    .map(|option| Warning::NoEffect(option, "the token is made here, not fetched".into())),
            );
        }
        Ok(Tokens { source, scope_claim })
    }

    /// A fresh token. This may wait for a server, for some seconds, but not once `stopped` says so.
    ///
    /// # Errors
    /// Why there is none, in one line without secrets.
    pub fn get(&self, stopped: &dyn Fn() -> bool) -> Result<OAuthToken, String> {
        let text = match &self.source {
            Source::Unsecured(unsecured) => {
                return Ok(unsecured.token(jiff::Timestamp::now().as_millisecond()));
            }
            Source::File(path) => std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?,
            Source::Endpoint(endpoint) => endpoint.fetch(stopped)?,
        };
        jwt::read(text.trim(), &self.scope_claim)
    }
}

fn is_extension(name: &str) -> bool {
    name.starts_with("extension_") || name.starts_with("unsecuredLoginExtension_")
}

enum Place {
    Web(Url),
    File(PathBuf),
}

fn parse_url(text: &str) -> Result<Place, Refusal> {
    let wrong = || {
        Refusal::new(ENDPOINT, format!("{text:?} is not an address such as https://login.example.com/token"))
    };
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    // Java takes no notice of a user and password here, and messages show the address.
    _ = url.set_username("").and_then(|()| url.set_password(None));
    match url.scheme() {
        "http" | "https" => Ok(Place::Web(url)),
        "file" => url.to_file_path().map(Place::File).map_err(|()| wrong()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::jaas::parse_inline;

    const CLASSES: &str = "org.apache.kafka.common.security.oauthbearer.";

    fn read(entries: &str, options: &[(&'static str, &str)]) -> (Result<Tokens, Refusal>, Vec<Warning>) {
        let text = format!("{CLASSES}OAuthBearerLoginModule required {entries};");
        let module = parse_inline(&text).unwrap_or_else(|why| panic!("{why}"));
        let mut given = Given::default();
        for (option, value) in options {
            given.set(option, (*value).to_owned());
        }
        let mut warnings = Vec::new();
        (Tokens::read(&given, ("sasl_jaas_config", &module), &mut warnings), warnings)
    }

    fn refusal(entries: &str, options: &[(&'static str, &str)]) -> Refusal {
        read(entries, options).0.err().unwrap_or_else(|| panic!("{entries} {options:?} is accepted"))
    }

    #[test]
    fn the_handlers_class_or_the_url_decides_where_tokens_come_from() {
        let url = (ENDPOINT, "https://localhost/token");
        let client = "clientId=a clientSecret=s3cret";
        let class = |name: &str| format!("{CLASSES}{name}");
        for name in ["OAuthBearerLoginCallbackHandler", "secured.OAuthBearerLoginCallbackHandler"] {
            let tokens = read(client, &[url, (HANDLER, &class(name))]).0.unwrap_or_else(|e| panic!("{e}"));
            assert!(matches!(tokens.source, Source::Endpoint(_)), "{name}");
        }
        let tokens = read(client, &[url]).0.unwrap_or_else(|e| panic!("{e}"));
        assert!(matches!(tokens.source, Source::Endpoint(_)), "a URL alone is enough");
        let tokens = read("", &[(ENDPOINT, "file:///etc/token")]).0.unwrap_or_else(|e| panic!("{e}"));
        assert!(matches!(&tokens.source, Source::File(path) if path.as_os_str() == "/etc/token"));
        let unsecured = class("internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler");
        let (tokens, warnings) = read("unsecuredLoginStringClaim_sub=a", &[url, (HANDLER, &unsecured)]);
        assert!(matches!(tokens.unwrap_or_else(|e| panic!("{e}")).source, Source::Unsecured(_)));
        assert_eq!(warnings.iter().map(Warning::option).collect::<Vec<_>>(), [ENDPOINT]);
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_its_option() {
        let client = "clientId=a clientSecret=s3cret";
        let url = (ENDPOINT, "https://localhost/token");
        let fetching = format!("{CLASSES}OAuthBearerLoginCallbackHandler");
        /// Entries of the login module, options, the option that is refused, and a part of the reason.
        type Case<'c> = (&'c str, &'c [(&'static str, &'c str)], &'c str, &'c str);
        let cases: &[Case<'_>] = &[
            ("", &[], "sasl_jaas_config", "unsecuredLoginStringClaim_sub"),
            (client, &[(HANDLER, &fetching)], ENDPOINT, "must be given"),
            (client, &[(ENDPOINT, "ftp://localhost/token")], ENDPOINT, "ftp://"),
            (client, &[url, (HANDLER, "com.example.Mine")], HANDLER, "com.example.Mine"),
            ("clientId=a", &[url], "sasl_jaas_config", "clientSecret"),
            ("clientSecret=s3cret", &[url], "sasl_jaas_config", "clientId"),
            ("clientId=a clientSecret=s3cret extension_x=y", &[url], "sasl_jaas_config", "extension_x"),
            (client, &[url, (SCOPE_CLAIM, " ")], SCOPE_CLAIM, "empty"),
            (
                client,
                &[url, ("sasl_login_retry_backoff_ms", "200"), ("sasl_login_retry_backoff_max_ms", "100")],
                "sasl_login_retry_backoff_max_ms",
                "200",
            ),
            (
                "clientId=a clientSecret=s3cret ssl.truststore.location='/nowhere/trust.jks'",
                &[url],
                "sasl_jaas_config",
                "/nowhere/trust.jks",
            ),
        ];
        for (entries, options, option, part) in cases {
            let refusal = refusal(entries, options);
            assert_eq!(refusal.option, *option, "{entries}: {refusal}");
            assert!(refusal.reason.contains(part), "{refusal}");
            assert!(!refusal.reason.contains("s3cret"), "{refusal}");
        }
    }

    #[test]
    fn entries_that_mean_nothing_are_told() {
        let (_, warnings) = read(
            "clientId=a clientSecret=b scope=c ssl.protocol=SSL",
            &[(ENDPOINT, "https://localhost/token")],
        );
        let told = Warning::Otherwise(
            "sasl_jaas_config",
            "ssl.protocol of the login module has no effect here".into(),
        );
        assert_eq!(warnings, [told]);
    }

    #[test]
    fn a_token_of_a_file_is_read_every_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        let url = format!("file://{}", path.display());
        let tokens = read("", &[(ENDPOINT, &url)]).0.unwrap_or_else(|e| panic!("{e}"));
        let missing = tokens.get(&|| false).err().expect("there is no file");
        assert!(missing.contains(&*path.to_string_lossy()), "{missing}");
        for user in ["alice", "bob"] {
            let made = read(&format!("unsecuredLoginStringClaim_sub={user}"), &[]).0;
            let made = made.unwrap_or_else(|e| panic!("{e}")).get(&|| false).expect("a token");
            std::fs::write(&path, format!("{}\n", made.token)).expect("written");
            let token = tokens.get(&|| false).expect("a token");
            assert_eq!((token.principal_name.as_str(), token.token), (user, made.token));
        }
    }
}
