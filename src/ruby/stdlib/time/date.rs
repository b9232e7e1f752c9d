//! `Date`, and what a `DateTime` has of it.

use std::rc::Rc;

use jiff::civil::{Date, DateTime, ISOWeekDate, Time as ClockTime, Weekday};
use jiff::{Span, Timestamp};

use super::super::MethodDef;
use super::parse::{self, Fields};
use super::{Parts, RDate, RTime, Zone, from_civil, nanoseconds, shifted, strftime, time_in, time_value};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, RClass, RObject, Value};

/// The Julian day number of 1970-01-01.
const EPOCH_JULIAN_DAY: i64 = 2_440_588;

pub(super) fn set_up(interp: &mut Interp, class: &Rc<RClass>) {
    let names = |names: &[&str], first_is_nil: bool, length: usize| {
        let mut items = if first_is_nil { vec![Value::Nil] } else { Vec::new() };
        items.extend(names.iter().map(|name| Value::str(name.get(..length.min(name.len())).unwrap_or(name))));
        Value::array(items)
    };
    interp.define_constant(class, "MONTHNAMES", names(&super::format::MONTHS, true, 20));
    interp.define_constant(class, "ABBR_MONTHNAMES", names(&super::format::MONTHS, true, 3));
    interp.define_constant(class, "DAYNAMES", names(&super::format::DAYS, false, 20));
    interp.define_constant(class, "ABBR_DAYNAMES", names(&super::format::DAYS, false, 3));
    interp.define_constant(class, "ITALY", Value::Int(2_299_161));
    interp.define_constant(class, "GREGORIAN", Value::Float(f64::NEG_INFINITY));
}

pub(super) fn invalid(interp: &mut Interp) -> Control {
    interp.error("Date::Error", "invalid date")
}

pub(super) fn date_value(interp: &Interp, date: Date) -> Value {
    Value::native(&interp.classes.date, RDate(date))
}

pub(super) fn date_time_value(interp: &Interp, time: RTime) -> Value {
    super::time_object(&interp.classes.date_time, time)
}

/// The calendar day of a Date or DateTime.
pub(super) fn own(interp: &mut Interp, this: &Value) -> Outcome<Date> {
    if let Some(RDate(date)) = this.as_native() {
        return Ok(*date);
    }
    match time_in(this) {
        Some(time) => Ok(time.parts().civil.date()),
        None => Err(interp.type_error("expected numeric")),
    }
}

pub(super) fn parts(interp: &mut Interp, this: &Value) -> Outcome<Parts> {
    if let Some(time) = time_in(this) {
        let mut parts = time.parts();
        // A DateTime has no zone but an offset.
        parts.zone = Some(strftime(&parts, "%:z"));
        return Ok(parts);
    }
    let date = own(interp, this)?;
    let civil = DateTime::from_parts(date, ClockTime::midnight());
    let epoch = (julian_day(date) - EPOCH_JULIAN_DAY) * 86_400;
    Ok(Parts { civil, offset: 0, zone: Some("+00:00".into()), is_dst: false, epoch })
}

fn julian_day(date: Date) -> i64 {
    let epoch = Date::constant(1970, 1, 1);
    let days = epoch.until(date).map(|span| i64::from(span.get_days())).unwrap_or(0);
    days + EPOCH_JULIAN_DAY
}

/// The same kind of value on another day.
fn moved(interp: &mut Interp, this: &Value, date: Date) -> Outcome {
    if let Some(time) = time_in(this) {
        let civil = DateTime::from_parts(date, time.parts().civil.time());
        let moved = from_civil(interp, civil, time.zone)?;
        return Ok(date_time_value(interp, moved));
    }
    let class = interp.real_class(this);
    Ok(Value::Object(Rc::new(RObject::with_native(&class, RDate(date)))))
}

fn days_later(interp: &mut Interp, this: &Value, days: i64) -> Outcome {
    let date = own(interp, this)?;
    let moved_to = Span::new().try_days(days).ok().and_then(|span| date.checked_add(span).ok());
    match moved_to {
        Some(date) => moved(interp, this, date),
        None => Err(invalid(interp)),
    }
}

fn months_later(interp: &mut Interp, this: &Value, months: i64) -> Outcome {
    let date = own(interp, this)?;
    let moved_to = Span::new().try_months(months).ok().and_then(|span| date.checked_add(span).ok());
    match moved_to {
        Some(date) => moved(interp, this, date),
        None => Err(invalid(interp)),
    }
}

