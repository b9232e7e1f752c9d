//! Real-world configs whose plugins this build has: each passes the config test, or the reason is not ours.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rstash::language::ast::{Attribute, Config, Item, Plugin, Section, SectionKind, ValueKind};
use rstash::language::{ParseOptions, Sources, parse};
use rstash::pipeline::Plan;
use rstash::plugin::{Context, Kind, Problem, catalogue_options, common_options};

use crate::shared::recordings;

/// One config of the corpus; what a line does not have is empty.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Record {
    sha256: String,
    repo: String,
    path: String,
    kind: String,
    templated: bool,
    text: String,
    ok: bool,
}

fn records(path: PathBuf) -> Vec<Record> {
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn context() -> Context {
    Context { data_path: std::env::temp_dir(), ..Context::new(rstash::registry()) }
}

/// What is said of a config when it is built, one line each.
pub fn problems(config: &str) -> Vec<String> {
    let (_, problems) = Plan::load(&Sources::single("test", config), ParseOptions::default(), &context());
    problems.iter().map(|problem| problem.message.clone()).collect()
}

/// Every plugin of a config, with codecs that stand as options.
fn plugins(config: &Config) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    each_plugin(config, &mut |kind, plugin| {
        found.push((kind, plugin.name.text.to_string()));
        found.extend(codec(plugin).map(|name| (Kind::Codec, name)));
    });
    found
}

fn each_plugin(config: &Config, see: &mut dyn FnMut(Kind, &Plugin)) {
    for section in &config.sections {
        let kind = match section.kind {
            SectionKind::Input => Kind::Input,
            SectionKind::Filter => Kind::Filter,
            SectionKind::Output => Kind::Output,
        };
        each_item(&section.items, kind, see);
    }
}

fn each_item(items: &[Item], kind: Kind, see: &mut dyn FnMut(Kind, &Plugin)) {
    for item in items {
        match item {
            Item::Plugin(plugin) => see(kind, plugin),
            Item::Branch(branch) => {
                branch.arms.iter().for_each(|arm| each_item(&arm.body, kind, see));
                branch.otherwise.iter().for_each(|items| each_item(items, kind, see));
            }
        }
    }
}

fn codec(plugin: &Plugin) -> Option<String> {
    let attribute = plugin.attributes.iter().find(|attribute| &*attribute.name.text == "codec")?;
    match &attribute.value.kind {
        ValueKind::Plugin(codec) => Some(codec.name.text.to_string()),
        ValueKind::String(name) | ValueKind::Bareword(name) => Some(name.to_string()),
        _ => None,
    }
}

/// Why a config does not pass.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Reason {
    /// An option that Logstash has and this build does not know: ours.
    UnknownOption,
    /// An option that Logstash itself does not have, or no longer, or one that it misses.
    Broken,
    /// An option that is refused by name.
    Refused,
    /// A variable that is not set here.
    Variable,
    /// A file that is not here.
    File,
    /// What else is wrong, to be looked at.
    Other,
}

fn reason(problem: &Problem) -> Reason {
    let message = problem.message.as_str();
    if let Some((option, plugin)) = unknown_option(message) {
        return if in_catalogue(option, plugin) { Reason::UnknownOption } else { Reason::Broken };
    }
    let has = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    match message {
        _ if has(&["Cannot evaluate `${"]) => Reason::Variable,
        _ if has(&[" is obsolete", "missing required option"]) => Reason::Broken,
        _ if has(&[" is not available: "]) => Reason::Refused,
        _ if has(&["No such file", "not found", "does not exist", "cannot be read", "cannot read"]) => {
            Reason::File
        }
        _ => Reason::Other,
    }
}

/// The option and the plugin of a message `unknown option "x" for the NAME KIND`.
fn unknown_option(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("unknown option \"")?;
    rest.split_once("\" for the ")
}

/// Whether Logstash's plugin has the option, and it still does something.
fn in_catalogue(option: &str, plugin: &str) -> bool {
    let Some((name, kind)) = plugin.rsplit_once(' ') else { return false };
    let kinds = [Kind::Input, Kind::Filter, Kind::Output, Kind::Codec];
    let Some(kind) = kinds.into_iter().find(|known| known.name() == kind) else { return false };
    let own = catalogue_options(kind, name).unwrap_or_default();
    own.iter().any(|known| known.name == option && !known.obsolete)
        || common_options(kind).iter().any(|(name, _, _)| *name == option)
}

