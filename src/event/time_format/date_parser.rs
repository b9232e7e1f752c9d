//! The formats of the date filter: ISO8601, UNIX, UNIX_MS, TAI64N and patterns (org.logstash.filters.parser).
use bigdecimal::num_traits::{ToPrimitive, Zero};
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
const NANOS: i128 = 1_000_000_000;

/// One format of the date filter.
#[derive(Clone, Debug)]
pub struct DateParser {
    format: Format,
    precision: Precision,
}

/// What is kept of a fraction of a second, and the language that patterns are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Cuts off at milliseconds; Joda-Time's letters.
    Milliseconds,
    /// java.time's letters.
    Nanoseconds,
}

#[derive(Clone, Debug)]
enum Format {
    Iso8601,
    Unix,
    UnixMillis,
    Tai64n,
    Pattern {
        steps: Steps,
        /// The year of a date whose year stands nowhere but in the pattern's quotes.
        year: i32,
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
    /// One of the names above, else a pattern, whose names of months and week days are the locale's.
    ///
    /// # Errors
    /// For patterns that are none, and for letters that can be printed but not read.
    pub fn compile(format: &str, locale: &Locale, precision: Precision) -> Result<DateParser, PatternError> {
        DateParser::compile_at(format, locale, precision, Timestamp::now())
    }

    fn compile_at(
        format: &str,
        locale: &Locale,
        precision: Precision,
        now: Timestamp,
    ) -> Result<DateParser, PatternError> {
        let year = year_and_month(now).0;
        let format = match format {
            "ISO8601" => Format::Iso8601,
            "UNIX" => Format::Unix,
            "UNIX_MS" => Format::UnixMillis,
            "TAI64N" => Format::Tai64n,
            pattern => Format::Pattern {
                steps: match precision {
                    Precision::Milliseconds => Steps::compile(pattern, locale, year)?,
                    Precision::Nanoseconds => Steps::compile_java(pattern, locale)?,
                },
                year,
                // Letters in quotes count too, as in org.logstash.filters.parser.JodaParser.
                guesses_year: match precision {
                    Precision::Milliseconds => !pattern.contains(['y', 'Y']),
                    Precision::Nanoseconds => !pattern.contains(['y', 'u']),
                },
                has_offset: pattern.contains('Z'),
            },
        };
        Ok(DateParser { format, precision })
    }

    /// Whether a time zone has a part in what this format reads.
    pub fn uses_zone(&self) -> bool {
        matches!(self.format, Format::Iso8601 | Format::Pattern { .. })
    }

    /// Whether Logstash raises on this text, instead of going on to the next format: one that is too short for TAI64N.
    pub fn raises_on(&self, source: DateSource<'_>) -> bool {
        let (Format::Tai64n, DateSource::Text(text)) = (&self.format, source) else { return false };
        let text = text.strip_prefix('@').unwrap_or(text).as_bytes();
        match text.get(..16) {
            Some(seconds) => text.len() < 24 && seconds.iter().all(u8::is_ascii_hexdigit),
            None => true,
        }
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
        let exact = self.precision == Precision::Nanoseconds;
        match (&self.format, source) {
            (Format::Unix, source) if exact => exact_unix(source),
            (Format::Unix, source) => unix(source).map(Timestamp::from_millis),
            (Format::UnixMillis, source) => unix_millis(source, exact),
            (Format::Tai64n, DateSource::Text(text)) => tai64n(text, exact),
            (Format::Iso8601, DateSource::Text(text)) => {
                let mut fields = Fields::new();
                iso8601::read(text, &mut fields)?;
                self.timestamp(fields.instant(1970, zone)?, &fields)
            }
            (Format::Pattern { steps, year, guesses_year, has_offset }, DateSource::Text(text)) => {
                let mut fields = Fields::new();
                steps.read(text, &mut fields)?;
                let millis = match guesses_year {
                    false => fields.instant(*year, zone),
                    true => guess_year(&fields, *has_offset, zone, now()),
                };
                self.timestamp(millis?, &fields)
            }
            (Format::Iso8601 | Format::Pattern { .. } | Format::Tai64n, _) => None,
        }
    }

    fn timestamp(&self, millis: i64, fields: &Fields) -> Option<Timestamp> {
        let timestamp = Timestamp::from_millis(millis);
        match self.precision {
            Precision::Milliseconds => Some(timestamp),
            Precision::Nanoseconds => {
                Timestamp::new(timestamp.epoch_seconds(), timestamp.nanos() + fields.nanos)
            }
        }
    }
}

/// Without a year in the text it is this year; but in January, December is last year's, and in December, January
/// is next year's.
fn guess_year(fields: &Fields, has_offset: bool, zone: &Zone, now: Timestamp) -> Option<i64> {
    let (this_year, this_month) = year_and_month(now);
    let instant = match has_offset {
        true => fields.instant(this_year, zone)?,
        false => fields::instant(fields.local(this_year)?, zone)?,
    };
    let local = instant + zone.offset_at(instant.div_euclid(1000)) * 1000;
    let date = Date::from_epoch_days(local.div_euclid(DAY_MILLIS));
    let year = match (date.month, this_month) {
        (12, 1) => this_year - 1,
        (1, 12) => this_year + 1,
        _ => this_year,
    };
    let year = i64::from(year);
    if year == date.year {
        return Some(instant);
    }
    // A time that the zone skips in that year moves on by what is skipped.
    let day = date.day.min(civil::days_in_month(year, date.month));
    let seconds = local.div_euclid(1000).rem_euclid(DAY_SECONDS);
    let seconds = zone.instant_lenient(Date { year, day, ..date }.epoch_days() * DAY_SECONDS + seconds);
    Some(seconds * 1000 + local.rem_euclid(1000))
}

/// Of the machine's zone, as Logstash's clock.
fn year_and_month(now: Timestamp) -> (i32, u8) {
    let local = now.epoch_seconds() + Zone::system().offset_at(now.epoch_seconds());
    let date = Date::from_epoch_days(local.div_euclid(DAY_SECONDS));
    (i32::try_from(date.year).unwrap_or(1970), date.month)
}

/// Seconds since the epoch, to milliseconds.
fn unix(source: DateSource<'_>) -> Option<i64> {
    let to_millis = |seconds: i64| if seconds > MAX_EPOCH_SECONDS { None } else { seconds.checked_mul(1000) };
    match source {
        DateSource::Integer(seconds) => to_millis(seconds),
        DateSource::Float(seconds) if seconds as i64 > MAX_EPOCH_SECONDS => None,
        DateSource::Float(seconds) => Some((seconds * 1000.0) as i64),
        DateSource::Decimal(seconds) => {
            let millis = scaled(seconds, 3)?;
            (millis / 1000 <= MAX_EPOCH_SECONDS).then_some(millis)
        }
        DateSource::Text(text) => {
            let Some((seconds, fraction)) = text.split_once('.') else {
                return to_millis(text.parse().ok()?);
            };
            // The fraction is added even to a negative number, and may itself have a sign: Logstash reads it as a
            // whole number.
            let digits = fraction.get(..3).unwrap_or(fraction);
            let unit = 10_i64.pow(3_u32.saturating_sub(u32::try_from(digits.len()).ok()?));
            to_millis(seconds.parse().ok()?)?.checked_add(digits.parse::<i64>().ok()? * unit)
        }
    }
}

/// Seconds since the epoch, to nanoseconds; a float by its shortest decimal notation.
fn exact_unix(source: DateSource<'_>) -> Option<Timestamp> {
    let decimal = match source {
        DateSource::Integer(seconds) => BigDecimal::from(seconds),
        DateSource::Float(seconds) => seconds.to_string().parse().ok()?,
        DateSource::Text(text) => {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let is_number = digits.len() <= 64
                && digits.starts_with(|first: char| first.is_ascii_digit())
                && digits.ends_with(|last: char| last.is_ascii_digit())
                && digits.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
            text.parse().ok().filter(|_| is_number)?
        }
        DateSource::Decimal(seconds) => seconds.clone(),
    };
    let nanos = i128::from(scaled(&decimal, 9)?);
    from_nanos(nanos).filter(|timestamp| timestamp.epoch_seconds() <= MAX_EPOCH_SECONDS)
}

/// Milliseconds since the epoch, of which an exact reading keeps fractions.
fn unix_millis(source: DateSource<'_>, exact: bool) -> Option<Timestamp> {
    match source {
        DateSource::Integer(millis) => Some(Timestamp::from_millis(millis)),
        DateSource::Text(text) => text.parse().ok().map(Timestamp::from_millis),
        DateSource::Float(millis) if exact => {
            unix_millis(DateSource::Decimal(&millis.to_string().parse().ok()?), exact)
        }
        DateSource::Float(millis) => Some(Timestamp::from_millis(millis as i64)),
        DateSource::Decimal(millis) => {
            if scaled(millis, 0)? > MAX_EPOCH_SECONDS * 1000 {
                return None;
            }
            match exact {
                true => from_nanos(i128::from(scaled(millis, 6)?)),
                false => scaled(millis, 0).map(Timestamp::from_millis),
            }
        }
    }
}

/// The number times a power of ten, without what is left of its fraction.
fn scaled(number: &BigDecimal, power: i64) -> Option<i64> {
    // Numbers far away from what fits are never written out: 1e999999999 has a billion digits.
    let magnitude = number.order_of_magnitude();
    if number.is_zero() || magnitude < -20 {
        return Some(0);
    }
    if magnitude > 20 {
        return None;
    }
    let (digits, scale) = number.with_scale_round(power, RoundingMode::Down).into_bigint_and_scale();
    // Rounding to `power` decimal places leaves exactly these.
    (scale == power).then(|| digits.to_i64()).flatten()
}

fn from_nanos(nanos: i128) -> Option<Timestamp> {
    let seconds = i64::try_from(nanos.div_euclid(NANOS)).ok()?;
    Timestamp::new(seconds, u32::try_from(nanos.rem_euclid(NANOS)).ok()?)
}

/// `@` and 24 hexadecimal digits: seconds from 2^62 and nanoseconds. Of the leap seconds only the first 10 are
/// taken away, as Logstash does.
fn tai64n(text: &str, exact: bool) -> Option<Timestamp> {
    let digits = text.strip_prefix('@').unwrap_or(text);
    let seconds = i64::from_str_radix(digits.get(..16)?, 16).ok()? & ((1 << 62) - 1);
    let nanos = i32::from_str_radix(digits.get(16..24)?, 16).ok()?;
    if exact {
        return Timestamp::new(seconds - 10, u32::try_from(nanos).ok()?);
    }
    let millis = (seconds - 10).checked_mul(1000)?.checked_add(i64::from(nanos / 1_000_000))?;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
#[path = "date_parser_tests.rs"]
mod tests;
