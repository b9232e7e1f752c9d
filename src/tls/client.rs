//! TLS of plugins that connect to a server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::certificates::{self, Identity, StoreOptions};
use super::fingerprint::{ByFingerprint, Fingerprint};
use super::{KeystoreKind, Refusal, VerificationMode, options};
use crate::plugin::{OptionReader, Password, options};

options! {
    /// The `ssl_*` options of a client (logstash-mixin-http_client, logstash-output-elasticsearch, -tcp, -redis).
    #[derive(Debug, Clone)]
    pub struct ClientTls {
        /// Whether the connection is encrypted. Default: as the URL says, or not.
        ssl_enabled: Option<bool>,
        /// PEM files with the authorities that the server's certificate must come from. Default: those of the system.
        ssl_certificate_authorities: Vec<PathBuf> = [],
        /// PEM file with the certificate to show to the server.
        ssl_certificate: Option<PathBuf>,
        /// PEM file with that certificate's private key: PKCS#8, PKCS#1 or SEC1.
        ssl_key: Option<PathBuf>,
        /// What the key is encrypted with.
        ssl_key_passphrase: Option<Password>,
        /// A key store with certificate and key, instead of `ssl_certificate` and `ssl_key`.
        ssl_keystore_path: Option<PathBuf>,
        /// Format of the key store; its content tells where this is not given.
        ssl_keystore_type: Option<KeystoreKind>,
        /// What the key store is encrypted with.
        ssl_keystore_password: Option<Password>,
        /// A trust store with the authorities, instead of `ssl_certificate_authorities`.
        ssl_truststore_path: Option<PathBuf>,
        /// Format of the trust store; its content tells where this is not given.
        ssl_truststore_type: Option<KeystoreKind>,
        /// What the trust store is encrypted with.
        ssl_truststore_password: Option<Password>,
        /// full checks the server's certificate and name; none takes any server, which is for tests only.
        ssl_verification_mode: VerificationMode = "full",
        /// Protocol versions to speak: TLSv1.2, TLSv1.3. Default: both.
        ssl_supported_protocols: Vec<String> = [],
        /// Cipher suites to offer, by their standard names, best first. Default: all that are safe.
        ssl_cipher_suites: Vec<String> = [],
    }
}

/// Certificates that their authorities have called back.
#[derive(Default)]
pub struct Revoked {
    /// The option that names the lists.
    option: Option<&'static str>,
    lists: Vec<CertificateRevocationListDer<'static>>,
    whole_chain: bool,
}

impl Revoked {
    /// The lists of a PEM file, for the peer's certificate alone or for those above it as well.
    ///
    /// # Errors
    /// The option to blame and why.
    pub fn read(option: &'static str, path: &Path, whole_chain: bool) -> Result<Self, Refusal> {
        let place = path.display();
        let pem = std::fs::read(path)
            .map_err(|error| Refusal::new(option, format!("cannot read {place}: {error}")))?;
        let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&pem).collect();
        match lists {
            Ok(lists) if !lists.is_empty() => Ok(Revoked { option: Some(option), lists, whole_chain }),
            Ok(_) => Err(Refusal::new(option, format!("{place} holds no list of revoked certificates"))),
            Err(error) => Err(Refusal::new(option, format!("{place} is no PEM file: {error}"))),
        }
    }
}

impl Default for ClientTls {
    /// The options as they are when a config gives none.
    fn default() -> Self {
        ClientTls {
            ssl_enabled: None,
            ssl_certificate_authorities: Vec::new(),
            ssl_certificate: None,
            ssl_key: None,
            ssl_key_passphrase: None,
            ssl_keystore_path: None,
            ssl_keystore_type: None,
            ssl_keystore_password: None,
            ssl_truststore_path: None,
            ssl_truststore_type: None,
            ssl_truststore_password: None,
            ssl_verification_mode: VerificationMode::Full,
            ssl_supported_protocols: Vec::new(),
            ssl_cipher_suites: Vec::new(),
        }
    }
}

