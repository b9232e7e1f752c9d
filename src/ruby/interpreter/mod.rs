//! `Interp`: one Ruby world, and the evaluation of compiled scripts in it.

mod assign;
mod blocks;
mod calls;
mod classes;
mod coerce;
mod compare;
mod constants;
mod cycles;
mod define;
mod errors;
mod eval;
mod iterate;
mod operators;
mod patterns;
mod rescue;
mod text;
mod variables;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::PathBuf;
use std::rc::Rc;

pub use classes::Classes;
pub(in crate::ruby) use coerce::big_to_f64;
pub use errors::describe_receiver;
pub(in crate::ruby) use text::{float_to_s, inspect_string, regexp_to_s};
pub(in crate::ruby) use operators::operator_named;
pub(in crate::ruby) use text::make_regexp;

use super::compiler::tree::BodyCode;
use super::control::{Control, Jump, Outcome};
use super::references::References;
use super::stdlib;
use super::symbol::{Sym, SymMap};
use super::value::{Env, RClass, RObject, RProc, Value, Visibility};
use super::world::Keep;

/// The stack of the threads that run scripts: deep recursion is theirs. Memory that is never touched costs nothing.
pub const SCRIPT_STACK: usize = 16 << 20;
/// How much stack a script may use on a thread that said nothing: threads have 2 MiB.
const STACK_BUDGET: usize = 1 << 20;

thread_local! {
    /// How much stack a script may use on this thread before it gets a SystemStackError.
    static BUDGET: Cell<usize> = const { Cell::new(STACK_BUDGET) };
}

/// Says that this thread has a stack of [`SCRIPT_STACK`] bytes.
pub fn use_script_stack() {
    BUDGET.set(SCRIPT_STACK - (2 << 20));
}
/// Environments kept to be used again.
const POOLED_ENVIRONMENTS: usize = 64;

/// The modules around a piece of code, innermost first: where its constants are looked for and its methods go.
pub struct Cref {
    pub module: Rc<RClass>,
    pub parent: Option<Rc<Cref>>,
    /// What `private` without arguments has switched to.
    pub visibility: Cell<Visibility>,
    /// Whether `module_function` without arguments was called.
    pub module_function: Cell<bool>,
}

impl Cref {
    pub fn new(module: Rc<RClass>, parent: Option<Rc<Cref>>) -> Rc<Cref> {
        Rc::new(Cref {
            module,
            parent,
            visibility: Cell::new(Visibility::Public),
            module_function: Cell::new(false),
        })
    }
}

/// What one run of a method knows, and the blocks within it.
pub struct Context {
    /// The method's name and the class it stands in, for `super` and `__method__`.
    pub method: Option<(Sym, Rc<RClass>)>,
    /// The block the method was called with.
    pub block: Option<Rc<RProc>>,
    pub cref: Rc<Cref>,
    /// `$~` of the method and its blocks, while other code runs.
    last_match: RefCell<Value>,
}

impl Context {
    pub(super) fn new(
        method: Option<(Sym, Rc<RClass>)>,
        block: Option<Rc<RProc>>,
        cref: Rc<Cref>,
    ) -> Rc<Context> {
        Rc::new(Context { method, block, cref, last_match: RefCell::default() })
    }
}

/// A method that is running, for backtraces.
struct Frame {
    name: Sym,
    file: Rc<str>,
    /// The line of the call.
    called_at: u32,
}

/// One Ruby world: its classes, its global variables and what is running in it. Values of one world must not get into
/// another.
pub struct Interp {
    pub classes: Classes,
    /// Counts changes of methods; caches of older counts are stale.
    epoch: u64,
    /// Counts changes of constants.
    constant_epoch: u64,
    globals: SymMap<Value>,
    /// The context of the code that runs.
    current: Rc<Context>,
    /// `$~`
    pub last_match: Value,
    /// `$!`
    pub last_error: Value,
    /// The object at the top of scripts, `main`.
    pub main: Value,
    /// Where the code that runs stands.
    line: u32,
    file: Rc<str>,
    frames: Vec<Frame>,
    catch_tags: Vec<Value>,
    inspecting: Vec<i64>,
    next_id: u64,
    stack_base: usize,
    stack_budget: usize,
    pool: Vec<Rc<Env>>,
    top: Rc<Context>,
    every_class: Vec<Rc<RClass>>,
    suspects: cycles::Suspects,
    /// Whether scripts of this world keep state between runs.
    pub(in crate::ruby) keeps_state: bool,
    pub(in crate::ruby) kept: Keep,
    pub(in crate::ruby) references: References,
    /// Whether a script changes strings in place, so that those read from fields must be watched.
    pub changes_strings: bool,
    /// Methods and constants that the scripts of this world define.
    pub(in crate::ruby) script_names: HashSet<Sym>,
    /// Files that scripts of this world have loaded.
    pub(in crate::ruby) loaded_files: HashSet<PathBuf>,
    /// Whether a script of this world has a `method_missing`.
    pub(in crate::ruby) answers_all: bool,
    /// Events that the running script has handed on (`new_event_block.call`).
    pub emitted: Vec<Value>,
}

impl Default for Interp {
    fn default() -> Self {
        Self::new()
    }
}

