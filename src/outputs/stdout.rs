//! Output `stdout`: prints events (logstash-output-stdout).

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::BoxFuture;

use crate::event::Event;
use crate::plugin::{
    Build, CodecFactory, Delivery, Example, Kind, Output, Spec, Stdout as Target, Undelivered, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "stdout",
    summary: "Prints events to the standard output.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("rubydebug"),
    example: Example { config: "output { stdout { codec => json_lines } }", input: &[], output: &[] },
    build: Build::Output(|reader| {
        let Options { codec } = Options::read(reader)?;
        let target = reader.context.stdout.clone();
        let colored = target.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
        let (closed, size) = Default::default();
        Some(Box::new(Stdout { codec, target, colored, closed, size }))
    }),
};

options! {
    #[derive(Debug)]
    pub struct Options {
        /// How events become text.
        codec: CodecFactory = "rubydebug",
    }
}

#[derive(Debug)]
pub struct Stdout {
    codec: CodecFactory,
    target: Target,
    /// Whether a person looks on who does not mind colours (no-color.org).
    colored: bool,
    /// Whoever read the other end of the pipe has gone, as `head` does: what comes now is for nobody.
    closed: AtomicBool,
    /// What the last batch took, in bytes: the next one's buffer need not grow to it step by step.
    size: AtomicUsize,
}

impl Stdout {
    /// Writes a batch at once, so that workers' events don't mix.
    fn print(&self, events: &[&Event]) -> Delivery {
        if self.has_ended() {
            return Delivery::done();
        }
        let mut text = Vec::with_capacity(self.size.load(Ordering::Relaxed));
        let mut delivery = Delivery::done();
        for (index, event) in events.iter().enumerate() {
            let start = text.len();
            let encoder = self.codec.encoder();
            let encoded = match self.colored {
                true => encoder.encode_for_terminal(event, &mut text),
                false => encoder.encode(event, &mut text),
            };
            if let Err(error) = encoded {
                text.truncate(start);
                delivery.dead.push(Undelivered { index, reason: error.to_string() });
            }
        }
        self.size.store(text.len(), Ordering::Relaxed);
        match self.target.write(&text) {
            Ok(()) => delivery,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                tracing::debug!("nobody reads the standard output any more");
                self.closed.store(true, Ordering::Release);
                delivery
            }
            Err(error) => {
                Delivery::retry_all(events.len(), format!("could not write to the standard output: {error}"))
            }
        }
    }
}

impl Output for Stdout {
    // The write blocks the worker, which is the back-pressure of a slow reader.
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async { self.print(events) })
    }

    fn has_ended(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn a_batch_is_printed_in_order() {
        let printed = Arc::new(Mutex::new(Vec::new()));
        let context =
            crate::plugin::Context { stdout: Target::Capture(Arc::clone(&printed)), ..testkit::context() };
        let output = testkit::output("output { stdout { codec => json_lines } }", &context).unwrap();
        let events = ["a", "b"].map(Event::from_message);
        assert_eq!(output.deliver(&[&events[0], &events[1]]).await, Delivery::done());
        let text = String::from_utf8(printed.lock().unwrap().clone()).unwrap();
        let messages: Vec<_> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["message"].clone())
            .collect();
        assert_eq!(messages, ["a", "b"]);
        assert!(!output.has_ended());
    }
}
