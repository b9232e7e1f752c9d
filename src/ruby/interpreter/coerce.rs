//! Implicit conversions: what natives take where they want a string, an integer, an array.

use std::rc::Rc;

use super::Interp;
use crate::ruby::control::Outcome;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{RArray, RClass, RHash, RString, Value};

impl Interp {
    /// A string, or what `to_str` gives; else a TypeError.
    pub fn to_str(&mut self, value: &Value) -> Outcome<Rc<RString>> {
        if let Value::Str(string) = value {
            return Ok(string.clone());
        }
        if self.responds_to(value, sym!("to_str"))
            && let Value::Str(string) = self.call(value, "to_str", &[])?
        {
            return Ok(string);
        }
        Err(self.no_conversion(value, "String"))
    }

    /// An integer within 64 bits; floats are cut. Else a TypeError, or a RangeError for what is too large.
    pub fn to_int(&mut self, value: &Value) -> Outcome<i64> {
        match value {
            Value::Int(number) => Ok(*number),
            Value::Float(number) if number.abs() < 9.2e18 => Ok(*number as i64),
            Value::Float(number) => {
                let shown = super::text::float_to_s(*number);
                let class = if number.is_finite() { "RangeError" } else { "FloatDomainError" };
                Err(self.error(class, format!("float {shown} out of range of integer")))
            }
            Value::Big(number) => {
                let message = format!("bignum too big to convert into 'long' ({number})");
                Err(self.error("RangeError", message))
            }
            other if self.responds_to(other, sym!("to_int")) => match self.call(other, "to_int", &[])? {
                Value::Int(number) => Ok(number),
                _ => Err(self.no_conversion(other, "Integer")),
            },
            other => Err(self.no_conversion(other, "Integer")),
        }
    }

    /// A number as a double, or a TypeError.
    pub fn to_float(&mut self, value: &Value) -> Outcome<f64> {
        match value {
            Value::Float(number) => Ok(*number),
            Value::Int(number) => Ok(*number as f64),
            Value::Big(number) => Ok(big_to_f64(number)),
            Value::Object(_) if self.responds_to(value, sym!("to_f")) => {
                match self.call(value, "to_f", &[])? {
                    Value::Float(number) => Ok(number),
                    _ => Err(self.no_conversion(value, "Float")),
                }
            }
            Value::Str(_) => Err(self.type_error("can't convert String into Float")),
            Value::Nil => Err(self.type_error("can't convert nil into Float")),
            other => {
                let class = self.describe_for_conversion(other);
                Err(self.type_error(format!("can't convert {class} into Float")))
            }
        }
    }

    /// An array, or what `to_ary` gives; else a TypeError.
    pub fn to_array(&mut self, value: &Value) -> Outcome<Rc<RArray>> {
        if let Value::Array(array) = value {
            return Ok(array.clone());
        }
        for name in ["to_ary", "to_a"] {
            if self.responds_to(value, Sym::new(name))
                && !value.is_nil()
                && let Value::Array(array) = self.call(value, name, &[])?
            {
                return Ok(array);
            }
        }
        Err(self.no_conversion(value, "Array"))
    }

    /// A hash, or what `to_hash` gives; else a TypeError.
    pub fn to_hash(&mut self, value: &Value) -> Outcome<Rc<RHash>> {
        if let Value::Hash(hash) = value {
            return Ok(hash.clone());
        }
        if self.responds_to(value, sym!("to_hash"))
            && let Value::Hash(hash) = self.call(value, "to_hash", &[])?
        {
            return Ok(hash);
        }
        Err(self.no_conversion(value, "Hash"))
    }

    /// A symbol or string as a name; else a TypeError.
    pub fn to_name(&mut self, value: &Value) -> Outcome<Sym> {
        match value {
            Value::Sym(name) => Ok(*name),
            Value::Str(string) => Ok(Sym::new(&string.to_text())),
            other => {
                let shown = self.inspect(other)?;
                Err(self.type_error(format!("{shown} is not a symbol nor a string")))
            }
        }
    }

    /// A class or module; else a TypeError.
    pub fn to_class(&mut self, value: &Value) -> Outcome<Rc<RClass>> {
        match value {
            Value::Class(class) => Ok(class.clone()),
            _ => Err(self.type_error("class or module required")),
        }
    }
}

/// The nearest double; infinity beyond its range.
pub fn big_to_f64(number: &num_bigint::BigInt) -> f64 {
    number.to_string().parse().unwrap_or(f64::NAN)
}

impl Interp {
    /// Refuses what would be too large to hold.
    pub fn check_size(&mut self, size: usize) -> Outcome<()> {
        if size > crate::ruby::MAX_SIZE {
            return Err(self.argument_error("argument too big"));
        }
        Ok(())
    }
}
