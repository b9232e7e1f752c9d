//! Reads the pipelines of a pipelines.yml.
//!
//! Follows `LogStash::Config::Source::MultiLocal`.
use super::layers::{Layers, Origin, Problem, SettingError};
use super::table;
use super::{SettingsError, assign_entry, config_location, yaml};
use crate::plugin::Environment;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Logstash drops these with a warning when an entry of pipelines.yml gives them.
const PROCESS_ONLY: &[&str] = &["config.reload.automatic", "config.reload.interval"];

#[derive(Debug, thiserror::Error)]
pub enum PipelinesError {
    #[error("it holds no pipeline")]
    Empty,
    #[error("two pipelines have the pipeline.id {0}")]
    Twice(String),
    #[error("the pipeline {0} has neither path.config nor config.string")]
    NoConfig(String),
}

/// Where a settings directory keeps the list of pipelines.
pub fn path(directory: &Path) -> PathBuf {
    directory.join("pipelines.yml")
}

/// The settings of each pipeline: its own over those of the process.
pub fn read(
    directory: &Path,
    environment: &Environment,
    process: &Layers,
    errors: &mut Vec<SettingError>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Layers>, SettingsError> {
    let path = path(directory);
    let text = fs::read_to_string(&path)
        .map_err(|source| SettingsError::Unreadable { path: path.clone(), source })?;
    let pipelines =
        yaml::pipelines(&text).map_err(|source| SettingsError::Yaml { path: path.clone(), source })?;
    let fail = |source| SettingsError::Pipelines { path: path.clone(), source };
    if pipelines.is_empty() {
        return Err(fail(PipelinesError::Empty));
    }
    let mut ids = BTreeSet::new();
    let mut all = Vec::with_capacity(pipelines.len());
    for entries in pipelines {
        let mut layers = process.clone();
        let before = errors.len();
        for entry in entries {
            assign(&path, entry, environment, &mut layers, errors, warnings);
        }
        let id = layers.text("pipeline.id").unwrap_or_default();
        if errors.len() == before && config_location(&layers)?.is_none() {
            return Err(fail(PipelinesError::NoConfig(id)));
        }
        if !ids.insert(id.clone()) {
            return Err(fail(PipelinesError::Twice(id)));
        }
        all.push(layers);
    }
    Ok(all)
}

/// Takes one setting of a pipeline.
fn assign(
    path: &Path,
    entry: yaml::Entry,
    environment: &Environment,
    layers: &mut Layers,
    errors: &mut Vec<SettingError>,
    warnings: &mut Vec<String>,
) {
    let origin = Origin::File { path: path.to_owned(), line: entry.line };
    if PROCESS_ONLY.contains(&entry.name.as_str()) {
        warnings
            .push(format!("{origin}: {} is ignored for one pipeline, set it in logstash.yml", entry.name));
    } else if table::find(&entry.name).is_some_and(|setting| !setting.per_pipeline) {
        errors.push(SettingError { origin, name: entry.name, problem: Problem::NotPerPipeline });
    } else {
        errors.extend(assign_entry(path, entry, false, environment, layers).err());
    }
}
