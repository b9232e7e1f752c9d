//! Ruby's `String#split` with a regular expression.
use super::Regex;

impl Regex {
    /// Splits `text` as Ruby's `text.split(pattern)` does: an empty match splits between characters, the groups of
    /// a separator become parts of their own, and empty parts at the end are left out (`rb_str_split_m`).
    pub fn split<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut parts: Vec<&str> = Vec::new();
        let part = |start: usize, end: usize| text.get(start..end).unwrap_or_default();
        // Where the current part began, where to search on, and whether an empty match stands at its beginning.
        let (mut begin, mut from, mut empty_seen) = (0, 0, false);
        while let Ok(Some(captures)) = self.try_captures_at(text, from) {
            let (start, end) = (captures.whole().start(), captures.whole().end());
            if start == from && start == end {
                if !empty_seen {
                    let Some(next) = part(from, text.len()).chars().next() else { break };
                    from += next.len_utf8();
                    empty_seen = true;
                    continue;
                }
                parts.push(part(begin, from));
                begin = from;
            } else {
                parts.push(part(begin, start));
                (begin, from) = (end, end);
            }
            empty_seen = false;
            parts.extend((1..captures.len()).filter_map(|group| Some(captures.get(group)?.as_str())));
        }
        parts.push(part(begin, text.len()));
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        parts
    }
}
