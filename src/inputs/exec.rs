//! Input `exec`: runs a program again and again and makes an event of what it prints (logstash-input-exec).

use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::io::AsyncReadExt;

use crate::command::{self, Program};
use crate::event::{Event, FieldReference, SetError, Value};
use crate::plugin::{
    Build, Codec, CodecFactory, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec, options,
};
use crate::schedule::Schedule;

/// A program that prints more is killed, so that one that never ends does not fill the memory.
const LONGEST: u64 = 256 * 1024 * 1024;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "exec",
    summary: "Runs a program again and again and reads all that it prints.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"input { exec { command => "uptime" interval => 30 } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Exec::build(reader)?))),
};

options! {
    struct Options {
        /// How all that the program prints becomes events.
        codec: CodecFactory = "plain",
        /// The program, as one types it into a shell.
        command: String,
        /// Seconds from one start to the next. The first is at once.
        interval: Option<f64>,
        /// When to run, instead of `interval`: a cron line, with seconds in front and a time zone behind if wanted.
        schedule: Option<String>,
    }
}

struct Exec {
    codec: CodecFactory,
    command: String,
    schedule: Schedule,
    host: String,
    fields: Fields,
}

struct Fields {
    host: FieldReference,
    command: FieldReference,
    exit_code: FieldReference,
    duration: FieldReference,
    /// Whether `duration` is a whole number of microseconds, and not of seconds.
    in_micros: bool,
}

/// One run of the program.
struct Run {
    printed: Vec<u8>,
    /// What it returned; nothing if a signal ended it.
    exit_code: Option<i32>,
    took: Duration,
}

impl Exec {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader)?;
        let schedule = match (options.interval, &options.schedule) {
            (Some(seconds), None) => {
                let every = Duration::try_from_secs_f64(seconds);
                every
                    .map(Schedule::Every)
                    .map_err(|_| ("interval", "expected a number of seconds".to_owned()))
            }
            (None, Some(line)) => Schedule::cron(line).map_err(|error| ("schedule", error.to_string())),
            _ => Err(("interval", "give either interval or schedule".to_owned())),
        };
        let ecs = reader.ecs();
        let schedule = schedule.map_err(|(option, error)| reader.error(option, error)).ok()?;
        let field = |disabled, ecs_name| FieldReference::parse(ecs.select(disabled, ecs_name)).ok();
        Some(Exec {
            codec: options.codec,
            command: options.command,
            schedule,
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            fields: Fields {
                host: field("host", "[host][name]")?,
                command: field("command", "[process][command_line]")?,
                exit_code: field("[@metadata][exit_status]", "[process][exit_code]")?,
                duration: field("[@metadata][duration]", "[@metadata][input][exec][process][elapsed_time]")?,
                in_micros: ecs.is_enabled(),
            },
        })
    }

    /// Runs the program to its end. Dropped, it kills it.
    async fn run_once(&self) -> io::Result<Run> {
        let started = Instant::now();
        let mut program =
            Program::start(command::shell(&self.command).stdin(Stdio::null()).stdout(Stdio::piped()))?;
        let mut printed = Vec::new();
        let mut output = program.stdout()?.take(LONGEST);
        output.read_to_end(&mut printed).await?;
        if output.limit() == 0 {
            tracing::error!(
                command = self.command,
                bytes = LONGEST,
                "a program printed too much, it is killed"
            );
            return Ok(Run { printed, exit_code: None, took: started.elapsed() });
        }
        let status = program.wait().await?;
        Ok(Run { printed, exit_code: status.code(), took: started.elapsed() })
    }

    fn events(&self, codec: &mut dyn Codec, run: &Run, sink: &Sink) -> Vec<Event> {
        let mut events = Vec::new();
        codec.decode(&run.printed, &mut |event| events.push(event));
        // What has no end yet, as the last line of a codec for lines, belongs to this run.
        codec.flush(&mut |event| events.push(event));
        for event in &mut events {
            sink.decorate(event);
            if let Err(error) = self.describe(event, run) {
                tracing::debug!(%error, "an event of a program stays without a field");
            }
        }
        events
    }

    fn describe(&self, event: &mut Event, run: &Run) -> Result<(), SetError> {
        let fields = &self.fields;
        for (field, value) in [
            (&fields.host, Value::from(self.host.as_str())),
            (&fields.command, Value::from(self.command.as_str())),
            (&fields.exit_code, run.exit_code.map_or(Value::Null, |code| Value::Int(code.into()))),
        ] {
            if !event.contains(field) {
                event.set(field, value)?;
            }
        }
        // In exec.rb, `to_nanos` multiplies by a million.
        let took = match fields.in_micros {
            true => Value::Int(i64::try_from(run.took.as_micros()).unwrap_or(i64::MAX)),
            false => Value::Float(run.took.as_secs_f64()),
        };
        event.set(&fields.duration, took)
    }

    /// Waits for its times and runs the program. What a run has printed is sent whatever is requested meanwhile.
    async fn repeat(&self, sink: &Sink, shutdown: &Shutdown) {
        let mut times = self.schedule.times();
        let mut codec = self.codec.create();
        while times.next(shutdown).await {
            let run = tokio::select! {
                () = shutdown.requested() => return,
                run = self.run_once() => run,
            };
            let run = match run {
                Ok(run) => run,
                Err(error) => {
                    tracing::error!(command = self.command, %error, "could not run a program");
                    continue;
                }
            };
            tracing::debug!(
                command = self.command,
                took_ms = run.took.as_millis() as u64,
                "a program has run"
            );
            if let Schedule::Every(interval) = self.schedule
                && run.took > interval
            {
                tracing::warn!(
                    command = self.command,
                    took_ms = run.took.as_millis() as u64,
                    "a program ran longer than the interval, it runs again at once"
                );
            }
            let events = self.events(&mut *codec, &run, sink);
            if !events.is_empty() && sink.send_decorated(events, None).await.is_err() {
                return;
            }
        }
    }
}

