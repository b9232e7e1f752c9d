//! Ruby's `gsub`: replacement texts with `\1`, `\k<name>`, `\0` and the like.
use super::error::SearchError;
use super::search::next_start;
use super::{Locations, Regex};

/// A replacement whose reference cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// `\k<name>` names no group of the expression.
    #[error("undefined group name reference: {0}")]
    UndefinedGroup(String),
    /// `\k<` is never closed.
    #[error("invalid group name reference format")]
    UnclosedGroup,
    /// The search was given up.
    #[error(transparent)]
    Search(#[from] SearchError),
}

impl Regex {
    /// Replaces every match in `text` as Ruby's `gsub(pattern, replacement)` does; `None` when nothing matched.
    ///
    /// In `replacement`, `\1`..`\9` stand for groups (for nothing when the pattern has named ones), `\k<name>` for a
    /// named group, `\0` and `\&` for the match, `` \` `` and `\'` for the text before and behind it, `\+` for the
    /// last group that took part, `\\` for a backslash; any other backslash stays (JRuby's `RubyRegexp.regsub`).
    ///
    /// # Errors
    /// When the replacement refers to a name that is no group, or when a search was given up.
    pub fn replace_all(&self, text: &str, replacement: &str) -> Result<Option<String>, ReplaceError> {
        if !replacement.contains('\\') {
            return Ok(self.replace_all_literally(text, replacement)?);
        }
        let mut locations = self.locations();
        if !self.try_locate(text, 0, &mut locations)? {
            return Ok(None);
        }
        let mut replaced = String::with_capacity(text.len() + replacement.len());
        let mut copied = 0;
        loop {
            let (start, end) = locations.get(0).unwrap_or((text.len(), text.len()));
            replaced.push_str(text.get(copied..start).unwrap_or_default());
            self.expand(text, replacement, &locations, &mut replaced)?;
            copied = end.max(copied);
            let Some(next) = next_start(text, start, end) else { break };
            if !self.try_locate(text, next, &mut locations)? {
                break;
            }
        }
        replaced.push_str(text.get(copied..).unwrap_or_default());
        Ok(Some(replaced))
    }

    /// Replaces every match by a text without references, for which the groups need not be known.
    fn replace_all_literally(&self, text: &str, replacement: &str) -> Result<Option<String>, SearchError> {
        let Some(mut found) = self.try_find_at(text, 0)? else { return Ok(None) };
        let mut replaced = String::with_capacity(text.len() + replacement.len());
        let mut copied = 0;
        loop {
            replaced.push_str(text.get(copied..found.start()).unwrap_or_default());
            replaced.push_str(replacement);
            copied = found.end().max(copied);
            let Some(next) = next_start(text, found.start(), found.end()) else { break };
            let Some(another) = self.try_find_at(text, next)? else { break };
            found = another;
        }
        replaced.push_str(text.get(copied..).unwrap_or_default());
        Ok(Some(replaced))
    }

    /// Appends `replacement` with its references resolved against one match.
    fn expand(
        &self,
        text: &str,
        replacement: &str,
        locations: &Locations,
        out: &mut String,
    ) -> Result<(), ReplaceError> {
        let group = |group: usize| {
            let (start, end) = locations.get(group).unwrap_or((0, 0));
            text.get(start..end).unwrap_or_default()
        };
        let (start, end) = locations.get(0).unwrap_or((0, 0));
        let mut rest = replacement;
        while let Some(at) = rest.find('\\') {
            let (before, from_backslash) = rest.split_at(at);
            out.push_str(before);
            let mut behind = from_backslash.chars();
            behind.next();
            let Some(letter) = behind.next() else {
                rest = from_backslash;
                break;
            };
            rest = behind.as_str();
            match letter {
                '0' | '&' => out.push_str(group(0)),
                '1'..='9' if !self.names.is_empty() => {}
                '1'..='9' => out.push_str(group(letter.to_digit(10).unwrap_or(0) as usize)),
                '`' => out.push_str(text.get(..start).unwrap_or_default()),
                '\'' => out.push_str(text.get(end..).unwrap_or_default()),
                '+' => {
                    let last = (1..self.groups).rev().find(|number| locations.get(*number).is_some());
                    out.push_str(last.map_or("", group));
                }
                '\\' => out.push('\\'),
                'k' if rest.starts_with('<') => {
                    let close = rest.find('>').ok_or(ReplaceError::UnclosedGroup)?;
                    let name = rest.get(1..close).unwrap_or_default();
                    rest = rest.get(close + 1..).unwrap_or_default();
                    let groups = self.groups_of(name);
                    if groups.is_empty() {
                        return Err(ReplaceError::UndefinedGroup(name.to_owned()));
                    }
                    let taking_part = groups.iter().rev().find(|number| locations.get(**number).is_some());
                    out.push_str(taking_part.map_or("", |number| group(*number)));
                }
                other => {
                    out.push('\\');
                    out.push(other);
                }
            }
        }
        out.push_str(rest);
        Ok(())
    }
}
