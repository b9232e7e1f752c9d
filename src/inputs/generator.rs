//! Input `generator`: makes events from fixed lines, for tests and benchmarks (logstash-input-generator).

use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::threads::side_by_side;
use crate::event::{Event, FieldReference, Text as EventText};
use crate::plugin::{
    Build, CodecFactory, Example, Input, Kind, OptionReader, Problem, RunError, Shutdown, Sink, Spec, options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "generator",
    summary: "Makes events from fixed lines, for tests and benchmarks.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"input { generator { lines => ["a", "b"] count => 3 } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Generator::new(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct Options {
        /// How the message or the lines become events.
        codec: CodecFactory = "plain",
        /// How many times the message, or all of the lines, are sent; 0 or less: without end.
        count: i64 = 0,
        /// Lines to send one after the other, in place of `message`.
        lines: Option<Vec<String>>,
        /// Text of every event. The word `stdin` reads one line from the standard input and sends that.
        message: String = "Hello world!",
        /// How many generators run side by side, each with the full `count`.
        threads: usize = 1,
    }
}

/// What to send.
#[derive(Debug)]
enum Text {
    Lines(Vec<String>),
    FirstLineOfStdin,
}

#[derive(Debug)]
pub struct Generator {
    codec: CodecFactory,
    count: i64,
    text: Text,
    threads: usize,
    batch_size: usize,
    host: EventText,
    host_field: FieldReference,
    sequence_field: FieldReference,
}

impl Generator {
    fn new(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { codec, count, lines, message, threads } = Options::read(reader)?;
        if lines.is_some() && reader.is_given("message") {
            let problem =
                Problem::warning(reader.span("message"), "generator sends lines, message has no effect")
                    .label("not used");
            reader.report(problem.help("remove message or lines"));
        }
        let text = match lines {
            Some(lines) if lines.is_empty() => {
                reader.error("lines", "there is no line to send");
                return None;
            }
            Some(lines) => Text::Lines(lines),
            None if message == "stdin" => Text::FirstLineOfStdin,
            None => Text::Lines(vec![message]),
        };
        let field = |disabled, ecs| FieldReference::parse(reader.ecs().select(disabled, ecs)).ok();
        Some(Generator {
            codec,
            count,
            text,
            threads,
            batch_size: reader.context.batch_size.max(1),
            host: gethostname::gethostname().to_string_lossy().as_ref().into(),
            host_field: field("host", "[host][name]")?,
            sequence_field: field("sequence", "[event][sequence]")?,
        })
    }

    /// One thread's work.
    async fn generate(&self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let first_line;
        let lines = match &self.text {
            Text::Lines(lines) => lines.as_slice(),
            Text::FirstLineOfStdin => match first_line_of_stdin(&shutdown).await? {
                Some(line) => {
                    first_line = [line];
                    &first_line
                }
                None => return Ok(()),
            },
        };
        let mut codec = self.codec.create();
        let mut events = Vec::with_capacity(self.batch_size);
        let mut decoded = 0;
        let mut number = 0;
        'generate: while self.count <= 0 || number < self.count {
            for line in lines {
                codec.decode(line.as_bytes(), &mut |event| {
                    events.push(self.finish(event, Some(number), &sink));
                });
                // Counted are lines, not events: a codec that waits for more must not keep others from running.
                decoded += 1;
                if decoded >= self.batch_size {
                    decoded = 0;
                    self.send(&mut events, &sink).await?;
                    if shutdown.is_requested() {
                        break 'generate;
                    }
                }
            }
            number += 1;
        }
        codec.flush(&mut |event| events.push(self.finish(event, None, &sink)));
        self.send(&mut events, &sink).await
    }

    async fn send(&self, events: &mut Vec<Event>, sink: &Sink) -> Result<(), RunError> {
        if events.is_empty() {
            tokio::task::yield_now().await;
            return Ok(());
        }
        let full = std::mem::replace(events, Vec::with_capacity(self.batch_size));
        sink.send_decorated(full, None).await.map_err(|closed| RunError::new(closed.to_string()))
    }

    /// Applies the common options and sets the host and the number; only the number replaces what `add_field` set.
    fn finish(&self, mut event: Event, number: Option<i64>, sink: &Sink) -> Event {
        sink.decorate(&mut event);
        let host_is_set = match event.contains(&self.host_field) {
            true => Ok(()),
            false => event.set(&self.host_field, self.host.clone()),
        };
        let number_is_set = number.map_or(Ok(()), |number| event.set(&self.sequence_field, number));
        if let Err(error) = host_is_set.and(number_is_set) {
            tracing::debug!(%error, "a generated event stays without a field");
        }
        event
    }
}

impl Input for Generator {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let generator: Arc<Self> = Arc::from(self);
            let work = |sink| {
                let (generator, shutdown) = (Arc::clone(&generator), shutdown.clone());
                async move { generator.generate(sink, shutdown).await }
            };
            side_by_side(generator.threads, sink, work).await
        })
    }
}

