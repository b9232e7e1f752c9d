//! `rstash test`: runs a config on given events and compares what comes out with what is expected.
//!
//! Cases come in two forms. One JSON object on one line brings its own config: `name`, `config`, and the optional
//! `settings`, `codec`, `input`, `files`, `mode`, `expect`, `volatile`. A file of logstash-filter-verifier, JSON or YAML,
//! is run on the config that `-f` names. Events enter right behind the inputs; what the filters let through to the
//! outputs is compared.

mod case;
mod coverage;
mod execute;
mod files;
mod inject;
mod judge;
mod raw;
mod record;
mod report;
mod schedule;
mod shared;
mod suite;
mod watch;
mod yaml;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

pub use case::{Case, Mode};
pub use files::read_any;
pub use judge::{Status, Verdict};
pub use report::Format;
pub use shared::Mock;
pub use watch::{Watched, watch};

use crate::language::{Sources, render_all};
use crate::pipeline::Plan;
use crate::plugin::Stdout;
use coverage::Coverage;
use execute::{Bench, Folder, Settings};
use files::{CaseFile, Job};
use raw::Raw;
use shared::SharedConfig;

/// What to run, and how to say what came of it.
pub struct Options {
    /// Files of cases, and directories with such files.
    pub paths: Vec<PathBuf>,
    /// The config for cases that bring none.
    pub config: Option<Sources>,
    /// Filters that stand in for some of that config's.
    pub mocks: Vec<Mock>,
    /// Settings of that config by name: `pipeline.ecs_compatibility`, `config.support_escapes`.
    pub settings: Vec<(String, String)>,
    pub format: Format,
    /// Whether to say which filters and branches no case has reached.
    pub coverage: bool,
    /// Whether what comes out becomes the expectation of cases that do not pass.
    pub record: bool,
}

/// Why the cases did not run.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What is wrong with the config, rendered for people.
    #[error("the configuration is invalid\n{0}")]
    Config(String),
}

/// Runs every case and writes the verdicts, in order. Returns whether all passed.
///
/// # Errors
/// A file that cannot be read, a config that cannot run, or a report that cannot be written.
pub fn run(options: &Options, out: &mut dyn Write) -> Result<bool, TestError> {
    let start = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let settings = settings(&options.settings);
    let config =
        options.config.as_ref().map(|config| shared_config(config, options, &settings)).transpose()?;
    let coverage = options.coverage.then(Coverage::default);
    let bench = Bench { runtime: runtime.handle().clone(), config, settings, coverage };
    let files = files::read_all(&options.paths)?;
    if options.record {
        return Ok(record::record(&files, &bench, out)?);
    }
    let mut report = report::Report::new(options.format, out);
    let jobs: Vec<(&CaseFile, &Job)> =
        files.iter().flat_map(|file| file.jobs.iter().map(move |job| (file, job))).collect();
    schedule::run_in_order(
        &jobs,
        |(_, job)| job.pauses(),
        |(_, job)| job.run(&bench),
        |(file, _), verdicts| {
            let file = file.path.to_string_lossy();
            verdicts.iter().try_for_each(|verdict| report.add(&file, verdict))
        },
    )?;
    Ok(report.finish(bench.coverage.as_ref(), start.elapsed())?)
}

/// Runs cases that bring their configs, side by side, and hands on their verdicts in order.
///
/// # Errors
/// The system gives no threads.
pub fn run_cases(cases: Vec<Case>) -> io::Result<Vec<Verdict>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let bench = Bench::new(runtime.handle().clone());
    let mut verdicts = Vec::with_capacity(cases.len());
    let done = |_: &Case, verdict| -> io::Result<()> {
        verdicts.push(verdict);
        Ok(())
    };
    schedule::run_in_order(&cases, Case::pauses, |case| case.run_on(&bench, None), done)?;
    Ok(verdicts)
}

/// The texts of settings as the values that they mean.
fn settings(given: &[(String, String)]) -> Settings {
    let value = |text: &str| match text {
        "true" => Raw::Bool(true),
        "false" => Raw::Bool(false),
        text => Raw::Text(text.to_owned()),
    };
    given.iter().map(|(name, text)| (name.clone(), value(text))).collect::<BTreeMap<_, _>>()
}

/// The config that cases share, if its filters can be built.
fn shared_config(
    config: &Sources,
    options: &Options,
    settings: &Settings,
) -> Result<SharedConfig, TestError> {
    let parse_options = execute::parse_options(settings);
    let shared =
        SharedConfig::new(config.clone(), parse_options, &options.mocks).map_err(TestError::Config)?;
    let folder = Folder::write(&BTreeMap::new())?;
    let context = execute::context(settings, &folder, Stdout::Capture(Default::default()));
    match Plan::of_parsed(shared.filters(), shared.sources(), &context) {
        (Some(_), _) => Ok(shared),
        (None, problems) => Err(TestError::Config(render_all(&problems, shared.sources(), false))),
    }
}
