//! The client that fetches schemas: its proxy, its certificates and the rules among the options for them.

use std::path::Path;

use reqwest::tls::Version;
use reqwest::{Certificate, Client, ClientBuilder, Identity, Proxy};

use crate::kafka::Refusal;
use crate::plugin::Password;
use crate::tls::stores::{self, Store};

use super::{AvroOptions, Protocol, StoreType, Verification};

/// An option and what is wrong with it.
type Fault = (&'static str, String);

/// Makes the client. Fails with the option to blame and the reason.
pub fn client(options: &AvroOptions, is_secure: bool) -> Result<Client, Fault> {
    check(options, is_secure)?;
    // Fails when another part of the process has installed one, which then serves as well.
    _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder().user_agent(concat!("rstash/", env!("CARGO_PKG_VERSION"))).no_proxy();
    if let Some(proxy) = options.proxy.as_deref().filter(|proxy| !proxy.is_empty()) {
        let proxy = Proxy::all(proxy).map_err(|error| ("proxy", error.to_string()))?;
        builder = builder.proxy(proxy);
    }
    if is_secure {
        builder = secure(builder, options)?;
    }
    builder.build().map_err(|error| ("schema_uri", error.to_string()))
}

/// The rules of `validate_ssl_settings!`.
fn check(options: &AvroOptions, is_secure: bool) -> Result<(), Fault> {
    let is_unverified = options.ssl_verification_mode == Some(Verification::None);
    let given = |password: &Option<Password>| password.is_some();
    let is_empty =
        |password: &Option<Password>| password.as_ref().is_some_and(|word| word.reveal().is_empty());
    let o = options;
    let authorities = o.ssl_certificate_authorities.as_deref();
    let ssl_given = [
        ("ssl_certificate", o.ssl_certificate.is_some()),
        ("ssl_key", o.ssl_key.is_some()),
        ("ssl_certificate_authorities", authorities.is_some()),
        ("ssl_verification_mode", o.ssl_verification_mode.is_some()),
        ("ssl_keystore_path", o.ssl_keystore_path.is_some()),
        ("ssl_keystore_password", given(&o.ssl_keystore_password)),
        ("ssl_keystore_type", o.ssl_keystore_type.is_some()),
        ("ssl_truststore_path", o.ssl_truststore_path.is_some()),
        ("ssl_truststore_password", given(&o.ssl_truststore_password)),
        ("ssl_truststore_type", o.ssl_truststore_type.is_some()),
        ("ssl_supported_protocols", o.ssl_supported_protocols.is_some()),
    ];
    if !is_secure {
        return match ssl_given.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => Err((option, "is not allowed where schema_uri is http".into())),
            None => Ok(()),
        };
    }
    let rules: [(&'static str, bool, &str); 16] = [
        ("ssl_enabled", o.ssl_enabled == Some(false), "must be true where schema_uri is https"),
        (
            "ssl_certificate",
            o.ssl_certificate.is_some() && o.ssl_keystore_path.is_some(),
            "cannot be used together with ssl_keystore_path",
        ),
        ("ssl_certificate", o.ssl_certificate.is_some() && o.ssl_key.is_none(), "requires ssl_key"),
        (
            "ssl_key",
            o.ssl_key.is_some() && o.ssl_certificate.is_none(),
            "is not allowed unless ssl_certificate is given",
        ),
        (
            "ssl_keystore_password",
            given(&o.ssl_keystore_password) && o.ssl_keystore_path.is_none(),
            "is not allowed unless ssl_keystore_path is given",
        ),
        ("ssl_keystore_password", is_empty(&o.ssl_keystore_password), "cannot be empty"),
        (
            "ssl_keystore_type",
            o.ssl_keystore_type.is_some() && o.ssl_keystore_path.is_none(),
            "is not allowed unless ssl_keystore_path is given",
        ),
        (
            "ssl_truststore_path",
            is_unverified && o.ssl_truststore_path.is_some(),
            "requires ssl_verification_mode full",
        ),
        (
            "ssl_truststore_password",
            is_unverified && given(&o.ssl_truststore_password),
            "requires ssl_verification_mode full",
        ),
        (
            "ssl_certificate_authorities",
            is_unverified && authorities.is_some(),
            "requires ssl_verification_mode full",
        ),
        (
            "ssl_truststore_path",
            o.ssl_truststore_path.is_some() && authorities.is_some(),
            "cannot be used together with ssl_certificate_authorities",
        ),
        (
            "ssl_truststore_password",
            given(&o.ssl_truststore_password) && o.ssl_truststore_path.is_none(),
            "is not allowed unless ssl_truststore_path is given",
        ),
        ("ssl_truststore_password", is_empty(&o.ssl_truststore_password), "cannot be empty"),
        ("ssl_certificate_authorities", authorities.is_some_and(<[_]>::is_empty), "cannot be empty"),
        ("ssl_certificate_authorities", authorities.is_some_and(|files| files.len() > 1), "takes one file"),
        (
            "ssl_supported_protocols",
            o.ssl_supported_protocols
                .as_deref()
                .is_some_and(|all| !all.is_empty() && all.iter().all(|one| *one == Protocol::Tls11)),
            "has TLSv1.1 alone, which is no longer safe",
        ),
    ];
    match rules.into_iter().find(|(_, broken, _)| *broken) {
        Some((option, _, reason)) => Err((option, reason.into())),
        None => Ok(()),
    }
}

fn secure(mut builder: ClientBuilder, options: &AvroOptions) -> Result<ClientBuilder, Fault> {
    if options.ssl_verification_mode == Some(Verification::None) {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    let trusted = match (&options.ssl_certificate_authorities, &options.ssl_truststore_path) {
        (Some(files), _) => {
            files.first().map(|file| read("ssl_certificate_authorities", file)).transpose()?
        }
        (None, Some(path)) => {
            let path = path.to_string_lossy();
            let kind = options.ssl_truststore_type;
            let store = store("ssl_truststore", &path, kind, options.ssl_truststore_password.as_ref());
            Some(stores::trusted(&store).map_err(fault)?)
        }
        (None, None) => None,
    };
    if let Some(pem) = trusted {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes())
            .map_err(|error| ("ssl_certificate_authorities", error.to_string()))?;
        builder = builder.tls_certs_only(certificates);
    }
    if let Some((option, pem)) = identity(options)? {
        let identity = Identity::from_pem(pem.as_bytes()).map_err(|error| (option, error.to_string()))?;
        builder = builder.identity(identity);
    }
    let protocols = options.ssl_supported_protocols.as_deref().unwrap_or_default();
    if !protocols.is_empty() {
        let newest = protocols.contains(&Protocol::Tls13);
        let oldest = protocols.contains(&Protocol::Tls12) || protocols.contains(&Protocol::Tls11);
        builder = builder.tls_version_min(if oldest { Version::TLS_1_2 } else { Version::TLS_1_3 });
        builder = builder.tls_version_max(if newest { Version::TLS_1_3 } else { Version::TLS_1_2 });
    }
    Ok(builder)
}

/// The client's certificate and key as PEM, with the option they come from.
fn identity(options: &AvroOptions) -> Result<Option<(&'static str, String)>, Fault> {
    if let (Some(certificate), Some(key)) = (&options.ssl_certificate, &options.ssl_key) {
        let pem = format!("{}\n{}", read("ssl_key", key)?, read("ssl_certificate", certificate)?);
        return Ok(Some(("ssl_certificate", pem)));
    }
    let Some(path) = &options.ssl_keystore_path else { return Ok(None) };
    let path = path.to_string_lossy();
    let password = options.ssl_keystore_password.as_ref();
    let store = store("ssl_keystore", &path, options.ssl_keystore_type, password);
    let found = stores::identity(&store, ("ssl_keystore_password", None)).map_err(fault)?;
    Ok(Some(("ssl_keystore_path", format!("{}\n{}", found.key, found.chain))))
}

fn store<'o>(
    prefix: &str,
    path: &'o str,
    kind: Option<StoreType>,
    password: Option<&'o Password>,
) -> Store<'o> {
    let names = match prefix {
        "ssl_keystore" => ["ssl_keystore_path", "ssl_keystore_type", "ssl_keystore_password"],
        _ => ["ssl_truststore_path", "ssl_truststore_type", "ssl_truststore_password"],
    };
    let kind = kind.map(|kind| match kind {
        StoreType::Jks => "JKS",
        StoreType::Pkcs12 => "PKCS12",
    });
    let [location, kind_option, password_option] = names;
    Store {
        location: (location, path),
        kind: (kind_option, kind),
        password: (password_option, password.map(Password::reveal)),
    }
}

fn fault(refusal: Refusal) -> Fault {
    (refusal.option, refusal.reason)
}

fn read(option: &'static str, file: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(file).map_err(|error| (option, format!("{}: {error}", file.display())))
}
