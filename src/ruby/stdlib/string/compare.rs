//! `String`: comparing, and asking what stands in it.

use super::super::MethodDef;
use super::super::regexp;
use super::own;
use crate::ruby::args::{Args, at_least, between, exactly};
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::Interp;
use crate::ruby::symbol::sym;
use crate::ruby::value::Value;

pub(super) const METHODS: &[MethodDef] = &[
    MethodDef("==", exactly(1), equal),
    MethodDef("===", exactly(1), equal),
    MethodDef("eql?", exactly(1), |_, this, args| {
        Ok(Value::Bool(crate::ruby::value::keys_equal(this, args.at(0))))
    }),
    MethodDef("<=>", exactly(1), |interp, this, args| {
        let string = own(interp, this)?;
        let Value::Str(other) = args.at(0) else { return Ok(Value::Nil) };
        let order = string.borrow().bytes().cmp(other.borrow().bytes());
        Ok(Value::Int(order as i64))
    }),
    MethodDef("casecmp", exactly(1), |interp, this, args| {
        let Value::Str(other) = args.at(0) else { return no_string(interp, args.at(0)) };
        let (a, b) = (own(interp, this)?.borrow(), other.borrow());
        let order = a.bytes().to_ascii_lowercase().cmp(&b.bytes().to_ascii_lowercase());
        Ok(Value::Int(order as i64))
    }),
    MethodDef("casecmp?", exactly(1), |interp, this, args| {
        let Value::Str(other) = args.at(0) else { return no_string(interp, args.at(0)) };
        let (a, b) = (own(interp, this)?.borrow(), other.borrow());
        let fold = |text: &str| text.to_lowercase().replace('ß', "ss");
        Ok(Value::Bool(fold(&a.to_text()) == fold(&b.to_text())))
    }),
    MethodDef("start_with?", at_least(0), |interp, this, args| {
        for prefix in args.values {
            let found = match prefix {
                Value::Regexp(pattern) => regexp::match_at_start(interp, pattern, this)?,
                prefix => {
                    let prefix = interp.to_str(prefix)?;
                    own(interp, this)?.borrow().bytes().starts_with(prefix.borrow().bytes())
                }
            };
            if found {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
    MethodDef("end_with?", at_least(0), |interp, this, args| {
        for suffix in args.values {
            let suffix = interp.to_str(suffix)?;
            if own(interp, this)?.borrow().bytes().ends_with(suffix.borrow().bytes()) {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
    MethodDef("include?", exactly(1), |interp, this, args| {
        let part = args.string(interp, 0)?;
        let string = own(interp, this)?;
        let found = memchr::memmem::find(string.borrow().bytes(), part.borrow().bytes()).is_some();
        Ok(Value::Bool(found))
    }),
    MethodDef("=~", exactly(1), |interp, this, args| match args.at(0) {
        Value::Regexp(pattern) => regexp::match_index(interp, pattern, this),
        Value::Str(_) => Err(interp.type_error("wrong argument type String (expected Regexp)")),
        other => interp.call(other, "=~", std::slice::from_ref(this)),
    }),
    MethodDef("match", between(1, 2), |interp, this, args| {
        let pattern = regexp::to_regexp(interp, args.at(0))?;
        let mut values = vec![this.clone()];
        values.extend_from_slice(args.from(1));
        interp.call_with(&pattern, sym!("match"), Args { values: &values, ..args })
    }),
    MethodDef("match?", between(1, 2), |interp, this, args| {
        let pattern = regexp::to_regexp(interp, args.at(0))?;
        let mut values = vec![this.clone()];
        values.extend_from_slice(args.from(1));
        interp.call(&pattern, "match?", &values)
    }),
    MethodDef("ascii_only?", exactly(0), |interp, this, _| {
        Ok(Value::Bool(own(interp, this)?.borrow().is_ascii_only()))
    }),
    MethodDef("between?", exactly(2), |interp, this, args| {
        let inside = interp.order(this, args.at(0))?.is_ge() && interp.order(this, args.at(1))?.is_le();
        Ok(Value::Bool(inside))
    }),
];

fn no_string(interp: &mut Interp, value: &Value) -> Outcome {
    Err(interp.no_conversion(value, "String"))
}

fn equal(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let string = own(interp, this)?;
    match args.at(0) {
        Value::Str(other) => Ok(Value::Bool(string.borrow().is_comparable_equal(&other.borrow()))),
        other if interp.responds_to(other, sym!("to_str")) => {
            Ok(Value::Bool(interp.call(other, "==", std::slice::from_ref(this))?.truthy()))
        }
        _ => Ok(Value::Bool(false)),
    }
}
