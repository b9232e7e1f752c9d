//! `ca_trusted_fingerprint`: servers are trusted that show a certificate with a known digest
//! (logstash-mixin-ca_trusted_fingerprint_support).

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

use crate::plugin::{ConfigValue, Context, FromOption, Problem};

/// The SHA-256 digest of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Reads 64 hex digits, with or without colons between the bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u32> =
            text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => u8::try_from(high * 16 + low).ok(),
                _ => None,
            })
            .collect::<Option<_>>()?;
        bytes.try_into().ok().map(Fingerprint)
    }

    fn is_of(&self, certificate: &CertificateDer<'_>) -> bool {
        Sha256::digest(certificate.as_ref()).as_slice() == self.0
    }
}

impl FromOption for Fingerprint {
    fn type_name() -> String {
        "SHA-256 in hex".into()
    }

    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
        let text = String::from_option(value, context)?;
        Fingerprint::parse(&text).ok_or_else(|| {
            let message = format!("\"{text}\" is not the SHA-256 of a certificate, 64 hex digits");
            vec![Problem::error(value.span, message)]
        })
    }
}

/// Trusts a chain in which a certificate has one of the fingerprints; any other is left to the usual check.
#[derive(Debug)]
pub(super) struct ByFingerprint {
    pub fingerprints: Vec<Fingerprint>,
    pub provider: Arc<CryptoProvider>,
    /// The usual check; `None` where this system knows no authorities and the config names none.
    pub otherwise: Option<Arc<dyn ServerCertVerifier>>,
}

impl ServerCertVerifier for ByFingerprint {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let known = |certificate: &CertificateDer<'_>| {
            self.fingerprints.iter().any(|fingerprint| fingerprint.is_of(certificate))
        };
        if known(end_entity) {
            rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        if let Some(authority) = intermediates.iter().find(|certificate| known(certificate)) {
            let mut roots = RootCertStore::empty();
            roots.add(authority.clone().into_owned())?;
            return WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        }
        match &self.otherwise {
            Some(usual) => {
                usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
