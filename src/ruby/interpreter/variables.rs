//! Instance, class and global variables, and what a match left behind.

use std::rc::Rc;

use super::{Cref, Interp};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::symbol::Sym;
use crate::ruby::value::{Env, RClass, Value};

impl Interp {
    /// An instance variable; `nil` where it was never set.
    pub fn get_ivar(&self, object: &Value, name: Sym) -> Value {
        let found = match object {
            Value::Object(object) => object.ivar(name),
            Value::Class(class) => class.ivar(name),
            Value::Str(string) => string.extra.ivar(name),
            Value::Array(array) => array.extra.ivar(name),
            Value::Hash(hash) => hash.extra.ivar(name),
            _ => None,
        };
        found.unwrap_or_default()
    }

    /// Sets an instance variable. Fails on frozen objects and on those that have none.
    pub fn set_ivar(&mut self, object: &Value, name: Sym, value: Value) -> Outcome<()> {
        self.check_frozen(object)?;
        match object {
            Value::Object(object) => object.set_ivar(name, value),
            Value::Class(class) => class.set_ivar(name, value),
            Value::Str(string) => string.extra.set_ivar(name, value),
            Value::Array(array) => array.extra.set_ivar(name, value),
            Value::Hash(hash) => hash.extra.set_ivar(name, value),
            other => return Err(self.frozen_error(other)),
        }
        Ok(())
    }

    /// Refuses to change what is frozen. Every native that changes its receiver asks first.
    #[inline]
    pub fn check_frozen(&mut self, value: &Value) -> Outcome<()> {
        if self.is_frozen(value) { Err(self.frozen_error(value)) } else { Ok(()) }
    }

    pub fn is_frozen(&self, value: &Value) -> bool {
        match value {
            Value::Str(string) => string.is_frozen(),
            Value::Array(array) => array.is_frozen(),
            Value::Hash(hash) => hash.is_frozen(),
            Value::Object(object) => object.is_frozen(),
            Value::Class(class) => class.frozen.get(),
            Value::Proc(_) => false,
            _ => true,
        }
    }

    fn frozen_error(&mut self, value: &Value) -> Control {
        let class = self.class_name(&self.real_class(value));
        let shown = self.inspect(value).unwrap_or_default();
        self.error("FrozenError", format!("can't modify frozen {class}: {shown}"))
    }

    pub(super) fn get_global(&mut self, name: Sym) -> Value {
        match name.as_str() {
            "$~" => self.last_match.clone(),
            "$!" => self.last_error.clone(),
            "$@" => match self.last_error.clone() {
                Value::Nil => Value::Nil,
                error => self.call(&error, "backtrace", &[]).unwrap_or_default(),
            },
            "$PROGRAM_NAME" | "$0" => Value::str("rstash"),
            "$$" => Value::Int(std::process::id().into()),
            "$," | "$;" => self.global(name),
            "$/" => Value::str("\n"),
            _ => self.global(name),
        }
    }

    pub(super) fn assign_global(&mut self, name: Sym, value: Value) {
        match name.as_str() {
            "$~" => self.last_match = value,
            "$!" => self.last_error = value,
            _ => self.set_global(name, value),
        }
    }

    /// `$1`, `$2` ...
    pub(super) fn nth_match(&mut self, group: usize) -> Value {
        match self.last_match.clone() {
            Value::Nil => Value::Nil,
            found => self.call(&found, "[]", &[Value::from(group)]).unwrap_or_default(),
        }
    }

    pub(super) fn back_reference(&mut self, kind: char) -> Outcome {
        let found = match self.last_match.clone() {
            Value::Nil => return Ok(Value::Nil),
            found => found,
        };
        match kind {
            '&' => self.call(&found, "[]", &[Value::Int(0)]),
            '`' => self.call(&found, "pre_match", &[]),
            '\'' => self.call(&found, "post_match", &[]),
            _ => {
                let groups = self.call(&found, "captures", &[])?;
                let Value::Array(groups) = groups else { return Ok(Value::Nil) };
                Ok(groups.borrow().iter().rev().find(|group| !group.is_nil()).cloned().unwrap_or_default())
            }
        }
    }

    /// Whether there is a `$~`-like variable or any other global of this name.
    pub(super) fn is_global_defined(&self, name: Sym) -> bool {
        match name.as_str() {
            "$~" => !self.last_match.is_nil(),
            "$!" => !self.last_error.is_nil(),
            _ => self.globals.contains_key(&name),
        }
    }

    /// The class whose class variables code in a place sees.
    fn class_variable_holder(&self, env: &Env) -> Rc<RClass> {
        let mut cref: Option<&Rc<Cref>> = Some(&env.context.cref);
        while let Some(at) = cref {
            if !at.module.is_singleton() {
                return at.module.clone();
            }
            cref = at.parent.as_ref();
        }
        self.classes.object.clone()
    }

    pub(super) fn find_class_variable(&self, name: Sym, env: &Env) -> Option<Value> {
        self.class_variable_holder(env).ancestors().iter().find_map(|class| {
            let variables = class.class_variables.borrow();
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        })
    }

    pub(super) fn get_class_variable(&mut self, name: Sym, env: &Rc<Env>) -> Outcome {
        if let Some(value) = self.find_class_variable(name, env) {
            return Ok(value);
        }
        let class = self.class_name(&self.class_variable_holder(env));
        Err(self.error("NameError", format!("uninitialized class variable {name} in {class}")))
    }

    pub(super) fn set_class_variable(&mut self, name: Sym, value: Value, env: &Rc<Env>) {
        let holder = self.class_variable_holder(env);
        let owner = holder
            .ancestors()
            .into_iter()
            .find(|class| class.class_variables.borrow().iter().any(|(known, _)| *known == name));
        let owner = owner.unwrap_or(holder);
        let mut variables = owner.class_variables.borrow_mut();
        match variables.iter_mut().find(|(known, _)| *known == name) {
            Some((_, slot)) => *slot = value,
            None => variables.push((name, value)),
        }
    }

    /// Whether an instance variable was set.
    pub(super) fn has_ivar(&self, object: &Value, name: Sym) -> bool {
        match object {
            Value::Object(object) => object.ivar(name).is_some(),
            Value::Class(class) => class.ivar(name).is_some(),
            Value::Str(string) => string.extra.ivar(name).is_some(),
            Value::Array(array) => array.extra.ivar(name).is_some(),
            Value::Hash(hash) => hash.extra.ivar(name).is_some(),
            _ => false,
        }
    }
}
