//! Input `pipeline`: events that another pipeline's `pipeline` output sends (Logstash core, `plugins/builtin/pipeline/input.rb`).

use futures_util::future::BoxFuture;

use crate::plugin::{Build, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec, options};
use crate::queue::bus::{Listener, Parcel, Place};

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "pipeline",
    summary: "Takes the events that other pipelines of this process send to an address.",
    options: Pipeline::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example { config: r#"input { pipeline { address => "weblogs" } }"#, input: &[], output: &[] },
    build: Build::Input(build),
};

options! {
    #[derive(Debug)]
    pub struct Pipeline {
        /// The name that `pipeline` outputs give in `send_to`. Only one input can have it.
        address: String,
    }
}

fn build(reader: &mut OptionReader<'_>) -> Option<Box<dyn Input>> {
    let Pipeline { address } = Pipeline::read(reader)?;
    let place = Place { pipeline: reader.context.pipeline_id.clone(), span: reader.span("address") };
    match reader.context.bus.listen(&address, place) {
        Ok(listener) => Some(Box::new(Listening { listener })),
        Err(other) => {
            let message = format!("pipeline {} listens at \"{address}\" already", other.pipeline);
            reader.error("address", message);
            None
        }
    }
}

struct Listening {
    listener: Listener,
}

impl Input for Listening {
    /// Ends when every pipeline that sends to it has: only then is nothing lost. Whoever stops the process stops those
    /// as well. An address that nobody sends to ends with the shutdown.
    fn run(mut self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            loop {
                tokio::select! {
                    parcel = self.listener.next() => match parcel {
                        None => return Ok(()),
                        Some(Parcel { events, ack }) => {
                            if sink.send(events, Some(ack)).await.is_err() {
                                return Ok(());
                            }
                        }
                    },
                    () = shutdown.requested(), if self.listener.has_no_sender() => return Ok(()),
                }
            }
        })
    }
}
