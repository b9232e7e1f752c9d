//! TLS of inputs that listen.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

use super::certificates::{self, Identity, StoreOptions};
use super::{ClientAuthentication, KeystoreKind, Refusal, options};
use crate::plugin::{OptionReader, Password, options};

options! {
    /// The `ssl_*` options of a server (logstash-input-beats, -http, -tcp).
    #[derive(Debug)]
    pub struct ServerTls {
        /// Whether connections are encrypted.
        ssl_enabled: bool = false,
        /// PEM file with the server's certificate, followed by those between it and the authority.
        ssl_certificate: Option<PathBuf>,
        /// PEM files with certificates to send along with `ssl_certificate`.
        ssl_extra_chain_certs: Vec<PathBuf> = [],
        /// PEM file with the certificate's private key: PKCS#8, PKCS#1 or SEC1.
        ssl_key: Option<PathBuf>,
        /// What the key is encrypted with.
        ssl_key_passphrase: Option<Password>,
        /// A key store with certificate and key, instead of `ssl_certificate` and `ssl_key`.
        ssl_keystore_path: Option<PathBuf>,
        /// Format of the key store; its content tells where this is not given.
        ssl_keystore_type: Option<KeystoreKind>,
        /// What the key store is encrypted with.
        ssl_keystore_password: Option<Password>,
        /// PEM files with the authorities that clients' certificates must come from.
        ssl_certificate_authorities: Vec<PathBuf> = [],
        /// A trust store with those authorities, instead of `ssl_certificate_authorities`.
        ssl_truststore_path: Option<PathBuf>,
        /// Format of the trust store; its content tells where this is not given.
        ssl_truststore_type: Option<KeystoreKind>,
        /// What the trust store is encrypted with.
        ssl_truststore_password: Option<Password>,
        /// Whether clients must show a certificate.
        ssl_client_authentication: Option<ClientAuthentication>,
        /// Protocol versions to speak: TLSv1.2, TLSv1.3. Default: both.
        ssl_supported_protocols: Vec<String> = [],
        /// Cipher suites to offer, by their standard names, best first. Default: all that are safe.
        ssl_cipher_suites: Vec<String> = [],
        /// Milliseconds within which a client must have completed the handshake.
        ssl_handshake_timeout: u64 = 10000,
        /// Lowest protocol version: 1.2 or 1.3. `ssl_supported_protocols` says it better.
        tls_min_version: Option<f64>,
        /// Highest protocol version: 1.2 or 1.3. `ssl_supported_protocols` says it better.
        tls_max_version: Option<f64>,
    }
}

impl Default for ServerTls {
    /// The options as they are when a config gives none.
    fn default() -> Self {
        ServerTls {
            ssl_enabled: false,
            ssl_certificate: None,
            ssl_extra_chain_certs: Vec::new(),
            ssl_key: None,
            ssl_key_passphrase: None,
            ssl_keystore_path: None,
            ssl_keystore_type: None,
            ssl_keystore_password: None,
            ssl_certificate_authorities: Vec::new(),
            ssl_truststore_path: None,
            ssl_truststore_type: None,
            ssl_truststore_password: None,
            ssl_client_authentication: None,
            ssl_supported_protocols: Vec::new(),
            ssl_cipher_suites: Vec::new(),
            ssl_handshake_timeout: 10_000,
            tls_min_version: None,
            tls_max_version: None,
        }
    }
}

