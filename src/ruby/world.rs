//! `World`: an interpreter that may move between threads.

use super::interpreter::Interp;
use super::value::Value;

/// A value that a world keeps for Rust, which knows it by this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept(usize);

/// An interpreter with all its values. They stay inside: work is brought to them with [`with`](World::with).
pub struct World {
    interp: Interp,
}

// SAFETY: what is not `Send` in an `Interp` is its graph of `Rc`s. It is made by `Interp::new` inside `World::new` and
// reachable only through the field, which is private; `with` hands it to a closure that is `Send` and gives back what
// is `Send`, so that no `Rc`, `Value` or reference to one gets in or out of the closure. Hence every reference count
// of the graph is only ever touched by the thread that has the `World`, which `&mut self` makes one at a time. The
// thread-local variables of this room hold no value between two calls: the grave of `value::object` is emptied before
// the drop that filled it returns, and the count of changed strings is a number.
unsafe impl Send for World {}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A new world with the builtin classes.
    pub fn new() -> World {
        World { interp: Interp::new() }
    }

    /// Works in the world. Neither the work nor its result can hold values: they are kept with
    /// [`Interp::keep`] and told apart by [`Kept`].
    pub fn with<R: Send>(&mut self, work: impl FnOnce(&mut Interp) -> R + Send) -> R {
        self.interp.enter(work)
    }
}

/// The values kept for Rust.
#[derive(Default)]
pub(super) struct Keep {
    values: Vec<Option<Value>>,
    free: Vec<usize>,
}

impl Interp {
    pub(super) fn kept_values(&self) -> impl Iterator<Item = &Value> {
        self.kept.values.iter().flatten()
    }

    /// Keeps a value until it is released.
    pub fn keep(&mut self, value: Value) -> Kept {
        match self.kept.free.pop() {
            Some(at) => {
                if let Some(slot) = self.kept.values.get_mut(at) {
                    *slot = Some(value);
                }
                Kept(at)
            }
            None => {
                self.kept.values.push(Some(value));
                Kept(self.kept.values.len() - 1)
            }
        }
    }

    /// A kept value; `nil` when it was released.
    pub fn kept(&self, kept: Kept) -> Value {
        self.kept.values.get(kept.0).cloned().flatten().unwrap_or_default()
    }

    /// Puts another value in the place of a kept one.
    pub fn replace_kept(&mut self, kept: Kept, value: Value) {
        if let Some(slot) = self.kept.values.get_mut(kept.0) {
            *slot = Some(value);
        }
    }

    /// Lets go of a kept value.
    pub fn release(&mut self, kept: Kept) {
        if let Some(slot) = self.kept.values.get_mut(kept.0)
            && slot.take().is_some()
        {
            self.kept.free.push(kept.0);
        }
    }
}
