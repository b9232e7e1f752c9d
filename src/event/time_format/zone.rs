//! Time zones by name or offset, and the two ways Logstash turns a local time into an instant.
use std::fmt;

use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::civil::{DAY_SECONDS, Date};

/// A time zone: a fixed offset, or a named one of the tz database (which is built into the program).
#[derive(Clone, Debug)]
pub struct Zone(Rule);

#[derive(Clone, Debug)]
enum Rule {
    /// Seconds east of UTC.
    Fixed(i64),
    Named(TimeZone),
}

/// A zone id that is neither an offset nor in the tz database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the time zone `{0}` is not known: use a name of the tz database such as Europe/Paris, or an offset such as +09:00"
)]
pub struct UnknownZone(pub String);

/// What a local time means in a zone.
enum Local {
    /// One instant, at this offset.
    Plain(i64),
    /// Two instants: the clocks were turned back.
    Overlap { before: i64 },
    /// None: the clocks were turned forward over it.
    Gap { before: i64 },
}

impl Zone {
    pub const UTC: Zone = Zone(Rule::Fixed(0));

    /// The zone of the machine (`TZ` or /etc/localtime), UTC where it cannot be told.
    pub fn system() -> Zone {
        Zone(Rule::Named(TimeZone::system()))
    }

    /// A zone of the tz database; case does not matter.
    pub(crate) fn named(name: &str) -> Option<Zone> {
        TimeZone::get(name).ok().map(|zone| Zone(Rule::Named(zone)))
    }

    /// A fixed offset in seconds east of UTC.
    pub(crate) const fn fixed(seconds: i64) -> Zone {
        Zone(Rule::Fixed(seconds))
    }

    /// Offset in seconds east of UTC at an instant (seconds since the epoch).
    pub(crate) fn offset_at(&self, instant: i64) -> i64 {
        let zone = match &self.0 {
            Rule::Fixed(offset) => return *offset,
            Rule::Named(zone) => zone,
        };
        let timestamp = jiff::Timestamp::from_second(instant).or_else(|_| {
            let date = Date::from_epoch_days(instant.div_euclid(DAY_SECONDS));
            let same = Date { year: far_year(date.year), ..date };
            jiff::Timestamp::from_second(same.epoch_days() * DAY_SECONDS + instant.rem_euclid(DAY_SECONDS))
        });
        timestamp.map_or(0, |timestamp| i64::from(zone.to_offset(timestamp).seconds()))
    }

    /// The instant of a local time given as if it were UTC seconds; an overlap takes the earlier instant, a gap has none.
    /// This is how Joda-Time (and so the date filter) reads local times.
    pub(crate) fn instant_strict(&self, local: i64) -> Option<i64> {
        match self.local(local) {
            Local::Plain(offset) | Local::Overlap { before: offset } => Some(local - offset),
            Local::Gap { .. } => None,
        }
    }

    /// As `instant_strict`, but a time in a gap moves forward by the gap's length, as in `java.time.ZonedDateTime`.
    pub(crate) fn instant_lenient(&self, local: i64) -> i64 {
        match self.local(local) {
            Local::Plain(offset) | Local::Overlap { before: offset } | Local::Gap { before: offset } => {
                local - offset
            }
        }
    }

    fn local(&self, local: i64) -> Local {
        let zone = match &self.0 {
            Rule::Fixed(offset) => return Local::Plain(*offset),
            Rule::Named(zone) => zone,
        };
        let date = Date::from_epoch_days(local.div_euclid(DAY_SECONDS));
        let second = local.rem_euclid(DAY_SECONDS);
        let Some(datetime) = jiff_datetime(date, second) else { return Local::Plain(0) };
        let seconds = |offset: Offset| i64::from(offset.seconds());
        match zone.to_ambiguous_timestamp(datetime).offset() {
            AmbiguousOffset::Unambiguous { offset } => Local::Plain(seconds(offset)),
            AmbiguousOffset::Gap { before, .. } => Local::Gap { before: seconds(before) },
            AmbiguousOffset::Fold { before, .. } => Local::Overlap { before: seconds(before) },
        }
    }
}

/// The local time as jiff holds it, in an equivalent year where jiff has no such year.
fn jiff_datetime(date: Date, second: i64) -> Option<jiff::civil::DateTime> {
    let year = if (-9998..=9998).contains(&date.year) { date.year } else { far_year(date.year) };
    let (hour, minute) = (second / 3600, second / 60 % 60);
    jiff::civil::DateTime::new(
        i16::try_from(year).ok()?,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second % 60).ok()?,
        0,
    )
    .ok()
}

/// A year inside jiff's range with the calendar and the rules of a year outside it: the last rule of a zone goes on for
/// ever, as its first one always was, and the calendar repeats every 400 years.
const fn far_year(year: i64) -> i64 {
    (if year > 0 { 9200 } else { -9600 }) + year.rem_euclid(400)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Fixed(0) => f.write_str("UTC"),
            Rule::Fixed(offset) => {
                let sign = if *offset < 0 { '-' } else { '+' };
                let minutes = offset.abs() / 60;
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Rule::Named(zone) => f.write_str(zone.iana_name().unwrap_or("the system zone")),
        }
    }
}
