//! Input `stdin`: reads events from the standard input (logstash-input-stdin).

use std::borrow::Cow;
use std::io::{self, IsTerminal, Read};
use std::sync::OnceLock;

use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use super::stream::until;
use crate::event::{Event, FieldReference, Value};
use crate::plugin::{
    Build, Codec, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec, StreamCodec, options,
};

/// How much one read takes at most: as much as a pipe holds.
const BLOCK: usize = 64 * 1024;
/// Blocks that wait for an input: one is decoded while the next is read.
const BLOCKS_AHEAD: usize = 1;

pub static SPEC: Spec = Spec {
    kind: Kind::Input,
    name: "stdin",
    summary: "Reads events from the standard input, one per line, and ends with it.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: Some("line"),
    example: Example { config: "input { stdin { codec => json } }", input: &[], output: &[] },
    build: Build::Input(|reader| Some(Box::new(Stdin::new(reader)?))),
};

options! {
    #[derive(Debug)]
    pub struct Options {
        /// How bytes become events. `plain` and `json` mean `line` and `json_lines` here.
        codec: StreamCodec = "line",
    }
}

pub struct Stdin {
    decoder: Decoder,
}

impl Stdin {
    fn new(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { codec: StreamCodec(factory) } = Options::read(reader)?;
        let ecs = reader.ecs();
        let original_field = match ecs.is_enabled() {
            true => Some(FieldReference::parse("[event][original]").ok()?),
            false => None,
        };
        let decoder = Decoder {
            by_line: original_field.is_some() && factory.name() == "json_lines",
            codec: factory.create(),
            line: Vec::new(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            host_field: FieldReference::parse(ecs.select("host", "[host][hostname]")).ok()?,
            original_field,
        };
        Some(Stdin { decoder })
    }
}

impl Input for Stdin {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let blocks = standard_input().map_err(could_not_read)?;
            if io::stdin().is_terminal() {
                tracing::info!("the stdin input is waiting for lines, Ctrl-D ends them");
            }
            pump(blocks, self.decoder, &sink, &shutdown).await
        })
    }
}

/// What a reading thread hands over; its end is the end of the input.
type Blocks = Mutex<mpsc::Receiver<io::Result<Vec<u8>>>>;

/// The blocks of the process's standard input. A thread of its own reads them for as long as the process lives, because
/// nothing can interrupt a read: an input that shuts down leaves it, and what it reads is there for the next one.
fn standard_input() -> io::Result<&'static Blocks> {
    static BLOCKS: OnceLock<Blocks> = OnceLock::new();
    if let Some(blocks) = BLOCKS.get() {
        return Ok(blocks);
    }
    let (sender, receiver) = mpsc::channel(BLOCKS_AHEAD);
    if BLOCKS.set(Mutex::new(receiver)).is_ok() {
        std::thread::Builder::new()
            .name("stdin".into())
            .spawn(move || read_blocks(&mut io::stdin(), &sender))?;
    }
    BLOCKS.get().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Reads to the end, or until an error, which is passed on.
fn read_blocks(from: &mut impl Read, to: &mpsc::Sender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; BLOCK];
    loop {
        let block = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(len) => Ok(buffer.get(..len).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_end = block.is_err();
        if to.blocking_send(block).is_err() || is_end {
            return;
        }
    }
}

fn could_not_read(error: io::Error) -> RunError {
    RunError::new(format!("could not read the standard input: {error}"))
}

/// Decodes block after block and sends what each gave, until they end or shutdown is requested.
async fn pump(
    blocks: &Blocks,
    mut decoder: Decoder,
    sink: &Sink,
    shutdown: &Shutdown,
) -> Result<(), RunError> {
    let mut failed = Ok(());
    // When what the codec holds back goes on its way, unless more comes before.
    let mut flush_at: Option<Instant> = None;
    loop {
        let block = tokio::select! {
            biased;
            () = shutdown.requested() => break,
            block = async { blocks.lock().await.recv().await } => block,
            () = until(flush_at) => {
                flush_at = None;
                send(decoder.flush(sink), sink).await?;
                continue;
            }
        };
        match block {
            Some(Ok(block)) => {
                send(decoder.decode(&block, sink), sink).await?;
                flush_at = decoder.codec.flush_after().map(|quiet| Instant::now() + quiet);
            }
            Some(Err(error)) => {
                failed = Err(could_not_read(error));
                break;
            }
            None => break,
        }
    }
    send(decoder.end(sink), sink).await.and(failed)
}

async fn send(events: Vec<Event>, sink: &Sink) -> Result<(), RunError> {
    sink.send_decorated(events, None).await.map_err(|closed| RunError::new(closed.to_string()))
}

/// Makes events of blocks and gives them the fields of this input.
struct Decoder {
    codec: Box<dyn Codec>,
    /// Whether the codec gets line by line, so that each event can have its own line as `[event][original]`. Logstash
    /// gives every event all that one read brought.
    by_line: bool,
    /// The line that has not ended yet.
    line: Vec<u8>,
    host: String,
    host_field: FieldReference,
    original_field: Option<FieldReference>,
}

