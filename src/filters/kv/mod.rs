//! Filter `kv`: reads pairs such as `user=kim action="log in"` from a field (logstash-filter-kv).
//!
//! Logstash builds one regular expression of the options and scans the text with it ([`patterns`]). Where the options
//! are plain characters, [`scanner`] finds the same pairs without it, and asks the expression only about texts in
//! which a backslash makes a difference.

mod class;
mod patterns;
mod scanner;
#[cfg(test)]
mod tests;
mod words;

use std::time::{Duration, Instant};

use crate::event::ruby_text;
use crate::event::text::ruby_to_s;
use crate::event::{
    Event, FieldReference, InvalidReference, Object, SetError, SprintfError, TAGS, Template, Value,
};
use crate::plugin::{
    Build, DecorateError, Emit, Example, Filter, Kind, OptionReader, Outcome, Pairs, Spec, choices, options,
};
use crate::regex::SearchError;

use class::Characters;
use patterns::Pairing;
use words::{Words, WordsOf};

pub static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "kv",
    summary: "Reads key=value pairs from a field.",
    options: Options::OPTIONS,
    renamed: &[],
    deprecated: &[],
    refused: &[],
    default_codec: None,
    example: Example {
        config: r#"filter { kv { field_split => "&;" exclude_keys => ["token"] target => "query" } }"#,
        input: &[r#"{"message":"page=2&sort='last name'&sort=age;token=x&flag"}"#],
        output: &[
            r#"{"message":"page=2&sort='last name'&sort=age;token=x&flag","query":{"page":"2","sort":["last name","age"]}}"#,
        ],
    },
    build: Build::Filter(|reader| Some(Box::new(Kv::build(reader)?))),
};

/// With `recursive`, values within values are read down to this depth; a text that goes deeper fails.
const MAX_DEPTH: usize = 100;

choices! {
    /// A change of letters.
    pub enum Transform {
        Lower = "lowercase",
        Upper = "uppercase",
        Capital = "capitalize",
    }
}

choices! {
    pub enum Whitespace {
        Strict = "strict",
        Lenient = "lenient",
    }
}

options! {
    struct Options {
        /// Characters to strip from both ends of values, as in the brackets of a regular expression.
        trim_value: Option<String>,
        /// Characters to strip from both ends of keys, as in the brackets of a regular expression.
        trim_key: Option<String>,
        /// Characters to remove from values, as in the brackets of a regular expression.
        remove_char_value: Option<String>,
        /// Characters to remove from keys, as in the brackets of a regular expression.
        remove_char_key: Option<String>,
        /// Case that values are changed to.
        transform_value: Option<Transform>,
        /// Case that keys are changed to.
        transform_key: Option<Transform>,
        /// Characters that end a pair, as in the brackets of a regular expression.
        field_split: String = " ",
        /// Regular expression for what ends a pair, used in place of field_split.
        field_split_pattern: Option<String>,
        /// Characters between key and value, as in the brackets of a regular expression.
        value_split: String = "=",
        /// Regular expression for what stands between key and value, used in place of value_split.
        value_split_pattern: Option<String>,
        /// Text put before every key. May hold `%{...}`.
        prefix: Template = "",
        /// Field that holds the pairs: a text, or an array of texts.
        source: FieldReference = "message",
        /// Field that takes the pairs. Without it they become fields of the event.
        target: Option<FieldReference>,
        /// Keys to keep, without the prefix. None given: all. May hold `%{...}`.
        include_keys: Vec<Template> = [],
        /// Keys to leave out, without the prefix. May hold `%{...}`.
        exclude_keys: Vec<Template> = [],
        /// Values for keys that are not found.
        default_keys: Pairs = {},
        /// Whether a pair is kept that has been there already.
        allow_duplicate_values: bool = true,
        /// Whether keys without a value are kept, with an empty text.
        allow_empty_values: bool = false,
        /// Whether `(a b)`, `[a b]` and `<a b>` are values like quoted ones.
        include_brackets: bool = true,
        /// Whether pairs within values are read as well.
        recursive: bool = false,
        /// lenient: spaces around what splits key and value do not count.
        whitespace: Whitespace = "lenient",
        /// Milliseconds after which the search for pairs in an event is given up. 0: never.
        timeout_millis: f64 = 30000,
        /// Tag added when the time is up.
        tag_on_timeout: String = "_kv_filter_timeout",
        /// Tags added when pairs cannot become fields.
        tag_on_failure: Vec<String> = ["_kv_filter_error"],
    }
}

/// What is done to a key or a value after it was found.
struct Cleaning {
    trim: Option<Characters>,
    remove: Option<Characters>,
    transform: Option<Transform>,
}

