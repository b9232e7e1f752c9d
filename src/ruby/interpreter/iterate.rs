//! `each` for Rust: walking over anything that Ruby can walk over.

use std::cell::RefCell;
use std::rc::Rc;

use super::Interp;
use crate::ruby::args::{Args, at_least};
use crate::ruby::control::Outcome;
use crate::ruby::symbol::sym;
use crate::ruby::value::{RProc, Value};

/// What one step of a walk does with an item; an error ends the walk.
pub type Step<'s> = dyn FnMut(&mut Interp, Value) -> Outcome<()> + 's;

/// Items collected from an `each` written in Ruby before it is taken for endless.
const MAX_COLLECTED: usize = 10_000_000;

impl Interp {
    /// Calls `step` with every item of an array, hash (pairs as arrays of two), range, or object with `each`. Arrays
    /// and hashes may change meanwhile. An object's own `each` runs to its end before the first step.
    pub fn each(&mut self, value: &Value, step: &mut Step<'_>) -> Outcome<()> {
        match value {
            Value::Array(array) => {
                let mut at = 0;
                while let Some(item) = array.get(at) {
                    step(self, item)?;
                    at += 1;
                }
                Ok(())
            }
            Value::Hash(hash) => {
                let mut position = 0;
                loop {
                    let next = hash.borrow().next_from(position);
                    let Some((key, value, after)) = next else { return Ok(()) };
                    step(self, Value::array(vec![key, value]))?;
                    position = after;
                }
            }
            Value::Range(range) => match (&range.start, &range.end) {
                (Value::Int(start), Value::Int(end)) => {
                    let end = if range.exclusive { end.checked_sub(1) } else { Some(*end) };
                    let Some(end) = end else { return Ok(()) };
                    for number in *start..=end {
                        step(self, Value::Int(number))?;
                    }
                    Ok(())
                }
                (Value::Int(start), Value::Nil) => {
                    for number in *start.. {
                        step(self, Value::Int(number))?;
                    }
                    Ok(())
                }
                (Value::Int(start), Value::Float(end)) if end.is_infinite() && *end > 0.0 => {
                    for number in *start.. {
                        step(self, Value::Int(number))?;
                    }
                    Ok(())
                }
                _ => self.each_collected(value, step),
            },
            other => self.each_collected(other, step),
        }
    }

    fn each_collected(&mut self, value: &Value, step: &mut Step<'_>) -> Outcome<()> {
        for item in self.collect_each(value)? {
            step(self, item)?;
        }
        Ok(())
    }

    /// What an object's `each` yields; several values at once become an array.
    fn collect_each(&mut self, value: &Value) -> Outcome<Vec<Value>> {
        let collected = Rc::new(RefCell::new(Vec::new()));
        let into = collected.clone();
        let block = RProc::native(at_least(0), move |interp, args| {
            let item = match args.values {
                [one] => one.clone(),
                several => Value::array(several.to_vec()),
            };
            let mut items = into.borrow_mut();
            if items.len() >= MAX_COLLECTED {
                drop(items);
                return Err(interp.error("NoMemoryError", "an enumeration without end"));
            }
            items.push(item);
            Ok(Value::Nil)
        });
        self.call_with(value, sym!("each"), Args { block: Some(&block), ..Args::default() })?;
        Ok(std::mem::take(&mut *collected.borrow_mut()))
    }

    /// All items of anything that can be walked over.
    pub fn collect(&mut self, value: &Value) -> Outcome<Vec<Value>> {
        match value {
            Value::Array(array) => Ok(array.to_vec()),
            Value::Hash(hash) => Ok(super::calls::pairs(&hash.borrow())),
            Value::Range(range) if range.end.is_nil() => {
                Err(self.error("RangeError", "cannot convert endless range to an array"))
            }
            _ => {
                let mut items = Vec::new();
                self.each(value, &mut |interp, item| {
                    if items.len() >= MAX_COLLECTED {
                        return Err(interp.error("NoMemoryError", "an enumeration without end"));
                    }
                    items.push(item);
                    Ok(())
                })?;
                Ok(items)
            }
        }
    }
}
