//! `Codec`: bytes to events and events to bytes; and the option type that names one.

use std::net::SocketAddr;
use std::time::Duration;

use super::Problem;
use super::block::{Block, ConfigKind, ConfigValue};
use super::options::{FromOption, OptionReader};
use super::{Build, Context, Kind};
use crate::event::Event;

/// Decodes what an input reads and encodes what an output writes.
///
/// A stream codec (line, json_lines, multiline) keeps what is incomplete between two calls of `decode`; inputs hold one
/// instance per connection or file.
pub trait Codec: Send + Sync {
    /// Decodes bytes as they came. Bad data never fails: it becomes an event with a failure tag.
    fn decode(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Event));

    /// Emits what is still held back, at the end of a stream.
    fn flush(&mut self, _emit: &mut dyn FnMut(Event)) {}

    /// How long after a `decode` an input should [`flush`](Self::flush) when nothing more came. `None`: only at the end
    /// of a stream.
    fn flush_after(&self) -> Option<Duration> {
        None
    }

    /// Whether every `decode` must get whole lines (one or several): an input of a stream without frames then holds an
    /// unfinished line back.
    fn takes_lines(&self) -> bool {
        false
    }

    /// How many bytes wait for the end of an event, where the codec itself sets no limit to them: the input does.
    fn held(&self) -> usize {
        0
    }

    /// What of a stream may be decoded by itself, on another thread and by a [`fresh`](Self::fresh) codec, with the same
    /// result.
    fn apart(&self) -> Apart {
        Apart::Nothing
    }

    /// Decodes a datagram that came from a peer; for codecs whose data means something else for another sender.
    fn decode_from(&mut self, bytes: &[u8], _peer: SocketAddr, emit: &mut dyn FnMut(Event)) {
        self.decode(bytes, emit);
    }

    /// Appends one event's bytes. Fails when the event cannot be written in this form at all.
    fn encode(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Appends the same bytes with colours for people at a terminal, where the form has any.
    fn encode_for_terminal(&self, event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode(event, out)
    }

    /// A codec with the same options that has seen nothing yet.
    fn fresh(&self) -> Box<dyn Codec>;
}

/// What a codec decodes without regard to what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apart {
    /// Anything may belong together.
    Nothing,
    /// Whatever one `decode` gets.
    EveryPiece,
    /// One or several lines with their ends.
    WholeLines,
}

/// An event that a codec cannot write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EncodeError(pub String);

/// The value of an option `codec`: makes codecs with the options given there.
pub struct CodecFactory {
    name: String,
    prototype: Box<dyn Codec>,
}

impl CodecFactory {
    /// Makes a factory of a block, reporting everything that is wrong with it.
    pub fn new(block: &Block, context: &Context) -> Result<Self, Vec<Problem>> {
        let Some(spec) = context.registry.get(Kind::Codec, &block.name) else {
            let mut problems = vec![context.registry.unknown(Kind::Codec, &block.name, block.name_span)];
            problems.extend(super::check_unavailable(block, context));
            return Err(problems);
        };
        let mut reader = OptionReader::new(block, context, block.name.clone()).with_renamed(spec.renamed);
        super::decoration::take_common(&mut reader);
        let Build::Codec(build) = &spec.build else {
            return Err(vec![Problem::error(block.name_span, format!("\"{}\" is not a codec", block.name))]);
        };
        let prototype = build(&mut reader);
        let problems = reader.finish(spec);
        match prototype {
            Some(prototype) if !problems.iter().any(|problem| problem.severity == super::Severity::Error) => {
                Ok(CodecFactory { name: block.name.clone(), prototype })
            }
            _ => Err(problems),
        }
    }

    /// The codec's name in the config.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A new codec for one connection or file.
    pub fn create(&self) -> Box<dyn Codec> {
        self.prototype.fresh()
    }

    /// The shared instance for encoding, which keeps no state.
    pub fn encoder(&self) -> &dyn Codec {
        &*self.prototype
    }
}

impl std::fmt::Debug for CodecFactory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "codec {}", self.name)
    }
}

impl FromOption for CodecFactory {
    fn type_name() -> String {
        "codec".into()
    }

    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
        match value.as_single().map(|single| &single.kind) {
            Some(ConfigKind::Text(name)) => Self::new(&Block::bare(Kind::Codec, name, value.span), context),
            Some(ConfigKind::Plugin(plugin)) => {
                let mut problems = Vec::new();
                let block = Block::new(Kind::Codec, plugin, &context.environment, &mut problems);
                if problems.is_empty() { Self::new(&block, context) } else { Err(problems) }
            }
            _ => {
                Err(vec![Problem::error(value.span, "expected a codec").label("e.g. json, or line { ... }")])
            }
        }
    }
}
