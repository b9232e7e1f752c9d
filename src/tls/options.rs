//! The values that the `ssl_*` options take, with the words that older versions of the plugins used.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, SupportedProtocolVersion};

use super::Refusal;
use crate::plugin::{Choice, ConfigValue, Context, FromOption, OptionReader, Problem, choices, read_choice};

/// `ssl_client_authentication`: whether a client has to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    None,
    /// One that is shown must be valid.
    Optional,
    Required,
}

impl Choice for ClientAuthentication {
    const CHOICES: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("optional", Self::Optional), ("required", Self::Required)];
}

impl FromOption for ClientAuthentication {
    fn type_name() -> String {
        crate::plugin::choice_type_name::<Self>()
    }

    /// Takes the words of `ssl_verify_mode` and `ssl_verify` too, whose place this option took.
    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        match value.as_single().and_then(ConfigValue::scalar_text).as_deref() {
            Some("peer") => Ok(Self::Optional),
            Some("force_peer" | "true") => Ok(Self::Required),
            Some("false") => Ok(Self::None),
            _ => read_choice(value),
        }
    }
}

/// `ssl_verification_mode`: whether the peer's certificate and name are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationMode {
    Full,
    None,
}

impl Choice for VerificationMode {
    const CHOICES: &'static [(&'static str, Self)] = &[("full", Self::Full), ("none", Self::None)];
}

impl FromOption for VerificationMode {
    fn type_name() -> String {
        crate::plugin::choice_type_name::<Self>()
    }

    /// Takes the booleans of `ssl_certificate_verification` and `ssl_verify` too, whose place this option took.
    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        match value.as_single().and_then(ConfigValue::scalar_text).as_deref() {
            Some("true") => Ok(Self::Full),
            Some("false") => Ok(Self::None),
            _ => read_choice(value),
        }
    }
}

choices! {
    /// The format of a key or trust store. Either is recognized by its content, so that a wrong word does no harm.
    pub enum KeystoreKind { Pkcs12 = "pkcs12", Jks = "jks" }
}

impl KeystoreKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            KeystoreKind::Pkcs12 => "PKCS12",
            KeystoreKind::Jks => "JKS",
        }
    }
}

/// What belongs to a store, by the option that names it.
const OF_STORES: [(&str, [&str; 2]); 2] = [
    ("ssl_keystore_path", ["ssl_keystore_password", "ssl_keystore_type"]),
    ("ssl_truststore_path", ["ssl_truststore_password", "ssl_truststore_type"]),
];

/// Says of a store's password and type that they do nothing where no store is named. Where `password_is_error`, a
/// password alone is refused, as logstash-mixin-http_client does. Returns whether nothing is refused.
pub fn check_stores(reader: &mut OptionReader<'_>, password_is_error: bool) -> bool {
    let mut fine = true;
    for (path, others) in OF_STORES {
        if reader.is_given(path) {
            continue;
        }
        for other in others {
            if password_is_error && other.ends_with("password") && reader.is_given(other) {
                reader.error(other, format!("it needs {path}"));
                fine = false;
            } else {
                reader.no_effect(other, &format!("{path} is not given"));
            }
        }
    }
    fine
}

/// The protocol versions for `ssl_supported_protocols`; none given means TLS 1.2 and 1.3.
pub(super) fn versions(names: &[String]) -> Result<Vec<&'static SupportedProtocolVersion>, Refusal> {
    const OPTION: &str = "ssl_supported_protocols";
    let mut versions = Vec::new();
    for name in names {
        match name.as_str() {
            // The numbers are those of tls_min_version and tls_max_version.
            "TLSv1.2" | "1.2" => versions.push(&TLS12),
            "TLSv1.3" | "1.3" => versions.push(&TLS13),
            "TLSv1.1" | "TLSv1" | "1.1" | "1" | "1.0" => {
                tracing::warn!(
                    "{OPTION}: {name} is insecure and not available; peers need TLSv1.2 or TLSv1.3"
                );
            }
            other => {
                let reason = format!("{other:?} is not known; use TLSv1.2 and TLSv1.3");
                return Err(Refusal::new(OPTION, reason));
            }
        }
    }
    match (names.is_empty(), versions.is_empty()) {
        (true, _) => Ok(vec![&TLS12, &TLS13]),
        (false, true) => Err(Refusal::new(OPTION, "none of these is available; use TLSv1.2 and TLSv1.3")),
        (false, false) => Ok(versions),
    }
}

/// The cryptography with the suites of `ssl_cipher_suites`, in their order; none given means all.
pub(super) fn provider(suites: &[String]) -> Result<Arc<CryptoProvider>, Refusal> {
    let mut provider = ring::default_provider();
    if suites.is_empty() {
        return Ok(Arc::new(provider));
    }
    let all = std::mem::take(&mut provider.cipher_suites);
    for name in suites.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        if let Some(suite) = all.iter().find(|suite| java_name(suite.suite()) == name) {
            provider.cipher_suites.push(*suite);
        } else {
            // Java's lists name many suites that nobody needs any more; the others still do.
            tracing::warn!("ssl_cipher_suites: {name} is not available");
        }
    }
    if provider.cipher_suites.is_empty() {
        let known: Vec<_> = all.iter().map(|suite| java_name(suite.suite())).collect();
        let reason = format!("none of these is available; there are {}", known.join(", "));
        return Err(Refusal::new("ssl_cipher_suites", reason));
    }
    Ok(Arc::new(provider))
}

/// A suite's name in the standard (RFC 8446, RFC 5289), which Java uses as well.
pub(super) fn java_name(suite: CipherSuite) -> String {
    suite.as_str().unwrap_or_default().replace("TLS13_", "TLS_")
}
