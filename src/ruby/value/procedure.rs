//! `RProc` and `Env`: blocks, procs and lambdas, and the variables they see.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{Method, Value};
use crate::ruby::args::{Args, Arity};
use crate::ruby::compiler::tree::BlockCode;
use crate::ruby::control::Outcome;
use crate::ruby::interpreter::{Context, Interp};
use crate::ruby::symbol::Sym;

/// The local variables of one run of a method or block, with what the code around them knows.
pub struct Env {
    pub slots: RefCell<Vec<Value>>,
    /// The variables of the code around a block.
    pub parent: Option<Rc<Env>>,
    pub self_value: Value,
    pub context: Rc<Context>,
    /// Which run a `return` ends: that of the method, or of the lambda.
    pub home: u64,
    /// Which call a `break` in this run of a block ends.
    pub break_tag: u64,
}

/// A block, proc or lambda.
pub struct RProc {
    pub body: ProcBody,
    pub is_lambda: Cell<bool>,
    /// Which call a `break` in the block ends.
    pub break_tag: u64,
}

pub enum ProcBody {
    Code {
        code: Rc<BlockCode>,
        env: Rc<Env>,
    },
    /// A block written in Rust.
    Native {
        arity: Arity,
        run: Box<NativeBlock>,
        /// The values it holds; `None` where that is not known.
        held: Option<Vec<Value>>,
    },
    /// `&:name`
    Symbol(Sym),
    /// `&method(:name)`
    Method {
        receiver: Value,
        method: Rc<Method>,
    },
}

/// A block written in Rust.
pub type NativeBlock = dyn Fn(&mut Interp, Args<'_>) -> Outcome;

impl RProc {
    /// A block written in Rust, with a lambda's treatment of arguments.
    pub fn native(arity: Arity, run: impl Fn(&mut Interp, Args<'_>) -> Outcome + 'static) -> Rc<RProc> {
        Self::native_holding(arity, None, run)
    }

    /// The same, with the values that it holds.
    pub fn native_holding(
        arity: Arity,
        held: Option<Vec<Value>>,
        run: impl Fn(&mut Interp, Args<'_>) -> Outcome + 'static,
    ) -> Rc<RProc> {
        Rc::new(RProc {
            body: ProcBody::Native { arity, run: Box::new(run), held },
            is_lambda: Cell::new(true),
            break_tag: 0,
        })
    }

    pub fn from_symbol(name: Sym) -> Rc<RProc> {
        Rc::new(RProc { body: ProcBody::Symbol(name), is_lambda: Cell::new(true), break_tag: 0 })
    }

    /// How many arguments it takes, as Ruby's `arity` counts them.
    pub fn arity(&self) -> i64 {
        match &self.body {
            ProcBody::Code { code, .. } => code.params.arity(self.is_lambda.get()),
            ProcBody::Native { arity, .. } => arity.to_ruby(),
            ProcBody::Symbol(_) => -2,
            ProcBody::Method { method, .. } => method.arity(),
        }
    }

    /// How many arguments a block takes at least as names of its own: `|a, b|` is 2, `|a|` 1. Natives that pass
    /// pairs need not ask: `interp.yield_values` does the right thing for each.
    pub fn required(&self) -> usize {
        match &self.body {
            ProcBody::Code { code, .. } => code.params.required_len(),
            ProcBody::Native { arity, .. } => usize::from(arity.min),
            ProcBody::Symbol(_) => 1,
            ProcBody::Method { method, .. } => method.arity().unsigned_abs() as usize,
        }
    }
}
