//! The formats of the date filter: ISO8601, UNIX, UNIX_MS, TAI64N and Joda-Time patterns (org.logstash.filters.parser).
use bigdecimal::num_traits::ToPrimitive;
use bigdecimal::{BigDecimal, RoundingMode};

use super::PatternError;
use super::civil::{self, DAY_SECONDS, Date};
use super::fields::{self, Fields};
use super::iso8601;
use super::locale::Locale;
use super::steps::Steps;
use super::zone::Zone;
use crate::event::timestamp::Timestamp;

/// UNIX stops here, as Logstash does.
const MAX_EPOCH_SECONDS: i64 = i32::MAX as i64;
const DAY_MILLIS: i64 = DAY_SECONDS * 1000;

/// One format of the date filter. Results have milliseconds; what is finer is cut off, as Logstash does.
#[derive(Clone, Debug)]
pub struct DateParser(Format);

#[derive(Clone, Debug)]
enum Format {
    Iso8601,
    Unix,
    UnixMillis,
    Tai64n,
    Pattern {
        steps: Steps,
        /// Whether the year must be guessed.
        guesses_year: bool,
        /// Whether a guessed year is that of the zone's time and not of the time in the text.
        has_offset: bool,
    },
}

/// What a date is read from.
#[derive(Clone, Copy, Debug)]
pub enum DateSource<'a> {
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Decimal(&'a BigDecimal),
}

impl DateParser {
    /// One of the names above, else a pattern of Joda-Time's letters, whose names of months and week days are the locale's.
    ///
    /// # Errors
    /// For patterns that are none, and for `zzzz`, which Joda-Time can only print.
    pub fn compile(format: &str, locale: &Locale) -> Result<DateParser, PatternError> {
        DateParser::compile_at(format, locale, Timestamp::now())
    }

    fn compile_at(format: &str, locale: &Locale, now: Timestamp) -> Result<DateParser, PatternError> {
        Ok(DateParser(match format {
            "ISO8601" => Format::Iso8601,
            "UNIX" => Format::Unix,
            "UNIX_MS" => Format::UnixMillis,
            "TAI64N" => Format::Tai64n,
            pattern => Format::Pattern {
                steps: Steps::compile(pattern, locale, year_and_month(now).0)?,
                // Letters in quotes count too, as in org.logstash.filters.parser.JodaParser.
                guesses_year: !pattern.contains(['y', 'Y']),
                has_offset: pattern.contains('Z'),
            },
        }))
    }

    /// Whether a time zone has a part in what this format reads.
    pub fn uses_zone(&self) -> bool {
        matches!(self.0, Format::Iso8601 | Format::Pattern { .. })
    }

    /// The instant, or nothing when the format does not fit. `zone` is for texts that name none.
    pub fn parse(&self, source: DateSource<'_>, zone: &Zone) -> Option<Timestamp> {
        self.parse_at(source, zone, Timestamp::now)
    }

    fn parse_at(
        &self,
        source: DateSource<'_>,
        zone: &Zone,
        now: impl Fn() -> Timestamp,
    ) -> Option<Timestamp> {
        let millis = match (&self.0, source) {
            (Format::Unix, source) => unix(source),
            (Format::UnixMillis, source) => unix_millis(source),
            (Format::Tai64n, DateSource::Text(text)) => tai64n(text),
            (Format::Iso8601, DateSource::Text(text)) => {
                let mut fields = Fields::new();
                iso8601::read(text, &mut fields)?;
                fields.instant(1970, zone)
            }
            (Format::Pattern { steps, guesses_year, has_offset }, DateSource::Text(text)) => {
                let mut fields = Fields::new();
                steps.read(text, &mut fields)?;
                match guesses_year {
                    // A month or day whose year stands in quotes only would need a year here.
                    false => fields.instant(year_and_month(now()).0, zone),
                    true => guess_year(&fields, *has_offset, zone, now()),
                }
            }
            (Format::Iso8601 | Format::Pattern { .. } | Format::Tai64n, _) => None,
        };
        millis.map(Timestamp::from_millis)
    }
}

