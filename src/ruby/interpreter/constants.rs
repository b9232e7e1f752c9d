//! Finding and setting constants.

use std::rc::Rc;

use super::{Cref, Interp};
use crate::ruby::compiler::tree::{ConstantNode, ConstantScope};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::symbol::Sym;
use crate::ruby::value::{Env, RClass, Value};

impl Interp {
    pub(super) fn eval_constant(&mut self, node: &ConstantNode, env: &Rc<Env>) -> Outcome {
        if let Some((epoch, value)) = &*node.cache.borrow()
            && *epoch == self.constant_epoch
        {
            return Ok(value.clone());
        }
        self.line = node.line;
        let value = match &node.scope {
            ConstantScope::Lexical => match self.lexical_constant(node.name, &env.context.cref) {
                Some(value) => value,
                None => return Err(self.uninitialized(node.name, None)),
            },
            ConstantScope::Top => match self.classes.object.constant(node.name) {
                Some(value) => value,
                None => return Err(self.uninitialized(node.name, None)),
            },
            ConstantScope::In(scope) => {
                // The scope may be another one next time.
                let scope = self.eval(scope, env)?;
                return self.constant_in(&scope, node.name);
            }
        };
        *node.cache.borrow_mut() = Some((self.constant_epoch, value.clone()));
        Ok(value)
    }

    /// A constant as code inside some modules sees it.
    pub(super) fn lexical_constant(&self, name: Sym, cref: &Rc<Cref>) -> Option<Value> {
        let mut at = Some(cref);
        while let Some(here) = at {
            if let Some(value) = here.module.constant(name) {
                return Some(value);
            }
            at = here.parent.as_ref();
        }
        let inherited = cref.module.ancestors().iter().find_map(|class| class.constant(name));
        inherited.or_else(|| self.classes.object.constant(name))
    }

    /// `scope::NAME`
    pub fn constant_in(&mut self, scope: &Value, name: Sym) -> Outcome {
        let Value::Class(class) = scope else {
            let shown = self.inspect(scope)?;
            return Err(self.type_error(format!("{shown} is not a class/module")));
        };
        match self.find_constant_in(class, name) {
            Some(value) => Ok(value),
            None => Err(self.uninitialized(name, Some(class))),
        }
    }

    pub(super) fn find_constant_in(&self, class: &Rc<RClass>, name: Sym) -> Option<Value> {
        class.ancestors().iter().find_map(|class| class.constant(name))
    }

    fn uninitialized(&mut self, name: Sym, scope: Option<&Rc<RClass>>) -> Control {
        let scope = match scope {
            Some(class) if !Rc::ptr_eq(class, &self.classes.object) => {
                format!("{}::", self.class_name(class))
            }
            _ => String::new(),
        };
        self.error("NameError", format!("uninitialized constant {scope}{name}"))
    }

    pub(super) fn set_constant(
        &mut self,
        scope: &ConstantScope,
        name: Sym,
        value: Value,
        env: &Rc<Env>,
    ) -> Outcome<()> {
        let class = self.constant_target(scope, env)?;
        self.name_class(&value, &class, name);
        class.set_constant(name, value);
        self.constant_epoch += 1;
        Ok(())
    }

    /// The class or module into which a constant goes.
    pub(super) fn constant_target(&mut self, scope: &ConstantScope, env: &Rc<Env>) -> Outcome<Rc<RClass>> {
        match scope {
            ConstantScope::Lexical => Ok(env.context.cref.module.clone()),
            ConstantScope::Top => Ok(self.classes.object.clone()),
            ConstantScope::In(scope) => match self.eval(scope, env)? {
                Value::Class(class) => Ok(class),
                other => {
                    let shown = self.inspect(&other)?;
                    Err(self.type_error(format!("{shown} is not a class/module")))
                }
            },
        }
    }

    /// Names an anonymous class after the constant it is assigned to.
    fn name_class(&mut self, value: &Value, scope: &Rc<RClass>, name: Sym) {
        if let Value::Class(class) = value
            && class.name().is_none()
        {
            class.set_name(&self.qualified(scope, name));
        }
    }

    /// The full name of a constant in a class.
    pub(super) fn qualified(&self, scope: &Rc<RClass>, name: Sym) -> String {
        if Rc::ptr_eq(scope, &self.classes.object) || scope.is_singleton() {
            return name.to_string();
        }
        format!("{}::{name}", self.class_name(scope))
    }

    /// Sets a constant from Rust.
    pub fn define_constant(&mut self, class: &Rc<RClass>, name: &str, value: Value) {
        let name = Sym::new(name);
        self.name_class(&value, class, name);
        class.set_constant(name, value);
        self.constant_epoch += 1;
    }
}

impl Interp {
    /// Removes a constant of a class.
    pub fn remove_constant(&mut self, class: &Rc<RClass>, name: Sym) -> Option<Value> {
        self.constant_epoch += 1;
        class.remove_constant(name)
    }
}
