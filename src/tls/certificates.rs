//! Certificates and keys for rustls, read from the files that options name.

use std::fs;
use std::path::Path;

use openssl::pkey::PKey;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::stores::{self, Store};
use super::{KeystoreKind, Refusal};
use crate::plugin::Password;

/// A chain, leaf first, and its key.
pub type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// One `ssl_keystore_*` or `ssl_truststore_*` group of options.
pub struct StoreOptions<'o> {
    pub path: (&'static str, &'o Path),
    pub kind: (&'static str, Option<KeystoreKind>),
    pub password: (&'static str, Option<&'o Password>),
}

/// The certificates of a PEM text.
fn certificates(
    option: &'static str,
    what: &str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|error| Refusal::new(option, format!("{what} is no PEM file: {error}")))?;
    if read.is_empty() {
        return Err(Refusal::new(option, format!("{what} holds no certificate")));
    }
    Ok(read)
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, Refusal> {
    fs::read(path).map_err(|error| Refusal::new(option, format!("cannot read {}: {error}", path.display())))
}

/// The certificates of a PEM file.
pub fn chain(option: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    certificates(option, &path.display().to_string(), &read(option, path)?)
}

/// The key of a PEM file: PKCS#8, PKCS#1 or SEC1, encrypted or not.
pub fn key(
    option: &'static str,
    path: &Path,
    passphrase: Option<&Password>,
) -> Result<PrivateKeyDer<'static>, Refusal> {
    let pem = read(option, path)?;
    if pem.windows(9).any(|window| window == b"ENCRYPTED") {
        let secret = passphrase.ok_or_else(|| {
            Refusal::new(option, format!("{} is encrypted: give ssl_key_passphrase", path.display()))
        })?;
        let opened = PKey::private_key_from_pem_passphrase(&pem, secret.reveal().as_bytes())
            .and_then(|key| key.private_key_to_pkcs8())
            .map_err(|_| {
                let reason = format!("the passphrase does not open {}", path.display());
                Refusal::new("ssl_key_passphrase", reason)
            })?;
        return Ok(PrivatePkcs8KeyDer::from(opened).into());
    }
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| Refusal::new(option, format!("{} holds no private key: {error}", path.display())))
}

/// The chain and key of a key store.
pub fn keystore(store: &StoreOptions<'_>) -> Result<Identity, Refusal> {
    let (option, path) = store.path;
    let location = path.display().to_string();
    let found = stores::identity(&store.named(&location), (store.password.0, None))?;
    let chain = certificates(option, &location, found.chain.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(found.key.as_bytes())
        .map_err(|error| Refusal::new(option, format!("the key in {location} cannot be used: {error}")))?;
    Ok((chain, key))
}

/// The certificates of a trust store.
pub fn truststore(store: &StoreOptions<'_>) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let location = store.path.1.display().to_string();
    let pem = stores::trusted(&store.named(&location))?;
    certificates(store.path.0, &location, pem.as_bytes())
}

impl StoreOptions<'_> {
    fn named<'a>(&'a self, location: &'a str) -> Store<'a> {
        Store {
            location: (self.path.0, location),
            kind: (self.kind.0, self.kind.1.map(KeystoreKind::word)),
            password: (self.password.0, self.password.1.map(Password::reveal)),
        }
    }
}

/// Makes certificates trust anchors.
pub fn roots(option: &'static str, anchors: &[CertificateDer<'static>]) -> Result<RootCertStore, Refusal> {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots
            .add(anchor.clone())
            .map_err(|error| Refusal::new(option, format!("a certificate in it cannot be used: {error}")))?;
    }
    Ok(roots)
}
