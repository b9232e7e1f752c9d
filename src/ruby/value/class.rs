//! `RClass`: classes and modules with their methods and constants.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{RProc, Value};
use crate::ruby::args::{Args, Arity};
use crate::ruby::compiler::tree::MethodCode;
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::{Cref, Interp};
use crate::ruby::symbol::{Sym, SymMap};

/// A method written in Rust.
pub type NativeFn = fn(&mut Interp, &Value, Args<'_>) -> Outcome;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    Public,
    Private,
    Protected,
}

/// A method as it stands in a class.
pub struct Method {
    pub name: Sym,
    pub owner: Rc<RClass>,
    pub visibility: Visibility,
    pub body: Body,
}

#[derive(Clone)]
pub enum Body {
    Native {
        run: NativeFn,
        arity: Arity,
    },
    Code {
        code: Rc<MethodCode>,
        cref: Rc<Cref>,
    },
    /// `define_method`
    Proc(Rc<RProc>),
    Reader(Sym),
    Writer(Sym),
    /// `undef`: hides what the superclasses have.
    Undefined,
}

impl Method {
    /// How many arguments it takes, as Ruby's `arity` counts them.
    pub fn arity(&self) -> i64 {
        match &self.body {
            Body::Native { arity, .. } => arity.to_ruby(),
            Body::Code { code, .. } => code.params.arity(true),
            Body::Proc(block) => block.arity(),
            Body::Reader(_) | Body::Undefined => 0,
            Body::Writer(_) => 1,
        }
    }
}

/// A class or module.
pub struct RClass {
    name: RefCell<Option<Rc<str>>>,
    pub is_module: bool,
    /// The object a singleton class belongs to.
    attached: Option<Value>,
    superclass: RefCell<Option<Rc<RClass>>>,
    pub included: RefCell<Vec<Rc<RClass>>>,
    pub prepended: RefCell<Vec<Rc<RClass>>>,
    methods: RefCell<SymMap<Rc<Method>>>,
    /// Methods found by earlier look-ups, good while `cache_epoch` is the interpreter's.
    cache: RefCell<SymMap<Option<Rc<Method>>>>,
    cache_epoch: Cell<u64>,
    constants: RefCell<Vec<(Sym, Value)>>,
    pub class_variables: RefCell<Vec<(Sym, Value)>>,
    ivars: RefCell<Vec<(Sym, Value)>>,
    /// The class of the class, which holds its own methods (`def self.x`).
    meta: RefCell<Option<Rc<RClass>>>,
    pub frozen: Cell<bool>,
}

impl RClass {
    pub(crate) fn new(
        name: Option<&str>,
        superclass: Option<Rc<RClass>>,
        is_module: bool,
        attached: Option<Value>,
    ) -> Rc<RClass> {
        Rc::new(RClass {
            name: RefCell::new(name.map(Rc::from)),
            is_module,
            attached,
            superclass: RefCell::new(superclass),
            included: RefCell::default(),
            prepended: RefCell::default(),
            methods: RefCell::default(),
            cache: RefCell::default(),
            cache_epoch: Cell::new(0),
            constants: RefCell::default(),
            class_variables: RefCell::default(),
            ivars: RefCell::default(),
            meta: RefCell::default(),
            frozen: Cell::new(false),
        })
    }

    /// The full name, `JSON::ParserError`; `None` while an anonymous class has none.
    pub fn name(&self) -> Option<Rc<str>> {
        self.name.borrow().clone()
    }

    pub fn set_name(&self, name: &str) {
        *self.name.borrow_mut() = Some(name.into());
    }

    pub fn is_singleton(&self) -> bool {
        self.attached.is_some()
    }

    pub fn attached(&self) -> Option<&Value> {
        self.attached.as_ref()
    }

    pub fn superclass(&self) -> Option<Rc<RClass>> {
        self.superclass.borrow().clone()
    }

    pub fn meta(&self) -> Option<Rc<RClass>> {
        self.meta.borrow().clone()
    }

    pub(crate) fn set_meta(&self, meta: Rc<RClass>) {
        *self.meta.borrow_mut() = Some(meta);
    }

    /// The method that stands in this very class.
    pub fn own_method(&self, name: Sym) -> Option<Rc<Method>> {
        self.methods.borrow().get(&name).cloned()
    }

    pub fn own_methods(&self) -> Vec<Rc<Method>> {
        self.methods.borrow().values().cloned().collect()
    }

