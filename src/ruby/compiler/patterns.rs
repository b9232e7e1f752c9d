//! Patterns of `case ... in`.

use lib_ruby_parser::{Node as Ast, nodes};

use super::tree::{CaseInNode, HashPatternValue, HashRest, InBranch, MatchNode, Node, Pattern, Rest};
use super::{Compiler, ScriptError};
use crate::ruby::symbol::Sym;

impl Compiler {
    pub(super) fn case_in(&mut self, case: &nodes::CaseMatch) -> Result<Node, ScriptError> {
        let subject = self.node(&case.expr)?;
        let mut branches = Vec::with_capacity(case.in_bodies.len());
        for branch in &case.in_bodies {
            let Ast::InPattern(branch) = branch else { continue };
            let pattern = self.pattern(&branch.pattern)?;
            let guard = match branch.guard.as_deref() {
                Some(Ast::IfGuard(guard)) => Some((self.node(&guard.cond)?, false)),
                Some(Ast::UnlessGuard(guard)) => Some((self.node(&guard.cond)?, true)),
                _ => None,
            };
            branches.push(InBranch { pattern, guard, body: self.optional(branch.body.as_deref())? });
        }
        let otherwise = match &case.else_body {
            Some(otherwise) => Some(self.node(otherwise)?),
            None => None,
        };
        Ok(Node::CaseIn(Box::new(CaseInNode { subject, branches: branches.into(), otherwise })))
    }

    pub(super) fn match_pattern(
        &mut self,
        value: &Ast,
        pattern: &Ast,
        raises: bool,
    ) -> Result<Node, ScriptError> {
        let value = self.node(value)?;
        let pattern = self.pattern(pattern)?;
        Ok(Node::Match(Box::new(MatchNode { value, pattern, raises })))
    }

    fn pattern(&mut self, ast: &Ast) -> Result<Pattern, ScriptError> {
        Ok(match ast {
            Ast::MatchVar(variable) => {
                let (depth, slot) = self.scopes.find_or_declare(&variable.name);
                Pattern::Bind { depth, slot }
            }
            Ast::MatchAlt(parts) => {
                Pattern::Alternatives(Box::new([self.pattern(&parts.lhs)?, self.pattern(&parts.rhs)?]))
            }
            Ast::MatchAs(parts) => {
                let inner = Box::new(self.pattern(&parts.value)?);
                let Ast::MatchVar(variable) = &*parts.as_ else {
                    return self.refuse(ast, "this pattern is");
                };
                let (depth, slot) = self.scopes.find_or_declare(&variable.name);
                Pattern::As(inner, depth, slot)
            }
            Ast::Pin(pin) => Pattern::Value(self.node(&pin.var)?),
            Ast::Begin(begin) => match begin.statements.as_slice() {
                [inner] => self.pattern(inner)?,
                _ => return self.refuse(ast, "this pattern is"),
            },
            Ast::ArrayPattern(list) => self.array_pattern(None, &list.elements, false)?,
            Ast::ArrayPatternWithTail(list) => self.array_pattern(None, &list.elements, true)?,
            Ast::FindPattern(list) => self.find_pattern(None, &list.elements)?,
            Ast::HashPattern(hash) => self.hash_pattern(None, &hash.elements)?,
            Ast::ConstPattern(parts) => {
                let constant = Some(self.node(&parts.const_)?);
                match &*parts.pattern {
                    Ast::ArrayPattern(list) => self.array_pattern(constant, &list.elements, false)?,
                    Ast::ArrayPatternWithTail(list) => self.array_pattern(constant, &list.elements, true)?,
                    Ast::FindPattern(list) => self.find_pattern(constant, &list.elements)?,
                    Ast::HashPattern(hash) => self.hash_pattern(constant, &hash.elements)?,
                    other => return self.refuse(other, "this pattern is"),
                }
            }
            other => Pattern::Value(self.node(other)?),
        })
    }

    fn rest(&mut self, name: Option<&Ast>) -> Rest {
        match name {
            Some(Ast::MatchVar(variable)) => {
                let (depth, slot) = self.scopes.find_or_declare(&variable.name);
                Rest::Slot(depth, slot)
            }
            _ => Rest::Ignored,
        }
    }

    fn array_pattern(
        &mut self,
        constant: Option<Node>,
        elements: &[Ast],
        with_tail: bool,
    ) -> Result<Pattern, ScriptError> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut rest = Rest::None;
        for element in elements {
            match element {
                Ast::MatchRest(star) => rest = self.rest(star.name.as_deref()),
                other if matches!(rest, Rest::None) => before.push(self.pattern(other)?),
                other => after.push(self.pattern(other)?),
            }
        }
        if with_tail {
            rest = Rest::Ignored;
        }
        Ok(Pattern::Array { constant, before: before.into(), rest, after: after.into() })
    }

    fn find_pattern(&mut self, constant: Option<Node>, elements: &[Ast]) -> Result<Pattern, ScriptError> {
        let (mut before, mut after, mut middle) = (Rest::Ignored, Rest::Ignored, Vec::new());
        for (at, element) in elements.iter().enumerate() {
            match element {
                Ast::MatchRest(star) if at == 0 => before = self.rest(star.name.as_deref()),
                Ast::MatchRest(star) => after = self.rest(star.name.as_deref()),
                other => middle.push(self.pattern(other)?),
            }
        }
        Ok(Pattern::Find { constant, before, middle: middle.into(), after })
    }

    fn hash_pattern(&mut self, constant: Option<Node>, elements: &[Ast]) -> Result<Pattern, ScriptError> {
        let (mut pairs, mut rest) = (Vec::new(), HashRest::Open);
        for element in elements {
            match element {
                Ast::Pair(pair) => {
                    let Ast::Sym(key) = &*pair.key else { return self.refuse(element, "this pattern is") };
                    let pattern = HashPatternValue::Pattern(self.pattern(&pair.value)?);
                    pairs.push((Sym::new(&key.name.to_string_lossy()), pattern));
                }
                Ast::MatchVar(variable) => {
                    let (depth, slot) = self.scopes.find_or_declare(&variable.name);
                    pairs.push((Sym::new(&variable.name), HashPatternValue::Bind { depth, slot }));
                }
                Ast::MatchRest(star) => {
                    if let Rest::Slot(depth, slot) = self.rest(star.name.as_deref()) {
                        rest = HashRest::Slot(depth, slot);
                    }
                }
                Ast::MatchNilPattern(_) => rest = HashRest::Closed,
                other => return self.refuse(other, "this pattern is"),
            }
        }
        Ok(Pattern::Hash { constant, pairs: pairs.into(), rest })
    }
}
