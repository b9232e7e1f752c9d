//! Calling blocks, and binding arguments to parameters.

use std::rc::Rc;

use super::{Context, Cref, Interp};
use crate::ruby::args::Args;
use crate::ruby::compiler::tree::{BlockCode, KeywordRest, Param, Params, RestParam};
use crate::ruby::control::{Control, Jump, Outcome};
use crate::ruby::symbol::sym;
use crate::ruby::value::{Env, HashMap, Method, ProcBody, RClass, RHash, RProc, Value};

impl Interp {
    /// Calls a block with some values, as `yield` does: one array is taken apart by a block of several parameters.
    #[inline]
    pub fn yield_values(&mut self, block: &Rc<RProc>, values: &[Value]) -> Outcome {
        self.call_block(block, Args::of(values))
    }

    /// Calls a block with one value.
    #[inline]
    pub fn yield_one(&mut self, block: &Rc<RProc>, value: Value) -> Outcome {
        self.call_block(block, Args::of(&[value]))
    }

    /// Calls a block with a pair: blocks of one parameter get an array of both, those of more get each
    /// (`Hash#each`, `each_with_index`'s pairs are two values instead: `yield_values`).
    pub fn yield_pair(&mut self, block: &Rc<RProc>, key: Value, value: Value) -> Outcome {
        if let ProcBody::Code { code, .. } = &block.body
            && !block.is_lambda.get()
            && code.params.is_simple()
            && code.params.spreads()
        {
            return self.call_block(block, Args::of(&[key, value]));
        }
        if block.is_lambda.get() && block.arity() == 2 {
            return self.call_block(block, Args::of(&[key, value]));
        }
        self.call_block(block, Args::of(&[Value::array(vec![key, value])]))
    }

    /// Calls a block, proc or lambda.
    pub fn call_block(&mut self, block: &Rc<RProc>, args: Args<'_>) -> Outcome {
        match &block.body {
            ProcBody::Code { code, env } => {
                self.run_block(block, code, env, env.self_value.clone(), env.context.clone(), args)
            }
            ProcBody::Native { arity, run, .. } => {
                if !arity.admits(args.len()) {
                    return Err(self.wrong_count(args.len(), &arity.describe()));
                }
                run(self, args)
            }
            ProcBody::Symbol(name) => {
                let Some((receiver, rest)) = args.values.split_first() else {
                    return Err(self.argument_error("no receiver given"));
                };
                self.call_public(receiver, *name, Args { values: rest, ..args })
            }
            ProcBody::Method { receiver, method } => self.invoke(method, receiver, args),
        }
    }

    /// Calls a block with another `self` (`instance_eval`, `instance_exec`, `class_eval`); methods defined in it go
    /// to `target`.
    pub fn call_block_as(
        &mut self,
        block: &Rc<RProc>,
        self_value: &Value,
        target: &Rc<RClass>,
        args: Args<'_>,
    ) -> Outcome {
        let ProcBody::Code { code, env } = &block.body else { return self.call_block(block, args) };
        let (method, outer_block) = (env.context.method.clone(), env.context.block.clone());
        let cref = Cref::new(target.clone(), Some(env.context.cref.clone()));
        let context = Context::new(method, outer_block, cref);
        self.run_block(block, code, env, self_value.clone(), context, args)
    }

    /// Runs the block of `define_method`.
    pub(super) fn call_as_method(
        &mut self,
        block: &Rc<RProc>,
        self_value: &Value,
        args: Args<'_>,
        method: &Rc<Method>,
    ) -> Outcome {
        let ProcBody::Code { code, env } = &block.body else { return self.call_block(block, args) };
        let name = Some((method.name, method.owner.clone()));
        let context = Context::new(name, args.block.cloned(), env.context.cref.clone());
        let lambda = RProc {
            body: ProcBody::Code { code: code.clone(), env: env.clone() },
            is_lambda: std::cell::Cell::new(true),
            break_tag: self.fresh_id(),
        };
        self.run_block(&Rc::new(lambda), code, env, self_value.clone(), context, args)
    }

