//! What read mode does with a file that is read: it is logged, deleted, or both (`log_completed_file_handler.rb`,
//! `delete_completed_file_handler.rb`), as soon as the pipeline has acknowledged all of it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::identity::{Key, Stat};
use super::tracked::State;
use super::watch::Watch;
use super::{CompletedAction, Settings};
use crate::plugin::RunError;

/// Makes the log of completed files.
///
/// # Errors
/// It cannot be written.
pub fn prepare(settings: &Settings) -> Result<(), RunError> {
    let Some(path) = &settings.completed_log else { return Ok(()) };
    match File::options().append(true).create(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) => {
            let path = path.display();
            Err(RunError::new(format!(
                "the file of file_completed_log_path cannot be written: {path}: {error}"
            )))
        }
    }
}

impl Watch {
    /// Does what is to be done with the files that are complete and acknowledged. One that has grown meanwhile is read
    /// on, if `goes_on`.
    pub fn complete(&mut self, goes_on: bool) {
        for key in std::mem::take(&mut self.complete) {
            let Some(file) = self.files.get_mut(&key) else { continue };
            if !file.progress.is_settled() {
                self.complete.push(key);
                continue;
            }
            let found = fs::metadata(&file.path).ok().and_then(|metadata| Stat::of(&metadata));
            let found = found.filter(|found| found.key == key);
            let has_grown = found.is_some_and(|found| !file.is_archive && found.size > file.read_position());
            if has_grown {
                file.state = if goes_on { State::Active } else { State::Done };
                continue;
            }
            file.state = State::Done;
            let path = file.path.clone();
            tracing::debug!(path = %path.display(), "a file is read");
            self.finish_file(key, &path, found.is_some());
        }
    }

    fn finish_file(&mut self, key: Key, path: &Path, is_there: bool) {
        let action = self.settings.completed_action;
        if let (true, Some(log)) = (action != CompletedAction::Delete, &self.settings.completed_log)
            && let Err(error) = append(log, path)
        {
            tracing::error!(log = %log.display(), path = %path.display(), %error, "could not log a file that is read, it is left there");
            return;
        }
        if action == CompletedAction::Log || !is_there {
            return;
        }
        let was_last = fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && it.nlink() == 1);
        match fs::remove_file(path) {
            Ok(()) => {
                self.places.remove(path);
                match was_last {
                    // Its inode may be another file's any time.
                    true => _ = self.files.remove(&key),
                    false => self.retire(key),
                }
                self.reader.ledger.set_moved();
            }
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "could not delete a file that is read");
            }
        }
    }
}

fn append(log: &Path, path: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let line = [path.as_os_str().as_bytes(), b"\n"].concat();
    File::options().append(true).create(true).open(log)?.write_all(&line)
}
