//! Definitions: methods, classes, modules, aliases.

use std::rc::Rc;

use lib_ruby_parser::Node as Ast;

use super::tree::{BodyCode, ClassNode, MethodCode, Node};
use super::{Compiler, ScriptError};
use crate::ruby::symbol::Sym;

impl Compiler {
    pub(super) fn definition(&mut self, ast: &Ast) -> Result<Node, ScriptError> {
        Ok(match ast {
            Ast::Def(def) => {
                Node::Def(self.method(ast, &def.name, def.args.as_deref(), def.body.as_deref())?)
            }
            Ast::Defs(def) => {
                let target = self.node(&def.definee)?;
                let method = self.method(ast, &def.name, def.args.as_deref(), def.body.as_deref())?;
                Node::DefOn(Box::new((target, method)))
            }
            Ast::Class(class) => {
                let superclass = match &class.superclass {
                    Some(superclass) => Some(self.node(superclass)?),
                    None => None,
                };
                self.class(ast, &class.name, superclass, class.body.as_deref(), false)?
            }
            Ast::Module(module) => self.class(ast, &module.name, None, module.body.as_deref(), true)?,
            Ast::SClass(class) => {
                let target = self.node(&class.expr)?;
                Node::SingletonClass(Box::new((target, self.body(class.body.as_deref())?)))
            }
            Ast::Alias(alias) => match (&*alias.to, &*alias.from) {
                (Ast::Sym(new), Ast::Sym(old)) => {
                    let (new, old) = (new.name.to_string_lossy(), old.name.to_string_lossy());
                    self.facts.defined_methods.insert(new.clone());
                    Node::Alias(Sym::new(&new), Sym::new(&old))
                }
                _ => return self.refuse(ast, "an alias of a global variable is"),
            },
            Ast::Undef(undef) => {
                let names = undef.names.iter().filter_map(|name| match name {
                    Ast::Sym(name) => Some(Sym::new(&name.name.to_string_lossy())),
                    _ => None,
                });
                Node::Undef(names.collect())
            }
            other => return self.refuse(other, "this construct is"),
        })
    }

    fn method(
        &mut self,
        ast: &Ast,
        name: &str,
        args: Option<&Ast>,
        body: Option<&Ast>,
    ) -> Result<Rc<MethodCode>, ScriptError> {
        self.facts.defined_methods.insert(name.to_owned());
        self.facts.answers_all |= name == "method_missing";
        // What `register` of a script file sets is set once.
        let deferred = usize::from(!matches!(name, "register" | "initialize"));
        self.scopes.enter_body(false);
        self.facts.deferred += deferred;
        let outer = std::mem::take(&mut self.method_params);
        let compiled = self.method_parts(args, body);
        self.method_params = outer;
        self.facts.deferred -= deferred;
        let slots = self.scopes.leave();
        let (params, body) = compiled?;
        let line = self.line(ast.expression().begin);
        Ok(Rc::new(MethodCode { name: Sym::new(name), params, slots, body, line, file: self.file.clone() }))
    }

    fn method_parts(
        &mut self,
        args: Option<&Ast>,
        body: Option<&Ast>,
    ) -> Result<(super::tree::Params, Node), ScriptError> {
        let params = match args {
            Some(Ast::Args(args)) => self.params(&args.args, false)?,
            _ => Default::default(),
        };
        self.method_params = params.names.to_vec();
        let body = self.optional(body)?;
        Ok((params, body))
    }

    fn class(
        &mut self,
        ast: &Ast,
        name: &Ast,
        superclass: Option<Node>,
        body: Option<&Ast>,
        is_module: bool,
    ) -> Result<Node, ScriptError> {
        let Ast::Const(constant) = name else { return self.refuse(ast, "a class without a name is") };
        self.facts.defined_constants.insert(constant.name.clone());
        let scope = self.constant_scope(constant.scope.as_deref())?;
        let body = self.body(body)?;
        let line = self.line(ast.expression().begin);
        let name = Sym::new(&constant.name);
        Ok(Node::Class(Box::new(ClassNode { is_module, scope, name, superclass, body, line })))
    }

    fn body(&mut self, body: Option<&Ast>) -> Result<Rc<BodyCode>, ScriptError> {
        self.scopes.enter_body(true);
        let compiled = self.optional(body);
        let slots = self.scopes.leave();
        Ok(Rc::new(BodyCode { slots, body: compiled?, file: self.file.clone() }))
    }
}
