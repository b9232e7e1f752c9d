//! Output `http`: sends events to a server, each in a request of its own or a batch in one (logstash-output-http).

mod body;
#[cfg(test)]
mod tests;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::{BoxFuture, join_all};
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url};

use crate::event::{Event, SprintfError, Template};
use crate::http_client::{HttpClient, HttpError, HttpOptions, InvalidHeader, append_header};
use crate::plugin::{
    Build, ConfigValue, Delivery, Example, Kind, OptionReader, Output, Pairs, Spec, Undelivered, choices,
    options, take_unused_codec,
};
use crate::tls::ClientTls;

use body::Body;

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "http",
    summary: "Sends events to a server over HTTP.",
    options: Options::OPTIONS,
    renamed: ClientTls::RENAMED,
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output {
  http {
    url => "https://collector.example.com/%{type}"
    http_method => "post"
    headers => { "X-Host" => "%{[host][name]}" }
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| Some(Box::new(Http::build(reader)?))),
};

choices! {
    /// The requests' method.
    enum Verb {
        Put = "put",
        Post = "post",
        Patch = "patch",
        Delete = "delete",
        Get = "get",
        Head = "head",
    }
}

choices! {
    /// How a body is made of an event.
    enum Format {
        Json = "json",
        /// All events of a batch in one request, as a JSON array.
        JsonBatch = "json_batch",
        Form = "form",
        Message = "message",
    }
}

options! {
    struct Options {
        /// The URL; may hold `%{...}`, except with `format => "json_batch"`.
        url: Template,
        /// The requests' method.
        http_method: Verb,
        /// Headers of the requests; values may hold `%{...}`, except with `format => "json_batch"`.
        headers: Pairs = {},
        /// The content type. Default: the one that belongs to `format`.
        content_type: Option<String>,
        /// Send what failed again, until it succeeds.
        retry_failed: bool = true,
        /// Answers after which a request is sent again.
        retryable_codes: Vec<u16> = [429, 500, 502, 503, 504],
        /// Answers that count as success beside those from 200 to 299.
        ignorable_codes: Vec<u16> = [],
        /// What to send instead of the whole event: a hash, whose values may hold `%{...}`.
        mapping: Option<Pairs>,
        /// json and form send an event as such, message the text of `message`, json_batch a whole batch in one array.
        format: Format = "json",
        /// Compress bodies with gzip.
        http_compression: bool = false,
        /// The body, with `format => "message"`; may hold `%{...}`.
        message: Option<Template>,
        ..client: HttpOptions,
    }
}

struct Http {
    client: HttpClient,
    url: Template,
    method: Method,
    headers: Vec<(String, Template)>,
    body: Body,
    /// All events of a batch go into one request.
    whole_batch: bool,
    compress: bool,
    retry_failed: bool,
    retryable_codes: Vec<u16>,
    ignorable_codes: Vec<u16>,
}

/// A request that can never be made of this event.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    #[error("the event makes no URL of it")]
    Url,
    #[error("the body cannot be compressed: {0}")]
    Compression(#[from] std::io::Error),
}

/// Why a request has not delivered its events.
struct Failure {
    reason: String,
    retry: bool,
}

/// What of an answer's body is shown in the log.
const SHOWN_BODY: usize = 300;