#[test]
fn real_world_configs_pass_the_config_test() {
    let Some(directory) = recordings() else { return };
    let accepted: BTreeMap<String, bool> =
        records(directory.join("corpus/verdicts.jsonl")).into_iter().map(|it| (it.sha256, it.ok)).collect();
    let (mut passed, mut lacking, mut elsewhere) = (0, 0, 0);
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    let mut failed: BTreeMap<Reason, Vec<String>> = BTreeMap::new();
    for record in records(directory.join("corpus/configs.jsonl")) {
        let wanted = !record.templated && ["pipeline", "configmap"].contains(&record.kind.as_str());
        if !wanted || accepted.get(&record.sha256) == Some(&false) {
            continue;
        }
        let name = format!("{}/{}", record.repo, record.path);
        let sources = Sources::single(name.clone(), record.text);
        let options = ParseOptions::default();
        let used = plugins(&parse(&sources, options).config);
        let absent: Vec<_> =
            used.iter().filter(|(kind, name)| rstash::registry().get(*kind, name).is_none()).collect();
        if !absent.is_empty() {
            lacking += 1;
            for (kind, name) in absent {
                *missing.entry(format!("{kind} {name}")).or_default() += 1;
            }
            continue;
        }
        let (plan, problems) = Plan::load(&sources, options, &context());
        if plan.is_some() {
            passed += 1;
            continue;
        }
        let lenient = Context { files_may_miss: true, ..context() };
        elsewhere += usize::from(Plan::load(&sources, options, &lenient).0.is_some());
        let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).collect();
        // The worst of its reasons decides; a value with a variable that is not set is of no use to what reads it.
        let reasons = errors.iter().map(|problem| reason(problem));
        let has_variable = errors.iter().any(|problem| reason(problem) == Reason::Variable);
        let worst = reasons.min().unwrap_or(Reason::Other);
        let worst = if has_variable && worst != Reason::UnknownOption { Reason::Variable } else { worst };
        let lines: Vec<_> = errors.iter().map(|problem| problem.one_line(&sources)).collect();
        failed.entry(worst).or_default().push(lines.join("\n    "));
    }
    let total = passed + lacking + failed.values().map(Vec::len).sum::<usize>();
    println!("{} of {total} pass where files may be on another machine", passed + elsewhere);
    println!("{passed} of {total} pass, {lacking} use plugins that this build does not have:");
    let mut missing: Vec<_> = missing.into_iter().collect();
    missing.sort_by_key(|(_, uses)| std::cmp::Reverse(*uses));
    println!(
        "  {}",
        missing.iter().map(|(name, uses)| format!("{name} ({uses})")).collect::<Vec<_>>().join(", ")
    );
    for (reason, configs) in &failed {
        println!("{reason:?}: {}\n    {}", configs.len(), configs.join("\n    "));
    }
    let ours = failed.remove(&Reason::UnknownOption).unwrap_or_default();
    assert!(passed > 0, "no config passes");
    assert!(ours.is_empty(), "options that Logstash has are unknown here:\n{}", ours.join("\n"));
}

/// A config of nothing but one filter.
fn alone(filter: &Plugin) -> Config {
    let items = vec![Item::Plugin(filter.clone())];
    Config { sections: vec![Section { kind: SectionKind::Filter, items, span: filter.span }] }
}

#[test]
fn ruby_code_of_real_world_configs_compiles() {
    let Some(directory) = recordings() else { return };
    let mut codes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in records(directory.join("corpus/configs.jsonl")) {
        let sources = Sources::single(format!("{}/{}", record.repo, record.path), record.text);
        each_plugin(&parse(&sources, ParseOptions::default()).config, &mut |_, plugin| {
            let is_code = |attribute: &Attribute| ["code", "init"].contains(&&*attribute.name.text);
            let texts = plugin.attributes.iter().filter(|&attribute| is_code(attribute));
            let texts: Vec<_> = texts.map(|attribute| format!("{:?}", attribute.value.kind)).collect();
            if &*plugin.name.text != "ruby" || texts.is_empty() {
                return;
            }
            let (_, problems) = Plan::build(&alone(plugin), &context(), &|_| String::new());
            // Code that runs and finds no file, say, has compiled.
            let refused = problems.iter().filter(|it| it.message.contains("of the filter ruby: "));
            codes.insert(texts.concat(), refused.map(|problem| problem.one_line(&sources)).collect());
        });
    }
    let refused: Vec<_> = codes.values().filter(|problems| !problems.is_empty()).flatten().cloned().collect();
    let good = codes.values().filter(|problems| problems.is_empty()).count();
    println!(
        "{good} of {} pieces of ruby code compile; the rest:\n    {}",
        codes.len(),
        refused.join("\n    ")
    );
    assert!(good > 0 && good * 100 >= codes.len() * 95, "too many are refused");
}
