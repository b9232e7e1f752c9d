//! The options of the input `http`, and what is made of them.

use std::collections::HashMap;
use std::thread::available_parallelism;

use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::Server;
use super::request::{Fields, Requests};
use crate::event::FieldReference;
use crate::plugin::{CodecFactory, ConfigValue, FromOption, OptionReader, Pairs, Password, choices, options};
use crate::tls::{ClientAuthentication, ServerTls, check_stores};

choices! {
    /// The status of an answer to a request that was taken.
    pub enum ResponseCode { Ok = "200", Created = "201", Accepted = "202", NoContent = "204" }
}

options! {
    #[derive(Debug)]
    pub struct Http {
        /// The address to listen on.
        host: String = "0.0.0.0",
        /// The port to listen on.
        port: u16 = 8080,
        /// User name that clients must give (basic authentication); counts together with `password`.
        user: Option<String>,
        /// Password that clients must give.
        password: Option<Password>,
        /// Codecs by content type; other types are read with `codec`.
        additional_codecs: Pairs = ["application/json", "json"],
        /// Headers of the answers to requests that were taken.
        response_headers: Pairs = ["Content-Type", "text/plain"],
        /// Status of the answers to requests that were taken.
        response_code: ResponseCode = 200,
        /// Field for the client's address. Default: `[host][ip]`, without ECS `host`.
        remote_host_target_field: Option<FieldReference>,
        /// Field for the request's headers. Default: `[@metadata][input][http][request][headers]`, without ECS `headers`.
        request_headers_target_field: Option<FieldReference>,
        /// How many requests may wait for the pipeline beside `max_pending_requests`. Default: as many as there are
        /// processors.
        threads: Option<usize>,
        /// How many requests may wait for the pipeline; more are answered with 429.
        max_pending_requests: usize = 200,
        /// Longest body in bytes, unpacked; longer ones are answered with 413.
        max_content_length: usize = 104857600,
        ..tls: ServerTls,
    }
}

/// Reads the options and makes the input.
pub fn build(reader: &mut OptionReader<'_>) -> Option<Server> {
    let codec: Option<CodecFactory> = reader.take("codec", Some("plain"));
    let options = Http::read(reader)?;
    let codecs = additional_codecs(&options.additional_codecs, reader);
    let headers = response_headers(&options.response_headers, reader);
    let acceptor = acceptor(&options.tls, reader)?;
    let field = |given: &Option<FieldReference>, default: &str| match given {
        Some(given) => Some(given.clone()),
        None => FieldReference::parse(default).ok(),
    };
    let ecs = reader.ecs();
    let fields = Fields::new(
        field(&options.remote_host_target_field, ecs.select("host", "[host][ip]"))?,
        field(
            &options.request_headers_target_field,
            ecs.select("headers", "[@metadata][input][http][request][headers]"),
        )?,
        ecs,
    )?;
    let token = options.user.as_ref().zip(options.password.as_ref()).map(|(user, password)| {
        let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.reveal()));
        Password::new(format!("Basic {pair}"))
    });
    let threads = options.threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let status = match options.response_code {
        ResponseCode::Ok => StatusCode::OK,
        ResponseCode::Created => StatusCode::CREATED,
        ResponseCode::Accepted => StatusCode::ACCEPTED,
        ResponseCode::NoContent => StatusCode::NO_CONTENT,
    };
    let waiting = threads.saturating_add(options.max_pending_requests);
    Some(Server {
        host: options.host,
        port: options.port,
        handshake_timeout: options.tls.handshake_timeout(),
        acceptor,
        requests: Requests {
            token,
            codec: codec?,
            codecs: codecs?,
            fields,
            answer: (status, headers?),
            longest: options.max_content_length,
            waiting: super::request::Waiting::new(waiting),
        },
    })
}

fn additional_codecs(pairs: &Pairs, reader: &mut OptionReader<'_>) -> Option<HashMap<String, CodecFactory>> {
    let mut codecs = HashMap::new();
    let mut right = true;
    for (content_type, codec) in pairs.iter() {
        match CodecFactory::from_option(codec, reader.context) {
            Ok(codec) => _ = codecs.insert(content_type.to_owned(), codec),
            Err(problems) => {
                right = false;
                problems.into_iter().for_each(|problem| reader.report(problem));
            }
        }
    }
    right.then_some(codecs)
}

fn response_headers(pairs: &Pairs, reader: &mut OptionReader<'_>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs.iter() {
        let header = HeaderName::from_bytes(name.as_bytes()).ok();
        let text = value.as_single().and_then(ConfigValue::scalar_text);
        let Some((header, value)) = header.zip(text.and_then(|text| HeaderValue::from_str(&text).ok()))
        else {
            reader.error("response_headers", format!("{name:?} and its value cannot be a header"));
            return None;
        };
        headers.insert(header, value);
    }
    // An answer has a body, and that is always text.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Some(headers)
}

fn acceptor(tls: &ServerTls, reader: &mut OptionReader<'_>) -> Option<Option<tokio_rustls::TlsAcceptor>> {
    if !tls.ssl_enabled {
        for option in ServerTls::OPTIONS.iter().filter(|option| option.name != "ssl_enabled") {
            reader.no_effect(option.name, "ssl_enabled is false");
        }
        return Some(None);
    }
    let authentication = tls.ssl_client_authentication.unwrap_or(ClientAuthentication::None);
    if authentication == ClientAuthentication::None && tls.names_authorities() {
        let option = match tls.ssl_truststore_path {
            Some(_) => "ssl_truststore_path",
            None => "ssl_certificate_authorities",
        };
        reader.error(option, "it needs ssl_client_authentication => \"optional\" or \"required\"");
        return None;
    }
    check_stores(reader, false);
    tls.acceptor(authentication, reader)
}
