//! `Block`: a plugin's options as written, with variables expanded and in the order Logstash sees them.

use crate::event::{Object, Value};
use crate::language::Span;
use crate::language::ast;

use super::Kind;
use super::Problem;
use super::variables::{self, Environment, Expanded};

/// A plugin with its options, ready to be read.
#[derive(Debug, Clone)]
pub struct Block {
    pub kind: Kind,
    pub name: String,
    /// The plugin's name in the source.
    pub name_span: Span,
    pub options: Vec<BlockOption>,
}

#[derive(Debug, Clone)]
pub struct BlockOption {
    pub name: String,
    pub name_span: Span,
    pub value: ConfigValue,
}

/// The value of an option.
#[derive(Debug, Clone)]
pub struct ConfigValue {
    pub kind: ConfigKind,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum ConfigKind {
    /// A quoted text or a bareword: Logstash makes no difference.
    Text(String),
    Integer(i64),
    Float(f64),
    Array(Vec<ConfigValue>),
    /// In the order of Java's `HashMap`, which decides what Logstash does first.
    Hash(Vec<(String, ConfigValue)>),
    Plugin(Box<ast::Plugin>),
}

impl Block {
    /// Reads a plugin's options. Undefined variables are reported, all of them.
    pub fn new(
        kind: Kind,
        plugin: &ast::Plugin,
        environment: &Environment,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let attributes = crate::language::merged_attributes(plugin).unwrap_or_else(|problem| {
            problems.push(*problem);
            Vec::new()
        });
        let options = attributes
            .into_iter()
            .map(|attribute| BlockOption {
                value: ConfigValue::new(&attribute.value, environment, problems),
                name: attribute.name.text.into(),
                name_span: attribute.name.span,
            })
            .collect();
        Block { kind, name: plugin.name.text.to_string(), name_span: plugin.name.span, options }
    }

    /// A plugin without options, such as `codec => json`.
    pub fn bare(kind: Kind, name: &str, span: Span) -> Self {
        Block { kind, name: name.to_owned(), name_span: span, options: Vec::new() }
    }
}

impl ConfigValue {
    pub fn new(value: &ast::Value, environment: &Environment, problems: &mut Vec<Problem>) -> Self {
        let kind = match &value.kind {
            ast::ValueKind::String(text) => return expand_text(text, value.span, environment, problems),
            ast::ValueKind::Bareword(text) => ConfigKind::Text(text.to_string()),
            ast::ValueKind::Number(number) => match number.value {
                ast::NumberValue::Integer(integer) => ConfigKind::Integer(integer),
                ast::NumberValue::Float(float) => ConfigKind::Float(float),
            },
            ast::ValueKind::Array(items) => {
                ConfigKind::Array(items.iter().map(|item| Self::new(item, environment, problems)).collect())
            }
            ast::ValueKind::Hash(entries) => {
                let pairs = entries
                    .iter()
                    .map(|entry| (entry.key.text.to_string(), Self::new(&entry.value, environment, problems)))
                    .collect();
                ConfigKind::Hash(in_hash_map_order(pairs))
            }
            ast::ValueKind::Plugin(plugin) => ConfigKind::Plugin(plugin.clone()),
        };
        ConfigValue { kind, span: value.span }
    }

    pub fn text(text: impl Into<String>, span: Span) -> Self {
        ConfigValue { kind: ConfigKind::Text(text.into()), span }
    }

    /// The elements of an array, or the value alone: Logstash takes a scalar for a list of one.
    pub fn as_list(&self) -> &[ConfigValue] {
        match &self.kind {
            ConfigKind::Array(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The only element of an array of one, or the value itself.
    pub fn as_single(&self) -> Option<&ConfigValue> {
        match self.as_list() {
            [single] => Some(single),
            _ => None,
        }
    }

    /// The value as Ruby's `to_s` of a scalar; `None` for arrays, hashes and plugins.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.kind {
            ConfigKind::Text(text) => Some(text.clone()),
            ConfigKind::Integer(_) | ConfigKind::Float(_) => {
                Some(crate::event::text::ruby_to_s(&self.to_value()))
            }
            _ => None,
        }
    }

    /// The value as data of an event.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            ConfigKind::Text(text) => Value::from(text.as_str()),
            ConfigKind::Integer(number) => Value::Int(*number),
            ConfigKind::Float(number) => Value::Float(*number),
            ConfigKind::Array(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            ConfigKind::Hash(pairs) => {
                let object: Object =
                    pairs.iter().map(|(key, value)| (key.as_str(), value.to_value())).collect();
                Value::from(object)
            }
            ConfigKind::Plugin(plugin) => Value::from(&*plugin.name.text),
        }
    }

    /// What the value is, in the words of the language, for messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            ConfigKind::Text(_) => "a string",
            ConfigKind::Integer(_) | ConfigKind::Float(_) => "a number",
            ConfigKind::Array(_) => "an array",
            ConfigKind::Hash(_) => "a hash",
            ConfigKind::Plugin(_) => "a plugin",
        }
    }
}

fn expand_text(
    text: &str,
    span: Span,
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> ConfigValue {
    let kind = match variables::expand(text, environment) {
        Ok(Expanded::Unchanged) => ConfigKind::Text(text.to_owned()),
        Ok(Expanded::Text(expanded)) => ConfigKind::Text(expanded),
        Ok(Expanded::List(items)) => {
            ConfigKind::Array(items.into_iter().map(|item| ConfigValue::text(item, span)).collect())
        }
        Err(undefined) => {
            let help =
                format!("set {0} in the environment, or give a default: ${{{0}:value}}", undefined.name);
            problems.push(Problem::error(span, undefined.to_string()).label("not defined").help(help));
            ConfigKind::Text(text.to_owned())
        }
    };
    ConfigValue { kind, span }
}

/// Sorts pairs the way a `java.util.HashMap` with these keys iterates: by bucket, and by age within one.
fn in_hash_map_order(mut pairs: Vec<(String, ConfigValue)>) -> Vec<(String, ConfigValue)> {
    let mut buckets = 16u32;
    while pairs.len() as u64 * 4 > u64::from(buckets) * 3 {
        buckets *= 2;
    }
    pairs.sort_by_key(|(key, _)| {
        let hash =
            key.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(keys: &[&str]) -> Vec<String> {
        let pairs =
            keys.iter().map(|key| (key.to_string(), ConfigValue::text("", Span::default()))).collect();
        in_hash_map_order(pairs).into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn hashes_iterate_as_in_java() {
        // "Aa" and "BB" have the same hash code, 2112; "c1" is 3118, "a1" 3056, "b1" 3087.
        assert_eq!(order(&["BB", "Aa"]), ["BB", "Aa"]);
        assert_eq!(order(&["a1", "b1", "c1"]), ["a1", "c1", "b1"]);
    }
}