impl Http {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        take_unused_codec(reader);
        let options = Options::read(reader)?;
        let plain = options.url.source().starts_with("http://");
        let client = options.client.client(plain, reader);
        let headers = headers(reader, &options);
        let whole_batch = options.format == Format::JsonBatch;
        if whole_batch && Url::parse(options.url.source()).is_err() {
            reader.error("url", "with json_batch it must be a whole URL; nothing in it is replaced");
        }
        let tree = options.mapping.as_ref().map(Body::mapping);
        let body = match options.format {
            Format::Json | Format::JsonBatch => Body::Json(tree),
            Format::Form => Body::Form(tree),
            Format::Message => {
                reader.no_effect("mapping", "format is message");
                let Some(message) = options.message else {
                    reader.error("format", "message needs the option message");
                    return None;
                };
                Body::Message(message)
            }
        };
        Some(Http {
            client: client?,
            url: options.url,
            method: match options.http_method {
                Verb::Put => Method::PUT,
                Verb::Post => Method::POST,
                Verb::Patch => Method::PATCH,
                Verb::Delete => Method::DELETE,
                Verb::Get => Method::GET,
                Verb::Head => Method::HEAD,
            },
            headers: headers?,
            body,
            whole_batch,
            compress: options.http_compression,
            retry_failed: options.retry_failed,
            retryable_codes: options.retryable_codes,
            ignorable_codes: options.ignorable_codes,
        })
    }

    /// The request's parts. A batch has one URL and one set of headers, in which nothing is replaced.
    fn request(&self, events: &[&Event]) -> Result<(Url, HeaderMap, Vec<u8>), Unfit> {
        let event = if self.whole_batch { None } else { events.first().copied() };
        let rendered = |template: &Template| match event {
            Some(event) => template.render(event),
            None => Ok(template.source().to_owned()),
        };
        let url = Url::parse(&rendered(&self.url)?).map_err(|_| Unfit::Url)?;
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 1);
        for (name, value) in &self.headers {
            append_header(&mut headers, name, &rendered(value)?)?;
        }
        let mut body = match event {
            Some(event) => self.body.of_event(event)?,
            None => self.body.of_batch(events)?,
        };
        if self.compress {
            let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::default());
            encoder.write_all(&body)?;
            body = encoder.finish()?;
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok((url, headers, body))
    }

    async fn send(&self, events: &[&Event]) -> Result<(), Failure> {
        let (url, headers, body) = self.request(events).map_err(|unfit| {
            let reason = format!("no request to {} can be made: {unfit}", self.url.source());
            Failure { reason, retry: false }
        })?;
        let mut request = self.client.request(self.method.clone(), url.as_str()).headers(headers);
        // An answer to HEAD is all about the URL.
        if self.method != Method::HEAD {
            request = request.body(body);
        }
        match self.client.send(request).await {
            Ok(response) => self.judge(response).await,
            // No way to the server and no answer from it: it may come back.
            Err(error) => Err(Failure { reason: self.unreachable(&error), retry: self.retry_failed }),
        }
    }

    fn unreachable(&self, error: &HttpError) -> String {
        format!("could not send to {}: {error}", self.url.source())
    }

    async fn judge(&self, response: Response) -> Result<(), Failure> {
        let status = response.status();
        let code = status.as_u16();
        // Read to its end, so that the connection can be used again.
        let body = response.bytes().await.unwrap_or_default();
        if status.is_success() || self.ignorable_codes.contains(&code) {
            return Ok(());
        }
        let body: String = String::from_utf8_lossy(&body).chars().take(SHOWN_BODY).collect();
        let reason = format!("{} answered {status}: {body}", self.url.source());
        Err(Failure { reason, retry: self.retry_failed && self.retryable_codes.contains(&code) })
    }
}

/// The option `headers`, with the content type.
fn headers(reader: &mut OptionReader<'_>, options: &Options) -> Option<Vec<(String, Template)>> {
    let content_type = options.content_type.as_deref().unwrap_or(match options.format {
        Format::Json | Format::JsonBatch => "application/json",
        Format::Form => "application/x-www-form-urlencoded",
        Format::Message => "text/plain",
    });
    let mut headers = vec![("Content-Type".to_owned(), Template::parse(content_type))];
    for (name, value) in options.headers.iter() {
        if name.eq_ignore_ascii_case("content-type") {
            reader.warning("headers", format!("the option content_type sets {name}: {content_type} is sent"));
            continue;
        }
        if HeaderName::try_from(name).is_err() {
            reader.error("headers", InvalidHeader(name.to_owned()).to_string());
            return None;
        }
        let Some(text) = value.as_single().and_then(ConfigValue::scalar_text) else {
            reader.error("headers", format!("\"{name}\" needs a text, not {}", value.describe()));
            return None;
        };
        headers.push((name.to_owned(), Template::parse(&text)));
    }
    Some(headers)
}

impl Output for Http {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async move {
            // As many at a time as pool_max allows.
            let sent = if self.whole_batch {
                vec![self.send(events).await]
            } else {
                join_all(events.chunks(1).map(|event| self.send(event))).await
            };
            let mut delivery = Delivery::done();
            for (at, sent) in sent.into_iter().enumerate() {
                let Err(failure) = sent else { continue };
                let indices = if self.whole_batch { 0..events.len() } else { at..at + 1 };
                let to = if failure.retry { &mut delivery.retry } else { &mut delivery.dead };
                to.extend(indices.map(|index| Undelivered { index, reason: failure.reason.clone() }));
            }
            delivery
        })
    }
}
