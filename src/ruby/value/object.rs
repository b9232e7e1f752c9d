//! `RObject`: instances of classes, with instance variables and native data.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{Method, RClass, Value, holds_others};
use crate::ruby::symbol::{Sym, sym};

/// Data of a builtin object. What changes in it stands in cells.
pub trait Native: Any {
    /// Data of its own for a copy (`dup`, `clone`); `None` where copies share it, because it does not change.
    fn duplicate(&self) -> Option<Rc<dyn Native>> {
        None
    }

    /// The number under which hashes look for it, where equal objects are the same key (`hash`).
    fn key_hash(&self) -> Option<u64> {
        None
    }

    /// Shows every value it holds. `false` where it holds some that it does not show; then closures that hold
    /// themselves are not freed while a script keeps such an object.
    fn trace(&self, _visit: &mut dyn FnMut(&Value)) -> bool {
        false
    }

    /// Whether hashes take both for the same key (`eql?`).
    fn is_same_key(&self, _other: &dyn Native) -> bool {
        false
    }
}

impl dyn Native {
    pub fn downcast<T: Native>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

/// An object that is none of the builtin kinds of [`Value`].
pub struct RObject {
    class: RefCell<Rc<RClass>>,
    ivars: RefCell<Vec<(Sym, Value)>>,
    frozen: Cell<bool>,
    native: Option<Rc<dyn Native>>,
}

impl RObject {
    pub fn new(class: &Rc<RClass>) -> RObject {
        RObject {
            class: RefCell::new(class.clone()),
            ivars: RefCell::default(),
            frozen: Cell::new(false),
            native: None,
        }
    }

    pub fn with_native(class: &Rc<RClass>, data: impl Native) -> RObject {
        RObject {
            class: RefCell::new(class.clone()),
            ivars: RefCell::default(),
            frozen: Cell::new(false),
            native: Some(Rc::new(data)),
        }
    }

    /// Its class; the singleton class where it has one.
    pub fn class(&self) -> Rc<RClass> {
        self.class.borrow().clone()
    }

    /// Whether `class` is its class.
    pub(in crate::ruby) fn has_class(&self, class: &Rc<RClass>) -> bool {
        Rc::ptr_eq(&self.class.borrow(), class)
    }

    pub fn set_class(&self, class: Rc<RClass>) {
        *self.class.borrow_mut() = class;
    }

    pub fn native<T: Native>(&self) -> Option<&T> {
        self.native.as_deref()?.downcast()
    }

    pub fn any_native(&self) -> Option<&dyn Native> {
        self.native.as_deref()
    }

    /// The values of a Struct, by which it is told apart as a key; `None` for other objects.
    pub fn members(&self) -> Option<Vec<Value>> {
        if self.native.is_some() {
            return None;
        }
        let class = self.class();
        let names = class.ancestors().iter().find_map(|class| class.ivar(sym!("__members__")))?;
        let Value::Array(names) = names else { return None };
        let value = |name: &Value| match name {
            Value::Sym(name) => self.ivar(*name).unwrap_or_default(),
            _ => Value::Nil,
        };
        Some(names.borrow().iter().map(value).collect())
    }

    /// Whether both are of one class.
    pub fn has_class_of(&self, other: &RObject) -> bool {
        Rc::ptr_eq(&self.class.borrow(), &other.class.borrow())
    }

    pub fn ivar(&self, name: Sym) -> Option<Value> {
        self.ivars.borrow().iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    pub fn set_ivar(&self, name: Sym, value: Value) {
        set_in(&mut self.ivars.borrow_mut(), name, value);
    }

    pub fn remove_ivar(&self, name: Sym) -> Option<Value> {
        let mut ivars = self.ivars.borrow_mut();
        let at = ivars.iter().position(|(known, _)| *known == name)?;
        Some(ivars.remove(at).1)
    }

    /// Instance variables in the order they were first set.
    pub fn ivars(&self) -> Vec<(Sym, Value)> {
        self.ivars.borrow().clone()
    }

    pub fn is_frozen(&self) -> bool {
        self.frozen.get()
    }

    pub fn freeze(&self) {
        self.frozen.set(true);
    }

    /// A copy with the same class, instance variables and native data; not frozen.
    pub fn duplicate(&self) -> RObject {
        let mut class = self.class();
        while class.is_singleton() {
            let Some(superclass) = class.superclass() else { break };
            class = superclass;
        }
        RObject {
            class: RefCell::new(class),
            ivars: RefCell::new(self.ivars()),
            frozen: Cell::new(false),
            native: self.native.as_ref().map(|native| native.duplicate().unwrap_or_else(|| native.clone())),
        }
    }
}

pub(super) fn set_in(ivars: &mut Vec<(Sym, Value)>, name: Sym, value: Value) {
    match ivars.iter_mut().find(|(known, _)| *known == name) {
        Some((_, slot)) => *slot = value,
        None => ivars.push((name, value)),
    }
}

impl Drop for RObject {
    fn drop(&mut self) {
        let ivars = self.ivars.get_mut();
        if ivars.iter().any(|(_, value)| holds_others(value)) {
            bury(std::mem::take(ivars).into_iter().map(|(_, value)| value).collect());
        }
    }
}

thread_local! {
    static BURYING: Cell<bool> = const { Cell::new(false) };
    static GRAVE: RefCell<Vec<Vec<Value>>> = const { RefCell::new(Vec::new()) };
}

/// Drops what a container held one after the other, however deep it is nested: a script can nest arrays a million
/// levels deep, and a recursive drop would overflow the stack. The grave is empty again when the outermost drop ends.
pub(super) fn bury(values: Vec<Value>) {
    let outermost = BURYING.try_with(|burying| !burying.replace(true));
    let Ok(outermost) = outermost else { return drop(values) };
    if !outermost {
        let mut values = Some(values);
        _ = GRAVE.try_with(|grave| grave.borrow_mut().extend(values.take()));
        return;
    }
    drop(values);
    while let Ok(Some(values)) = GRAVE.try_with(|grave| grave.borrow_mut().pop()) {
        drop(values);
    }
    _ = BURYING.try_with(|burying| burying.set(false));
}

/// What every exception carries.
#[derive(Default)]
pub struct Exception {
    /// `nil` where the class' name is the message.
    pub message: RefCell<Value>,
    pub backtrace: RefCell<Vec<String>>,
    pub cause: RefCell<Value>,
}

impl Native for Exception {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) -> bool {
        visit(&self.message.borrow());
        visit(&self.cause.borrow());
        true
    }

    fn duplicate(&self) -> Option<Rc<dyn Native>> {
        Some(Rc::new(Exception {
            message: self.message.clone(),
            backtrace: self.backtrace.clone(),
            cause: self.cause.clone(),
        }))
    }
}

/// A method with its receiver: `method(:name)`.
pub struct BoundMethod {
    /// `None` for an `instance_method`, which is bound to nothing yet.
    pub receiver: Option<Value>,
    pub name: Sym,
    pub method: Rc<Method>,
}

impl Native for BoundMethod {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) -> bool {
        if let Some(receiver) = &self.receiver {
            visit(receiver);
        }
        true
    }
}