impl Interp {
    /// A world with the builtin classes.
    pub fn new() -> Interp {
        let (classes, every_class) = Classes::bootstrap();
        let main = Value::Object(Rc::new(RObject::new(&classes.object)));
        let cref = Cref::new(classes.object.clone(), None);
        let top = Context::new(None, None, cref);
        let mut interp = Interp {
            classes,
            current: top.clone(),
            epoch: 1,
            constant_epoch: 1,
            globals: SymMap::default(),
            last_match: Value::Nil,
            last_error: Value::Nil,
            main,
            line: 0,
            file: Rc::from("(ruby)"),
            frames: Vec::new(),
            catch_tags: Vec::new(),
            inspecting: Vec::new(),
            next_id: 1,
            stack_base: 0,
            stack_budget: STACK_BUDGET,
            pool: Vec::new(),
            top,
            every_class,
            suspects: Default::default(),
            keeps_state: false,
            kept: Keep::default(),
            references: References::default(),
            changes_strings: false,
            script_names: HashSet::new(),
            loaded_files: HashSet::new(),
            answers_all: false,
            emitted: Vec::new(),
        };
        stdlib::install(&mut interp);
        interp
    }

    /// A number no one else has.
    pub fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Runs something with the stack of this thread measured from here. Every entry from Rust goes through it.
    pub fn enter<T>(&mut self, run: impl FnOnce(&mut Interp) -> T) -> T {
        let outer = (self.stack_base, self.frames.len(), self.catch_tags.len());
        if self.stack_base == 0 {
            self.stack_base = stack_pointer();
            self.stack_budget = BUDGET.get();
        }
        let result = run(self);
        self.current = self.top.clone();
        self.stack_base = outer.0;
        self.frames.truncate(outer.1);
        self.catch_tags.truncate(outer.2);
        self.inspecting.clear();
        result
    }

    /// Raises SystemStackError when the stack is nearly used up. Natives that recurse without calling Ruby ask it.
    #[inline]
    pub fn guard(&mut self) -> Outcome<()> {
        if self.stack_base.abs_diff(stack_pointer()) > self.stack_budget && self.stack_base != 0 {
            return Err(self.error("SystemStackError", "stack level too deep"));
        }
        Ok(())
    }

    /// Evaluates a class body or a script with its own variables.
    pub fn run_body(&mut self, code: &Rc<BodyCode>, self_value: Value, cref: Rc<Cref>) -> Outcome {
        let context = Context::new(None, None, cref);
        let outer = self.enter_context(&context);
        let home = self.fresh_id();
        let env = self.new_env(code.slots, None, self_value, context, home, 0);
        let file = std::mem::replace(&mut self.file, code.file.clone());
        let result = self.eval(&code.body, &env);
        self.leave_context(outer);
        self.file = file;
        self.recycle(env);
        match result {
            Err(Control(jump)) => match *jump {
                Jump::Return { home: to, value } if to == home => Ok(value),
                other => Err(other.into()),
            },
            ok => ok,
        }
    }

    /// Makes a context the current one, with its own `$~`. Give what it returns to `leave_context`.
    #[inline]
    fn enter_context(&mut self, context: &Rc<Context>) -> Option<Rc<Context>> {
        if Rc::ptr_eq(&self.current, context) {
            return None;
        }
        let outer = std::mem::replace(&mut self.current, context.clone());
        outer.last_match.replace(std::mem::replace(&mut self.last_match, context.last_match.take()));
        Some(outer)
    }

    #[inline]
    fn leave_context(&mut self, outer: Option<Rc<Context>>) {
        if let Some(outer) = outer {
            let last_match = std::mem::replace(&mut self.last_match, outer.last_match.take());
            self.current.last_match.replace(last_match);
            self.current = outer;
        }
    }

    fn new_env(
        &mut self,
        slots: usize,
        parent: Option<Rc<Env>>,
        self_value: Value,
        context: Rc<Context>,
        home: u64,
        break_tag: u64,
    ) -> Rc<Env> {
        if let Some(mut pooled) = self.pool.pop()
            && let Some(env) = Rc::get_mut(&mut pooled)
        {
            env.slots.get_mut().resize(slots, Value::Nil);
            env.parent = parent;
            env.self_value = self_value;
            env.context = context;
            env.home = home;
            env.break_tag = break_tag;
            return pooled;
        }
        let slots = std::cell::RefCell::new(vec![Value::Nil; slots]);
        Rc::new(Env { slots, parent, self_value, context, home, break_tag })
    }

    /// Keeps an environment for the next call, unless a closure still holds it.
    fn recycle(&mut self, mut env: Rc<Env>) {
        if Rc::strong_count(&env) > 1 {
            self.suspect(&env);
            return;
        }
        let Some(inner) = Rc::get_mut(&mut env) else { return };
        inner.slots.get_mut().clear();
        inner.parent = None;
        inner.self_value = Value::Nil;
        inner.context = self.top.clone();
        if self.pool.len() < POOLED_ENVIRONMENTS {
            self.pool.push(env);
        }
    }

    /// The file in which the code stands that runs.
    pub fn current_file(&self) -> Rc<str> {
        self.file.clone()
    }

    /// A global variable; `nil` where it was never set.
    pub fn global(&self, name: Sym) -> Value {
        self.globals.get(&name).cloned().unwrap_or_default()
    }

    pub fn set_global(&mut self, name: Sym, value: Value) {
        self.globals.insert(name, value);
    }
}

impl Drop for Interp {
    fn drop(&mut self) {
        for class in &self.every_class {
            class.dismantle();
        }
    }
}

/// Roughly where the stack of this thread is.
#[inline(never)]
pub(in crate::ruby) fn stack_pointer() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}
