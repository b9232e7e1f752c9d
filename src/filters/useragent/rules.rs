//! Lists of patterns of which the first match counts: hundreds of them, so that those which cannot match are skipped
//! without being compiled.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use crate::regex::{Captures, Error, Regex};

/// How long one search may take. Hardly any pattern can take long at all.
const TIME_LIMIT: Duration = Duration::from_secs(1);
/// The length of the beginnings by which literals are found.
const KEY: usize = 3;

/// Patterns in order, each with what to do on a match.
#[derive(Debug)]
pub struct Rules<T> {
    patterns: Vec<Pattern<T>>,
    /// The literals that begin with three bytes, and the positions of the patterns that need one.
    needed: HashMap<[u8; KEY], Vec<(String, usize)>>,
    /// The positions of the patterns that need none.
    always: Vec<usize>,
}

#[derive(Debug)]
struct Pattern<T> {
    regex: String,
    ignore_case: bool,
    /// Nothing when it turned out to be too large.
    compiled: OnceLock<Option<Regex>>,
    then: T,
}

impl<T> Rules<T> {
    /// Takes pattern, whether it ignores case, and what to do on a match.
    pub fn new(patterns: impl Iterator<Item = (String, bool, T)>) -> Result<Self, Error> {
        let mut rules = Rules { patterns: Vec::new(), needed: HashMap::new(), always: Vec::new() };
        for (position, (regex, ignore_case, then)) in patterns.enumerate() {
            let literals = Regex::builder(&regex).ignore_case(ignore_case).required_literals()?;
            rules.patterns.push(Pattern { regex, ignore_case, compiled: OnceLock::new(), then });
            let Some(literals) = literals else {
                rules.always.push(position);
                continue;
            };
            for literal in literals {
                match literal.as_bytes().first_chunk() {
                    Some(key) => rules.needed.entry(*key).or_default().push((literal, position)),
                    None => rules.always.push(position),
                }
            }
        }
        Ok(rules)
    }

    /// The first pattern that matches and makes something of it. `lowered` is the text with its ASCII letters in
    /// lower case.
    pub fn find<R>(
        &self,
        text: &str,
        lowered: &str,
        make: impl Fn(&T, &Captures<'_, '_>) -> Option<R>,
    ) -> Option<R> {
        self.candidates(lowered).into_iter().find_map(|position| {
            let pattern = self.patterns.get(position)?;
            let captures = pattern.regex()?.captures(text)?;
            make(&pattern.then, &captures)
        })
    }

    /// The positions of the patterns that may match, in order.
    fn candidates(&self, lowered: &str) -> Vec<usize> {
        let mut positions = self.always.clone();
        for (at, window) in lowered.as_bytes().windows(KEY).enumerate() {
            let Some(literals) = window.first_chunk().and_then(|key: &[u8; KEY]| self.needed.get(key)) else {
                continue;
            };
            let rest = lowered.as_bytes().get(at..).unwrap_or_default();
            let present = literals.iter().filter(|(literal, _)| rest.starts_with(literal.as_bytes()));
            positions.extend(present.map(|(_, position)| position));
        }
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

impl<T> Pattern<T> {
    fn regex(&self) -> Option<&Regex> {
        let compile = || {
            let builder = Regex::builder(&self.regex).ignore_case(self.ignore_case).timeout(Some(TIME_LIMIT));
            builder
                .build()
                .inspect_err(|error| tracing::warn!(%error, "a user agent pattern is left out"))
                .ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_that_makes_something_counts() {
        let patterns = [
            (r"Chrome/(\d+)?", false, "chrome"),
            (r"(?:opera|vivaldi)/\d", true, "opera"),
            (r"[CV]\w+/", false, "any"),
        ];
        let rules =
            Rules::new(patterns.map(|(regex, fold, then)| (regex.to_owned(), fold, then)).into_iter())
                .unwrap();
        let find = |text: &str| {
            rules.find(text, &text.to_ascii_lowercase(), |then, captures| {
                (*then != "chrome" || captures.get(1).is_some()).then_some(*then)
            })
        };
        assert_eq!(find("Chrome/1 Vivaldi/2"), Some("chrome"));
        assert_eq!(find("Chrome/x VIVALDI/2"), Some("opera"));
        assert_eq!(find("Chrome/x"), Some("any"));
        assert_eq!(find("Vx"), None);
        // Of what cannot match nothing was compiled.
        assert!(find("Vy/").is_some());
        let fresh =
            Rules::new(patterns.map(|(regex, fold, then)| (regex.to_owned(), fold, then)).into_iter())
                .unwrap();
        assert_eq!(fresh.find("Vy/", "vy/", |then, _| Some(*then)), Some("any"));
        let compiled: Vec<_> =
            fresh.patterns.iter().map(|pattern| pattern.compiled.get().is_some()).collect();
        assert_eq!(compiled, [false, false, true]);
    }

    #[test]
    fn a_broken_pattern_is_an_error_at_load() {
        assert!(Rules::new([("(".to_owned(), false, ())].into_iter()).is_err());
    }
}
