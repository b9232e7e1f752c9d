//! Input `heartbeat`: makes an event at regular intervals (logstash-input-heartbeat).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::threads::side_by_side;
use crate::event::{Event, FieldReference, SetError};
use crate::plugin::{
    Build, EcsMode, Example, Input, Kind, OptionReader, Problem, RunError, Shutdown, Sink, Spec, choices,
    options,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "heartbeat",
    summary: "Makes an event at regular intervals.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"input { heartbeat { interval => 10 sequence => "epoch" } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Heartbeat::new(reader)?))),
};

choices! {
    /// What counts the beats.
    pub enum Sequence {
        /// Nothing.
        None = "none",
        /// The time in seconds since 1970.
        Epoch = "epoch",
        /// Numbers from 1.
        Number = "sequence",
    }
}

options! {
    #[derive(Debug)]
    pub struct Options {
        /// How many events to make; 0 or less: without end.
        count: i64 = -1,
        /// Seconds between two events.
        interval: f64 = 60,
        /// Text of the event. Without `sequence` and with `ecs_compatibility => disabled`, the words `epoch` and
        /// `sequence` mean that `sequence`, and the event has no text.
        message: String = "ok",
        /// What to put into `[event][sequence]` (`clock` with `ecs_compatibility => disabled`).
        sequence: Option<Sequence>,
        /// How many heartbeats run side by side, each with the full `count`.
        threads: usize = 1,
    }
}

#[derive(Debug)]
pub struct Heartbeat {
    count: i64,
    interval: Duration,
    message: Option<String>,
    sequence: Sequence,
    threads: usize,
    host: String,
    host_field: FieldReference,
    sequence_field: FieldReference,
}

impl Heartbeat {
    fn new(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader);
        crate::plugin::take_unused_codec(reader);
        let Options { count, interval, message, sequence, threads } = options?;
        let Ok(interval) = Duration::try_from_secs_f64(interval.max(0.0)) else {
            reader.error("interval", "too long");
            return None;
        };
        let meant = match message.as_str() {
            "epoch" => Some(Sequence::Epoch),
            "sequence" => Some(Sequence::Number),
            _ => None,
        };
        let magic = meant.filter(|_| sequence.is_none());
        if magic.is_some() {
            let problem = Problem::warning(reader.span("message"), "heartbeat's message names a sequence")
                .label("use the option sequence");
            reader.report(problem.help(format!("write sequence => \"{message}\"")));
        }
        // The words in message were how a sequence was asked for before ECS.
        let (sequence, message) = match magic.filter(|_| reader.ecs() == EcsMode::Disabled) {
            Some(sequence) => (sequence, None),
            None => (sequence.unwrap_or(Sequence::None), Some(message)),
        };
        let field = |disabled, ecs| FieldReference::parse(reader.ecs().select(disabled, ecs)).ok();
        Some(Heartbeat {
            count,
            interval,
            message,
            sequence,
            threads,
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            host_field: field("host", "[host][name]")?,
            sequence_field: field("clock", "[event][sequence]")?,
        })
    }

    fn event(&self, number: i64) -> Result<Event, SetError> {
        let mut event = Event::new();
        let clock = match self.sequence {
            Sequence::None => None,
            Sequence::Number => Some(number),
            Sequence::Epoch => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Some(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
            }
        };
        if let Some(clock) = clock {
            event.set(&self.sequence_field, clock)?;
        }
        event.set(&self.host_field, self.host.as_str())?;
        if let Some(message) = &self.message {
            event.set(&FieldReference::top_level("message"), message.as_str())?;
        }
        Ok(event)
    }

    /// One thread's work.
    async fn beat(&self, sink: Sink, shutdown: Shutdown) -> Result<(), RunError> {
        let mut number = 0;
        while !shutdown.is_requested() {
            let started = Instant::now();
            number += 1;
            let event = self.event(number).map_err(|error| RunError::new(error.to_string()))?;
            sink.send(vec![event], None).await.map_err(|closed| RunError::new(closed.to_string()))?;
            if number == self.count {
                break;
            }
            let wait = self.interval.saturating_sub(started.elapsed());
            tokio::select! {
                () = tokio::time::sleep(wait), if !wait.is_zero() => {}
                () = shutdown.requested() => {}
                // Without a wait, other tasks still get their turn.
                () = tokio::task::yield_now(), if wait.is_zero() => {}
            }
        }
        Ok(())
    }
}

