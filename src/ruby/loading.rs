//! Files that scripts load: `require_relative`, `load`, and `require` of a path.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::compiler::{self, Facts, ScriptError, Use};
use super::control::Outcome;
use super::interpreter::{Cref, Interp};
use super::value::Value;

/// How a file is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loading {
    /// By a path from the file that loads it, once.
    Relative,
    /// By a path, once.
    Require,
    /// By a path, each time.
    Load,
}

/// Whether `require` means a file rather than a library.
pub(super) fn is_path(name: &str) -> bool {
    name.starts_with('/') || name.starts_with("./") || name.starts_with("../")
}

/// The file that a name means for a script that stands in `from`.
pub(super) fn path_of(name: &str, from: &str, loading: Loading) -> PathBuf {
    let mut path = match loading {
        Loading::Relative => Path::new(from).parent().unwrap_or(Path::new("")).join(name),
        Loading::Require | Loading::Load => PathBuf::from(name),
    };
    if loading != Loading::Load && path.extension().is_none_or(|extension| extension != "rb") {
        path.as_mut_os_string().push(".rb");
    }
    path
}

/// Adds what the files do that a script loads by literal names, so that names they define are known.
pub(super) fn survey_files(source: &str, file: &str, facts: &mut Facts) -> Result<(), Vec<ScriptError>> {
    let mut seen = HashSet::new();
    survey_each(source, file, facts, &mut seen)
}

fn survey_each(
    source: &str,
    file: &str,
    facts: &mut Facts,
    seen: &mut HashSet<PathBuf>,
) -> Result<(), Vec<ScriptError>> {
    for (Use { name, offset }, loading) in std::mem::take(&mut facts.files) {
        let path = path_of(&name, file, loading);
        if !seen.insert(path.clone()) {
            continue;
        }
        let refuse = |message: String| vec![ScriptError::at(source, offset, message)];
        let shown = path.display();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| refuse(format!("cannot load the file \"{shown}\": {error}")))?;
        let file = path.to_string_lossy();
        let loaded = compiler::compile_body(&text, &file).map_err(|errors| {
            let first = errors.first().map(ToString::to_string).unwrap_or_default();
            refuse(format!("in the file \"{shown}\": {first}"))
        });
        let (_, mut inner) = loaded?;
        survey_each(&text, &file, &mut inner, seen).map_err(|errors| {
            let first = errors.first().map(ToString::to_string).unwrap_or_default();
            refuse(format!("in the file \"{shown}\": {first}"))
        })?;
        facts.join_names(inner);
    }
    Ok(())
}

impl Interp {
    /// Loads a file into the world; whether it was loaded now.
    pub(super) fn load_path(&mut self, name: &str, loading: Loading) -> Outcome {
        let path = path_of(name, &self.current_file(), loading);
        if loading != Loading::Load && !self.loaded_files.insert(path.clone()) {
            return Ok(Value::Bool(false));
        }
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot load such file -- {} ({error})", path.display());
                return Err(self.error("LoadError", message));
            }
        };
        let file = path.to_string_lossy().into_owned();
        let compiled = compiler::compile_body(&text, &file);
        let admitted = compiled.and_then(|(code, facts)| {
            self.admit(&text, &file, facts)?;
            Ok(code)
        });
        let code = match admitted {
            Ok(code) => code,
            Err(errors) => {
                let first = errors.first().map(ToString::to_string).unwrap_or_default();
                return Err(self.error("SyntaxError", format!("{file}: {first}")));
            }
        };
        let (main, object) = (self.main.clone(), self.classes.object.clone());
        self.run_body(&code, main, Cref::new(Rc::clone(&object), None))?;
        Ok(Value::Bool(true))
    }
}
