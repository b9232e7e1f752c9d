//! Handshakes over loopback with certificates that OpenSSL makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::plugin::Password;

struct Made {
    certificate: X509,
    key: PKey<Private>,
}

/// A certificate for `localhost`, signed by `issuer` or by itself.
fn certificate(name: &str, issuer: Option<&Made>, authority: bool) -> Made {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder
        .set_serial_number(&BigNum::from_u32(fastrand::u32(1..)).unwrap().to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&*subject, |made| made.certificate.subject_name())).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    if authority {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    }
    let names =
        SubjectAlternativeName::new().dns("localhost").build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(issuer.map_or(&key, |made| &made.key), MessageDigest::sha256()).unwrap();
    Made { certificate: builder.build(), key }
}

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Files { folder: tempfile::tempdir().unwrap() };
        let ca = certificate("test authority", None, true);
        fs::write(files.at("ca.pem"), ca.certificate.to_pem().unwrap()).unwrap();
        fs::write(files.at("other-ca.pem"), certificate("another", None, true).certificate.to_pem().unwrap())
            .unwrap();
        files.write("server", &certificate("server", Some(&ca), false));
        files.write("client", &certificate("client", Some(&ca), false));
        files.write("alone", &certificate("alone", None, true));
        files
    }

    fn write(&self, name: &str, made: &Made) {
        fs::write(self.at(&format!("{name}.pem")), made.certificate.to_pem().unwrap()).unwrap();
        fs::write(self.at(&format!("{name}.key")), made.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let sealed =
            made.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"open sesame").unwrap();
        fs::write(self.at(&format!("{name}.sealed")), sealed).unwrap();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn server(certificate: &Path, key: &Path) -> ServerTls {
    ServerTls {
        ssl_enabled: true,
        ssl_certificate: Some(certificate.to_owned()),
        ssl_key: Some(key.to_owned()),
        ..ServerTls::default()
    }
}

fn client(authority: &Path) -> ClientTls {
    ClientTls { ssl_certificate_authorities: vec![authority.to_owned()], ..ClientTls::default() }
}

/// Whether a client reaches a server and hears it answer; else why not.
fn talk(server: &ServerTls, client: &ClientTls, name: &str) -> Result<(), String> {
    talk_with(server, client.config().unwrap(), name)
}

fn talk_with(server: &ServerTls, client: rustls::ClientConfig, name: &str) -> Result<(), String> {
    let acceptor = TlsAcceptor::from(Arc::new(server.config(ClientAuthentication::None).unwrap()));
    let connector = TlsConnector::from(Arc::new(client));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(socket).await {
                _ = stream.write_all(b"hello").await;
                _ = stream.shutdown().await;
            }
        });
        let exchange = async {
            let socket = tokio::net::TcpStream::connect(address).await?;
            let mut stream = connector.connect(name, socket).await?;
            let mut heard = String::new();
            stream.read_to_string(&mut heard).await?;
            assert_eq!(heard, "hello");
            std::io::Result::Ok(())
        };
        let answer = tokio::time::timeout(Duration::from_secs(20), exchange).await.unwrap();
        answer.map_err(|error| error.to_string())
    })
}

#[test]
fn only_a_server_of_the_named_authority_is_trusted() {
    let files = Files::new();
    let own = server(&files.at("server.pem"), &files.at("server.key"));
    assert_eq!(talk(&own, &client(&files.at("ca.pem")), "localhost"), Ok(()));
    assert!(talk(&own, &client(&files.at("ca.pem")), "example.org").is_err());
    let mut careless = client(&files.at("other-ca.pem"));
    assert!(talk(&own, &careless, "localhost").is_err());
    careless.ssl_verification_mode = VerificationMode::None;
    assert_eq!(talk(&own, &careless, "example.org"), Ok(()));
}

#[test]
fn a_self_signed_server_can_be_its_own_authority() {
    let files = Files::new();
    let alone = server(&files.at("alone.pem"), &files.at("alone.key"));
    assert_eq!(talk(&alone, &client(&files.at("alone.pem")), "localhost"), Ok(()));
    assert!(talk(&alone, &client(&files.at("alone.pem")), "example.org").is_err());
    assert!(talk(&alone, &client(&files.at("ca.pem")), "localhost").is_err());
}