pub(super) const CREATE: &[MethodDef] = &[
    MethodDef("today", between(0, 1), |interp, _, _| {
        let today = RTime { at: Timestamp::now(), zone: Zone::Local }.parts().civil.date();
        Ok(date_value(interp, today))
    }),
    MethodDef("new", between(0, 4), civil),
    MethodDef("civil", between(0, 4), civil),
    MethodDef("jd", between(0, 2), |interp, _, args| {
        let days = args.int(interp, 0)? - EPOCH_JULIAN_DAY;
        let date = date_value(interp, Date::constant(1970, 1, 1));
        days_later(interp, &date, days)
    }),
    MethodDef("ordinal", between(0, 3), |interp, _, args| {
        let (year, day) = (args.int(interp, 0)?, if args.len() > 1 { args.int(interp, 1)? } else { 1 });
        let fields = Fields { year: Some(year), year_day: Some(day), ..Fields::default() };
        from_fields(interp, &fields)
    }),
    MethodDef("commercial", between(0, 4), |interp, _, args| {
        let year = i16::try_from(args.int(interp, 0)?).ok();
        let week = if args.len() > 1 { args.int(interp, 1)? } else { 1 };
        let day = if args.len() > 2 { args.int(interp, 2)? } else { 1 };
        let date = year.and_then(|year| {
            let day = Weekday::from_monday_one_offset(i8::try_from(day).ok()?).ok()?;
            ISOWeekDate::new(year, i8::try_from(week).ok()?, day).ok()
        });
        match date {
            Some(date) => Ok(date_value(interp, date.date())),
            None => Err(invalid(interp)),
        }
    }),
    MethodDef("parse", between(0, 3), |interp, _, args| {
        let text = args.text(interp, 0)?;
        let fields = parse::parse(&text);
        if fields.year.is_none() && fields.month.is_none() && fields.day.is_none() && fields.weekday.is_none()
        {
            return match text.trim().parse::<i64>() {
                Ok(day) if text.trim().len() <= 2 => {
                    from_fields(interp, &Fields { day: Some(day), ..Fields::default() })
                }
                _ => Err(invalid(interp)),
            };
        }
        from_fields(interp, &fields)
    }),
    MethodDef("iso8601", between(0, 3), |interp, _, args| {
        let text = args.text(interp, 0)?;
        let fields = parse::parse(&text);
        if fields.year.is_none() {
            return Err(invalid(interp));
        }
        from_fields(interp, &fields)
    }),
    MethodDef("strptime", between(0, 3), |interp, _, args| {
        let (text, format) =
            (args.text(interp, 0)?, if args.len() > 1 { args.text(interp, 1)? } else { "%F".into() });
        match super::strptime::strptime(&text, &format) {
            Some((fields, _)) => from_fields(interp, &fields),
            _ => Err(invalid(interp)),
        }
    }),
    MethodDef("valid_date?", between(3, 4), valid),
    MethodDef("valid_civil?", between(3, 4), valid),
    MethodDef("valid_ordinal?", between(2, 3), |interp, _, args| {
        let (year, day) = (args.int(interp, 0)?, args.int(interp, 1)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        Ok(Value::Bool((1..=if leap { 366 } else { 365 }).contains(&day)))
    }),
    MethodDef("valid_jd?", between(1, 2), |_, _, args| Ok(Value::Bool(matches!(args.at(0), Value::Int(_))))),
    MethodDef("valid_commercial?", between(3, 4), |interp, this, args| {
        let made = interp.call(this, "commercial", args.values.get(..3).unwrap_or_default());
        Ok(Value::Bool(made.is_ok()))
    }),
    MethodDef("leap?", exactly(1), |interp, _, args| {
        let year = args.int(interp, 0)?;
        Ok(Value::Bool(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
    }),
    MethodDef("gregorian_leap?", exactly(1), |interp, _, args| {
        let year = args.int(interp, 0)?;
        Ok(Value::Bool(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
    }),
    MethodDef("_parse", between(1, 2), |interp, _, args| {
        let fields = parse::parse(&args.text(interp, 0)?);
        let mut map = HashMap::new();
        let named = [
            ("hour", fields.hour),
            ("min", fields.minute),
            ("sec", fields.second),
            ("year", fields.year),
            ("mon", fields.month),
            ("mday", fields.day),
            ("offset", fields.offset.map(i64::from)),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                map.insert(Value::sym(name), Value::Int(value));
            }
        }
        if let Some(zone) = fields.zone {
            map.insert(Value::sym("zone"), Value::str(zone));
        }
        Ok(Value::hash(map))
    }),
];

/// The day of some numbers; negative ones count from the end.
pub(super) fn day_of(year: i64, month: i64, day: i64) -> Option<Date> {
    let month = if month < 0 { month + 13 } else { month };
    let first = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
    let day = if day < 0 { i64::from(first.days_in_month()) + 1 + day } else { day };
    Date::new(first.year(), first.month(), i8::try_from(day).ok()?).ok()
}

fn civil(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let number = |interp: &mut Interp, place: usize, default: i64| match args.get(place) {
        None => Ok(default),
        Some(value @ (Value::Nil | Value::Str(_))) => {
            _ = value;
            Err(interp.type_error(format!(
                "invalid {} (not numeric)",
                ["year", "month", "day"].get(place).unwrap_or(&"date")
            )))
        }
        Some(value) => interp.to_int(value),
    };
    let (year, month, day) = (number(interp, 0, -4712)?, number(interp, 1, 1)?, number(interp, 2, 1)?);
    match day_of(year, month, day) {
        Some(date) => {
            let class = interp.to_class(this)?;
            Ok(Value::Object(Rc::new(RObject::with_native(&class, RDate(date)))))
        }
        None => Err(invalid(interp)),
    }
}

fn valid(interp: &mut Interp, _: &Value, args: Args<'_>) -> Outcome {
    let [Value::Int(year), Value::Int(month), Value::Int(day), ..] = args.values else {
        _ = interp;
        return Ok(Value::Bool(false));
    };
    Ok(Value::Bool(day_of(*year, *month, *day).is_some()))
}

fn from_fields(interp: &mut Interp, fields: &Fields) -> Outcome {
    let now = RTime { at: Timestamp::now(), zone: Zone::Local };
    if let Some(epoch) = fields.epoch {
        let at = super::instant(interp, epoch)?;
        let date = RTime { at, zone: Zone::Utc }.parts().civil.date();
        return Ok(date_value(interp, date));
    }
    match fields.exact_date(now.parts().civil.date()) {
        Some(date) => Ok(date_value(interp, date)),
        None => Err(invalid(interp)),
    }
}

/// A method that gives one part of the day.
macro_rules! part {
    ($name:literal, $part:expr) => {
        MethodDef($name, exactly(0), |interp, this, _| {
            let date = own(interp, this)?;
            let part: fn(Date) -> Value = $part;
            Ok(part(date))
        })
    };
}

fn weekday(date: Date) -> i64 {
    date.weekday().to_sunday_zero_offset().into()
}

pub(super) const FIELDS: &[MethodDef] = &[
    part!("year", |date| Value::Int(date.year().into())),
    part!("month", |date| Value::Int(date.month().into())),
    part!("mon", |date| Value::Int(date.month().into())),
    part!("day", |date| Value::Int(date.day().into())),
    part!("mday", |date| Value::Int(date.day().into())),
    part!("wday", |date| Value::Int(weekday(date))),
    part!("yday", |date| Value::Int(date.day_of_year().into())),
    part!("cwday", |date| Value::Int(date.weekday().to_monday_one_offset().into())),
    part!("cweek", |date| Value::Int(date.iso_week_date().week().into())),
    part!("cwyear", |date| Value::Int(date.iso_week_date().year().into())),
    part!("jd", |date| Value::Int(julian_day(date))),
    part!("mjd", |date| Value::Int(julian_day(date) - 2_400_001)),
    part!("ld", |date| Value::Int(julian_day(date) - 2_299_160)),
    part!("leap?", |date| Value::Bool(date.in_leap_year())),
    part!("sunday?", |date| Value::Bool(weekday(date) == 0)),
    part!("monday?", |date| Value::Bool(weekday(date) == 1)),
    part!("tuesday?", |date| Value::Bool(weekday(date) == 2)),
    part!("wednesday?", |date| Value::Bool(weekday(date) == 3)),
    part!("thursday?", |date| Value::Bool(weekday(date) == 4)),
    part!("friday?", |date| Value::Bool(weekday(date) == 5)),
    part!("saturday?", |date| Value::Bool(weekday(date) == 6)),
    MethodDef("to_date", exactly(0), |interp, this, _| {
        let date = own(interp, this)?;
        Ok(date_value(interp, date))
    }),
    MethodDef("to_time", exactly(0), |interp, this, _| {
        if let Some(time) = time_in(this) {
            return Ok(time_value(interp, time));
        }
        let civil = DateTime::from_parts(own(interp, this)?, ClockTime::midnight());
        let time = from_civil(interp, civil, Zone::Local)?;
        Ok(time_value(interp, time))
    }),
    MethodDef("to_datetime", exactly(0), |interp, this, _| {
        if time_in(this).is_some() {
            return Ok(this.clone());
        }
        let civil = DateTime::from_parts(own(interp, this)?, ClockTime::midnight());
        let time = from_civil(interp, civil, Zone::Fixed(0))?;
        Ok(date_time_value(interp, time))
    }),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
];

fn count(interp: &mut Interp, args: Args<'_>) -> Outcome<i64> {
    if args.is_empty() { Ok(1) } else { args.int(interp, 0) }
}

pub(super) const ARITHMETIC: &[MethodDef] = &[
    MethodDef("+", exactly(1), |interp, this, args| plus(interp, this, args.at(0), 1)),
    MethodDef("-", exactly(1), |interp, this, args| {
        let other = args.at(0);
        if other.as_native::<RDate>().is_none() && time_in(other).is_none() {
            return plus(interp, this, other, -1);
        }
        let (a, b) = (instant_of(interp, this)?, instant_of(interp, other)?);
        let main = interp.main.clone();
        interp.call(&main, "Rational", &[Value::big((a - b).into()), Value::Int(86_400_000_000_000)])
    }),
    MethodDef(">>", exactly(1), |interp, this, args| {
        let months = args.int(interp, 0)?;
        months_later(interp, this, months)
    }),
    MethodDef("<<", exactly(1), |interp, this, args| {
        let months = args.int(interp, 0)?;
        months_later(interp, this, -months)
    }),
    MethodDef("next_day", between(0, 1), |interp, this, args| {
        let days = count(interp, args)?;
        days_later(interp, this, days)
    }),
    MethodDef("prev_day", between(0, 1), |interp, this, args| {
        let days = count(interp, args)?;
        days_later(interp, this, -days)
    }),
    MethodDef("next_month", between(0, 1), |interp, this, args| {
        let months = count(interp, args)?;
        months_later(interp, this, months)
    }),
    MethodDef("prev_month", between(0, 1), |interp, this, args| {
        let months = count(interp, args)?;
        months_later(interp, this, -months)
    }),
    MethodDef("next_year", between(0, 1), |interp, this, args| {
        let years = count(interp, args)?;
        months_later(interp, this, years.saturating_mul(12))
    }),
    MethodDef("prev_year", between(0, 1), |interp, this, args| {
        let years = count(interp, args)?;
        months_later(interp, this, years.saturating_mul(-12))
    }),
    MethodDef("next", exactly(0), |interp, this, _| days_later(interp, this, 1)),
    MethodDef("succ", exactly(0), |interp, this, _| days_later(interp, this, 1)),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        let other = args.at(0);
        if other.as_native::<RDate>().is_none() && time_in(other).is_none() {
            return Ok(Value::Nil);
        }
        let order = instant_of(interp, this)?.cmp(&instant_of(interp, other)?);
        Ok(Value::Int(order as i64))
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let other = args.at(0);
        if other.as_native::<RDate>().is_none() && time_in(other).is_none() {
            return Ok(Value::Bool(false));
        }
        Ok(Value::Bool(instant_of(interp, this)? == instant_of(interp, other)?))
    }),
    MethodDef("===", exactly(1), |interp, this, args| {
        let other = args.at(0);
        if other.as_native::<RDate>().is_none() && time_in(other).is_none() {
            return Ok(Value::Bool(false));
        }
        Ok(Value::Bool(own(interp, this)? == own(interp, other)?))
    }),
    MethodDef("upto", exactly(1), |interp, this, args| each_day(interp, this, args.at(0), 1, args)),
    MethodDef("downto", exactly(1), |interp, this, args| each_day(interp, this, args.at(0), -1, args)),
    MethodDef("step", between(1, 2), |interp, this, args| {
        let by = if args.len() > 1 { args.int(interp, 1)? } else { 1 };
        if by == 0 {
            return Err(interp.argument_error("step can't be 0"));
        }
        each_day(interp, this, args.at(0), by, args)
    }),
];

fn each_day(interp: &mut Interp, this: &Value, end: &Value, by: i64, args: Args<'_>) -> Outcome {
    let Some(block) = args.block else {
        let name = if by < 0 { "downto" } else { "upto" };
        return super::super::enumerator::for_method(interp, this, name, args.values);
    };
    let mut at = this.clone();
    loop {
        let order = interp.order(&at, end)?;
        if if by > 0 { order.is_gt() } else { order.is_lt() } {
            return Ok(this.clone());
        }
        interp.yield_one(block, at.clone())?;
        at = days_later(interp, &at, by)?;
    }
}

/// Nanoseconds since 1970 in UTC, where a Date begins at midnight.
fn instant_of(interp: &mut Interp, value: &Value) -> Outcome<i128> {
    if let Some(time) = time_in(value) {
        return Ok(time.at.as_nanosecond());
    }
    let days = julian_day(own(interp, value)?) - EPOCH_JULIAN_DAY;
    Ok(i128::from(days) * 86_400_000_000_000)
}

fn plus(interp: &mut Interp, this: &Value, days: &Value, sign: i64) -> Outcome {
    match days {
        Value::Int(days) => days_later(interp, this, days.saturating_mul(sign)),
        Value::Float(_) | Value::Object(_) if interp.is_a(days, &interp.classes.numeric.clone()) => {
            // Parts of a day count for a DateTime alone.
            // Seconds first: a 24th of a day has no exact nanoseconds, its seconds have.
            let nanos = match days {
                Value::Float(days) if days.abs() < 1e9 => (days * 86_400e9).round() as i128,
                other => {
                    let seconds = interp.call(other, "*", &[Value::Int(86_400)])?;
                    nanoseconds(interp, &seconds)?
                }
            };
            let nanos = nanos * i128::from(sign);
            match time_in(this) {
                Some(time) => {
                    let time = shifted(interp, time, nanos)?;
                    Ok(date_time_value(interp, time))
                }
                None => days_later(interp, this, nanos.div_euclid(86_400_000_000_000) as i64),
            }
        }
        _ => Err(interp.type_error(if sign < 0 { "expected numeric or date" } else { "expected numeric" })),
    }
}

pub(super) const FORMATS: &[MethodDef] = &[
    MethodDef("strftime", between(0, 1), |interp, this, args| {
        let format = if args.is_empty() { "%F".into() } else { args.text(interp, 0)? };
        Ok(Value::str(strftime(&parts(interp, this)?, &format)))
    }),
    MethodDef("to_s", exactly(0), iso8601),
    MethodDef("iso8601", between(0, 1), iso8601),
    MethodDef("xmlschema", between(0, 1), iso8601),
    MethodDef("rfc3339", between(0, 1), |interp, this, _| {
        Ok(Value::str(strftime(&parts(interp, this)?, "%FT%T%:z")))
    }),
    MethodDef("rfc2822", exactly(0), |interp, this, _| {
        Ok(Value::str(strftime(&parts(interp, this)?, "%a, %-d %b %Y %T %z")))
    }),
    MethodDef("httpdate", exactly(0), |interp, this, _| {
        Ok(Value::str(strftime(&parts(interp, this)?, "%a, %d %b %Y %T GMT")))
    }),
    MethodDef("ctime", exactly(0), |interp, this, _| {
        Ok(Value::str(strftime(&parts(interp, this)?, "%a %b %e %T %Y")))
    }),
    MethodDef("inspect", exactly(0), |interp, this, _| {
        let text = interp.to_s(this)?;
        let date = own(interp, this)?;
        let class = interp.class_name(&interp.real_class(this));
        let (day, seconds, nanos, offset) = match time_in(this) {
            Some(time) => {
                let utc = RTime { at: time.at, zone: Zone::Utc }.parts().civil;
                let seconds =
                    i64::from(utc.hour()) * 3600 + i64::from(utc.minute()) * 60 + i64::from(utc.second());
                (julian_day(utc.date()), seconds, time.nanos(), time.parts().offset)
            }
            None => (julian_day(date), 0, 0, 0),
        };
        Ok(Value::str(format!("#<{class}: {text} (({day}j,{seconds}s,{nanos}n),{offset:+}s,2299161j)>")))
    }),
];

fn iso8601(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let format = match time_in(this) {
        Some(_) => {
            let digits = if args.is_empty() { 0 } else { args.int(interp, 0)?.clamp(0, 100) };
            let fraction = if digits > 0 { format!(".%{digits}N") } else { String::new() };
            format!("%FT%T{fraction}%:z")
        }
        None => "%F".to_owned(),
    };
    Ok(Value::str(strftime(&parts(interp, this)?, &format)))
}
