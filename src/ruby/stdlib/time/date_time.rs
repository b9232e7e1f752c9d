//! `DateTime`: what it has beyond a `Date`, and the dates of a `Time`.

use jiff::Timestamp;

use super::super::MethodDef;
use super::date::{date_time_value, date_value, day_of, invalid, own, parts};
use super::parse::{self, Fields};
use super::{Parts, RTime, Zone, nanoseconds, time_in};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::Value;

pub(super) const CREATE: &[MethodDef] = &[
    MethodDef("now", between(0, 1), |interp, _, _| {
        let now = RTime { at: Timestamp::now(), zone: Zone::Local };
        let offset = now.parts().offset;
        Ok(date_time_value(interp, RTime { at: now.at, zone: Zone::Fixed(offset) }))
    }),
    MethodDef("new", between(0, 8), new_date_time),
    MethodDef("civil", between(0, 8), new_date_time),
    MethodDef("parse", between(0, 3), |interp, _, args| {
        let fields = parse::parse(&args.text(interp, 0)?);
        if !fields.has_any() {
            return Err(invalid(interp));
        }
        date_time_of(interp, &fields)
    }),
    MethodDef("iso8601", between(0, 3), |interp, _, args| {
        let fields = parse::parse(&args.text(interp, 0)?);
        if fields.year.is_none() {
            return Err(invalid(interp));
        }
        date_time_of(interp, &fields)
    }),
    MethodDef("strptime", between(0, 3), |interp, _, args| {
        let (text, format) =
            (args.text(interp, 0)?, if args.len() > 1 { args.text(interp, 1)? } else { "%FT%T%z".into() });
        match super::strptime::strptime(&text, &format) {
            Some((fields, _)) => date_time_of(interp, &fields),
            _ => Err(invalid(interp)),
        }
    }),
];

fn date_time_of(interp: &mut Interp, fields: &Fields) -> Outcome {
    let zone = Zone::Fixed(fields.offset.unwrap_or(0));
    if let Some(epoch) = fields.epoch {
        let at = super::instant(interp, epoch)?;
        return Ok(date_time_value(interp, RTime { at, zone }));
    }
    let now = RTime { at: Timestamp::now(), zone: Zone::Local };
    let Some(date) = fields.exact_date(now.parts().civil.date()) else { return Err(invalid(interp)) };
    let parts = [
        i64::from(date.year()),
        date.month().into(),
        date.day().into(),
        fields.hour.unwrap_or(0),
        fields.minute.unwrap_or(0),
    ];
    let nanos =
        i128::from(fields.second.unwrap_or(0)) * 1_000_000_000 + i128::from(fields.nanos.unwrap_or(0));
    let time = super::create::wall_clock(interp, parts, nanos, zone)?;
    Ok(date_time_value(interp, time))
}

fn new_date_time(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let number = |interp: &mut Interp, place: usize, default: i64| match args.get(place) {
        Some(value) => interp.to_int(value),
        None => Ok(default),
    };
    let (year, month, day) = (number(interp, 0, -4712)?, number(interp, 1, 1)?, number(interp, 2, 1)?);
    let (hour, minute) = (number(interp, 3, 0)?, number(interp, 4, 0)?);
    let seconds = match args.get(5) {
        Some(seconds) => nanoseconds(interp, seconds)?,
        None => 0,
    };
    let offset = match args.get(6) {
        None => 0,
        Some(Value::Str(name)) => super::zone_offset(&name.to_text()).unwrap_or(0),
        Some(part_of_day) => (nanoseconds(interp, part_of_day)? * 86_400 / 1_000_000_000) as i32,
    };
    let in_range =
        (0..=24).contains(&hour) && (0..60).contains(&minute) && (0..60_000_000_000).contains(&seconds);
    let Some(date) = day_of(year, month, day).filter(|_| in_range) else { return Err(invalid(interp)) };
    let parts = [i64::from(date.year()), date.month().into(), date.day().into(), hour, minute];
    let time = super::create::wall_clock(interp, parts, seconds, Zone::Fixed(offset))?;
    Ok(date_time_value(interp, time))
}

/// A method that gives one part of the clock.
macro_rules! clock {
    ($name:literal, $part:expr) => {
        MethodDef($name, exactly(0), |interp, this, _| {
            let parts = parts(interp, this)?;
            let part: fn(&Parts) -> Value = $part;
            Ok(part(&parts))
        })
    };
}

pub(super) const TIME_FIELDS: &[MethodDef] = &[
    clock!("hour", |parts| Value::Int(parts.civil.hour().into())),
    clock!("min", |parts| Value::Int(parts.civil.minute().into())),
    clock!("minute", |parts| Value::Int(parts.civil.minute().into())),
    clock!("sec", |parts| Value::Int(parts.civil.second().into())),
    clock!("second", |parts| Value::Int(parts.civil.second().into())),
    clock!("zone", |parts| Value::from(parts.zone.clone())),
    MethodDef("sec_fraction", exactly(0), |interp, this, _| {
        let nanos = time_in(this).map_or(0, |time| time.nanos());
        let main = interp.main.clone();
        interp.call(&main, "Rational", &[Value::Int(nanos), Value::Int(1_000_000_000)])
    }),
    MethodDef("offset", exactly(0), |interp, this, _| {
        let offset = parts(interp, this)?.offset;
        let main = interp.main.clone();
        interp.call(&main, "Rational", &[Value::Int(offset.into()), Value::Int(86_400)])
    }),
    MethodDef("new_offset", between(0, 1), |interp, this, args| {
        let offset = match args.at(0) {
            Value::Str(name) => super::zone_offset(&name.to_text()).unwrap_or(0),
            Value::Nil => 0,
            part => (nanoseconds(interp, part)? * 86_400 / 1_000_000_000) as i32,
        };
        match time_in(this) {
            Some(time) => Ok(date_time_value(interp, RTime { at: time.at, zone: Zone::Fixed(offset) })),
            None => Err(interp.no_method(this, sym!("new_offset"), false)),
        }
    }),
];

/// `Time#to_date` and `Time#to_datetime`.
pub(super) const FROM_TIME: &[MethodDef] = &[
    MethodDef("to_date", exactly(0), |interp, this, _| {
        let date = own(interp, this)?;
        Ok(date_value(interp, date))
    }),
    MethodDef("to_datetime", exactly(0), |interp, this, _| {
        let time = super::own(interp, this)?;
        let offset = time.parts().offset;
        Ok(date_time_value(interp, RTime { at: time.at, zone: Zone::Fixed(offset) }))
    }),
];
