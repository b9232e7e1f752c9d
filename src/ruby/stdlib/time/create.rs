//! Making times: `Time.now`, `at`, `new`, `utc`, `local`, and reading them from text.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time as ClockTime};

use super::super::MethodDef;
use super::parse::{self, Fields};
use super::{RTime, Zone, from_civil, instant, nanoseconds, own, shifted, time_in, time_object, to_zone};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("now", between(0, 1), |interp, this, args| {
        let zone = args.keyword("in").unwrap_or_default();
        let zone = to_zone(interp, &zone)?;
        made(interp, this, RTime { at: Timestamp::now(), zone })
    }),
    MethodDef("at", between(1, 4), at),
    MethodDef("new", between(0, 8), new),
    MethodDef("mktime", between(1, 10), |interp, this, args| from_parts(interp, this, args, Zone::Local)),
    MethodDef("local", between(1, 10), |interp, this, args| from_parts(interp, this, args, Zone::Local)),
    MethodDef("utc", between(1, 10), |interp, this, args| from_parts(interp, this, args, Zone::Utc)),
    MethodDef("gm", between(1, 10), |interp, this, args| from_parts(interp, this, args, Zone::Utc)),
];

pub(super) const PARSING: &[MethodDef] = &[
    MethodDef("parse", between(1, 2), |interp, this, args| {
        let text = args.text(interp, 0)?;
        let fields = parse::parse(&text);
        if !fields.has_any() {
            let shown = interp.inspect(args.at(0))?;
            return Err(interp.argument_error(format!("no time information in {shown}")));
        }
        let now = match args.get(1) {
            Some(now) if !now.is_nil() => own(interp, now)?,
            _ => RTime { at: Timestamp::now(), zone: Zone::Local },
        };
        let time = complete(interp, &fields, now)?;
        made(interp, this, time)
    }),
    MethodDef("strptime", between(2, 3), |interp, this, args| {
        let (text, format) = (args.text(interp, 0)?, args.text(interp, 1)?);
        // Text behind what the format asks for is nobody's: JRuby ignores it.
        let Some((fields, _)) = super::strptime::strptime(&text, &format) else {
            return Err(
                interp.argument_error(format!("invalid date or strptime format - '{text}' '{format}'"))
            );
        };
        let time = complete(interp, &fields, RTime { at: Timestamp::now(), zone: Zone::Local })?;
        made(interp, this, time)
    }),
    MethodDef("iso8601", exactly(1), iso8601),
    MethodDef("xmlschema", exactly(1), iso8601),
    MethodDef("rfc2822", exactly(1), by_words),
    MethodDef("rfc822", exactly(1), by_words),
    MethodDef("httpdate", exactly(1), |interp, this, args| {
        let text = args.text(interp, 0)?;
        if parse::parse(&text).month.is_none() {
            let shown = interp.inspect(args.at(0))?;
            return Err(interp.argument_error(format!("not RFC 2616 compliant date: {shown}")));
        }
        let time = by_words(interp, this, args)?;
        interp.call(&time, "utc", &[])
    }),
];

fn made(interp: &mut Interp, class: &Value, time: RTime) -> Outcome {
    let class = interp.to_class(class)?;
    Ok(time_object(&class, time))
}

fn at(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let zone = args.keyword("in");
    let (args, _) = args.split_keywords();
    if let Some(time) = time_in(args.at(0)) {
        let zone = match zone {
            Some(zone) => to_zone(interp, &zone)?,
            None => time.zone,
        };
        return made(interp, this, RTime { at: time.at, zone });
    }
    let zone = to_zone(interp, &zone.unwrap_or_default())?;
    let mut total = nanoseconds(interp, args.at(0))?;
    if let Some(part) = args.get(1) {
        let unit = match args.at(2) {
            Value::Sym(name) => name.as_str(),
            _ => "microsecond",
        };
        let per_second = match unit {
            "millisecond" => 1_000,
            "usec" | "microsecond" => 1_000_000,
            "nsec" | "nanosecond" => 1_000_000_000,
            other => return Err(interp.argument_error(format!("unexpected unit: {other}"))),
        };
        total += nanoseconds(interp, part)? / per_second;
    }
    let at = instant(interp, total)?;
    made(interp, this, RTime { at, zone })
}

