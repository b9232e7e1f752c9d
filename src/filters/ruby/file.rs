//! Script files.

use super::Tags;
use super::worlds::Worlds;
use crate::event::{Event, Object};
use crate::plugin::{DecorateError, Emit, Filter, OptionReader, Outcome};
use crate::ruby::{Failure, FileError, Filtered, Interp, Kept, ScriptFile, World, survey};

/// Where the script is in a world.
#[derive(Debug, Clone, Copy)]
struct Loaded {
    script: ScriptFile,
    event: Kept,
}

/// The filter with the option `path`.
pub(super) struct ScriptFilter {
    worlds: Worlds<Loaded>,
    tags: Tags,
    path: String,
}

impl ScriptFilter {
    /// Reads the file, runs its tests and its `register`; what is wrong is reported.
    pub fn load(
        path: &str,
        params: Object,
        tags: Tags,
        reader: &mut OptionReader<'_>,
    ) -> Option<ScriptFilter> {
        let source = match std::fs::read_to_string(path) {
            Ok(source) => source,
            Err(error) => {
                reader.error("path", format!("cannot read \"{path}\": {error}"));
                return None;
            }
        };
        let traits = survey(path, &[(&source, None)]).unwrap_or_default();
        let (text, file) = (source.clone(), path.to_owned());
        match Worlds::load(traits, move |world| load_into(world, &text, &file, &params)) {
            Ok(worlds) => Some(ScriptFilter { worlds, tags, path: path.to_owned() }),
            Err(FileError::Script(errors)) => {
                for error in &errors {
                    reader
                        .error("path", format!("{path}:{}:{}: {}", error.line, error.column, error.message));
                }
                None
            }
            Err(FileError::Failed(failure)) => {
                let place = failure.backtrace.first().map(|at| format!(" at {at}")).unwrap_or_default();
                let (class, message) = (&failure.class, &failure.message);
                reader.error("path", format!("the script \"{path}\" raised {class}: {message}{place}"));
                None
            }
            Err(FileError::Unusable(message)) => {
                reader.error("path", format!("the script \"{path}\" cannot be used: {message}"));
                None
            }
        }
    }
}

fn load_into(world: &mut World, source: &str, path: &str, params: &Object) -> Result<Loaded, FileError> {
    world.with(|interp| {
        let script = interp.load_file(source, path)?;
        interp.run_tests(script)?;
        interp.register_file(script, params).map_err(FileError::Failed)?;
        Ok(Loaded { script, event: interp.new_event_slot() })
    })
}

impl Filter for ScriptFilter {
    fn filter(&self, event: &mut Event, emit: &mut Emit) -> Outcome {
        let result = self.worlds.with(|world, loaded| world.with(|interp| run(interp, loaded, event)));
        match result {
            Some(Ok(filtered)) => {
                filtered.events.into_iter().for_each(|event| emit.plain(event));
                if !filtered.keeps_original {
                    event.cancel();
                }
                if event.is_cancelled() { Outcome::Cancelled } else { Outcome::Matched }
            }
            Some(Err(failure)) => {
                tracing::error!(script = self.path, "could not process event: {}", failure.message);
                self.tags.failed(event, &failure)
            }
            None => Outcome::Failed,
        }
    }

    fn decoration_failed(&self, _name: &str, event: &mut Event, error: &DecorateError) {
        self.tags.decoration_failed(event, error);
    }
}

fn run(interp: &mut Interp, loaded: Loaded, event: &mut Event) -> Result<Filtered, Failure> {
    let filtered = interp.with_event(loaded.event, event, |interp, object| {
        let filtered = interp.filter_file(loaded.script, object);
        filtered.map_err(|control| interp.failure(control))
    });
    filtered.flatten()
}
