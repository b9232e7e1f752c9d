//! `Case`: one test of a config, how it is read and how it is run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::inject::{Collect, Given, Inject, sort_keys};
use super::raw::Raw;
use super::report::{Expected, Outcome, Verdict};
use crate::event::{Event, Value, json};
use crate::language::{ParseOptions, Sources, render_all};
use crate::pipeline::{InputNode, OutputNode, PipelineSettings, Plan, Step};
use crate::plugin::{
    Block, CodecFactory, ConfigKind, Context, EcsMode, Environment, FromOption, InputDecoration, Kind,
    NOT_AVAILABLE, Shutdown, Stdout,
};
use crate::queue::bus::Bus;

/// A case that takes longer than this has failed.
const TIME_LIMIT: Duration = Duration::from_secs(60);

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
    config: String,
    settings: BTreeMap<String, Raw>,
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
        let config = text("config")?.ok_or("a case needs a \"config\"")?;
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

    /// Runs the case and judges it.
    pub fn run(self, runtime: &tokio::runtime::Runtime) -> Verdict {
        let outcome = match Folder::write(&self.files) {
            Ok(folder) => self.execute(runtime, &folder),
            Err(error) => Outcome::failed(format!("could not write the case's files: {error}")),
        };
        match &self.expect {
            Some(expect) => Expected::new(expect, &self.volatile).judge(self.name, outcome),
            None => Verdict::unjudged(self.name, outcome),
        }
    }

    fn execute(&self, runtime: &tokio::runtime::Runtime, folder: &Folder) -> Outcome {
        let config = self.config.replace("__FILES__", &folder.path.to_string_lossy());
        let sources = Sources::single("config", config);
        let options = self.parse_options();
        if self.mode == Mode::Parse {
            let parsed = crate::language::parse(&sources, options);
            let ok = parsed.is_ok();
            return if ok {
                Outcome::default()
            } else {
                Outcome::failed(render_all(&parsed.diagnostics, &sources, false))
            };
        }
        let printed = Arc::new(Mutex::new(Vec::new()));
        let context = self.context(folder, Stdout::Capture(Arc::clone(&printed)));
        let (plan, problems) = Plan::load(&sources, options, &context);
        let Some(plan) = plan else {
            let unavailable = problems.iter().any(|problem| problem.message.ends_with(NOT_AVAILABLE));
            let mut failed = Outcome::failed(render_all(&problems, &sources, false));
            failed.unavailable = unavailable;
            return failed;
        };
        if self.mode == Mode::Check {
            return Outcome::default();
        }
        let collect = Collect::default();
        let ran = self.rewire(plan, &context, &collect).and_then(|plan| runtime.block_on(run_to_end(plan)));
        if let Err(error) = ran {
            return Outcome::failed(error);
        }
        let events = collect.take();
        let stdout = printed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Outcome::of(&events, &context, String::from_utf8_lossy(&stdout).into_owned())
    }

    fn parse_options(&self) -> ParseOptions {
        ParseOptions {
            support_escapes: self.settings.get("config.support_escapes") == Some(&Raw::Bool(true)),
        }
    }

    fn context(&self, folder: &Folder, stdout: Stdout) -> Context {
        let ecs =
            self.settings.get("pipeline.ecs_compatibility").and_then(Raw::text).and_then(EcsMode::parse);
        Context {
            pipeline_id: "main".into(),
            node_name: "test".into(),
            data_path: folder.path.clone(),
            ecs: ecs.unwrap_or_default(),
            workers: 1,
            batch_size: 125,
            registry: crate::registry(),
            bus: Bus::default(),
            environment: Environment::process(),
            stdout,
        }
    }

    /// Puts the case's events in the place of the inputs, unless the case gives none and the config brings its own,
    /// and keeps what reaches the outputs. Of the outputs, only those that print still run.
    fn rewire(&self, mut plan: Plan, context: &Context, collect: &Collect) -> Result<Plan, String> {
        if plan.inputs.is_empty() || !self.input.is_empty() {
            let given = self.input.iter().map(given).collect::<Result<_, _>>()?;
            let input = Box::new(Inject { given, codec: self.codec(context)?.create() });
            let decoration = Arc::new(InputDecoration::default());
            plan.inputs = vec![InputNode { id: "case".into(), name: "case", input, decoration }];
        }
        for node in plan.outputs.iter_mut().filter(|node| node.name != "stdout") {
            node.output = Box::new(Collect::default());
        }
        plan.filters.push(Step::Leaf(sort_keys()));
        plan.outputs.push(OutputNode { id: "case".into(), name: "case", output: Box::new(collect.clone()) });
        plan.routes.push(Step::Leaf(plan.outputs.len() - 1));
        Ok(plan)
    }

    /// The codec for raw lines, written as in a config: `json`, or `line { charset => "CP1252" }`.
    fn codec(&self, context: &Context) -> Result<CodecFactory, String> {
        let codec = self.codec.as_deref().unwrap_or("plain");
        let value = crate::language::parse_value_with(codec, self.parse_options())
            .map_err(|error| format!("codec: {}", error.message))?;
        let mut problems = Vec::new();
        let value = crate::plugin::ConfigValue::new(&value, &context.environment, &mut problems);
        let factory = match &value.kind {
            ConfigKind::Text(name) => CodecFactory::new(&Block::bare(Kind::Codec, name, value.span), context),
            _ => CodecFactory::from_option(&value, context),
        };
        factory.map_err(|problems| {
            let messages: Vec<_> = problems.into_iter().map(|problem| problem.message).collect();
            messages.join("; ")
        })
    }
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

async fn run_to_end(plan: Plan) -> Result<(), String> {
    let settings =
        PipelineSettings { id: "main".into(), workers: 1, batch_size: 125, batch_delay: Duration::ZERO };
    let (_stop, shutdown) = Shutdown::channel();
    match tokio::time::timeout(TIME_LIMIT, crate::pipeline::run(plan, settings, shutdown)).await {
        Ok(Ok(ended)) if ended.failed => Err("the pipeline failed".into()),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("the pipeline did not end within {} s", TIME_LIMIT.as_secs())),
    }
}

/// The folder that `__FILES__` stands for; removed with the case.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn write(files: &BTreeMap<String, Raw>) -> std::io::Result<Self> {
        let unique = format!("rstash-test-{}-{:016x}", std::process::id(), fastrand::u64(..));
        let folder = Folder { path: std::env::temp_dir().join(unique) };
        std::fs::create_dir_all(&folder.path)?;
        for (name, text) in files {
            let path = folder.path.join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, text.text().unwrap_or_default())?;
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed from a temporary folder is left to the system.
        _ = std::fs::remove_dir_all(&self.path);
    }
}
