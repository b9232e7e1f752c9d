//! Script files of the filter `ruby`: `register`, `filter`, and the `test` blocks that run when the file is loaded
//! (logstash-filter-ruby's script.rb, context.rb and test_context.rb).

use std::cell::RefCell;
use std::rc::Rc;

use super::args::{Args, at_least, exactly};
use super::compiler::tree::BodyCode;
use super::compiler::{self, ScriptError};
use super::control::Outcome;
use super::interpreter::{Cref, Interp};
use super::script::Failure;
use super::stdlib::{ClassDef, EventData, MethodDef};
use super::symbol::sym;
use super::value::{Body, Native, RProc, Value, Visibility};
use super::world::Kept;
use crate::event::{Event, Object};

/// The class of the object a script file runs in.
const HOST_CLASS: &str = "LogStash::Filters::Ruby::Script::ExecutionContext";
const NO_ARRAY: &str = "Custom script did not return an array from 'filter'. Only arrays may be returned!";

/// A script file that was loaded into a world.
#[derive(Debug, Clone, Copy)]
pub struct ScriptFile {
    host: Kept,
    /// The tests it declares, as TestContext objects.
    tests: Kept,
}

/// Why a script file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    Script(Vec<ScriptError>),
    Failed(Failure),
    /// It has no method `filter`, or its tests fail: what to say of it.
    Unusable(String),
}

/// What `filter` of a script file returned.
pub struct Filtered {
    /// New events, in the order of the array, and whether the given one is among them.
    pub events: Vec<Event>,
    pub keeps_original: bool,
}

/// One `test` block.
struct TestContext {
    name: String,
    host: Value,
    parameters: RefCell<Value>,
    in_events: RefCell<Option<Vec<Value>>>,
    expectations: RefCell<Vec<(String, Rc<RProc>)>>,
}

impl Native for TestContext {
    fn trace(&self, visit: &mut dyn FnMut(&Value)) -> bool {
        visit(&self.host);
        visit(&self.parameters.borrow());
        self.in_events.borrow().iter().flatten().for_each(&mut *visit);
        self.expectations.borrow().iter().for_each(|(_, block)| visit(&Value::Proc(block.clone())));
        true
    }
}

pub(super) static CLASSES: &[ClassDef] = &[
    ClassDef::module("LogStash::Filters"),
    ClassDef::class("LogStash::Filters::Ruby"),
    ClassDef::class("LogStash::Filters::Ruby::Script"),
    ClassDef { methods: &[TEST_METHODS], ..ClassDef::class("LogStash::Filters::Ruby::Script::TestContext") },
];

const TEST_METHODS: &[MethodDef] = &[
    MethodDef("parameters", exactly(0), parameters),
    MethodDef("in_event", exactly(0), in_event),
    MethodDef("in_events", exactly(0), in_event),
    MethodDef("expect", exactly(1), |interp, this, args| {
        let (name, block) = (interp.to_s(args.at(0))?, args.block(interp)?);
        if let Some(test) = this.as_native::<TestContext>() {
            test.expectations.borrow_mut().push((name, block.clone()));
        }
        Ok(Value::Nil)
    }),
];

fn parameters(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let Some(test) = this.as_native::<TestContext>() else { return Ok(Value::Nil) };
    let Some(block) = args.block else { return Ok(test.parameters.borrow().clone()) };
    let parameters = interp.call_block(block, Args::default())?;
    if !matches!(parameters, Value::Hash(_)) {
        return Err(interp.argument_error(format!("Test parameters must be a hash in {}!", test.name)));
    }
    *test.parameters.borrow_mut() = parameters.clone();
    interp.call(&test.host, "register", &[parameters])
}

fn in_event(interp: &mut Interp, this: &Value, args: Args<'_>) -> Outcome {
    let Some(test) = this.as_native::<TestContext>() else { return Ok(Value::Nil) };
    let Some(block) = args.block else {
        return Ok(Value::from(test.in_events.borrow().clone().map(Value::array)));
    };
    let given = interp.call_block(block, Args::default())?;
    let hashes = match &given {
        Value::Hash(_) => vec![given.clone()],
        other => interp.splat(other)?,
    };
    let class = Value::Class(interp.classes.event.clone());
    let mut events = Vec::with_capacity(hashes.len());
    for hash in hashes {
        if !matches!(hash, Value::Hash(_)) {
            let message = format!("In event for {} must be a hash or an array of hashes", test.name);
            return Err(interp.argument_error(message));
        }
        events.push(interp.call(&class, "new", &[hash])?);
    }
    *test.in_events.borrow_mut() = Some(events);
    Ok(Value::Nil)
}

