//! Settings from a container's environment: `PIPELINE_WORKERS=4` or `pipeline.workers=4`.
//!
//! Follows `Env2Yaml`, which the entry point of Logstash's Docker image runs before Logstash: such variables win over
//! logstash.yml. Outside of containers they are left alone, as by Logstash: `NODE_NAME` or `LOG_LEVEL` may be anybody's.
use super::layers::{Assignment, Layers, Origin, SettingError};
use super::substitution;
use super::table::{self, Setting, Support};
use super::value::Raw;
use crate::plugin::Environment;
use std::path::Path;

/// Variables that containers have: of Logstash's images, of podman and systemd, of Kubernetes.
const MARKS: &[&str] = &["ELASTIC_CONTAINER", "container", "KUBERNETES_SERVICE_HOST"];
/// Files that containers have: of Docker, of podman.
const FILES: &[&str] = &["/.dockerenv", "/run/.containerenv"];
/// `Env2Yaml` leaves these out: they say where logstash.yml is, or what else to do than run a pipeline.
const LEFT_OUT: &[&str] = &["path.settings", "version", "help", "interactive"];

/// Takes the settings that the variables of a container give.
pub fn take(
    environment: &Environment,
    layers: &mut Layers,
    errors: &mut Vec<SettingError>,
    warnings: &mut Vec<String>,
) {
    if !is_container(environment) {
        return;
    }
    for setting in table::all().filter(|setting| is_taken(setting)) {
        let Some(variable) = variable(setting.name, environment) else { continue };
        let origin = Origin::Variable(variable.clone());
        let fail = |problem, origin| SettingError { origin, name: setting.name.to_owned(), problem };
        // The image's script writes `${NAME}` into the file.
        let value = substitution::substitute(Raw::Plain(format!("${{{variable}}}")), true, environment);
        let assigned = value.map_err(|error| fail(error.into(), origin.clone())).and_then(|value| {
            layers.assign(Assignment { name: setting.name.to_owned(), value: Some(value), origin })
        });
        match assigned {
            Ok(()) => warnings
                .push(format!("the setting {} comes from the environment variable {variable}", setting.name)),
            Err(error) => errors.push(error),
        }
    }
}

fn is_container(environment: &Environment) -> bool {
    MARKS.iter().any(|name| environment.get(name).is_some_and(|value| !value.is_empty()))
        || (environment.is_process() && FILES.iter().any(|file| Path::new(file).exists()))
}

fn is_taken(setting: &Setting) -> bool {
    let is_old = matches!(setting.support, Support::Removed(_) | Support::Renamed(_));
    !is_old && !LEFT_OUT.contains(&setting.name)
}

/// The variable that gives a setting: under its own name, or in capitals with underscores.
fn variable(name: &str, environment: &Environment) -> Option<String> {
    let flat = name.replace('.', "_");
    let names = [name.to_owned(), flat.to_ascii_uppercase(), flat];
    // A setting of one word, such as `modules`, is no variable's name by itself.
    names.into_iter().filter(|name| name.contains(['.', '_'])).find(|name| environment.get(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;

    /// What the settings become with these variables and this flag.
    fn loaded(
        variables: &'static [(&'static str, &'static str)],
        flag: &str,
    ) -> Result<(usize, usize, Vec<String>), String> {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let flags = [("config.string", ""), ("pipeline.batch.size", flag)].into_iter();
        let flags = flags.filter(|(name, value)| !value.is_empty() || *name == "config.string");
        let flags = flags.map(|(name, value)| Assignment {
            name: name.to_owned(),
            value: Some(Raw::Text(value.to_owned())),
            origin: Origin::Flag(format!("--{name}")),
        });
        let loaded = load(flags.collect(), &Environment::new(find)).map_err(|error| error.to_string())?;
        let pipeline = &loaded.settings.pipelines[0];
        Ok((pipeline.workers.get(), pipeline.batch_size.get(), loaded.warnings))
    }

    #[test]
    fn variables_count_in_containers_and_flags_win() {
        const IN: &[(&str, &str)] =
            &[("ELASTIC_CONTAINER", "true"), ("PIPELINE_WORKERS", "7"), ("pipeline.batch.size", "40")];
        let (workers, size, warnings) = loaded(IN, "").unwrap();
        assert_eq!((workers, size), (7, 40));
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings.iter().any(|warning| warning.contains("PIPELINE_WORKERS")), "{warnings:?}");
        assert_eq!(loaded(IN, "50").unwrap().1, 50);
        const OUT: &[(&str, &str)] = &[("PIPELINE_BATCH_SIZE", "40"), ("LOG_LEVEL", "verbose")];
        assert_eq!(loaded(OUT, "").unwrap().1, 125);
    }

    #[test]
    fn what_is_wrong_names_the_variable() {
        const WRONG: &[(&str, &str)] = &[("container", "podman"), ("PIPELINE_BATCH_SIZE", "many")];
        let error = loaded(WRONG, "").unwrap_err();
        assert!(
            error.contains(
                "environment variable PIPELINE_BATCH_SIZE: pipeline.batch.size: `many` is not a whole number"
            ),
            "{error}"
        );
        const HOST: &[(&str, &str)] = &[("container", "podman"), ("API_HTTP_HOST", "0.0.0.0")];
        let (.., warnings) = loaded(HOST, "").unwrap();
        assert!(warnings.iter().any(|warning| warning.contains("rstash has no HTTP API")), "{warnings:?}");
    }
}