#[test]
fn servers_are_known_by_a_fingerprint_in_their_chain() {
    let files = Files::new();
    let read = |name: &str| fs::read(files.at(name)).unwrap();
    fs::write(files.at("chain.pem"), [read("server.pem"), read("ca.pem")].concat()).unwrap();
    let fingerprint = |name: &str| {
        let digest = X509::from_pem(&read(name)).unwrap().digest(MessageDigest::sha256()).unwrap();
        let hex: Vec<_> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        Fingerprint::parse(&hex.join(":")).unwrap()
    };
    let chain = server(&files.at("chain.pem"), &files.at("server.key"));
    let unknown = client(&files.at("other-ca.pem"));
    assert!(talk(&chain, &unknown, "localhost").is_err());
    let trusting = |fingerprints: &[Fingerprint]| unknown.config_trusting(fingerprints).unwrap();
    let reach = |name: &str, config| talk_with(&chain, config, name);
    for known in ["ca.pem", "server.pem"] {
        assert_eq!(reach("localhost", trusting(&[fingerprint(known)])), Ok(()), "{known}");
        assert!(reach("example.org", trusting(&[fingerprint(known)])).is_err(), "{known}");
    }
    assert!(reach("localhost", trusting(&[fingerprint("alone.pem")])).is_err());
    // The usual way still works, and a chain that only shows the authority does not come from it.
    let usual = client(&files.at("ca.pem")).config_trusting(&[fingerprint("alone.pem")]).unwrap();
    assert_eq!(reach("localhost", usual), Ok(()));
    fs::write(files.at("forged.pem"), [read("alone.pem"), read("ca.pem")].concat()).unwrap();
    let forged = server(&files.at("forged.pem"), &files.at("alone.key"));
    assert!(talk_with(&forged, trusting(&[fingerprint("ca.pem")]), "localhost").is_err());
    assert!(Fingerprint::parse("abc").is_none() && Fingerprint::parse(&"g".repeat(64)).is_none());
}

#[test]
fn clients_show_certificates_where_they_must() {
    let files = Files::new();
    let mut strict = server(&files.at("server.pem"), &files.at("server.sealed"));
    strict.ssl_key_passphrase = Some(Password::new("open sesame"));
    strict.ssl_client_authentication = Some(ClientAuthentication::Required);
    strict.ssl_certificate_authorities = vec![files.at("ca.pem")];
    let nobody = client(&files.at("ca.pem"));
    assert!(talk(&strict, &nobody, "localhost").is_err());
    let mut known = client(&files.at("ca.pem"));
    known.ssl_certificate = Some(files.at("client.pem"));
    known.ssl_key = Some(files.at("client.key"));
    assert_eq!(talk(&strict, &known, "localhost"), Ok(()));
    let mut stranger = client(&files.at("ca.pem"));
    stranger.ssl_certificate = Some(files.at("alone.pem"));
    stranger.ssl_key = Some(files.at("alone.key"));
    assert!(talk(&strict, &stranger, "localhost").is_err());
    strict.ssl_client_authentication = Some(ClientAuthentication::Optional);
    assert_eq!(talk(&strict, &nobody, "localhost"), Ok(()));
    assert!(talk(&strict, &stranger, "localhost").is_err());
}

