//! The options of Logstash's plugins, one by one: none is unknown, defaults are the same, old names still work.

use std::collections::BTreeMap;

use rstash::plugin::{Kind, OptionSpec, Spec, common_options};
use serde::Deserialize;
use serde_json::Value;

use crate::shared::recordings;

#[derive(Deserialize)]
struct Catalogue {
    plugins: Vec<Plugin>,
}

#[derive(Deserialize)]
struct Plugin {
    kind: String,
    name: String,
    options: Vec<KnownOption>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct KnownOption {
    name: String,
    default: Option<Value>,
    required: bool,
    obsolete: bool,
    deprecated: bool,
    ecs_default: Option<Value>,
    see: Vec<String>,
    inherited_from: Option<String>,
}

fn spec(kind: &str, name: &str) -> Option<&'static Spec> {
    rstash::registry().iter().find(|spec| spec.kind.name() == kind && spec.name == name)
}

fn plugins() -> Option<Vec<(Plugin, &'static Spec)>> {
    let text = std::fs::read_to_string(recordings()?.join("catalogue/plugins.json")).expect("it can be read");
    let catalogue: Catalogue = serde_json::from_str(&text).expect("it is the catalogue");
    let both = |plugin: Plugin| spec(&plugin.kind, &plugin.name).map(|spec| (plugin, spec));
    Some(catalogue.plugins.into_iter().filter_map(both).collect())
}

fn is_in(pairs: &[(&str, &str)], name: &str) -> bool {
    pairs.iter().any(|(known, _)| *known == name)
}

fn is_common(kind: Kind, name: &str) -> bool {
    common_options(kind).iter().any(|(known, ..)| *known == name)
}

/// What is wrong with a config that gives this option of a plugin this value: the program's own words.
fn told(kind: &str, name: &str, option: &str, value: &str) -> Vec<String> {
    let config = match kind {
        "codec" => format!("input {{ stdin {{ codec => {name} {{ {option} => {value} }} }} }}"),
        kind => format!("{kind} {{ {name} {{ {option} => {value} }} }}"),
    };
    crate::corpus::problems(&config)
}

#[test]
fn every_option_is_known() {
    let Some(plugins) = plugins() else { return };
    let mut wrong = Vec::new();
    for (plugin, spec) in &plugins {
        for option in &plugin.options {
            let name = option.name.as_str();
            let is_declared = spec.options.iter().any(|known| known.name == name)
                || is_in(spec.renamed, name)
                || is_in(spec.refused, name)
                || is_common(spec.kind, name);
            // What Logstash refuses may be refused here without being declared, but by its name.
            let is_judged = || {
                told(&plugin.kind, &plugin.name, name, "\"x\"").iter().any(|message| {
                    message.contains(&format!("option \"{name}\"")) && !message.contains("unknown option")
                })
            };
            if !is_declared && !is_judged() {
                let kind = if option.obsolete { " (obsolete)" } else { "" };
                wrong.push(format!("{} {}: {name}{kind}", plugin.kind, plugin.name));
            }
        }
    }
    println!("{} plugins", plugins.len());
    assert!(wrong.is_empty(), "neither known nor refused by name:\n{}", wrong.join("\n"));
}

/// Where a default or its being required differs from Logstash's declaration, and why it has the same effect or is better.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("input beats", "ssl_client_authentication", "none, unless ssl_verify_mode, an old name, says otherwise"),
    ("input beats", "ssl_supported_protocols", "an empty list is both versions"),
    ("input http", "ssl_client_authentication", "none, unless an old name says otherwise"),
    ("input http", "ssl_supported_protocols", "an empty list is both versions"),
    ("input http_poller", "ssl_enabled", "decided by the scheme of the URL"),
    ("input jdbc", "jdbc_driver_class", "the URL chooses the native driver"),
    ("input jdbc", "jdbc_user", "the URL may have it, and SQLite knows no users"),
    ("input kafka", "codec", "plain, and json with a registry, as in Logstash"),
    ("input tcp", "ssl_client_authentication", "required where ssl_enabled is set and authorities are given"),
    ("input tcp", "ssl_verification_mode", "full, unless ssl_verify, an old name, says otherwise"),
    ("input twitter", "consumer_key", "the current API wants a bearer token instead"),
    ("input twitter", "consumer_secret", "the current API wants a bearer token instead"),
    ("input twitter", "oauth_token", "the current API wants a bearer token instead"),
    ("input twitter", "oauth_token_secret", "the current API wants a bearer token instead"),
    ("filter bytes", "target", "without one, Logstash's pipeline stops with the first event"),
    ("filter http", "ssl_enabled", "decided by the scheme of the URL"),
    ("filter jdbc_static", "jdbc_driver_class", "the URL chooses the native driver"),
    ("filter jdbc_streaming", "jdbc_driver_class", "the URL chooses the native driver"),
    ("filter ruby", "tag_with_exception_message", "any text switches it on, \"false\" too"),
    ("output elasticsearch", "http_compression", "on, unless compression_level is 0"),
    ("output elasticsearch", "compression_level", "1, unless http_compression is off"),
    ("output http", "ssl_enabled", "decided by the scheme of the URL"),
    ("output opensearch", "action", "index, and create for data streams"),
];