    fn run_block(
        &mut self,
        block: &RProc,
        code: &Rc<BlockCode>,
        outer: &Rc<Env>,
        self_value: Value,
        context: Rc<Context>,
        args: Args<'_>,
    ) -> Outcome {
        self.guard()?;
        let is_lambda = block.is_lambda.get();
        let outer_context = self.enter_context(&context);
        let home = if is_lambda { self.fresh_id() } else { outer.home };
        let env = self.new_env(code.slots, Some(outer.clone()), self_value, context, home, block.break_tag);
        let mut result = match self.bind(&code.params, args, is_lambda, &env) {
            Ok(()) => self.eval(&code.body, &env),
            Err(control) => Err(control),
        };
        while matches!(&result, Err(Control(jump)) if matches!(**jump, Jump::Redo)) {
            result = self.eval(&code.body, &env);
        }
        self.leave_context(outer_context);
        self.recycle(env);
        match result {
            Err(Control(jump)) => match *jump {
                Jump::Next(value) => Ok(value),
                Jump::Return { home: to, value } if is_lambda && to == home => Ok(value),
                Jump::Break { tag, value } if is_lambda && tag == block.break_tag => Ok(value),
                other => Err(other.into()),
            },
            ok => ok,
        }
    }

    /// Binds arguments to parameters: strictly, as methods and lambdas do, or as blocks do.
    pub(super) fn bind(
        &mut self,
        params: &Params,
        args: Args<'_>,
        strict: bool,
        env: &Rc<Env>,
    ) -> Outcome<()> {
        if params.is_simple() {
            return self.bind_simple(params, args, strict, env);
        }
        let (args, keywords) = match params.has_keywords() {
            true => args.split_keywords(),
            false => (args, None),
        };
        let spread;
        let mut values = args.values;
        if !strict
            && params.spreads()
            && let [Value::Array(array)] = values
        {
            spread = array.to_vec();
            values = &spread;
        }
        self.bind_positional(params, values, strict, env)?;
        if params.has_keywords() {
            self.bind_keywords(params, keywords, env)?;
        }
        if let Some(slot) = params.block {
            set(env, slot, args.block.map_or(Value::Nil, |block| Value::Proc(block.clone())));
        }
        Ok(())
    }

    fn bind_simple(&mut self, params: &Params, args: Args<'_>, strict: bool, env: &Rc<Env>) -> Outcome<()> {
        let (mut values, wanted) = (args.values, params.required.len());
        if strict && values.len() != wanted {
            return Err(self.wrong_count(values.len(), &wanted.to_string()));
        }
        let spread;
        if !strict
            && params.spreads()
            && let [Value::Array(array)] = values
        {
            spread = array.to_vec();
            values = &spread;
        }
        let mut slots = env.slots.borrow_mut();
        for (param, value) in params.required.iter().zip(values) {
            if let Param::Slot(slot) = param
                && let Some(place) = slots.get_mut(*slot as usize)
            {
                *place = value.clone();
            }
        }
        Ok(())
    }