/// Without a year in the text it is this year; but in January, December is last year's, and in December, January is next year's.
fn guess_year(fields: &Fields, has_offset: bool, zone: &Zone, now: Timestamp) -> Option<i64> {
    let (this_year, this_month) = year_and_month(now);
    let local = if has_offset {
        let instant = fields.instant(this_year, zone)?;
        instant + zone.offset_at(instant.div_euclid(1000)) * 1000
    } else {
        let local = fields.local(this_year)?;
        // A time that the zone skips is none, even if it were there in the year that is guessed.
        fields::instant(local, zone)?;
        local
    };
    let date = Date::from_epoch_days(local.div_euclid(DAY_MILLIS));
    let year = match (date.month, this_month) {
        (12, 1) => this_year - 1,
        (1, 12) => this_year + 1,
        _ => this_year,
    };
    let year = i64::from(year);
    let day = date.day.min(civil::days_in_month(year, date.month));
    let local = Date { year, day, ..date }.epoch_days() * DAY_MILLIS + local.rem_euclid(DAY_MILLIS);
    fields::instant(local, zone)
}

/// Of the machine's zone, as Logstash's clock.
fn year_and_month(now: Timestamp) -> (i32, u8) {
    let local = now.epoch_seconds() + Zone::system().offset_at(now.epoch_seconds());
    let date = Date::from_epoch_days(local.div_euclid(DAY_SECONDS));
    (i32::try_from(date.year).unwrap_or(1970), date.month)
}

fn unix(source: DateSource<'_>) -> Option<i64> {
    let to_millis = |seconds: i64| if seconds > MAX_EPOCH_SECONDS { None } else { seconds.checked_mul(1000) };
    match source {
        DateSource::Integer(seconds) => to_millis(seconds),
        DateSource::Float(seconds) if seconds as i64 > MAX_EPOCH_SECONDS => None,
        DateSource::Float(seconds) => Some((seconds * 1000.0) as i64),
        DateSource::Decimal(seconds) => {
            let millis = seconds * BigDecimal::from(1000);
            let millis = millis.with_scale_round(0, RoundingMode::Down).to_i64()?;
            (millis / 1000 <= MAX_EPOCH_SECONDS).then_some(millis)
        }
        DateSource::Text(text) => {
            let Some((seconds, fraction)) = text.split_once('.') else {
                return to_millis(text.parse().ok()?);
            };
            // The fraction is added even to a negative number, and may itself have a sign: Logstash reads it as a whole number.
            let digits = fraction.get(..3).unwrap_or(fraction);
            let unit = 10_i64.pow(3_u32.saturating_sub(u32::try_from(digits.len()).ok()?));
            to_millis(seconds.parse().ok()?)?.checked_add(digits.parse::<i64>().ok()? * unit)
        }
    }
}

fn unix_millis(source: DateSource<'_>) -> Option<i64> {
    match source {
        DateSource::Integer(millis) => Some(millis),
        DateSource::Float(millis) => Some(millis as i64),
        DateSource::Decimal(millis) => {
            let millis = millis.with_scale_round(0, RoundingMode::Down).to_i64()?;
            (millis <= MAX_EPOCH_SECONDS * 1000).then_some(millis)
        }
        DateSource::Text(text) => text.parse().ok(),
    }
}

/// `@` and 24 hexadecimal digits: seconds from 2^62 and nanoseconds. Of the leap seconds only the first 10 are taken away, as Logstash does.
fn tai64n(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('@').unwrap_or(text);
    let seconds = i64::from_str_radix(digits.get(..16)?, 16).ok()? & ((1 << 62) - 1);
    let nanos = i32::from_str_radix(digits.get(16..24)?, 16).ok()?;
    (seconds - 10).checked_mul(1000)?.checked_add(i64::from(nanos / 1_000_000))
}
