//! Definitions: methods, classes, modules, aliases, and `defined?`.

use std::rc::Rc;

use super::{Context, Cref, Interp};
use crate::ruby::compiler::tree::{ClassNode, ConstantScope, MethodCode, Node};
use crate::ruby::control::Outcome;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Body, Env, RClass, Value, Visibility};

impl Interp {
    pub(super) fn eval_definition(&mut self, node: &Node, env: &Rc<Env>) -> Outcome {
        match node {
            Node::Def(code) => self.define_method(code, env),
            Node::DefOn(parts) => {
                let target = self.eval(&parts.0, env)?;
                let class = self.singleton_class(&target);
                let body = Body::Code { code: parts.1.clone(), cref: env.context.cref.clone() };
                self.add_method(&class, parts.1.name, body, Visibility::Public);
                Ok(Value::Sym(parts.1.name))
            }
            Node::Class(class) => self.eval_class(class, env),
            Node::SingletonClass(parts) => {
                let target = self.eval(&parts.0, env)?;
                let class = self.singleton_class(&target);
                let cref = Cref::new(class.clone(), Some(env.context.cref.clone()));
                self.run_body(&parts.1, Value::Class(class), cref)
            }
            Node::Alias(new, old) => {
                let class = env.context.cref.module.clone();
                self.alias_method(&class, *new, *old)?;
                Ok(Value::Nil)
            }
            Node::Undef(names) => {
                let class = env.context.cref.module.clone();
                for name in names {
                    self.add_method(&class, *name, Body::Undefined, Visibility::Public);
                }
                Ok(Value::Nil)
            }
            Node::Defined(inner) => Ok(self.defined(inner, env).map_or(Value::Nil, Value::str)),
            Node::MatchIntoLocals(parts) => {
                let value = self.eval(&parts.0, env)?;
                let found = self.last_match.clone();
                for (name, depth, slot) in &parts.1 {
                    let group = match (&value, &found) {
                        (Value::Nil, _) | (_, Value::Nil) => Value::Nil,
                        _ => self.call(&found, "[]", &[Value::str(&**name)])?,
                    };
                    super::eval::set_local(env, *depth, *slot, group);
                }
                Ok(value)
            }
            Node::CurrentMethodName => {
                Ok(env.context.method.as_ref().map_or(Value::Nil, |(name, _)| Value::Sym(*name)))
            }
            Node::BlockGiven => Ok(Value::Bool(env.context.block.is_some())),
            Node::SetVisibility { visibility, module_function } => {
                env.context.cref.visibility.set(*visibility);
                env.context.cref.module_function.set(*module_function);
                Ok(Value::Nil)
            }
            // Everything else has an arm of its own in `eval`.
            _ => Ok(Value::Nil),
        }
    }

    fn define_method(&mut self, code: &Rc<MethodCode>, env: &Rc<Env>) -> Outcome {
        let cref = &env.context.cref;
        let class = cref.module.clone();
        let visibility = match code.name.as_str() {
            "initialize" | "initialize_copy" | "respond_to_missing?" => Visibility::Private,
            _ => cref.visibility.get(),
        };
        let body = Body::Code { code: code.clone(), cref: cref.clone() };
        if cref.module_function.get() {
            let singleton = self.singleton_class(&Value::Class(class.clone()));
            self.add_method(&singleton, code.name, body.clone(), Visibility::Public);
        }
        self.add_method(&class, code.name, body, visibility);
        Ok(Value::Sym(code.name))
    }

    /// `alias_method :new, :old`
    pub fn alias_method(&mut self, class: &Rc<RClass>, new: Sym, old: Sym) -> Outcome<()> {
        let found = self.find_instance_method(class, old);
        let found = match (found, class.is_module) {
            (None, true) => self.find_instance_method(&self.classes.object.clone(), old),
            (found, _) => found,
        };
        let Some(method) = found else {
            let kind = if class.is_module { "module" } else { "class" };
            let class = self.class_name(class);
            let message = format!("undefined method '{old}' for {kind} '{class}'");
            return Err(self.error("NameError", message));
        };
        // An alias keeps the old method's name for `super`, as it does in Ruby.
        class.put_method(new, method);
        self.epoch += 1;
        Ok(())
    }

