//! `Time#strftime` and the fixed forms of times.

use std::fmt::Write as _;

use super::super::MethodDef;
use super::{Parts, RTime, Zone, own};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("strftime", exactly(1), |interp, this, args| {
        let format = args.text(interp, 0)?;
        Ok(Value::str(strftime(&own(interp, this)?.parts(), &format)))
    }),
    MethodDef("to_s", exactly(0), |interp, this, _| {
        let time = own(interp, this)?;
        let zone = if time.zone == Zone::Utc { "UTC" } else { "%z" };
        Ok(Value::str(strftime(&time.parts(), &format!("%Y-%m-%d %H:%M:%S {zone}"))))
    }),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let time = own(interp, this)?;
        let zone = if time.zone == Zone::Utc { "UTC" } else { "%z" };
        let fraction = match time.nanos() {
            0 => String::new(),
            nanos => format!(".{nanos:09}").trim_end_matches('0').to_owned(),
        };
        Ok(Value::str(strftime(&time.parts(), &format!("%Y-%m-%d %H:%M:%S{fraction} {zone}"))))
    }),
    MethodDef("iso8601", between(0, 1), iso8601),
    MethodDef("xmlschema", between(0, 1), iso8601),
    MethodDef("rfc3339", between(0, 1), iso8601),
    MethodDef("rfc2822", exactly(0), rfc2822),
    MethodDef("rfc822", exactly(0), rfc2822),
    MethodDef("httpdate", exactly(0), |interp, this, _| {
        let time = own(interp, this)?;
        let utc = RTime { at: time.at, zone: Zone::Utc };
        Ok(Value::str(strftime(&utc.parts(), "%a, %d %b %Y %H:%M:%S GMT")))
    }),
    MethodDef("ctime", exactly(0), ctime),
    MethodDef("asctime", exactly(0), ctime),
];

fn rfc2822(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    let time = own(interp, this)?;
    let zone = if time.zone == Zone::Utc { "-0000" } else { "%z" };
    Ok(Value::str(strftime(&time.parts(), &format!("%a, %d %b %Y %H:%M:%S {zone}"))))
}

fn ctime(interp: &mut Interp, this: &Value, _: Args<'_>) -> Outcome {
    Ok(Value::str(strftime(&own(interp, this)?.parts(), "%a %b %e %H:%M:%S %Y")))
}

fn iso8601(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let time = own(interp, this)?;
    let digits = if args.is_empty() { 0 } else { args.int(interp, 0)?.clamp(0, 100) };
    let fraction = if digits > 0 { format!(".%{digits}N") } else { String::new() };
    let zone = if time.zone == Zone::Utc { "Z" } else { "%:z" };
    Ok(Value::str(strftime(&time.parts(), &format!("%Y-%m-%dT%H:%M:%S{fraction}{zone}"))))
}

