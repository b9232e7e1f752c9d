//! The parsing side of Joda-Time patterns: one small step for each part
//! (org.joda.time.format.DateTimeFormatterBuilder).
use super::PatternError;
use super::fields::{Field, Fields, MOST_FIELDS};
use super::joda::{Token, tokens};
use super::locale::{Locale, Names};
use super::zone::{Zone, read_offset};

/// The zone abbreviations that Joda-Time reads in any language.
const ABBREVIATIONS: [(&str, &str); 11] = [
    ("UTC", "UTC"),
    ("UT", "UTC"),
    ("GMT", "UTC"),
    ("EST", "America/New_York"),
    ("EDT", "America/New_York"),
    ("CST", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("MST", "America/Denver"),
    ("MDT", "America/Denver"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
];

/// Reads one part of a text.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Upper and lower case are the same.
    Literal(Box<str>),
    /// From `least` to `digits` digits.
    Number {
        field: Field,
        least: usize,
        digits: usize,
        signed: bool,
    },
    /// Two digits of a year near `pivot`; where `lenient`, another number of digits or a sign makes a full year.
    TwoDigitYear {
        field: Field,
        pivot: i32,
        lenient: bool,
    },
    Fraction {
        least: usize,
        digits: usize,
    },
    Text {
        field: Field,
        texts: Texts,
    },
    Offset,
    ZoneName(Vec<(&'static str, Zone)>),
    ZoneId,
    /// All of these or none.
    Optional(Vec<Step>),
}

/// A pattern of the date filter, ready to read texts.
#[derive(Clone, Debug)]
pub(super) struct Steps(pub(super) Vec<Step>);

impl Steps {
    /// Two-digit years are read as the ones nearest to `year` less 30.
    pub(super) fn compile(pattern: &str, locale: &Locale, year: i32) -> Result<Steps, PatternError> {
        let tokens = tokens(pattern)?;
        if tokens.len() > MOST_FIELDS {
            return Err(PatternError::TooLong(pattern.to_owned()));
        }
        let steps = tokens.iter().enumerate().map(|(index, token)| {
            let before_number = tokens.get(index + 1).is_some_and(Token::is_numeric);
            match token {
                Token::Literal(text) => Ok(Step::Literal(text.as_str().into())),
                Token::Letters { letter: 'z', count: 4.. } => {
                    Err(PatternError::ZoneNames(pattern.to_owned()))
                }
                Token::Letters { letter: 'z', .. } => Ok(Step::ZoneName(zone_names())),
                Token::Letters { letter, count } => Ok(step(*letter, *count, before_number, locale, year)),
            }
        });
        steps.collect::<Result<_, _>>().map(Steps)
    }

    /// Reads the whole text, or nothing.
    pub(super) fn read(&self, text: &str, fields: &mut Fields) -> Option<()> {
        let end = read_all(&self.0, text, 0, fields)?;
        (end == text.len()).then_some(())
    }
}

fn read_all(steps: &[Step], text: &str, at: usize, fields: &mut Fields) -> Option<usize> {
    steps.iter().try_fold(at, |at, step| step.read(text, at, fields))
}

pub(super) fn zone_names() -> Vec<(&'static str, Zone)> {
    ABBREVIATIONS.into_iter().filter_map(|(name, id)| Some((name, Zone::for_id(id).ok()?))).collect()
}

fn step(letter: char, count: usize, before_number: bool, locale: &Locale, year: i32) -> Step {
    let text = |field, names: &Names| Step::Text { field, texts: Texts::new(names, locale) };
    let (field, digits) = match letter {
        'x' | 'y' | 'Y' if count == 2 => {
            let field = if letter == 'x' { Field::WeekYear } else { Field::Year };
            return Step::TwoDigitYear { field, pivot: year - 30, lenient: !before_number };
        }
        'M' if count >= 3 => return text(Field::Month, &locale.months),
        'E' => return text(Field::DayOfWeek, &locale.weekdays),
        'a' => return text(Field::Halfday, &locale.halfdays),
        'G' => return Step::Text { field: Field::Era, texts: Texts::eras(locale) },
        'S' => return Step::Fraction { least: 1, digits: count.min(18) },
        'Z' if count <= 2 => return Step::Offset,
        'Z' => return Step::ZoneId,
        'C' => (Field::Century, count),
        'x' | 'y' | 'Y' => {
            let digits = if before_number { count } else { count.max(9) };
            let field = match letter {
                'x' => Field::WeekYear,
                'y' => Field::Year,
                _ => Field::YearOfEra,
            };
            (field, digits)
        }
        'M' => (Field::Month, 2),
        'd' => (Field::DayOfMonth, count.max(2)),
        'h' => (Field::ClockHourOfHalfday, count.max(2)),
        'H' => (Field::Hour, count.max(2)),
        'k' => (Field::ClockHour, count.max(2)),
        'K' => (Field::HourOfHalfday, count.max(2)),
        'm' => (Field::Minute, count.max(2)),
        's' => (Field::Second, count.max(2)),
        'e' => (Field::DayOfWeek, count),
        'D' => (Field::DayOfYear, count.max(3)),
        // The last letter left is `w`.
        _ => (Field::Week, count.max(2)),
    };
    Step::Number { field, least: 1, digits, signed: matches!(letter, 'C' | 'x' | 'y') }
}

impl Step {
    /// Where the part ends that begins at the byte `at`.
    fn read(&self, text: &str, at: usize, fields: &mut Fields) -> Option<usize> {
        match self {
            Step::Literal(literal) => read_literal(text, at, literal),
            Step::Number { field, least, digits, signed } => {
                let (number, end) = read_number(text, at, *digits, *signed)?;
                if end - at < *least {
                    return None;
                }
                fields.save(*field, number)?;
                Some(end)
            }
            Step::TwoDigitYear { field, pivot, lenient } => {
                let (year, end) = read_two_digit_year(text, at, *pivot, *lenient)?;
                fields.save(*field, year)?;
                Some(end)
            }
            Step::Fraction { least, digits } => {
                let end = read_fraction(text, at, *digits, Field::MilliOfSecond, fields)?;
                (end - at >= *least).then_some(end)
            }
            Step::Text { field, texts } => {
                let (value, length) = texts.find(text.get(at..)?)?;
                fields.save(*field, value)?;
                Some(at + length)
            }
            Step::Offset => read_zone_offset(text, at, fields),
            Step::ZoneName(names) => {
                let rest = text.get(at..)?;
                let longest = names.iter().filter(|(name, _)| rest.starts_with(name));
                let (name, zone) = longest.max_by_key(|(name, _)| name.len())?;
                fields.zone = Some(zone.clone());
                Some(at + name.len())
            }
            Step::ZoneId => {
                let rest = text.get(at..)?;
                let is_of_id = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
                let longest = rest.bytes().take(64).take_while(|byte| is_of_id(*byte)).count();
                let (zone, length) = (1..=longest).rev().find_map(|length| {
                    let id = rest.get(..length)?;
                    let zone = if id == "UTC" { Some(Zone::UTC) } else { Zone::exactly(id) };
                    Some((zone?, length))
                })?;
                fields.zone = Some(zone);
                Some(at + length)
            }
            Step::Optional(steps) => {
                let before = fields.clone();
                let end = read_all(steps, text, at, fields);
                Some(end.unwrap_or_else(|| {
                    *fields = before;
                    at
                }))
            }
        }
    }
}

/// Reads text that must stand there, in upper or lower case.
pub(super) fn read_literal(text: &str, at: usize, literal: &str) -> Option<usize> {
    let rest = text.get(at..)?;
    if rest.as_bytes().starts_with(literal.as_bytes()) {
        return Some(at + literal.len());
    }
    let mut chars = rest.chars();
    let same = literal.chars().all(|wanted| chars.next().is_some_and(|there| same_letter(there, wanted)));
    same.then(|| text.len() - chars.as_str().len())
}

/// Equal but for case, by the mappings of one character to one.
fn same_letter(a: char, b: char) -> bool {
    fn single(mut mapped: impl Iterator<Item = char>, before: char) -> char {
        match (mapped.next(), mapped.next()) {
            (Some(after), None) => after,
            _ => before,
        }
    }
    let upper = |letter: char| single(letter.to_uppercase(), letter);
    let lower = |letter: char| single(letter.to_lowercase(), letter);
    a == b
        || a.eq_ignore_ascii_case(&b)
        || !(a.is_ascii() && b.is_ascii()) && (upper(a) == upper(b) || lower(upper(a)) == lower(upper(b)))
}

/// Reads at most so many digits, and before them a sign where there may be one.
pub(super) fn read_number(text: &str, at: usize, most: usize, signed: bool) -> Option<(i32, usize)> {
    let bytes = text.as_bytes().get(at..)?;
    let sign = bytes.first().copied().filter(|sign| signed && most > 1 && matches!(sign, b'-' | b'+'));
    let start = usize::from(sign.is_some());
    let digits = bytes.get(start..)?.iter().take(most).take_while(|byte| byte.is_ascii_digit());
    let (number, count) = digits.fold((0_i64, 0), |(number, count), digit| {
        (number.saturating_mul(10).saturating_add(i64::from(digit - b'0')), count + 1)
    });
    if count == 0 {
        return None;
    }
    let number = i32::try_from(if sign == Some(b'-') { -number } else { number }).ok()?;
    Some((number, at + start + count))
}

fn read_two_digit_year(text: &str, at: usize, pivot: i32, lenient: bool) -> Option<(i32, usize)> {
    if lenient {
        let (year, end) = read_number(text, at, usize::MAX, true)?;
        let is_plain = text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        if !is_plain || end - at != 2 {
            return Some((year, end));
        }
    }
    let (year, end) = read_number(text, at, 2, false).filter(|(_, end)| end - at == 2)?;
    let low = pivot - 50;
    let low_in_century = low.rem_euclid(100);
    Some((year + low + if year < low_in_century { 100 } else { 0 } - low_in_century, end))
}

/// Reads a decimal fraction of the field's unit: milliseconds, and of a second also what is finer.
pub(super) fn read_fraction(
    text: &str,
    at: usize,
    most: usize,
    field: Field,
    fields: &mut Fields,
) -> Option<usize> {
    let mut unit: i64 = match field {
        Field::MilliOfHour => 3_600_000,
        Field::MilliOfMinute => 60_000,
        _ => 1000,
    };
    let (mut tenths, mut nanos, mut nano_unit) = (0, 0, 1_000_000_000);
    let mut end = at;
    for digit in text.as_bytes().get(at..)?.iter().take(most).take_while(|byte| byte.is_ascii_digit()) {
        nano_unit /= 10;
        nanos += u32::from(digit - b'0') * nano_unit;
        tenths += i64::from(digit - b'0') * unit;
        unit /= 10;
        end += 1;
    }
    if end == at {
        return None;
    }
    fields.save(field, i32::try_from(tenths / 10).ok()?)?;
    if field == Field::MilliOfSecond {
        fields.nanos = nanos % 1_000_000;
    }
    Some(end)
}

/// Reads `Z` or an offset.
pub(super) fn read_zone_offset(text: &str, at: usize, fields: &mut Fields) -> Option<usize> {
    if matches!(text.as_bytes().get(at), Some(b'Z' | b'z')) {
        fields.offset = Some(0);
        return Some(at + 1);
    }
    let (offset, end) = read_offset(text, at)?;
    fields.offset = Some(offset);
    Some(end)
}

/// Names of one kind as they may stand in a text: long or short, as written or all in upper or lower case.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    /// By first byte, and the longest of them first.
    sorted: Vec<(Box<str>, i32)>,
}

impl Texts {
    pub(super) fn new(names: &Names, locale: &Locale) -> Texts {
        // Names count from 1, but halves of the day and eras, of which there are two, from 0.
        let first = i32::from(names.long.len() > 2);
        let numbered = |names: &[&'static str]| -> Vec<(&'static str, i32)> {
            names.iter().copied().zip(first..).collect()
        };
        // No text is taken that is longer than every long name.
        let limit = names.long.iter().map(|name| name.encode_utf16().count()).max().unwrap_or_default();
        let mut sorted: Vec<(Box<str>, i32)> = Vec::new();
        // Where two have the same text, the short name and the lower number win.
        for (name, value) in numbered(&names.short).into_iter().chain(numbered(&names.long)) {
            for text in [name.to_owned(), locale.lower(name), locale.upper(name)] {
                if text.encode_utf16().count() <= limit && sorted.iter().all(|(other, _)| **other != *text) {
                    sorted.push((text.into(), value));
                }
            }
        }
        Texts { sorted }.sort()
    }

    pub(super) fn eras(locale: &Locale) -> Texts {
        let mut texts = Texts::new(&locale.eras, locale);
        if locale.language == "en" {
            let more = [("BCE", 0), ("bce", 0), ("CE", 1), ("ce", 1)];
            texts.sorted.extend(more.map(|(text, value)| (text.into(), value)));
        }
        texts.sort()
    }

    fn sort(mut self) -> Texts {
        self.sorted.sort_by_key(|(text, _)| (text.bytes().next(), usize::MAX - text.len()));
        self
    }

    /// The value of the longest name that the text begins with, and the name's length in bytes.
    fn find(&self, text: &str) -> Option<(i32, usize)> {
        let first = text.bytes().next();
        let start = self.sorted.partition_point(|(name, _)| name.bytes().next() < first);
        let mut same = self.sorted.iter().skip(start).take_while(|(name, _)| name.bytes().next() == first);
        let (name, value) = same.find(|(name, _)| text.starts_with(&**name))?;
        Some((*value, name.len()))
    }
}
