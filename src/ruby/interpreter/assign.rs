//! Assignments: single, multiple, and with operators.

use std::rc::Rc;

use super::Interp;
use super::calls::Reach;
use super::eval::{get_local, set_local};
use super::operators::{integers, plain_integer};
use crate::ruby::args::Args;
use crate::ruby::compiler::tree::{AssignOperator, MultiTarget, Node, OperatorAssignNode, Target};
use crate::ruby::control::Outcome;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Env, Value};

impl Interp {
    pub(super) fn assign(&mut self, target: &Target, value: Value, env: &Rc<Env>) -> Outcome<()> {
        match target {
            Target::Local { depth, slot } => set_local(env, *depth, *slot, value),
            Target::InstanceVariable(name) => self.set_ivar(&env.self_value, *name, value)?,
            Target::Global(name) => self.assign_global(*name, value),
            Target::ClassVariable(name) => self.set_class_variable(*name, value, env),
            Target::Constant(scope, name) => self.set_constant(scope, *name, value, env)?,
            Target::Attribute { receiver, name, safe, site } => {
                let reach = reach(receiver);
                let receiver = self.eval(receiver, env)?;
                if *safe && receiver.is_nil() {
                    return Ok(());
                }
                self.dispatch(site, &receiver, name.setter(), Args::of(&[value]), reach, false, env)?;
            }
            Target::Index { receiver, arguments, site } => {
                let reach = reach(receiver);
                let receiver = self.eval(receiver, env)?;
                let (mut values, _) = self.eval_arguments(arguments, env)?;
                values.push(value);
                self.assign_index(site, &receiver, &values, reach, env)?;
            }
            Target::Multiple(targets) => self.assign_multiple(targets, &value, env)?,
        }
        Ok(())
    }

    fn assign_index(
        &mut self,
        site: &crate::ruby::compiler::tree::Site,
        receiver: &Value,
        values: &[Value],
        reach: Reach,
        env: &Rc<Env>,
    ) -> Outcome<()> {
        if let (Value::Hash(hash), [key, value]) = (receiver, values)
            && !hash.is_frozen()
            && hash.extra.class().is_none()
        {
            hash.insert(key.clone(), value.clone());
            return Ok(());
        }
        self.dispatch(site, receiver, sym!("[]="), Args::of(values), reach, false, env).map(drop)
    }

    /// `a, (b, *c), d = value`
    pub(super) fn assign_multiple(
        &mut self,
        targets: &MultiTarget,
        value: &Value,
        env: &Rc<Env>,
    ) -> Outcome<()> {
        let values = match value {
            Value::Array(array) => array.to_vec(),
            other if self.responds_to(other, sym!("to_ary")) => match self.call(other, "to_ary", &[])? {
                Value::Array(array) => array.to_vec(),
                _ => vec![other.clone()],
            },
            other => vec![other.clone()],
        };
        let mut given = values.iter().cloned();
        for target in &targets.before {
            self.assign(target, given.next().unwrap_or_default(), env)?;
        }
        if let Some(splat) = &targets.splat {
            let rest = given.len().saturating_sub(targets.after.len());
            let items: Vec<Value> = given.by_ref().take(rest).collect();
            if let Some(target) = splat {
                self.assign(target, Value::array(items), env)?;
            }
        }
        for target in &targets.after {
            self.assign(target, given.next().unwrap_or_default(), env)?;
        }
        Ok(())
    }

