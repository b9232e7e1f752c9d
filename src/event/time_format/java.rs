//! The pattern letters of `java.time.format.DateTimeFormatter` (JDK 21, US locale), which `%{{...}}` prints with.
use super::PatternError;
use super::moment::Field;
use super::print::{DayPeriods, Print, Sign, names, print_all};
use crate::event::timestamp::Timestamp;

const DAY_PERIODS: DayPeriods = DayPeriods {
    midnight: "midnight",
    noon: "noon",
    periods: ["at night", "in the morning", "in the afternoon", "in the evening"],
};
const NARROW_DAY_PERIODS: DayPeriods = DayPeriods { midnight: "mi", noon: "n", ..DAY_PERIODS };

/// The pattern of a `%{{yyyy-MM-dd'T'HH:mm}}`, which prints in UTC and in American English.
#[derive(Clone, Debug)]
pub struct JavaTimeFormat {
    steps: Vec<Print>,
}

/// A part of a pattern.
#[derive(Debug)]
pub(super) enum Part {
    /// A run of one letter, and the width to pad it to.
    Letters {
        letter: char,
        count: usize,
        pad: Option<usize>,
    },
    Literal(Box<str>),
    OptionalStart,
    OptionalEnd,
}

/// Splits a pattern, of whose letters each has a meaning.
pub(super) fn parts(pattern: &str) -> Result<Vec<Part>, PatternError> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    let mut pad = None;
    let mut depth = 0_usize;
    while let Some(next) = chars.next() {
        parts.push(match next {
            letter if letter.is_ascii_alphabetic() => {
                let mut count = 1;
                while chars.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                if letter == 'p' && pad.is_none() {
                    if !chars.peek().is_some_and(char::is_ascii_alphabetic) {
                        return Err(PatternError::PadsNothing(pattern.to_owned()));
                    }
                    pad = Some(count);
                    continue;
                }
                printer(letter, count).ok_or_else(|| PatternError::letter(letter, count, pattern))?;
                Part::Letters { letter, count, pad: pad.take() }
            }
            '\'' => Part::Literal(quoted(&mut chars, pattern)?),
            '[' => {
                depth += 1;
                Part::OptionalStart
            }
            ']' => {
                depth = depth.checked_sub(1).ok_or_else(|| PatternError::Bracket(pattern.to_owned()))?;
                Part::OptionalEnd
            }
            '{' | '}' | '#' => return Err(PatternError::Reserved(next, pattern.to_owned())),
            other => Part::Literal(other.to_string().into()),
        });
    }
    Ok(parts)
}

impl JavaTimeFormat {
    /// # Errors
    /// For letters that mean nothing or stand too often, unbalanced brackets and quotes, and reserved characters.
    pub fn compile(pattern: &str) -> Result<JavaTimeFormat, PatternError> {
        let steps = parts(pattern)?.into_iter().filter_map(|part| match part {
            Part::Literal(text) => Some(Print::Literal(text)),
            // Every field of an instant is there, so that optional parts always print.
            Part::OptionalStart | Part::OptionalEnd => None,
            Part::Letters { letter, count, pad } => {
                let step = printer(letter, count)?;
                // A value wider than its pad prints in full; the JDK would throw.
                Some(match pad {
                    Some(width) => Print::Padded { width, inner: Box::new(step) },
                    None => step,
                })
            }
        });
        Ok(JavaTimeFormat { steps: steps.collect() })
    }

    /// Appends the timestamp.
    pub fn format(&self, timestamp: Timestamp, out: &mut String) {
        print_all(&self.steps, timestamp, out);
    }
}

/// The text up to the closing quote; the opening one is read already.
fn quoted(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    pattern: &str,
) -> Result<Box<str>, PatternError> {
    let mut text = String::new();
    loop {
        match chars.next() {
            Some('\'') if chars.next_if_eq(&'\'').is_some() => text.push('\''),
            Some('\'') if text.is_empty() => return Ok("'".into()),
            Some('\'') => return Ok(text.into()),
            Some(other) => text.push(other),
            None => return Err(PatternError::Quote(pattern.to_owned())),
        }
    }
}

/// Nothing for a letter that has no meaning or stands too often.
fn printer(letter: char, count: usize) -> Option<Print> {
    match letter {
        'u' | 'y' | 'Y' => Some(year(letter, count)),
        'M' | 'L' | 'Q' | 'q' | 'E' | 'e' | 'c' | 'G' | 'a' | 'B' => name(letter, count),
        'V' | 'v' | 'z' | 'O' | 'X' | 'x' | 'Z' => zone(letter, count),
        'S' => (count <= 9).then_some(Print::Fraction { digits: count }),
        _ => number(letter, count),
    }
}

fn year(letter: char, count: usize) -> Print {
    let field = match letter {
        'u' => Field::Year,
        'y' => Field::YearOfEra,
        _ => Field::UsWeekYear,
    };
    match count {
        2 => Print::TwoDigits(field),
        width @ (1 | 3) => Print::Number { field, width, sign: Sign::Negative },
        width => Print::Number { field, width, sign: Sign::Exceeding },
    }
}

fn number(letter: char, count: usize) -> Option<Print> {
    let (field, most) = match letter {
        'D' => (Field::DayOfYear, 3),
        'd' => (Field::DayOfMonth, 2),
        'g' => (Field::ModifiedJulianDay, 19),
        'w' => (Field::UsWeek, 2),
        'W' => (Field::UsWeekOfMonth, 1),
        'F' => (Field::AlignedWeekOfMonth, 1),
        'h' => (Field::ClockHourOfHalfday, 2),
        'H' => (Field::Hour, 2),
        'k' => (Field::ClockHour, 2),
        'K' => (Field::HourOfHalfday, 2),
        'm' => (Field::Minute, 2),
        's' => (Field::Second, 2),
        'A' => (Field::MilliOfDay, 19),
        'n' => (Field::Nano, 19),
        'N' => (Field::NanoOfDay, 19),
        _ => return None,
    };
    (count <= most).then_some(Print::Number { field, width: count, sign: Sign::Negative })
}

