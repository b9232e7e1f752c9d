//! Filter `http`: asks a server for every event and keeps the answer (logstash-filter-http).

mod template;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response, StatusCode};

use crate::event::{Event, FieldReference, Object, SetError, SprintfError, Template, Value, json};
use crate::http_client::{
    HttpClient, HttpError, HttpOptions, InvalidHeader, append_header, headers_as_fields,
};
use crate::plugin::{
    Build, ConfigKind, ConfigValue, EcsMode, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Spec,
    blocking, choices, options,
};
use crate::tls::ClientTls;

use template::Tree;

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "http",
    summary: "Asks a server over HTTP for every event and keeps the answer.",
    options: Options::OPTIONS,
    renamed: ClientTls::RENAMED,
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter {
  http {
    # Nobody listens here; a real server's answer would be in [user].
    url => "http://127.0.0.1:9/users/%{id}"
    target_body => "[user]"
  }
}"#,
        input: &[r#"{"id":7}"#],
        output: &[r#"{"id":7,"tags":["_httprequestfailure"]}"#],
    },
    build: Build::Filter(|reader| Some(Box::new(Http::build(reader)?))),
};

choices! {
    /// The request's method.
    enum Verb {
        Get = "GET",
        Head = "HEAD",
        Patch = "PATCH",
        Delete = "DELETE",
        Post = "POST",
        Put = "PUT",
    }
}

choices! {
    /// How a body is written.
    enum BodyFormat {
        Text = "text",
        Json = "json",
    }
}

options! {
    struct Options {
        /// The URL; may hold `%{...}`.
        url: Template,
        /// The request's method.
        verb: Verb = "GET",
        /// Headers of the request; names and values may hold `%{...}`.
        headers: Pairs = {},
        /// Parameters to append to the URL; names and values may hold `%{...}`.
        query: Pairs = {},
        /// The request's body: a text, or with `body_format => "json"` also an array or a hash. May hold `%{...}`.
        body: Option<ConfigValue>,
        /// How the body is written, and which content type is named if `headers` names none.
        body_format: BodyFormat = "text",
        /// Field that takes the answer's body: as data when it is JSON, else as text. Required with ECS field names;
        /// else `body`.
        target_body: Option<FieldReference>,
        /// Field that takes the answer's headers. Default: `headers`, or with ECS field names
        /// `[@metadata][filter][http][response][headers]`.
        target_headers: Option<FieldReference>,
        /// Tags added when there is no answer, or none of success.
        tag_on_request_failure: Vec<String> = ["_httprequestfailure"],
        /// Tags added when the answer should be JSON and is not.
        tag_on_json_failure: Vec<String> = ["_jsonparsefailure"],
        ..client: HttpOptions,
    }
}

struct Http {
    client: HttpClient,
    url: Template,
    method: Method,
    headers: Vec<(Template, Vec<Template>)>,
    query: Vec<(Template, Vec<Template>)>,
    body: Option<Tree>,
    target_body: FieldReference,
    target_headers: FieldReference,
    tag_on_request_failure: Vec<String>,
    tag_on_json_failure: Vec<String>,
}

/// Why there is no answer to use.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the runtime for requests cannot be started: {0}")]
    Runtime(#[from] std::io::Error),
    #[error("the server answered {0}: {1}")]
    Status(StatusCode, String),
}

/// What of a refusal's body is shown in the log.
const SHOWN_BODY: usize = 300;

/// An answer of success.
struct Answer {
    headers: Object,
    is_json: bool,
    /// `None` where there cannot be one.
    body: Option<String>,
}

