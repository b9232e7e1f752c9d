//! Calling methods.

use std::rc::Rc;

use super::{Context, Frame, Interp};
use crate::ruby::args::Args;
use crate::ruby::compiler::tree::{
    ArgumentList, BlockArgument, CachedMethod, CallNode, MethodCode, Node, Site, SuperNode,
};
use crate::ruby::control::{Control, Jump, Outcome};
use crate::ruby::stdlib;
use crate::ruby::symbol::{Sym, sym};
use crate::ruby::value::{Body, BoundMethod, Env, HashMap, Method, ProcBody, RProc, Value, Visibility};

/// How a method is called, which decides whether private ones are in reach.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// With a receiver.
    Public,
    /// Without one, or on `self`.
    Own,
}

impl Interp {
    /// Calls a method by name with positional arguments, whatever its visibility: `interp.call(&value, "to_s", &[])`.
    pub fn call(&mut self, receiver: &Value, name: &str, arguments: &[Value]) -> Outcome {
        self.call_with(receiver, Sym::new(name), Args::of(arguments))
    }

    /// Calls a method with any arguments.
    pub fn call_with(&mut self, receiver: &Value, name: Sym, args: Args<'_>) -> Outcome {
        match self.find_method(receiver, name) {
            Some(method) => self.invoke(&method, receiver, args),
            None => self.call_missing(receiver, name, args, false),
        }
    }

    /// Calls a method as code outside the object does (`public_send`).
    pub fn call_public(&mut self, receiver: &Value, name: Sym, args: Args<'_>) -> Outcome {
        match self.find_method(receiver, name) {
            Some(method) => {
                self.check_visibility(&method, receiver, None)?;
                self.invoke(&method, receiver, args)
            }
            None => self.call_missing(receiver, name, args, false),
        }
    }

    fn check_visibility(&mut self, method: &Method, receiver: &Value, caller: Option<&Value>) -> Outcome<()> {
        let kind = match method.visibility {
            Visibility::Public => return Ok(()),
            Visibility::Protected if caller.is_some_and(|caller| self.is_a(caller, &method.owner)) => {
                return Ok(());
            }
            Visibility::Protected => "protected",
            Visibility::Private => "private",
        };
        let receiver = super::describe_receiver(self, receiver);
        let message = format!("{kind} method '{}' called for {receiver}", method.name);
        Err(self.error("NoMethodError", message))
    }

    /// What happens where there is no such method: `method_missing`, or a NoMethodError.
    pub(super) fn call_missing(
        &mut self,
        receiver: &Value,
        name: Sym,
        args: Args<'_>,
        is_bare: bool,
    ) -> Outcome {
        if let Some(result) = stdlib::open_field(self, receiver, name, args) {
            return result;
        }
        let missing = sym!("method_missing");
        let Some(method) = self.find_method(receiver, missing) else {
            return Err(self.no_method(receiver, name, is_bare));
        };
        if matches!(method.body, Body::Native { .. }) {
            return Err(self.no_method(receiver, name, is_bare));
        }
        let mut values = Vec::with_capacity(args.len() + 1);
        values.push(Value::Sym(name));
        values.extend_from_slice(args.values);
        self.invoke(&method, receiver, Args { values: &values, ..args })
    }

    /// Runs a method that was found.
    pub fn invoke(&mut self, method: &Rc<Method>, receiver: &Value, args: Args<'_>) -> Outcome {
        match &method.body {
            Body::Native { run, arity } => {
                if !arity.admits(args.len()) {
                    return Err(self.wrong_count(args.len(), &arity.describe()));
                }
                run(self, receiver, args)
            }
            Body::Code { code, cref } => {
                let name = Some((method.name, method.owner.clone()));
                let context = Context::new(name, args.block.cloned(), cref.clone());
                self.run_method(code, receiver, args, context)
            }
            Body::Proc(block) => self.call_as_method(block, receiver, args, method),
            Body::Reader(name) => Ok(self.get_ivar(receiver, *name)),
            Body::Writer(name) => {
                let Some(value) = args.get(0) else { return Err(self.wrong_count(0, "1")) };
                self.set_ivar(receiver, *name, value.clone())?;
                Ok(value.clone())
            }
            Body::Undefined => Err(self.no_method(receiver, method.name, false)),
        }
    }

