//! `Case`: one test of a config as a JSON object, how it is read and how it is run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::execute::{self, Bench, Folder, Framing, Settings};
use super::inject::{Collect, Given, Inject, sort_keys};
use super::judge::{Expected, Outcome, Verdict};
use super::raw::Raw;
use crate::event::{Event, Value, json};
use crate::language::{Sources, render_all};
use crate::pipeline::{InputNode, OutputNode, Plan, Step};
use crate::plugin::{Context, InputDecoration, Stdout};

/// How many events a batch holds at most.
const BATCH_SIZE: usize = 125;

/// How far a case goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Events run through the pipeline.
    Run,
    /// Plugins are built.
    Check,
    /// The text is parsed.
    Parse,
}

/// One test of a config.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    /// `None` for the config that `-f` names.
    config: Option<String>,
    settings: Settings,
    codec: Option<String>,
    mode: Mode,
    input: Vec<Raw>,
    files: BTreeMap<String, Raw>,
    expect: Option<Raw>,
    volatile: BTreeSet<String>,
}

impl Case {
    /// Reads a case from its line.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn parse(line: &str) -> Result<Self, String> {
        let raw = Raw::parse(line)?;
        let Raw::Map(mut fields) = raw else { return Err("a case is a JSON object".into()) };
        let mut take = |name: &str| fields.remove(name).filter(|raw| *raw != Raw::Null);
        let mut text = |name: &str| match take(name) {
            None => Ok(None),
            Some(Raw::Text(text)) => Ok(Some(text)),
            Some(_) => Err(format!("\"{name}\" must be a string")),
        };
        let name = text("name")?.ok_or("a case needs a \"name\"")?;
        let config = text("config")?;
        let mode = match text("mode")?.as_deref() {
            None | Some("run") => Mode::Run,
            Some("check") => Mode::Check,
            Some("parse") => Mode::Parse,
            Some(other) => return Err(format!("there is no mode \"{other}\": run, check or parse")),
        };
        let codec = text("codec")?;
        let map = |raw: Option<Raw>, name: &str| match raw {
            None => Ok(BTreeMap::new()),
            Some(Raw::Map(map)) => Ok(map),
            Some(_) => Err(format!("\"{name}\" must be an object")),
        };
        let settings = map(take("settings"), "settings")?;
        let files = map(take("files"), "files")?;
        let input = take("input").map_or_else(Vec::new, |raw| raw.list().to_vec());
        let volatile = take("volatile").map_or_else(BTreeSet::new, |raw| {
            raw.list().iter().filter_map(|pointer| pointer.text().map(str::to_owned)).collect()
        });
        let expect = take("expect");
        Ok(Case { name, config, settings, codec, mode, input, files, expect, volatile })
    }

    /// The config that it brings.
    pub(super) fn config(&self) -> Option<&str> {
        self.config.as_deref()
    }

    /// Whether it waits for something, so that others better do not wait for it.
    pub(super) fn pauses(&self) -> bool {
        self.input.iter().any(|given| matches!(given, Raw::Number(_)))
    }

    /// What it expects, and which parts of that change from run to run.
    pub(super) fn expectation(&self) -> (Option<&Raw>, &BTreeSet<String>) {
        (self.expect.as_ref(), &self.volatile)
    }

    /// Runs the case and judges it.
    pub fn run(self, runtime: &tokio::runtime::Runtime) -> Verdict {
        self.run_on(&Bench::new(runtime.handle().clone()), None)
    }

    /// Runs the case and judges it. `file` is what coverage calls its config.
    pub(super) fn run_on(&self, bench: &Bench, file: Option<&str>) -> Verdict {
        let name = self.name.clone();
        let outcome = self.outcome(bench, file);
        match &self.expect {
            Some(expect) => Expected::new(expect, &self.volatile).judge(name, outcome),
            None => Verdict::unjudged(name, outcome),
        }
    }

    /// What the config does with the case's input.
    pub(super) fn outcome(&self, bench: &Bench, file: Option<&str>) -> Outcome {
        match Folder::write(&self.files) {
            Ok(folder) => self.execute(bench, &folder, file).unwrap_or_else(|failed| *failed),
            Err(error) => Outcome::failed(format!("could not write the case's files: {error}")),
        }
    }

    fn execute(&self, bench: &Bench, folder: &Folder, file: Option<&str>) -> Result<Outcome, Box<Outcome>> {
        let own;
        let (sources, parsed, settings) = match (&self.config, &bench.config) {
            (Some(config), _) => {
                let config = config.replace("__FILES__", &folder.path.to_string_lossy());
                own = Sources::single("config", config);
                let parsed = crate::language::parse(&own, execute::parse_options(&self.settings));
                (&own, parsed, &self.settings)
            }
            (None, Some(shared)) => (shared.sources(), shared.filters(), &bench.settings),
            (None, None) => {
                return Err(Outcome::failure("the case has no \"config\"; name one with -f"));
            }
        };
        if self.mode == Mode::Parse {
            return match parsed.is_ok() {
                true => Ok(Outcome::default()),
                false => Err(Outcome::failure(render_all(&parsed.diagnostics, sources, false))),
            };
        }
        let printed = Arc::new(Mutex::new(Vec::new()));
        let context = execute::context(settings, folder, Stdout::Capture(Arc::clone(&printed)));
        let plan = bench.load(parsed, sources, &context, file.filter(|_| self.config.is_some()))?;
        if self.mode == Mode::Check {
            return Ok(Outcome::default());
        }
        let collect = Collect::default();
        let plan = self.rewire(plan, &context, &collect).map_err(Outcome::failure)?;
        bench.runtime.block_on(execute::run_to_end(plan, BATCH_SIZE)).map_err(Outcome::failure)?;
        let events: Vec<Event> = collect.take().into_iter().map(|(_, event)| event).collect();
        let stdout = printed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Outcome::of(&events, &context, String::from_utf8_lossy(&stdout).into_owned()))
    }

    /// Puts the case's events in the place of the inputs, unless the case gives none and the config brings its own,
    /// and keeps what reaches the outputs. Of the outputs, only those that print still run.
    fn rewire(&self, mut plan: Plan, context: &Context, collect: &Collect) -> Result<Plan, String> {
        if plan.inputs.is_empty() || !self.input.is_empty() {
            let given = self.input.iter().map(given).collect::<Result<_, _>>()?;
            let codec = self.codec.as_deref().unwrap_or("plain");
            let options = execute::parse_options(&self.settings);
            let factory = execute::codec(codec, Framing::Pieces, options, context)?;
            let input = Box::new(Inject::new(given, factory.create()));
            let decoration = Arc::new(InputDecoration::default());
            plan.inputs = vec![InputNode { id: "case".into(), name: "case", input, decoration }];
        }
        for node in plan.outputs.iter_mut().filter(|node| node.name != "stdout") {
            node.output = Box::new(Collect::default());
        }
        collect_all(&mut plan, collect);
        Ok(plan)
    }
}

/// Sorts the keys of what the filters let through, and keeps it all beside the plan's outputs.
pub(super) fn collect_all(plan: &mut Plan, collect: &Collect) {
    plan.filters.push(Step::Leaf(sort_keys()));
    plan.outputs.push(OutputNode { id: "case".into(), name: "case", output: Box::new(collect.clone()) });
    plan.routes.push(Step::Leaf(plan.outputs.len() - 1));
}

fn given(raw: &Raw) -> Result<Given, String> {
    match raw {
        Raw::Text(line) => Ok(Given::Bytes(line.clone().into_bytes())),
        Raw::Number(seconds) => {
            let seconds: f64 = seconds.parse().map_err(|_| format!("{seconds} is not a pause in seconds"))?;
            Ok(Given::Pause(Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?))
        }
        Raw::Map(_) => {
            match json::parse(&raw.to_json(), json::Decimals::Double).map_err(|error| error.to_string())? {
                Value::Object(object) => {
                    let event = Event::from_object(*object).map_err(|error| error.to_string())?;
                    Ok(Given::Event(Box::new(event)))
                }
                _ => Err("an event is a JSON object".into()),
            }
        }
        _ => Err("an element of \"input\" is an event, a line or a pause".into()),
    }
}
