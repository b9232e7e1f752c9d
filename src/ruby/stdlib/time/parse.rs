//! Dates and times as people write them: what `Time.parse` and `Date.parse` read.

use std::sync::LazyLock;

use jiff::civil::{Date, ISOWeekDate, Weekday};
use regex::{Captures, Regex};

use super::zone_offset;

/// What was found in a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub year: Option<i64>,
    pub month: Option<i64>,
    pub day: Option<i64>,
    pub year_day: Option<i64>,
    pub week_year: Option<i64>,
    pub week: Option<i64>,
    /// Sunday is 0.
    pub weekday: Option<i64>,
    pub hour: Option<i64>,
    pub minute: Option<i64>,
    pub second: Option<i64>,
    pub nanos: Option<i64>,
    pub zone: Option<String>,
    /// Seconds east of Greenwich.
    pub offset: Option<i32>,
    /// Nanoseconds since 1970.
    pub epoch: Option<i128>,
    /// Whether the hour was one of the afternoon.
    pub afternoon: Option<bool>,
}

impl Fields {
    pub(super) fn has_any(&self) -> bool {
        self.year.is_some()
            || self.month.is_some()
            || self.day.is_some()
            || self.hour.is_some()
            || self.epoch.is_some()
            || self.year_day.is_some()
            || self.weekday.is_some()
    }

    /// The date, with missing larger parts from another and missing smaller ones at their start. `None` for one that
    /// does not exist, except that times take days behind the end of a month.
    pub(super) fn date(&self, today: Date) -> Option<Date> {
        if let (Some(year), Some(day)) = (self.year, self.year_day) {
            let first = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
            return first.checked_add(jiff::Span::new().try_days(day - 1).ok()?).ok();
        }
        if let (Some(year), Some(week)) = (self.week_year, self.week) {
            let weekday = match self.weekday.unwrap_or(1) {
                0 => Weekday::Sunday,
                day => Weekday::from_monday_one_offset(i8::try_from(day).ok()?).ok()?,
            };
            let date = ISOWeekDate::new(i16::try_from(year).ok()?, i8::try_from(week).ok()?, weekday).ok()?;
            return Some(date.date());
        }
        if let (Some(weekday), None, None, None) = (self.weekday, self.year, self.month, self.day) {
            let back = i64::from(today.weekday().to_sunday_zero_offset());
            return today.checked_add(jiff::Span::new().try_days(weekday - back).ok()?).ok();
        }
        let year = self.year.unwrap_or(today.year().into());
        let has_year = self.year.is_some();
        let month = self.month.unwrap_or(if has_year { 1 } else { today.month().into() });
        let day = self.day.unwrap_or(if has_year || self.month.is_some() { 1 } else { today.day().into() });
        let (year, month) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?);
        if !(1..=31).contains(&day) {
            return None;
        }
        let first = Date::new(year, month, 1).ok()?;
        first.checked_add(jiff::Span::new().try_days(day - 1).ok()?).ok()
    }

    /// The date, if it exists.
    pub(super) fn exact_date(&self, today: Date) -> Option<Date> {
        let date = self.date(today)?;
        match (self.day, self.year_day) {
            (Some(day), None) if i64::from(date.day()) != day && self.week.is_none() => None,
            _ => Some(date),
        }
    }

    pub(super) fn set_zone(&mut self, name: &str) {
        self.offset = zone_offset(name);
        self.zone = Some(name.to_owned());
    }
}

macro_rules! pattern {
    ($name:ident, $source:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($source).ok());
    };
}

const MONTH: &str = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*";

pattern!(
    TIME,
    r"(?ix)(\d+)\s*(?::\s*(\d{2})(?:\s*:\s*(\d{2})(?:[.,](\d+))?)?(?:\s*([ap])\.?m\b\.?)?|h\b\s*(\d{2})?m?|\s*([ap])\.?m\b\.?)
      (?:\s*(z\b|[+-]\d{1,2}:?\d{0,2}(?::?\d{2})?\b|(?:gmt|utc)[+-]\d+(?::?\d+)?|(?:[a-z]{3,4}|ut)\b(?:\s+dst\b)?))?"
);
pattern!(
    BASIC,
    r"(?i)\b(\d{4})(\d{2})(\d{2})(?:t?(\d{2})(\d{2})(\d{2})?(?:[.,](\d+))?\s*(z|[+-]\d{2}:?\d{2})?)?\b"
);
pattern!(ISO, r"([+-]?\d{2,})-(\d{1,2})-(\d{1,2})");
pattern!(WEEK, r"(?i)\b(\d{4})-w(\d{2})(?:-(\d))?\b");
pattern!(ORDINAL, r"\b(\d{4})-(\d{3})\b");
pattern!(YEAR_MONTH, r"\b(\d{4})-(\d{2})\b");
pattern!(
    SLASHED,
    r"(?i)(\d+)/\s*(\d+|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:\D\s*(-?\d+))?"
);
pattern!(DOTTED, r"(\d+)\.\s*(\d+)\.\s*(\d+)");
pattern!(WEEKDAY, r"(?i)\b(sun|mon|tue|wed|thu|fri|sat)[a-z]*\b");

