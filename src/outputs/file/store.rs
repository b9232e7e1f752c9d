//! The open files of a file output: created with their modes, written at once, closed when nothing comes any more.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files kept open at most. Nothing is held back in memory, so closing them costs only the opening again.
const MOST_OPEN: usize = 256;

/// How files are made and written.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Permission bits of new directories; `None` leaves them to the umask.
    pub dir_mode: Option<u32>,
    /// Permission bits of new files; `None` leaves them to the umask.
    pub file_mode: Option<u32>,
    /// Whether a write replaces what the file held.
    pub overwrite: bool,
    /// How long a file may stay open without a write.
    pub stale_after: Duration,
}

/// The files that are open, by path.
#[derive(Debug)]
pub struct Store {
    options: StoreOptions,
    files: HashMap<PathBuf, OpenFile>,
    last_cleanup: Instant,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    /// Written to since the last clean-up.
    active: bool,
}

impl Store {
    pub fn new(options: StoreOptions) -> Self {
        Store { options, files: HashMap::new(), last_cleanup: Instant::now() }
    }

    /// Writes bytes to a file, which is created when it is not there. Either all of them are with the operating system
    /// when this returns, or the file is as long as before.
    ///
    /// # Errors
    /// What opening or writing the file failed with.
    pub fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let overwrite = self.options.overwrite;
        let open = self.open(path)?;
        open.active = true;
        if overwrite && open.file.metadata()?.is_file() {
            open.file.set_len(0)?;
        }
        let written = write_whole(&mut open.file, bytes);
        if written.is_err() {
            // The next write opens it anew: it may have been on a file system that went away.
            self.files.remove(path);
        }
        written
    }

    /// Closes files that nothing was written to since the last time, when that is long enough ago.
    pub fn close_stale(&mut self) {
        if self.last_cleanup.elapsed() < self.options.stale_after {
            return;
        }
        self.files.retain(|path, open| {
            if !open.active {
                tracing::debug!(path = %path.display(), "closing a file");
            }
            std::mem::replace(&mut open.active, false)
        });
        self.last_cleanup = Instant::now();
    }

    pub fn close_all(&mut self) {
        self.files.clear();
    }

    fn open(&mut self, path: &Path) -> io::Result<&mut OpenFile> {
        // What was deleted, or moved away by log rotation, is made anew.
        let is_current = self.files.get(path).is_some_and(|open| is_file_at(&open.file, path));
        if !is_current {
            self.files.remove(path);
            if self.files.len() >= MOST_OPEN {
                self.files.clear();
            }
            let file = self.create(path)?;
            self.files.insert(path.to_owned(), OpenFile { file, active: true });
        }
        self.files.get_mut(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        tracing::debug!(path = %path.display(), "opening a file");
        if let Some(directory) = path.parent() {
            self.create_directory(directory)?;
        }
        let is_new = !path.exists();
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        if let Some(mode) = self.options.file_mode.filter(|_| is_new) {
            // Not by the mode of open: the umask would take bits from what the option says.
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        Ok(file)
    }

    fn create_directory(&self, directory: &Path) -> io::Result<()> {
        if directory.is_dir() {
            return Ok(());
        }
        let missing: Vec<&Path> = directory.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
        DirBuilder::new().recursive(true).create(directory).map_err(|error| match error.kind() {
            // Something that is no directory stands where one is needed.
            io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
            _ => error,
        })?;
        if let Some(mode) = self.options.dir_mode {
            for created in missing {
                fs::set_permissions(created, Permissions::from_mode(mode))?;
            }
        }
        Ok(())
    }
}

/// Whether the open file is the one that the path names now.
fn is_file_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.dev() == named.dev() && open.ino() == named.ino(),
        _ => false,
    }
}

/// Writes everything, or takes back the part that was written before an error: the events will be offered again.
fn write_whole(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        let error = match file.write(rest) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(len) => {
                written += len;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        if written > 0 && !take_back(file, written as u64).unwrap_or(false) {
            tracing::warn!(
                bytes = written,
                "part of a failed write stays in the file and will be there twice"
            );
        }
        return Err(error);
    }
    Ok(())
}

/// Cuts off the last bytes written, unless others have appended to the file since.
fn take_back(file: &mut File, written: u64) -> io::Result<bool> {
    // Writing in append mode leaves the position at the end of what was written.
    let end = file.stream_position()?;
    if file.metadata()?.len() != end {
        return Ok(false);
    }
    file.set_len(end.saturating_sub(written))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(change: impl FnOnce(&mut StoreOptions)) -> Store {
        let mut options = StoreOptions {
            dir_mode: None,
            file_mode: None,
            overwrite: false,
            stale_after: Duration::from_secs(1000),
        };
        change(&mut options);
        Store::new(options)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn modes_are_what_the_options_say() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("is/nested/out.txt");
        let mut store = store(|options| (options.dir_mode, options.file_mode) = (Some(0o751), Some(0o666)));
        store.write(&path, b"x").unwrap();
        assert_eq!(mode(&path), 0o666);
        assert_eq!(mode(&folder.path().join("is/nested")), 0o751);
        assert_eq!(mode(&folder.path().join("is")), 0o751);
        // What was there before keeps its own.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        store.close_all();
        store.write(&path, b"y").unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"xy".to_vec()));
    }

    #[test]
    fn deleted_and_rotated_files_are_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut store = store(|_| ());
        store.write(&path, b"1").unwrap();
        fs::remove_file(&path).unwrap();
        store.write(&path, b"2").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"2");
        fs::rename(&path, folder.path().join("out.1")).unwrap();
        fs::write(&path, b"").unwrap();
        store.write(&path, b"3").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"3");
        assert_eq!(fs::read(folder.path().join("out.1")).unwrap(), b"2");
    }

    #[test]
    fn stale_files_are_closed_in_the_second_round() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(|options| options.stale_after = Duration::ZERO);
        store.write(&folder.path().join("a"), b"1").unwrap();
        store.close_stale();
        store.write(&folder.path().join("b"), b"1").unwrap();
        store.close_stale();
        assert_eq!(store.files.keys().collect::<Vec<_>>(), [&folder.path().join("b")]);
    }

    #[test]
    fn never_too_many_files_are_open() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(|_| ());
        for number in 0..MOST_OPEN + 2 {
            store.write(&folder.path().join(number.to_string()), b"x").unwrap();
        }
        assert_eq!(store.files.len(), 2);
    }

    #[test]
    fn a_torn_write_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "whole\n").unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"tor").unwrap();
        assert!(take_back(&mut file, 3).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"whole\n");
        // Not when another one has appended: its bytes would go instead.
        file.write_all(b"tor").unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"other").unwrap();
        assert!(!take_back(&mut file, 3).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"whole\ntorother");
    }

    #[test]
    fn a_full_disk_is_an_error_that_leaves_the_file_to_be_opened_again() {
        let mut store = store(|_| ());
        let full = store.write(Path::new("/dev/full"), b"x").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert!(store.files.is_empty());
    }
}
