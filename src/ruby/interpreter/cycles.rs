//! Freeing closures that hold themselves.
//!
//! Values are counted, and a lambda that calls itself (`walk = lambda { walk.call }`), or a hash whose default block
//! stands beside it (`h = Hash.new { |h, k| h[k] = [] }`), is a circle that counting never frees: the variables hold
//! the block and the block its variables. Every such circle goes through an environment that was still held when its
//! code ended. Those are noted, and when a run is over the ones that nothing reaches are emptied.

use std::collections::HashSet;
use std::rc::{Rc, Weak};

use super::{Context, Interp};
use crate::ruby::value::{Body, Env, HashDefault, ProcBody, RClass, RProc, Value};

/// From this many noted environments on, a world that keeps state looks which of them are reached.
const LOOK_FROM: usize = 4096;

/// Environments that were held when their code ended.
#[derive(Default)]
pub(super) struct Suspects {
    environments: Vec<Weak<Env>>,
    look_at: usize,
}

impl Interp {
    pub(super) fn suspect(&mut self, env: &Rc<Env>) {
        self.suspects.environments.push(Rc::downgrade(env));
    }

    /// What was made so far stays: the script's own state.
    pub(in crate::ruby) fn settle_state(&mut self) {
        self.suspects.environments.clear();
    }

    /// Ends a run. Where nothing may survive it, everything noted is emptied.
    pub(in crate::ruby) fn end_run(&mut self) {
        if self.suspects.environments.is_empty() {
            return;
        }
        if !self.keeps_state {
            for env in std::mem::take(&mut self.suspects.environments) {
                empty(&env);
            }
            return;
        }
        if self.suspects.environments.len() >= self.suspects.look_at.max(LOOK_FROM) {
            self.suspects.environments.retain(|env| env.strong_count() > 0);
            self.free_unreached();
            self.suspects.look_at = self.suspects.environments.len() * 2;
        }
    }

    /// How many noted environments are still held.
    #[cfg(test)]
    pub(in crate::ruby) fn living_suspects(&self) -> usize {
        self.suspects.environments.iter().filter(|env| env.strong_count() > 0).count()
    }

    fn free_unreached(&mut self) {
        let Some(reached) = self.reached() else { return };
        self.suspects.environments.retain(|env| {
            let keep = reached.contains(&env.as_ptr().addr());
            if !keep {
                empty(env);
            }
            keep
        });
    }

    /// Everything that can still be reached, by address; `None` where something reached holds what cannot be seen.
    fn reached(&self) -> Option<HashSet<usize>> {
        let mut walk = Walk::default();
        for class in &self.every_class {
            walk.class(class);
        }
        let roots = [&self.main, &self.last_match, &self.last_error];
        roots
            .into_iter()
            .chain(self.globals.values())
            .chain(self.kept_values())
            .for_each(|value| walk.push(value));
        walk.context(&self.top);
        walk.context(&self.current);
        while let Some(value) = walk.open.pop() {
            walk.enter(&value);
        }
        (!walk.is_blind).then_some(walk.seen)
    }
}

/// Empties an environment that nothing uses any more.
fn empty(env: &Weak<Env>) {
    if let Some(env) = env.upgrade() {
        let slots = std::mem::take(&mut *env.slots.borrow_mut());
        drop(slots);
    }
}

/// A walk over values.
#[derive(Default)]
struct Walk {
    seen: HashSet<usize>,
    open: Vec<Value>,
    is_blind: bool,
}

impl Walk {
    fn push(&mut self, value: &Value) {
        let address = match value {
            Value::Array(object) => Rc::as_ptr(object).addr(),
            Value::Hash(object) => Rc::as_ptr(object).addr(),
            Value::Range(object) => Rc::as_ptr(object).addr(),
            Value::Proc(object) => Rc::as_ptr(object).addr(),
            Value::Class(object) => Rc::as_ptr(object).addr(),
            Value::Object(object) => Rc::as_ptr(object).addr(),
            _ => return,
        };
        if self.seen.insert(address) {
            self.open.push(value.clone());
        }
    }

    fn enter(&mut self, value: &Value) {
        match value {
            Value::Array(array) => array.borrow().iter().for_each(|item| self.push(item)),
            Value::Hash(hash) => {
                for (key, value) in hash.borrow().iter() {
                    self.push(key);
                    self.push(value);
                }
                match &*hash.default.borrow() {
                    HashDefault::None => {}
                    HashDefault::Value(value) => self.push(value),
                    HashDefault::Block(block) => self.block(block),
                }
            }
            Value::Range(range) => {
                self.push(&range.start);
                self.push(&range.end);
            }
            Value::Proc(block) => self.block(block),
            Value::Class(class) => self.class(class),
            Value::Object(object) => {
                object.ivars().iter().for_each(|(_, value)| self.push(value));
                self.class(&object.class());
                if let Some(native) = object.any_native() {
                    self.is_blind |= !native.trace(&mut |value| self.push(value));
                }
            }
            _ => {}
        }
    }

    fn block(&mut self, block: &RProc) {
        match &block.body {
            ProcBody::Code { env, .. } => self.env(env),
            ProcBody::Native { held, .. } => match held {
                Some(held) => held.iter().for_each(|value| self.push(value)),
                None => self.is_blind = true,
            },
            ProcBody::Symbol(_) => {}
            ProcBody::Method { receiver, method } => {
                self.push(receiver);
                self.class(&method.owner);
            }
        }
    }

    fn env(&mut self, env: &Rc<Env>) {
        let mut at = Some(env);
        while let Some(here) = at {
            if !self.seen.insert(Rc::as_ptr(here).addr()) {
                return;
            }
            here.slots.borrow().iter().for_each(|value| self.push(value));
            self.push(&here.self_value);
            self.context(&here.context);
            at = here.parent.as_ref();
        }
    }

    fn context(&mut self, context: &Rc<Context>) {
        if let Some(block) = &context.block {
            self.push(&Value::Proc(block.clone()));
        }
        self.push(&context.last_match.borrow());
        let mut cref = Some(&context.cref);
        while let Some(at) = cref {
            self.class(&at.module);
            cref = at.parent.as_ref();
        }
    }

    fn class(&mut self, class: &Rc<RClass>) {
        // A class pushed as a value has its address noted already, but not its contents.
        if !self.seen.insert(Rc::as_ptr(class).addr() | 1) {
            return;
        }
        for (_, value) in
            class.constants().iter().chain(&class.ivars()).chain(&*class.class_variables.borrow())
        {
            self.push(value);
        }
        for method in class.own_methods() {
            if let Body::Proc(block) = &method.body {
                self.push(&Value::Proc(block.clone()));
            }
        }
        for other in [class.superclass(), class.meta()].into_iter().flatten() {
            self.class(&other);
        }
        if let Some(attached) = class.attached() {
            self.push(attached);
        }
    }
}
