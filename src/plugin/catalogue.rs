//! The options of Logstash's plugins, so that configs can be checked for plugins that this build lacks.
//!
//! `catalogue.txt` has one line per plugin: its kind, its name, and its options without those of every plugin of the
//! kind. `name:type`, where the type is missing for anything, a list of words such as `a|b` for a choice, and `-`
//! followed by what to use instead for an option that Logstash no longer has; `*`: a list of these; `!`: required.

use std::path::PathBuf;

use super::block::{Block, ConfigValue};
use super::charset::Charset;
use super::codec::CodecFactory;
use super::decoration::{FilterDecoration, InputDecoration, take_common};
use super::options::{FromOption, OptionReader};
use super::types::{Bytes, Pairs, Password};
use super::{Context, Kind, Problem};
use crate::event::FieldReference;
use crate::language::nearest;

const CATALOGUE: &str = include_str!("catalogue.txt");

/// An option as Logstash declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueOption {
    pub name: &'static str,
    /// Whether setting it is an error in Logstash too.
    pub obsolete: bool,
    /// Whether it must be given.
    pub required: bool,
    is_list: bool,
    /// The type, or for an obsolete option what to use instead.
    what: &'static str,
}

/// The options that a plugin of Logstash has of its own; `None` for plugins that are not in the catalogue.
pub fn catalogue_options(kind: Kind, name: &str) -> Option<Vec<CatalogueOption>> {
    let line = CATALOGUE.lines().find_map(|line| {
        let mut words = line.split(' ');
        (words.next() == Some(kind.name()) && words.next() == Some(name)).then_some(words)
    });
    Some(line?.map(CatalogueOption::parse).collect())
}

impl CatalogueOption {
    fn parse(word: &'static str) -> Self {
        let (name, what) = word.split_once(':').unwrap_or((word, ""));
        if let Some(instead) = what.strip_prefix('-') {
            return CatalogueOption { name, obsolete: true, required: false, is_list: false, what: instead };
        }
        let (what, required) = what.strip_suffix('!').map_or((what, false), |what| (what, true));
        let (what, is_list) = what.strip_suffix('*').map_or((what, false), |what| (what, true));
        CatalogueOption { name, obsolete: false, required, is_list, what }
    }

    /// The type in the words of the catalogue: a choice has its words with `|` between them, anything goes for "".
    pub(super) fn declared(self) -> &'static str {
        self.what
    }

    fn read(self, reader: &mut OptionReader<'_>) {
        match self.what {
            _ if self.obsolete => self.refuse(reader),
            words if words.contains('|') => self.read_choice(words, reader),
            "string" | "ipaddr" | "regexp" | "uri" => self.take::<String>(reader),
            "number" => self.take::<f64>(reader),
            "boolean" => self.take::<bool>(reader),
            "array" => self.take::<Vec<ConfigValue>>(reader),
            "hash" => self.take::<Pairs>(reader),
            "password" => self.take::<Password>(reader),
            "path" => self.take::<PathBuf>(reader),
            "bytes" => self.take::<Bytes>(reader),
            "codec" => self.take::<CodecFactory>(reader),
            "charset" => self.take::<Charset>(reader),
            "field_reference" => self.take::<FieldReference>(reader),
            _ => self.take::<ConfigValue>(reader),
        }
    }

    fn take<T: FromOption>(self, reader: &mut OptionReader<'_>) {
        match (self.required, self.is_list) {
            (true, false) => drop(reader.take::<T>(self.name, None)),
            (true, true) => drop(reader.take::<Vec<T>>(self.name, None)),
            (false, false) => drop(reader.take::<Option<T>>(self.name, None)),
            (false, true) => drop(reader.take::<Option<Vec<T>>>(self.name, None)),
        }
    }

    fn refuse(self, reader: &mut OptionReader<'_>) {
        let why = match self.what {
            "" => "obsolete".to_owned(),
            instead => format!("obsolete: use {}", instead.replace(',', ", ")),
        };
        reader.refuse(self.name, &why);
    }

    fn read_choice(self, words: &str, reader: &mut OptionReader<'_>) {
        self.take::<ConfigValue>(reader);
        let Some(value) = reader.value(self.name) else { return };
        let words: Vec<&str> = words.split('|').filter(|word| !word.is_empty()).collect();
        let given = if self.is_list { value.as_list() } else { std::slice::from_ref(value) };
        for value in given {
            let text = value.as_single().and_then(ConfigValue::scalar_text);
            if text.as_deref().is_some_and(|text| words.contains(&text)) {
                continue;
            }
            let got =
                text.as_deref().map_or_else(|| value.describe().to_owned(), |text| format!("\"{text}\""));
            let message = format!(
                "option \"{}\" of the {} {}: expected one of \"{}\", got {got}",
                self.name,
                reader.plugin_name(),
                reader.kind(),
                words.join("\", \"")
            );
            let problem = Problem::error(value.span, message).label("not one of the choices");
            let near = text.as_deref().and_then(|text| nearest(text, &words));
            reader.report(match near {
                Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                None => problem,
            });
        }
    }
}

