//! The types that options have, and how Logstash coerces values towards each (`config/mixin.rb`, `validate_value`).

use std::fmt;
use std::path::PathBuf;

use super::Problem;
use super::block::{ConfigKind, ConfigValue};
use super::options::FromOption;
use super::{Context, EcsMode};
use crate::event::{FieldReference, Template, Value};
use crate::language::nearest;

fn expected(what: &str, value: &ConfigValue) -> Vec<Problem> {
    let got = match &value.kind {
        ConfigKind::Array(items) => format!("an array of {} values", items.len()),
        ConfigKind::Hash(pairs) if what.starts_with("hash") => format!("a hash of {} entries", pairs.len()),
        _ => value.describe().to_owned(),
    };
    vec![Problem::error(value.span, format!("expected {what}, got {got}")).label(format!("expected {what}"))]
}

/// The one scalar that a value holds, as text. Logstash takes numbers where it wants strings.
fn single_text(value: &ConfigValue, what: &str) -> Result<String, Vec<Problem>> {
    value.as_single().and_then(ConfigValue::scalar_text).ok_or_else(|| expected(what, value))
}

impl FromOption for String {
    fn type_name() -> String {
        "string".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        single_text(value, "a string")
    }
}

impl FromOption for bool {
    fn type_name() -> String {
        "boolean".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        match value.as_single().map(|single| &single.kind) {
            Some(ConfigKind::Text(text)) if text == "true" => Ok(true),
            Some(ConfigKind::Text(text)) if text == "false" => Ok(false),
            _ => Err(expected("true or false", value)),
        }
    }
}

impl FromOption for f64 {
    fn type_name() -> String {
        "number".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        match value.as_single().map(|single| &single.kind) {
            Some(ConfigKind::Integer(number)) => Ok(*number as f64),
            Some(ConfigKind::Float(number)) => Ok(*number),
            Some(ConfigKind::Text(text)) => match text.parse::<f64>() {
                // Only the spelling that Ruby prints itself: "5", "5.0", not "5.00" or " 5".
                Ok(number) if text.trim() == text && number.is_finite() && is_ruby_number(text) => Ok(number),
                _ => Err(expected("a number", value)),
            },
            _ => Err(expected("a number", value)),
        }
    }
}

fn is_ruby_number(text: &str) -> bool {
    let round = |number: f64| crate::event::text::ruby_to_s(&Value::Float(number));
    text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
        || text.parse::<f64>().is_ok_and(|number| round(number) == text)
}

impl FromOption for i64 {
    fn type_name() -> String {
        "number".into()
    }

    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
        if let Some(ConfigKind::Integer(number)) = value.as_single().map(|single| &single.kind) {
            return Ok(*number);
        }
        let number = f64::from_option(value, context)?;
        if number.fract() == 0.0 && number.abs() < 9e15 {
            return Ok(number as i64);
        }
        Err(expected("a whole number", value))
    }
}

macro_rules! unsigned {
    ($($type:ty),*) => { $(
        impl FromOption for $type {
            fn type_name() -> String {
                "number".into()
            }

            fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
                <$type>::try_from(i64::from_option(value, context)?)
                    .map_err(|_| expected(&format!("a whole number from 0 to {}", <$type>::MAX), value))
            }
        }
    )* };
}
unsigned!(u16, u32, u64, usize);

impl<T: FromOption> FromOption for Vec<T> {
    fn type_name() -> String {
        format!("array of {}s", T::type_name())
    }

    fn from_option(value: &ConfigValue, context: &Context) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut items = Vec::new();
        for item in value.as_list() {
            match T::from_option(item, context) {
                Ok(item) => items.push(item),
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(items) } else { Err(problems) }
    }
}

/// Any value, as data.
impl FromOption for Value {
    fn type_name() -> String {
        "any value".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        Ok(value.to_value())
    }
}

/// A value of any kind with its place, for options with a syntax of their own.
impl FromOption for ConfigValue {
    fn type_name() -> String {
        "any value".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        Ok(value.clone())
    }
}

impl FromOption for FieldReference {
    fn type_name() -> String {
        "field reference".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        let text = single_text(value, "a field reference")?;
        FieldReference::parse(&text).map_err(|_| {
            let message = format!("\"{text}\" is not a field reference");
            vec![Problem::error(value.span, message).label("expected a name, or [name][name]")]
        })
    }

    /// As the validator of Logstash's plugins has it (`field_reference_validation_adapter.rb`).
    fn is_nil(value: &ConfigValue) -> bool {
        matches!(&value.kind, ConfigKind::Text(text) if text.is_empty())
    }
}

/// A text that may hold `%{field}` references. An illegal reference or date pattern is reported here, not with the
/// first event.
impl FromOption for Template {
    fn type_name() -> String {
        "string".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        Ok(Template::parse(&single_text(value, "a string")?))
    }
}

impl FromOption for PathBuf {
    fn type_name() -> String {
        "path".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        Ok(PathBuf::from(single_text(value, "a path")?))
    }
}

/// A secret: it never appears in logs, errors or debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub fn new(secret: impl Into<String>) -> Self {
        Password(secret.into())
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<password>")
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<password>")
    }
}

impl FromOption for Password {
    fn type_name() -> String {
        "password".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        // Logstash makes a password of text alone (`co.elastic.logstash.api.Password`).
        if let Some(ConfigValue { kind: ConfigKind::Integer(_) | ConfigKind::Float(_), .. }) =
            value.as_single()
        {
            let problem = Problem::error(value.span, "a password is text, not a number".to_owned());
            return Err(vec![problem.label("write it in quotes")]);
        }
        single_text(value, "a password").map(Password)
    }
}

