//! Times in CEF: milliseconds since 1970, or `MMM dd yyyy HH:mm:ss` with or without the year, a fraction and a zone
//! (`timestamp_normalizer.rb`).

use crate::event::Timestamp;
use crate::event::time_format::civil::{DAY_SECONDS, Date};
use crate::event::time_format::{DateParser, DateSource, Locale, PatternError, Precision, Zone};

/// The formats with the year; a zone is read as an offset or as an abbreviation.
const PATTERNS: [&str; 4] = [
    "MMM dd yyyy HH:mm:ss[ XXX][ zzz]",
    "MMM dd yyyy HH:mm:ss.SSS[ XXX][ zzz]",
    "MMM dd yyyy HH:mm:ss.SSSSSS[ XXX][ zzz]",
    "MMM dd yyyy HH:mm:ss.SSSSSSSSS[ XXX][ zzz]",
];
/// The first second of the year 10000, beyond which times are not printed in a way that is read again.
const YEAR_10000: i64 = 253_402_300_800;

/// What reads times.
#[derive(Debug)]
pub struct Times {
    parsers: Vec<DateParser>,
    zone: Zone,
}

impl Times {
    /// `zone` is for times without one, `locale` for the names of months. Fails where the zone is not known.
    pub fn new(zone: Option<&str>, locale: Option<&str>) -> Result<Self, String> {
        let zone = match zone {
            Some(zone) => Zone::for_id(zone).map_err(|error| error.to_string())?,
            None => Zone::system(),
        };
        let locale = locale.map_or_else(Locale::english, Locale::for_tag);
        let compile = |pattern| DateParser::compile(pattern, locale, Precision::Nanoseconds);
        let parsers = PATTERNS.into_iter().map(compile).collect::<Result<_, _>>();
        Ok(Times { parsers: parsers.map_err(|error: PatternError| error.to_string())?, zone })
    }

    /// The time that a text stands for; nothing where it is blank. `zone` is the name of the device's zone. Fails where
    /// the text is not a time.
    pub fn read(&self, text: &str, zone: Option<&str>) -> Result<Option<Timestamp>, String> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        self.read_at(text, zone, Timestamp::now())
            .map(Some)
            .ok_or_else(|| format!("Not a valid CEF timestamp: `{text}`"))
    }

    fn read_at(&self, text: &str, zone: Option<&str>, now: Timestamp) -> Option<Timestamp> {
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return epoch(text);
        }
        let named = zone.map(Zone::for_id).transpose().ok()?;
        let zone = named.as_ref().unwrap_or(&self.zone);
        self.read_local(text, zone, now).or_else(|| {
            // A zone by its name, such as Europe/Paris or UTC+1.
            let (text, zone) = text.rsplit_once(' ')?;
            self.read_local(text, &Zone::for_id(zone).ok()?, now)
        })
    }

    fn read_local(&self, text: &str, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
        let read =
            |text: &str| self.parsers.iter().find_map(|parser| parser.parse(DateSource::Text(text), zone));
        read(text).or_else(|| {
            let mut spaces = text.match_indices(' ').map(|(at, _)| at);
            let (month_end, day_end) = (spaces.next()?, spaces.next()?);
            let (month, time) = (text.get(..month_end)?, text.get(day_end..)?);
            let day = text.get(month_end + 1..day_end)?;
            let in_year = |year: i64| {
                read(&format!("{month} {day} {year:04}{time}")).or_else(|| {
                    // As java.time.MonthDay: February has 28 days in this year.
                    (day == "29").then(|| read(&format!("{month} 28 {year:04}{time}"))).flatten()
                })
            };
            nearest_year(in_year, zone, now)
        })
    }
}

/// The year that makes a time the most plausible: not more than two days in the future, else the past.
fn nearest_year(
    in_year: impl Fn(i64) -> Option<Timestamp>,
    zone: &Zone,
    now: Timestamp,
) -> Option<Timestamp> {
    let seconds = now.epoch_seconds();
    let local = Date::from_epoch_days((seconds + zone.offset_at(seconds)).div_euclid(DAY_SECONDS));
    let soon = seconds + 2 * DAY_SECONDS;
    let this_year = in_year(local.year)?;
    if this_year.epoch_seconds() > soon {
        return in_year(local.year - 1);
    }
    if local.month == 12 {
        return in_year(local.year + 1).filter(|time| time.epoch_seconds() <= soon).or(Some(this_year));
    }
    Some(this_year)
}