fn new(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let zone = args.keyword("in");
    let (args, _) = args.split_keywords();
    let zone = zone.unwrap_or_else(|| args.at(6).clone());
    let zone = to_zone(interp, &zone)?;
    if args.is_empty() {
        return made(interp, this, RTime { at: Timestamp::now(), zone });
    }
    if let (Value::Str(text), 1) = (args.at(0), args.len()) {
        let text = text.to_text();
        if !text.trim().bytes().all(|byte| byte.is_ascii_digit()) || text.len() > 4 {
            let fields = parse::parse(&text);
            if fields.year.is_none() || fields.hour.is_none() {
                let message =
                    if fields.year.is_some() { "no time information" } else { "no time information in" };
                let shown = interp.inspect(args.at(0))?;
                return Err(interp.argument_error(
                    format!("{message} {shown}").replace("information \"", "information in \""),
                ));
            }
            let time = complete(interp, &fields, RTime { at: Timestamp::UNIX_EPOCH, zone })?;
            return made(interp, this, time);
        }
    }
    from_parts(
        interp,
        this,
        Args { values: args.values.get(..args.len().min(6)).unwrap_or_default(), ..args },
        zone,
    )
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A number from an argument that may be text.
fn part(interp: &mut Interp, value: &Value, default: i64) -> Outcome<i64> {
    match value {
        Value::Nil => Ok(default),
        Value::Str(text) => {
            let text = text.to_text();
            let month = MONTHS.iter().position(|month| text.eq_ignore_ascii_case(month));
            match (month, text.trim().parse::<i64>()) {
                (Some(month), _) => Ok(month as i64 + 1),
                (None, Ok(number)) => Ok(number),
                _ => Err(interp.argument_error("argument out of range")),
            }
        }
        other => interp.to_int(other),
    }
}

/// Refuses what no calendar or clock has, in JRuby's words.
fn check_ranges(interp: &mut Interp, [month, day, hour, minute]: [i64; 4]) -> Outcome<()> {
    if !(1..=12).contains(&month) {
        return Err(interp.argument_error(format!("argument out of range: for month: {month}")));
    }
    let parts = [("day", day, 1..=31), ("hour", hour, 0..=24), ("minute", minute, 0..=59)];
    match parts.iter().find(|(_, number, range)| !range.contains(number)) {
        Some((name, ..)) => Err(interp.argument_error(format!("argument out of range for {name}"))),
        None => Ok(()),
    }
}

fn from_parts(interp: &mut Interp, this: &Value, args: Args<'_>, zone: Zone) -> Outcome {
    // The order of `Time#to_a`: seconds first.
    let reordered;
    let args = if args.len() == 10 {
        reordered = [5, 4, 3, 2, 1, 0].map(|place| args.at(place).clone());
        Args::of(&reordered)
    } else {
        args
    };
    let year = part(interp, args.at(0), 1970)?;
    let month = part(interp, args.at(1), 1)?;
    let day = part(interp, args.at(2), 1)?;
    let hour = part(interp, args.at(3), 0)?;
    let minute = part(interp, args.at(4), 0)?;
    let second = match args.at(5) {
        Value::Nil => 0,
        Value::Str(text) => {
            let text = Value::str(text.to_text());
            let rational = interp.call(&text, "to_r", &[])?;
            nanoseconds(interp, &rational)?
        }
        // The decimal that was written: 9.1 is not 9.099999999.
        Value::Float(seconds) if seconds.abs() < 1e9 => (seconds * 1e9).round() as i128,
        other => nanoseconds(interp, other)?,
    };
    let micros = match args.get(6) {
        Some(micros) if !micros.is_nil() => nanoseconds(interp, micros)? / 1_000_000,
        _ => 0,
    };
    check_ranges(interp, [month, day, hour, minute])?;
    if !(0..61_000_000_000).contains(&second) || (hour == 24 && (minute != 0 || second != 0)) {
        return Err(interp.argument_error("argument out of range"));
    }
    let time = wall_clock(interp, [year, month, day, hour, minute], second + micros, zone)?;
    made(interp, this, time)
}

/// The time of a wall clock reading. Days behind the end of a month and a 24th hour go over into the next.
pub(super) fn wall_clock(
    interp: &mut Interp,
    parts: [i64; 5],
    nanoseconds: i128,
    zone: Zone,
) -> Outcome<RTime> {
    let [year, month, day, hour, minute] = parts;
    let first = i16::try_from(year).ok().and_then(|year| Date::new(year, month as i8, 1).ok());
    let Some(first) = first else { return Err(interp.argument_error("argument out of range")) };
    let date = first.checked_add(jiff::Span::new().days(day - 1));
    let Ok(date) = date else { return Err(interp.argument_error("argument out of range")) };
    let next_day = hour == 24;
    let clock = ClockTime::new(if next_day { 0 } else { hour as i8 }, minute as i8, 0, 0);
    let Ok(clock) = clock else { return Err(interp.argument_error("argument out of range")) };
    let mut civil = DateTime::from_parts(date, clock);
    if next_day && let Ok(tomorrow) = civil.checked_add(jiff::Span::new().days(1)) {
        civil = tomorrow;
    }
    let time = from_civil(interp, civil, zone)?;
    shifted(interp, time, nanoseconds)
}

/// Whether Time itself knows a zone. Of the many names that dates know it takes only some; with others the time is
/// the local one.
fn is_time_zone(name: &str) -> bool {
    let known = ["UTC", "Z", "UT", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT"];
    name.starts_with(['+', '-']) || known.contains(&name.to_ascii_uppercase().as_str())
}

/// What was read, with the missing larger parts from another time and the missing smaller ones at their start.
fn complete(interp: &mut Interp, fields: &Fields, now: RTime) -> Outcome<RTime> {
    let zone = match (&fields.zone, fields.offset) {
        (Some(name), Some(0)) if matches!(name.as_str(), "Z" | "z" | "UTC" | "-00:00" | "-0000") => Zone::Utc,
        (Some(name), Some(_)) if !is_time_zone(name) => now.zone,
        (_, Some(offset)) => Zone::Fixed(offset),
        _ => now.zone,
    };
    if let Some(epoch) = fields.epoch {
        let at = instant(interp, epoch + i128::from(fields.nanos.unwrap_or(0)))?;
        return Ok(RTime { at, zone: if zone == now.zone { Zone::Local } else { zone } });
    }
    let hour = fields.hour.unwrap_or(0);
    check_ranges(interp, [fields.month.unwrap_or(1), fields.day.unwrap_or(1), hour, 0])?;
    let today = RTime { at: now.at, zone }.parts().civil;
    let known = fields.date(today.date());
    let Some(date) = known else { return Err(interp.argument_error("argument out of range")) };
    let (hour, minute) = (fields.hour.unwrap_or(0), fields.minute.unwrap_or(0));
    let second = fields.second.unwrap_or(0);
    if hour > 24 || minute > 59 || second > 60 {
        return Err(interp.argument_error("argument out of range"));
    }
    let parts = [i64::from(date.year()), i64::from(date.month()), i64::from(date.day()), hour, minute];
    wall_clock(
        interp,
        parts,
        i128::from(second) * 1_000_000_000 + i128::from(fields.nanos.unwrap_or(0)),
        zone,
    )
}

fn iso8601(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let text = args.text(interp, 0)?;
    let fields = parse::iso8601_time(&text);
    let Some(fields) = fields else {
        let shown = interp.inspect(args.at(0))?;
        return Err(interp.argument_error(format!("invalid xmlschema format: {shown}")));
    };
    let time = complete(interp, &fields, RTime { at: Timestamp::now(), zone: Zone::Local })?;
    made(interp, this, time)
}

fn by_words(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let text = args.text(interp, 0)?;
    let fields = parse::parse(&text);
    if fields.month.is_none() || fields.hour.is_none() {
        let shown = interp.inspect(args.at(0))?;
        return Err(interp.argument_error(format!("not RFC 2822 compliant date: {shown}")));
    }
    let time = complete(interp, &fields, RTime { at: Timestamp::now(), zone: Zone::Utc })?;
    made(interp, this, time)
}