fn exception(plugin: &Plugin, option: &str) -> Option<&'static str> {
    let name = format!("{} {}", plugin.kind, plugin.name);
    let found = EXCEPTIONS.iter().find(|(one, other, _)| *one == name && (*other == option || *other == "*"));
    found.map(|(.., why)| *why)
}

/// A value as the config language's text reads: numbers and booleans are what their texts are.
fn of_config(text: &str) -> Option<Value> {
    let text = text.trim();
    let unquoted = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    if let Some(inner) = unquoted('"').or_else(|| unquoted('\'')) {
        let escapes = [("\\n", "\n"), ("\\0", "\0"), ("\\\"", "\""), ("\\t", "\t"), ("\\\\", "\\")];
        let text = escapes.iter().fold(inner.to_owned(), |text, (from, to)| text.replace(from, to));
        return Some(Value::String(text));
    }
    if text.starts_with('[') {
        return serde_json::from_str(text).ok();
    }
    if let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        let words: Vec<_> = inner.split("=>").collect();
        return match words.as_slice() {
            [nothing] if nothing.trim().is_empty() => Some(Value::Object(Default::default())),
            [key, value] => {
                let key = of_config(key)?.as_str()?.to_owned();
                Some(Value::Object([(key, of_config(value)?)].into_iter().collect()))
            }
            _ => None,
        };
    }
    Some(Value::String(text.to_owned()))
}

/// Whether two defaults mean the same once an option's type has read them.
fn same(own: &Value, theirs: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::String(text) => text.replace('_', "").parse::<f64>().ok(),
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    match (own, theirs) {
        (Value::Array(own), Value::Array(theirs)) => {
            own.len() == theirs.len() && own.iter().zip(theirs).all(|(own, theirs)| same(own, theirs))
        }
        (Value::Object(own), Value::Object(theirs)) => {
            own.len() == theirs.len()
                && own.iter().all(|(key, own)| theirs.get(key).is_some_and(|theirs| same(own, theirs)))
        }
        // A hash may be written as a list of keys and values.
        (Value::Array(own), Value::Object(theirs)) => {
            let mut pairs = own.chunks(2).map(|pair| (pair[0].as_str(), pair.get(1)));
            own.len() == theirs.len() * 2
                && pairs.all(|(key, own)| {
                    key.and_then(|key| theirs.get(key))
                        .zip(own)
                        .is_some_and(|(theirs, own)| same(own, theirs))
                })
        }
        // A single value is a list of one.
        (Value::Array(own), theirs) if own.len() == 1 => same(&own[0], theirs),
        (own, Value::Array(theirs)) if theirs.len() == 1 => same(own, &theirs[0]),
        _ if number(own).is_some() => number(own) == number(theirs),
        (Value::String(own), Value::String(theirs)) => own == theirs,
        (Value::String(own), Value::Bool(theirs)) => *own == theirs.to_string(),
        _ => false,
    }
}

/// An empty list, hash or text is as good as nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// What differs between two declarations of an option.
fn difference(own: &OptionSpec, known: &KnownOption) -> Option<String> {
    // What has a default is never missing.
    let is_required = known.required && known.default.is_none();
    if own.required != is_required {
        return Some(format!("required: {}, in Logstash {is_required}", own.required));
    }
    let theirs = known.default.as_ref().filter(|_| known.ecs_default.is_none());
    match (own.default, theirs) {
        (None, None) => None,
        (Some(own), Some(theirs)) => {
            let value = of_config(own);
            let is_same = value.as_ref().is_some_and(|own| same(own, theirs));
            (!is_same).then(|| format!("default: {own}, in Logstash {theirs}"))
        }
        (Some(own), None) => {
            let is_nothing = of_config(own).as_ref().is_some_and(is_nothing);
            let is_computed = known.ecs_default.is_some();
            (!is_nothing && !is_computed).then(|| format!("default: {own}, in Logstash none that is plain"))
        }
        (None, Some(theirs)) => (!is_nothing(theirs)).then(|| format!("default: none, in Logstash {theirs}")),
    }
}

