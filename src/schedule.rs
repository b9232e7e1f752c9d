//! When something runs: `cron`, `every`, `at` and `in`, as rufus-scheduler and Fugit read them
//! (logstash-mixin-scheduler).

use std::future::Future;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned, civil};
use tokio::time::Instant;

use crate::plugin::Shutdown;

/// Times at which something is done.
#[derive(Debug, Clone)]
pub enum Schedule {
    Cron(Box<Cron>, TimeZone),
    /// At once, and then again and again.
    Every(Duration),
    /// Once; never if the time is past.
    At(Timestamp),
    /// Once, after a while.
    In(Duration),
}

/// A text that is no time of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScheduleError(String);

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
    /// Reads a cron line of five fields, or of six with seconds in front, such as `*/5 * * * *`,
    /// `30 0 6 * * mon-fri America/Chicago` or `@hourly`. Without a time zone behind it, the machine's is meant.
    ///
    /// # Errors
    /// When it is none, or when its time never comes.
    pub fn cron(text: &str) -> Result<Self, ScheduleError> {
        let wrong = |why: &str| {
            ScheduleError(format!("\"{text}\" is no cron line: {why}; write e.g. \"*/5 * * * *\""))
        };
        let (line, zone) = split_zone(text);
        let zone = zone.unwrap_or_else(TimeZone::system);
        let word = WORDS.iter().find(|(word, _)| *word == line).map(|(_, line)| *line);
        // `/5` is short for `*/5` in fugit.
        let spelled: Vec<String> = word.unwrap_or(line).split_whitespace().map(starred).collect();
        if !(5..=6).contains(&spelled.len()) {
            return Err(wrong("expected 5 fields, or 6 with seconds, and perhaps a time zone"));
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(&spelled.join(" ")).map_err(|error| wrong(&error.to_string()))?;
        match next(&cron, &zone, Timestamp::now()) {
            Some(_) => Ok(Schedule::Cron(Box::new(cron), zone)),
            None => Err(wrong("that time never comes")),
        }
    }

    /// Reads the kind and its value, as in `{ "every" => "1h" }`.
    ///
    /// # Errors
    /// When the kind is unknown or the value is no such time.
    pub fn new(kind: &str, value: &str) -> Result<Self, ScheduleError> {
        match kind {
            "cron" => Self::cron(value),
            "every" => parse_duration(value).map(Schedule::Every),
            "in" => span(value).map(Schedule::In).ok_or_else(|| no_span(value)),
            "at" => {
                let found = at(value).map(Schedule::At);
                found.ok_or_else(|| {
                    ScheduleError(format!("\"{value}\" is no time such as 2030/12/24 18:00:00 Europe/Paris"))
                })
            }
            _ => Err(ScheduleError(format!("\"{kind}\" is none of cron, every, at and in"))),
        }
    }

    /// The times, one after the other.
    pub fn times(&self) -> Times<'_> {
        Times { schedule: self, last: None }
    }

    /// Does something at every scheduled time until shutdown is requested, or until `work` returns false. Times that
    /// pass while it is at work are left out. Returns only when it is time to end, even if nothing is left to do.
    pub async fn run<F: Future<Output = bool>>(&self, shutdown: &Shutdown, mut work: impl FnMut() -> F) {
        let mut times = self.times();
        while times.next(shutdown).await {
            tokio::select! {
                () = shutdown.requested() => return,
                go_on = work() => if !go_on { return },
            }
        }
    }
}

/// The times of a schedule, from when this was made.
#[derive(Debug)]
pub struct Times<'a> {
    schedule: &'a Schedule,
    /// When the one before was due.
    last: Option<Instant>,
}

impl Times<'_> {
    /// Waits for the next time. False when shutdown is requested: only then, even if there is no other time, as in
    /// Logstash, where the scheduler keeps the pipeline alive.
    pub async fn next(&mut self, shutdown: &Shutdown) -> bool {
        match self.wait() {
            Some(wait) => tokio::select! {
                biased;
                () = shutdown.requested() => false,
                () = tokio::time::sleep(wait) => true,
            },
            None => {
                shutdown.requested().await;
                false
            }
        }
    }

    /// How long the next time is away; `None` when there is no other.
    pub fn wait(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let first = self.last.is_none();
        match self.schedule {
            Schedule::Every(every) => {
                let due = self.last.map_or(now, |last| (last + *every).max(now));
                self.last = Some(due);
                Some(due - now)
            }
            Schedule::Cron(cron, zone) => {
                let now = Timestamp::now();
                Duration::try_from(next(cron, zone, now)?.duration_since(now)).ok()
            }
            Schedule::In(wait) => {
                self.last = Some(now);
                first.then_some(*wait)
            }
            Schedule::At(time) => {
                self.last = Some(now);
                let wait = Duration::try_from(time.duration_since(Timestamp::now())).ok();
                wait.filter(|_| first)
            }
        }
    }
}

/// The first time of a cron line after another time.
fn next(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let next = cron.find_next_occurrence(&after.to_zoned(zone.clone()), false).ok()?;
    Some(next.timestamp())
}

fn starred(field: &str) -> String {
    let parts: Vec<_> = field
        .split(',')
        .map(|part| if part.starts_with('/') { format!("*{part}") } else { part.to_owned() })
        .collect();
    parts.join(",")
}

