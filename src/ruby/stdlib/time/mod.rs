//! `Time`, `Date` and `DateTime`.

mod arithmetic;
mod create;
mod date;
mod date_time;
mod fields;
mod format;
mod parse;
mod strptime;

use std::cell::Cell;
use std::rc::Rc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

pub(super) use format::strftime;

use super::ClassDef;
use crate::ruby::control::{Control, Outcome};
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{Native, RClass, Value};

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef {
        includes: &["Comparable"],
        methods: &[fields::METHODS, arithmetic::METHODS, format::METHODS, date_time::FROM_TIME],
        singleton_methods: &[create::METHODS, create::PARSING],
        ..ClassDef::class("Time")
    },
    ClassDef {
        includes: &["Comparable"],
        methods: &[date::FIELDS, date::ARITHMETIC, date::FORMATS],
        singleton_methods: &[date::CREATE],
        setup: Some(date::set_up),
        ..ClassDef::class("Date")
    },
    ClassDef { superclass: Some("ArgumentError"), ..ClassDef::class("Date::Error") },
    ClassDef {
        superclass: Some("Date"),
        methods: &[date_time::TIME_FIELDS],
        singleton_methods: &[date_time::CREATE],
        ..ClassDef::class("DateTime")
    },
];

/// Where a time is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Utc,
    Local,
    /// Seconds east of Greenwich.
    Fixed(i32),
}

/// A Time or DateTime.
#[derive(Clone, Copy)]
pub(super) struct RTime {
    pub at: Timestamp,
    pub zone: Zone,
}

/// The data of a Time or DateTime object: `utc` and `localtime` change where it is shown.
pub(super) struct TimeCell(Cell<RTime>);

impl Native for TimeCell {
    fn duplicate(&self) -> Option<Rc<dyn Native>> {
        Some(Rc::new(TimeCell(self.0.clone())))
    }

    fn key_hash(&self) -> Option<u64> {
        Some(self.0.get().at.as_nanosecond() as u64)
    }

    fn is_same_key(&self, other: &dyn Native) -> bool {
        other.downcast::<TimeCell>().is_some_and(|other| other.0.get().at == self.0.get().at)
    }
}

/// The time that an object is, if it is one.
pub(super) fn time_in(value: &Value) -> Option<RTime> {
    value.as_native::<TimeCell>().map(|cell| cell.0.get())
}

/// An object of a class with a time.
pub(super) fn time_object(class: &Rc<RClass>, time: RTime) -> Value {
    Value::native(class, TimeCell(Cell::new(time)))
}

/// Seconds as the nearest double.
pub(super) fn to_seconds(nanoseconds: i128) -> f64 {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (seconds, nanos) =
        (nanoseconds.unsigned_abs() / 1_000_000_000, nanoseconds.unsigned_abs() % 1_000_000_000);
    format!("{sign}{seconds}.{nanos:09}").parse().unwrap_or(f64::NAN)
}

/// A Date.
#[derive(Clone, Copy)]
pub(super) struct RDate(pub Date);

impl Native for RDate {
    fn key_hash(&self) -> Option<u64> {
        Some(
            self.0.to_datetime(jiff::civil::Time::midnight()).year() as u64
                ^ (self.0.day_of_year() as u64) << 32,
        )
    }

    fn is_same_key(&self, other: &dyn Native) -> bool {
        other.downcast::<RDate>().is_some_and(|other| other.0 == self.0)
    }
}

/// A time as its parts, for printing.
pub(super) struct Parts {
    pub civil: DateTime,
    /// Seconds east of Greenwich.
    pub offset: i32,
    /// `None` for a fixed offset, which has no name.
    pub zone: Option<String>,
    pub is_dst: bool,
    pub epoch: i64,
}