/// Clients are known by a trust store of either kind, and where none is named by the server's key store.
#[test]
fn trust_stores_tell_a_server_whom_to_trust() {
    let files = Files::new();
    let fixture = |name: &str| PathBuf::from(format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR")));
    let mut strict = server(&files.at("server.pem"), &files.at("server.key"));
    strict.ssl_client_authentication = Some(ClientAuthentication::Required);
    let mut known = client(&files.at("ca.pem"));
    known.ssl_certificate = Some(fixture("client.chain"));
    known.ssl_key = Some(fixture("client.key"));
    let mut stranger = client(&files.at("ca.pem"));
    stranger.ssl_certificate = Some(files.at("client.pem"));
    stranger.ssl_key = Some(files.at("client.key"));
    for (store, kind) in [
        ("trust.jks", Some(KeystoreKind::Jks)),
        ("trust.p12", Some(KeystoreKind::Pkcs12)),
        ("trust.p12", None),
    ] {
        strict.ssl_truststore_path = Some(fixture(store));
        strict.ssl_truststore_type = kind;
        strict.ssl_truststore_password = Some(Password::new("store-secret"));
        assert_eq!(talk(&strict, &known, "localhost"), Ok(()), "{store}");
        assert!(talk(&strict, &stranger, "localhost").is_err(), "{store}");
        assert!(talk(&strict, &client(&files.at("ca.pem")), "localhost").is_err(), "{store}");
    }
    let blamed = |tls: &ServerTls| tls.config(ClientAuthentication::None).unwrap_err().option;
    strict.ssl_certificate_authorities = vec![files.at("ca.pem")];
    assert_eq!(blamed(&strict), "ssl_truststore_path");
    strict.ssl_certificate_authorities.clear();
    strict.ssl_truststore_password = Some(Password::new("guess"));
    assert_eq!(blamed(&strict), "ssl_truststore_password");

    // Java trusts the certificate of a key store's key as well.
    let mut by_key_store = server(&files.at("server.pem"), &files.at("server.key"));
    (by_key_store.ssl_certificate, by_key_store.ssl_key) = (None, None);
    by_key_store.ssl_keystore_path = Some(fixture("client.p12"));
    by_key_store.ssl_keystore_password = Some(Password::new("store-secret"));
    by_key_store.ssl_client_authentication = Some(ClientAuthentication::Required);
    known.ssl_verification_mode = VerificationMode::None;
    stranger.ssl_verification_mode = VerificationMode::None;
    assert_eq!(talk(&by_key_store, &known, "localhost"), Ok(()));
    assert!(talk(&by_key_store, &stranger, "localhost").is_err());
}

/// As with Java, and as `openssl req -x509` is used by many.
#[test]
fn a_self_signed_client_can_be_its_own_authority() {
    let files = Files::new();
    let mut strict = server(&files.at("server.pem"), &files.at("server.key"));
    strict.ssl_client_authentication = Some(ClientAuthentication::Required);
    strict.ssl_certificate_authorities = vec![files.at("alone.pem")];
    let mut alone = client(&files.at("ca.pem"));
    alone.ssl_certificate = Some(files.at("alone.pem"));
    alone.ssl_key = Some(files.at("alone.key"));
    assert_eq!(talk(&strict, &alone, "localhost"), Ok(()));
    strict.ssl_certificate_authorities = vec![files.at("other-ca.pem")];
    assert!(talk(&strict, &alone, "localhost").is_err());
}

#[test]
fn stores_serve_as_well_as_pem_files() {
    let files = Files::new();
    let fixture = |name: &str| PathBuf::from(format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR")));
    let mut stored = server(&files.at("server.pem"), &files.at("server.key"));
    (stored.ssl_certificate, stored.ssl_key) = (None, None);
    stored.ssl_keystore_path = Some(fixture("client.p12"));
    stored.ssl_keystore_password = Some(Password::new("store-secret"));
    let mut trusting = client(&files.at("other-ca.pem"));
    trusting.ssl_verification_mode = VerificationMode::None;
    assert_eq!(talk(&stored, &trusting, "localhost"), Ok(()));
    trusting.ssl_truststore_path = Some(fixture("trust.jks"));
    assert!(trusting.config().is_ok());
    trusting.ssl_truststore_password = Some(Password::new("guess"));
    assert!(trusting.config().is_ok(), "nobody is checked, so nothing is read");
    trusting.ssl_verification_mode = VerificationMode::Full;
    assert_eq!(trusting.config().unwrap_err().option, "ssl_truststore_password");
}

#[test]
fn versions_and_suites_are_what_the_options_say() {
    let files = Files::new();
    let mut old = server(&files.at("server.pem"), &files.at("server.key"));
    old.tls_max_version = Some(1.2);
    let mut new = client(&files.at("ca.pem"));
    assert_eq!(talk(&old, &new, "localhost"), Ok(()));
    new.ssl_supported_protocols = vec!["TLSv1.3".into()];
    assert!(talk(&old, &new, "localhost").is_err());
    new.ssl_supported_protocols = vec!["TLSv1.1".into()];
    assert_eq!(new.config().unwrap_err().option, "ssl_supported_protocols");
    let mut suites = client(&files.at("ca.pem"));
    suites.ssl_cipher_suites = vec!["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".into()];
    assert_eq!(talk(&old, &suites, "localhost"), Ok(()));
    suites.ssl_cipher_suites = vec!["SSL_RSA_WITH_RC4_128_MD5".into()];
    assert_eq!(suites.config().unwrap_err().option, "ssl_cipher_suites");
}

#[test]
fn mistakes_blame_the_option() {
    let files = Files::new();
    let blamed = |tls: &ServerTls| tls.config(ClientAuthentication::None).unwrap_err().option;
    let mut sealed = server(&files.at("server.pem"), &files.at("server.sealed"));
    assert_eq!(blamed(&sealed), "ssl_key");
    sealed.ssl_key_passphrase = Some(Password::new("guess"));
    assert_eq!(blamed(&sealed), "ssl_key_passphrase");
    assert_eq!(blamed(&server(&files.at("server.pem"), &files.at("client.key"))), "ssl_key");
    assert_eq!(blamed(&server(&files.at("server.key"), &files.at("server.key"))), "ssl_certificate");
    let mut demanding = server(&files.at("server.pem"), &files.at("server.key"));
    demanding.ssl_client_authentication = Some(ClientAuthentication::Required);
    assert_eq!(blamed(&demanding), "ssl_certificate_authorities");
    let mut empty = demanding;
    (empty.ssl_certificate, empty.ssl_key) = (None, None);
    assert_eq!(blamed(&empty), "ssl_enabled");
}
