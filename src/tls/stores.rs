//! Key and trust stores as Java takes them (JKS, PKCS12, PEM), turned into PEM texts.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jks::KeyStoreError;
use p12_keystore::{KeyStore, Pkcs12Archive, Pkcs12ImportPolicy};

use super::Refusal;

const JKS_MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const JCEKS_MAGIC: [u8; 4] = [0xce, 0xce, 0xce, 0xce];
/// A store of certificates is some kilobytes; a path that names a log file or a device is a mistake to be told, not read.
const LARGEST_STORE: u64 = 16 << 20;

/// The option names of one store, for errors, and what was given for them.
pub struct Store<'o> {
    /// The option that holds the path, and the path.
    pub location: (&'static str, &'o str),
    /// The option that holds the type; `JKS` where none is given, which like Java's reads PKCS12 too.
    pub kind: (&'static str, Option<&'o str>),
    /// The option that holds the store's password.
    pub password: (&'static str, Option<&'o str>),
}

/// A client's private key with its certificate chain, leaf first, as PEM.
pub struct Identity {
    /// The private key: PKCS#8, encrypted only when it came encrypted from a PEM file.
    pub key: String,
    /// The certificates.
    pub chain: String,
}

/// What a store's bytes turned out to be.
enum Content {
    Jks(jks::KeyStore),
    Pkcs12(Vec<u8>),
    Pem(String),
}

/// Reads the certificates of a trust store as one PEM text.
///
/// # Errors
/// The option to blame and why: the file, its type, its password, or a store without certificates.
pub fn trusted(store: &Store<'_>) -> Result<String, Refusal> {
    let (location, path) = store.location;
    let pem = match open(store)? {
        Content::Pem(text) => blocks(&text, |label| label == "CERTIFICATE"),
        Content::Jks(keys) => {
            let mut aliases = keys.aliases();
            aliases.sort();
            aliases
                .iter()
                .filter_map(|alias| keys.get_trusted_certificate_entry(alias).ok())
                .map(|entry| armour("CERTIFICATE", &entry.certificate.content))
                .collect()
        }
        Content::Pkcs12(bytes) => {
            let archive = Pkcs12Archive::from_pkcs12(&bytes, store.password.1.unwrap_or(""))
                .map_err(|error| pkcs12_refusal(store, &error))?;
            // A store with keys is one that a person uses as key store and trust store at once.
            archive
                .certs
                .iter()
                .filter(|bag| bag.trusted || archive.keys.is_empty())
                .map(|bag| armour("CERTIFICATE", bag.cert.as_der()))
                .collect()
        }
    };
    if pem.is_empty() {
        return Err(Refusal::new(location, format!("{path} holds no trusted certificate")));
    }
    Ok(pem)
}

/// Reads the private key and certificate chain of a key store. `key_password` is the option of the key's own password and
/// its value; a key without one is opened with the store's, as Java does.
///
/// # Errors
/// The option to blame and why.
pub fn identity(store: &Store<'_>, key_password: (&'static str, Option<&str>)) -> Result<Identity, Refusal> {
    let (location, path) = store.location;
    let missing = || Refusal::new(location, format!("{path} holds no private key with its certificate"));
    let found = match open(store)? {
        Content::Pem(text) => {
            if store.password.1.is_some() {
                let reason = format!(
                    "a PEM key store has no password of its own; give the key's with {}",
                    key_password.0
                );
                return Err(Refusal::new(store.password.0, reason));
            }
            let key = blocks(&text, |label| label.ends_with("PRIVATE KEY"));
            if key.contains("ENCRYPTED") && key_password.1.is_none() {
                return Err(Refusal::new(
                    key_password.0,
                    format!("the private key in {path} is encrypted: give its password"),
                ));
            }
            Identity { key, chain: blocks(&text, |label| label == "CERTIFICATE") }
        }
        Content::Jks(keys) => {
            let mut aliases = keys.aliases();
            aliases.sort();
            let alias = aliases.iter().find(|alias| keys.is_private_key_entry(alias)).ok_or_else(missing)?;
            let (option, password) = match key_password {
                (option, Some(password)) => (option, password),
                _ => (store.password.0, store.password.1.unwrap_or("")),
            };
            let entry = keys.get_private_key_entry(alias, password.as_bytes()).map_err(|_| {
                Refusal::new(option, format!("the password does not open the private key in {path}"))
            })?;
            let chain =
                entry.certificate_chain.iter().map(|cert| armour("CERTIFICATE", &cert.content)).collect();
            Identity { key: armour("PRIVATE KEY", &entry.private_key), chain }
        }
        Content::Pkcs12(bytes) => {
            let keys =
                KeyStore::from_pkcs12(&bytes, store.password.1.unwrap_or(""), Pkcs12ImportPolicy::Relaxed)
                    .map_err(|error| pkcs12_refusal(store, &error))?;
            let (_, entry) = keys.private_key_chain().ok_or_else(missing)?;
            let chain = entry.certs().iter().map(|cert| armour("CERTIFICATE", cert.as_der())).collect();
            Identity { key: armour("PRIVATE KEY", entry.key().as_der()), chain }
        }
    };
    if found.key.is_empty() || found.chain.is_empty() {
        return Err(missing());
    }
    Ok(found)
}

