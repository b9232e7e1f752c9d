//! `Value`: what a Ruby variable holds, and the objects behind it.

mod class;
mod hash;
mod object;
mod procedure;
mod string;

use std::cell::{Cell, OnceCell, Ref, RefCell, RefMut};
use std::rc::Rc;

use num_bigint::BigInt;

pub use class::{Body, Method, NativeFn, RClass, Visibility};
pub use hash::{HashDefault, HashMap, RHash, insert_into, key_hash, keys_equal, remove_from};
pub use object::{BoundMethod, Exception, Native, RObject};
pub use procedure::{Env, ProcBody, RProc};
pub use string::{Encoding, RString, StrBuf, StringRange};

use super::symbol::Sym;
use crate::regex::Regex;

/// A Ruby value: 16 bytes; cloning one copies a number or counts a reference.
#[derive(Clone, Default)]
pub enum Value {
    #[default]
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// An integer beyond 64 bits. Make it with [`Value::big`], which keeps small ones in `Int`.
    Big(Rc<BigInt>),
    Sym(Sym),
    Str(Rc<RString>),
    Array(Rc<RArray>),
    Hash(Rc<RHash>),
    Range(Rc<RRange>),
    Regexp(Rc<RRegexp>),
    Proc(Rc<RProc>),
    /// A class or a module.
    Class(Rc<RClass>),
    /// Everything else: instances of classes written in Ruby, exceptions, times, events ...
    Object(Rc<RObject>),
}

const _: () = assert!(size_of::<Value>() == 16);

impl Value {
    /// A new string.
    pub fn str(text: impl Into<String>) -> Value {
        Value::Str(Rc::new(RString::from_text(text.into())))
    }

    /// A new string of any bytes.
    pub fn bytes(bytes: impl Into<Vec<u8>>, encoding: Encoding) -> Value {
        Value::Str(Rc::new(RString::new(StrBuf::new(bytes.into(), encoding))))
    }

    pub fn sym(name: &str) -> Value {
        Value::Sym(Sym::new(name))
    }

    pub fn array(items: Vec<Value>) -> Value {
        Value::Array(Rc::new(RArray::new(items)))
    }

    pub fn hash(map: HashMap) -> Value {
        Value::Hash(Rc::new(RHash::new(map)))
    }

    /// An integer of any size.
    pub fn big(number: BigInt) -> Value {
        match i64::try_from(&number) {
            Ok(small) => Value::Int(small),
            Err(_) => Value::Big(Rc::new(number)),
        }
    }

    pub fn range(start: Value, end: Value, exclusive: bool) -> Value {
        Value::Range(Rc::new(RRange { start, end, exclusive }))
    }

    /// An instance of a builtin class with data of its own.
    pub fn native(class: &Rc<RClass>, data: impl Native) -> Value {
        Value::Object(Rc::new(RObject::with_native(class, data)))
    }

    /// A clone that costs next to nothing for numbers, of which loops are full.
    #[inline]
    pub(in crate::ruby) fn copy(&self) -> Value {
        match self {
            Value::Int(number) => Value::Int(*number),
            other => other.clone(),
        }
    }

    /// Drops the value; next to nothing for numbers.
    #[inline]
    pub(in crate::ruby) fn discard(self) {
        match self {
            Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
            other => drop(other),
        }
    }

    /// Everything but `nil` and `false`.
    #[inline]
    pub fn truthy(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }

    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    pub fn as_string(&self) -> Option<&Rc<RString>> {
        match self {
            Value::Str(string) => Some(string),
            _ => None,
        }
    }

