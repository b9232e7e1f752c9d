//! Dates as the converters `date` and `date_time` of Ruby's CSV read them (`DateMatcher` and `DateTimeMatcher` of
//! `lib/csv.rb`, then `Date.parse`).

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::event::Timestamp;
use crate::event::time_format::Zone;
use crate::event::time_format::civil::{DAY_SECONDS, Date, days_in_month};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// `May 6, 2024`, possibly behind another word such as a week day.
static WORDS_DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(r"\A(?:\w+,?\s+)?(?<month>[A-Za-z_]+)\s+(?<day>\d{1,2}),?\s+(?<year>\d{2,4})\z")
});

/// `Mon May 6 07:08:09 2024`
static WORDS_TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(
        r"\A(?:\w+,?\s+)?(?<month>[A-Za-z_]+)\s+(?<day>\d{1,2})\s+(?<hour>\d{1,2}):(?<minute>\d{1,2}):(?<second>\d{1,2}),?\s+(?<year>\d{2,4})\z",
    )
});

/// `2024-05-06`
static ISO_DATE: LazyLock<Option<Regex>> =
    LazyLock::new(|| compile(r"\A(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})\z"));

/// `2024-05-06T07:08:09.123+09:00`, of which everything behind the day may be missing.
static ISO_TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(
        r"\A(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})(?:[T\s](?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.(?<fraction>\d+))?(?:(?<sign>[+-])(?<zone_hour>\d{2}):(?<zone_minute>\d{2})|Z)?)?)?\z",
    )
});

/// Ruby's `\w`, `\s` and `\d` are ASCII. The patterns are constants that a test compiles.
fn compile(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("(?-u){pattern}")).ok()
}

/// A day at midnight where this machine is; `None` for what is no date.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let captures = match_either(text, &ISO_DATE, &WORDS_DATE)?;
    let days = day_of(&captures)?.epoch_days();
    Timestamp::new(Zone::system().instant_lenient(days * DAY_SECONDS), 0)
}

/// A day and time, in UTC where no offset says otherwise; `None` for what is no such date.
pub fn parse_date_time(text: &str) -> Option<Timestamp> {
    let captures = match_either(text, &ISO_TIME, &WORDS_TIME)?;
    let number = |name| captures.name(name).map_or(Some(0), |digits| digits.as_str().parse::<i64>().ok());
    let (hour, minute, second) = (number("hour")?, number("minute")?, number("second")?);
    let is_midnight = hour == 24 && minute == 0 && second == 0;
    if (hour > 23 && !is_midnight) || minute > 59 || second > 60 {
        return None;
    }
    let offset = number("zone_hour")? * 3600 + number("zone_minute")? * 60;
    let offset = match captures.name("sign").map(|sign| sign.as_str()) {
        // Ruby ignores an offset of a day or more.
        _ if offset >= DAY_SECONDS => 0,
        Some("-") => -offset,
        _ => offset,
    };
    let fraction = captures.name("fraction").map_or("", |digits| digits.as_str());
    let nanos = format!("{:0<9.9}", fraction).parse().ok()?;
    let local = day_of(&captures)?.epoch_days() * DAY_SECONDS + hour * 3600 + minute * 60 + second.min(59);
    Timestamp::new(local - offset, nanos)
}

type Pattern = LazyLock<Option<Regex>>;

fn match_either<'t>(text: &'t str, iso: &Pattern, words: &Pattern) -> Option<Captures<'t>> {
    let pattern = if text.starts_with(|first: char| first.is_ascii_digit()) { iso } else { words };
    pattern.as_ref()?.captures(text)
}

/// The day that is named, if there is such a day.
fn day_of(captures: &Captures<'_>) -> Option<Date> {
    let text = |name| captures.name(name).map_or("", |found| found.as_str());
    let year: i64 = text("year").parse().ok()?;
    // Two digits are a year of 1969 to 2068.
    let year = match (text("year").len(), year) {
        (2, 69..) => 1900 + year,
        (2, _) => 2000 + year,
        _ => year,
    };
    let month = match text("month") {
        digits if digits.starts_with(|first: char| first.is_ascii_digit()) => digits.parse().ok()?,
        word => {
            let abbreviation = word.get(..3)?.to_ascii_lowercase();
            MONTHS.iter().position(|month| *month == abbreviation)? as u8 + 1
        }
    };
    let day: u8 = text("day").parse().ok()?;
    let exists = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    exists.then_some(Date { year, month, day })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        // As Date.parse answers; the zone of the machine does not change the day by more than one.
        for (text, day) in [
            ("2024-05-06", "2024-05-06"),
            ("May 6, 2024", "2024-05-06"),
            ("Mon, May 6 2024", "2024-05-06"),
            ("monday december 31 99", "1999-12-31"),
            ("x feb 29 24", "2024-02-29"),
        ] {
            let midnight = parse_date(text).map(Timestamp::epoch_seconds);
            let utc = Timestamp::parse(&format!("{day}T00:00:00Z")).map(Timestamp::epoch_seconds);
            let apart = midnight.zip(utc).map(|(midnight, utc)| (midnight - utc).abs());
            assert!(apart.is_some_and(|apart| apart <= 15 * 3600), "{text}");
        }
        for text in ["2024-02-30", "2024-5-6", "6 May 2024", "May 32 2024", "", "tomorrow", "2024-05-06 "] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn dates_with_times() {
        // As DateTime.parse answers.
        for (text, expected) in [
            ("2001-02-03 04:05:06", "2001-02-03T04:05:06.000Z"),
            ("2001-02-03", "2001-02-03T00:00:00.000Z"),
            ("2001-02-03T04:05", "2001-02-03T04:05:00.000Z"),
            ("2001-02-03T04:05:06.789+09:00", "2001-02-02T19:05:06.789Z"),
            ("2001-02-03T24:00:00Z", "2001-02-04T00:00:00.000Z"),
            ("2001-02-03T04:05:60Z", "2001-02-03T04:05:59.000Z"),
            ("Sat Feb 3 04:05:06 2001", "2001-02-03T04:05:06.000Z"),
        ] {
            let parsed = parse_date_time(text).map(|time| time.to_string());
            assert_eq!(parsed.as_deref(), Some(expected), "{text}");
        }
        for text in ["2001-02-03T25:00", "2001-02-03T04:60", "2001-02-03T04:05+09:00", "Sat 3 Feb 2001"] {
            assert_eq!(parse_date_time(text), None, "{text}");
        }
    }

    #[test]
    fn patterns_compile() {
        for pattern in [&WORDS_DATE, &WORDS_TIME, &ISO_DATE, &ISO_TIME] {
            assert!(pattern.is_some());
        }
    }
}
