//! Joda-Time's pattern letters (org.joda.time.format.DateTimeFormat): how `%{+...}` prints and what the date
//! filter's patterns consist of.
use super::PatternError;
use super::moment::Field;
use super::print::{Print, Sign, names, print_all};
use crate::event::timestamp::Timestamp;

/// A part of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A run of one letter.
    Letters { letter: char, count: usize },
    /// Everything else, and what stands in quotes.
    Literal(String),
}

impl Token {
    /// Whether it prints and reads digits, so that a number before it must not take them.
    pub(super) fn is_numeric(&self) -> bool {
        match self {
            Token::Letters { letter: 'M', count } => *count <= 2,
            Token::Letters { letter, .. } => "CxyYdhHmsSeDwkK".contains(*letter),
            Token::Literal(_) => false,
        }
    }
}

/// Splits a pattern. A quote that is never closed quotes to the end, as in Joda-Time.
pub(super) fn tokens(pattern: &str) -> Result<Vec<Token>, PatternError> {
    if pattern.is_empty() {
        return Err(PatternError::Empty);
    }
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(first) = chars.peek().copied() {
        if first.is_ascii_alphabetic() {
            let mut count = 0;
            while chars.next_if_eq(&first).is_some() {
                count += 1;
            }
            if !"GCxyYMdahHkKmsSeEDwzZ".contains(first) {
                return Err(PatternError::letter(first, count, pattern));
            }
            tokens.push(Token::Letters { letter: first, count });
            continue;
        }
        let mut text = String::new();
        let mut quoted = false;
        while let Some(next) = chars.next_if(|next| quoted || !next.is_ascii_alphabetic()) {
            if next != '\'' {
                text.push(next);
            } else if chars.next_if_eq(&'\'').is_some() {
                text.push('\'');
            } else {
                quoted = !quoted;
            }
        }
        tokens.push(Token::Literal(text));
    }
    // A lone quote is a pattern of nothing.
    if tokens.iter().all(|token| matches!(token, Token::Literal(text) if text.is_empty())) {
        return Err(PatternError::Empty);
    }
    Ok(tokens)
}

/// The pattern of a `%{+YYYY.MM.dd}`, which prints in UTC and in English.
#[derive(Clone, Debug)]
pub struct JodaFormat {
    steps: Vec<Print>,
}

impl JodaFormat {
    /// # Errors
    /// For an empty pattern and for letters that mean nothing.
    pub fn compile(pattern: &str) -> Result<JodaFormat, PatternError> {
        let steps = tokens(pattern)?.into_iter().map(printer).collect();
        Ok(JodaFormat { steps })
    }

    /// Appends the timestamp. Joda-Time knows milliseconds only, so further digits of a fraction are 0.
    pub fn format(&self, timestamp: Timestamp, out: &mut String) {
        print_all(&self.steps, timestamp, out);
    }
}