    /// Puts a method into the class. [`Interp::add_method`] also makes callers look anew.
    pub(crate) fn put_method(&self, name: Sym, method: Rc<Method>) {
        self.methods.borrow_mut().insert(name, method);
    }

    pub(crate) fn take_method(&self, name: Sym) -> Option<Rc<Method>> {
        self.methods.borrow_mut().remove(&name)
    }

    /// Where methods are looked for, in order: prepended modules, the class, included modules, then the superclass.
    pub fn ancestors(self: &Rc<Self>) -> Vec<Rc<RClass>> {
        let mut found = Vec::new();
        let mut class = Some(self.clone());
        while let Some(at) = class {
            at.push_with_modules(&mut found);
            class = at.superclass();
        }
        found
    }

    fn push_with_modules(self: &Rc<Self>, found: &mut Vec<Rc<RClass>>) {
        let known = |found: &[Rc<RClass>], class: &Rc<RClass>| found.iter().any(|c| Rc::ptr_eq(c, class));
        for module in self.prepended.borrow().iter().rev() {
            if !known(found, module) {
                module.push_with_modules(found);
            }
        }
        found.push(self.clone());
        for module in self.included.borrow().iter().rev() {
            if !known(found, module) {
                module.push_with_modules(found);
            }
        }
    }

    /// Finds a method in the class and its ancestors; `epoch` counts the changes of any class.
    pub(crate) fn find_method(self: &Rc<Self>, name: Sym, epoch: u64) -> Option<Rc<Method>> {
        if self.cache_epoch.get() != epoch {
            self.cache.borrow_mut().clear();
            self.cache_epoch.set(epoch);
        }
        if let Some(known) = self.cache.borrow().get(&name) {
            return known.clone();
        }
        let found = self.ancestors().iter().find_map(|class| class.own_method(name));
        let found = found.filter(|method| !matches!(method.body, Body::Undefined));
        self.cache.borrow_mut().insert(name, found.clone());
        found
    }

    /// Whether `other` is this class, one of its superclasses or a module it includes.
    pub fn is_a(self: &Rc<Self>, other: &Rc<RClass>) -> bool {
        let mut class = Some(self.clone());
        while let Some(at) = class {
            if Rc::ptr_eq(&at, other) || (other.is_module && at.has_module(other)) {
                return true;
            }
            class = at.superclass();
        }
        false
    }

    fn has_module(&self, module: &Rc<RClass>) -> bool {
        let has = |modules: &RefCell<Vec<Rc<RClass>>>| {
            modules.borrow().iter().any(|one| Rc::ptr_eq(one, module) || one.has_module(module))
        };
        has(&self.included) || has(&self.prepended)
    }

    /// The constant of this very class.
    pub fn constant(&self, name: Sym) -> Option<Value> {
        self.constants.borrow().iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    pub fn set_constant(&self, name: Sym, value: Value) {
        super::object::set_in(&mut self.constants.borrow_mut(), name, value);
    }

    pub fn constants(&self) -> Vec<(Sym, Value)> {
        self.constants.borrow().clone()
    }

    pub(crate) fn remove_constant(&self, name: Sym) -> Option<Value> {
        let mut constants = self.constants.borrow_mut();
        let at = constants.iter().position(|(known, _)| *known == name)?;
        Some(constants.remove(at).1)
    }

    pub fn ivar(&self, name: Sym) -> Option<Value> {
        self.ivars.borrow().iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    pub fn set_ivar(&self, name: Sym, value: Value) {
        super::object::set_in(&mut self.ivars.borrow_mut(), name, value);
    }

    pub fn ivars(&self) -> Vec<(Sym, Value)> {
        self.ivars.borrow().clone()
    }

    /// Cuts every reference to other classes, so that a graph of classes that is no longer used can be freed.
    pub(crate) fn dismantle(&self) {
        let methods = std::mem::take(&mut *self.methods.borrow_mut());
        let cache = std::mem::take(&mut *self.cache.borrow_mut());
        let constants = std::mem::take(&mut *self.constants.borrow_mut());
        let variables = std::mem::take(&mut *self.class_variables.borrow_mut());
        let ivars = std::mem::take(&mut *self.ivars.borrow_mut());
        let meta = self.meta.borrow_mut().take();
        drop((methods, cache, constants, variables, ivars, meta));
    }
}
