//! Codec `multiline`: joins lines that belong together into one event (logstash-codec-multiline).

mod pattern;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::event::Event;
use crate::plugin::{Build, Bytes, Charset, Codec, EncodeError, Example, Kind, Spec, choices, options};
use pattern::Pattern;

use super::text::{self, Original};

/// The tag of an event that became too long by [`MultilineOptions::max_bytes`].
const MAX_BYTES_TAG: &str = "multiline_codec_max_bytes_reached";
/// The tag of an event that became too long by [`MultilineOptions::max_lines`].
const MAX_LINES_TAG: &str = "multiline_codec_max_lines_reached";
/// The shortest time that Logstash waits before it flushes (`retriggerable_task.rb`).
const SHORTEST_FLUSH: f64 = 0.25;
/// Longer than any pipeline runs; also keeps the sum of it and a point in time in range.
const LONGEST_FLUSH: f64 = 1e9;

pub static SPEC: Spec = Spec {
    kind: Kind::Codec,
    name: "multiline",
    summary: "Joins lines that belong together, such as stack traces.",
    options: MultilineOptions::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"input { stdin { codec => multiline { pattern => "^\s" what => "previous" } } }"#,
        input: &[],
        output: &[],
    },
    build: Build::Codec(|reader| {
        reader.text_only(&["pattern"]);
        let options = MultilineOptions::read(reader)?;
        let pattern = match Pattern::compile(&options.pattern, &options.patterns_dir, reader.ecs()) {
            Ok(pattern) => pattern,
            Err(error) => {
                reader.error("pattern", error);
                return None;
            }
        };
        if options.auto_flush_interval.is_some_and(|seconds| !(0.0..).contains(&seconds)) {
            reader.error("auto_flush_interval", "must not be negative");
            return None;
        }
        Some(Box::new(Multiline {
            lines: Lines::default(),
            flush_after: options
                .auto_flush_interval
                .map(|seconds| Duration::from_secs_f64(seconds.clamp(SHORTEST_FLUSH, LONGEST_FLUSH))),
            rules: Arc::new(Rules {
                pattern,
                what: options.what,
                negate: options.negate,
                charset: options.charset,
                tag: options.multiline_tag,
                max_lines: options.max_lines,
                max_bytes: options.max_bytes.0,
                original: Original::new(reader.ecs()),
            }),
        }))
    }),
};

choices! {
    /// Where a matching line belongs.
    enum What { Previous = "previous", Next = "next" }
}

options! {
    struct MultilineOptions {
        /// The regular expression that tells which lines belong to others.
        pattern: String,
        /// Whether a line that matches belongs to the one before or to the one after it.
        what: What,
        /// Whether lines that do not match are the ones that belong to others.
        negate: bool = false,
        /// Folders or files with grok patterns of one's own.
        patterns_dir: Vec<String> = [],
        /// The character encoding of what is read.
        charset: Charset = "UTF-8",
        /// The tag of events made of several lines. Empty: none.
        multiline_tag: String = "multiline",
        /// An event with more lines is emitted as it is, with the tag multiline_codec_max_lines_reached.
        max_lines: f64 = 500,
        /// An event of that many bytes is emitted as it is, with the tag multiline_codec_max_bytes_reached.
        max_bytes: Bytes = "10 MiB",
        /// Seconds after which an event is emitted when no further line comes.
        auto_flush_interval: Option<f64>,
    }
}

/// What does not change while lines come.
#[derive(Debug)]
struct Rules {
    pattern: Pattern,
    what: What,
    negate: bool,
    charset: Charset,
    tag: String,
    max_lines: f64,
    max_bytes: u64,
    original: Original,
}

/// The lines of the event that is not complete yet.
#[derive(Debug, Default)]
struct Lines {
    /// The lines, joined with newlines.
    text: String,
    count: usize,
    /// The bytes of the lines without the newlines between them.
    bytes: u64,
}

#[derive(Debug)]
struct Multiline {
    rules: Arc<Rules>,
    flush_after: Option<Duration>,
    lines: Lines,
}

impl Codec for Multiline {
    /// Takes whole lines. A line end at the end of `bytes` makes no difference.
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event)) {
        let Multiline { rules, lines, .. } = self;
        let text = rules.charset.decode(bytes);
        // As Ruby's split: empty lines at the end are none.
        let text = text.trim_end_matches('\n');
        if !text.is_empty() {
            text.split('\n').for_each(|line| rules.take(line, lines, emit));
        }
    }

    fn flush(&mut self, emit: &mut dyn FnMut(Event)) {
        self.rules.flush(&mut self.lines, emit);
    }

    fn flush_after(&self) -> Option<Duration> {
        self.flush_after
    }

    fn takes_lines(&self) -> bool {
        true
    }

    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        text::encode(None, event, out)
    }

    fn fresh(&self) -> Box<dyn Codec> {
        Box::new(Multiline {
            rules: Arc::clone(&self.rules),
            flush_after: self.flush_after,
            lines: Lines::default(),
        })
    }
}

impl Rules {
    fn take(&self, line: &str, lines: &mut Lines, emit: &mut dyn FnMut(Event)) {
        let belongs = self.pattern.is_match(line) != self.negate;
        match self.what {
            What::Previous => {
                if !belongs || self.is_too_long(lines) {
                    self.flush(lines, emit);
                }
                lines.push(line);
            }
            What::Next => {
                lines.push(line);
                if !belongs || self.is_too_long(lines) {
                    self.flush(lines, emit);
                }
            }
        }
    }

    fn has_too_many_lines(&self, lines: &Lines) -> bool {
        lines.count as f64 > self.max_lines
    }

    fn has_too_many_bytes(&self, lines: &Lines) -> bool {
        lines.bytes >= self.max_bytes
    }

    fn is_too_long(&self, lines: &Lines) -> bool {
        self.has_too_many_lines(lines) || self.has_too_many_bytes(lines)
    }

    /// Emits the lines held back, if there are any.
    fn flush(&self, lines: &mut Lines, emit: &mut dyn FnMut(Event)) {
        let lines = std::mem::take(lines);
        if lines.count == 0 {
            return;
        }
        let mut event = self.original.event_of_message(&lines.text);
        if lines.count > 1 && !self.tag.is_empty() {
            event.tag(&self.tag);
        }
        if self.has_too_many_bytes(&lines) {
            event.tag(MAX_BYTES_TAG);
        }
        if self.has_too_many_lines(&lines) {
            event.tag(MAX_LINES_TAG);
        }
        emit(event);
    }
}

impl Lines {
    fn push(&mut self, line: &str) {
        if self.count > 0 {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.count += 1;
        self.bytes += line.len() as u64;
    }
}