/// What is wrong with the options of a plugin that Logstash has and this build lacks. Nothing is known of others.
pub(crate) fn check_unavailable(block: &Block, context: &Context) -> Vec<Problem> {
    let Some(options) = catalogue_options(block.kind, &block.name) else { return Vec::new() };
    let mut reader = OptionReader::new(block, context, block.name.clone());
    take_common(&mut reader);
    match block.kind {
        Kind::Input => drop(InputDecoration::read(&mut reader)),
        Kind::Filter => drop(FilterDecoration::read(&mut reader)),
        Kind::Output => drop(reader.take::<Option<ConfigValue>>("workers", None)),
        Kind::Codec => {}
    }
    if matches!(block.kind, Kind::Input | Kind::Output) {
        drop(reader.take::<Option<CodecFactory>>("codec", None));
    }
    options.iter().for_each(|option| option.read(&mut reader));
    let names: Vec<_> = options.iter().filter(|option| !option.obsolete).map(|option| option.name).collect();
    reader.finish_with(&names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::ast::Item;
    use crate::language::{ParseOptions, Sources};
    use crate::plugin::{Registry, testkit};

    /// The messages and hints for the only plugin of a config, as if this build had no plugins at all.
    fn problems(config: &str) -> Vec<String> {
        let none: &'static Registry = Box::leak(Box::new(Registry::new([])));
        let context = Context { registry: none, ..testkit::context() };
        let parsed = crate::language::parse(&Sources::single("test", config), ParseOptions::default());
        let section = parsed.config.sections.first().expect("a section");
        let Some(Item::Plugin(plugin)) = section.items.first() else { panic!("{config}: no plugin") };
        let kind = match config.split(' ').next() {
            Some("input") => Kind::Input,
            Some("filter") => Kind::Filter,
            _ => Kind::Output,
        };
        let block = Block::new(kind, plugin, &context.environment, &mut Vec::new());
        let found = check_unavailable(&block, &context);
        found.into_iter().map(|it| format!("{} {}", it.message, it.help.unwrap_or_default())).collect()
    }

    #[test]
    fn every_line_is_well_formed_and_sorted() {
        let key = |line: &'static str| line.split(' ').take(2).collect::<Vec<_>>();
        let lines: Vec<_> = CATALOGUE.lines().map(key).collect();
        assert!(lines.is_sorted(), "the lines are not sorted");
        const TYPES: [&str; 16] = [
            "",
            "any",
            "array",
            "boolean",
            "bytes",
            "charset",
            "codec",
            "field_reference",
            "hash",
            "ipaddr",
            "number",
            "password",
            "path",
            "regexp",
            "string",
            "uri",
        ];
        for line in CATALOGUE.lines() {
            for option in line.split(' ').skip(2).map(CatalogueOption::parse) {
                let known = option.obsolete || option.what.contains('|') || TYPES.contains(&option.what);
                assert!(known && !option.name.is_empty(), "{line}: {option:?}");
            }
        }
    }

    #[test]
    fn all_mistakes_are_found_at_once() {
        let found = problems(
            "input { beats { prot => 5044 ssl => true enrich => [all, souce_metadata] codec => nosuch
                ssl_client_authentication => 5 type => 'a' tags => ['b'] format => json host => ['a', 'b'] } }",
        );
        for part in [
            "missing required option \"port\" of the beats input",
            "unknown option \"prot\" for the beats input did you mean \"port\"?",
            "option \"ssl\" of the beats input is obsolete: use ssl_enabled",
            "expected one of \"source_metadata\", \"codec_metadata\", \"ssl_peer_metadata\", \"none\", \"all\", got \"souce_metadata\" did you mean \"source_metadata\"?",
            "option \"codec\" of the beats input: there is no codec \"nosuch\"",
            "option \"ssl_client_authentication\" of the beats input: expected one of",
            "option \"format\" of the beats input is obsolete: use the codec",
            "option \"host\" of the beats input: expected a string",
        ] {
            assert!(found.iter().any(|problem| problem.contains(part)), "{part} is missing in {found:#?}");
        }
        assert_eq!(found.len(), 8, "{found:#?}");
    }

    #[test]
    fn good_options_and_plugins_of_others_are_left_alone() {
        for config in [
            "filter { useragent { source => agent regexes => '/x' lru_cache_size => '5' add_tag => ['x'] } }",
            "output { elasticsearch { hosts => ['a:9200', 'b:9200'] id => xx workers => 2 data_stream => 'auto' } }",
            "filter { ours { anything => true } }",
        ] {
            assert_eq!(problems(config), Vec::<String>::new(), "{config}");
        }
    }
}