fn open(store: &Store<'_>) -> Result<Content, Refusal> {
    let (location, path) = store.location;
    let bytes =
        read(Path::new(path)).map_err(|why| Refusal::new(location, format!("cannot read {path}: {why}")))?;
    let (kind_option, kind) = store.kind;
    let unlike = |what: &str| {
        Refusal::new(
            kind_option,
            format!("{path} is not a {what} store; JKS, PKCS12 and PEM stores are understood"),
        )
    };
    match kind.map(str::to_ascii_uppercase).as_deref() {
        Some("PEM") => match String::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN ") => Ok(Content::Pem(text)),
            _ => Err(unlike("PEM")),
        },
        None | Some("JKS" | "PKCS12") => {
            if bytes.starts_with(&JKS_MAGIC) {
                return open_jks(store, &bytes).map(Content::Jks);
            }
            match bytes.first() {
                // Every PKCS12 file is an ASN.1 SEQUENCE.
                Some(0x30) => Ok(Content::Pkcs12(bytes)),
                _ if bytes.starts_with(&JCEKS_MAGIC) => {
                    let convert = "convert it with keytool -importkeystore -deststoretype pkcs12";
                    Err(Refusal::new(
                        location,
                        format!("{path} is a JCEKS store, which is not supported; {convert}"),
                    ))
                }
                _ if bytes.windows(11).any(|window| window == b"-----BEGIN ") => Err(Refusal::new(
                    kind_option,
                    format!("{path} is a PEM file: set {kind_option} => \"PEM\""),
                )),
                _ => Err(unlike(kind.unwrap_or("JKS or PKCS12"))),
            }
        }
        Some(other) => Err(Refusal::new(
            kind_option,
            format!("store type {other:?} is not supported; use JKS, PKCS12 or PEM"),
        )),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is not a file".into());
    }
    if about.len() > LARGEST_STORE {
        return Err(format!("{} bytes are too many for a store", about.len()));
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn open_jks(store: &Store<'_>, bytes: &[u8]) -> Result<jks::KeyStore, Refusal> {
    let (location, path) = store.location;
    let mut keys = jks::KeyStore::new();
    match (keys.load(bytes, store.password.1.unwrap_or("").as_bytes()), store.password) {
        (Ok(()), _) => Ok(keys),
        // Without a password Java reads the certificates and leaves the checksum, which is keyed by it, unchecked.
        (Err(KeyStoreError::InvalidDigest), (_, None)) => Ok(keys),
        (Err(KeyStoreError::InvalidDigest), (option, Some(_))) => {
            Err(Refusal::new(option, format!("the password does not open {path}, or the file is damaged")))
        }
        (Err(error), _) => Err(Refusal::new(location, format!("{path} is damaged: {error}"))),
    }
}

fn pkcs12_refusal(store: &Store<'_>, error: &p12_keystore::error::Error) -> Refusal {
    use p12_keystore::error::Error;
    let path = store.location.1;
    match (error, store.password) {
        (Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_), (option, Some(_))) => {
            Refusal::new(option, format!("the password does not open {path}"))
        }
        (Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_), (option, None)) => {
            Refusal::new(option, format!("{path} is encrypted: give its password"))
        }
        (error, _) => Refusal::new(store.location.0, format!("{path} cannot be read as PKCS12: {error}")),
    }
}

