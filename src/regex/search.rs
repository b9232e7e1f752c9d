//! Searching: single matches, groups, and all matches of a text as Ruby's `scan` and `gsub` step through them.
use std::time::Duration;

use super::error::SearchError;
use super::native::Elsewhere;
use super::{Engine, Regex};

/// One match: its text and byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

impl<'t> Match<'t> {
    /// Byte offset of the first character.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Byte offset behind the last character.
    pub fn end(&self) -> usize {
        self.end
    }

    /// The matched text.
    pub fn as_str(&self) -> &'t str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }
}

/// The groups of the last match, in a form that can be used again for the next search without allocating.
///
/// [`Regex::locations`] makes the best one for an expression; `Locations::default()` serves any expression.
#[derive(Debug, Clone, Default)]
pub struct Locations {
    spans: Vec<Option<(usize, usize)>>,
    linear: Option<regex::CaptureLocations>,
    /// The groups are in `linear`.
    in_linear: bool,
}

impl Locations {
    /// Byte offsets of a group; `None` when it took no part in the match.
    pub fn get(&self, group: usize) -> Option<(usize, usize)> {
        match &self.linear {
            Some(locations) if self.in_linear => locations.get(group),
            _ => self.spans.get(group).copied().flatten(),
        }
    }
}

/// The groups of one match.
#[derive(Debug, Clone)]
pub struct Captures<'r, 't> {
    regex: &'r Regex,
    text: &'t str,
    spans: Vec<Option<(usize, usize)>>,
}

impl<'t> Captures<'_, 't> {
    /// The match of a group by number; `None` when it took no part or does not exist.
    pub fn get(&self, group: usize) -> Option<Match<'t>> {
        let (start, end) = self.spans.get(group).copied().flatten()?;
        Some(Match { text: self.text, start, end })
    }

    /// The match of a group by name. Among several groups of that name it is the last one that took part, as in Ruby.
    pub fn name(&self, name: &str) -> Option<Match<'t>> {
        self.regex.groups_of(name).iter().rev().find_map(|group| self.get(*group))
    }

    /// Number of groups, counting group 0.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Never: there always is group 0.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The whole match.
    pub fn whole(&self) -> Match<'t> {
        self.get(0).unwrap_or(Match { text: self.text, start: 0, end: 0 })
    }
}

