//! Outputs `elasticsearch` and `opensearch`: write events to the bulk API of either server (logstash-output-elasticsearch,
//! logstash-output-opensearch).
//!
//! A batch counts as delivered when the server has answered for each of its documents. What it could not take for the
//! moment is sent again; what it will never take (status 400, 404) is given up with its reason.

mod answer;
mod build;
mod chunk;
mod cluster;
mod data_stream;
mod delivery;
mod documents;
mod hosts;
mod http;
mod identifier;
mod options;
mod order;
mod pool;
mod server;
mod setup;
mod templates;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use self::delivery::Sender;
use self::options::{ElasticsearchOptions, OpensearchOptions};
use crate::event::Event;
use crate::plugin::{
    Build, Delivery, Example, Kind, OptionReader, Output, RunError, Shutdown, Spec, take_unused_codec,
};

/// The `elasticsearch` output.
pub static ELASTICSEARCH: Spec = Spec {
    kind: Kind::Output,
    name: "elasticsearch",
    summary: "Writes events to indices or data streams of Elasticsearch and OpenSearch.",
    options: ElasticsearchOptions::OPTIONS,
    renamed: &[
        ("ssl", "ssl_enabled"),
        ("ssl_certificate_verification", "ssl_verification_mode"),
        ("cacert", "ssl_certificate_authorities"),
        ("truststore", "ssl_truststore_path"),
        ("truststore_password", "ssl_truststore_password"),
        ("keystore", "ssl_keystore_path"),
        ("keystore_password", "ssl_keystore_password"),
    ],
    deprecated: &[
        ("document_type", "servers since version 8 know no types"),
        ("http_compression", "use compression_level, 0 for none"),
        ("failure_type_logging_whitelist", "use silence_errors_in_log"),
    ],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output { elasticsearch { hosts => ["https://es.example.org:9200"] api_key => "${ES_KEY:id:key}" index => "app-%{+yyyy.MM.dd}" } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| output(build::elasticsearch, reader)),
};

/// The `opensearch` output.
pub static OPENSEARCH: Spec = Spec {
    kind: Kind::Output,
    name: "opensearch",
    summary: "Writes events to indices of OpenSearch and Elasticsearch.",
    options: OpensearchOptions::OPTIONS,
    renamed: &[],
    deprecated: &[("document_type", "servers since version 2 know no types")],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output { opensearch { hosts => ["https://os.example.org:9200"] user => "logs" password => "${OS_PASSWORD:secret}" index => "app-%{+yyyy.MM.dd}" } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| output(build::opensearch, reader)),
};

fn output(
    build: fn(&mut OptionReader<'_>) -> Option<Sender>,
    reader: &mut OptionReader<'_>,
) -> Option<Box<dyn Output>> {
    // As in Logstash, the codec encodes nothing: documents are JSON.
    take_unused_codec(reader);
    let sender = Arc::new(build(reader)?);
    Some(Box::new(BulkOutput { sender, keeper: Mutex::new(None) }))
}

/// Either output.
struct BulkOutput {
    sender: Arc<Sender>,
    /// Looks after the servers.
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl BulkOutput {
    fn stop_keeper(&self) {
        if let Some(keeper) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() {
            keeper.abort();
        }
    }
}

impl Output for BulkOutput {
    fn open(&self, _: Shutdown) -> BoxFuture<'_, Result<(), RunError>> {
        Box::pin(async {
            let sender = Arc::clone(&self.sender);
            let keeper = tokio::spawn(async move { sender.look_after().await });
            *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
            Ok(())
        })
    }

    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(self.sender.deliver(events))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.stop_keeper() })
    }
}

impl Drop for BulkOutput {
    fn drop(&mut self) {
        self.stop_keeper();
    }
}