fn printer(token: Token) -> Print {
    let (letter, count) = match token {
        Token::Literal(text) => return Print::Literal(text.into()),
        Token::Letters { letter, count } => (letter, count),
    };
    let field = match letter {
        'x' | 'y' | 'Y' if count == 2 => {
            return Print::TwoDigits(if letter == 'x' { Field::IsoWeekYear } else { Field::Year });
        }
        'M' if count >= 4 => return Print::Text { field: Field::Month, names: names::MONTHS },
        'M' if count == 3 => return Print::Text { field: Field::Month, names: names::SHORT_MONTHS },
        'E' if count >= 4 => return Print::Text { field: Field::DayOfWeek, names: names::WEEKDAYS },
        'E' => return Print::Text { field: Field::DayOfWeek, names: names::SHORT_WEEKDAYS },
        'G' => return Print::Text { field: Field::Era, names: names::ERAS },
        'a' => return Print::Text { field: Field::Halfday, names: names::HALFDAYS },
        'S' => return Print::JodaFraction { digits: count },
        'z' if count >= 4 => return Print::Literal("Coordinated Universal Time".into()),
        'Z' if count == 1 => return Print::Literal("+0000".into()),
        'Z' if count == 2 => return Print::Literal("+00:00".into()),
        'C' => Field::Century,
        'x' => Field::IsoWeekYear,
        'y' => Field::Year,
        'Y' => Field::YearOfEra,
        'M' => Field::Month,
        'd' => Field::DayOfMonth,
        'h' => Field::ClockHourOfHalfday,
        'H' => Field::Hour,
        'k' => Field::ClockHour,
        'K' => Field::HourOfHalfday,
        'm' => Field::Minute,
        's' => Field::Second,
        'e' => Field::DayOfWeek,
        'D' => Field::DayOfYear,
        'w' => Field::IsoWeek,
        // What remains are the zone's name and id.
        _ => return Print::Literal("UTC".into()),
    };
    Print::Number { field, width: count, sign: Sign::Negative }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(pattern: &str, timestamp: &str) -> String {
        let mut out = String::new();
        let timestamp = timestamp.parse().expect("a timestamp");
        JodaFormat::compile(pattern).expect(pattern).format(timestamp, &mut out);
        out
    }

    #[test]
    fn prints_as_logstash_does() {
        for (pattern, expected) in [
            ("%ss", "%09"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSZZ", "2024-05-06T07:08:09.123+00:00"),
            ("y|yy|yyy|yyyy|yyyyy|Y|YY|YYYY|x|xx|xxxx", "2024|24|2024|2024|02024|2024|24|2024|2024|24|2024"),
            ("M|MM|MMM|MMMM|MMMMM", "5|05|May|May|May"),
            ("d|dd|ddd|D|DDD|e|ee|E|EEE|EEEE", "6|06|006|127|127|1|01|Mon|Mon|Monday"),
            ("w|ww|xxxx-'W'ww", "19|19|2024-W19"),
            ("H|HH|h|hh|k|kk|K|KK|a", "7|07|7|07|7|07|7|07|AM"),
            ("Z|ZZ|ZZZ|z|zzzz", "+0000|+00:00|UTC|UTC|Coordinated Universal Time"),
            ("'year' yyyy", "year 2024"),
            ("yyyy''MM", "2024'05"),
            ("'it''s'", "it's"),
            ("MMdd|dd.M.yy|HHmmss|DDDDD|HHHH", "0506|06.5.24|070809|00127|0007"),
            ("EEEEEEEE|aaaa|MMMMMMM|yyyyyyyy", "Monday|AM|May|00002024"),
        ] {
            assert_eq!(format(pattern, "2024-05-06T07:08:09.123Z"), expected, "{pattern}");
        }
        assert_eq!(format("YYYY.MM.dd|xxxx.ww|yyyy", "2024-12-31T12:00:00.000Z"), "2024.12.31|2025.01|2024");
        assert_eq!(format("YYYY.MM.dd|xxxx.ww|yyyy", "2021-01-02T12:00:00.000Z"), "2021.01.02|2020.53|2021");
        assert_eq!(format("yyyy|YYYY|y", "0099-12-31T00:00:00Z"), "0099|0099|99");
        let hours = "H|HH|h|hh|k|kk|K|KK|a";
        assert_eq!(format(hours, "2024-05-06T00:00:00.000Z"), "0|00|12|12|24|24|0|00|AM");
        assert_eq!(format(hours, "2024-05-06T12:00:00.000Z"), "12|12|12|12|12|12|0|00|PM");
        assert_eq!(format(hours, "2024-05-06T23:59:59.999Z"), "23|23|11|11|23|23|11|11|PM");
    }

    #[test]
    fn fractions_stop_at_milliseconds() {
        assert_eq!(format("S|SS|SSSSSS", "2024-05-06T07:08:09.123456Z"), "1|12|123000");
    }

    #[test]
    fn names_the_letters_it_does_not_know() {
        let message = |pattern| JodaFormat::compile(pattern).map(|_| ()).unwrap_err().to_string();
        assert!(message("yyyy-bb").contains("`bb`"), "{}", message("yyyy-bb"));
        assert!(message("yyyy-bb").contains("`yyyy-bb`"));
        assert!(message("").contains("empty"));
        assert!(JodaFormat::compile("yyyy 'abc").is_ok());
    }
}
