//! The options of the output `syslog`, and what is made of them.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Mutex;

use super::message::{Content, Form, Messages, Priority};
use super::{Route, Sender};
use crate::event::Template;
use crate::net::{Connection, Peer};
use crate::plugin::{CodecFactory, ConfigKind, ConfigValue, OptionReader, Password, choices, options};
use crate::tls::{ClientTls, Refusal, Revoked, VerificationMode};

choices! {
    /// How messages travel.
    pub enum Protocol { Tcp = "tcp", Udp = "udp", SslTcp = "ssl-tcp" }
}

choices! {
    /// How messages look.
    pub enum Rfc { Rfc3164 = "rfc3164", Rfc5424 = "rfc5424" }
}

choices! {
    /// Which certificates must not have been called back.
    pub enum CrlCheck { Leaf = "leaf", Chain = "chain" }
}

options! {
    #[derive(Debug)]
    pub struct Syslog {
        /// The host to send to.
        host: String,
        /// The port to send to.
        port: u16,
        /// Longest time in seconds between two tries to connect; the first ones follow sooner.
        reconnect_interval: f64 = 1,
        /// udp sends each message in a datagram, tcp in a line, ssl-tcp the same over TLS.
        protocol: Protocol = "udp",
        /// With ssl-tcp: whether the server's certificate and name are checked.
        ssl_verify: bool = false,
        /// PEM files, or directories of them, with the authorities that the server's certificate must come from.
        /// Default: those of the system.
        ssl_certificate_authorities: Vec<PathBuf> = [],
        /// PEM file with the certificate to show to the server.
        ssl_certificate: Option<PathBuf>,
        /// PEM file with that certificate's private key: PKCS#8, PKCS#1 or SEC1.
        ssl_key: Option<PathBuf>,
        /// What the key is encrypted with.
        ssl_key_passphrase: Option<Password>,
        /// PEM file with lists of revoked certificates, of version 2.
        ssl_crl_path: Option<PathBuf>,
        /// leaf looks for the server's own certificate in those lists, chain for those above it as well.
        ssl_crl_check: Vec<CrlCheck> = ["leaf"],
        /// Cipher suites to offer, by their standard names, best first. Default: all that are safe.
        ssl_cipher_suites: Vec<String> = [],
        /// Protocol versions to speak: TLSv1.2, TLSv1.3. Default: both.
        ssl_supported_protocols: Vec<String> = [],
        /// Whether `facility` and `severity` give the priority; otherwise `priority` does.
        use_labels: bool = true,
        /// The priority, a number; may hold `%{field}`. What is no number from 0 to 191 counts as 13.
        priority: Template = "%{syslog_pri}",
        /// The facility's name; may hold `%{field}`. One of kernel, user-level, mail, daemon, security/authorization,
        /// syslogd, line printer, network news, uucp, clock, ftp, ntp, log audit, log alert, local0 to local7: their
        /// numbers are their places in this list, as in Logstash (RFC 5424 counts otherwise from ftp on; for exact
        /// numbers use `priority`). Others count as user-level.
        facility: Template = "user-level",
        /// The severity's name; may hold `%{field}`. One of emergency, alert, critical, error, warning, notice,
        /// informational, debug; others count as notice.
        severity: Template = "notice",
        /// The host that the message says it is from; may hold `%{field}`.
        sourcehost: Template = "%{host}",
        /// The application; may hold `%{field}`.
        appname: Template = "LOGSTASH",
        /// The process; may hold `%{field}`.
        procid: Template = "-",
        /// The message; may hold `%{field}`. It does not count where a codec makes the message.
        message: Template = "%{message}",
        /// With rfc5424: the kind of message; may hold `%{field}`.
        msgid: Template = "-",
        /// How messages look.
        rfc: Rfc = "rfc3164",
        /// With rfc5424: the structured data; may hold `%{field}`. Empty: none.
        structured_data: Template = "",
    }
}