    pub fn as_array(&self) -> Option<&Rc<RArray>> {
        match self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    pub fn as_hash(&self) -> Option<&Rc<RHash>> {
        match self {
            Value::Hash(hash) => Some(hash),
            _ => None,
        }
    }

    pub fn as_class(&self) -> Option<&Rc<RClass>> {
        match self {
            Value::Class(class) => Some(class),
            _ => None,
        }
    }

    /// The native data of an object, if it is of this type: `value.as_native::<Time>()`.
    pub fn as_native<T: Native>(&self) -> Option<&T> {
        match self {
            Value::Object(object) => object.native(),
            _ => None,
        }
    }

    /// Whether both are the very same object (`equal?`).
    pub fn is_same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Sym(a), Value::Sym(b)) => a == b,
            (Value::Big(a), Value::Big(b)) => Rc::ptr_eq(a, b),
            (Value::Str(a), Value::Str(b)) => Rc::ptr_eq(a, b),
            (Value::Array(a), Value::Array(b)) => Rc::ptr_eq(a, b),
            (Value::Hash(a), Value::Hash(b)) => Rc::ptr_eq(a, b),
            (Value::Range(a), Value::Range(b)) => Rc::ptr_eq(a, b),
            (Value::Regexp(a), Value::Regexp(b)) => Rc::ptr_eq(a, b),
            (Value::Proc(a), Value::Proc(b)) => Rc::ptr_eq(a, b),
            (Value::Class(a), Value::Class(b)) => Rc::ptr_eq(a, b),
            (Value::Object(a), Value::Object(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// A number that tells objects apart (`object_id`).
    pub fn identity(&self) -> i64 {
        let address = match self {
            Value::Nil => return 8,
            Value::Bool(false) => return 0,
            Value::Bool(true) => return 20,
            Value::Int(number) => return number.wrapping_mul(2).wrapping_add(1),
            Value::Float(number) => return (number.to_bits() >> 1) as i64 | 2,
            Value::Sym(symbol) => symbol.address(),
            Value::Big(object) => Rc::as_ptr(object).addr(),
            Value::Str(object) => Rc::as_ptr(object).addr(),
            Value::Array(object) => Rc::as_ptr(object).addr(),
            Value::Hash(object) => Rc::as_ptr(object).addr(),
            Value::Range(object) => Rc::as_ptr(object).addr(),
            Value::Regexp(object) => Rc::as_ptr(object).addr(),
            Value::Proc(object) => Rc::as_ptr(object).addr(),
            Value::Class(object) => Rc::as_ptr(object).addr(),
            Value::Object(object) => Rc::as_ptr(object).addr(),
        };
        address as i64
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::str(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::str(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        i64::try_from(number).map_or_else(|_| Value::big(number.into()), Value::Int)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Float(number)
    }
}

impl From<Sym> for Value {
    fn from(symbol: Sym) -> Self {
        Value::Sym(symbol)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::array(items)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    /// `None` is `nil`.
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Nil, Into::into)
    }
}

/// What few strings, arrays and hashes have: a class of their own (a subclass, a singleton class) and instance
/// variables.
#[derive(Default)]
pub struct Extra(OnceCell<Box<ExtraData>>);

#[derive(Default)]
struct ExtraData {
    class: RefCell<Option<Rc<RClass>>>,
    ivars: RefCell<Vec<(Sym, Value)>>,
}

impl Drop for ExtraData {
    fn drop(&mut self) {
        let ivars = self.ivars.get_mut();
        if ivars.iter().any(|(_, value)| holds_others(value)) {
            object::bury(std::mem::take(ivars).into_iter().map(|(_, value)| value).collect());
        }
    }
}

impl Extra {
    pub(in crate::ruby) fn is_empty(&self) -> bool {
        self.0.get().is_none()
    }

    pub fn class(&self) -> Option<Rc<RClass>> {
        self.0.get().and_then(|data| data.class.borrow().clone())
    }

    pub fn set_class(&self, class: Rc<RClass>) {
        *self.0.get_or_init(Box::default).class.borrow_mut() = Some(class);
    }

    pub fn ivar(&self, name: Sym) -> Option<Value> {
        let data = self.0.get()?;
        data.ivars.borrow().iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    pub fn set_ivar(&self, name: Sym, value: Value) {
        object::set_in(&mut self.0.get_or_init(Box::default).ivars.borrow_mut(), name, value);
    }
}

/// An array. Never hold a borrow of its items while calling back into Ruby: blocks may change the array.
pub struct RArray {
    items: RefCell<Vec<Value>>,
    frozen: Cell<bool>,
    pub extra: Extra,
}

impl RArray {
    pub fn new(items: Vec<Value>) -> RArray {
        RArray { items: RefCell::new(items), frozen: Cell::new(false), extra: Extra::default() }
    }

    pub fn borrow(&self) -> Ref<'_, Vec<Value>> {
        self.items.borrow()
    }

    /// To change the items. Natives call `interp.check_frozen(value)?` before.
    pub fn borrow_mut(&self) -> RefMut<'_, Vec<Value>> {
        self.items.borrow_mut()
    }

    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.borrow().is_empty()
    }

    /// The item at an index from the start, if there is one; for loops that call blocks.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.items.borrow().get(index).cloned()
    }

    pub fn push(&self, value: Value) {
        self.items.borrow_mut().push(value);
    }

    /// A copy of the items.
    pub fn to_vec(&self) -> Vec<Value> {
        self.items.borrow().clone()
    }

    pub fn is_frozen(&self) -> bool {
        self.frozen.get()
    }

    pub fn freeze(&self) {
        self.frozen.set(true);
    }
}

impl Drop for RArray {
    fn drop(&mut self) {
        let items = self.items.get_mut();
        if items.iter().any(holds_others) {
            object::bury(std::mem::take(items));
        }
    }
}

/// Whether a value refers to further values, so that dropping it may go deep.
fn holds_others(value: &Value) -> bool {
    match value {
        Value::Array(_) | Value::Hash(_) | Value::Object(_) | Value::Proc(_) | Value::Range(_) => true,
        Value::Str(string) => string.extra.0.get().is_some(),
        _ => false,
    }
}

/// `start..end` or `start...end`; an open end is `nil`.
pub struct RRange {
    pub start: Value,
    pub end: Value,
    pub exclusive: bool,
}

/// A regular expression with its options as Ruby spells them.
pub struct RRegexp {
    pub regex: Regex,
    /// The pattern between the slashes.
    pub source: Rc<str>,
    pub ignore_case: bool,
    pub multiline: bool,
    pub extended: bool,
}

impl RRegexp {
    /// Whether both have the same pattern and options (`==`).
    pub fn is_equal(&self, other: &RRegexp) -> bool {
        let options = |regexp: &RRegexp| (regexp.ignore_case, regexp.multiline, regexp.extended);
        self.source == other.source && options(self) == options(other)
    }
}