impl ServerTls {
    /// The old names of these options, for `Spec::renamed`.
    pub const RENAMED: &'static [(&'static str, &'static str)] = &[
        ("ssl", "ssl_enabled"),
        ("ssl_enable", "ssl_enabled"),
        ("ssl_cert", "ssl_certificate"),
        ("keystore", "ssl_keystore_path"),
        ("keystore_password", "ssl_keystore_password"),
        ("ssl_verify", "ssl_client_authentication"),
        ("ssl_verify_mode", "ssl_client_authentication"),
        ("verify_mode", "ssl_client_authentication"),
        ("cipher_suites", "ssl_cipher_suites"),
    ];

    /// Those that have a better name, for `Spec::deprecated`.
    pub const DEPRECATED: &'static [(&'static str, &'static str)] = &[
        ("tls_min_version", "use ssl_supported_protocols"),
        ("tls_max_version", "use ssl_supported_protocols"),
    ];

    /// How long a handshake may take.
    pub fn handshake_timeout(&self) -> Duration {
        Duration::from_millis(self.ssl_handshake_timeout)
    }

    /// What encrypts accepted connections; nothing when `ssl_enabled` is false. `authentication` counts where
    /// `ssl_client_authentication` is not given. Reports what is wrong to the reader and is `None` then.
    pub fn acceptor(
        &self,
        authentication: ClientAuthentication,
        reader: &mut OptionReader<'_>,
    ) -> Option<Option<TlsAcceptor>> {
        if !self.ssl_enabled {
            return Some(None);
        }
        match self.config(authentication) {
            Ok(config) => Some(Some(TlsAcceptor::from(Arc::new(config)))),
            Err(refusal) => {
                reader.error(refusal.option, refusal.reason);
                None
            }
        }
    }

    /// The configuration for rustls.
    ///
    /// # Errors
    /// The option to blame and why.
    pub fn config(&self, authentication: ClientAuthentication) -> Result<ServerConfig, Refusal> {
        let (chain, key) = self.identity()?;
        let provider = options::provider(&self.ssl_cipher_suites)?;
        let versions = options::versions(&self.protocols())?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| Refusal::new("ssl_supported_protocols", error.to_string()))?;
        let builder = match self.ssl_client_authentication.unwrap_or(authentication) {
            ClientAuthentication::None => builder.with_no_client_auth(),
            required => {
                let (authorities, anchors) = self.authorities()?;
                let roots = Arc::new(certificates::roots(authorities, &anchors)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let verifier = match required {
                    ClientAuthentication::Optional => verifier.allow_unauthenticated(),
                    _ => verifier,
                };
                let verifier =
                    verifier.build().map_err(|error| Refusal::new(authorities, error.to_string()))?;
                builder.with_client_cert_verifier(Arc::new(Known { web: verifier, anchors }))
            }
        };
        builder
            .with_single_cert(chain, key)
            .map_err(|error| Refusal::new("ssl_key", format!("it does not fit the certificate: {error}")))
    }

    /// Whether the options name authorities of clients' certificates.
    pub fn names_authorities(&self) -> bool {
        !self.ssl_certificate_authorities.is_empty() || self.ssl_truststore_path.is_some()
    }

    /// The authorities of clients' certificates, and the option that names them. Where none does, the key store is the
    /// trust store as well, as in Java (`SslSimpleBuilder.java`).
    fn authorities(&self) -> Result<(&'static str, Vec<CertificateDer<'static>>), Refusal> {
        let (option, store) = ("ssl_certificate_authorities", "ssl_truststore_path");
        if !self.ssl_certificate_authorities.is_empty() && self.ssl_truststore_path.is_some() {
            return Err(Refusal::new(store, format!("give either {option} or this one, not both")));
        }
        if let Some(path) = &self.ssl_truststore_path {
            let anchors = certificates::truststore(&StoreOptions {
                path: (store, path),
                kind: ("ssl_truststore_type", self.ssl_truststore_type),
                password: ("ssl_truststore_password", self.ssl_truststore_password.as_ref()),
            })?;
            return Ok((store, anchors));
        }
        let mut anchors = Vec::new();
        for path in &self.ssl_certificate_authorities {
            anchors.extend(certificates::chain(option, path)?);
        }
        match (&self.ssl_keystore_path, anchors.is_empty()) {
            (_, false) => Ok((option, anchors)),
            (Some(path), true) => {
                let store = StoreOptions {
                    path: ("ssl_keystore_path", path),
                    kind: ("ssl_keystore_type", self.ssl_keystore_type),
                    password: ("ssl_keystore_password", self.ssl_keystore_password.as_ref()),
                };
                // Java trusts the key's own certificate too (`sun.security.validator.TrustStoreUtil`).
                let mut anchors = certificates::truststore(&store).unwrap_or_default();
                anchors.extend(certificates::keystore(&store)?.0.into_iter().next());
                Ok(("ssl_keystore_path", anchors))
            }
            (None, true) => {
                let reason = "name the authorities of the clients' certificates, or set ssl_client_authentication => \"none\"";
                Err(Refusal::new(option, reason))
            }
        }
    }

    /// The protocol versions by name. Bounds count where no list is given.
    fn protocols(&self) -> Vec<String> {
        if !self.ssl_supported_protocols.is_empty()
            || (self.tls_min_version, self.tls_max_version) == (None, None)
        {
            return self.ssl_supported_protocols.clone();
        }
        let (lowest, highest) = (self.tls_min_version.unwrap_or(1.0), self.tls_max_version.unwrap_or(1.3));
        let known = [(1.1, "TLSv1.1"), (1.2, "TLSv1.2"), (1.3, "TLSv1.3")];
        let between = known.into_iter().filter(|(number, _)| (lowest..=highest).contains(number));
        between.map(|(_, name)| name.to_owned()).collect()
    }

    fn identity(&self) -> Result<Identity, Refusal> {
        match (&self.ssl_certificate, &self.ssl_key, &self.ssl_keystore_path) {
            (Some(certificate), Some(key), None) => {
                let mut chain = certificates::chain("ssl_certificate", certificate)?;
                for path in &self.ssl_extra_chain_certs {
                    chain.extend(certificates::chain("ssl_extra_chain_certs", path)?);
                }
                Ok((chain, certificates::key("ssl_key", key, self.ssl_key_passphrase.as_ref())?))
            }
            (None, None, Some(path)) => certificates::keystore(&StoreOptions {
                path: ("ssl_keystore_path", path),
                kind: ("ssl_keystore_type", self.ssl_keystore_type),
                password: ("ssl_keystore_password", self.ssl_keystore_password.as_ref()),
            }),
            (Some(_), None, None) => Err(Refusal::new("ssl_certificate", "it needs its key: give ssl_key")),
            (None, Some(_), None) => {
                Err(Refusal::new("ssl_key", "it needs its certificate: give ssl_certificate"))
            }
            (None, None, None) => {
                Err(Refusal::new("ssl_enabled", "give ssl_certificate and ssl_key, or ssl_keystore_path"))
            }
            (_, _, Some(_)) => Err(Refusal::new(
                "ssl_keystore_path",
                "give either a key store or ssl_certificate and ssl_key, not both",
            )),
        }
    }
}

/// Checks clients' certificates as usual, and takes one that was itself given as trusted, which Java does too.
#[derive(Debug)]
struct Known {
    web: Arc<dyn ClientCertVerifier>,
    anchors: Vec<CertificateDer<'static>>,
}

impl ClientCertVerifier for Known {
    fn offer_client_auth(&self) -> bool {
        self.web.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.web.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.web.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let checked = self.web.verify_client_cert(end_entity, intermediates, now);
        if checked.is_err() && self.anchors.iter().any(|anchor| anchor.as_ref() == end_entity.as_ref()) {
            return Ok(ClientCertVerified::assertion());
        }
        checked
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.web.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.web.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.web.supported_verify_schemes()
    }
}
