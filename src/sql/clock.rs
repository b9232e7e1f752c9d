//! `Clock`: the time zone in which a database without zones means its dates and times.

use jiff::civil;
use jiff::tz::TimeZone;

use crate::event::Timestamp;

/// A time zone, and which of two instants an ambiguous time means (`timezone_proxy.rb`).
#[derive(Debug, Clone)]
pub struct Clock {
    zone: TimeZone,
    /// Of the hour that comes twice in autumn: whether summer time still holds.
    summer_on_overlap: bool,
}

/// A name that is no time zone, or an extension that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownClock {
    #[error("\"{0}\" is no time zone; expected a name such as America/Denver")]
    Zone(String),
    #[error(
        "there is no extension \"{0}\" of a time zone; there are: dst_enabled_on_overlap:true, dst_enabled_on_overlap:false"
    )]
    Extension(String),
}

impl Clock {
    /// The machine's time zone.
    pub fn local() -> Self {
        Clock { zone: TimeZone::system(), summer_on_overlap: true }
    }

    pub fn utc() -> Self {
        Clock { zone: TimeZone::UTC, summer_on_overlap: true }
    }

    /// A zone of the IANA database with optional extensions: `America/Denver[dst_enabled_on_overlap:true]`.
    ///
    /// # Errors
    /// The zone or the extension is not known.
    pub fn parse(spec: &str) -> Result<Self, UnknownClock> {
        let unknown = || UnknownClock::Zone(spec.to_owned());
        let (name, extensions) = match spec.split_once('[') {
            None => (spec, None),
            Some((name, rest)) => (name, Some(rest.strip_suffix(']').ok_or_else(unknown)?)),
        };
        let zone = match name {
            // Connector/J's words for the machine's zone.
            "LOCAL" | "SERVER" => TimeZone::system(),
            name => match fixed_offset(name) {
                Some(offset) => offset,
                None => TimeZone::get(name).map_err(|_| unknown())?,
            },
        };
        let mut clock = Clock { zone, summer_on_overlap: true };
        for extension in extensions.into_iter().flat_map(|all| all.split(';')) {
            clock.summer_on_overlap = match extension {
                "dst_enabled_on_overlap:true" => true,
                "dst_enabled_on_overlap:false" => false,
                other => return Err(UnknownClock::Extension(other.to_owned())),
            };
        }
        Ok(clock)
    }

    /// The IANA name, where the zone has one.
    pub fn name(&self) -> Option<&str> {
        self.zone.iana_name()
    }

    /// The instant at which this clock shows a time. In the gap of spring: as late as if the clock had not been put
    /// forward.
    pub fn instant(&self, shown: civil::DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(shown);
        let instant = match ambiguous.offset() {
            jiff::tz::AmbiguousOffset::Fold { .. } if !self.summer_on_overlap => ambiguous.later(),
            _ => ambiguous.compatible(),
        };
        from_jiff(instant.ok()?)
    }

    /// What this clock shows at an instant, and its offset from UTC in seconds.
    pub fn shows(&self, time: Timestamp) -> Option<(civil::DateTime, i32)> {
        let instant = jiff::Timestamp::new(time.epoch_seconds(), time.nanos().cast_signed()).ok()?;
        let offset = self.zone.to_offset(instant);
        Some((offset.to_datetime(instant), offset.seconds()))
    }

    /// The date of now.
    pub fn today(&self) -> Option<civil::Date> {
        self.shows(Timestamp::now()).map(|(shown, _)| shown.date())
    }

    /// A text such as `2024-01-31 10:20:30.5`, or one with an offset (`+01`, `Z`) of its own.
    pub fn read_timestamp(&self, text: &str) -> Option<Timestamp> {
        match text.parse::<jiff::Timestamp>() {
            Ok(instant) => from_jiff(instant),
            Err(_) => self.instant(text.parse::<civil::DateTime>().ok()?),
        }
    }

    /// A text such as `2024-01-31`: midnight of that day.
    pub fn read_date(&self, text: &str) -> Option<Timestamp> {
        self.instant(text.parse::<civil::Date>().ok()?.at(0, 0, 0, 0))
    }

    /// A text such as `10:20:30`: that time of today, which is what Sequel's `SQLTime` is.
    pub fn read_time(&self, text: &str) -> Option<Timestamp> {
        let time = text.parse::<civil::Time>().ok()?;
        self.instant(self.today()?.to_datetime(time))
    }
}

/// `+02:00` and the like.
fn fixed_offset(name: &str) -> Option<TimeZone> {
    let (sign, digits) = match name.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    jiff::tz::Offset::from_seconds(sign * seconds).ok().map(jiff::tz::Offset::to_time_zone)
}

fn from_jiff(instant: jiff::Timestamp) -> Option<Timestamp> {
    const SECOND: i128 = 1_000_000_000;
    let nanos = instant.as_nanosecond();
    Timestamp::new(
        i64::try_from(nanos.div_euclid(SECOND)).ok()?,
        u32::try_from(nanos.rem_euclid(SECOND)).ok()?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spec: &str, text: &str) -> String {
        Clock::parse(spec).unwrap().read_timestamp(text).unwrap().to_string()
    }

    #[test]
    fn an_ambiguous_time_is_one_of_two() {
        // The night of 2023-11-05: 01:30 comes at 06:30 UTC and again at 07:30 UTC (tz database, America/Chicago).
        let text = "2023-11-05 01:30:00";
        assert_eq!(read("America/Chicago[dst_enabled_on_overlap:true]", text), "2023-11-05T06:30:00.000Z");
        assert_eq!(read("America/Chicago[dst_enabled_on_overlap:false]", text), "2023-11-05T07:30:00.000Z");
        assert_eq!(Clock::parse("America/Chicago[x:1]").unwrap_err(), UnknownClock::Extension("x:1".into()));
        assert!(Clock::parse("Mars/Olympus").is_err());
    }

    #[test]
    fn a_text_with_an_offset_is_an_instant() {
        assert_eq!(read("America/Chicago", "2024-01-31 10:20:30.25+01"), "2024-01-31T09:20:30.250Z");
        assert_eq!(read("+02:00", "1969-12-31 23:59:59.5"), "1969-12-31T21:59:59.500Z");
    }
}