static DAY_FIRST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)\b(\d{{1,2}})(?:st|nd|rd|th)?[\s\-.,/]*{MONTH}\b\.?(?:[\s\-.,/]*('?-?\d+))?"))
        .ok()
});
static MONTH_FIRST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)\b{MONTH}\b\.?[\s\-]*(\d{{1,2}})(?:st|nd|rd|th)?\b[\s,\-]*('?-?\d+)?")).ok()
});
static YEAR_FIRST: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"(?i)\b(\d{{4}})[\s\-]+{MONTH}[\s\-]+(\d{{1,2}})\b")).ok());
static MONTH_YEAR: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"(?i)\b{MONTH}\b\.?[\s,\-]*(\d{{4}})?")).ok());

fn number(captures: &Captures<'_>, group: usize) -> Option<i64> {
    captures.get(group)?.as_str().trim_start_matches('\'').parse().ok()
}

/// The number of a month's name.
pub(super) fn month_number(name: &str) -> Option<i64> {
    let start = name.get(..3)?.to_ascii_lowercase();
    let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    names.iter().position(|known| **known == start).map(|at| at as i64 + 1)
}

/// The number of a weekday's name, Sunday being 0.
pub(super) fn weekday_number(name: &str) -> Option<i64> {
    let start = name.get(..3)?.to_ascii_lowercase();
    let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    names.iter().position(|known| **known == start).map(|at| at as i64)
}

/// Digits of a fraction in nanoseconds.
pub(super) fn fraction(digits: &str) -> i64 {
    let nine: String = digits.chars().chain(std::iter::repeat('0')).take(9).collect();
    nine.parse().unwrap_or(0)
}

/// A year of two digits is one between 1969 and 2068.
pub(super) fn full_year(year: i64, digits: usize) -> i64 {
    match digits {
        0..=2 if (0..69).contains(&year) => year + 2000,
        0..=2 if (69..100).contains(&year) => year + 1900,
        _ => year,
    }
}

/// Reads whatever of a date and time stands in a text.
pub(super) fn parse(text: &str) -> Fields {
    let mut fields = Fields::default();
    let mut rest = text.to_owned();
    if let Some(found) = WEEKDAY.as_ref().and_then(|pattern| pattern.captures(text)) {
        fields.weekday = found.get(1).and_then(|name| weekday_number(name.as_str()));
    }
    if !take_basic(&mut rest, &mut fields) {
        take_time(&mut rest, &mut fields);
        take_date(&rest, &mut fields);
    }
    if fields.year.is_some() || fields.month.is_some() || fields.day.is_some() {
        fields.weekday = fields.weekday.filter(|_| fields.week.is_some());
    }
    fields
}

/// `20240506T070809Z`
#[expect(clippy::ptr_arg, reason = "its neighbours take parts away")]
fn take_basic(rest: &mut String, fields: &mut Fields) -> bool {
    let Some(found) = BASIC.as_ref().and_then(|pattern| pattern.captures(rest)) else { return false };
    if rest.contains('-') && rest.find('-') < found.get(0).map(|whole| whole.start()) {
        return false;
    }
    fields.year = number(&found, 1);
    fields.month = number(&found, 2);
    fields.day = number(&found, 3);
    fields.hour = number(&found, 4);
    fields.minute = number(&found, 5);
    fields.second = number(&found, 6);
    fields.nanos = found.get(7).map(|digits| fraction(digits.as_str()));
    if let Some(zone) = found.get(8) {
        fields.set_zone(zone.as_str());
    }
    if fields.hour.is_none() {
        let whole = found.get(0).map_or(0..0, |whole| whole.range());
        let mut behind = rest.get(whole.end..).unwrap_or_default().to_owned();
        take_time(&mut behind, fields);
    }
    true
}

fn take_time(rest: &mut String, fields: &mut Fields) {
    let Some(found) = TIME.as_ref().and_then(|pattern| pattern.captures(rest)) else { return };
    fields.hour = number(&found, 1);
    fields.minute = number(&found, 2).or(number(&found, 6));
    fields.second = number(&found, 3);
    fields.nanos = found.get(4).map(|digits| fraction(digits.as_str()));
    let half = found.get(5).or(found.get(7)).map(|half| half.as_str().eq_ignore_ascii_case("p"));
    if let (Some(afternoon), Some(hour)) = (half, fields.hour) {
        fields.hour = Some(hour % 12 + if afternoon { 12 } else { 0 });
    }
    if let Some(zone) = found.get(8) {
        let name = zone.as_str();
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !is_word || zone_offset(name).is_some() {
            fields.set_zone(name);
        }
    }
    let whole = found.get(0).map_or(0..0, |whole| whole.range());
    rest.replace_range(whole, " ");
}