pub(super) const MONTHS: [&str; 12] = [
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
pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Widths beyond this are cut: `%999999999d` would only fill memory.
const MAX_WIDTH: usize = 4096;

/// Flags and width of one directive.
#[derive(Clone, Copy, Default)]
struct Flags {
    /// `None` for the directive's own filler, `Some(None)` for none at all (`%-d`).
    filler: Option<Option<char>>,
    upper: bool,
    swap: bool,
    colons: usize,
    width: Option<usize>,
}

impl Flags {
    fn number(&self, number: i64, width: usize, filler: char) -> String {
        let width = self.width.unwrap_or(width);
        match self.filler.unwrap_or(Some(filler)) {
            None => number.to_string(),
            Some('0') => match number < 0 {
                true => format!("-{:0>width$}", number.unsigned_abs(), width = width.saturating_sub(1)),
                false => format!("{number:0>width$}"),
            },
            Some(_) => format!("{number:>width$}"),
        }
    }

    fn text(&self, text: &str) -> String {
        let text = if self.upper { text.to_uppercase() } else { text.to_owned() };
        let width = self.width.unwrap_or(0);
        match self.filler {
            Some(Some('0')) => format!("{text:0>width$}"),
            Some(None) => text,
            _ => format!("{text:>width$}"),
        }
    }
}

/// Formats with Ruby's directives; what is none stays as it is.
pub(in crate::ruby::stdlib) fn strftime(parts: &Parts, format: &str) -> String {
    let mut out = String::with_capacity(format.len() + 16);
    let mut rest = format;
    while let Some((plain, behind)) = rest.split_once('%') {
        out.push_str(plain);
        let mut flags = Flags::default();
        let mut characters = behind.chars();
        let shown = loop {
            let Some(character) = characters.next() else { break None };
            match character {
                '-' => flags.filler = Some(None),
                '0' => flags.filler = Some(Some('0')),
                '_' => flags.filler = Some(Some(' ')),
                '^' => flags.upper = true,
                '#' => flags.swap = true,
                ':' => flags.colons += 1,
                '1'..='9' => {
                    let mut width = character.to_digit(10).unwrap_or(0) as usize;
                    while let Some(digit) = characters.clone().next().and_then(|next| next.to_digit(10)) {
                        characters.next();
                        width = (width * 10 + digit as usize).min(MAX_WIDTH);
                    }
                    flags.width = Some(width);
                }
                'E' | 'O' => {}
                kind => break directive(parts, kind, flags),
            }
        };
        match shown {
            Some(text) => {
                out.push_str(&text);
                rest = characters.as_str();
            }
            None => {
                out.push('%');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

fn directive(parts: &Parts, kind: char, flags: Flags) -> Option<String> {
    let civil = &parts.civil;
    let weekday = civil.weekday();
    let sunday = i64::from(weekday.to_sunday_zero_offset());
    let year_day = i64::from(civil.day_of_year());
    let hour = i64::from(civil.hour());
    let twelve = (hour + 11) % 12 + 1;
    let year = i64::from(civil.year());
    let week = civil.date().iso_week_date();
    let composed = |format: &str| {
        let inner = strftime(parts, format);
        Some(flags.text(&inner))
    };
    let day_name = DAYS.get(usize::try_from(sunday).unwrap_or(0)).copied().unwrap_or_default();
    let month_name = MONTHS.get(usize::try_from(civil.month() - 1).unwrap_or(0)).copied().unwrap_or_default();
    let named = |name: &str| {
        let flags = Flags { upper: flags.upper || flags.swap, ..flags };
        Some(flags.text(name))
    };
    match kind {
        'Y' => Some(if year < 0 { flags.number(year, 5, '0') } else { flags.number(year, 4, '0') }),
        'C' => Some(flags.number(year.div_euclid(100), 2, '0')),
        'y' => Some(flags.number(year.rem_euclid(100), 2, '0')),
        'm' => Some(flags.number(civil.month().into(), 2, '0')),
        'B' => named(month_name),
        'b' | 'h' => named(month_name.get(..3).unwrap_or_default()),
        'd' => Some(flags.number(civil.day().into(), 2, '0')),
        'e' => Some(flags.number(civil.day().into(), 2, ' ')),
        'j' => Some(flags.number(year_day, 3, '0')),
        'H' => Some(flags.number(hour, 2, '0')),
        'k' => Some(flags.number(hour, 2, ' ')),
        'I' => Some(flags.number(twelve, 2, '0')),
        'l' => Some(flags.number(twelve, 2, ' ')),
        'M' => Some(flags.number(civil.minute().into(), 2, '0')),
        'S' => Some(flags.number(civil.second().into(), 2, '0')),
        'p' => Some(flags.text(match (hour < 12, flags.swap) {
            (true, false) => "AM",
            (false, false) => "PM",
            (true, true) => "am",
            (false, true) => "pm",
        })),
        'P' => Some(flags.text(if hour < 12 { "am" } else { "pm" })),
        'L' => Some(fraction(civil.subsec_nanosecond(), flags.width.unwrap_or(3))),
        'N' => Some(fraction(civil.subsec_nanosecond(), flags.width.unwrap_or(9))),
        'z' => Some(offset(parts.offset, flags)),
        'Z' => Some(match (&parts.zone, flags.swap) {
            (Some(zone), true) => flags.text(&zone.to_lowercase()),
            (Some(zone), false) => flags.text(zone),
            (None, _) => flags.text(""),
        }),
        'A' => named(day_name),
        'a' => named(day_name.get(..3).unwrap_or_default()),
        'u' => Some(flags.number(weekday.to_monday_one_offset().into(), 1, '0')),
        'w' => Some(flags.number(sunday, 1, '0')),
        'G' => Some(flags.number(week.year().into(), 4, '0')),
        'g' => Some(flags.number(i64::from(week.year()).rem_euclid(100), 2, '0')),
        'V' => Some(flags.number(week.week().into(), 2, '0')),
        'U' => Some(flags.number((year_day - 1 + 7 - sunday) / 7, 2, '0')),
        'W' => Some(flags.number((year_day - 1 + 7 - (sunday + 6) % 7) / 7, 2, '0')),
        's' => Some(flags.number(parts.epoch, 1, '0')),
        'Q' => Some(flags.number(parts.epoch * 1000 + i64::from(civil.millisecond()), 1, '0')),
        'n' => Some("\n".into()),
        't' => Some("\t".into()),
        '%' => Some("%".into()),
        'c' => composed("%a %b %e %H:%M:%S %Y"),
        'D' | 'x' => composed("%m/%d/%y"),
        'F' => composed("%Y-%m-%d"),
        'T' | 'X' => composed("%H:%M:%S"),
        'R' => composed("%H:%M"),
        'r' => composed("%I:%M:%S %p"),
        'v' => composed("%e-%^b-%Y"),
        '+' => composed("%a %b %e %H:%M:%S %Z %Y"),
        _ => None,
    }
}

/// Digits behind the second's point, cut or filled up.
fn fraction(nanos: i32, digits: usize) -> String {
    let mut text = format!("{nanos:09}");
    while text.len() < digits {
        text.push('0');
    }
    text.truncate(digits);
    text
}

fn offset(seconds: i32, flags: Flags) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.unsigned_abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut tail = String::new();
    _ = match flags.colons {
        0 => write!(tail, "{minutes:02}"),
        1 => write!(tail, ":{minutes:02}"),
        2 => write!(tail, ":{minutes:02}:{rest:02}"),
        _ if rest != 0 => write!(tail, ":{minutes:02}:{rest:02}"),
        _ if minutes != 0 => write!(tail, ":{minutes:02}"),
        _ => Ok(()),
    };
    let width = flags.width.unwrap_or(0).saturating_sub(tail.len() + 1);
    match flags.filler {
        Some(Some(' ')) => {
            let signed = format!("{sign}{hours}");
            format!("{signed:>width$}{tail}", width = width.max(2) + 1)
        }
        _ => format!("{sign}{hours:0>width$}{tail}", width = width.max(2)),
    }
}