struct Kv {
    options: Options,
    pairing: Pairing,
    key: Cleaning,
    value: Cleaning,
    include: Words,
    exclude: Words,
    defaults: Object,
    timeout: Option<Duration>,
}

/// Why the pairs of an event did not become fields.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the time limit ran out")]
    Timeout,
    #[error("the pattern needs too much memory for this text")]
    TooComplex,
    #[error("pairs within pairs go deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("a {0} within the source is no text")]
    NotText(&'static str),
    #[error("the pattern finds a separator without a key")]
    NoKey,
    #[error(transparent)]
    Sprintf(#[from] SprintfError),
    #[error(transparent)]
    Reference(#[from] InvalidReference),
    #[error(transparent)]
    Set(#[from] SetError),
}

impl From<SearchError> for Failure {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Timeout => Failure::Timeout,
            SearchError::TooComplex => Failure::TooComplex,
        }
    }
}

impl Kv {
    fn build(reader: &mut OptionReader<'_>) -> Option<Self> {
        reader.text_only(&["field_split"]);
        let options = Options::read(reader)?;
        let timeout = (options.timeout_millis > 0.0)
            .then(|| Duration::try_from_secs_f64(options.timeout_millis / 1000.0).ok())
            .flatten();
        let key = Cleaning::read(
            ["trim_key", "remove_char_key"],
            [&options.trim_key, &options.remove_char_key],
            options.transform_key,
            reader,
        );
        let value = Cleaning::read(
            ["trim_value", "remove_char_value"],
            [&options.trim_value, &options.remove_char_value],
            options.transform_value,
            reader,
        );
        let pairing = Pairing::build(&options, timeout, reader);
        Some(Kv {
            pairing: pairing?,
            key: key?,
            value: value?,
            include: Words::new(&options.include_keys),
            exclude: Words::new(&options.exclude_keys),
            defaults: options.default_keys.iter().map(|(key, value)| (key, value.to_value())).collect(),
            timeout,
            options,
        })
    }

    fn run(&self, event: &mut Event) -> Result<Outcome, Failure> {
        let mut reading = Reading { kv: self, event: &*event, began: None, words: None, prefix: None };
        let mut pairs = Object::new();
        match event.get(&self.options.source) {
            None | Some(Value::Null) => {}
            Some(Value::Str(text)) => reading.read(text, &mut pairs, 0)?,
            Some(Value::Array(items)) => {
                for item in items {
                    match item {
                        Value::Str(text) => reading.read(text, &mut pairs, 0)?,
                        Value::Null => {}
                        other => return Err(Failure::NotText(other.kind())),
                    }
                }
            }
            Some(other) => {
                tracing::warn!(source = %self.options.source, kind = other.kind(), "kv reads text only");
            }
        }
        if !self.defaults.is_empty() {
            let mut merged = self.defaults.clone();
            for (key, value) in pairs {
                merged.insert(key, value);
            }
            pairs = merged;
        }
        if pairs.is_empty() {
            return Ok(Outcome::Unmatched);
        }
        self.store(pairs, event)?;
        Ok(Outcome::Matched)
    }

    /// Makes the pairs fields. Those set before an illegal one stay.
    fn store(&self, pairs: Object, event: &mut Event) -> Result<(), Failure> {
        if let Some(target) = &self.options.target {
            return Ok(event.assign(target, pairs)?);
        }
        for (key, value) in pairs {
            if key.contains(['[', ']', '@']) || key == TAGS {
                event.assign(&FieldReference::parse(&key)?, value)?;
            } else {
                event.data_mut().insert(key, value);
            }
        }
        Ok(())
    }
}

/// The reading of one event.
struct Reading<'a> {
    kv: &'a Kv,
    event: &'a Event,
    /// When the expression was first needed; nothing else takes long.
    began: Option<Instant>,
    /// The keys to include and to exclude, once a text needs them.
    words: Option<(WordsOf<'a>, WordsOf<'a>)>,
    prefix: Option<String>,
}

