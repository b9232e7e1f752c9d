//! `Time`: its parts.

use super::super::MethodDef;
use super::{RTime, TimeCell, Zone, own, time_value, to_seconds, to_zone};
use crate::ruby::args::{between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::{HashMap, Value};

/// A method that gives one part.
macro_rules! part {
    ($name:literal, $part:expr) => {
        MethodDef($name, exactly(0), |interp, this, _| {
            let time = own(interp, this)?;
            let part: fn(&RTime) -> Value = $part;
            Ok(part(&time))
        })
    };
}

pub(super) const METHODS: &[MethodDef] = &[
    part!("year", |time| Value::Int(time.parts().civil.year().into())),
    part!("month", |time| Value::Int(time.parts().civil.month().into())),
    part!("mon", |time| Value::Int(time.parts().civil.month().into())),
    part!("day", |time| Value::Int(time.parts().civil.day().into())),
    part!("mday", |time| Value::Int(time.parts().civil.day().into())),
    part!("hour", |time| Value::Int(time.parts().civil.hour().into())),
    part!("min", |time| Value::Int(time.parts().civil.minute().into())),
    part!("sec", |time| Value::Int(time.parts().civil.second().into())),
    part!("usec", |time| Value::Int(time.nanos() / 1000)),
    part!("tv_usec", |time| Value::Int(time.nanos() / 1000)),
    part!("nsec", |time| Value::Int(time.nanos())),
    part!("tv_nsec", |time| Value::Int(time.nanos())),
    MethodDef("subsec", exactly(0), |interp, this, _| {
        let time = own(interp, this)?;
        if time.nanos() == 0 {
            return Ok(Value::Int(0));
        }
        let main = interp.main.clone();
        interp.call(&main, "Rational", &[Value::Int(time.nanos()), Value::Int(1_000_000_000)])
    }),
    part!("wday", |time| Value::Int(time.parts().civil.weekday().to_sunday_zero_offset().into())),
    part!("yday", |time| Value::Int(time.parts().civil.day_of_year().into())),
    part!("zone", |time| Value::from(time.parts().zone)),
    part!("utc_offset", |time| Value::Int(time.parts().offset.into())),
    part!("gmt_offset", |time| Value::Int(time.parts().offset.into())),
    part!("gmtoff", |time| Value::Int(time.parts().offset.into())),
    part!("utc?", |time| Value::Bool(time.zone == Zone::Utc)),
    part!("gmt?", |time| Value::Bool(time.zone == Zone::Utc)),
    part!("dst?", |time| Value::Bool(time.parts().is_dst)),
    part!("isdst", |time| Value::Bool(time.parts().is_dst)),
    part!("sunday?", |time| weekday(time, 0)),
    part!("monday?", |time| weekday(time, 1)),
    part!("tuesday?", |time| weekday(time, 2)),
    part!("wednesday?", |time| weekday(time, 3)),
    part!("thursday?", |time| weekday(time, 4)),
    part!("friday?", |time| weekday(time, 5)),
    part!("saturday?", |time| weekday(time, 6)),
    part!("to_i", |time| Value::Int(time.seconds())),
    part!("tv_sec", |time| Value::Int(time.seconds())),
    part!("to_f", |time| Value::Float(to_seconds(time.at.as_nanosecond()))),
    MethodDef("to_r", exactly(0), |interp, this, _| {
        let time = own(interp, this)?;
        let total = Value::big(time.at.as_nanosecond().into());
        let main = interp.main.clone();
        interp.call(&main, "Rational", &[total, Value::Int(1_000_000_000)])
    }),
    MethodDef("utc", exactly(0), |interp, this, _| show_in(interp, this, Zone::Utc)),
    MethodDef("gmtime", exactly(0), |interp, this, _| show_in(interp, this, Zone::Utc)),
    MethodDef("getutc", exactly(0), |interp, this, _| {
        let time = own(interp, this)?;
        Ok(time_value(interp, RTime { at: time.at, zone: Zone::Utc }))
    }),
    MethodDef("getgm", exactly(0), |interp, this, _| {
        let time = own(interp, this)?;
        Ok(time_value(interp, RTime { at: time.at, zone: Zone::Utc }))
    }),
    MethodDef("localtime", between(0, 1), |interp, this, args| {
        let zone = to_zone(interp, args.at(0))?;
        show_in(interp, this, zone)
    }),
    MethodDef("getlocal", between(0, 1), |interp, this, args| {
        let time = own(interp, this)?;
        let zone = to_zone(interp, args.at(0))?;
        Ok(time_value(interp, RTime { at: time.at, zone }))
    }),
    MethodDef("to_time", exactly(0), |_, this, _| Ok(this.clone())),
    MethodDef("to_a", exactly(0), |interp, this, _| {
        let parts = own(interp, this)?.parts();
        let civil = parts.civil;
        let weekday = civil.weekday().to_sunday_zero_offset();
        let numbers = [
            i64::from(civil.second()),
            civil.minute().into(),
            civil.hour().into(),
            civil.day().into(),
            civil.month().into(),
            civil.year().into(),
            weekday.into(),
            civil.day_of_year().into(),
        ];
        let mut items: Vec<Value> = numbers.into_iter().map(Value::Int).collect();
        items.extend([Value::Bool(parts.is_dst), Value::from(parts.zone)]);
        Ok(Value::array(items))
    }),
    MethodDef("deconstruct_keys", exactly(1), |interp, this, _| {
        let mut map = HashMap::new();
        for name in ["year", "month", "day", "yday", "wday", "hour", "min", "sec", "subsec", "dst", "zone"] {
            let method = if name == "dst" { "dst?" } else { name };
            map.insert(Value::sym(name), interp.call(this, method, &[])?);
        }
        Ok(Value::hash(map))
    }),
];

/// Shows a time elsewhere, as `utc` and `localtime` do in place.
fn show_in(interp: &mut Interp, this: &Value, zone: Zone) -> Outcome {
    interp.check_frozen(this)?;
    if let Some(TimeCell(cell)) = this.as_native() {
        cell.set(RTime { at: cell.get().at, zone });
    }
    Ok(this.clone())
}

fn weekday(time: &RTime, wanted: i8) -> Value {
    Value::Bool(time.parts().civil.weekday().to_sunday_zero_offset() == wanted)
}