    fn eval_class(&mut self, node: &ClassNode, env: &Rc<Env>) -> Outcome {
        self.line = node.line;
        let superclass = match &node.superclass {
            None => None,
            Some(superclass) => match self.eval(superclass, env)? {
                Value::Class(class) if !class.is_module => Some(class),
                _ => return Err(self.type_error("superclass must be an instance of Class")),
            },
        };
        let scope = self.constant_target(&node.scope, env)?;
        let known = match &node.scope {
            ConstantScope::Lexical => {
                let own = scope.constant(node.name);
                let top = || self.classes.object.constant(node.name);
                if scope.is_singleton() || Rc::ptr_eq(&scope, &self.classes.object) {
                    own.or_else(top)
                } else {
                    own
                }
            }
            _ => scope.constant(node.name),
        };
        let class = match known {
            Some(Value::Class(class)) if class.is_module == node.is_module => {
                self.check_superclass(&class, superclass.as_ref())?;
                class
            }
            Some(_) => {
                let kind = if node.is_module { "module" } else { "class" };
                return Err(self.type_error(format!("{} is not a {kind}", node.name)));
            }
            None => self.new_class(node, &scope, superclass)?,
        };
        let cref = Cref::new(class.clone(), Some(env.context.cref.clone()));
        self.run_body(&node.body, Value::Class(class), cref)
    }

    fn check_superclass(&mut self, class: &Rc<RClass>, wanted: Option<&Rc<RClass>>) -> Outcome<()> {
        if let (Some(wanted), Some(has)) = (wanted, class.superclass())
            && !Rc::ptr_eq(wanted, &has)
        {
            let name = self.class_name(class);
            return Err(self.type_error(format!("superclass mismatch for class {name}")));
        }
        Ok(())
    }

    fn new_class(
        &mut self,
        node: &ClassNode,
        scope: &Rc<RClass>,
        superclass: Option<Rc<RClass>>,
    ) -> Outcome<Rc<RClass>> {
        let name = self.qualified(scope, node.name);
        let class = self.make_class(Some(&name), superclass.clone(), node.is_module);
        scope.set_constant(node.name, Value::Class(class.clone()));
        self.constant_epoch += 1;
        if let Some(superclass) = superclass {
            self.inherited(&superclass, &class)?;
        }
        Ok(class)
    }

    /// Tells a superclass of a new class (`inherited`).
    pub fn inherited(&mut self, superclass: &Rc<RClass>, class: &Rc<RClass>) -> Outcome<()> {
        let above = Value::Class(superclass.clone());
        self.call_with(&above, sym!("inherited"), crate::ruby::args::Args::of(&[Value::Class(class.clone())]))
            .map(drop)
    }

    /// What `defined?(expression)` says; `None` is `nil`.
    fn defined(&mut self, node: &Node, env: &Rc<Env>) -> Option<&'static str> {
        Some(match node {
            Node::Nil => "expression",
            Node::True => "true",
            Node::False => "false",
            Node::SelfValue => "self",
            Node::Local { .. } => "local-variable",
            Node::InstanceVariable(name) => {
                self.has_ivar(&env.self_value, *name).then_some("instance-variable")?
            }
            Node::Global(name) => self.is_global_defined(*name).then_some("global-variable")?,
            Node::ClassVariable(name) => self.find_class_variable(*name, env).map(|_| "class variable")?,
            Node::NthMatch(group) => (!self.nth_match(*group).is_nil()).then_some("global-variable")?,
            Node::Constant(constant) => {
                let outer = self.last_error.clone();
                let found = self.eval_constant(constant, env).is_ok();
                self.last_error = outer;
                found.then_some("constant")?
            }
            Node::Yield(_) => env.context.block.as_ref().map(|_| "yield")?,
            Node::Super(_) => self.super_exists(env).then_some("super")?,
            Node::Call(call) => {
                let receiver = match &call.receiver {
                    None => env.self_value.clone(),
                    Some(receiver) => {
                        self.defined(receiver, env)?;
                        self.eval(receiver, env).ok()?
                    }
                };
                let method = self.find_method(&receiver, call.name)?;
                let visible = call.receiver.is_none() || method.visibility == Visibility::Public;
                visible.then_some("method")?
            }
            Node::Index(_) | Node::Binary(_) => "method",
            Node::Assign(_)
            | Node::SetLocal { .. }
            | Node::SetInstanceVariable(..)
            | Node::SetGlobal(..)
            | Node::SetConstant(_)
            | Node::MultipleAssign(_)
            | Node::OperatorAssign(_) => "assignment",
            Node::Sequence(nodes) if nodes.len() == 1 => self.defined(nodes.first()?, env)?,
            _ => "expression",
        })
    }

    fn super_exists(&self, env: &Env) -> bool {
        let Some((name, owner)) = &env.context.method else { return false };
        let ancestors = self.class_of(&env.self_value).ancestors();
        let mut behind = ancestors.iter().skip_while(|class| !Rc::ptr_eq(class, owner)).skip(1);
        behind.any(|class| class.own_method(*name).is_some())
    }

    /// The context of code that stands alone: the body of a script with this `self`.
    pub(in crate::ruby) fn context_for(&self, cref: &Rc<Cref>) -> Rc<Context> {
        Context::new(None, None, cref.clone())
    }
}