impl Input for Exec {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            self.repeat(&sink, &shutdown).await;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit::{self, fields};
    use crate::plugin::{Context, Problem};
    use crate::queue::Taken;

    /// The events of so many runs.
    async fn run(options: &str, runs: usize, context: &Context) -> Vec<Event> {
        let config = format!("input {{ exec {{ {options} }} }}");
        let (input, decoration) = testkit::input(&config, context).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 1);
        let (stop, shutdown) = Shutdown::channel();
        let running = tokio::spawn(input.run(sink, shutdown));
        let taking = tokio::task::spawn_blocking(move || {
            let mut taken = Vec::new();
            while taken.len() < runs {
                match receiver.take(1, Duration::ZERO, testkit::LONG) {
                    Taken::Batch { events, .. } => taken.extend(events),
                    _ => panic!("nothing came"),
                }
            }
            stop.send(true).unwrap();
            (taken, testkit::drain(&receiver))
        });
        let (taken, _) = taking.await.unwrap();
        tokio::time::timeout(testkit::LONG, running).await.unwrap().unwrap().unwrap();
        taken
    }

    /// An event's fields, with this host's name left out.
    fn shown(event: &Event) -> String {
        fields(event).replace(&gethostname::gethostname().into_string().unwrap(), "HOST")
    }

    fn field(event: &Event, name: &str) -> Option<Value> {
        event.get(&FieldReference::parse(name).unwrap()).cloned()
    }

    #[tokio::test]
    async fn all_that_is_printed_is_one_event() {
        let command = r"command => 'echo one; echo two; exit 7' interval => 0.01";
        let legacy = run(command, 2, &testkit::legacy_context()).await;
        for event in &legacy {
            assert_eq!(
                shown(event),
                r#"{"command":"echo one; echo two; exit 7","host":"HOST","message":"one\ntwo\n"}"#
            );
            assert_eq!(field(event, "[@metadata][exit_status]"), Some(Value::Int(7)));
            assert!(matches!(field(event, "[@metadata][duration]"), Some(Value::Float(took)) if took > 0.0));
        }
        let ecs = run(command, 1, &testkit::context()).await;
        assert_eq!(
            shown(&ecs[0]),
            r#"{"event":{"original":"one\ntwo\n"},"host":{"name":"HOST"},"message":"one\ntwo\n","process":{"command_line":"echo one; echo two; exit 7","exit_code":7}}"#
        );
        let took = field(&ecs[0], "[@metadata][input][exec][process][elapsed_time]");
        assert!(matches!(took, Some(Value::Int(micros)) if micros > 0), "{took:?}");
    }

    #[tokio::test]
    async fn a_schedule_and_a_codec_for_lines() {
        let options = "command => 'printf \"a\\nb\"' schedule => '* * * * * *' codec => line";
        let events = run(options, 2, &testkit::legacy_context()).await;
        let messages: Vec<_> = events.iter().map(|event| field(event, "message").unwrap()).collect();
        assert_eq!(messages, ["a", "b"].map(Value::from));
    }

    #[tokio::test]
    async fn a_signal_leaves_no_status() {
        let events = run("command => 'kill -9 $$' interval => 100", 1, &testkit::context()).await;
        assert_eq!(field(&events[0], "[process][exit_code]"), Some(Value::Null));
    }

    #[tokio::test]
    async fn shutdown_does_not_wait_for_the_program() {
        let (input, decoration) =
            testkit::input("input { exec { command => 'sleep 1000' interval => 1 } }", &testkit::context())
                .unwrap();
        let (sink, _receiver) = testkit::sink(decoration, 1);
        let (stop, shutdown) = Shutdown::channel();
        let running = tokio::spawn(input.run(sink, shutdown));
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.send(true).unwrap();
        tokio::time::timeout(testkit::LONG, running).await.unwrap().unwrap().unwrap();
    }

    #[test]
    fn interval_and_schedule_exclude_each_other() {
        for options in [
            "command => 'x'",
            "command => 'x' interval => 1 schedule => '* * * * *'",
            "command => 'x' schedule => 'often'",
            "command => 'x' interval => -1",
            "interval => 1",
        ] {
            let config = format!("input {{ exec {{ {options} }} }}");
            let problems = testkit::input(&config, &testkit::context()).err().unwrap();
            assert!(problems.iter().any(Problem::is_error), "{options}");
        }
    }
}
