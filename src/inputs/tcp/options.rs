//! The options of the input `tcp`, and what is made of them.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::Endpoint;
use super::connection::{Connections, Fields};
use crate::plugin::{OptionReader, Password, StreamCodec, choices, options};
use crate::tls::{ClientAuthentication, ClientTls, ServerTls, VerificationMode};

choices! {
    /// Who opens the connections.
    pub enum Mode { Server = "server", Client = "client" }
}

options! {
    #[derive(Debug)]
    pub struct Tcp {
        /// The address to listen on, or the host to connect to.
        host: String = "0.0.0.0",
        /// The port to listen on, or to connect to.
        port: u16,
        /// server listens, client connects.
        mode: Mode = "server",
        /// Whether connections begin with a PROXY protocol header, version 1.
        proxy_protocol: bool = false,
        /// Whether the system probes quiet connections.
        tcp_keep_alive: bool = false,
        /// Whether the peer's address is turned into its name.
        dns_reverse_lookup_enabled: bool = true,
        /// Whether connections are encrypted.
        ssl_enabled: bool = false,
        /// PEM file with this side's certificate, followed by those between it and the authority.
        ssl_certificate: Option<PathBuf>,
        /// PEM file with the certificate's private key: PKCS#8, PKCS#1 or SEC1.
        ssl_key: Option<PathBuf>,
        /// What the key is encrypted with.
        ssl_key_passphrase: Option<Password>,
        /// PEM files with certificates to send along with `ssl_certificate`.
        ssl_extra_chain_certs: Vec<PathBuf> = [],
        /// PEM files with the authorities that the peer's certificate must come from.
        ssl_certificate_authorities: Vec<PathBuf> = [],
        /// In server mode: whether clients must show a certificate. Default: required.
        ssl_client_authentication: Option<ClientAuthentication>,
        /// In client mode: full checks the server's certificate and name, none takes any server. Default: full.
        ssl_verification_mode: Option<VerificationMode>,
        /// In server mode an old name of `ssl_client_authentication` (required or none), in client mode of
        /// `ssl_verification_mode` (full or none).
        ssl_verify: Option<bool>,
        /// Protocol versions to speak: TLSv1.2, TLSv1.3. Default: both.
        ssl_supported_protocols: Vec<String> = [],
        /// Cipher suites to offer, by their standard names, best first. Default: all that are safe.
        ssl_cipher_suites: Vec<String> = [],
    }
}

/// The old names.
pub const RENAMED: &[(&str, &str)] = &[("ssl_enable", "ssl_enabled"), ("ssl_cert", "ssl_certificate")];

/// What has another name in either mode.
pub const DEPRECATED: &[(&str, &str)] =
    &[("ssl_verify", "use ssl_client_authentication in server mode, ssl_verification_mode in client mode")];

/// How bytes travel.
pub enum Transport {
    Plain,
    Accept(TlsAcceptor),
    Connect(TlsConnector, ServerName<'static>),
}

/// Reads the options and makes the input.
pub fn build(reader: &mut OptionReader<'_>) -> Option<Endpoint> {
    let codec: Option<StreamCodec> = reader.take("codec", Some("line"));
    let options = Tcp::read(reader)?;
    let transport = transport(&options, reader)?;
    let connections = Connections {
        codec: codec?.0,
        fields: Fields::new(reader.ecs())?,
        proxy: options.proxy_protocol,
        look_up: options.dns_reverse_lookup_enabled,
    };
    let Tcp { mode, host, port, tcp_keep_alive, .. } = options;
    Some(Endpoint { mode, host, port, keep_alive: tcp_keep_alive, transport, connections })
}

fn transport(options: &Tcp, reader: &mut OptionReader<'_>) -> Option<Transport> {
    if !options.ssl_enabled {
        for option in Tcp::OPTIONS.iter().filter(|option| option.name.starts_with("ssl_")) {
            if option.name != "ssl_enabled" {
                reader.no_effect(option.name, "ssl_enabled is false");
            }
        }
        return Some(Transport::Plain);
    }
    let (right, wrong) = match options.mode {
        Mode::Server => ("ssl_client_authentication", "ssl_verification_mode"),
        Mode::Client => ("ssl_verification_mode", "ssl_client_authentication"),
    };
    if reader.is_given(wrong) {
        reader.error(wrong, format!("in this mode it is {right}"));
        return None;
    }
    if options.ssl_verify.is_some() && reader.is_given(right) {
        reader.error("ssl_verify", format!("it is the old name of {right}, which is given as well"));
        return None;
    }
    match options.mode {
        Mode::Server => {
            let acceptor = server(options).acceptor(ClientAuthentication::Required, reader)?;
            Some(acceptor.map_or(Transport::Plain, Transport::Accept))
        }
        Mode::Client => {
            let config = client(options).checked(reader)?;
            let Ok(name) = ServerName::try_from(options.host.clone()) else {
                reader.error("host", "it is no name that a certificate could have");
                return None;
            };
            Some(Transport::Connect(TlsConnector::from(Arc::new(config)), name))
        }
    }
}

fn server(options: &Tcp) -> ServerTls {
    let old = options.ssl_verify.map(|verify| match verify {
        true => ClientAuthentication::Required,
        false => ClientAuthentication::None,
    });
    ServerTls {
        ssl_enabled: true,
        ssl_certificate: options.ssl_certificate.clone(),
        ssl_extra_chain_certs: options.ssl_extra_chain_certs.clone(),
        ssl_key: options.ssl_key.clone(),
        ssl_key_passphrase: options.ssl_key_passphrase.clone(),
        ssl_certificate_authorities: options.ssl_certificate_authorities.clone(),
        ssl_client_authentication: options.ssl_client_authentication.or(old),
        ssl_supported_protocols: options.ssl_supported_protocols.clone(),
        ssl_cipher_suites: options.ssl_cipher_suites.clone(),
        ..ServerTls::default()
    }
}

fn client(options: &Tcp) -> ClientTls {
    let mode =
        if options.ssl_verify == Some(false) { VerificationMode::None } else { VerificationMode::Full };
    ClientTls {
        ssl_certificate_authorities: options.ssl_certificate_authorities.clone(),
        ssl_certificate: options.ssl_certificate.clone(),
        ssl_key: options.ssl_key.clone(),
        ssl_key_passphrase: options.ssl_key_passphrase.clone(),
        ssl_verification_mode: options.ssl_verification_mode.unwrap_or(mode),
        ssl_supported_protocols: options.ssl_supported_protocols.clone(),
        ssl_cipher_suites: options.ssl_cipher_suites.clone(),
        ..ClientTls::default()
    }
}
