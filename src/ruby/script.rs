//! Loading scripts into a world, running them, and what comes of it in words that Rust can carry away.

use std::rc::Rc;

use super::args::{Args, exactly};
use super::check;
use super::compiler::{self, Facts, ScriptError};
use super::control::{Control, Outcome};
use super::interpreter::{Cref, Interp};
use super::loading;
use super::stdlib::{EventData, event_value};
use super::symbol::Sym;
use super::value::{Body, Env, ProcBody, RClass, RObject, RProc, Value, Visibility};
use super::world::Kept;
use crate::event::Event;

/// An exception that a script did not rescue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The class of the exception, `NoMethodError`.
    pub class: String,
    pub message: String,
    /// `file:line:in 'method'`, innermost first.
    pub backtrace: Vec<String>,
}

/// What a script does, as far as it can be told before it runs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Whether what one event leaves behind may be seen by the next.
    pub keeps_state: bool,
    /// Whether global variables are used, which all scripts of the process share.
    pub uses_globals: bool,
    /// Whether strings are changed in place.
    pub changes_strings: bool,
}

impl Traits {
    fn of(facts: &Facts) -> Traits {
        Traits {
            keeps_state: facts.keeps_state(),
            uses_globals: facts.uses_globals,
            changes_strings: facts.changes_strings,
        }
    }

    /// What two parts of one script do together.
    pub fn with(self, other: Traits) -> Traits {
        Traits {
            keeps_state: self.keeps_state || other.keeps_state,
            uses_globals: self.uses_globals || other.uses_globals,
            changes_strings: self.changes_strings || other.changes_strings,
        }
    }
}

/// Reads what a script does without a world: its syntax, and whether it keeps state. `parts` are sources that belong
/// together, each with the parameters of its lambda, or `None` for one that runs once; `file` is where they stand.
///
/// # Errors
/// What is wrong with them.
pub fn survey(file: &str, parts: &[(&str, Option<&str>)]) -> Result<Traits, Vec<ScriptError>> {
    let mut facts = Facts::default();
    for (source, params) in parts {
        let mut seen = match params {
            Some(params) => compiler::compile_lambda(source, file, params)?.1,
            None => compiler::compile_body(source, file)?.1,
        };
        loading::survey_files(source, file, &mut seen)?;
        facts.join(seen);
    }
    Ok(Traits::of(&facts))
}

impl Interp {
    /// An object for scripts to run in, of a class of this name, with a `logger`.
    pub fn new_host(&mut self, class: &str) -> Value {
        let class = self.host_class(class);
        let host = Value::Object(Rc::new(RObject::new(&class)));
        let logger = self.logger();
        if let Value::Object(object) = &host {
            object.set_ivar(Sym::new("@logger"), logger);
        }
        host
    }

    /// A logger that writes to the log of the process.
    pub fn logger(&mut self) -> Value {
        match self.class_named("LogStash::Logging::Logger") {
            Some(class) => Value::Object(Rc::new(RObject::new(&class))),
            None => Value::Nil,
        }
    }

    fn host_class(&mut self, path: &str) -> Rc<RClass> {
        let mut scope = self.classes.object.clone();
        let mut names = path.split("::").peekable();
        while let Some(name) = names.next() {
            if let Some(Value::Class(known)) = scope.constant(Sym::new(name)) {
                scope = known;
                continue;
            }
            let full = match scope.name() {
                Some(outer) if !Rc::ptr_eq(&scope, &self.classes.object) => format!("{outer}::{name}"),
                _ => name.to_owned(),
            };
            let is_module = names.peek().is_some();
            let class = self.make_class(Some(&full), None, is_module);
            self.define_constant(&scope, name, Value::Class(class.clone()));
            scope = class;
        }
        self.add_method(&scope, Sym::new("logger"), Body::Reader(Sym::new("@logger")), Visibility::Public);
        scope
    }

    /// Loads code that runs for every event: a lambda with these parameters (`event, &new_event_block`), within a
    /// host.
    ///
    /// # Errors
    /// What is wrong with the code: its syntax, and names that nothing answers to.
    pub fn load_code(
        &mut self,
        source: &str,
        file: &str,
        params: &str,
        host: &Value,
    ) -> Result<Value, Vec<ScriptError>> {
        let (code, facts) = compiler::compile_lambda(source, file, params)?;
        self.admit(source, file, facts)?;
        let class = self.real_class(host);
        let env = self.top_env(host, Cref::new(class, None));
        let body = ProcBody::Code { code, env };
        let break_tag = self.fresh_id();
        Ok(Value::Proc(Rc::new(RProc { body, is_lambda: std::cell::Cell::new(true), break_tag })))
    }

    /// Runs code once within a host: `init` of the filter. Methods it defines become the host class'.
    ///
    /// # Errors
    /// What is wrong with the code.
    pub fn run_once(
        &mut self,
        source: &str,
        file: &str,
        host: &Value,
    ) -> Result<Result<Value, Failure>, Vec<ScriptError>> {
        let class = self.real_class(host);
        self.run_in(source, file, host, class)
    }

    /// Runs a script file within a host; methods it defines are the host's own.
    ///
    /// # Errors
    /// What is wrong with the script.
    pub fn run_file(
        &mut self,
        source: &str,
        file: &str,
        host: &Value,
    ) -> Result<Result<Value, Failure>, Vec<ScriptError>> {
        let class = self.singleton_class(host);
        self.run_in(source, file, host, class)
    }

