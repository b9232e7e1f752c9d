//! The settings of a run: pipelines.yml over flags over a container's variables over logstash.yml over defaults.
//!
//! [`table`] declares every setting Logstash has, once. [`load`] reads the files, puts the flags on top, refuses by name what does not
//! exist yet, and leaves typed [`Settings`]. [`config_source`] then reads the texts those settings point to, and [`data`] claims
//! `path.data`.
pub mod config_source;
mod container;
pub mod data;
mod foreign;
mod known;
pub mod layers;
mod pipelines;
pub mod substitution;
pub mod table;
pub mod value;
mod yaml;

use crate::logging::{LogFormat, LogLevel, LogSettings};
use crate::plugin::{EcsMode, Environment};
use layers::{Assignment, Layers, Origin, Problem, SettingError};
use pipelines::PipelinesError;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use value::Value;
use yaml::YamlError;

/// What a run is told, typed. Only settings that something reads stand here.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Name of this instance.
    pub node_name: String,
    /// The pipelines to run: one, or those of pipelines.yml in its order.
    pub pipelines: Vec<PipelineSettings>,
    /// Check the configuration and exit.
    pub test_and_exit: bool,
    pub paths: PathSettings,
    pub log: LogSettings,
    /// Exit on request even while events are in flight.
    pub unsafe_shutdown: bool,
    /// Whether root may run this program. Logstash 9 says no unless told otherwise; this program says yes unless told otherwise.
    pub allow_superuser: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PipelineSettings {
    pub id: String,
    /// Where its configuration is.
    pub config: ConfigLocation,
    /// Threads that run filters and outputs.
    pub workers: NonZeroUsize,
    /// Most events a worker takes at once.
    pub batch_size: NonZeroUsize,
    /// How long a worker waits for a batch to fill.
    pub batch_delay: Duration,
    /// Whether events leave in the order they came: asked for, or `auto` with one worker asked for.
    pub preserve_order: bool,
    /// Which field names plugins use unless their own `ecs_compatibility` says otherwise.
    pub ecs_compatibility: EcsMode,
    /// Whether quoted strings of the config know `\n` and the like.
    pub support_escapes: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigLocation {
    /// The configuration itself, as after `-e`.
    Text(String),
    /// A file, directory or glob, as after `-f`.
    Path(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSettings {
    /// Directory for what must survive a restart. It need not exist yet.
    pub data: PathBuf,
    /// Whether somebody chose that directory. Only then it is made and locked at start: runs that share the default
    /// one, or have none that they could write, keep nothing there unless a plugin of theirs does.
    pub data_is_given: bool,
    /// Directory of logstash.yml and pipelines.yml.
    pub settings: Option<PathBuf>,
    /// Directory of the log file.
    pub logs: Option<PathBuf>,
}

/// Settings, and what to warn about once there is a log.
#[derive(Debug)]
pub struct Loaded {
    pub settings: Settings,
    pub warnings: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{}", lines(.0))]
    Invalid(Vec<SettingError>),
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot parse {}: {source}", path.display())]
    Yaml { path: PathBuf, source: YamlError },
    #[error("{}: {source}", path.display())]
    Pipelines { path: PathBuf, source: PipelinesError },
    #[error("settings path.config (-f) and config.string (-e) cannot be used together")]
    TwoConfigs,
    #[error("no configuration was given: pass a file with -f, or a text with -e")]
    NoConfig,
    #[error("pipeline {id}: pipeline.ordered asks for one worker, but pipeline.workers is {workers}")]
    OrderedWorkers { id: String, workers: NonZeroUsize },
}

fn lines(errors: &[SettingError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Reads logstash.yml, puts a container's variables over it, then `flags` in their order, and pipelines.yml under neither
/// `-e` nor `-f`.
///
/// Everything that is wrong with the settings is reported at once.
pub fn load(flags: Vec<Assignment>, environment: &Environment) -> Result<Loaded, SettingsError> {
    let mut layers = Layers::default();
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let settings_directory = settings_directory(&flags, environment);
    if let Some(directory) = &settings_directory {
        read_logstash_yml(directory, environment, &mut layers, &mut errors, &mut warnings)?;
    }
    container::take(environment, &mut layers, &mut errors, &mut warnings);
    errors.extend(flags.into_iter().filter_map(|flag| layers.assign(flag).err()));
    let directory = settings_directory.as_deref();
    let pipelines = find_pipelines(directory, environment, &layers, &mut errors, &mut warnings);
    for given in std::iter::once(&layers).chain(pipelines.iter().flatten()) {
        let (refused, meaningless) = given.judge();
        // What stands in logstash.yml counts for every pipeline, but is told once.
        errors.extend(refused.into_iter().filter(|error| !errors.contains(error)).collect::<Vec<_>>());
        warnings.extend(meaningless.into_iter().filter(|text| !warnings.contains(text)).collect::<Vec<_>>());
    }
    errors.extend(unusable_directory(&layers, "path.data"));
    // Settings that do not stand come first: a missing configuration would hide them.
    if !errors.is_empty() {
        return Err(SettingsError::Invalid(errors));
    }
    let settings = typed(&layers, &pipelines?, settings_directory, environment)?;
    Ok(Loaded { settings, warnings })
}

/// `--path.settings`, else `$LS_SETTINGS_DIR`, else `config` of a Logstash installation.
fn settings_directory(flags: &[Assignment], environment: &Environment) -> Option<PathBuf> {
    let flag = flags.iter().rev().find(|flag| flag.name == "path.settings");
    let given = flag.and_then(|flag| match &flag.value {
        Some(value::Raw::Text(path)) if !path.is_empty() => Some(PathBuf::from(path)),
        _ => None,
    });
    given
        .or_else(|| environment.get("LS_SETTINGS_DIR").map(PathBuf::from))
        .or_else(|| environment.get("LOGSTASH_HOME").map(|home| Path::new(&home).join("config")))
}

fn read_logstash_yml(
    directory: &Path,
    environment: &Environment,
    layers: &mut Layers,
    errors: &mut Vec<SettingError>,
    warnings: &mut Vec<String>,
) -> Result<(), SettingsError> {
    let path = directory.join("logstash.yml");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            warnings.push(format!("there is no {}, going on with the defaults", path.display()));
            return Ok(());
        }
        Err(source) => return Err(SettingsError::Unreadable { path, source }),
    };
    let entries =
        yaml::settings(&text).map_err(|source| SettingsError::Yaml { path: path.clone(), source })?;
    for entry in entries {
        errors.extend(assign_entry(&path, entry, true, environment, layers).err());
    }
    Ok(())
}

/// Puts one line of a file, its variables replaced, over what was given before.
fn assign_entry(
    path: &Path,
    entry: yaml::Entry,
    refine: bool,
    environment: &Environment,
    layers: &mut Layers,
) -> Result<(), SettingError> {
    let origin = Origin::File { path: path.to_owned(), line: entry.line };
    match substitution::substitute(entry.value, refine, environment) {
        Ok(value) => layers.assign(Assignment { name: entry.name, value: Some(value), origin }),
        Err(undefined) => Err(SettingError { origin, name: entry.name, problem: undefined.into() }),
    }
}

/// The settings of the one pipeline whose configuration was given, else of each of pipelines.yml.
fn find_pipelines(
    directory: Option<&Path>,
    environment: &Environment,
    layers: &Layers,
    errors: &mut Vec<SettingError>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Layers>, SettingsError> {
    if config_location(layers)?.is_some() {
        if directory.is_some_and(|path| pipelines::path(path).exists()) {
            warnings.push("pipelines.yml is ignored because a configuration was given".to_owned());
        }
        return Ok(vec![layers.clone()]);
    }
    let directory = directory.ok_or(SettingsError::NoConfig)?;
    pipelines::read(directory, environment, layers, errors, warnings)
}

/// An empty path is no path, while an empty text is a configuration of defaults.
fn config_location(layers: &Layers) -> Result<Option<ConfigLocation>, SettingsError> {
    let path = layers.text("path.config").filter(|path| !path.is_empty());
    match (layers.text("config.string"), path) {
        (Some(_), Some(_)) => Err(SettingsError::TwoConfigs),
        (Some(text), None) => Ok(Some(ConfigLocation::Text(text))),
        (None, Some(path)) => Ok(Some(ConfigLocation::Path(path))),
        (None, None) => Ok(None),
    }
}

/// A given directory must be one already, or have a parent it can be made in.
fn unusable_directory(layers: &Layers, name: &str) -> Option<SettingError> {
    let origin = layers.origin(name)?;
    let given = layers.text(name)?;
    let path = Path::new(&given);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let usable = path.is_dir() || (!path.exists() && parent.is_none_or(Path::is_dir));
    (!usable).then(|| SettingError {
        origin: origin.clone(),
        name: name.to_owned(),
        problem: Problem::NotADirectory(given.clone()),
    })
}

fn typed(
    layers: &Layers,
    pipelines: &[Layers],
    settings_directory: Option<PathBuf>,
    environment: &Environment,
) -> Result<Settings, SettingsError> {
    let test_and_exit = layers.is_on("config.test_and_exit");
    Ok(Settings {
        node_name: layers
            .text("node.name")
            .unwrap_or_else(|| gethostname::gethostname().to_string_lossy().into_owned()),
        pipelines: pipelines
            .iter()
            .map(|layers| pipeline(layers, test_and_exit))
            .collect::<Result<_, _>>()?,
        test_and_exit,
        paths: PathSettings {
            data_is_given: layers.origin("path.data").is_some(),
            data: layers.text("path.data").map_or_else(|| default_data(environment), PathBuf::from),
            settings: settings_directory,
            logs: layers
                .text("path.logs")
                .map(PathBuf::from)
                .or_else(|| environment.get("LOGSTASH_HOME").map(|home| Path::new(&home).join("logs"))),
        },
        log: LogSettings { level: log_level(layers), format: log_format(layers) },
        unsafe_shutdown: layers.is_on("pipeline.unsafe_shutdown"),
        allow_superuser: layers.is_on("allow_superuser"),
    })
}

fn pipeline(layers: &Layers, test_and_exit: bool) -> Result<PipelineSettings, SettingsError> {
    let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let workers = count(layers, "pipeline.workers").unwrap_or_else(cores);
    let id = layers.text("pipeline.id").unwrap_or_default();
    let preserve_order = match layers.text("pipeline.ordered").as_deref() {
        Some("true") if workers > NonZeroUsize::MIN && !test_and_exit => {
            return Err(SettingsError::OrderedWorkers { id, workers });
        }
        Some("true") => true,
        Some("auto") => workers == NonZeroUsize::MIN && layers.origin("pipeline.workers").is_some(),
        _ => false,
    };
    let delay = match layers.value("pipeline.batch.delay") {
        Value::Number(milliseconds) => {
            Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::ZERO)
        }
        _ => Duration::ZERO,
    };
    Ok(PipelineSettings {
        id,
        config: config_location(layers)?.ok_or(SettingsError::NoConfig)?,
        workers,
        batch_size: count(layers, "pipeline.batch.size").unwrap_or(NonZeroUsize::MIN),
        batch_delay: delay,
        preserve_order,
        ecs_compatibility: layers
            .text("pipeline.ecs_compatibility")
            .and_then(|mode| EcsMode::parse(&mode))
            .unwrap_or_default(),
        support_escapes: layers.is_on("config.support_escapes"),
    })
}

fn count(layers: &Layers, name: &str) -> Option<NonZeroUsize> {
    match layers.value(name) {
        Value::Integer(number) => NonZeroUsize::new(number),
        _ => None,
    }
}

/// Data of a Logstash installation, else of the user.
fn default_data(environment: &Environment) -> PathBuf {
    let of_installation = environment.get("LOGSTASH_HOME").map(|home| Path::new(&home).join("data"));
    let of_user = || environment.get("XDG_DATA_HOME").map(|data| Path::new(&data).join("rstash"));
    let of_home = || environment.get("HOME").map(|home| Path::new(&home).join(".local/share/rstash"));
    of_installation.or_else(of_user).or_else(of_home).unwrap_or_else(|| PathBuf::from("data"))
}

fn log_level(layers: &Layers) -> LogLevel {
    match layers.text("log.level").as_deref() {
        Some("fatal") => LogLevel::Fatal,
        Some("error") => LogLevel::Error,
        Some("warn") => LogLevel::Warn,
        Some("debug") => LogLevel::Debug,
        Some("trace") => LogLevel::Trace,
        _ => LogLevel::Info,
    }
}

fn log_format(layers: &Layers) -> LogFormat {
    match layers.text("log.format").as_deref() {
        Some("json") => LogFormat::Json,
        _ => LogFormat::Plain,
    }
}

#[cfg(test)]
mod tests;