fn take_date(rest: &str, fields: &mut Fields) {
    let find =
        |pattern: &LazyLock<Option<Regex>>| pattern.as_ref().and_then(|pattern| pattern.captures(rest));
    let year = |found: &Captures<'_>, group: usize| {
        let text = found.get(group)?.as_str();
        let digits = text.chars().filter(char::is_ascii_digit).count();
        Some(full_year(number(found, group)?, digits))
    };
    let month =
        |found: &Captures<'_>, group: usize| found.get(group).and_then(|name| month_number(name.as_str()));
    if let Some(found) = find(&YEAR_FIRST) {
        (fields.year, fields.month, fields.day) = (year(&found, 1), month(&found, 2), number(&found, 3));
    } else if let Some(found) = find(&DAY_FIRST) {
        (fields.day, fields.month, fields.year) = (number(&found, 1), month(&found, 2), year(&found, 3));
    } else if let Some(found) = find(&MONTH_FIRST) {
        (fields.month, fields.day, fields.year) = (month(&found, 1), number(&found, 2), year(&found, 3));
    } else if let Some(found) = find(&ISO) {
        (fields.year, fields.month, fields.day) = (year(&found, 1), number(&found, 2), number(&found, 3));
    } else if let Some(found) = find(&WEEK) {
        (fields.week_year, fields.week) = (number(&found, 1), number(&found, 2));
        fields.weekday = number(&found, 3).map(|day| day % 7).or(Some(1));
        fields.year = fields.week_year;
    } else if let Some(found) = find(&ORDINAL) {
        (fields.year, fields.year_day) = (number(&found, 1), number(&found, 2));
    } else if let Some(found) = find(&YEAR_MONTH) {
        (fields.year, fields.month) = (number(&found, 1), number(&found, 2));
    } else if let Some(found) = find(&SLASHED) {
        slashed(&found, fields);
    } else if let Some(found) = find(&DOTTED) {
        (fields.year, fields.month, fields.day) = (year(&found, 1), number(&found, 2), number(&found, 3));
        if found.get(3).is_some_and(|last| last.len() == 4) {
            (fields.day, fields.year) = (number(&found, 1), number(&found, 3));
        }
    } else if let Some(found) = find(&MONTH_YEAR) {
        (fields.month, fields.year) = (month(&found, 1), number(&found, 2));
    }
}

/// `2024/05/06`, `06/05/2024` (day first) and `05/06` (month first).
fn slashed(found: &Captures<'_>, fields: &mut Fields) {
    let length = |group: usize| found.get(group).map_or(0, |part| part.len());
    let middle = number(found, 2).or_else(|| found.get(2).and_then(|name| month_number(name.as_str())));
    match found.get(3) {
        None => (fields.month, fields.day) = (number(found, 1), middle),
        Some(_) if length(1) <= 2 && length(3) >= 3 => {
            (fields.day, fields.month, fields.year) = (number(found, 1), middle, number(found, 3));
        }
        Some(_) => {
            fields.year = number(found, 1).map(|year| full_year(year, length(1)));
            (fields.month, fields.day) = (middle, number(found, 3));
        }
    }
}

pattern!(
    XML,
    r"(?i)^\s*([+-]?\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d(?::?\d\d)?)?\s*$"
);
pattern!(XML_DATE, r"(?i)^\s*([+-]?\d{4,})-(\d\d)-(\d\d)(Z|[+-]\d\d(?::?\d\d)?)?\s*$");

/// Strictly what ISO 8601 and XML Schema allow.
pub(super) fn iso8601_time(text: &str) -> Option<Fields> {
    let mut fields = Fields::default();
    if let Some(found) = XML.as_ref()?.captures(text) {
        (fields.year, fields.month, fields.day) = (number(&found, 1), number(&found, 2), number(&found, 3));
        (fields.hour, fields.minute, fields.second) =
            (number(&found, 4), number(&found, 5), number(&found, 6));
        fields.nanos = found.get(7).map(|digits| fraction(digits.as_str()));
        if let Some(zone) = found.get(8) {
            fields.set_zone(zone.as_str());
        }
        return Some(fields);
    }
    let found = XML_DATE.as_ref()?.captures(text)?;
    (fields.year, fields.month, fields.day) = (number(&found, 1), number(&found, 2), number(&found, 3));
    if let Some(zone) = found.get(4) {
        fields.set_zone(zone.as_str());
    }
    Some(fields)
}
