//! `Args` and `Arity`: what a method written in Rust is called with.

use std::rc::Rc;

use super::control::Control;
use super::interpreter::Interp;
use super::value::{RHash, RProc, RString, Value};

/// The arguments of one call.
#[derive(Clone, Copy, Default)]
pub struct Args<'a> {
    /// Positional arguments; keywords, if there are any, are a hash in last place.
    pub values: &'a [Value],
    /// Whether the last value is the hash of the keywords (`f(a: 1)`), not one written as such (`f({a: 1})`).
    pub has_keywords: bool,
    /// The block after the call, or `&block`.
    pub block: Option<&'a Rc<RProc>>,
}

impl<'a> Args<'a> {
    /// Positional arguments alone.
    pub fn of(values: &'a [Value]) -> Args<'a> {
        Args { values, ..Args::default() }
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The argument at a place, `nil` where it was not given.
    pub fn at(&self, place: usize) -> &'a Value {
        self.values.get(place).unwrap_or(&Value::Nil)
    }

    /// The argument at a place, if it was given.
    pub fn get(&self, place: usize) -> Option<&'a Value> {
        self.values.get(place)
    }

    /// The arguments from a place on.
    pub fn from(&self, place: usize) -> &'a [Value] {
        self.values.get(place..).unwrap_or_default()
    }

    /// Takes the hash of keywords off, for a method that has options: `(arguments without it, options)`.
    pub fn split_keywords(self) -> (Args<'a>, Option<Rc<RHash>>) {
        match (self.has_keywords, self.values.split_last()) {
            (true, Some((Value::Hash(keywords), rest))) => {
                (Args { values: rest, has_keywords: false, block: self.block }, Some(keywords.clone()))
            }
            _ => (self, None),
        }
    }

    /// The value of one keyword, `f(name: value)`.
    pub fn keyword(&self, name: &str) -> Option<Value> {
        match (self.has_keywords, self.values.last()) {
            (true, Some(Value::Hash(keywords))) => keywords.get(&Value::sym(name)),
            _ => None,
        }
    }

    /// A string argument, or the TypeError that Ruby raises for anything else.
    pub fn string(&self, interp: &mut Interp, place: usize) -> Result<Rc<RString>, Control> {
        interp.to_str(self.at(place))
    }

    /// The text of a string argument; what is not valid UTF-8 becomes U+FFFD.
    pub fn text(&self, interp: &mut Interp, place: usize) -> Result<String, Control> {
        Ok(interp.to_str(self.at(place))?.to_text())
    }

    /// An integer argument; floats are cut.
    pub fn int(&self, interp: &mut Interp, place: usize) -> Result<i64, Control> {
        interp.to_int(self.at(place))
    }

    /// The block, or the LocalJumpError for a call without one.
    pub fn block(&self, interp: &mut Interp) -> Result<&'a Rc<RProc>, Control> {
        self.block.ok_or_else(|| interp.error("LocalJumpError", "no block given (yield)"))
    }
}

/// How many arguments a method takes. Keywords count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    pub min: u8,
    /// 255 for any number.
    pub max: u8,
}

/// Exactly `count` arguments.
pub const fn exactly(count: u8) -> Arity {
    Arity { min: count, max: count }
}

/// `min` to `max` arguments.
pub const fn between(min: u8, max: u8) -> Arity {
    Arity { min, max }
}

/// `min` arguments or more.
pub const fn at_least(min: u8) -> Arity {
    Arity { min, max: u8::MAX }
}

impl Arity {
    pub fn admits(self, count: usize) -> bool {
        count >= usize::from(self.min) && (self.max == u8::MAX || count <= usize::from(self.max))
    }

    /// As Ruby's `arity` counts: `-n-1` for `n` and more.
    pub fn to_ruby(self) -> i64 {
        let min = i64::from(self.min);
        if self.min == self.max { min } else { -min - 1 }
    }

    /// The wrong number of arguments in Ruby's words.
    pub fn describe(self) -> String {
        match (self.min, self.max) {
            (min, u8::MAX) => format!("{min}+"),
            (min, max) if min == max => min.to_string(),
            (min, max) => format!("{min}..{max}"),
        }
    }
}
