//! What only shows when plugins are looked at as a whole: repeated options that cannot be merged, codecs, ids, and what
//! stops Logstash although its parser let it pass.

use std::collections::HashMap;

use super::ast::*;
use super::diagnostic::Diagnostic;
use super::merge::merged_attributes;
use super::source::Span;

/// Everything that is wrong with the options of any plugin as far as the language alone can tell.
pub(super) fn check(config: &Config) -> Vec<Diagnostic> {
    let mut check = Check::default();
    for section in &config.sections {
        check.items(&section.items, section.kind);
    }
    check.diagnostics
}

#[derive(Default)]
struct Check<'a> {
    ids: HashMap<&'a str, Span>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Check<'a> {
    fn items(&mut self, items: &'a [Item], kind: SectionKind) {
        for item in items {
            match item {
                Item::Plugin(plugin) => self.plugin(plugin, Some(kind)),
                Item::Branch(branch) => {
                    branch.arms.iter().for_each(|arm| self.items(&arm.body, kind));
                    self.items(branch.otherwise.as_deref().unwrap_or_default(), kind);
                }
            }
        }
    }

    /// `kind` is missing for a codec.
    fn plugin(&mut self, plugin: &'a Plugin, kind: Option<SectionKind>) {
        for attribute in &plugin.attributes {
            if let ValueKind::Plugin(codec) = &attribute.value.kind {
                self.plugin(codec, None);
            }
        }
        match merged_attributes(plugin) {
            Err(diagnostic) => self.diagnostics.push(*diagnostic),
            Ok(attributes) => {
                for attribute in &attributes {
                    match (&*attribute.name.text, kind) {
                        ("codec", Some(SectionKind::Input | SectionKind::Output)) => {
                            self.codec(plugin, attribute)
                        }
                        ("id", Some(_)) => self.id(plugin, attribute),
                        _ => {}
                    }
                }
            }
        }
    }

    fn codec(&mut self, plugin: &Plugin, attribute: &Attribute) {
        if matches!(attribute.value.kind, ValueKind::Array(_)) {
            let mut places = plugin.attributes.iter().filter(|it| *it.name.text == *attribute.name.text);
            let first = places.next();
            let place = places.next().or(first).map_or(attribute.span, |it| it.span);
            let message = format!("`{}` has more than one `codec`", plugin.name.text);
            let diagnostic =
                Diagnostic::error(place, message).help("only one codec is possible; remove the others");
            let first = first.filter(|it| it.span != place);
            self.diagnostics.push(match first {
                Some(first) => diagnostic.related(first.span, "the first codec"),
                None => diagnostic,
            });
        }
    }

    /// An id must be a text, and occur once in a pipeline, whatever the section or the file.
    fn id(&mut self, plugin: &'a Plugin, attribute: &Attribute) {
        if !matches!(attribute.value.kind, ValueKind::String(_) | ValueKind::Bareword(_)) {
            let message = format!("the id of `{}` must be one text", plugin.name.text);
            let help = "give one `id`, in quotes";
            self.diagnostics.push(Diagnostic::error(attribute.value.span, message).help(help));
            return;
        }
        let Some(written) = plugin.attributes.iter().find(|it| &*it.name.text == "id") else { return };
        let (ValueKind::String(id) | ValueKind::Bareword(id)) = &written.value.kind else { return };
        match self.ids.get(&**id) {
            Some(&earlier) => self.diagnostics.push(
                Diagnostic::error(
                    written.value.span,
                    format!("the id \"{id}\" is used twice in this pipeline"),
                )
                .label("used again here")
                .related(earlier, "first used here")
                .help("ids tell plugins apart in logs and metrics; give each its own"),
            ),
            None => drop(self.ids.insert(id, written.value.span)),
        }
    }
}

/// What Logstash's parser and compile step accept, but what fails when it starts the pipeline, whatever the plugin:
/// plugin names in quotes, which it looks up with their quotes, and numbers as keys of hashes.
///
/// It is apart from [`super::parse`] because a config that is only asked to parse is accepted with it.
pub fn refused_at_start(config: &Config) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    config.sections.iter().for_each(|section| start_of_items(&section.items, &mut diagnostics));
    diagnostics
}

fn start_of_items(items: &[Item], diagnostics: &mut Vec<Diagnostic>) {
    for item in items {
        match item {
            Item::Plugin(plugin) => start_of_plugin(plugin, diagnostics),
            Item::Branch(branch) => {
                branch.arms.iter().for_each(|arm| start_of_items(&arm.body, diagnostics));
                start_of_items(branch.otherwise.as_deref().unwrap_or_default(), diagnostics);
            }
        }
    }
}

fn start_of_plugin(plugin: &Plugin, diagnostics: &mut Vec<Diagnostic>) {
    if plugin.name.quoted {
        let name = &plugin.name.text;
        diagnostics.push(
            Diagnostic::error(
                plugin.name.span,
                format!("no plugin is found by the name \"{name}\" in quotes"),
            )
            .help(format!("remove the quotes: `{name} {{ }}`")),
        );
    }
    plugin.attributes.iter().for_each(|it| start_of_value(&it.value, diagnostics));
}

fn start_of_value(value: &Value, diagnostics: &mut Vec<Diagnostic>) {
    match &value.kind {
        ValueKind::Plugin(plugin) => start_of_plugin(plugin, diagnostics),
        ValueKind::Array(values) => values.iter().for_each(|it| start_of_value(it, diagnostics)),
        ValueKind::Hash(entries) => {
            for HashEntry { key, value } in entries {
                // Barewords begin with a letter, so this one is a number.
                if !key.quoted && key.text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                    diagnostics.push(
                        Diagnostic::error(
                            key.span,
                            format!("the number {} cannot be the key of a hash", key.text),
                        )
                        .label("keys are text")
                        .help(format!("put it in quotes: \"{}\"", key.text)),
                    );
                }
                start_of_value(value, diagnostics);
            }
        }
        ValueKind::String(_) | ValueKind::Bareword(_) | ValueKind::Number(_) => {}
    }
}
