//! Finds and reads the texts a pipeline's configuration is made of, in Logstash's order.
//!
//! Follows `LogStash::Config::Source::Local` and the sorting of `PipelineConfig`.
use super::ConfigLocation;
use glob::{MatchOptions, Pattern, PatternError};
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

const DEFAULT_INPUT: &str = "input { stdin { type => stdin } }";
const DEFAULT_OUTPUT: &str = "output { stdout { codec => rubydebug } }";

/// One piece of a pipeline's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSource {
    /// The file's absolute path, or `config_string`, `default input`, `default output`.
    pub name: String,
    pub text: String,
}

/// The pieces in the order they are joined, and what to tell the user about how they were found.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigSources {
    pub sources: Vec<ConfigSource>,
    pub warnings: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigSourceError {
    #[error("no config files found in {0}")]
    NothingFound(String),
    #[error("cannot read config file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("these config files are not UTF-8: {}", .0.join(", "))]
    NotUtf8(Vec<String>),
    #[error("{path}: {source}")]
    BadPattern { path: String, source: PatternError },
    #[error("{0}: configs are not fetched over the network, save the file and pass its path")]
    Remote(String),
    #[error("{0}: configs are read from files, not by this kind of address")]
    Scheme(String),
}

/// Reads the configuration that the settings point to.
pub fn read(location: &ConfigLocation, pipeline_id: &str) -> Result<ConfigSources, ConfigSourceError> {
    match location {
        ConfigLocation::Text(text) => Ok(from_text(text, pipeline_id)),
        ConfigLocation::Path(path) => from_path(path),
    }
}

/// A text without an input reads stdin, without an output it writes to stdout.
///
/// The defaults stand before the text, because Logstash sorts the pieces by protocol and the text's is the greater.
fn from_text(text: &str, pipeline_id: &str) -> ConfigSources {
    let mut found = ConfigSources { sources: Vec::new(), warnings: Vec::new() };
    for (section, plugin, default) in
        [("input", "stdin", DEFAULT_INPUT), ("output", "stdout", DEFAULT_OUTPUT)]
    {
        if !has_section(text, section) {
            let name = format!("default {section}");
            found.sources.push(ConfigSource { name, text: default.to_owned() });
            found.warnings.push(format!(
                "no {section} section in pipeline {pipeline_id}, added the {plugin} {section}"
            ));
        }
    }
    found.sources.push(ConfigSource { name: "config_string".to_owned(), text: text.to_owned() });
    found
}

/// Whether the word stands somewhere right before a brace: comments and strings count too, as in Logstash.
fn has_section(text: &str, section: &str) -> bool {
    text.match_indices(section).any(|(at, word)| {
        let rest = text.get(at + word.len()..).unwrap_or("");
        rest.trim_start_matches([' ', '\t', '\r', '\n', '\x0b', '\x0c']).starts_with('{')
    })
}

fn from_path(given: &str) -> Result<ConfigSources, ConfigSourceError> {
    let path = absolute(local(given)?);
    let mut found = ConfigSources { sources: Vec::new(), warnings: Vec::new() };
    let mut not_utf8 = Vec::new();
    for file in matching_files(&path)? {
        let name = file.display().to_string();
        if name.ends_with('~') {
            found.warnings.push(format!("skipped config file {name}, its name marks a backup"));
            continue;
        }
        let bytes = fs::read(&file).map_err(|source| ConfigSourceError::Unreadable { path: file, source })?;
        match String::from_utf8(bytes) {
            Ok(text) => found.sources.push(ConfigSource { name, text }),
            Err(_) => not_utf8.push(name),
        }
    }
    if !not_utf8.is_empty() {
        return Err(ConfigSourceError::NotUtf8(not_utf8));
    }
    if found.sources.is_empty() {
        return Err(ConfigSourceError::NothingFound(path));
    }
    // Java sorts by UTF-16 units.
    found.sources.sort_by(|left, right| left.name.encode_utf16().cmp(right.name.encode_utf16()));
    Ok(found)
}

/// The path inside a `file://` address; other addresses are refused.
fn local(given: &str) -> Result<&str, ConfigSourceError> {
    let Some((scheme, rest)) = given.split_once("://") else { return Ok(given) };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => Ok(rest),
        "http" | "https" => Err(ConfigSourceError::Remote(given.to_owned())),
        word if !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphanumeric()) => {
            Err(ConfigSourceError::Scheme(given.to_owned()))
        }
        _ => Ok(given),
    }
}

/// Absolute and without `.` and `..`, with `~` as the home directory: Ruby's `File.expand_path`.
fn absolute(given: &str) -> String {
    let home = std::env::home_dir().filter(|_| given == "~" || given.starts_with("~/"));
    let path = match home {
        Some(home) => home.join(given.trim_start_matches('~').trim_start_matches('/')),
        None => std::env::current_dir().unwrap_or_default().join(given),
    };
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean.display().to_string()
}

/// The files (or named pipes) that a path, directory or glob stands for.
fn matching_files(path: &str) -> Result<Vec<PathBuf>, ConfigSourceError> {
    if Path::new(path).is_dir() {
        let prefix = Pattern::escape(path);
        return glob_files(&format!("{}/*", prefix.trim_end_matches('/')));
    }
    // A file whose very name holds a `[` needs no pattern to find it.
    if is_readable_kind(Path::new(path)) {
        return Ok(vec![PathBuf::from(path)]);
    }
    let mut files = Vec::new();
    for pattern in expand_braces(path) {
        files.extend(glob_files(&pattern)?);
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn glob_files(pattern: &str) -> Result<Vec<PathBuf>, ConfigSourceError> {
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let ruby_sets = pattern.replace("[^", "[!");
    let paths = glob::glob_with(&ruby_sets, options)
        .map_err(|source| ConfigSourceError::BadPattern { path: pattern.to_owned(), source })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| ConfigSourceError::Unreadable {
            path: error.path().to_owned(),
            source: error.into(),
        })?;
        if is_readable_kind(&path) {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_readable_kind(path: &Path) -> bool {
    let Ok(metadata) = fs::metadata(path) else { return false };
    metadata.is_file() || metadata.file_type().is_fifo()
}

/// `a{b,c}d` as `abd` and `acd`, nested ones too; unbalanced braces stay as they are.
fn expand_braces(pattern: &str) -> Vec<String> {
    let Some((start, end, commas)) = first_braces(pattern) else { return vec![pattern.to_owned()] };
    let (Some(before), Some(after)) = (pattern.get(..start), pattern.get(end + 1..)) else {
        return vec![pattern.to_owned()];
    };
    let tails = expand_braces(after);
    let mut expanded = Vec::new();
    let mut from = start + 1;
    for to in commas.into_iter().chain([end]) {
        for middle in expand_braces(pattern.get(from..to).unwrap_or("")) {
            expanded.extend(tails.iter().map(|tail| format!("{before}{middle}{tail}")));
        }
        from = to + 1;
    }
    expanded
}

/// Offsets of the first balanced braces and of the commas right inside them.
fn first_braces(pattern: &str) -> Option<(usize, usize, Vec<usize>)> {
    let start = pattern.find('{')?;
    let mut depth = 0usize;
    let mut commas = Vec::new();
    for (at, character) in pattern.char_indices().skip_while(|(at, _)| *at < start) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => commas.push(at),
            _ => {}
        }
        if depth == 0 {
            return Some((start, at, commas));
        }
    }
    None
}

#[cfg(test)]
mod tests;
