//! The builtin classes: one table each.

mod array;
mod big_decimal;
mod comparable;
mod csv;
mod data;
mod digest;
mod enumerable;
mod enumerator;
mod event;
mod exception;
mod file_handle;
mod hash;
mod ip_addr;
mod json;
mod kernel;
mod logger;
mod logstash;
mod module;
mod nil;
mod normalize;
mod numeric;
mod object;
mod procs;
mod range;
mod regexp;
mod scanner;
mod set;
mod string;
mod structure;
mod symbol;
mod system;
mod time;
mod timestamp;
mod uri;
mod yaml;
mod zlib;

use std::rc::Rc;

pub use big_decimal::own as decimal_of;
pub use event::{EventData, event_value};
pub(in crate::ruby) use structure::open_field;
pub use timestamp::TimestampData;

use super::args::Arity;
use super::interpreter::Interp;
use super::value::{NativeFn, RClass};

/// A method written in Rust: its name, how many arguments it takes, and the function.
pub struct MethodDef(pub &'static str, pub Arity, pub NativeFn);

/// The table of a builtin class or module. Several tables may add to the same class.
pub struct ClassDef {
    /// The full name, `JSON::ParserError`.
    pub name: &'static str,
    /// The superclass; nothing stands for Object. It must be in an earlier table.
    pub superclass: Option<&'static str>,
    pub is_module: bool,
    /// Modules of earlier tables.
    pub includes: &'static [&'static str],
    /// Methods of instances.
    pub methods: &'static [&'static [MethodDef]],
    /// Methods of the class itself: `Time.now`.
    pub singleton_methods: &'static [&'static [MethodDef]],
    /// Both at once, private for instances: `puts`, `Math.sqrt` (`module_function`).
    pub functions: &'static [&'static [MethodDef]],
    /// Sets constants and whatever a table cannot say.
    pub setup: Option<fn(&mut Interp, &Rc<RClass>)>,
}

impl ClassDef {
    /// A class of this name with nothing in it; tables start from it: `ClassDef { methods: .., ..ClassDef::class("X") }`.
    pub const fn class(name: &'static str) -> ClassDef {
        ClassDef {
            name,
            superclass: None,
            is_module: false,
            includes: &[],
            methods: &[],
            singleton_methods: &[],
            functions: &[],
            setup: None,
        }
    }

    /// A module of this name with nothing in it.
    pub const fn module(name: &'static str) -> ClassDef {
        ClassDef { is_module: true, ..ClassDef::class(name) }
    }
}

/// Every table, superclasses and modules before what uses them.
static TABLES: &[&[ClassDef]] = &[
    kernel::CLASSES,
    comparable::CLASSES,
    object::CLASSES,
    module::CLASSES,
    nil::CLASSES,
    exception::CLASSES,
    procs::CLASSES,
    enumerable::CLASSES,
    enumerator::CLASSES,
    numeric::CLASSES,
    big_decimal::CLASSES,
    string::CLASSES,
    symbol::CLASSES,
    array::CLASSES,
    hash::CLASSES,
    range::CLASSES,
    regexp::CLASSES,
    set::CLASSES,
    time::CLASSES,
    json::CLASSES,
    digest::CLASSES,
    uri::CLASSES,
    ip_addr::CLASSES,
    zlib::CLASSES,
    csv::CLASSES,
    scanner::CLASSES,
    timestamp::CLASSES,
    structure::CLASSES,
    data::CLASSES,
    system::CLASSES,
    file_handle::CLASSES,
    event::CLASSES,
    logger::CLASSES,
    logstash::CLASSES,
    yaml::CLASSES,
    super::script_file::CLASSES,
];

/// Reads all tables into a new world.
pub(super) fn install(interp: &mut Interp) {
    for table in TABLES.iter().copied().flatten() {
        interp.install(table);
    }
}

/// The names of all builtin methods, for the check of scripts.
pub(super) fn method_names() -> impl Iterator<Item = &'static str> {
    let tables = TABLES.iter().copied().flatten();
    let methods = tables.flat_map(|table| [table.methods, table.singleton_methods, table.functions]);
    methods.flatten().copied().flatten().map(|MethodDef(name, ..)| *name)
}
