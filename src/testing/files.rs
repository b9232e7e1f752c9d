//! Finding files of cases and reading the cases in them.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::case::Case;
use super::execute::Bench;
use super::judge::Verdict;
use super::raw::Raw;
use super::suite::{Document, Suite};
use super::yaml::Node;

/// What the names of files of cases end in, where a directory is given.
const EXTENSIONS: [&str; 5] = ["json", "jsonl", "ndjson", "yaml", "yml"];

/// A file of cases.
pub struct CaseFile {
    pub path: PathBuf,
    pub text: String,
    pub jobs: Vec<Job>,
}

/// What is run in one piece.
#[derive(Debug)]
pub struct Job {
    pub work: Work,
    /// What the reports call it: the file, and the line where that tells more.
    pub place: String,
    /// The line of a case, from 0 on.
    pub line: usize,
}

/// Cases in the forms that they come in.
#[derive(Debug)]
pub enum Work {
    /// A case that brings its config.
    Case { case: Box<Case>, config_name: String },
    /// A file of logstash-filter-verifier.
    Suite(Box<Suite>),
    /// What could not be read, and why.
    Broken(String),
}

impl Job {
    /// Runs it and judges what came out.
    pub fn run(&self, bench: &Bench) -> Vec<Verdict> {
        match &self.work {
            Work::Case { case, config_name } => {
                let start = Instant::now();
                let mut verdict = case.run_on(bench, Some(config_name));
                verdict.time = start.elapsed();
                vec![verdict]
            }
            Work::Suite(suite) => suite.run(bench, &self.place),
            Work::Broken(error) => vec![Verdict::error(self.place.clone(), error.clone())],
        }
    }

    /// Whether it waits for something, so that others better do not wait for it.
    pub fn pauses(&self) -> bool {
        matches!(&self.work, Work::Case { case, .. } if case.pauses())
    }
}

/// Reads the files, and those that stand in the directories, in order.
///
/// # Errors
/// A path that cannot be read, by its name, and a directory without cases.
pub fn read_all(paths: &[PathBuf]) -> io::Result<Vec<CaseFile>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(CaseFile::read(path)?);
            continue;
        }
        let inside = inside(path).map_err(|error| named(path, &error))?;
        if inside.is_empty() {
            let message =
                format!("{}: no files of test cases in it (*.{})", path.display(), EXTENSIONS.join(", *."));
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        for path in inside {
            files.push(CaseFile::read(&path)?);
        }
    }
    name_configs(&mut files);
    Ok(files)
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The files of cases in a directory, sorted by name; not those in directories inside.
fn inside(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() && is_case_file(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file in a directory of cases is one of them, by its name.
pub fn is_case_file(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// Cases that bring the same config cover the same config: all call it by the place of the first.
fn name_configs(files: &mut [CaseFile]) {
    let mut names: HashMap<String, String> = HashMap::new();
    for job in files.iter_mut().flat_map(|file| &mut file.jobs) {
        if let Work::Case { case, config_name } = &mut job.work
            && let Some(config) = case.config()
        {
            let name = names.entry(config.to_owned()).or_insert_with(|| format!("{}: config", job.place));
            config_name.clone_from(name);
        }
    }
}

impl CaseFile {
    fn read(path: &Path) -> io::Result<CaseFile> {
        let bytes = std::fs::read(path).map_err(|error| named(path, &error))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: is not UTF-8", path.display()))
        })?;
        let shown = path.display().to_string();
        let jobs = match Form::of(path, &text) {
            Form::Lines => lines(&shown, &text),
            Form::Json => vec![suite_job(shown, json_document(&text))],
            Form::Yaml => vec![suite_job(shown, yaml_document(&text))],
        };
        Ok(CaseFile { path: path.to_owned(), text, jobs })
    }

    /// The form that the file is written in.
    pub fn form(&self) -> Form {
        Form::of(&self.path, &self.text)
    }
}

/// How a file of cases is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line.
    Lines,
    /// One JSON object with `testcases`.
    Json,
    /// The same in YAML.
    Yaml,
}

impl Form {
    fn of(path: &Path, text: &str) -> Form {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("yaml" | "yml") => Form::Yaml,
            // A .json file may hold lines all the same: the first of them is an object of its own then.
            Some("json") if !text.trim_start().lines().next().is_some_and(is_case) => Form::Json,
            _ => Form::Lines,
        }
    }
}

fn is_case(line: &str) -> bool {
    Raw::parse(line).is_ok_and(|raw| raw.get("name").is_some() && raw.get("testcases").is_none())
}

fn lines(file: &str, text: &str) -> Vec<Job> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let job = |(line, text): (usize, &str)| {
        let work = match Case::parse(text) {
            Ok(case) => Work::Case { case: Box::new(case), config_name: String::new() },
            Err(error) => Work::Broken(error),
        };
        Job { work, place: format!("{file}:{}", line + 1), line }
    };
    lines.map(job).collect()
}

fn suite_job(place: String, document: Result<Document, String>) -> Job {
    let work = match document.and_then(|document| Suite::read(&document)) {
        Ok(suite) => Work::Suite(Box::new(suite)),
        Err(error) => Work::Broken(error),
    };
    Job { work, place, line: 0 }
}

fn json_document(text: &str) -> Result<Document, String> {
    let values = Raw::parse(text)?;
    Ok(Document { texts: values.clone(), values })
}

fn yaml_document(text: &str) -> Result<Document, String> {
    let node = Node::parse(text)?;
    Ok(Document { values: node.value(), texts: node.texts() })
}

/// Reads a text as every form of test cases there is and forgets what came of it: what a file may hold must never be
/// able to stop the program.
pub fn read_any(text: &str) {
    lines("text", text);
    for document in [json_document(text), yaml_document(text)].into_iter().flatten() {
        _ = Suite::read(&document);
    }
}