/// Reads one line, its end included; `None` when shutdown comes first. A thread of its own reads, because nothing can
/// interrupt the read: at a shutdown it is left behind.
async fn first_line_of_stdin(shutdown: &Shutdown) -> Result<Option<String>, RunError> {
    let (sender, receiver) = oneshot::channel();
    let failed = |error: io::Error| RunError::new(format!("could not read a line from stdin: {error}"));
    std::thread::Builder::new()
        .name("generator-stdin".into())
        .spawn(move || {
            let mut line = String::new();
            let read = io::stdin().read_line(&mut line);
            // Nobody listens after a shutdown.
            _ = sender.send(read.map(|_| line));
        })
        .map_err(failed)?;
    tokio::select! {
        read = receiver => match read {
            Ok(Ok(line)) if line.is_empty() => Err(RunError::new("message is \"stdin\", but stdin has no line")),
            Ok(Ok(line)) => Ok(Some(line)),
            Ok(Err(error)) => Err(failed(error)),
            Err(gone) => Err(RunError::new(gone.to_string())),
        },
        () = shutdown.requested() => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;
    use crate::plugin::Context;
    use crate::plugin::testkit::{self, fields};

    async fn run(config: &str, context: &Context) -> Vec<Event> {
        let (generator, decoration) = testkit::input(config, context).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 100_000);
        let (_stop, shutdown) = Shutdown::channel();
        generator.run(sink, shutdown).await.unwrap();
        testkit::drain(&receiver)
    }

    fn without_host(event: &Event) -> String {
        let mut event = event.clone();
        event.data_mut().remove("host");
        if let Some(Value::Object(object)) = event.data_mut().get_mut("event") {
            object.remove("original");
        }
        fields(&event)
    }

    #[tokio::test]
    async fn fields_follow_the_ecs_mode() {
        let host = gethostname::gethostname().into_string().unwrap();
        let config = r#"input { generator { count => 1 message => "m" } }"#;
        let events = run(config, &testkit::context()).await;
        let name = FieldReference::parse("[host][name]").unwrap();
        assert_eq!(events[0].get(&name), Some(&Value::from(host.as_str())));
        assert_eq!(without_host(&events[0]), r#"{"event":{"sequence":0},"message":"m"}"#);

        let events = run(config, &testkit::legacy_context()).await;
        assert_eq!(fields(&events[0]), format!(r#"{{"host":"{host}","message":"m","sequence":0}}"#));
    }

    #[tokio::test]
    async fn lines_share_the_number_of_their_round() {
        let config = r#"input { generator { lines => ["a", 2] count => 2 } }"#;
        let events: Vec<_> = run(config, &testkit::legacy_context()).await.iter().map(without_host).collect();
        assert_eq!(
            events,
            [
                r#"{"message":"a","sequence":0}"#,
                r#"{"message":"2","sequence":0}"#,
                r#"{"message":"a","sequence":1}"#,
                r#"{"message":"2","sequence":1}"#,
            ]
        );
    }

    #[tokio::test]
    async fn common_options_come_before_the_host() {
        let config = r#"input { generator { count => 1 add_field => { "host" => "mine" } tags => ["t"]
            } }"#;
        let events = run(config, &testkit::legacy_context()).await;
        assert_eq!(
            fields(&events[0]),
            r#"{"host":"mine","message":"Hello world!","sequence":0,"tags":["t"]}"#
        );
    }

    #[tokio::test]
    async fn every_thread_counts_for_itself() {
        let config = "input { generator { count => 300 threads => 3 } }";
        let events = run(config, &testkit::context()).await;
        let sequence = FieldReference::parse("[event][sequence]").unwrap();
        let last = events.iter().filter(|event| event.get(&sequence) == Some(&Value::Int(299)));
        assert_eq!((events.len(), last.count()), (900, 3));
    }

    #[tokio::test]
    async fn what_a_codec_holds_back_comes_at_the_end_without_a_number() {
        let config = r#"input { generator { count => 2 message => "ab" codec => line } }"#;
        let events = run(config, &testkit::legacy_context()).await;
        assert_eq!(events.iter().map(without_host).collect::<Vec<_>>(), [r#"{"message":"abab"}"#]);
    }

    #[tokio::test]
    async fn shutdown_ends_an_endless_generator() {
        for codec in ["plain", "line"] {
            let config = format!("input {{ generator {{ codec => {codec} }} }}");
            let (generator, decoration) = testkit::input(&config, &testkit::context()).unwrap();
            let (sink, receiver) = testkit::sink(decoration, 1000);
            let (stop, shutdown) = Shutdown::channel();
            let drained = std::thread::spawn(move || testkit::drain(&receiver).len());
            let running = tokio::spawn(generator.run(sink, shutdown));
            tokio::task::yield_now().await;
            stop.send(true).unwrap();
            tokio::time::timeout(testkit::LONG, running).await.unwrap().unwrap().unwrap();
            assert!(drained.join().unwrap() > 0);
        }
    }

    #[test]
    fn nothing_to_send_is_refused() {
        let problems =
            testkit::input("input { generator { lines => [] } }", &testkit::context()).err().unwrap();
        assert!(problems[0].message.contains("\"lines\""), "{problems:?}");
    }
}