impl Decoder {
    fn decode(&mut self, block: &[u8], sink: &Sink) -> Vec<Event> {
        let mut events = Vec::new();
        if self.codec.takes_lines() {
            return self.decode_whole_lines(block, sink);
        }
        if !self.by_line {
            self.codec.decode(block, &mut |event| events.push(event));
            let whole = if events.len() == 1 { Some(block) } else { None };
            self.finish(&mut events, whole, sink);
            return events;
        }
        let mut rest = block;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (piece, after) = rest.split_at(end + 1);
            rest = after;
            let held = std::mem::take(&mut self.line);
            match held.is_empty() {
                true => self.decode_line(piece, &mut events, sink),
                false => self.decode_line(&[&held, piece].concat(), &mut events, sink),
            }
        }
        self.line.extend_from_slice(rest);
        events
    }

    /// Gives the codec all lines that are complete, and holds back the last one otherwise.
    fn decode_whole_lines(&mut self, block: &[u8], sink: &Sink) -> Vec<Event> {
        let mut events = Vec::new();
        let end = memchr::memrchr(b'\n', block).map_or(0, |at| at + 1);
        let (lines, rest) = block.split_at(end);
        if !lines.is_empty() {
            self.line.extend_from_slice(lines);
            let lines = std::mem::take(&mut self.line);
            self.codec.decode(&lines, &mut |event| events.push(event));
            self.finish(&mut events, None, sink);
        }
        self.line.extend_from_slice(rest);
        events
    }

    /// What the codec holds back while the input is quiet. A line that has not ended yet stays where it is.
    fn flush(&mut self, sink: &Sink) -> Vec<Event> {
        let mut events = Vec::new();
        self.codec.flush(&mut |event| events.push(event));
        self.finish(&mut events, None, sink);
        events
    }

    fn decode_line(&mut self, line: &[u8], events: &mut Vec<Event>, sink: &Sink) {
        let from = events.len();
        self.codec.decode(line, &mut |event| events.push(event));
        if let Some(new) = events.get_mut(from..) {
            self.finish(new, Some(line), sink);
        }
    }

    /// What is held back when the input ends.
    fn end(&mut self, sink: &Sink) -> Vec<Event> {
        let line = std::mem::take(&mut self.line);
        let mut events = Vec::new();
        if !line.is_empty() {
            self.codec.decode(&line, &mut |event| events.push(event));
        }
        self.codec.flush(&mut |event| events.push(event));
        self.finish(&mut events, (!line.is_empty()).then_some(&line), sink);
        events
    }

    fn finish(&self, events: &mut [Event], original: Option<&[u8]>, sink: &Sink) {
        for event in events {
            sink.decorate(event);
            let fields = [
                (self.original_field.as_ref(), original.map(text_of)),
                (Some(&self.host_field), Some(self.host.as_str().into())),
            ];
            for (field, value) in fields {
                let (Some(field), Some(value)) = (field, value) else { continue };
                if !event.contains(field)
                    && let Err(error) = event.set(field, Value::from(&*value))
                {
                    tracing::debug!(%error, "an event of stdin stays without a field");
                }
            }
        }
    }
}

