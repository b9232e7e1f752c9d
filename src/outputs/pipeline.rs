//! Output `pipeline`: sends events to other pipelines of this process (Logstash core, `plugins/builtin/pipeline/output.rb`).

use futures_util::future::{BoxFuture, join_all};

use crate::event::Event;
use crate::plugin::{Build, Delivery, Example, Kind, OptionReader, Output, Spec, options};
use crate::queue::Settled;
use crate::queue::bus::{Line, Place, Unavailable};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "pipeline",
    summary: "Sends events to the pipelines of this process that listen at the given addresses.",
    options: Pipeline::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: r#"output { pipeline { send_to => ["weblogs"] } }"#, input: &[], output: &[] },
    build: Build::Output(build),
};

options! {
    #[derive(Debug)]
    pub struct Pipeline {
        /// Addresses of `pipeline` inputs; each gets a copy of every event.
        send_to: Vec<String>,
        /// Whether events wait for an address that is not there. Otherwise they are dropped.
        ensure_delivery: bool = true,
    }
}

fn build(reader: &mut OptionReader<'_>) -> Option<Box<dyn Output>> {
    let Pipeline { send_to, ensure_delivery } = Pipeline::read(reader)?;
    let place = Place { pipeline: reader.context.pipeline_id.clone(), span: reader.span("send_to") };
    let bus = &reader.context.bus;
    let lines = send_to.iter().map(|address| bus.connect(address, place.clone(), ensure_delivery)).collect();
    Some(Box::new(Sending { lines, ensure_delivery }))
}

struct Sending {
    lines: Vec<Line>,
    ensure_delivery: bool,
}

impl Output for Sending {
    /// Done when every receiving pipeline has delivered the events, so that an acknowledgement means the same through
    /// any number of pipelines. When one of several fails, all get the events again: at least once.
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let sent = join_all(
                self.lines
                    .iter()
                    .map(|line| line.send(events.iter().map(|event| event.duplicate()).collect())),
            );
            let failed = sent.await.into_iter().find_map(|sent| self.failure(sent));
            failed.map_or_else(Delivery::done, |reason| Delivery::retry_all(events.len(), reason))
        })
    }
}

impl Sending {
    fn failure(&self, sent: Result<Settled, Unavailable>) -> Option<String> {
        match sent {
            Ok(Settled::Safe) => None,
            Ok(Settled::Lost) => Some("the receiving pipeline lost the events".to_owned()),
            Err(unavailable) if self.ensure_delivery => Some(unavailable.to_string()),
            Err(unavailable) => {
                tracing::warn!(%unavailable, "events were dropped, as ensure_delivery is false");
                None
            }
        }
    }
}
