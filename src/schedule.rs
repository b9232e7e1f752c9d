//! When something runs: cron lines and durations as rufus-scheduler reads them (and fugit, which it parses with).

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::Zoned;
use jiff::tz::TimeZone;

/// A cron line: 5 fields, or 6 with seconds in front, and perhaps a time zone behind them.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
}

/// A text that is no cron line or no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("\"{0}\" is no cron line: {1}")]
    Cron(String, String),
    #[error("\"{0}\" is no duration; expected one such as 30s, 1m or 3h10m")]
    Duration(String),
}

/// The words for whole lines.
const WORDS: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@noon", "0 12 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Schedule {
    /// Reads a line such as `*/5 * * * *`, `30 0 6 * * mon-fri America/Chicago` or `@hourly`. Without a zone it is the
    /// machine's.
    ///
    /// # Errors
    /// A field or the zone is not understood.
    pub fn parse(line: &str) -> Result<Self, ScheduleError> {
        let wrong = |why: &str| ScheduleError::Cron(line.to_owned(), why.to_owned());
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        // A zone has a letter in front and is no day (`mon`), no month and no word like @daily.
        let zone = match fields.last() {
            Some(last)
                if last.contains('/') && last.starts_with(|c: char| c.is_ascii_alphabetic())
                    || matches!(*last, "UTC" | "GMT" | "Z")
                    || fields.len() == 7 =>
            {
                let name = if *last == "Z" { "UTC" } else { last };
                let zone = TimeZone::get(name).map_err(|_| wrong(&format!("\"{name}\" is no time zone")))?;
                fields.pop();
                zone
            }
            _ => TimeZone::system(),
        };
        let plain = fields.join(" ");
        let word = WORDS.iter().find(|(word, _)| *word == plain).map(|(_, line)| *line);
        if word.is_none() && !(5..=6).contains(&fields.len()) {
            return Err(wrong("expected 5 fields, or 6 with seconds, and perhaps a time zone"));
        }
        // `/5` is short for `*/5` in fugit.
        let spelled: Vec<String> = word.unwrap_or(&plain).split(' ').map(starred).collect();
        let parser = CronParser::builder().seconds(Seconds::Optional).build();
        let cron = parser.parse(&spelled.join(" ")).map_err(|error| wrong(&error.to_string()))?;
        let schedule = Schedule { cron, zone };
        match schedule.after(&Zoned::now()) {
            Some(_) => Ok(schedule),
            None => Err(wrong("that time never comes")),
        }
    }

    /// The next time after another.
    pub fn after(&self, time: &Zoned) -> Option<Zoned> {
        let time = time.with_time_zone(self.zone.clone());
        self.cron.find_next_occurrence(&time, false).ok()
    }

    /// How long it is until the next time.
    pub fn wait(&self) -> Option<Duration> {
        let now = Zoned::now();
        let next = self.after(&now)?;
        Duration::try_from(now.duration_until(&next)).ok()
    }
}

fn starred(field: &str) -> String {
    let parts: Vec<_> = field
        .split(',')
        .map(|part| if part.starts_with('/') { format!("*{part}") } else { part.to_owned() })
        .collect();
    parts.join(",")
}

/// Reads a duration of years, months (of 30 days), weeks, days, hours, minutes and seconds: `1y2M3w4d5h6m7s`; a number
/// alone means seconds.
///
/// # Errors
/// The text is no such duration, or it is zero.
pub fn parse_duration(text: &str) -> Result<Duration, ScheduleError> {
    let wrong = || ScheduleError::Duration(text.to_owned());
    const DAY: f64 = 86_400.0;
    let mut seconds = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let mut units = after.chars();
        let unit = match units.next() {
            None | Some('s') => 1.0,
            Some('m') => 60.0,
            Some('h') => 3600.0,
            Some('d') => DAY,
            Some('w') => 7.0 * DAY,
            Some('M') => 30.0 * DAY,
            Some('y') => 365.0 * DAY,
            Some(_) => return Err(wrong()),
        };
        seconds += number * unit;
        rest = units.as_str();
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(line: &str, after: &str) -> String {
        let after: Zoned = after.parse().unwrap();
        Schedule::parse(line).unwrap().after(&after).unwrap().timestamp().to_string()
    }

    #[test]
    fn lines() {
        let monday = "2024-01-01T10:20:30[UTC]";
        for (line, expected) in [
            ("* * * * * UTC", "2024-01-01T10:21:00Z"),
            ("*/10 * * * * * UTC", "2024-01-01T10:20:40Z"),
            // 6:00 in Chicago, from the documentation of the jdbc input.
            ("0 6 * * * America/Chicago", "2024-01-01T12:00:00Z"),
            ("0 0 * * sun Etc/UTC", "2024-01-07T00:00:00Z"),
            ("/15 * * * * UTC", "2024-01-01T10:30:00Z"),
            ("@daily UTC", "2024-01-02T00:00:00Z"),
            ("5 4 3 2 1 * UTC", "2024-01-02T03:04:05Z"),
        ] {
            assert_eq!(next(line, monday), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in ["", "* * * *", "61 * * * *", "* * * * * Mars/Olympus", "every day", "0 0 31 2 *"] {
            assert!(Schedule::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn durations() {
        for (text, seconds) in
            [("1m", 60), ("3h10m", 11_400), ("10", 10), ("1w2d", 777_600), ("1M", 2_592_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "m", "5x", "0s", "-1m"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
