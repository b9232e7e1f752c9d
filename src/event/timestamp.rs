//! The event's time: an instant with nanoseconds, printed and read as `LogStash::Timestamp` does
//! (org.logstash.Timestamp).
use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::time_format::Zone;
use super::time_format::civil::{self, DAY_SECONDS, Date};

thread_local! {
    /// The time at which [`Timestamp::now`] stands still on this thread.
    static AS_OF: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// The longest text is that of the year 1,000,000,000 with nanoseconds.
const MAX_TEXT: usize = "+1000000000-12-31T23:59:59.999999999Z".len();

/// An instant: seconds since 1970-01-01T00:00:00Z and nanoseconds within that second, over the years of
/// `java.time.Instant`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

// What keeps a `Value` at 24 bytes.
const _: () = assert!(size_of::<Timestamp>() == 16);

/// A text that is not a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 8601 date and time")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Timestamp = Timestamp { seconds: 0, nanos: 0 };
    /// -1000000000-01-01T00:00:00.000Z, as `java.time.Instant.MIN`.
    pub const MIN: Timestamp = Timestamp { seconds: -31_557_014_167_219_200, nanos: 0 };
    /// +1000000000-12-31T23:59:59.999999999Z, as `java.time.Instant.MAX`.
    pub const MAX: Timestamp = Timestamp { seconds: 31_556_889_864_403_199, nanos: 999_999_999 };

    /// Nothing beyond `MIN` and `MAX`, or when `nanos` is a second or more.
    pub const fn new(seconds: i64, nanos: u32) -> Option<Timestamp> {
        if seconds < Timestamp::MIN.seconds || seconds > Timestamp::MAX.seconds || nanos > 999_999_999 {
            return None;
        }
        Some(Timestamp { seconds, nanos })
    }

    /// The time of the machine's clock; within [`as_of`](Self::as_of), the time given there.
    pub fn now() -> Timestamp {
        AS_OF.get().unwrap_or_else(Timestamp::of_clock)
    }

    /// Runs `decode` with `now` standing still. What was read a while ago is decoded with it, since its events happened
    /// when they came, not when a worker got to them.
    pub fn as_of<T>(time: Timestamp, decode: impl FnOnce() -> T) -> T {
        /// Puts back what was, also where decoding panics.
        struct Restore(Option<Timestamp>);
        impl Drop for Restore {
            fn drop(&mut self) {
                AS_OF.set(self.0);
            }
        }
        let _restore = Restore(AS_OF.replace(Some(time)));
        decode()
    }

    fn of_clock() -> Timestamp {
        // A clock before 1970 is a machine without a clock: its time means nothing.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp { seconds: since.as_secs() as i64, nanos: since.subsec_nanos() }
    }

    /// Every number of milliseconds is in range.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp { seconds: millis.div_euclid(1000), nanos: millis.rem_euclid(1000) as u32 * 1_000_000 }
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn epoch_seconds(self) -> i64 {
        self.seconds
    }

    /// Whole milliseconds since the epoch, rounded down; at the ends of the range the nearest `i64`.
    pub const fn epoch_millis(self) -> i64 {
        let millis = self.seconds as i128 * 1000 + self.nanos as i128 / 1_000_000;
        if millis > i64::MAX as i128 {
            i64::MAX
        } else if millis < i64::MIN as i128 {
            i64::MIN
        } else {
            millis as i64
        }
    }

    /// Nanoseconds within the second, 0 to 999,999,999.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// Appends the text Logstash prints: `2024-05-06T07:08:09.123Z`, with 3, 6 or 9 digits of fraction.
    pub fn write_to(self, out: &mut Vec<u8>) {
        let mut text = [0; MAX_TEXT];
        out.extend_from_slice(self.render(&mut text));
    }

    fn render(self, text: &mut [u8; MAX_TEXT]) -> &[u8] {
        let date = Date::from_epoch_days(self.seconds.div_euclid(DAY_SECONDS));
        let second = self.seconds.rem_euclid(DAY_SECONDS) as u32;
        let mut writer = Writer { text, length: 0 };
        writer.year(date.year);
        writer.pair(b'-', u32::from(date.month));
        writer.pair(b'-', u32::from(date.day));
        writer.pair(b'T', second / 3600);
        writer.pair(b':', second / 60 % 60);
        writer.pair(b':', second % 60);
        writer.byte(b'.');
        let (fraction, digits) = match self.nanos {
            nanos if nanos % 1_000_000 == 0 => (nanos / 1_000_000, 3),
            nanos if nanos % 1_000 == 0 => (nanos / 1_000, 6),
            nanos => (nanos, 9),
        };
        writer.number(u64::from(fraction), digits);
        writer.byte(b'Z');
        let length = writer.length;
        &text[..length]
    }

    /// What an event's `@timestamp` may be as a string: an ISO 8601 date; then optionally `T` and a time of day
    /// with up to 9 digits of fraction; then optionally a zone (`Z`, `+09:00`, `+0900`, `+09`, `UTC`,
    /// `Asia/Seoul`), without which it is the machine's. The last days of a month may be counted too far (`02-30`
    /// is its last day).
    pub fn parse(text: &str) -> Option<Timestamp> {
        let mut reader = Reader { text, at: 0 };
        let (days, end_of_date) = (reader.date()?, reader.at);
        let time = reader.time().unwrap_or_else(|| {
            reader.at = end_of_date;
            TimeOfDay::default()
        });
        let local = days.checked_mul(DAY_SECONDS)?.checked_add(time.seconds)?;
        let zone = reader.zone()?;
        Timestamp::new(zone.instant_lenient(local), time.nanos)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; MAX_TEXT];
        f.write_str(str::from_utf8(self.render(&mut text)).unwrap_or_default())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Timestamp::parse(text).ok_or(InvalidTimestamp)
    }
}