fn armour(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (at, c) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    pem
}

/// The PEM blocks of a text whose label passes, without what people write between them.
fn blocks(text: &str, wanted: impl Fn(&str) -> bool) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) {
            inside = wanted(label);
        }
        if inside {
            out.push_str(line);
            out.push('\n');
        }
        if line.starts_with("-----END ") {
            inside = false;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> String {
        format!("{}/fixtures/kafka/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    fn expected(name: &str) -> String {
        fs::read_to_string(fixture(name)).expect("fixture")
    }

    fn store<'o>(path: &'o str, kind: Option<&'o str>, password: Option<&'o str>) -> Store<'o> {
        Store { location: ("location", path), kind: ("type", kind), password: ("password", password) }
    }

    fn blamed<T>(result: Result<T, Refusal>) -> &'static str {
        result.err().expect("refused").option
    }

    #[test]
    fn trust_stores_of_every_kind_give_the_ca() {
        for name in ["trust.jks", "trust.p12", "trust-legacy.p12"] {
            let path = fixture(name);
            let pem =
                trusted(&store(&path, None, Some("store-secret"))).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(pem, expected("ca.pem"), "{name}");
        }
        let pem = trusted(&store(&fixture("ca.pem"), Some("PEM"), None)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(pem, expected("ca.pem"));
    }

    #[test]
    fn a_jks_trust_store_needs_no_password() {
        let pem = trusted(&store(&fixture("trust.jks"), Some("jks"), None)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(pem, expected("ca.pem"));
    }

    #[test]
    fn key_stores_of_every_kind_give_key_and_chain() {
        for (name, key_password) in
            [("client.jks", Some("key-secret")), ("client.p12", None), ("client-legacy.p12", None)]
        {
            let path = fixture(name);
            let found = identity(&store(&path, None, Some("store-secret")), ("key", key_password));
            let found = found.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(found.key, expected("client.key"), "{name}");
            assert_eq!(found.chain, expected("client.chain"), "{name}");
        }
        let path = fixture("client.pem");
        let found = identity(&store(&path, Some("PEM"), None), ("key", Some("key-secret")))
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(
            found.key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
            "left for librdkafka to decrypt"
        );
        assert_eq!(found.chain, expected("client.chain"));
    }

    #[test]
    fn refusals_blame_the_option_that_is_wrong() {
        for name in ["trust.jks", "trust.p12", "trust-legacy.p12"] {
            let path = fixture(name);
            assert_eq!(blamed(trusted(&store(&path, None, Some("guess")))), "password", "{name}");
        }
        let jks = fixture("client.jks");
        assert_eq!(
            blamed(identity(&store(&jks, None, Some("guess")), ("key", Some("key-secret")))),
            "password"
        );
        assert_eq!(blamed(identity(&store(&jks, None, Some("store-secret")), ("key", Some("guess")))), "key");
        assert_eq!(blamed(trusted(&store("/nowhere/trust.jks", None, None))), "location");
        assert_eq!(blamed(trusted(&store(&fixture("client.p12"), None, None))), "password");
        assert_eq!(blamed(trusted(&store(&fixture("ca.pem"), None, None))), "type");
        assert_eq!(blamed(trusted(&store(&jks, Some("BKS"), Some("store-secret")))), "type");
        assert_eq!(
            blamed(trusted(&store(&jks, None, Some("store-secret")))),
            "location",
            "it holds no trusted entry"
        );
        let pem = fixture("client.pem");
        assert_eq!(blamed(identity(&store(&pem, Some("PEM"), None), ("key", None))), "key");
        assert_eq!(blamed(identity(&store(&pem, Some("PEM"), Some("x")), ("key", None))), "password");
    }

    #[test]
    fn damaged_stores_are_refused_not_a_panic() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["trust.jks", "client.jks", "trust.p12", "client.p12", "trust-legacy.p12"] {
            let whole = fs::read(fixture(name)).expect("fixture");
            for length in [1, 4, 20, whole.len() / 2, whole.len() - 1] {
                let path = folder.path().join(name);
                fs::write(&path, &whole[..length]).expect("written");
                let path = path.to_string_lossy();
                assert!(
                    trusted(&store(&path, None, Some("store-secret"))).is_err(),
                    "{name} cut to {length}"
                );
            }
        }
    }
}