impl Regex {
    /// Whether the pattern matches anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.try_is_match(text).unwrap_or(false)
    }

    /// Like [`is_match`](Self::is_match).
    ///
    /// # Errors
    /// When the search was given up.
    pub fn try_is_match(&self, text: &str) -> Result<bool, SearchError> {
        match self.linear_for(text) {
            Some(regex) => Ok(regex.is_match(text)),
            None => self.backtrack(text, 0, self.timeout, &mut Vec::new()),
        }
    }

    /// The first match in `text`.
    pub fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.try_find_at(text, 0).unwrap_or(None)
    }

    /// The first match that begins at byte `start` or behind it; what stands before `start` still counts for
    /// look-behind and anchors.
    ///
    /// # Errors
    /// When the search was given up.
    pub fn try_find_at<'t>(&self, text: &'t str, start: usize) -> Result<Option<Match<'t>>, SearchError> {
        if start > text.len() {
            return Ok(None);
        }
        match self.linear_for(text) {
            Some(regex) => Ok(regex.find_at(text, start).map(|found| Match {
                text,
                start: found.start(),
                end: found.end(),
            })),
            None => {
                let mut spans = Vec::new();
                self.backtrack(text, start, self.timeout, &mut spans)?;
                Ok(spans.first().copied().flatten().map(|(start, end)| Match { text, start, end }))
            }
        }
    }

    /// The groups of the first match in `text`.
    pub fn captures<'r, 't>(&'r self, text: &'t str) -> Option<Captures<'r, 't>> {
        self.try_captures_at(text, 0).unwrap_or(None)
    }

    /// The groups of the first match that begins at byte `start` or behind it.
    ///
    /// # Errors
    /// When the search was given up.
    pub fn try_captures_at<'r, 't>(
        &'r self,
        text: &'t str,
        start: usize,
    ) -> Result<Option<Captures<'r, 't>>, SearchError> {
        if start > text.len() {
            return Ok(None);
        }
        let mut locations = self.locations();
        if !self.try_locate(text, start, &mut locations)? {
            return Ok(None);
        }
        let spans = (0..self.groups).map(|group| locations.get(group)).collect();
        Ok(Some(Captures { regex: self, text, spans }))
    }

    /// Room for the groups of this expression, for [`try_locate`](Self::try_locate).
    pub fn locations(&self) -> Locations {
        let linear = match self.engine.made.get() {
            Some(Some(Engine::Linear { regex, .. })) => Some(regex.capture_locations()),
            _ => None,
        };
        Locations { spans: Vec::new(), linear, in_linear: false }
    }

    /// Searches from byte `start` on and leaves the groups in `locations`, which must be made by
    /// [`locations`](Self::locations) of this expression, or be `Locations::default()`. The fastest form for many
    /// searches.
    ///
    /// # Errors
    /// When the search was given up.
    pub fn try_locate(
        &self,
        text: &str,
        start: usize,
        locations: &mut Locations,
    ) -> Result<bool, SearchError> {
        self.try_locate_within(text, start, locations, self.timeout)
    }

    /// [`try_locate`](Self::try_locate) with a time limit of its own.
    ///
    /// # Errors
    /// When the search was given up.
    pub fn try_locate_within(
        &self,
        text: &str,
        start: usize,
        locations: &mut Locations,
        timeout: Option<Duration>,
    ) -> Result<bool, SearchError> {
        locations.in_linear = false;
        if let Some(native) = self.native.as_deref().filter(|_| self.groups > 1)
            && let Ok(found) = native.search(text, start, &mut locations.spans)
        {
            return Ok(found);
        }
        let Some(regex) = self.linear_for(text) else {
            return match self.groups {
                1 => self.backtrack(text, start, timeout, &mut locations.spans),
                _ => self.oniguruma(text, start, timeout, &mut locations.spans),
            };
        };
        if let Some(linear) = &mut locations.linear {
            locations.in_linear = true;
            return Ok(regex.captures_read_at(linear, text, start).is_some());
        }
        let mut linear = regex.capture_locations();
        let found = regex.captures_read_at(&mut linear, text, start).is_some();
        locations.spans.clear();
        locations.spans.extend((0..linear.len()).map(|group| linear.get(group)));
        Ok(found)
    }

    /// Searches with the native matcher, and with Oniguruma where that does not know the pattern or the text.
    fn backtrack(
        &self,
        text: &str,
        start: usize,
        timeout: Option<Duration>,
        spans: &mut Vec<Option<(usize, usize)>>,
    ) -> Result<bool, SearchError> {
        let native = self.native.as_ref().ok_or(Elsewhere);
        match native.and_then(|native| native.search(text, start, spans)) {
            Ok(found) => Ok(found),
            Err(Elsewhere) => self.oniguruma(text, start, timeout, spans),
        }
    }

    fn oniguruma(
        &self,
        text: &str,
        start: usize,
        timeout: Option<Duration>,
        spans: &mut Vec<Option<(usize, usize)>>,
    ) -> Result<bool, SearchError> {
        match self.engine.get() {
            Some(Engine::Linear { fallback: Some(engine), .. } | Engine::Backtracking(engine)) => {
                engine.search(text, start, timeout, spans)
            }
            _ => Err(SearchError::TooComplex),
        }
    }

    /// For every text the groups that the native matcher finds, and those that Oniguruma finds; `None` where the former
    /// leaves pattern or text to the latter.
    #[cfg(test)]
    pub(crate) fn by_both_engines<'t>(
        &self,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Vec<(Option<Spans>, Spans)> {
        let oniguruma = super::backtracking::Backtracking::compile(&self.engine.pattern);
        let oniguruma = oniguruma.unwrap_or_else(|error| panic!("{}: {error}", self.pattern));
        let both = |text| {
            let (mut ours, mut theirs) = (Spans::new(), Spans::new());
            let native = self.native.as_ref();
            let found = native.and_then(|native| native.search(text, 0, &mut ours).ok());
            assert!(oniguruma.search(text, 0, None, &mut theirs).is_ok(), "{} on {text}", self.pattern);
            (found.map(|_| ours), theirs)
        };
        texts.into_iter().map(both).collect()
    }

    /// All matches, as Ruby's `scan` and `gsub` find them: an empty match may stand directly behind another match,
    /// and the search goes on one character behind it.
    pub fn find_iter<'r, 't>(&'r self, text: &'t str) -> Matches<'r, 't> {
        Matches { regex: self, text, next: Some(0) }
    }

    /// The engine that runs in linear time, where it is exact for the text at hand.
    fn linear_for(&self, text: &str) -> Option<&regex::Regex> {
        match self.engine.get() {
            Some(Engine::Linear { regex, guard, .. }) if guard.admits(text) => Some(regex),
            _ => None,
        }
    }
}

/// Byte offsets of the groups of a match; empty where there is none.
#[cfg(test)]
type Spans = Vec<Option<(usize, usize)>>;

/// Iterator over all matches; see [`Regex::find_iter`].
#[derive(Debug)]
pub struct Matches<'r, 't> {
    regex: &'r Regex,
    text: &'t str,
    next: Option<usize>,
}

impl<'t> Iterator for Matches<'_, 't> {
    type Item = Match<'t>;

    fn next(&mut self) -> Option<Match<'t>> {
        let found = self.regex.try_find_at(self.text, self.next?).unwrap_or(None);
        self.next = found.and_then(|found| next_start(self.text, found.start, found.end));
        found
    }
}

/// Where the search behind a match goes on; `None` behind an empty match at the end.
pub(super) fn next_start(text: &str, start: usize, end: usize) -> Option<usize> {
    if start < end {
        return Some(end);
    }
    let next = text.get(end..)?.chars().next()?;
    Some(end + next.len_utf8())
}
