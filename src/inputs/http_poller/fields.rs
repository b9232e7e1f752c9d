//! The fields of the input `http_poller` that tell of request and answer, in both sets of names.

use std::time::Duration;

use super::Answer;
use super::request::Polled;
use crate::event::{Event, FieldReference, SetError, Value};
use crate::plugin::EcsMode;

/// Fields below `metadata_target`, and those of failures, which every output sends.
pub struct Fields {
    ecs: bool,
    host: FieldReference,
    code: FieldReference,
    headers: FieldReference,
    message: FieldReference,
    took: FieldReference,
    retries: FieldReference,
    name: FieldReference,
    request: FieldReference,
    failure: Failure,
}

struct Failure {
    error: FieldReference,
    took: FieldReference,
    /// `[http_request_failure][request]`, or the URL alone with ECS.
    request: FieldReference,
    /// `[http_request_failure][name]`, or the method with ECS.
    name: FieldReference,
    host: FieldReference,
}

impl Fields {
    /// `None` when `target` is no field reference.
    pub fn new(ecs: EcsMode, target: &str) -> Option<Self> {
        let field = |name: &str| FieldReference::parse(name).ok();
        let below = |legacy: &str, ecs_name: &str| match ecs.is_enabled() {
            true => field(&format!("[{target}][input][http_poller]{ecs_name}")),
            false => field(&format!("[{target}]{legacy}")),
        };
        let select = |legacy, ecs_name| field(ecs.select(legacy, ecs_name));
        Some(Fields {
            ecs: ecs.is_enabled(),
            host: below("[host]", "[request][host][hostname]")?,
            code: below("[code]", "[response][status_code]")?,
            headers: below("[response_headers]", "[response][headers]")?,
            message: below("[response_message]", "[response][status_message]")?,
            took: below("[runtime_seconds]", "[response][elapsed_time_ns]")?,
            retries: below("[times_retried]", "[request][retry_count]")?,
            name: below("[name]", "[request][name]")?,
            request: below("[request]", "[request][original]")?,
            failure: Failure {
                error: select("[http_request_failure][error]", "[error][message]")?,
                took: select("[http_request_failure][runtime_seconds]", "[event][duration]")?,
                request: select("[http_request_failure][request]", "[url][full]")?,
                name: select("[http_request_failure][name]", "[http][request][method]")?,
                host: field("[host][hostname]")?,
            },
        })
    }

    /// Seconds, or with ECS what the plugin calls nanoseconds: it counts millionths of a second.
    fn duration(&self, took: Duration) -> Value {
        match self.ecs {
            true => Value::Int(i64::try_from(took.as_micros()).unwrap_or(i64::MAX)),
            false => Value::Float(took.as_secs_f64()),
        }
    }

    pub fn set_request(
        &self,
        event: &mut Event,
        request: &Polled,
        host: &str,
        took: Duration,
    ) -> Result<(), SetError> {
        event.set(&self.host, host)?;
        event.set(&self.took, self.duration(took))?;
        event.set(&self.name, request.name.as_str())?;
        event.set(&self.request, Value::from(request.shown.clone()))
    }

    pub fn set_answer(&self, event: &mut Event, answer: &Answer) -> Result<(), SetError> {
        event.set(&self.code, i64::from(answer.code))?;
        event.set(&self.headers, Value::from(answer.headers.clone()))?;
        event.set(&self.message, answer.message)?;
        event.set(&self.retries, i64::from(answer.retries))
    }

    pub fn set_failure(
        &self,
        event: &mut Event,
        request: &Polled,
        host: &str,
        took: Duration,
        error: &str,
    ) -> Result<(), SetError> {
        let failure = &self.failure;
        if self.ecs {
            event.set(&failure.request, request.url.as_str())?;
            event.set(&failure.name, request.verb.as_str())?;
            event.set(&failure.host, host)?;
        } else {
            event.set(&failure.request, Value::from(request.shown.clone()))?;
            event.set(&failure.name, request.name.as_str())?;
        }
        event.set(&failure.took, self.duration(took))?;
        event.set(&failure.error, error)
    }
}
