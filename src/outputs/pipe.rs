//! Output `pipe`: writes events to the standard input of a program (logstash-output-pipe 4).

mod running;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::event::{Event, Template, json};
use crate::plugin::{
    Build, Delivery, Example, Kind, OptionReader, Output, Spec, Undelivered, options, take_unused_codec,
};

use running::{Group, Running};

pub static SPEC: Spec = Spec {
    kind: Kind::Output,
    name: "pipe",
    summary: "Writes events to the standard input of a program.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"output { pipe { command => ["tee", "-a", "/var/log/%{[host][name]}.log"] message_format => "%{message}" } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Output(|reader| Some(Box::new(Pipe::build(reader)?))),
};

options! {
    struct Options {
        /// The program and its arguments, each of which may hold `%{field}`. There is no shell: for one, write
        /// `["sh", "-c", "..."]`. Each different command line is a program of its own, which runs on for the events to
        /// come and is started again when it has ended.
        command: Vec<Template>,
        /// The line to write for an event. Without it, the event as JSON.
        message_format: Option<Template>,
        /// Seconds after which a program that got no events is ended; 0 or less: never.
        ttl: f64 = 10,
    }
}

struct Pipe {
    command: Vec<Template>,
    message_format: Option<Template>,
    /// Batches wait here for their turn, in their order.
    running: Mutex<Running>,
}

impl Pipe {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let options = Options::read(reader);
        take_unused_codec(reader);
        let Options { command, message_format, ttl } = options?;
        let Some(program) = command.first() else {
            reader.error("command", "is empty; give a program and its arguments");
            return None;
        };
        let text = program.source();
        if text.contains(char::is_whitespace) && !Path::new(text).exists() {
            reader.error(
                "command",
                format!(
                    "\"{text}\" would be looked for as one program: there is no shell; write [\"program\", \
                     \"argument\", ...], or [\"sh\", \"-c\", \"...\"] for a shell"
                ),
            );
            return None;
        }
        let Ok(ttl) = Duration::try_from_secs_f64(ttl.max(0.0)) else {
            reader.error("ttl", "too long");
            return None;
        };
        // A program that comes from an event may be one that cannot be.
        let from_event = program.as_literal().is_none();
        let ttl = Some(ttl).filter(|ttl| !ttl.is_zero());
        Some(Pipe { command, message_format, running: Mutex::new(Running::new(ttl, from_event)) })
    }

    /// A batch's events by their command lines, in the order of each one's first event.
    fn groups(&self, events: &[&Event], dead: &mut Vec<Undelivered>) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let rendered: Result<Vec<_>, _> = self.command.iter().map(|part| part.render(event)).collect();
            let line = self.line(event);
            let (command, line) = match (rendered, line) {
                (Ok(command), Ok(line)) => (command, line),
                (Err(error), _) | (_, Err(error)) => {
                    dead.push(Undelivered { index, reason: error.to_string() });
                    continue;
                }
            };
            match groups.iter_mut().find(|group| group.command == command) {
                Some(group) => group.push(index, &line),
                None => {
                    let mut group = Group::new(command);
                    group.push(index, &line);
                    groups.push(group);
                }
            }
        }
        groups
    }

    fn line(&self, event: &Event) -> Result<Vec<u8>, crate::event::SprintfError> {
        let mut line = Vec::new();
        match &self.message_format {
            Some(format) => line.extend(format.render(event)?.into_bytes()),
            None => json::write_object(&mut line, event.data()),
        }
        line.push(b'\n');
        Ok(line)
    }
}

impl Output for Pipe {
    fn deliver<'a>(&'a self, events: &'a [&'a Event]) -> BoxFuture<'a, Delivery> {
        Box::pin(async {
            let mut delivery = Delivery::done();
            let groups = self.groups(events, &mut delivery.dead);
            let mut running = self.running.lock().await;
            for group in &groups {
                running.write(group, &mut delivery).await;
            }
            running.close_stale();
            delivery.retry.sort_by_key(|undelivered| undelivered.index);
            delivery.dead.sort_by_key(|undelivered| undelivered.index);
            delivery
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.running.lock().await.close().await })
    }
}