/// Writes digits into a buffer that holds every timestamp's text. Timestamps are printed for nearly every event
/// that leaves.
struct Writer<'a> {
    text: &'a mut [u8; MAX_TEXT],
    length: usize,
}

impl Writer<'_> {
    fn byte(&mut self, byte: u8) {
        self.text[self.length] = byte;
        self.length += 1;
    }

    fn pair(&mut self, before: u8, number: u32) {
        let digits = [before, b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        self.text[self.length..self.length + 3].copy_from_slice(&digits);
        self.length += 3;
    }

    /// At least four digits; a sign before negative years and before those of more digits.
    fn year(&mut self, year: i64) {
        if year < 0 {
            self.byte(b'-');
        } else if year > 9999 {
            self.byte(b'+');
        }
        let number = year.unsigned_abs();
        let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
        self.number(number, digits.max(4));
    }

    fn number(&mut self, mut number: u64, digits: usize) {
        for place in self.text[self.length..self.length + digits].iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.length += digits;
    }
}

#[derive(Default)]
struct TimeOfDay {
    /// 0 to 86,400: the hour 24 is the next day's first.
    seconds: i64,
    nanos: u32,
}

/// Reads a timestamp's text part by part, as the formatter of org.logstash.Timestamp does with the JDK's rules.
struct Reader<'a> {
    text: &'a str,
    /// Where the next part begins, in bytes.
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()?.eq_ignore_ascii_case(&byte)).then(|| self.at += 1)
    }

    /// The number that up to `most` digits make, and how many there were.
    fn digits(&mut self, most: usize) -> (i64, usize) {
        let digits = self.rest().bytes().take(most).take_while(u8::is_ascii_digit);
        let (number, count) =
            digits.fold((0, 0), |(number, count), digit| (number * 10 + i64::from(digit - b'0'), count + 1));
        self.at += count;
        (number, count)
    }

    fn two_digits(&mut self, limit: i64) -> Option<i64> {
        let (number, count) = self.digits(2);
        (count == 2 && number <= limit).then_some(number)
    }

    /// Four digits without a sign, or a sign: `+` demands more digits than four, `-` a year other than 0.
    fn year(&mut self) -> Option<i64> {
        let sign = self.peek()?;
        if matches!(sign, b'+' | b'-') {
            self.at += 1;
        }
        let (year, count) = self.digits(10);
        let valid = match sign {
            b'+' => count > 4,
            b'-' => count >= 4 && year != 0,
            _ => count == 4,
        };
        (valid && year <= 999_999_999).then_some(if sign == b'-' { -year } else { year })
    }

    fn date(&mut self) -> Option<i64> {
        let year = self.year()?;
        self.take(b'-')?;
        let month = self.two_digits(12)? as u8;
        self.take(b'-')?;
        let day = self.two_digits(31)? as u8;
        if month == 0 || day == 0 {
            return None;
        }
        let day = day.min(civil::days_in_month(year, month));
        Some(Date { year, month, day }.epoch_days())
    }

    fn time(&mut self) -> Option<TimeOfDay> {
        self.take(b'T')?;
        let hour = self.two_digits(24)?;
        self.take(b':')?;
        let minute = self.two_digits(59)?;
        let (mut second, mut nanos) = (0, 0);
        if self.take(b':').is_some() {
            second = self.two_digits(59)?;
            if self.take(b'.').is_some() {
                let (fraction, count) = self.digits(9);
                nanos = fraction as u32 * 10_u32.pow(9 - count as u32);
            }
        }
        if hour == 24 && (minute, second, nanos) != (0, 0, 0) {
            return None;
        }
        Some(TimeOfDay { seconds: hour * 3600 + minute * 60 + second, nanos })
    }

    /// All of the rest.
    fn zone(&mut self) -> Option<Zone> {
        let rest = self.rest();
        if rest.is_empty() {
            return Some(Zone::system());
        }
        if rest.eq_ignore_ascii_case("Z") {
            return Some(Zone::UTC);
        }
        if rest.starts_with(['+', '-']) {
            return self.offset().map(Zone::fixed);
        }
        let prefix = ["UTC", "GMT", "UT"]
            .into_iter()
            .find(|name| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        match prefix {
            Some(name) if rest.len() == name.len() => Some(Zone::UTC),
            Some(name) if rest[name.len()..].starts_with(['+', '-']) => {
                self.at += name.len();
                self.offset().map(Zone::fixed)
            }
            _ => Zone::named(rest),
        }
    }

    /// `+09:00`, `+09:00:30`, `+09`, `+0900` or `+090030`, up to 18 hours, in seconds.
    fn offset(&mut self) -> Option<i64> {
        let sign = if self.peek()? == b'-' { -1 } else { 1 };
        self.at += 1;
        let mut seconds = self.two_digits(18)? * 3600;
        let colon = self.take(b':').is_some();
        if colon || !self.rest().is_empty() {
            seconds += self.two_digits(59)? * 60;
        }
        if !self.rest().is_empty() {
            if colon {
                self.take(b':')?;
            }
            seconds += self.two_digits(59)?;
        }
        (self.rest().is_empty() && seconds <= 18 * 3600).then_some(sign * seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Option<String> {
        Timestamp::parse(text).map(|timestamp| timestamp.to_string())
    }

    #[test]
    fn reads_and_prints_as_logstash_does() {
        for (text, expected) in [
            ("2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123Z"),
            ("2024-05-06T07:08:09+09:00", "2024-05-05T22:08:09.000Z"),
            ("2024-05-06T07:08:09+0900", "2024-05-05T22:08:09.000Z"),
            ("2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123456789Z"),
            ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09.000Z"),
            ("2024-05-06T07:08:09.1Z", "2024-05-06T07:08:09.100Z"),
            ("2024-05-06T07:08:09.12Z", "2024-05-06T07:08:09.120Z"),
            ("2024-05-06T07:08:09.1234Z", "2024-05-06T07:08:09.123400Z"),
            ("0099-12-31T00:00:00Z", "0099-12-31T00:00:00.000Z"),
            ("2023-02-29T00:00:00Z", "2023-02-28T00:00:00.000Z"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_logstash_refuses() {
        for text in [
            "",
            "2024-05-06T07:08:09,123Z",
            "2024-05-06 07:08:09",
            "2024-05-06T07:08:09.1234567890Z",
            "2024-13-06T07:08:09Z",
            "2024-00-06T07:08:09Z",
            "2024-05-32T07:08:09Z",
            "2024-05-06T07:60:09Z",
            "2024-05-06T07:08:60Z",
            "2024-05-06T24:00:01Z",
            "2024-05-06T07:08:09+19:00",
            "2024-05-06T07:08:09+09:",
            "2024-05-06T07:08:09Nowhere/City",
            "2024-05-06T07:08:09Zx",
            "24-05-06T07:08:09Z",
            "12024-05-06T07:08:09Z",
            "+2024-05-06T07:08:09Z",
            "-0000-01-01T00:00:00Z",
            "2024-05-06T07:08:09é",
        ] {
            assert_eq!(printed(text), None, "{text}");
        }
    }

    #[test]
    fn follows_the_jdk_where_it_is_lenient() {
        for (text, expected) in [
            ("2024-05-06t24:00:00z", "2024-05-07T00:00:00.000Z"),
            ("2024-05-06T07:08Z", "2024-05-06T07:08:00.000Z"),
            ("2024-05-06Z", "2024-05-06T00:00:00.000Z"),
            ("2024-04-31T00:00:00-01", "2024-04-30T01:00:00.000Z"),
            ("2024-05-06T07:08:09.Z", "2024-05-06T07:08:09.000Z"),
            ("2024-05-06T07:08:09+09:00:30", "2024-05-05T22:07:39.000Z"),
            ("2024-05-06T07:08:09utc+01:00", "2024-05-06T06:08:09.000Z"),
            ("2024-05-06T07:08:09Asia/Seoul", "2024-05-05T22:08:09.000Z"),
            ("2024-03-10T02:30:00America/New_York", "2024-03-10T07:30:00.000Z"),
            ("2024-11-03T01:30:00America/New_York", "2024-11-03T05:30:00.000Z"),
            ("+12024-05-06T07:08:09Z", "+12024-05-06T07:08:09.000Z"),
            ("-0044-03-15T00:00:00Z", "-0044-03-15T00:00:00.000Z"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn prints_every_instant() {
        assert_eq!(Timestamp::from_millis(9_007_199_254_740_993).to_string(), "+287396-10-12T08:59:00.993Z");
        assert_eq!(Timestamp::from_millis(253_402_300_800_000).to_string(), "+10000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(-1500).to_string(), "1969-12-31T23:59:58.500Z");
        assert_eq!(Timestamp::MIN.to_string(), "-1000000000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "+1000000000-12-31T23:59:59.999999999Z");
        let mut out = b"at ".to_vec();
        Timestamp::EPOCH.write_to(&mut out);
        assert_eq!(out, b"at 1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn time_stands_still_while_something_older_is_decoded() {
        let now = || Timestamp::as_of(Timestamp::EPOCH, Timestamp::now);
        assert_eq!(
            Timestamp::as_of(Timestamp::MAX, || (now(), Timestamp::now())),
            (Timestamp::EPOCH, Timestamp::MAX)
        );
        let panicked =
            std::panic::catch_unwind(|| Timestamp::as_of(Timestamp::EPOCH, || panic!("while decoding")));
        assert!(panicked.is_err() && Timestamp::now() > Timestamp::EPOCH);
    }

    #[test]
    fn keeps_to_its_range() {
        assert_eq!(Timestamp::new(0, 1_000_000_000), None);
        assert_eq!(Timestamp::new(Timestamp::MAX.epoch_seconds() + 1, 0), None);
        assert_eq!(Timestamp::from_millis(-1).epoch_seconds(), -1);
        assert_eq!(Timestamp::from_millis(-1).epoch_millis(), -1);
        assert_eq!(Timestamp::from_millis(i64::MIN).epoch_millis(), i64::MIN);
        assert_eq!(Timestamp::MAX.epoch_millis(), i64::MAX);
        assert!(Timestamp::from_millis(1) > Timestamp::EPOCH);
    }
}