/// Reads a time span above zero, such as `1m` or `3h10m`; a number alone means seconds.
///
/// # Errors
/// The text is no such span, or it is zero.
pub fn parse_duration(text: &str) -> Result<Duration, ScheduleError> {
    span(text).filter(|span| !span.is_zero()).ok_or_else(|| no_span(text))
}

fn no_span(text: &str) -> ScheduleError {
    ScheduleError(format!("\"{text}\" is no time span; expected one such as 30s, 1m or 3h10m"))
}

/// A name of a time zone at the end of a text, and what stands before it.
fn split_zone(text: &str) -> (&str, Option<TimeZone>) {
    let text = text.trim();
    if let Some((before, name)) = text.rsplit_once(char::is_whitespace)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && let Ok(zone) = TimeZone::get(if name == "Z" { "UTC" } else { name })
    {
        return (before.trim_end(), Some(zone));
    }
    (text, None)
}

fn at(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.trim().parse::<Timestamp>() {
        return Some(time);
    }
    let (time, zone) = split_zone(text);
    let time = time.replace('/', "-");
    if let Ok(zoned) = Zoned::strptime("%Y-%m-%d %H:%M:%S %z", &time) {
        return Some(zoned.timestamp());
    }
    let time: civil::DateTime = match civil::DateTime::strptime("%Y-%m-%d %H:%M", &time) {
        Ok(time) => time,
        Err(_) => time.parse().ok()?,
    };
    Some(time.to_zoned(zone.unwrap_or_else(TimeZone::system)).ok()?.timestamp())
}

/// `1w2d`, `1h30m`, `10s`, `5 minutes`, `10` (seconds), or ISO 8601 as in `PT1H`.
fn span(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.starts_with('P') {
        let span: jiff::Span = text.parse().ok()?;
        let length = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
        return Duration::try_from(length).ok();
    }
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        seconds += number.parse::<f64>().ok()? * unit_seconds(unit)?;
        rest = after.trim_start();
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(seconds).ok() }
}

/// Fugit's units: a month is 30 days, a year 365.
fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "" | "s" | "S" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "H" | "hour" | "hours" => 3600.0,
        "d" | "D" | "day" | "days" => 86_400.0,
        "w" | "W" | "week" | "weeks" => 604_800.0,
        "M" | "mon" | "month" | "months" => 30.0 * 86_400.0,
        "y" | "Y" | "year" | "years" => 365.0 * 86_400.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_lines() {
        for (line, expected) in [
            ("* * * * * UTC", "2024-01-01T10:21:00Z"),
            ("*/10 * * * * * UTC", "2024-01-01T10:20:40Z"),
            // 6:00 in Chicago, from the documentation of the jdbc input.
            ("0 6 * * * America/Chicago", "2024-01-01T12:00:00Z"),
            ("0 0 * * sun Etc/UTC", "2024-01-07T00:00:00Z"),
            ("/15 * * * * UTC", "2024-01-01T10:30:00Z"),
            ("@daily Z", "2024-01-02T00:00:00Z"),
            ("5 4 3 2 1 * UTC", "2024-01-02T03:04:05Z"),
            ("0 12 * * * America/New_York", "2024-01-01T17:00:00Z"),
        ] {
            let Schedule::Cron(cron, zone) = Schedule::cron(line).unwrap() else { panic!("{line}") };
            let monday = "2024-01-01T10:20:30Z".parse().unwrap();
            assert_eq!(next(&cron, &zone, monday).unwrap().to_string(), expected, "{line}");
        }
        let wrong = ["", "* * * *", "61 * * * *", "* * * * * Mars/Olympus", "every day", "0 0 31 2 *"];
        for line in wrong.into_iter().chain(["* * * * * * 2030"]) {
            assert!(Schedule::cron(line).is_err(), "{line}");
        }
    }

    #[test]
    fn time_spans() {
        for (text, seconds) in [
            ("10", 10.0),
            ("1h30m", 5400.0),
            ("3h10m", 11_400.0),
            ("1w 2d", 777_600.0),
            ("5 minutes", 300.0),
            ("0.5s", 0.5),
            ("1M", 2_592_000.0),
            ("PT1H30M", 5400.0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "soon", "1x", "h", "-1h", "0s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(Schedule::new("often", "1s").is_err());
        assert!(Schedule::new("every", "0").is_err());
        assert!(Schedule::new("in", "0s").is_ok());
    }

    #[test]
    fn points_in_time() {
        let noon: Timestamp = "2030-12-24T12:00:00Z".parse().unwrap();
        for text in [
            "2030-12-24T12:00:00Z",
            "2030/12/24 13:00:00 Europe/Paris",
            "2030-12-24 12:00 UTC",
            "2030-12-24 13:00:00 +0100",
        ] {
            assert_eq!(at(text), Some(noon), "{text}");
        }
        assert_eq!(at("tomorrow"), None);
    }

    #[test]
    fn what_happens_once_happens_once() {
        let once = Schedule::In(Duration::from_secs(3));
        let mut times = once.times();
        assert_eq!(times.wait(), Some(Duration::from_secs(3)));
        assert_eq!(times.wait(), None);
        assert_eq!(Schedule::new("at", "2001-01-01 00:00 UTC").unwrap().times().wait(), None);
    }
}