/// A secret that Logstash reads as a string: unlike a password it may be written as a number.
#[derive(Debug, Clone)]
pub struct SecretText(Password);

impl SecretText {
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

impl FromOption for SecretText {
    fn type_name() -> String {
        Password::type_name()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        single_text(value, "a password").map(|text| SecretText(Password(text)))
    }
}

/// A number of bytes: `10485760`, `"10 mb"` (powers of 1000), `"10 MiB"` (powers of 1024).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromOption for Bytes {
    fn type_name() -> String {
        "bytes".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        let text = single_text(value, "a size")?;
        parse_bytes(&text).map(Bytes).ok_or_else(|| {
            let message = format!("\"{text}\" is not a size");
            vec![Problem::error(value.span, message).label("expected a number and a unit, e.g. \"10 MiB\"")]
        })
    }
}

fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim().to_ascii_lowercase();
    let letter = unit.chars().next().filter(|letter| *letter != 'b');
    let power = match letter {
        None => 0,
        Some(letter) => "kmgtpezy".find(letter)? as i32 + 1,
    };
    let base: f64 = match unit.get(letter.map_or(0, |_| 1)..)? {
        "ib" => 1024.0,
        "b" | "" => 1000.0,
        _ => return None,
    };
    Some((number * base.powi(power)) as u64)
}

/// A hash, or the array `[key, value, ...]` that Logstash takes for one, as pairs in the order they are applied.
#[derive(Debug, Clone, Default)]
pub struct Pairs(pub Vec<(String, ConfigValue)>);

impl Pairs {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ConfigValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromOption for Pairs {
    fn type_name() -> String {
        "hash".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        match &value.kind {
            ConfigKind::Hash(pairs) => Ok(Pairs(pairs.clone())),
            ConfigKind::Array(items) if items.len() % 2 == 0 => pairs_of(items).map(Pairs),
            _ => Err(expected("hash, { \"key\" => \"value\" }", value)),
        }
    }
}

/// Pairs of a flat array, in config order. A repeated key collects its values in an array.
fn pairs_of(items: &[ConfigValue]) -> Result<Vec<(String, ConfigValue)>, Vec<Problem>> {
    let mut pairs: Vec<(String, ConfigValue)> = Vec::new();
    for chunk in items.chunks_exact(2) {
        let [key, value] = chunk else { continue };
        let key = single_text(key, "a key")?;
        let Some((_, existing)) = pairs.iter_mut().find(|(name, _)| *name == key) else {
            pairs.push((key, value.clone()));
            continue;
        };
        match &mut existing.kind {
            ConfigKind::Array(collected) => collected.push(value.clone()),
            _ => existing.kind = ConfigKind::Array(vec![existing.clone(), value.clone()]),
        }
    }
    Ok(pairs)
}

/// One of a fixed set of words, declared with [`choices!`].
pub trait Choice: Sized + Copy + PartialEq + 'static {
    const CHOICES: &'static [(&'static str, Self)];

    /// The word that names it; `None` for a member that no word names.
    fn word(self) -> Option<&'static str> {
        Self::CHOICES.iter().find(|(_, member)| *member == self).map(|(word, _)| *word)
    }
}

/// Declares an enum of an option's words: `choices! { pub enum Mode { Tail = "tail", Read = "read" } }`.
macro_rules! choices {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $( $(#[$doc:meta])* $variant:ident = $word:literal ),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name { $( $(#[$doc])* $variant ),* }

        impl $crate::plugin::Choice for $name {
            const CHOICES: &'static [(&'static str, Self)] = &[ $( ($word, $name::$variant) ),* ];
        }

        impl $crate::plugin::FromOption for $name {
            fn type_name() -> String {
                $crate::plugin::choice_type_name::<Self>()
            }

            fn from_option(
                value: &$crate::plugin::ConfigValue,
                _: &$crate::plugin::Context,
            ) -> Result<Self, Vec<$crate::plugin::Problem>> {
                $crate::plugin::read_choice(value)
            }
        }
    };
}
pub(crate) use choices;

/// `one of "a", "b"`.
pub fn choice_type_name<C: Choice>() -> String {
    let words: Vec<_> = C::CHOICES.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    format!("one of {}", words.join(", "))
}

/// The member that a value names.
pub fn read_choice<C: Choice>(value: &ConfigValue) -> Result<C, Vec<Problem>> {
    let text = single_text(value, &choice_type_name::<C>())?;
    if let Some((_, member)) = C::CHOICES.iter().find(|(word, _)| *word == text) {
        return Ok(*member);
    }
    let problem = Problem::error(value.span, format!("expected {}, got \"{text}\"", choice_type_name::<C>()))
        .label("not one of the choices");
    let words: Vec<_> = C::CHOICES.iter().map(|(word, _)| *word).collect();
    Err(vec![match nearest(&text, &words) {
        Some(near) => problem.help(format!("did you mean \"{near}\"?")),
        None => problem,
    }])
}

/// The common option `ecs_compatibility`.
pub(super) struct EcsOption(pub EcsMode);

impl FromOption for EcsOption {
    fn type_name() -> String {
        "one of \"disabled\", \"v1\", \"v8\"".into()
    }

    fn from_option(value: &ConfigValue, _: &Context) -> Result<Self, Vec<Problem>> {
        let text = single_text(value, "disabled, v1 or v8")?;
        EcsMode::parse(&text).map(EcsOption).ok_or_else(|| expected("disabled, v1 or v8", value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("10", 10),
            ("10 b", 10),
            ("1kb", 1000),
            ("1 KiB", 1024),
            ("1.5 MiB", 1_572_864),
            ("2 gb", 2_000_000_000),
        ] {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
        for text in ["", "x", "10 xb", "10 kx", "MiB"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let secret = Password::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "<password> <password>");
    }
}
