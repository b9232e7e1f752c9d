//! Every codec on arbitrary bytes: the first byte says which codec, the second where the bytes are cut in two. What comes
//! out is encoded again.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rstash::language::ast::{Item, Plugin};
use rstash::language::{ParseOptions, Sources, Span, parse};
use rstash::plugin::{Block, CodecFactory, ConfigValue, Context, FromOption, Kind, Spec};

static CODECS: LazyLock<Vec<CodecFactory>> = LazyLock::new(|| {
    let context = rstash_fuzz::context();
    let specs = rstash::registry().iter().filter(|spec| spec.kind == Kind::Codec);
    specs.map(|spec| factory(spec, &context)).collect()
});

/// A codec with the options of its own example, so that those that need some have them.
fn factory(spec: &Spec, context: &Context) -> CodecFactory {
    let bare = || CodecFactory::new(&Block::bare(Kind::Codec, spec.name, Span::default()), context);
    let parsed = parse(&Sources::single("example", spec.example.config), ParseOptions::default());
    let codec_of = |plugin: &Plugin| {
        let attribute = plugin.attributes.iter().find(|attribute| &*attribute.name.text == "codec")?;
        let value = ConfigValue::new(&attribute.value, &context.environment, &mut Vec::new());
        CodecFactory::from_option(&value, context).ok().filter(|codec| codec.name() == spec.name)
    };
    let items = parsed.config.sections.iter().flat_map(|section| &section.items);
    let of_example = items.filter_map(|item| match item {
        Item::Plugin(plugin) => codec_of(plugin),
        Item::Branch(_) => None,
    });
    let found = of_example.map(Ok).next().unwrap_or_else(bare);
    found.unwrap_or_else(|problems| panic!("codec {}: {problems:?}", spec.name))
}

fuzz_target!(|data: &[u8]| {
    let [which, cut, bytes @ ..] = data else { return };
    let Some(factory) = CODECS.get(usize::from(*which) % CODECS.len().max(1)) else { return };
    let (first, second) = bytes.split_at(usize::from(*cut) % (bytes.len() + 1));
    let mut codec = factory.create();
    let mut out = Vec::new();
    let mut emit = |event| {
        out.clear();
        // An event that a codec cannot write is refused, that is all.
        _ = factory.encoder().encode(&event, &mut out);
    };
    codec.decode(first, &mut emit);
    codec.decode(second, &mut emit);
    codec.flush(&mut emit);
});
