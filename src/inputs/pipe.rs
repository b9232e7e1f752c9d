//! Input `pipe`: reads the lines that a program prints, and starts it again when it ends (logstash-input-pipe).

use std::io;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::Instant;

use super::stream::until;
use crate::command::{self, Program};
use crate::event::{Event, FieldReference, Value};
use crate::plugin::{
    Build, Codec, CodecFactory, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec, options,
};

/// The pause before the program is started again, however it ended (pipe.rb).
const PAUSE: Duration = Duration::from_secs(10);

/// As much as one read may bring, in bytes.
const BLOCK: usize = 64 * 1024;

/// A longer line comes in several pieces, so that a program that never ends one does not fill the memory.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "pipe",
    summary: "Reads the lines that a program prints.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("plain"),
    example: Example {
        config: r#"input { pipe { command => "journalctl --follow --output json" codec => json } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Input(|reader| Some(Box::new(Pipe::build(reader)?))),
};

options! {
    struct Options {
        /// How a line becomes an event. It comes without its end.
        codec: CodecFactory = "plain",
        /// The program, as one types it into a shell. It is started again 10 seconds after its end, and killed when
        /// rstash stops.
        command: String,
    }
}

struct Pipe {
    codec: CodecFactory,
    command: String,
    pause: Duration,
    host: String,
    host_field: FieldReference,
    command_field: FieldReference,
}

impl Pipe {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { codec, command } = Options::read(reader)?;
        let ecs = reader.ecs();
        Some(Pipe {
            codec,
            command,
            pause: PAUSE,
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            host_field: FieldReference::parse(ecs.select("host", "[host][name]")).ok()?,
            command_field: FieldReference::parse(ecs.select("command", "[process][command_line]")).ok()?,
        })
    }

    /// Reads all that the program prints. Dropped, it kills the program.
    async fn read(&self, lines: &mut Lines<'_>, sink: &Sink, shutdown: &Shutdown) -> io::Result<()> {
        let mut program =
            Program::start(command::shell(&self.command).stdin(Stdio::null()).stdout(Stdio::piped()))?;
        let mut output = BufReader::with_capacity(BLOCK, program.stdout()?);
        loop {
            let read = tokio::select! {
                biased;
                () = shutdown.requested() => return lines.end(sink).await,
                () = until(lines.flush_at) => None,
                block = output.fill_buf() => Some(block?),
            };
            match read {
                None => lines.flush(),
                Some([]) => break,
                Some(block) => {
                    let length = block.len();
                    lines.take(block);
                    output.consume(length);
                }
            }
            lines.send(sink).await?;
        }
        lines.end(sink).await?;
        let status = tokio::select! {
            status = program.wait() => status?,
            () = shutdown.requested() => return Ok(()),
        };
        tracing::info!(command = self.command, %status, "a program has ended, it will be started again");
        Ok(())
    }

    fn finish(&self, event: &mut Event, sink: &Sink) {
        sink.decorate(event);
        for (field, value) in [(&self.host_field, &self.host), (&self.command_field, &self.command)] {
            if !event.contains(field)
                && let Err(error) = event.set(field, Value::from(value.as_str()))
            {
                tracing::debug!(%error, "an event of a program stays without a field");
            }
        }
    }
}

/// Lines on their way through the codec.
struct Lines<'a> {
    pipe: &'a Pipe,
    codec: Box<dyn Codec>,
    /// Whether the codec looks for the ends of lines itself. In Logstash it never sees one.
    with_end: bool,
    /// The beginning of a line.
    held: Vec<u8>,
    events: Vec<Event>,
    flush_at: Option<Instant>,
}

impl<'a> Lines<'a> {
    fn new(pipe: &'a Pipe) -> Self {
        Lines {
            codec: pipe.codec.create(),
            with_end: matches!(pipe.codec.name(), "line" | "json_lines"),
            pipe,
            held: Vec::new(),
            events: Vec::new(),
            flush_at: None,
        }
    }