impl Http {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let ecs = reader.ecs();
        let target_body = match (options.target_body, ecs) {
            (Some(target), _) => Some(target),
            (None, EcsMode::Disabled) => Some(FieldReference::top_level("body")),
            (None, _) => {
                let message = "with ECS field names it must be set, e.g. target_body => \"[user]\"";
                reader.error("target_body", message);
                None
            }
        };
        let default_headers = ecs.select("[headers]", "[@metadata][filter][http][response][headers]");
        let target_headers = match options.target_headers {
            Some(target) => Some(target),
            None => FieldReference::parse(default_headers).ok(),
        };
        let json = options.body_format == BodyFormat::Json;
        if !json
            && matches!(
                options.body,
                Some(ConfigValue { kind: ConfigKind::Array(_) | ConfigKind::Hash(_), .. })
            )
        {
            reader.error("body", "a hash or an array needs body_format => \"json\"");
        }
        let mut headers = pairs(reader, "headers", &options.headers);
        if !options.headers.iter().any(|(name, _)| name == "content-type" || name == "Content-Type") {
            let kind = if json { "application/json" } else { "text/plain" };
            headers.push((Template::parse("content-type"), vec![Template::parse(kind)]));
        }
        let query = pairs(reader, "query", &options.query);
        let plain = options.url.source().starts_with("http://");
        Some(Http {
            client: options.client.client(plain, reader)?,
            url: options.url,
            method: match options.verb {
                Verb::Get => Method::GET,
                Verb::Head => Method::HEAD,
                Verb::Patch => Method::PATCH,
                Verb::Delete => Method::DELETE,
                Verb::Post => Method::POST,
                Verb::Put => Method::PUT,
            },
            headers,
            query,
            body: options.body.map(|body| Tree::new(&body)),
            target_body: target_body?,
            target_headers: target_headers?,
            tag_on_request_failure: options.tag_on_request_failure,
            tag_on_json_failure: options.tag_on_json_failure,
        })
    }

    fn ask(&self, event: &Event) -> Result<Answer, Failure> {
        let mut request = self.client.request(self.method.clone(), &self.url.render(event)?);
        request = request.headers(self.request_headers(event)?);
        if !self.query.is_empty() {
            request = request.query(&rendered(&self.query, event)?);
        }
        if let Some(body) = &self.body {
            request = request.body(body.render_body(event)?);
        }
        blocking::block_on(async {
            let response = self.client.send(request).await?;
            self.answer(response).await
        })?
    }

    fn request_headers(&self, event: &Event) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for (name, value) in rendered(&self.headers, event)? {
            append_header(&mut headers, &name, &value)?;
        }
        Ok(headers)
    }

    async fn answer(&self, response: Response) -> Result<Answer, Failure> {
        let status = response.status();
        let headers = headers_as_fields(response.headers());
        let is_json = is_json(headers.get(CONTENT_TYPE.as_str()));
        let body = response.text().await.map_err(HttpError::from)?;
        if !status.is_success() {
            return Err(Failure::Status(status, body.chars().take(SHOWN_BODY).collect()));
        }
        let has_body = self.method != Method::HEAD && status != StatusCode::NO_CONTENT;
        Ok(Answer { headers, is_json, body: has_body.then_some(body) })
    }

    fn keep(&self, event: &mut Event, answer: Answer) -> Result<(), SetError> {
        event.assign(&self.target_headers, answer.headers)?;
        match answer.body {
            None => Ok(()),
            Some(body) if answer.is_json => match json::load(&body) {
                Ok(document) => event.assign(&self.target_body, document),
                Err(error) => {
                    tracing::warn!(%error, "the answer to a request is no json");
                    self.tag_on_json_failure.iter().for_each(|tag| event.tag(tag));
                    Ok(())
                }
            },
            Some(body) => event.assign(&self.target_body, body.trim()),
        }
    }
}

/// Templates of a hash option; a value may be an array.
fn pairs(reader: &mut OptionReader<'_>, option: &str, pairs: &Pairs) -> Vec<(Template, Vec<Template>)> {
    let mut templates = Vec::new();
    for (name, value) in pairs.iter() {
        let values: Option<Vec<Template>> = value
            .as_list()
            .iter()
            .map(|value| value.scalar_text().map(|text| Template::parse(&text)))
            .collect();
        match values {
            Some(values) => templates.push((Template::parse(name), values)),
            None => reader.error(option, format!("\"{name}\" needs a text, not {}", value.describe())),
        }
    }
    templates
}

fn rendered(
    pairs: &[(Template, Vec<Template>)],
    event: &Event,
) -> Result<Vec<(String, String)>, SprintfError> {
    let mut all = Vec::with_capacity(pairs.len());
    for (name, values) in pairs {
        for value in values {
            all.push((name.render(event)?, value.render(event)?));
        }
    }
    Ok(all)
}

fn is_json(content_type: Option<&Value>) -> bool {
    let is_json = |text: &str| text.trim() == "application/json";
    match content_type {
        Some(Value::Str(text)) => text.split(';').any(is_json),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).any(is_json),
        _ => false,
    }
}

impl Filter for Http {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        let answer = match self.ask(event) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(url = self.url.source(), %error, "error during an HTTP request");
                self.tag_on_request_failure.iter().for_each(|tag| event.tag(tag));
                return Outcome::Failed;
            }
        };
        match self.keep(event, answer) {
            Ok(()) => Outcome::Matched,
            Err(error) => {
                tracing::warn!(%error, "could not keep the answer to a request");
                event.tag("_httperror");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests;
