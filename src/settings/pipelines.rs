//! Takes the pipeline of a pipelines.yml into the settings.
//!
//! Follows `LogStash::Config::Source::MultiLocal`. A file with more than one pipeline is refused.
use super::layers::{Layers, Origin, Problem, SettingError};
use super::table;
use super::{SettingsError, assign_entry, yaml};
use crate::plugin::Environment;
use std::fs;
use std::path::{Path, PathBuf};

/// Logstash drops these with a warning when an entry of pipelines.yml gives them.
const PROCESS_ONLY: &[&str] = &["config.reload.automatic", "config.reload.interval"];

#[derive(Debug, thiserror::Error)]
pub enum PipelinesError {
    #[error("it holds no pipeline")]
    Empty,
    #[error("several pipelines are not available yet, but it holds {0}")]
    Several(usize),
}

/// Where a settings directory keeps the list of pipelines.
pub fn path(directory: &Path) -> PathBuf {
    directory.join("pipelines.yml")
}

/// Puts the settings of the only pipeline over those of the process.
pub fn read(
    directory: &Path,
    environment: &Environment,
    layers: &mut Layers,
    errors: &mut Vec<SettingError>,
    warnings: &mut Vec<String>,
) -> Result<(), SettingsError> {
    let path = path(directory);
    let text = fs::read_to_string(&path)
        .map_err(|source| SettingsError::Unreadable { path: path.clone(), source })?;
    let pipelines =
        yaml::pipelines(&text).map_err(|source| SettingsError::Yaml { path: path.clone(), source })?;
    let fail = |source| SettingsError::Pipelines { path: path.clone(), source };
    let count = pipelines.len();
    let mut pipelines = pipelines.into_iter();
    let (Some(pipeline), None) = (pipelines.next(), pipelines.next()) else {
        return Err(fail(if count == 0 { PipelinesError::Empty } else { PipelinesError::Several(count) }));
    };
    for entry in pipeline {
        let origin = Origin::File { path: path.clone(), line: entry.line };
        if PROCESS_ONLY.contains(&entry.name.as_str()) {
            warnings.push(format!(
                "{origin}: {} is ignored for one pipeline, set it in logstash.yml",
                entry.name
            ));
        } else if table::find(&entry.name).is_some_and(|setting| !setting.per_pipeline) {
            errors.push(SettingError { origin, name: entry.name, problem: Problem::NotPerPipeline });
        } else {
            errors.extend(assign_entry(&path, entry, false, environment, layers).err());
        }
    }
    Ok(())
}
