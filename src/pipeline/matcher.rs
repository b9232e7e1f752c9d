//! `Matcher`: the regular expression of a condition, or a comparison that comes to the same.
//!
//! Most of those expressions hold nothing but text: `/timeout/`, `/^date=/`, `/^(WARN|ERROR)$/`.

use memchr::memchr;
use memchr::memmem::Finder;

use crate::regex::Regex;

/// A regular expression that is only asked whether it matches.
#[derive(Debug)]
pub struct Matcher {
    regex: Regex,
    plain: Option<Plain>,
}

/// What an expression comes to that holds nothing but text.
#[derive(Debug)]
enum Plain {
    Contains(Finder<'static>),
    /// The text begins with one of these, in a text of one line.
    Begins(Vec<String>),
    /// The text ends with one of these, in a text of one line.
    Ends(Vec<String>),
    /// The text is one of these, in a text of one line.
    Equals(Vec<String>),
}

impl Matcher {
    pub fn new(regex: Regex) -> Self {
        let plain = Plain::read(regex.as_str());
        Matcher { regex, plain }
    }

    pub fn is_match(&self, text: &str) -> bool {
        let one_line = || memchr(b'\n', text.as_bytes()).is_none();
        match &self.plain {
            Some(Plain::Contains(finder)) => finder.find(text.as_bytes()).is_some(),
            // `^` and `$` stand at the ends of lines.
            Some(Plain::Begins(texts)) if one_line() => texts.iter().any(|part| text.starts_with(part)),
            Some(Plain::Ends(texts)) if one_line() => texts.iter().any(|part| text.ends_with(part)),
            Some(Plain::Equals(texts)) if one_line() => texts.iter().any(|whole| text == whole),
            _ => self.regex.is_match(text),
        }
    }
}

impl Plain {
    /// Alternatives tried one after the other, at most.
    const MOST_TEXTS: usize = 8;

    /// Reads an expression of text, perhaps anchored, perhaps with alternatives in a single group.
    fn read(pattern: &str) -> Option<Self> {
        let (begins, rest) = match pattern.strip_prefix('^').or_else(|| pattern.strip_prefix(r"\A")) {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        // A backslash before the last character is not for literal() to see: `\$` is no anchor.
        let escaped = rest.strip_suffix('$').is_some_and(|rest| rest.ends_with('\\'));
        let (ends, body) =
            match rest.strip_suffix('$').filter(|_| !escaped).or_else(|| rest.strip_suffix(r"\z")) {
                Some(body) => (true, body),
                None => (false, rest),
            };
        let group = body.strip_prefix("(?:").or_else(|| body.strip_prefix('('));
        let texts: Vec<String> = match group.and_then(|group| group.strip_suffix(')')) {
            Some(inside) => inside.split('|').map(literal).collect::<Option<_>>()?,
            None => vec![literal(body)?],
        };
        if texts.len() > Self::MOST_TEXTS {
            return None;
        }
        match (begins, ends, texts.as_slice()) {
            (true, true, _) => Some(Plain::Equals(texts)),
            (true, false, _) => Some(Plain::Begins(texts)),
            (false, true, _) => Some(Plain::Ends(texts)),
            (false, false, [text]) => Some(Plain::Contains(Finder::new(text).into_owned())),
            (false, false, _) => None,
        }
    }
}

/// The text that a piece of an expression matches and no other; `None` where it is more than text.
fn literal(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            // Letters behind a backslash mean something, and so do digits.
            '\\' => characters.next().filter(char::is_ascii_punctuation)?,
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' => return None,
            character if character.is_control() => return None,
            character => character,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 20] = [
        "", "a", "WARN", "ERROR", "WARNING", "aWARN", "x\nWARN", "WARN\n", "WARN\nx", "a.b", "axb", "a/b",
        "date=1", "\ndate=1", "a|b", "$", "a$", "(a)", "é", "aé\n",
    ];

    #[test]
    fn comparisons_match_what_the_expression_matches() {
        for pattern in [
            "WARN",
            "^WARN",
            "WARN$",
            "^WARN$",
            r"\AWARN",
            r"WARN\z",
            r"\AWARN\z",
            "^(WARN|ERROR)$",
            "^(?:WARN|ERROR)",
            "(WARN|a)$",
            r"a\.b",
            r"^a\/b",
            "^date=",
            "^",
            "$",
            "^$",
            "",
            r"\$",
            r"a\$",
            r"^\$$",
            "é",
            "a|b",
            "(a|b)",
            "^(a|)$",
            r"\(a\)",
            r"^\(a\)$",
            "^(a)$",
        ] {
            let regex = Regex::new(pattern).unwrap();
            let matcher = Matcher::new(Regex::new(pattern).unwrap());
            for text in TEXTS {
                assert_eq!(matcher.is_match(text), regex.is_match(text), "{pattern:?} on {text:?}");
            }
        }
    }

    #[test]
    fn only_text_is_taken_for_text() {
        for pattern in [
            "a.b", "a*", r"\d", r"^a\Z", "(a)(b)", "(a(b))", "[ab]", "a{2}", r"\1", "(?i:a)", "(?=a)",
            r"a\\$|b",
        ] {
            assert!(Plain::read(pattern).is_none(), "{pattern}");
        }
    }
}