/// Milliseconds with or without a fraction, of which six digits count.
fn epoch(text: &str) -> Option<Timestamp> {
    let (millis, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = !millis.starts_with('0') && !fraction.is_empty() && !fraction.contains('.');
    let millis: i64 = millis.parse().ok().filter(|_| is_number)?;
    let nanos: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let seconds = millis.div_euclid(1000);
    if seconds >= YEAR_10000 {
        return None;
    }
    Timestamp::new(seconds, u32::try_from(millis.rem_euclid(1000) * 1_000_000 + nanos).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_at(text: &str, zone: Option<&str>, now: &str) -> Option<String> {
        let times = Times::new(Some("UTC"), None).unwrap();
        times.read_at(text, zone, Timestamp::parse(now).unwrap()).map(|time| time.to_string())
    }

    fn read(text: &str, zone: Option<&str>) -> Option<String> {
        read_at(text, zone, "2024-06-01T00:00:00Z")
    }

    #[test]
    fn zones_come_from_the_text_then_from_the_device() {
        let new_york = Some("America/New_York");
        for (text, zone, expected) in [
            ("Jun 17 2027 17:57:06.456", new_york, "2027-06-17T21:57:06.456Z"),
            ("Jun 17 2027 17:57:06.456 -07:00", new_york, "2027-06-18T00:57:06.456Z"),
            ("Jan 17 2027 17:57:06 PST", None, "2027-01-18T01:57:06.000Z"),
            ("Jun 17 2027 17:57:06 Europe/Paris", None, "2027-06-17T15:57:06.000Z"),
            ("Jun 17 2027 17:57:06 GMT", new_york, "2027-06-17T17:57:06.000Z"),
            ("Mar 17 2021 12:34:56.987654", None, "2021-03-17T12:34:56.987654Z"),
            ("Mar 17 2021 12:34:56.987654321", None, "2021-03-17T12:34:56.987654321Z"),
            ("1616623591694", new_york, "2021-03-24T22:06:31.694Z"),
            ("1616623591694.176789", None, "2021-03-24T22:06:31.694176789Z"),
        ] {
            assert_eq!(read(text, zone).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["Last Thursday", "Jun 17 2027", "0", "01", "1.", "1.2.3", "99999999999999999", "Feb 30 10:00:00"]
        {
            assert_eq!(read(text, None), None, "{text}");
        }
        assert_eq!(read("Jun 17 2027 17:57:06", Some("Nowhere/Land")), None);
    }

    #[test]
    fn a_missing_year_is_the_nearest() {
        for (text, now, expected) in [
            ("May 12 01:02:03", "2024-05-12T00:00:00Z", "2024-05-12T01:02:03.000Z"),
            ("May 13 23:00:00", "2024-05-12T00:00:00Z", "2024-05-13T23:00:00.000Z"),
            ("May 15 01:02:03", "2024-05-12T00:00:00Z", "2023-05-15T01:02:03.000Z"),
            ("Dec 31 01:02:03.500", "2024-01-01T12:00:00Z", "2023-12-31T01:02:03.500Z"),
            ("Jan 01 01:02:03", "2024-12-31T12:00:00Z", "2025-01-01T01:02:03.000Z"),
            ("Jan 05 01:02:03", "2024-12-31T12:00:00Z", "2024-01-05T01:02:03.000Z"),
            ("Feb 29 01:02:03", "2023-06-01T12:00:00Z", "2023-02-28T01:02:03.000Z"),
        ] {
            assert_eq!(read_at(text, None, now).as_deref(), Some(expected), "{text} at {now}");
        }
    }

    #[test]
    fn months_have_the_names_of_the_locale() {
        let times = Times::new(None, Some("fr_FR")).unwrap();
        let time = times.read_at("mars 17 2019 17:57:06.456 +01:00", None, Timestamp::EPOCH);
        assert_eq!(time.map(|time| time.to_string()).as_deref(), Some("2019-03-17T16:57:06.456Z"));
    }
}