    fn run_method(
        &mut self,
        code: &Rc<MethodCode>,
        receiver: &Value,
        args: Args<'_>,
        context: Rc<Context>,
    ) -> Outcome {
        self.guard()?;
        let home = self.fresh_id();
        let outer = self.enter_context(&context);
        let env = self.new_env(code.slots, None, receiver.clone(), context, home, 0);
        let file = std::mem::replace(&mut self.file, code.file.clone());
        let called_at = self.line;
        self.frames.push(Frame { name: code.name, file: file.clone(), called_at });
        let bound = self.bind(&code.params, args, true, &env);
        let result = match bound {
            Ok(()) => self.eval(&code.body, &env),
            Err(control) => Err(control),
        };
        self.leave_context(outer);
        self.frames.pop();
        self.file = file;
        self.line = called_at;
        self.recycle(env);
        match result {
            Err(Control(jump)) => match *jump {
                Jump::Return { home: to, value } if to == home => Ok(value),
                other => Err(other.into()),
            },
            ok => ok,
        }
    }

    pub(super) fn eval_call(&mut self, node: &CallNode, env: &Rc<Env>) -> Outcome {
        let (receiver, reach) = match &node.receiver {
            None => (env.self_value.clone(), Reach::Own),
            Some(Node::SelfValue) => (env.self_value.clone(), Reach::Own),
            Some(receiver) => (self.eval_leaf(receiver, env)?, Reach::Public),
        };
        if node.safe && receiver.is_nil() {
            return Ok(Value::Nil);
        }
        let block = self.eval_block(&node.block, env)?;
        let literal = matches!(node.block, BlockArgument::Literal(_));
        let result = self.with_arguments(&node.arguments, env, |interp, values, has_keywords| {
            let args = Args { values, has_keywords, block: block.as_ref() };
            interp.dispatch(&node.site, &receiver, node.name, args, reach, node.is_bare, env)
        });
        match (result, &block) {
            (Err(Control(jump)), Some(block)) if literal => match *jump {
                Jump::Break { tag, value } if tag == block.break_tag => Ok(value),
                other => Err(other.into()),
            },
            (result, _) => result,
        }
    }

