//! The regular expressions that logstash-filter-kv builds of its options (`register` of `filters/kv.rb`), and the
//! search for pairs with them.

use std::time::Duration;

use super::class::Set;
use super::scanner::{Closings, Found, Scanner};
use super::{Options, Whitespace};
use crate::plugin::OptionReader;
use crate::regex::{Error, Locations, Regex, SearchError};

/// How keys, values and pairs are told apart.
pub(super) struct Pairing {
    /// A pair: the key is the first group, the value the first of the others that takes part.
    pair: Regex,
    /// What stands between key and value.
    separator: Regex,
    scanner: Option<Scanner>,
}

impl Pairing {
    /// Reports what is wrong with the options.
    pub fn build(
        options: &Options,
        timeout: Option<Duration>,
        reader: &mut OptionReader<'_>,
    ) -> Option<Self> {
        let mut is_fine = true;
        let empty = |pattern: &Option<String>| pattern.as_ref().is_some_and(String::is_empty);
        for (name, is_empty) in [
            ("value_split", options.value_split.is_empty()),
            ("field_split_pattern", empty(&options.field_split_pattern)),
            ("value_split_pattern", empty(&options.value_split_pattern)),
        ] {
            if is_empty {
                reader.error(name, "must be a non-empty string");
                is_fine = false;
            }
        }
        let sources = Sources::new(options);
        for (name, pattern) in [sources.field_split_option(), sources.value_split_option()] {
            if let (true, Err(error)) = (is_fine, Regex::new(pattern)) {
                reader.error(name, error.to_string());
                is_fine = false;
            }
        }
        if !is_fine {
            return None;
        }
        let compile = |pattern: &str| Regex::builder(pattern).timeout(timeout).build();
        let compiled: Result<_, Error> =
            compile(&sources.pair()).and_then(|pair| Ok((pair, compile(&sources.separator)?)));
        match compiled {
            Ok((pair, separator)) => Some(Pairing { pair, separator, scanner: sources.scanner() }),
            Err(error) => {
                reader.error(sources.field_split_option().0, error.to_string());
                None
            }
        }
    }

    /// Whether anything in a text can stand between a key and a value.
    ///
    /// # Errors
    /// When the search was given up.
    pub fn has_separator(&self, text: &str) -> Result<bool, SearchError> {
        match &self.scanner {
            Some(scanner) => Ok(scanner.has_separator(text)),
            None => self.separator.try_is_match(text),
        }
    }

    /// The search for the pairs of a text.
    pub fn search<'p, 't>(&'p self, text: &'t str) -> Search<'p, 't> {
        Search { pairing: self, text, at: 0, closings: Closings::default(), locations: None }
    }
}

/// A search for pairs, one after the other.
pub(super) struct Search<'p, 't> {
    pairing: &'p Pairing,
    text: &'t str,
    at: usize,
    closings: Closings,
    /// Room for the groups, once the expression was needed.
    locations: Option<Locations>,
}

impl<'t> Search<'_, 't> {
    /// Whether the expression was needed, which may take its time.
    pub fn takes_long(&self) -> bool {
        self.locations.is_some()
    }

    /// The next key and value; the value is empty where there is none.
    ///
    /// # Errors
    /// When the search was given up, or when a match has no key, which a pattern with groups of its own can bring
    /// about.
    pub fn next_pair(&mut self) -> Result<Option<(&'t str, &'t str)>, super::Failure> {
        let text = self.text;
        let part = |(start, end): (usize, usize)| text.get(start..end).unwrap_or_default();
        if let Some(scanner) = &self.pairing.scanner {
            match scanner.find(text, self.at, &mut self.closings) {
                Found::Pair { key, value, end } => {
                    self.at = end;
                    return Ok(Some((part(key), part(value))));
                }
                Found::Nothing => return Ok(None),
                Found::Unsure(from) => self.at = from,
            }
        }
        let regex = &self.pairing.pair;
        let locations = self.locations.get_or_insert_with(|| regex.locations());
        if self.at > text.len() || !regex.try_locate(text, self.at, locations)? {
            return Ok(None);
        }
        // A key takes a character at least, so that no match is empty.
        self.at = locations.get(0).map_or(text.len() + 1, |(_, end)| end.max(self.at + 1));
        let key = locations.get(1).ok_or(super::Failure::NoKey)?;
        let value = (2..regex.captures_len()).find_map(|group| locations.get(group));
        Ok(Some((part(key), value.map_or("", part))))
    }
}

