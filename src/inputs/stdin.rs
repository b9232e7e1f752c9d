//! Input `stdin`: reads events from the standard input (logstash-input-stdin).

mod decoder;

use std::io::{self, IsTerminal, Read};
use std::sync::OnceLock;

use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use self::decoder::{Decoder, Lines};
use super::stream::until;
use crate::event::Event;
use crate::plugin::{
    Build, CodecFactory, EcsMode, Example, Input, Kind, OptionReader, RunError, Shutdown, Sink, Spec,
    StreamCodec, options,
};
use crate::queue::Closed;

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
    codec: CodecFactory,
    ecs: EcsMode,
    batch_size: usize,
}

impl Stdin {
    fn new(reader: &mut OptionReader<'_>) -> Option<Self> {
        let Options { codec: StreamCodec(codec) } = Options::read(reader)?;
        Some(Stdin { codec, ecs: reader.ecs(), batch_size: reader.context.batch_size })
    }
}

impl Input for Stdin {
    fn run(self: Box<Self>, sink: Sink, shutdown: Shutdown) -> BoxFuture<'static, Result<(), RunError>> {
        Box::pin(async move {
            let blocks = standard_input().map_err(could_not_read)?;
            if io::stdin().is_terminal() {
                tracing::info!("the stdin input is waiting for lines, Ctrl-D ends them");
            }
            pump(blocks, Decoder::new(&self.codec, self.ecs, &sink), self.batch_size, &sink, &shutdown).await
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
    batch_size: usize,
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
                send(decoder.flush(), sink).await?;
                continue;
            }
        };
        match block {
            Some(Ok(block)) => match decoder.whole_lines(&block) {
                Lines::Apart(lines) => {
                    for (count, decode) in lines.pieces(batch_size) {
                        sink.send_encoded(count, decode, None).await.map_err(closed)?;
                    }
                }
                Lines::Together => {
                    send(decoder.decode(&block), sink).await?;
                    flush_at = decoder.flush_after().map(|quiet| Instant::now() + quiet);
                }
            },
            Some(Err(error)) => {
                failed = Err(could_not_read(error));
                break;
            }
            None => break,
        }
    }
    send(decoder.end(), sink).await.and(failed)
}

async fn send(events: Vec<Event>, sink: &Sink) -> Result<(), RunError> {
    sink.send_decorated(events, None).await.map_err(closed)
}

fn closed(closed: Closed) -> RunError {
    RunError::new(closed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit::{self, fields};
    use crate::plugin::{Context, InputDecoration};
    use std::sync::Arc;

    /// A codec, with the options it is written with.
    fn factory(codec: &str, context: &Context) -> CodecFactory {
        let value = crate::language::parse_value(codec).unwrap();
        let value = crate::plugin::ConfigValue::new(&value, &context.environment, &mut Vec::new());
        <CodecFactory as crate::plugin::FromOption>::from_option(&value, context).unwrap()
    }

    fn decoder(codec: &str, context: &Context, sink: &Sink) -> Decoder {
        Decoder::new(&factory(codec, context), context.ecs, sink).with_host("h")
    }

    /// Blocks that come one by one, then the end.
    async fn run(given: &[&str], codec: &str, context: &Context) -> Vec<String> {
        let (sink, receiver) = testkit::sink(Arc::new(InputDecoration::default()), 1000);
        let (sender, blocks) = mpsc::channel(100);
        for block in given {
            sender.send(Ok(block.as_bytes().to_vec())).await.unwrap();
        }
        drop(sender);
        let (_stop, shutdown) = Shutdown::channel();
        let decoder = decoder(codec, context, &sink);
        pump(&Mutex::new(blocks), decoder, 125, &sink, &shutdown).await.unwrap();
        drop(sink);
        testkit::drain(&receiver).iter().map(fields).collect()
    }

    #[tokio::test]
    async fn lines_go_on_over_blocks_and_the_last_needs_no_end() {
        assert_eq!(
            run(&["a\nb", "c\n", "d"], "line", &testkit::legacy_context()).await,
            [
                r#"{"host":"h","message":"a"}"#,
                r#"{"host":"h","message":"bc"}"#,
                r#"{"host":"h","message":"d"}"#
            ]
        );
    }

    #[tokio::test]
    async fn documents_keep_their_own_line_as_original() {
        let events = run(&["{\"a\":1}\n{\"a\"", ":2}\n{\"a\":3}"], "json_lines", &testkit::context()).await;
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

    #[tokio::test]
    async fn lines_for_multiline_are_never_cut() {
        let codec = "multiline { pattern => '^ ' what => 'previous' }";
        assert_eq!(
            run(&["a\n b", " c\nd", "\n", " e"], codec, &testkit::legacy_context()).await,
            [
                r#"{"host":"h","message":"a\n b c","tags":["multiline"]}"#,
                r#"{"host":"h","message":"d\n e","tags":["multiline"]}"#
            ]
        );
    }

    #[tokio::test]
    async fn lines_are_decoded_apart_as_they_are_together() {
        // Blocks of all sizes, so that lines are cut anywhere, and batches smaller and larger than what one brings.
        let text: String = (0..300).map(|n| format!("{{\"n\":{n}}}\n{}", "\n".repeat(n % 3))).collect();
        let mut expected = None;
        for (block, batch_size) in [(7, 1), (64, 3), (1000, 125), (100_000, 1000)] {
            for early in [true, false] {
                let (sender, receiver) = crate::queue::bounded(5000);
                let sink = Sink::new(sender.decoding_early(early), Arc::new(InputDecoration::default()));
                let (blocks, receive_blocks) = mpsc::channel(10_000);
                for piece in text.as_bytes().chunks(block) {
                    blocks.send(Ok(piece.to_vec())).await.unwrap();
                }
                drop(blocks);
                let (_stop, shutdown) = Shutdown::channel();
                let decoder = decoder("json_lines", &testkit::context(), &sink);
                pump(&Mutex::new(receive_blocks), decoder, batch_size, &sink, &shutdown).await.unwrap();
                drop(sink);
                let events: Vec<_> = testkit::drain(&receiver).iter().map(fields).collect();
                assert_eq!(events.len(), 300);
                assert_eq!(*expected.get_or_insert_with(|| events.clone()), events);
            }
        }
    }

    #[tokio::test]
    async fn a_quiet_input_flushes_its_codec() {
        let codec = "multiline { pattern => '^ ' what => 'previous' auto_flush_interval => 0.25 }";
        let (sink, receiver) = testkit::sink(Arc::new(InputDecoration::default()), 1000);
        let (sender, blocks) = mpsc::channel(100);
        let (_stop, shutdown) = Shutdown::channel();
        let codec = decoder(codec, &testkit::legacy_context(), &sink);
        let running =
            tokio::spawn(async move { pump(&Mutex::new(blocks), codec, 125, &sink, &shutdown).await });
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
        let decoder = decoder("line", &testkit::context(), &sink);
        let running =
            tokio::spawn(async move { pump(&Mutex::new(blocks), decoder, 125, &sink, &shutdown).await });
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
        let decoder = decoder("line", &testkit::context(), &sink);
        let error = pump(&Mutex::new(blocks), decoder, 125, &sink, &shutdown).await.unwrap_err();
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
