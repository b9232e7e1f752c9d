//! `begin`, `rescue`, `else`, `ensure`, `retry`, and `catch`.

use std::rc::Rc;

use super::Interp;
use crate::ruby::compiler::tree::{Node, RescueClause, RescueNode};
use crate::ruby::control::{Control, Jump, Outcome};
use crate::ruby::value::{Env, RProc, Value};

impl Interp {
    pub(super) fn eval_rescue(&mut self, node: &RescueNode, env: &Rc<Env>) -> Outcome {
        loop {
            let frames = self.frames.len();
            let exception = match self.eval(&node.body, env) {
                Ok(value) => match &node.otherwise {
                    Some(otherwise) => return self.eval(otherwise, env),
                    None => return Ok(value),
                },
                Err(Control(jump)) => match *jump {
                    Jump::Raise(exception) => exception,
                    other => return Err(other.into()),
                },
            };
            self.frames.truncate(frames);
            let Some(clause) = self.clause_for(&node.clauses, &exception, env)? else {
                return Err(Control::raise(exception));
            };
            let outer = std::mem::replace(&mut self.last_error, exception.clone());
            let result = self.run_clause(clause, exception, env);
            self.last_error = outer;
            match result {
                Err(Control(jump)) if matches!(*jump, Jump::Retry) => {}
                other => return other,
            }
        }
    }

    fn run_clause(&mut self, clause: &RescueClause, exception: Value, env: &Rc<Env>) -> Outcome {
        if let Some(target) = &clause.target {
            self.assign(target, exception, env)?;
        }
        self.eval(&clause.body, env)
    }

    fn clause_for<'c>(
        &mut self,
        clauses: &'c [RescueClause],
        exception: &Value,
        env: &Rc<Env>,
    ) -> Outcome<Option<&'c RescueClause>> {
        for clause in clauses {
            if clause.classes.is_empty() {
                if self.is_a(exception, &self.classes.standard_error) {
                    return Ok(Some(clause));
                }
                continue;
            }
            let mut classes = Vec::new();
            self.eval_items(&clause.classes, env, &mut classes)?;
            for class in &classes {
                if !matches!(class, Value::Class(_)) {
                    let message = "class or module required for rescue clause";
                    return Err(self.type_error(message));
                }
                if self.case_equal(class, exception)? {
                    return Ok(Some(clause));
                }
            }
        }
        Ok(None)
    }

    pub(super) fn eval_ensure(&mut self, body: &Node, ensure: &Node, env: &Rc<Env>) -> Outcome {
        let result = self.eval(body, env);
        let outer = self.last_error.clone();
        if let Err(control) = &result
            && let Some(exception) = control.exception()
        {
            self.last_error = exception.clone();
        }
        let ensured = self.eval(ensure, env);
        self.last_error = outer;
        ensured?;
        result
    }

    /// `catch(tag) { ... }`
    pub fn catch(&mut self, tag: Value, block: &Rc<RProc>) -> Outcome {
        self.catch_tags.push(tag.clone());
        let depth = self.catch_tags.len();
        let result = self.yield_one(block, tag.clone());
        self.catch_tags.truncate(depth.saturating_sub(1));
        match result {
            Err(Control(jump)) => match *jump {
                Jump::Throw { tag: thrown, value } if thrown.is_same(&tag) => Ok(value),
                other => Err(other.into()),
            },
            ok => ok,
        }
    }

    /// `throw tag, value`
    pub fn throw(&mut self, tag: Value, value: Value) -> Control {
        if self.catch_tags.iter().any(|known| known.is_same(&tag)) {
            return Jump::Throw { tag, value }.into();
        }
        let shown = self.inspect(&tag).unwrap_or_default();
        self.error("UncaughtThrowError", format!("uncaught throw {shown}"))
    }
}
