//! Finds the pattern files that `patterns_dir` and `patterns_files_glob` name.

use std::io;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

/// As Ruby's `Dir.glob`: names that begin with a dot are named with it.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The files that a path stands for: those that match `files_glob` where it is a folder, otherwise itself, which may
/// be a glob too. A path that matches nothing stands for none.
///
/// # Errors
/// When the path is no glob, or a folder cannot be read.
pub fn pattern_files(path: &str, files_glob: &str) -> io::Result<Vec<PathBuf>> {
    let pattern = match Path::new(path).is_dir() {
        true => format!("{}/{files_glob}", glob::Pattern::escape(path.trim_end_matches('/'))),
        false => path.to_owned(),
    };
    let mut files = Vec::new();
    for alternative in with_braces_expanded(&pattern) {
        let found = glob::glob_with(&alternative, OPTIONS)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
        for file in found {
            let file = file.map_err(io::Error::from)?;
            if !file.is_dir() {
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// `a{b,c}d` is `abd` and `acd`.
fn with_braces_expanded(pattern: &str) -> Vec<String> {
    let parts = pattern.split_once('{').and_then(|(before, rest)| {
        let (inside, behind) = rest.split_once('}')?;
        inside.contains(',').then_some((before, inside, behind))
    });
    let Some((before, inside, behind)) = parts else { return vec![pattern.to_owned()] };
    let tails = with_braces_expanded(behind);
    inside
        .split(',')
        .flat_map(|choice| tails.iter().map(move |tail| format!("{before}{choice}{tail}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_files_and_globs() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.grok", "a.grok", "c.txt", ".hidden"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("inner.grok")).unwrap();
        let path = folder.path().to_str().unwrap();
        let names = |path: &str, glob: &str| -> Vec<String> {
            let files = pattern_files(path, glob).unwrap();
            files.iter().filter_map(|file| Some(file.file_name()?.to_str()?.to_owned())).collect()
        };
        assert_eq!(names(path, "*"), ["a.grok", "b.grok", "c.txt"]);
        assert_eq!(names(path, "*.{txt,grok}"), ["c.txt", "a.grok", "b.grok"]);
        assert_eq!(names(&format!("{path}/a.grok"), "*"), ["a.grok"]);
        assert_eq!(names(&format!("{path}/*.txt"), "nothing"), ["c.txt"]);
        assert!(names("/nonexistent/folder", "*").is_empty());
    }
}