impl Reading<'_> {
    /// Adds the pairs of a text.
    fn read(&mut self, text: &str, pairs: &mut Object, depth: usize) -> Result<(), Failure> {
        if !self.kv.pairing.has_separator(text)? {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(Failure::TooDeep);
        }
        if self.words.is_none() {
            self.words = Some((self.kv.include.of(self.event)?, self.kv.exclude.of(self.event)?));
        }
        let mut search = self.kv.pairing.search(text);
        while let Some((key, value)) = search.next_pair()? {
            if search.takes_long() && self.is_late() {
                return Err(Failure::Timeout);
            }
            self.add(key, value, pairs, depth)?;
        }
        Ok(())
    }

    fn is_late(&mut self) -> bool {
        let now = Instant::now();
        let began = *self.began.get_or_insert(now);
        self.kv.timeout.is_some_and(|timeout| now.duration_since(began) > timeout)
    }

    fn add(&mut self, key: &str, value: &str, pairs: &mut Object, depth: usize) -> Result<(), Failure> {
        let options = &self.kv.options;
        if value.is_empty() && !options.allow_empty_values {
            return Ok(());
        }
        let key = self.kv.key.apply(key)?;
        if let Some((include, exclude)) = &self.words
            && ((!include.is_empty() && !include.contains(&key)) || exclude.contains(&key))
        {
            return Ok(());
        }
        if self.prefix.is_none() {
            self.prefix = Some(options.prefix.render(self.event)?);
        }
        let key = match self.prefix.as_deref() {
            None | Some("") => key,
            Some(prefix) => format!("{prefix}{key}").into(),
        };
        let value = self.kv.value.apply(value)?;
        if !options.allow_duplicate_values && pairs.get(&key).is_some_and(|known| includes(known, &value)) {
            return Ok(());
        }
        let value = match options.recursive {
            true => self.inner(&value, depth)?.unwrap_or_else(|| Value::from(&*value)),
            false => Value::from(&*value),
        };
        match pairs.get_mut(&key) {
            Some(Value::Array(values)) => values.push(value),
            Some(single) => *single = Value::Array(vec![std::mem::take(single), value]),
            None => pairs.push_new((&*key).into(), value),
        }
        Ok(())
    }

    /// The pairs within a value, if there are any.
    fn inner(&mut self, value: &str, depth: usize) -> Result<Option<Value>, Failure> {
        let mut inner = Object::new();
        self.read(value, &mut inner, depth + 1)?;
        Ok((!inner.is_empty()).then(|| Value::from(inner)))
    }
}

/// Ruby's `include?`, which looks for a part of a text, an element of an array, a key of a hash.
fn includes(known: &Value, value: &str) -> bool {
    match known {
        Value::Array(items) => items.iter().any(|item| item.as_str() == Some(value)),
        Value::Object(object) => object.contains_key(value),
        Value::Str(text) => text.contains(value),
        other => ruby_to_s(other).contains(value),
    }
}

impl Cleaning {
    fn read(
        names: [&'static str; 2],
        texts: [&Option<String>; 2],
        transform: Option<Transform>,
        reader: &mut OptionReader<'_>,
    ) -> Option<Self> {
        let [trim, remove] = texts;
        let [trim_name, remove_name] = names;
        let mut report = |name, error: crate::regex::Error| reader.error(name, error.to_string());
        let trim = trim.as_ref().map(|class| Characters::at_ends(class)).transpose();
        let remove = remove.as_ref().map(|class| Characters::anywhere(class)).transpose();
        let trim = trim.map_err(|error| report(trim_name, error)).ok();
        let remove = remove.map_err(|error| report(remove_name, error)).ok();
        Some(Cleaning { trim: trim?, remove: remove?, transform })
    }

    fn apply<'t>(&self, text: &'t str) -> Result<std::borrow::Cow<'t, str>, Failure> {
        let mut text = std::borrow::Cow::Borrowed(text);
        for characters in [&self.trim, &self.remove].into_iter().flatten() {
            text = characters.strip(text)?;
        }
        Ok(match self.transform {
            None => text,
            Some(Transform::Lower) => ruby_text::downcase(&text).into(),
            Some(Transform::Upper) => ruby_text::upcase(&text).into(),
            Some(Transform::Capital) => ruby_text::capitalize(&text).into(),
        })
    }
}

impl Filter for Kv {
    fn filter(&self, event: &mut Event, _emit: &mut Emit) -> Outcome {
        match self.run(event) {
            Ok(outcome) => outcome,
            Err(Failure::Timeout) => {
                tracing::warn!(source = %self.options.source, "kv: the time limit for one event ran out");
                event.tag(&self.options.tag_on_timeout);
                Outcome::Failed
            }
            Err(error) => {
                tracing::warn!(source = %self.options.source, %error, "could not read or store pairs");
                self.tag_failure(event);
                Outcome::Failed
            }
        }
    }

    fn decoration_failed(&self, _name: &str, event: &mut Event, error: &DecorateError) {
        tracing::warn!(source = %self.options.source, %error, "could not apply the common options");
        self.tag_failure(event);
    }
}

impl Kv {
    fn tag_failure(&self, event: &mut Event) {
        for tag in &self.options.tag_on_failure {
            event.tag(tag);
        }
    }
}