/// A line as text; checking it whole is several times as fast as going through it for errors.
fn text_of(line: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit::{self, fields};
    use crate::plugin::{CodecFactory, Context, InputDecoration};
    use std::sync::Arc;

    fn decoder(codec: &str, context: &Context) -> Decoder {
        let value = crate::plugin::ConfigValue::text(codec, Default::default());
        let factory = <CodecFactory as crate::plugin::FromOption>::from_option(&value, context).unwrap();
        Decoder {
            by_line: context.ecs.is_enabled() && codec == "json_lines",
            codec: factory.create(),
            line: Vec::new(),
            host: "h".into(),
            host_field: FieldReference::parse(context.ecs.select("host", "[host][hostname]")).unwrap(),
            original_field: context
                .ecs
                .is_enabled()
                .then(|| FieldReference::parse("[event][original]").unwrap()),
        }
    }

    /// Blocks that come one by one, then the end.
    async fn run(given: &[&str], decoder: Decoder) -> Vec<String> {
        let (sink, receiver) = testkit::sink(Arc::new(InputDecoration::default()), 1000);
        let (sender, blocks) = mpsc::channel(100);
        for block in given {
            sender.send(Ok(block.as_bytes().to_vec())).await.unwrap();
        }
        drop(sender);
        let (_stop, shutdown) = Shutdown::channel();
        pump(&Mutex::new(blocks), decoder, &sink, &shutdown).await.unwrap();
        drop(sink);
        testkit::drain(&receiver).iter().map(fields).collect()
    }

    #[tokio::test]
    async fn lines_go_on_over_blocks_and_the_last_needs_no_end() {
        assert_eq!(
            run(&["a\nb", "c\n", "d"], decoder("line", &testkit::legacy_context())).await,
            [
                r#"{"host":"h","message":"a"}"#,
                r#"{"host":"h","message":"bc"}"#,
                r#"{"host":"h","message":"d"}"#
            ]
        );
    }

    #[tokio::test]
    async fn documents_keep_their_own_line_as_original() {
        let events =
            run(&["{\"a\":1}\n{\"a\"", ":2}\n{\"a\":3}"], decoder("json_lines", &testkit::context())).await;
        let originals: Vec<_> = events
            .iter()
            .map(|event| {
                let event: serde_json::Value = serde_json::from_str(event).unwrap();
                assert_eq!(event["host"]["hostname"], "h");
                event["event"]["original"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(originals, ["{\"a\":1}\n", "{\"a\":2}\n", "{\"a\":3}"]);
    }

    /// A codec with the options it is written with.
    fn configured(codec: &str, context: &Context) -> Decoder {
        let value = crate::language::parse_value(codec).unwrap();
        let value = crate::plugin::ConfigValue::new(&value, &context.environment, &mut Vec::new());
        let factory = <CodecFactory as crate::plugin::FromOption>::from_option(&value, context).unwrap();
        Decoder { codec: factory.create(), ..decoder("line", context) }
    }

    #[tokio::test]
    async fn lines_for_multiline_are_never_cut() {
        let codec =
            configured("multiline { pattern => '^ ' what => 'previous' }", &testkit::legacy_context());
        assert_eq!(
            run(&["a\n b", " c\nd", "\n", " e"], codec).await,
            [
                r#"{"host":"h","message":"a\n b c","tags":["multiline"]}"#,
                r#"{"host":"h","message":"d\n e","tags":["multiline"]}"#
            ]
        );
    }

    #[tokio::test]
    async fn a_quiet_input_flushes_its_codec() {
        let codec = configured(
            "multiline { pattern => '^ ' what => 'previous' auto_flush_interval => 0.25 }",
            &testkit::legacy_context(),
        );
        let (sink, receiver) = testkit::sink(Arc::new(InputDecoration::default()), 1000);
        let (sender, blocks) = mpsc::channel(100);
        let (_stop, shutdown) = Shutdown::channel();
        let running = tokio::spawn(async move { pump(&Mutex::new(blocks), codec, &sink, &shutdown).await });
        sender.send(Ok(b"a\n b\n c".to_vec())).await.unwrap();
        // Nothing but the passing of time brings these two lines.
        let (receiver, first) = tokio::task::spawn_blocking(move || {
            let taken = receiver.take(1, std::time::Duration::ZERO, testkit::LONG);
            (receiver, taken)
        })
        .await
        .unwrap();
        let crate::queue::Taken::Batch { events, .. } = first else { panic!("nothing was flushed") };
        let first: Vec<_> = events.iter().map(fields).collect();
        assert_eq!(first, [r#"{"host":"h","message":"a\n b","tags":["multiline"]}"#]);
        drop(sender);
        running.await.unwrap().unwrap();
        let rest: Vec<_> = testkit::drain(&receiver).iter().map(fields).collect();
        assert_eq!(rest, [r#"{"host":"h","message":" c"}"#]);
    }

    #[tokio::test]
    async fn shutdown_does_not_wait_for_the_next_block() {
        let (sink, receiver) = testkit::sink(Arc::new(InputDecoration::default()), 1000);
        let (_never, blocks) = mpsc::channel(1);
        let (stop, shutdown) = Shutdown::channel();
        let decoder = decoder("line", &testkit::context());
        let running = tokio::spawn(async move { pump(&Mutex::new(blocks), decoder, &sink, &shutdown).await });
        tokio::task::yield_now().await;
        stop.send(true).unwrap();
        tokio::time::timeout(testkit::LONG, running).await.unwrap().unwrap().unwrap();
        assert!(testkit::drain(&receiver).is_empty());
    }

    #[tokio::test]
    async fn a_failing_read_fails_the_input_after_what_came_before() {
        struct Failing(bool);
        impl Read for Failing {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                buffer[..2].copy_from_slice(b"x\n");
                Ok(2)
            }
        }
        let (sink, receiver) = testkit::sink(Arc::new(InputDecoration::default()), 1000);
        let (sender, blocks) = mpsc::channel(10);
        std::thread::spawn(move || read_blocks(&mut Failing(false), &sender)).join().unwrap();
        let (_stop, shutdown) = Shutdown::channel();
        let decoder = decoder("line", &testkit::context());
        let error = pump(&Mutex::new(blocks), decoder, &sink, &shutdown).await.unwrap_err();
        assert!(error.0.contains("standard input"), "{error}");
        drop(sink);
        assert_eq!(testkit::drain(&receiver).len(), 1);
    }

    #[test]
    fn options_are_checked() {
        let context = testkit::context();
        assert!(testkit::input("input { stdin { codec => json type => 'x' } }", &context).is_ok());
        let problems = testkit::input("input { stdin { lines => 1 } }", &context).err().unwrap();
        assert!(problems[0].message.contains("lines"), "{problems:?}");
    }
}