/// The parts of the expressions, as text.
struct Sources<'o> {
    options: &'o Options,
    field_split: String,
    value_split: String,
    /// `value_split`, with the spaces around it if they do not count.
    separator: String,
}

impl<'o> Sources<'o> {
    fn new(options: &'o Options) -> Self {
        let pattern_or_class =
            |pattern: &Option<String>, class: &str| pattern.clone().unwrap_or_else(|| format!("[{class}]"));
        let field_split = pattern_or_class(&options.field_split_pattern, &options.field_split);
        let value_split = pattern_or_class(&options.value_split_pattern, &options.value_split);
        let separator = match options.whitespace {
            Whitespace::Lenient => format!("(?-mix: *)(?-mix:{value_split})(?-mix: *)"),
            Whitespace::Strict => value_split.clone(),
        };
        Sources { options, field_split, value_split, separator }
    }

    /// The option that says what ends pairs, and its expression.
    fn field_split_option(&self) -> (&'static str, &str) {
        let name =
            if self.options.field_split_pattern.is_some() { "field_split_pattern" } else { "field_split" };
        (name, &self.field_split)
    }

    /// The option that says what splits keys and values, and its expression.
    fn value_split_option(&self) -> (&'static str, &str) {
        let name =
            if self.options.value_split_pattern.is_some() { "value_split_pattern" } else { "value_split" };
        (name, &self.value_split)
    }

    fn has_patterns(&self) -> bool {
        self.options.field_split_pattern.is_some() || self.options.value_split_pattern.is_some()
    }

    fn key(&self) -> String {
        if self.has_patterns() {
            return until(&format!("(?-mix:{})|(?-mix:{})", self.separator, self.field_split));
        }
        until_class(&format!("{}{}", self.options.value_split, self.options.field_split))
    }

    fn value(&self) -> String {
        let mut values = vec![quoted("\"", "\""), quoted("'", "'")];
        if self.options.include_brackets {
            values.extend([quoted("\\(", "\\)"), quoted("\\[", "\\]"), quoted("<", ">")]);
        }
        values.push(match self.options.field_split_pattern {
            Some(_) => until(&format!("(?-mix:{})", self.field_split)),
            None => until_class(&self.options.field_split),
        });
        values.iter().map(|value| format!("(?-mix:{value})")).collect::<Vec<_>>().join("|")
    }

    fn pair(&self) -> String {
        format!(
            "(?-mix:{})(?-mix:{})(?-mix:{})?(?-mix:(?-mix:{})|(?-mix:$))",
            self.key(),
            self.separator,
            self.value(),
            self.field_split
        )
    }

    fn scanner(&self) -> Option<Scanner> {
        if self.has_patterns() {
            return None;
        }
        let bytes = |class: &str| Set::parse(class)?.bytes();
        // Together they stand in one bracket expression, in which a hyphen between them would be a range.
        Set::parse(&format!("{}{}", self.options.value_split, self.options.field_split))?;
        Scanner::new(
            &bytes(&self.options.value_split)?,
            &bytes(&self.options.field_split)?,
            self.options.whitespace == Whitespace::Lenient,
            self.options.include_brackets,
        )
    }
}

/// One group that takes everything up to a pattern. A character behind a backslash stands for itself.
fn until(pattern: &str) -> String {
    format!(r"((?:(?!{pattern})(?:\\.|.))+)")
}

/// One group that takes everything up to one of some characters. A character behind a backslash stands for itself.
fn until_class(class: &str) -> String {
    format!(r"((?:\\.|[^{class}])+)")
}

fn quoted(open: &str, close: &str) -> String {
    format!("(?-mix:{open})(?-mix:{})?(?-mix:{close})", until_class(close))
}

#[cfg(test)]
impl Pairing {
    /// The same without the scanner, to compare the two.
    pub fn without_scanner(self) -> Self {
        Pairing { scanner: None, ..self }
    }

    /// Whether there is a scanner for the options at all.
    pub fn has_scanner(&self) -> bool {
        self.scanner.is_some()
    }
}