impl RTime {
    pub(super) fn parts(&self) -> Parts {
        let epoch = self.at.as_nanosecond().div_euclid(1_000_000_000) as i64;
        match self.zone {
            Zone::Utc => Parts {
                civil: Offset::UTC.to_datetime(self.at),
                offset: 0,
                zone: Some("UTC".into()),
                is_dst: false,
                epoch,
            },
            Zone::Fixed(seconds) => {
                let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
                Parts {
                    civil: offset.to_datetime(self.at),
                    offset: seconds,
                    zone: None,
                    is_dst: false,
                    epoch,
                }
            }
            Zone::Local => {
                let zone = TimeZone::system();
                let info = zone.to_offset_info(self.at);
                Parts {
                    civil: info.offset().to_datetime(self.at),
                    offset: info.offset().seconds(),
                    zone: Some(info.abbreviation().to_owned()),
                    is_dst: info.dst().is_dst(),
                    epoch,
                }
            }
        }
    }

    pub(super) fn nanos(&self) -> i64 {
        self.at.as_nanosecond().rem_euclid(1_000_000_000) as i64
    }

    pub(super) fn seconds(&self) -> i64 {
        self.at.as_nanosecond().div_euclid(1_000_000_000) as i64
    }
}

/// An instant of seconds and nanoseconds.
pub(super) fn instant(interp: &mut Interp, nanoseconds: i128) -> Outcome<Timestamp> {
    match Timestamp::from_nanosecond(nanoseconds) {
        Ok(at) => Ok(at),
        Err(_) => Err(out_of_range(interp)),
    }
}

fn out_of_range(interp: &mut Interp) -> Control {
    interp.error("RangeError", "time out of range")
}

/// The instant of a wall clock reading in a zone; one that was skipped or came twice is resolved as Ruby does.
pub(super) fn from_civil(interp: &mut Interp, civil: DateTime, zone: Zone) -> Outcome<RTime> {
    let offset = match zone {
        Zone::Utc => Offset::UTC,
        Zone::Fixed(seconds) => match Offset::from_seconds(seconds) {
            Ok(offset) => offset,
            Err(_) => return Err(interp.argument_error("utc_offset out of range")),
        },
        Zone::Local => match TimeZone::system().to_ambiguous_timestamp(civil).compatible() {
            Ok(at) => return Ok(RTime { at, zone }),
            Err(_) => return Err(out_of_range(interp)),
        },
    };
    match offset.to_timestamp(civil) {
        Ok(at) => Ok(RTime { at, zone }),
        Err(_) => Err(out_of_range(interp)),
    }
}

/// A Time.
pub(super) fn time_value(interp: &Interp, time: RTime) -> Value {
    time_object(&interp.classes.time, time)
}

fn own(interp: &mut Interp, this: &Value) -> Outcome<RTime> {
    match time_in(this) {
        Some(time) => Ok(time),
        None => Err(interp.type_error("uninitialized Time")),
    }
}

/// An amount of seconds, any number, in nanoseconds.
pub(super) fn nanoseconds(interp: &mut Interp, value: &Value) -> Outcome<i128> {
    match value {
        Value::Int(seconds) => Ok(i128::from(*seconds) * 1_000_000_000),
        Value::Float(seconds) if seconds.is_finite() && seconds.abs() < 1e18 => {
            let whole = seconds.floor();
            let nanos = ((seconds - whole) * 1e9).floor();
            Ok(whole as i128 * 1_000_000_000 + nanos as i128)
        }
        Value::Float(seconds) => {
            let shown = crate::ruby::interpreter::float_to_s(*seconds);
            Err(interp.error("FloatDomainError", shown))
        }
        Value::Nil | Value::Str(_) | Value::Bool(_) | Value::Array(_) | Value::Hash(_) | Value::Sym(_) => {
            let class = interp.describe_for_conversion(value);
            Err(interp.type_error(format!("can't convert {class} into an exact number")))
        }
        other => {
            let rational = interp.call(other, "to_r", &[])?;
            let scaled = interp.call(&rational, "*", &[Value::Int(1_000_000_000)])?;
            let floored = interp.call(&scaled, "floor", &[])?;
            Ok(i128::from(interp.to_int(&floored)?))
        }
    }
}

