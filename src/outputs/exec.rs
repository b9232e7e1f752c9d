//! Output `exec`: runs a program for each event (logstash-output-exec).

use std::io;
use std::process::{ExitStatus, Stdio};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Mutex;

use crate::command::{self, Program};
use crate::event::{Event, Template};
use crate::plugin::{
    Build, Delivery, Example, Kind, OptionReader, Output, Spec, Undelivered, options, take_unused_codec,
};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "exec",
    summary: "Runs a program for each event.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output { if [type] == "abuse" { exec { command => "logger -t abuse 'an event of type abuse'" } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| Some(Box::new(Exec::build(reader)?))),
};

options! {
    struct Options {
        /// The program, as one types it into a shell; `%{field}` stands for the event's text. That text comes into the
        /// shell as it is: events of strangers can run whatever they like. Each program is waited for, and whatever
        /// it leaves in the background as long as that holds the program's output, unless `quiet` is set.
        command: Template,
        /// Whether what the program prints is kept out of the log.
        quiet: bool = false,
    }
}

/// What goes into the log of what a program prints; the rest is thrown away.
const LOGGED: u64 = 64 * 1024;

struct Exec {
    command: Template,
    quiet: bool,
    /// One program at a time, in the order of the events.
    turn: Mutex<()>,
}

impl Exec {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader);
        take_unused_codec(reader);
        let Options { command, quiet } = options?;
        Some(Exec { command, quiet, turn: Mutex::new(()) })
    }

    async fn run(&self, line: &str) -> io::Result<ExitStatus> {
        let to = || if self.quiet { Stdio::null() } else { Stdio::piped() };
        let mut program =
            Program::start(command::shell(line).stdin(Stdio::null()).stdout(to()).stderr(to()))?;
        let (output, errors) = match self.quiet {
            true => Default::default(),
            false => tokio::try_join!(beginning(program.stdout()?), beginning(program.stderr()?))?,
        };
        if !output.is_empty() {
            tracing::info!(output, "a program has printed this");
        }
        if !errors.is_empty() {
            tracing::debug!(errors, "a program has complained");
        }
        program.wait().await
    }
}

/// The beginning of a text, without the line break at its end. The rest is read as well: a program waits for whoever
/// does not.
async fn beginning(mut from: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut text = Vec::new();
    (&mut from).take(LOGGED).read_to_end(&mut text).await?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    let text = String::from_utf8_lossy(&text);
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

impl Output for Exec {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let _turn = self.turn.lock().await;
            let mut delivery = Delivery::done();
            for (index, event) in events.iter().enumerate() {
                let line = match self.command.render(event) {
                    Ok(line) => line,
                    Err(error) => {
                        delivery.dead.push(Undelivered { index, reason: error.to_string() });
                        continue;
                    }
                };
                match self.run(&line).await {
                    Ok(status) if status.success() => {}
                    Ok(status) => {
                        tracing::info!(%status, "a program has failed, which the event does not mind")
                    }
                    // A NUL in the text of the event.
                    Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                        delivery.dead.push(Undelivered { index, reason: error.to_string() });
                    }
                    Err(error) => {
                        let reason = format!("could not run a program: {error}");
                        let rest = index..events.len();
                        delivery
                            .retry
                            .extend(rest.map(|index| Undelivered { index, reason: reason.clone() }));
                        break;
                    }
                }
            }
            delivery
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::FieldReference;
    use crate::plugin::testkit;

    fn event(field: &str, value: &str) -> Event {
        let mut event = Event::new();
        event.set(&FieldReference::top_level(field), value).unwrap();
        event
    }

    async fn run(command: &str, events: &[Event]) -> Delivery {
        let config = format!("output {{ exec {{ command => \"{command}\" }} }}");
        let output = testkit::output(&config, &testkit::context()).unwrap();
        output.deliver(&events.iter().collect::<Vec<_>>()).await
    }

    #[tokio::test]
    async fn programs_run_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let events: Vec<_> = ["0.2", "0.1", "0"].map(|pause| event("pause", pause)).into();
        let command = format!("sleep %{{pause}}; echo %{{pause}} >> {}", path.display());
        assert_eq!(run(&command, &events).await, Delivery::done());
        assert_eq!(std::fs::read_to_string(path).unwrap(), "0.2\n0.1\n0\n");
    }

    #[tokio::test]
    async fn failures_and_very_much_output_hold_nothing_up() {
        let events = [event("n", "1"), event("n", "a\0b"), event("n", "2")];
        let delivery = run("seq 100000; seq 100000 >&2; exit %{n}", &events).await;
        assert_eq!(delivery.dead.iter().map(|dead| dead.index).collect::<Vec<_>>(), [1]);
        assert!(delivery.retry.is_empty(), "{delivery:?}");
    }
}
