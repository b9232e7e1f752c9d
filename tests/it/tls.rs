//! TLS for stand-ins: certificates made for one run, and an end of TLS in front of a plain port.

use std::sync::Arc;

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// An authority of a test's own, with its certificate in a file.
pub struct Authority {
    certificate: X509,
    key: PKey<Private>,
    folder: TempDir,
}

impl Authority {
    /// Makes its key and certificate.
    pub fn new() -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
        let mut builder = unsigned("stand-in authority", &key);
        let constraint = BasicConstraints::new().critical().ca().build().expect("an extension");
        builder.append_extension(constraint).expect("an extension");
        let name = name("stand-in authority");
        builder.set_issuer_name(&name).expect("a name");
        builder.sign(&key, MessageDigest::sha256()).expect("signed");
        let certificate = builder.build();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), certificate.to_pem().expect("PEM")).expect("written");
        Authority { certificate, key, folder }
    }

    /// The file with the authority's certificate, as PEM.
    pub fn path(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// Files with a key and a certificate for a host's name.
    pub fn issue(&self, host: &str) -> (String, String) {
        let (key, certificate) = self.certify(host);
        let file = |end: &str, bytes: &[u8]| {
            let path = self.folder.path().join(format!("{host}-{}.{end}", fastrand::u32(..)));
            std::fs::write(&path, bytes).expect("written");
            path.display().to_string()
        };
        (file("key", &key), file("crt", &certificate))
    }

    /// A file with the list of what the authority has called back, by `openssl ca`; with this certificate in it if one
    /// is given. `None`: there is no such program.
    pub fn revoked(&self, certificate: Option<&str>) -> Option<String> {
        let program = crate::peer::find("openssl")?;
        let folder = tempfile::tempdir_in(self.folder.path()).expect("a folder").keep();
        let place = |name: &str| folder.join(name).display().to_string();
        let config = format!(
            "[ca]\ndefault_ca = own\n[own]\ndatabase = {}\ndefault_md = sha256\ndefault_crl_days = 1\ncrlnumber = {}\n",
            place("index.txt"),
            place("crlnumber")
        );
        std::fs::write(place("crlnumber"), "01\n").expect("written");
        std::fs::write(place("openssl.cnf"), config).expect("written");
        std::fs::write(place("index.txt"), "").expect("written");
        std::fs::write(place("ca.key"), self.key.private_key_to_pem_pkcs8().expect("PEM")).expect("written");
        let run = |arguments: &[&str]| {
            let (config, key, ca) = (place("openssl.cnf"), place("ca.key"), self.path());
            let output = std::process::Command::new(&program)
                .args(["ca", "-config", &config, "-keyfile", &key, "-cert", &ca])
                .args(arguments)
                .output()
                .expect("openssl runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        if let Some(certificate) = certificate {
            run(&["-revoke", certificate]);
        }
        run(&["-gencrl", "-out", &place("crl.pem")]);
        Some(place("crl.pem"))
    }

    /// A key and a certificate for a host's name, as PEM.
    pub fn certify(&self, host: &str) -> (Vec<u8>, Vec<u8>) {
        let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
        let mut builder = unsigned(host, &key);
        builder.set_issuer_name(self.certificate.subject_name()).expect("a name");
        let names = SubjectAlternativeName::new()
            .dns(host)
            .build(&builder.x509v3_context(Some(&self.certificate), None));
        builder.append_extension(names.expect("an extension")).expect("an extension");
        builder.sign(&self.key, MessageDigest::sha256()).expect("signed");
        let certificate = builder.build().to_pem().expect("PEM");
        (key.private_key_to_pem_pkcs8().expect("PEM"), certificate)
    }
}

fn name(common: &str) -> X509Name {
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_nid(Nid::COMMONNAME, common).expect("a name");
    name.build()
}

fn unsigned(subject: &str, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509Builder::new().expect("a certificate");
    let days = |days| Asn1Time::days_from_now(days).expect("a time");
    let serial =
        openssl::bn::BigNum::from_u32(fastrand::u32(1..)).and_then(|number| number.to_asn1_integer());
    builder.set_version(2).expect("version 3");
    builder.set_serial_number(&serial.expect("a number")).expect("a number");
    builder.set_subject_name(&name(subject)).expect("a name");
    builder.set_pubkey(key).expect("a key");
    builder.set_not_before(&days(0)).expect("a time");
    builder.set_not_after(&days(1)).expect("a time");
    builder
}

/// A port that speaks TLS as `localhost` and passes what is inside on to a plain port.
pub struct Terminator {
    port: u16,
}

impl Terminator {
    /// Starts it on a runtime, with which it ends.
    pub fn start(runtime: &Runtime, authority: &Authority, to: u16) -> Self {
        _ = rustls::crypto::ring::default_provider().install_default();
        let (key, certificate) = authority.certify("localhost");
        let key = PrivateKeyDer::from_pem_slice(&key).expect("a key");
        let chain = CertificateDer::pem_slice_iter(&certificate).map(|found| found.expect("a certificate"));
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain.collect(), key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a certificate and its key")));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        runtime.spawn(async move {
            while let Ok((outside, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Who does not trust the certificate hangs up.
                    let Ok(mut outside) = acceptor.accept(outside).await else { return };
                    let Ok(mut inside) = TcpStream::connect(("127.0.0.1", to)).await else { return };
                    _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Terminator { port }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}