    fn bind_positional(
        &mut self,
        params: &Params,
        values: &[Value],
        strict: bool,
        env: &Rc<Env>,
    ) -> Outcome<()> {
        let required = params.required_len();
        let most = required + params.optional.len();
        let open = params.rest != RestParam::None;
        if strict && (values.len() < required || (values.len() > most && !open)) {
            let expected = match (open, params.optional.is_empty()) {
                (true, _) => format!("{required}+"),
                (false, true) => required.to_string(),
                (false, false) => format!("{required}..{most}"),
            };
            return Err(self.wrong_count(values.len(), &expected));
        }
        let nil = Value::Nil;
        let mut given = values.iter();
        for param in &params.required {
            self.bind_param(param, given.next().unwrap_or(&nil), env)?;
        }
        let spare = given.len().saturating_sub(params.post.len());
        let optional = spare.min(params.optional.len());
        for (at, (slot, default)) in params.optional.iter().enumerate() {
            let next = if at < optional { given.next() } else { None };
            let value = match next {
                Some(value) => value.clone(),
                None => self.eval(default, env)?,
            };
            set(env, *slot, value);
        }
        let rest = spare - optional;
        if let RestParam::Slot(slot) = params.rest {
            let items: Vec<Value> = given.by_ref().take(rest).cloned().collect();
            set(env, slot, Value::array(items));
        } else if open {
            given.by_ref().take(rest).for_each(drop);
        }
        for param in &params.post {
            self.bind_param(param, given.next().unwrap_or(&nil), env)?;
        }
        Ok(())
    }

    fn bind_param(&mut self, param: &Param, value: &Value, env: &Rc<Env>) -> Outcome<()> {
        match param {
            Param::Slot(slot) => {
                set(env, *slot, value.clone());
                Ok(())
            }
            Param::Destructured(targets) => self.assign_multiple(targets, value, env),
        }
    }

    fn bind_keywords(&mut self, params: &Params, given: Option<Rc<RHash>>, env: &Rc<Env>) -> Outcome<()> {
        let mut left = given.map(|hash| hash.borrow().clone()).unwrap_or_default();
        let mut missing = None;
        for keyword in &params.keywords {
            let value = match (left.remove(&Value::Sym(keyword.name)), &keyword.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.eval(default, env)?,
                (None, None) => {
                    missing = missing.or(Some(keyword.name));
                    continue;
                }
            };
            set(env, keyword.slot, value);
        }
        match params.keyword_rest {
            KeywordRest::Slot(slot) => set(env, slot, Value::hash(left)),
            KeywordRest::Ignored => {}
            KeywordRest::None | KeywordRest::Refused if left.is_empty() => {}
            KeywordRest::None | KeywordRest::Refused => return Err(self.unknown_keywords(&left)),
        }
        // As JRuby says it: only the first, without a colon, and only where no keyword is unknown.
        if let Some(name) = missing {
            return Err(self.argument_error(format!("missing keyword: {name}")));
        }
        Ok(())
    }

    fn unknown_keywords(&mut self, left: &HashMap) -> Control {
        let keys: Vec<Value> = left.keys().cloned().collect();
        let shown: Vec<String> = keys.iter().map(|key| self.inspect(key).unwrap_or_default()).collect();
        let plural = if shown.len() > 1 { "s" } else { "" };
        self.argument_error(format!("unknown keyword{plural}: {}", shown.join(", ")))
    }

    /// The lambda made of a block's code.
    pub(super) fn make_lambda(&mut self, code: &Rc<BlockCode>, env: &Rc<Env>) -> Value {
        let body = ProcBody::Code { code: code.clone(), env: env.clone() };
        let break_tag = self.fresh_id();
        Value::Proc(Rc::new(RProc { body, is_lambda: std::cell::Cell::new(true), break_tag }))
    }

    /// `yield` in a method.
    pub(super) fn eval_yield(&mut self, args: Args<'_>, env: &Rc<Env>) -> Outcome {
        let Some(block) = env.context.block.clone() else {
            return Err(self.error("LocalJumpError", "no block given (yield)"));
        };
        self.call_block(&block, args)
    }

    /// Calls anything that can be called: a proc, a method, an object with `call`.
    pub fn call_callable(&mut self, callable: &Value, args: Args<'_>) -> Outcome {
        match callable {
            Value::Proc(block) => self.call_block(block, args),
            other => self.call_with(other, sym!("call"), args),
        }
    }
}

fn set(env: &Env, slot: u32, value: Value) {
    if let Some(place) = env.slots.borrow_mut().get_mut(slot as usize) {
        *place = value;
    }
}
