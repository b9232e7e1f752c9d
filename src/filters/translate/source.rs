//! The dictionary in use, which may come from a file that changes.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use super::dictionary::{DictionaryError, DictionaryFile, Entries};
use super::lookup::{Lookup, LookupError, Matching};
use crate::filters::refresh::Refresh;

/// A dictionary of the config, or one of a file.
#[expect(clippy::large_enum_variant, reason = "one for each filter")]
#[derive(Debug)]
pub enum Source {
    Fixed(Lookup),
    File(Box<Watched>),
}

/// When a file is read again, and what becomes of what was read before.
#[derive(Debug, Clone, Copy)]
pub struct Reloading {
    /// Seconds; 0 and less for never.
    pub interval: f64,
    /// Whether what is read again replaces what was there, instead of being added to it.
    pub replaces: bool,
}

/// A file that is read again in intervals.
#[derive(Debug)]
pub struct Watched {
    file: DictionaryFile,
    matching: Matching,
    reloading: Reloading,
    refresh: Refresh,
    /// When the file read last had been written.
    modified: Mutex<Option<SystemTime>>,
    current: RwLock<Arc<Lookup>>,
}

/// A file that cannot be used as a dictionary.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Dictionary(#[from] DictionaryError),
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

/// Up to this many seconds a file is read again only if it has changed.
const SHORT_INTERVAL: f64 = 300.0;

impl Source {
    /// Reads the file, and again whenever it is time.
    pub fn load(file: DictionaryFile, matching: Matching, reloading: Reloading) -> Result<Self, LoadError> {
        let modified = file.modified().ok();
        let mut entries = Entries::default();
        file.read(&mut entries)?;
        let lookup = Lookup::new(entries, matching)?;
        let seconds = if reloading.interval > 0.0 { reloading.interval } else { -1.0 };
        Ok(Source::File(Box::new(Watched {
            file,
            matching,
            reloading,
            refresh: Refresh::every(seconds),
            modified: Mutex::new(modified),
            current: RwLock::new(Arc::new(lookup)),
        })))
    }

    /// Calls `with` with the dictionary of the moment.
    pub fn with<T>(&self, with: impl FnOnce(&Lookup) -> T) -> T {
        match self {
            Source::Fixed(lookup) => with(lookup),
            Source::File(watched) => {
                if watched.refresh.is_due() {
                    watched.reload();
                }
                let current = Arc::clone(&watched.current.read().unwrap_or_else(PoisonError::into_inner));
                with(&current)
            }
        }
    }
}

impl Watched {
    /// A file that cannot be read leaves the dictionary as it was.
    fn reload(&self) {
        let modified = self.file.modified().ok();
        {
            let mut last = self.modified.lock().unwrap_or_else(PoisonError::into_inner);
            if self.reloading.interval <= SHORT_INTERVAL && modified.is_some() && *last == modified {
                return;
            }
            *last = modified;
        }
        match self.read_again() {
            Ok(lookup) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lookup);
            }
            Err(error) => {
                let path = self.file.path.display();
                tracing::warn!(%path, %error, "could not read the dictionary again, continuing with the old one");
            }
        }
    }

    fn read_again(&self) -> Result<Lookup, LoadError> {
        let mut entries = match self.reloading.replaces {
            true => Entries::default(),
            false => self.current.read().unwrap_or_else(PoisonError::into_inner).entries().clone(),
        };
        self.file.read(&mut entries)?;
        Ok(Lookup::new(entries, self.matching)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml::Reading;
    use super::*;
    use crate::event::Value;

    /// What becomes of "a", "b" and "c" while a file that maps a and b is replaced by one that maps a anew and c, then
    /// by a broken one, and is removed in the end.
    fn lives_of_a_file(replaces: bool) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.yml");
        std::fs::write(&path, "a: one\nb: two\n").unwrap();
        let file = DictionaryFile::new(path.clone(), Reading::Psych, 1000).unwrap();
        let reloading = Reloading { interval: 1e-9, replaces };
        let source = Source::load(file, Matching::Exact, reloading).unwrap();
        let shown = || {
            let found = |key: &str| source.with(|lookup| lookup.find(key)).unwrap();
            let texts =
                ["a", "b", "c"].map(|key| found(key).as_ref().and_then(Value::as_str).map(str::to_owned));
            texts.map(|text| text.unwrap_or("-".into())).join(" ")
        };
        let write = |text: &str| {
            std::fs::write(&path, text).unwrap();
            // A second of its own, whatever the clock of the file system is.
            let time = SystemTime::now() + std::time::Duration::from_secs(text.len() as u64);
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        };
        let mut lives = vec![shown()];
        write("a: three\nc: four\n");
        lives.push(shown());
        write("a: [");
        lives.push(shown());
        std::fs::remove_file(&path).unwrap();
        lives.push(shown());
        lives
    }

    #[test]
    fn what_is_read_again_is_added_or_replaces() {
        assert_eq!(
            lives_of_a_file(false),
            ["one two -", "three two four", "three two four", "three two four"]
        );
        assert_eq!(lives_of_a_file(true), ["one two -", "three - four", "three - four", "three - four"]);
    }
}
