//! Input `http_poller`: asks servers again and again and makes events of their answers (logstash-input-http_poller).

mod fields;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::event::{Event, FieldReference, Object, SetError, Value};
use crate::http_client::{HttpClient, HttpError, HttpOptions, TimesRetried, headers_as_fields};
use crate::plugin::{
    Build, CodecFactory, ConfigValue, Example, Input, Kind, OptionReader, Pairs, RunError, Shutdown, Sink,
    Spec, options,
};
use crate::schedule::Schedule;
use crate::tls::ClientTls;

use fields::Fields;
use request::Polled;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "http_poller",
    summary: "Asks servers over HTTP again and again.",
    options: Options::OPTIONS,
    renamed: ClientTls::RENAMED,
    deprecated: &[],
    refused: &[],
    default_codec: Some("json"),
    example: Example {
        config: r#"input {
  http_poller {
    urls => { "health" => "http://localhost:9200/_cluster/health" }
    schedule => { "every" => "30s" }
  }
}"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Poller::build(reader)?))),
};

options! {
    struct Options {
        /// Name and URL of every request; instead of the URL a hash of `url`, `method`, `headers`, `body`, `params`,
        /// `query`, `user`, `password` and `request_timeout`.
        urls: Pairs,
        /// When to ask: one of `cron`, `every`, `at` and `in`, such as `{ "every" => "1h" }` or
        /// `{ "cron" => "* * * * * UTC" }`.
        schedule: Pairs,
        /// Field that takes the data. Default: the whole event.
        target: Option<FieldReference>,
        /// Field that takes what is to say of request and answer.
        metadata_target: String = "@metadata",
        ..client: HttpOptions,
    }
}

struct Poller {
    client: HttpClient,
    requests: Vec<Polled>,
    schedule: Schedule,
    target: Option<FieldReference>,
    fields: Fields,
    codec: CodecFactory,
    host: String,
}

/// An answer, with its body read.
struct Answer {
    code: u16,
    message: &'static str,
    headers: Object,
    retries: u32,
    body: Vec<u8>,
}

impl Poller {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let codec: Option<CodecFactory> = reader.take("codec", Some("json"));
        let options = Options::read(reader)?;
        let schedule = schedule(reader, &options.schedule);
        let mut requests = Vec::new();
        for (name, value) in options.urls.iter() {
            match Polled::new(name, value) {
                Ok(request) => requests.push(request),
                Err(reason) => reader.error("urls", format!("\"{name}\": {reason}")),
            }
        }
        if requests.len() != options.urls.0.len() {
            return None;
        }
        let fields = Fields::new(reader.ecs(), &options.metadata_target);
        if fields.is_none() {
            reader.error("metadata_target", "it is no field reference");
        }
        let plain = requests.iter().all(|request| request.url.scheme() == "http");
        Some(Poller {
            client: options.client.client(plain, reader)?,
            requests,
            schedule: schedule?,
            target: options.target,
            fields: fields?,
            codec: codec?,
            host: gethostname::gethostname().to_string_lossy().into_owned(),
        })
    }

    async fn ask(&self, request: &Polled) -> Result<Answer, HttpError> {
        let response = self.client.send(request.begin(&self.client)).await?;
        let status = response.status();
        let retries = response.extensions().get::<TimesRetried>().copied().unwrap_or_default();
        Ok(Answer {
            code: status.as_u16(),
            message: status.canonical_reason().unwrap_or_default(),
            headers: headers_as_fields(response.headers()),
            retries: retries.0,
            body: response.bytes().await?.to_vec(),
        })
    }

    /// The events of an answer. One without a body is an event of its own.
    fn events(&self, request: &Polled, answer: &Answer, took: Duration) -> Vec<Event> {
        let mut decoded = Vec::new();
        if answer.body.is_empty() {
            decoded.push(Event::new());
        } else {
            let mut codec = self.codec.create();
            codec.decode(&answer.body, &mut |event| decoded.push(event));
            codec.flush(&mut |event| decoded.push(event));
        }
        let finished = decoded.into_iter().filter_map(|event| {
            let made = self.targeted(event).and_then(|mut event| {
                self.describe(&mut event, request, took)?;
                self.fields.set_answer(&mut event, answer)?;
                Ok(event)
            });
            made.inspect_err(
                |error| tracing::error!(name = %request.name, %error, "no event can be made of an answer"),
            )
            .ok()
        });
        finished.collect()
    }

    fn targeted(&self, decoded: Event) -> Result<Event, SetError> {
        let Some(target) = &self.target else { return Ok(decoded) };
        let mut event = Event::new();
        event.set(target, Value::from(decoded.data().clone()))?;
        Ok(event)
    }

    fn describe(&self, event: &mut Event, request: &Polled, took: Duration) -> Result<(), SetError> {
        self.fields.set_request(event, request, &self.host, took)
    }

    fn failure(&self, request: &Polled, error: &HttpError, took: Duration) -> Result<Event, SetError> {
        let mut event = Event::new();
        event.tag("_http_request_failure");
        self.describe(&mut event, request, took)?;
        self.fields.set_failure(&mut event, request, &self.host, took, &error.message)?;
        Ok(event)
    }

    /// Asks all servers at once. Returns whether the pipeline goes on.
    async fn poll(&self, sink: &Sink) -> bool {
        let asking = self.requests.iter().map(|request| async move {
            let started = Instant::now();
            let answer = self.ask(request).await;
            (request, answer, started.elapsed())
        });
        let mut asking: FuturesUnordered<_> = asking.collect();
        while let Some((request, answer, took)) = asking.next().await {
            let sent = match answer {
                Ok(answer) => sink.send(self.events(request, &answer, took), None).await,
                Err(error) => {
                    tracing::debug!(name = %request.name, %error, "a request failed");
                    // Logstash's failures go without type, tags and add_field.
                    match self.failure(request, &error, took) {
                        Ok(event) => sink.send_decorated(vec![event], None).await,
                        Err(error) => {
                            tracing::error!(name = %request.name, %error, "no event can be made of a failure");
                            Ok(())
                        }
                    }
                }
            };
            if sent.is_err() {
                return false;
            }
        }
        true
    }
}

/// The option `schedule`.
fn schedule(reader: &mut OptionReader<'_>, pairs: &Pairs) -> Option<Schedule> {
    let [(kind, value)] = pairs.0.as_slice() else {
        reader.error("schedule", "it must hold exactly one of cron, every, at and in");
        return None;
    };
    let value = value.as_single().and_then(ConfigValue::scalar_text).unwrap_or_default();
    Schedule::new(kind, &value).map_err(|error| reader.error("schedule", error.to_string())).ok()
}

impl Input for Poller {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let poller: Arc<Self> = Arc::from(self);
            poller.schedule.run(&shutdown, || poller.poll(&sink)).await;
            Ok(())
        })
    }
}