/// Reads the options and makes the output.
pub fn build(reader: &mut OptionReader<'_>) -> Option<Sender> {
    let codec: Option<CodecFactory> = reader.take("codec", Some("plain"));
    let options = Syslog::read(reader)?;
    let form = form(&options, reader);
    let peer = Peer::new(options.host.clone(), options.port);
    let pause = Duration::try_from_secs_f64(options.reconnect_interval).unwrap_or(Duration::from_secs(1));
    let route = match options.protocol {
        Protocol::Udp => Route::Udp { host: options.host.clone(), port: options.port },
        Protocol::Tcp => Route::Tcp { connection: Mutex::new(Connection::new(peer)), pause },
        Protocol::SslTcp => {
            let peer = with_tls(peer, &options, reader)?;
            Route::Tcp { connection: Mutex::new(Connection::new(peer)), pause }
        }
    };
    if options.protocol != Protocol::SslTcp {
        for option in Syslog::OPTIONS.iter().filter(|option| option.name.starts_with("ssl_")) {
            reader.no_effect(option.name, "protocol is not ssl-tcp");
        }
    }
    let codec = codec?;
    let own_format = codec.name() != "plain" || has_format(reader.value("codec"));
    if own_format {
        reader.no_effect("message", "the codec makes the message");
    }
    let time = match options.rfc {
        Rfc::Rfc3164 => "%{+MMM dd HH:mm:ss}",
        Rfc::Rfc5424 => "%{+YYYY-MM-dd'T'HH:mm:ss.SSSZZ}",
    };
    let priority = match options.use_labels {
        true => Priority::Labels { facility: options.facility, severity: options.severity },
        false => Priority::Number(options.priority),
    };
    let content = if own_format { Content::Codec(codec) } else { Content::Format(options.message) };
    let messages = Messages {
        priority,
        form: form?,
        time: Template::parse(time),
        source: options.sourcehost,
        app: options.appname,
        process: options.procid,
        content,
    };
    Some(Sender { messages, route })
}

fn form(options: &Syslog, reader: &mut OptionReader<'_>) -> Option<Form> {
    let data = !options.structured_data.source().is_empty();
    match options.rfc {
        Rfc::Rfc3164 if data => {
            reader.error("structured_data", "messages of RFC 3164 have none; use rfc => \"rfc5424\"");
            None
        }
        Rfc::Rfc3164 => Some(Form::Rfc3164),
        Rfc::Rfc5424 => Some(Form::Rfc5424 {
            message_id: options.msgid.clone(),
            structured_data: data.then(|| options.structured_data.clone()),
        }),
    }
}

/// Whether a codec is given with a format of its own.
fn has_format(codec: Option<&ConfigValue>) -> bool {
    match codec.map(|codec| &codec.kind) {
        Some(ConfigKind::Plugin(plugin)) => {
            plugin.attributes.iter().any(|given| &*given.name.text == "format")
        }
        _ => false,
    }
}

fn with_tls(peer: Peer, options: &Syslog, reader: &mut OptionReader<'_>) -> Option<Peer> {
    let config = config(options, reader.is_given("ssl_crl_check"));
    let config = config.map_err(|refusal| reader.error(refusal.option, refusal.reason)).ok()?;
    let peer = peer.with_tls(config);
    if peer.is_none() {
        reader.error("host", "it is no name that a certificate could have");
    }
    peer
}

fn config(options: &Syslog, check_given: bool) -> Result<rustls::ClientConfig, Refusal> {
    let chain = options.ssl_crl_check.contains(&CrlCheck::Chain);
    if chain && options.ssl_crl_check.contains(&CrlCheck::Leaf) {
        return Err(Refusal::new("ssl_crl_check", "give one of leaf and chain, not both"));
    }
    let mode = if options.ssl_verify { VerificationMode::Full } else { VerificationMode::None };
    let tls = ClientTls {
        ssl_certificate_authorities: files(&options.ssl_certificate_authorities)?,
        ssl_certificate: options.ssl_certificate.clone(),
        ssl_key: options.ssl_key.clone(),
        ssl_key_passphrase: options.ssl_key_passphrase.clone(),
        ssl_verification_mode: mode,
        ssl_supported_protocols: options.ssl_supported_protocols.clone(),
        ssl_cipher_suites: options.ssl_cipher_suites.clone(),
        ..ClientTls::default()
    };
    match &options.ssl_crl_path {
        None if check_given => Err(Refusal::new("ssl_crl_check", "it needs ssl_crl_path")),
        None => tls.config(),
        Some(path) => tls.config_revoking(Revoked::read("ssl_crl_path", path, chain)?),
    }
}

/// The files that these paths stand for: a directory for all in it.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Refusal> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let refused = |error: std::io::Error| {
            Refusal::new("ssl_certificate_authorities", format!("cannot read {}: {error}", path.display()))
        };
        for entry in std::fs::read_dir(path).map_err(refused)? {
            let entry = entry.map_err(refused)?.path();
            if entry.is_file() {
                files.push(entry);
            }
        }
    }
    Ok(files)
}
