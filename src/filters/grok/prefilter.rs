//! Tells which of many patterns can match a text, by the texts that they require.
//!
//! Lists of dozens of patterns are tried one after the other, and most of them fail. Each of them would look for its
//! required text; here all are looked for at once.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// From this many required texts on one search for all is quicker than a search for each.
const LEAST_TEXTS: usize = 4;

/// The required texts of a list of patterns.
#[derive(Debug)]
pub(super) struct Prefilter {
    texts: AhoCorasick,
    /// By text: the patterns that require it.
    patterns: Vec<Vec<usize>>,
    /// The patterns that require none.
    always: Possible,
}

/// A set of patterns, by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Possible(Vec<bool>);

impl Possible {
    pub fn contains(&self, pattern: usize) -> bool {
        self.0.get(pattern).copied().unwrap_or(true)
    }

    fn insert(&mut self, pattern: usize) {
        if let Some(slot) = self.0.get_mut(pattern) {
            *slot = true;
        }
    }
}

impl Prefilter {
    /// For patterns that require these texts; `None` where it would save nothing.
    pub fn new<'t>(required: impl Iterator<Item = Option<&'t [u8]>>) -> Option<Self> {
        let mut by_text: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        let mut always = Possible::default();
        for (number, text) in required.enumerate() {
            always.0.push(text.is_none());
            if let Some(text) = text {
                by_text.entry(text).or_default().push(number);
            }
        }
        if by_text.len() < LEAST_TEXTS {
            return None;
        }
        let texts = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(by_text.keys()).ok()?;
        Some(Prefilter { texts, patterns: by_text.into_values().collect(), always })
    }

    /// Leaves in `possible` the patterns whose required text is in `text`, and those that require none.
    pub fn look(&self, text: &str, possible: &mut Possible) {
        possible.0.clone_from(&self.always.0);
        for found in self.texts.find_overlapping_iter(text) {
            let patterns = self.patterns.get(found.pattern().as_usize());
            patterns.into_iter().flatten().for_each(|pattern| possible.insert(*pattern));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_possible_where_their_text_is() {
        let required = [Some("abc"), None, Some("bc"), Some("zz"), Some("bc"), Some("cab")];
        let prefilter =
            Prefilter::new(required.iter().map(|text| text.map(str::as_bytes))).expect("four texts");
        let mut possible = Possible::default();
        for (text, expected) in [("xabcabx", "012.45"), ("-bc", ".12.4."), ("zz", ".1.3.."), ("", ".1....")] {
            prefilter.look(text, &mut possible);
            let shown: String = (0..required.len())
                .map(
                    |pattern| if possible.contains(pattern) { char::from(b'0' + pattern as u8) } else { '.' },
                )
                .collect();
            assert_eq!(shown, expected, "{text}");
        }
    }

    #[test]
    fn few_texts_need_no_prefilter() {
        assert!(Prefilter::new([Some(&b"ab"[..]), Some(b"cd"), Some(b"ef"), None].into_iter()).is_none());
    }
}