    fn run_in(
        &mut self,
        source: &str,
        file: &str,
        host: &Value,
        class: Rc<RClass>,
    ) -> Result<Result<Value, Failure>, Vec<ScriptError>> {
        let (code, facts) = compiler::compile_body(source, file)?;
        self.admit(source, file, facts)?;
        let result = self.run_body(&code, host.clone(), Cref::new(class, None));
        Ok(result.map_err(|control| self.failure(control)))
    }

    /// Checks what a script uses, and notes what it defines for those that come after it in this world.
    pub(super) fn admit(
        &mut self,
        source: &str,
        file: &str,
        mut facts: Facts,
    ) -> Result<(), Vec<ScriptError>> {
        loading::survey_files(source, file, &mut facts)?;
        self.changes_strings |= facts.changes_strings;
        let defined = facts.defined_methods.iter().chain(&facts.defined_constants);
        self.script_names.extend(defined.map(|name| Sym::new(name)));
        self.answers_all |= facts.answers_all;
        let problems = check::problems(self, source, &facts);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn top_env(&mut self, host: &Value, cref: Rc<Cref>) -> Rc<Env> {
        Rc::new(Env {
            slots: Default::default(),
            parent: None,
            self_value: host.clone(),
            context: self.context_for(&cref),
            home: 0,
            break_tag: 0,
        })
    }

    /// The exception, or any other jump that nothing caught, in words.
    pub fn failure(&mut self, control: Control) -> Failure {
        let exception = self.uncaught(control);
        let class = self.class_name(&self.real_class(&exception));
        let message = self.exception_message(&exception);
        let backtrace = exception
            .as_native::<super::value::Exception>()
            .map(|data| data.backtrace.borrow().clone())
            .unwrap_or_default();
        Failure { class, message, backtrace }
    }

    /// A LogStash::Event that any number of events can pass through one after the other.
    pub fn new_event_slot(&mut self) -> Kept {
        let value = event_value(self, Event::new());
        self.keep(value)
    }

    /// The block `new_event_block`: what it is called with is collected.
    pub fn new_event_block(&mut self) -> Value {
        Value::Proc(RProc::native(exactly(1), |interp, args| {
            interp.emitted.push(args.at(0).clone());
            Ok(Value::Nil)
        }))
    }

    /// Runs something with an event as a LogStash::Event. What the script keeps of it holds the event's last state.
    pub fn with_event<R>(
        &mut self,
        slot: Kept,
        event: &mut Event,
        run: impl FnOnce(&mut Interp, &Value) -> R,
    ) -> R {
        let object = self.kept(slot);
        if let Some(data) = object.as_native::<EventData>() {
            data.swap(event);
        }
        let result = run(self, &object);
        if let Some(data) = object.as_native::<EventData>() {
            data.swap(event);
        }
        // Two are ours: the kept one and this one. More are the script's.
        if let Value::Object(shared) = &object
            && Rc::strong_count(shared) > 2
        {
            if let Some(data) = object.as_native::<EventData>() {
                data.swap(&mut event.clone());
            }
            let fresh = event_value(self, Event::new());
            self.replace_kept(slot, fresh);
        }
        result
    }

    /// Calls a loaded lambda.
    pub fn run_code(&mut self, code: &Value, args: Args<'_>) -> Outcome {
        self.last_match = Value::Nil;
        self.last_error = Value::Nil;
        self.call_callable(code, args)
    }

    /// Takes the events that were handed on. One that is no event is an error of its own.
    pub fn take_emitted(&mut self) -> Vec<Event> {
        let emitted = std::mem::take(&mut self.emitted);
        emitted.iter().filter_map(Interp::event_of).collect()
    }

    /// A LogStash::Event of an event.
    pub fn new_event(&mut self, event: Event) -> Value {
        event_value(self, event)
    }

    /// An object with fields that scripts read and write (`map_meta.timeout = 5`); from Rust they are
    /// [`field`](Interp::field) and [`set_field`](Interp::set_field).
    pub fn new_record(&mut self, class: &str, fields: &[(&str, Value)]) -> Value {
        let class = self.host_class(class);
        let record = Value::Object(Rc::new(RObject::new(&class)));
        for (name, value) in fields {
            let name = Sym::new(name);
            let variable = Sym::new(&format!("@{name}"));
            self.script_names.extend([name, name.setter()]);
            self.add_method(&class, name, Body::Reader(variable), Visibility::Public);
            self.add_method(&class, name.setter(), Body::Writer(variable), Visibility::Public);
            if let Value::Object(object) = &record {
                object.set_ivar(variable, value.clone());
            }
        }
        record
    }

    /// A field of a record.
    pub fn field(&self, record: &Value, name: &str) -> Value {
        self.get_ivar(record, Sym::new(&format!("@{name}")))
    }

    /// Sets a field of a record.
    pub fn set_field(&mut self, record: &Value, name: &str, value: Value) {
        if let Value::Object(object) = record {
            object.set_ivar(Sym::new(&format!("@{name}")), value);
        }
    }

    /// A copy of the event behind a LogStash::Event.
    pub fn event_of(value: &Value) -> Option<Event> {
        value.as_native::<EventData>().map(|data| data.read(Event::clone))
    }
}
