//! Evaluation: one arm for each kind of node.

use std::rc::Rc;

use super::Interp;
use crate::ruby::args::Args;
use crate::ruby::compiler::tree::{CaseNode, ForNode, LoopNode, Node, PairNode, RegexpNode, Target};
use crate::ruby::control::{Control, Jump, Outcome};
use crate::ruby::value::{Encoding, Env, HashMap, StrBuf, Value};

impl Interp {
    /// Evaluates what often is a variable or a literal, as operands and arguments are, without the call and the stack
    /// frame that other nodes need.
    #[inline(always)]
    pub(super) fn eval_leaf(&mut self, node: &Node, env: &Rc<Env>) -> Outcome {
        match node {
            Node::Local { depth: 0, slot } => {
                Ok(env.slots.borrow().get(*slot as usize).map(Value::copy).unwrap_or_default())
            }
            Node::Literal(value) => Ok(value.copy()),
            other => self.eval(other, env),
        }
    }

    /// Whether a condition holds.
    #[inline]
    fn holds(&mut self, condition: &Node, env: &Rc<Env>) -> Outcome<bool> {
        match condition {
            Node::Not(inner) => self.eval(inner, env).map(|value| !value.truthy()),
            Node::Binary(binary) => self.eval_binary(binary, env).map(|value| value.truthy()),
            Node::Call(call) => self.eval_call(call, env).map(|value| value.truthy()),
            other => self.eval_leaf(other, env).map(|value| value.truthy()),
        }
    }

    /// Evaluates an expression. Kept short: its stack frame is there once for every level of nesting.
    pub(super) fn eval(&mut self, node: &Node, env: &Rc<Env>) -> Outcome {
        match node {
            Node::Nil => Ok(Value::Nil),
            Node::True => Ok(Value::Bool(true)),
            Node::False => Ok(Value::Bool(false)),
            Node::SelfValue => Ok(env.self_value.clone()),
            Node::Literal(value) => Ok(value.clone()),
            Node::Str(text) => Ok(Value::str(&**text)),
            Node::Local { depth, slot } => Ok(get_local(env, *depth, *slot)),
            Node::SetLocal { depth, slot, value } => {
                let value = self.eval(value, env)?;
                set_local(env, *depth, *slot, value.copy());
                Ok(value)
            }
            Node::Call(call) => self.eval_call(call, env),
            Node::Binary(binary) => self.eval_binary(binary, env),
            Node::Index(index) => self.eval_index(index, env),
            Node::OperatorAssign(node) => self.eval_operator_assign(node, env),
            Node::InstanceVariable(name) => Ok(self.get_ivar(&env.self_value, *name)),
            Node::Sequence(nodes) => {
                let mut last = Value::Nil;
                for node in nodes {
                    std::mem::replace(&mut last, self.eval(node, env)?).discard();
                }
                Ok(last)
            }
            Node::If(parts) => {
                let (condition, yes, no) = &**parts;
                if self.holds(condition, env)? { self.eval(yes, env) } else { self.eval(no, env) }
            }
            Node::And(pair) => {
                let left = self.eval(&pair.0, env)?;
                if left.truthy() { self.eval(&pair.1, env) } else { Ok(left) }
            }
            Node::Or(pair) => {
                let left = self.eval(&pair.0, env)?;
                if left.truthy() { Ok(left) } else { self.eval(&pair.1, env) }
            }
            Node::Not(inner) => self.eval_not(inner, env),
            other => self.eval_data(other, env),
        }
    }

