//! What a script was seen to do: which names it uses and defines, and whether it keeps state between events.

use std::collections::HashSet;

use crate::ruby::loading::Loading;

/// A method or constant that a script uses, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub name: String,
    /// Bytes from the start of the source.
    pub offset: usize,
}

/// What was seen while a script was compiled.
#[derive(Debug, Default)]
pub struct Facts {
    /// Methods that are called, each with its first place.
    pub calls: Vec<Use>,
    /// Constants that are read without a scope, or with one that is a constant itself (`A::B`).
    pub constants: Vec<Use>,
    /// Methods that the script defines.
    pub defined_methods: HashSet<String>,
    /// Constants that the script defines, by their last name.
    pub defined_constants: HashSet<String>,
    /// Whether a method is defined that answers to any name.
    pub answers_all: bool,
    /// Libraries that are required by a literal name.
    pub required: Vec<Use>,
    /// Files that are loaded by a literal name (`require_relative`, `load`).
    pub files: Vec<(Use, Loading)>,
    /// Whether global variables are used, which all scripts of a process share.
    pub uses_globals: bool,
    /// Whether instance variables, class variables or constants of the script are read where code runs again.
    pub reads_state: bool,
    /// Constants that are read where code runs again.
    pub read_constants: HashSet<String>,
    /// Whether instance or class variables are assigned where code runs again.
    pub assigns_state: bool,
    /// Whether anything is called where code runs again that changes its receiver.
    pub mutates: bool,
    /// Whether anything is called that changes a string in place.
    pub changes_strings: bool,
    /// How deep the code that is being compiled stands in blocks and methods, which may run again.
    pub(super) deferred: usize,
    /// Inside `defined?`, where unknown names are no mistake.
    pub(super) tentative: usize,
}

impl Facts {
    pub(super) fn note_call(&mut self, name: &str, offset: usize) {
        if self.deferred > 0 && is_mutator(name) {
            self.mutates = true;
        }
        // A method made of a block holds the variables around it.
        self.assigns_state |=
            self.deferred > 0 && matches!(name, "define_method" | "define_singleton_method");
        self.changes_strings |= changes_strings(name);
        if self.tentative == 0 && !self.calls.iter().any(|call| call.name == name) {
            self.calls.push(Use { name: name.to_owned(), offset });
        }
    }

    pub(super) fn note_constant(&mut self, name: &str, offset: usize) {
        if self.deferred > 0 {
            self.read_constants.extend(name.split("::").map(str::to_owned));
        }
        if self.tentative == 0 && !self.constants.iter().any(|constant| constant.name == name) {
            self.constants.push(Use { name: name.to_owned(), offset });
        }
    }

    pub(super) fn note_state_read(&mut self) {
        self.reads_state |= self.deferred > 0;
    }

    pub(super) fn note_state_assigned(&mut self) {
        self.assigns_state |= self.deferred > 0;
    }

    pub(super) fn note_change(&mut self) {
        // `text[0] = "x"` changes a text too.
        self.changes_strings = true;
        self.mutates |= self.deferred > 0;
    }

    /// Joins what was seen in two parts of one script.
    pub fn join(&mut self, mut other: Facts) {
        self.calls.append(&mut other.calls);
        self.constants.append(&mut other.constants);
        self.required.append(&mut other.required);
        self.files.append(&mut other.files);
        self.join_names(other);
    }

    /// Joins what a file defines and does that the script loads; what it uses is checked on its own.
    pub fn join_names(&mut self, other: Facts) {
        self.defined_methods.extend(other.defined_methods);
        self.defined_constants.extend(other.defined_constants);
        self.read_constants.extend(other.read_constants);
        self.answers_all |= other.answers_all;
        self.uses_globals |= other.uses_globals;
        self.reads_state |= other.reads_state;
        self.assigns_state |= other.assigns_state;
        self.mutates |= other.mutates;
        self.changes_strings |= other.changes_strings;
    }

    /// Whether what one event leaves behind may be seen by the next, so that all workers must share one world.
    pub fn keeps_state(&self) -> bool {
        let own_constants = self.read_constants.iter().any(|name| self.defined_constants.contains(name));
        self.uses_globals || self.assigns_state || ((self.reads_state || own_constants) && self.mutates)
    }
}

/// Whether a method may change a string in place, by its name.
fn changes_strings(name: &str) -> bool {
    const CHANGING: &[&str] = &[
        "<<",
        "append_as_bytes",
        "clear",
        "concat",
        "force_encoding",
        "insert",
        "prepend",
        "replace",
        "setbyte",
    ];
    name.len() > 1 && name.ends_with('!') || CHANGING.contains(&name)
}

/// Whether a method may change its receiver, by its name.
fn is_mutator(name: &str) -> bool {
    const CHANGING: &[&str] = &[
        "<<",
        "[]=",
        "add",
        "add?",
        "append",
        "class_variable_set",
        "clear",
        "concat",
        "default=",
        "delete",
        "delete_at",
        "delete_if",
        "fill",
        "force_encoding",
        "insert",
        "instance_variable_set",
        "keep_if",
        "next",
        "pop",
        "prepend",
        "push",
        "replace",
        "rewind",
        "setbyte",
        "shift",
        "store",
        "synchronize",
        "unshift",
        "update",
        "write",
        "print",
        "puts",
    ];
    name.len() > 1 && name.ends_with('!')
        || CHANGING.contains(&name)
        || (name.ends_with('=') && name.starts_with(|first: char| first.is_alphabetic()))
}
