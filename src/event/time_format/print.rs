//! What both format languages compile to: a list of things to print one after the other.
use super::moment::{Field, Moment};
use crate::event::timestamp::Timestamp;

/// One thing to print.
#[derive(Clone, Debug)]
pub(super) enum Print {
    Literal(Box<str>),
    /// A number with at least `width` digits.
    Number {
        field: Field,
        width: usize,
        sign: Sign,
    },
    /// The last two digits of a year.
    TwoDigits(Field),
    /// The first `digits` digits of the second's fraction.
    Fraction {
        digits: usize,
    },
    /// As `Fraction`, as Joda-Time prints it: from milliseconds.
    JodaFraction {
        digits: usize,
    },
    /// A name of the list that `names` picks, at the field's value.
    Text {
        field: Field,
        names: &'static [&'static str],
    },
    DayPeriod {
        names: &'static DayPeriods,
    },
    /// Spaces before what follows, up to `width` characters.
    Padded {
        width: usize,
        inner: Box<Print>,
    },
}

/// When a number shows a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// `-` before negative numbers.
    Negative,
    /// Also `+` before numbers of more digits than the width.
    Exceeding,
}

/// English names for parts of the day.
#[derive(Debug)]
pub(super) struct DayPeriods {
    pub(super) midnight: &'static str,
    pub(super) noon: &'static str,
    /// Night until 6, morning until 12, afternoon until 18, evening until 21.
    pub(super) periods: [&'static str; 4],
}

/// English names, January first and Monday first.
pub(super) mod names {
    pub(in super::super) const MONTHS: &[&str] = &[
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    pub(in super::super) const SHORT_MONTHS: &[&str] =
        &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    pub(in super::super) const NARROW_MONTHS: &[&str] =
        &["J", "F", "M", "A", "M", "J", "J", "A", "S", "O", "N", "D"];
    pub(in super::super) const WEEKDAYS: &[&str] =
        &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    pub(in super::super) const SHORT_WEEKDAYS: &[&str] = &["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    pub(in super::super) const NARROW_WEEKDAYS: &[&str] = &["M", "T", "W", "T", "F", "S", "S"];
    pub(in super::super) const HALFDAYS: &[&str] = &["AM", "PM"];
    pub(in super::super) const ERAS: &[&str] = &["BC", "AD"];
    pub(in super::super) const LONG_ERAS: &[&str] = &["Before Christ", "Anno Domini"];
    pub(in super::super) const NARROW_ERAS: &[&str] = &["B", "A"];
    pub(in super::super) const QUARTERS: &[&str] =
        &["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];
    pub(in super::super) const SHORT_QUARTERS: &[&str] = &["Q1", "Q2", "Q3", "Q4"];
    pub(in super::super) const NARROW_QUARTERS: &[&str] = &["1", "2", "3", "4"];
}

/// Appends a timestamp, as UTC, in the given form.
pub(super) fn print_all(steps: &[Print], timestamp: Timestamp, out: &mut String) {
    let moment = Moment::new(timestamp);
    for step in steps {
        step.print(&moment, out);
    }
}

impl Print {
    fn print(&self, moment: &Moment, out: &mut String) {
        match self {
            Print::Literal(text) => out.push_str(text),
            Print::Number { field, width, sign } => number(moment.get(*field), *width, *sign, out),
            Print::TwoDigits(field) => number(moment.get(*field).abs() % 100, 2, Sign::Negative, out),
            Print::Fraction { digits } => fraction(moment.get(Field::Nano), *digits, out),
            Print::JodaFraction { digits } => {
                let millis = moment.get(Field::Nano) / 1_000_000;
                // Joda-Time's arithmetic ends at 15 digits, except for zero.
                let digits = if millis == 0 { *digits } else { (*digits).min(15) };
                fraction(millis * 1_000_000, digits, out);
            }
            Print::Text { field, names } => {
                let first = i64::from(!matches!(field, Field::Era | Field::Halfday));
                let index = usize::try_from(moment.get(*field) - first).unwrap_or_default();
                out.push_str(names.get(index).copied().unwrap_or_default());
            }
            Print::DayPeriod { names } => out.push_str(names.name(moment)),
            Print::Padded { width, inner } => {
                let start = out.len();
                inner.print(moment, out);
                let length = out.get(start..).map_or(0, |text| text.chars().count());
                out.insert_str(start, &" ".repeat(width.saturating_sub(length)));
            }
        }
    }
}

impl DayPeriods {
    fn name(&self, moment: &Moment) -> &'static str {
        let [night, morning, afternoon, evening] = self.periods;
        match (moment.get(Field::Hour), moment.get(Field::Minute)) {
            (0, 0) => self.midnight,
            (12, 0) => self.noon,
            (6..=11, _) => morning,
            (12..=17, _) => afternoon,
            (18..=20, _) => evening,
            _ => night,
        }
    }
}

fn number(number: i64, width: usize, sign: Sign, out: &mut String) {
    let magnitude = number.unsigned_abs();
    let digits = magnitude.checked_ilog10().map_or(1, |log| log as usize + 1);
    if number < 0 {
        out.push('-');
    } else if sign == Sign::Exceeding && digits > width {
        out.push('+');
    }
    zeros(width.saturating_sub(digits), out);
    // The digits, last one first.
    let mut text = [b'0'; 20];
    let mut rest = magnitude;
    for place in text.iter_mut().rev().take(digits) {
        *place += (rest % 10) as u8;
        rest /= 10;
    }
    out.extend(text.iter().skip(text.len() - digits).map(|digit| char::from(*digit)));
}

fn fraction(nanos: i64, digits: usize, out: &mut String) {
    let shown = digits.min(9);
    let divisor = 10_i64.pow(9 - shown as u32);
    number(nanos / divisor, shown, Sign::Negative, out);
    zeros(digits - shown, out);
}

fn zeros(count: usize, out: &mut String) {
    out.extend(std::iter::repeat_n('0', count));
}

#[cfg(test)]
mod tests {
    use super::names;
    use crate::event::time_format::Locale;

    #[test]
    fn the_printed_names_are_those_that_are_read() {
        let english = Locale::english();
        assert_eq!(english.months.long, names::MONTHS);
        assert_eq!(english.months.short, names::SHORT_MONTHS);
        assert_eq!(english.weekdays.long, names::WEEKDAYS);
        assert_eq!(english.weekdays.short, names::SHORT_WEEKDAYS);
        assert_eq!(english.halfdays.long, names::HALFDAYS);
        assert_eq!(english.eras.long, names::ERAS);
    }
}
