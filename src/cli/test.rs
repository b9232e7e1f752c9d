//! `rstash test`: the arguments, and what they lead to.
use super::Failure;
use crate::language::Sources;
use crate::settings::ConfigLocation;
use crate::settings::config_source;
use crate::testing::{self, Format, Mock, Options, TestError, Watched};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The settings that change what a config under test means.
const SETTINGS: [&str; 2] = ["pipeline.ecs_compatibility", "config.support_escapes"];
/// Tells the program that it was started again.
const IN_UTC: &str = "RSTASH_TEST_IN_UTC";

#[derive(Debug, Args)]
pub struct TestArgs {
    /// Files of test cases, or directories of them: one JSON object a line (*.jsonl), or files of logstash-filter-verifier
    /// (*.json, *.yml)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Config whose filters are tested: a file, a directory or a glob. Cases that bring their own need none
    #[arg(short = 'f', long = "path.config", value_name = "CONFIG")]
    config: Option<String>,
    /// File of filters that stand in for others by their ids, as logstash-filter-verifier has them
    #[arg(long, value_name = "FILE")]
    plugin_mock: Option<PathBuf>,
    /// Setting for the config of -f: pipeline.ecs_compatibility, config.support_escapes
    #[arg(short = 'S', long = "setting", value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// How results are printed
    #[arg(long, default_value = "human", value_parser = format())]
    format: Format,
    /// List the filters and branches that no case has reached
    #[arg(long, conflicts_with = "record")]
    coverage: bool,
    /// Write what comes out into the files, as the expectation of cases that do not pass
    #[arg(long, conflicts_with = "watch")]
    record: bool,
    /// Run again whenever a case or the config changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(["human", "json", "junit"]).map(|name| match name.as_str() {
        "json" => Format::Json,
        "junit" => Format::Junit,
        _ => Format::Human,
    })
}

fn setting(pair: &str) -> Result<(String, String), String> {
    let (name, value) = pair.split_once('=').ok_or("write it as KEY=VALUE")?;
    match SETTINGS.contains(&name) {
        true => Ok((name.to_owned(), value.to_owned())),
        false => Err(format!("tests know the settings {}", SETTINGS.join(" and "))),
    }
}

/// Runs the cases, once or on every change.
pub fn run(arguments: &TestArgs) -> Result<(), Failure> {
    run_in_utc();
    if !arguments.watch {
        return match run_once(arguments) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Reported),
            Err(failure) => Err(failure),
        };
    }
    let mut configs: Vec<PathBuf> = arguments.plugin_mock.iter().cloned().collect();
    configs.extend(arguments.config.iter().flat_map(|config| config_paths(config)));
    let mut failed = None;
    let mut run = || {
        match run_once(arguments) {
            Err(failure @ Failure::Stdout(_)) => {
                failed = Some(failure);
                return false;
            }
            Err(failure) => super::complain(&format!("ERROR: {failure}")),
            Ok(_) => {}
        }
        super::complain("-- waiting for changes, Ctrl-C ends");
        true
    };
    if run() {
        let watched = Watched::new(&arguments.files, &configs);
        testing::watch(&watched, run).map_err(|error| Failure::Action(error.to_string()))?;
    }
    failed.map_or(Ok(()), Err)
}

/// Times without a zone are those of UTC in tests, on whatever machine they run. The zone of a process is that of its
/// start, so the program starts again in this one; where it cannot, it goes on as it is.
fn run_in_utc() {
    let is_utc = std::env::var_os("TZ").is_some_and(|zone| zone == "UTC");
    if is_utc || std::env::var_os(IN_UTC).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let error =
            Command::new(program).args(std::env::args_os().skip(1)).env("TZ", "UTC").env(IN_UTC, "1").exec();
        super::complain(&format!("cannot start again in UTC: {error}"));
    }
}

/// The config files as they are now, the directory of a glob or directory among them: new files count as well.
fn config_paths(config: &str) -> Vec<PathBuf> {
    let given = Path::new(config);
    if given.is_file() || given.is_dir() {
        return vec![given.to_owned()];
    }
    let mut paths: Vec<PathBuf> = Vec::new();
    if let Ok(found) = config_source::read(&ConfigLocation::Path(config.to_owned()), "main") {
        for source in found.sources {
            paths.extend(Path::new(&source.name).parent().map(Path::to_owned));
        }
    }
    paths.dedup();
    paths
}

fn run_once(arguments: &TestArgs) -> Result<bool, Failure> {
    let options = Options {
        paths: arguments.files.clone(),
        config: arguments.config.as_deref().map(sources).transpose()?,
        mocks: arguments.plugin_mock.as_deref().map(mocks).transpose()?.unwrap_or_default(),
        settings: arguments.settings.clone(),
        format: arguments.format,
        coverage: arguments.coverage,
        record: arguments.record,
    };
    let mut out = io::BufWriter::new(io::stdout());
    let passed = testing::run(&options, &mut out).and_then(|passed| {
        out.flush()?;
        Ok(passed)
    });
    passed.map_err(|error| match error {
        TestError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::Stdout(error),
        error => Failure::Action(error.to_string()),
    })
}

fn sources(path: &str) -> Result<Sources, Failure> {
    let found = config_source::read(&ConfigLocation::Path(path.to_owned()), "main")?;
    let mut sources = Sources::new();
    for source in found.sources {
        sources.add(source.name, source.text);
    }
    Ok(sources)
}

fn mocks(path: &Path) -> Result<Vec<Mock>, Failure> {
    let named = |error: String| Failure::Action(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    Mock::read(&text).map_err(named)
}