impl ClientTls {
    /// The old names of these options, for `Spec::renamed`.
    pub const RENAMED: &'static [(&'static str, &'static str)] = &[
        ("ssl", "ssl_enabled"),
        ("ssl_enable", "ssl_enabled"),
        ("cacert", "ssl_certificate_authorities"),
        ("ssl_cacert", "ssl_certificate_authorities"),
        ("ca_file", "ssl_certificate_authorities"),
        ("client_cert", "ssl_certificate"),
        ("ssl_cert", "ssl_certificate"),
        ("client_key", "ssl_key"),
        ("keystore", "ssl_keystore_path"),
        ("keystore_type", "ssl_keystore_type"),
        ("keystore_password", "ssl_keystore_password"),
        ("truststore", "ssl_truststore_path"),
        ("truststore_type", "ssl_truststore_type"),
        ("truststore_password", "ssl_truststore_password"),
        ("ssl_certificate_verification", "ssl_verification_mode"),
        ("ssl_verify", "ssl_verification_mode"),
    ];

    /// The configuration for rustls. Reports what is wrong to the reader and is `None` then.
    pub fn checked(&self, reader: &mut OptionReader<'_>) -> Option<ClientConfig> {
        self.config().map_err(|refusal| reader.error(refusal.option, refusal.reason)).ok()
    }

    /// The configuration for rustls, trusting what has one of the fingerprints as well (`ca_trusted_fingerprint`).
    ///
    /// # Errors
    /// The option to blame and why.
    pub fn config_trusting(&self, fingerprints: &[Fingerprint]) -> Result<ClientConfig, Refusal> {
        self.config_with(|provider| match (fingerprints.is_empty(), self.names_authorities()) {
            (true, _) => self.verifier(provider),
            (false, named) => {
                let usual = self.verifier(provider);
                let otherwise = if named { Some(usual?) } else { usual.ok() };
                let (fingerprints, provider) = (fingerprints.to_vec(), Arc::clone(provider));
                Ok(Arc::new(ByFingerprint { fingerprints, provider, otherwise }))
            }
        })
    }

    /// The configuration for rustls, with lists of the certificates that authorities have called back (`ssl_crl_path`).
    ///
    /// # Errors
    /// The option to blame and why.
    pub fn config_revoking(&self, revoked: Revoked) -> Result<ClientConfig, Refusal> {
        self.config_with(|provider| self.verifier_with(provider, revoked))
    }

    /// The configuration for rustls, trusting a certificate of the named authorities whatever name is in it.
    ///
    /// # Errors
    /// The option to blame and why.
    pub fn config_of_any_name(&self) -> Result<ClientConfig, Refusal> {
        self.config_with(|provider| {
            let usual = self.known(provider, Revoked::default())?;
            Ok(Arc::new(Known { any_name: true, ..usual }))
        })
    }

    fn names_authorities(&self) -> bool {
        !self.ssl_certificate_authorities.is_empty() || self.ssl_truststore_path.is_some()
    }

    /// The configuration for rustls, whether or not `ssl_enabled` is set.
    ///
    /// # Errors
    /// The option to blame and why.
    pub fn config(&self) -> Result<ClientConfig, Refusal> {
        self.config_trusting(&[])
    }

    fn config_with(
        &self,
        verifier: impl FnOnce(&Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Refusal>,
    ) -> Result<ClientConfig, Refusal> {
        let provider = options::provider(&self.ssl_cipher_suites)?;
        let versions = options::versions(&self.ssl_supported_protocols)?;
        let verifier: Arc<dyn ServerCertVerifier> = match self.ssl_verification_mode {
            VerificationMode::None => Arc::new(Anyone(Arc::clone(&provider))),
            VerificationMode::Full => verifier(&provider)?,
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|error| Refusal::new("ssl_supported_protocols", error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        match self.identity()? {
            None => Ok(builder.with_no_client_auth()),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|error| {
                Refusal::new("ssl_key", format!("it does not fit the certificate: {error}"))
            }),
        }
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Refusal> {
        self.verifier_with(provider, Revoked::default())
    }

    fn verifier_with(
        &self,
        provider: &Arc<CryptoProvider>,
        revoked: Revoked,
    ) -> Result<Arc<dyn ServerCertVerifier>, Refusal> {
        Ok(Arc::new(self.known(provider, revoked)?))
    }

    fn known(&self, provider: &Arc<CryptoProvider>, revoked: Revoked) -> Result<Known, Refusal> {
        let authorities = "ssl_certificate_authorities";
        let mut anchors = Vec::new();
        for path in &self.ssl_certificate_authorities {
            anchors.extend(certificates::chain(authorities, path)?);
        }
        let mut option = authorities;
        if let Some(path) = &self.ssl_truststore_path {
            option = "ssl_truststore_path";
            anchors.extend(certificates::truststore(&StoreOptions {
                path: (option, path),
                kind: ("ssl_truststore_type", self.ssl_truststore_type),
                password: ("ssl_truststore_password", self.ssl_truststore_password.as_ref()),
            })?);
        }
        let roots = if anchors.is_empty() { system_roots() } else { certificates::roots(option, &anchors)? };
        if roots.is_empty() {
            let reason = "this system has no certificates of authorities: name the server's";
            return Err(Refusal::new(authorities, reason));
        }
        let mut web = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .with_crls(revoked.lists);
        if !revoked.whole_chain {
            web = web.only_check_end_entity_revocation();
        }
        let web = web.build().map_err(|error| match (&error, revoked.option) {
            (VerifierBuilderError::InvalidCrl(_), Some(list)) => {
                let help = "such a list needs version 2 and a number (openssl ca: crlnumber)";
                Refusal::new(list, format!("{error}; {help}"))
            }
            _ => Refusal::new(option, error.to_string()),
        })?;
        Ok(Known { web, anchors, any_name: false })
    }

    fn identity(&self) -> Result<Option<Identity>, Refusal> {
        match (&self.ssl_certificate, &self.ssl_key, &self.ssl_keystore_path) {
            (None, None, None) => Ok(None),
            (Some(certificate), Some(key), None) => Ok(Some((
                certificates::chain("ssl_certificate", certificate)?,
                certificates::key("ssl_key", key, self.ssl_key_passphrase.as_ref())?,
            ))),
            (None, None, Some(path)) => certificates::keystore(&StoreOptions {
                path: ("ssl_keystore_path", path),
                kind: ("ssl_keystore_type", self.ssl_keystore_type),
                password: ("ssl_keystore_password", self.ssl_keystore_password.as_ref()),
            })
            .map(Some),
            (Some(_), None, None) => Err(Refusal::new("ssl_certificate", "it needs its key: give ssl_key")),
            (None, Some(_), None) => {
                Err(Refusal::new("ssl_key", "it needs its certificate: give ssl_certificate"))
            }
            (_, _, Some(_)) => Err(Refusal::new(
                "ssl_keystore_path",
                "give either a key store or ssl_certificate and ssl_key, not both",
            )),
        }
    }
}

/// The authorities that this system trusts. Those that cannot be read are left out, as a browser does.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// Checks certificates as usual, and takes one that was itself given as trusted: set-ups with a self-signed server
/// certificate name it as its own authority, which Java accepts and the usual check does not.
#[derive(Debug)]
struct Known {
    web: Arc<WebPkiServerVerifier>,
    anchors: Vec<CertificateDer<'static>>,
    /// Whether the name in the certificate does not matter.
    any_name: bool,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let checked = self.web.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        // The name is what is looked at last.
        if self.any_name && checked.as_ref().is_err_and(is_of_name) {
            return Ok(ServerCertVerified::assertion());
        }
        if checked.is_err() && self.anchors.iter().any(|anchor| anchor.as_ref() == end_entity.as_ref()) {
            if !self.any_name {
                rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
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

fn is_of_name(error: &rustls::Error) -> bool {
    use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(error, rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

/// `ssl_verification_mode => "none"`: encrypts, and trusts whoever answers.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
