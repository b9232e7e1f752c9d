//! `rstash test --watch`: calls back whenever a file that was named changes.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher};

use super::files::is_case_file;

/// An editor's several writes are one change.
const QUIET: Duration = Duration::from_millis(100);

/// The files and directories whose change matters.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Watched {
    files: BTreeSet<PathBuf>,
    /// Directories of cases: files in them matter by their names.
    cases: BTreeSet<PathBuf>,
    /// Directories of config files: every file in them matters.
    configs: BTreeSet<PathBuf>,
}

impl Watched {
    /// The paths of cases, and those of the config; of a path that is no file, what stands there may change.
    pub fn new(cases: &[PathBuf], configs: &[PathBuf]) -> Self {
        let mut watched = Watched::default();
        for path in cases.iter().map(|path| absolute(path)) {
            if path.is_dir() { &mut watched.cases } else { &mut watched.files }.insert(path);
        }
        for path in configs.iter().map(|path| absolute(path)) {
            if path.is_dir() { &mut watched.configs } else { &mut watched.files }.insert(path);
        }
        watched
    }

    /// The directories to look at. A file is watched through its directory, because editors put a new one in its place.
    fn directories(&self) -> BTreeSet<&Path> {
        let parents = self.files.iter().filter_map(|file| file.parent());
        parents
            .chain(self.cases.iter().map(PathBuf::as_path))
            .chain(self.configs.iter().map(PathBuf::as_path))
            .collect()
    }

    fn matters(&self, path: &Path) -> bool {
        if self.files.contains(path) {
            return true;
        }
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        let is_backup = name.starts_with(['.', '#']) || name.ends_with('~');
        let Some(parent) = path.parent().filter(|_| !is_backup) else { return false };
        self.configs.contains(parent) || (self.cases.contains(parent) && is_case_file(path))
    }
}

/// Absolute, with the directory's links followed: that is how changes are reported.
fn absolute(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.canonicalize().unwrap_or_else(|_| path.to_owned());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (parent.canonicalize(), path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

/// Calls `changed` after every change, until it returns false or the files can no longer be watched.
///
/// # Errors
/// The system cannot watch a directory.
pub fn watch(watched: &Watched, mut changed: impl FnMut() -> bool) -> Result<(), notify::Error> {
    let (sender, events) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(sender)?;
    for directory in watched.directories() {
        watcher.watch(directory, RecursiveMode::NonRecursive)?;
    }
    let matters = |event: &notify::Event| {
        !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(|path| watched.matters(path))
    };
    loop {
        match events.recv() {
            Ok(Ok(event)) if matters(&event) => {}
            Ok(Err(error)) => return Err(error),
            Ok(Ok(_)) => continue,
            // The watcher lives as long as this loop.
            Err(_) => return Ok(()),
        }
        loop {
            match events.recv_timeout(QUIET) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
        if !changed() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_files_and_their_kind_matter() {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let at = |name: &str| place.path().canonicalize().expect("it is there").join(name);
        for name in ["cases", "conf"] {
            std::fs::create_dir(at(name)).expect("a directory can be made");
        }
        let watched = Watched::new(&[at("cases"), at("one.json")], &[at("conf")]);
        for (path, matters) in [
            ("one.json", true),
            ("two.json", false),
            ("cases/a.yml", true),
            ("cases/a.txt", false),
            ("cases/.a.yml.swp", false),
            ("conf/10-x.conf", true),
            ("conf/10-x.conf~", false),
            ("conf/deeper/x.conf", false),
        ] {
            assert_eq!(watched.matters(&at(path)), matters, "{path}");
        }
        assert_eq!(watched.directories().len(), 3);
    }

    #[test]
    fn a_change_calls_back() {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let file = place.path().join("a.json");
        std::fs::write(&file, "1").expect("a file can be written");
        let watched = Watched::new(std::slice::from_ref(&file), &[]);
        let writing = file.clone();
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stopping = std::sync::Arc::clone(&stop);
        // Written again and again: the first time may be before the watcher is there.
        let writer = std::thread::spawn(move || {
            while !stopping.load(std::sync::atomic::Ordering::Relaxed) {
                std::fs::write(&writing, "2").expect("a file can be written");
                std::thread::sleep(QUIET * 3);
            }
        });
        watch(&watched, || false).expect("the file can be watched");
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        writer.join().expect("the writer ends");
    }
}