impl Interp {
    /// Loads a script file: runs its top level once. Its tests have not run yet.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn load_file(&mut self, source: &str, file: &str) -> Result<ScriptFile, FileError> {
        let (code, facts) = compiler::compile_body(source, file).map_err(FileError::Script)?;
        self.admit(source, file, facts).map_err(FileError::Script)?;
        let tests = Value::array(Vec::new());
        let host = self.file_host(Some((&code, &tests)));
        self.run_top_level(&code, &host).map_err(|control| FileError::Failed(self.failure(control)))?;
        if self.find_method(&host, sym!("filter")).is_none() {
            let message = "it does not define a method filter(event)";
            return Err(FileError::Unusable(message.into()));
        }
        Ok(ScriptFile { host: self.keep(host), tests: self.keep(tests) })
    }

    fn run_top_level(&mut self, code: &Rc<BodyCode>, host: &Value) -> Outcome {
        let class = self.singleton_class(host);
        self.run_body(code, host.clone(), Cref::new(class, None))
    }

    /// An object to run a script file in. Its `test` collects tests, or does nothing within a test.
    fn file_host(&mut self, collect: Option<(&Rc<BodyCode>, &Value)>) -> Value {
        let host = self.new_host(HOST_CLASS);
        let class = self.singleton_class(&host);
        let collect = collect.map(|(code, tests)| (code.clone(), tests.clone()));
        let held = collect.iter().map(|(_, tests)| tests.clone()).collect();
        let test = RProc::native_holding(at_least(1), Some(held), move |interp, args| match &collect {
            None => Ok(Value::Nil),
            Some((code, tests)) => interp.declare_test(code, tests, args),
        });
        self.add_method(&class, sym!("test"), Body::Proc(test), Visibility::Public);
        let register = RProc::native_holding(exactly(1), Some(Vec::new()), |_, _| Ok(Value::Nil));
        self.add_method(&class, sym!("register"), Body::Proc(register), Visibility::Public);
        host
    }

    /// `test "name" do ... end`: a host of its own, in which the whole script runs again.
    fn declare_test(&mut self, code: &Rc<BodyCode>, tests: &Value, args: Args<'_>) -> Outcome {
        let name = self.to_s(args.at(0))?;
        let block = args.block(self)?;
        let host = self.file_host(None);
        self.run_top_level(code, &host)?;
        let test = TestContext {
            name,
            host,
            parameters: RefCell::new(Value::hash(Default::default())),
            in_events: RefCell::default(),
            expectations: RefCell::default(),
        };
        let Some(class) = self.class_named("LogStash::Filters::Ruby::Script::TestContext") else {
            return Ok(Value::Nil);
        };
        let test = Value::native(&class, test);
        self.call_block_as(block, &test, &class, Args::default())?;
        if let Value::Array(tests) = tests {
            tests.push(test);
        }
        Ok(Value::Nil)
    }

    /// Runs the tests of a script file.
    ///
    /// # Errors
    /// Which tests failed, and how.
    pub fn run_tests(&mut self, file: ScriptFile) -> Result<(), FileError> {
        let Value::Array(tests) = self.kept(file.tests) else { return Ok(()) };
        let mut failed = Vec::new();
        for test in tests.to_vec() {
            let Some(context) = test.as_native::<TestContext>() else { continue };
            let results = match self.test_results(context) {
                Ok(results) => results,
                Err(control) => return Err(FileError::Failed(self.failure(control))),
            };
            for (name, block) in context.expectations.borrow().iter() {
                match self.yield_one(block, Value::array(results.clone())) {
                    Ok(value) if value.truthy() => {}
                    Ok(_) => failed.push(format!("{} {name}", context.name)),
                    Err(control) => {
                        let failure = self.failure(control);
                        let (class, message) = (&failure.class, &failure.message);
                        failed.push(format!("{} {name} raised {class}: {message}", context.name));
                    }
                }
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        Err(FileError::Unusable(format!("{} of its tests fail: {}", failed.len(), failed.join("; "))))
    }

    fn test_results(&mut self, test: &TestContext) -> Outcome<Vec<Value>> {
        let Some(events) = test.in_events.borrow().clone() else {
            return Err(self.error("RuntimeError", "You must declare an `in_event` to run tests!"));
        };
        let mut results = Vec::new();
        for event in events {
            let result = self.call(&test.host, "filter", &[event])?;
            results.extend(self.checked_events(&result)?);
        }
        Ok(results)
    }

    /// Calls `register` with the option `script_params`.
    ///
    /// # Errors
    /// The exception it raised.
    pub fn register_file(&mut self, file: ScriptFile, params: &Object) -> Result<(), Failure> {
        let host = self.kept(file.host);
        let params = super::bridge::object_to_ruby(self, params);
        let registered = self.call(&host, "register", &[params]);
        self.settle_state();
        registered.map(drop).map_err(|control| self.failure(control))
    }

    /// Calls `filter` with the event that stands in the slot.
    ///
    /// # Errors
    /// The exception it raised, or the one for a result that is no array of events.
    pub fn filter_file(&mut self, file: ScriptFile, event: &Value) -> Outcome<Filtered> {
        let host = self.kept(file.host);
        self.last_match = Value::Nil;
        self.last_error = Value::Nil;
        let result = self.call_with(&host, sym!("filter"), Args::of(std::slice::from_ref(event)));
        let filtered = result.and_then(|result| self.filtered(&result, event));
        self.end_run();
        filtered
    }

    fn filtered(&mut self, result: &Value, event: &Value) -> Outcome<Filtered> {
        let mut filtered = Filtered { events: Vec::new(), keeps_original: false };
        for returned in self.checked_events(result)? {
            if returned.is_same(event) {
                filtered.keeps_original = true;
            } else {
                filtered.events.extend(Interp::event_of(&returned));
            }
        }
        Ok(filtered)
    }

    /// The events of what `filter` returned.
    fn checked_events(&mut self, result: &Value) -> Outcome<Vec<Value>> {
        let Value::Array(array) = result else { return Err(self.error("RuntimeError", NO_ARRAY)) };
        let events = array.to_vec();
        for event in &events {
            if event.as_native::<EventData>().is_none() {
                let shown = self.inspect(event)?;
                let message = format!(
                    "Custom script returned a non event object '{shown}'! You must an array of events from this \
                     function! To drop an event simply return nil."
                );
                return Err(self.error("RuntimeError", message));
            }
        }
        Ok(events)
    }
}
