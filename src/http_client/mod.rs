//! HTTP for plugins that ask servers: the options that such plugins share, and a client made of them
//! (logstash-mixin-http_client, which configures the gem Manticore).

mod headers;
mod options;

use std::error::Error;

use reqwest::{Method, Request, RequestBuilder, Response};
use tokio::sync::Semaphore;

use crate::plugin::Password;

pub use headers::{InvalidHeader, append_header, headers_as_fields};
pub use options::HttpOptions;

/// A client with its pool of connections. One is shared by all workers of a plugin.
#[derive(Debug)]
pub struct HttpClient {
    http: reqwest::Client,
    /// As many requests at a time as there may be connections.
    slots: Semaphore,
    retries: u32,
    retry_non_idempotent: bool,
    authorization: Option<(String, Password)>,
}

/// How often a request was sent again before it got its answer: among the extensions of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimesRetried(pub u32);

/// A request that got no answer. The message never holds the URL: it may carry secrets.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// What went wrong, from the outside in.
    pub message: String,
    /// Whether no connection could be made.
    pub is_connect: bool,
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        let is_connect = error.is_connect();
        let error = error.without_url();
        let mut message = error.to_string();
        let mut at = error.source();
        while let Some(cause) = at {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            at = cause.source();
        }
        HttpError { message, is_connect }
    }
}

impl HttpClient {
    /// Begins a request, with the user's name and password if there are any.
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.http.request(method, url);
        match &self.authorization {
            Some((user, password)) => request.basic_auth(user, Some(password.reveal())),
            None => request,
        }
    }

    /// Sends a request, and again as often as `automatic_retries` says when its connection broke. Not repeated is what
    /// could not connect or took too long, and what may not be done twice.
    ///
    /// # Errors
    /// Fails without an answer: a wrong request, no connection, a broken one, or a time-out.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, HttpError> {
        let request = request.build()?;
        // Never closed, so that there is always a slot in the end.
        let _slot = self.slots.acquire().await.ok();
        let mut tried = 0;
        while tried < self.retries {
            let Some(again) = self.repeatable(&request) else { break };
            match self.http.execute(again).await {
                Ok(response) => return Ok(counted(response, tried)),
                Err(error) if error.is_timeout() || error.is_connect() || !error.is_request() => {
                    return Err(error.into());
                }
                Err(error) => tracing::debug!(error = %error.without_url(), "a request is repeated"),
            }
            tried += 1;
        }
        Ok(counted(self.http.execute(request).await?, tried))
    }

    fn repeatable(&self, request: &Request) -> Option<Request> {
        let allowed = self.retry_non_idempotent || request.method().is_idempotent();
        if allowed { request.try_clone() } else { None }
    }
}

fn counted(mut response: Response, retries: u32) -> Response {
    response.extensions_mut().insert(TimesRetried(retries));
    response
}

#[cfg(test)]
mod tests;