    /// Literals with parts, variables and definitions.
    fn eval_data(&mut self, node: &Node, env: &Rc<Env>) -> Outcome {
        match node {
            Node::Bytes(bytes) => Ok(Value::bytes(&**bytes, Encoding::Utf8)),
            Node::Interpolated(parts) => self.interpolate(parts, env).map(|buffer| {
                let (bytes, encoding) = (buffer.bytes().to_vec(), buffer.encoding());
                Value::bytes(bytes, encoding)
            }),
            Node::InterpolatedSymbol(parts) => Ok(Value::sym(&self.interpolate(parts, env)?.to_text())),
            Node::InterpolatedRegexp(node) => self.eval_regexp(node, env),
            Node::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                self.eval_items(items, env, &mut values)?;
                Ok(Value::array(values))
            }
            Node::Hash(pairs) => self.eval_hash(pairs, env),
            Node::Range(parts) => {
                let (start, end, exclusive) = &**parts;
                let start = self.eval(start, env)?;
                let end = self.eval(end, env)?;
                self.new_range(start, end, *exclusive)
            }
            Node::Splat(inner) => {
                let value = self.eval(inner, env)?;
                Ok(Value::array(self.splat(&value)?))
            }
            Node::SetInstanceVariable(name, value) => {
                let value = self.eval(value, env)?;
                self.set_ivar(&env.self_value, *name, value.clone())?;
                Ok(value)
            }
            Node::Global(name) => Ok(self.get_global(*name)),
            Node::SetGlobal(name, value) => {
                let value = self.eval(value, env)?;
                self.assign_global(*name, value.clone());
                Ok(value)
            }
            Node::ClassVariable(name) => self.get_class_variable(*name, env),
            Node::SetClassVariable(name, value) => {
                let value = self.eval(value, env)?;
                self.set_class_variable(*name, value.clone(), env);
                Ok(value)
            }
            Node::NthMatch(group) => Ok(self.nth_match(*group)),
            Node::BackReference(kind) => self.back_reference(*kind),
            Node::Constant(constant) => self.eval_constant(constant, env),
            Node::SetConstant(parts) => {
                let value = self.eval(&parts.2, env)?;
                self.set_constant(&parts.0, parts.1, value.clone(), env)?;
                Ok(value)
            }
            other => self.eval_control(other, env),
        }
    }

    /// Control flow and definitions.
    fn eval_control(&mut self, node: &Node, env: &Rc<Env>) -> Outcome {
        match node {
            Node::While(node) => self.eval_while(node, env),
            Node::For(node) => self.eval_for(node, env),
            Node::Case(node) => self.eval_case(node, env),
            Node::CaseIn(node) => self.eval_case_in(node, env),
            Node::Match(node) => self.eval_match(node, env),
            Node::Super(node) => self.eval_super(node, env),
            Node::Yield(list) => self.with_arguments(list, env, |interp, values, has_keywords| {
                interp.eval_yield(Args { values, has_keywords, block: None }, env)
            }),
            Node::Assign(parts) => {
                if let Target::Attribute { receiver, safe: true, .. } = &parts.0
                    && self.eval(receiver, env)?.is_nil()
                {
                    return Ok(Value::Nil);
                }
                let value = self.eval(&parts.1, env)?;
                self.assign(&parts.0, value.clone(), env)?;
                Ok(value)
            }
            Node::MultipleAssign(parts) => {
                let value = self.eval(&parts.1, env)?;
                self.assign_multiple(&parts.0, &value, env)?;
                Ok(value)
            }
            Node::Rescue(node) => self.eval_rescue(node, env),
            Node::Ensure(parts) => self.eval_ensure(&parts.0, &parts.1, env),
            Node::Return(value) => {
                let value = self.eval(value, env)?;
                Err(Jump::Return { home: env.home, value }.into())
            }
            Node::Break { value, in_loop } => {
                let value = self.eval(value, env)?;
                Err(match in_loop {
                    true => Jump::LoopBreak(value).into(),
                    false => Jump::Break { tag: env.break_tag, value }.into(),
                })
            }
            Node::Next { value, in_loop } => {
                let value = self.eval(value, env)?;
                Err(if *in_loop { Jump::LoopNext.into() } else { Jump::Next(value).into() })
            }
            Node::Redo => Err(Jump::Redo.into()),
            Node::Retry => Err(Jump::Retry.into()),
            Node::Lambda(code) => Ok(self.make_lambda(code, env)),
            other => self.eval_definition(other, env),
        }
    }

    /// `! value`
    fn eval_not(&mut self, inner: &Node, env: &Rc<Env>) -> Outcome {
        let value = self.eval(inner, env)?;
        Ok(Value::Bool(!value.truthy()))
    }

    /// The text of a string with interpolation.
    pub(super) fn interpolate(&mut self, parts: &[Node], env: &Rc<Env>) -> Outcome<StrBuf> {
        let mut text = StrBuf::new(Vec::new(), Encoding::Utf8);
        for part in parts {
            match part {
                Node::Str(literal) => text.push_str(literal),
                Node::Bytes(bytes) => text.bytes_mut().extend_from_slice(bytes),
                other => {
                    let value = self.eval(other, env)?;
                    self.append_to_s(&value, &mut text)?;
                }
            }
        }
        Ok(text)
    }

    fn eval_regexp(&mut self, node: &RegexpNode, env: &Rc<Env>) -> Outcome {
        if node.options.once
            && let Some((_, value)) = &*node.last.borrow()
        {
            return Ok(value.clone());
        }
        let mut source = String::new();
        for part in &node.parts {
            match part {
                Node::Str(literal) => source.push_str(literal),
                other => match self.eval(other, env)? {
                    Value::Regexp(inner) => source.push_str(&super::text::regexp_to_s(&inner)),
                    value => source.push_str(&self.to_s(&value)?),
                },
            }
        }
        if let Some((last, value)) = &*node.last.borrow()
            && *last == source
        {
            return Ok(value.clone());
        }
        let value = self.new_regexp(&source, node.options)?;
        *node.last.borrow_mut() = Some((source, value.clone()));
        Ok(value)
    }

    fn eval_hash(&mut self, pairs: &[PairNode], env: &Rc<Env>) -> Outcome {
        let mut map = HashMap::with_capacity(pairs.len());
        for pair in pairs {
            match pair {
                PairNode::Pair(key, value) => {
                    let key = self.eval(key, env)?;
                    let value = self.eval(value, env)?;
                    map.insert(key, value);
                }
                PairNode::Splat(value) => match self.eval(value, env)? {
                    Value::Nil => {}
                    Value::Hash(other) => {
                        for (key, value) in other.borrow().iter() {
                            map.insert(key.clone(), value.clone());
                        }
                    }
                    other => {
                        let converted = self.call(&other, "to_hash", &[])?;
                        let Value::Hash(other) = converted else {
                            return Err(self.no_conversion(&other, "Hash"));
                        };
                        for (key, value) in other.borrow().iter() {
                            map.insert(key.clone(), value.clone());
                        }
                    }
                },
            }
        }
        Ok(Value::hash(map))
    }

    fn eval_while(&mut self, node: &LoopNode, env: &Rc<Env>) -> Outcome {
        let mut test = !node.body_first;
        loop {
            if test && self.holds(&node.condition, env)? == node.negated {
                return Ok(Value::Nil);
            }
            test = true;
            match self.eval(&node.body, env) {
                Ok(_) => {}
                Err(Control(jump)) => match *jump {
                    Jump::LoopBreak(value) => return Ok(value),
                    Jump::LoopNext => {}
                    other => return Err(other.into()),
                },
            }
        }
    }

    fn eval_for(&mut self, node: &ForNode, env: &Rc<Env>) -> Outcome {
        let iterated = self.eval(&node.iterated, env)?;
        let mut result = Ok(iterated.clone());
        let walked = self.each(&iterated, &mut |interp, item| {
            interp.assign(&node.target, item, env)?;
            match interp.eval(&node.body, env) {
                Ok(_) => Ok(()),
                Err(Control(jump)) => match *jump {
                    Jump::LoopNext => Ok(()),
                    other => Err(other.into()),
                },
            }
        });
        if let Err(Control(jump)) = walked {
            result = match *jump {
                Jump::LoopBreak(value) => Ok(value),
                other => Err(other.into()),
            };
        }
        result
    }

    fn eval_case(&mut self, node: &CaseNode, env: &Rc<Env>) -> Outcome {
        let subject = match &node.subject {
            Some(subject) => Some(self.eval(subject, env)?),
            None => None,
        };
        for (conditions, body) in &node.whens {
            for condition in conditions {
                if self.when_matches(condition, subject.as_ref(), env)? {
                    return self.eval(body, env);
                }
            }
        }
        self.eval(&node.otherwise, env)
    }

    fn when_matches(&mut self, condition: &Node, subject: Option<&Value>, env: &Rc<Env>) -> Outcome<bool> {
        if let Node::Splat(inner) = condition {
            let value = self.eval(inner, env)?;
            for candidate in self.splat(&value)? {
                let matches = match subject {
                    Some(subject) => self.case_equal(&candidate, subject)?,
                    None => candidate.truthy(),
                };
                if matches {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let candidate = self.eval(condition, env)?;
        match subject {
            Some(subject) => self.case_equal(&candidate, subject),
            None => Ok(candidate.truthy()),
        }
    }
}

#[inline]
pub(super) fn get_local(env: &Env, depth: u32, slot: u32) -> Value {
    let mut at = env;
    for _ in 0..depth {
        match &at.parent {
            Some(parent) => at = parent,
            None => return Value::Nil,
        }
    }
    at.slots.borrow().get(slot as usize).map(Value::copy).unwrap_or_default()
}

#[inline]
pub(super) fn set_local(env: &Env, depth: u32, slot: u32, value: Value) {
    let mut at = env;
    for _ in 0..depth {
        match &at.parent {
            Some(parent) => at = parent,
            None => return,
        }
    }
    let mut slots = at.slots.borrow_mut();
    if let Some(place) = slots.get_mut(slot as usize) {
        let old = std::mem::replace(place, value);
        drop(slots);
        old.discard();
    }
}
