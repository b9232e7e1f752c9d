//! Characters as options name them: the inside of a bracket expression, mostly just a few letters.

use std::borrow::Cow;

use crate::regex::{Error, Regex, SearchError};

/// The characters of a bracket expression without ranges, sets or classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set {
    ascii: [bool; 128],
    others: Vec<char>,
}

impl Set {
    /// The characters that `[class]` matches; `None` where it takes a regular expression to tell.
    pub fn parse(class: &str) -> Option<Self> {
        let hyphens = class.matches('-').count();
        let hyphen_is_plain =
            hyphens == 0 || (hyphens == 1 && (class.starts_with('-') || class.ends_with('-')));
        if class.starts_with('^') || class.contains("&&") || !hyphen_is_plain {
            return None;
        }
        let mut set = Set { ascii: [false; 128], others: Vec::new() };
        let mut characters = class.chars();
        while let Some(character) = characters.next() {
            match character {
                '[' | ']' => return None,
                '\\' => set.add(match characters.next()? {
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    'f' => '\x0C',
                    'v' => '\x0B',
                    'a' => '\x07',
                    'e' => '\x1B',
                    other if other.is_ascii_punctuation() || other == ' ' => other,
                    _ => return None,
                }),
                other => set.add(other),
            }
        }
        (!class.is_empty()).then_some(set)
    }

    fn add(&mut self, character: char) {
        match self.ascii.get_mut(character as usize) {
            Some(slot) => *slot = true,
            None => self.others.push(character),
        }
    }

    pub fn contains(&self, character: char) -> bool {
        match self.ascii.get(character as usize) {
            Some(&known) => known,
            None => self.others.contains(&character),
        }
    }

    /// The set as a table of bytes; `None` when it holds anything but ASCII.
    pub fn bytes(&self) -> Option<[bool; 256]> {
        let mut table = [false; 256];
        for (slot, known) in table.iter_mut().zip(self.ascii) {
            *slot = known;
        }
        self.others.is_empty().then_some(table)
    }
}

/// Characters to take away, from both ends of a text (and of each of its lines) or wherever they stand.
#[derive(Debug)]
pub(super) struct Characters {
    set: Option<Set>,
    /// The expression that Logstash builds, for what the set alone cannot tell.
    regex: Regex,
    ends_only: bool,
}

impl Characters {
    /// # Errors
    /// When the class is no inside of a bracket expression.
    pub fn at_ends(class: &str) -> Result<Self, Error> {
        let regex = Regex::new(&format!("^[{class}]+|[{class}]+$"))?;
        Ok(Characters { set: Set::parse(class), regex, ends_only: true })
    }

    /// # Errors
    /// When the class is no inside of a bracket expression.
    pub fn anywhere(class: &str) -> Result<Self, Error> {
        let regex = Regex::new(&format!("[{class}]"))?;
        Ok(Characters { set: Set::parse(class), regex, ends_only: false })
    }

    /// The text without the characters.
    ///
    /// # Errors
    /// When the search was given up.
    pub fn strip<'t>(&self, text: Cow<'t, str>) -> Result<Cow<'t, str>, SearchError> {
        match (&self.set, self.ends_only) {
            (Some(set), true) if !text.contains('\n') => Ok(match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(|c| set.contains(c))),
                Cow::Owned(text) => Cow::Owned(text.trim_matches(|c| set.contains(c)).to_owned()),
            }),
            (Some(set), false) => Ok(match text.contains(|c| set.contains(c)) {
                true => text.chars().filter(|c| !set.contains(*c)).collect::<String>().into(),
                false => text,
            }),
            _ => self.remove_matches(text),
        }
    }

    fn remove_matches<'t>(&self, text: Cow<'t, str>) -> Result<Cow<'t, str>, SearchError> {
        let (mut kept, mut from) = (String::new(), 0);
        while let Some(found) = self.regex.try_find_at(&text, from)? {
            kept.push_str(text.get(from..found.start()).unwrap_or_default());
            // The expression matches one character at least.
            from = found.end().max(from + 1);
        }
        if from == 0 {
            return Ok(text);
        }
        kept.push_str(text.get(from..).unwrap_or_default());
        Ok(kept.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_classes_are_sets() {
        for class in ["<>,", "\\t \\r\\n", "\\|", "\\[\\]", "\\-", "-", " :=", "é한", "=&", "-a", "a-", "a^"]
        {
            let set = Set::parse(class).unwrap();
            let regex = Regex::new(&format!("[{class}]")).unwrap();
            for character in "<>, \t\r\n|[]-:=é한ax\\^&".chars() {
                let expected = regex.is_match(&character.to_string());
                assert_eq!(set.contains(character), expected, "{class} {character}");
            }
        }
        for class in ["", "a-c", "^a", "\\d", "[:alpha:]", "a&&b", "\\x41", "a\\", "^"] {
            assert_eq!(Set::parse(class), None, "{class}");
        }
    }

    #[test]
    fn ends_of_lines_are_ends() {
        let trim = Characters::at_ends("-").unwrap();
        let strip = |text| trim.strip(Cow::Borrowed(text)).unwrap();
        assert_eq!(strip("--a-b--"), "a-b");
        assert_eq!(strip("-a-\n-b-"), "a\nb");
        assert_eq!(strip("---"), "");
        let ranges = Characters::at_ends("a-c").unwrap();
        assert_eq!(ranges.strip(Cow::Borrowed("abcxaxcb")).unwrap(), "xax");
        let inside = Characters::anywhere("0-9").unwrap();
        assert_eq!(inside.strip(Cow::Borrowed("1a2b3")).unwrap(), "ab");
    }
}