    /// Finds the method, with the memory of the place of the call, and runs it.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn dispatch(
        &mut self,
        site: &Site,
        receiver: &Value,
        name: Sym,
        args: Args<'_>,
        reach: Reach,
        is_bare: bool,
        env: &Rc<Env>,
    ) -> Outcome {
        self.line = site.line;
        let Some(method) = self.find_cached(site, receiver, name) else {
            return self.call_missing(receiver, name, args, is_bare);
        };
        if method.visibility != Visibility::Public && reach == Reach::Public {
            self.check_visibility(&method, receiver, Some(&env.self_value))?;
        }
        self.invoke(&method, receiver, args)
    }

    fn find_cached(&mut self, site: &Site, receiver: &Value, name: Sym) -> Option<Rc<Method>> {
        if let Some(cached) = &*site.cache.borrow()
            && cached.epoch == self.epoch
            && self.has_class(receiver, &cached.class)
        {
            return Some(cached.method.clone());
        }
        let class = self.class_of(receiver);
        let method = class.find_method(name, self.epoch)?;
        let cached = CachedMethod { class, epoch: self.epoch, method: method.clone() };
        *site.cache.borrow_mut() = Some(cached);
        Some(method)
    }

    /// Evaluates arguments and hands them on; up to three need no allocation.
    pub(super) fn with_arguments(
        &mut self,
        list: &ArgumentList,
        env: &Rc<Env>,
        run: impl FnOnce(&mut Interp, &[Value], bool) -> Outcome,
    ) -> Outcome {
        if list.has_splat || list.has_keywords {
            let (values, has_keywords) = self.eval_arguments(list, env)?;
            return run(self, &values, has_keywords);
        }
        match &*list.items {
            [] => run(self, &[], false),
            [one] => {
                let one = self.eval_leaf(one, env)?;
                run(self, &[one], false)
            }
            [one, two] => {
                let values = [self.eval_leaf(one, env)?, self.eval_leaf(two, env)?];
                run(self, &values, false)
            }
            [one, two, three] => {
                let values =
                    [self.eval_leaf(one, env)?, self.eval_leaf(two, env)?, self.eval_leaf(three, env)?];
                run(self, &values, false)
            }
            _ => {
                let (values, has_keywords) = self.eval_arguments(list, env)?;
                run(self, &values, has_keywords)
            }
        }
    }

    /// Evaluates arguments with splats; whether the last one is the hash of keywords.
    pub(super) fn eval_arguments(
        &mut self,
        list: &ArgumentList,
        env: &Rc<Env>,
    ) -> Outcome<(Vec<Value>, bool)> {
        let mut values = Vec::with_capacity(list.items.len());
        self.eval_items(&list.items, env, &mut values)?;
        let mut has_keywords = list.has_keywords;
        // `**{}` passes nothing.
        if has_keywords && matches!(values.last(), Some(Value::Hash(hash)) if hash.is_empty()) {
            values.pop();
            has_keywords = false;
        }
        Ok((values, has_keywords))
    }

    /// The block of a call.
    pub(super) fn eval_block(&mut self, block: &BlockArgument, env: &Rc<Env>) -> Outcome<Option<Rc<RProc>>> {
        Ok(match block {
            BlockArgument::None => None,
            BlockArgument::Literal(code) => {
                let body = ProcBody::Code { code: code.clone(), env: env.clone() };
                let break_tag = self.fresh_id();
                Some(Rc::new(RProc { body, is_lambda: std::cell::Cell::new(false), break_tag }))
            }
            BlockArgument::Forwarded => env.context.block.clone(),
            BlockArgument::Pass(value) => {
                let value = self.eval(value, env)?;
                self.to_block(&value)?
            }
        })
    }

    /// What `&value` passes.
    pub fn to_block(&mut self, value: &Value) -> Outcome<Option<Rc<RProc>>> {
        match value {
            Value::Nil => Ok(None),
            Value::Proc(block) => Ok(Some(block.clone())),
            Value::Sym(name) => Ok(Some(RProc::from_symbol(*name))),
            other => {
                if let Some(bound) = other.as_native::<BoundMethod>()
                    && let Some(receiver) = &bound.receiver
                {
                    let body = ProcBody::Method { receiver: receiver.clone(), method: bound.method.clone() };
                    return Ok(Some(Rc::new(RProc {
                        body,
                        is_lambda: std::cell::Cell::new(true),
                        break_tag: 0,
                    })));
                }
                if self.responds_to(other, sym!("to_proc")) {
                    let converted = self.call(other, "to_proc", &[])?;
                    return self.to_block(&converted);
                }
                let class = self.class_name(&self.real_class(other));
                Err(self.type_error(format!("wrong argument type {class} (expected Proc)")))
            }
        }
    }

    pub(super) fn eval_super(&mut self, node: &SuperNode, env: &Rc<Env>) -> Outcome {
        self.line = node.line;
        let Some((name, owner)) = env.context.method.clone() else {
            return Err(self.error("RuntimeError", "super called outside of method"));
        };
        let block = match &node.block {
            BlockArgument::None => env.context.block.clone(),
            other => self.eval_block(other, env)?,
        };
        let (values, has_keywords) = self.eval_arguments(&node.arguments, env)?;
        let args = Args { values: &values, has_keywords, block: block.as_ref() };
        let receiver = env.self_value.clone();
        let ancestors = self.class_of(&receiver).ancestors();
        let behind = ancestors.iter().skip_while(|class| !Rc::ptr_eq(class, &owner)).skip(1);
        let method = behind.filter_map(|class| class.own_method(name)).next();
        match method {
            Some(method) => self.invoke(&method, &receiver, args),
            None => {
                let receiver = super::describe_receiver(self, &receiver);
                let message = format!("super: no superclass method '{name}' for {receiver}");
                Err(self.error("NoMethodError", message))
            }
        }
    }

    /// Items of an array or arguments, with splats spread.
    pub(super) fn eval_items(&mut self, nodes: &[Node], env: &Rc<Env>, into: &mut Vec<Value>) -> Outcome<()> {
        for node in nodes {
            match node {
                Node::Splat(inner) => {
                    let value = self.eval(inner, env)?;
                    let items = self.splat(&value)?;
                    into.extend(items);
                }
                other => into.push(self.eval(other, env)?),
            }
        }
        Ok(())
    }

    /// What `*value` stands for.
    pub fn splat(&mut self, value: &Value) -> Outcome<Vec<Value>> {
        match value {
            Value::Array(array) => Ok(array.to_vec()),
            Value::Nil => Ok(Vec::new()),
            Value::Hash(hash) => Ok(pairs(&hash.borrow())),
            other if self.responds_to(other, sym!("to_a")) => match self.call(other, "to_a", &[])? {
                Value::Array(array) => Ok(array.to_vec()),
                _ => Ok(vec![other.clone()]),
            },
            other => Ok(vec![other.clone()]),
        }
    }
}

/// The entries of a map as arrays of two.
pub(super) fn pairs(map: &HashMap) -> Vec<Value> {
    map.iter().map(|(key, value)| Value::array(vec![key.clone(), value.clone()])).collect()
}
