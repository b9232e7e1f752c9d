//! `SharedConfig`: the config that `-f` names, with its inputs and outputs replaced and its mocks in place.

use std::collections::HashMap;

use super::raw::Raw;
use super::yaml::Node;
use crate::language::ast::{Attribute, Config, Item, Name, Plugin, Section, SectionKind, Value, ValueKind};
use crate::language::{ParseOptions, Parsed, Sources, Span, render_all};

/// A filter that stands in for the one with this id, as in logstash-filter-verifier's plugin mocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mock {
    id: String,
    /// Filters in the config language; nothing takes the filter out.
    text: Option<String>,
}

impl Mock {
    /// Reads a file of mocks: a YAML list of `id` and `mock`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(text: &str) -> Result<Vec<Mock>, String> {
        let Raw::List(items) = Node::parse(text)?.texts() else {
            return Err("mocks are a list of `- id: ...` and `mock: ...`".into());
        };
        items.iter().map(Self::of).collect()
    }

    fn of(item: &Raw) -> Result<Mock, String> {
        let Raw::Map(fields) = item else { return Err("a mock has an `id` and a `mock`".into()) };
        if let Some(other) = fields.keys().find(|key| !["id", "mock"].contains(&key.as_str())) {
            return Err(format!("a mock has no \"{other}\", only `id` and `mock`"));
        }
        let text = |key: &str| fields.get(key).and_then(Raw::text).filter(|text| !text.trim().is_empty());
        let id = text("id").ok_or("a mock needs an `id`")?.to_owned();
        Ok(Mock { id, text: text("mock").map(str::to_owned) })
    }
}

/// A config whose ends are replaced for tests.
pub struct SharedConfig {
    sources: Sources,
    parsed: Parsed,
}

impl SharedConfig {
    /// Reads the config and puts the mocks in place.
    ///
    /// # Errors
    /// What is wrong with the texts, rendered for people.
    pub fn new(mut sources: Sources, options: ParseOptions, mocks: &[Mock]) -> Result<Self, String> {
        let first_mock = sources.iter().count() as u32;
        for mock in mocks {
            let text = mock.text.as_deref().unwrap_or_default();
            sources.add(format!("mock of {}", mock.id), format!("filter {{\n{text}\n}}"));
        }
        let mut parsed = crate::language::parse(&sources, options);
        if !parsed.is_ok() {
            return Err(render_all(&parsed.diagnostics, &sources, false));
        }
        let mut by_id: HashMap<&str, Vec<Item>> = HashMap::new();
        let (config, mocked): (Vec<_>, Vec<_>) =
            parsed.config.sections.into_iter().partition(|section| section.span.source < first_mock);
        for section in mocked {
            if let Some(mock) = mocks.get((section.span.source - first_mock) as usize) {
                by_id.entry(&mock.id).or_default().extend(section.items);
            }
        }
        parsed.config.sections = config;
        for section in parsed.config.sections.iter_mut().filter(|it| it.kind == SectionKind::Filter) {
            replace(&mut section.items, &by_id);
        }
        Ok(SharedConfig { sources, parsed })
    }

    /// The texts that places in the config point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The filters alone.
    pub fn filters(&self) -> Parsed {
        self.only(|section| section.kind == SectionKind::Filter)
    }

    /// The filters, and the outputs with every plugin replaced by one that keeps nothing; its id is that of the
    /// plugin, or is made of its name and place.
    pub fn filters_and_outputs(&self) -> Parsed {
        let mut parsed = self.only(|section| section.kind != SectionKind::Input);
        for section in parsed.config.sections.iter_mut().filter(|it| it.kind == SectionKind::Output) {
            self.silence(&mut section.items);
        }
        parsed
    }

    /// Every input plugin with its id, where it has one.
    pub fn inputs(&self) -> impl Iterator<Item = (Option<&str>, &Plugin)> {
        let sections = self.parsed.config.sections.iter().filter(|it| it.kind == SectionKind::Input);
        sections.flat_map(|section| &section.items).filter_map(|item| match item {
            Item::Plugin(plugin) => Some((id(plugin), plugin)),
            Item::Branch(_) => None,
        })
    }

    fn only(&self, wanted: impl Fn(&Section) -> bool) -> Parsed {
        let sections = self.parsed.config.sections.iter().filter(|section| wanted(section)).cloned();
        let config = Config { sections: sections.collect() };
        Parsed { config, diagnostics: self.parsed.diagnostics.clone() }
    }

    fn silence(&self, items: &mut [Item]) {
        for item in items {
            match item {
                Item::Plugin(plugin) => {
                    let place = self.sources.locate(plugin.name.span);
                    let line = place.map_or(0, |place| place.line);
                    let id = id(plugin).map_or_else(|| format!("{}_{line}", plugin.name.text), str::to_owned);
                    plugin.attributes = vec![text_attribute("id", &id, plugin.name.span)];
                    plugin.name.text = "null".into();
                }
                Item::Branch(branch) => {
                    branch.arms.iter_mut().for_each(|arm| self.silence(&mut arm.body));
                    if let Some(otherwise) = &mut branch.otherwise {
                        self.silence(otherwise);
                    }
                }
            }
        }
    }
}

fn text_attribute(name: &str, text: &str, span: Span) -> Attribute {
    Attribute {
        name: Name { text: name.into(), quoted: false, span },
        value: Value { kind: ValueKind::String(text.into()), span },
        span,
    }
}

/// The id that the config gives a plugin.
fn id(plugin: &Plugin) -> Option<&str> {
    let attribute = plugin.attributes.iter().find(|attribute| &*attribute.name.text == "id")?;
    match &attribute.value.kind {
        ValueKind::String(text) | ValueKind::Bareword(text) => Some(text),
        _ => None,
    }
}

/// Puts mocks in the places of the filters whose ids they name.
fn replace(items: &mut Vec<Item>, mocks: &HashMap<&str, Vec<Item>>) {
    let mut replaced = Vec::with_capacity(items.len());
    for mut item in items.drain(..) {
        match &mut item {
            Item::Plugin(plugin) => match id(plugin).and_then(|id| mocks.get(id)) {
                Some(mock) => replaced.extend(mock.iter().cloned()),
                None => replaced.push(item),
            },
            Item::Branch(branch) => {
                branch.arms.iter_mut().for_each(|arm| replace(&mut arm.body, mocks));
                if let Some(otherwise) = &mut branch.otherwise {
                    replace(otherwise, mocks);
                }
                replaced.push(item);
            }
        }
    }
    *items = replaced;
}
