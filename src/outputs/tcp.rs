//! Output `tcp`: writes events to a connection, or to everyone who connects (logstash-output-tcp).

mod client;
mod server;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use tokio_rustls::TlsAcceptor;

use crate::event::Event;
use crate::net::Peer;
use crate::plugin::{
    Build, CodecFactory, Example, Kind, OptionReader, Output, Password, Spec, Undelivered, choices, options,
};
use crate::tls::{ClientAuthentication, ClientTls, ServerTls, VerificationMode};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "tcp",
    summary: "Writes events to TCP connections.",
    options: Tcp::OPTIONS,
    renamed: &[
        ("ssl_enable", "ssl_enabled"),
        ("ssl_cert", "ssl_certificate"),
        ("ssl_cacert", "ssl_certificate_authorities"),
    ],
    deprecated: &[(
        "ssl_verify",
        "use ssl_client_authentication in server mode, ssl_verification_mode in client mode",
    )],
    refused: &[],
    default_codec: Some("json"),
    example: Example {
        config: r#"output { tcp { host => "logs.example.org" port => 5000 codec => json_lines } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(build),
};

choices! {
    /// Who opens the connections.
    pub enum Mode { Server = "server", Client = "client" }
}

options! {
    #[derive(Debug)]
    pub struct Tcp {
        /// The host to connect to, or the address to listen on.
        host: String,
        /// The port to connect to, or to listen on.
        port: u16,
        /// Longest time in seconds between two tries to connect; the first ones follow sooner.
        reconnect_interval: f64 = 10,
        /// client connects, server writes every event to all who are connected.
        mode: Mode = "client",
        /// Whether connections are encrypted.
        ssl_enabled: bool = false,
        /// In server mode: whether clients must show a certificate.
        ssl_client_authentication: ClientAuthentication = "none",
        /// In server mode an old name of `ssl_client_authentication` (required or none), in client mode of
        /// `ssl_verification_mode` (full or none).
        ssl_verify: Option<bool>,
        /// In client mode: full checks the server's certificate and name, none takes any server.
        ssl_verification_mode: VerificationMode = "full",
        /// PEM files with the authorities that the peer's certificate must come from. Default for clients: the system's.
        ssl_certificate_authorities: Vec<PathBuf> = [],
        /// PEM file with this side's certificate, followed by those between it and the authority.
        ssl_certificate: Option<PathBuf>,
        /// PEM file with the certificate's private key: PKCS#8, PKCS#1 or SEC1.
        ssl_key: Option<PathBuf>,
        /// What the key is encrypted with.
        ssl_key_passphrase: Option<Password>,
        /// Protocol versions to speak: TLSv1.2, TLSv1.3. Default: both.
        ssl_supported_protocols: Vec<String> = [],
        /// Cipher suites to offer, by their standard names, best first. Default: all that are safe.
        ssl_cipher_suites: Vec<String> = [],
    }
}

fn build(reader: &mut OptionReader<'_>) -> Option<Box<dyn Output>> {
    let codec: Option<CodecFactory> = reader.take("codec", Some("json"));
    let mut options = Tcp::read(reader)?;
    settle(&mut options, reader)?;
    let address = (options.host.clone(), options.port);
    match options.mode {
        Mode::Client => {
            let peer = Peer::new(address.0, address.1);
            let peer = if options.ssl_enabled { with_tls(peer, &options, reader)? } else { peer };
            let pause =
                Duration::try_from_secs_f64(options.reconnect_interval).unwrap_or(Duration::from_secs(10));
            Some(Box::new(client::Client::new(peer, pause, codec?)))
        }
        Mode::Server => {
            let tls = if options.ssl_enabled { acceptor(&options, reader)? } else { None };
            Some(Box::new(server::Server::new(address, tls, codec?)))
        }
    }
}

/// Checks what the `ssl_*` options say together (`validate_ssl_config!`), and reads `ssl_verify` as what it is in this mode.
fn settle(options: &mut Tcp, reader: &mut OptionReader<'_>) -> Option<()> {
    if !options.ssl_enabled {
        for option in Tcp::OPTIONS.iter().filter(|option| option.name.starts_with("ssl_")) {
            if option.name != "ssl_enabled" {
                reader.no_effect(option.name, "ssl_enabled is false");
            }
        }
        return Some(());
    }
    let (right, wrong) = match options.mode {
        Mode::Server => ("ssl_client_authentication", "ssl_verification_mode"),
        Mode::Client => ("ssl_verification_mode", "ssl_client_authentication"),
    };
    if reader.is_given(wrong) {
        reader.error(wrong, format!("in this mode it is {right}"));
        return None;
    }
    let Some(verify) = options.ssl_verify else { return Some(()) };
    if reader.is_given(right) {
        reader.error("ssl_verify", format!("it is the old name of {right}, which is given as well"));
        return None;
    }
    (options.ssl_client_authentication, options.ssl_verification_mode) = match verify {
        true => (ClientAuthentication::Required, VerificationMode::Full),
        false => (ClientAuthentication::None, VerificationMode::None),
    };
    Some(())
}

fn with_tls(peer: Peer, options: &Tcp, reader: &mut OptionReader<'_>) -> Option<Peer> {
    let tls = ClientTls {
        ssl_certificate_authorities: options.ssl_certificate_authorities.clone(),
        ssl_certificate: options.ssl_certificate.clone(),
        ssl_key: options.ssl_key.clone(),
        ssl_key_passphrase: options.ssl_key_passphrase.clone(),
        ssl_verification_mode: options.ssl_verification_mode,
        ssl_supported_protocols: options.ssl_supported_protocols.clone(),
        ssl_cipher_suites: options.ssl_cipher_suites.clone(),
        ..ClientTls::default()
    };
    let config = tls.checked(reader)?;
    let peer = peer.with_tls(config);
    if peer.is_none() {
        reader.error("host", "it is no name that a certificate could have");
    }
    peer
}

fn acceptor(options: &Tcp, reader: &mut OptionReader<'_>) -> Option<Option<TlsAcceptor>> {
    let tls = ServerTls {
        ssl_enabled: true,
        ssl_certificate: options.ssl_certificate.clone(),
        ssl_key: options.ssl_key.clone(),
        ssl_key_passphrase: options.ssl_key_passphrase.clone(),
        ssl_certificate_authorities: options.ssl_certificate_authorities.clone(),
        ssl_supported_protocols: options.ssl_supported_protocols.clone(),
        ssl_cipher_suites: options.ssl_cipher_suites.clone(),
        ..ServerTls::default()
    };
    tls.acceptor(options.ssl_client_authentication, reader)
}

/// The bytes of a batch, and the events that cannot be written at all.
fn encode(codec: &CodecFactory, events: &[&Event]) -> (Vec<u8>, Vec<Undelivered>) {
    let (mut bytes, mut dead) = (Vec::new(), Vec::new());
    for (index, event) in events.iter().enumerate() {
        let before = bytes.len();
        if let Err(error) = codec.encoder().encode(event, &mut bytes) {
            bytes.truncate(before);
            dead.push(Undelivered { index, reason: error.to_string() });
        }
    }
    (bytes, dead)
}
