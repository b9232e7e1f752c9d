//! `StreamCodec`: the option `codec` of inputs that read a stream of bytes without frames of its own.

use super::block::{Block, ConfigKind, ConfigValue};
use super::codec::CodecFactory;
use super::options::FromOption;
use super::{Context, Kind, Problem};

/// A codec that finds the ends of events itself. `plain` and `json` take whatever one read brought for one event, which
/// is never meant here: `line` and `json_lines` take their places, with the same options (`fix_streaming_codecs` of
/// `inputs/base.rb`, which keeps the charset alone).
#[derive(Debug)]
pub struct StreamCodec(pub CodecFactory);

impl FromOption for StreamCodec {
    fn type_name() -> String {
        CodecFactory::type_name()
    }

    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let block = match value.as_single().map(|single| &single.kind) {
            Some(ConfigKind::Text(name)) => Block::bare(Kind::Codec, name, value.span),
            Some(ConfigKind::Plugin(plugin)) => {
                Block::new(Kind::Codec, plugin, &context.environment, &mut problems)
            }
            _ => return CodecFactory::from_option(value, context).map(StreamCodec),
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let framing = match block.name.as_str() {
            "plain" => "line",
            "json" => "json_lines",
            _ => return CodecFactory::new(&block, context).map(StreamCodec),
        };
        CodecFactory::new(&Block { name: framing.to_owned(), ..block }, context).map(StreamCodec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testkit;

    fn name_of(codec: &str) -> String {
        let value = ConfigValue::new(
            &crate::language::parse_value(codec).unwrap(),
            &testkit::context().environment,
            &mut Vec::new(),
        );
        StreamCodec::from_option(&value, &testkit::context()).unwrap().0.name().to_owned()
    }

    #[test]
    fn codecs_without_frames_are_replaced() {
        assert_eq!(name_of("plain"), "line");
        assert_eq!(name_of("json"), "json_lines");
        assert_eq!(name_of("json { }"), "json_lines");
        assert_eq!(name_of("line"), "line");
        assert_eq!(name_of("json_lines"), "json_lines");
    }
}
