//! Assignments.

use lib_ruby_parser::{Node as Ast, nodes};

use super::tree::{AssignOperator, MultiTarget, Node, OperatorAssignNode, Target};
use super::{Compiler, ScriptError};
use crate::ruby::interpreter::operator_named;
use crate::ruby::symbol::Sym;

impl Compiler {
    pub(super) fn assignment(&mut self, ast: &Ast) -> Result<Node, ScriptError> {
        match ast {
            Ast::Lvasgn(assign) => {
                // `x = x` knows its own name, as Ruby does.
                let (depth, slot) = self.assigned_local(&assign.name);
                let value = Box::new(self.optional(assign.value.as_deref())?);
                Ok(Node::SetLocal { depth, slot, value })
            }
            Ast::Ivasgn(assign) => {
                self.facts.note_state_assigned();
                let value = Box::new(self.optional(assign.value.as_deref())?);
                Ok(Node::SetInstanceVariable(Sym::new(&assign.name), value))
            }
            Ast::Gvasgn(assign) => {
                self.note_global(&assign.name);
                let value = Box::new(self.optional(assign.value.as_deref())?);
                Ok(Node::SetGlobal(Sym::new(&assign.name), value))
            }
            Ast::Cvasgn(assign) => {
                self.facts.note_state_assigned();
                let value = Box::new(self.optional(assign.value.as_deref())?);
                Ok(Node::SetClassVariable(Sym::new(&assign.name), value))
            }
            Ast::Casgn(assign) => {
                self.facts.defined_constants.insert(assign.name.clone());
                let scope = self.constant_scope(assign.scope.as_deref())?;
                let value = self.optional(assign.value.as_deref())?;
                Ok(Node::SetConstant(Box::new((scope, Sym::new(&assign.name), value))))
            }
            Ast::Masgn(assign) => {
                // The right side is evaluated first, but its names come second in the source.
                let target = match &*assign.lhs {
                    Ast::Mlhs(list) => self.multiple(&list.items)?,
                    other => MultiTarget {
                        before: Box::new([self.target(other)?]),
                        splat: None,
                        after: Box::default(),
                    },
                };
                let value = self.node(&assign.rhs)?;
                Ok(Node::MultipleAssign(Box::new((target, value))))
            }
            Ast::OpAsgn(assign) => {
                let operator = assign.operator.trim_end_matches('=');
                self.facts.note_call(operator, self.place(ast));
                self.operator_assign(
                    ast,
                    &assign.recv,
                    AssignOperator::Method(Sym::new(operator)),
                    &assign.value,
                )
            }
            Ast::OrAsgn(assign) => self.operator_assign(ast, &assign.recv, AssignOperator::Or, &assign.value),
            Ast::AndAsgn(assign) => {
                self.operator_assign(ast, &assign.recv, AssignOperator::And, &assign.value)
            }
            Ast::IndexAsgn(assign) => {
                let target = self.target(ast)?;
                let value = self.optional(assign.value.as_deref())?;
                Ok(Node::Assign(Box::new((target, value))))
            }
            other => self.refuse(other, "this assignment is"),
        }
    }

    /// A variable that is assigned. A block that assigns one of code that ran once keeps state.
    fn assigned_local(&mut self, name: &str) -> (u32, u32) {
        let (depth, slot) = self.scopes.find_or_declare(name);
        if self.scopes.is_lasting(depth) {
            self.facts.note_state_assigned();
        }
        (depth, slot)
    }

    fn place(&self, ast: &Ast) -> usize {
        ast.expression().begin.saturating_sub(self.offset)
    }

    fn operator_assign(
        &mut self,
        ast: &Ast,
        target: &Ast,
        operator: AssignOperator,
        value: &Ast,
    ) -> Result<Node, ScriptError> {
        if matches!(target, Ast::Ivasgn(_) | Ast::Cvasgn(_)) {
            self.facts.note_state_read();
        }
        let target = self.target(target)?;
        let value = self.node(value)?;
        Ok(Node::OperatorAssign(Box::new(OperatorAssignNode {
            target,
            operator,
            quick: match operator {
                AssignOperator::Method(name) => operator_named(name.as_str()),
                AssignOperator::And | AssignOperator::Or => None,
            },
            is_plain: value.is_plain(),
            value,
            site: self.site(ast),
        })))
    }

    /// What stands left of `=`.
    pub(super) fn target(&mut self, ast: &Ast) -> Result<Target, ScriptError> {
        Ok(match ast {
            Ast::Lvasgn(assign) => {
                let (depth, slot) = self.assigned_local(&assign.name);
                Target::Local { depth, slot }
            }
            Ast::Ivasgn(assign) => {
                self.facts.note_state_assigned();
                Target::InstanceVariable(Sym::new(&assign.name))
            }
            Ast::Gvasgn(assign) => {
                self.note_global(&assign.name);
                Target::Global(Sym::new(&assign.name))
            }
            Ast::Cvasgn(assign) => {
                self.facts.note_state_assigned();
                Target::ClassVariable(Sym::new(&assign.name))
            }
            Ast::Casgn(assign) => {
                self.facts.defined_constants.insert(assign.name.clone());
                Target::Constant(self.constant_scope(assign.scope.as_deref())?, Sym::new(&assign.name))
            }
            Ast::Send(send) => self.attribute(ast, send.recv.as_deref(), &send.method_name, false)?,
            Ast::CSend(send) => self.attribute(ast, Some(&send.recv), &send.method_name, true)?,
            Ast::IndexAsgn(nodes::IndexAsgn { recv, indexes, .. })
            | Ast::Index(nodes::Index { recv, indexes, .. }) => {
                self.facts.note_change();
                let receiver = self.node(recv)?;
                let (mut arguments, _) = self.arguments(indexes)?;
                for item in &mut arguments.items {
                    super::calls::share_text(item);
                }
                Target::Index { receiver, arguments, site: self.site(ast) }
            }
            Ast::Mlhs(list) => Target::Multiple(Box::new(self.multiple(&list.items)?)),
            Ast::Begin(begin) if begin.statements.len() == 1 => match begin.statements.first() {
                Some(inner) => self.target(inner)?,
                None => return self.refuse(ast, "this assignment is"),
            },
            other => return self.refuse(other, "this assignment is"),
        })
    }

    fn attribute(
        &mut self,
        ast: &Ast,
        receiver: Option<&Ast>,
        name: &str,
        safe: bool,
    ) -> Result<Target, ScriptError> {
        let name = name.strip_suffix('=').unwrap_or(name);
        self.facts.note_call(&format!("{name}="), self.place(ast));
        let receiver = receiver.map_or(Ok(Node::SelfValue), |receiver| self.node(receiver))?;
        Ok(Target::Attribute { receiver, name: Sym::new(name), safe, site: self.site(ast) })
    }

    fn multiple(&mut self, items: &[Ast]) -> Result<MultiTarget, ScriptError> {
        let (mut before, mut after, mut splat) = (Vec::new(), Vec::new(), None);
        for item in items {
            if let Ast::Splat(inner) = item {
                splat = Some(match &inner.value {
                    Some(target) => Some(self.target(target)?),
                    None => None,
                });
                continue;
            }
            let target = self.target(item)?;
            if splat.is_some() { after.push(target) } else { before.push(target) }
        }
        Ok(MultiTarget { before: before.into(), splat, after: after.into() })
    }
}
