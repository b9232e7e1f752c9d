//! `case ... in`: pattern matching.

use std::rc::Rc;

use super::Interp;
use super::eval::set_local;
use crate::ruby::compiler::tree::{
    CaseInNode, HashPatternValue, HashRest, InBranch, MatchNode, Node, Pattern, Rest,
};
use crate::ruby::control::{Control, Outcome};
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Env, RHash, Value};

impl Interp {
    pub(super) fn eval_case_in(&mut self, node: &CaseInNode, env: &Rc<Env>) -> Outcome {
        let subject = self.eval(&node.subject, env)?;
        for branch in &node.branches {
            if self.branch_matches(branch, &subject, env)? {
                return self.eval(&branch.body, env);
            }
        }
        match &node.otherwise {
            Some(otherwise) => self.eval(otherwise, env),
            None => Err(self.no_matching(&subject)),
        }
    }

    fn branch_matches(&mut self, branch: &InBranch, subject: &Value, env: &Rc<Env>) -> Outcome<bool> {
        if !self.matches(&branch.pattern, subject, env)? {
            return Ok(false);
        }
        match &branch.guard {
            None => Ok(true),
            Some((condition, negated)) => Ok(self.eval(condition, env)?.truthy() != *negated),
        }
    }

    pub(super) fn eval_match(&mut self, node: &MatchNode, env: &Rc<Env>) -> Outcome {
        let value = self.eval(&node.value, env)?;
        let matches = self.matches(&node.pattern, &value, env)?;
        match (node.raises, matches) {
            (false, matches) => Ok(Value::Bool(matches)),
            (true, true) => Ok(Value::Nil),
            (true, false) => Err(self.no_matching(&value)),
        }
    }

    fn no_matching(&mut self, subject: &Value) -> Control {
        let shown = self.inspect(subject).unwrap_or_default();
        self.error("NoMatchingPatternError", shown)
    }

    fn matches(&mut self, pattern: &Pattern, value: &Value, env: &Rc<Env>) -> Outcome<bool> {
        self.guard()?;
        match pattern {
            Pattern::Value(node) => {
                let candidate = self.eval(node, env)?;
                self.case_equal(&candidate, value)
            }
            Pattern::Bind { depth, slot } => {
                set_local(env, *depth, *slot, value.clone());
                Ok(true)
            }
            Pattern::Alternatives(patterns) => {
                for pattern in patterns {
                    if self.matches(pattern, value, env)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Pattern::As(inner, depth, slot) => {
                let matches = self.matches(inner, value, env)?;
                if matches {
                    set_local(env, *depth, *slot, value.clone());
                }
                Ok(matches)
            }
            Pattern::Array { constant, before, rest, after } => {
                if !self.is_instance(constant.as_ref(), value, env)? {
                    return Ok(false);
                }
                let Some(items) = self.deconstruct(value)? else { return Ok(false) };
                self.matches_items(before, *rest, after, &items, env)
            }
            Pattern::Find { constant, before, middle, after } => {
                if !self.is_instance(constant.as_ref(), value, env)? {
                    return Ok(false);
                }
                let Some(items) = self.deconstruct(value)? else { return Ok(false) };
                self.finds(*before, middle, *after, &items, env)
            }
            Pattern::Hash { constant, pairs, rest } => {
                if !self.is_instance(constant.as_ref(), value, env)? {
                    return Ok(false);
                }
                let Some(hash) = self.deconstruct_keys(value)? else { return Ok(false) };
                self.matches_pairs(pairs, *rest, &hash, env)
            }
        }
    }

    fn is_instance(&mut self, constant: Option<&Node>, value: &Value, env: &Rc<Env>) -> Outcome<bool> {
        match constant {
            None => Ok(true),
            Some(constant) => {
                let candidate = self.eval(constant, env)?;
                self.case_equal(&candidate, value)
            }
        }
    }

    fn deconstruct(&mut self, value: &Value) -> Outcome<Option<Vec<Value>>> {
        match value {
            Value::Array(array) => Ok(Some(array.to_vec())),
            other if self.responds_to(other, sym!("deconstruct")) => {
                match self.call(other, "deconstruct", &[])? {
                    Value::Array(array) => Ok(Some(array.to_vec())),
                    _ => Err(self.type_error("deconstruct must return Array")),
                }
            }
            _ => Ok(None),
        }
    }

    fn deconstruct_keys(&mut self, value: &Value) -> Outcome<Option<Rc<RHash>>> {
        match value {
            Value::Hash(hash) => Ok(Some(hash.clone())),
            other if self.responds_to(other, sym!("deconstruct_keys")) => {
                match self.call(other, "deconstruct_keys", &[Value::Nil])? {
                    Value::Hash(hash) => Ok(Some(hash)),
                    _ => Err(self.type_error("deconstruct_keys must return Hash")),
                }
            }
            _ => Ok(None),
        }
    }

    fn matches_items(
        &mut self,
        before: &[Pattern],
        rest: Rest,
        after: &[Pattern],
        items: &[Value],
        env: &Rc<Env>,
    ) -> Outcome<bool> {
        let fixed = before.len() + after.len();
        let fits = match rest {
            Rest::None => items.len() == fixed,
            _ => items.len() >= fixed,
        };
        let Some(behind) = items.len().checked_sub(after.len()).filter(|_| fits) else { return Ok(false) };
        for (pattern, item) in before.iter().zip(items) {
            if !self.matches(pattern, item, env)? {
                return Ok(false);
            }
        }
        bind_rest(rest, items.get(before.len()..behind).unwrap_or_default(), env);
        for (pattern, item) in after.iter().zip(items.get(behind..).unwrap_or_default()) {
            if !self.matches(pattern, item, env)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn finds(
        &mut self,
        before: Rest,
        middle: &[Pattern],
        after: Rest,
        items: &[Value],
        env: &Rc<Env>,
    ) -> Outcome<bool> {
        for start in 0..=items.len().saturating_sub(middle.len()) {
            let Some(window) = items.get(start..start + middle.len()) else { return Ok(false) };
            if self.matches_items(middle, Rest::None, &[], window, env)? {
                bind_rest(before, items.get(..start).unwrap_or_default(), env);
                bind_rest(after, items.get(start + middle.len()..).unwrap_or_default(), env);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn matches_pairs(
        &mut self,
        pairs: &[(Sym, HashPatternValue)],
        rest: HashRest,
        hash: &RHash,
        env: &Rc<Env>,
    ) -> Outcome<bool> {
        let mut left = hash.borrow().clone();
        if pairs.is_empty() && matches!(rest, HashRest::Open) {
            return Ok(left.is_empty());
        }
        for (name, pattern) in pairs {
            let Some(value) = left.remove(&Value::Sym(*name)) else { return Ok(false) };
            let matches = match pattern {
                HashPatternValue::Pattern(pattern) => self.matches(pattern, &value, env)?,
                HashPatternValue::Bind { depth, slot } => {
                    set_local(env, *depth, *slot, value);
                    true
                }
            };
            if !matches {
                return Ok(false);
            }
        }
        match rest {
            HashRest::Open => Ok(true),
            HashRest::Closed => Ok(left.is_empty()),
            HashRest::Slot(depth, slot) => {
                set_local(env, depth, slot, Value::hash(left));
                Ok(true)
            }
        }
    }
}

fn bind_rest(rest: Rest, items: &[Value], env: &Env) {
    if let Rest::Slot(depth, slot) = rest {
        set_local(env, depth, slot, Value::array(items.to_vec()));
    }
}
