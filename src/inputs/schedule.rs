//! When an input with a schedule runs: `cron`, `every`, `at` and `in`, as rufus-scheduler and Fugit read them
//! (logstash-mixin-scheduler).

use std::future::Future;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Year};
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

/// A text that is no time of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScheduleError(String);

impl Schedule {
    /// Reads a cron line of five fields, or of six with seconds in front, and a time zone behind them if there is one.
    ///
    /// # Errors
    /// When it is none.
    pub fn cron(text: &str) -> Result<Self, ScheduleError> {
        let (line, zone) = split_zone(text);
        let zone = zone.unwrap_or_else(TimeZone::system);
        let parser = CronParser::builder().year(Year::Disallowed).build();
        let cron = parser.parse(line).map_err(|error| {
            ScheduleError(format!("\"{text}\" is no cron line: {error}; write e.g. \"*/5 * * * *\""))
        })?;
        Ok(Schedule::Cron(Box::new(cron), zone))
    }

    /// Reads the kind and its value, as in `{ "every" => "1h" }`.
    ///
    /// # Errors
    /// When the kind is unknown or the value is no such time.
    pub fn new(kind: &str, value: &str) -> Result<Self, ScheduleError> {
        let span = || {
            duration(value).ok_or_else(|| ScheduleError(format!("\"{value}\" is no time span such as 1h30m")))
        };
        match kind {
            "cron" => Self::cron(value),
            "every" => match span()? {
                Duration::ZERO => Err(ScheduleError("every needs a time span above 0".into())),
                every => Ok(Schedule::Every(every)),
            },
            "in" => span().map(Schedule::In),
            "at" => {
                let found = at(value).map(Schedule::At);
                found.ok_or_else(|| {
                    ScheduleError(format!("\"{value}\" is no time such as 2030/12/24 18:00:00 Europe/Paris"))
                })
            }
            _ => Err(ScheduleError(format!("\"{kind}\" is none of cron, every, at and in"))),
        }
    }

    /// Does something at every scheduled time until shutdown is requested, or until `work` returns false. Times that
    /// pass while it is at work are left out. Returns only when it is time to end, even if nothing is left to do.
    pub async fn run<F: Future<Output = bool>>(&self, shutdown: &Shutdown, mut work: impl FnMut() -> F) {
        let mut last = None;
        while let Some(wait) = self.wait(&mut last) {
            tokio::select! {
                () = shutdown.requested() => return,
                () = tokio::time::sleep(wait) => {}
            }
            tokio::select! {
                () = shutdown.requested() => return,
                go_on = work() => if !go_on { return },
            }
        }
        // As in Logstash, where the scheduler keeps the pipeline alive.
        shutdown.requested().await;
    }

    /// How long the next time is away; `last` is when the one before was due.
    fn wait(&self, last: &mut Option<Instant>) -> Option<Duration> {
        let now = Instant::now();
        let first = last.is_none();
        match self {
            Schedule::Every(every) => {
                let due = last.map_or(now, |last| (last + *every).max(now));
                *last = Some(due);
                Some(due - now)
            }
            Schedule::Cron(cron, zone) => {
                let now = Timestamp::now();
                let next = cron.find_next_occurrence(&now.to_zoned(zone.clone()), false).ok()?;
                Duration::try_from(next.timestamp().duration_since(now)).ok()
            }
            Schedule::In(wait) => {
                *last = Some(now);
                first.then_some(*wait)
            }
            Schedule::At(time) => {
                *last = Some(now);
                let wait = Duration::try_from(time.duration_since(Timestamp::now())).ok();
                wait.filter(|_| first)
            }
        }
    }
}

/// A name of a time zone at the end of a text, and what stands before it.
fn split_zone(text: &str) -> (&str, Option<TimeZone>) {
    let text = text.trim();
    if let Some((before, name)) = text.rsplit_once(char::is_whitespace)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && let Ok(zone) = TimeZone::get(name)
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
fn duration(text: &str) -> Option<Duration> {
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
    fn time_spans() {
        for (text, seconds) in [
            ("10", 10.0),
            ("1h30m", 5400.0),
            ("1w 2d", 777_600.0),
            ("5 minutes", 300.0),
            ("0.5s", 0.5),
            ("1M", 2_592_000.0),
            ("PT1H30M", 5400.0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "soon", "1x", "h", "-1h"] {
            assert_eq!(duration(text), None, "{text}");
        }
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
    fn cron_lines_with_seconds_and_zones() {
        let next = |line: &str| {
            let Schedule::Cron(cron, zone) = Schedule::cron(line).unwrap() else { panic!("{line}") };
            let from: Timestamp = "2024-05-06T07:08:09Z".parse().unwrap();
            cron.find_next_occurrence(&from.to_zoned(zone), false).unwrap().timestamp().to_string()
        };
        assert_eq!(next("*/5 * * * * UTC"), "2024-05-06T07:10:00Z");
        assert_eq!(next("*/5 * * * * * UTC"), "2024-05-06T07:08:10Z");
        assert_eq!(next("0 12 * * * America/New_York"), "2024-05-06T16:00:00Z");
        for wrong in ["", "* * *", "61 * * * *", "* * * * * * 2030"] {
            assert!(Schedule::cron(wrong).is_err(), "{wrong}");
        }
        assert!(Schedule::new("often", "1s").is_err());
        assert!(Schedule::new("every", "0").is_err());
    }

    #[test]
    fn what_happens_once_happens_once() {
        let mut last = None;
        let once = Schedule::In(Duration::from_secs(3));
        assert_eq!(once.wait(&mut last), Some(Duration::from_secs(3)));
        assert_eq!(once.wait(&mut last), None);
        assert_eq!(Schedule::new("at", "2001-01-01 00:00 UTC").unwrap().wait(&mut None), None);
    }
}
