//! The options of the input `beats`, and what is made of them.

use std::time::Duration;

use super::Server;
use super::events::Enricher;
use crate::plugin::{Block, CodecFactory, Context, EcsMode, Kind, OptionReader, choices, options};
use crate::tls::{ClientAuthentication, ServerTls, check_stores};

choices! {
    /// What events are told beside what the Beat sent.
    pub enum Enrichment {
        SourceMetadata = "source_metadata",
        CodecMetadata = "codec_metadata",
        SslPeerMetadata = "ssl_peer_metadata",
        All = "all",
        None = "none",
    }
}

options! {
    #[derive(Debug)]
    #[expect(dead_code, reason = "some options are read for their checks alone")]
    pub struct Beats {
        /// The address to listen on.
        host: String = "0.0.0.0",
        /// The port to listen on.
        port: u16,
        /// Seconds after which a connection is closed on which nothing comes. 0: never.
        client_inactivity_timeout: u64 = 60,
        /// What to add to events: source_metadata (the client's address), codec_metadata (the tag that tells which codec
        /// was used, and what the codec adds), ssl_peer_metadata (protocol, cipher and the client's certificate), or all
        /// or none of these. Default: source_metadata and codec_metadata.
        enrich: Vec<Enrichment> = [],
        /// Whether events get a tag that tells which codec was used. `enrich` says it better.
        include_codec_tag: bool = true,
        /// Whether events tell of the client's certificate. `enrich` says it better.
        ssl_peer_metadata: bool = false,
        /// Whether the Beat's hostname is copied to the field `host`, in ECS mode `[@metadata][input][beats][host][name]`.
        add_hostname: bool = false,
        /// Has no effect: connections are served by the process's threads.
        executor_threads: Option<u64>,
        /// Has no effect: connections are served by the process's threads.
        event_loop_threads: u64 = 0,
        ..tls: ServerTls,
    }
}

/// The options that are better not used.
pub const DEPRECATED: &[(&str, &str)] = &[
    ("include_codec_tag", "use enrich"),
    ("ssl_peer_metadata", "use enrich => [\"source_metadata\", \"codec_metadata\", \"ssl_peer_metadata\"]"),
    ("add_hostname", "Beats say themselves what is in an event"),
    ("tls_min_version", "use ssl_supported_protocols"),
    ("tls_max_version", "use ssl_supported_protocols"),
];

/// The options that older versions had.
pub const REFUSED: &[(&str, &str)] = &[
    ("congestion_threshold", "clients wait while the queue is full, without a limit of time"),
    ("target_field_for_codec", "the codec reads the field message, and nothing else can be chosen"),
];

/// Which enrichments are on.
struct Enrichments {
    source: bool,
    codec: bool,
    ssl_peer: bool,
}

/// Reads the options and makes the input.
pub fn build(reader: &mut OptionReader<'_>) -> Option<Server> {
    let codec: Option<CodecFactory> = reader.take("codec", Some("plain"));
    let options = Beats::read(reader)?;
    for threads in ["executor_threads", "event_loop_threads"] {
        reader.no_effect(threads, "connections are served by threads that all of the process shares");
    }
    let enrichments = enrichments(&options, reader)?;
    let codec = with_metadata(codec?, enrichments.codec, reader)?;
    let acceptor = acceptor(&options.tls, reader)?;
    let tagged =
        if reader.is_given("include_codec_tag") { options.include_codec_tag } else { enrichments.codec };
    let enricher =
        Enricher::new(reader.ecs(), options.add_hostname, enrichments.source, tagged.then(|| codec.name()))?;
    let idle = options.client_inactivity_timeout;
    Some(Server {
        host: options.host,
        port: options.port,
        handshake_timeout: options.tls.handshake_timeout(),
        acceptor,
        ssl_peer: enrichments.ssl_peer && asks_for_certificates(&options.tls),
        codec,
        enricher,
        idle: (idle > 0).then(|| Duration::from_secs(idle)),
    })
}

fn enrichments(options: &Beats, reader: &mut OptionReader<'_>) -> Option<Enrichments> {
    if !reader.is_given("enrich") {
        return Some(Enrichments { source: true, codec: true, ssl_peer: options.ssl_peer_metadata });
    }
    for old in ["include_codec_tag", "ssl_peer_metadata"] {
        if reader.is_given(old) {
            reader.error(old, "enrich is given as well; use enrich alone");
            return None;
        }
    }
    let has = |one| options.enrich.contains(&one);
    let (all, none) = (has(Enrichment::All), has(Enrichment::None));
    if (all || none) && options.enrich.len() > 1 {
        reader.error("enrich", "all and none stand alone");
        return None;
    }
    Some(Enrichments {
        source: all || has(Enrichment::SourceMetadata),
        codec: all || has(Enrichment::CodecMetadata),
        ssl_peer: all || has(Enrichment::SslPeerMetadata),
    })
}

/// The codec. The default one adds nothing of its own where codecs' metadata is not wanted.
fn with_metadata(codec: CodecFactory, wanted: bool, reader: &mut OptionReader<'_>) -> Option<CodecFactory> {
    if codec.name() == "multiline" {
        reader.error(
            "codec",
            "multiline does not work here: let Filebeat join lines, with its option multiline",
        );
        return None;
    }
    if wanted {
        return Some(codec);
    }
    if reader.is_given("codec") {
        reader.warning("codec", "enrich leaves out codec_metadata; the codec adds its own all the same");
        return Some(codec);
    }
    let bare = Block::bare(Kind::Codec, codec.name(), reader.span("codec"));
    match CodecFactory::new(&bare, &Context { ecs: EcsMode::Disabled, ..reader.context.clone() }) {
        Ok(codec) => Some(codec),
        Err(problems) => {
            problems.into_iter().for_each(|problem| reader.report(problem));
            None
        }
    }
}

fn acceptor(tls: &ServerTls, reader: &mut OptionReader<'_>) -> Option<Option<tokio_rustls::TlsAcceptor>> {
    if !tls.ssl_enabled {
        for option in ServerTls::OPTIONS.iter().filter(|option| option.name != "ssl_enabled") {
            reader.no_effect(option.name, "ssl_enabled is false");
        }
        return Some(None);
    }
    check_stores(reader, false);
    let authorities = tls.names_authorities();
    if authorities && tls.ssl_client_authentication == Some(ClientAuthentication::None) {
        let why = "they need ssl_client_authentication => \"optional\" or \"required\"";
        reader.error("ssl_certificate_authorities", why);
        return None;
    }
    let authentication =
        if authorities { ClientAuthentication::Required } else { ClientAuthentication::None };
    tls.acceptor(authentication, reader)
}

/// Whether clients can show certificates at all.
fn asks_for_certificates(tls: &ServerTls) -> bool {
    let asked = match tls.ssl_client_authentication {
        None => tls.names_authorities(),
        Some(authentication) => authentication != ClientAuthentication::None,
    };
    tls.ssl_enabled && asked
}
