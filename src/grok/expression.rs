//! A compiled grok expression.
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::coercion::Coercion;
use super::dictionary::Dictionary;
use super::expand::{self, Trouble};
use crate::language::nearest;
use crate::regex::{Locations, Regex, SearchError};

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    source: String,
    regex: Regex,
    captures: Vec<Capture>,
}

/// A group of an expression whose text becomes a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The field as it is written, `[a][b]` or `name`.
    pub field: String,
    pub coercion: Coercion,
    group: usize,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    place: Option<Range<usize>>,
    help: Option<String>,
}

impl Error {
    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The bytes of the expression that are wrong, or where the mistake was seen (an empty range); `None` when it
    /// concerns the expression as a whole.
    pub fn place(&self) -> Option<Range<usize>> {
        self.place.clone()
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl Expression {
    /// Compiles an expression. With `named_captures_only`, `%{WORD}` without a field captures nothing.
    ///
    /// # Errors
    /// When it names a pattern that is not defined, or is no valid regular expression.
    pub fn compile(
        source: &str,
        dictionary: &Dictionary,
        named_captures_only: bool,
    ) -> Result<Expression, Error> {
        let expanded = expand::expand(source, dictionary, named_captures_only)
            .map_err(|(place, trouble)| explain(trouble, place, source, dictionary))?;
        // ruby-grok compiles with Regexp::MULTILINE: a dot matches newlines.
        let regex = Regex::builder(&expanded.regex).multiline(true).build().map_err(|error| {
            let place = error.offset().map(|offset| expanded.origin(offset));
            let behind = place.clone().filter(|place| !place.is_empty());
            let help = behind.and_then(|place| source.get(place)).map(|reference| {
                format!("the mistake is in what {reference} stands for: /{}/", shortened(&expanded.regex))
            });
            Error { message: error.message().to_owned(), place, help }
        })?;
        let captures = captures(&regex);
        Ok(Expression { source: source.to_owned(), regex, captures })
    }

    /// The expression as it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The regular expression it stands for.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// What a match yields, in the order in which Logstash sets the fields: grouped by name, in the order in which
    /// the names first appear.
    pub fn captures(&self) -> &[Capture] {
        &self.captures
    }

    /// Searches `text` and leaves the groups in `locations`, for [`Capture::text`].
    ///
    /// # Errors
    /// When the search was given up.
    pub fn matches(
        &self,
        text: &str,
        timeout: Option<Duration>,
        locations: &mut Locations,
    ) -> Result<bool, SearchError> {
        self.regex.try_locate_within(text, 0, locations, timeout)
    }
}

impl Capture {
    /// The text that a match has found for it; `None` when the group took no part.
    pub fn text<'t>(&self, text: &'t str, locations: &Locations) -> Option<&'t str> {
        let (start, end) = locations.get(self.group)?;
        text.get(start..end)
    }
}

/// The groups in the order of their names, as ruby-grok's `compile_captures_func` goes through them.
///
/// A group is called `PATTERN:field:type`, or `field` when it was written `(?<field>..)`. Of several groups of one
/// name only the first is coerced.
fn captures(regex: &Regex) -> Vec<Capture> {
    let mut captures = Vec::new();
    for (name, groups) in regex.names() {
        let mut parts = name.trim_end_matches(':').split(':');
        let pattern = parts.next().unwrap_or_default();
        let field = parts.next().unwrap_or(pattern);
        let coercion = parts.next().map_or(Coercion::Text, Coercion::named);
        for (index, group) in groups.iter().enumerate() {
            let coercion = if index == 0 { coercion } else { Coercion::Text };
            captures.push(Capture { field: field.to_owned(), coercion, group: *group });
        }
    }
    captures
}

fn explain(trouble: Trouble, place: Range<usize>, source: &str, dictionary: &Dictionary) -> Error {
    let reference = source.get(place.clone()).unwrap_or_default();
    let (message, help) = match trouble {
        Trouble::Unknown(name) => {
            let within = !reference.starts_with(&format!("%{{{name}"));
            let message = match within {
                true => format!("pattern %{{{name}}}, to which {reference} refers, is not defined"),
                false => format!("pattern {reference} is not defined"),
            };
            (message, Some(suggestion(&name, dictionary)))
        }
        Trouble::Recursive(name) => {
            (format!("pattern %{{{name}}} refers to itself, so {reference} has no end"), None)
        }
        Trouble::TooLarge => (format!("{reference} stands for an expression that is too large"), None),
    };
    Error { message, place: Some(place), help }
}

fn suggestion(name: &str, dictionary: &Dictionary) -> String {
    let names: Vec<&str> = dictionary.names().collect();
    let upper = name.to_ascii_uppercase();
    // HOST, which Logstash once had, is HOSTNAME today.
    let longer = names.iter().copied().filter(|known| known.starts_with(&upper) && upper.len() > 2);
    let near = longer.min_by_key(|known| (known.len(), *known)).or_else(|| {
        let longest = name.len() + name.len() / 2 + 2;
        let lowered: Vec<String> =
            names.iter().filter(|known| known.len() <= longest).map(|known| known.to_lowercase()).collect();
        let lowered: Vec<&str> = lowered.iter().map(String::as_str).collect();
        let near = nearest(name, &lowered)?;
        names.iter().copied().find(|known| known.eq_ignore_ascii_case(near))
    });
    match near {
        Some(near) => format!("did you mean %{{{near}}}?"),
        None => "define it in pattern_definitions, or in a file below patterns_dir".to_owned(),
    }
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
