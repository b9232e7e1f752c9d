//! What can be told of a script before it runs: libraries, constants and methods that are not there.
//!
//! A name that no Ruby knows fails in Logstash when it is called, and it does here. A name that Ruby's own classes
//! have and ours lack must never fail in the middle of an event: it is refused when the script is loaded.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::compiler::{Facts, ScriptError, Use};
use super::interpreter::Interp;
use super::libraries;
use super::stdlib;
use super::symbol::Sym;
use super::value::Value;

/// Methods of JRuby's classes and standard library, one a line.
static RUBY_NAMES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("ruby_names.txt").lines().collect());

/// Methods of the builtin classes here.
static OWN_NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| stdlib::method_names().collect());

/// Methods that the compiler knows itself.
const WORDS: &[&str] = &[
    "!",
    "!=",
    "&&",
    "||",
    "private",
    "public",
    "protected",
    "module_function",
    "block_given?",
    "__method__",
    // What script files are made of.
    "test",
];

/// Everything a script uses that is not there.
pub(super) fn problems(interp: &Interp, source: &str, facts: &Facts) -> Vec<ScriptError> {
    let mut problems = Vec::new();
    let mut report = |at: &Use, message: String| problems.push(ScriptError::at(source, at.offset, message));
    for library in &facts.required {
        if !libraries::is_known(&library.name) {
            report(library, format!("the library \"{}\" is not available in scripts", library.name));
        }
    }
    for constant in &facts.constants {
        if !is_constant(interp, facts, &constant.name) {
            report(constant, format!("the constant {} is not known", constant.name));
        }
    }
    for call in &facts.calls {
        let name = call.name.as_str();
        let known = OWN_NAMES.contains(name)
            || WORDS.contains(&name)
            || facts.defined_methods.contains(name)
            || interp.script_names.contains(&Sym::new(name));
        if !known && !facts.answers_all && !interp.answers_all && RUBY_NAMES.contains(name) {
            report(call, format!("the method {name} is not available in scripts"));
        }
    }
    problems.sort_by_key(|problem| problem.offset);
    problems
}

/// Whether the world or the script has a constant of this path.
fn is_constant(interp: &Interp, facts: &Facts, path: &str) -> bool {
    let names: Vec<&str> = path.split("::").collect();
    if names.iter().any(|name| facts.defined_constants.contains(*name)) {
        return true;
    }
    let mut scope = interp.classes.object.clone();
    for (at, name) in names.iter().enumerate() {
        let found = scope.ancestors().iter().find_map(|class| class.constant(Sym::new(name)));
        match found {
            Some(Value::Class(class)) => scope = class,
            Some(_) => return at + 1 == names.len(),
            // What another part of the script defined is found when it runs.
            None => return interp.script_names.contains(&Sym::new(name)),
        }
    }
    true
}
