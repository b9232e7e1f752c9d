//! `Control`: how code ends other than with a value.

use super::value::Value;

/// What evaluating gives: a value, or a jump.
pub type Outcome<T = Value> = Result<T, Control>;

/// A jump on its way out. Boxed, so that the value that nearly always comes instead stays small.
pub struct Control(pub Box<Jump>);

pub enum Jump {
    /// An exception.
    Raise(Value),
    /// `break` from a block: ends the call with this tag.
    Break {
        tag: u64,
        value: Value,
    },
    /// `next`: ends the block.
    Next(Value),
    /// `return`: ends the method or lambda with this home.
    Return {
        home: u64,
        value: Value,
    },
    /// `break` from a loop.
    LoopBreak(Value),
    /// `next` in a loop.
    LoopNext,
    Redo,
    /// `retry` in a rescue clause.
    Retry,
    Throw {
        tag: Value,
        value: Value,
    },
}

impl Control {
    pub fn new(jump: Jump) -> Control {
        Control(Box::new(jump))
    }

    pub fn raise(exception: Value) -> Control {
        Control::new(Jump::Raise(exception))
    }

    /// The exception, if it is one.
    pub fn exception(&self) -> Option<&Value> {
        match &*self.0 {
            Jump::Raise(exception) => Some(exception),
            _ => None,
        }
    }
}

impl From<Jump> for Control {
    fn from(jump: Jump) -> Self {
        Control::new(jump)
    }
}
