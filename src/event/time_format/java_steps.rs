//! Patterns of java.time's letters as the date filter reads them with `precision => "ns"`.
use super::PatternError;
use super::fields::{Field, MOST_FIELDS};
use super::java::{Part, parts};
use super::locale::{Locale, Names};
use super::steps::{Step, Steps, Texts, zone_names};

impl Steps {
    /// # Errors
    /// For patterns that java.time refuses, and for letters whose fields make no date: weeks, quarters, day
    /// periods and the like.
    pub(super) fn compile_java(pattern: &str, locale: &Locale) -> Result<Steps, PatternError> {
        let parts = parts(pattern)?;
        if parts.len() > MOST_FIELDS {
            return Err(PatternError::TooLong(pattern.to_owned()));
        }
        // Open optional sections, the outermost first; an instant's fields outside of them stand in the first
        // list.
        let mut open = vec![Vec::new()];
        for (index, part) in parts.iter().enumerate() {
            let step = match part {
                Part::Literal(text) => Step::Literal(text.clone()),
                Part::OptionalStart => {
                    open.push(Vec::new());
                    continue;
                }
                Part::OptionalEnd => close(&mut open),
                Part::Letters { letter, count, .. } => {
                    let before_number = matches!(parts.get(index + 1), Some(Part::Letters { letter, .. })
                        if "uyMdHhkKmsSDn".contains(*letter));
                    step(*letter, *count, before_number, locale).ok_or_else(|| {
                        let letters = letter.to_string().repeat(*count);
                        PatternError::NotInNanoseconds { letters, pattern: pattern.to_owned() }
                    })?
                }
            };
            open.last_mut().into_iter().for_each(|steps| steps.push(step.clone()));
        }
        // java.time closes what is still open.
        while open.len() > 1 {
            let step = close(&mut open);
            open.last_mut().into_iter().for_each(|steps| steps.push(step.clone()));
        }
        Ok(Steps(open.into_iter().flatten().collect()))
    }
}

fn close(open: &mut Vec<Vec<Step>>) -> Step {
    Step::Optional(open.pop().unwrap_or_default())
}

/// Nothing for letters that make no date.
fn step(letter: char, count: usize, before_number: bool, locale: &Locale) -> Option<Step> {
    let text = |field, names: &Names| Some(Step::Text { field, texts: Texts::new(names, locale) });
    // Two letters stand for exactly two digits, one for one or two.
    let number = |field| Some(Step::Number { field, least: count, digits: 2, signed: false });
    match letter {
        'u' | 'y' if count == 2 => {
            // From 2000 to 2099.
            Some(Step::TwoDigitYear { field: Field::Year, pivot: 2050, lenient: false })
        }
        'u' | 'y' => {
            let digits = if before_number { count } else { 9 };
            Some(Step::Number { field: Field::Year, least: count, digits, signed: true })
        }
        'M' | 'L' if count <= 2 => number(Field::Month),
        'M' | 'L' => text(Field::Month, &locale.months),
        'd' => number(Field::DayOfMonth),
        'D' => Some(Step::Number { field: Field::DayOfYear, least: count, digits: 3, signed: false }),
        'E' => text(Field::DayOfWeek, &locale.weekdays),
        'a' => text(Field::Halfday, &locale.halfdays),
        'h' => number(Field::ClockHourOfHalfday),
        'H' => number(Field::Hour),
        'k' => number(Field::ClockHour),
        'K' => number(Field::HourOfHalfday),
        'm' => number(Field::Minute),
        's' => number(Field::Second),
        'S' => Some(Step::Fraction { least: count, digits: count }),
        'X' | 'x' | 'Z' if count != 4 || letter != 'Z' => Some(Step::Offset),
        'V' => Some(Step::ZoneId),
        'z' if count <= 3 => Some(Step::ZoneName(zone_names())),
        _ => None,
    }
}
