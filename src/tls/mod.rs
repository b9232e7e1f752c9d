//! TLS for plugins that speak over sockets: Logstash's `ssl_*` options, the stores they name, and rustls configurations
//! made of them.
//!
//! [`ServerTls`] and [`ClientTls`] are groups of options that a plugin takes into its own with `..tls: ServerTls`; the
//! tables of old names beside them go into the plugin's `Spec::renamed`. The Kafka plugins have options of their own,
//! after the Java client, and share only [`stores`].

mod certificates;
mod client;
mod fingerprint;
mod options;
pub mod peer;
mod server;
pub mod stores;
#[cfg(test)]
mod tests;

use std::fmt;

pub use client::{ClientTls, Revoked};
pub use fingerprint::Fingerprint;
pub use options::{ClientAuthentication, KeystoreKind, VerificationMode, check_stores};
pub use server::ServerTls;

/// An option that cannot be honoured as given, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The option's name.
    pub option: &'static str,
    /// What is wrong and what to do; never a secret.
    pub reason: String,
}

impl Refusal {
    /// Blames `option`.
    pub fn new(option: &'static str, reason: impl Into<String>) -> Self {
        Refusal { option, reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.option, self.reason)
    }
}
