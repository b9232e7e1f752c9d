//! The outputs against a server that behaves as the bulk API does.

mod bulk;
mod configs;
mod content;
mod prepare;
mod servers;
mod stand_in;

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;

use self::stand_in::StandIn;
use crate::event::Event;
use crate::plugin::{Context, Delivery, Output, Shutdown, testkit};

/// Waits that are short enough for tests.
const QUICK: &str =
    "retry_initial_interval => 0.05 retry_max_interval => 0.2 resurrect_delay => 0.1 timeout => 5";

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(testkit::LONG, future).await.expect("it takes too long") })
}

/// An output with these options, opened.
async fn open_with(plugin: &str, options: &str, context: &Context) -> Arc<dyn Output> {
    let config = format!("output {{ {plugin} {{ {QUICK} {options} }} }}");
    let output: Arc<dyn Output> =
        testkit::output(&config, context).unwrap_or_else(|p| panic!("{p:?}")).into();
    output.open(Shutdown::channel().1).await.unwrap();
    output
}

async fn open(server: &StandIn, options: &str) -> Arc<dyn Output> {
    open_with("elasticsearch", &format!("hosts => '{}' {options}", server.address), &testkit::context()).await
}

async fn deliver(output: &Arc<dyn Output>, events: &[Event]) -> Delivery {
    output.deliver(&events.iter().collect::<Vec<_>>()).await
}

fn events(documents: &[&str]) -> Vec<Event> {
    documents.iter().map(|document| testkit::event(&document.replacen('{', AT, 1))).collect()
}

/// Every event of these tests is of this time.
const AT: &str = r#"{"@timestamp":"2024-05-06T07:08:09.123Z","#;

/// The reasons with which events were given up, by their index.
fn dead(delivery: &Delivery) -> Vec<(usize, &str)> {
    assert!(delivery.retry.is_empty(), "{delivery:?}");
    delivery.dead.iter().map(|dead| (dead.index, dead.reason.as_str())).collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