impl Input for Heartbeat {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let heartbeat: Arc<Self> = Arc::from(self);
            let work = |sink| {
                let (heartbeat, shutdown) = (Arc::clone(&heartbeat), shutdown.clone());
                async move { heartbeat.beat(sink, shutdown).await }
            };
            side_by_side(heartbeat.threads, sink, work).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Value;
    use crate::plugin::testkit::{self, fields};

    async fn run(options: &str) -> Vec<Event> {
        let config = format!("input {{ heartbeat {{ {options} }} }}");
        let (heartbeat, decoration) = testkit::input(&config, &testkit::context()).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 100);
        let (_stop, shutdown) = Shutdown::channel();
        heartbeat.run(sink, shutdown).await.unwrap();
        testkit::drain(&receiver)
    }

    /// The events of a heartbeat without waits, as JSON.
    async fn beats(options: &str) -> Vec<String> {
        let host = gethostname::gethostname().into_string().unwrap();
        let events = run(&format!("interval => 0 {options}")).await;
        events.iter().map(|event| fields(event).replace(&host, "HOST")).collect()
    }

    #[tokio::test]
    async fn messages_and_sequences() {
        assert_eq!(beats("count => 1").await, [r#"{"host":{"name":"HOST"},"message":"ok"}"#]);
        assert_eq!(
            beats(r#"count => 2 sequence => "sequence""#).await,
            [
                r#"{"event":{"sequence":1},"host":{"name":"HOST"},"message":"ok"}"#,
                r#"{"event":{"sequence":2},"host":{"name":"HOST"},"message":"ok"}"#,
            ]
        );
        assert_eq!(
            beats(r#"count => 1 message => "sequence" ecs_compatibility => disabled"#).await,
            [r#"{"clock":1,"host":"HOST"}"#]
        );
        // With ECS the word in message is text, and where sequence is given it always is.
        assert_eq!(
            beats(r#"count => 1 message => "epoch""#).await,
            [r#"{"host":{"name":"HOST"},"message":"epoch"}"#]
        );
        assert_eq!(
            beats(r#"count => 1 message => "epoch" sequence => "none" ecs_compatibility => disabled"#).await,
            [r#"{"host":"HOST","message":"epoch"}"#]
        );
    }

    #[tokio::test]
    async fn epoch_is_the_time_in_seconds() {
        let before = crate::event::Timestamp::now().epoch_seconds();
        let events =
            run(r#"interval => 0 count => 1 message => "epoch" ecs_compatibility => disabled"#).await;
        let after = crate::event::Timestamp::now().epoch_seconds();
        let Some(Value::Int(clock)) = events[0].data().get("clock") else { panic!("no clock") };
        assert!((before..=after).contains(clock));
        assert!(!events[0].data().contains_key("message"));
    }

    #[tokio::test]
    async fn every_thread_beats() {
        assert_eq!(beats(r#"count => 2 threads => 2"#).await.len(), 4);
    }

    #[tokio::test]
    async fn shutdown_does_not_wait_for_the_interval() {
        let config = "input { heartbeat { interval => 100000 codec => plain } }";
        let (heartbeat, decoration) = testkit::input(config, &testkit::context()).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 100);
        let (stop, shutdown) = Shutdown::channel();
        let running = tokio::spawn(heartbeat.run(sink, shutdown));
        tokio::task::yield_now().await;
        stop.send(true).unwrap();
        tokio::time::timeout(testkit::LONG, running).await.unwrap().unwrap().unwrap();
        assert!(testkit::drain(&receiver).len() <= 1);
    }
}