    fn take(&mut self, block: &[u8]) {
        let mut rest = block;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end + 1);
            rest = after;
            match self.held.is_empty() {
                true => self.decode(line),
                false => {
                    self.held.extend_from_slice(line);
                    let line = std::mem::take(&mut self.held);
                    self.decode(&line);
                }
            }
        }
        self.held.extend_from_slice(rest);
        if self.held.len() > LONGEST_LINE {
            tracing::warn!(command = self.pipe.command, "a line that is too long comes in pieces");
            let piece = std::mem::take(&mut self.held);
            self.decode(&piece);
        }
        self.flush_at = self.codec.flush_after().map(|quiet| Instant::now() + quiet);
    }

    /// One line; its end is taken off as `chomp` does.
    fn decode(&mut self, line: &[u8]) {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        let events = &mut self.events;
        self.codec.decode(bare, &mut |event| events.push(event));
        if self.with_end {
            self.codec.decode(b"\n", &mut |event| events.push(event));
        }
    }

    fn flush(&mut self) {
        self.flush_at = None;
        let events = &mut self.events;
        self.codec.flush(&mut |event| events.push(event));
    }

    /// The last line, which may have no end, and what the codec holds back.
    async fn end(&mut self, sink: &Sink) -> io::Result<()> {
        let rest = std::mem::take(&mut self.held);
        if !rest.is_empty() {
            self.decode(&rest);
        }
        self.flush();
        self.send(sink).await
    }

    async fn send(&mut self, sink: &Sink) -> io::Result<()> {
        let mut events = std::mem::take(&mut self.events);
        if events.is_empty() {
            return Ok(());
        }
        events.iter_mut().for_each(|event| self.pipe.finish(event, sink));
        sink.send_decorated(events, None).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Input for Pipe {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let mut lines = Lines::new(&self);
            while !shutdown.is_requested() {
                if let Err(error) = self.read(&mut lines, &sink, &shutdown).await {
                    tracing::error!(command = self.command, %error, "could not read from a program");
                }
                tokio::select! {
                    () = shutdown.requested() => {}
                    () = tokio::time::sleep(self.pause) => {}
                }
            }
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

    /// What one run of a program gives, which are so many events.
    async fn lines(command: &str, options: &str, count: usize, context: &Context) -> Vec<String> {
        let host = gethostname::gethostname().into_string().unwrap();
        let config = format!("input {{ pipe {{ command => \"{command}\" {options} }} }}");
        let (input, decoration) = testkit::input(&config, context).unwrap();
        let (sink, receiver) = testkit::sink(decoration, 1000);
        let (stop, shutdown) = Shutdown::channel();
        let running = tokio::spawn(input.run(sink, shutdown));
        let events = tokio::task::spawn_blocking(move || {
            let mut taken = Vec::new();
            while taken.len() < count {
                match receiver.take(count, Duration::ZERO, testkit::LONG) {
                    Taken::Batch { events, .. } => taken.extend(events),
                    _ => panic!("{} events came", taken.len()),
                }
            }
            stop.send(true).unwrap();
            taken.extend(testkit::drain(&receiver));
            taken
        });
        let events = events.await.unwrap();
        tokio::time::timeout(testkit::LONG, running).await.unwrap().unwrap().unwrap();
        events.iter().map(|event| fields(event).replace(&host, "HOST").replace(command, "CMD")).collect()
    }

    #[tokio::test]
    async fn every_line_is_an_event_without_its_end() {
        let command = r"printf 'a\r\n\nb'";
        let expected = ["a", "", "b"].map(|text| {
            format!(r#"{{"command":"printf 'a\\r\\n\\nb'","host":"HOST","message":"{text}","type":"p"}}"#)
        });
        assert_eq!(lines(command, "type => 'p'", 3, &testkit::legacy_context()).await, expected);
        assert_eq!(
            lines("echo a", "add_field => { '[host][name]' => 'mine' }", 1, &testkit::context()).await,
            [
                r#"{"event":{"original":"a"},"host":{"name":"mine"},"message":"a","process":{"command_line":"CMD"}}"#
            ]
        );
    }

    #[tokio::test]
    async fn codecs_that_look_for_line_ends_find_them() {
        let legacy = testkit::legacy_context();
        for codec in ["json", "json_lines"] {
            let events = lines("echo '{}'; echo '{}'", &format!("codec => {codec}"), 2, &legacy).await;
            assert_eq!(events.len(), 2, "{codec}");
        }
        let multiline = "codec => multiline { pattern => '^ ' what => 'previous' }";
        let events = lines("echo a; echo ' b'; echo c", multiline, 2, &legacy).await;
        assert!(events[0].contains(r#""message":"a\n b""#), "{events:?}");
    }

    #[tokio::test]
    async fn a_program_that_runs_on_is_killed_at_the_end() {
        let started = lines("echo; exec sleep 1000", "", 1, &testkit::legacy_context()).await;
        assert_eq!(started.len(), 1, "{started:?}");
    }

    #[test]
    fn a_command_is_required() {
        let problems = testkit::input("input { pipe { } }", &testkit::context()).err().unwrap();
        assert!(problems.iter().any(Problem::is_error));
    }
}
