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

    /// A zone by the id that Joda-Time knows it by (org.joda.time.DateTimeZone.forID): a name of the tz database
    /// as it is written there, `UTC`, `UT`, `GMT`, `Z`, or an offset such as `+09`, `+0900`, `-03:30`,
    /// `UTC+01:00`.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn for_id(id: &str) -> Result<Zone, UnknownZone> {
        if matches!(id, "UTC" | "UT" | "GMT" | "Z") {
            return Ok(Zone::UTC);
        }
        if let Some(zone) = Zone::exactly(id) {
            return Ok(zone);
        }
        let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id);
        match read_offset(offset, 0) {
            Some((millis, end)) if end == offset.len() => Ok(Zone::fixed(millis / 1000)),
            _ => Err(UnknownZone(id.to_owned())),
        }
    }

    /// A zone of the tz database, by its name in its own upper and lower case.
    pub(crate) fn exactly(name: &str) -> Option<Zone> {
        let zone = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())?;
        (zone.iana_name() == Some(name)).then_some(Zone(Rule::Named(zone)))
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

    /// The instant of a local time given as if it were UTC seconds; an overlap takes the earlier instant, a gap
    /// has none. This is how Joda-Time (and so the date filter) reads local times.
    pub(crate) fn instant_strict(&self, local: i64) -> Option<i64> {
        match self.local(local) {
            Local::Plain(offset) | Local::Overlap { before: offset } => Some(local - offset),
            Local::Gap { .. } => None,
        }
    }

    /// As `instant_strict`, but a time in a gap moves forward by the gap's length, as in
    /// `java.time.ZonedDateTime`.
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

/// A year inside jiff's range with the calendar and the rules of a year outside it: the last rule of a zone goes
/// on for ever, as its first one always was, and the calendar repeats every 400 years.
const fn far_year(year: i64) -> i64 {
    (if year > 0 { 9200 } else { -9600 }) + year.rem_euclid(400)
}

/// Reads `+hh`, `+hhmm`, `+hh:mm` and so on down to milliseconds, from the byte `at` on: the offset in
/// milliseconds and where it ends (`TimeZoneOffset` of Joda-Time's DateTimeFormatterBuilder).
pub(crate) fn read_offset(text: &str, at: usize) -> Option<(i64, usize)> {
    let bytes = text.as_bytes();
    let negative = match bytes.get(at)? {
        b'-' => true,
        b'+' => false,
        _ => return None,
    };
    let two_digits = |at: usize| match bytes.get(at..at + 2) {
        Some([tens @ b'0'..=b'9', ones @ b'0'..=b'9']) => Some(i64::from((tens - b'0') * 10 + (ones - b'0'))),
        _ => None,
    };
    let mut at = at + 1;
    let hours = two_digits(at).filter(|hours| *hours <= 23)?;
    at += 2;
    let mut millis = hours * 3_600_000;
    let colons = bytes.get(at) == Some(&b':');
    for unit in [60_000, 1000] {
        match bytes.get(at) {
            Some(b':') if colons => at += 1,
            Some(byte) if !colons && byte.is_ascii_digit() => {}
            _ => return Some((if negative { -millis } else { millis }, at)),
        }
        millis += unit * two_digits(at).filter(|number| *number <= 59)?;
        at += 2;
    }
    let fraction_at = match bytes.get(at) {
        Some(b'.' | b',') if colons => at + 1,
        Some(byte) if !colons && byte.is_ascii_digit() => at,
        _ => return Some((if negative { -millis } else { millis }, at)),
    };
    let digits = bytes.iter().skip(fraction_at).take(3).take_while(|byte| byte.is_ascii_digit());
    let (fraction, unit) =
        digits.fold((0, 100), |(sum, unit), digit| (sum + i64::from(digit - b'0') * unit, unit / 10));
    // One digit at least; the unit tells how many there were.
    let count = match unit {
        100 => return None,
        10 => 1,
        1 => 2,
        _ => 3,
    };
    millis += fraction;
    Some((if negative { -millis } else { millis }, fraction_at + count))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_ids_joda_knows() {
        for (id, offset) in [
            ("UTC", 0),
            ("Z", 0),
            ("Asia/Seoul", 32_400),
            ("EST5EDT", -18_000),
            ("+05:30", 19_800),
            ("-08:00", -28_800),
            ("+0900", 32_400),
            ("-03", -10_800),
            ("GMT+01:00", 3600),
            ("+09:00:30", 32_430),
        ] {
            let zone = Zone::for_id(id).expect(id);
            assert_eq!(zone.offset_at(1_700_000_000), offset, "{id}");
        }
        for id in ["Nowhere/City", "asia/seoul", "+9", "+24:00", "09:00", "", "Etc/Unknown", "UTC+", "+09:0"]
        {
            assert_eq!(Zone::for_id(id).err(), Some(UnknownZone(id.to_owned())));
        }
    }

    #[test]
    fn local_times_follow_joda_around_transitions() {
        let new_york = Zone::for_id("America/New_York").expect("a zone");
        // 2024-03-10 02:30 does not exist, 2024-11-03 01:30 is there twice.
        assert_eq!(new_york.instant_strict(1_710_037_800), None);
        assert_eq!(new_york.instant_lenient(1_710_037_800), 1_710_037_800 + 5 * 3600);
        assert_eq!(new_york.instant_strict(1_730_597_400), Some(1_730_597_400 + 4 * 3600));
    }

    #[test]
    fn rules_go_on_beyond_the_year_9999() {
        let london = Zone::for_id("Europe/London").expect("a zone");
        let noon = |year, month| Date { year, month, day: 15 }.epoch_days() * DAY_SECONDS + 43_200;
        for year in [20_240, 287_396] {
            assert_eq!(london.offset_at(noon(year, 1)), 0);
            assert_eq!(london.offset_at(noon(year, 7)), 3600);
            assert_eq!(london.instant_strict(noon(year, 7)), Some(noon(year, 7) - 3600));
        }
        assert_eq!(london.offset_at(noon(-20_240, 7)), -75);
    }
}