fn name(letter: char, count: usize) -> Option<Print> {
    let number = |field| Some(Print::Number { field, width: count, sign: Sign::Negative });
    let text = |field, names| Some(Print::Text { field, names });
    match (letter, count) {
        ('M' | 'L', 1 | 2) => number(Field::Month),
        ('M' | 'L', 3) => text(Field::Month, names::SHORT_MONTHS),
        ('M' | 'L', 4) => text(Field::Month, names::MONTHS),
        ('M' | 'L', 5) => text(Field::Month, names::NARROW_MONTHS),
        ('Q' | 'q', 1 | 2) => number(Field::Quarter),
        ('Q' | 'q', 3) => text(Field::Quarter, names::SHORT_QUARTERS),
        ('Q' | 'q', 4) => text(Field::Quarter, names::QUARTERS),
        ('Q' | 'q', 5) => text(Field::Quarter, names::NARROW_QUARTERS),
        ('e', 1 | 2) | ('c', 1) => number(Field::UsDayOfWeek),
        ('E', 1..=3) | ('e' | 'c', 3) => text(Field::DayOfWeek, names::SHORT_WEEKDAYS),
        ('E' | 'e' | 'c', 4) => text(Field::DayOfWeek, names::WEEKDAYS),
        ('E' | 'e' | 'c', 5) => text(Field::DayOfWeek, names::NARROW_WEEKDAYS),
        ('G', 1..=3) => text(Field::Era, names::ERAS),
        ('G', 4) => text(Field::Era, names::LONG_ERAS),
        ('G', 5) => text(Field::Era, names::NARROW_ERAS),
        ('a', 1) => text(Field::Halfday, names::HALFDAYS),
        ('B', 1 | 4) => Some(Print::DayPeriod { names: &DAY_PERIODS }),
        ('B', 5) => Some(Print::DayPeriod { names: &NARROW_DAY_PERIODS }),
        _ => None,
    }
}

/// The zone is always the offset 0, which the JDK calls `Z`.
fn zone(letter: char, count: usize) -> Option<Print> {
    let text = match (letter, count) {
        ('V', 2) | ('v', 1 | 4) | ('z', 1..=4) | ('X', 1..=5) | ('Z', 5) => "Z",
        ('O', 1 | 4) | ('Z', 4) => "GMT",
        ('x', 1) => "+00",
        ('x', 3 | 5) => "+00:00",
        ('x', 2 | 4) | ('Z', 1..=3) => "+0000",
        _ => return None,
    };
    Some(Print::Literal(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(pattern: &str, timestamp: &str) -> String {
        let mut out = String::new();
        let timestamp = timestamp.parse().expect("a timestamp");
        JavaTimeFormat::compile(pattern).expect(pattern).format(timestamp, &mut out);
        out
    }

    #[test]
    fn prints_as_logstash_does() {
        for (pattern, expected) in [
            ("", ""),
            ("yyyy-MM-dd", "2024-05-06"),
            ("uuuu.MM.dd", "2024.05.06"),
            ("u|uu|y|yy|yyyy|G|GGGG|GGGGG", "2024|24|2024|24|2024|AD|Anno Domini|A"),
            ("M|MM|MMM|MMMM|MMMMM|L|LLL|LLLL", "5|05|May|May|M|5|May|May"),
            ("d|dd|D|DDD|E|EEEE|EEEEE|e|c|F", "6|06|127|127|Mon|Monday|M|2|2|1"),
            ("Q|QQ|QQQ|QQQQ|q|qqqq", "2|02|Q2|2nd quarter|2|2nd quarter"),
            ("'day' dd|''", "day 06|'"),
            ("yyyy[-MM][-dd]", "2024-05-06"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSXXX", "2024-05-06T07:08:09.123456789Z"),
        ] {
            assert_eq!(format(pattern, "2024-05-06T07:08:09.123456789Z"), expected, "{pattern}");
        }
        assert_eq!(format("uuuu|yyyy", "0099-12-31T00:00:00Z"), "0099|0099");
        assert_eq!(format("e|EEE|W|F", "2024-05-05T00:00:00Z"), "1|Sun|2|1");
    }

    #[test]
    fn pads_and_signs_as_the_jdk_does() {
        let timestamp = "2024-05-06T07:08:09.123456789Z";
        assert_eq!(format("ppppd|pppMMMM", timestamp), "   6|May");
        assert_eq!(format("w|ww|YYYY|W", "2024-12-29T00:00:00Z"), "1|01|2025|5");
        assert_eq!(format("uuuu|uuu|yyyy G", "+12024-01-01T00:00:00Z"), "+12024|12024|+12024 AD");
        assert_eq!(format("uuuu|yyyy G", "-0044-03-15T00:00:00Z"), "-0044|0045 BC");
        assert_eq!(format("B|BBBBB", "2024-01-01T12:00:30Z"), "noon|n");
    }

    #[test]
    fn refuses_what_the_jdk_refuses() {
        for (pattern, culprit) in [
            ("bbb", "`bbb`"),
            ("aa", "`aa`"),
            ("SSSSSSSSSS", "`SSSSSSSSSS`"),
            ("yyyy]", "]"),
            ("yyyy 'abc", "quote"),
            ("yyyy#", "`#`"),
            ("ppp-", "`p`"),
        ] {
            let message = JavaTimeFormat::compile(pattern).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(culprit) && message.contains(pattern), "{message}");
        }
    }
}
