//! Who is at the other end of an encrypted connection, in the words that Java has for it.

use openssl::x509::X509;
use rustls::CommonState;
use rustls::pki_types::CertificateDer;

/// The subject of a certificate as Java writes it (RFC 2253): `CN=name,O=company`.
pub fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = X509::from_der(certificate).ok()?;
    let parts = certificate.subject_name().entries().filter_map(|entry| {
        let value = entry.data().to_string().ok()?;
        Some(format!("{}={}", entry.object().nid().short_name().ok()?, escaped(&value)))
    });
    let parts: Vec<_> = parts.collect();
    // The name stands from the general to the particular in the certificate, and the other way round in text.
    Some(parts.into_iter().rev().collect::<Vec<_>>().join(","))
}

/// The protocol that a session speaks, such as `TLSv1.3`.
pub fn protocol(session: &CommonState) -> Option<String> {
    let version = session.protocol_version()?;
    Some(version.as_str()?.replace("TLSv1_", "TLSv1."))
}

/// The cipher suite of a session by its standard name, such as `TLS_AES_128_GCM_SHA256`.
pub fn cipher_suite(session: &CommonState) -> Option<String> {
    Some(super::options::java_name(session.negotiated_cipher_suite()?.suite()))
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for (at, c) in value.char_indices() {
        let at_edge = (at == 0 && matches!(c, ' ' | '#')) || (at + 1 == value.len() && c == ' ');
        if at_edge || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