#[test]
fn defaults_are_logstashs() {
    let Some(plugins) = plugins() else { return };
    let (mut wrong, mut compared, mut excepted) = (Vec::new(), 0, Vec::new());
    for (plugin, spec) in &plugins {
        for known in plugin.options.iter().filter(|known| !known.obsolete) {
            let Some(own) = spec.options.iter().find(|own| own.name == known.name) else { continue };
            // The common options are read in one place for all plugins.
            if known.inherited_from.as_deref() == Some("base") && is_common(spec.kind, &known.name) {
                continue;
            }
            compared += 1;
            let Some(difference) = difference(own, known) else { continue };
            let line = format!("{} {}: {}: {difference}", plugin.kind, plugin.name, known.name);
            match exception(plugin, &known.name) {
                Some(why) => excepted.push(format!("{line} ({why})")),
                None => wrong.push(line),
            }
        }
    }
    println!("{compared} options are compared; exceptions:");
    excepted.iter().for_each(|line| println!("  {line}"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (plugin, option, _) in EXCEPTIONS {
        let is_used =
            excepted.iter().any(|line| line.starts_with(&format!("{plugin}: {option}")) || *option == "*");
        assert!(is_used, "{plugin}: {option} is no exception any more");
    }
}

#[derive(Deserialize)]
struct Changes {
    diff: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    kind: String,
    name: String,
    #[serde(default)]
    became_obsolete: Vec<OldOption>,
}

#[derive(Deserialize)]
struct OldOption {
    name: String,
    type_in_8_19: String,
    #[serde(default)]
    see: Vec<String>,
}

/// A value that an old option could have.
fn old_value(option: &OldOption) -> &'static str {
    match (option.name.as_str(), option.type_in_8_19.as_str()) {
        (_, "boolean") => "true",
        ("ssl_verify_mode" | "verify_mode", _) => "\"none\"",
        (_, "number") => "1.2",
        (_, "array") => "[\"TLS_AES_128_GCM_SHA256\"]",
        (name, _) if name.ends_with("store_type") => "\"jks\"",
        _ => "\"/no/such/file\"",
    }
}

/// The names of Logstash 8 work with one warning that names the new one, or are refused with it.
#[test]
fn option_names_of_logstash_8_still_work() {
    let Some(shared) = recordings() else { return };
    let text = std::fs::read_to_string(shared.join("catalogue/diff-8.19.json")).expect("it can be read");
    let changes: Changes = serde_json::from_str(&text).expect("it is the list");
    let (mut wrong, mut how) = (Vec::new(), BTreeMap::<_, usize>::new());
    for change in changes.diff.iter().filter(|change| spec(&change.kind, &change.name).is_some()) {
        for old in &change.became_obsolete {
            let messages = told(&change.kind, &change.name, &old.name, old_value(old));
            let about: Vec<_> = messages
                .iter()
                .filter(|message| message.contains(&format!("option \"{}\"", old.name)))
                // As long as nothing is encrypted, which is another matter.
                .filter(|message| !message.contains("has no effect: ssl_enabled is false"))
                .collect();
            let names_new = |message: &str| old.see.iter().any(|new| message.contains(new.as_str()));
            match about.as_slice() {
                [message] if names_new(message) => {
                    let word = if message.contains("is deprecated") { "read" } else { "refused" };
                    *how.entry(word).or_default() += 1;
                }
                _ => wrong.push(format!(
                    "{} {}: {} => {}: {messages:#?}",
                    change.kind,
                    change.name,
                    old.name,
                    old_value(old)
                )),
            }
        }
    }
    println!("{how:?}");
    assert!(how.values().sum::<usize>() > 30, "{how:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the catalogue calls deprecated warns here too, or was made part of another option.
#[test]
fn deprecated_options_say_so() {
    let Some(plugins) = plugins() else { return };
    let mut silent = Vec::new();
    for (plugin, spec) in &plugins {
        for option in plugin.options.iter().filter(|option| option.deprecated && !option.obsolete) {
            let name = option.name.as_str();
            let is_told = is_in(spec.deprecated, name)
                || is_in(spec.renamed, name)
                || is_in(spec.refused, name)
                || is_common(spec.kind, name);
            let is_told = is_told || {
                ["\"x\"", "true", "5"].iter().any(|value| {
                    told(&plugin.kind, &plugin.name, name, value).iter().any(|message| {
                        message.contains(&format!("option \"{name}\""))
                            && (message.contains("deprecated") || message.contains("no effect"))
                    })
                })
            };
            if !is_told {
                silent.push(format!("{} {}: {name} (see {:?})", plugin.kind, plugin.name, option.see));
            }
        }
    }
    assert!(silent.is_empty(), "deprecated in Logstash, and nothing is said:\n{}", silent.join("\n"));
}