    /// `target op= value`: the target's receiver and arguments are evaluated once.
    pub(super) fn eval_operator_assign(&mut self, node: &OperatorAssignNode, env: &Rc<Env>) -> Outcome {
        if let (Target::Local { depth: 0, slot }, Some(operator), true) =
            (&node.target, node.quick, node.is_plain)
        {
            let mut slots = env.slots.borrow_mut();
            if let Some(Value::Int(old)) = slots.get(*slot as usize)
                && let Some(value) = plain_integer(&node.value, &slots)
                && let Some(Value::Int(new)) = integers(operator, *old, value)
                && let Some(place) = slots.get_mut(*slot as usize)
            {
                *place = Value::Int(new);
                return Ok(Value::Int(new));
            }
        }
        match &node.target {
            Target::Attribute { receiver, name, safe, site } => {
                let reach = reach(receiver);
                let receiver = self.eval(receiver, env)?;
                if *safe && receiver.is_nil() {
                    return Ok(Value::Nil);
                }
                let old = self.call_with(&receiver, *name, Args::default())?;
                let Some(new) = self.new_value(node, old.clone(), env)? else { return Ok(old) };
                let args = Args::of(std::slice::from_ref(&new));
                self.dispatch(site, &receiver, name.setter(), args, reach, false, env)?;
                Ok(new)
            }
            Target::Index { receiver, arguments, site } => {
                let reach = reach(receiver);
                let receiver = self.eval(receiver, env)?;
                let (mut values, _) = self.eval_arguments(arguments, env)?;
                let old = self.index(&receiver, &values)?;
                let Some(new) = self.new_value(node, old.clone(), env)? else { return Ok(old) };
                values.push(new.clone());
                self.assign_index(site, &receiver, &values, reach, env)?;
                Ok(new)
            }
            Target::Local { depth, slot } => {
                let old = get_local(env, *depth, *slot);
                let Some(new) = self.new_value(node, old.copy(), env)? else { return Ok(old) };
                old.discard();
                set_local(env, *depth, *slot, new.copy());
                Ok(new)
            }
            target => {
                let old = self.read_target(target, node.operator, env)?;
                let Some(new) = self.new_value(node, old.clone(), env)? else { return Ok(old) };
                self.assign(target, new.clone(), env)?;
                Ok(new)
            }
        }
    }

    /// The new value; `None` where `||=` or `&&=` leaves the old one.
    fn new_value(&mut self, node: &OperatorAssignNode, old: Value, env: &Rc<Env>) -> Outcome<Option<Value>> {
        match node.operator {
            AssignOperator::Or if old.truthy() => Ok(None),
            AssignOperator::And if !old.truthy() => Ok(None),
            AssignOperator::Or | AssignOperator::And => self.eval(&node.value, env).map(Some),
            AssignOperator::Method(name) => {
                let value = self.eval_leaf(&node.value, env)?;
                match node.quick {
                    Some(operator) => self.operate(operator, name, &node.site, old, value, env).map(Some),
                    None => {
                        let args = Args::of(std::slice::from_ref(&value));
                        self.dispatch(&node.site, &old, name, args, Reach::Public, false, env).map(Some)
                    }
                }
            }
        }
    }

    fn read_target(&mut self, target: &Target, operator: AssignOperator, env: &Rc<Env>) -> Outcome {
        let lenient = operator == AssignOperator::Or;
        Ok(match target {
            Target::Local { depth, slot } => get_local(env, *depth, *slot),
            Target::InstanceVariable(name) => self.get_ivar(&env.self_value, *name),
            Target::Global(name) => self.get_global(*name),
            Target::ClassVariable(name) => match self.find_class_variable(*name, env) {
                Some(value) => value,
                None if lenient => Value::Nil,
                None => self.get_class_variable(*name, env)?,
            },
            Target::Constant(scope, name) => self.read_constant_target(scope, *name, lenient, env)?,
            Target::Attribute { .. } | Target::Index { .. } | Target::Multiple(_) => Value::Nil,
        })
    }

    fn read_constant_target(
        &mut self,
        scope: &crate::ruby::compiler::tree::ConstantScope,
        name: Sym,
        lenient: bool,
        env: &Rc<Env>,
    ) -> Outcome {
        let class = self.constant_target(scope, env)?;
        let found = self.find_constant_in(&class, name);
        match found.or_else(|| self.lexical_constant(name, &env.context.cref)) {
            Some(value) => Ok(value),
            None if lenient => Ok(Value::Nil),
            None => self.constant_in(&Value::Class(class), name),
        }
    }
}

/// Private writers are in reach of `self.name = value`.
fn reach(receiver: &Node) -> Reach {
    if matches!(receiver, Node::SelfValue) { Reach::Own } else { Reach::Public }
}
