//! ISO 8601 dates and times as the date filter takes them (org.logstash.filters.parser.CasualISO8601Parser).
use super::fields::{Field, Fields};
use super::steps::{read_fraction, read_literal, read_number, read_zone_offset};

/// Reads `2024`, `2024-05`, `2024-05-06`, `2024-W19-1` or `2024-127`, each with or without a time behind `T`; a
/// time alone; or `2024-05-06 07:08:09.123` with or without an offset. A time may end in a fraction and an
/// offset.
pub(super) fn read(text: &str, fields: &mut Fields) -> Option<()> {
    let whole = |end: Option<usize>| end.filter(|end| *end == text.len()).map(|_| ());
    if let Some(found) = whole(read_date_time(text, fields)) {
        return Some(found);
    }
    *fields = Fields::new();
    whole(read_with_space(text, fields))
}

fn read_date_time(text: &str, fields: &mut Fields) -> Option<usize> {
    if let Some(at) = read_literal(text, 0, "T") {
        let end = read_time(text, at, fields)?;
        return Some(read_zone_offset(text, end, fields).unwrap_or(end));
    }
    let end = read_date(text, fields)?;
    let Some(at) = read_literal(text, end, "T") else { return Some(end) };
    let end = read_time(text, at, fields).unwrap_or(at);
    Some(read_zone_offset(text, end, fields).unwrap_or(end))
}

/// The longest of a calendar date, a week date and an ordinal date; the first one where two have the same length.
fn read_date(text: &str, fields: &mut Fields) -> Option<usize> {
    let (year, after_year) = read_number(text, 0, 9, true)?;
    if let Some(at) = read_literal(text, after_year, "-W") {
        let (week, end) = read_number(text, at, 2, false)?;
        fields.save(Field::WeekYear, year)?;
        fields.save(Field::Week, week)?;
        return Some(read_part(text, end, Field::DayOfWeek, 1, fields).unwrap_or(end));
    }
    fields.save(Field::Year, year)?;
    let Some(after_month) = read_part(text, after_year, Field::Month, 2, fields) else {
        return Some(after_year);
    };
    if let Some(end) = read_part(text, after_month, Field::DayOfMonth, 2, fields) {
        return Some(end);
    }
    // A third digit makes it the day of the year.
    let (day, end) = read_number(text, after_year + 1, 3, false)?;
    if end > after_month {
        *fields = Fields::new();
        fields.save(Field::Year, year)?;
        fields.save(Field::DayOfYear, day)?;
    }
    Some(end)
}

/// A number behind a hyphen.
fn read_part(text: &str, at: usize, field: Field, digits: usize, fields: &mut Fields) -> Option<usize> {
    let at = read_literal(text, at, "-")?;
    let (number, end) = read_number(text, at, digits, false)?;
    fields.save(field, number)?;
    Some(end)
}

/// `07`, `07:08` or `07:08:09`, and a fraction of the last part.
fn read_time(text: &str, at: usize, fields: &mut Fields) -> Option<usize> {
    let (hour, mut end) = read_number(text, at, 2, false)?;
    fields.save(Field::Hour, hour)?;
    let mut fraction = Field::MilliOfHour;
    for (field, finer) in [(Field::Minute, Field::MilliOfMinute), (Field::Second, Field::MilliOfSecond)] {
        let number = read_literal(text, end, ":").and_then(|at| read_number(text, at, 2, false));
        let Some((number, after)) = number else { break };
        fields.save(field, number)?;
        (end, fraction) = (after, finer);
    }
    let point = matches!(text.as_bytes().get(end), Some(b'.' | b','));
    let after = if point { read_fraction(text, end + 1, 9, fraction, fields) } else { None };
    Some(after.unwrap_or(end))
}

/// `yyyy-MM-dd HH:mm:ss.SSS` or with a comma; either may have an offset.
fn read_with_space(text: &str, fields: &mut Fields) -> Option<usize> {
    let (year, mut end) = read_number(text, 0, 9, true)?;
    fields.save(Field::Year, year)?;
    for (before, field) in [
        ("-", Field::Month),
        ("-", Field::DayOfMonth),
        (" ", Field::Hour),
        (":", Field::Minute),
        (":", Field::Second),
    ] {
        let at = read_literal(text, end, before)?;
        let (number, after) = read_number(text, at, 2, false)?;
        fields.save(field, number)?;
        end = after;
    }
    let at = read_literal(text, end, ".").or_else(|| read_literal(text, end, ","))?;
    let end = read_fraction(text, at, 9, Field::MilliOfSecond, fields)?;
    Some(read_zone_offset(text, end, fields).unwrap_or(end))
}
