//! Building and running a pipeline under test: its context, its codec, its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::runtime::Handle;

use super::coverage::{Coverage, Tree};
use super::judge::Outcome;
use super::raw::Raw;
use super::shared::SharedConfig;
use crate::language::{ParseOptions, Parsed, Sources, render_all};
use crate::pipeline::{PipelineSettings, Plan};
use crate::plugin::{
    Block, CodecFactory, ConfigKind, ConfigValue, Context, EcsMode, Environment, FromOption, Kind,
    NOT_AVAILABLE, Problem, Shutdown, Stdout, StreamCodec,
};

/// A case that takes longer than this has failed.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Logstash settings by name, as a case gives them.
pub type Settings = BTreeMap<String, Raw>;

/// What all cases of a run share.
pub struct Bench {
    pub runtime: Handle,
    /// The config that `-f` names, for cases that bring none.
    pub config: Option<SharedConfig>,
    /// The settings of that config.
    pub settings: Settings,
    pub coverage: Option<Coverage>,
}

impl Bench {
    /// For cases that bring their own configs.
    pub fn new(runtime: Handle) -> Self {
        Bench { runtime, config: None, settings: Settings::new(), coverage: None }
    }

    /// Builds the plan of a config, with probes where coverage is asked for. `file` is what coverage calls a config
    /// that stands in no file. The error is the outcome of a case whose config cannot run.
    pub fn load(
        &self,
        parsed: Parsed,
        sources: &Sources,
        context: &Context,
        file: Option<&str>,
    ) -> Result<Plan, Box<Outcome>> {
        let tree = self.coverage.as_ref().map(|coverage| (coverage, parsed.config.clone()));
        let (plan, problems) = Plan::of_parsed(parsed, sources, context);
        let Some(mut plan) = plan else {
            let mut failed = Outcome::failure(render_all(&problems, sources, false));
            failed.unavailable = problems.iter().any(|problem| problem.message.ends_with(NOT_AVAILABLE));
            return Err(failed);
        };
        if let Some((coverage, config)) = tree {
            plan.filters = coverage.instrument(&Tree { config: &config, sources, file }, plan.filters);
        }
        Ok(plan)
    }
}

/// How settings say that a config is to be read.
pub fn parse_options(settings: &Settings) -> ParseOptions {
    ParseOptions { support_escapes: settings.get("config.support_escapes") == Some(&Raw::Bool(true)) }
}

/// What plugins under test know of their pipeline.
pub fn context(settings: &Settings, folder: &Folder, stdout: Stdout) -> Context {
    let ecs = settings.get("pipeline.ecs_compatibility").and_then(Raw::text).and_then(EcsMode::parse);
    Context {
        data_path: folder.path.clone(),
        ecs: ecs.unwrap_or_default(),
        environment: Environment::process(),
        stdout,
        ..Context::new(crate::registry())
    }
}

/// Whether the codec gets what it is given piece by piece, or a stream that is to be cut into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Pieces,
    /// `plain` and `json` become `line` and `json_lines`, as they do in the stdin input.
    Stream,
}

/// The codec for raw lines, written as in a config: `json`, or `line { charset => "CP1252" }`.
pub fn codec(
    text: &str,
    framing: Framing,
    options: ParseOptions,
    context: &Context,
) -> Result<CodecFactory, String> {
    let value = crate::language::parse_value_with(text, options)
        .map_err(|error| format!("codec: {}", error.message))?;
    let mut problems = Vec::new();
    let value = ConfigValue::new(&value, &context.environment, &mut problems);
    if !problems.is_empty() {
        return Err(messages(problems));
    }
    let factory = match &value.kind {
        _ if framing == Framing::Stream => {
            StreamCodec::from_option(&value, context).map(|StreamCodec(factory)| factory)
        }
        ConfigKind::Text(name) => CodecFactory::new(&Block::bare(Kind::Codec, name, value.span), context),
        _ => CodecFactory::from_option(&value, context),
    };
    factory.map_err(messages)
}

/// All that is wrong, in one line.
pub fn messages(problems: Vec<Problem>) -> String {
    let messages: Vec<_> = problems.into_iter().map(|problem| problem.message).collect();
    messages.join("; ")
}

/// Runs a plan until its inputs have ended and everything is delivered.
pub async fn run_to_end(plan: Plan, batch_size: usize) -> Result<(), String> {
    let settings =
        PipelineSettings { id: "main".into(), workers: 1, batch_size, batch_delay: Duration::ZERO };
    let (_stop, shutdown) = Shutdown::channel();
    match tokio::time::timeout(TIME_LIMIT, crate::pipeline::run(plan, settings, shutdown)).await {
        Ok(Ok(ended)) if ended.failed => Err("the pipeline failed".into()),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("the pipeline did not end within {} s", TIME_LIMIT.as_secs())),
    }
}

/// A temporary folder for one case: what `__FILES__` stands for, and its `path.data`. Removed with the case.
pub struct Folder {
    pub path: PathBuf,
}

impl Folder {
    /// Makes the folder and writes files into it.
    pub fn write(files: &BTreeMap<String, Raw>) -> std::io::Result<Self> {
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