/// A duration added to an instant.
pub(super) fn shifted(interp: &mut Interp, time: RTime, nanoseconds: i128) -> Outcome<RTime> {
    let at = instant(interp, time.at.as_nanosecond().saturating_add(nanoseconds))?;
    Ok(RTime { at, zone: time.zone })
}

/// `+09:00`, `-0330`, `Z`, `UTC`, `EST`: seconds east of Greenwich.
pub(super) fn zone_offset(name: &str) -> Option<i32> {
    let upper = name.trim().to_ascii_uppercase();
    let hours = |hours: i32| Some(hours * 3600);
    match upper.as_str() {
        "Z" | "UTC" | "GMT" | "UT" => return Some(0),
        "EST" => return hours(-5),
        "EDT" => return hours(-4),
        "CST" => return hours(-6),
        "CDT" => return hours(-5),
        "MST" => return hours(-7),
        "MDT" => return hours(-6),
        "PST" => return hours(-8),
        "PDT" => return hours(-7),
        "CET" | "MET" | "WEST" | "BST" => return hours(1),
        "CEST" | "MEST" | "EET" => return hours(2),
        "EEST" | "MSK" => return hours(3),
        "WET" => return hours(0),
        "JST" | "KST" => return hours(9),
        "IST" => return Some(19_800),
        "AEST" => return hours(10),
        "AEDT" => return hours(11),
        _ => {}
    }
    let text = upper.strip_prefix("GMT").or(upper.strip_prefix("UTC")).unwrap_or(&upper);
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let mut parts: Vec<i32> = Vec::new();
    if digits.contains(':') {
        for part in digits.split(':') {
            parts.push(part.parse().ok()?);
        }
    } else {
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
        for pair in padded.as_bytes().chunks(2) {
            parts.push(std::str::from_utf8(pair).ok()?.parse().ok()?);
        }
    }
    let at = |place: usize| parts.get(place).copied().unwrap_or(0);
    if parts.is_empty() || at(0) > 24 || at(1) > 59 || at(2) > 59 {
        return None;
    }
    Some(sign * (at(0) * 3600 + at(1) * 60 + at(2)))
}

/// The zone that an argument (`"+09:00"`, `"UTC"`, seconds) names.
pub(super) fn to_zone(interp: &mut Interp, value: &Value) -> Outcome<Zone> {
    match value {
        Value::Nil => Ok(Zone::Local),
        Value::Str(name) => {
            let name = name.to_text();
            if matches!(name.as_str(), "UTC" | "Z" | "-00:00") {
                return Ok(Zone::Utc);
            }
            if let ([letter @ b'A'..=b'Z'], true) = (name.as_bytes(), name != "J") {
                let place = i32::from(*letter - b'A');
                let hours = match letter {
                    b'A'..=b'I' => place + 1,
                    b'K'..=b'M' => place,
                    _ => -(place - 12),
                };
                return Ok(Zone::Fixed(hours * 3600));
            }
            match zone_offset(&name).filter(|_| name.starts_with(['+', '-'])) {
                Some(offset) => Ok(Zone::Fixed(offset)),
                None => Err(interp.argument_error(format!(
                    "\"+HH:MM\", \"-HH:MM\", \"UTC\" or \"A\"..\"I\",\"K\"..\"Z\" expected for utc_offset: {name}"
                ))),
            }
        }
        other => {
            let seconds = interp.to_int(other)?;
            match i32::try_from(seconds).ok().filter(|seconds| seconds.abs() < 86_400) {
                Some(seconds) => Ok(Zone::Fixed(seconds)),
                None => Err(interp.argument_error("utc_offset out of range")),
            }
        }
    }
}
