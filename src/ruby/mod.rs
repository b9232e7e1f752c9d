//! Ruby: the language of the filter `ruby` and of the code in a few other filters, compiled once and run on values of
//! its own.
//!
//! | module | what it is |
//! |---|---|
//! | `compiler` | source text (parsed by `lib-ruby-parser`) to a tree with resolved variables; the checks at load |
//! | `interpreter` | `Interp`, one Ruby world; evaluation, calls, constants, conversions |
//! | `value` | `Value` and the objects behind it |
//! | `stdlib` | the builtin classes, one table of methods each |
//!
//! Other rooms use it from Rust like this: a [`World`] is an interpreter that may move between threads; within
//! `world.with(|interp| ..)` code is loaded ([`Interp::load_code`], [`Interp::run_once`], [`Interp::load_file`]) and
//! run ([`Interp::run_code`]); values stay inside and are known outside by [`Kept`] numbers. [`survey`] tells before
//! whether a script keeps state between events, so that all workers must share one world.
//!
//! ```text
//! let mut world = World::new();
//! let (code, slot, map) = world.with(|interp| {
//!     let host = interp.new_host("LogStash::Filters::Aggregate");
//!     let code = interp.load_code(source, "(aggregate filter code)", "event, map", &host)?;
//!     let map = Value::hash(HashMap::new());
//!     Ok((interp.keep(code), interp.new_event_slot(), interp.keep(map)))
//! })?;
//! let failure = world.with(|interp| {
//!     let (code, map) = (interp.kept(code), interp.kept(map));
//!     interp.with_event(slot, event, |interp, object| {
//!         let result = interp.run_code(&code, Args::of(&[object.clone(), map]));
//!         result.err().map(|control| interp.failure(control))
//!     })
//! });
//! ```
//!
//! An `Interp` and all its values belong together (`Rc`); values of one world never get into another.
//!
//! # Adding a builtin class or method
//!
//! A class is a `ClassDef` in a file of `stdlib/`, which `stdlib::TABLES` lists behind the files it needs
//! (superclasses and included modules must be there already). Several tables may add to the same class, so that a large
//! class can have several files.
//!
//! ```text
//! pub(super) static CLASSES: &[ClassDef] = &[ClassDef {
//!     includes: &["Comparable"],
//!     methods: &[CASE, SEARCH],            // slices of MethodDef
//!     singleton_methods: &[NEW],           // String.new
//!     setup: Some(|interp, class| interp.define_constant(class, "MAX", Value::Int(1))),
//!     ..ClassDef::class("String")          // superclass: Object, unless `superclass: Some("X")`
//! }];
//!
//! const CASE: &[MethodDef] = &[
//!     MethodDef("upcase", exactly(0), |_, this, _| ...),     // exactly(n), between(a, b), at_least(n)
//!     MethodDef("sub", between(1, 2), sub),
//! ];
//!
//! fn sub(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome { ... }
//! ```
//!
//! The number of arguments has been checked when the function runs; keywords count as one argument, a hash in last
//! place. `args.at(0)` is `nil` where nothing was given, `args.get(0)` is `None` then. `args.split_keywords()` takes
//! the keywords off, `args.keyword("name")` reads one. `args.string(interp, 0)?`, `args.text(..)`, `args.int(..)`
//! convert as Ruby does implicitly, with its TypeErrors.
//!
//! **Blocks**: `args.block` is an `Option`; `args.block(interp)?` insists. Call one with
//! `interp.yield_one(block, value)?`, `interp.yield_values(block, &[a, b])?` (`each_with_index`: two values) or
//! `interp.yield_pair(block, key, value)?` (hashes: a pair, which `|k, v|` takes apart). A method that gives an
//! enumerator without a block returns `super::enumerator::for_method(interp, this, "each_slice", args.values)`.
//!
//! **Other methods**: `interp.call(&value, "name", &[..])?`, `interp.call_with(&value, sym!("name"), args)?`.
//! Shared helpers: `interp.equal`, `case_equal`, `compare`, `order`, `sort_values`, `inspect`, `to_s`,
//! `append_to_s`, `each` (walks over arrays, hashes, ranges and anything with `each`), `collect`, `splat`,
//! `to_str`, `to_int`, `to_float`, `to_array`, `to_hash`, `to_name`, `is_a`, `responds_to`.
//!
//! **Errors**: `Err(interp.error("KeyError", "key not found: 1"))`, `interp.argument_error(..)`, `type_error`,
//! `no_conversion(&value, "String")`, `comparison_failed(&a, &b)`. Messages are those of Ruby 3.4.
//!
//! **Strings**: `Value::str("text")`, `Value::bytes(vec, Encoding::Binary)`. Read with `string.borrow()`:
//! `as_str()` is `None` for what is not UTF-8, `to_text()` replaces it. Change with `interp.check_frozen(this)?` and
//! `string.borrow_mut()`.
//!
//! **Native objects** (Time, Set ...): a struct that implements `Native`, made with `Value::native(&class, data)` and
//! read with `this.as_native::<Time>()`. What changes stands in `Cell`s or `RefCell`s. `new` is a singleton method
//! that gets the class as `this`, so that subclasses work.
//!
//! **Rules**: no panic whatever a script does (no indexing, no `unwrap`, checked arithmetic that goes on in `BigInt`);
//! never hold a `borrow()` while calling back into Ruby (blocks, `equal`, `inspect`, `each`: copy first, or go by
//! index); nothing larger than [`MAX_SIZE`] is allocated (`interp.check_size(n)?`); recursion over nested values calls
//! `interp.guard()?`.

mod args;
mod bridge;
mod check;
mod compiler;
mod control;
mod interpreter;
mod libraries;
mod loading;
mod references;
mod script;
mod script_file;
mod stdlib;
mod symbol;
mod value;
mod world;

pub use args::{Args, Arity, at_least, between, exactly};
pub use bridge::{to_event, to_ruby};
pub use compiler::ScriptError;
pub use control::{Control, Jump, Outcome};
pub use interpreter::{Interp, SCRIPT_STACK, use_script_stack};
pub use script::{Failure, Traits, survey};
pub use script_file::{FileError, Filtered, ScriptFile};
pub use symbol::{Sym, SymMap};
pub use value::{HashMap, Value};
pub use world::{Kept, World};

/// The largest string (bytes) or array (items) a script may make at once: `"a" * 10**12` is an ArgumentError.
pub const MAX_SIZE: usize = 1 << 29;

#[cfg(test)]
mod tests;
