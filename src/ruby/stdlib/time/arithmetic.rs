//! `Time`: sums, differences, order and rounding.

use super::super::MethodDef;
use super::{RTime, instant, nanoseconds, own, shifted, time_in, time_value, to_seconds};
use crate::ruby::args::{Args, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("+", exactly(1), |interp, this, args| {
        let time = own(interp, this)?;
        if time_in(args.at(0)).is_some() {
            return Err(interp.type_error("time + time?"));
        }
        let by = nanoseconds(interp, args.at(0))?;
        let time = shifted(interp, time, by)?;
        Ok(time_value(interp, time))
    }),
    MethodDef("-", exactly(1), |interp, this, args| {
        let time = own(interp, this)?;
        if let Some(other) = as_time(interp, args.at(0))? {
            let nanos = time.at.as_nanosecond() - other.at.as_nanosecond();
            return Ok(Value::Float(to_seconds(nanos)));
        }
        let by = nanoseconds(interp, args.at(0))?;
        let time = shifted(interp, time, -by)?;
        Ok(time_value(interp, time))
    }),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        let time = own(interp, this)?;
        Ok(match as_time(interp, args.at(0))? {
            Some(other) => Value::Int(time.at.cmp(&other.at) as i64),
            None => Value::Nil,
        })
    }),
    MethodDef("==", exactly(1), |interp, this, args| {
        let time = own(interp, this)?;
        Ok(Value::Bool(as_time(interp, args.at(0))?.is_some_and(|other| other.at == time.at)))
    }),
    MethodDef("hash", exactly(0), |_, this, _| {
        Ok(Value::Int((crate::ruby::value::key_hash(this) >> 1) as i64))
    }),
    MethodDef("round", between(0, 1), |interp, this, args| {
        rounded(interp, this, args, |nanos, unit| (nanos + unit / 2).div_euclid(unit) * unit)
    }),
    MethodDef("floor", between(0, 1), |interp, this, args| {
        rounded(interp, this, args, |nanos, unit| nanos.div_euclid(unit) * unit)
    }),
    MethodDef("ceil", between(0, 1), |interp, this, args| {
        rounded(interp, this, args, |nanos, unit| -(-nanos).div_euclid(unit) * unit)
    }),
];

/// A Time, or the time of an event.
fn as_time(interp: &mut Interp, value: &Value) -> Outcome<Option<RTime>> {
    if let Some(time) = time_in(value) {
        return Ok(Some(time));
    }
    if value.as_native::<super::super::TimestampData>().is_some() {
        let time = interp.call(value, "time", &[])?;
        return Ok(time_in(&time));
    }
    Ok(None)
}

fn rounded(interp: &mut Interp, this: &Value, args: Args<'_>, round: fn(i128, i128) -> i128) -> Outcome {
    let time = own(interp, this)?;
    let places = if args.is_empty() { 0 } else { args.int(interp, 0)? };
    let unit = 10i128.pow(u32::try_from(9 - places.clamp(0, 9)).unwrap_or(0));
    let at = instant(interp, round(time.at.as_nanosecond(), unit))?;
    Ok(time_value(interp, RTime { at, zone: time.zone }))
}
